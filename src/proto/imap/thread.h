/* SPDX-License-Identifier: MIT */
/* thread - messages become trees (RFC 5256 3). For n messages with m references this takes
 * (n + m) log (n + m) comparisons, and for each reference as many steps as its message is deep,
 * 1,000 at most; no function here recurses. */
#ifndef PROTO_IMAP_THREAD_H
#define PROTO_IMAP_THREAD_H

#include "base/memory.h"

struct thread_node {
    uint32_t uid; /* 0: a message that is only referred to, or the top of equal subjects */
    int64_t sent;
    struct postern_span subject; /* base, folded */
    bool is_reply, is_hung;      /* hung: it stands in a list */
    struct thread_node *parent, *child, *next;
};

/* struct thread_id - a message-id that a message has, or refers to. */
struct thread_id {
    struct postern_span text;
    struct thread_node *node; /* that of the message with this id, once it is known */
    size_t at;                /* its place in the order of the mailbox */
};

/* struct thread_message - one that was found. ids: count of them, first the references that it
 * makes, the oldest first; then its own, unless it has none. */
struct thread_message {
    struct thread_message *next;
    struct thread_node *node;
    size_t references, count;
    struct thread_id ids[];
};

struct thread_forest {
    struct arena *arena;
    struct thread_message *first, **end; /* in the order of the mailbox */
    size_t messages, ids;
    struct thread_node top; /* its children are the threads, once made */
    void **scratch;
};

/* Both make the trees and put them in order: threads and siblings by date. false: out of memory. */
bool thread_by_references(struct thread_forest *forest);
bool thread_by_subject(struct thread_forest *forest);

#endif
