/* SPDX-License-Identifier: MIT */
/* imap_messages - the questions about messages of the selected mailbox: looking and reading. */
#include "provider/imap_side.h"

#include "base/memory.h"
#include "base/span.h"

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
        visit_result(v, provider->fetch(provider->ctx, token, buffer_span(&v->user),
                                        imap_selected_name(v), v->imap->question.uid, body));
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
        imap_side_loop(v, body_read);
    }
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
    v->reading = (struct reading){.body = side->body, .length = READ_BYTES, .took = parsed};
    imap_side_loop(v, body_read);
}

void imap_structure(struct postern_visit *v)
{
    open_message(v, structure_opened);
}

static void content_answer(struct postern_visit *v, int err)
{
    const struct imap_side *side = v->imap;

    postern_imap_answer_content(side->engine, side->question.id, err,
                                side->body ? side->body->id : 0, POSTERN_SIZE_UNKNOWN);
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
