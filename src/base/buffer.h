/* SPDX-License-Identifier: MIT */
/* buffer - bytes that grow at the end and are taken from the front; the first error sticks. */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <postern/base.h>
#include <string.h>

/* struct buffer - unread bytes are [head, tail) of data. Set allocator (NULL = malloc) and zero the
 * rest. Memory is wiped before it is given back, since passwords pass through buffers; `plain`: not
 * through this one, and wiping all mail that goes by is dear. */
struct buffer {
    const struct postern_allocator *allocator;
    char *data;
    size_t head, tail, capacity;
    bool plain;
    int error; /* 0, or POSTERN_E_NOMEM once an append failed; later appends do nothing */
};

void buffer_append(struct buffer *b, struct postern_span bytes);
/* buffer_append_few - the same for a literal: where the compiler sees its length, a store. */
static inline void buffer_append_few(struct buffer *b, struct postern_span bytes)
{
    if (b->error || b->capacity - b->tail < bytes.n || !bytes.n) {
        buffer_append(b, bytes);
        return;
    }
    memcpy(b->data + b->tail, bytes.p, bytes.n);
    b->tail += bytes.n;
}
void buffer_append_char(struct buffer *b, char c);
void buffer_append_text(struct buffer *b, const char *text);
void buffer_append_number(struct buffer *b, uint64_t number);
/* buffer_room - at least n writable bytes at the end, or NULL (error set); then buffer_commit(b,
 * used). */
char *buffer_room(struct buffer *b, size_t n);
void buffer_commit(struct buffer *b, size_t used);
/* buffer_span - the unread bytes; lent until the next change. */
struct postern_span buffer_span(const struct buffer *b);
size_t buffer_length(const struct buffer *b);
/* buffer_take - drop n bytes from the front. */
void buffer_take(struct buffer *b, size_t n);
/* buffer_done - free the memory; empty and usable again, error kept. */
void buffer_done(struct buffer *b);

#endif
