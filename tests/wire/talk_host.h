/* SPDX-License-Identifier: MIT */
/* talk_host - answers the engine's questions from the model, as an application would. */
#ifndef WIRE_TALK_HOST_H
#define WIRE_TALK_HOST_H

#include "wire/talk_run.h"

static const struct postern_span host_none = {0};

static enum postern_verdict host_check(struct run *run, const struct postern_pop3_question *q)
{
    struct talk_user *user = model_user(&run->model, q->login.user);
    struct postern_span authorize = q->login.authorize;
    bool external = q->login.mechanism == POSTERN_SASL_EXTERNAL;
    if (!user || user->disabled)
        return POSTERN_NO_CREDENTIALS;
    if (!external && (strlen(user->password) != q->login.secret.n ||
                      memcmp(user->password, q->login.secret.p, q->login.secret.n) != 0))
        return POSTERN_NO_CREDENTIALS;
    bool same = !authorize.n || (authorize.n == q->login.user.n &&
                                 !memcmp(authorize.p, q->login.user.p, authorize.n));
    return same || (user->master && model_user(&run->model, authorize)) ? POSTERN_YES
                                                                        : POSTERN_NO_CREDENTIALS;
}

static int host_keys(struct run *run, const struct postern_pop3_question *q)
{
    struct talk_user *user = model_user(&run->model, q->login.user);
    struct postern_pop3_keys keys = {0};
    struct scram_keys scram;
    enum postern_hash hash =
        strstr(q->login.method, "SHA-1") ? POSTERN_HASH_SHA1 : POSTERN_HASH_SHA256;
    if (!user || user->disabled)
        return postern_pop3_answer_keys(run->session, q->id, POSTERN_YES, NULL, host_none);
    scram_derive(&scram, hash, user->password, postern_span_of(SCRAM_SALT), TALK_ITERATIONS);
    keys.scram = (struct postern_scram_keys){postern_span_of(SCRAM_SALT),
                                             TALK_ITERATIONS,
                                             {(char *)scram.stored, scram.n},
                                             {(char *)scram.server, scram.n}};
    keys.apop_secret = postern_span_of(user->password);
    return postern_pop3_answer_keys(run->session, q->id, POSTERN_YES, &keys, host_none);
}

static int host_open(struct run *run, const struct postern_pop3_question *q,
                     enum postern_verdict verdict)
{
    struct talk_user *user = model_user(&run->model, q->user);
    if (!verdict && q->waking && (!user || user->disabled))
        verdict = POSTERN_NO_CREDENTIALS;
    if (!verdict && run->model.locked_by_other)
        verdict = POSTERN_NO_IN_USE;
    if (!verdict) {
        model_list(&run->model);
        run->model.holds = true;
    }
    return postern_pop3_answer_open(run->session, q->id, verdict,
                                    verdict ? NULL : &run->model.mailbox, host_none);
}

static int host_find(struct run *run, const struct postern_pop3_question *q,
                     enum postern_verdict verdict)
{
    struct talk_message *message = model_find(&run->model, q->message.uid);
    if (!verdict && !message)
        verdict = POSTERN_NO_NOT_FOUND;
    return postern_pop3_answer_find(run->session, q->id, verdict, message ? message->listed : 0,
                                    message ? message->flags : 0, host_none);
}

static int host_message(struct run *run, const struct postern_pop3_question *q,
                        enum postern_verdict verdict)
{
    struct talk_message *message = model_find(&run->model, q->message.uid);
    if (!verdict && !message)
        verdict = POSTERN_NO_NOT_FOUND;
    if (verdict)
        return postern_pop3_answer_message(run->session, q->id, verdict, NULL, host_none);
    struct postern_pop3_message opened = {(uint64_t)(message - run->model.messages) + 1,
                                          message->raw.n, talk_clean(&message->raw),
                                          run->model.file_range};
    return postern_pop3_answer_message(run->session, q->id, POSTERN_YES, &opened, host_none);
}

static int host_read(struct run *run, const struct postern_pop3_question *q)
{
    struct talk_message *message = &run->model.messages[q->content - 1];
    size_t left = message->raw.n > q->offset ? message->raw.n - q->offset : 0;
    size_t n = left < q->length ? left : q->length;
    if (run->model.read_most && n > run->model.read_most)
        n = run->model.read_most;
    if (message->error_at >= 0 && q->offset >= (uint64_t)message->error_at)
        return postern_pop3_answer_read(run->session, q->id, POSTERN_E_IO, host_none);
    if (message->error_at >= 0 && q->offset + n > (uint64_t)message->error_at)
        n = (size_t)((uint64_t)message->error_at - q->offset);
    char *copy = malloc(n + 1); /* just as large as it is, so that a read too far is seen */
    memcpy(copy, message->raw.p ? message->raw.p + q->offset : "", n);
    int ret = postern_pop3_answer_read(run->session, q->id, 0, (struct postern_span){copy, n});
    free(copy);
    return ret;
}

