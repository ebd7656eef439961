/* SPDX-License-Identifier: MIT */
/* imap_letters - the questions that change messages: flags, copies, deletion, new ones. */
#include "provider/imap_side.h"

#include "base/memory.h"
#include "base/span.h"

/* ---- flags ----------------------------------------------------------------------------------- */

static void uids_answer(struct postern_visit *v, int err)
{
    postern_imap_answer_uids(v->imap->engine, v->imap->question.id, err, 0, NULL, 0);
}

static void store_shown(struct postern_visit *v, int err)
{
    struct imap_side *side = v->imap;

    if (!err) {
        shown_take(side);
        postern_imap_keywords(side->engine, side->names, side->keyword_count);
    }
    uids_answer(v, err);
}

static void stored(struct postern_visit *v, int result)
{
    int err = visit_err(result);

    memory_free(NULL, v->imap->letters);
    v->imap->letters = NULL;
    buffer_done(&v->imap->words);
    if (err)
        uids_answer(v, err);
    else
        show(v, imap_selected_name(v), true,
             store_shown); /* the application's word is what counts */
}

static uint64_t changed(enum postern_flags_how how, uint64_t before, uint64_t change)
{
    return how == POSTERN_FLAGS_ADD      ? before | change
           : how == POSTERN_FLAGS_REMOVE ? before & ~change
                                         : change;
}

/* write_words - of a set of keywords; where they begin in side->words. */
static size_t write_words(struct imap_side *side, uint64_t keywords)
{
    size_t begin = buffer_length(&side->words);

    for (size_t i = 0; i < side->keyword_count; i++)
        if (keywords >> i & 1) {
            if (buffer_length(&side->words) > begin)
                buffer_append_char(&side->words, ' ');
            buffer_append(&side->words, side->names[i]);
        }
    return begin;
}

/* flags_for, keywords_for - what a message is to have: as the user asked, but for what his rights
 * are not for. */
static uint32_t flags_for(const struct postern_imap_question *q,
                          const struct postern_message_info *info)
{
    uint32_t asked = (uint32_t)changed(q->how, info->flags, q->flags & POSTERN_FLAGS_ALL);

    if (q->kind == POSTERN_IMAP_COPY)
        return info->flags & ~q->kept_flags;
    return (asked & ~q->kept_flags) | (info->flags & q->kept_flags);
}

static uint64_t keywords_for(const struct postern_imap_question *q,
                             const struct postern_message_info *info, uint64_t keywords)
{
    if (q->kind == POSTERN_IMAP_COPY)
        return q->kept_keywords ? 0 : info->keywords;
    return q->kept_keywords ? info->keywords : changed(q->how, info->keywords, keywords);
}

/* fill_letters - how they are to be; keywords as offsets until all are there: the buffer moves. */
static size_t fill_letters(struct imap_side *side, uint64_t keywords)
{
    const struct postern_imap_question *q = &side->question;
    size_t n = 0;

    for (size_t i = 0; i < q->uid_count; i++) {
        const struct postern_message_info *info = shown_find(&side->now, q->uids[i]);
        size_t begin;

        if (!info)
            continue;
        begin = write_words(side, keywords_for(q, info, keywords));
        side->letters[n++] =
            (struct postern_letter){.uid = q->kind == POSTERN_IMAP_COPY ? side->uids[i] : info->uid,
                                    .flags = flags_for(q, info),
                                    .keywords = {NULL, buffer_length(&side->words) - begin},
                                    .date_s = info->date_s,
                                    .size_bytes = info->size_wire};
    }
    for (size_t i = 0, at = 0; i < n; i++) {
        if (side->letters[i].keywords.n)
            side->letters[i].keywords.p = side->words.data + side->words.head + at;
        at += side->letters[i].keywords.n;
    }
    return n;
}

void imap_store(struct postern_visit *v)
{
    const struct postern_provider *provider = &v->service->provider;
    struct imap_side *side = v->imap;
    const struct postern_imap_question *q = &side->question;
    struct postern_token token = visit_ask(v, stored);
    uint64_t keywords = 0;
    int err = provider->store ? 0 : POSTERN_E_READ_ONLY;
    size_t n;

    for (size_t i = 0; i < q->keyword_count && !err; i++) {
        int number = shown_keyword(side, q->keywords[i]);

        if (number < 0)
            err = number;
        else
            keywords |= UINT64_C(1) << number;
    }
    side->letters = memory_new(NULL, (q->uid_count + 1) * sizeof *side->letters);
    if (!err && !side->letters)
        err = POSTERN_E_NOMEM;
    n = err ? 0 : fill_letters(side, keywords);
    if (!err && side->words.error)
        err = POSTERN_E_NOMEM;
    visit_result(v, err || !n ? err
                              : provider->store(provider->ctx, token, buffer_span(&v->user),
                                                imap_selected_name(v), side->letters, n));
}

/* ---- copies, deletion ------------------------------------------------------------------------ */

static void target_shown(struct postern_visit *v, int err)
{
    struct imap_side *side = v->imap;

    /* they are there; if only their validity cannot be told, they are not told */
    postern_imap_answer_uids(side->engine, side->question.id, 0, err ? 0 : side->next.uid_validity,
                             side->uids, side->question.uid_count);
}

