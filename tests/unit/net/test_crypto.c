/* SPDX-License-Identifier: MIT */
/* test_crypto - the hash functions that engines are given, by the vectors of RFC 1321, 3174, 6234,
 * 2202, 4231. */
#include "cmocka_all.h"

#include "base/span.h"
#include "net/net.h"
#include <stdio.h>

static const char *hex(const unsigned char *bytes, size_t n)
{
    static char text[2 * POSTERN_HASH_BYTES_MAX + 1];

    for (size_t i = 0; i < n; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return text;
}

static void test_hashes(void **state)
{
    const struct postern_crypto *crypto = net_crypto_openssl();
    unsigned char out[POSTERN_HASH_BYTES_MAX];

    (void)state;
    assert_int_equal(crypto->hash(POSTERN_HASH_MD5, SPAN("abc"), out), 0);
    assert_string_equal(hex(out, 16), "900150983cd24fb0d6963f7d28e17f72");
    assert_int_equal(crypto->hash(POSTERN_HASH_SHA1, SPAN("abc"), out), 0);
    assert_string_equal(hex(out, 20), "a9993e364706816aba3e25717850c26c9cd0d89d");
    assert_int_equal(crypto->hash(POSTERN_HASH_SHA256, SPAN("abc"), out), 0);
    assert_string_equal(hex(out, 32),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(crypto->hash(POSTERN_HASH_MD5, (struct postern_span){NULL, 0}, out), 0);
    assert_string_equal(hex(out, 16), "d41d8cd98f00b204e9800998ecf8427e");
}

static void test_hmacs(void **state)
{
    const struct postern_crypto *crypto = net_crypto_openssl();
    unsigned char out[POSTERN_HASH_BYTES_MAX];

    (void)state;
    assert_int_equal(
        crypto->hmac(POSTERN_HASH_SHA1, SPAN("Jefe"), SPAN("what do ya want for nothing?"), out),
        0);
    assert_string_equal(hex(out, 20), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    assert_int_equal(
        crypto->hmac(POSTERN_HASH_SHA256, SPAN("Jefe"), SPAN("what do ya want for nothing?"), out),
        0);
    assert_string_equal(hex(out, 32),
                        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    assert_int_equal(
        crypto->hmac(POSTERN_HASH_MD5, SPAN("Jefe"), SPAN("what do ya want for nothing?"), out), 0);
    assert_string_equal(hex(out, 16), "750c783e6ab0b503eaa86e310a5db738");
}

static void test_random(void **state)
{
    const struct postern_random *random = net_random_system();
    unsigned char one[32] = {0}, two[32] = {0};

    (void)state;
    assert_int_equal(random->fill(random->ctx, one, sizeof one), 0);
    assert_int_equal(random->fill(random->ctx, two, sizeof two), 0);
    assert_memory_not_equal(one, two, sizeof one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hashes), cmocka_unit_test(test_hmacs),
                                       cmocka_unit_test(test_random)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
