/* SPDX-License-Identifier: MIT */
/* test_stuff - dot stuffing whole and split everywhere, and reply lines (R5 R7 R8 R35 R45). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/span.h"
#include "proto/wire/reply.h"
#include "proto/wire/stuff.h"

static const struct {
    const char *in, *out;
} cases[] = {
    {"", ""},
    {".", "..\r\n"},
    {"a", "a\r\n"},
    {"a\n", "a\r\n"},
    {"a\r\n", "a\r\n"},
    {"a\r", "a\r\r\n"},
    {".\n.\n", "..\r\n..\r\n"},
    {".\r\n.\r\n..\r\n", "..\r\n..\r\n...\r\n"},
    {"a.b\n.c\n\n.", "a.b\r\n..c\r\n\r\n..\r\n"},
    {"\n\n", "\r\n\r\n"},
    {"\r.\n", "\r.\r\n"},
    {"a\r\r\n.b\n\r\n", "a\r\r\n..b\r\n\r\n"},
};

/* feed_guarded - feed a copy that ends where memory ends. */
static void feed_guarded(struct stuff *stuff, struct postern_span in, struct buffer *out)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_true(map != MAP_FAILED);
    assert_int_equal(mprotect(map + page, page, PROT_NONE), 0);
    memcpy(map + page - in.n, in.p, in.n);
    stuff_feed(stuff, span_make(map + page - in.n, in.n), out);
    munmap(map, 2 * page);
}

static void check(const char *text, const char *expected, size_t a, size_t b)
{
    struct postern_span in = postern_span_of(text);
    struct stuff stuff = {0};
    struct buffer out = {0};

    feed_guarded(&stuff, span_make(in.p, a), &out);
    feed_guarded(&stuff, span_make(in.p + a, b - a), &out);
    feed_guarded(&stuff, span_from(in, b), &out);
    stuff_finish(&stuff, &out);
    assert_int_equal(out.error, 0);
    assert_true(span_equal(buffer_span(&out), postern_span_of(expected)));
    buffer_done(&out);
}

static void test_every_split_gives_the_same_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n = strlen(cases[i].in);

        for (size_t a = 0; a <= n; a++)
            for (size_t b = a; b <= n; b++)
                check(cases[i].in, cases[i].out, a, b);
    }
}

static void test_byte_by_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stuff stuff = {0};
        struct buffer out = {0};

        for (const char *p = cases[i].in; *p; p++)
            feed_guarded(&stuff, span_make(p, 1), &out);
        stuff_finish(&stuff, &out);
        assert_true(span_equal(buffer_span(&out), postern_span_of(cases[i].out)));
        buffer_done(&out);
    }
}

/* R5: never above 512 octets, never half a character */
static void test_reply_is_bounded(void **state)
{
    struct reply reply = {.n = 0};
    struct buffer out = {0};

    (void)state;
    reply_add(&reply, SPAN("+OK "));
    for (int i = 0; i < 400; i++)
        reply_add(&reply, SPAN("\xc3\xa9"));
    reply_write(&reply, &out);
    assert_int_equal(buffer_length(&out), 512);
    assert_memory_equal(buffer_span(&out).p + 508, "\xc3\xa9\r\n", 4);
    buffer_done(&out);
}

/* R45 */
static void test_foreign_text_is_defused(void **state)
{
    struct reply reply = {.n = 0};

    (void)state;
    reply_add_foreign(&reply, SPAN(" [AUTH]\r\n.\xc3\xa9"), false);
    assert_true(span_equal(span_make(reply.bytes, reply.n), SPAN(" (AUTH]  .??")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_split_gives_the_same_text),
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_reply_is_bounded),
        cmocka_unit_test(test_foreign_text_is_defused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
