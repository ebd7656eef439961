/* SPDX-License-Identifier: MIT */
/* index - what the files of an account cannot tell: UIDs, mod-sequences, keywords, history.
 *
 * One file per account. Its front, the base, is mapped: tables of fixed rows in the order of their
 * UIDs, so that opening reads nothing per message. Behind it stands the log: groups of changes,
 * each with a checksum and a number, written over zeros that are there already, so that a commit is
 * one write and one flush of data. A checkpoint writes base and log anew as one base, beside, and
 * renames.
 *
 * Readers never lock: a group counts when it is whole. Writers hold index_lock(). Every row, every
 * group and the directory of the base have a checksum; what fails it is never believed. */
#ifndef STORE_INDEX_INDEX_H
#define STORE_INDEX_INDEX_H

#include "base/buffer.h"
#include <postern/store.h>

#define INDEX_SUBS 2

/* Bits of a row beside POSTERN_FLAG_*. */
#define ROW_GONE 0x100u    /* expunged */
#define ROW_SCANNED 0x200u /* sizes and WIRE_CLEAN were read from the octets, not from a name */
#define ROW_WIRE_CLEAN 0x400u
#define ROW_UTF8 0x800u        /* the header has raw UTF-8 */
#define ROW_SECOND_SUB 0x1000u /* the file is in the second sub-folder (cur) */
#define ROW_UNREADABLE 0x2000u
#define ROW_PENDING 0x4000u /* the file's name may still be that of other flags: may_be */

/* struct index_row - one message, as it stands in memory and on disk. */
struct index_row {
    uint32_t uid;
    uint32_t name; /* offset in the mailbox's strings: the file's name, then the unique-id */
    uint64_t modseq, keywords, email_id;
    int64_t date_s; /* INDEX_NO_DATE: that of the file */
    int64_t saved_s;
    uint64_t size_raw, size_wire;
    uint64_t block; /* offset of the parsed form in the cache; 0 none */
    uint32_t mtime_ns;
    uint16_t bits;
    uint8_t name_n;
    uint8_t unique_n; /* 0: the unique-id is made from the name */
    uint32_t
        may_be;   /* with ROW_PENDING: sets of flags, one bit each, that the file's name may have */
    uint32_t crc; /* of the fields above but `name`, and of both strings */
};
#define INDEX_NO_DATE INT64_MIN

struct index_expunged {
    uint64_t modseq;
    uint32_t first, last;
};

struct index_time {
    int64_t s;
    int64_t ns; /* -1: not to be trusted */
};

/* struct index_facts - what a mailbox is, apart from its messages. */
struct index_facts {
    uint64_t id, modseq;
    uint64_t first_modseq; /* what was expunged up to there is not in the history */
    uint32_t uid_validity, uid_next;
    struct index_time seen[INDEX_SUBS]; /* the sub-folders' change times when they were listed */
    uint8_t special, subscribed, exists;
    uint8_t adopt;        /* rows were lost: a file may bring back the UID in its name */
    uint32_t recent_from; /* this UID and above were in no session; 0: all */
};

struct index_mailbox {
    struct index_facts facts;
    struct postern_span name; /* owned, as is what it is called on disk */
    struct postern_span dir;
    struct postern_span *keywords; /* owned, as are their texts */
    unsigned keyword_count;
    struct index_row *base, *tail; /* base is mapped, private: a change copies its page */
    size_t base_n, tail_n, tail_room;
    uint8_t *seen_whole; /* a bit per row of the base: its checksum was right already; NULL: none */
    const char *strings; /* mapped */
    size_t strings_n;
    struct buffer extra; /* the strings behind those */
    struct postern_uid_range *runs;
    size_t run_count, run_room;
    struct index_expunged *history;
    size_t history_count, history_room;
    struct index_recent *recent; /* the last changes; NULL: none since it was read */
    uint64_t history_floor;      /* expunges up to this mod-sequence are forgotten */
    struct buffer doomed;        /* files to be removed: sub, length, name; each */
    uint32_t messages, unseen, deleted, pending;
    uint64_t size_bytes;
    uint64_t deleted_bytes; /* mailbox_deleted_bytes() */
    bool deleted_bytes_due; /* not in the file: summed when it is asked for */
    uint64_t changes; /* counts what changed the rows; for those who keep something made of them */
    uint64_t watched; /* the watch that has it, for the folder's watch of an account; 0: none */
    bool damaged;     /* a row failed its checksum: index_mend() */
};

