/* SPDX-License-Identifier: MIT */
/* cmd-auth - AUTH (RFC 4954). The mechanisms live in src/sasl; here are the lines, the base64 and
 * what may be offered now. */
#include "codec/base64.h"
#include "proto/smtp/session.h"
#include "sasl/coded.h"

static bool is_secure(const struct postern_smtp *s)
{
    return s->tls || s->o.plaintext_without_tls;
}

static struct sasl_offer offer_of(const struct postern_smtp *s)
{
    return (struct sasl_offer){.mechanisms = s->o.sasl_mechanisms,
                               .tls = s->tls,
                               .plaintext = is_secure(s),
                               .options = {.allocator = s->o.allocator,
                                           .crypto = s->o.crypto,
                                           .random = s->o.random,
                                           .tls_identity = s->tls_identity,
                                           .binding_exporter = s->tls_binding,
                                           .decoy_key = s->o.decoy_key}};
}

bool smtp_offers_auth(const struct postern_smtp *s)
{
    struct sasl_offer offer = offer_of(s);

    return !s->user.n && sasl_offered(&offer);
}

void smtp_write_mechanisms(struct postern_smtp *s)
{
    struct sasl_offer offer = offer_of(s);

    sasl_write_names(sasl_offered(&offer), " ", &s->out);
}

/* ---- how it ends ----------------------------------------------------------------------------- */

/* L8: wiped as it is freed */
static void auth_over(struct postern_smtp *s)
{
    postern_sasl_free(&s->sasl);
    (void)smtp_set_text(s, &s->candidate, (struct postern_span){NULL, 0}); /* frees only */
}

/* L4 */
static void failed(struct postern_smtp *s, enum postern_verdict verdict)
{
    auth_over(s);
    if (verdict == POSTERN_NO_CREDENTIALS) {
        smtp_reply(s, 535, "5.7.8", "wrong name or password");
        if (++s->failures >= s->o.failures_max)
            smtp_end(s, "4.7.0", "too many failed logins");
    } else if (verdict == POSTERN_NO_POLICY) {
        smtp_refuse(s, 535, "5.7.8", "not allowed here");
    } else {
        smtp_reply(s, 454, "4.7.0", "temporarily unavailable");
    }
}

static void counted_in(struct postern_smtp *s, const struct smtp_answer *answer)
{
    static const struct postern_smtp_reply fine = REPLY(235, "2.7.0", "logged in");

    if (smtp_answered(s, answer, &fine)) {
        s->failures = s->errors = 0;
        if (smtp_set_text(s, &s->user, s->question.name) < 0)
            smtp_no_memory(s);
    }
    auth_over(s);
}

static void sasl_done(struct postern_smtp *s)
{
    const struct postern_sasl_facts *facts = postern_sasl_facts(s->sasl);

    s->question =
        (struct postern_smtp_question){.name = s->candidate.n ? s->candidate : sasl_account(facts),
                                       .method = postern_sasl_name(facts->mechanism)};
    smtp_ask(s, POSTERN_SMTP_LOGIN, counted_in);
}

/* ---- the exchange ---------------------------------------------------------------------------- */

static void sasl_state(struct postern_smtp *s, int state);

static void verified(struct postern_smtp *s, const struct smtp_answer *answer)
{
    s->verdict = answer->verdict;
    if (answer->verdict == POSTERN_YES && answer->text.n &&
        smtp_set_text(s, &s->candidate, answer->text) < 0)
        smtp_no_memory(s);
    else
        sasl_state(s, postern_sasl_verified(s->sasl, answer->verdict == POSTERN_YES));
}

static void keys_found(struct postern_smtp *s, const struct smtp_answer *answer)
{
    if (answer->verdict != POSTERN_YES)
        failed(s, answer->verdict);
    else if (answer->keys && answer->text.n && smtp_set_text(s, &s->candidate, answer->text) < 0)
        smtp_no_memory(s);
    else
        sasl_state(s, postern_sasl_keys(s->sasl, answer->keys));
}

static void ask(struct postern_smtp *s, enum postern_smtp_question_kind kind)
{
    const struct postern_sasl_facts *facts = postern_sasl_facts(s->sasl);

    s->question = (struct postern_smtp_question){.method = postern_sasl_name(facts->mechanism),
                                                 .mechanism = facts->mechanism,
                                                 .user = facts->authcid,
                                                 .authorize = facts->authzid,
                                                 .secret = sasl_secret(facts)};
    smtp_ask(s, kind, kind == POSTERN_SMTP_AUTHENTICATE ? verified : keys_found);
}

/* J4 L1 L3 */
static void sasl_state(struct postern_smtp *s, int state)
{
    switch (state) {
    case POSTERN_SASL_CHALLENGE:
        buffer_append_text(&s->out, "334 ");
        base64_encode(postern_sasl_challenge(s->sasl), &s->out);
        buffer_append_text(&s->out, "\r\n");
        break;
    case POSTERN_SASL_VERIFY:
        ask(s, POSTERN_SMTP_AUTHENTICATE);
        break;
    case POSTERN_SASL_LOOKUP:
        ask(s, POSTERN_SMTP_AUTH_LOOKUP);
        break;
    case POSTERN_SASL_DONE:
        sasl_done(s);
        break;
    case POSTERN_SASL_FAILED:
        failed(s, s->verdict ? s->verdict : POSTERN_NO_CREDENTIALS);
        break;
    case POSTERN_E_DENIED:
        smtp_refuse(s, 538, "5.7.11", "not without TLS");
        break;
    case POSTERN_E_UNSUPPORTED:
        smtp_refuse(s, 504, "5.5.4", "no such mechanism is offered");
        break;
    case POSTERN_E_SYNTAX:
        auth_over(s);
        smtp_refuse(s, 501, "5.5.2", "this is not base64");
        break;
    default:
        smtp_no_memory(s);
        break;
    }
}

void smtp_sasl_line(struct postern_smtp *s, struct postern_span line)
{
    if (!line.p) { /* L2 */
        auth_over(s);
        smtp_refuse(s, 500, "5.5.6", "response too long");
    } else if (span_equal(line, SPAN("*"))) {
        auth_over(s);
        smtp_refuse(s, 501, "5.7.0", "cancelled");
    } else {
        sasl_state(s, sasl_coded_step(s->sasl, s->o.allocator, line));
    }
    if (s->asked == ASKED_NOTHING && !s->sasl)
        smtp_command_over(s);
}

void smtp_cmd_auth(struct postern_smtp *s, struct postern_span argument)
{
    struct sasl_offer offer = offer_of(s);
    struct postern_span initial = argument, name = span_cut(&initial, ' ');
    unsigned mechanism = postern_sasl_find(name);
    int err = sasl_admits(&offer, mechanism);

    if (s->user.n) {
        smtp_refuse(s, 503, "5.5.1", "you are logged in");
    } else if (!s->o.sasl_mechanisms) {
        smtp_refuse(s, 502, "5.5.1", "nobody logs in here");
    } else if (!name.n) {
        smtp_refuse(s, 501, "5.5.4", "a mechanism is wanted");
    } else if (err < 0) {
        sasl_state(s, err);
    } else {
        s->verdict = POSTERN_YES;
        sasl_state(s, sasl_coded_begin(&s->sasl, mechanism, &offer, initial));
    }
}
