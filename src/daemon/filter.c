/* SPDX-License-Identifier: MIT */
/* filter - runs the program, feeds it and reads it at once, since either may wait for the other. It
 * has its own process group, so that all it started ends with it when its time is over. */
#include "daemon/filter.h"

#include "base/memory.h"
#include "base/span.h"
#include "daemon/server.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_MAX 65536
#define VARIABLES 8
#define REFUSED 20

struct filter {
    struct serve_filter serve;
    const char *program;
    postern_time limit;
};

/* struct run - one message under way. */
struct run {
    const struct filter_question *question;
    pid_t pid;
    int in, out; /* of the program; -1: closed */
    uint64_t written;
    char chunk[65536];
    size_t at, end; /* of the chunk that is to be written */
    struct buffer said;
    postern_time until;
};

/* ---- the process ----------------------------------------------------------------------------- */

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
    } all[VARIABLES] = {{"PATH", SPAN("/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")},
                        {"MAIL_FROM", q->sender},
                        {"RCPT_TO", q->recipients},
                        {"EHLO_DOMAIN", q->helo},
                        {"REMOTE_ADDR", q->peer},
                        {"AUTH_AS", q->user},
                        {"PROTOCOL", q->protocol},
                        {"QUEUE_ID", q->transaction}};
    bool good = true;

    for (size_t i = 0; i < VARIABLES; i++) {
        environment[i] = variable(all[i].name, all[i].value);
        good &= environment[i] != NULL;
    }
    environment[VARIABLES] = NULL;
    return good;
}

static int spawn(const char *program, char *const *environment, int in, int out, pid_t *pid_r)
{
    char *arguments[] = {(char *)(uintptr_t)program, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, defaults;
    int r;

    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    r = posix_spawn(pid_r, program, &actions, &attributes, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return r ? POSTERN_E_IO : 0;
}

static void shut(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static int begin(struct run *run, const char *program)
{
    char *environment[VARIABLES + 1];
    int in[2] = {-1, -1}, out[2] = {-1, -1}, err = POSTERN_E_NOMEM;

    if (environment_make(run->question, environment))
        err = pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0
                  ? POSTERN_E_IO
                  : spawn(program, environment, in[0], out[1], &run->pid);
    for (size_t i = 0; i < VARIABLES; i++)
        free(environment[i]);
    shut(&in[0]);
    shut(&out[1]);
    run->in = in[1];
    run->out = out[0];
    if (!err && (fcntl(run->in, F_SETFL, O_NONBLOCK) < 0 || fcntl(run->out, F_SETFL, O_NONBLOCK)))
        err = POSTERN_E_IO;
    return err;
}

/* ---- what goes in, and comes out ------------------------------------------------------------- */

/* feed - the next octets; at the end of them, or if it wants no more, its input is closed. */
static void feed(struct run *run)
{
    ssize_t n;

    if (run->at == run->end) {
        n = spool_read(run->question->message, run->written, run->chunk, sizeof run->chunk);
        if (n <= 0) {
            shut(&run->in);
            return;
        }
        run->at = 0;
        run->end = (size_t)n;
        run->written += (uint64_t)n;
    }
    n = write(run->in, run->chunk + run->at, run->end - run->at);
    if (n > 0)
        run->at += (size_t)n;
    else if (n < 0 && errno != EAGAIN && errno != EINTR)
        shut(&run->in);
}

static void hear(struct run *run)
{
    char bytes[4096];
    ssize_t n = read(run->out, bytes, sizeof bytes);

    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        shut(&run->out);
    else if (n > 0 && buffer_length(&run->said) + (size_t)n <= OUTPUT_MAX)
        buffer_append(&run->said, span_make(bytes, (size_t)n));
}

static int milliseconds_left(const struct run *run)
{
    postern_time now = server_now();

    return now >= run->until ? 0 : (int)((run->until - now) / 1000000) + 1;
}

/* converse - until it closed its output. POSTERN_E_AGAIN: its time is over. */
static int converse(struct run *run)
{
    while (run->out >= 0) {
        struct pollfd polled[2] = {{.fd = run->out, .events = POLLIN},
                                   {.fd = run->in, .events = POLLOUT}};
        int left = milliseconds_left(run);

        if (!left || (poll(polled, 2, left) < 0 && errno != EINTR))
            return POSTERN_E_AGAIN;
        if (polled[0].revents)
            hear(run);
        if (run->in >= 0 && polled[1].revents)
            feed(run);
    }
    return 0;
}

/* end - its exit status, or <0. Whoever takes too long is killed, with all it started. */
static int end(struct run *run, int err)
{
    int status = 0, r = 0;

    shut(&run->in);
    shut(&run->out);
    if (!run->pid)
        return err;
    while (!err && (r = waitpid(run->pid, &status, WNOHANG)) == 0) {
        if (!milliseconds_left(run))
            err = POSTERN_E_AGAIN;
        else
            usleep(1000);
    }
    if (err) {
        kill(-run->pid, SIGKILL);
        r = waitpid(run->pid, &status, 0);
    }
    return err ? err : r > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : POSTERN_E_IO;
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

static int judge(void *ctx, const struct filter_question *question,
                 struct filter_verdict *verdict_r)
{
    const struct filter *filter = ctx;
    struct run *run = memory_new(NULL, sizeof *run);
    int status;

    if (!run)
        return POSTERN_E_NOMEM;
    *run = (struct run){.question = question, .until = server_now() + filter->limit};
    status = begin(run, filter->program);
    status = end(run, status ? status : converse(run));
    if (status == 0)
        take_headers(buffer_span(&run->said), verdict_r);
    else if (status > 0)
        refuse(buffer_span(&run->said), status, verdict_r);
    if (verdict_r->headers.error || run->said.error)
        status = POSTERN_E_NOMEM;
    buffer_done(&run->said);
    memory_free(NULL, run);
    return status < 0 ? status : 0;
}

int filter_open(struct filter **filter_r, const struct config *config)
{
    struct filter *filter;
    const char *folder = getenv("TMPDIR");

    if (access(config->filter, X_OK) < 0)
        return POSTERN_E_NOT_FOUND;
    filter = memory_new(NULL, sizeof *filter);
    if (!filter)
        return POSTERN_E_NOMEM;
    filter->program = config->filter;
    filter->limit = config->filter_timeout;
    filter->serve = (struct serve_filter){.judge = judge,
                                          .accepts_on_failure = config->filter_optional,
                                          .folder = folder && *folder ? folder : "/var/tmp",
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
