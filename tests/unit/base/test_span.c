/* SPDX-License-Identifier: MIT */
#include "cmocka_all.h"
#include "guard.h"

#include "base/span.h"

static bool number_of(const char *text, uint64_t max, uint64_t *number_r)
{
    struct postern_span s = guard_copy(text, strlen(text));
    bool ok = span_number(s, max, number_r);

    guard_free(s);
    return ok;
}

static void test_number_takes_digits_only(void **state)
{
    static const char *const bad[] = {"",
                                      "-1",
                                      "+1",
                                      "1x",
                                      "1.5",
                                      " 1",
                                      "1 ",
                                      "99999999999999999999",
                                      "18446744073709551616",
                                      "000000000000000000001"};
    uint64_t number = 7;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(number_of(bad[i], UINT64_MAX, &number));
    assert_int_equal(number, 7); /* untouched on failure */
    assert_true(number_of("18446744073709551615", UINT64_MAX, &number));
    assert_true(number == UINT64_MAX);
    assert_true(number_of("007", 7, &number));
    assert_int_equal(number, 7);
    assert_false(number_of("8", 7, &number));
}

static void test_cut_splits_at_the_first(void **state)
{
    struct postern_span rest = SPAN("a b c");

    (void)state;
    assert_true(span_equal(span_cut(&rest, ' '), SPAN("a")));
    assert_true(span_equal(rest, SPAN("b c")));
    assert_true(span_equal(span_cut(&rest, '-'), SPAN("b c")));
    assert_null(rest.p);
    assert_int_equal(span_cut(&rest, ' ').n, 0);
}

static void test_case_is_ascii_only(void **state)
{
    (void)state;
    assert_true(span_equal_nocase(SPAN("InBoX"), SPAN("INBOX")));
    assert_false(span_equal_nocase(SPAN("\xc3\xa4"), SPAN("\xc3\x84")));
    assert_true(span_begins_nocase(SPAN("uid:x"), SPAN("UID:")));
    assert_false(span_begins_nocase(SPAN("uid"), SPAN("UID:")));
    assert_true(span_begins(SPAN("abc"), SPAN("ab")));
    assert_false(span_begins(SPAN("Abc"), SPAN("ab")));
}

static void test_trim_and_from(void **state)
{
    (void)state;
    assert_true(span_equal(span_trim(SPAN(" \t a b \t")), SPAN("a b")));
    assert_int_equal(span_trim(SPAN("  ")).n, 0);
    assert_true(span_equal(span_from(SPAN("abc"), 1), SPAN("bc")));
    assert_int_equal(span_from(SPAN("abc"), 9).n, 0);
}

/* has_slowly - the same, place by place. */
static bool has_slowly(struct postern_span s, struct postern_span text)
{
    for (size_t i = 0; i + text.n <= s.n; i++)
        if (span_begins_nocase(span_from(s, i), text))
            return true;
    return false;
}

/* All texts of up to four octets of a few kinds, in all places of longer ones of the same. */
static void test_has_nocase(void **state)
{
    static const char octets[] = {'a', 'B', '@', '`', '[', '\xe1', '\0'};
    char room[40];
    uint32_t seed = 1, found = 0;

    (void)state;
    assert_true(span_has_nocase(SPAN("x"), SPAN("")));
    assert_true(span_has_nocase(SPAN(""), SPAN("")));
    assert_false(span_has_nocase(SPAN(""), SPAN("x")));
    for (unsigned round = 0; round < 20000; round++) {
        size_t n = round % 37, text_n = 1 + round / 37 % 4;
        struct postern_span s, text;

        for (size_t i = 0; i < sizeof room; i++) {
            seed = seed * 1103515245u + 12345u;
            room[i] = octets[(seed >> 16) % sizeof octets];
        }
        s = guard_copy(room, n);
        text = span_make(room + sizeof room - text_n, text_n);
        assert_int_equal(span_has_nocase(s, text), has_slowly(s, text));
        found += has_slowly(s, text);
        guard_free(s);
    }
    assert_in_range(found, 2000, 18000);
}

/* One such octet in each place of texts of up to three steps. */
static void test_has_8bit_sees_every_octet(void **state)
{
    char room[24];

    (void)state;
    memset(room, 0x7f, sizeof room);
    for (size_t n = 0; n <= sizeof room; n++) {
        for (size_t at = 0; at <= n; at++) {
            struct postern_span s;

            if (at < sizeof room)
                room[at] = '\x80';
            s = guard_copy(room, n);
            assert_int_equal(span_has_8bit(s), at < n);
            guard_free(s);
            if (at < sizeof room)
                room[at] = 0x7f;
        }
    }
}

static void test_secret_compare(void **state)
{
    char secret[] = "secret";

    (void)state;
    assert_true(span_same_secret(SPAN("abc"), SPAN("abc")));
    assert_false(span_same_secret(SPAN("abc"), SPAN("abd")));
    assert_false(span_same_secret(SPAN("abc"), SPAN("abcd")));
    secret_wipe(secret, sizeof secret);
    for (size_t i = 0; i < sizeof secret; i++)
        assert_int_equal(secret[i], 0);
}

static void test_errors_have_name_text_category(void **state)
{
    (void)state;
    assert_string_equal(postern_err_name(POSTERN_E_NOMEM), "NOMEM");
    assert_string_equal(postern_err_text(POSTERN_E_IN_USE), "locked by another session");
    assert_int_equal(postern_err_category(POSTERN_E_IN_USE), POSTERN_ERR_AGAIN);
    assert_string_equal(postern_err_name(0), "OK");
    assert_string_equal(postern_err_name(-12345), "UNKNOWN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_number_takes_digits_only),
        cmocka_unit_test(test_cut_splits_at_the_first),
        cmocka_unit_test(test_case_is_ascii_only),
        cmocka_unit_test(test_trim_and_from),
        cmocka_unit_test(test_has_nocase),
        cmocka_unit_test(test_has_8bit_sees_every_octet),
        cmocka_unit_test(test_secret_compare),
        cmocka_unit_test(test_errors_have_name_text_category),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
