/* SPDX-License-Identifier: MIT */
/* relay - mail of users for others is handed to another server while they wait: its answers are
 * theirs. All calls but relay_close() wait, so they are for workers that may. */
#ifndef SERVE_RELAY_H
#define SERVE_RELAY_H

#include <postern/smtp.h>
#include <postern/smtp_client.h>

/* struct serve_relay - how the other server is reached; the daemon fills it in. */
struct serve_relay {
    int (*open)(void *ctx, void **link_r);
    int (*tls)(void *link);
    int (*read)(void *link, char *out, size_t n); /* 0: the end */
    int (*write)(void *link, struct postern_span bytes);
    void (*close)(void *link);
    void *ctx;
    struct postern_smtp_client_options client;
};

/* struct relay - a connection, and the last reply of the server, made fit to be handed on. */
struct relay;

/* relay_open - connect, greet, encrypt, log in. relay_r: given, also where it failed and *reply_r
 * says why (a code of 4xx). 0 or <0. */
int relay_open(struct relay **relay_r, const struct serve_relay *how);
/* The commands: 0 and a reply, whatever it says, or <0 when the connection is gone (the reply then
 * says 451). */
int relay_mail(struct relay *relay, struct postern_span sender, uint64_t size_bytes, bool is_8bit,
               bool utf8);
int relay_rcpt(struct relay *relay, struct postern_span recipient);
int relay_data(struct relay *relay);
int relay_write(struct relay *relay, struct postern_span bytes);
int relay_finish(struct relay *relay);
/* relay_finish_next - LMTP: the reply for the next recipient; relay_finish() had the first's. */
int relay_finish_next(struct relay *relay);
/* relay_reply - of the last command; lent until the next. */
const struct postern_smtp_reply *relay_reply(const struct relay *relay);
/* relay_close - says QUIT if there is somebody to say it to. Does not wait. */
void relay_close(struct relay **relay);

#endif
