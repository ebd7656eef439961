/* SPDX-License-Identifier: MIT */
/* notify_metadata - which annotations changed (RFC 5465 5.6, 5.7): their names are told, those that
 * are gone as well. */
#include "proto/imap/metadata.h"
#include "proto/imap/notify.h"

/* struct note - an annotation that was told; its name stands behind. */
struct note {
    uint64_t stamp;
    size_t n;
};

/* ---- notes ----------------------------------------------------------------------------------- */

static void free_one(struct postern_imap *s, struct notify_notes *notes)
{
    buffer_done(&notes->entries);
    (void)imap_set_text(s, &notes->mailbox, (struct postern_span){NULL, 0}); /* takes no memory */
    memory_free(s->o.allocator, notes);
}

void notify_free_notes(struct postern_imap *s, struct imap_notify *notify)
{
    while (notify->notes) {
        struct notify_notes *notes = notify->notes;

        notify->notes = notes->next;
        free_one(s, notes);
    }
}

static struct notify_notes **notes_of(struct imap_notify *notify, struct postern_span mailbox)
{
    struct notify_notes **at = &notify->notes;

    while (*at && !span_equal((*at)->mailbox, mailbox))
        at = &(*at)->next;
    return at;
}

bool notify_has_notes(const struct postern_imap *s, struct postern_span mailbox)
{
    return *notes_of(s->notify, mailbox);
}

void notify_rename_notes(struct postern_imap *s, struct postern_span from, struct postern_span to)
{
    struct notify_notes *notes = *notes_of(s->notify, from);

    if (notes && imap_set_text(s, &notes->mailbox, to) < 0)
        imap_no_memory(s);
}

/* take_note - the next; false: there is none. */
static bool take_note(struct postern_span *rest, struct note *note_r, struct postern_span *name_r)
{
    if (rest->n < sizeof *note_r)
        return false;
    memcpy(note_r, rest->p, sizeof *note_r);
    *name_r = span_make(rest->p + sizeof *note_r, note_r->n);
    *rest = span_from(*rest, sizeof *note_r + note_r->n);
    return true;
}

/* ---- telling --------------------------------------------------------------------------------- */

struct telling {
    struct postern_span mailbox;
    bool any;
};

static void tell(struct postern_imap *s, struct telling *telling, struct postern_span entry)
{
    if (!telling->any) {
        write_text(s, "* METADATA ");
        if (telling->mailbox.n)
            write_mailbox(s, telling->mailbox);
        else
            write_text(s, "\"\"");
    }
    telling->any = true;
    write_text(s, " ");
    metadata_write_name(s, entry);
}

static bool is_noted(struct postern_span notes, const struct postern_metadata *one)
{
    struct postern_span name;
    struct note note;

    while (take_note(&notes, &note, &name))
        if (span_equal_nocase(name, one->entry))
            return note.stamp == span_hash(one->value);
    return false;
}

static bool is_there(const struct imap_answer *answer, struct postern_span name)
{
    for (size_t i = 0; i < answer->count; i++)
        if (span_equal_nocase(answer->metadata[i].entry, name))
            return true;
    return false;
}

static void tell_changes(struct postern_imap *s, struct postern_span mailbox,
                         struct postern_span notes, const struct imap_answer *answer)
{
    struct telling telling = {.mailbox = mailbox};
    struct postern_span name;
    struct note note;

    for (size_t i = 0; i < answer->count; i++)
        if (!is_noted(notes, &answer->metadata[i]))
            tell(s, &telling, answer->metadata[i].entry);
    while (take_note(&notes, &note, &name))
        if (!is_there(answer, name))
            tell(s, &telling, name);
    if (telling.any)
        write_text(s, "\r\n");
}

/* note_all - NULL: out of memory. */
static struct notify_notes *note_all(struct postern_imap *s, struct postern_span mailbox,
                                     const struct imap_answer *answer)
{
    struct notify_notes *notes = memory_new(s->o.allocator, sizeof *notes);

    if (!notes)
        return NULL;
    notes->entries.allocator = s->o.allocator;
    for (size_t i = 0; i < answer->count; i++) {
        struct note note = {span_hash(answer->metadata[i].value), answer->metadata[i].entry.n};

        buffer_append(&notes->entries, span_make((const char *)&note, sizeof note));
        buffer_append(&notes->entries, answer->metadata[i].entry);
    }
    if (notes->entries.error || imap_set_text(s, &notes->mailbox, mailbox) < 0) {
        free_one(s, notes);
        return NULL;
    }
    return notes;
}

static void took(struct postern_imap *s, const struct imap_answer *answer)
{
    struct imap_notify *notify = s->notify;
    struct postern_span mailbox = notify->asked[notify->asked_at];
    struct notify_notes **at = notes_of(notify, mailbox), *before = *at, *now;

    s->work = notify_ask_metadata;
    if (!answer->err && notify->asked_tells[notify->asked_at])
        tell_changes(s, mailbox, before ? buffer_span(&before->entries) : SPAN(""), answer);
    notify->asked_at++;
    if (answer->err) /* it is gone by now */
        return;
    now = note_all(s, mailbox, answer);
    if (!now) {
        imap_no_memory(s);
        return;
    }
    if (before) {
        *at = before->next;
        free_one(s, before);
    }
    now->next = notify->notes;
    notify->notes = now;
}

void notify_ask_metadata(struct postern_imap *s)
{
    struct imap_notify *notify = s->notify;

    s->work = NULL;
    if (notify->asked_at == notify->asked_count) {
        notify_end_aside(s);
        return;
    }
    s->question = (struct postern_imap_question){.name = notify->asked[notify->asked_at]};
    imap_ask(s, POSTERN_IMAP_METADATA, took);
}
