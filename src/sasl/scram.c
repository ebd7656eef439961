/* SPDX-License-Identifier: MIT */
/* scram - the server of SCRAM (RFC 5802, RFC 7677) with tls-exporter binding (RFC 9266).
 * Owns nothing; messages lie in the arena of the exchange.
 * Trap: an unknown user takes the same road with decoy values and is refused only at the proof. */
#include "codec/base64.h"
#include "sasl/saslname.h"

#define NONCE_BYTES 18
#define DECOY_SALT_BYTES 16
#define DECOY_ITERATIONS 4096

static size_t hash_bytes(const struct postern_sasl *sasl)
{
    return sasl->mechanism->hash == POSTERN_HASH_SHA1 ? 20 : 32;
}

/* is_flag_fine - RFC 5802 6: "y" where PLUS was offered means that somebody removed the offer. */
static bool is_flag_fine(const struct postern_sasl *sasl, struct postern_span flag)
{
    if (sasl->mechanism->plus)
        return span_equal(flag, SPAN("p=tls-exporter"));
    if (span_equal(flag, SPAN("y")))
        return !sasl->options.plus_offered;
    return span_equal(flag, SPAN("n"));
}

static bool is_nonce(struct postern_span nonce)
{
    for (size_t i = 0; i < nonce.n; i++)
        if (nonce.p[i] < '!' || nonce.p[i] > '~')
            return false;
    return nonce.n > 0;
}

/* read_bare - client-first-message-bare; "m=" is an extension that must be refused. */
static int read_bare(struct postern_sasl *sasl, struct postern_span bare)
{
    struct scram *scram = &sasl->scram;
    int err = arena_copy(&sasl->arena, bare, &scram->first_bare);
    if (err)
        return err;
    struct postern_span rest = scram->first_bare;
    struct postern_span user = span_cut(&rest, ',');
    struct postern_span nonce = rest.p ? span_cut(&rest, ',') : rest;
    if (!span_begins(user, SPAN("n=")) || !nonce.p || !span_begins(nonce, SPAN("r=")))
        return POSTERN_E_SYNTAX;
    scram->nonce = span_from(nonce, 2);
    if (!is_nonce(scram->nonce))
        return POSTERN_E_SYNTAX;
    return saslname_read(sasl, span_from(user, 2), &sasl->facts.authcid);
}

static int take_first(struct postern_sasl *sasl, struct postern_span message)
{
    struct postern_span rest = message;
    struct postern_span flag = span_cut(&rest, ',');
    if (!rest.p || !is_flag_fine(sasl, flag))
        return POSTERN_E_SYNTAX;
    struct postern_span name = span_cut(&rest, ',');
    if (!rest.p)
        return POSTERN_E_SYNTAX;
    int err =
        arena_copy(&sasl->arena, span_make(message.p, message.n - rest.n), &sasl->scram.header);
    if (!err && name.n > 0)
        err = span_begins(name, SPAN("a="))
                  ? saslname_read(sasl, span_from(name, 2), &sasl->facts.authzid)
                  : POSTERN_E_SYNTAX;
    if (!err)
        err = read_bare(sasl, rest);
    return err ? err : POSTERN_SASL_LOOKUP;
}

static bool are_usable(const struct postern_sasl *sasl, const struct postern_scram_keys *keys)
{
    return keys && keys->salt.n > 0 && keys->iterations > 0 &&
           keys->stored_key.n == hash_bytes(sasl) && keys->server_key.n == hash_bytes(sasl);
}

static int make_decoy(struct postern_sasl *sasl, unsigned char *salt,
                      struct postern_scram_keys *keys)
{
    sasl->scram.decoy = true;
    *keys = (struct postern_scram_keys){
        .salt = {(const char *)salt, DECOY_SALT_BYTES},
        .iterations = DECOY_ITERATIONS,
        .stored_key = {(const char *)salt, hash_bytes(sasl)},
        .server_key = {(const char *)salt, hash_bytes(sasl)},
    };
    return sasl->options.crypto->hmac(sasl->mechanism->hash, sasl->options.decoy_key,
                                      sasl->facts.authcid, salt);
}

/* write_first - server-first-message into the challenge; the nonce of both follows "r=". */
static int write_first(struct postern_sasl *sasl, const struct postern_scram_keys *keys)
{
    struct buffer *out = &sasl->challenge;
    char nonce[NONCE_BYTES];
    if (sasl->options.random->fill(sasl->options.random->ctx, nonce, sizeof nonce) < 0)
        return POSTERN_E_SYNTAX;
    buffer_append_text(out, "r=");
    buffer_append(out, sasl->scram.nonce);
    base64_encode(span_make(nonce, sizeof nonce), out);
    size_t nonce_end = buffer_length(out);
    buffer_append_text(out, ",s=");
    base64_encode(keys->salt, out);
    buffer_append_text(out, ",i=");
    buffer_append_number(out, keys->iterations);
    if (out->error)
        return out->error;
    int err = arena_copy(&sasl->arena, buffer_span(out), &sasl->scram.server_first);
    if (!err)
        sasl->scram.nonce = span_make(sasl->scram.server_first.p + 2, nonce_end - 2);
    return err;
}

