/* SPDX-License-Identifier: MIT */
#include "daemon/filter.h"

#include "base/memory.h"
#include "base/span.h"
#include "daemon/program.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define VARIABLES 8
#define REFUSED 20

struct filter {
    struct serve_filter serve;
    const char *program;
    postern_time limit;
};

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

/* is_header - "Name: value", printable. */
static bool is_header(struct postern_span line)
{
    size_t colon = span_find(line, ':');

    if (!colon || colon == line.n || line.n > 998)
        return false;
    for (size_t i = 0; i < line.n; i++)
        if ((unsigned char)line.p[i] < ' ' || line.p[i] == 127 || (i < colon && line.p[i] == ' '))
            return false;
    return true;
}

static void take_headers(struct postern_span said, struct filter_verdict *verdict)
{
    while (said.n) {
        struct postern_span line = span_cut(&said, '\n'), value;

        line.n -= line.n && line.p[line.n - 1] == '\r';
        value = line;
        if (!is_header(line))
            continue;
        if (span_begins_nocase(line, SPAN("X-Postern-Mailbox:"))) {
            (void)span_cut(&value, ':');
            value = span_trim(value);
            snprintf(verdict->mailbox, sizeof verdict->mailbox, "%.*s", SPAN_ARG(value));
            continue;
        }
        buffer_append(&verdict->headers, line);
        buffer_append_text(&verdict->headers, "\r\n");
    }
}

static void refuse(struct postern_span said, int status, struct filter_verdict *verdict)
{
    struct postern_span line = span_trim(span_cut(&said, '\n'));
    bool for_good = status == REFUSED;

    verdict->code = for_good ? 554 : 451;
    snprintf(verdict->enhanced, sizeof verdict->enhanced, for_good ? "5.7.1" : "4.7.1");
    if (line.n)
        snprintf(verdict->text, sizeof verdict->text, "%.*s", SPAN_ARG(line));
    else
        snprintf(verdict->text, sizeof verdict->text, for_good ? "refused" : "not now");
}

static int run(const struct filter *filter, const struct filter_question *question,
               struct buffer *said)
{
    char *environment[VARIABLES + 1], *arguments[] = {(char *)(uintptr_t)filter->program, NULL};
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

static int judge(void *ctx, const struct filter_question *question,
                 struct filter_verdict *verdict_r)
{
    struct buffer said = {0};
    int status = run(ctx, question, &said);

    if (status == 0)
        take_headers(buffer_span(&said), verdict_r);
    else if (status > 0)
        refuse(buffer_span(&said), status, verdict_r);
    if (verdict_r->headers.error)
        status = POSTERN_E_NOMEM;
    buffer_done(&said);
    return status < 0 ? status : 0;
}

int filter_open(struct filter **filter_r, const struct config *config)
{
    struct filter *filter;

    if (access(config->filter, X_OK) < 0)
        return POSTERN_E_NOT_FOUND;
    filter = memory_new(NULL, sizeof *filter);
    if (!filter)
        return POSTERN_E_NOMEM;
    filter->program = config->filter;
    filter->limit = config->filter_timeout;
    filter->serve = (struct serve_filter){.judge = judge,
                                          .accepts_on_failure = config->filter_optional,
                                          .folder = program_folder(),
                                          .ctx = filter};
    *filter_r = filter;
    return 0;
}

void filter_close(struct filter **filter)
{
    memory_free(NULL, *filter);
    *filter = NULL;
}

const struct serve_filter *filter_serve(struct filter *filter)
{
    return &filter->serve;
}
