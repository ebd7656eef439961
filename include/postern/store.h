/* SPDX-License-Identifier: MIT */
/* postern/store.h - what a mail store must do, and the stores that come with the library.
 *
 * The life of a reader:  mailbox = open(user); lock; snapshot; [ content = message(uid); read...;
 * close ]*; expunge(uids); unlock; close. The life of a delivery: begin; write...; commit | abort.
 * Calls are made from one thread at a time per mailbox; different mailboxes may be used by
 * different threads. Calls may block, unless POSTERN_STORE_NO_WAIT is given: then one that would
 * have to wait for the disk returns POSTERN_E_AGAIN and is repeated, without the flag, on a worker
 * thread.
 *
 * Promises: what was acknowledged is durable; a set of deletions is all or nothing, also across a
 * crash; a unique-id names one message for ever (R29 X5); a message that vanished is
 * POSTERN_E_NOT_FOUND for that message and nothing else. Errors common to all: POSTERN_E_NOMEM,
 * _IO, _FULL, _CORRUPT, _DENIED. */
#ifndef POSTERN_STORE_H
#define POSTERN_STORE_H

#include <postern/message.h>

#ifdef __cplusplus
extern "C" {
#endif

#define POSTERN_STORE_NO_WAIT 1u  /* return POSTERN_E_AGAIN rather than wait for the disk */
#define POSTERN_STORE_CREATE 2u   /* open: make the mailbox if it is not there */

/* struct postern_snapshot - a counted, immutable list. A store may hand the same one to many
 * readers. */
struct postern_snapshot {
    struct postern_list list;
    uint64_t generation; /* differs whenever the list differs, within one store object */
};
/* postern_snapshot_ref / _unref - any thread. unref(NULL) is fine. */
POSTERN_API struct postern_snapshot *postern_snapshot_ref(struct postern_snapshot *snapshot);
POSTERN_API void postern_snapshot_unref(struct postern_snapshot **snapshot);
/* postern_snapshot_has_new - whether `now` has a unique-id that `before` has not. */
POSTERN_API bool postern_snapshot_has_new(const struct postern_snapshot *before,
                                          const struct postern_snapshot *now);

/* struct postern_facts - what is known of an open message. */
struct postern_facts {
    uint64_t size_raw;  /* octets as stored */
    uint64_t size_wire; /* octets with CRLF line ends; UINT64_MAX unknown */
    bool wire_clean;    /* CRLF everywhere incl. the end, and no line begins with a dot */
    int fd;             /* a file whose octets [fd_offset, +size_raw) are the content, or -1; lent
                         * until close */
    uint64_t fd_offset;
};

struct postern_mailbox;  /* a store's own; begins with nothing in common */
struct postern_content;  /* an open message; a store's own */
struct postern_delivery; /* a message being written; a store's own */

/* struct postern_store - a store: its functions and itself. All functions are there (a store that
 * cannot do one returns POSTERN_E_UNSUPPORTED). */
struct postern_store {
    const struct postern_store_ops *ops;
    void *self;
};

struct postern_store_ops {
    const char *name; /* "maildir" */
    /* open - the mailbox of a user. POSTERN_E_NOT_FOUND (and no CREATE). user: borrowed; never
     * becomes a path unchecked. mailbox_r: given, end with close. */
    int (*open)(struct postern_store *store, struct postern_span user, unsigned flags,
                struct postern_mailbox **mailbox_r);
    /* close - unlocks as well. NULL, *NULL fine. */
    void (*close)(struct postern_mailbox **mailbox);
    /* lock - exclusive over all processes that use the store: POSTERN_E_IN_USE. */
    int (*lock)(struct postern_mailbox *mailbox);
    void (*unlock)(struct postern_mailbox *mailbox);
    /* snapshot - the list as it is now. snapshot_r: given, end with postern_snapshot_unref(). */
    int (*snapshot)(struct postern_mailbox *mailbox, unsigned flags,
         struct postern_snapshot **snapshot_r);
    /* find - one message by unique-id, looked up afresh, also when in no snapshot. entry_r: its
     * uid_offset is 0. */
    int (*find)(struct postern_mailbox *mailbox, struct postern_span uid,
         struct postern_entry *entry_r);
    /* message - open one for reading. content_r: given, end with content_close. */
    int (*message)(struct postern_mailbox *mailbox, struct postern_span uid, unsigned flags,
                   struct postern_content **content_r, struct postern_facts *facts_r);
    /* read - octets of the raw content from offset on: how many (0 at the end), or <0. */
    int (*read)(struct postern_content *content, uint64_t offset, char *out, size_t n);
    void (*content_close)(struct postern_content **content);
    /* expunge - delete all of these, durably, or none. One that is gone already counts as
     * deleted. */
    int (*expunge)(struct postern_mailbox *mailbox, const struct postern_span *uids, size_t count);
    /* begin - a message for the mailbox; write its octets; commit makes it durable, then
     * visible. */
    int (*begin)(struct postern_mailbox *mailbox, struct postern_delivery **delivery_r);
    int (*write)(struct postern_delivery *delivery, struct postern_span bytes);
    /* commit - ends the delivery either way. uid_r: at least POSTERN_UID_MAX + 1 bytes,
     * NUL-terminated; may be NULL. */
    int (*commit)(struct postern_delivery **delivery, char *uid_r);
    void (*abort)(struct postern_delivery **delivery);
    /* watch_fd - a descriptor that becomes readable when the mailbox may have changed; lent until
     * close; <0 when there is none. watch_clear empties it. */
    int (*watch_fd)(struct postern_mailbox *mailbox);
    void (*watch_clear)(struct postern_mailbox *mailbox);
    /* list_users - calls each(ctx, name) for every user with a mailbox, until it returns non-zero,
     * and returns that. */
    int (*list_users)(struct postern_store *store, int (*each)(void *ctx,
         struct postern_span user), void *ctx);
    void (*free)(struct postern_store *store);
};

/* postern_store_memory_new - mailboxes in memory, gone with the store. Mailboxes are made on
 * open(CREATE). */
POSTERN_API int postern_store_memory_new(struct postern_store *store_r) POSTERN_MUST_USE;
/* postern_store_eml_new - a plain folder of .eml and .txt files is the mailbox of every user
 * (per_user false), or `path`/USER is USER's (per_user true). The file name is the unique-id. path:
 * copied. */
POSTERN_API int postern_store_eml_new(struct postern_store *store_r, const char *path,
                                      bool per_user) POSTERN_MUST_USE;
/* postern_store_maildir_new - Maildir++. path: copied; "%u" in it stands for the user, "%d" for the
 * part after '@', "%n" for the part before; without any "%", path/USER. */
POSTERN_API int postern_store_maildir_new(struct postern_store *store_r,
                                          const char *path) POSTERN_MUST_USE;
/* postern_store_free - end a store; all its mailboxes must be closed. */
POSTERN_API void postern_store_free(struct postern_store *store);

#ifdef __cplusplus
}
#endif
#endif
