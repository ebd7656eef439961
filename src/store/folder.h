/* SPDX-License-Identifier: MIT */
/* folder - what maildir and eml share: messages are files in one or two folders.
 *
 * A folder_kind says how names become unique-ids and how new names are made; the rest is common:
 * the cached listing, reading, the journalled deletion, the delivery through a temporary file. */
#ifndef STORE_FOLDER_H
#define STORE_FOLDER_H

#include "store/scan.h"
#include "store/snapshot.h"

#include <dirent.h>
#include <pthread.h>
#include <sys/stat.h>

#define FOLDER_SUBS 2
#define FOLDER_BUCKETS 4096

struct folder_kind {
    struct postern_store_ops ops; /* name, and folder_* for the rest */
    unsigned sub_count;
    const char *subs[FOLDER_SUBS]; /* where messages are; deliveries go to the first */
    const char *staging;           /* where deliveries and journals are written first */
    bool mutable_files; /* a file may be edited in place: sizes are checked at each scan */
    bool (*is_message)(struct postern_span name);
    /* key_of - the part of a file's name that stays the same while flags change. */
    struct postern_span (*key_of)(struct postern_span name);
    /* sizes_of - the sizes that the name tells; UINT64_MAX where it tells none. */
    void (*sizes_of)(struct postern_span name, uint64_t *raw_r, uint64_t *wire_r);
    /* new_name - for a delivery of these sizes; 0 or POSTERN_E_TOO_LONG. */
    int (*new_name)(const struct scan *scan, uint64_t number, char *out, size_t size);
};

/* struct row - one message of a listing. */
struct row {
    char *name;              /* file name in its sub; owned */
    struct postern_span uid; /* a part of name, or behind its NUL */
    uint64_t size_raw, size_wire;
    struct timespec mtime;
    uint8_t sub, flags;
    bool scanned, wire_clean; /* wire_clean is known when scanned */
};

struct rows {
    struct row *all;
    size_t count, room;
    uint32_t *by_uid; /* places in all, by uid */
};

struct folder_store {
    const struct folder_kind *kind;
    char *path;    /* with %u, %n, %d, or a plain one */
    bool per_user; /* false: path itself is everybody's mailbox */
    pthread_mutex_t mutex;
    struct folder *buckets[FOLDER_BUCKETS];   /* the cache, by user */
    struct folder *idle_oldest, *idle_newest; /* of those, the ones that nobody has open */
    unsigned idle_count;
};

/* struct folder - one mailbox, shared by all that have it open, kept for a while after. It holds
 * one descriptor, its own; those of its sub-folders are there only between folder_enter() and
 * folder_leave(), since many thousand mailboxes may be open at the same time. */
struct folder {
    struct folder *next;                    /* in its bucket */
    struct folder *idle_older, *idle_newer; /* while users is 0 */
    struct folder_store *store;
    char user[256];
    unsigned users; /* handles; with the store's mutex */
    pthread_mutex_t mutex;
    dev_t device; /* with inode: which folder base was when it was opened */
    ino_t inode;
    int base, subs[FOLDER_SUBS], staging; /* descriptors of the folders; -1: not open now */
    struct rows rows;
    struct postern_snapshot *snapshot;
    struct timespec seen[FOLDER_SUBS]; /* the subs' change times when they were listed */
    bool settled;                      /* those were old enough to be trusted */
    bool stale; /* rows may have names that are deleted: good only to take over what is known of the
                   others */
    uint64_t delivered;
};

struct postern_mailbox {
    struct folder *folder;
    int lock_fd, watch_fd; /* -1: none */
};

/* folder_dirs.c: an operation on a mailbox begins and ends with these; its mutex is held
 * between. */
void folder_enter(struct folder *folder);
void folder_leave(struct folder *folder);
/* folder_sub, folder_staging - the descriptor of a sub-folder, lent until folder_leave(), or
 * POSTERN_E_*. */
int folder_sub(struct folder *folder, unsigned sub);
int folder_staging(struct folder *folder);
/* folder_dir_open - O_NOFOLLOW; made when it is missing and `create`. A descriptor, given, or
 * POSTERN_E_*. */
