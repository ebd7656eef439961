/* SPDX-License-Identifier: MIT */
/* epoll-loop FOLDER [PORT] - the engine itself in an epoll loop of one thread: any number of
 * clients read a folder of .eml files. Nothing blocks but the disk. The user is "demo", the
 * password "postern". */
#include "listen.h"

#include <errno.h>
#include <fcntl.h>
#include <postern/pop3.h>
#include <postern/store.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/uio.h>

/* struct client - one connection: its engine and what that has been lent. */
struct client {
    struct client *next;
    int fd;
    struct postern_pop3 *engine;
    struct postern_mailbox *mailbox;
    struct postern_snapshot *snapshot;
    struct postern_content *content;
};

static struct postern_store folder;
static struct postern_pop3_options options;
static struct client *clients;
static const struct postern_span absent;

static bool is(struct postern_span span, const char *text)
{
    return span.n == strlen(text) && memcmp(span.p, text, span.n) == 0;
}

/* ---- answering the engine's questions -------------------------------------------------------- */

static void mailbox_close(struct client *c)
{
    folder.ops->content_close(&c->content);
    postern_snapshot_unref(&c->snapshot);
    if (c->mailbox)
        folder.ops->unlock(c->mailbox);
    folder.ops->close(&c->mailbox);
}

static void answer_login(struct client *c, const struct postern_pop3_question *q)
{
    bool good = is(q->login.user, "demo") && is(q->login.secret, "postern");

    postern_pop3_answer_authenticate(c->engine, q->id, good ? POSTERN_YES : POSTERN_NO_CREDENTIALS,
                                     absent, absent);
}

static void answer_open(struct client *c, const struct postern_pop3_question *q)
{
    struct postern_pop3_mailbox mailbox = {.expire_days = -1, .login_delay_s = -1};
    int r = postern_store_inbox(&folder, q->user, 0, &c->mailbox);

    if (r >= 0)
        r = folder.ops->lock(c->mailbox);
    if (r >= 0)
        r = folder.ops->snapshot(c->mailbox, 0, &c->snapshot);
    if (r >= 0)
        mailbox.list = c->snapshot->list;
    else
        mailbox_close(c);
    postern_pop3_answer_open(c->engine, q->id, postern_verdict_of(r), r < 0 ? NULL : &mailbox,
                             absent);
}

static void answer_message(struct client *c, const struct postern_pop3_question *q)
{
    struct postern_pop3_message message = {.content = 1};
    struct postern_facts facts;
    int r = postern_store_message(&folder, c->mailbox, q->message.uid, 0, &c->content, &facts);

    if (r >= 0) {
        message.size_raw = facts.size_raw;
        message.wire_clean = facts.wire_clean;
    }
    postern_pop3_answer_message(c->engine, q->id, postern_verdict_of(r), r < 0 ? NULL : &message,
                                absent);
}

static void answer_read(struct client *c, const struct postern_pop3_question *q)
{
    char bytes[16384];
    size_t length = q->length < sizeof bytes ? q->length : sizeof bytes;
    int n = folder.ops->read(c->content, q->offset, bytes, length);

    postern_pop3_answer_read(c->engine, q->id, n < 0 ? n : 0,
                             (struct postern_span){bytes, n < 0 ? 0 : (size_t)n});
}

static void answer_expunge(struct client *c, const struct postern_pop3_question *q)
{
    struct postern_span *uids = calloc(q->count + 1, sizeof *uids);
    struct postern_pop3_ref ref;
    size_t cursor = 0, n = 0;
    int r = POSTERN_E_NOMEM;

    while (uids && postern_pop3_expunge_next(c->engine, &cursor, &ref) == 1)
        uids[n++] = ref.uid;
    if (uids)
        r = postern_store_expunge(&folder, c->mailbox, uids, n);
    postern_pop3_answer_expunge(c->engine, q->id, postern_verdict_of(r), absent);
    free(uids);
}

static void answer_find(struct client *c, const struct postern_pop3_question *q)
{
    struct postern_entry entry = {0};
    uint32_t number;
    int r = folder.ops->find(c->mailbox, q->message.uid, &entry, &number);

    postern_pop3_answer_find(c->engine, q->id, postern_verdict_of(r), entry.size_bytes, entry.flags,
                             absent);
}

static void answer(struct client *c, const struct postern_pop3_question *q)
{
    switch (q->kind) {
    case POSTERN_POP3_AUTHENTICATE:
        answer_login(c, q);
        break;
    case POSTERN_POP3_OPEN:
        answer_open(c, q);
        break;
    case POSTERN_POP3_FIND:
        answer_find(c, q);
        break;
    case POSTERN_POP3_MESSAGE:
        answer_message(c, q);
        break;
    case POSTERN_POP3_READ:
        answer_read(c, q);
        break;
    case POSTERN_POP3_EXPUNGE:
        answer_expunge(c, q);
        break;
    case POSTERN_POP3_MESSAGE_DONE:
        folder.ops->content_close(&c->content);
        break;
    case POSTERN_POP3_MAILBOX_DONE:
        mailbox_close(c);
        break;
    default:
        postern_pop3_answer_default(c->engine, q->id);
        break;
    }
}

