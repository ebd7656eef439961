/* SPDX-License-Identifier: MIT */
/* milter_talk - one command to a milter, and what comes of it. */
#ifndef SERVE_MILTER_TALK_H
#define SERVE_MILTER_TALK_H

#include "proto/milter/milter.h"
#include "serve/filter.h"

/* struct talk - a connection; own memory. */
struct talk {
    const struct filter_link *link;
    void *at;
    struct milter milter;
    bool passes; /* it wants to hear no more, the message is fine */
    char bytes[4096];
    char client[260], peer[340];
};

/* talk_close - of a filter_ops; does not wait. */
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
