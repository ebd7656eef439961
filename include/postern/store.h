/* SPDX-License-Identifier: MIT */
/* postern/store.h - what a mail store must do, and the stores that come with the library.
 *
 * A store has accounts, an account has mailboxes, a mailbox has messages. A message is named by a
 * number, its UID, which rises and is never given twice as long as the mailbox's uid_validity stays
 * the same. Sequence numbers, protocols and their words are unknown here.
 *
 * The life of a reader: account_open; open; view | snapshot; [ message; read...; content_close ]*;
 * flags, copy, expunge; close; account_close. The life of a delivery: begin; write...; commit |
 * abort.
 *
 * Now or later: given POSTERN_STORE_NO_WAIT, a call that would have to wait for the disk returns
 * POSTERN_E_AGAIN at once, has done nothing, and is made again, without the flag, on a worker
 * thread. Calls without such a flag wait. Threads: one call at a time per handle (mailbox,
 * delivery, content); different handles, of the same mailbox too, may be used by different threads.
 *
 * Promises of every store:
 *  - what was acknowledged (a call that returned 0) is durable, or was expunged by somebody;
 *  - (mailbox id, uid_validity, UID) names one immutable octet string for ever;
 *  - uid_next never falls, mod-sequences only rise, and whoever has seen UID n or mod-sequence m
 *    never sees a new message below n or a change at or below m later;
 *  - uid_validity changes only when UIDs had to be given anew (an index was lost that knew more
 *    than the files), and then rises;
 *  - append, copy, move and expunge of a set are all or nothing, also across a crash;
 *  - a unique-id (POP3's) is never shared and never used again, and is the same in every session
 *    (R29 X5);
 *  - a message that vanished is POSTERN_E_NOT_FOUND for that message and nothing else.
 * Errors common to all: POSTERN_E_NOMEM, _IO, _FULL, _CORRUPT, _DENIED. A call that fails has
 * changed nothing, unless it says otherwise; only where the disk takes nothing at all any more, not
 * even a change taken back, can it be found done, whole, by whoever opens the account next. */
#ifndef POSTERN_STORE_H
#define POSTERN_STORE_H

#include <postern/message.h>
#include <postern/mime.h>

