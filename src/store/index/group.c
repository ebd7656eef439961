/* SPDX-License-Identifier: MIT */
/* group - the words of the log: how a change is written down, and what it does when it is taken in.
 * The same code applies a change that was just committed and one that is read back, so memory and
 * file cannot drift apart. An entry: its kind, its length, its body. */
#include "store/index/index.h"

#include "base/span.h"
#include <stdlib.h>

enum entry_kind {
    ENTRY_FACTS = 1,
    ENTRY_KEYWORD,
    ENTRY_DROPPED,
    ENTRY_ROW,
    ENTRY_EXPUNGE,
    ENTRY_DOOM,
    ENTRY_CLEAR
};

struct entry_head {
    uint32_t kind, length;
    uint64_t id; /* of the mailbox */
};

struct entry_expunge {
    struct postern_uid_range range;
    uint64_t modseq, files_gone;
};

static struct postern_span bytes_of(const void *p, size_t n)
{
    return span_make(p, n);
}

/* entry - a fixed part and up to two texts behind it. */
static void entry(struct buffer *group, enum entry_kind kind, uint64_t id,
                  struct postern_span fixed, struct postern_span a, struct postern_span b)
{
    struct entry_head head = {.kind = kind, .length = (uint32_t)(fixed.n + a.n + b.n), .id = id};

    buffer_append(group, bytes_of(&head, sizeof head));
    buffer_append(group, fixed);
    buffer_append(group, a);
    buffer_append(group, b);
}

static const struct postern_span none = {"", 0};

void group_facts(struct buffer *group, const struct index_facts *facts, struct postern_span name,
                 struct postern_span dir)
{
    struct buffer texts = {0};

    buffer_append(&texts, name);
    buffer_append_char(&texts, '\0');
    buffer_append(&texts, dir);
    entry(group, ENTRY_FACTS, facts->id, bytes_of(facts, sizeof *facts), buffer_span(&texts), none);
    if (texts.error)
        group->error = texts.error;
    buffer_done(&texts);
}

void group_keyword(struct buffer *group, uint64_t id, struct postern_span keyword)
{
    entry(group, ENTRY_KEYWORD, id, keyword, none, none);
}

void group_dropped(struct buffer *group, uint64_t id)
{
    entry(group, ENTRY_DROPPED, id, none, none, none);
}

void group_row(struct buffer *group, uint64_t id, const struct index_row *row,
               struct postern_span name, struct postern_span unique)
{
    entry(group, ENTRY_ROW, id, bytes_of(row, sizeof *row), name, unique);
}

void group_expunge(struct buffer *group, uint64_t id, struct postern_uid_range range,
                   uint64_t modseq, bool files_gone)
{
    struct entry_expunge body = {range, modseq, files_gone};

    entry(group, ENTRY_EXPUNGE, id, bytes_of(&body, sizeof body), none, none);
}

void group_doom(struct buffer *group, uint64_t id, unsigned sub, struct postern_span name)
{
    char which = (char)sub;

    entry(group, ENTRY_DOOM, id, span_make(&which, 1), name, none);
}

void group_clear(struct buffer *group, uint64_t id)
{
    entry(group, ENTRY_CLEAR, id, none, none, none);
}

/* ---- taking in ------------------------------------------------------------------------------- */

static bool copy_text(struct postern_span text, struct postern_span *copy_r)
{
    char *copy = malloc(text.n + 1); /* UNSAFE: no wrap, text lies in memory */

    if (!copy)
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    *copy_r = span_make(copy, text.n);
    return true;
}

