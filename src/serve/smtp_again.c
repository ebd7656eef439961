/* SPDX-License-Identifier: MIT */
/* smtp_again - a message that an MTA sends again, because it did not hear that we had it: its
 * unique-id is made of what does not change then. Only where an MTA's own Received line is in it
 * (which has its queue id) can the same octets not be meant twice. What filters write into it does
 * not count. */
#include "serve/smtp_session.h"

#include "base/span.h"
#include <stdio.h>

/* without_ours - behind the Received line that we wrote, which differs each time. */
static struct postern_span without_ours(struct postern_span message)
{
    do
        message = span_from(message, span_find(message, '\n') + 1);
    while (message.n && (message.p[0] == ' ' || message.p[0] == '\t'));
    return message;
}

static bool has_received(struct postern_span message)
{
    while (message.n && message.p[0] != '\r') {
        if (span_begins_nocase(message, SPAN("Received:")))
            return true;
        message = span_from(message, span_find(message, '\n') + 1);
    }
    return false;
}

void smtp_note_digest(struct serve_smtp *s)
{
    const struct postern_crypto *crypto = s->site->smtp->crypto;
    struct postern_span message =
        without_ours(buffer_span(s->whole.octets ? &s->whole.memory : &s->spool));

    s->has_digest = s->site->deduplicate && s->role != POSTERN_SMTP_SUBMISSION && crypto &&
                    has_received(message) &&
                    crypto->hash(POSTERN_HASH_SHA256, message, s->digest) == 0;
}

struct postern_span smtp_delivery_id(struct serve_smtp *s, const struct smtp_target *target,
                                     char out[SMTP_ID_BYTES])
{
    struct postern_span none = {NULL, 0};
    unsigned char hash[POSTERN_HASH_BYTES_MAX];
    struct buffer text = {0};
    bool good;

    if (!s->has_digest)
        return none;
    buffer_append(&text, buffer_span(&s->sender));
    buffer_append_char(&text, '\0');
    buffer_append_text(&text, target->address);
    buffer_append_char(&text, '\0');
    buffer_append(&text, span_make((const char *)s->digest, sizeof s->digest));
    good = !text.error &&
           s->site->smtp->crypto->hash(POSTERN_HASH_SHA256, buffer_span(&text), hash) == 0;
    buffer_done(&text);
    if (!good)
        return none;
    for (size_t i = 0; i < 20; i++)
        snprintf(out + 2 * i, 3, "%02x", hash[i]);
    return span_make(out, 40);
}