int folder_dir_open(int base, const char *name, bool create);
/* folder_sync - fsync, over EINTR. 0 or POSTERN_E_IO. */
int folder_sync(int fd);
void folder_fd_close(int *fd);
/* folder.c: the ops that are common */
int folder_store_new(struct postern_store *store_r, const struct folder_kind *kind,
                     const char *path, bool per_user);
int folder_open(struct postern_store *store, struct postern_span user, unsigned flags,
                struct postern_mailbox **mailbox_r);
void folder_close(struct postern_mailbox **mailbox);
int folder_lock(struct postern_mailbox *mailbox);
void folder_unlock(struct postern_mailbox *mailbox);
int folder_watch_fd(struct postern_mailbox *mailbox);
/* folder_lock_take - the lock itself: a descriptor, given, or POSTERN_E_IN_USE and others. */
int folder_lock_take(struct folder *folder);
void folder_watch_clear(struct postern_mailbox *mailbox);
int folder_list_users(struct postern_store *store, int (*each)(void *ctx, struct postern_span user),
                      void *ctx);
void folder_free(struct postern_store *store);
/* folder_list.c */
int folder_snapshot(struct postern_mailbox *mailbox, unsigned flags,
                    struct postern_snapshot **snapshot_r);
int folder_find(struct postern_mailbox *mailbox, struct postern_span uid,
                struct postern_entry *entry_r);
/* folder_refresh - the listing as it is now, without what a journal deletes. POSTERN_E_AGAIN with
 * NO_WAIT. With the folder's mutex, as all below. */
int folder_refresh(struct postern_mailbox *mailbox, unsigned flags);
/* folder_scan - list the subs anew when they have changed, or always. */
int folder_scan(struct folder *folder, bool always);
struct row *folder_row(struct folder *folder, struct postern_span uid);
/* folder_uid - the unique-id of a key, written to out with a NUL. */
struct postern_span folder_uid(struct postern_span key, char out[POSTERN_UID_MAX + 1]);
/* folder_row_of_key - by what stays the same of a file's name. */
struct row *folder_row_of_key(struct folder *folder, struct postern_span key);
void rows_free(struct rows *rows);
/* folder_read.c */
int folder_message(struct postern_mailbox *mailbox, struct postern_span uid, unsigned flags,
                   struct postern_content **content_r, struct postern_facts *facts_r);
int folder_read(struct postern_content *content, uint64_t offset, char *out, size_t n);
void folder_content_close(struct postern_content **content);
/* folder_open_row - the file of a row; O_NOFOLLOW, regular files only. A descriptor, given, or
 * POSTERN_E_*. */
int folder_open_row(struct folder *folder, const struct row *row, struct stat *facts_r);
/* folder_expunge.c */
int folder_expunge(struct postern_mailbox *mailbox, const struct postern_span *uids, size_t count);
/* folder_recover - finish what a journal says; where another session has the lock, that is left to
 * it. */
int folder_recover(struct postern_mailbox *mailbox);
/* folder_deliver.c */
int folder_begin(struct postern_mailbox *mailbox, struct postern_delivery **delivery_r);
int folder_write(struct postern_delivery *delivery, struct postern_span bytes);
int folder_commit(struct postern_delivery **delivery, char *uid_r);
void folder_abort(struct postern_delivery **delivery);
/* folder_write_all - all of it, over EINTR and short writes. 0, POSTERN_E_FULL, _IO. */
int folder_write_all(int fd, struct postern_span bytes);
int folder_error(int number);

#define FOLDER_OPS(kind_name)                                                                   \
    {                                                                                           \
        .name = kind_name, .open = folder_open, .close = folder_close, .lock = folder_lock,     \
        .unlock = folder_unlock, .snapshot = folder_snapshot, .find = folder_find,              \
        .message = folder_message, .read = folder_read, .content_close = folder_content_close,  \
        .expunge = folder_expunge, .begin = folder_begin, .write = folder_write,                \
        .commit = folder_commit, .abort = folder_abort, .watch_fd = folder_watch_fd,            \
        .watch_clear = folder_watch_clear, .list_users = folder_list_users, .free = folder_free \
    }

#endif
