/* SPDX-License-Identifier: MIT */
/* memory - accounts in memory: for tests, `postern dev`, and as the model for other stores: written
 * as plainly as can be, with arrays and loops. One mutex guards a store. The octets of a message
 * are counted, so that a reader keeps the one it has open when another session deletes it. */
#ifndef STORE_MEMORY_MEMORY_H
#define STORE_MEMORY_MEMORY_H

#include "store/scan.h"
#include "store/snapshot.h"
#include "store/words.h"

#include "base/buffer.h"
#include <pthread.h>
#include <stdatomic.h>

struct octets { /* of one message */
    atomic_uint references;
    struct scan scan;
    size_t n;
    char bytes[];
};

struct message {
    struct postern_message_info info; /* unique_id: absent, it is `unique` */
    char unique[POSTERN_UID_MAX + 1];
    struct octets *octets;
};

struct vanished {
    uint64_t modseq;
    uint32_t uid;
};

struct box { /* a mailbox, or the subscription to one that is not there */
    struct box *next;
    struct postern_account *account;
    unsigned handles; /* that have it open */
    bool dropped;     /* removed; freed with its last handle */
    char *name;
    uint64_t id, modseq;
    uint32_t uid_validity, uid_next, recent_from;
    enum postern_special_use special;
    bool subscribed, exists, locked;
    struct message *messages;
    size_t count, room;
    struct vanished *vanished;
    size_t vanished_count, vanished_room;
    char *keywords[POSTERN_KEYWORDS_MAX];
    struct postern_snapshot *snapshot; /* NULL: out of date */
};

struct memory {
    pthread_mutex_t mutex;
    struct postern_account *accounts;
    uint64_t number;             /* rises: ids, unique-ids */
    struct postern_quota limits; /* of an account; 0: no limit */
};

struct postern_account {
    struct postern_account *next;
    struct memory *memory;
    char user[256];
    struct box *boxes;
    struct buffer metadata; /* store/metadata.h */
    struct postern_watch *watches;
};

struct postern_watch {
    struct postern_watch *next; /* of the account's */
    struct postern_account *account;
    const struct box *box; /* NULL: all of the account */
    struct postern_bell bell;
};

struct postern_mailbox {
    struct memory *memory;
    struct box *box;
    bool has_lock;
};

struct postern_delivery {
    struct postern_mailbox *mailbox;
    struct postern_new_message what;
    char unique[POSTERN_UID_MAX + 1];
    struct buffer bytes;
    char last;
};

/* accounts.c */
void account_free(struct postern_account *account);
/* account_check_room - with the mutex: may it have so much more, when `replaced` bytes go? */
int account_check_room(const struct postern_account *account, uint64_t bytes, size_t messages,
                       uint64_t replaced);
/* memory_fits - with the mutex: may it have the levels above a name that are not there, and so
 * many mailboxes more? POSTERN_E_FULL. */
int memory_fits(const struct postern_account *account, struct postern_span name, size_t more);
int memory_account_open(struct postern_store *store, struct postern_span user, unsigned flags,
                        struct postern_account **account_r);
void memory_account_close(struct postern_account **account);
int memory_quota(struct postern_account *account, struct postern_quota *quota_r);
int memory_list_users(struct postern_store *store, int (*each)(void *ctx, struct postern_span user),
                      void *ctx);

/* box.c: with the mutex */
struct box *box_named(const struct postern_account *account, struct postern_span name);
/* box_make - in front of the others; NULL without memory. */
struct box *box_make(struct postern_account *account, struct postern_span name);
/* box_drop - out of the account; freed now or with its last handle. */
void box_drop(struct box *box);
void box_free(struct box *box);
struct message *box_find(const struct box *box, uint32_t uid);
/* box_room - for count messages more. */
int box_room(struct box *box, size_t count);
/* box_add - a message; box_room() was asked for it. */
struct message *box_add(struct box *box, uint64_t modseq, struct octets *octets);
/* box_vanished_room - for the traces of count messages more. */
int box_vanished_room(struct box *box, size_t count);
/* box_expunge - cannot fail when box_vanished_room() was asked. */
int box_expunge(struct box *box, const uint32_t *uids, size_t count);
void octets_unref(struct octets *octets);

/* handles.c */
int memory_open(struct postern_account *account, struct postern_span name, unsigned flags,
                struct postern_mailbox **mailbox_r);
void memory_close(struct postern_mailbox **mailbox);
int memory_lock(struct postern_mailbox *mailbox);
void memory_unlock(struct postern_mailbox *mailbox);
/* memory_enter - takes the mutex, unless the mailbox was removed: then an error. */
int memory_enter(struct postern_mailbox *mailbox);
void memory_leave(struct postern_mailbox *mailbox);

/* mailboxes.c */
int memory_list(struct postern_account *account,
                int (*each)(void *ctx, const struct postern_status *status), void *ctx);
int memory_status(struct postern_account *account, struct postern_span name, unsigned flags,
                  struct postern_status *status_r);
