/* SPDX-License-Identifier: MIT */
/* threads FOLDER [PORT] - the engine itself on blocking sockets, a thread per client: the other way
 * to host it. The mailbox is read whole into memory, and read-only. User "demo", password
 * "postern". */
#include "listen.h"

#include <poll.h>
#include <postern/pop3.h>
#include <postern/store.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* What all threads share, and none changes: the list, and the contents in its order. */
static struct postern_snapshot *snapshot;
static struct postern_span *contents;
static struct postern_pop3_options options;
static const struct postern_span absent;

static bool is(struct postern_span span, const char *text)
{
    return span.n == strlen(text) && memcmp(span.p, text, span.n) == 0;
}

static void answer(struct postern_pop3 *engine, const struct postern_pop3_question *q)
{
    bool good = is(q->login.user, "demo") && is(q->login.secret, "postern");
    struct postern_pop3_mailbox mailbox = {
        .list = snapshot->list, .read_only = true, .expire_days = -1, .login_delay_s = -1};
    struct postern_pop3_message message = {.content = q->message.number};
    struct postern_span bytes;

    switch (q->kind) {
    case POSTERN_POP3_AUTHENTICATE:
        postern_pop3_answer_authenticate(engine, q->id, good ? POSTERN_YES : POSTERN_NO_CREDENTIALS,
                                         absent, absent);
        break;
    case POSTERN_POP3_OPEN:
        postern_pop3_answer_open(engine, q->id, POSTERN_YES, &mailbox, absent);
        break;
    case POSTERN_POP3_MESSAGE:
        if (!q->message.number) {
            postern_pop3_answer_message(engine, q->id, POSTERN_NO_NOT_FOUND, NULL, absent);
            break;
        }
        message.size_raw = contents[q->message.number - 1].n;
        postern_pop3_answer_message(engine, q->id, POSTERN_YES, &message, absent);
        break;
    case POSTERN_POP3_READ:
        bytes = contents[q->content - 1];
        bytes.p += q->offset;
        bytes.n -= q->offset;
        if (bytes.n > q->length)
            bytes.n = q->length;
        postern_pop3_answer_read(engine, q->id, 0, bytes);
        break;
    default: /* FIND: nothing is here that was not listed */
        postern_pop3_answer_default(engine, q->id);
        break;
    }
}

static void pump(struct postern_pop3 *engine)
{
    struct postern_pop3_question question;

    while (postern_pop3_next(engine, &question) == 1)
        if (question.id)
            answer(engine, &question);
}

/* Write all of it, however long the peer takes: a thread may wait. */
static bool write_out(struct postern_pop3 *engine, int fd)
{
    struct postern_piece piece;

    pump(engine);
    while (postern_pop3_output(engine, &piece, 1) > 0) {
        ssize_t n = send(fd, piece.bytes.p, piece.bytes.n, MSG_NOSIGNAL);

        if (n < 0)
            return false;
        postern_pop3_sent(engine, (uint64_t)n, clock_now());
        pump(engine);
    }
    return true;
}

/* Wait for bytes or for the deadline. -1: the connection broke; 0: the peer left, or nothing came.
 */
static ssize_t read_in(struct postern_pop3 *engine, int fd, char *bytes, size_t size)
{
    postern_time deadline = postern_pop3_deadline(engine), now = clock_now();
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    int wait = deadline == POSTERN_NEVER ? -1
               : deadline <= now         ? 0
                                         : (int)((deadline - now) / 1000000 + 1);
    ssize_t n;

    if (poll(&polled, 1, wait) <= 0) {
        postern_pop3_tick(engine, clock_now());
        return 0;
    }
    n = recv(fd, bytes, size, 0);
    if (n == 0)
        postern_pop3_eof(engine);
    return n;
}

static bool feed_all(struct postern_pop3 *engine, int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        int taken = postern_pop3_feed(engine, (struct postern_span){bytes, n}, clock_now());

        if (taken < 0 || !write_out(engine, fd))
            return false;
        bytes += taken;
        n -= (size_t)taken;
    }
    return true;
}

static void *serve(void *arg)
{
    int fd = (int)(intptr_t)arg;
    struct postern_pop3 *engine = NULL;
    char bytes[4096];
    ssize_t n = 0;

    if (postern_pop3_new(&engine, &options, NULL, clock_now()) == 0) {
        while (n >= 0 && write_out(engine, fd) &&
               !(postern_pop3_wants(engine) & POSTERN_WANT_CLOSE)) {
            n = read_in(engine, fd, bytes, sizeof bytes);
            if (n > 0 && !feed_all(engine, fd, bytes, (size_t)n))
                break;
        }
        write_out(engine, fd);
        postern_pop3_free(&engine);
    }
    close(fd);
    return NULL;
}

static int content_load(struct postern_store *store, struct postern_mailbox *mailbox, size_t i)
{
    const struct postern_entry *entry = &snapshot->list.entries[i];
    struct postern_span uid = {snapshot->list.uids + entry->uid_offset, entry->uid_length};
    struct postern_content *content = NULL;
    struct postern_facts facts;
    size_t n = 0;
    char *bytes;
    int r = postern_store_message(store, mailbox, uid, 0, &content, &facts);

    if (r < 0)
        return r;
    bytes = malloc(facts.size_raw + 1);
    while (bytes && n < facts.size_raw &&
           (r = store->ops->read(content, n, bytes + n, facts.size_raw - n)) > 0)
        n += (size_t)r;
    contents[i] = (struct postern_span){bytes, n};
    store->ops->content_close(&content);
    return bytes ? r : POSTERN_E_NOMEM;
}

static int mailbox_load(const char *path)
{
    struct postern_store store;
    struct postern_mailbox *mailbox = NULL;
    int r = postern_store_eml_new(&store, path, false);

    if (r < 0)
        return r;
    r = postern_store_inbox(&store, postern_span_of("demo"), 0, &mailbox);
    if (r >= 0)
        r = store.ops->snapshot(mailbox, 0, &snapshot);
    if (r >= 0)
        contents = calloc(snapshot->list.count + 1, sizeof *contents);
    for (size_t i = 0; r >= 0 && contents && i < snapshot->list.count; i++)
        r = content_load(&store, mailbox, i);
    store.ops->close(&mailbox);
    postern_store_free(&store);
    return contents ? r : POSTERN_E_NOMEM;
}

int main(int argc, char **argv)
{
    int listener = listen_local(argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 0);
    pthread_t thread;

    POSTERN_POP3_OPTIONS_INIT(&options);
    options.plaintext_without_tls = true; /* on loopback only */
    if (argc < 2 || listener < 0 || mailbox_load(argv[1]) < 0)
        return 1;
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0;) {
        if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd) == 0)
            pthread_detach(thread);
        else
            close(fd);
    }
    return 1;
}
