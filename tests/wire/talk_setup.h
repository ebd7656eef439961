/* SPDX-License-Identifier: MIT */
/* talk_setup - the lines that build a talk's world; they may also come between steps. */
#ifndef WIRE_TALK_SETUP_H
#define WIRE_TALK_SETUP_H

#include "wire/talk_expect.h"

static bool setup_user(struct run *run, const char *rest)
{
    char flag[32];
    struct talk_user *user = &run->model.users[run->model.user_count];
    struct text password = {0};
    if (run->model.user_count == TALK_USERS)
        return run_fail(run, "too many users");
    *user = (struct talk_user){0};
    word(&rest, user->name, sizeof user->name);
    char raw[128];
    word(&rest, raw, sizeof raw);
    text_unescape(&password, raw, strlen(raw)); /* \x20 for a space */
    snprintf(user->password, sizeof user->password, "%s", password.p);
    text_done(&password);
    user->master = word(&rest, flag, sizeof flag) && strcmp(flag, "master") == 0;
    run->model.user_count++;
    return true;
}

/* setup_mailbox - `a b:120 c`: messages, with their size on the wire after the last colon */
static bool setup_mailbox(struct run *run, const char *rest)
{
    char one[200];
    while (word(&rest, one, sizeof one)) {
        char *colon = strrchr(one, ':');
        bool sized = colon && colon[1] && strspn(colon + 1, "0123456789") == strlen(colon + 1);
        size_t size = sized ? strtoul(colon + 1, NULL, 10) : 0;
        if (sized)
            *colon = 0;
        model_plain(&run->model, one, size, sized);
    }
    return true;
}

/* setup_message - `UID: text` or `UID: <<EOT` and lines up to EOT; lf: lines end in LF only */
static bool setup_message(struct run *run, const char *rest, bool lf, bool raw)
{
    char uid[200];
    const char *text = strchr(rest, ':');
    if (!text)
        return run_fail(run, "message without a colon");
    snprintf(uid, sizeof uid, "%.*s", (int)(text - rest), rest);
    struct talk_message *message = model_add(&run->model, uid);
    text += 1 + (text[1] == ' ');
    if (strncmp(text, "<<", 2) != 0) {
        text_unescape(&message->raw, text, strlen(text));
        if (!raw)
            text_put(&message->raw, lf ? "\n" : "\r\n");
    } else {
        while (++run->line < run->talk->count &&
               strcmp(run->talk->lines[run->line], text + 2) != 0) {
            text_unescape(&message->raw, run->talk->lines[run->line],
                          strlen(run->talk->lines[run->line]));
            text_put(&message->raw, lf ? "\n" : "\r\n");
        }
    }
    model_measure(message);
    return true;
}

static bool setup_option(struct run *run, const char *rest)
{
    char name[40];
    word(&rest, name, sizeof name);
    return option_set(&run->options, name, rest) || run_fail(run, "no option %s", name);
}

/* setup_command - `NAME atz min max [message]`: states a(uthorization) t(ransaction) z(asleep) */
static bool setup_command(struct run *run, const char *rest)
{
    char states[8] = "", number[8] = "", flag[16] = "";
    struct talk_command *command = &run->model.commands[run->model.command_count];
    if (run->model.command_count == TALK_COMMANDS)
        return run_fail(run, "too many commands");
    word(&rest, command->name, sizeof command->name);
    word(&rest, states, sizeof states);
    command->command.name = command->name;
    command->command.states = (strchr(states, 'a') ? POSTERN_POP3_AUTHORIZATION : 0u) |
                              (strchr(states, 't') ? POSTERN_POP3_TRANSACTION : 0u) |
                              (strchr(states, 'z') ? POSTERN_POP3_ASLEEP : 0u);
    word(&rest, number, sizeof number);
    command->command.arguments_min = (uint8_t)strtoul(number, NULL, 10);
    word(&rest, number, sizeof number);
    command->command.arguments_max = (uint8_t)strtoul(number, NULL, 10);
    command->command.takes_message = word(&rest, flag, sizeof flag);
    command->reply.ok = true;
    run->model.command_count++;
    return true;
}

/* setup_reply - `NAME ok|err|default [code=X] [effect=mark|gone|close] [lines=a\nb] [text=to the
 * end]` */
static bool setup_reply(struct run *run, const char *rest)
{
    char name[32] = "", one[200];
    word(&rest, name, sizeof name);
    for (size_t i = 0; i < run->model.command_count; i++) {
        struct talk_command *command = &run->model.commands[i];
        if (strcmp(command->name, name) != 0)
            continue;
        while (strncmp(rest, "text=", 5) != 0 && word(&rest, one, sizeof one)) {
            command->reply.ok = strcmp(one, "err") == 0 ? false : command->reply.ok;
            command->use_default |= strcmp(one, "default") == 0;
            if (strncmp(one, "code=", 5) == 0)
                snprintf(command->code, sizeof command->code, "%s", one + 5);
            if (strncmp(one, "lines=", 6) == 0) {
                command->reply.multiline = true;
                text_unescape(&command->lines, one + 6, strlen(one + 6));
            }
            command->reply.effects |=
                (strcmp(one, "effect=mark") == 0 ? POSTERN_POP3_EFFECT_MARK : 0u) |
                (strcmp(one, "effect=gone") == 0 ? POSTERN_POP3_EFFECT_GONE : 0u) |
                (strcmp(one, "effect=close") == 0 ? POSTERN_POP3_EFFECT_CLOSE : 0u);
        }
        if (strncmp(rest, "text=", 5) == 0)
            text_unescape(&command->text, rest + 5, strlen(rest + 5));
        return true;
    }
    return run_fail(run, "reply to an unknown command %s", name);
}