int memory_create(struct postern_account *account, struct postern_span name,
                  enum postern_special_use special);
int memory_remove(struct postern_account *account, struct postern_span name);
int memory_rename(struct postern_account *account, struct postern_span from,
                  struct postern_span to);
int memory_subscribe(struct postern_account *account, struct postern_span name, bool on);
/* memory_status_of - with the mutex. */
void memory_status_of(const struct box *box, struct postern_status *status_r);

/* view.c */
uint8_t message_entry_flags(const struct message *message);
int memory_snapshot(struct postern_mailbox *mailbox, unsigned flags,
                    struct postern_snapshot **snapshot_r);
int memory_refresh(struct postern_mailbox *mailbox, unsigned flags,
                   struct postern_status *status_r);
int memory_recent(struct postern_mailbox *mailbox, uint32_t *from_r);
int memory_ranges(struct postern_mailbox *mailbox, struct postern_uid_range *ranges_r, size_t room);
int memory_first_unseen(struct postern_mailbox *mailbox, uint32_t *uid_r);
int memory_each(struct postern_mailbox *mailbox, struct postern_uid_range range, uint64_t since,
                int (*each)(void *ctx, const struct postern_message_info *info), void *ctx);
int memory_vanished(struct postern_mailbox *mailbox, uint64_t since,
                    int (*each)(void *ctx, struct postern_uid_range range), void *ctx);
int memory_keyword(struct postern_mailbox *mailbox, struct postern_span name, bool make);
int memory_keyword_name(struct postern_mailbox *mailbox, unsigned number,
                        struct postern_span *name_r);

/* content.c */
int memory_unique_id(struct postern_mailbox *mailbox, uint32_t uid, char out[POSTERN_UID_MAX + 1]);
int memory_find(struct postern_mailbox *mailbox, struct postern_span unique_id,
                struct postern_entry *entry_r, uint32_t *uid_r);
int memory_message(struct postern_mailbox *mailbox, uint32_t uid, unsigned flags,
                   struct postern_content **content_r, struct postern_facts *facts_r);
int memory_read(struct postern_content *content, uint64_t offset, char *out, size_t n);
void memory_content_close(struct postern_content **content);
int memory_structure(struct postern_mailbox *mailbox, uint32_t uid, unsigned flags,
                     struct postern_span *block_r);
int memory_structures(struct postern_mailbox *mailbox, const uint32_t *uids, size_t count,
                      unsigned flags, char *room, size_t size, struct postern_structure *all_r);

/* append.c */
int memory_begin(struct postern_mailbox *mailbox, const struct postern_new_message *what,
                 struct postern_delivery **delivery_r);
int memory_write(struct postern_delivery *delivery, struct postern_span bytes);
int memory_commit(struct postern_delivery **deliveries, size_t count, uint32_t *uids_r);
void memory_abort(struct postern_delivery **delivery);

/* messages.c */
int memory_flags(struct postern_mailbox *mailbox, const uint32_t *uids, size_t count,
                 const struct postern_flags_change *change, uint32_t *skipped_r);
int memory_copy(struct postern_mailbox *from, const uint32_t *uids, size_t count,
                struct postern_mailbox *to, bool move, uint32_t *uids_r);
int memory_expunge(struct postern_mailbox *mailbox, const uint32_t *uids, size_t count);

/* metadata.c */
int memory_metadata(struct postern_account *account, struct postern_span mailbox,
                    int (*each)(void *ctx, const struct postern_metadata *one), void *ctx);
int memory_set_metadata(struct postern_account *account, struct postern_span mailbox,
                        const struct postern_metadata *changes, size_t count);
/* memory_move_metadata - with the mutex; to absent: they go with the mailbox. */
void memory_move_metadata(struct postern_account *account, struct postern_span from,
                          struct postern_span to);
int memory_acl(struct postern_account *account, struct postern_span mailbox,
               int (*each)(void *ctx, const struct postern_acl *one), void *ctx);
int memory_set_acl(struct postern_account *account, struct postern_span mailbox,
                   const struct postern_acl *change, enum postern_flags_how how);
int memory_sharers(struct postern_store *store, struct postern_span user,
                   int (*each)(void *ctx, struct postern_span owner), void *ctx);
/* memory_new_acl - with the mutex, of a mailbox that is made next. */
int memory_new_acl(struct postern_account *account, struct postern_span mailbox);

/* watch.c */
/* box_changed - with the mutex: rings for who watches it. */
void box_changed(struct box *box);
/* account_changed - with the mutex: its names, subscriptions or annotations. */
void account_changed(struct postern_account *account);
int memory_watch(struct postern_mailbox *mailbox, const struct postern_bell *bell,
                 struct postern_watch **watch_r);
int memory_watch_all(struct postern_account *account, const struct postern_bell *bell,
                     struct postern_watch **watch_r);
bool memory_watch_has_lost(const struct postern_watch *watch);
void memory_unwatch(struct postern_watch **watch);

#endif
