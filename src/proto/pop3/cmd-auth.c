/* SPDX-License-Identifier: MIT */
/* cmd-auth - AUTH: a SASL exchange (R70..R81). The mechanisms live in src/sasl; here are the lines,
 * the base64, and what may be offered now: no plaintext mechanism without TLS (R64 R78), -PLUS only
 * with a channel binding, SCRAM only with hash functions and random bytes, EXTERNAL only with a
 * name (R98). No mechanism here brings a security layer, so none begins behind +OK (R82). */
#include "codec/base64.h"
#include "proto/pop3/session.h"
#include "sasl/coded.h"

static const struct postern_span nothing = {NULL, 0};

static struct sasl_offer offer_of(const struct postern_pop3 *s)
{
    return (struct sasl_offer){.mechanisms = s->o.sasl_mechanisms,
                               .tls = s->tls,
                               .plaintext = pop3_is_secure(s),
                               .options = {.allocator = s->o.allocator,
                                           .crypto = s->o.crypto,
                                           .random = s->o.random,
                                           .tls_identity = s->tls_identity,
                                           .binding_exporter = s->tls_binding,
                                           .decoy_key = s->o.decoy_key}};
}

unsigned pop3_sasl_offered(const struct postern_pop3 *s)
{
    struct sasl_offer offer = offer_of(s);

    return sasl_offered(&offer);
}

static void challenge(struct postern_pop3 *s)
{
    struct buffer line = {.allocator = s->o.allocator};

    buffer_append_text(&line, "+ "); /* R71 */
    base64_encode(postern_sasl_challenge(s->sasl), &line);
    buffer_append_text(&line, "\r\n");
    buffer_append(&s->out, buffer_span(&line));
    if (line.error)
        pop3_no_memory(s);
    buffer_done(&line);
}

static void ask(struct postern_pop3 *s, enum postern_pop3_question_kind kind)
{
    const struct postern_sasl_facts *facts = postern_sasl_facts(s->sasl);

    /* R79: whether authcid may act as authzid is the application's word */
    s->question =
        (struct postern_pop3_question){.login = {.method = postern_sasl_name(facts->mechanism),
                                                 .mechanism = facts->mechanism,
                                                 .user = facts->authcid,
                                                 .authorize = facts->authzid,
                                                 .secret = sasl_secret(facts),
                                                 .tls = s->tls}};
    pop3_ask(s, kind);
}

static void done(struct postern_pop3 *s)
{
    const struct postern_sasl_facts *facts = postern_sasl_facts(s->sasl);

    /* the application may have named the mailbox already */
    if (!s->name.n && pop3_set_text(s, &s->name, sasl_account(facts)) < 0) {
        pop3_no_memory(s);
        return;
    }
    postern_sasl_free(&s->sasl);
    pop3_open_mailbox(s, s->name);
}

void pop3_sasl_state(struct postern_pop3 *s, int state)
{
    switch (state) {
    case POSTERN_SASL_CHALLENGE:
        challenge(s);
        break;
    case POSTERN_SASL_VERIFY:
        ask(s, POSTERN_POP3_AUTHENTICATE);
        break;
    case POSTERN_SASL_LOOKUP:
        ask(s, POSTERN_POP3_AUTH_LOOKUP);
        break;
    case POSTERN_SASL_DONE:
        done(s);
        break;
    case POSTERN_SASL_FAILED:
        pop3_login_failed(s, s->verdict ? s->verdict : POSTERN_NO_CREDENTIALS, nothing); /* R76 */
        break;
    case POSTERN_E_DENIED:
        pop3_err(s, NULL, TEXT_NEED_TLS); /* R97 */
        break;
    case POSTERN_E_UNSUPPORTED:
        pop3_err(s, NULL, TEXT_NO_MECHANISM); /* R81 */
        break;
    case POSTERN_E_SYNTAX:
        postern_sasl_free(&s->sasl);
        pop3_err(s, NULL, TEXT_BAD_BASE64); /* R74 */
        break;
    default:
        pop3_no_memory(s);
        break;
    }
}

void pop3_sasl_line(struct postern_pop3 *s, struct postern_span line)
{
    if (span_equal(line, SPAN("*"))) { /* R73 */
        postern_sasl_free(&s->sasl);
        pop3_err(s, NULL, TEXT_CANCELLED);
        return;
    }
    pop3_sasl_state(s, sasl_coded_step(s->sasl, s->o.allocator, line));
}

void pop3_cmd_auth(struct postern_pop3 *s)
{
    unsigned mechanism = postern_sasl_find(s->argument[0]);
    struct postern_span initial = s->argument_count > 1 ? s->argument[1] : nothing;
    struct sasl_offer offer = offer_of(s);
    int err = sasl_admits(&offer, mechanism);

    if (err < 0) {
        pop3_sasl_state(s, err);
        return;
    }
    if (initial.n && postern_sasl_is_server_first(mechanism)) {
        pop3_err(s, NULL, TEXT_NO_INITIAL); /* R72 */
        return;
    }
    pop3_forget_login(s);
    s->verdict = POSTERN_YES;
    pop3_sasl_state(s, sasl_coded_begin(&s->sasl, mechanism, &offer, initial)); /* R72 */
}

void pop3_sasl_keys(struct postern_pop3 *s, const struct postern_pop3_keys *keys)
{
    if (keys && keys->user.n && pop3_set_text(s, &s->name, keys->user) < 0)
        pop3_no_memory(s);
    else
        pop3_sasl_state(s, postern_sasl_keys(s->sasl, keys ? &keys->scram : NULL));
}
