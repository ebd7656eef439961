/* SPDX-License-Identifier: MIT */
/* drive - a small host for a POP3 session: a mailbox of three messages, user "u", password "p".
 * Everything that the session writes is kept as text; every answer can be bent by a knob. */
#ifndef DRIVE_H
#define DRIVE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <postern/pop3.h>

#define DRIVE_NEW_UID "new-1"

static const char *const drive_texts[] = {"Subject: a\r\n\r\none\r\ntwo\r\n", ".dot\n\n.\nend",
                                          "Subject: c\r\n\r\n.x\r\ny\r\nz\r\n"};
static const struct postern_entry drive_entries[] = {
    {.size_bytes = 24, .uid_offset = 0, .uid_length = 1},
    {.size_bytes = 16, .uid_offset = 1, .uid_length = 1},
    {.size_bytes = 24, .uid_offset = 2, .uid_length = 1}};

struct drive {
    struct postern_pop3_options options;
    const struct postern_entry *entries; /* three */
    struct postern_pop3 *s;
    postern_time now;
    char text[65536];
    size_t n;
    size_t read_most; /* bytes per READ answer, 0 = as asked */
    enum postern_verdict open, expunge, message;
    int read_error;                                /* this error ... */
    uint64_t read_error_at;                        /* ... from this offset on */
    bool range, read_only, activity, is_new, hold; /* hold: answer nothing */
    unsigned expunged, messages_done, mailboxes_done, seen, finds, reads, range_octets;
    char expunged_uids[64];
    uint64_t held_id;
    int result; /* the first error of any call */
};

static inline struct postern_span drive_span(const char *text)
{
    return postern_span_of(text);
}

static inline void drive_init(struct drive *d)
{
    memset(d, 0, sizeof *d);
    POSTERN_POP3_OPTIONS_INIT(&d->options);
    d->options.plaintext_without_tls = true;
    d->entries = drive_entries;
    d->now = POSTERN_SECOND;
}

static inline void drive_note(struct drive *d, int result)
{
    if (result < 0 && d->result == 0)
        d->result = result;
}

static inline void drive_expunge(struct drive *d, const struct postern_pop3_question *q)
{
    struct postern_pop3_ref ref;
    size_t cursor = 0, walked = 0;

    while (postern_pop3_expunge_next(d->s, &cursor, &ref) == 1) {
        if (strlen(d->expunged_uids) + ref.uid.n + 2 < sizeof d->expunged_uids) {
            strncat(d->expunged_uids, ref.uid.p, ref.uid.n);
            strcat(d->expunged_uids, ",");
        }
        walked++;
    }
    assert_int_equal(walked, q->count);
    if (d->expunge == POSTERN_YES)
        d->expunged += (unsigned)walked;
    drive_note(d, postern_pop3_answer_expunge(d->s, q->id, d->expunge, drive_span(NULL)));
}

static inline const char *drive_text(uint64_t content)
{
    return content < 3 ? drive_texts[content] : "Subject: new\r\n\r\nn\r\n";
}

static inline void drive_read(struct drive *d, const struct postern_pop3_question *q)
{
    const char *text = drive_text(q->content);
    struct postern_span left = {text + q->offset, strlen(text) - (size_t)q->offset};
    int err = d->read_error && q->offset >= d->read_error_at ? d->read_error : 0;

    d->reads++;
    if (left.n > q->length)
        left.n = q->length;
    if (d->read_most && left.n > d->read_most)
        left.n = d->read_most;
    drive_note(d, postern_pop3_answer_read(d->s, q->id, err, left));
}

