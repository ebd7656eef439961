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
    struct postern_mailbox *handles;
    uint64_t number;                  /* rises: ids, unique-ids */
    uint64_t bytes_max, messages_max; /* of an account; 0: no limit */
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
    struct postern_account *account;
    struct postern_watch *next;
    int event;
};

struct postern_mailbox {
    struct memory *memory;
    struct box *box;
    struct postern_mailbox *next;
    bool has_lock;
    int event; /* -1: nobody watches */
};

struct postern_delivery {
    struct postern_mailbox *mailbox;
    struct postern_new_message what;
    char unique[POSTERN_UID_MAX + 1];
    struct buffer bytes;
    char last;
};

/* box.c */
struct box *box_named(const struct postern_account *account, struct postern_span name);
/* box_make - in front of the others; NULL without memory. */
struct box *box_make(struct postern_account *account, struct postern_span name);
/* box_drop - out of the account; freed now or with its last handle. */
void box_drop(struct box *box);
void box_free(struct box *box);
void box_changed(struct memory *memory, struct box *box);
/* account_changed - its names, subscriptions or annotations. With the mutex. */
void account_changed(struct postern_account *account);
struct message *box_find(const struct box *box, uint32_t uid);
/* box_room - for count messages more. */
int box_room(struct box *box, size_t count);
void box_expunge(struct box *box, uint32_t uid, uint64_t modseq);
void octets_unref(struct octets *octets);
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
/* memory_usage - with the mutex. */
void memory_usage(const struct postern_account *account, struct postern_quota *quota_r);
void memory_status_of(const struct box *box, struct postern_status *status_r);
/* messages.c */
int memory_flags(struct postern_mailbox *mailbox, const uint32_t *uids, size_t count,
                 const struct postern_flags_change *change, uint32_t *skipped_r);
int memory_copy(struct postern_mailbox *from, const uint32_t *uids, size_t count,
                struct postern_mailbox *to, bool move, uint32_t *uids_r);
int memory_expunge(struct postern_mailbox *mailbox, const uint32_t *uids, size_t count);
int memory_begin(struct postern_mailbox *mailbox, const struct postern_new_message *what,
                 struct postern_delivery **delivery_r);
int memory_write(struct postern_delivery *delivery, struct postern_span bytes);
void memory_abort(struct postern_delivery **delivery);
int memory_metadata(struct postern_account *account, struct postern_span mailbox,
                    int (*each)(void *ctx, const struct postern_metadata *one), void *ctx);
int memory_set_metadata(struct postern_account *account, struct postern_span mailbox,
                        const struct postern_metadata *changes, size_t count);
/* memory_move_metadata - with the lock; to absent: they go with the mailbox. */
void memory_move_metadata(struct postern_account *account, struct postern_span from,
                          struct postern_span to);
int memory_acl(struct postern_account *account, struct postern_span mailbox,
               int (*each)(void *ctx, const struct postern_acl *one), void *ctx);
int memory_set_acl(struct postern_account *account, struct postern_span mailbox,
                   const struct postern_acl *change, enum postern_flags_how how);
int memory_sharers(struct postern_store *store, struct postern_span user,
                   int (*each)(void *ctx, struct postern_span owner), void *ctx);
/* memory_new_acl - with the lock, of a mailbox that is made next. */
int memory_new_acl(struct postern_account *account, struct postern_span mailbox);
int memory_commit(struct postern_delivery **deliveries, size_t count, uint32_t *uids_r);

#endif
