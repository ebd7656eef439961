/* SPDX-License-Identifier: MIT */
/* talk_steps - the lines that act: C, S, time, TLS, and what is to be true behind the wire. */
#ifndef WIRE_TALK_STEPS_H
#define WIRE_TALK_STEPS_H

#include "wire/talk_setup.h"

/* step_digest - replace the first {digest SECRET} by the APOP digest over this greeting's stamp */
static void step_digest(struct run *run, struct text *out, const char *line)
{
    const char *from = strstr(line, "{digest "), *to = from ? strchr(from, '}') : NULL;
    if (!to) {
        text_unescape(out, line, strlen(line));
        return;
    }
    char secret[64];
    snprintf(secret, sizeof secret, "%.*s", (int)(to - from) - 8, from + 8);
    text_unescape(out, line, (size_t)(from - line));
    talk_digest(out, run->stamp, secret);
    text_unescape(out, to + 1, strlen(to + 1));
}

/* step_repeat - `C(fill): N prefix`: prefix and letters up to N octets with CRLF */
static void step_fill(struct text *out, const char *rest)
{
    char number[16];
    word(&rest, number, sizeof number);
    size_t n = strtoul(number, NULL, 10), start = out->n;
    text_unescape(out, rest, strlen(rest));
    while (out->n - start + 2 < n)
        text_put(out, "x");
    text_put(out, "\r\n");
}

/* step_client - one C line's bytes onto out; false: not a C line */
static bool step_client(struct run *run, const char *line, struct text *out)
{
    const char *rest;
    struct text plain = {0};
    if (begins(line, "C:", &rest)) {
        step_digest(run, out, rest);
        text_put(out, "\r\n");
    } else if (begins(line, "C(raw):", &rest)) {
        text_unescape(out, rest, strlen(rest));
    } else if (begins(line, "C(fill):", &rest)) {
        step_fill(out, rest);
    } else if (begins(line, "C(b64):", &rest)) {
        text_unescape(&plain, rest, strlen(rest));
        text_base64(out, plain.p, plain.n);
        text_put(out, "\r\n");
    } else if (begins(line, "C(auth):", &rest)) {
        size_t n = strcspn(rest, " ");
        text_put(out, "AUTH ");
        text_add(out, rest, n);
        text_put(out, " ");
        text_unescape(&plain, rest + n + 1, strlen(rest + n + 1));
        text_base64(out, plain.p, plain.n);
        text_put(out, "\r\n");
    } else if (begins(line, "C(scram):", &rest)) {
        scram_first(&run->scram, rest, run->exporter, out);
    } else if (strcmp(line, "C(scram-final)") == 0) {
        text_base64(out, run->scram.final_sent.p, run->scram.final_sent.n);
        text_put(out, "\r\n");
    } else {
        return false;
    }
    text_done(&plain);
    return true;
}

/* step_clients - a C line and those that follow it directly are one run: a pipelining client */
static bool step_clients(struct run *run)
{
    struct text out = {0};
    if (!step_client(run, run->talk->lines[run->line], &out))
        return false;
    while (run->line + 1 < run->talk->count &&
           step_client(run, run->talk->lines[run->line + 1], &out))
        run->line++;
    if (expect_silence(run))
        turn_feed(run, out.p ? out.p : "", out.n);
    text_done(&out);
    return true;
}

static bool step_server(struct run *run, const char *line)
{
    const char *rest;
    if (begins(line, "S:", &rest))
        expect_text(run, rest);
    else if (begins(line, "S(has):", &rest))
        expect_has(run, rest);
    else if (begins(line, "S(body)", &rest))
        expect_body(run, rest);
    else if (begins(line, "S(b64):", &rest))
        expect_base64(run, rest);
    else if (strcmp(line, "S(scram)") == 0 || strcmp(line, "S(scram-final)") == 0)
        expect_scram(run, line[7] == '-');
    else if (strcmp(line, "S(differs)") == 0)
        expect_differs(run);
    else if (strcmp(line, "S(nothing)") == 0)
        expect_silence(run);
    else if (strcmp(line, "S(close)") == 0 || strcmp(line, "S(open)") == 0)
        expect_close(run, line[2] == 'c');
    else
        return false;
    return true;
}

static void step_time(struct run *run, const char *rest)
{
    run->now += talk_seconds(rest);
    if (postern_pop3_deadline(run->session) <= run->now)
        postern_pop3_tick(run->session, run->now);
    turn(run);
}

static void step_tls_up(struct run *run)
{
    struct postern_tls_facts facts = {run->identity[0] ? postern_span_of(run->identity) : host_none,
                                      run->exporter[0] ? postern_span_of(run->exporter)
                                                       : host_none};
    if (!(postern_pop3_wants(run->session) & POSTERN_WANT_TLS)) {
        run_fail(run, "the session does not want TLS");
        return;
    }
    run->pending.n = 0; /* what a host read in the clear and could not feed it throws away (R65) */
    int ret = postern_pop3_tls_up(run->session, &facts);
    if (ret < 0)
        run_fail(run, "tls_up: %s", postern_err_name(ret));
    turn(run);
}

static void step_answer(struct run *run, bool later)
{
    run->answer_later = later;
    if (later)
        return;
    for (size_t i = 0; i < run->open_count; i++)
        host_question(run, &run->open[i]);
    run->open_count = 0;
    turn(run);
}