/* setup_fail - `fail KIND VERDICT|none` */
static bool setup_fail(struct run *run, const char *rest)
{
    static const char *const kinds[] = {"",     "connect", "authenticate", "lookup",  "open",
                                        "find", "message", "read",         "expunge", "command"};
    static const char *const verdicts[] = {"none",      "credentials", "temporary",
                                           "permanent", "in-use",      "login-delay",
                                           "policy",    "not-found",   "read-only"};
    char kind[32], verdict[32];
    word(&rest, kind, sizeof kind);
    word(&rest, verdict, sizeof verdict);
    for (size_t k = 1; k < sizeof kinds / sizeof *kinds; k++)
        for (size_t v = 0; v < sizeof verdicts / sizeof *verdicts; v++)
            if (strcmp(kind, kinds[k]) == 0 && strcmp(verdict, verdicts[v]) == 0) {
                run->model.fail[k] = (enum postern_verdict)v;
                return true;
            }
    return run_fail(run, "fail what, how?");
}

static bool setup_user_change(struct run *run, const char *rest, bool disable)
{
    char name[128];
    word(&rest, name, sizeof name);
    struct talk_user *user = model_user(&run->model, postern_span_of(name));
    if (!user)
        return run_fail(run, "no user %s", name);
    user->disabled |= disable;
    if (!disable)
        snprintf(user->password, sizeof user->password, "%s", rest);
    return true;
}

/* setup_spoil - `spoil UID read N`, `spoil UID size N`, `spoil UID unreadable` */
static bool setup_spoil(struct run *run, const char *rest)
{
    char uid[200], what[16];
    word(&rest, uid, sizeof uid);
    word(&rest, what, sizeof what);
    struct talk_message *message = model_find(&run->model, postern_span_of(uid));
    if (!message)
        return run_fail(run, "no message %s", uid);
    if (strcmp(what, "read") == 0)
        message->error_at = strtol(rest, NULL, 10);
    else if (strcmp(what, "size") == 0)
        message->listed = strtoull(rest, NULL, 10);
    else
        message->flags |= POSTERN_ENTRY_UNREADABLE;
    return true;
}

static bool setup_vanish(struct run *run, const char *uid)
{
    struct talk_message *message = model_find(&run->model, postern_span_of(uid));
    if (!message)
        return run_fail(run, "no message %s to vanish", uid);
    message->gone = true;
    return true;
}

/* setup_line - true when it was a setup line (run->why tells whether it worked) */
static bool setup_line(struct run *run, const char *line)
{
    const char *rest;
    if (begins(line, "user", &rest))
        setup_user(run, rest);
    else if (begins(line, "mailbox:", &rest))
        setup_mailbox(run, rest);
    else if (begins(line, "message", &rest) || begins(line, "arrive", &rest))
        setup_message(run, rest, false, false);
    else if (begins(line, "message(lf)", &rest))
        setup_message(run, rest, true, false);
    else if (begins(line, "message(raw)", &rest))
        setup_message(run, rest, false, true);
    else if (begins(line, "option", &rest))
        setup_option(run, rest);
    else if (begins(line, "command", &rest))
        setup_command(run, rest);
    else if (begins(line, "reply", &rest))
        setup_reply(run, rest);
    else if (begins(line, "fail", &rest))
        setup_fail(run, rest);
    else if (begins(line, "spoil", &rest))
        setup_spoil(run, rest);
    else if (begins(line, "vanish", &rest))
        setup_vanish(run, rest);
    else if (begins(line, "disable", &rest) || begins(line, "password", &rest))
        setup_user_change(run, rest, line[0] == 'd');
    else if (begins(line, "identity", &rest))
        snprintf(run->identity, sizeof run->identity, "%s", rest);
    else if (begins(line, "exporter", &rest))
        snprintf(run->exporter, sizeof run->exporter, "%s", rest);
    else if (begins(line, "expire", &rest))
        run->model.mailbox.expire_days = (int)strtol(rest, NULL, 10);
    else if (begins(line, "login-delay", &rest))
        run->model.mailbox.login_delay_s = (int)strtol(rest, NULL, 10);
    else if (begins(line, "last", &rest))
        run->model.mailbox.last = (uint32_t)strtoul(rest, NULL, 10);
    else if (begins(line, "read-most", &rest))
        run->model.read_most = strtoul(rest, NULL, 10);
    else if (strcmp(line, "tls") == 0)
        run->implicit_tls = true;
    else if (strcmp(line, "read-only") == 0)
        run->model.read_only = true;
    else if (strcmp(line, "silent-activity") == 0)
        run->model.silent_activity = true;
    else if (strcmp(line, "file-range") == 0)
        run->model.file_range = true;
    else if (strcmp(line, "lock") == 0 || strcmp(line, "unlock") == 0)
        run->model.locked_by_other = line[0] == 'l';
    else
        return false;
    return true;
}

#endif
