/* SPDX-License-Identifier: MIT */
/* folder - accounts that are folders: what maildir and eml share.
 *
 * Messages are files in the sub-folders of a mailbox's folder; an index beside them (store/index)
 * knows what the files cannot tell. A folder_kind says how names are read and made. All that
 * happens to an account happens under its mutex: an operation begins with account_enter() and ends
 * with account_leave(). It holds two descriptors, those of its own folder and of the index; others
 * are opened for the time of an operation, never through a link. */
#ifndef STORE_FOLDER_FOLDER_H
#define STORE_FOLDER_FOLDER_H

#include "store/folder/kind.h"
#include "store/index/index.h"
#include "store/scan.h"
#include "store/snapshot.h"
#include "store/words.h"

#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#define FOLDER_BUCKETS 4096
#define FOLDER_NAME_BYTES 256
#define FOLDER_PATH_BYTES (2 * FOLDER_NAME_BYTES + 16)
#define INBOX_ID 1

struct folder_store {
    const struct folder_kind *kind;
    char *path;    /* with %u, %n, %d, or a plain one */
    bool per_user; /* false: path itself is everybody's mailbox */
    pthread_mutex_t mutex;
    struct postern_account *buckets[FOLDER_BUCKETS];   /* the cache, by user */
    struct postern_account *idle_oldest, *idle_newest; /* of those, the ones nobody has open */
    unsigned idle_count;
    struct watcher *_Atomic watcher; /* NULL: nobody watches */
    struct postern_quota limits;     /* of an account; 0: no limit */
    bool unsynced;
};

/* struct kept - what is made of a mailbox's rows, kept until they change. */
struct kept {
    struct kept *next;
    uint64_t id;
    struct postern_snapshot *snapshot;
    uint64_t snapshot_changes;            /* the rows' count of changes it was made at */
    struct index_time seen[FOLDER_SUBS];  /* newer than the index's, nothing else was new */
    struct index_time young[FOLDER_SUBS]; /* as after the last look, or change of our own: too young
                                           * to be believed for long */
    unsigned looked_touches;
    int64_t looked_ms;             /* monotonic: when that look was */
    struct signatures *signatures; /* signature.c; NULL: none */
    uint32_t *by_unique;           /* places + 1, by hash of unique-id; open addressing */
    size_t unique_room, unique_rows;
    uint64_t unique_loads;
};

/* struct postern_account - shared by all that have it open, kept for a while after. */
struct postern_account {
    struct postern_account *next;                    /* in its bucket */
    struct postern_account *idle_older, *idle_newer; /* while users is 0 */
    struct folder_store *store;
    char user[256];
    unsigned users; /* handles; with the store's mutex */
    pthread_mutex_t mutex;
    dev_t device; /* with inode: which folder base was when it was opened */
    ino_t inode;
    uid_t owner,
        self;      /* of the folder when it was opened, and of this process: whose files are read */
    int base, dir; /* descriptors of its folder and of the index's folder; dir -1: none */
    struct index index;
    struct kept *kept;
    struct fresh *fresh;         /* parsed forms that are to be kept; NULL: none */
    struct news *news;           /* that somebody watches; with the watcher's mutex (watch.h) */
    atomic_uint touches;         /* the watcher heard of something: no young time is believed */
    struct index_time limits_of; /* the annotations' file as it was when they were read */
    uint64_t limits_inode;       /* 0: never */
    struct postern_quota limits; /* its own ones */
    bool has_limits;
    struct index_time seen;      /* its folder's change time when the mailboxes were listed */
    pthread_mutex_t queue_mutex; /* of what follows; never taken before `mutex` is let go */
    struct commit_set *queue;    /* deliveries that wait for the one who commits */
    bool committing;
    pthread_cond_t committed;
};

struct postern_content {
    int fd;
};

struct postern_mailbox {
    struct postern_account *account;
    uint64_t id;
    int lock_fd;     /* -1: none */
    char *name;      /* of the last refresh */
    char **keywords; /* names that were asked for; NULL: none was */
};

/* struct place - the folders of a mailbox, open for the time of an operation; -1: not yet. */
struct place {
    struct postern_account *account;
    int base, subs[FOLDER_SUBS], staging;
    bool base_is_own;
};

/* ---- account.c */
int folder_store_new(struct postern_store *store_r, const struct folder_kind *kind,
                     const char *path, bool per_user);
