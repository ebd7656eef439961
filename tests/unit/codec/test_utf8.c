/* SPDX-License-Identifier: MIT */
#include "cmocka_all.h"

#include "codec/utf8.h"

static void test_well_formed_is_valid(void **state)
{
    (void)state;
    assert_true(utf8_is_valid(postern_span_of("")));
    assert_true(utf8_is_valid(postern_span_of("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")));
    assert_true(utf8_is_valid(postern_span_of("\xf4\x8f\xbf\xbf\xed\x9f\xbf\xee\x80\x80")));
}

static void test_malformed_is_invalid(void **state)
{
    static const char *const bad[] = {"\x80",         "\xc0\x80",         "\xc1\xbf",         "\xe0\x9f\xbf",
                                      "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
                                      "\xc3",         "\xe2\x82",         "\xe2\x82z",        "\xff"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(utf8_is_valid(postern_span_of(bad[i])));
}

static void test_ascii_ends_at_127(void **state)
{
    (void)state;
    assert_true(utf8_is_ascii(postern_span_of("a\x7f")));
    assert_false(utf8_is_ascii(postern_span_of("a\x80")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_well_formed_is_valid),
        cmocka_unit_test(test_malformed_is_invalid),
        cmocka_unit_test(test_ascii_ends_at_127),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
