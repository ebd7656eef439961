/* SPDX-License-Identifier: MIT */
/* append_octets - the octets of a message on their way to the application, a chunk at a time. */
#include "proto/imap/append.h"

#define WRITE_BYTES 65536

static void written(struct postern_imap *s, const struct imap_answer *answer)
{
    struct imap_append *append = s->append;

    buffer_take(&append->octets, buffer_length(&append->octets));
    if (answer->err) {
        append_refuse(s, answer->err);
    } else if (append->stream.active) {
        catenate_fetch(s);
    } else if (s->input.left == 0) {
        s->input.state = INPUT_LINE;
        s->input.line_at = 0;
    }
}

/* has_raw_header - the header of the message has octets beyond ASCII; a chunk goes on where the one
 * before it ended. */
static bool has_raw_header(struct imap_append *append, struct postern_span octets)
{
    for (size_t i = 0; append->in_header && i < octets.n; i++) {
        unsigned char c = (unsigned char)octets.p[i];

        if (c > 127)
            return true;
        if (c == '\n') {
            append->in_header = !append->at_line;
            append->at_line = true;
        } else if (c != '\r') {
            append->at_line = false;
        }
    }
    return false;
}

/* append_write - RFC 6855 4: who has not enabled UTF8=ACCEPT may append no raw header.
 * I 6855:4-3 */
void append_write(struct postern_imap *s)
{
    if (!s->utf8 && !s->rev2 && imap_offers(s, "UTF8=ACCEPT") &&
        has_raw_header(s->append, buffer_span(&s->append->octets))) {
        append_fail(s, "CANNOT", "raw octets in a header want UTF8=ACCEPT");
        return;
    }
    s->question = (struct postern_imap_question){.bytes = buffer_span(&s->append->octets)};
    imap_ask(s, POSTERN_IMAP_WRITE, written);
}

/* I 6.3.12-1 I 6.3.12-2
 * I 3516:4.4-1 */
size_t imap_append_octets(struct postern_imap *s, struct postern_span in)
{
    struct imap_append *append = s->append;
    size_t room = WRITE_BYTES - buffer_length(&append->octets);

    if (in.n > s->input.left)
        in.n = (size_t)s->input.left;
    if (in.n > room)
        in.n = room;
    buffer_append(&append->octets, in);
    s->input.left -= in.n;
    if (append->octets.error)
        imap_no_memory(s);
    else if (memchr(in.p, '\0', in.n))
        append_fail(s, append->binary ? "UNKNOWN-CTE" : "CANNOT", "a message has no NUL");
    else if (s->input.left == 0 || buffer_length(&append->octets) == WRITE_BYTES)
        append_write(s);
    return in.n;
}
