/* SPDX-License-Identifier: MIT */
/* talk_run - one pass over one talk: the session, what went in and came out, how it is fed. */
#ifndef WIRE_TALK_RUN_H
#define WIRE_TALK_RUN_H

#include "wire/talk_options.h"
#include "wire/talk_scram.h"
#include <stdarg.h>

/* A talk: its lines, each NUL-terminated in one buffer. */
struct talk {
    const char *name; /* pop3/auth/user-pass.talk */
    struct text file;
    char **lines;
    size_t count;
};

enum feeding { FEED_WHOLE, FEED_BYTES, FEED_SPLIT };

struct pass {
    enum feeding feeding;
    size_t split;     /* FEED_SPLIT: after so many bytes of the client, all runs counted */
    bool slow_output; /* one byte of output at a time */
};

struct run {
    const struct talk *talk;
    struct pass pass;
    size_t line; /* being executed */
    struct talk_model model;
    struct postern_pop3_options options;
    struct postern_pop3 *session;
    struct postern_random random;
    uint64_t random_state;
    postern_time now;
    bool implicit_tls, facts_given, stalled, answer_later;
    char identity[128], exporter[65];
    struct postern_pop3_command commands[TALK_COMMANDS];
    struct postern_pop3_question open[4]; /* held back by `answer later` */
    size_t open_count;
    struct text pending;    /* offered to the engine, not taken yet */
    struct text got;        /* came out, not yet expected by an S: line */
    struct text all;        /* all that came out, to compare passes */
    struct text seen;       /* COMMAND_SEEN news */
    struct text remembered; /* a server line kept for S(differs) */
    char stamp[256];        /* the APOP timestamp of the last greeting */
    struct scram scram;
    size_t fed;     /* bytes of the client so far */
    char why[1024]; /* why it failed; empty: it did not */
};

__attribute__((format(printf, 2, 3))) static bool run_fail(struct run *run, const char *format, ...)
{
    va_list args;
    int n = snprintf(run->why, sizeof run->why, "%s:%zu: ", run->talk->name, run->line + 1);
    va_start(args, format);
    vsnprintf(run->why + n, sizeof run->why - (size_t)n, format, args);
    va_end(args);
    return false;
}

#endif
