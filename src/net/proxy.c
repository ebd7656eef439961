/* SPDX-License-Identifier: MIT */
/* proxy - the PROXY protocol, versions 1 and 2 (haproxy's proxy-protocol.txt 2.1, 2.2).
 * Trap: both versions are told apart by their first octet; a prefix of either wants more, anything
 * else is refused at its first wrong octet, so that nobody is kept waiting. */
#include "net/proxy.h"

#include "base/span.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

#define V1_MAX 107
#define V2_FIXED 16

static const char v2_signature[12] = "\r\n\r\n\0\r\nQUIT\n";

static bool text_address(struct postern_span text, int family, uint64_t port,
                         union net_address *address_r)
{
    char buffer[INET6_ADDRSTRLEN];

    if (text.n == 0 || text.n >= sizeof buffer)
        return false;
    memcpy(buffer, text.p, text.n);
    buffer[text.n] = '\0';
    memset(address_r, 0, sizeof *address_r);
    address_r->family = (sa_family_t)family;
    if (family == AF_INET) {
        address_r->four.sin_port = htons((uint16_t)port);
        return inet_pton(AF_INET, buffer, &address_r->four.sin_addr) == 1;
    }
    address_r->six.sin6_port = htons((uint16_t)port);
    return inet_pton(AF_INET6, buffer, &address_r->six.sin6_addr) == 1;
}

static int parse_v1(struct postern_span in, union net_address *address_r)
{
    size_t end = span_find(span_make(in.p, in.n < V1_MAX ? in.n : V1_MAX), '\n');
    struct postern_span line, family, source, destination, source_port;
    union net_address client, server;
    uint64_t port, server_port;
    int which;

    if (end == in.n || end == V1_MAX)
        return in.n < V1_MAX ? 0 : POSTERN_E_TOO_LONG;
    if (end < 7 || in.p[end - 1] != '\r')
        return POSTERN_E_SYNTAX;
    line = span_make(in.p + 6, end - 7);
    family = span_cut(&line, ' ');
    if (span_equal(family, SPAN("UNKNOWN"))) {
        memset(address_r, 0, sizeof *address_r);
        return (int)end + 1;
    }
    which = span_equal(family, SPAN("TCP4"))   ? AF_INET
            : span_equal(family, SPAN("TCP6")) ? AF_INET6
                                               : 0;
    source = span_cut(&line, ' ');
    destination = span_cut(&line, ' ');
    source_port = span_cut(&line, ' ');
    if (!which || !span_number(source_port, 65535, &port) ||
        !span_number(line, 65535, &server_port) || !text_address(source, which, port, &client) ||
        !text_address(destination, which, server_port, &server))
        return POSTERN_E_SYNTAX;
    *address_r = client;
    return (int)end + 1;
}

static int parse_v2(struct postern_span in, union net_address *address_r)
{
    const unsigned char *p = (const void *)in.p;
    union net_address client = {0};
    size_t length;

    if (in.n < V2_FIXED)
        return 0;
    length = (size_t)p[14] << 8 | p[15];
    if (p[12] >> 4 != 2 || (p[12] & 15) > 1)
        return POSTERN_E_SYNTAX;
    if (V2_FIXED + length > PROXY_HEADER_MAX)
        return POSTERN_E_TOO_LONG;
    if (in.n < V2_FIXED + length)
        return 0;
    if ((p[12] & 15) == 1 && p[13] == 0x11) {
        if (length < 12)
            return POSTERN_E_SYNTAX;
        client.family = AF_INET;
        memcpy(&client.four.sin_addr, p + 16, 4);
        memcpy(&client.four.sin_port, p + 24, 2);
    } else if ((p[12] & 15) == 1 && p[13] == 0x21) {
        if (length < 36)
            return POSTERN_E_SYNTAX;
        client.family = AF_INET6;
        memcpy(&client.six.sin6_addr, p + 16, 16);
        memcpy(&client.six.sin6_port, p + 48, 2);
    }
    *address_r = client;
    return (int)(V2_FIXED + length);
}

int proxy_parse(struct postern_span in, union net_address *address_r)
{
    struct postern_span v1 = SPAN("PROXY "), v2 = span_make(v2_signature, sizeof v2_signature);

    if (in.n == 0)
        return 0;
    if (span_begins(in, v1))
        return parse_v1(in, address_r);
    if (span_begins(in, v2))
        return parse_v2(in, address_r);
    return span_begins(v1, in) || span_begins(v2, in) ? 0 : POSTERN_E_SYNTAX;
}

static bool same_bits(const unsigned char *a, const unsigned char *b, unsigned bits)
{
    if (memcmp(a, b, bits / 8) != 0)
        return false;
    return bits % 8 == 0 || (a[bits / 8] ^ b[bits / 8]) >> (8 - bits % 8) == 0;
}

/* octets_of - the address as IPv6 octets, IPv4 mapped; how many leading bits are the mapping's. */
static bool octets_of(const union net_address *address, unsigned char octets[16],
                      unsigned *offset_r)
{
    *offset_r = 0;
    if (address->family == AF_INET) {
        memset(octets, 0, 10);
        memset(octets + 10, 0xff, 2);
        memcpy(octets + 12, &address->four.sin_addr, 4);
        *offset_r = 96;
        return true;
    }
    if (address->family != AF_INET6)
        return false;
    memcpy(octets, &address->six.sin6_addr, 16);
    return true;
}

/* An IPv4 address stands as ::ffff:a.b.c.d. A net of IPv6 addresses, be it ::/0, has none of those.
 */
static bool is_mapped(const unsigned char octets[16])
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

    return memcmp(octets, mapped, sizeof mapped) == 0;
}

bool proxy_trusts(const char *const *nets, const union net_address *address)
{
    unsigned char ours[16], theirs[16];
    unsigned ignored, offset;

    if (!octets_of(address, ours, &ignored))
        return false;
    for (; nets && *nets; nets++) {
        struct postern_span bits = postern_span_of(*nets), host = span_cut(&bits, '/');
        union net_address net;
        uint64_t prefix;
        int family = span_find(host, ':') < host.n ? AF_INET6 : AF_INET;

        if (!text_address(host, family, 0, &net) || !octets_of(&net, theirs, &offset))
            continue;
        prefix = 128 - offset;
        if (bits.p && !span_number(bits, 128 - offset, &prefix))
            continue;
        if (is_mapped(ours) == is_mapped(theirs) &&
            same_bits(ours, theirs, offset + (unsigned)prefix))
            return true;
    }
    return false;
}

bool net_is_in(const char *const *nets, const union net_address *address)
{
    return proxy_trusts(nets, address);
}
