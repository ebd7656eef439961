/* SPDX-License-Identifier: MIT */
/* imap_side - what a visit has besides when it speaks IMAP: the selected mailbox as it was last
 * shown, and what the open question gathers. */
#ifndef PROVIDER_IMAP_SIDE_H
#define PROVIDER_IMAP_SIDE_H

#include "base/buffer.h"
#include "provider/visit.h"
#include <postern/mime.h>

/* struct shown - a mailbox as the application showed it. */
struct shown {
    struct postern_message_info *all;
    size_t count, room;
    uint32_t uid_validity, uid_next;
    uint64_t modseq; /* counts what changed since it was selected */
    bool read_only;
};

/* struct named - a mailbox of the list; name: owned. */
struct named {
    char *name;
    size_t name_n;
    enum postern_special_use special;
    bool subscribed, exists;
};

struct imap_side {
    struct postern_imap *engine;
    struct postern_imap_question question;
    struct buffer mailbox; /* the selected one's name; empty: none */
    struct shown now, next;
    bool keeps_keywords; /* next is the selected mailbox, or to be */
    char *keywords[POSTERN_KEYWORDS_MAX];
    struct postern_span names[POSTERN_KEYWORDS_MAX]; /* the same */
    size_t keyword_count;
    void (*then)(struct postern_visit *v, int err); /* the mailbox was shown */
    /* LIST */
    struct named *list;
    size_t list_count, list_room, list_at;
    struct postern_status *statuses;
    bool looping, again;
    bool watching;       /* watch() was told: on */
    bool list_permitted; /* the rights to the one at list_at are known */
    /* RIGHTS, ACL */
    uint32_t rights;
    struct postern_span above;
    struct postern_acl *acl; /* identifiers: owned */
    size_t acl_count, acl_room;
    /* the message that is read */
    const struct body *body;
    uint32_t body_uid;
    struct postern_mime *mime;
    /* STORE */
    struct postern_letter *letters;
    struct buffer words;
    /* COPY, APPEND */
    uint32_t *uids;
    bool appending;
    struct postern_letter letter;
    struct buffer letter_keywords, octets;
};

static inline struct postern_span imap_selected_name(const struct postern_visit *v)
{
    return buffer_span(&v->imap->mailbox);
}

/* imap_side_new - the session and its side. 0, POSTERN_E_NOMEM, _USAGE. */
int imap_side_new(struct postern_visit *v, const struct postern_tls_facts *tls);
void imap_side_free(struct postern_visit *v);
void imap_pump(struct postern_visit *v);

/* shown.c */
/* show - have the application show a mailbox: it is v->imap->next; then() is told. */
void show(struct postern_visit *v, struct postern_span mailbox, bool keeps_keywords,
          void (*then)(struct postern_visit *v, int err));
/* shown_take - next is now: what is new gets a new mod-sequence. */
void shown_take(struct imap_side *side);
void shown_done(struct shown *shown);
/* shown_place - how many have a lower UID. */
size_t shown_place(const struct shown *shown, uint32_t uid);
struct postern_message_info *shown_find(const struct shown *shown, uint32_t uid);
/* shown_keyword - its number, made if need be; <0 an error. */
int shown_keyword(struct imap_side *side, struct postern_span name);
void shown_forget_keywords(struct imap_side *side);

/* imap_side_loop - the step, and again whenever it is asked for within it: a thousand mailboxes, or
 * levels of a name, make no thousand stack frames. */
void imap_side_loop(struct postern_visit *v, void (*step)(struct postern_visit *v));
/* imap_rights.c: imap_ask_rights - into v->imap->rights; finish() is told. */
void imap_ask_rights(struct postern_visit *v, struct postern_span mailbox,
                     void (*finish)(struct postern_visit *v, int result));
void imap_acl_end(struct imap_side *side);

/* imap_mailboxes.c: imap_count_into - what is shown, in numbers. */
void imap_count_into(struct postern_status *status, const struct shown *shown);

/* by kind of question */
void imap_rights(struct postern_visit *v);
void imap_acl(struct postern_visit *v);
void imap_set_acl(struct postern_visit *v);
void imap_list(struct postern_visit *v);
void imap_status(struct postern_visit *v);
void imap_change(struct postern_visit *v);
void imap_select(struct postern_visit *v);
void imap_news(struct postern_visit *v);
void imap_messages(struct postern_visit *v);
void imap_structure(struct postern_visit *v);
void imap_content(struct postern_visit *v);
void imap_read(struct postern_visit *v);
void imap_store(struct postern_visit *v);
void imap_copy(struct postern_visit *v);
void imap_expunge(struct postern_visit *v);
void imap_append(struct postern_visit *v);
void imap_write(struct postern_visit *v);
void imap_commit(struct postern_visit *v);
/* what is left behind */
void imap_list_end(struct imap_side *side);
void imap_body_end(struct postern_visit *v);
void imap_append_end(struct imap_side *side);
void imap_leave(struct postern_visit *v);

#endif
