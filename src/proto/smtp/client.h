/* SPDX-License-Identifier: MIT */
/* client - what the files of the SMTP client share: one command at a time, its reply, the next.
 * What a server says is bounded: a line of 2048 octets, of the text what fits a reply of ours.
 * TRAP: what came behind the reply to STARTTLS in plaintext is dropped (RFC 3207 6). */
#ifndef SMTP_CLIENT_H
#define SMTP_CLIENT_H

#include "base/buffer.h"
#include "base/memory.h"
#include "base/span.h"
#include "proto/wire/line.h"
#include <postern/smtp_client.h>

#define TEXT_OCTETS 400
#define KEYWORDS_OCTETS 2048

enum client_step {
    GREETING,
    HELLO,
    STARTTLS,
    HANDSHAKE,
    AUTH,
    AUTH_NAME,
    AUTH_SECRET,
    IDLE,
    WAITS,
    CONTENT,
    OVER
};

struct postern_smtp_client {
    struct postern_smtp_client_options o;
    enum client_step step;
    bool tls, event_due;
    struct line line;
    struct buffer out;
    char keywords[KEYWORDS_OCTETS]; /* "SIZE 1000\nAUTH PLAIN\n" */
    size_t keywords_n;
    struct postern_smtp_client_event event;
    char text[TEXT_OCTETS];
    unsigned replies_due; /* LMTP: of finish() */
    unsigned recipients;  /* accepted ones */
    bool is_rcpt, is_data, inside, after_cr;
};

/* client.c */
/* client_say - a line, after which the server's reply is waited for in this step. */
int client_say(struct postern_smtp_client *c, const char *verb, struct postern_span argument,
               enum client_step step);
/* client_tell - the program is told, with what the event has already. */
void client_tell(struct postern_smtp_client *c, enum postern_smtp_client_event_kind kind,
                 enum client_step step);
/* client_fail - with the server's reply; client_fail_with - with a reason of ours. */
void client_fail(struct postern_smtp_client *c);
void client_fail_with(struct postern_smtp_client *c, const char *why);

/* client_begin.c */
void client_hello(struct postern_smtp_client *c);
/* client_note_keyword - a line of the reply to EHLO. */
void client_note_keyword(struct postern_smtp_client *c, struct postern_span text);
/* client_begin - EHLO was answered: what comes before a message. */
void client_begin(struct postern_smtp_client *c);
void client_say_coded(struct postern_smtp_client *c, const char *verb, struct postern_span text,
                      enum client_step step);

#endif