#ifdef __cplusplus
extern "C" {
#endif

#define POSTERN_STORE_NO_WAIT 1u /* return POSTERN_E_AGAIN rather than wait for the disk */
#define POSTERN_STORE_CREATE 2u  /* account_open, open: make it if it is not there */
#define POSTERN_STORE_LOOKED 4u  /* refresh: what is known here will do, it was just looked for */

/* struct postern_snapshot - a counted, immutable list. A store may hand the same one to many
 * readers. */
struct postern_snapshot {
    struct postern_list list;
    const uint32_t *numbers; /* the UID of each entry, rising */
    uint64_t generation;     /* differs whenever the list differs, within one store object */
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
    uint64_t size_wire; /* octets with CRLF line ends */
    bool wire_clean;    /* CRLF everywhere incl. the end, and no line begins with a dot */
    int fd;             /* a file whose octets [fd_offset, +size_raw) are the content, or -1; lent
                         * until close */
    uint64_t fd_offset;
};

/* struct postern_new_message - what comes with the octets of an append. Zero is a plain delivery.
 */
struct postern_new_message {
    uint32_t flags;
    uint64_t keywords;
    int64_t date_s;                /* 0: now */
    struct postern_span unique_id; /* absent: the store makes one */
    /* this message of that mailbox, of the same account, is deleted in the same step, and the room
     * it had is the new one's; the mailbox is lent until commit or abort. One that is gone already
     * is no error. Only for a commit of one delivery. 0: none */
    struct postern_mailbox *replaced_in;
    uint32_t replaced;
};

/* struct postern_flags_change - SET replaces all flags and keywords by these. */
struct postern_flags_change {
    enum postern_flags_how how;
    uint32_t flags;
    uint64_t keywords;
    bool conditional; /* only messages whose mod-sequence is at most unchanged_since */
    uint64_t unchanged_since;
    uint32_t kept_flags; /* stay as they are, whatever stands above */
    bool kept_keywords;
};

struct postern_account;  /* an open account; a store's own, as are those that follow */
struct postern_mailbox;  /* an open mailbox */
struct postern_content;  /* an open message */
struct postern_delivery; /* a message being written */
struct postern_watch;    /* somebody who waits for news */

/* struct postern_bell - how a store says that there may be news: by ring(arg), from any thread,
 * also within a call that the one who waits makes himself, and with the store's locks held. So it
 * only leaves a mark for the one who waits and wakes him; it calls nothing of the store, and waits
 * for nobody who may be in a call of the store. */
struct postern_bell {
    void (*ring)(void *arg);
    void *arg;
};

/* struct postern_store - a store: its functions and itself. All functions are there (a store that
 * cannot do one returns POSTERN_E_UNSUPPORTED). */
struct postern_store {
    const struct postern_store_ops *ops;
    void *self;
};

struct postern_store_ops {
    const char *name; /* "maildir" */

    /* ---- accounts */
    /* account_open - user: borrowed; never becomes a path unchecked. POSTERN_E_NOT_FOUND (and no
     * CREATE). flags: NO_WAIT, CREATE. account_r: given, end with account_close; it may end before
     * the mailboxes opened in it. */
    int (*account_open)(struct postern_store *store, struct postern_span user, unsigned flags,
                        struct postern_account **account_r);
    void (*account_close)(struct postern_account **account);
    int (*quota)(struct postern_account *account, struct postern_quota *quota_r);
    /* limit - bytes_max, messages_max and mailboxes_max from now on, for every account that has no
     * limits of its own (postern_store_set_quota). What would exceed them is refused with
     * POSTERN_E_FULL by commit and copy, not by a move; by create, open that makes a mailbox, and
     * a rename that makes levels. */
    void (*limit)(struct postern_store *store, const struct postern_quota *quota);
    /* unsynced - called before the first account is opened: what is acknowledged is written when
     * the system likes. A power cut may take it; the end of the process does not. NULL: a store
     * that has no disk. */
    void (*unsynced)(struct postern_store *store);
    /* list_users - calls each(ctx, name) for every user with an account, until it returns non-zero,
     * and returns that. */
    int (*list_users)(struct postern_store *store, int (*each)(void *ctx, struct postern_span user),
                      void *ctx);

    /* ---- the mailboxes of an account. Names: UTF-8 without control characters, 1 to
     * POSTERN_MAILBOX_NAME_MAX octets, levels apart by '/', none empty; INBOX in any case is the
     * one that is always there. Else POSTERN_E_SYNTAX (_TOO_LONG). */
    /* list - calls each for all, in the order of their names, until it returns non-zero, and
     * returns that. The mailboxes need not be opened for it. */
    int (*list)(struct postern_account *account,
                int (*each)(void *ctx, const struct postern_status *status), void *ctx);
    /* status - of one. POSTERN_E_NOT_FOUND. */
    int (*status)(struct postern_account *account, struct postern_span name, unsigned flags,
                  struct postern_status *status_r);
    /* create - with all levels above it, each for itself. POSTERN_E_EXISTS, _FULL. */
    int (*create)(struct postern_account *account, struct postern_span name,
                  enum postern_special_use special);
    /* remove - with its messages, not with those below it. POSTERN_E_NOT_FOUND; INBOX:
     * POSTERN_E_DENIED. Handles that have it open get POSTERN_E_NOT_FOUND from then on. */
    int (*remove)(struct postern_account *account, struct postern_span name);
    /* rename - with all below it; INBOX: its messages move to the new mailbox, and INBOX stays,
     * empty. POSTERN_E_NOT_FOUND, _EXISTS (to, or one below it), _SYNTAX (to is below from, which
     * is not INBOX). */
    int (*rename)(struct postern_account *account, struct postern_span from,
                  struct postern_span to);
    /* subscribe - note that the user wants to see it; it need not exist. */
    int (*subscribe)(struct postern_account *account, struct postern_span name, bool on);
    /* metadata - the annotations of a mailbox, or of a level with mailboxes below it (empty: of the
     * account), until each returns non-zero; returns that. each may call nothing of this store.
     * POSTERN_E_NOT_FOUND, _CORRUPT. */
    int (*metadata)(struct postern_account *account, struct postern_span mailbox,
                    int (*each)(void *ctx, const struct postern_metadata *one), void *ctx);
    /* set_metadata - make or change these; one whose value is absent is removed. All, durably, or
     * none. They follow a rename, and go with the mailbox, or the last one below the level.
     * POSTERN_E_NOT_FOUND, _FULL (1,000 of an account, 1 MiB), _CORRUPT. */
    int (*set_metadata)(struct postern_account *account, struct postern_span mailbox,
                        const struct postern_metadata *changes, size_t count);

    /* acl - who may do what with a mailbox besides its owner, until each returns non-zero; returns
     * that. each may call nothing of this store. What it means is the caller's to work out.
     * POSTERN_E_NOT_FOUND, _CORRUPT. */
    int (*acl)(struct postern_account *account, struct postern_span mailbox,
               int (*each)(void *ctx, const struct postern_acl *one), void *ctx);
    /* set_acl - the rights of an identifier become these, or are added to or taken from those it
     * had; without any it is dropped. Durably. It follows a rename, goes with the mailbox, and a
     * new mailbox begins with what the nearest above it has (RFC 4314 4). POSTERN_E_NOT_FOUND,
     * _FULL, _SYNTAX (an identifier is 1 to 255 octets), _CORRUPT. */
    int (*set_acl)(struct postern_account *account, struct postern_span mailbox,
                   const struct postern_acl *change, enum postern_flags_how how);
    /* sharers - calls each(ctx, owner) for every account with a mailbox that gives the user, or
     * anyone, a right, until it returns non-zero, and returns that. Perhaps more of them.
     * POSTERN_E_UNSUPPORTED: that cannot be found out. */
    int (*sharers)(struct postern_store *store, struct postern_span user,
                   int (*each)(void *ctx, struct postern_span owner), void *ctx);

    /* ---- one mailbox */
    /* open - POSTERN_E_NOT_FOUND (and no CREATE). mailbox_r: given, end with close. */
    int (*open)(struct postern_account *account, struct postern_span name, unsigned flags,
                struct postern_mailbox **mailbox_r);
    /* close - unlocks as well. NULL, *NULL fine. */
    void (*close)(struct postern_mailbox **mailbox);
    /* lock - exclusive over all processes that use the store, among those that lock:
     * POSTERN_E_IN_USE. */
    int (*lock)(struct postern_mailbox *mailbox);
    void (*unlock)(struct postern_mailbox *mailbox);
    /* snapshot - the list as it is now, for POP3. snapshot_r: given, end with
     * postern_snapshot_unref(). */
    int (*snapshot)(struct postern_mailbox *mailbox, unsigned flags,
                    struct postern_snapshot **snapshot_r);
    /* refresh - look for what others did, and report what is there now. flags: NO_WAIT, LOOKED. The
     * name in status_r is lent until the next call on this mailbox. */
    int (*refresh)(struct postern_mailbox *mailbox, unsigned flags,
                   struct postern_status *status_r);
    /* ranges - which UIDs there are, as of the last refresh or change made through this store:
     * rising, apart. Writes at most `room` to ranges_r and returns how many there are. */
    int (*ranges)(struct postern_mailbox *mailbox, struct postern_uid_range *ranges_r, size_t room);
    /* first_unseen - the lowest UID of a message without \Seen, as of the last refresh; 0: all have
     * been seen. */
    int (*first_unseen)(struct postern_mailbox *mailbox, uint32_t *uid_r);
    /* recent - take the messages that are new to all sessions: from_r and above were in none
     * before, and are in no other's from now on. Need not last through a power cut. */
    int (*recent)(struct postern_mailbox *mailbox, uint32_t *from_r);
    /* each - show the messages whose UIDs lie in range and whose mod-sequence is above `since`, in
     * the order of their UIDs, until each returns non-zero; returns that. As of the last refresh.
     * each may call nothing of this store. */
    int (*each)(struct postern_mailbox *mailbox, struct postern_uid_range range, uint64_t since,
                int (*each)(void *ctx, const struct postern_message_info *info), void *ctx);
    /* vanished - the UIDs expunged above mod-sequence `since`, as ranges, perhaps more than those;
     * POSTERN_E_NOT_FOUND when the store does not remember that far back (then all UIDs below
     * uid_next that are not there may be called vanished). */
    int (*vanished)(struct postern_mailbox *mailbox, uint64_t since,
                    int (*each)(void *ctx, struct postern_uid_range range), void *ctx);
    /* keyword - the number of a keyword, case-insensitive; given one if `make`. 0..63,
     * POSTERN_E_NOT_FOUND, _FULL (all are given), _SYNTAX. */
    int (*keyword)(struct postern_mailbox *mailbox, struct postern_span name, bool make);
    /* keyword_name - of a number; lent until close. POSTERN_E_NOT_FOUND. */
    int (*keyword_name)(struct postern_mailbox *mailbox, unsigned number,
                        struct postern_span *name_r);

    /* ---- messages */
    /* find - one message by its unique-id, looked up afresh, also when in no snapshot. entry_r: its
     * uid_offset is 0. */
    int (*find)(struct postern_mailbox *mailbox, struct postern_span unique_id,
                struct postern_entry *entry_r, uint32_t *uid_r);
    /* unique_id - of a message as of the last refresh, as POP3 tells it and find() takes it; NUL
     * behind it. Its length, or POSTERN_E_NOT_FOUND. */
    int (*unique_id)(struct postern_mailbox *mailbox, uint32_t uid, char out[POSTERN_UID_MAX + 1]);
    /* message - open one for reading. content_r: given, end with content_close; it may outlive the
     * message, not the mailbox. */
    int (*message)(struct postern_mailbox *mailbox, uint32_t uid, unsigned flags,
                   struct postern_content **content_r, struct postern_facts *facts_r);
    /* read - octets of the raw content from offset on: how many (0 at the end), or <0. */
    int (*read)(struct postern_content *content, uint64_t offset, char *out, size_t n);
    void (*content_close)(struct postern_content **content);
    /* structure - the parsed form of a message: a block that postern_mime_part() and the others of
     * postern/mime.h read. block_r: given, end with free(). POSTERN_E_NOT_FOUND. */
    int (*structure)(struct postern_mailbox *mailbox, uint32_t uid, unsigned flags,
                     struct postern_span *block_r);
    /* structures - of these messages (UIDs, rising), from the first on, those whose parsed forms
     * are at hand: written to room, of `size` octets, and all_r, which has a place for each. How
     * many, perhaps 0 (then structure() gives the first), or POSTERN_E_AGAIN with NO_WAIT. NULL: a
     * store that has none at hand. */
    int (*structures)(struct postern_mailbox *mailbox, const uint32_t *uids, size_t count,
                      unsigned flags, char *room, size_t size, struct postern_structure *all_r);
    /* may_have - which messages may have a text in a field of their header, without regard to case:
     * UIDs as ranges, rising, apart. A message in none of them has it in no such field, now or when
     * it comes. What structure() and structures() told after the first such question is known to
     * the next ones. POSTERN_E_UNSUPPORTED: nothing is known of this field, or mailbox. NULL: a
     * store that knows of none. */
    int (*may_have)(struct postern_mailbox *mailbox, enum postern_mime_field field,
                    struct postern_span text, unsigned flags,
                    int (*each)(void *ctx, struct postern_uid_range range), void *ctx);
    /* cache_path - the absolute path, without links, of a folder of the mailbox's account, where
     * what can be made again of immutable messages may be kept, and removed by anybody at any time.
     * POSTERN_E_UNSUPPORTED, _TOO_LONG. NULL: a store that has no such place. */
    int (*cache_path)(struct postern_mailbox *mailbox, char *out, size_t size);
    /* flags - change flags and keywords of these. Those that changed since are skipped: their UIDs
     * are written to skipped_r (room for count, may be NULL), their number is returned. Those that
     * are gone are passed over. What changes nothing gives no new mod-sequence. */
    int (*flags)(struct postern_mailbox *mailbox, const uint32_t *uids, size_t count,
                 const struct postern_flags_change *change, uint32_t *skipped_r);
    /* copy - these to another mailbox of the same account, all or none, with flags, keywords and
     * dates; move: and expunge them here, in one step. uids: rising, each once (else
     * POSTERN_E_USAGE). uids_r: the new UIDs in the same order; room for count, may be NULL.
     * POSTERN_E_NOT_FOUND when one is gone. */
    int (*copy)(struct postern_mailbox *from, const uint32_t *uids, size_t count,
                struct postern_mailbox *to, bool move, uint32_t *uids_r);
    /* expunge - delete all of these, durably, or none. One that is gone already counts as deleted.
     * What can be done after the answer (removing files) is left for tidy(). */
    int (*expunge)(struct postern_mailbox *mailbox, const uint32_t *uids, size_t count);
    /* tidy - do what the last changes left over; on a worker, after they were answered. Not done,
     * it is done with the next change, or by whoever opens the account next. */
    void (*tidy)(struct postern_mailbox *mailbox);

    /* ---- appending */
    /* begin - a message for the mailbox; write its octets; commit makes it durable, then visible.
     * what: borrowed; NULL is all zero. */
    int (*begin)(struct postern_mailbox *mailbox, const struct postern_new_message *what,
                 struct postern_delivery **delivery_r);
    int (*write)(struct postern_delivery *delivery, struct postern_span bytes);
    /* commit - all of these, for one mailbox, or none; ends them either way. uids_r: room for
     * count, may be NULL. POSTERN_E_FULL (disk or quota), _NOT_FOUND (the mailbox was removed),
     * _EXISTS (a unique-id is there already). */
    int (*commit)(struct postern_delivery **deliveries, size_t count, uint32_t *uids_r);
    void (*abort)(struct postern_delivery **delivery);

    /* ---- news */
    /* watch - rings whenever the mailbox may have changed, perhaps more often than it does; what
     * was before is not told, so look after it. bell: copied. watch_r: given, end with unwatch,
     * before close. A handle of its own: how many share one descriptor is the caller's choice.
     * POSTERN_E_FULL: there is too much to watch. */
    int (*watch)(struct postern_mailbox *mailbox, const struct postern_bell *bell,
                 struct postern_watch **watch_r);
    /* watch_all - as watch, of all that list() and metadata() of the account tell: its mailboxes,
     * their names, subscriptions and annotations; mailboxes that are made later too, once list()
     * has told them. End it before account_close. */
    int (*watch_all)(struct postern_account *account, const struct postern_bell *bell,
                     struct postern_watch **watch_r);
    /* watch_has_lost - of watch_all: not all of it is watched any more. It rang when that began. */
    bool (*watch_has_lost)(const struct postern_watch *watch);
    /* unwatch - no ring is under way when it returns, and none comes after it. NULL, *NULL fine. */
    void (*unwatch)(struct postern_watch **watch);

    void (*free)(struct postern_store *store);
};

/* postern_store_inbox - account_open and open of INBOX in one; end with close. Errors as they. */
POSTERN_API int postern_store_inbox(struct postern_store *store, struct postern_span user,
                                    unsigned flags, struct postern_mailbox **mailbox_r);
/* postern_store_deliver - begin, write and commit of one message. */
POSTERN_API int postern_store_deliver(struct postern_store *store, struct postern_mailbox *mailbox,
                                      struct postern_span message, uint32_t *uid_r);
/* postern_store_message, postern_store_expunge - by unique-id, for those who know no UIDs: find and
 * then message, or expunge and tidy. Of a set, those that are not found count as deleted. Errors as
 * they. */
POSTERN_API int postern_store_message(struct postern_store *store, struct postern_mailbox *mailbox,
                                      struct postern_span unique_id, unsigned flags,
                                      struct postern_content **content_r,
                                      struct postern_facts *facts_r);
POSTERN_API int postern_store_expunge(struct postern_store *store, struct postern_mailbox *mailbox,
                                      const struct postern_span *unique_ids, size_t count);
/* postern_store_set_quota - an account's own limits, durably: bytes_max (rounded up to 1024),
 * messages_max and mailboxes_max, 0: none. limits NULL: the store's again. They are an annotation
 * of the account, "/shared/vendor/postern/quota". Errors as set_metadata. */
POSTERN_API int postern_store_set_quota(struct postern_store *store,
                                        struct postern_account *account,
                                        const struct postern_quota *limits);
/* postern_name_matches - does a mailbox's name match a pattern: '*' stands for anything, '%' for
 * anything but '/' (RFC 9051 6.3.9); INBOX in any case. */
POSTERN_API bool postern_name_matches(struct postern_span name, struct postern_span pattern);

/* postern_store_memory_new - accounts in memory, gone with the store. */
POSTERN_API int postern_store_memory_new(struct postern_store *store_r) POSTERN_MUST_USE;
/* postern_store_eml_new - a plain folder of .eml and .txt files is the INBOX of every user
 * (per_user false), or `path`/USER is USER's (per_user true). The file name is the unique-id. path:
 * copied. */
POSTERN_API int postern_store_eml_new(struct postern_store *store_r, const char *path,
                                      bool per_user) POSTERN_MUST_USE;
/* postern_store_maildir_new - Maildir++ with an index. path: copied; "%u" in it stands for the
 * user, "%d" for the part after '@', "%n" for the part before; without any "%", path/USER. */
POSTERN_API int postern_store_maildir_new(struct postern_store *store_r,
                                          const char *path) POSTERN_MUST_USE;
/* postern_store_free - end a store; all its accounts and mailboxes must be closed. */
POSTERN_API void postern_store_free(struct postern_store *store);

#ifdef __cplusplus
}
#endif
#endif
