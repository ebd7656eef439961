/* SPDX-License-Identifier: MIT */
/* static-memory [PORT] - the engine on memory that the program owns: no malloc anywhere. One client
 * at a time, since there is room for one; the most that a session ever took is printed when it
 * ends. */
#include "listen.h"

#include <poll.h>
#include <postern/pop3.h>
#include <stdlib.h>
#include <string.h>

/* ---- the allocator: blocks one after the other, freed ones found again by size --------------- */

#define POOL_BYTES 65536
#define ALIGN 16

struct block {
    _Alignas(ALIGN) size_t size; /* of what follows; a multiple of ALIGN */
    size_t taken;
};

static _Alignas(ALIGN) char pool[POOL_BYTES];
static size_t pool_end, in_use, most_in_use;

static void *block_take(size_t size)
{
    struct block *block = NULL;

    size = (size + ALIGN - 1) / ALIGN * ALIGN;
    for (size_t at = 0; at < pool_end; at += sizeof *block + block->size) {
        block = (struct block *)(pool + at);
        if (!block->taken && block->size >= size)
            break;
        block = at + sizeof *block + block->size < pool_end ? block : NULL;
        if (!block)
            break;
    }
    if (!block || block->taken || block->size < size) {
        if (sizeof *block + size > POOL_BYTES - pool_end)
            return NULL;
        block = (struct block *)(pool + pool_end);
        block->size = size;
        pool_end += sizeof *block + size;
    }
    block->taken = 1;
    in_use += block->size;
    most_in_use = in_use > most_in_use ? in_use : most_in_use;
    return block + 1;
}

static void block_drop(void *p)
{
    struct block *block = (struct block *)p - 1;

    block->taken = 0;
    in_use -= block->size;
    if (in_use == 0)
        pool_end = 0; /* a session is over: all is whole again */
}

static void *pool_resize(void *ctx, void *p, size_t size)
{
    void *larger;

    (void)ctx;
    if (!p)
        return block_take(size);
    if (size && size <= ((struct block *)p - 1)->size)
        return p;
    larger = size ? block_take(size) : NULL;
    if (size && !larger)
        return NULL;
    if (larger)
        memcpy(larger, p, ((struct block *)p - 1)->size);
    block_drop(p);
    return larger;
}

/* ---- the mailbox: constants ------------------------------------------------------------------ */

static const char *const letters[] = {
    "Subject: read only\r\n\r\nThis letter lives in the program's constants.\r\n",
    "Subject: dots\r\n\r\n.\r\n..\r\nend",
};
static const struct postern_entry entries[] = {
    {.size_bytes = 67, .uid_offset = 0, .uid_length = 5},
    {.size_bytes = 29, .uid_offset = 5, .uid_length = 4},
};
static const struct postern_pop3_mailbox mailbox = {
    .list = {.entries = entries, .count = 2, .uids = "firstdots", .total_bytes = 96},
    .read_only = true,
    .expire_days = -1,
    .login_delay_s = -1};
static const struct postern_span absent;

static void answer(struct postern_pop3 *engine, const struct postern_pop3_question *q)
{
    struct postern_pop3_message message = {.content = q->message.number};
    struct postern_span bytes;

    switch (q->kind) {
    case POSTERN_POP3_AUTHENTICATE: /* everybody may read this */
        postern_pop3_answer_authenticate(engine, q->id, POSTERN_YES, absent, absent);
        break;
    case POSTERN_POP3_OPEN:
        postern_pop3_answer_open(engine, q->id, POSTERN_YES, &mailbox, absent);
        break;
    case POSTERN_POP3_MESSAGE:
        message.size_raw = q->message.number ? strlen(letters[q->message.number - 1]) : 0;
        postern_pop3_answer_message(engine, q->id,
                                    q->message.number ? POSTERN_YES : POSTERN_NO_NOT_FOUND,
                                    q->message.number ? &message : NULL, absent);
        break;
    case POSTERN_POP3_READ:
        bytes = postern_span_of(letters[q->content - 1] + q->offset);
        bytes.n = bytes.n < q->length ? bytes.n : q->length;
        postern_pop3_answer_read(engine, q->id, 0, bytes);
        break;
    default:
        postern_pop3_answer_default(engine, q->id);
        break;
    }
}

/* ---- the host -------------------------------------------------------------------------------- */

static bool answer_and_write(struct postern_pop3 *engine, int fd)
{
    struct postern_pop3_question question;
    struct postern_piece piece;

    for (;;) {
        while (postern_pop3_next(engine, &question) == 1)
            if (question.id)
                answer(engine, &question);
        if (postern_pop3_output(engine, &piece, 1) == 0)
            return true;
        ssize_t n = send(fd, piece.bytes.p, piece.bytes.n, MSG_NOSIGNAL);
        if (n < 0)
            return false;
        postern_pop3_sent(engine, (uint64_t)n, clock_now());
    }
}

static void serve(int fd, const struct postern_pop3_options *options)
{
    struct postern_pop3 *engine = NULL;
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    char bytes[512];
    ssize_t n;

    if (postern_pop3_new(&engine, options, NULL, clock_now()) < 0)
        return;
    while (answer_and_write(engine, fd) && !(postern_pop3_wants(engine) & POSTERN_WANT_CLOSE)) {
        if (poll(&polled, 1, 1000) == 0) {
            postern_pop3_tick(engine, clock_now());
            continue;
        }
        n = recv(fd, bytes, sizeof bytes, 0);
        if (n <= 0)
            break;
        for (int at = 0, taken = 0; at < n && taken >= 0; at += taken) {
            taken = postern_pop3_feed(engine, (struct postern_span){bytes + at, (size_t)(n - at)},
                                      clock_now());
            if (taken < 0 || !answer_and_write(engine, fd))
                break;
        }
    }
    postern_pop3_free(&engine);
    n = snprintf(bytes, sizeof bytes, "most %zu left %zu\n", most_in_use, in_use);
    if (write(STDOUT_FILENO, bytes, (size_t)n) < 0)
        _exit(1); /* nobody reads what we print */
}

int main(int argc, char **argv)
{
    struct postern_allocator allocator = {.resize = pool_resize};
    struct postern_pop3_options options;
    int listener = listen_local(argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 0);

    POSTERN_POP3_OPTIONS_INIT(&options);
    options.allocator = &allocator;
    options.plaintext_without_tls = true; /* on loopback only */
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0; close(fd))
        serve(fd, &options);
    return 1;
}
