/* SPDX-License-Identifier: MIT */
/* cmd-authenticate - AUTHENTICATE (RFC 9051 6.2.2). The mechanisms live in src/sasl; here are the
 * lines, the base64 and what may be offered now: no plaintext without TLS, -PLUS only with a
 * channel binding, EXTERNAL only with a name. */
#include "codec/base64.h"
#include "proto/imap/commands.h"
#include "sasl/coded.h"

/* I 11.7-3 I 6.2.2-11 */
bool imap_is_secure(const struct postern_imap *s)
{
    return s->tls || s->o.plaintext_without_tls;
}

static struct sasl_offer offer_of(const struct postern_imap *s)
{
    return (struct sasl_offer){.mechanisms = s->o.sasl_mechanisms,
                               .tls = s->tls,
                               .plaintext = imap_is_secure(s),
                               .options = {.allocator = s->o.allocator,
                                           .crypto = s->o.crypto,
                                           .random = s->o.random,
                                           .tls_identity = s->tls_identity,
                                           .binding_exporter = s->tls_binding,
                                           .decoy_key = s->o.decoy_key}};
}

void imap_write_mechanisms(struct postern_imap *s)
{
    struct sasl_offer offer = offer_of(s);

    sasl_write_names(sasl_offered(&offer), " AUTH=", &s->out);
}

static void sasl_state(struct postern_imap *s, int state);

static void sasl_verified(struct postern_imap *s, const struct imap_answer *answer)
{
    s->verdict = answer->verdict;
    if (answer->text.n && imap_set_text(s, &s->user, answer->text) < 0)
        imap_no_memory(s);
    else
        sasl_state(s, postern_sasl_verified(s->sasl, answer->verdict == POSTERN_YES));
}

static void sasl_keys(struct postern_imap *s, const struct imap_answer *answer)
{
    if (answer->verdict != POSTERN_YES) {
        imap_login_failed(s, answer->verdict);
        return;
    }
    if (answer->keys && answer->text.n && imap_set_text(s, &s->user, answer->text) < 0)
        imap_no_memory(s);
    else
        sasl_state(s, postern_sasl_keys(s->sasl, answer->keys));
}

static void sasl_ask(struct postern_imap *s, enum postern_imap_question_kind kind)
{
    const struct postern_sasl_facts *facts = postern_sasl_facts(s->sasl);

    s->question = (struct postern_imap_question){.method = postern_sasl_name(facts->mechanism),
                                                 .mechanism = facts->mechanism,
                                                 .user = facts->authcid,
                                                 .authorize = facts->authzid,
                                                 .secret = sasl_secret(facts),
                                                 .tls = s->tls};
    imap_ask(s, kind, kind == POSTERN_IMAP_AUTHENTICATE ? sasl_verified : sasl_keys);
}

/* I 6.2.2-7 */
static void sasl_done(struct postern_imap *s)
{
    const struct postern_sasl_facts *facts = postern_sasl_facts(s->sasl);
    struct postern_span user;

    if (arena_copy(&s->arena, s->user.n ? s->user : sasl_account(facts), &user) < 0)
        imap_no_memory(s);
    else
        imap_logged_in(s, user);
}

/* I 6.2.2-2, I 7.6-4 */
static void challenge(struct postern_imap *s)
{
    write_text(s, "+ ");
    base64_encode(postern_sasl_challenge(s->sasl), &s->out);
    write_text(s, "\r\n");
    imap_input_clear(s);
}

/* I 6.2.2-4, I 6.2.2-5 */
static void sasl_state(struct postern_imap *s, int state)
{
    switch (state) {
    case POSTERN_SASL_CHALLENGE:
        challenge(s);
        break;
    case POSTERN_SASL_VERIFY:
        sasl_ask(s, POSTERN_IMAP_AUTHENTICATE);
        break;
    case POSTERN_SASL_LOOKUP:
        sasl_ask(s, POSTERN_IMAP_AUTH_LOOKUP);
        break;
    case POSTERN_SASL_DONE:
        sasl_done(s);
        break;
    case POSTERN_SASL_FAILED:
        imap_login_failed(s, s->verdict ? s->verdict : POSTERN_NO_CREDENTIALS);
        break;
    case POSTERN_E_DENIED:
        imap_no(s, "PRIVACYREQUIRED", "not without TLS");
        break;
    case POSTERN_E_UNSUPPORTED:
        imap_no(s, "CANNOT", "no such mechanism is offered");
        break;
    case POSTERN_E_SYNTAX:
        postern_sasl_free(&s->sasl);
        imap_bad(s, "this is not base64");
        break;
    default:
        imap_no_memory(s);
        break;
    }
}

/* I 6.2.2-3 */
void imap_sasl_line(struct postern_imap *s, struct postern_span line)
{
    if (span_equal(line, SPAN("*"))) {
        postern_sasl_free(&s->sasl);
        imap_bad(s, "cancelled");
    } else {
        sasl_state(s, sasl_coded_step(s->sasl, s->o.allocator, line.n ? line : SPAN("")));
    }
}

/* I 6.2.2-1, I 6.2.2-6 I 6.2.2-10
 * I 4959:3-1 I 4959:3-2 I 4959:3-3 */
void imap_cmd_authenticate(struct postern_imap *s)
{
    struct sasl_offer offer = offer_of(s);
    struct postern_span name, initial = {0};
    unsigned mechanism;
    int err;

    parse_space(&s->in);
    name = parse_atom(&s->in);
    if (parse_try(&s->in, ' ')) {
        initial = s->in.rest.n ? s->in.rest : SPAN("!");
        s->in.rest = (struct postern_span){0};
    }
    if (!imap_good(s))
        return;
    mechanism = postern_sasl_find(name);
    err = sasl_admits(&offer, mechanism);
    if (err < 0) {
        sasl_state(s, err);
        return;
    }
    s->verdict = POSTERN_YES;
    (void)imap_set_text(s, &s->user, (struct postern_span){0}); /* frees only */
    sasl_state(s, sasl_coded_begin(&s->sasl, mechanism, &offer, initial));
}
