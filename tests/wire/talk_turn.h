/* SPDX-License-Identifier: MIT */
/* talk_turn - turns the crank of a session: bytes in by the pass's plan, questions answered, bytes
 * out. */
#ifndef WIRE_TALK_TURN_H
#define WIRE_TALK_TURN_H

#include "wire/talk_host.h"

static void turn_collect(struct run *run, const struct postern_piece *piece, uint64_t most)
{
    uint64_t n = piece->bytes.n < most ? piece->bytes.n : most;
    const char *p = piece->bytes.p;
    if (!p) {
        const struct text *raw = &run->model.messages[piece->content - 1].raw;
        if (piece->offset + n > raw->n) {
            run_fail(run, "a piece reaches beyond its content");
            return;
        }
        p = raw->p + piece->offset;
    }
    text_add(&run->got, p, (size_t)n);
    text_add(&run->all, p, (size_t)n);
}

static bool turn_output(struct run *run)
{
    struct postern_piece pieces[8];
    size_t k = run->stalled ? 0 : postern_pop3_output(run->session, pieces, 8);
    uint64_t total = 0;
    if (k == 0)
        return false;
    if (run->pass.slow_output) {
        turn_collect(run, &pieces[0], 1);
        total = 1;
    } else {
        for (size_t i = 0; i < k; i++) {
            turn_collect(run, &pieces[i], UINT64_MAX);
            total += pieces[i].bytes.n;
        }
    }
    postern_pop3_sent(run->session, total, run->now);
    return true;
}

static bool turn_input(struct run *run)
{
    unsigned wants = postern_pop3_wants(run->session);
    if (!run->pending.n || wants & POSTERN_WANT_TLS)
        return false;
    char *copy = malloc(run->pending.n);
    memcpy(copy, run->pending.p, run->pending.n);
    int n = postern_pop3_feed(run->session, (struct postern_span){copy, run->pending.n}, run->now);
    free(copy);
    if (n < 0)
        n = (int)run->pending.n; /* the session is over; what is left is lost */
    if ((size_t)n > run->pending.n) {
        run_fail(run, "feed() took more than it got");
        n = (int)run->pending.n;
    }
    text_drop(&run->pending, (size_t)n);
    return n > 0;
}

/* turn - until nothing moves any more */
static void turn(struct run *run)
{
    bool moved = true;
    while (moved && !run->why[0]) {
        struct postern_pop3_question question;
        moved = false;
        while (postern_pop3_next(run->session, &question) == 1) {
            host_question(run, &question);
            moved = true;
        }
        moved |= turn_output(run);
        moved |= turn_input(run);
    }
}

/* turn_feed - a run of client bytes, cut as the pass says */
static void turn_feed(struct run *run, const char *p, size_t n)
{
    size_t start = run->fed, cut = run->pass.split > start ? run->pass.split - start : 0;
    run->fed += n;
    if (run->pass.feeding == FEED_SPLIT && cut && cut < n) {
        text_add(&run->pending, p, cut);
        turn(run);
        p += cut;
        n -= cut;
    }
    for (size_t i = 0; run->pass.feeding == FEED_BYTES && i < n; i++) {
        text_add(&run->pending, p + i, 1);
        turn(run);
    }
    if (run->pass.feeding != FEED_BYTES)
        text_add(&run->pending, p, n);
    turn(run);
}

static bool turn_begin(struct run *run)
{
    struct postern_tls_facts facts = {postern_span_of(run->identity),
                                      postern_span_of(run->exporter)};
    for (size_t i = 0; i < run->model.command_count; i++)
        run->commands[i] = run->model.commands[i].command;
    run->options.commands = run->commands;
    run->options.command_count = run->model.command_count;
    run->got.n = run->pending.n = 0;
    if (!run->identity[0])
        facts.identity = host_none;
    if (!run->exporter[0])
        facts.binding_exporter = host_none;
    int ret =
        postern_pop3_new(&run->session, &run->options, run->implicit_tls ? &facts : NULL, run->now);
    if (ret < 0)
        return run_fail(run, "postern_pop3_new: %s", postern_err_name(ret));
    turn(run);
    const char *from = run->got.p ? strchr(run->got.p, '<') : NULL,
               *to = from ? strchr(from, '>') : NULL;
    run->stamp[0] = 0;
    if (to && (size_t)(to - from) + 2 <= sizeof run->stamp)
        snprintf(run->stamp, sizeof run->stamp, "%.*s", (int)(to - from) + 1, from);
    return true;
}

#endif
