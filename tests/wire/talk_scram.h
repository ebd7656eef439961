/* SPDX-License-Identifier: MIT */
/* talk_scram - both ends' arithmetic of SCRAM (RFC 5802): a client for talks, keys for the model.
 */
#ifndef WIRE_TALK_SCRAM_H
#define WIRE_TALK_SCRAM_H

#include "wire/talk_model.h"

#define SCRAM_SALT "salt of talks"
#define SCRAM_NONCE "rOprNGfwEbeRWgbNEkqO"

struct scram_keys {
    unsigned char client[32], stored[32], server[32];
    size_t n;
};

static void scram_derive(struct scram_keys *keys, enum postern_hash hash, const char *password,
                         struct postern_span salt, int iterations)
{
    unsigned char salted[32];
    keys->n = hash == POSTERN_HASH_SHA1 ? 20 : 32;
    PKCS5_PBKDF2_HMAC(password, (int)strlen(password), (const unsigned char *)salt.p, (int)salt.n,
                      iterations, talk_md(hash), (int)keys->n, salted);
    struct postern_span key = {(char *)salted, keys->n};
    talk_hmac(hash, key, postern_span_of("Client Key"), keys->client);
    talk_hmac(hash, key, postern_span_of("Server Key"), keys->server);
    talk_hash(hash, (struct postern_span){(char *)keys->client, keys->n}, keys->stored);
}

/* The client's side of one exchange. */
struct scram {
    char mechanism[32], user[64], password[64], gs2[64];
    char exporter[65];
    enum postern_hash hash;
    struct text first_bare, final_sent, server_wants;
};

static void scram_done(struct scram *scram)
{
    text_done(&scram->first_bare);
    text_done(&scram->final_sent);
    text_done(&scram->server_wants);
}

/* scram_first - "MECHANISM user password [gs2header]" to the AUTH line with its initial response */
static void scram_first(struct scram *scram, const char *line, const char *exporter,
                        struct text *out)
{
    struct text message = {0};
    scram_done(scram);
    snprintf(scram->exporter, sizeof scram->exporter, "%s", exporter);
    word(&line, scram->mechanism, sizeof scram->mechanism);
    word(&line, scram->user, sizeof scram->user);
    word(&line, scram->password, sizeof scram->password);
    if (!word(&line, scram->gs2, sizeof scram->gs2))
        snprintf(scram->gs2, sizeof scram->gs2, "n,,");
    scram->hash = strstr(scram->mechanism, "SHA-1") ? POSTERN_HASH_SHA1 : POSTERN_HASH_SHA256;
    text_put(&scram->first_bare, "n=");
    text_put(&scram->first_bare, scram->user);
    text_put(&scram->first_bare, ",r=" SCRAM_NONCE);
    text_put(&message, scram->gs2);
    text_add(&message, scram->first_bare.p, scram->first_bare.n);
    text_put(out, "AUTH ");
    text_put(out, scram->mechanism);
    text_put(out, " ");
    text_base64(out, message.p, message.n);
    text_put(out, "\r\n");
    text_done(&message);
}

/* scram_sign - proof and expected server signature over the whole exchange */
static void scram_sign(struct scram *scram, const struct scram_keys *keys, const struct text *auth)
{
    unsigned char signature[32], proof[32], server[32];
    talk_hmac(scram->hash, (struct postern_span){(const char *)keys->stored, keys->n},
              text_span(auth), signature);
    talk_hmac(scram->hash, (struct postern_span){(const char *)keys->server, keys->n},
              text_span(auth), server);
    for (size_t i = 0; i < keys->n; i++)
        proof[i] = signature[i] ^ keys->client[i];
    text_put(&scram->final_sent, ",p=");
    text_base64(&scram->final_sent, proof, keys->n);
    text_put(&scram->server_wants, "v=");
    text_base64(&scram->server_wants, server, keys->n);
}

/* scram_challenged - the server's first message (decoded); prepares the final one. false: it is
 * malformed */
static bool scram_challenged(struct scram *scram, const struct text *server_first)
{
    const char *nonce = strstr(server_first->p, "r="), *salt = strstr(server_first->p, ",s="),
               *rounds = strstr(server_first->p, ",i=");
    if (nonce != server_first->p || !salt || !rounds ||
        strncmp(nonce + 2, SCRAM_NONCE, strlen(SCRAM_NONCE)) != 0 ||
        (size_t)(salt - nonce) - 2 <= strlen(SCRAM_NONCE))
        return false;
    struct text salt_bytes = {0}, binding = {0}, auth = {0};
    struct scram_keys keys;
    text_unbase64(&salt_bytes, salt + 3, (size_t)(rounds - salt) - 3);
    scram_derive(&keys, scram->hash, scram->password, text_span(&salt_bytes),
                 (int)strtol(rounds + 3, NULL, 10));
    text_put(&binding, scram->gs2);
    if (scram->gs2[0] == 'p')
        text_put(&binding, scram->exporter);
    text_put(&scram->final_sent, "c=");
    text_base64(&scram->final_sent, binding.p, binding.n);
    text_put(&scram->final_sent, ",");
    text_add(&scram->final_sent, nonce, (size_t)(salt - nonce));
    text_add(&auth, scram->first_bare.p, scram->first_bare.n);
    text_put(&auth, ",");
    text_add(&auth, server_first->p, server_first->n);
    text_put(&auth, ",");
    text_add(&auth, scram->final_sent.p, scram->final_sent.n);
    scram_sign(scram, &keys, &auth);
    text_done(&salt_bytes);
    text_done(&binding);
    text_done(&auth);
    return true;
}

#endif
