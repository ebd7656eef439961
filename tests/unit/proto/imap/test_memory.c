/* SPDX-License-Identifier: MIT */
/* test_memory - a session that waits holds no output's memory, however sending, asking and
 * answering fell together. */
#include "cmocka_all.h"

#include "base/span.h"
#include <postern/imap.h>

#define NAMES_BYTES 100 /* the user's, the mailbox's, the tag */

static const struct postern_imap_mailbox inbox = {
    .status = {.exists = true, .uid_validity = 1, .uid_next = 1, .modseq = 1}};

static const struct postern_imap_mailbox nothing_new = {
    .status = {.exists = true, .uid_validity = 1, .uid_next = 1, .modseq = 1}, .unchanged = true};

static void answer(struct postern_imap *s, const struct postern_imap_question *q)
{
    if (q->kind == POSTERN_IMAP_AUTHENTICATE)
        assert_int_equal(postern_imap_answer_authenticate(s, q->id, POSTERN_YES, q->user), 0);
    else if (q->kind == POSTERN_IMAP_SELECT)
        assert_int_equal(postern_imap_answer_mailbox(s, q->id, 0, &inbox), 0);
    else if (q->kind == POSTERN_IMAP_NEWS)
        assert_int_equal(postern_imap_answer_mailbox(s, q->id, 0, &nothing_new), 0);
    else
        assert_int_equal(postern_imap_answer(s, q->id, 0), 0);
}

static void answer_all(struct postern_imap *s)
{
    struct postern_imap_question question;

    while (postern_imap_next(s, &question) == 1)
        if (question.id)
            answer(s, &question);
}

static void send_all(struct postern_imap *s)
{
    struct postern_piece piece;

    while (postern_imap_output(s, &piece, 1))
        postern_imap_sent(s, piece.bytes.n, 0);
}

static void say(struct postern_imap *s, struct postern_span line)
{
    while (line.n) {
        int n = postern_imap_feed(s, line, 0);

        assert_true(n >= 0);
        line = span_from(line, (size_t)n);
        answer_all(s);
    }
}

static void test_waiting_session(void **state)
{
    struct postern_imap_options options;
    struct postern_imap *s;
    size_t fresh, quiet;

    (void)state;
    POSTERN_IMAP_OPTIONS_INIT(&options);
    options.plaintext_without_tls = true;
    assert_int_equal(postern_imap_new(&s, &options, NULL, 0), 0);
    answer_all(s);
    send_all(s);
    fresh = postern_imap_memory(s);
    say(s, SPAN("a login u p\r\nb select inbox\r\nc idle\r\n"));
    send_all(s);
    quiet = postern_imap_memory(s);
    assert_in_range(quiet, fresh, fresh + NAMES_BYTES);
    /* what was said leaves while a question is out, and nothing comes of that */
    say(s, SPAN("done\r\nd select inbox\r\ne idle\r\n"));
    postern_imap_news(s);
    send_all(s);
    assert_true(postern_imap_wants(s) & POSTERN_WANT_APPLICATION);
    answer_all(s);
    send_all(s);
    assert_false(postern_imap_wants(s) & (POSTERN_WANT_APPLICATION | POSTERN_WANT_WRITE));
    assert_int_equal(postern_imap_memory(s), quiet);
    postern_imap_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_waiting_session)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
