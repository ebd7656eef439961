/* SPDX-License-Identifier: MIT */
/* cmd-store - STORE (RFC 9051 6.4.6, RFC 7162 3.1.3). Every message that was named is answered with
 * its flags, changed or not, unless .SILENT; what others did meanwhile comes with the news.
 *
 * Trap: after a .SILENT the client takes the flags it knew, with its change, for the message's.
 * That holds only if nobody else changed them before; so the news come first, and where a
 * mod-sequence shows that somebody came in between, the flags are told all the same. */
#include "proto/imap/commands.h"
#include "proto/imap/rights.h"

#define STORE_BATCH 256

struct imap_store {
    struct imap_set set;
    struct imap_flags flags;
    enum postern_flags_how how;
    bool silent, conditional;
    bool missing; /* messages that were named are gone, and not told to be */
    uint64_t since;
    uint32_t *uids;
    size_t uid_count;
    size_t range; /* being told */
    uint32_t next_uid;
    const char *modified; /* the code, or NULL */
    uint64_t known;       /* mod-sequence up to which the client knew all before */
};

/* I 7162:7-1 I 6.4.6-3 */
static void parse_store(struct postern_imap *s, struct imap_store *store)
{
    parse_space(&s->in);
    parse_set(s, &s->in, s->by_uid, &store->set);
    parse_space(&s->in);
    if (parse_try(&s->in, '(')) {
        if (!parse_try_word(&s->in, "UNCHANGEDSINCE"))
            s->in.bad = true;
        parse_space(&s->in);
        store->since = parse_number(&s->in, INT64_MAX);
        store->conditional = true;
        imap_enable_condstore(s);
        parse_char(&s->in, ')');
        parse_space(&s->in);
    }
    store->how = parse_try(&s->in, '+')   ? POSTERN_FLAGS_ADD
                 : parse_try(&s->in, '-') ? POSTERN_FLAGS_REMOVE
                                          : POSTERN_FLAGS_SET;
    store->silent = parse_try_word(&s->in, "FLAGS.SILENT");
    if (!store->silent && !parse_try_word(&s->in, "FLAGS"))
        s->in.bad = true;
    parse_space(&s->in);
    parse_flags(s, &s->in, &store->flags);
}

/* ---- telling --------------------------------------------------------------------------------- */

static void tell_more(struct postern_imap *s);

/* range_at - from the highest down where not all were worked on (RFC 9738 3.1). */
static const struct postern_uid_range *range_at(const struct postern_imap *s)
{
    const struct imap_store *store = s->store;

    return &store->set.ranges[s->limit_uid ? store->set.count - 1 - store->range : store->range];
}

static void write_modseq(struct postern_imap *s, const struct postern_message_info *info)
{
    imap_write_message(s, info->uid, true);
    write_text(s, "MODSEQ (");
    write_number(s, info->modseq);
    write_text(s, "))\r\n");
}

/* was_refused - UNCHANGEDSINCE kept it as it was: its flags are told, too (RFC 7162 3.1.3). What
 * was changed just now has a mod-sequence of now, what needed no change an old one.
 * I 7162:3.1.3-6 */
static bool was_refused(const struct imap_store *store, const struct postern_message_info *info)
{
    return store->conditional && info->modseq > store->since && info->modseq <= store->known;
}

/* note_missing - whatever of the view lies there and did not come is gone. */
static void note_missing(struct postern_imap *s, const struct imap_answer *answer)
{
    struct postern_uid_range range = s->question.range;

    if (answer->err)
        return;
    if (answer->count == STORE_BATCH && !s->limit_uid)
        range.last = answer->messages[answer->count - 1].uid;
    s->store->missing |=
        view_place(&s->view, range.last + 1) - view_place(&s->view, range.first) > answer->count;
}

/* I 7162:3.1.3-5 I 6.4.6-1 I 6.4.6-2 */
static void tell(struct postern_imap *s, const struct imap_answer *answer)
{
    struct imap_store *store = s->store;
    struct postern_uid_range asked = s->question.range;

    for (size_t i = 0; !answer->err && i < answer->count; i++) {
        const struct postern_message_info *info =
            &answer->messages[s->limit_uid ? answer->count - 1 - i : i];

        if (!view_number(&s->view, info->uid))
            continue;
        if (!store->silent || info->modseq > store->known + 1 || was_refused(store, info))
            imap_write_changed(s, info);
        else if (s->condstore)
            write_modseq(s, info);
        imap_told(s, info->uid, info->modseq);
    }
    note_missing(s, answer);
    if (s->limit_uid && asked.first > range_at(s)->first) {
        store->next_uid = asked.first - 1;
    } else if (!s->limit_uid && !answer->err && answer->count == STORE_BATCH &&
               answer->messages[answer->count - 1].uid < asked.last) {
        store->next_uid = answer->messages[answer->count - 1].uid + 1;
    } else {
        store->range++;
        store->next_uid = 0;
    }
    s->work = tell_more;
}

/* store_finish - who set flags by number hears that some of the messages are gone; after .SILENT
 * nothing is missed (RFC 2180 4.2). I 7.1-3 */
