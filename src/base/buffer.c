/* SPDX-License-Identifier: MIT */
/* buffer - bytes that grow at the end and are taken from the front.
 * Reply code appends without checking and looks at `error` once at the end. */
#include "base/buffer.h"

#include "base/memory.h"
#include "base/span.h"

#define BUFFER_FIRST_BYTES 256

static void buffer_compact(struct buffer *b)
{
    memmove(b->data, b->data + b->head, b->tail - b->head);
    b->tail -= b->head;
    b->head = 0;
}

static int buffer_grow(struct buffer *b, size_t n)
{
    size_t capacity = b->capacity ? b->capacity : BUFFER_FIRST_BYTES;
    char *data;

    /* UNSAFE: capacity stops doubling before it can wrap */
    while (capacity - b->tail < n) {
        if (capacity > SIZE_MAX / 4)
            return POSTERN_E_NOMEM;
        capacity *= 2;
    }
    /* a fresh block and a wipe instead of realloc(): no copy of a secret stays behind */
    data = memory_resize(b->allocator, b->plain ? b->data : NULL, capacity);
    if (!data)
        return POSTERN_E_NOMEM;
    if (b->data && !b->plain) {
        memcpy(data, b->data, b->tail);
        secret_wipe(b->data, b->capacity);
        memory_free(b->allocator, b->data);
    }
    b->data = data;
    b->capacity = capacity;
    return 0;
}

char *buffer_room(struct buffer *b, size_t n)
{
    if (b->error)
        return NULL;
    if (b->capacity - b->tail < n && b->head)
        buffer_compact(b);
    if (b->capacity - b->tail < n || !b->data)
        b->error = buffer_grow(b, n ? n : 1);
    return b->error ? NULL : b->data + b->tail;
}

void buffer_commit(struct buffer *b, size_t used)
{
    b->tail += used;
}

void buffer_append(struct buffer *b, struct postern_span bytes)
{
    char *room;

    if (bytes.n == 0)
        return;
    room =
        b->capacity - b->tail >= bytes.n && !b->error ? b->data + b->tail : buffer_room(b, bytes.n);
    if (!room)
        return;
    memcpy(room, bytes.p, bytes.n);
    buffer_commit(b, bytes.n);
}

void buffer_append_char(struct buffer *b, char c)
{
    if (b->tail < b->capacity && !b->error)
        b->data[b->tail++] = c;
    else
        buffer_append(b, span_make(&c, 1));
}

void buffer_append_text(struct buffer *b, const char *text)
{
    buffer_append(b, postern_span_of(text));
}

void buffer_append_number(struct buffer *b, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;

    do
        digits[--at] = (char)('0' + number % 10);
    while (number /= 10);
    buffer_append(b, span_make(digits + at, sizeof digits - at));
}

struct postern_span buffer_span(const struct buffer *b)
{
    return b->data ? span_make(b->data + b->head, b->tail - b->head)
                   : (struct postern_span){NULL, 0};
}

size_t buffer_length(const struct buffer *b)
{
    return b->tail - b->head;
}

void buffer_take(struct buffer *b, size_t n)
{
    b->head += n;
    if (b->head == b->tail)
        b->head = b->tail = 0;
}

void buffer_done(struct buffer *b)
{
    if (b->data && !b->plain)
        secret_wipe(b->data, b->capacity);
    memory_free(b->allocator, b->data);
    *b = (struct buffer){.allocator = b->allocator, .plain = b->plain, .error = b->error};
}
