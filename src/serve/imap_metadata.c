/* SPDX-License-Identifier: MIT */
/* imap_metadata - METADATA and SET_METADATA: the annotations of an account or a mailbox. */
#include "serve/imap_session.h"

#include "base/span.h"

/* note_metadata - its texts in s->names, the spans as offsets until all are there. */
static int note_metadata(void *ctx, const struct postern_metadata *one)
{
    struct serve_imap *s = ctx;
    struct postern_metadata copy = {{NULL, one->entry.n}, {NULL, one->value.n}};

    buffer_append(&s->names, one->entry);
    buffer_append(&s->names, one->value);
    buffer_append(&s->statuses, span_make((const char *)&copy, sizeof copy));
    return s->names.error || s->statuses.error ? POSTERN_E_NOMEM : 0;
}

/* note_shared_metadata - of another's mailbox: private entries are its owner's alone. */
static int note_shared_metadata(void *ctx, const struct postern_metadata *one)
{
    return span_begins_nocase(one->entry, SPAN("/shared/")) ? note_metadata(ctx, one) : 0;
}

static int metadata_work(struct serve_imap *s, unsigned wait_flag)
{
    struct imap_place place;
    int err = imap_place(s, s->question.name, wait_flag, &place);

    if (err)
        return err;
    return imap_ops(s)->metadata(place.account, place.name,
                                 place.owner.n ? note_shared_metadata : note_metadata, s);
}

static void metadata_finish(struct serve_imap *s, int err)
{
    struct postern_metadata *all =
        (struct postern_metadata *)(uintptr_t)buffer_span(&s->statuses).p;
    size_t count = buffer_length(&s->statuses) / sizeof *all;
    const char *at = buffer_span(&s->names).p;

    if (err < 0)
        login_log_error(&s->login, "metadata", err);
    for (size_t i = 0; i < count; i++) {
        all[i].entry.p = at;
        all[i].value.p = at + all[i].entry.n; /* there is an entry: it is not NULL */
        at += all[i].entry.n + all[i].value.n;
    }
    postern_imap_answer_metadata(s->engine, s->question.id, err, all, err ? 0 : count);
    buffer_done(&s->statuses);
    buffer_done(&s->names);
}

static int set_metadata_work(struct serve_imap *s, unsigned wait_flag)
{
    const struct postern_imap_question *q = &s->question;
    struct imap_place place;
    int err = imap_place(s, q->name, wait_flag, &place);

    for (size_t i = 0; i < q->metadata_count && !err && place.owner.n; i++)
        if (!span_begins_nocase(q->metadata[i].entry, SPAN("/shared/")))
            err = POSTERN_E_DENIED;
    return err ? err
               : imap_ops(s)->set_metadata(place.account, place.name, q->metadata,
                                           q->metadata_count);
}

const struct imap_work imap_metadata_work = {.work = metadata_work, .finish = metadata_finish};
const struct imap_work imap_set_metadata_work = {
    .work = set_metadata_work, .finish = imap_finish_plain, .writes = true};
