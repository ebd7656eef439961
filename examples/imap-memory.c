/* SPDX-License-Identifier: MIT */
/* imap-memory [PORT] - an IMAP server over an array of messages: the user is "demo", the password
 * "postern". What clients do to it is kept as long as it runs. One thread per connection;
 * provider.h does the protocol. */
#include "listen.h"

#include <postern/provider.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGES_MAX 1000

struct message {
    struct postern_letter letter;
    char *text; /* NULL: deleted */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct message messages[MESSAGES_MAX]; /* the one with UID 1 first */
static uint32_t count;
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

static int show(void *ctx, struct postern_token token, struct postern_span user,
                struct postern_span mailbox, struct postern_letters *letters)
{
    int r = mailbox.n == 5 && !memcmp(mailbox.p, "INBOX", 5) ? POSTERN_YES : POSTERN_E_NOT_FOUND;

    (void)ctx, (void)token, (void)user;
    pthread_mutex_lock(&mutex);
    letters->uid_next = count + 1;
    for (uint32_t i = 0; i < count && r >= 0; i++)
        if (messages[i].text)
            r = postern_letters_add(letters, &messages[i].letter);
    pthread_mutex_unlock(&mutex);
    return r;
}

static int fetch(void *ctx, struct postern_token token, struct postern_span user,
                 struct postern_span mailbox, uint32_t uid, struct postern_body *body_r)
{
    (void)ctx, (void)token, (void)user, (void)mailbox;
    pthread_mutex_lock(&mutex);
    if (messages[uid - 1].text) /* a copy: another client may delete it meanwhile */
        body_r->handle = strdup(messages[uid - 1].text);
    pthread_mutex_unlock(&mutex);
    body_r->bytes = postern_span_of(body_r->handle);
    body_r->done = free;
    return body_r->handle ? POSTERN_YES : POSTERN_NO_NOT_FOUND;
}

static int store(void *ctx, struct postern_token token, struct postern_span user,
                 struct postern_span mailbox, const struct postern_letter *letters, size_t n)
{
    (void)ctx, (void)token, (void)user, (void)mailbox;
    pthread_mutex_lock(&mutex);
    for (size_t i = 0; i < n; i++)
        messages[letters[i].uid - 1].letter.flags = letters[i].flags;
    pthread_mutex_unlock(&mutex);
    return POSTERN_YES;
}

static int expunge(void *ctx, struct postern_token token, struct postern_span user,
                   struct postern_span mailbox, const uint32_t *uids, size_t n)
{
    (void)ctx, (void)token, (void)user, (void)mailbox;
    pthread_mutex_lock(&mutex);
    for (size_t i = 0; i < n; i++) {
        free(messages[uids[i] - 1].text);
        messages[uids[i] - 1].text = NULL;
    }
    pthread_mutex_unlock(&mutex);
    return POSTERN_YES;
}

static int append(void *ctx, struct postern_token token, struct postern_span user,
                  struct postern_span mailbox, const struct postern_letter *letter,
                  struct postern_span content, uint32_t *uid_r)
{
    char *text = strndup(content.p, content.n);

    (void)ctx, (void)token, (void)user, (void)mailbox;
    pthread_mutex_lock(&mutex);
    *uid_r = text && count < MESSAGES_MAX ? count + 1 : 0;
    if (*uid_r) {
        messages[count] = (struct message){.letter = *letter, .text = text};
        messages[count].letter.uid = *uid_r;
        messages[count].letter.keywords.n = 0;
        messages[count++].letter.date_s = letter->date_s ? letter->date_s : time(NULL);
    } else {
        free(text);
    }
    pthread_mutex_unlock(&mutex);
    return *uid_r ? POSTERN_YES : POSTERN_E_FULL;
}

static void *serve(void *fd)
{
    if (postern_serve_imap_fd(service, (int)(intptr_t)fd) < 0)
        perror("connection");
    close((int)(intptr_t)fd);
    return NULL;
}

int main(int argc, char **argv)
{
    struct postern_provider provider = {.struct_bytes = sizeof provider,
                                        .authenticate = authenticate,
                                        .messages = show,
                                        .fetch = fetch,
                                        .store = store,
                                        .expunge = expunge,
                                        .append = append};
    struct postern_imap_options options;
    struct postern_letter first = {.size_bytes = 0};
    struct postern_span text = postern_span_of("Subject: hello\n\nThis is an array.\n");
    int listener = listen_local(argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 0);
    pthread_t thread;

    first.size_bytes = postern_wire_size(text);
    append(NULL, (struct postern_token){NULL, 0}, text, text, &first, text, &first.uid);
    POSTERN_IMAP_OPTIONS_INIT(&options);
    options.plaintext_without_tls = true; /* on loopback only */
    if (listener < 0 || postern_service_new(&service, &provider, NULL) < 0 ||
        postern_service_imap(service, &options) < 0)
        return 1;
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0;)
        if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd) == 0)
            pthread_detach(thread);
    return 1;
}
