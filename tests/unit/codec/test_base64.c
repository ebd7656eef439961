/* SPDX-License-Identifier: MIT */
#include "cmocka_all.h"

#include "base/span.h"
#include "codec/base64.h"

static void test_vectors_go_both_ways(void **state)
{
    static const char *const pairs[][2] = {{"", ""},         {"f", "Zg=="},         {"fo", "Zm8="},
                                           {"foo", "Zm9v"},  {"foob", "Zm9vYg=="},  {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}, {"\xff\xef", "/+8="}};
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct buffer text = {0}, bytes = {0};
        base64_encode(postern_span_of(pairs[i][0]), &text);
        assert_true(span_equal(buffer_span(&text), postern_span_of(pairs[i][1])));
        assert_int_equal(base64_decode(postern_span_of(pairs[i][1]), &bytes), 0);
        assert_true(span_equal(buffer_span(&bytes), postern_span_of(pairs[i][0])));
        buffer_done(&text);
        buffer_done(&bytes);
    }
}

/* R74 */
static void test_anything_else_is_refused(void **state)
{
    static const char *const bad[] = {"Z",    "Zg",       "Zg=",  "Zg=a", "=Zg=",     "====", "Z===",
                                      "Zm9*", "Zg==Zg==", "Zm9v ", "Zh==", "Zm9v\r\n", "Zm9=Zm9v"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct buffer out = {0};
        assert_int_equal(base64_decode(postern_span_of(bad[i]), &out), POSTERN_E_SYNTAX);
        assert_int_equal(buffer_length(&out), 0);
        buffer_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors_go_both_ways),
        cmocka_unit_test(test_anything_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
