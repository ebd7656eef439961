/* SPDX-License-Identifier: MIT */
/* test_milter - what is said octet by octet; replies whole and byte by byte; what does not fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/span.h"
#include "guard.h"
#include "counting_heap.h"
#include "proto/milter/milter.h"

#define RAW(literal) SPAN(literal)

static void said(struct milter *m, struct postern_span expected)
{
    struct postern_span out = milter_output(m);

    assert_int_equal(out.n, expected.n);
    assert_memory_equal(out.p, expected.p, expected.n);
    milter_sent(m, out.n);
}

/* hear - in steps; the kind of the first event, or 0, or <0. */
static int hear(struct milter *m, struct postern_span text, size_t step, struct milter_event *event)
{
    for (size_t at = 0; at < text.n;) {
        struct postern_span some = span_from(text, at);
        struct postern_span guarded = guard_copy(some.p, some.n < step ? some.n : step);
        int r = milter_feed(m, guarded);

        guard_free(guarded);
        if (r < 0)
            return r;
        at += (size_t)r;
        r = milter_next(m, event);
        if (r)
            return r < 0 ? r : (int)event->kind;
        assert_int_equal(milter_next(m, event), 0);
    }
    return 0;
}

/* begin - a talk with a filter of these options. */
static void begin(struct milter *m, struct postern_span options)
{
    struct milter_event event;

    milter_init(m, NULL);
    assert_int_equal(milter_begin(m), 1);
    milter_sent(m, milter_output(m).n);
    assert_int_equal(hear(m, options, 3, &event), MILTER_CONTINUE);
}

#define OPTIONS(steps) RAW("\0\0\0\x0dO\0\0\0\x06\0\0\0\x7f" steps)
#define PLAIN OPTIONS("\0\0\0\0")

static void test_commands_are_said(void **state)
{
    const struct milter_macro macros[] = {
        {"i", {"id", 2}}, {"{none}", {NULL, 0}}, {"{x}", {"y", 1}}};
    struct milter m;
    struct milter_event event;

    (void)state;
    milter_init(&m, NULL);
    assert_int_equal(milter_helo(&m, SPAN("x"), NULL, 0), POSTERN_E_USAGE);
    assert_int_equal(milter_begin(&m), 1);
    said(&m, RAW("\0\0\0\x0dO\0\0\0\x06\0\0\0\xff\0\x1f\xf7\xff"));
    assert_int_equal(milter_begin(&m), POSTERN_E_USAGE);
    assert_int_equal(milter_helo(&m, SPAN("x"), NULL, 0), POSTERN_E_USAGE); /* a reply is due */
    assert_int_equal(hear(&m, PLAIN, 1, &event), MILTER_CONTINUE);
    assert_int_equal(milter_connect(&m, SPAN("h"), SPAN("::1"), 258, macros, 3), 1);
    said(&m, RAW("\0\0\0\x0d"
                 "DCi\0id\0{x}\0y\0"
                 "\0\0\0\x0a"
                 "Ch\0"
                 "6\x01\x02::1\0"));
    assert_int_equal(hear(&m, RAW("\0\0\0\1c"), 1, &event), MILTER_CONTINUE);
    assert_int_equal(milter_connect(&m, SPAN("h"), (struct postern_span){NULL, 0}, 0, NULL, 0), 1);
    said(&m, RAW("\0\0\0\x04"
                 "Ch\0U"));
    assert_int_equal(hear(&m, RAW("\0\0\0\1c"), 5, &event), MILTER_CONTINUE);
    assert_int_equal(milter_mail(&m, SPAN("a\0b"), NULL, 0), 1);
    said(&m, RAW("\0\0\0\x07"
                 "M<a?b>\0"));
    assert_int_equal(hear(&m, RAW("\0\0\0\1c"), 5, &event), MILTER_CONTINUE);
    assert_int_equal(milter_header(&m, SPAN("A"), SPAN("  b\r\n\tc\r")), 1);
    said(&m, RAW("\0\0\0\x0a"
                 "LA\0 b\n\tc\r\0"));
    milter_done(&m);
}

static void test_what_is_not_wanted_is_not_said(void **state)
{
    struct milter m;

    (void)state;
    begin(&m, OPTIONS("\0\0\x02\xff")); /* all but UNKNOWN; no replies to headers */
    assert_int_equal(milter_connect(&m, SPAN("h"), SPAN(""), 0, NULL, 0), 0);
    assert_int_equal(milter_helo(&m, SPAN("h"), NULL, 0), 0);
    assert_int_equal(milter_mail(&m, SPAN("h"), NULL, 0), 0);
    assert_int_equal(milter_rcpt(&m, SPAN("h"), NULL, 0), 0);
    assert_int_equal(milter_data(&m, NULL, 0), 0);
    assert_int_equal(milter_header(&m, SPAN("h"), SPAN("x")), 0);
    assert_int_equal(milter_header_end(&m), 0);
    assert_false(milter_wants_body(&m));
    assert_int_equal(milter_body(&m, SPAN("h")), 0);
    said(&m, RAW(""));
    assert_int_equal(milter_end(&m, NULL, 0), 1);
    said(&m, RAW("\0\0\0\1E"));
    milter_done(&m);
    begin(&m, OPTIONS("\0\x1f\xf0\x80")); /* no replies; values as they stand */
    assert_int_equal(milter_helo(&m, SPAN("h"), NULL, 0), 0);
    assert_int_equal(milter_header(&m, SPAN("h"), SPAN(" x")), 0);
    said(&m, RAW("\0\0\0\3Hh\0\0\0\0\6Lh\0 x\0"));
    milter_quit(&m);
    said(&m, RAW("\0\0\0\1Q"));
    assert_int_equal(milter_helo(&m, SPAN("h"), NULL, 0), POSTERN_E_USAGE);
    milter_done(&m);
}

