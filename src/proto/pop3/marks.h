/* SPDX-License-Identifier: MIT */
/* marks - which messages of a mailbox are marked or gone, and how to find one by its unique-id. */
#ifndef POP3_MARKS_H
#define POP3_MARKS_H

#include <postern/message.h>

/* struct marks_extra - a message that came after the listing and was marked or deleted (X4). */
struct marks_extra {
    uint64_t size_bytes;
    bool is_gone;
    uint8_t uid_length;
    char uid[POSTERN_UID_MAX];
};

/* struct marks - no memory is taken before the first mark, the first UID: or the first extra. */
struct marks {
    const struct postern_allocator *allocator;
    unsigned char *marked; /* bitmap */
    unsigned char *gone;   /* bitmap: deleted at once (X20) */
    uint32_t *index;       /* message numbers - 1 in order of unique-id */
    struct marks_extra *extras;
    size_t count; /* messages in the list */
    size_t extra_count, extra_capacity;
    size_t marked_count, extra_marked_count, gone_count;
    uint64_t marked_octets, gone_octets;
};

void marks_init(struct marks *m, const struct postern_allocator *allocator, size_t count);
void marks_done(struct marks *m);
size_t marks_memory(const struct marks *m);
bool marks_is_marked(const struct marks *m, size_t at);
bool marks_is_gone(const struct marks *m, size_t at);
/* marks_set - 0 or POSTERN_E_NOMEM; marking twice is nothing. */
int marks_set(struct marks *m, size_t at, uint64_t size_bytes) POSTERN_MUST_USE;
int marks_set_gone(struct marks *m, size_t at, uint64_t size_bytes) POSTERN_MUST_USE;
int marks_add_extra(struct marks *m, struct postern_span uid, uint64_t size_bytes,
                    bool is_gone) POSTERN_MUST_USE;
/* marks_find_extra - index of the extra with that unique-id, or -1. */
long marks_find_extra(const struct marks *m, struct postern_span uid);
/* marks_clear - unmark all; what is gone stays gone. */
void marks_clear(struct marks *m);
/* marks_find - index of the message with that unique-id, POSTERN_E_NOT_FOUND or POSTERN_E_NOMEM. */
int64_t marks_find(struct marks *m, const struct postern_list *list, struct postern_span uid);

#endif
