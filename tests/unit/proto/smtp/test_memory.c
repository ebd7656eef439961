/* SPDX-License-Identifier: MIT */
/* test_memory - N6: a session that waits is small, and a message of 1 GiB passes through little
 * memory, however it is sent and whatever its lines are. */
#include "cmocka_all.h"

#include "base/span.h"
#include "counting_heap.h"
#include <postern/smtp.h>
#include <stdio.h>

#define GIB (UINT64_C(1) << 30)
#define PEAK_MAX (64 * 1024)
#define PIECE 65536 /* what a server reads at once */

/* turn - everything is fine with the application, and what is said is lost. Returns the octets that
 * were written. */
static uint64_t turn(struct postern_smtp *s)
{
    struct postern_smtp_question question;
    struct postern_piece piece;
    uint64_t written = 0;

    while (postern_smtp_next(s, &question) == 1) {
        if (question.kind == POSTERN_SMTP_WRITE)
            written += question.bytes.n;
        if (question.id)
            assert_int_equal(postern_smtp_answer(s, question.id, NULL), 0);
    }
    while (postern_smtp_output(s, &piece, 1))
        postern_smtp_sent(s, piece.bytes.n, 0);
    return written;
}

static uint64_t say(struct postern_smtp *s, struct postern_span in)
{
    uint64_t written = 0;

    while (in.n) {
        int n = postern_smtp_feed(s, in, 0);

        assert_true(n >= 0);
        written += turn(s);
        in = span_from(in, (size_t)n);
    }
    return written;
}

static struct postern_smtp *begin(void)
{
    struct postern_smtp_options options;
    struct postern_smtp *s = NULL;

    heap.live = heap.peak = 0;
    POSTERN_SMTP_OPTIONS_INIT(&options);
    options.allocator = &counting;
    options.message_max = 4 * GIB;
    assert_int_equal(postern_smtp_new(&s, &options, NULL, 0), 0);
    turn(s);
    say(s, SPAN("EHLO x\r\n"));
    return s;
}

static void end(struct postern_smtp *s)
{
    assert_true(heap.live < 2048);
    assert_int_equal(heap.live, postern_smtp_memory(s));
    postern_smtp_free(&s);
    assert_int_equal(heap.live, 0);
}

static void test_idle_session_is_small(void **state)
{
    struct postern_smtp *s = begin();

    (void)state;
    assert_true(heap.live < 2048);
    say(s, SPAN("MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n"));
    assert_true(heap.live < 4096);
    say(s, SPAN("RSET\r\n"));
    end(s);
}

/* send - a message of so many octets, each line so long, its end included. */
static uint64_t send(struct postern_smtp *s, uint64_t size, size_t line, const char *line_end)
{
    static char piece[PIECE];
    size_t end_n = strlen(line_end);
    uint64_t written = 0;

    memset(piece, 'x', sizeof piece);
    for (size_t at = line; at <= sizeof piece; at += line)
        memcpy(piece + at - end_n, line_end, end_n);
    say(s, SPAN("MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n"));
    written += say(s, SPAN("Subject: x\r\n\r\n"));
    for (uint64_t sent = 0; sent < size; sent += sizeof piece)
        written += say(s, span_make(piece, sizeof piece));
    return written + say(s, SPAN("\r\n.\r\n"));
}

static void test_huge_message_streams(void **state)
{
    struct postern_smtp *s = begin();

    (void)state;
    assert_true(send(s, GIB, 64, "\r\n") > GIB);
    assert_true(heap.peak < PEAK_MAX);
    end(s);
}

/* each line end becomes two octets */
static void test_bare_line_ends(void **state)
{
    struct postern_smtp *s = begin();

    (void)state;
    assert_true(send(s, GIB / 64, 1, "\n") > GIB / 64 * 2);
    assert_true(heap.peak < 2 * PEAK_MAX);
    end(s);
}

static void test_huge_chunks(void **state)
{
    static char piece[PIECE];
    struct postern_smtp *s = begin();
    uint64_t written = 0;
    char line[40];

    (void)state;
    memset(piece, 'x', sizeof piece);
    say(s, SPAN("MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n"));
    say(s, SPAN("BDAT 16\r\nSubject: x\r\n\r\nx\r"));
    say(s, SPAN("BDAT 1\r\n\n"));
    snprintf(line, sizeof line, "BDAT %llu LAST\r\n", (unsigned long long)GIB);
    say(s, postern_span_of(line));
    for (uint64_t sent = 0; sent < GIB; sent += sizeof piece)
        written += say(s, span_make(piece, sizeof piece));
    assert_true(written >= GIB);
    assert_true(heap.peak < PEAK_MAX);
    end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_idle_session_is_small),
        cmocka_unit_test(test_huge_message_streams),
        cmocka_unit_test(test_bare_line_ends),
        cmocka_unit_test(test_huge_chunks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
