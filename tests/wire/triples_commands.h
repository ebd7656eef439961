/* SPDX-License-Identifier: MIT */
/* triples_commands - every command of IMAP, with what it does to the model. One that stands in the
 * wrong state is BAD and does nothing; the rest is here. */
#ifndef TESTS_TRIPLES_COMMANDS_H
#define TESTS_TRIPLES_COMMANDS_H

#include "triples_model.h"
#include <stddef.h>

enum {
    NUMBERS = 1, /* it speaks of message numbers: not with UIDONLY */
    KEEPS = 2,   /* it may not be told what is gone (RFC 9051 7.5.1) */
    QUIET = 4,   /* no news: the mailbox is left, or no command */
    OTHERS = 8,  /* what somebody else does: the client says nothing */
    ALONE = 16,  /* not in one packet with others: what stands behind it is swallowed */
    DROPS = 32   /* refused before its message came, it brings no news */
};

struct command {
    const char *text;
    unsigned states, flags;
    enum result (*act)(struct model *m);
};

static enum result act_ok(struct model *m)
{
    (void)m;
    return OK;
}

static enum result act_bad(struct model *m)
{
    (void)m;
    return BAD;
}

/* ---- sessions -------------------------------------------------------------------------------- */

static enum result act_login(struct model *m)
{
    m->state = IN;
    m->failures = 0;
    return OK;
}

static enum result act_wrong(struct model *m)
{
    if (++m->failures == 3)
        m->state = OVER;
    return NO;
}

static enum result act_logout(struct model *m)
{
    m->state = OVER;
    return OK;
}

static enum result act_unauthenticate(struct model *m)
{
    m->state = OUT;
    m->uid_only = m->silent = false;
    return OK;
}

static enum result act_notify(struct model *m)
{
    m->silent = false;
    return OK;
}

static enum result act_silence(struct model *m)
{
    m->silent = true;
    return OK;
}

static enum result act_uid_only(struct model *m)
{
    m->uid_only = true;
    return OK;
}

static enum result act_select(struct model *m)
{
    model_select(m, &m->inbox, false);
    return OK;
}

static enum result act_examine(struct model *m)
{
    model_select(m, &m->inbox, true);
    return OK;
}

static enum result act_select_other(struct model *m)
{
    model_select(m, &m->other, false);
    return OK;
}

static enum result act_select_nowhere(struct model *m)
{
    model_select(m, NULL, false);
    return NO;
}

static enum result act_close(struct model *m)
{
    if (!m->read_only)
        model_expunge(m, 0);
    model_select(m, NULL, false);
    return OK;
}

static enum result act_unselect(struct model *m)
{
    model_select(m, NULL, false);
    return OK;
}

/* ---- mailboxes ------------------------------------------------------------------------------- */

static enum result act_create(struct model *m)
{
    enum result result = m->has_fresh ? NO : OK;

    m->has_fresh = true;
    return result;
}

static enum result act_delete(struct model *m)
{
    enum result result = m->has_spare ? OK : NO;

    m->has_spare = false;
    return result;
}

static enum result act_rename(struct model *m)
{
    if (!m->has_spare || m->has_moved)
        return NO;
    m->has_spare = false;
    m->has_moved = true;
    return OK;
}

static enum result act_append(struct model *m)
{
    box_add(&m->inbox, false);
    return OK;
}

/* ---- messages: the first of the view, or UID 1 ----------------------------------------------- */

static enum result act_numbered(struct model *m)
{
    return m->view_n ? OK : BAD;
}

static enum result act_fetch(struct model *m)
{
    for (unsigned i = 0; i < m->view_n; i++)
        if (box_find(m->selected, m->view[i]) < 0)
            return NO; /* RFC 9051 7.5.1, RFC 5530 EXPUNGEISSUED */
    return act_numbered(m);
}

static enum result delete_uid(struct model *m, uint32_t uid)
{
    int at = box_find(m->selected, uid);

    if (m->read_only)
        return NO;
    if (view_has(m, uid) && at >= 0)
        m->selected->deleted[at] = true;
    return OK;
}

static enum result act_store(struct model *m)
{
    if (!m->view_n)
        return BAD;
    if (box_find(m->selected, m->view[0]) < 0)
        return NO; /* its flags are owed and cannot be told: EXPUNGEISSUED */
    return delete_uid(m, m->view[0]);
}

