/* SPDX-License-Identifier: MIT */
/* imap_session - what the files of the IMAP joint share: the session, and what answers each kind of
 * question.
 *
 * A question is worked on at once where that needs no waiting, else on a worker. While a worker has
 * it the session is not freed: it is marked, and freed when the work comes home; so the work may
 * use the question's own spans. */
#ifndef SERVE_IMAP_SESSION_H
#define SERVE_IMAP_SESSION_H

#include "base/buffer.h"
#include "serve/login.h"
#include <postern/imap.h>

#define IMAP_APPENDS_MAX 1000

struct compress;
struct serve_imap;

/* struct imap_work - how a kind of question is answered. */
struct imap_work {
    /* work - on any thread. wait_flag: POSTERN_STORE_NO_WAIT, or 0. */
    int (*work)(struct serve_imap *s, unsigned wait_flag);
    void (*finish)(struct serve_imap *s, int err); /* on the loop; answers */
    bool tries_now; /* work() knows NO_WAIT: try before a worker is asked */
    bool writes;    /* refused where the site is read-only, and not called */
};

struct serve_imap {
    const struct serve_site *site;
    void *conn;
    struct postern_imap *engine;
    struct compress *compress; /* NULL: nothing is compressed */
    bool eof_due;              /* the peer said all, and the engine has not heard all of it */
    struct postern_imap_question question; /* the open one */
    struct login login;
    const struct imap_work *working; /* on a worker; NULL: not */
    int err;                         /* of that work */
    bool dead;                       /* to be freed when it comes home */
    struct postern_account *account;
    struct postern_account *guest; /* another's that was used last; NULL: none */
    struct buffer guest_name;
    struct postern_mailbox *mailbox; /* selected; NULL: none */
    struct buffer mailbox_owner;     /* empty: the user */
    struct postern_mailbox *other;   /* one that is only looked at; NULL: none */
    struct buffer other_name;
    struct postern_status other_status;
    bool is_other;  /* who logged in did so in this user's name: an administrator */
    bool wants_all; /* news of all of the account: the next LIST makes the watch; else of mailbox */
    struct postern_watch *watch;     /* NULL: none */
    struct postern_bell bell;        /* of it */
    bool takes_rest;                 /* of the octets that came last the engine has not had all */
    postern_time asked_at;           /* when the open question was; 0: its look will not do */
    postern_time looked_at;          /* at the selected mailbox, since they came; 0: not yet */
    unsigned look_flag;              /* POSTERN_STORE_LOOKED, or 0: it must be looked at again */
    struct postern_content *content; /* NULL: none open */
    uint64_t content_id, content_size;
    struct postern_mailbox *target; /* of APPEND */
    struct postern_delivery **deliveries;
    size_t delivery_count;
    bool replaces_after;  /* what they replace lies in another account */
    size_t keyword_count; /* of the mailbox, as told */
    /* what a question found */
    struct postern_status status;
    struct postern_quota quota;
    uint32_t rights;
    uint32_t uid_validity; /* of where messages went */
    uint32_t recent_from, first_unseen, selected_validity;
    bool unchanged;
    struct postern_span block;
    struct imap_shown *shown; /* parsed forms that the engine has; NULL: none */
    size_t shown_count;       /* of them that the question is answered with; 0: it is block */
    bool vanished_known;
    struct buffer infos, ranges, vanished, statuses, names, uids;
    uint64_t fetched, appended, expunged;
};

/* imap_ops - of the store. */
const struct postern_store_ops *imap_ops(const struct serve_imap *s);
/* struct imap_place - where a mailbox's name leads; lent until the next one is asked for. */
struct imap_place {
    struct postern_account *account;
    struct postern_span name;  /* in that account */
    struct postern_span owner; /* absent: the user */
};
/* imap_place - POSTERN_E_NOT_FOUND, or what opening an account returns. imap_guest - the account of
 * another, kept until another is named. imap_is_shared - by its name: whose it is, and how it is
 * called there. imap_leave_guest - it may be closed. */
int imap_place(struct serve_imap *s, struct postern_span name, unsigned wait_flag,
               struct imap_place *place_r);
int imap_guest(struct serve_imap *s, struct postern_span owner, unsigned wait_flag,
               struct postern_account **account_r);
bool imap_is_shared(const struct serve_imap *s, struct postern_span name,
                    struct postern_span *owner_r, struct postern_span *local_r);
void imap_leave_guest(struct serve_imap *s);
/* imap_place_rights - of the user, to what is there: POSTERN_E_NOT_FOUND, _CORRUPT. */
int imap_place_rights(struct serve_imap *s, const struct imap_place *place, unsigned wait_flag,
                      uint32_t *rights_r);
/* imap_carry - what COPY asks, into a mailbox of any account. */
int imap_carry(struct serve_imap *s, struct postern_mailbox *to, uint32_t *uids_r);
/* imap_note_status - of LIST. */
int imap_note_status(void *ctx, const struct postern_status *status);
/* imap_reach - the mailbox that the question names, which is kept open until another is named; or
 * the selected one. imap_leave_other - it may be closed. */