static void pump(struct client *c)
{
    struct postern_pop3_question question;

    while (postern_pop3_next(c->engine, &question) == 1)
        answer(c, &question);
}

/* ---- the loop -------------------------------------------------------------------------------- */

static void client_end(struct client *c)
{
    struct client **at = &clients;

    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    postern_pop3_free(&c->engine); /* before the list that it was lent */
    mailbox_close(c);
    close(c->fd);
    free(c);
}

/* Read and feed while the engine wants bytes. false: the connection is over. */
static bool client_read(struct client *c)
{
    char bytes[4096];

    while (postern_pop3_wants(c->engine) & POSTERN_WANT_READ) {
        /* look first, and take off the socket only what the engine took */
        ssize_t n = recv(c->fd, bytes, sizeof bytes, MSG_PEEK);
        int taken;

        if (n < 0)
            return errno == EAGAIN;
        if (n == 0) {
            postern_pop3_eof(c->engine);
            break;
        }
        taken = postern_pop3_feed(c->engine, (struct postern_span){bytes, (size_t)n}, clock_now());
        if (taken < 0 || (taken > 0 && recv(c->fd, bytes, (size_t)taken, 0) < 0))
            return false;
        pump(c);
        if (taken == 0)
            break;
    }
    return true;
}

/* Write what waits. false: the connection is over. */
static bool client_write(struct client *c)
{
    struct postern_piece pieces[8];
    struct iovec vector[8];
    size_t n;

    while ((n = postern_pop3_output(c->engine, pieces, 8)) > 0) {
        struct msghdr message = {.msg_iov = vector, .msg_iovlen = n};
        ssize_t written;

        for (size_t i = 0; i < n; i++)
            vector[i] = (struct iovec){(void *)pieces[i].bytes.p, pieces[i].bytes.n};
        written = sendmsg(c->fd, &message, MSG_NOSIGNAL);
        if (written < 0)
            return errno == EAGAIN;
        postern_pop3_sent(c->engine, (uint64_t)written, clock_now());
        pump(c);
    }
    return true;
}

static void client_turn(struct client *c, int epoll)
{
    struct epoll_event event = {.data.ptr = c};
    unsigned wants;

    pump(c);
    /* what a full output held back is read once the output is gone */
    if (!client_write(c) || !client_read(c) || !client_write(c)) {
        client_end(c);
        return;
    }
    wants = postern_pop3_wants(c->engine);
    if (wants & POSTERN_WANT_CLOSE && !(wants & POSTERN_WANT_WRITE)) {
        client_end(c);
        return;
    }
    event.events =
        (wants & POSTERN_WANT_READ ? EPOLLIN : 0u) | (wants & POSTERN_WANT_WRITE ? EPOLLOUT : 0u);
    epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &event);
}

static void client_accept(int listener, int epoll)
{
    struct client *c = calloc(1, sizeof *c);
    struct epoll_event event = {.data.ptr = c};

    if (!c)
        return;
    c->fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (c->fd < 0 || postern_pop3_new(&c->engine, &options, NULL, clock_now()) < 0) {
        if (c->fd >= 0)
            close(c->fd);
        free(c);
        return;
    }
    c->next = clients;
    clients = c;
    epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event);
    client_turn(c, epoll);
}

/* Milliseconds until the first deadline; those that are past get their tick. */
static int deadlines(int epoll)
{
    uint64_t now = clock_now(), first = POSTERN_NEVER;

    for (struct client *c = clients, *next; c; c = next) {
        next = c->next;
        if (postern_pop3_deadline(c->engine) <= now) {
            postern_pop3_tick(c->engine, now);
            client_turn(c, epoll);
        } else if (postern_pop3_deadline(c->engine) < first) {
            first = postern_pop3_deadline(c->engine);
        }
    }
    return first == POSTERN_NEVER ? -1 : (int)((first - now) / 1000000 + 1);
}

int main(int argc, char **argv)
{
    int listener = listen_local(argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 0);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN}, ready[64];

    POSTERN_POP3_OPTIONS_INIT(&options);
    options.plaintext_without_tls = true; /* on loopback only */
    if (argc < 2 || listener < 0 || epoll < 0 || postern_store_eml_new(&folder, argv[1], false) < 0)
        return 1;
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int n = epoll_wait(epoll, ready, 64, deadlines(epoll));

        for (int i = 0; i < n; i++) {
            if (ready[i].data.ptr)
                client_turn(ready[i].data.ptr, epoll);
            else
                client_accept(listener, epoll);
        }
    }
}
