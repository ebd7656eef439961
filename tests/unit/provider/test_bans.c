/* SPDX-License-Identifier: MIT */
/* test_bans - strikes add up to a ban, a ban ends, and IPv6 neighbours share one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "provider/bans.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static struct sockaddr_storage address(const char *text)
{
    struct sockaddr_storage out = {0};

    if (inet_pton(AF_INET, text, &((struct sockaddr_in *)&out)->sin_addr) == 1)
        out.ss_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &((struct sockaddr_in6 *)&out)->sin6_addr) == 1)
        out.ss_family = AF_INET6;
    return out;
}

static void test_strikes_make_a_ban_that_ends(void **state)
{
    struct sockaddr_storage bad = address("192.0.2.1"), good = address("192.0.2.2");
    struct bans *bans = NULL;

    (void)state;
    assert_int_equal(bans_new(&bans, 2, 100), 0);
    assert_false(bans_strike(bans, (const struct sockaddr *)&bad, 10));
    assert_false(bans_has(bans, (const struct sockaddr *)&bad, 11));
    assert_true(bans_strike(bans, (const struct sockaddr *)&bad, 12));
    assert_true(bans_has(bans, (const struct sockaddr *)&bad, 111));
    assert_false(bans_has(bans, (const struct sockaddr *)&good, 111));
    assert_false(bans_has(bans, (const struct sockaddr *)&bad, 112));
    assert_false(bans_strike(bans, (const struct sockaddr *)&bad, 113));
    bans_free(&bans);
    assert_null(bans);
}

static void test_ipv6_goes_by_its_net(void **state)
{
    struct sockaddr_storage one = address("2001:db8::1"), two = address("2001:db8::2"),
                            other = address("2001:db8:0:1::1"),
                            mapped = address("::ffff:192.0.2.9"), v4 = address("192.0.2.9");
    struct bans *bans = NULL;

    (void)state;
    assert_int_equal(bans_new(&bans, 1, 100), 0);
    assert_true(bans_strike(bans, (const struct sockaddr *)&one, 0));
    assert_true(bans_has(bans, (const struct sockaddr *)&two, 1));
    assert_false(bans_has(bans, (const struct sockaddr *)&other, 1));
    assert_true(bans_strike(bans, (const struct sockaddr *)&mapped, 0));
    assert_true(bans_has(bans, (const struct sockaddr *)&v4, 1));
    bans_free(&bans);
}

static void test_never(void **state)
{
    struct sockaddr_storage bad = address("192.0.2.1"), local = {.ss_family = AF_UNIX};
    struct sockaddr_storage loop4 = address("127.0.0.1"), loop6 = address("::1");
    struct bans *bans = NULL;

    (void)state;
    assert_int_equal(bans_new(&bans, 0, 100), 0);
    assert_false(bans_strike(bans, (const struct sockaddr *)&bad, 0));
    assert_false(bans_has(bans, (const struct sockaddr *)&bad, 1));
    bans_free(&bans);
    assert_int_equal(bans_new(&bans, 1, 100), 0);
    assert_false(bans_strike(bans, (const struct sockaddr *)&local, 0));
    assert_false(bans_strike(bans, (const struct sockaddr *)&loop4, 0));
    assert_false(bans_strike(bans, (const struct sockaddr *)&loop6, 0));
    assert_false(bans_has(bans, (const struct sockaddr *)&local, 1));
    assert_false(bans_has(bans, (const struct sockaddr *)&loop4, 1));
    assert_false(bans_has(bans, (const struct sockaddr *)&loop6, 1));
    bans_free(&bans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strikes_make_a_ban_that_ends),
        cmocka_unit_test(test_ipv6_goes_by_its_net),
        cmocka_unit_test(test_never),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