struct index {
    int dir;   /* descriptor of the folder it is in; borrowed */
    int fd;    /* -1: no index yet */
    int lock;  /* -1: not held */
    int cache; /* of cache.c; -1: not open */
    char *map;
    size_t map_n;
    uint64_t sequence; /* of the last group taken in */
    uint64_t log_end;  /* offset behind it */
    uint64_t file_n;   /* octets of the file; behind log_end they are zeros */
    uint64_t next_id;  /* of a mailbox */
    uint64_t made;     /* of the file: generation, differs after each checkpoint */
    struct index_mailbox **mailboxes;
    size_t count, room;
    uint64_t device, inode; /* of the file */
    uint64_t loads;         /* how often it was read from the beginning */
    bool torn;              /* the log ended in something else than zeros */
    bool broken;    /* a write failed: what is in the file is not known, it is made anew first */
    bool stale;     /* memory is behind the file: to be read anew */
    bool read_only; /* no writing here: changes live in memory */
    bool was_lost;  /* there was no readable index when it was opened */
    bool unsynced;  /* commits are not synced; checkpoints are, for all would be lost with one */
};

/* ---- file.c */
/* index_open - the index in the folder dir (its descriptor: borrowed until index_close). A missing
 * or unreadable one opens as empty, was_lost set. 0, POSTERN_E_NOMEM, _IO, _AGAIN. */
int index_open(struct index *index, int dir);
void index_close(struct index *index);
/* index_is_damaged - a row failed its checksum; index_lock() mends that. */
bool index_is_damaged(const struct index *index);
/* index_refresh - take in what other processes committed. !wait: POSTERN_E_AGAIN if there is
 * something. */
int index_refresh(struct index *index, bool wait);
/* index_lock - be the only writer; refreshes. wait: else POSTERN_E_AGAIN. */
int index_lock(struct index *index, bool wait);
void index_unlock(struct index *index);
/* index_commit - a group becomes part of the index, whole: written, synced if `sync`, taken in. Of
 * a disk that is full the reserve is used when `reserve`. On failure nothing has happened;
 * POSTERN_E_FULL, _IO. With the lock. group: emptied. */
int index_commit(struct index *index, struct buffer *group, bool sync, bool reserve);

/* ---- log.c */
#define LOG_GROUP_MAX (UINT32_C(1) << 30)
/* log_replay - take in all whole groups from log_end on. */
int log_replay(struct index *index);
/* log_has_more - does something stand behind log_end that was not taken in? */
bool log_has_more(const struct index *index);
/* log_rest_is_zero - whether nothing was ever written behind the log's end, and nothing cut off:
 * there are always zeros. */
bool log_rest_is_zero(const struct index *index);
/* log_write - a group with this body, at log_end; errors as of index_commit(). */
int log_write(struct index *index, struct postern_span body, bool sync, bool reserve);
/* log_advance - a group with so many octets of body was taken in. */
void log_advance(struct index *index, size_t body_n);

/* ---- checkpoint.c */
/* index_checkpoint - write all anew, durably. With the lock. */
int index_checkpoint(struct index *index);
int index_sync_fd(int fd);
int index_write_at(int fd, struct postern_span bytes, uint64_t offset);

/* ---- base.c */
/* index_base_load - map and check the base of index->fd. POSTERN_E_CORRUPT. */
int index_base_load(struct index *index);
/* index_base_forget - the mailboxes, and the base they lie in. */
void index_base_forget(struct index *index);

/* ---- group.c: what a group may say. The first error sticks in the buffer. */
void group_facts(struct buffer *group, const struct index_facts *facts, struct postern_span name,
                 struct postern_span dir);
void group_keyword(struct buffer *group, uint64_t id, struct postern_span keyword);
void group_dropped(struct buffer *group, uint64_t id);
/* group_row - a new row, or all of a known one; absent name: strings stay as they are. */
void group_row(struct buffer *group, uint64_t id, const struct index_row *row,
               struct postern_span name, struct postern_span unique);
/* group_expunge - the live rows in the range; their files are doomed, unless `files_gone`. */
void group_expunge(struct buffer *group, uint64_t id, struct postern_uid_range range,
                   uint64_t modseq, bool files_gone);
/* group_doom - this file is to be removed, unless a row of this group or a later one names it. */
void group_doom(struct buffer *group, uint64_t id, unsigned sub, struct postern_span name);
/* group_clear - the doomed files of a mailbox are gone. */
void group_clear(struct buffer *group, uint64_t id);
/* index_take - apply the body of a group. POSTERN_E_CORRUPT, _NOMEM: half taken in. */
int index_take(struct index *index, struct postern_span body);

/* ---- mailboxes.c */
struct index_mailbox *index_mailbox_of(const struct index *index, uint64_t id);
struct index_mailbox *index_mailbox_named(const struct index *index, struct postern_span name);
struct index_mailbox *index_mailbox_add(struct index *index, uint64_t id);
void index_mailbox_drop(struct index *index, uint64_t id);
void index_mailbox_free(struct index_mailbox *mailbox);