/* folder_list_users - users.c. POSTERN_E_UNSUPPORTED where paths have "%n" or "%d". */
int folder_list_users(struct postern_store *store, int (*each)(void *ctx, struct postern_span user),
                      void *ctx);
/* folder_path - the folder of a user; POSTERN_E_NOT_FOUND for a name that must not become one. */
int folder_path(const struct folder_store *store, struct postern_span user, char out[PATH_MAX]);
/* path_beneath - "DIR/SUB/NAME" of a file of the mailbox, seen from the account's base; without a
 * name its sub-folder. false: too long to be one. */
bool path_beneath(const struct postern_account *account, const struct index_mailbox *mailbox,
                  unsigned sub, struct postern_span name, char out[FOLDER_PATH_BYTES]);
/* account_open_path - the folders and the index of a new account; made with POSTERN_STORE_CREATE.
 */
int account_open_path(struct postern_account *account, struct postern_span user, unsigned flags);
/* account_open_index - where it cannot be written, UIDs live in memory only. */
int account_open_index(struct postern_account *account);
int folder_account_open(struct postern_store *store, struct postern_span user, unsigned flags,
                        struct postern_account **account_r);
void folder_account_close(struct postern_account **account);
void folder_account_ref(struct postern_account *account);
void folder_free(struct postern_store *store);
/* account_take - the mutex, and nothing is looked at. POSTERN_E_AGAIN with NO_WAIT. */
int account_take(struct postern_account *account, unsigned flags);
/* account_enter - the mutex, and the index as it is now. POSTERN_E_AGAIN with NO_WAIT; on failure
 * the mutex is not held. account_enter_lock - and be the index's only writer. */
int account_enter(struct postern_account *account, unsigned flags);
int account_enter_lock(struct postern_account *account, unsigned flags);
void account_leave(struct postern_account *account);
struct kept *account_kept(struct postern_account *account, uint64_t id);
/* ---- dirs.c */
/* place_open - the folder of a mailbox. 0 or POSTERN_E_*; close in any case. */
int place_open(struct place *place, struct postern_account *account,
               const struct index_mailbox *mailbox);
void place_close(struct place *place);
int place_sub(struct place *place, unsigned sub);
int place_staging(struct place *place);
/* folder_dir_open - O_NOFOLLOW; made when it is missing and `create`. A descriptor, given, or
 * POSTERN_E_*. */
int folder_dir_open(int base, const char *name, bool create);
/* folder_dir_read - to be read with readdir(). dir_r: given, closedir(). */
int folder_dir_read(int base, const char *name, DIR **dir_r);
/* folder_sync - fsync, over EINTR. 0 or POSTERN_E_IO. */
int folder_sync(int fd);
/* folder_sync_mail - the same of what mail is in, unless the store is unsynced. */
int folder_sync_mail(const struct folder_store *store, int fd);
void folder_fd_close(int *fd);
int folder_error(int number);
int folder_write_all(int fd, struct postern_span bytes);
struct index_time folder_time(const struct stat *facts);
bool time_is_same(struct index_time a, struct index_time b);
/* time_settled - the time, or one not to be trusted when a change after it could look the same. */
struct index_time time_settled(struct index_time time);
/* folder_remove_tree - a folder with all in it; nothing outside. */
void folder_remove_tree(int base, const char *name);
/* ---- names.c */
/* name_to_dir - the folder's name, appended. POSTERN_E_TOO_LONG. */
int name_to_dir(struct postern_span name, struct buffer *out);
int dir_to_name(struct postern_span dir, struct buffer *out);
/* folder_unique - the unique-id made of a key, written to out with a NUL. */
struct postern_span folder_unique(struct postern_span key, char out[POSTERN_UID_MAX + 1]);
/* row_unique_id - explicit, or made of the name. */
struct postern_span row_unique_id(const struct postern_account *account,
                                  const struct index_mailbox *mailbox, const struct index_row *row,
                                  char out[POSTERN_UID_MAX + 1]);
/* ---- mailboxes.c */
int folder_list(struct postern_account *account,
                int (*each)(void *ctx, const struct postern_status *status), void *ctx);
int folder_status(struct postern_account *account, struct postern_span name, unsigned flags,
                  struct postern_status *status_r);
int folder_open(struct postern_account *account, struct postern_span name, unsigned flags,
                struct postern_mailbox **mailbox_r);
void folder_close(struct postern_mailbox **mailbox);
void folder_status_of(struct index_mailbox *mailbox, struct postern_status *status_r);
/* mailbox_existing - of that name; NULL, also when it is only subscribed to. */
struct index_mailbox *mailbox_existing(struct postern_account *account, struct postern_span name);
/* ---- create.c */
int folder_create(struct postern_account *account, struct postern_span name,
                  enum postern_special_use special);
