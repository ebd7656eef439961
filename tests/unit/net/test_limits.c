/* SPDX-License-Identifier: MIT */
/* test_limits - how many connections an address has: IPv4, the same within IPv6, and a /64. */
#include "cmocka_all.h"

#include "net/loop.h"
#include <arpa/inet.h>
#include <netinet/in.h>

static union net_address address_of(const char *text)
{
    union net_address address = {0};

    if (inet_pton(AF_INET, text, &address.four.sin_addr) == 1)
        address.four.sin_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &address.six.sin6_addr) == 1)
        address.six.sin6_family = AF_INET6;
    return address;
}

static bool in(struct address_counts *counts, const char *text)
{
    union net_address address = address_of(text);

    return addresses_in(counts, &address, 2);
}

static void out(struct address_counts *counts, const char *text)
{
    union net_address address = address_of(text);

    addresses_out(counts, &address);
}

static void test_addresses_are_counted(void **state)
{
    struct address_counts *counts = NULL;

    (void)state;
    assert_int_equal(addresses_new(&counts), 0);
    assert_true(in(counts, "192.0.2.1") && in(counts, "::ffff:192.0.2.1"));
    assert_false(in(counts, "192.0.2.1"));
    assert_false(in(counts, "::ffff:192.0.2.1"));
    assert_true(in(counts, "192.0.2.2") && in(counts, "::ffff:192.0.2.3"));
    out(counts, "::ffff:192.0.2.1");
    assert_true(in(counts, "192.0.2.1"));
    assert_false(in(counts, "192.0.2.1"));
    /* a customer's whole net */
    assert_true(in(counts, "2001:db8:1:2::1") && in(counts, "2001:db8:1:2:ffff::2"));
    assert_false(in(counts, "2001:db8:1:2::3"));
    assert_true(in(counts, "2001:db8:1:3::1"));
    /* what has no address is not counted */
    assert_true(in(counts, "") && in(counts, "") && in(counts, ""));
    addresses_free(&counts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_addresses_are_counted)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
