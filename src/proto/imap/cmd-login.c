/* SPDX-License-Identifier: MIT */
/* cmd-login - the greeting, CAPABILITY, STARTTLS, LOGIN, AUTHENTICATE, LOGOUT (RFC 9051 6.1, 6.2).
 * The mechanisms live in src/sasl; here are the lines, the base64 and what may be offered now: no
 * plaintext without TLS, -PLUS only with a channel binding, EXTERNAL only with a name. */
#include "codec/base64.h"
#include "codec/saslprep.h"
#include "codec/utf8.h"
#include "proto/imap/commands.h"
#include "proto/imap/notify.h"
#include "sasl/coded.h"
#include "sasl/offer.h"

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

/* ---- capabilities ---------------------------------------------------------------------------- */

void imap_write_mechanisms(struct postern_imap *s)
{
    struct sasl_offer offer = offer_of(s);
    unsigned mask = sasl_offered(&offer);

    for (unsigned bit = 1; bit < POSTERN_SASL_ALL; bit <<= 1)
        if (mask & bit) {
            write_text(s, " AUTH=");
            write_text(s, postern_sasl_name(bit));
        }
}

/* I 6.1.1-1 */
void imap_cmd_capability(struct postern_imap *s)
{
    if (!imap_good(s))
        return;
    write_text(s, "* ");
    imap_write_capability(s);
    write_text(s, "\r\n");
    imap_ok(s, NULL, "done");
}

/* I 7.1.1-1 */
void imap_greet(struct postern_imap *s, const struct imap_answer *answer)
{
    if (answer->err) {
        write_text(s, "* BYE [UNAVAILABLE] not now\r\n");
        imap_over(s);
        return;
    }
    s->state = POSTERN_IMAP_NOT_AUTHENTICATED;
    write_text(s, "* OK [");
    imap_write_capability(s);
    write_text(s, "] ");
    write_span(s, s->o.greeting);
    write_text(s, "\r\n");
}

/* I 6.2.1-1 I 6.2.1-2 */
void imap_cmd_starttls(struct postern_imap *s)
{
    if (!imap_good(s))
        return;
    if (s->tls || !s->o.tls_available) {
        imap_bad(s, s->tls ? "TLS is up already" : "no TLS here");
        return;
    }
    imap_ok(s, NULL, "begin TLS now");
    s->want_tls = true;
}

/* I 3.4-1, I 6.1.3-1, I 6.1.3-2 */
void imap_cmd_logout(struct postern_imap *s)
{
    if (!imap_good(s))
        return;
    imap_unselect(s);
    write_text(s, "* BYE logging out\r\n");
    s->closing = true;
    imap_ok(s, NULL, "bye");
}

/* imap_cmd_unauthenticate - RFC 8437: all but TLS is as if nobody had logged in yet.
 * I 8437:3-1 I 8437:3-2 I 8437:3-3 I 8437:4.1-1 I 8437:4.1-2 */
void imap_cmd_unauthenticate(struct postern_imap *s)
{
    static const struct postern_span none;

    if (!imap_good(s))
        return;
    imap_unselect(s);
    notify_free(s, &s->notify);
    imap_rewatch(s);
    imap_tell(s, POSTERN_IMAP_LOGOUT, 0);
    s->state = POSTERN_IMAP_NOT_AUTHENTICATED;
    s->rev2 = s->utf8 = s->condstore = s->qresync = s->uid_only = false;
    s->language = LANGUAGE_DEFAULT;
    s->began = s->now;
    (void)imap_set_text(s, &s->user, none); /* an absent text takes no memory */
    (void)imap_set_text(s, &s->hidden, none);
    imap_ok(s, NULL, "nobody is logged in");
}

/* ---- who it is ------------------------------------------------------------------------------- */

/* I 6.2.2-12, I 11.7-1, I 11.7-2 */
void imap_login_failed(struct postern_imap *s, enum postern_verdict verdict)
{
    postern_sasl_free(&s->sasl);
    if (verdict == POSTERN_NO_CREDENTIALS) {
        s->failures++;
        imap_no(s, "AUTHENTICATIONFAILED", "wrong name or password");
    } else if (verdict == POSTERN_NO_POLICY) {
        imap_no(s, "AUTHORIZATIONFAILED", "not allowed here");
    } else {
        imap_no(s, verdict == POSTERN_NO_PERMANENT ? "CONTACTADMIN" : "UNAVAILABLE",
                "temporarily unavailable");
    }
}

/* I 6.2.2-8, I 6.2.3-3 */
static void logged_in(struct postern_imap *s)
{
    s->state = POSTERN_IMAP_AUTHENTICATED;
    s->failures = s->errors = 0;
    write_span(s, s->tag);
    write_text(s, " OK [");
    imap_write_capability(s);
    write_text(s, "] ");
    write_text(s, text_in(s->language, "logged in"));
    write_text(s, "\r\n");
    imap_command_over(s);
}

/* refer - RFC 2221 4: in the result, since the login is refused.
 * I 2221:4.1-1 */
static void refer(struct postern_imap *s, struct postern_span url)
{
    struct buffer code = {.allocator = s->o.allocator};

    buffer_append_text(&code, "REFERRAL ");
    buffer_append(&code, url);
    buffer_append_char(&code, '\0');
    if (code.error)
        imap_no_memory(s);
    else
        imap_no(s, buffer_span(&code).p, "the account is on another server");
    buffer_done(&code);
}

