/* SPDX-License-Identifier: MIT */
/* test_line - lines whole, byte by byte and split at every place; input ends at a guard page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/span.h"
#include "proto/wire/line.h"

#define LIMIT 16

static const char input[] = "QUIT\r\n\r\nA\rB\nC\r\n"
                            "0123456789abcd\r\n"  /* just fits */
                            "0123456789abcde\r\n" /* one too long */
                            "0123456789abcdefghijklmnop\r\r\nNOOP\r\n\r\r\n\n\r\nhalf";
static const char *const expected[] = {"QUIT", "",   "A\rB\nC", "0123456789abcd", NULL, NULL,
                                       "NOOP", "\r", "\n"};

/* guarded - a copy of the bytes that ends where memory ends. */
static char *guarded(const char *bytes, size_t n, void **map_r)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_true(map != MAP_FAILED && n <= page);
    assert_int_equal(mprotect(map + page, page, PROT_NONE), 0);
    memcpy(map + page - n, bytes, n);
    *map_r = map;
    return map + page - n;
}

/* eat - feed one piece; each event must be the next expected one. */
static void eat(struct line *l, struct postern_span in, size_t *event)
{
    while (in.n) {
        struct postern_span line;
        size_t used = 0;
        void *map;
        char *copy = guarded(in.p, in.n, &map);
        int got = line_feed(l, span_make(copy, in.n), LIMIT, &used, &line);

        assert_true(got >= 0 && used > 0 && used <= in.n);
        if (got != LINE_MORE) {
            const char *want = expected[*event];

            assert_true(*event < sizeof expected / sizeof *expected);
            assert_int_equal(got, want ? LINE_READY : LINE_TOO_LONG);
            if (want)
                assert_true(span_equal(line, postern_span_of(want)));
            ++*event;
        }
        if (got == LINE_READY)
            line_release(l);
        munmap(map, 2 * (size_t)sysconf(_SC_PAGESIZE));
        in = span_from(in, used);
    }
}

static void check_pieces(const size_t *cuts, size_t count)
{
    struct line l;
    size_t at = 0, event = 0;

    line_init(&l, NULL);
    for (size_t i = 0; i < count; at = cuts[i++])
        eat(&l, span_make(input + at, cuts[i] - at), &event);
    assert_int_equal(event, sizeof expected / sizeof *expected);
    assert_int_equal(buffer_length(&l.partial), 4);
    line_reset(&l);
}

static void test_every_split_gives_the_same_lines(void **state)
{
    size_t n = sizeof input - 1;

    (void)state;
    for (size_t a = 0; a <= n; a++)
        check_pieces((size_t[]){a, n}, 2);
    for (size_t step = 1; step < 9; step++) {
        size_t cuts[sizeof input], count = 0;

        for (size_t at = step; at < n; at += step)
            cuts[count++] = at;
        cuts[count++] = n;
        check_pieces(cuts, count);
    }
}

static void test_swallowing_costs_no_memory(void **state)
{
    struct line l;
    struct postern_span line;
    size_t used;
    char much[1000];

    (void)state;
    memset(much, 'x', sizeof much);
    line_init(&l, NULL);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(line_feed(&l, span_make(much, sizeof much), LIMIT, &used, &line),
                         LINE_MORE);
    assert_int_equal(l.partial.capacity, 0);
    assert_int_equal(line_feed(&l, SPAN("\r\n"), LIMIT, &used, &line), LINE_TOO_LONG);
    assert_int_equal(line_feed(&l, SPAN("ok\r\n"), LIMIT, &used, &line), LINE_READY);
    line_release(&l);
}

static void test_inspect_names_odd_octets(void **state)
{
    (void)state;
    assert_int_equal(line_inspect(SPAN("PASS a b~")), 0);
    assert_int_equal(line_inspect(span_make("a\0b", 3)), LINE_HAS_CONTROL);
    assert_int_equal(line_inspect(SPAN("a\x7f")), LINE_HAS_CONTROL);
    assert_int_equal(line_inspect(SPAN("\xc3\xa9")), LINE_HAS_8BIT);
    assert_int_equal(line_inspect(SPAN("\xff\n")), LINE_HAS_8BIT | LINE_HAS_CONTROL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_split_gives_the_same_lines),
        cmocka_unit_test(test_swallowing_costs_no_memory),
        cmocka_unit_test(test_inspect_names_odd_octets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
