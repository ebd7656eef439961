/* SPDX-License-Identifier: MIT */
/* filter_program - a program that sees each message before it is taken: the message on its standard
 * input, what is known of it in its environment. Its exit status is the verdict: 0 take it, 20
 * refuse it for good, anything else for now. Of its output the lines "Name: value" are put before
 * the message; "X-Postern-Mailbox: NAME" is not, but says where it goes; refusing, the first line
 * is what the sender hears. */
#ifndef DAEMON_FILTER_PROGRAM_H
#define DAEMON_FILTER_PROGRAM_H

#include "serve/filter.h"

/* struct filter_program - the ctx of such a filter. */
struct filter_program {
    const char *path;
    postern_time limit;
};

extern const struct filter_ops filter_program_ops;

#endif
