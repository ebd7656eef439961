/* SPDX-License-Identifier: MIT */
/* client - the other side of SMTP and LMTP: made and ended, and what it hands out: octets to send,
 * and events. */
#include "proto/smtp/client.h"

void postern_smtp_client_options_init(struct postern_smtp_client_options *options,
                                      size_t struct_bytes)
{
    *options = (struct postern_smtp_client_options){.struct_bytes = (uint32_t)struct_bytes,
                                                    .hostname = {"localhost", 9}};
}

int postern_smtp_client_new(struct postern_smtp_client **client_r,
                            const struct postern_smtp_client_options *options)
{
    struct postern_smtp_client *c;

    if (options->struct_bytes != sizeof *options || !options->hostname.n)
        return POSTERN_E_USAGE;
    c = memory_new(options->allocator, sizeof *c);
    if (!c)
        return POSTERN_E_NOMEM;
    c->o = *options;
    c->tls = options->tls_first;
    c->out.allocator = options->allocator;
    line_init(&c->line, options->allocator);
    *client_r = c;
    return 0;
}

void postern_smtp_client_free(struct postern_smtp_client **client)
{
    struct postern_smtp_client *c = client ? *client : NULL;
    const struct postern_allocator *allocator;

    if (!c)
        return;
    allocator = c->o.allocator;
    line_reset(&c->line);
    buffer_done(&c->out);
    memory_free(allocator, c);
    *client = NULL;
}

int client_say(struct postern_smtp_client *c, const char *verb, struct postern_span argument,
               enum client_step step)
{
    buffer_append_text(&c->out, verb);
    buffer_append(&c->out, argument);
    buffer_append_text(&c->out, "\r\n");
    c->step = step;
    return c->out.error;
}

void client_tell(struct postern_smtp_client *c, enum postern_smtp_client_event_kind kind,
                 enum client_step step)
{
    c->event.kind = kind;
    c->event_due = true;
    c->step = step;
}

void client_fail(struct postern_smtp_client *c)
{
    client_tell(c, POSTERN_SMTP_CLIENT_FAILED, OVER);
}

void client_fail_with(struct postern_smtp_client *c, const char *why)
{
    c->event = (struct postern_smtp_client_event){.text = postern_span_of(why)};
    client_fail(c);
}

int postern_smtp_client_next(struct postern_smtp_client *c,
                             struct postern_smtp_client_event *event_r)
{
    if (!c->event_due)
        return 0;
    c->event_due = false;
    *event_r = c->event;
    return 1;
}

struct postern_span postern_smtp_client_output(const struct postern_smtp_client *c)
{
    return buffer_span(&c->out);
}

void postern_smtp_client_sent(struct postern_smtp_client *c, size_t n)
{
    buffer_take(&c->out, n);
    if (buffer_length(&c->out) == 0)
        buffer_done(&c->out);
}
