/* SPDX-License-Identifier: MIT */
/* exchange - the table of mechanisms and the state machine around them. Owns the exchange.
 * Trap: after any failure the phase is the end, so that no later call can turn it into success. */
#include "sasl/exchange.h"
#include "codec/saslprep.h"

#define SCRAM(id, name, hash, plus)                        \
    {                                                      \
        id, name, scram_step, hash, "", false, false, plus \
    }

static const struct mechanism mechanisms[] = {
    {POSTERN_SASL_PLAIN, "PLAIN", plain_step, 0, "", true, false, false},
    {POSTERN_SASL_LOGIN, "LOGIN", login_step, 0, "Username:", true, true, false},
    {POSTERN_SASL_EXTERNAL, "EXTERNAL", external_step, 0, "", false, false, false},
    {POSTERN_SASL_OAUTHBEARER, "OAUTHBEARER", oauth_step, 0, "", true, false, false},
    {POSTERN_SASL_XOAUTH2, "XOAUTH2", oauth_step, 0, "", true, false, false},
    SCRAM(POSTERN_SASL_SCRAM_SHA_1, "SCRAM-SHA-1", POSTERN_HASH_SHA1, false),
    SCRAM(POSTERN_SASL_SCRAM_SHA_1_PLUS, "SCRAM-SHA-1-PLUS", POSTERN_HASH_SHA1, true),
    SCRAM(POSTERN_SASL_SCRAM_SHA_256, "SCRAM-SHA-256", POSTERN_HASH_SHA256, false),
    SCRAM(POSTERN_SASL_SCRAM_SHA_256_PLUS, "SCRAM-SHA-256-PLUS", POSTERN_HASH_SHA256, true),
};

#define MECHANISMS (sizeof mechanisms / sizeof mechanisms[0])

static const struct mechanism *find(unsigned id)
{
    for (size_t i = 0; i < MECHANISMS; i++)
        if (mechanisms[i].id == id)
            return &mechanisms[i];
    return NULL;
}

unsigned postern_sasl_find(struct postern_span name)
{
    for (size_t i = 0; i < MECHANISMS; i++)
        if (span_equal_nocase(name, postern_span_of(mechanisms[i].name)))
            return mechanisms[i].id;
    return 0;
}

const char *postern_sasl_name(unsigned mechanism)
{
    const struct mechanism *m = find(mechanism);
    return m ? m->name : "";
}

bool postern_sasl_is_plaintext(unsigned mechanism)
{
    const struct mechanism *m = find(mechanism);
    return m && m->plaintext;
}

bool postern_sasl_is_server_first(unsigned mechanism)
{
    const struct mechanism *m = find(mechanism);
    return m && m->server_first;
}

static bool is_possible(const struct mechanism *m, const struct postern_sasl_options *options)
{
    if (!m)
        return false;
    if (m->id == POSTERN_SASL_EXTERNAL)
        return options->tls_identity.n > 0;
    if (m->hash && (!options->crypto || !options->random))
        return false;
    return !m->plus || options->binding_exporter.n > 0;
}

static int copy_options(struct postern_sasl *sasl)
{
    struct postern_sasl_options *o = &sasl->options;
    int err = arena_copy(&sasl->arena, o->tls_identity, &o->tls_identity);
    if (!err)
        err = arena_copy(&sasl->arena, o->binding_exporter, &o->binding_exporter);
    if (!err)
        err = arena_copy(&sasl->arena, o->decoy_key, &o->decoy_key);
    return err;
}

