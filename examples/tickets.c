/* SPDX-License-Identifier: MIT */
/* tickets [PORT [IMAP-PORT]] - a program's own records shown as mail: each queue of tickets is a
 * mailbox. Flags are columns of the record: \Seen takes a ticket, \Flagged makes it urgent,
 * \Answered says it was replied to; moving it gives it to another queue, deleting it closes it. New
 * ones wait in INBOX, which POP3 shows too. The user is "demo", the password "postern". */
#include "listen.h"

#include <postern/provider.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define TICKETS_MAX 200

enum queue { NEW, SALES, SUPPORT, QUEUES };
static const char *const queue_names[QUEUES] = {"INBOX", "Sales", "Support"};

/* struct ticket - a row of the program's table. What mail makes of it is nowhere stored. */
struct ticket {
    const char *from, *subject, *text;
    enum queue queue;
    uint32_t place; /* in its queue: the UID */
    bool taken, urgent, answered, open;
    time_t opened;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct ticket tickets[TICKETS_MAX];
static size_t count;
static uint32_t next_place[QUEUES] = {1, 1, 1};
static struct postern_service *service;

static int authenticate(void *ctx, struct postern_token token, const struct postern_login *login,
                        struct postern_span *user_r)
{
    (void)ctx, (void)token, (void)user_r;
    return login->user.n == 4 && !memcmp(login->user.p, "demo", 4) && login->secret.n == 7 &&
                   !memcmp(login->secret.p, "postern", 7)
               ? POSTERN_YES
               : POSTERN_NO_CREDENTIALS;
}

/* ---- the records ----------------------------------------------------------------------------- */

static void open_ticket(const char *from, const char *subject, const char *text)
{
    tickets[count] = (struct ticket){.from = from,
                                     .subject = subject,
                                     .text = text,
                                     .place = next_place[NEW]++,
                                     .open = true,
                                     .opened = 1700000000 + (time_t)count};
    count++;
}

/* queue_of - QUEUES: there is no such one. */
static enum queue queue_of(struct postern_span name)
{
    unsigned queue = 0;

    while (queue < QUEUES && (strlen(queue_names[queue]) != name.n ||
                              memcmp(queue_names[queue], name.p, name.n) != 0))
        queue++;
    return (enum queue)queue;
}

static struct ticket *find(struct postern_span mailbox, uint32_t uid)
{
    for (size_t i = 0; i < count; i++)
        if (tickets[i].open && tickets[i].queue == queue_of(mailbox) && tickets[i].place == uid)
            return &tickets[i];
    return NULL;
}

/* mail_of - the record as a message; made when it is looked at. */
static char *mail_of(const struct ticket *ticket)
{
    char date[64], *mail = NULL;

    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", gmtime(&ticket->opened));
    if (asprintf(&mail,
                 "From: %s\nSubject: %s\nDate: %s\nMessage-ID: <%td@tickets.example>\n\n%s\n",
                 ticket->from, ticket->subject, date, ticket - tickets, ticket->text) < 0)
        return NULL;
    return mail;
}

/* ---- as mailboxes ---------------------------------------------------------------------------- */

static int list(void *ctx, struct postern_token token, struct postern_span user, void *builder)
{
    int r = POSTERN_YES;

    (void)ctx, (void)token, (void)user;
    for (unsigned i = 0; i < QUEUES && r >= 0; i++)
        r = postern_mailboxes_add(builder, postern_span_of(queue_names[i]), POSTERN_SPECIAL_NONE,
                                  true);
    return r;
}

static int by_place(const void *a, const void *b)
{
    const struct ticket *const *left = a, *const *right = b;

    return ((*left)->place > (*right)->place) - ((*left)->place < (*right)->place);
}

static struct postern_letter letter_of(const struct ticket *ticket)
{
    char *mail = mail_of(ticket);
    struct postern_letter letter = {.uid = ticket->place,
                                    .flags = (ticket->taken ? POSTERN_FLAG_SEEN : 0) |
                                             (ticket->urgent ? POSTERN_FLAG_FLAGGED : 0) |
                                             (ticket->answered ? POSTERN_FLAG_ANSWERED : 0),
                                    .date_s = ticket->opened,
                                    .size_bytes = postern_wire_size(postern_span_of(mail))};

    free(mail);
    return letter;
}

static int show(void *ctx, struct postern_token token, struct postern_span user,
                struct postern_span mailbox, struct postern_letters *letters)
{
    enum queue queue = queue_of(mailbox);
    const struct ticket *found[TICKETS_MAX];
    size_t n = 0;
    int r = queue < QUEUES ? POSTERN_YES : POSTERN_E_NOT_FOUND;

    (void)ctx, (void)token, (void)user;
    pthread_mutex_lock(&mutex);
    for (size_t i = 0; i < count; i++)
        if (tickets[i].open && tickets[i].queue == queue)
            found[n++] = &tickets[i];
    qsort(found, n, sizeof *found, by_place);
    for (size_t i = 0; i < n && r >= 0; i++) {
        struct postern_letter letter = letter_of(found[i]);

        r = postern_letters_add(letters, &letter);
    }
    if (r >= 0)
        letters->uid_next = next_place[queue];
    pthread_mutex_unlock(&mutex);
    return r;
}

static int fetch(void *ctx, struct postern_token token, struct postern_span user,
                 struct postern_span mailbox, uint32_t uid, struct postern_body *body_r)
{
    const struct ticket *ticket;

