/* SPDX-License-Identifier: MIT */
/* cmd-fetch - FETCH: messages in batches (fetch_batch.c), items in the order they were asked for,
 * sections as the output drains (fetch_octets.c). Memory does not depend on how many messages or
 * octets there are. */
#include "proto/imap/commands.h"
#include "proto/imap/fetch.h"

/* I 7.1-3 I 3516:4.3-4 */
void fetch_finish(struct postern_imap *s)
{
    struct imap_fetch *fetch = s->fetch;

    s->work = NULL;
    buffer_done(&fetch->structures.own);
    buffer_done(&fetch->header);
    if (fetch->then)
        fetch->then(s);
    else if (fetch->unknown)
        imap_partly(s, false, "UNKNOWN-CTE", "a part is encoded by means that are not known");
    else if (fetch->missing && !s->by_uid)
        imap_partly(s, false, "EXPUNGEISSUED", "some of the messages are gone");
    else
        imap_partly(s, true, NULL, "done");
}

/* ---- one message ----------------------------------------------------------------------------- */

const struct postern_message_info *fetch_info(const struct imap_fetch *fetch)
{
    return &fetch->batch[fetch->at];
}

static void write_item(struct postern_imap *s, enum fetch_kind kind);

/* write_unasked - what belongs to flags that the command changed (RFC 7162 3.2.4).
 * I 7162:3.2.4-2 */
static void write_unasked(struct postern_imap *s, bool wanted, enum fetch_kind kind)
{
    if (!wanted)
        return;
    write_text(s, " ");
    write_item(s, kind);
}

static void message_over(struct postern_imap *s)
{
    struct imap_fetch *fetch = s->fetch;

    if (fetch->newly_seen[fetch->at]) {
        write_unasked(s, !fetch->has_flags, FETCH_FLAGS);
        write_unasked(s, s->condstore && !fetch->has_uid && !s->uid_only, FETCH_UID);
        write_unasked(s, s->condstore && !fetch->has_modseq, FETCH_MODSEQ);
        imap_told(s, fetch_info(fetch)->uid, fetch_info(fetch)->modseq);
    }
    write_text(s, ")\r\n");
    if (fetch->has_content)
        imap_tell(s, POSTERN_IMAP_CONTENT_DONE, fetch->content);
    fetch->has_content = fetch->in_message = false;
    fetch->at++;
}

static void write_message(struct postern_imap *s)
{
    struct imap_fetch *fetch = s->fetch;

    fetch->in_message = true;
    fetch->any = false;
    fetch->item = fetch->items;
    imap_write_message(s, fetch_info(fetch)->uid, false);
}

static void took_structures(struct postern_imap *s, const struct imap_answer *answer)
{
    s->work = fetch_go;
    if (answer->err) { /* gone, or it cannot be read: the others can */
        s->fetch->missing = true;
        s->fetch->at++;
    } else if (structures_take(s, &s->fetch->structures, answer)) {
        write_message(s);
    }
}

/* ask_structures - of this message, and those of the batch behind it. */
static void ask_structures(struct postern_imap *s)
{
    struct imap_fetch *fetch = s->fetch;
    size_t count = 0;

    for (size_t i = fetch->at; i < fetch->batch_n; i++)
        if (fetch->batch[i].modseq > fetch->changed_since)
            fetch->wanted[count++] = fetch->batch[i].uid;
    s->work = NULL;
    s->question = (struct postern_imap_question){
        .uid = fetch->wanted[0], .uids = fetch->wanted, .uid_count = count};
    imap_ask(s, POSTERN_IMAP_STRUCTURE, took_structures);
}

/* I 7162:3.1.4.1-1 */
static void begin_message(struct postern_imap *s)
{
    struct imap_fetch *fetch = s->fetch;

    if (!view_number(&s->view, fetch_info(fetch)->uid) ||
        fetch_info(fetch)->modseq <= fetch->changed_since) {
        fetch->at++;
        return;
    }
    if (!fetch->needs_block || structures_have(&fetch->structures, fetch_info(fetch)->uid))
        write_message(s);
    else
        ask_structures(s);
}

/* ---- items ----------------------------------------------------------------------------------- */

/* I 8474:5.1-1 I 8474:5.2-1 */
static void write_id(struct postern_imap *s, const struct postern_message_info *info)
{
    if (!info->email_id) {
        write_text(s, "EMAILID NIL");
        return;
    }
    write_text(s, "EMAILID (E");
    write_number(s, info->email_id);
    write_text(s, ")");
}

static void write_envelope(struct postern_imap *s, struct postern_span block)
{
    struct postern_span kept = mime_kept_envelope(block);
    struct list list = write_list(s);

    write_span(s, kept);
    if (!kept.p)
        mime_write_envelope(&list, block, 0);
}

static void write_body(struct postern_imap *s, struct postern_span block, bool extended)
{
    struct postern_span kept = extended ? mime_kept_body(block) : (struct postern_span){0};
    struct list list = write_list(s);

    write_span(s, kept);
    if (!kept.p)
        mime_write_body(&list, block, extended);
}

