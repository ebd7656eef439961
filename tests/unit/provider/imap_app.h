/* SPDX-License-Identifier: MIT */
/* imap_app - a small application of two mailboxes under the IMAP provider, whose answers come at
 * once or from another thread, and a client of it. */
#ifndef IMAP_APP_H
#define IMAP_APP_H

#include "cmocka_all.h"

#include <postern/provider.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define S(text) postern_span_of(text)
#define TEXT "Subject: one\nMIME-Version: 1.0\n\nThe text.\n"
#define LETTERS 8

struct letter {
    uint32_t uid, flags;
    char words[64];
    bool there, away; /* away: in "Away" */
};

struct app {
    bool threads, fail_read, fail_far, has_more, watched;
    struct postern_provider provider;
    struct postern_service *service;
    struct postern_visit *visit; /* of the last callback */
    pthread_mutex_t mutex;
    struct letter letters[LETTERS];
    uint32_t uid_next;
    int fd[2];
    pthread_t server;
    char said[20000];
    size_t said_n;
};

struct late {
    struct postern_token token;
    int result;
};

static void *answer_thread(void *arg)
{
    struct late late = *(struct late *)arg;

    free(arg);
    usleep(200);
    postern_answer(late.token, late.result);
    return NULL;
}

static int result(struct app *app, struct postern_token token, int r)
{
    struct late *late;
    pthread_t thread;

    app->visit = token.visit;
    if (!app->threads)
        return r;
    late = malloc(sizeof *late);
    *late = (struct late){token, r};
    assert_int_equal(pthread_create(&thread, NULL, answer_thread, late), 0);
    pthread_detach(thread);
    return POSTERN_LATER;
}

