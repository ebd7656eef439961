/* SPDX-License-Identifier: MIT */
#include "cmocka_all.h"
#include "meter.h"
#include "openssl_crypto.h"

#include "base/span.h"
#include "codec/base64.h"
#include <postern/sasl.h>
#include <stdlib.h>

static int zero_fill(void *ctx, void *out, size_t n)
{
    (void)ctx;
    memset(out, 0, n);
    return 0;
}

static const struct postern_random zeros = {zero_fill, NULL};

#define FIRST "n=user,r=abc"
#define SERVER "r=abcAAAAAAAAAAAAAAAAAAAAAAAA,s=c2FsdA==,i=4096"
#define FINAL "c=biws,r=abcAAAAAAAAAAAAAAAAAAAAAAAA"

/* exchange - a whole login with the given knowledge; the last result. */
static int exchange(const struct postern_allocator *allocator, bool known, bool right)
{
    struct postern_sasl_options options = {allocator, &openssl_crypto, &zeros,
                                           .decoy_key = SPAN("d")};
    unsigned char stored[32], signature[32];
    char client[32], message[] = FIRST "," SERVER "," FINAL;
    struct postern_sasl *sasl;
    memset(client, 7, sizeof client);
    openssl_hash(POSTERN_HASH_SHA256, span_make(client, 32), stored);
    struct postern_span key = span_make((char *)stored, 32);
    struct postern_scram_keys keys = {SPAN("salt"), 4096, key, key};
    openssl_hmac(POSTERN_HASH_SHA256, key, span_make(message, sizeof message - 1), signature);
    for (size_t i = 0; i < 32; i++)
        client[i] ^= (char)signature[i];
    client[0] ^= !right;
    struct buffer final = {0};
    buffer_append_text(&final, FINAL ",p=");
    base64_encode(span_make(client, 32), &final);
    int result = postern_sasl_new(&sasl, POSTERN_SASL_SCRAM_SHA_256, &options);
    if (!result)
        result = postern_sasl_step(sasl, true, SPAN("n,," FIRST));
    if (result == POSTERN_SASL_LOOKUP)
        result = postern_sasl_keys(sasl, known ? &keys : NULL);
    if (result == POSTERN_SASL_CHALLENGE)
        result = postern_sasl_step(sasl, true, buffer_span(&final));
    if (result == POSTERN_SASL_CHALLENGE)
        result = postern_sasl_step(sasl, true, SPAN(""));
    postern_sasl_free(&sasl);
    buffer_done(&final);
    return result;
}

static void test_only_the_right_proof_passes(void **state)
{
    (void)state;
    assert_int_equal(exchange(NULL, true, true), POSTERN_SASL_DONE);
    assert_int_equal(exchange(NULL, true, false), POSTERN_SASL_FAILED);
    assert_int_equal(exchange(NULL, false, true), POSTERN_SASL_FAILED);
}

static void test_no_memory_is_told_and_nothing_leaks(void **state)
{
    int result = POSTERN_E_NOMEM;
    (void)state;
    for (long n = 0; n < 200 && result != POSTERN_SASL_DONE; n++) {
        struct meter meter = {.left = n};
        struct postern_allocator allocator = {meter_resize, &meter};
        result = exchange(&allocator, true, true);
        assert_int_equal(meter.held, 0);
        assert_true(result == POSTERN_E_NOMEM || result == POSTERN_SASL_DONE);
    }
    assert_int_equal(result, POSTERN_SASL_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_the_right_proof_passes),
        cmocka_unit_test(test_no_memory_is_told_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
