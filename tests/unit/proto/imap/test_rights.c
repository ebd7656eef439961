/* SPDX-License-Identifier: MIT */
/* test_rights - the commands of ACL, each allocation failing once: no crash, no leak, and a mailbox
 * is never said to be permitted that is not. */
#include "cmocka_all.h"
#include "counting_heap.h"

#include "base/span.h"
#include <postern/imap.h>
#include <stdio.h>
#include <stdlib.h>

static const char talk[] =
    "a login u p\r\nb namespace\r\nc setacl INBOX {6+}\r\ncarl\xc2\xaa +lrd\r\n"
    "d getacl INBOX\r\ne listrights INBOX bob\r\nf myrights INBOX\r\n"
    "g list \"\" * return (myrights subscribed)\r\nh getacl hidden\r\ni rename INBOX hidden/x\r\n"
    "j deleteacl INBOX bob\r\nk create new\r\nl logout\r\n";

/* rights_of - "hidden" and what is below it is not for this user. */
static uint32_t rights_of(struct postern_span name)
{
    return span_begins(name, SPAN("hidden")) ? POSTERN_RIGHT_POST : POSTERN_RIGHTS_ALL;
}

static int answer(struct postern_imap *s, const struct postern_imap_question *q)
{
    const struct postern_acl all[] = {{SPAN("u"), POSTERN_RIGHTS_ALL, true},
                                      {SPAN("bob"), POSTERN_RIGHT_READ, false}};
    const struct postern_status list[] = {
        {.name = SPAN("INBOX"), .exists = true, .rights = POSTERN_RIGHTS_ALL},
        {.name = SPAN("hidden"), .exists = true, .has_children = true},
        {.name = SPAN("hidden/x"), .exists = true, .subscribed = true}};

    switch (q->kind) {
    case POSTERN_IMAP_AUTHENTICATE:
        return postern_imap_answer_authenticate(s, q->id, POSTERN_YES, q->user);
    case POSTERN_IMAP_RIGHTS:
        return postern_imap_answer_rights(s, q->id, 0, rights_of(q->name));
    case POSTERN_IMAP_ACL:
        assert_true(rights_of(q->name) == POSTERN_RIGHTS_ALL);
        return postern_imap_answer_acl(s, q->id, 0, all, 2);
    case POSTERN_IMAP_LIST:
        return postern_imap_answer_list(s, q->id, 0, list, 3);
    case POSTERN_IMAP_STATUS:
        return postern_imap_answer_status(s, q->id, 0, &list[0]);
    case POSTERN_IMAP_RENAME:
        fail_msg("it may not be renamed");
        return 0;
    default:
        return postern_imap_answer(s, q->id, 0);
    }
}

static void turn(struct postern_imap *s, char *said, size_t room)
{
    struct postern_imap_question question;
    struct postern_piece pieces[4];

    while (postern_imap_next(s, &question) == 1)
        if (question.id)
            (void)!answer(s, &question);
    while (postern_imap_output(s, pieces, 4)) {
        size_t n = strlen(said);

        snprintf(said + n, room - n, "%.*s", (int)pieces[0].bytes.n, pieces[0].bytes.p);
        postern_imap_sent(s, pieces[0].bytes.n, 0);
    }
}

/* run - what was said, with the allocation that is to fail. */
static void run(size_t fail_at, char *said, size_t room)
{
    struct postern_imap_options options;
    struct postern_imap *s = NULL;
    struct postern_span in = SPAN(talk);

    heap_fail(fail_at);
    said[0] = '\0';
    POSTERN_IMAP_OPTIONS_INIT(&options);
    options.allocator = &counting;
    options.plaintext_without_tls = true;
    options.acl = true;
    options.other_users = SPAN("Other/");
    if (postern_imap_new(&s, &options, NULL, 0) == 0)
        turn(s, said, room);
    while (s && in.n) {
        int n = postern_imap_feed(s, in, 0);

        turn(s, said, room);
        if (n < 0)
            break;
        in = span_from(in, (size_t)n);
    }
    postern_imap_free(&s);
    assert_int_equal(heap.live, 0);
}

static void test_every_allocation_fails_once(void **state)
{
    static char said[8192], whole[8192];
    size_t calls;

    (void)state;
    run(0, whole, sizeof whole);
    calls = heap.calls;
    assert_non_null(strstr(whole, "* NAMESPACE ((\"\" \"/\")) ((\"Other/\" \"/\")) NIL\r\n"));
    assert_non_null(strstr(whole, "c OK"));
    assert_non_null(strstr(whole, "* ACL \"INBOX\" \"u\" lrswipkxtecda \"bob\" r\r\n"));
    assert_non_null(
        strstr(whole, "* LISTRIGHTS \"INBOX\" \"bob\" \"\" l r s w i p k x t e c d a\r\n"));
    assert_null(strstr(whole, "\"hidden"));
    assert_non_null(strstr(whole, "h NO [NONEXISTENT]"));
    assert_non_null(strstr(whole, "i NO [NOPERM]"));
    assert_non_null(strstr(whole, "l OK"));
    for (size_t fail_at = 1; fail_at <= calls; fail_at++) {
        run(fail_at, said, sizeof said);
        assert_null(strstr(said, "h OK"));
        assert_null(strstr(said, "i OK"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_allocation_fails_once)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