static bool is(struct postern_span s, const char *text)
{
    return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

static int authenticate(void *ctx, struct postern_token token, const struct postern_login *login,
                        struct postern_span *user_r)
{
    *user_r = S("ann@example.org");
    return result(ctx, token, is(login->secret, "secret") ? POSTERN_YES : POSTERN_NO_CREDENTIALS);
}

static int mailboxes(void *ctx, struct postern_token token, struct postern_span user, void *builder)
{
    struct app *app = ctx;

    assert_true(is(user, "ann@example.org"));
    pthread_mutex_lock(&app->mutex);
    if (app->has_more)
        assert_int_equal(postern_mailboxes_add(builder, S("More"), POSTERN_SPECIAL_NONE, false), 0);
    pthread_mutex_unlock(&app->mutex);
    assert_int_equal(postern_mailboxes_add(builder, S("Away/Far"), POSTERN_SPECIAL_ARCHIVE, true),
                     0);
    assert_int_equal(postern_mailboxes_add(builder, S("Away-"), POSTERN_SPECIAL_NONE, false), 0);
    assert_int_equal(postern_mailboxes_add(builder, S(""), POSTERN_SPECIAL_NONE, false),
                     POSTERN_E_USAGE);
    return result(ctx, token, POSTERN_YES);
}

static int messages(void *ctx, struct postern_token token, struct postern_span user,
                    struct postern_span mailbox, struct postern_letters *letters)
{
    struct app *app = ctx;
    bool away = is(mailbox, "Away/Far");

    (void)user;
    if (!away && !is(mailbox, "INBOX") && !is(mailbox, "Away-"))
        return result(app, token, is(mailbox, "More") ? POSTERN_YES : POSTERN_NO_NOT_FOUND);
    pthread_mutex_lock(&app->mutex);
    if (away && app->fail_far) {
        pthread_mutex_unlock(&app->mutex);
        return result(app, token, POSTERN_E_IO);
    }
    letters->uid_validity = 7;
    letters->uid_next = app->uid_next;
    for (size_t i = 0; i < LETTERS; i++) {
        const struct letter *letter = &app->letters[i];
        struct postern_letter shown = {.uid = letter->uid,
                                       .flags = letter->flags,
                                       .keywords = S(letter->words),
                                       .date_s = 1000000000,
                                       .size_bytes = postern_wire_size(S(TEXT))};

        if (!letter->there || letter->away != away || is(mailbox, "Away-"))
            continue;
        assert_int_equal(postern_letters_add(letters, &shown), 0);
        assert_int_equal(postern_letters_add(letters, &shown), POSTERN_E_USAGE);
        shown.uid++;
        shown.size_bytes = POSTERN_SIZE_UNKNOWN;
        assert_int_equal(postern_letters_add(letters, &shown), POSTERN_E_USAGE);
    }
    pthread_mutex_unlock(&app->mutex);
    return result(app, token, POSTERN_YES);
}

static int body_read(void *handle, struct postern_token token, uint64_t offset, char *out, size_t n)
{
    size_t rest = strlen(TEXT) - offset;
    struct app *app = handle;

    rest = rest > 5 ? 5 : rest; /* short reads are fine */
    assert_true(rest <= n);
    memcpy(out, &TEXT[offset], rest);
    return result(app, token, app->fail_read ? POSTERN_E_IO : (int)rest);
}

static int fetch(void *ctx, struct postern_token token, struct postern_span user,
                 struct postern_span mailbox, uint32_t uid, struct postern_body *body_r)
{
    (void)user, (void)mailbox, (void)uid;
    body_r->read = body_read;
    body_r->handle = ctx;
    return result(ctx, token, POSTERN_YES);
}

static struct letter *find(struct app *app, uint32_t uid)
{
    for (size_t i = 0; i < LETTERS; i++)
        if (app->letters[i].there && app->letters[i].uid == uid)
            return &app->letters[i];
    return NULL;
}

static int store(void *ctx, struct postern_token token, struct postern_span user,
                 struct postern_span mailbox, const struct postern_letter *letters, size_t count)
{
    struct app *app = ctx;

    (void)user, (void)mailbox;
    pthread_mutex_lock(&app->mutex);
    for (size_t i = 0; i < count; i++) {
        struct letter *letter = find(app, letters[i].uid);

        letter->flags = letters[i].flags & ~POSTERN_FLAG_DRAFT; /* that one it does not keep */
        snprintf(letter->words, sizeof letter->words, "%.*s", (int)letters[i].keywords.n,
                 letters[i].keywords.p);
    }
    pthread_mutex_unlock(&app->mutex);
    return result(app, token, POSTERN_YES);
}

static int expunge(void *ctx, struct postern_token token, struct postern_span user,
                   struct postern_span mailbox, const uint32_t *uids, size_t count)
{
    struct app *app = ctx;

    (void)user, (void)mailbox;
    pthread_mutex_lock(&app->mutex);
    for (size_t i = 0; i < count; i++)
        find(app, uids[i])->there = false;
    pthread_mutex_unlock(&app->mutex);
    return result(app, token, POSTERN_YES);
}

static int copy(void *ctx, struct postern_token token, struct postern_span user,
                struct postern_span mailbox, const uint32_t *uids, size_t count,
                struct postern_span to, bool move, uint32_t *uids_r)
{
    struct app *app = ctx;

    (void)user, (void)mailbox;
    if (!is(to, "Away/Far") || !move)
        return result(app, token, POSTERN_E_NOT_FOUND);
    pthread_mutex_lock(&app->mutex);
    for (size_t i = 0; i < count; i++) {
        find(app, uids[i])->away = true;
        uids_r[i] = uids[i];
    }
    pthread_mutex_unlock(&app->mutex);
    return result(app, token, POSTERN_YES);
}

static int append(void *ctx, struct postern_token token, struct postern_span user,
                  struct postern_span mailbox, const struct postern_letter *letter,
                  struct postern_span content, uint32_t *uid_r)
{
    struct app *app = ctx;
    struct letter *added = app->letters;

    (void)user, (void)mailbox;
    assert_true(is(content, "abc"));
    assert_int_equal(letter->size_bytes, 5);
    pthread_mutex_lock(&app->mutex);
    while (added->there)
        added++;
    *added = (struct letter){.uid = app->uid_next++, .flags = letter->flags, .there = true};
    *uid_r = added->uid;
    pthread_mutex_unlock(&app->mutex);
    return result(app, token, POSTERN_YES);
}

static int change(void *ctx, struct postern_token token, struct postern_span user,
                  enum postern_imap_question_kind what, struct postern_span mailbox,
                  struct postern_span to, bool on)
{
    (void)user, (void)to, (void)mailbox, (void)on;
    return result(ctx, token, what == POSTERN_IMAP_CREATE ? POSTERN_YES : POSTERN_E_UNSUPPORTED);
}

static void watch(void *ctx, struct postern_visit *visit, struct postern_span user, bool on)
{
    struct app *app = ctx;

    assert_true(is(user, "ann@example.org"));
    pthread_mutex_lock(&app->mutex);
    assert_true(app->watched != on);
    app->watched = on;
    app->visit = visit;
    pthread_mutex_unlock(&app->mutex);
}

/* ---- a client -------------------------------------------------------------------------------- */

static void *serve(void *arg)
{
    struct app *app = arg;

    assert_int_equal(postern_serve_imap_fd(app->service, app->fd[1]), 0);
    close(app->fd[1]);
    return NULL;
}

static void app_begin_with(struct app *app, bool threads, const struct postern_provider *more)
{
    struct postern_imap_options options;

    memset(app, 0, sizeof *app);
    app->threads = threads;
    pthread_mutex_init(&app->mutex, NULL);
    for (uint32_t i = 0; i < 3; i++)
        app->letters[i] = (struct letter){.uid = i + 1, .there = true};
    app->uid_next = 10;
    app->provider = (struct postern_provider){.struct_bytes = sizeof app->provider,
                                              .ctx = app,
                                              .authenticate = authenticate,
                                              .mailboxes = mailboxes,
                                              .messages = messages,
                                              .fetch = fetch,
                                              .store = store,
                                              .expunge = expunge,
                                              .copy = copy,
                                              .append = append,
                                              .change = change,
                                              .rights = more->rights,
                                              .acl = more->acl,
                                              .set_acl = more->set_acl,
                                              .watch = more->watch};
    assert_int_equal(postern_service_new(&app->service, &app->provider, NULL), 0);
    POSTERN_IMAP_OPTIONS_INIT(&options);
    options.plaintext_without_tls = true;
    assert_int_equal(postern_service_imap(app->service, &options), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, app->fd), 0);
    assert_int_equal(pthread_create(&app->server, NULL, serve, app), 0);
}

