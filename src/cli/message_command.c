/* SPDX-License-Identifier: MIT */
/* message_command - `postern message search|flag|move|delete`: IMAP commands, said to the store
 * without a connection; so criteria are those of SEARCH. */
#include "cli/message.h"

#include "base/buffer.h"
#include "base/span.h"
#include "serve/command.h"
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static void say_mailbox(struct buffer *say, struct postern_span name)
{
    buffer_append_text(say, "{");
    buffer_append_number(say, name.n);
    buffer_append_text(say, "+}\r\n");
    buffer_append(say, name);
}

/* next_line - of an answer, without its end. */
static struct postern_span next_line(struct postern_span *rest)
{
    struct postern_span line = span_cut(rest, '\n');

    return span_cut(&line, '\r');
}

/* tagged - the text behind "x " of the last line; ok_r: it says OK. */
static struct postern_span tagged(struct postern_span said, bool *ok_r)
{
    struct postern_span last = {"", 0};

    while (said.n) {
        struct postern_span line = next_line(&said);

        if (span_begins(line, SPAN("x ")))
            last = span_from(line, 2);
    }
    *ok_r = span_begins(last, SPAN("OK"));
    return last;
}

/* command - in the mailbox, selected; what was answered in said. */
static int command(struct message_verb *verb, struct postern_span text, struct buffer *said)
{
    struct buffer say = {0};
    struct postern_span answer;
    bool ok;
    int err;

    buffer_append_text(&say, "s SELECT ");
    say_mailbox(&say, verb->mailbox);
    buffer_append_text(&say, "\r\nx ");
    buffer_append(&say, text);
    buffer_append_text(&say, "\r\n");
    err = say.error ? say.error : serve_command(verb->store, verb->user, buffer_span(&say), said);
    buffer_done(&say);
    if (err)
        return err;
    answer = tagged(buffer_span(said), &ok);
    if (!ok) {
        fprintf(stderr, "postern: message: %.*s\n", SPAN_ARG(answer));
        verb->code = span_begins(answer, SPAN("BAD")) ? EX_USAGE : EX_DATAERR;
    }
    return 0;
}

static bool is_set(const char *text)
{
    return *text && strspn(text, "0123456789:,*") == strlen(text);
}

/* run - "UID VERB SET rest". */
static int run(struct message_verb *verb, const char *name, struct postern_span rest)
{
    struct buffer text = {0}, said = {0};
    int err;

    if (!is_set(verb->words[0]))
        return POSTERN_E_SYNTAX;
    buffer_append_text(&text, name);
    buffer_append_text(&text, verb->words[0]);
    buffer_append(&text, rest);
    err = text.error ? text.error : command(verb, buffer_span(&text), &said);
    buffer_done(&text);
    buffer_done(&said);
    return err;
}

/* show_found - the UIDs of "* SEARCH 1 2 3", a line each. */
static void show_found(struct postern_span said)
{
    while (said.n) {
        struct postern_span line = next_line(&said);

        if (!span_begins(line, SPAN("* SEARCH ")))
            continue;
        line = span_from(line, strlen("* SEARCH "));
        while (line.n) {
            struct postern_span uid = span_cut(&line, ' ');

            printf("%.*s\n", SPAN_ARG(uid));
        }
    }
}

int message_search(struct message_verb *verb)
{
    struct buffer text = {0}, said = {0};
    int err;

    buffer_append_text(&text, "UID SEARCH");
    for (size_t i = 0; i < verb->count; i++) {
        buffer_append_text(&text, " ");
        buffer_append_text(&text, verb->words[i]);
    }
    if (!verb->count)
        buffer_append_text(&text, " ALL");
    err = text.error ? text.error : command(verb, buffer_span(&text), &said);
    if (!err)
        show_found(buffer_span(&said));
    buffer_done(&text);
    buffer_done(&said);
    return err;
}

/* message_flag - "+seen -flagged +work": the system's by name, others are keywords. */
int message_flag(struct message_verb *verb)
{
    static const char *const system[] = {"seen", "answered", "flagged", "deleted", "draft"};
    int err = 0;

    for (size_t i = 1; i < verb->count && !err && !verb->code; i++) {
        const char *word = verb->words[i];
        struct buffer rest = {0};
        bool known = false;

        if ((*word != '+' && *word != '-') || !word[1])
            return POSTERN_E_SYNTAX;
        for (size_t k = 0; k < sizeof system / sizeof *system; k++)
            known |= strcmp(system[k], word + 1) == 0;
        buffer_append_text(&rest, *word == '+' ? " +FLAGS.SILENT (" : " -FLAGS.SILENT (");
        buffer_append_text(&rest, known ? "\\" : "");
        buffer_append_text(&rest, word + 1);
        buffer_append_text(&rest, ")");
        err = rest.error ? rest.error : run(verb, "UID STORE ", buffer_span(&rest));
        buffer_done(&rest);
    }
    return err;
}

int message_move(struct message_verb *verb)
{
    struct buffer rest = {0};
    int err;

    buffer_append_text(&rest, " ");
    say_mailbox(&rest, postern_span_of(verb->words[1]));
    err = rest.error ? rest.error : run(verb, "UID MOVE ", buffer_span(&rest));
    buffer_done(&rest);
    return err;
}

int message_delete(struct message_verb *verb)
{
    int err = run(verb, "UID STORE ", SPAN(" +FLAGS.SILENT (\\Deleted)"));

    return err || verb->code ? err : run(verb, "UID EXPUNGE ", SPAN(""));
}
