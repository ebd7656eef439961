/* SPDX-License-Identifier: MIT */
#include "cmocka_all.h"

#include "codec/nfc.h"
#include <string.h>

static void test_composed_text_is_normal(void **state)
{
    (void)state;
    assert_true(nfc_is(postern_span_of("")));
    assert_true(nfc_is(postern_span_of("plain/ascii")));
    assert_true(nfc_is(postern_span_of("Entw\xc3\xbcrfe \xe4\xb8\xad\xe6\x96\x87 \xf0\x9f\x98\x80")));
}

static void test_decomposed_text_is_not(void **state)
{
    /* e and acute; Angstrom sign; marks in another order; jamo of a syllable; the end is a mark */
    static const char *const bad[] = {"e\xcc\x81", "\xe2\x84\xab", "a\xcc\x81\xcc\xa3", "\xe1\x84\x80\xe1\x85\xa1",
                                      "xxe\xcc\x88"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(nfc_is(postern_span_of(bad[i])));
}

static void test_too_long_is_left_to_others(void **state)
{
    static char text[4096];
    (void)state;
    for (size_t i = 0; i + 3 <= sizeof text; i += 3)
        memcpy(text + i, "e\xcc\x81", 3);
    assert_true(nfc_is((struct postern_span){text, 4095}));
    assert_false(nfc_is((struct postern_span){text, 30}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_composed_text_is_normal),
        cmocka_unit_test(test_decomposed_text_is_not),
        cmocka_unit_test(test_too_long_is_left_to_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
