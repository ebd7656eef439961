/* SPDX-License-Identifier: MIT */
/* test_subject - base subjects (RFC 5256 2.1). */
#include "cmocka_all.h"

#include "proto/imap/search.h"

static void test_base_subjects(void **state)
{
    static const char *const subjects[][2] = {
        {"", ""},
        {"Re:", ""},
        {"x", "x"},
        {"  Re: x  (fwd)\t", "x"},
        {"re : FW:Fwd: x", "x"},
        {"Re[2]: x", "x"},
        {"Re [2] : x", "x"},
        {"[a] [b] Re: [c] x", "x"},
        {"[a]", "[a]"},
        {"[a] [b]", "[b]"},
        {"Re: [a]", "[a]"},
        {"[fwd: Re: [a] x (fwd)]", "x"},
        {"[fwd: [fwd: x]]", "x"},
        {"[fwd: x] y", "y"},
        {"(fwd)", ""},
        {"x(fwd) (FWD)", "x"},
        {"[a", "[a"},
        {"[a[b] x", "[a[b] x"},
        {"Regarding: x", "Regarding: x"},
        {"Re[: x", "Re[: x"},
        {"[fwd:]", ""},
        {"[fwd: x", "[fwd: x"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        bool is_reply;
        struct postern_span base =
            base_subject(span_make(subjects[i][0], strlen(subjects[i][0])), &is_reply);

        assert_int_equal(base.n, strlen(subjects[i][1]));
        assert_memory_equal(base.p, subjects[i][1], base.n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_base_subjects)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
