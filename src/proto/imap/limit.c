/* SPDX-License-Identifier: MIT */
/* limit - at most so many messages in one command (RFC 9738). Of more, those with the highest UIDs
 * are worked on, from the highest down, and the answer says which was the last of them; what is all
 * or none is refused. EXPUNGE and CLOSE are never cut. */
#include "proto/imap/session.h"

/* I 9738:3-1 */
uint32_t imap_limit(const struct postern_imap *s)
{
    return imap_offers(s, "MESSAGELIMIT") ? s->o.message_limit : 0;
}

/* I 9738:4-1 */
uint32_t imap_limit_of_saving(const struct postern_imap *s)
{
    return imap_offers(s, "SAVELIMIT") ? s->o.save_limit : imap_limit(s);
}

size_t imap_limit_cut(struct postern_imap *s, uint32_t **uids, size_t count)
{
    uint32_t limit = imap_limit(s);

    if (!limit || count <= limit)
        return count;
    *uids += count - limit;
    s->limit_uid = **uids;
    return limit;
}

/* I 9738:3.1-1 */
bool imap_limit_cut_set(struct postern_imap *s, struct imap_set *set)
{
    uint32_t limit = imap_limit(s), *uids = NULL;
    size_t count;

    if (!limit || s->view.messages <= limit)
        return true;
    count = imap_limit_cut(s, &uids, imap_set_uids(s, set, &uids));
    if (!s->failed && s->limit_uid)
        imap_uids_set(s, uids, count, set);
    return !s->failed;
}

struct postern_uid_range imap_batch_range(const struct postern_imap *s,
                                          struct postern_uid_range range, uint32_t next_uid,
                                          uint32_t batch)
{
    if (s->limit_uid) { /* the ranges have no gaps then */
        range.last = next_uid ? next_uid : range.last;
        if (range.last - range.first >= batch)
            range.first = range.last - batch + 1;
    } else if (next_uid) {
        range.first = next_uid;
    }
    return range;
}

/* code_of - "MESSAGELIMIT 1000 23221", in the arena; without a UID where nothing was worked on. */
static const char *code_of(struct postern_imap *s, uint32_t limit, uint32_t uid)
{
    struct buffer code = {.allocator = s->o.allocator};
    struct postern_span kept = {0};

    buffer_append_text(&code, "MESSAGELIMIT ");
    buffer_append_number(&code, limit);
    if (uid) {
        buffer_append_char(&code, ' ');
        buffer_append_number(&code, uid);
    }
    buffer_append_char(&code, '\0');
    if (code.error || arena_copy(&s->arena, buffer_span(&code), &kept) < 0)
        imap_no_memory(s);
    buffer_done(&code);
    return kept.p;
}

/* I 9738:3.1-2 I 9738:3.3-1 */
void imap_no_limit(struct postern_imap *s, uint32_t limit, uint32_t uid)
{
    const char *code = code_of(s, limit, uid);

    if (!s->failed)
        imap_no(s, code, "too many messages at once");
}

/* limit_aside - the code, in a line of its own: the tagged one has another. */
static void limit_aside(struct postern_imap *s, const char *code)
{
    write_text(s, "* NO [");
    write_text(s, code);
    write_text(s, "] not all of them were worked on\r\n");
}

void imap_partly(struct postern_imap *s, bool good, const char *code, const char *text)
{
    const char *limit = s->limit_uid ? code_of(s, imap_limit(s), s->limit_uid) : NULL;

    if (s->failed)
        return;
    if (limit && code)
        limit_aside(s, limit);
    if (good)
        imap_ok(s, code ? code : limit, text);
    else
        imap_no(s, code, text);
}