static void test_messages_follow_each_other(void **state)
{
    struct milter m;
    struct milter_event event;

    (void)state;
    begin(&m, OPTIONS("\0\0\x04\0")); /* it may skip bodies */
    assert_int_equal(milter_abort(&m), 0);
    said(&m, RAW(""));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(milter_mail(&m, SPAN("a"), NULL, 0), 1);
        milter_sent(&m, milter_output(&m).n);
        assert_int_equal(milter_abort(&m), POSTERN_E_USAGE); /* a reply is due */
        assert_int_equal(hear(&m, RAW("\0\0\0\1c"), 5, &event), MILTER_CONTINUE);
        assert_int_equal(milter_body(&m, SPAN("b")), 1); /* also behind one that was skipped */
        milter_sent(&m, milter_output(&m).n);
        assert_int_equal(hear(&m, RAW("\0\0\0\1s"), 5, &event), MILTER_SKIP);
        assert_int_equal(milter_abort(&m), 0);
        said(&m, RAW("\0\0\0\1A"));
        assert_int_equal(milter_abort(&m), 0);
        said(&m, RAW(""));
    }
    assert_int_equal(milter_mail(&m, SPAN("a"), NULL, 0), 1);
    assert_int_equal(hear(&m, RAW("\0\0\0\1c"), 5, &event), MILTER_CONTINUE);
    assert_int_equal(milter_end(&m, NULL, 0), 1);
    assert_int_equal(hear(&m, RAW("\0\0\0\1r"), 5, &event), MILTER_REJECT);
    milter_sent(&m, milter_output(&m).n);
    assert_int_equal(milter_abort(&m), 0); /* it is over */
    said(&m, RAW(""));
    milter_done(&m);
}

static void test_replies_are_heard(void **state)
{
    static const struct {
        struct postern_span said;
        int kind;
    } rows[] = {{RAW("\0\0\0\1c"), MILTER_CONTINUE},
                {RAW("\0\0\0\1a"), MILTER_ACCEPT},
                {RAW("\0\0\0\1r"), MILTER_REJECT},
                {RAW("\0\0\0\1t"), MILTER_TEMPFAIL},
                {RAW("\0\0\0\1d"), MILTER_DISCARD},
                {RAW("\0\0\0\1p"), MILTER_PROGRESS},
                {RAW("\0\0\0\1s"), POSTERN_E_SYNTAX},
                {RAW("\0\0\0\1O"), POSTERN_E_SYNTAX},
                {RAW("\0\0\0\2cx"), POSTERN_E_SYNTAX},
                {RAW("\0\0\0\0c"), POSTERN_E_SYNTAX},
                {RAW("\0\1\0\1c"), POSTERN_E_SYNTAX},
                {RAW("\0\0\0\4hA\0b"), POSTERN_E_SYNTAX},
                {RAW("\0\0\0\1"), 0}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t step = 1; step < 8; step++) {
            struct milter_event event;
            struct milter m;

            begin(&m, PLAIN);
            assert_int_equal(milter_rcpt(&m, SPAN("a"), NULL, 0), 1);
            assert_int_equal(hear(&m, rows[i].said, step, &event), rows[i].kind);
            if (rows[i].kind == POSTERN_E_SYNTAX)
                assert_int_equal(milter_feed(&m, SPAN("x")), POSTERN_E_SYNTAX);
            milter_done(&m);
        }
}

static void reply(struct postern_span text, unsigned code, const char *enhanced, const char *words)
{
    char packet[100] = {0, 0, 0, (char)(text.n + 1), 'y'};
    struct milter_event event;
    struct milter m;
    int r;

    memcpy(packet + 5, text.p, text.n);
    begin(&m, PLAIN);
    assert_int_equal(milter_rcpt(&m, SPAN("a"), NULL, 0), 1);
    r = hear(&m, span_make(packet, text.n + 5), 2, &event);
    assert_int_equal(r, code ? MILTER_REPLY : POSTERN_E_SYNTAX);
    if (code) {
        assert_int_equal(event.code, code);
        assert_string_equal(event.enhanced, enhanced);
        assert_string_equal(event.text, words);
    }
    milter_done(&m);
}

