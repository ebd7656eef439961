/* SPDX-License-Identifier: MIT */
/* sendmail - the arguments are made, the program run, and its exit status becomes a reply. */
#include "daemon/sendmail.h"

#include "base/memory.h"
#include "base/span.h"
#include "daemon/program.h"
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#define FIXED_ARGUMENTS 6 /* sendmail -i -f SENDER -- ... NULL */

struct sendmail {
    struct serve_filter serve;
    const char *program;
    postern_time limit;
};

/* ---- the command line ------------------------------------------------------------------------ */

/* struct command - arguments into one text. */
struct command {
    struct buffer text; /* each with its NUL */
    char **arguments;
};

static size_t lines_of(struct postern_span text)
{
    size_t lines = 0;

    for (size_t i = 0; i < text.n; i++)
        lines += text.p[i] == '\n';
    return lines;
}

static void word(struct command *command, struct postern_span text)
{
    buffer_append(&command->text, text);
    buffer_append_char(&command->text, '\0');
}

/* command_make - recipients are arguments behind "--": none of them is an option, or a word of a
 * shell. */
static int command_make(struct command *command, const char *program,
                        const struct filter_question *q)
{
    struct postern_span rest = q->recipients;
    size_t count = 0;

    word(command, postern_span_of(program));
    word(command, SPAN("-i"));
    word(command, SPAN("-f"));
    word(command, q->sender.n ? q->sender : SPAN("<>"));
    word(command, SPAN("--"));
    while (rest.n)
        word(command, span_cut(&rest, '\n'));
    command->arguments =
        memory_new(NULL, (FIXED_ARGUMENTS + lines_of(q->recipients)) * sizeof(char *));
    if (command->text.error || !command->arguments)
        return POSTERN_E_NOMEM;
    for (char *at = command->text.data; at < command->text.data + command->text.tail;
         at += strlen(at) + 1)
        command->arguments[count++] = at;
    return 0;
}

static void command_done(struct command *command)
{
    buffer_done(&command->text);
    memory_free(NULL, command->arguments);
}

/* ---- the answer ------------------------------------------------------------------------------ */

/* enhanced_of - "5.1.1" at the beginning of what it said; absent: none. */
static struct postern_span enhanced_of(struct postern_span said)
{
    struct postern_span word = span_cut(&said, ' '), rest = word;
    uint64_t number;

    for (unsigned i = 0; i < 3; i++)
        if (!span_number(span_cut(&rest, '.'), 999, &number))
            return (struct postern_span){NULL, 0};
    return rest.p || (word.p[0] != '4' && word.p[0] != '5') ? (struct postern_span){NULL, 0} : word;
}

struct answer {
    int status;
    unsigned code;
    const char *enhanced, *text;
};

/* answer_to - what is not listed is a fault of ours, or of the system's: never the sender's (P5) */
static const struct answer *answer_to(int status)
{
    static const struct answer answers[] = {
        {EX_DATAERR, 554, "5.6.0", "the message is not taken"},
        {EX_NOUSER, 550, "5.1.1", "no such user"},
        {EX_NOHOST, 550, "5.1.2", "no such host"},
        {EX_UNAVAILABLE, 554, "5.0.0", "the message is not taken"},
        {EX_PROTOCOL, 554, "5.5.0", "the other server does not take it"},
        {EX_NOPERM, 550, "5.7.1", "not permitted"},
        {0, 451, "4.3.0", "it cannot be handed on now"}};
    const struct answer *answer = answers;

    while (answer->status && answer->status != status)
        answer++;
    return answer;
}

static void refuse(int status, struct postern_span said, struct filter_verdict *verdict)
{
    const struct answer *answer = answer_to(status);
    struct postern_span line = span_trim(span_cut(&said, '\n')), enhanced = enhanced_of(line);

    line.n -= line.n && line.p[line.n - 1] == '\r';
    verdict->code = answer->code;
    snprintf(verdict->enhanced, sizeof verdict->enhanced, "%s", answer->enhanced);
    if (enhanced.n) {
        verdict->code = enhanced.p[0] == '4' ? 451 : 550;
        snprintf(verdict->enhanced, sizeof verdict->enhanced, "%.*s", SPAN_ARG(enhanced));
        line = span_trim(span_from(line, enhanced.n));
    }
    snprintf(verdict->text, sizeof verdict->text, "%.*s", SPAN_ARG(line));
    if (!line.n)
        snprintf(verdict->text, sizeof verdict->text, "%s", answer->text);
}

static int hand_over(const struct serve_filter *filter, void **talk,
                     const struct filter_question *question, struct filter_verdict *verdict_r)
{
    const struct sendmail *sendmail = filter->ctx;
    char *environment[] = {(char *)(uintptr_t) "PATH=" PROGRAM_PATH, NULL};
    struct command command = {0};
    struct program program = {.environment = environment,
                              .message = question->message,
                              .line_feeds = true,
                              .hears_errors = true,
                              .limit = sendmail->limit};
    struct buffer said = {0};
    int status = command_make(&command, sendmail->program, question);

    (void)talk;
    program.arguments = command.arguments;
    if (!status)
        status = program_run(&program, &said);
    if (status > 0)
        refuse(status, buffer_span(&said), verdict_r);
    buffer_done(&said);
    command_done(&command);
    return status < 0 ? status : 0;
}

/* ---- its life -------------------------------------------------------------------------------- */

static const struct filter_ops sendmail_ops = {.judge = hand_over};

int sendmail_open(struct sendmail **sendmail_r, const struct config *config)
{
    struct sendmail *sendmail;

    if (access(config->sendmail, X_OK) < 0)
        return POSTERN_E_NOT_FOUND;
    sendmail = memory_new(NULL, sizeof *sendmail);
    if (!sendmail)
        return POSTERN_E_NOMEM;
    sendmail->program = config->sendmail;
    sendmail->limit = config->sendmail_timeout;
    sendmail->serve = (struct serve_filter){&sendmail_ops, config->sendmail, sendmail};
    *sendmail_r = sendmail;
    return 0;
}

void sendmail_close(struct sendmail **sendmail)
{
    memory_free(NULL, *sendmail);
    *sendmail = NULL;
}

const struct serve_filter *sendmail_serve(struct sendmail *sendmail)
{
    return &sendmail->serve;
}