/* I 2.3.4-1 I 6.4.5-10 */
static void write_item(struct postern_imap *s, enum fetch_kind kind)
{
    const struct postern_message_info *info = fetch_info(s->fetch);

    switch (kind) {
    case FETCH_UID:
        write_text(s, "UID ");
        write_number(s, info->uid);
        break;
    case FETCH_FLAGS:
        write_text(s, "FLAGS ");
        write_flags(s, info->flags, info->keywords, view_is_recent(&s->view, info->uid));
        break;
    case FETCH_DATE:
        write_text(s, "INTERNALDATE ");
        write_date_time(s, info->date_s);
        break;
    case FETCH_SIZE:
        write_text(s, "RFC822.SIZE ");
        write_number(s, info->size_wire);
        break;
    case FETCH_MODSEQ:
        write_text(s, "MODSEQ (");
        write_number(s, info->modseq);
        write_text(s, ")");
        break;
    case FETCH_SAVEDATE:
        write_text(s, "SAVEDATE ");
        if (info->saved_s)
            write_date_time(s, info->saved_s);
        else
            write_text(s, "NIL");
        break;
    case FETCH_EMAILID:
        write_id(s, info);
        break;
    case FETCH_THREADID:
        write_text(s, "THREADID NIL");
        break;
    case FETCH_ENVELOPE:
        write_text(s, "ENVELOPE ");
        write_envelope(s, s->fetch->structures.block);
        break;
    default:
        write_text(s, kind == FETCH_BODY ? "BODY " : "BODYSTRUCTURE ");
        write_body(s, s->fetch->structures.block, kind == FETCH_BODYSTRUCTURE);
        break;
    }
}

static void item_go(struct postern_imap *s)
{
    struct imap_fetch *fetch = s->fetch;

    if (!fetch->item) {
        message_over(s);
        return;
    }
    if (fetch->any)
        write_text(s, " ");
    fetch->any = true;
    if (fetch->item->kind >= FETCH_SECTION) {
        fetch_section_go(s);
        return;
    }
    write_item(s, fetch->item->kind);
    fetch->item = fetch->item->next;
}

void fetch_go(struct postern_imap *s)
{
    struct imap_fetch *fetch = s->fetch;

    if (fetch->stream.active)
        fetch_stream_go(s);
    else if (fetch->in_message)
        item_go(s);
    else if (fetch->at < fetch->batch_n)
        begin_message(s);
    else
        fetch_next_batch(s);
}

/* take_part - of the messages asked for (RFC 9394 3.3), before it is seen what changed (3.4).
 * false: the command is answered.
 * I 9394:3.3-1 I 9394:3.4-1 */
static bool take_part(struct postern_imap *s, struct imap_fetch *fetch)
{
    uint32_t *uids = NULL, limit = imap_limit(s);
    size_t count, first, n;

    if (limit && fetch->partial.last - fetch->partial.first >= limit) { /* RFC 9738 3.1 */
        imap_no_limit(s, limit, 0);
        return false;
    }
    count = imap_set_uids(s, &fetch->set, &uids);
    search_slice(&fetch->partial, count, &first, &n);
    if (!s->failed)
        imap_uids_set(s, uids + first, n, &fetch->set);
    return !s->failed;
}

bool fetch_new(struct postern_imap *s)
{
    struct imap_fetch *fetch = arena_alloc(&s->arena, sizeof *fetch);

    if (!fetch) {
        imap_no_memory(s);
        return false;
    }
    memset(fetch, 0, sizeof *fetch);
    fetch->structures.own = fetch->header =
        (struct buffer){.allocator = s->o.allocator, .plain = true};
    s->fetch = fetch;
    return true;
}

void fetch_begin(struct postern_imap *s, void (*then)(struct postern_imap *s))
{
    s->fetch->then = then;
    s->work = fetch_go;
    imap_advance(s);
}

/* begin - the messages that are asked for, and not too many of them. */
static void begin(struct postern_imap *s)
{
    struct imap_fetch *fetch = s->fetch;

    if (!(fetch->has_partial ? take_part(s, fetch) : imap_limit_cut_set(s, &fetch->set)))
        return;
    s->told_falls = s->limit_uid;
    s->work = fetch_go;
    imap_advance(s);
}

/* vanished - of the UIDs asked for, those that are gone (RFC 7162 3.2.6).
 * I 7162:3.2.6-2 */
static void vanished(struct postern_imap *s, const struct imap_answer *answer)
{
    struct imap_set gone = {NULL, 0};

    if (!answer->err && s->fetch->changed_since <= s->view.modseq)
        gone = imap_set_copy(s, answer->ranges, answer->count);
    if (s->fetch->set.count) /* NULL would be any */
        imap_write_earlier(s, s->fetch->set, gone, 0);
    begin(s);
}

void imap_cmd_fetch(struct postern_imap *s)
{
    struct imap_fetch *fetch;

    if (!fetch_new(s))
        return;
    fetch = s->fetch;
    if (!fetch_parse(s, fetch))
        return;
    if (fetch->vanished) { /* before it is cut */
        s->question = (struct postern_imap_question){.since = fetch->changed_since};
        imap_ask(s, POSTERN_IMAP_VANISHED, vanished);
    } else {
        begin(s);
    }
}

void imap_fetch_abort(struct postern_imap *s)
{
    if (!s->fetch)
        return;
    buffer_done(&s->fetch->structures.own);
    buffer_done(&s->fetch->header);
    preview_done(&s->fetch->preview);
}