/* I 2221:4.1-2 */
static void account_opened(struct postern_imap *s, const struct imap_answer *answer)
{
    postern_sasl_free(&s->sasl);
    if (answer->err && answer->text.n) {
        refer(s, answer->text);
    } else if (answer->err) {
        imap_no(s, answer->err == POSTERN_E_IN_USE ? "LIMIT" : "UNAVAILABLE",
                "the account cannot be opened now");
    } else {
        logged_in(s);
    }
}

void imap_logged_in(struct postern_imap *s, struct postern_span user)
{
    if (imap_set_text(s, &s->user, user) < 0) {
        imap_no_memory(s);
        return;
    }
    s->question = (struct postern_imap_question){.name = s->user};
    imap_ask(s, POSTERN_IMAP_LOGIN, account_opened);
}

/* ---- LOGIN ----------------------------------------------------------------------------------- */

static void login_checked(struct postern_imap *s, const struct imap_answer *answer)
{
    if (answer->verdict != POSTERN_YES)
        imap_login_failed(s, answer->verdict);
    else
        imap_logged_in(s, answer->text.n ? answer->text : s->question.user);
}

/* prepare - a name or password as compared (SASLprep). I 6.2.3-2 */
static bool prepare(struct postern_imap *s, struct postern_span in, struct postern_span *out_r)
{
    struct buffer prepared = {.allocator = s->o.allocator};
    int err = 0;

    *out_r = in;
    if (!utf8_is_ascii(in))
        err = utf8_is_valid(in) ? saslprep(in, &prepared) : POSTERN_E_SYNTAX;
    if (!err && prepared.data)
        err = arena_copy(&s->arena, buffer_span(&prepared), out_r);
    buffer_done(&prepared);
    if (err == POSTERN_E_NOMEM)
        imap_no_memory(s);
    else if (err)
        imap_no(s, "AUTHENTICATIONFAILED", "wrong name or password");
    return !err;
}

/* I 6.2.3-1, I 6.2.3-4 */
void imap_cmd_login(struct postern_imap *s)
{
    struct postern_span user, secret;

    parse_space(&s->in);
    user = parse_astring(s, &s->in);
    parse_space(&s->in);
    secret = parse_astring(s, &s->in);
    if (!imap_good(s))
        return;
    if (!imap_is_secure(s)) {
        imap_no(s, "PRIVACYREQUIRED", "not without TLS");
        return;
    }
    s->question = (struct postern_imap_question){.method = "LOGIN", .tls = s->tls};
    if (prepare(s, user, &s->question.user) && prepare(s, secret, &s->question.secret))
        imap_ask(s, POSTERN_IMAP_AUTHENTICATE, login_checked);
}

/* ---- AUTHENTICATE ---------------------------------------------------------------------------- */

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

    s->question =
        (struct postern_imap_question){.method = postern_sasl_name(facts->mechanism),
                                       .mechanism = facts->mechanism,
                                       .user = facts->authcid,
                                       .authorize = facts->authzid,
                                       .secret = facts->token.n ? facts->token : facts->password,
                                       .tls = s->tls};
    imap_ask(s, kind, kind == POSTERN_IMAP_AUTHENTICATE ? sasl_verified : sasl_keys);
}

/* I 6.2.2-7 */
static void sasl_done(struct postern_imap *s)
{
    const struct postern_sasl_facts *facts = postern_sasl_facts(s->sasl);
    struct postern_span name = facts->authzid.n ? facts->authzid : facts->authcid, user;

    if (arena_copy(&s->arena, s->user.n ? s->user : name, &user) < 0)
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
    default:
        imap_no_memory(s);
        break;
    }
}

/* hear - what a response came to. I 6.2.2-4, I 6.2.2-5 */
static void hear(struct postern_imap *s, int state)
{
    if (state == POSTERN_E_SYNTAX) {
        postern_sasl_free(&s->sasl);
        imap_bad(s, "this is not base64");
    } else {
        sasl_state(s, state);
    }
}

/* I 6.2.2-3 */
void imap_sasl_line(struct postern_imap *s, struct postern_span line)
{
    if (span_equal(line, SPAN("*"))) {
        postern_sasl_free(&s->sasl);
        imap_bad(s, "cancelled");
    } else {
        hear(s, sasl_coded_step(s->sasl, s->o.allocator, line.n ? line : SPAN("")));
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
    if (mechanism & s->o.sasl_mechanisms && !imap_is_secure(s) &&
        postern_sasl_is_plaintext(mechanism)) {
        imap_no(s, "PRIVACYREQUIRED", "not without TLS");
    } else if (!(mechanism & sasl_offered(&offer))) {
        imap_no(s, "CANNOT", "no such mechanism is offered");
    } else {
        s->verdict = POSTERN_YES;
        (void)imap_set_text(s, &s->user, (struct postern_span){0}); /* frees only */
        err = sasl_begin(&s->sasl, mechanism, &offer);
        if (err == POSTERN_E_NOMEM)
            imap_no_memory(s);
        else if (err)
            imap_no(s, "CANNOT", "no such mechanism is offered");
        else
            hear(s, sasl_coded_first(s->sasl, mechanism, s->o.allocator, initial));
    }
}