static int host_expunge(struct run *run, const struct postern_pop3_question *q,
                        enum postern_verdict verdict)
{
    size_t cursor = 0, seen = 0;
    struct postern_pop3_ref ref;
    while (postern_pop3_expunge_next(run->session, &cursor, &ref) == 1) {
        struct talk_message *message = model_find(&run->model, ref.uid);
        seen++;
        if (message && !verdict)
            message->gone = true;
    }
    if (seen != q->count)
        run_fail(run, "EXPUNGE says %zu messages and names %zu", q->count, seen);
    return postern_pop3_answer_expunge(run->session, q->id, verdict, host_none);
}

static int host_command(struct run *run, const struct postern_pop3_question *q)
{
    for (size_t i = 0; i < run->model.command_count; i++) {
        struct talk_command *command = &run->model.commands[i];
        struct text text = {0};
        if (strlen(command->name) != q->command.n ||
            memcmp(command->name, q->command.p, q->command.n) != 0)
            continue;
        if (command->use_default)
            break;
        text_add(&text, command->text.p, command->text.n);
        char *args = text.p ? strstr(text.p, "{args}") : NULL; /* an echo of what came in */
        if (args) {
            text_drop(&text, text.n); /* the placeholder stands alone */
            text_add(&text, q->arguments.p, q->arguments.n);
        } else if (text.p && strcmp(text.p, "{message}") == 0) {
            char number[300];
            snprintf(number, sizeof number, "%u %.*s %llu", q->message.number,
                     (int)q->message.uid.n, q->message.uid.p,
                     (unsigned long long)q->message.size_bytes);
            text_drop(&text, text.n);
            text_put(&text, number);
        }
        struct postern_pop3_reply reply = command->reply;
        reply.text = text_span(&text);
        reply.code = command->code[0] ? postern_span_of(command->code) : host_none;
        reply.lines = text_span(&command->lines);
        int ret = postern_pop3_answer_command(run->session, q->id, &reply);
        text_done(&text);
        return ret;
    }
    return postern_pop3_answer_default(run->session, q->id);
}

static void host_news(struct run *run, const struct postern_pop3_question *q)
{
    if (q->kind == POSTERN_POP3_MAILBOX_DONE)
        run->model.holds = false;
    if (q->kind != POSTERN_POP3_COMMAND_SEEN)
        return;
    if (run->seen.n)
        text_put(&run->seen, ", ");
    text_add(&run->seen, q->command.p, q->command.n);
    text_put(&run->seen, q->ok ? " ok" : " no");
}

static int host_connect(struct run *run, const struct postern_pop3_question *q,
                        enum postern_verdict verdict)
{
    struct postern_span stamp =
        run->options.stamp == POSTERN_POP3_STAMP_ASK ? run->options.stamp_text : host_none;
    return postern_pop3_answer_connect(run->session, q->id, verdict, host_none, stamp);
}

static int host_answer(struct run *run, const struct postern_pop3_question *q)
{
    enum postern_verdict fail = run->model.fail[q->kind];
    switch (q->kind) {
    case POSTERN_POP3_CONNECT:
        return host_connect(run, q, fail);
    case POSTERN_POP3_AUTHENTICATE:
        return postern_pop3_answer_authenticate(
            run->session, q->id, fail ? fail : host_check(run, q),
            q->login.authorize.n ? q->login.authorize : host_none, host_none);
    case POSTERN_POP3_AUTH_LOOKUP:
        return fail ? postern_pop3_answer_keys(run->session, q->id, fail, NULL, host_none)
                    : host_keys(run, q);
    case POSTERN_POP3_OPEN:
        return host_open(run, q, fail);
    case POSTERN_POP3_FIND:
        return host_find(run, q, fail);
    case POSTERN_POP3_MESSAGE:
        return host_message(run, q, fail);
    case POSTERN_POP3_READ:
        return host_read(run, q);
    case POSTERN_POP3_EXPUNGE:
        return host_expunge(run, q, fail);
    case POSTERN_POP3_COMMAND:
        return host_command(run, q);
    default:
        return POSTERN_E_UNSUPPORTED;
    }
}

/* host_question - answer it now, or keep it while `answer later` holds */
static void host_question(struct run *run, const struct postern_pop3_question *q)
{
    if (q->id == 0) {
        host_news(run, q);
        return;
    }
    if (run->answer_later && run->open_count < 4) {
        run->open[run->open_count++] = *q;
        return;
    }
    int ret = host_answer(run, q);
    if (ret < 0)
        run_fail(run, "an answer to question kind %d was refused: %s", q->kind,
                 postern_err_name(ret));
    if (ret >= 0 && postern_pop3_answer_default(run->session, q->id) != POSTERN_E_STALE)
        run_fail(run, "a second answer to question kind %d was not refused as stale", q->kind);
}

#endif