int postern_sasl_new(struct postern_sasl **sasl_r, unsigned mechanism,
                     const struct postern_sasl_options *options)
{
    const struct mechanism *m = find(mechanism);
    *sasl_r = NULL;
    if (!is_possible(m, options))
        return POSTERN_E_UNSUPPORTED;
    struct postern_sasl *sasl = memory_new(options->allocator, sizeof *sasl);
    if (!sasl)
        return POSTERN_E_NOMEM;
    sasl->allocator = options->allocator ? *options->allocator : *postern_allocator_malloc();
    sasl->options = *options;
    sasl->mechanism = m;
    sasl->arena.allocator = &sasl->allocator;
    sasl->challenge.allocator = &sasl->allocator;
    sasl->facts.mechanism = mechanism;
    int err = copy_options(sasl);
    if (err)
        postern_sasl_free(&sasl);
    *sasl_r = sasl;
    return err;
}

void postern_sasl_free(struct postern_sasl **sasl)
{
    if (!sasl || !*sasl)
        return;
    struct postern_allocator allocator = (*sasl)->allocator;
    arena_drop(&(*sasl)->arena);
    buffer_done(&(*sasl)->challenge);
    secret_wipe(*sasl, sizeof **sasl);
    memory_free(&allocator, *sasl);
    *sasl = NULL;
}

int sasl_prepare(struct postern_sasl *sasl, struct postern_span in, struct postern_span *out_r)
{
    struct buffer text = {.allocator = &sasl->allocator};
    int err = saslprep(in, &text);
    if (!err && buffer_length(&text) == 0)
        err = POSTERN_E_SYNTAX;
    if (!err)
        err = arena_copy(&sasl->arena, buffer_span(&text), out_r);
    buffer_done(&text);
    return err;
}

/* settle - the phase that follows from what a mechanism returned. */
static int settle(struct postern_sasl *sasl, int state)
{
    if (state == POSTERN_E_SYNTAX)
        state = POSTERN_SASL_FAILED;
    if (state > 0 && sasl->challenge.error)
        state = sasl->challenge.error;
    sasl->phase = PHASE_END;
    if (state == POSTERN_SASL_CHALLENGE)
        sasl->phase = PHASE_STEP;
    if (state == POSTERN_SASL_VERIFY)
        sasl->phase = PHASE_VERIFY;
    if (state == POSTERN_SASL_LOOKUP)
        sasl->phase = PHASE_LOOKUP;
    return state;
}

int postern_sasl_step(struct postern_sasl *sasl, bool has_response, struct postern_span response)
{
    if (sasl->phase != PHASE_STEP)
        return POSTERN_E_USAGE;
    bool begun = sasl->round > 0 || sasl->challenge.data;
    buffer_take(&sasl->challenge, buffer_length(&sasl->challenge));
    if (!has_response && begun)
        return settle(sasl, POSTERN_SASL_FAILED);
    if (!has_response) {
        buffer_room(&sasl->challenge, 1); /* marks the exchange as begun even for an empty prompt */
        buffer_append_text(&sasl->challenge, sasl->mechanism->prompt);
        return settle(sasl, POSTERN_SASL_CHALLENGE);
    }
    int state = sasl->mechanism->step(sasl, response);
    sasl->round++;
    return settle(sasl, state);
}

struct postern_span postern_sasl_challenge(const struct postern_sasl *sasl)
{
    return buffer_span(&sasl->challenge);
}

const struct postern_sasl_facts *postern_sasl_facts(const struct postern_sasl *sasl)
{
    return &sasl->facts;
}

int postern_sasl_verified(struct postern_sasl *sasl, bool ok)
{
    if (sasl->phase != PHASE_VERIFY)
        return POSTERN_E_USAGE;
    if (ok)
        return settle(sasl, POSTERN_SASL_DONE);
    if (sasl->mechanism->step == oauth_step)
        return settle(sasl, oauth_refuse(sasl));
    return settle(sasl, POSTERN_SASL_FAILED);
}

int postern_sasl_keys(struct postern_sasl *sasl, const struct postern_scram_keys *keys)
{
    if (sasl->phase != PHASE_LOOKUP)
        return POSTERN_E_USAGE;
    return settle(sasl, scram_challenge(sasl, keys));
}
