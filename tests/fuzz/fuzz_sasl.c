/* SPDX-License-Identifier: MIT */
/* fuzz_sasl - first byte the mechanism, then responses each ended by a line feed. */
#include "base/span.h"
#include <postern/sasl.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int fake_hash(enum postern_hash hash, struct postern_span data, unsigned char *out)
{
    memset(out, (int)data.n, hash == POSTERN_HASH_SHA1 ? 20 : 32);
    return 0;
}

static int fake_hmac(enum postern_hash hash, struct postern_span key, struct postern_span data,
                     unsigned char *out)
{
    (void)key;
    return fake_hash(hash, data, out);
}

static int fake_fill(void *ctx, void *out, size_t n)
{
    (void)ctx;
    memset(out, 0, n);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct postern_crypto crypto = {fake_hash, fake_hmac};
    static const struct postern_random random = {fake_fill, NULL};
    struct postern_sasl_options options = {NULL,      &crypto,   &random, SPAN("c"),
                                           SPAN("b"), SPAN("d"), true};
    struct postern_sasl *sasl;
    if (size == 0 || postern_sasl_new(&sasl, 1u << data[0] % 9, &options) < 0)
        return 0;
    struct postern_span rest = span_make((const char *)data + 1, size - 1);
    int state = POSTERN_SASL_CHALLENGE;
    while (rest.p && state == POSTERN_SASL_CHALLENGE) {
        state = postern_sasl_step(sasl, true, span_cut(&rest, '\n'));
        if (state == POSTERN_SASL_LOOKUP)
            state = postern_sasl_keys(sasl, NULL);
        if (state == POSTERN_SASL_VERIFY)
            state = postern_sasl_verified(sasl, size % 2);
    }
    postern_sasl_free(&sasl);
    return 0;
}

#include "replay.h"
