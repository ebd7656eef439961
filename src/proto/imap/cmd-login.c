/* SPDX-License-Identifier: MIT */
/* cmd-login - LOGIN, and what every login comes to; UNAUTHENTICATE, LOGOUT (RFC 9051 6.1.3, 6.2.3,
 * RFC 8437). */
#include "codec/saslprep.h"
#include "codec/utf8.h"
#include "proto/imap/commands.h"
#include "proto/imap/notify.h"

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
