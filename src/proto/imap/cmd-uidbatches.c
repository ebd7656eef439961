/* SPDX-License-Identifier: MIT */
/* cmd-uidbatches - UIDBATCHES (RFC 10022): UIDs that part the mailbox into ranges of as many
 * messages each, newest first, without a gap between them. */
#include "proto/imap/commands.h"

#define BATCH_LEAST 500

struct batches {
    uint32_t size;
    uint32_t first, last; /* which of them, counted from 1 */
};

/* I 10022:3-2 */
static bool parse_batches(struct postern_imap *s, struct batches *batches)
{
    parse_space(&s->in);
    batches->size = (uint32_t)parse_number(&s->in, UINT32_MAX);
    batches->first = 1;
    batches->last = UINT32_MAX;
    if (parse_try(&s->in, ' ')) {
        batches->first = (uint32_t)parse_number(&s->in, UINT32_MAX);
        parse_char(&s->in, ':');
        batches->last = (uint32_t)parse_number(&s->in, UINT32_MAX);
    }
    s->in.bad |= !batches->size || !batches->first || !batches->last;
    if (!s->in.bad && batches->first > batches->last) {
        s->in.bad = true;
        s->in.code = "CLIENTBUG";
        s->in.why = "the first batch comes first";
    }
    return imap_good(s);
}

/* number_of - the batch `index`, from 0, ends with this message; 0: there are not so many. */
static uint32_t number_of(const struct postern_imap *s, const struct batches *batches,
                          uint64_t index)
{
    uint64_t newer = index * batches->size;

    return newer < s->view.messages ? s->view.messages - (uint32_t)newer : 0;
}

/* write_batch - down to where the next begins; the oldest to UID 1.
 * I 10022:3-1 */
static void write_batch(struct postern_imap *s, const struct batches *batches, uint64_t index)
{
    uint32_t next = number_of(s, batches, index + 1);
    uint32_t high = view_uid(&s->view, number_of(s, batches, index));
    uint32_t low = next ? view_uid(&s->view, next) + 1 : 1;

    write_text(s, index + 1 > batches->first ? "," : " ");
    write_number(s, high);
    if (low == high)
        return;
    write_text(s, ":");
    write_number(s, low);
}

/* I 10022:3-3 I 10022:3-4 */
void imap_cmd_uidbatches(struct postern_imap *s)
{
    struct batches batches;

    if (!parse_batches(s, &batches))
        return;
    if (batches.size < BATCH_LEAST) {
        imap_no(s, "TOOFEW", "a batch has at least 500 messages");
        return;
    }
    write_text(s, "* UIDBATCHES (TAG ");
    write_string(s, s->tag);
    write_text(s, ")");
    for (uint64_t index = batches.first - 1; index < batches.last && number_of(s, &batches, index);
         index++)
        write_batch(s, &batches, index);
    write_text(s, "\r\n");
    imap_ok(s, NULL, "done");
}