static void app_begin(struct app *app, bool threads)
{
    app_begin_with(app, threads, &(struct postern_provider){.rights = NULL});
}

static void app_end(struct app *app)
{
    close(app->fd[0]);
    pthread_join(app->server, NULL);
    postern_service_free(&app->service);
    pthread_mutex_destroy(&app->mutex);
}

/* hear - until the answer ends with this text. */
static void hear(struct app *app, const char *end)
{
    while (!strstr(app->said, end)) {
        ssize_t n = read(app->fd[0], app->said + app->said_n, sizeof app->said - 1 - app->said_n);

        if (n <= 0)
            fail_msg("%s is missing in: %s", end, app->said);
        app->said_n += (size_t)n;
        app->said[app->said_n] = '\0';
    }
}

static void say(struct app *app, const char *command, const char *end)
{
    app->said_n = 0;
    app->said[0] = '\0';
    assert_int_equal(write(app->fd[0], command, strlen(command)), strlen(command));
    hear(app, end);
}

static void has(const struct app *app, const char *text)
{
    if (!strstr(app->said, text))
        fail_msg("%s is missing in: %s", text, app->said);
}

static void has_not(const struct app *app, const char *text)
{
    if (strstr(app->said, text))
        fail_msg("%s is in: %s", text, app->said);
}

#endif