static void test_words_are_taken_apart(void **state)
{
    (void)state;
    reply(RAW("550 5.7.1 no 1%%\0"), 550, "5.7.1", "no 1%");
    reply(RAW("450-4.7.1 a\r\n450 4.7.1 b\0"), 450, "4.7.1", "a");
    reply(RAW("450 5.7.1 no 1\0"), 450, "", "5.7.1 no 1");
    reply(RAW("450 4.7.1.2 no\0"), 450, "", "4.7.1.2 no");
    reply(RAW("450\0"), 450, "", "");
    reply(RAW("350\0"), 0, "", "");
    reply(RAW("600\0"), 0, "", "");
    reply(RAW("4500\0"), 0, "", "");
    reply(RAW("45\0"), 0, "", "");
    reply(RAW("450"), 0, "", "");
    reply(RAW("450\0x\0"), 0, "", "");
}

static void test_wishes_are_heard_at_the_end_only(void **state)
{
    struct milter_event event;
    struct milter m;

    (void)state;
    begin(&m, PLAIN);
    assert_int_equal(milter_end(&m, NULL, 0), 1);
    assert_int_equal(hear(&m, RAW("\0\0\0\x09i\0\0\1\2A\0b\0"), 1, &event), MILTER_INSERT);
    assert_int_equal(event.number, 258);
    assert_true(span_equal(event.name, SPAN("A")) && span_equal(event.value, SPAN("b")));
    assert_int_equal(hear(&m, RAW("\0\0\0\5hA\0b\0"), 1, &event), MILTER_ADD);
    assert_int_equal(hear(&m, RAW("\0\0\0\x08m\0\0\0\1A\0\0"), 9, &event), MILTER_CHANGE);
    assert_int_equal(hear(&m, RAW("\0\0\0\3bxy"), 9, &event), MILTER_BODY);
    assert_true(span_equal(event.value, SPAN("xy")));
    assert_int_equal(hear(&m, RAW("\0\0\0\3qx\0"), 9, &event), MILTER_QUARANTINE);
    assert_int_equal(hear(&m, RAW("\0\0\0\5+<a>\0"), 9, &event), MILTER_ADD_RCPT);
    assert_true(span_equal(event.value, SPAN("a")));
    assert_int_equal(hear(&m, RAW("\0\0\0\3-a\0"), 1, &event), MILTER_DELETE_RCPT);
    assert_int_equal(hear(&m, RAW("\0\0\0\6e<>\0b\0"), 9, &event), MILTER_SENDER);
    assert_int_equal(event.value.n, 0);
    assert_int_equal(hear(&m, RAW("\0\0\0\1c"), 9, &event), MILTER_CONTINUE);
    assert_int_equal(hear(&m, RAW("\0\0\0\3qx\0"), 9, &event), POSTERN_E_SYNTAX);
    milter_done(&m);
    begin(&m, PLAIN);
    assert_int_equal(milter_end(&m, NULL, 0), 1);
    assert_int_equal(hear(&m,
                          RAW("\0\0\0\3"
                              "2a\0"),
                          1, &event),
                     POSTERN_E_SYNTAX);
    milter_done(&m);
}

/* talk - a whole one; 0, or the first error. */
static int talk(struct milter *m)
{
    static const struct milter_macro macros[] = {{"i", {"id", 2}}};
    static const char add[] = "\0\0\0\5hA\0b\0\0\0\0\1c";
    static const char options[] = "\0\0\0\x0dO\0\0\0\x06\0\0\0\x33\0\0\0\0";
    struct milter_event event;
    int err = milter_begin(m);

    for (unsigned i = 0; err >= 0 && i < 6; i++) {
        struct postern_span said = i ? SPAN("\0\0\0\1c") : span_make(options, 17);

        milter_sent(m, milter_output(m).n);
        err = hear(m, i == 5 ? span_make(add, sizeof add - 1) : said, 3, &event);
        err = err < 0  ? err
              : i == 0 ? milter_connect(m, SPAN("h"), SPAN("::1"), 1, macros, 1)
              : i == 1 ? milter_mail(m, SPAN("a@b"), macros, 1)
              : i == 2 ? milter_header(m, SPAN("A"), SPAN(" b"))
              : i == 3 ? milter_body(m, SPAN("body"))
              : i == 4 ? milter_end(m, macros, 1)
                       : 0;
    }
    return err < 0 ? err : 0;
}

static void test_each_allocation_may_fail(void **state)
{
    struct milter m;
    int err = POSTERN_E_NOMEM;

    (void)state;
    for (unsigned n = 1; err; n++) {
        heap_fail(n);
        milter_init(&m, &counting);
        err = talk(&m);
        assert_true(!err || err == POSTERN_E_NOMEM);
        if (err) {
            assert_int_equal(milter_helo(&m, SPAN("x"), NULL, 0), POSTERN_E_USAGE);
        }
        milter_done(&m);
        assert_int_equal(heap.live, 0);
        assert_true(n < 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands_are_said),
        cmocka_unit_test(test_what_is_not_wanted_is_not_said),
        cmocka_unit_test(test_messages_follow_each_other),
        cmocka_unit_test(test_replies_are_heard),
        cmocka_unit_test(test_words_are_taken_apart),
        cmocka_unit_test(test_wishes_are_heard_at_the_end_only),
        cmocka_unit_test(test_each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
