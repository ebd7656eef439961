/* SPDX-License-Identifier: MIT */
/* test_proxy - PROXY headers of both versions: taken octet-exactly, refused at the first wrong
 * octet. */
#include "cmocka_all.h"

#include "base/span.h"
#include "guard.h"
#include "net/proxy.h"
#include <arpa/inet.h>
#include <netinet/in.h>

#define V2 "\r\n\r\n\0\r\nQUIT\n"

/* parsed - behind a guard page, so that reading too far faults. */
static int parsed(const void *bytes, size_t n, union net_address *address_r)
{
    struct postern_span in = guard_copy(bytes, n);
    int r = proxy_parse(in, address_r);

    guard_free(in);
    return r;
}

static const char *text_of(const union net_address *address)
{
    static char text[INET6_ADDRSTRLEN];
    const void *raw = address->family == AF_INET ? (const void *)&address->four.sin_addr
                                                 : (const void *)&address->six.sin6_addr;

    return inet_ntop(address->family, raw, text, sizeof text);
}

/* taken - the header alone, each of its beginnings, and with a command behind it. */
static void taken(const void *header, size_t n, int family, const char *address_text)
{
    union net_address address;
    char longer[600];

    assert_int_equal(parsed(header, n, &address), (int)n);
    assert_int_equal(address.family, family);
    if (address_text)
        assert_string_equal(text_of(&address), address_text);
    for (size_t shorter = 0; shorter < n; shorter++)
        assert_int_equal(parsed(header, shorter, &address), 0);
    memcpy(longer, header, n);
    memcpy(longer + n, "QUIT\r\n", 6);
    assert_int_equal(parsed(longer, n + 6, &address), (int)n);
}

static void test_version_1(void **state)
{
    static const char four[] = "PROXY TCP4 192.0.2.7 192.0.2.8 4711 110\r\n";
    static const char six[] = "PROXY TCP6 2001:db8::7 2001:db8::8 4711 110\r\n";
    static const char unknown[] = "PROXY UNKNOWN ffff::1 what ever 1\r\n";

    (void)state;
    taken(four, sizeof four - 1, AF_INET, "192.0.2.7");
    taken(six, sizeof six - 1, AF_INET6, "2001:db8::7");
    taken(unknown, sizeof unknown - 1, AF_UNSPEC, NULL);
}

static void test_version_2(void **state)
{
    static const char four[] =
        V2 "\x21\x11\x00\x0c\xc0\x00\x02\x07\xc0\x00\x02\x08\x12\x67\x00\x6e";
    static const char local[] = V2 "\x20\x00\x00\x00";
    static const char with_tlv[] =
        V2 "\x21\x11\x00\x10\xc0\x00\x02\x07\xc0\x00\x02\x08\x12\x67\x00\x6e\x04\x00\x01x";

    (void)state;
    taken(four, sizeof four - 1, AF_INET, "192.0.2.7");
    taken(local, sizeof local - 1, AF_UNSPEC, NULL);
    taken(with_tlv, sizeof with_tlv - 1, AF_INET, "192.0.2.7");
}

static void test_refused(void **state)
{
    static const struct postern_span bad[] = {SPAN("PROXY TCP4 192.0.2.7 192.0.2.8 4711\r\n"),
                                              SPAN("PROXY TCP4 1.2.3 192.0.2.8 4711 110\r\n"),
                                              SPAN("PROXY TCP4 192.0.2.7 192.0.2.8 65536 110\r\n"),
                                              SPAN("PROXY TCP5 192.0.2.7 192.0.2.8 1 110\r\n"),
                                              SPAN("PROXY TCP4 2001:db8::7 192.0.2.8 1 110\r\n"),
                                              SPAN("PROXY TCP4 192.0.2.7 192.0.2.8 1 110\n"),
                                              SPAN("PROXY TCP4 192.0.2.7 192.0.2.8 -1 110\r\n"),
                                              SPAN("CAPA\r\n"),
                                              SPAN("PROXX"),
                                              SPAN("\r\n\r\n\0\r\nQUIX"),
                                              SPAN(V2 "\x31\x11\x00\x0c"),
                                              SPAN(V2 "\x21\x11\x00\x04\xc0\x00\x02\x07"),
                                              SPAN("\x16\x03\x01")};
    union net_address address;
    char endless[200];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_true(parsed(bad[i].p, bad[i].n, &address) < 0);
    memset(endless, ' ', sizeof endless);
    memcpy(endless, "PROXY TCP4 ", 11);
    assert_true(parsed(endless, sizeof endless, &address) < 0);
    assert_true(parsed(V2 "\x21\x11\xff\xff", 16, &address) < 0); /* longer than we keep */
}

static bool trusted(const char *net, const char *peer)
{
    const char *const nets[] = {"198.51.100.1", net, NULL};
    union net_address address = {0};

    if (inet_pton(AF_INET, peer, &((struct sockaddr_in *)&address)->sin_addr) == 1)
        address.family = AF_INET;
    else if (inet_pton(AF_INET6, peer, &((struct sockaddr_in6 *)&address)->sin6_addr) == 1)
        address.family = AF_INET6;
    return proxy_trusts(nets, &address);
}

static void test_trust(void **state)
{
    (void)state;
    assert_true(trusted("192.0.2.1", "192.0.2.1"));
    assert_false(trusted("192.0.2.1", "192.0.2.2"));
    assert_true(trusted("192.0.2.0/24", "192.0.2.255"));
    assert_false(trusted("192.0.2.0/24", "192.0.3.0"));
    assert_true(trusted("192.0.2.0/25", "192.0.2.127"));
    assert_false(trusted("192.0.2.0/25", "192.0.2.128"));
    assert_true(trusted("2001:db8::/33", "2001:db8:7fff::1"));
    assert_false(trusted("2001:db8::/33", "2001:db8:8000::1"));
    assert_false(trusted("::/0", "192.0.2.1"));
    assert_false(trusted("nonsense", "192.0.2.1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version_1), cmocka_unit_test(test_version_2),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_trust)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
