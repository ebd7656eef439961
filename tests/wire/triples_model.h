/* SPDX-License-Identifier: MIT */
/* triples_model - what a session of IMAP is, as far as its client can tell: its state, what is in
 * two mailboxes, and which messages the client was told of. As simple as it can be said; the
 * commands over it are in triples_commands.h. */
#ifndef TESTS_TRIPLES_MODEL_H
#define TESTS_TRIPLES_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#define MODEL_MESSAGES 16

enum { OUT = 1, IN = 2, SELECTED = 4, OVER = 8, ANY = OUT | IN | SELECTED };
enum result { OK, NO, BAD };

/* struct model_box - a mailbox. */
struct model_box {
    uint32_t uids[MODEL_MESSAGES];
    bool deleted[MODEL_MESSAGES];
    unsigned n;
    uint32_t next;
};

struct model {
    unsigned state;
    struct model_box inbox, other;
    struct model_box *selected;
    bool read_only, uid_only;
    bool silent; /* NOTIFY NONE: only what the client itself removes is told */
    bool has_spare, has_moved, has_fresh;
    unsigned failures; /* of logins */
    /* what the client was told */
    uint32_t view[MODEL_MESSAGES];
    unsigned view_n;
    uint32_t view_next;
};

static inline void box_add(struct model_box *box, bool deleted)
{
    box->uids[box->n] = box->next++;
    box->deleted[box->n++] = deleted;
}

/* box_find - its place, or -1. */
static inline int box_find(const struct model_box *box, uint32_t uid)
{
    for (unsigned i = 0; i < box->n; i++)
        if (box->uids[i] == uid)
            return (int)i;
    return -1;
}

static inline void box_remove(struct model_box *box, uint32_t uid)
{
    int at = box_find(box, uid);

    if (at < 0)
        return;
    box->n--;
    for (unsigned i = (unsigned)at; i < box->n; i++) {
        box->uids[i] = box->uids[i + 1];
        box->deleted[i] = box->deleted[i + 1];
    }
}

static inline bool view_has(const struct model *m, uint32_t uid)
{
    for (unsigned i = 0; i < m->view_n; i++)
        if (m->view[i] == uid)
            return true;
    return false;
}

static inline void view_remove(struct model *m, uint32_t uid)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < m->view_n; i++)
        if (m->view[i] != uid)
            m->view[kept++] = m->view[i];
    m->view_n = kept;
}

/* model_select - the mailbox, and all that is in it; NULL: none. */
static inline void model_select(struct model *m, struct model_box *box, bool read_only)
{
    m->state = box ? SELECTED : IN;
    m->selected = box;
    m->read_only = read_only;
    m->view_n = 0;
    for (unsigned i = 0; box && i < box->n; i++)
        m->view[m->view_n++] = box->uids[i];
    m->view_next = box ? box->next : 0;
}

/* model_news - what was told with the end of a command; may_expunge: messages that are gone, too.
 */
static inline void model_news(struct model *m, bool may_expunge)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < m->view_n; i++)
        if (!may_expunge || box_find(m->selected, m->view[i]) >= 0)
            m->view[kept++] = m->view[i];
    m->view_n = kept;
    for (unsigned i = 0; i < m->selected->n; i++)
        if (m->selected->uids[i] >= m->view_next)
            m->view[m->view_n++] = m->selected->uids[i];
    m->view_next = m->selected->next;
}

/* model_own_news - to a client that wants no others: of those that it knows and that were in the
 * mailbox before its command, the ones that are gone. */
static inline void model_own_news(struct model *m, const struct model_box *before)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < m->view_n; i++)
        if (box_find(before, m->view[i]) < 0 || box_find(m->selected, m->view[i]) >= 0)
            m->view[kept++] = m->view[i];
    m->view_n = kept;
}

/* model_expunge - of those that the client knows, the \Deleted ones; only: this UID, 0 all. */
static inline void model_expunge(struct model *m, uint32_t only)
{
    for (unsigned i = 0; i < m->view_n; i++) {
        int at = box_find(m->selected, m->view[i]);

        if (at >= 0 && m->selected->deleted[at] && (!only || only == m->view[i]))
            box_remove(m->selected, m->view[i]);
    }
}

/* model_start - messages 1 to 3 in INBOX, of which 2 is \Deleted; one in "other"; nobody is logged
 * in. */
static inline void model_start(struct model *m)
{
    *m = (struct model){.state = OUT, .has_spare = true};
    m->inbox.next = m->other.next = 1;
    for (unsigned i = 0; i < 3; i++)
        box_add(&m->inbox, i == 1);
    box_add(&m->other, false);
}

#endif