/* mailboxes_change_begin - may `name` be made, removed or named so? Then the mutex and the lock,
 * until account_leave(). */
int mailboxes_change_begin(struct postern_account *account, struct postern_span *name);
/* mailbox_make_levels - the mailboxes above `name` that are missing. With the lock. */
int mailbox_make_levels(struct postern_account *account, struct postern_span name);
/* ---- remove.c */
int folder_remove(struct postern_account *account, struct postern_span name);
/* ---- rename.c */
int folder_rename(struct postern_account *account, struct postern_span from,
                  struct postern_span to);
/* ---- subscribe.c */
int folder_subscribe(struct postern_account *account, struct postern_span name, bool on);
/* group_subscription - to a name that has no mailbox, or will have none. */
int group_subscription(struct postern_account *account, struct postern_span name,
                       struct buffer *group);
/* ---- quota.c */
int folder_quota(struct postern_account *account, struct postern_quota *quota_r);
void folder_limit(struct postern_store *store, const struct postern_quota *quota);
void folder_unsynced(struct postern_store *store);
/* account_usage - with the mutex. */
void account_usage(struct postern_account *account, struct postern_quota *quota_r);
/* account_fits - with the mutex: may it have the levels above a name that are not there, and so
 * many mailboxes more? POSTERN_E_FULL. */
int account_fits(struct postern_account *account, struct postern_span name, size_t more);
/* ---- annotations.c, see annotations.h */
/* annotations_stamp - into each status; with the mutex. */
void annotations_stamp(const struct postern_account *account, struct postern_status *all,
                       size_t count);
/* ---- metadata.c */
int folder_metadata(struct postern_account *account, struct postern_span mailbox,
                    int (*each)(void *ctx, const struct postern_metadata *one), void *ctx);
int folder_set_metadata(struct postern_account *account, struct postern_span mailbox,
                        const struct postern_metadata *changes, size_t count);
/* folder_move_metadata - with the lock; to absent: they go with the mailbox. Where that
 * fails they stay: an annotation is not worth a mailbox. */
void folder_move_metadata(struct postern_account *account, struct postern_span from,
                          struct postern_span to);
/* ---- acl.c */
int folder_acl(struct postern_account *account, struct postern_span mailbox,
               int (*each)(void *ctx, const struct postern_acl *one), void *ctx);
int folder_set_acl(struct postern_account *account, struct postern_span mailbox,
                   const struct postern_acl *change, enum postern_flags_how how);
/* folder_new_acl - with the lock, of a mailbox that is made next. */
int folder_new_acl(struct postern_account *account, struct postern_span mailbox);
int folder_sharers(struct postern_store *store, struct postern_span user,
                   int (*each)(void *ctx, struct postern_span owner), void *ctx);
/* ---- discover.c */
/* account_discover - mailboxes that others made or removed, and renames that were cut off. With the
 * mutex; takes the lock when there is something to write. */
int account_discover(struct postern_account *account);
int account_new_facts(struct postern_account *account, struct postern_span name,
                      struct index_facts *facts_r);
/* ---- sync.c */
/* mailbox_sync - the rows as the files are now. POSTERN_E_AGAIN with NO_WAIT when there is
 * something to look at. With the mutex. */
int mailbox_sync(struct postern_account *account, uint64_t id, unsigned flags, bool always);
/* own_begin - before a change of our own: is all that others did in the mailbox known? own_end -
 * after it: then what the folders' times say now is known too. With the mutex. */
bool own_begin(struct postern_account *account, uint64_t id);
void own_end(struct postern_account *account, uint64_t id, bool known);
/* ---- learn.c */
/* row_learn - sizes and facts of a file that is new; its row has the sizes that its name tells,
 * UINT64_MAX none. POSTERN_E_AGAIN, _NOMEM; a file that cannot be read is ROW_UNREADABLE. */
int row_learn(struct postern_account *account, const struct index_mailbox *mailbox,
              struct index_row *row, struct postern_span name);
void row_take_scan(struct index_row *row, const struct scan *scan);
/* ---- view.c */
/* mailbox_index - its rows; NULL: it is gone. With the mutex. */
struct index_mailbox *mailbox_index(const struct postern_mailbox *mailbox);
/* mailbox_enter_synced - the mutex, and the mailbox's rows as the files are now. */
int mailbox_enter_synced(struct postern_mailbox *mailbox, unsigned flags);
/* mailbox_enter_known - the mutex, and that the mailbox is still there; nothing is looked at,
 * neither what others wrote into the index. */
