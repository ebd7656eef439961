/* SPDX-License-Identifier: MIT */
/* deliver - the commands of LMTP are written and the replies read, as a client would. */
#include "serve/deliver.h"

#include "base/memory.h"
#include "base/span.h"
#include "serve/address.h"
#include "serve/alone.h"
#include <stdio.h>

#define CHUNK 65536

/* struct pipe - a delivery under way. */
struct pipe {
    struct alone alone;
    struct buffer said;
    char octets[CHUNK];
};

/* last_reply - of what was said: the code of its last line, which stands for all. */
static unsigned last_reply(struct pipe *pipe, struct deliver_result *result_r)
{
    struct postern_span rest = buffer_span(&pipe->said), line = {0}, word;
    uint64_t code = 0;

    while (rest.n)
        line = span_cut(&rest, '\n');
    line = span_make(line.p, line.n - (line.n && line.p[line.n - 1] == '\r'));
    word = span_make(line.p, line.n < 3 ? line.n : 3);
    if (!span_number(word, 599, &code))
        code = 451;
    *result_r = (struct deliver_result){.code = (unsigned)code};
    line = span_from(line, 4);
    snprintf(result_r->text, sizeof result_r->text, "%.*s", SPAN_ARG(line));
    word = span_cut(&line, ' ');
    snprintf(result_r->enhanced, sizeof result_r->enhanced, "%.*s", SPAN_ARG(word));
    buffer_take(&pipe->said, buffer_length(&pipe->said));
    return (unsigned)code;
}

/* write_recipient - an account by its whole name, else an address. */
static void write_recipient(const struct deliver *deliver, struct buffer *out)
{
    struct postern_span name = deliver->recipient;
    size_t at = name.n;

    while (at && name.p[at - 1] != '@')
        at--;
    buffer_append_text(out, "RCPT TO:<");
    if (!at || accounts_stamp(deliver->accounts, name))
        address_write(out, name, (struct postern_span){NULL, 0});
    else
        address_write(out, span_make(name.p, at - 1), span_from(name, at));
    buffer_append_text(out, ">\r\n");
}

static void say_envelope(const struct deliver *deliver, struct pipe *pipe,
                         struct deliver_result *result_r)
{
    struct buffer text = {0};

    alone_say(&pipe->alone, SPAN("LHLO localhost\r\n"));
    buffer_append_text(&text, "MAIL FROM:<");
    buffer_append(&text, deliver->sender);
    buffer_append_text(&text, "> SMTPUTF8\r\n");
    alone_say(&pipe->alone, buffer_span(&text));
    if (last_reply(pipe, result_r) / 100 == 2) {
        buffer_take(&text, buffer_length(&text));
        write_recipient(deliver, &text);
        alone_say(&pipe->alone, buffer_span(&text));
        (void)last_reply(pipe, result_r);
    }
    buffer_done(&text);
}

/* without_from_line - "From user date" of an mbox. */
static struct postern_span without_from_line(struct postern_span text)
{
    return span_begins(text, SPAN("From ")) ? span_from(text, span_find(text, '\n') + 1) : text;
}

static void say_chunk(struct pipe *pipe, struct postern_span octets, const char *last)
{
    char line[40];

    snprintf(line, sizeof line, "BDAT %zu%s\r\n", octets.n, last);
    alone_say(&pipe->alone, postern_span_of(line));
    alone_say(&pipe->alone, octets);
}

/* say_message - of one that was refused the rest is read, and not said: who writes it might not
 * hear why else. */
static int say_message(struct pipe *pipe, int (*read)(void *ctx, char *out, size_t n), void *ctx,
                       struct deliver_result *result_r)
{
    bool first = true;
    char end = '\n';
    int n;

    while ((n = read(ctx, pipe->octets, sizeof pipe->octets)) > 0) {
        struct postern_span octets = span_make(pipe->octets, (size_t)n);

        end = octets.p[octets.n - 1];
        if (result_r->code / 100 != 2)
            continue;
        say_chunk(pipe, first ? without_from_line(octets) : octets, "");
        (void)last_reply(pipe, result_r);
        first = false;
    }
    if (n < 0)
        return POSTERN_E_IO;
    if (result_r->code / 100 == 2) {
        say_chunk(pipe, end == '\n' ? SPAN("") : SPAN("\r\n"), " LAST");
        (void)last_reply(pipe, result_r);
    }
    return 0;
}

int deliver_message(const struct deliver *deliver, int (*read)(void *ctx, char *out, size_t n),
                    void *ctx, struct deliver_result *result_r)
{
    struct postern_smtp_options smtp = *deliver->smtp;
    struct serve_site site = {.store = deliver->store,
                              .accounts = deliver->accounts,
                              .recipients = deliver->recipients,
                              .smtp = &smtp,
                              .work = &alone_work,
                              .create_mailboxes = true,
                              .detail_create = deliver->detail_create,
                              .space = deliver->space,
                              .deliver_into = deliver->mailbox,
                              .original_to = deliver->original};
    struct pipe *pipe = memory_new(NULL, sizeof *pipe);
    int err = pipe ? 0 : POSTERN_E_NOMEM;

    smtp.domain_optional = true;
    smtp.received = false; /* the MTA that runs this has written its own */
    if (!err)
        err = alone_begin(&pipe->alone, &serve_lmtp, &site);
    if (!err) {
        pipe->alone.out = &pipe->said;
        say_envelope(deliver, pipe, result_r);
        if (result_r->code / 100 == 2) {
            err = say_message(pipe, read, ctx, result_r);
        }
        alone_end(&pipe->alone);
        buffer_done(&pipe->said);
    }
    memory_free(NULL, pipe);
    return err;
}
