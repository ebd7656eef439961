/* SPDX-License-Identifier: MIT */
/* filter_program - the environment is made, the program run, and its status and output read. */
#include "daemon/filter_program.h"

#include "base/span.h"
#include "daemon/program.h"
#include <stdio.h>
#include <stdlib.h>

#define VARIABLES 8
#define REFUSED 20
#define LINE_OCTETS 998

/* ---- what it is told --------------------------------------------------------------------------
 */

/* variable - "NAME=value", of what a peer said: no line ends get in. */
static char *variable(const char *name, struct postern_span value)
{
    struct buffer text = {0};

    while (value.n && value.p[value.n - 1] == '\n')
        value.n--;
    buffer_append_text(&text, name);
    buffer_append_char(&text, '=');
    for (size_t i = 0; i < value.n; i++)
        buffer_append_char(&text, value.p[i] == '\n' ? ' ' : value.p[i] ? value.p[i] : '?');
    buffer_append_char(&text, '\0');
    if (text.error)
        buffer_done(&text);
    return text.data; /* nothing was taken of it: it begins there */
}

static bool environment_make(const struct filter_question *q, char *environment[VARIABLES + 1])
{
    const struct {
        const char *name;
        struct postern_span value;
    } all[VARIABLES] = {{"PATH", SPAN(PROGRAM_PATH)}, {"MAIL_FROM", q->sender},
                        {"RCPT_TO", q->recipients},   {"EHLO_DOMAIN", q->helo},
                        {"REMOTE_ADDR", q->peer},     {"AUTH_AS", q->user},
                        {"PROTOCOL", q->protocol},    {"QUEUE_ID", q->transaction}};
    bool good = true;

    for (size_t i = 0; i < VARIABLES; i++) {
        environment[i] = variable(all[i].name, all[i].value);
        good &= environment[i] != NULL;
    }
    environment[VARIABLES] = NULL;
    return good;
}

/* ---- the verdict ----------------------------------------------------------------------------- */

/* next_line - of its output; without its end. */
static struct postern_span next_line(struct postern_span *said)
{
    struct postern_span line = span_cut(said, '\n');

    line.n -= line.n && line.p[line.n - 1] == '\r';
    return span_trim(line);
}

/* take_line - "Name: value"; what is none is passed by. */
static int take_line(struct postern_span line, size_t *headers, struct filter_verdict *verdict)
{
    struct postern_span value = line, name = span_cut(&value, ':');
    int err;

    if (!value.p || line.n > LINE_OCTETS)
        return 0;
    if (span_equal_nocase(name, SPAN("X-Postern-Mailbox"))) {
        value = span_trim(value);
        snprintf(verdict->mailbox, sizeof verdict->mailbox, "%.*s", SPAN_ARG(value));
        return 0;
    }
    err = edits_insert(&verdict->edits, *headers, name, value);
    *headers += !err;
    return err == POSTERN_E_NOMEM ? err : 0;
}

static int take_headers(struct postern_span said, struct filter_verdict *verdict)
{
    size_t headers = 0;
    int err = 0;

    while (!err && said.n)
        err = take_line(next_line(&said), &headers, verdict);
    return err;
}

static void refuse(struct postern_span said, int status, struct filter_verdict *verdict)
{
    struct postern_span line = next_line(&said);

    if (status == REFUSED)
        filter_refuse(verdict, 554, "5.7.1", line.n ? line : SPAN("refused"));
    else
        filter_refuse(verdict, 451, "4.7.1", line.n ? line : SPAN("not now"));
}

static int run(const struct filter_program *filter, const struct filter_question *question,
               struct buffer *said)
{
    char *environment[VARIABLES + 1], *arguments[] = {(char *)(uintptr_t)filter->path, NULL};
    struct program program = {.arguments = arguments,
                              .environment = environment,
                              .message = question->message,
                              .limit = filter->limit};
    int status = POSTERN_E_NOMEM;

    if (environment_make(question, environment))
        status = program_run(&program, said);
    for (size_t i = 0; i < VARIABLES; i++)
        free(environment[i]);
    return status;
}

static int judge(const struct serve_filter *filter, void **talk,
                 const struct filter_question *question, struct filter_verdict *verdict_r)
{
    struct buffer said = {0};
    int status = run(filter->ctx, question, &said), err = status < 0 ? status : 0;

    (void)talk;
    if (status == 0)
        err = take_headers(buffer_span(&said), verdict_r);
    else if (status > 0)
        refuse(buffer_span(&said), status, verdict_r);
    buffer_done(&said);
    return err;
}

const struct filter_ops filter_program_ops = {.judge = judge};
