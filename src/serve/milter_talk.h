/* SPDX-License-Identifier: MIT */
/* milter_talk - one command to a milter, and what comes of it. */
#ifndef SERVE_MILTER_TALK_H
#define SERVE_MILTER_TALK_H

#include "proto/milter/milter.h"
#include "serve/filter.h"

/* struct talk_client - whom it was told of. */
struct talk_client {
    char client[260], peer[340], port[8];
};

/* struct talk - a connection, for as many messages as the client's session has; own memory. */
struct talk {
    const struct filter_link *link;
    void *at;
    struct milter milter;
    bool passes; /* it wants to hear no more, the message is fine */
    bool once;   /* what it said counts for the client: the next message has another talk */
    char bytes[4096];
    struct talk_client client;
    char helo[512]; /* the name that the client says, and its TLS, as they were told */
};

/* talk_end, talk_close - of a filter_ops: the message is over, or all of it; they do not wait. */
void talk_end(void **talk);
void talk_close(void **talk);
/* talk_send - what is to be said. */
int talk_send(struct talk *t);
/* talk_turn - what a command said (`said`: what milter_*() returned) comes to: *event_r is its
 * reply; CONTINUE where there is none. What the milter wants to be done is noted. 0 or <0. */
int talk_turn(struct talk *t, int said, struct filter_verdict *verdict,
              struct milter_event *event_r);
/* talk_judged - 1: its word ends the message, here or for the recipient; 0: go on; <0: err. */
int talk_judged(struct talk *t, int err, const struct milter_event *event,
                struct filter_verdict *verdict);

#endif