    (void)ctx, (void)token, (void)user;
    pthread_mutex_lock(&mutex);
    ticket = find(mailbox, uid);
    body_r->handle = ticket ? mail_of(ticket) : NULL;
    pthread_mutex_unlock(&mutex);
    body_r->bytes = postern_span_of(body_r->handle);
    body_r->done = free;
    return body_r->handle ? POSTERN_YES : POSTERN_NO_NOT_FOUND;
}

static int store(void *ctx, struct postern_token token, struct postern_span user,
                 struct postern_span mailbox, const struct postern_letter *letters, size_t n)
{
    (void)ctx, (void)token, (void)user;
    pthread_mutex_lock(&mutex);
    for (size_t i = 0; i < n; i++) {
        struct ticket *ticket = find(mailbox, letters[i].uid);

        if (!ticket)
            continue;
        ticket->taken = letters[i].flags & POSTERN_FLAG_SEEN;
        ticket->urgent = letters[i].flags & POSTERN_FLAG_FLAGGED;
        ticket->answered = letters[i].flags & POSTERN_FLAG_ANSWERED;
    }
    pthread_mutex_unlock(&mutex);
    return POSTERN_YES;
}

static int expunge(void *ctx, struct postern_token token, struct postern_span user,
                   struct postern_span mailbox, const uint32_t *uids, size_t n)
{
    (void)ctx, (void)token, (void)user;
    pthread_mutex_lock(&mutex);
    for (size_t i = 0; i < n; i++)
        if (find(mailbox, uids[i]))
            find(mailbox, uids[i])->open = false;
    pthread_mutex_unlock(&mutex);
    return POSTERN_YES;
}

/* copy - a ticket is in one queue only: it can be moved. */
static int copy(void *ctx, struct postern_token token, struct postern_span user,
                struct postern_span mailbox, const uint32_t *uids, size_t n, struct postern_span to,
                bool move, uint32_t *uids_r)
{
    enum queue queue = queue_of(to);

    (void)ctx, (void)token, (void)user;
    if (queue == QUEUES)
        return POSTERN_NO_NOT_FOUND;
    if (!move)
        return POSTERN_E_UNSUPPORTED;
    pthread_mutex_lock(&mutex);
    for (size_t i = 0; i < n; i++) {
        struct ticket *ticket = find(mailbox, uids[i]);

        if (!ticket)
            continue;
        ticket->queue = queue;
        ticket->place = uids_r[i] = next_place[queue]++;
    }
    pthread_mutex_unlock(&mutex);
    return POSTERN_YES;
}

/* ---- serving --------------------------------------------------------------------------------- */

static void *serve_pop3(void *fd)
{
    if (postern_serve_fd(service, (int)(intptr_t)fd) < 0)
        perror("connection");
    close((int)(intptr_t)fd);
    return NULL;
}

static void *serve_imap(void *fd)
{
    if (postern_serve_imap_fd(service, (int)(intptr_t)fd) < 0)
        perror("connection");
    close((int)(intptr_t)fd);
    return NULL;
}

static int service_begin(void)
{
    struct postern_provider provider = {.struct_bytes = sizeof provider,
                                        .authenticate = authenticate,
                                        .mailboxes = list,
                                        .messages = show,
                                        .fetch = fetch,
                                        .store = store,
                                        .expunge = expunge,
                                        .copy = copy};
    struct postern_pop3_options pop3;
    struct postern_imap_options imap;
    int r;

    POSTERN_POP3_OPTIONS_INIT(&pop3);
    POSTERN_IMAP_OPTIONS_INIT(&imap);
    pop3.plaintext_without_tls = imap.plaintext_without_tls = true; /* on loopback only */
    r = postern_service_new(&service, &provider, &pop3);
    return r < 0 ? r : postern_service_imap(service, &imap);
}

int main(int argc, char **argv)
{
    struct pollfd listeners[2];
    pthread_t thread;

    for (int i = 0; i < 2; i++) {
        unsigned port = argc > i + 1 ? (unsigned)strtoul(argv[i + 1], NULL, 10) : 0;

        listeners[i] = (struct pollfd){.fd = listen_local(port), .events = POLLIN};
    }
    open_ticket("Ann <ann@example.org>", "the printer is on fire", "Please hurry.");
    open_ticket("Ben <ben@example.org>", "offer for 100 printers", "They do not burn.");
    open_ticket("Ann <ann@example.org>", "thank you", "It is out.");
    if (listeners[0].fd < 0 || listeners[1].fd < 0 || service_begin() < 0)
        return 1;
    while (poll(listeners, 2, -1) >= 0)
        for (int i = 0; i < 2; i++) {
            int fd = listeners[i].revents ? accept(listeners[i].fd, NULL, NULL) : -1;

            if (fd >= 0 && pthread_create(&thread, NULL, i ? serve_imap : serve_pop3,
                                          (void *)(intptr_t)fd) == 0)
                pthread_detach(thread);
        }
    return 1;
}