/* ---- rows.c */
/* mailbox_deleted_bytes - the sizes of those that are marked as deleted, summed. */
uint64_t mailbox_deleted_bytes(struct index_mailbox *mailbox);
/* mailbox_row - by place, 0 to mailbox_rows() - 1, gone ones too. */
struct index_row *mailbox_row(const struct index_mailbox *mailbox, size_t place);
size_t mailbox_rows(const struct index_mailbox *mailbox);
/* mailbox_place - the first place whose UID is at least uid. */
size_t mailbox_place(const struct index_mailbox *mailbox, uint32_t uid);
/* mailbox_find - the live row of a UID, checked; NULL. */
struct index_row *mailbox_find(struct index_mailbox *mailbox, uint32_t uid);
struct postern_span row_name(const struct index_mailbox *mailbox, const struct index_row *row);
struct postern_span row_unique(const struct index_mailbox *mailbox, const struct index_row *row);
/* row_is_whole - does the checksum fit? Sets mailbox->damaged when not. */
bool row_is_whole(struct index_mailbox *mailbox, const struct index_row *row);
/* row_seal - its checksum anew, after a change of what is no string. */
void row_seal(const struct index_mailbox *mailbox, struct index_row *row);
uint32_t row_crc(const struct index_row *row, struct postern_span strings);
uint32_t index_crc(uint32_t crc, struct postern_span bytes);
unsigned row_sub(const struct index_row *row);
int mailbox_put_row(struct index_mailbox *mailbox, const struct index_row *row,
                    struct postern_span strings, bool keep_strings);
void mailbox_expunge(struct index_mailbox *mailbox, struct postern_uid_range range, uint64_t modseq,
                     bool files_gone, int *error);
/* index_mend - drop the rows of all mailboxes that fail their checksums and count anew; how many.
 * With the lock; a checkpoint makes it last. */
size_t index_mend(struct index *index);

/* ---- doomed.c */
/* doomed_next - walk the doomed files: *at from 0 on; false at the end. */
bool doomed_next(const struct buffer *doomed, size_t *at, unsigned *sub_r,
                 struct postern_span *name_r);
void doomed_add(struct buffer *doomed, unsigned sub, struct postern_span name);
/* doomed_remove - forget one by its name; whether it was there. */
bool doomed_remove(struct buffer *doomed, struct postern_span name);

/* ---- cache.c */
#define CACHE_BLOCK_MAX (UINT32_C(1) << 28)
/* cache_read - the parsed form that a row has; block_r: given, free(), and whole.
 * POSTERN_E_NOT_FOUND: there is none. */
int cache_read(struct index *index, const struct index_mailbox *mailbox,
               const struct index_row *row, struct postern_span *block_r);
/* cache_window - octets of the cache as they are from offset on; how many, perhaps 0. */
size_t cache_window(struct index *index, uint64_t offset, char *out, size_t n);
/* cache_find - the parsed form that a row has, if it lies whole in a window that begins there;
 * absent. */
struct postern_span cache_find(const struct index_mailbox *mailbox, const struct index_row *row,
                               struct postern_span window, uint64_t offset);
/* cache_record - append the record of a message to some; where in them it begins. */
uint64_t cache_record(struct buffer *records, const struct index_mailbox *mailbox, uint32_t uid,
                      struct postern_span block);
/* cache_append - write records; offset_r: of the first in the file, for row.block. With the lock.
 * POSTERN_E_FULL, _IO, _READ_ONLY. */
int cache_append(struct index *index, struct postern_span records, size_t count,
                 uint64_t *offset_r);
/* cache_compact - if more is dead than alive; changes rows, so a checkpoint must follow. With the
 * lock. */
void cache_compact(struct index *index);
void cache_close(struct index *index);

/* ---- unseen.c */
/* mailbox_first_unseen - the lowest UID without \Seen; 0: there is none. */
uint32_t mailbox_first_unseen(const struct index_mailbox *mailbox);

/* ---- recent.c */
#define RECENT_MAX 16
/* recent_note - before facts.modseq rises: this row gets that mod-sequence. */
void recent_note(struct index_mailbox *mailbox, uint32_t uid, uint64_t modseq);
void recent_forget(struct index_mailbox *mailbox);
/* recent_since - the rows that got a mod-sequence above that, rising; false: it is not known. */
bool recent_since(const struct index_mailbox *mailbox, uint64_t since, uint32_t uids_r[RECENT_MAX],
                  size_t *count_r);

/* ---- runs.c */
int runs_add(struct index_mailbox *mailbox, uint32_t uid);
int runs_remove(struct index_mailbox *mailbox, uint32_t uid);

#endif