static void step_store(struct run *run, const char *wanted)
{
    struct text have = {0};
    text_put(&have, "");
    for (size_t i = 0; i < run->model.count; i++) {
        if (run->model.messages[i].gone)
            continue;
        if (have.n)
            text_put(&have, ",");
        text_put(&have, run->model.messages[i].uid);
    }
    if (strcmp(have.p ? have.p : "", wanted) != 0)
        run_fail(run, "the store has \"%s\", expected \"%s\"", have.p ? have.p : "", wanted);
    text_done(&have);
}

static void step_state(struct run *run, const char *wanted)
{
    static const char *const names[] = {"greeting", "authorization", "transaction", "asleep",
                                        "over"};
    for (unsigned i = 0; i < 5; i++)
        if (postern_pop3_state(run->session) == (enum postern_pop3_state)(1u << i) &&
            strcmp(names[i], wanted) != 0)
            run_fail(run, "the state is %s, expected %s", names[i], wanted);
}

/* step_capability - `atz TAG [line]`: without a line the tag is hidden */
static void step_capability(struct run *run, const char *rest)
{
    char letters[8], tag[40];
    word(&rest, letters, sizeof letters);
    word(&rest, tag, sizeof tag);
    unsigned states = (strchr(letters, 'a') ? POSTERN_POP3_AUTHORIZATION : 0u) |
                      (strchr(letters, 't') ? POSTERN_POP3_TRANSACTION : 0u);
    int ret = postern_pop3_set_capability(run->session, states, postern_span_of(tag),
                                          *rest ? postern_span_of(rest) : host_none);
    if (ret < 0)
        run_fail(run, "set_capability: %s", postern_err_name(ret));
}

static void step_again(struct run *run)
{
    postern_pop3_free(&run->session);
    run->model.holds = false;
    run->stalled = run->answer_later = false;
    run->open_count = 0;
    turn_begin(run);
}

static void step_login(struct run *run)
{
    static const char *const lines[] = {"USER alice\r\n", "PASS secret\r\n"};
    expect_text(run, "+OK*");
    for (int i = 0; i < 2 && !run->why[0]; i++) {
        turn_feed(run, lines[i], strlen(lines[i]));
        expect_text(run, "+OK*");
    }
}

static void step_user(struct run *run, const char *wanted)
{
    struct postern_span user = postern_pop3_user(run->session);
    if (user.n != strlen(wanted) || (user.n && memcmp(user.p, wanted, user.n) != 0))
        run_fail(run, "the user is \"%.*s\", expected \"%s\"", (int)user.n, user.p, wanted);
}

/* step_world - what is not on the wire; false: no such step */
static bool step_world(struct run *run, const char *line)
{
    const char *rest;
    if (begins(line, "time", &rest))
        step_time(run, rest);
    else if (begins(line, "store:", &rest))
        step_store(run, rest);
    else if (begins(line, "state:", &rest))
        step_state(run, rest);
    else if (begins(line, "is-user", &rest))
        step_user(run, rest);
    else if (begins(line, "capability", &rest))
        step_capability(run, rest);
    else if (begins(line, "holds:", &rest)) {
        if (run->model.holds != (strcmp(rest, "yes") == 0))
            run_fail(run, "the mailbox lock should%s be held", run->model.holds ? " not" : "");
    } else if (begins(line, "seen:", &rest)) {
        if (strcmp(run->seen.p ? run->seen.p : "", rest) != 0)
            run_fail(run, "seen \"%s\", expected \"%s\"", run->seen.p ? run->seen.p : "", rest);
    } else if (begins(line, "memory", &rest)) {
        if (postern_pop3_memory(run->session) > strtoul(rest, NULL, 10))
            run_fail(run, "the engine holds %zu bytes", postern_pop3_memory(run->session));
    } else if (strcmp(line, "deadline never") == 0) {
        if (postern_pop3_deadline(run->session) != POSTERN_NEVER)
            run_fail(run, "no time should run now");
    } else
        return false;
    return true;
}

static bool step_simple(struct run *run, const char *line)
{
    if (strcmp(line, "login") == 0)
        step_login(run);
    else if (strcmp(line, "tls-up") == 0)
        step_tls_up(run);
    else if (strcmp(line, "answer later") == 0 || strcmp(line, "answer now") == 0)
        step_answer(run, line[7] == 'l');
    else if (strcmp(line, "eof") == 0)
        postern_pop3_eof(run->session);
    else if (strcmp(line, "shutdown") == 0)
        postern_pop3_shutdown(run->session);
    else if (strcmp(line, "again") == 0)
        step_again(run);
    else if (strcmp(line, "stall") == 0 || strcmp(line, "resume") == 0)
        run->stalled = line[0] == 's';
    else if (strcmp(line, "remember") == 0) {
        run->remembered.n = 0;
        expect_line(run, &run->remembered, "a line to remember");
    } else
        return false;
    if (run->session && !run->why[0])
        turn(run);
    return true;
}

static bool step_line(struct run *run, const char *line)
{
    return step_server(run, line) || step_world(run, line) || step_simple(run, line) ||
           step_clients(run) || run_fail(run, "what is \"%s\"?", line);
}

#endif
