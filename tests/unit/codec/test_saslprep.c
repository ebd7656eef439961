/* SPDX-License-Identifier: MIT */
#include "cmocka_all.h"

#include "base/span.h"
#include "codec/saslprep.h"

/* R86: the examples of RFC 4013 3, a combining mark and a foreign space */
static void test_prepared_forms(void **state)
{
    static const char *const pairs[][2] = {
        {"I\xc2\xadX", "IX"},     {"user", "user"},           {"USER", "USER"},      {"\xc2\xaa", "a"},
        {"\xe2\x85\xa8", "IX"},   {"e\xcc\x81", "\xc3\xa9"}, {"a\xc2\xa0z", "a z"}, {"\xc2\xad", ""},
        {"\xd7\x90", "\xd7\x90"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct buffer out = {0};
        assert_int_equal(saslprep(postern_span_of(pairs[i][0]), &out), 0);
        assert_true(span_equal(buffer_span(&out), postern_span_of(pairs[i][1])));
        buffer_done(&out);
    }
}

static void test_prohibited_forms(void **state)
{
    static const char *const bad[] = {"\x07", "\xd8\xa7\x31", "\xc3", "\xee\x80\x80", "a\xd7\x90", "\xc2\x85"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct buffer out = {0};
        assert_int_equal(saslprep(postern_span_of(bad[i]), &out), POSTERN_E_SYNTAX);
        assert_int_equal(buffer_length(&out), 0);
        buffer_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prepared_forms),
        cmocka_unit_test(test_prohibited_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
