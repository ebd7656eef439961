/* SPDX-License-Identifier: MIT */
/* talk_model - the small world a talk runs in: users, one mailbox, what is to fail.
 * Owns everything in it. Messages that are gone keep their bytes, as an unlinked open file does. */
#ifndef WIRE_TALK_MODEL_H
#define WIRE_TALK_MODEL_H

#include "wire/talk_crypto.h"
#include <postern/pop3.h>

#define TALK_MESSAGES 600
#define TALK_USERS 8
#define TALK_COMMANDS 8
#define TALK_ITERATIONS 64

struct talk_message {
    char uid[200];
    struct text raw;
    uint64_t listed; /* the size that the listing tells; normally the true one */
    unsigned flags;
    bool gone;
    long error_at; /* reading fails from here on; -1 never */
};

struct talk_user {
    char name[128], password[128];
    bool disabled, master;
};

struct talk_command {
    char name[32];
    struct postern_pop3_command command;
    struct postern_pop3_reply reply;
    struct text text, lines;
    char code[200];
    bool use_default;
};

struct talk_model {
    struct talk_message messages[TALK_MESSAGES];
    size_t count;
    struct talk_user users[TALK_USERS];
    size_t user_count;
    struct talk_command commands[TALK_COMMANDS];
    size_t command_count;
    bool locked_by_other, holds;
    enum postern_verdict fail[16]; /* by question kind; YES: does not fail */
    bool read_only, silent_activity, file_range;
    size_t read_most; /* short reads of so many bytes; 0: as asked */
    struct postern_pop3_mailbox mailbox;
    struct postern_entry entries[TALK_MESSAGES];
    struct text uids, previous; /* previous: " uid uid " of the listing before */
};

static bool talk_clean(const struct text *raw)
{
    if (raw->n < 2 || memcmp(raw->p + raw->n - 2, "\r\n", 2) != 0)
        return false;
    for (size_t i = 0; i < raw->n; i++) {
        bool line_start = i == 0 || raw->p[i - 1] == '\n';
        if ((raw->p[i] == '.' && line_start) ||
            (raw->p[i] == '\n' && (i == 0 || raw->p[i - 1] != '\r')))
            return false;
    }
    return true;
}

/* talk_wire - the message as RETR must send it: CRLF, last line ended; stuffed if asked */
static void talk_wire(struct text *out, const struct text *raw, bool stuffed)
{
    for (size_t i = 0; i < raw->n; i++) {
        char c = raw->p[i];
        if (stuffed && c == '.' && (i == 0 || raw->p[i - 1] == '\n'))
            text_put(out, ".");
        if (c == '\n' && (i == 0 || raw->p[i - 1] != '\r'))
            text_put(out, "\r");
        text_add(out, &c, 1);
    }
    if (raw->n && raw->p[raw->n - 1] != '\n')
        text_put(out, "\r\n");
}

static struct talk_message *model_add(struct talk_model *model, const char *uid)
{
    if (model->count == TALK_MESSAGES)
        abort();
    struct talk_message *message = &model->messages[model->count++];
    *message = (struct talk_message){.error_at = -1};
    snprintf(message->uid, sizeof message->uid, "%s", uid);
    return message;
}

/* model_measure - set what a store knows: the size on the wire, raw UTF-8 in the header */
static void model_measure(struct talk_message *message)
{
    struct text wire = {0};
    talk_wire(&wire, &message->raw, false);
    message->listed = wire.n;
    const char *body = wire.p ? strstr(wire.p, "\r\n\r\n") : NULL;
    size_t header = body ? (size_t)(body - wire.p) : wire.n;
    message->flags = 0;
    for (size_t i = 0; i < header; i++)
        if ((unsigned char)wire.p[i] >= 128)
            message->flags = POSTERN_ENTRY_UTF8;
    text_done(&wire);
}

/* model_plain - a message of exactly `size` octets on the wire (0: a short standard one) */
static void model_plain(struct talk_model *model, const char *uid, size_t size, bool sized)
{
    struct talk_message *message = model_add(model, uid);
    char header[300];
    int n = snprintf(header, sizeof header, "Subject: %s\r\n\r\n", uid);
    if (!sized) {
        text_put(&message->raw, header);
        text_put(&message->raw, "body of ");
        text_put(&message->raw, uid);
        text_put(&message->raw, "\r\n");
    } else if (size >= (size_t)n + 2) {
        text_put(&message->raw, header);
    }
    while (sized && message->raw.n + 2 < size)
        text_put(&message->raw, "x");
    if (sized && size >= 2)
        text_put(&message->raw, "\r\n");
    model_measure(message);
}

static struct talk_message *model_find(struct talk_model *model, struct postern_span uid)
{
    for (size_t i = 0; i < model->count; i++) {
        struct talk_message *message = &model->messages[i];
        if (!message->gone && strlen(message->uid) == uid.n &&
            memcmp(message->uid, uid.p, uid.n) == 0)
            return message;
    }
    return NULL;
}

static struct talk_user *model_user(struct talk_model *model, struct postern_span name)
{
    for (size_t i = 0; i < model->user_count; i++)
        if (strlen(model->users[i].name) == name.n &&
            memcmp(model->users[i].name, name.p, name.n) == 0)
            return &model->users[i];
    return NULL;
}

/* model_list - the listing as it is now, and whether it has a unique-id the one before had not */
static void model_list(struct talk_model *model)
{
    struct text now = {0};
    struct postern_pop3_mailbox *mailbox = &model->mailbox;
    bool first = model->previous.n == 0;
    *mailbox = (struct postern_pop3_mailbox){.expire_days = mailbox->expire_days,
                                             .login_delay_s = mailbox->login_delay_s,
                                             .last = mailbox->last,
                                             .read_only = model->read_only,
                                             .knows_activity = !model->silent_activity && !first};
    model->uids.n = 0;
    text_put(&now, " ");
    for (size_t i = 0, k = 0; i < model->count; i++) {
        struct talk_message *message = &model->messages[i];
        struct text mark = {0};
        if (message->gone)
            continue;
        model->entries[k++] = (struct postern_entry){.size_bytes = message->listed,
                                                     .uid_offset = (uint32_t)model->uids.n,
                                                     .uid_length = (uint8_t)strlen(message->uid),
                                                     .flags = (uint8_t)message->flags};
        text_put(&model->uids, message->uid);
        mailbox->list.total_bytes += message->listed;
        mailbox->list.count = k;
        text_put(&mark, " ");
        text_put(&mark, message->uid);
        text_put(&mark, " ");
        mailbox->new_since |= !first && !strstr(model->previous.p, mark.p);
        text_add(&now, mark.p + 1, mark.n - 1);
        text_done(&mark);
    }
    text_done(&model->previous);
    model->previous = now;
    mailbox->list.entries = model->entries;
    mailbox->list.uids = model->uids.p ? model->uids.p : "";
}

static void model_init(struct talk_model *model)
{
    memset(model, 0, sizeof *model);
    model->mailbox.expire_days = model->mailbox.login_delay_s = -1;
}

static void model_done(struct talk_model *model)
{
    for (size_t i = 0; i < model->count; i++)
        text_done(&model->messages[i].raw);
    for (size_t i = 0; i < model->command_count; i++) {
        text_done(&model->commands[i].text);
        text_done(&model->commands[i].lines);
    }
    text_done(&model->uids);
    text_done(&model->previous);
}

#endif