int imap_reach(struct serve_imap *s, unsigned wait_flag, struct postern_mailbox **box_r);
void imap_leave_other(struct serve_imap *s);
/* imap_take_ranges - into s->ranges. */
int imap_take_ranges(struct serve_imap *s, struct postern_mailbox *mailbox);
/* imap_note_range - the store's: to a struct buffer of ranges. */
int imap_note_range(void *ranges, struct postern_uid_range range);
/* imap_take_vanished - into s->vanished: what was expunged from the selected mailbox above `since`;
 * s->vanished_known. */
int imap_take_vanished(struct serve_imap *s, uint64_t since);
/* imap_look_again - no look that was begun so far will do, neither one that a worker is at. */
void imap_look_again(struct serve_imap *s);
/* imap_go - the open question: done now, or by a worker. */
void imap_go(struct serve_imap *s);
/* imap_login.c: AUTHENTICATE and AUTH_LOOKUP; LOGIN. */
void imap_login_init(struct serve_imap *s, struct postern_span peer, postern_time now);
void imap_login_ask(struct serve_imap *s);
void imap_account_ask(struct serve_imap *s);
/* imap_learn - the keywords of a mailbox, by number; tells the engine of new ones of the selected.
 * How many. */
size_t imap_learn(struct serve_imap *s, struct postern_mailbox *mailbox,
                  struct postern_span names_r[POSTERN_KEYWORDS_MAX]);
/* imap_shown_drop - unless this question leaves the engine the parsed forms that it has. */
void imap_shown_drop(struct serve_imap *s, enum postern_imap_question_kind kind);
/* imap_leave - the selected mailbox; imap_drop_appends - what was begun. */
void imap_leave(struct serve_imap *s);
void imap_drop_appends(struct serve_imap *s);
void imap_content_close(struct serve_imap *s);
/* imap_watch - the selected mailbox from now on, instead of what was watched; imap_watch_all - all
 * of the account, as soon as it is listed; imap_unwatch - nothing. */
void imap_watch(struct serve_imap *s);
void imap_watch_all(struct serve_imap *s);
void imap_unwatch(struct serve_imap *s);

/* imap_finish_plain - the answer is only whether it was done. imap_finish_uids - s->uids, of the
 * messages that it came to. */
void imap_finish_plain(struct serve_imap *s, int err);
void imap_finish_uids(struct serve_imap *s, int err);
/* imap_room_for - so many UIDs in s->uids, as good as written. */
uint32_t *imap_room_for(struct serve_imap *s, size_t count);
/* imap_keyword_bits - of the question's names; those that are only taken away need not be there. */
int imap_keyword_bits(struct serve_imap *s, struct postern_mailbox *mailbox, bool make,
                      uint64_t *bits_r);
/* imap_sizes - of these messages of the selected mailbox, together. */
uint64_t imap_sizes(const struct serve_imap *s, const uint32_t *uids, size_t count);
/* imap_fits_disk - no quota: it may be there later (D12). */
int imap_fits_disk(const struct serve_imap *s, uint64_t octets);
/* imap_is_at_home - in the account of the selected mailbox. */
bool imap_is_at_home(const struct serve_imap *s, struct postern_span owner);

/* how each kind of question is answered */
/* imap_login.c */
extern const struct imap_work imap_account_work;
/* imap_list.c */
extern const struct imap_work imap_list_work;
/* imap_mailbox.c */
extern const struct imap_work imap_create_work, imap_remove_work, imap_rename_work,
    imap_subscribe_work, imap_status_work, imap_quota_work, imap_set_quota_work;
/* imap_metadata.c, imap_acl.c */
extern const struct imap_work imap_metadata_work, imap_set_metadata_work;
extern const struct imap_work imap_rights_work, imap_acl_work, imap_set_acl_work;
/* imap_select.c, imap_look.c, imap_find.c, imap_vanished.c */
extern const struct imap_work imap_select_work, imap_news_work;
extern const struct imap_work imap_look_work, imap_find_work, imap_vanished_work;
/* imap_message.c, imap_change.c, imap_append.c */
extern const struct imap_work imap_messages_work, imap_structure_work, imap_content_work,
    imap_read_work;
extern const struct imap_work imap_store_work, imap_copy_work, imap_expunge_work;
extern const struct imap_work imap_append_work, imap_write_work, imap_commit_work;

/* imap.c, for imap_stream.c: as struct serve_protocol has them. */
int imap_session_new(void **session_r, const struct serve_site *site, void *conn,
                     struct postern_span peer, const struct postern_tls_facts *tls,
                     bool plaintext_allowed, postern_time now);
void imap_session_pump(void *self, postern_time now);
void imap_session_free(void *session);

#endif