int mailbox_enter_known(struct postern_mailbox *mailbox);
int folder_refresh(struct postern_mailbox *mailbox, unsigned flags,
                   struct postern_status *status_r);
int folder_ranges(struct postern_mailbox *mailbox, struct postern_uid_range *ranges_r, size_t room);
int folder_first_unseen(struct postern_mailbox *mailbox, uint32_t *uid_r);
int folder_each(struct postern_mailbox *mailbox, struct postern_uid_range range, uint64_t since,
                int (*each)(void *ctx, const struct postern_message_info *info), void *ctx);
int folder_vanished(struct postern_mailbox *mailbox, uint64_t since,
                    int (*each)(void *ctx, struct postern_uid_range range), void *ctx);
int folder_recent(struct postern_mailbox *mailbox, uint32_t *from_r);
/* ---- kept.c */
int folder_snapshot(struct postern_mailbox *mailbox, unsigned flags,
                    struct postern_snapshot **snapshot_r);
int folder_unique_id(struct postern_mailbox *mailbox, uint32_t uid, char out[POSTERN_UID_MAX + 1]);
int folder_find(struct postern_mailbox *mailbox, struct postern_span unique_id,
                struct postern_entry *entry_r, uint32_t *uid_r);
/* mailbox_unique - the live row with a unique-id, or NULL. */
struct index_row *mailbox_unique(struct postern_account *account, struct index_mailbox *mailbox,
                                 struct postern_span unique);
void kept_free(struct kept *kept);
/* ---- signature.c */
/* signature_note - the message at a row's place has this parsed form. kept: of its mailbox; NULL:
 * none. With the mutex. */
void signature_note(const struct kept *kept, size_t place, uint32_t uid, struct postern_span block);
int folder_may_have(struct postern_mailbox *mailbox, enum postern_mime_field field,
                    struct postern_span text, unsigned flags,
                    int (*each)(void *ctx, struct postern_uid_range range), void *ctx);
/* ---- read.c */
int folder_message(struct postern_mailbox *mailbox, uint32_t uid, unsigned flags,
                   struct postern_content **content_r, struct postern_facts *facts_r);
int folder_read(struct postern_content *content, uint64_t offset, char *out, size_t n);
void folder_content_close(struct postern_content **content);
/* message_open - the file of a UID, by the rows, then by what the files say now. A descriptor,
 * given, or POSTERN_E_*. With the mutex. */
int message_open(struct postern_mailbox *mailbox, uint32_t uid, struct stat *facts_r);
/* ---- parsed.c */
int folder_structure(struct postern_mailbox *mailbox, uint32_t uid, unsigned flags,
                     struct postern_span *block_r);
int folder_structures(struct postern_mailbox *mailbox, const uint32_t *uids, size_t count,
                      unsigned flags, char *room, size_t size, struct postern_structure *all_r);
int folder_cache_path(struct postern_mailbox *mailbox, char *out, size_t size);
/* fresh_flush - parsed forms that wait become part of the index, if nobody else writes just now.
 * With the mutex. */
void fresh_flush(struct postern_account *account);
void fresh_free(struct postern_account *account);
/* ---- learn.c */
/* row_open - the file of a row; regular files of the right owner with one link only. A descriptor,
 * given, or POSTERN_E_*. */
int row_open(struct postern_account *account, const struct index_mailbox *mailbox,
             const struct index_row *row, struct stat *facts_r);
int file_open(struct postern_account *account, const struct index_mailbox *mailbox, unsigned sub,
              struct postern_span name, struct stat *facts_r);
/* ---- change.c */
int folder_flags(struct postern_mailbox *mailbox, const uint32_t *uids, size_t count,
                 const struct postern_flags_change *change, uint32_t *skipped_r);
int folder_expunge(struct postern_mailbox *mailbox, const uint32_t *uids, size_t count);
void folder_tidy(struct postern_mailbox *mailbox);
/* group_expunge_set - of these, rising, the ones that are there; how many. Their files are doomed.
 */
size_t group_expunge_set(struct buffer *group, struct index_mailbox *rows, const uint32_t *uids,
                         size_t count, uint64_t modseq);
