/* SPDX-License-Identifier: MIT */
/* live-mailbox [PORT [MILLISECONDS]] - a mailbox that gets a new message every so often while
 * clients sleep and wake (SLEE, WAKE): WAKE says [ACTIVITY/NEW] when something came since the last
 * listing. */
#include "listen.h"

#include <postern/provider.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define LETTERS_MAX 10000
#define LETTER_BYTES 160

/* struct letters - grows at its end only, so what a reader has been lent never changes. */
static struct letters {
    pthread_mutex_t lock;
    size_t count;
    char text[LETTERS_MAX][LETTER_BYTES];
} letters = {.lock = PTHREAD_MUTEX_INITIALIZER};
static struct postern_service *service;
static long pause_ms = 1000;

static size_t letters_count(void)
{
    size_t count;

    pthread_mutex_lock(&letters.lock);
    count = letters.count;
    pthread_mutex_unlock(&letters.lock);
    return count;
}

static void *deliver(void *arg)
{
    struct timespec pause = {pause_ms / 1000, pause_ms % 1000 * 1000000};

    for (size_t i = 0; i < LETTERS_MAX; i++) {
        pthread_mutex_lock(&letters.lock);
        snprintf(letters.text[i], LETTER_BYTES,
                 "From: clock@example.org\r\nSubject: tick %zu\r\n\r\nIt is later now.\r\n", i);
        letters.count = i + 1;
        pthread_mutex_unlock(&letters.lock);
        nanosleep(&pause, NULL);
    }
    return arg;
}

static bool is(struct postern_span span, const char *text)
{
    return span.n == strlen(text) && memcmp(span.p, text, span.n) == 0;
}

static int authenticate(void *ctx, struct postern_token token, const struct postern_login *login,
                        struct postern_span *user_r)
{
    (void)ctx, (void)token, (void)user_r;
    return is(login->user, "demo") && is(login->secret, "postern") ? POSTERN_YES
                                                                   : POSTERN_NO_CREDENTIALS;
}

/* Serves for list() and refresh(): the library compares the listings by itself. */
static int list(void *ctx, struct postern_token token, struct postern_span user,
                struct postern_listing *listing)
{
    size_t count = letters_count();
    char uid[24];
    int r = 0;

    (void)ctx, (void)token, (void)user;
    for (size_t i = 0; r >= 0 && i < count; i++) {
        snprintf(uid, sizeof uid, "tick-%zu", i);
        r = postern_listing_add(listing, postern_span_of(uid), strlen(letters.text[i]), 0);
    }
    return r;
}

static const char *text_of(struct postern_span uid)
{
    char number[24] = "";

    if (uid.n <= 5 || uid.n >= sizeof number || memcmp(uid.p, "tick-", 5) != 0)
        return NULL;
    memcpy(number, uid.p + 5, uid.n - 5);
    size_t i = strtoul(number, NULL, 10);
    return i < letters_count() ? letters.text[i] : NULL;
}

/* With UID-PARAM a client may name what came after its listing. */
static int size(void *ctx, struct postern_token token, struct postern_span uid, uint64_t *size_r)
{
    const char *text = text_of(uid);

    (void)ctx, (void)token;
    *size_r = text ? strlen(text) : 0;
    return text ? POSTERN_YES : POSTERN_NO_NOT_FOUND;
}

static int retrieve(void *ctx, struct postern_token token, struct postern_span uid,
                    struct postern_body *body_r)
{
    const char *text = text_of(uid);

    (void)ctx, (void)token;
    if (!text)
        return POSTERN_NO_NOT_FOUND;
    body_r->bytes = postern_span_of(text);
    return POSTERN_YES;
}

static void *serve(void *fd)
{
    if (postern_serve_fd(service, (int)(intptr_t)fd) < 0)
        fprintf(stderr, "a connection broke\n");
    close((int)(intptr_t)fd);
    return NULL;
}

int main(int argc, char **argv)
{
    struct postern_provider provider = {.struct_bytes = sizeof provider,
                                        .authenticate = authenticate,
                                        .list = list,
                                        .refresh = list,
                                        .size = size,
                                        .retrieve = retrieve};
    struct postern_pop3_options options;
    int listener = listen_local(argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 0);
    pthread_t thread;

    if (argc > 2)
        pause_ms = strtol(argv[2], NULL, 10);
    POSTERN_POP3_OPTIONS_INIT(&options);
    options.plaintext_without_tls = true; /* on loopback only */
    if (listener < 0 || postern_service_new(&service, &provider, &options) < 0 ||
        pthread_create(&thread, NULL, deliver, NULL) != 0)
        return perror("live-mailbox"), 1;
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0;)
        if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd) == 0)
            pthread_detach(thread);
    return 1;
}
