/* SPDX-License-Identifier: MIT */
/* test_memory - an idle session is small, and a message of 1 GiB passes through little memory. */
#include "drive.h"

#include "counting_heap.h"

#define GIB (UINT64_C(1) << 30)
#define PEAK_MAX (64 * 1024)
#define CHUNK 16384

static void login(struct drive *d)
{
    heap.live = heap.peak = 0;
    drive_init(d);
    d->options.allocator = &counting;
    drive_start(d);
    drive_send(d, "CAPA\r\nUSER u\r\nPASS p\r\nSTAT\r\nLIST\r\nRETR 1\r\nTOP 2 1\r\n");
    assert_int_equal(postern_pop3_state(d->s), POSTERN_POP3_TRANSACTION);
}

static void test_idle_session_is_small(void **state)
{
    struct drive d;

    (void)state;
    login(&d);
    assert_true(postern_pop3_memory(d.s) < 2048);
    assert_true(heap.live < 2048);
    assert_int_equal(heap.live, postern_pop3_memory(d.s));
    drive_done(&d);
    assert_int_equal(heap.live, 0);
}

/* count_output - write everything, counting. */
static uint64_t count_output(struct drive *d)
{
    struct postern_piece pieces[4];
    uint64_t total = 0;
    size_t count = postern_pop3_output(d->s, pieces, 4);

    for (size_t i = 0; i < count; i++)
        total += pieces[i].bytes.n;
    if (total)
        postern_pop3_sent(d->s, total, d->now);
    return total;
}

/* stream - answer every READ with lines of 64 octets until size; returns what was written. */
static uint64_t stream(struct drive *d, uint64_t size, bool clean)
{
    static char chunk[CHUNK];
    struct postern_pop3_message message = {.size_raw = size, .wire_clean = clean};
    struct postern_pop3_question q;
    uint64_t written = 0;

    for (size_t i = 0; i < sizeof chunk; i++)
        chunk[i] = i % 64 == 63 ? '\n' : i % 64 == 62 && clean ? '\r' : 'x';
    assert_int_equal(postern_pop3_feed(d->s, drive_span("RETR 1\r\n"), d->now), 8);
    for (bool moved = true; moved;) {
        uint64_t n;

        moved = postern_pop3_next(d->s, &q) == 1;
        if (moved && q.kind == POSTERN_POP3_MESSAGE)
            assert_int_equal(
                postern_pop3_answer_message(d->s, q.id, POSTERN_YES, &message, drive_span(NULL)),
                0);
        if (moved && q.kind == POSTERN_POP3_READ) {
            struct postern_span bytes = {chunk, q.length < CHUNK ? q.length : CHUNK};

            if (q.offset + bytes.n > size)
                bytes.n = (size_t)(size - q.offset);
            assert_int_equal(postern_pop3_answer_read(d->s, q.id, 0, bytes), 0);
        }
        n = count_output(d);
        written += n;
        moved = moved || n;
    }
    return written;
}

static void test_huge_message_streams(void **state)
{
    static const char first[] = "+OK 24 octets\r\n";
    struct drive d;

    (void)state;
    login(&d);
    assert_int_equal(stream(&d, GIB, true), GIB + sizeof first - 1 + 3);
    assert_int_equal(stream(&d, GIB, false), GIB + GIB / 64 + sizeof first - 1 + 3);
    assert_true(heap.peak < PEAK_MAX);
    assert_true(heap.live < 2048);
    drive_done(&d);
}

/* R47: a client that does not read meets back-pressure, not memory */
static void test_unread_output_stops_input(void **state)
{
    struct drive d;
    size_t taken = 0;
    int n;

    (void)state;
    login(&d);
    while ((n = postern_pop3_feed(d.s, drive_span("CAPA\r\n"), d.now)) > 0)
        taken += (size_t)n;
    assert_int_equal(n, 0);
    assert_true(taken > 6 && taken < 6 * 1000);
    assert_false(postern_pop3_wants(d.s) & POSTERN_WANT_READ);
    assert_true(heap.live < 2 * PEAK_MAX);
    drive_pump(&d);
    assert_int_equal(postern_pop3_feed(d.s, drive_span("NOOP\r\n"), d.now), 6);
    drive_done(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_idle_session_is_small),
        cmocka_unit_test(test_huge_message_streams),
        cmocka_unit_test(test_unread_output_stops_input),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
