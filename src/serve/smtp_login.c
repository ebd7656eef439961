/* SPDX-License-Identifier: MIT */
/* smtp_login - who a submission session is. */
#include "serve/smtp_session.h"

#include "base/span.h"

static void login_answer(void *session, enum postern_verdict verdict, struct postern_span user)
{
    struct serve_smtp *s = session;

    if (s->question.kind == POSTERN_SMTP_AUTHENTICATE)
        postern_smtp_answer_authenticate(s->engine, s->question.id, verdict, user);
    else
        postern_smtp_answer_default(s->engine, s->question.id);
}

static void login_keys(void *session, enum postern_verdict verdict, const struct login_keys *found)
{
    struct serve_smtp *s = session;

    postern_smtp_answer_keys(s->engine, s->question.id, verdict, found ? &found->scram : NULL,
                             found ? found->user : (struct postern_span){NULL, 0});
}

void smtp_login_init(struct serve_smtp *s, struct postern_span peer, postern_time now)
{
    s->login = (struct login){.session = s, .answer = login_answer, .keys = login_keys};
    login_init(&s->login, s->site, s->conn, peer, now);
}

void smtp_login_ask(struct serve_smtp *s)
{
    s->login.question = (struct login_question){.method = s->question.method,
                                                .mechanism = s->question.mechanism,
                                                .user = s->question.user,
                                                .authorize = s->question.authorize,
                                                .secret = s->question.secret,
                                                .tls = s->question.tls};
    if (s->question.kind == POSTERN_SMTP_AUTHENTICATE)
        login_check(&s->login);
    else
        login_lookup(&s->login);
}

void smtp_login_accept(struct serve_smtp *s)
{
    struct postern_span text;

    if (login_accept(&s->login, s->question.name, &text) != POSTERN_YES) {
        smtp_say(s, 454, "4.7.0", "too many connections of this user");
        return;
    }
    login_entered(&s->login);
    smtp_yes(s);
}