static enum result act_uid_store(struct model *m)
{
    return delete_uid(m, 1);
}

/* copy_uid - a UID that is gone is passed over, a number stands for a message (RFC 9051 6.4.9); to
 * who wants no news a UID stands for one, too. */
static enum result copy_uid(struct model *m, uint32_t uid, bool moves, bool by_number)
{
    if (moves && m->read_only)
        return NO;
    if (!view_has(m, uid))
        return OK;
    if (box_find(m->selected, uid) < 0)
        return by_number || m->silent ? NO : OK;
    box_add(&m->other, m->selected->deleted[box_find(m->selected, uid)]);
    if (moves)
        box_remove(m->selected, uid);
    return OK;
}

static enum result act_copy(struct model *m)
{
    return m->view_n ? copy_uid(m, m->view[0], false, true) : BAD;
}

static enum result act_move(struct model *m)
{
    return m->view_n ? copy_uid(m, m->view[0], true, true) : BAD;
}

static enum result act_uid_copy(struct model *m)
{
    return copy_uid(m, 1, false, false);
}

static enum result act_uid_move(struct model *m)
{
    return copy_uid(m, 1, true, false);
}

static enum result replace_uid(struct model *m, uint32_t uid)
{
    if (m->read_only || !view_has(m, uid))
        return NO;
    box_remove(m->selected, uid);
    view_remove(m, uid); /* also if it was gone before */
    box_add(&m->inbox, false);
    return OK;
}

static enum result act_replace(struct model *m)
{
    return m->view_n ? replace_uid(m, m->view[0]) : BAD;
}

static enum result act_uid_replace(struct model *m)
{
    return replace_uid(m, 1);
}

static enum result act_expunge(struct model *m)
{
    if (m->read_only)
        return NO;
    model_expunge(m, 0);
    return OK;
}

static enum result act_uid_expunge(struct model *m)
{
    if (m->read_only)
        return NO;
    model_expunge(m, 2);
    return OK;
}

/* ---- somebody else --------------------------------------------------------------------------- */

static enum result act_removed(struct model *m)
{
    box_remove(&m->inbox, 1);
    return OK;
}

static enum result act_delivered(struct model *m)
{
    box_add(&m->inbox, false);
    return OK;
}

/* ---- the table ------------------------------------------------------------------------------- */