int scram_challenge(struct postern_sasl *sasl, const struct postern_scram_keys *keys)
{
    unsigned char salt[POSTERN_HASH_BYTES_MAX] = {0};
    struct postern_scram_keys decoy;
    buffer_take(&sasl->challenge, buffer_length(&sasl->challenge));
    if (!are_usable(sasl, keys)) {
        if (make_decoy(sasl, salt, &decoy) < 0)
            return POSTERN_SASL_FAILED;
        keys = &decoy;
    }
    memcpy(sasl->scram.stored_key, keys->stored_key.p, hash_bytes(sasl));
    memcpy(sasl->scram.server_key, keys->server_key.p, hash_bytes(sasl));
    int err = write_first(sasl, keys);
    secret_wipe(salt, sizeof salt);
    return err ? err : POSTERN_SASL_CHALLENGE;
}

/* check_binding - c= repeats the gs2-header, and in PLUS holds the data of this TLS connection. */
static int check_binding(struct postern_sasl *sasl, struct postern_span value)
{
    struct buffer plain = {.allocator = &sasl->allocator};
    struct buffer text = plain;
    buffer_append(&plain, sasl->scram.header);
    if (sasl->mechanism->plus)
        buffer_append(&plain, sasl->options.binding_exporter);
    base64_encode(buffer_span(&plain), &text);
    int err = plain.error ? plain.error : text.error;
    if (!err && !span_same_secret(buffer_span(&text), value))
        err = POSTERN_E_SYNTAX;
    buffer_done(&plain);
    buffer_done(&text);
    return err;
}

static struct postern_span octets(const unsigned char *p, size_t n)
{
    return span_make((const char *)p, n);
}

/* check_proof - RFC 5802 3: H(proof xor HMAC(StoredKey, message)) must be StoredKey. */
static int check_proof(struct postern_sasl *sasl, struct postern_span message,
                       struct postern_span proof)
{
    const struct postern_crypto *crypto = sasl->options.crypto;
    struct scram *scram = &sasl->scram;
    size_t n = hash_bytes(sasl);
    unsigned char key[POSTERN_HASH_BYTES_MAX], hashed[POSTERN_HASH_BYTES_MAX];
    if (proof.n != n ||
        crypto->hmac(sasl->mechanism->hash, octets(scram->stored_key, n), message, key) < 0)
        return POSTERN_E_SYNTAX;
    for (size_t i = 0; i < n; i++)
        key[i] ^= (unsigned char)proof.p[i];
    bool ok = crypto->hash(sasl->mechanism->hash, octets(key, n), hashed) >= 0;
    ok = ok && span_same_secret(octets(hashed, n), octets(scram->stored_key, n));
    ok = ok && !scram->decoy;
    secret_wipe(key, sizeof key);
    secret_wipe(hashed, sizeof hashed);
    return ok ? 0 : POSTERN_E_SYNTAX;
}

static int answer(struct postern_sasl *sasl, struct postern_span message, struct postern_span proof)
{
    unsigned char signature[POSTERN_HASH_BYTES_MAX];
    size_t n = hash_bytes(sasl);
    int err = check_proof(sasl, message, proof);
    if (err)
        return err;
    if (sasl->options.crypto->hmac(sasl->mechanism->hash, octets(sasl->scram.server_key, n),
                                   message, signature) < 0)
        return POSTERN_E_SYNTAX;
    buffer_append_text(&sasl->challenge, "v=");
    base64_encode(octets(signature, n), &sasl->challenge);
    return POSTERN_SASL_CHALLENGE;
}

static int judge(struct postern_sasl *sasl, struct postern_span bare,
                 struct postern_span proof_text)
{
    struct buffer message = {.allocator = &sasl->allocator};
    struct buffer proof = message;
    buffer_append(&message, sasl->scram.first_bare);
    buffer_append_char(&message, ',');
    buffer_append(&message, sasl->scram.server_first);
    buffer_append_char(&message, ',');
    buffer_append(&message, bare);
    int state = message.error ? message.error : base64_decode(proof_text, &proof);
    if (!state)
        state = answer(sasl, buffer_span(&message), buffer_span(&proof));
    buffer_done(&message);
    buffer_done(&proof);
    return state;
}

/* take_final - client-final-message: c=, r=, extensions, and p= as the last. */
static int take_final(struct postern_sasl *sasl, struct postern_span message)
{
    size_t last = message.n;
    while (last > 0 && message.p[last - 1] != ',')
        last--;
    struct postern_span proof = span_from(message, last);
    if (last == 0 || !span_begins(proof, SPAN("p=")))
        return POSTERN_E_SYNTAX;
    struct postern_span bare = span_make(message.p, last - 1), rest = bare;
    struct postern_span binding = span_cut(&rest, ',');
    struct postern_span nonce = rest.p ? span_cut(&rest, ',') : rest;
    if (!span_begins(binding, SPAN("c=")) || !nonce.p || !span_begins(nonce, SPAN("r=")))
        return POSTERN_E_SYNTAX;
    if (!span_equal(span_from(nonce, 2), sasl->scram.nonce))
        return POSTERN_E_SYNTAX;
    int err = check_binding(sasl, span_from(binding, 2));
    return err ? err : judge(sasl, bare, span_from(proof, 2));
}

int scram_step(struct postern_sasl *sasl, struct postern_span response)
{
    if (sasl->round == 0)
        return take_first(sasl, response);
    if (sasl->round == 1)
        return take_final(sasl, response);
    return response.n == 0 ? POSTERN_SASL_DONE : POSTERN_SASL_FAILED;
}