static void store_finish(struct postern_imap *s)
{
    const struct imap_store *store = s->store;

    if (store->missing && !s->by_uid && !store->silent)
        imap_partly(s, false, store->modified ? store->modified : "EXPUNGEISSUED",
                    "some of the messages are gone");
    else
        imap_partly(s, true, store->modified, "done");
}

static void tell_more(struct postern_imap *s)
{
    struct imap_store *store = s->store;
    struct postern_uid_range range;

    s->work = NULL;
    if (store->range == store->set.count) {
        store_finish(s);
        return;
    }
    range = imap_batch_range(s, *range_at(s), store->next_uid, STORE_BATCH);
    s->question = (struct postern_imap_question){.range = range, .count = STORE_BATCH};
    imap_ask(s, POSTERN_IMAP_MESSAGES, tell);
}

static void append_range(struct buffer *code, uint32_t first, uint32_t last)
{
    if (buffer_span(code).n > strlen("MODIFIED "))
        buffer_append_char(code, ',');
    buffer_append_number(code, first);
    if (first == last)
        return;
    buffer_append_char(code, ':');
    buffer_append_number(code, last);
}

/* note_modified - "MODIFIED 1,3:4": numbers, or UIDs (RFC 7162 3.1.3).
 * I 7162:3.1.3-3 I 7162:3.1.3-4 I 7162:3.1.3-9 */
static void note_modified(struct postern_imap *s, const struct imap_answer *answer)
{
    struct buffer code = {.allocator = s->o.allocator};
    struct postern_span text;
    uint32_t first = 0, last = 0;

    buffer_append_text(&code, "MODIFIED ");
    for (size_t i = 0; i < answer->count; i++) {
        uint32_t number = view_number(&s->view, answer->uids[i]);
        uint32_t shown = s->by_uid && number ? answer->uids[i] : number;

        if (!shown)
            continue;
        if (first && shown != last + 1)
            append_range(&code, first, last);
        if (!first || shown != last + 1)
            first = shown;
        last = shown;
    }
    if (first)
        append_range(&code, first, last);
    buffer_append_char(&code, '\0');
    if (code.error || arena_copy(&s->arena, buffer_span(&code), &text) < 0)
        imap_no_memory(s);
    else if (first)
        s->store->modified = text.p;
    buffer_done(&code);
}

/* I 7162:3.1.3-2 */
static void stored(struct postern_imap *s, const struct imap_answer *answer)
{
    if (answer->err) {
        imap_refuse(s, answer->err);
        return;
    }
    if (s->store->conditional)
        note_modified(s, answer);
    s->work = tell_more;
}

/* store_now - the news are told. */
static void store_now(struct postern_imap *s)
{
    struct imap_store *store = s->store;

    s->after_news = NULL;
    store->known = s->view.modseq;
    s->question = (struct postern_imap_question){.uids = store->uids,
                                                 .uid_count = store->uid_count,
                                                 .how = store->how,
                                                 .flags = store->flags.flags,
                                                 .keywords = store->flags.keywords,
                                                 .keyword_count = store->flags.count,
                                                 .conditional = store->conditional,
                                                 .since = store->since};
    rights_keep(&s->question, s->rights);
    imap_ask(s, POSTERN_IMAP_STORE, stored);
}

/* permit - only what the rights are for is changed (RFC 4314 4); false: that is nothing. */
static bool permit(struct postern_imap *s, struct imap_store *store)
{
    uint32_t flags = store->flags.flags & rights_flags(s->rights);
    size_t count = rights_has(s, POSTERN_RIGHT_WRITE) ? store->flags.count : 0;
    bool names_any = store->flags.flags || store->flags.count;
    bool sets = store->how == POSTERN_FLAGS_SET;

    if (names_any ? !flags && !count : sets && !rights_flags(s->rights))
        return false;
    if (flags != store->flags.flags || count != store->flags.count ||
        (sets && !rights_has(s, RIGHTS_FLAGS)))
        store->silent = false; /* else the client would believe that all was done */
    store->flags.flags = flags;
    store->flags.count = count;
    return true;
}

/* I 7162:3.1.3-7 I 7.1-6 I 6.4.6-5 */
void imap_cmd_store(struct postern_imap *s)
{
    struct imap_store *store = arena_alloc(&s->arena, sizeof *store);

    if (!store) {
        imap_no_memory(s);
        return;
    }
    *store = (struct imap_store){0};
    s->store = store;
    parse_store(s, store);
    if (!imap_good(s))
        return;
    if (s->read_only) {
        imap_no(s, "READ-ONLY", "the mailbox can only be read");
        return;
    }
    if (!permit(s, store)) {
        imap_refuse(s, POSTERN_E_DENIED);
        return;
    }
    if (!imap_limit_cut_set(s, &store->set))
        return;
    s->told_falls = s->limit_uid;
    store->uid_count = imap_set_uids(s, &store->set, &store->uids);
    if (!store->uid_count) {
        imap_ok(s, NULL, "done");
        return;
    }
    s->after_news = store_now;
    imap_news_ask(s);
}