static const struct command commands[] = {
    {"CAPABILITY", ANY, 0, act_ok},
    {"NOOP", ANY, 0, act_ok},
    {"LOGOUT", ANY, QUIET, act_logout},
    {"ID NIL", ANY, 0, act_ok},
    {"LANGUAGE en", ANY, 0, act_ok},
    {"STARTTLS", OUT, ALONE, act_bad},
    {"AUTHENTICATE PLAIN AGFubgBzZWNyZXQ=", OUT, 0, act_login},
    {"LOGIN ann secret", OUT, 0, act_login},
    {"LOGIN ann wrong", OUT, 0, act_wrong},
    {"UNAUTHENTICATE", IN | SELECTED, QUIET, act_unauthenticate},
    {"ENABLE CONDSTORE", IN | SELECTED, 0, act_ok},
    {"ENABLE QRESYNC", IN | SELECTED, 0, act_ok},
    {"ENABLE IMAP4rev2", IN | SELECTED, 0, act_ok},
    {"ENABLE UIDONLY", IN | SELECTED, 0, act_uid_only},
    {"SELECT INBOX", IN | SELECTED, QUIET, act_select},
    {"SELECT other", IN | SELECTED, QUIET, act_select_other},
    {"SELECT nowhere", IN | SELECTED, QUIET, act_select_nowhere},
    {"EXAMINE INBOX", IN | SELECTED, QUIET, act_examine},
    {"CREATE fresh", IN | SELECTED, 0, act_create},
    {"DELETE spare", IN | SELECTED, 0, act_delete},
    {"RENAME spare moved", IN | SELECTED, 0, act_rename},
    {"SUBSCRIBE other", IN | SELECTED, 0, act_ok},
    {"UNSUBSCRIBE other", IN | SELECTED, 0, act_ok},
    {"LIST \"\" *", IN | SELECTED, 0, act_ok},
    {"LSUB \"\" *", IN | SELECTED, 0, act_ok},
    {"XLIST \"\" *", IN | SELECTED, 0, act_ok},
    {"NAMESPACE", IN | SELECTED, 0, act_ok},
    {"STATUS other (MESSAGES UIDNEXT)", IN | SELECTED, 0, act_ok},
    {"GETQUOTA \"\"", IN | SELECTED, 0, act_ok},
    {"GETQUOTAROOT INBOX", IN | SELECTED, 0, act_ok},
    {"SETQUOTA \"\" (STORAGE 100)", IN | SELECTED, 0, act_ok},
    {"GETACL INBOX", IN | SELECTED, 0, act_ok},
    {"SETACL other bob lr", IN | SELECTED, 0, act_ok},
    {"DELETEACL other bob", IN | SELECTED, 0, act_ok},
    {"LISTRIGHTS INBOX bob", IN | SELECTED, 0, act_ok},
    {"MYRIGHTS INBOX", IN | SELECTED, 0, act_ok},
    {"GETMETADATA \"\" /private/comment", IN | SELECTED, 0, act_ok},
    {"SETMETADATA \"\" (/private/comment \"x\")", IN | SELECTED, 0, act_ok},
    {"NOTIFY SET (SELECTED-DELAYED (MessageNew MessageExpunge))", IN | SELECTED, 0, act_notify},
    {"NOTIFY NONE", IN | SELECTED, 0, act_silence},
    {"APPEND INBOX {4+}\r\nmail", IN | SELECTED, 0, act_append},
    {"IDLE\r\nDONE", IN | SELECTED, 0, act_ok},
    {"CHECK", SELECTED, 0, act_ok},
    {"CLOSE", SELECTED, QUIET, act_close},
    {"UNSELECT", SELECTED, QUIET, act_unselect},
    {"EXPUNGE", SELECTED, 0, act_expunge},
    {"UID EXPUNGE 2", SELECTED, 0, act_uid_expunge},
    {"SEARCH ALL", SELECTED, NUMBERS | KEEPS, act_ok},
    {"UID SEARCH DELETED", SELECTED, 0, act_ok},
    {"SORT (SUBJECT) UTF-8 ALL", SELECTED, NUMBERS | KEEPS, act_ok},
    {"THREAD REFERENCES UTF-8 ALL", SELECTED, NUMBERS | KEEPS, act_ok},
    {"ESEARCH IN (personal) ALL", IN | SELECTED, 0, act_ok},
    {"CANCELUPDATE \"x\"", SELECTED, 0, act_ok},
    {"UIDBATCHES 500", SELECTED, 0, act_ok},
    {"FETCH 1:* (UID FLAGS)", SELECTED, NUMBERS | KEEPS, act_fetch},
    {"UID FETCH 1:* (FLAGS)", SELECTED, 0, act_ok},
    {"STORE 1 +FLAGS (\\Deleted)", SELECTED, NUMBERS | KEEPS, act_store},
    {"UID STORE 1 +FLAGS.SILENT (\\Deleted)", SELECTED, 0, act_uid_store},
    {"COPY 1 other", SELECTED, NUMBERS, act_copy},
    {"UID COPY 1 other", SELECTED, 0, act_uid_copy},
    {"MOVE 1 other", SELECTED, NUMBERS, act_move},
    {"UID MOVE 1 other", SELECTED, 0, act_uid_move},
    {"REPLACE 1 INBOX {4+}\r\nmore", SELECTED, NUMBERS | DROPS, act_replace},
    {"UID REPLACE 1 INBOX {4+}\r\nmore", SELECTED, DROPS, act_uid_replace},
    {"FROB", ANY, QUIET, act_bad},
    {"NOOP x", ANY, 0, act_bad},
    {"expunge", ANY, OTHERS, act_removed},
    {"deliver", ANY, OTHERS, act_delivered},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

/* model_do - a command, and what the client is told with its end. */
static inline enum result model_do(struct model *m, const struct command *command)
{
    bool may = command->states & m->state && !(command->flags & NUMBERS && m->uid_only);
    struct model_box before = m->selected ? *m->selected : (struct model_box){.n = 0};
    enum result result = may ? command->act(m) : BAD;

    if (command->flags & DROPS && (!may || result == NO))
        return result;
    if (m->state != SELECTED || command->flags & (QUIET | OTHERS))
        return result;
    if (m->silent)
        model_own_news(m, &before);
    else
        model_news(m, !(command->flags & KEEPS));
    return result;
}

#endif
