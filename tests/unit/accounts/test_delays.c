/* SPDX-License-Identifier: MIT */
/* test_delays - answers to who keeps failing come later and later, up to a bound, and are forgiven.
 */
#include "cmocka_all.h"

#include "accounts/accounts.h"
#include "base/span.h"
#include <stdio.h>

static void test_growing(void **state)
{
    static const unsigned seconds[] = {1, 2, 4, 8, 15, 15};
    struct delays *delays = NULL;
    postern_time now = 1000 * POSTERN_SECOND;

    (void)state;
    assert_int_equal(delays_new(&delays, 64), 0);
    assert_int_equal(delays_wait(delays, SPAN("ann"), now), 0);
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        delays_failed(delays, SPAN("ann"), now);
        assert_int_equal(delays_wait(delays, SPAN("ann"), now), seconds[i] * POSTERN_SECOND);
    }
    delays_succeeded(delays, SPAN("ann"));
    assert_int_equal(delays_wait(delays, SPAN("ann"), now), 0);
    delays_free(&delays);
    assert_null(delays);
}

static void test_forgotten(void **state)
{
    struct delays *delays = NULL;
    postern_time now = 1000 * POSTERN_SECOND;

    (void)state;
    assert_int_equal(delays_new(&delays, 64), 0);
    delays_failed(delays, SPAN("ann"), now);
    assert_true(delays_wait(delays, SPAN("ann"), now + 60 * POSTERN_SECOND) > 0);
    assert_int_equal(delays_wait(delays, SPAN("ann"), now + 3600 * POSTERN_SECOND), 0);
    delays_free(&delays);
}

/* Ten thousand names in a table of sixteen: memory does not grow, nobody else's success is
 * disturbed for long. */
static void test_bounded(void **state)
{
    struct delays *delays = NULL;
    postern_time now = 1000 * POSTERN_SECOND;
    char name[16];

    (void)state;
    assert_int_equal(delays_new(&delays, 16), 0);
    for (int i = 0; i < 10000; i++) {
        snprintf(name, sizeof name, "user%d", i);
        delays_failed(delays, postern_span_of(name), now);
        assert_int_equal(delays_wait(delays, postern_span_of(name), now), POSTERN_SECOND);
    }
    assert_int_equal(delays_wait(delays, SPAN("never failed"), now), 0);
    delays_free(&delays);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_growing),
                                       cmocka_unit_test(test_forgotten),
                                       cmocka_unit_test(test_bounded)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