/* trimmed - where that failed, the copies stay as they are. */
static void trimmed(struct postern_visit *v, int result)
{
    (void)result;
    memory_free(NULL, v->imap->letters);
    v->imap->letters = NULL;
    buffer_done(&v->imap->words);
    show(v, v->imap->question.name, false, target_shown);
}

/* trim - flags that the user has no right to set there are taken off the copies. */
static void trim(struct postern_visit *v)
{
    const struct postern_provider *provider = &v->service->provider;
    struct imap_side *side = v->imap;
    struct postern_token token = visit_ask(v, trimmed);
    size_t n;

    side->letters = memory_new(NULL, (side->question.uid_count + 1) * sizeof *side->letters);
    n = side->letters ? fill_letters(side, 0) : 0;
    visit_result(v, n && !side->words.error
                        ? provider->store(provider->ctx, token, buffer_span(&v->user),
                                          side->question.name, side->letters, n)
                        : POSTERN_E_NOMEM);
}

static void copied(struct postern_visit *v, int result)
{
    const struct postern_imap_question *q = &v->imap->question;
    int err = visit_err(result);

    if (err)
        uids_answer(v, err);
    else if ((q->kept_flags || q->kept_keywords) && v->service->provider.store)
        trim(v);
    else
        show(v, q->name, false, target_shown);
}

void imap_copy(struct postern_visit *v)
{
    const struct postern_provider *provider = &v->service->provider;
    const struct postern_imap_question *q = &v->imap->question;
    struct postern_token token = visit_ask(v, copied);

    memory_free(NULL, v->imap->uids);
    v->imap->uids = memory_new(NULL, (q->uid_count + 1) * sizeof *v->imap->uids);
    if (!provider->copy || !v->imap->uids)
        visit_result(v, provider->copy ? POSTERN_E_NOMEM : POSTERN_E_UNSUPPORTED);
    else
        visit_result(v, provider->copy(provider->ctx, token, buffer_span(&v->user),
                                       imap_selected_name(v), q->uids, q->uid_count, q->name, q->on,
                                       v->imap->uids));
}

static void plain_answer(struct postern_visit *v, int result)
{
    postern_imap_answer(v->imap->engine, v->imap->question.id, visit_err(result));
}

void imap_expunge(struct postern_visit *v)
{
    const struct postern_provider *provider = &v->service->provider;
    const struct postern_imap_question *q = &v->imap->question;
    struct postern_token token = visit_ask(v, plain_answer);

    visit_result(v, provider->expunge
                        ? provider->expunge(provider->ctx, token, buffer_span(&v->user),
                                            imap_selected_name(v), q->uids, q->uid_count)
                        : POSTERN_E_READ_ONLY);
}

/* ---- new ones -------------------------------------------------------------------------------- */

void imap_append_end(struct imap_side *side)
{
    buffer_done(&side->letter_keywords);
    buffer_done(&side->octets);
    side->appending = false;
}

/* append_shown - the mailbox is there. */
static void append_shown(struct postern_visit *v, int err)
{
    struct imap_side *side = v->imap;
    const struct postern_imap_question *q = &side->question;

    for (size_t i = 0; i < q->keyword_count; i++) {
        if (i)
            buffer_append_char(&side->letter_keywords, ' ');
        buffer_append(&side->letter_keywords, q->keywords[i]);
    }
    side->letter = (struct postern_letter){.flags = q->flags & POSTERN_FLAGS_ALL,
                                           .keywords = buffer_span(&side->letter_keywords),
                                           .date_s = q->date_s};
    side->appending = !err;
    postern_imap_answer(side->engine, q->id, err ? err : side->letter_keywords.error);
}

void imap_append(struct postern_visit *v)
{
    imap_append_end(v->imap);
    if (v->service->provider.append)
        show(v, v->imap->question.name, false, append_shown);
    else
        postern_imap_answer(v->imap->engine, v->imap->question.id, POSTERN_E_UNSUPPORTED);
}

void imap_write(struct postern_visit *v)
{
    struct imap_side *side = v->imap;

    buffer_append(&side->octets, side->question.bytes);
    postern_imap_answer(side->engine, side->question.id, side->octets.error);
}

static void appended(struct postern_visit *v, int result)
{
    struct imap_side *side = v->imap;
    int err = visit_err(result);

    postern_imap_answer_uids(side->engine, side->question.id, err, side->next.uid_validity,
                             &side->letter.uid, side->letter.uid ? 1 : 0);
    imap_append_end(side);
}

void imap_commit(struct postern_visit *v)
{
    const struct postern_provider *provider = &v->service->provider;
    struct imap_side *side = v->imap;
    struct postern_token token = visit_ask(v, appended);

    if (!side->appending) {
        visit_result(v, POSTERN_E_USAGE);
        return;
    }
    side->letter.size_bytes = postern_wire_size(buffer_span(&side->octets));
    visit_result(v,
                 provider->append(provider->ctx, token, buffer_span(&v->user), side->question.name,
                                  &side->letter, buffer_span(&side->octets), &side->letter.uid));
}
