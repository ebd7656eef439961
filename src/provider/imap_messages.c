/* SPDX-License-Identifier: MIT */
/* imap_messages - the questions about messages of the selected mailbox: looking, reading, changing,
 * copying, deleting; and new ones. */
#include "provider/imap_side.h"

#include "base/memory.h"
#include "base/span.h"

static struct postern_span mailbox_of(const struct postern_visit *v)
{
    return buffer_span(&v->imap->mailbox);
}

void imap_messages(struct postern_visit *v)
{
    const struct imap_side *side = v->imap;
    const struct postern_imap_question *q = &side->question;
    const struct shown *now = &side->now;
    size_t first = shown_place(now, q->range.first), count = 0;

    while (first + count < now->count && count < q->count &&
           now->all[first + count].uid <= q->range.last)
        count++;
    postern_imap_answer_messages(side->engine, q->id, 0, now->all + first, count);
}

/* ---- reading --------------------------------------------------------------------------------- */

void imap_body_end(struct postern_visit *v)
{
    struct imap_side *side = v->imap;

    postern_mime_free(&side->mime);
    if (side->body)
        visit_body_done(v, side->body->id);
    side->body = NULL;
}

static void open_message(struct postern_visit *v, void (*opened)(struct postern_visit *, int))
{
    const struct postern_provider *provider = &v->service->provider;
    struct postern_body *body = body_open(v);
    struct postern_token token;

    imap_body_end(v);
    v->imap->body_uid = v->imap->question.uid;
    token = visit_ask(v, opened);
    if (body)
        visit_result(v, provider->fetch(provider->ctx, token, buffer_span(&v->user), mailbox_of(v),
                                        v->imap->question.uid, body));
    else
        visit_result(v, POSTERN_E_NOMEM);
}

static void structure_answer(struct postern_visit *v, int err, struct postern_span block)
{
    postern_imap_answer_structure(v->imap->engine, v->imap->question.id, err, block);
    postern_mime_free(&v->imap->mime);
}

/* parsed - a piece of it; none: the end. */
static void parsed(struct postern_visit *v, int err, struct postern_span octets)
{
    struct imap_side *side = v->imap;
    struct postern_span block = {NULL, 0};

    if (err < 0) {
        structure_answer(v, err, block);
    } else if (octets.n == 0) {
        err = postern_mime_end(side->mime, &block);
        structure_answer(v, err, block);
    } else {
        postern_mime_feed(side->mime, octets);
        v->reading.offset += octets.n;
        side->again = true;
    }
}

/* parse_on - a loop as long as the pieces come at once. */
static void parse_on(struct postern_visit *v);

static void parsed_piece(struct postern_visit *v, int err, struct postern_span octets)
{
    parsed(v, err, octets);
    if (v->imap->again && !v->imap->looping)
        parse_on(v);
}

static void parse_on(struct postern_visit *v)
{
    struct imap_side *side = v->imap;

    side->looping = true;
    do {
        side->again = false;
        body_read(v);
    } while (side->again);
    side->looping = false;
}

static void structure_opened(struct postern_visit *v, int result)
{
    struct imap_side *side = v->imap;
    int err;

    side->body = body_opened(v, result, &err);
    if (side->body)
        err = postern_mime_new(&side->mime, NULL, NULL);
    if (err) {
        structure_answer(v, err, (struct postern_span){NULL, 0});
        return;
    }
    v->reading = (struct reading){.body = side->body, .length = READ_BYTES, .took = parsed_piece};
    parse_on(v);
}

void imap_structure(struct postern_visit *v)
{
    open_message(v, structure_opened);
}

static void content_answer(struct postern_visit *v, int err)
{
    const struct imap_side *side = v->imap;

    postern_imap_answer_content(side->engine, side->question.id, err,
                                side->body ? side->body->id : 0);
}

static void content_opened(struct postern_visit *v, int result)
{
    int err;

    v->imap->body = body_opened(v, result, &err);
    content_answer(v, err);
}

/* imap_content - it may be open already, to be parsed. */
void imap_content(struct postern_visit *v)
{
    if (v->imap->body && v->imap->body_uid == v->imap->question.uid)
        content_answer(v, 0);
    else
        open_message(v, content_opened);
}

static void read_took(struct postern_visit *v, int err, struct postern_span octets)
{
    postern_imap_answer_read(v->imap->engine, v->imap->question.id, err, octets);
}

void imap_read(struct postern_visit *v)
{
    const struct postern_imap_question *q = &v->imap->question;

    v->reading = (struct reading){.body = body_of(v, q->content),
                                  .offset = q->offset,
                                  .length = q->length,
                                  .took = read_took};
    body_read(v);
}

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
        show(v, mailbox_of(v), true, store_shown); /* the application's word is what counts */
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
        begin = write_words(side, changed(q->how, info->keywords, keywords));
        side->letters[n++] = (struct postern_letter){
            .uid = info->uid,
            .flags = (uint32_t)changed(q->how, info->flags, q->flags & POSTERN_FLAGS_ALL),
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
                                                mailbox_of(v), side->letters, n));
}

/* ---- copies, deletion ------------------------------------------------------------------------ */

static void target_shown(struct postern_visit *v, int err)
{
    struct imap_side *side = v->imap;

    /* they are there; if only their validity cannot be told, they are not told */
    postern_imap_answer_uids(side->engine, side->question.id, 0, err ? 0 : side->next.uid_validity,
                             side->uids, side->question.uid_count);
}

static void copied(struct postern_visit *v, int result)
{
    int err = visit_err(result);

    if (err)
        uids_answer(v, err);
    else
        show(v, v->imap->question.name, false, target_shown);
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
        visit_result(v, provider->copy(provider->ctx, token, buffer_span(&v->user), mailbox_of(v),
                                       q->uids, q->uid_count, q->name, q->on, v->imap->uids));
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
                                            mailbox_of(v), q->uids, q->uid_count)
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
