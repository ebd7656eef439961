/* SPDX-License-Identifier: MIT */
/* cmd-user - USER and PASS (R31 R32 R64 R86 R97).
 * USER says +OK to any name; PASS counts only immediately behind it. Without TLS both are refused
 * before anything is looked at, so that the refusal says nothing about the credentials. */
#include "codec/saslprep.h"
#include "codec/utf8.h"
#include "proto/pop3/session.h"

bool pop3_prepare(struct postern_pop3 *s, struct postern_span in, struct postern_span *out_r)
{
    struct buffer prepared = {.allocator = s->o.allocator};
    int err = 0;

    if (utf8_is_ascii(in))
        err = arena_copy(&s->arena, in, out_r);
    else if (!utf8_is_valid(in))
        err = POSTERN_E_SYNTAX;
    else
        err = saslprep(in, &prepared);
    if (err == 0 && prepared.error)
        err = prepared.error;
    else if (err == 0 && !utf8_is_ascii(in) && !buffer_length(&prepared))
        err = POSTERN_E_SYNTAX; /* nothing is left of it */
    else if (err == 0 && prepared.data)
        err = arena_copy(&s->arena, buffer_span(&prepared), out_r);
    buffer_done(&prepared);
    if (err == POSTERN_E_NOMEM)
        pop3_no_memory(s);
    else if (err < 0)
        pop3_err(s, NULL, TEXT_BAD_UTF8);
    return err == 0;
}

void pop3_cmd_user(struct postern_pop3 *s)
{
    struct postern_span name;

    if (!pop3_is_secure(s)) {
        pop3_err(s, NULL, TEXT_NEED_TLS);
        return;
    }
    if (!pop3_prepare(s, s->argument[0], &name))
        return;
    if (pop3_set_text(s, &s->name, name) < 0) {
        pop3_no_memory(s);
        return;
    }
    s->has_user = true;
    pop3_ok(s, TEXT_SEND_PASSWORD);
}

void pop3_cmd_pass(struct postern_pop3 *s)
{
    bool had_user = s->has_user;

    s->has_user = false;
    if (!pop3_is_secure(s)) {
        pop3_err(s, NULL, TEXT_NEED_TLS);
        return;
    }
    if (!had_user) {
        pop3_bad(s, TEXT_NEED_USER);
        return;
    }
    s->question =
        (struct postern_pop3_question){.login = {.method = "PASS", .user = s->name, .tls = s->tls}};
    if (pop3_prepare(s, s->argument[0], &s->question.login.secret))
        pop3_ask(s, POSTERN_POP3_AUTHENTICATE);
}
