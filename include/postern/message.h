/* SPDX-License-Identifier: MIT */
/* postern/message.h - mailboxes and messages: the words that stores and engines share. */
#ifndef POSTERN_MESSAGE_H
#define POSTERN_MESSAGE_H

#include <postern/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define POSTERN_UID_MAX 70              /* RFC 1939 7: a unique-id has 1..70 octets of 0x21..0x7E */
#define POSTERN_SIZE_UNKNOWN UINT64_MAX /* of a content nobody knows how long it is */
#define POSTERN_ENTRY_UTF8 1            /* the header has raw UTF-8 (RFC 6532) */
#define POSTERN_ENTRY_UNREADABLE 2      /* listed with the size last known; opening it will fail */

/* struct postern_entry - one message: 16 bytes. */
struct postern_entry {
    uint64_t size_bytes; /* octets in wire form: CRLF line ends, last one included */
    uint32_t uid_offset; /* where its unique-id begins in list.uids */
    uint8_t uid_length;  /* 1..POSTERN_UID_MAX */
    uint8_t flags;       /* POSTERN_ENTRY_* */
    uint16_t reserved;   /* 0 */
};

/* struct postern_list - a mailbox as it was at one moment; never changes, may be shared. */
struct postern_list {
    const struct postern_entry *entries;
    size_t count;
    const char *uids;     /* all unique-ids, one after the other */
    uint64_t total_bytes; /* sum of the sizes */
};

/* ---- words of mailboxes and messages ----------------------------------------------------------
 */

#define POSTERN_MAILBOX_NAME_MAX 1000 /* octets of a mailbox's name */
#define POSTERN_KEYWORDS_MAX 64       /* different keywords in one mailbox */
#define POSTERN_KEYWORD_MAX 100       /* octets of a keyword */

/* Flags of a message. Keywords are names that clients choose; a mailbox numbers them (keyword())
 * and a message has a set of them as bits. */
#define POSTERN_FLAG_SEEN 1u
#define POSTERN_FLAG_ANSWERED 2u
#define POSTERN_FLAG_FLAGGED 4u
#define POSTERN_FLAG_DELETED 8u
#define POSTERN_FLAG_DRAFT 16u
#define POSTERN_FLAGS_ALL 31u

/* What somebody may do with a mailbox (RFC 4314 2.1). */
#define POSTERN_RIGHT_LOOKUP 1u    /* l: it is there for them */
#define POSTERN_RIGHT_READ 2u      /* r: its messages */
#define POSTERN_RIGHT_SEEN 4u      /* s: change \Seen */
#define POSTERN_RIGHT_WRITE 8u     /* w: change keywords and flags but \Seen and \Deleted */
#define POSTERN_RIGHT_INSERT 16u   /* i: put messages into it */
#define POSTERN_RIGHT_POST 32u     /* p: send mail to it; not IMAP's to check */
#define POSTERN_RIGHT_CREATE 64u   /* k: make mailboxes below it */
#define POSTERN_RIGHT_REMOVE 128u  /* x: delete or rename it */
#define POSTERN_RIGHT_DELETED 256u /* t: change \Deleted */
#define POSTERN_RIGHT_EXPUNGE 512u /* e: expunge */
#define POSTERN_RIGHT_ADMIN 1024u  /* a: say who may do what */
#define POSTERN_RIGHTS_ALL 2047u

/* struct postern_acl - what an identifier may do with a mailbox: a user's name, or "anyone"; with
 * "-" before it: what it may not, whatever else says so. */
struct postern_acl {
    struct postern_span identifier;
    uint32_t rights; /* POSTERN_RIGHT_* */
    bool fixed;      /* the owner's: nobody can change it */
};

/* What a mailbox is for (RFC 6154 has the same list). */
enum postern_special_use {
    POSTERN_SPECIAL_NONE,
    POSTERN_SPECIAL_ARCHIVE,
    POSTERN_SPECIAL_DRAFTS,
    POSTERN_SPECIAL_FLAGGED,
    POSTERN_SPECIAL_IMPORTANT,
    POSTERN_SPECIAL_JUNK,
    POSTERN_SPECIAL_SENT,
    POSTERN_SPECIAL_TRASH,
    POSTERN_SPECIAL_COUNT
};

/* struct postern_uid_range - the UIDs first to last, both included. */
struct postern_uid_range {
    uint32_t first, last;
};

/* struct postern_status - a mailbox without opening it. Spans are lent for the call that shows
 * them. */
struct postern_status {
    struct postern_span name; /* UTF-8, levels apart by '/'; INBOX is always so written */
    uint64_t id;              /* of the mailbox for ever, also when it is renamed; 0: not known */
    uint32_t uid_validity, uid_next;
    uint64_t modseq; /* the highest */
    uint32_t messages, unseen, deleted;
    uint32_t recent, recent_from; /* those with this UID or above, that no session has taken yet */
    uint64_t size_bytes;          /* sum of the sizes in wire form */
    uint64_t deleted_bytes;       /* of those that are marked as deleted */
    uint64_t annotations;         /* list(): differs when its annotations do; 0: it has none */
    enum postern_special_use special;
    bool subscribed;
    bool exists;       /* false: a level that only has others below it, or only a subscription */
    bool has_children; /* has existing ones below it */
    uint32_t rights;   /* of the user; counts only where access control lists are kept */
};

/* struct postern_quota - what an account has and may have; a limit of 0 is none. */
struct postern_quota {
    uint64_t bytes, bytes_max, messages, messages_max, mailboxes, mailboxes_max;
};

/* struct postern_metadata - an annotation of a mailbox or an account (RFC 5464). entry:
 * "/private/comment", without regard to case; value: any octets; absent: there is none. */
struct postern_metadata {
    struct postern_span entry, value;
};

/* struct postern_message_info - what is known of a message without reading it. */
struct postern_message_info {
    uint32_t uid;
    uint32_t flags; /* POSTERN_FLAG_* */
    uint64_t keywords;
    uint64_t modseq;
    int64_t date_s;     /* internal date, seconds since 1970 */
    int64_t saved_s;    /* when it came into this mailbox; 0: not known */
    uint64_t size_wire; /* octets with CRLF line ends */
    uint64_t email_id;  /* the same for a message and its copies, else different; 0 unknown */
};

/* struct postern_structure - the parsed form of a message: a block that mime.h reads. */
struct postern_structure {
    uint32_t uid;
    struct postern_span block;
};

enum postern_flags_how { POSTERN_FLAGS_SET, POSTERN_FLAGS_ADD, POSTERN_FLAGS_REMOVE };

#ifdef __cplusplus
}
#endif
#endif