static int take_facts(struct index *index, uint64_t id, struct postern_span body)
{
    struct index_mailbox *mailbox = index_mailbox_of(index, id);
    struct postern_span text, name, dir;
    struct index_facts facts;

    text = span_from(body, sizeof facts);
    if (body.n < sizeof facts || memchr(text.p, '\0', text.n) == NULL)
        return POSTERN_E_CORRUPT;
    memcpy(&facts, body.p, sizeof facts);
    if (!mailbox && !(mailbox = index_mailbox_add(index, id)))
        return POSTERN_E_NOMEM;
    if (!copy_text(text, &dir))
        return POSTERN_E_NOMEM;
    name = span_cut(&dir, '\0');
    free((char *)mailbox->name.p); /* and with it dir */
    mailbox->name = name;
    mailbox->dir = dir;
    /* never back, whoever wrote it */
    if (facts.uid_validity == mailbox->facts.uid_validity &&
        facts.uid_next < mailbox->facts.uid_next)
        facts.uid_next = mailbox->facts.uid_next;
    if (facts.modseq < mailbox->facts.modseq)
        facts.modseq = mailbox->facts.modseq;
    mailbox->facts = facts;
    return 0;
}

static int take_keyword(struct index_mailbox *mailbox, struct postern_span body)
{
    struct postern_span *all;

    if (mailbox->keyword_count >= POSTERN_KEYWORDS_MAX)
        return POSTERN_E_CORRUPT;
    all = realloc(mailbox->keywords, (mailbox->keyword_count + 1) * sizeof *all);
    if (!all)
        return POSTERN_E_NOMEM;
    mailbox->keywords = all;
    if (!copy_text(body, &all[mailbox->keyword_count]))
        return POSTERN_E_NOMEM;
    mailbox->keyword_count++;
    return 0;
}

static int take_row(struct index_mailbox *mailbox, struct postern_span body)
{
    struct index_row row;
    struct postern_span strings;

    if (body.n < sizeof row)
        return POSTERN_E_CORRUPT;
    memcpy(&row, body.p, sizeof row);
    strings = span_from(body, sizeof row);
    if (strings.n && strings.n != (size_t)row.name_n + row.unique_n)
        return POSTERN_E_CORRUPT;
    return mailbox_put_row(mailbox, &row, strings, strings.n == 0);
}

static int take_expunge(struct index_mailbox *mailbox, struct postern_span body)
{
    struct entry_expunge expunge;
    int err = 0;

    if (body.n != sizeof expunge)
        return POSTERN_E_CORRUPT;
    memcpy(&expunge, body.p, sizeof expunge);
    mailbox_expunge(mailbox, expunge.range, expunge.modseq, expunge.files_gone, &err);
    return err;
}

static int take_doom(struct index_mailbox *mailbox, struct postern_span body)
{
    if (body.n < 2 || body.n > 256 || (unsigned char)body.p[0] >= INDEX_SUBS)
        return POSTERN_E_CORRUPT;
    doomed_add(&mailbox->doomed, (unsigned char)body.p[0], span_from(body, 1));
    return mailbox->doomed.error;
}

static int take_entry(struct index *index, const struct entry_head *head, struct postern_span body)
{
    struct index_mailbox *mailbox = index_mailbox_of(index, head->id);

    if (head->kind == ENTRY_FACTS)
        return take_facts(index, head->id, body);
    if (!mailbox)
        return POSTERN_E_CORRUPT;
    switch (head->kind) {
    case ENTRY_KEYWORD:
        return take_keyword(mailbox, body);
    case ENTRY_DROPPED:
        index_mailbox_drop(index, head->id);
        return 0;
    case ENTRY_ROW:
        return take_row(mailbox, body);
    case ENTRY_EXPUNGE:
        return take_expunge(mailbox, body);
    case ENTRY_DOOM:
        return take_doom(mailbox, body);
    case ENTRY_CLEAR:
        buffer_done(&mailbox->doomed);
        return 0;
    default:
        return POSTERN_E_CORRUPT;
    }
}

int index_take(struct index *index, struct postern_span body)
{
    struct entry_head head;
    int err = 0;

    while (!err && body.n) {
        if (body.n < sizeof head)
            return POSTERN_E_CORRUPT;
        memcpy(&head, body.p, sizeof head);
        body = span_from(body, sizeof head);
        if (head.length > body.n)
            return POSTERN_E_CORRUPT;
        err = take_entry(index, &head, span_make(body.p, head.length));
        body = span_from(body, head.length);
    }
    return err;
}