static inline void drive_answer(struct drive *d, const struct postern_pop3_question *q)
{
    static const struct postern_pop3_keys keys = {.apop_secret = {"tanstaaf", 8}};
    struct postern_pop3_mailbox mailbox = {.list = {d->entries, 3, "abc", 64},
                                           .read_only = d->read_only,
                                           .knows_activity = d->activity,
                                           .new_since = d->is_new,
                                           .expire_days = -1,
                                           .login_delay_s = -1};
    struct postern_pop3_message message = {.content = q->message.number ? q->message.number - 1 : 9,
                                           .size_raw = UINT64_MAX};
    bool good = q->login.user.n == 1 && q->login.user.p[0] == 'u';
    bool is_new = q->message.uid.n == 5 && memcmp(q->message.uid.p, DRIVE_NEW_UID, 5) == 0;

    if (d->range) {
        message.wire_clean = message.file_range = true;
        message.size_raw = strlen(drive_text(message.content));
    }
    switch (q->kind) {
    case POSTERN_POP3_CONNECT:
    case POSTERN_POP3_COMMAND:
        drive_note(d, postern_pop3_answer_default(d->s, q->id));
        break;
    case POSTERN_POP3_AUTHENTICATE:
        good = good && q->login.secret.n == 1 && q->login.secret.p[0] == 'p';
        drive_note(d, postern_pop3_answer_authenticate(d->s, q->id,
                                                       good ? POSTERN_YES : POSTERN_NO_CREDENTIALS,
                                                       drive_span(NULL), drive_span(NULL)));
        break;
    case POSTERN_POP3_AUTH_LOOKUP:
        drive_note(d, postern_pop3_answer_keys(d->s, q->id, POSTERN_YES, good ? &keys : NULL,
                                               drive_span(NULL)));
        break;
    case POSTERN_POP3_OPEN:
        drive_note(d, postern_pop3_answer_open(d->s, q->id, d->open, &mailbox, drive_span(NULL)));
        break;
    case POSTERN_POP3_FIND:
        d->finds++;
        drive_note(d, postern_pop3_answer_find(d->s, q->id,
                                               is_new ? POSTERN_YES : POSTERN_NO_NOT_FOUND, 20, 0,
                                               drive_span(NULL)));
        break;
    case POSTERN_POP3_MESSAGE:
        drive_note(
            d, postern_pop3_answer_message(d->s, q->id, d->message, &message, drive_span(NULL)));
        break;
    case POSTERN_POP3_READ:
        drive_read(d, q);
        break;
    case POSTERN_POP3_EXPUNGE:
        drive_expunge(d, q);
        break;
    case POSTERN_POP3_MESSAGE_DONE:
        d->messages_done++;
        break;
    case POSTERN_POP3_MAILBOX_DONE:
        d->mailboxes_done++;
        break;
    case POSTERN_POP3_COMMAND_SEEN:
        d->seen++;
        break;
    }
}

static inline void drive_keep(struct drive *d, struct postern_span bytes)
{
    if (d->n + bytes.n < sizeof d->text) {
        memcpy(d->text + d->n, bytes.p, bytes.n);
        d->n += bytes.n;
        d->text[d->n] = '\0';
    }
}

/* drive_pump - answer and write until nothing moves; whether anything did. */
static inline bool drive_pump(struct drive *d)
{
    struct postern_pop3_question q;
    struct postern_piece pieces[4];
    bool moved = false;
    size_t count;

    while (!d->hold && postern_pop3_next(d->s, &q) == 1) {
        moved = true;
        drive_answer(d, &q);
    }
    if (d->hold && postern_pop3_next(d->s, &q) == 1)
        d->held_id = q.id;
    while ((count = postern_pop3_output(d->s, pieces, 4)) > 0) {
        uint64_t total = 0;

        for (size_t i = 0; i < count; i++) {
            struct postern_span bytes = pieces[i].bytes;

            if (!bytes.p) {
                bytes.p = drive_text(pieces[i].content) + pieces[i].offset;
                d->range_octets += (unsigned)bytes.n;
            }
            drive_keep(d, bytes);
            total += pieces[i].bytes.n;
        }
        postern_pop3_sent(d->s, total, d->now);
        moved = true;
    }
    return moved;
}

static inline void drive_start(struct drive *d)
{
    assert_int_equal(postern_pop3_new(&d->s, &d->options, NULL, d->now), 0);
    while (drive_pump(d))
        ;
}

/* drive_send - these bytes, at most `step` at a time. */
static inline void drive_send_bytes(struct drive *d, struct postern_span in, size_t step)
{
    size_t at = 0;
    bool moved = true;

    while (moved || at < in.n) {
        struct postern_span part = {in.p + at, in.n - at < step ? in.n - at : step};
        int taken = part.n ? postern_pop3_feed(d->s, part, d->now) : 0;

        drive_note(d, taken == POSTERN_E_CLOSED ? 0 : taken);
        if (taken < 0)
            break;
        at += (size_t)taken;
        moved = drive_pump(d);
        if (!moved && taken == 0)
            break;
    }
    while (drive_pump(d))
        ;
}

static inline void drive_send(struct drive *d, const char *text)
{
    drive_send_bytes(d, drive_span(text), SIZE_MAX);
}

/* drive_expect - what was written since the last look. */
static inline void drive_expect(struct drive *d, const char *text)
{
    assert_string_equal(d->text, text);
    d->n = 0;
    d->text[0] = '\0';
}

static inline void drive_forget(struct drive *d)
{
    d->n = 0;
    d->text[0] = '\0';
}

static inline void drive_login(struct drive *d)
{
    drive_init(d);
    drive_start(d);
    drive_send(d, "USER u\r\nPASS p\r\n");
    assert_int_equal(postern_pop3_state(d->s), POSTERN_POP3_TRANSACTION);
    drive_forget(d);
}

static inline void drive_done(struct drive *d)
{
    postern_pop3_free(&d->s);
    assert_null(d->s);
}

#endif