/* account_tidy - remove what is doomed in a mailbox. With the mutex and the lock. */
int account_tidy(struct postern_account *account, struct index_mailbox *mailbox);
/* ---- append.c */
int folder_begin(struct postern_mailbox *mailbox, const struct postern_new_message *what,
                 struct postern_delivery **delivery_r);
int folder_write(struct postern_delivery *delivery, struct postern_span bytes);
int folder_commit(struct postern_delivery **deliveries, size_t count, uint32_t *uids_r);
void folder_abort(struct postern_delivery **delivery);
/* ---- copy.c */
int folder_copy(struct postern_mailbox *from, const uint32_t *uids, size_t count,
                struct postern_mailbox *to, bool move, uint32_t *uids_r);
/* ---- watcher.c, watch.c, watch_all.c, see watch.h */
int folder_watch(struct postern_mailbox *mailbox, const struct postern_bell *bell,
                 struct postern_watch **watch_r);
int folder_watch_all(struct postern_account *account, const struct postern_bell *bell,
                     struct postern_watch **watch_r);
bool folder_watch_has_lost(const struct postern_watch *watch);
void folder_unwatch(struct postern_watch **watch);
/* watch_all_extend - to mailboxes that were made since, if anybody watches all. With the mutex. */
void watch_all_extend(struct postern_account *account);
/* watch_news - tell those who watch a mailbox of this account. With the mutex. */
void watch_news(struct postern_account *account, uint64_t id);
void watcher_free(struct watcher *watcher);
/* ---- lock.c */
int folder_lock(struct postern_mailbox *mailbox);
void folder_unlock(struct postern_mailbox *mailbox);
/* ---- keywords.c */
int folder_keyword(struct postern_mailbox *mailbox, struct postern_span name, bool make);
int folder_keyword_name(struct postern_mailbox *mailbox, unsigned number,
                        struct postern_span *name_r);
/* keyword_number - POSTERN_E_NOT_FOUND. */
int keyword_number(const struct index_mailbox *mailbox, struct postern_span name);
/* struct keyword_maker - keywords that a group makes on its way. */
struct keyword_maker {
    struct buffer *group;
    struct buffer made; /* length and name, each */
};
/* keyword_make - the number it will have; POSTERN_E_FULL. */
int keyword_make(struct keyword_maker *maker, const struct index_mailbox *mailbox,
                 struct postern_span name);
/* ---- letters.c */
/* letters_to_keywords - `before`, with those that letters stand for as the set says. */
uint64_t letters_to_keywords(struct place *place, struct index_mailbox *mailbox, uint32_t set,
                             uint64_t before, struct keyword_maker *maker);
uint32_t keywords_to_letters(struct place *place, const struct index_mailbox *mailbox,
                             uint64_t keywords);

#define FOLDER_OPS(kind_name)                                                                   \
    {                                                                                           \
        .name = kind_name, .account_open = folder_account_open,                                 \
        .account_close = folder_account_close, .quota = folder_quota, .limit = folder_limit,    \
        .unsynced = folder_unsynced, .list_users = folder_list_users, .list = folder_list,      \
        .status = folder_status, .create = folder_create, .remove = folder_remove,              \
        .rename = folder_rename, .subscribe = folder_subscribe, .metadata = folder_metadata,    \
        .set_metadata = folder_set_metadata, .acl = folder_acl, .set_acl = folder_set_acl,      \
        .sharers = folder_sharers, .open = folder_open, .close = folder_close,                  \
        .lock = folder_lock, .unlock = folder_unlock, .snapshot = folder_snapshot,              \
        .refresh = folder_refresh, .recent = folder_recent, .ranges = folder_ranges,            \
        .first_unseen = folder_first_unseen, .each = folder_each, .vanished = folder_vanished,  \
        .keyword = folder_keyword, .keyword_name = folder_keyword_name, .find = folder_find,    \
        .unique_id = folder_unique_id, .message = folder_message, .read = folder_read,          \
        .content_close = folder_content_close, .structure = folder_structure,                   \
        .structures = folder_structures, .may_have = folder_may_have,                           \
        .cache_path = folder_cache_path, .flags = folder_flags, .copy = folder_copy,            \
        .expunge = folder_expunge, .tidy = folder_tidy, .begin = folder_begin,                  \
        .write = folder_write, .commit = folder_commit, .abort = folder_abort,                  \
        .watch = folder_watch, .watch_all = folder_watch_all,                                   \
        .watch_has_lost = folder_watch_has_lost, .unwatch = folder_unwatch, .free = folder_free \
    }

#endif
