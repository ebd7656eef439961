/* SPDX-License-Identifier: MIT */
/* shown - a mailbox as the application shows it, each time whole; what changed between two times is
 * found out here, and counted with mod-sequences of the session's own. */
#include "provider/imap_side.h"

#include "base/memory.h"
#include "base/span.h"

void shown_done(struct shown *shown)
{
    memory_free(NULL, shown->all);
    *shown = (struct shown){.all = NULL};
}

size_t shown_place(const struct shown *shown, uint32_t uid)
{
    size_t low = 0, high = shown->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (shown->all[middle].uid < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct postern_message_info *shown_find(const struct shown *shown, uint32_t uid)
{
    size_t place = shown_place(shown, uid);

    return place < shown->count && shown->all[place].uid == uid ? &shown->all[place] : NULL;
}

/* ---- keywords -------------------------------------------------------------------------------- */

int shown_keyword(struct imap_side *side, struct postern_span name)
{
    char *copy;

    for (size_t i = 0; i < side->keyword_count; i++)
        if (span_equal_nocase(side->names[i], name))
            return (int)i;
    if (name.n > POSTERN_KEYWORD_MAX)
        return POSTERN_E_TOO_LONG;
    if (side->keyword_count == POSTERN_KEYWORDS_MAX)
        return POSTERN_E_FULL;
    copy = memory_resize(NULL, NULL, name.n + 1);
    if (!copy)
        return POSTERN_E_NOMEM;
    memcpy(copy, name.p, name.n);
    side->keywords[side->keyword_count] = copy;
    side->names[side->keyword_count] = span_make(copy, name.n);
    return (int)side->keyword_count++;
}

void shown_forget_keywords(struct imap_side *side)
{
    while (side->keyword_count)
        memory_free(NULL, side->keywords[--side->keyword_count]);
}

static int bits_of(struct imap_side *side, struct postern_span words, uint64_t *bits_r)
{
    *bits_r = 0;
    while (words.n) {
        struct postern_span word = span_cut(&words, ' ');
        int number = word.n ? shown_keyword(side, word) : 0;

        if (number < 0)
            return number;
        if (word.n)
            *bits_r |= UINT64_C(1) << number;
    }
    return 0;
}

/* ---- showing --------------------------------------------------------------------------------- */

static int add_shown(struct imap_side *side, const struct postern_letter *letter)
{
    struct shown *next = &side->next;
    struct postern_message_info info = {.uid = letter->uid,
                                        .flags = letter->flags & POSTERN_FLAGS_ALL,
                                        .date_s = letter->date_s,
                                        .size_wire = letter->size_bytes};
    int err = side->keeps_keywords ? bits_of(side, letter->keywords, &info.keywords) : 0;

    if (err < 0)
        return err;
    if (next->count == next->room) {
        size_t room = next->room ? next->room * 2 : 64;
        struct postern_message_info *more = memory_resize(NULL, next->all, room * sizeof *more);

        if (!more)
            return POSTERN_E_NOMEM;
        next->all = more;
        next->room = room;
    }
    next->all[next->count++] = info;
    return 0;
}

int postern_letters_add(struct postern_letters *letters, const struct postern_letter *letter)
{
    struct postern_visit *v = letters->builder;

    if (letter->uid <= v->last_uid || letter->size_bytes == POSTERN_SIZE_UNKNOWN)
        return POSTERN_E_USAGE;
    v->last_uid = letter->uid;
    return v->imap ? add_shown(v->imap, letter) : visit_inbox_add(v, letter);
}

static void took(struct postern_visit *v, int result)
{
    struct imap_side *side = v->imap;

    side->next.uid_validity = v->letters.uid_validity;
    side->next.uid_next = v->letters.uid_next > v->last_uid ? v->letters.uid_next : v->last_uid + 1;
    side->next.read_only = v->letters.read_only;
    side->then(v, visit_err(result));
}

void show(struct postern_visit *v, struct postern_span mailbox, bool keeps_keywords,
          void (*then)(struct postern_visit *v, int err))
{
    const struct postern_provider *provider = &v->service->provider;
    struct postern_token token = visit_ask(v, took);

    v->imap->next.count = 0;
    v->imap->keeps_keywords = keeps_keywords;
    v->imap->then = then;
    visit_letters_begin(v);
    visit_result(
        v, provider->messages(provider->ctx, token, buffer_span(&v->user), mailbox, &v->letters));
}

void shown_take(struct imap_side *side)
{
    struct shown *now = &side->now, *next = &side->next, spare = *now;
    uint64_t modseq = now->modseq ? now->modseq : 1;
    size_t at = 0, kept = 0;
    bool changed = false;

    for (size_t i = 0; i < next->count; i++) {
        struct postern_message_info *info = &next->all[i];

        while (at < now->count && now->all[at].uid < info->uid)
            at++;
        info->modseq = now->modseq ? modseq + 1 : modseq;
        if (at < now->count && now->all[at].uid == info->uid) {
            kept++;
            if (now->all[at].flags == info->flags && now->all[at].keywords == info->keywords)
                info->modseq = now->all[at].modseq;
        }
        changed |= info->modseq > modseq;
    }
    changed |= kept < now->count;
    next->modseq = changed ? modseq + 1 : modseq;
    *now = *next;
    spare.count = 0;
    *next = spare;
}
