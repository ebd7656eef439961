/* SPDX-License-Identifier: MIT */
/* app - a small application under the provider, whose every callback can answer now, later from the
 * same thread, or later from another one. */
#ifndef APP_H
#define APP_H

#include "cmocka_all.h"

#include <fcntl.h>
#include <postern/provider.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define S(text) postern_span_of(text)

enum manner { NOW, LATER, ANOTHER_THREAD };

/* struct app - an application with one user and up to four messages. */
struct app {
    enum manner manner;
    struct postern_provider provider;
    struct postern_service *service;
    struct postern_visit *visit;
    struct postern_token token; /* kept by LATER */
    int result;
    bool kept;
    const char *uids[5], *contents[5];
    bool sizes_unknown, by_read, fail_read;
    int opened, done, released, disconnected, wakes, deleted, seen, strikes;
    char removed[128];
    const char *temp_path;
};

static void *answer_thread(void *arg)
{
    struct app *app = arg;

    usleep(2000);
    assert_int_equal(postern_answer(app->token, app->result), 0);
    return NULL;
}

/* result - hand a result back in the manner that the test wants. */
static int result(struct app *app, struct postern_token token, int r)
{
    pthread_t thread;

    if (app->manner == NOW)
        return r;
    app->token = token;
    app->result = r;
    app->kept = true;
    if (app->manner == ANOTHER_THREAD) {
        assert_int_equal(pthread_create(&thread, NULL, answer_thread, app), 0);
        pthread_detach(thread);
    }
    return POSTERN_LATER;
}

static bool is(struct postern_span s, const char *text)
{
    return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

static int authenticate(void *ctx, struct postern_token token, const struct postern_login *login,
                        struct postern_span *user_r)
{
    if (is(login->user, "blocked")) {
        postern_say(token, S("not before noon"));
        return result(ctx, token, POSTERN_NO_POLICY);
    }
    if (!is(login->user, "ann") || !is(login->secret, "secret"))
        return result(ctx, token, POSTERN_E_NOT_FOUND);
    *user_r = S("ann@example.org");
    return result(ctx, token, POSTERN_YES);
}

static int list(void *ctx, struct postern_token token, struct postern_span user,
                struct postern_listing *listing)
{
    struct app *app = ctx;

    assert_true(is(user, "ann@example.org"));
    for (size_t i = 0; app->uids[i]; i++)
        if (postern_listing_add(
                listing, S(app->uids[i]),
                app->sizes_unknown ? POSTERN_SIZE_UNKNOWN : strlen(app->contents[i]), 0) < 0)
            return POSTERN_E_NOMEM;
    return result(app, token, POSTERN_YES);
}

static int index_of(const struct app *app, struct postern_span uid)
{
    for (int i = 0; app->uids[i]; i++)
        if (is(uid, app->uids[i]))
            return i;
    return -1;
}

static int size(void *ctx, struct postern_token token, struct postern_span uid, uint64_t *size_r)
{
    struct app *app = ctx;
    int i = index_of(app, uid);

    if (i < 0 || !app->contents[i])
        return result(app, token, POSTERN_E_NOT_FOUND);
    *size_r = strlen(app->contents[i]);
    return result(app, token, POSTERN_YES);
}

static int body_read(void *handle, struct postern_token token, uint64_t offset, char *out, size_t n)
{
    struct app *app = postern_visit_data(token.visit);
    const char *text = handle;
    size_t rest = strlen(text) - offset;

    if (app->fail_read)
        return result(app, token, POSTERN_E_IO);
    rest = rest < n ? rest : n;
    rest = rest > 3 ? 3 : rest; /* short reads are fine */
    memcpy(out, text + offset, rest);
    return result(app, token, (int)rest);
}

static struct app *the_app; /* done() has no other way to its application here */

static void body_done(void *handle)
{
    (void)handle;
    the_app->done++;
}

static int retrieve(void *ctx, struct postern_token token, struct postern_span uid,
                    struct postern_body *body_r)
{
    struct app *app = ctx;
    int i = index_of(app, uid);

    if (i < 0 || !app->contents[i])
        return result(app, token, POSTERN_E_NOT_FOUND);
    postern_visit_set_data(token.visit, app);
    app->opened++;
    body_r->done = body_done;
    if (app->temp_path) {
        body_r->fd = open(app->temp_path, O_RDONLY | O_CLOEXEC);
        body_r->fd_offset = 2;
        body_r->size_bytes = strlen(app->contents[i]);
    } else if (app->by_read) {
        body_r->read = body_read;
        body_r->handle = (void *)app->contents[i];
    } else {
        body_r->bytes = S(app->contents[i]);
    }
    return result(app, token, POSTERN_YES);
}

static int delete_set(void *ctx, struct postern_token token, const struct postern_span *uids,
                      size_t count)
{
    struct app *app = ctx;

    for (size_t i = 0; i < count; i++) {
        strncat(app->removed, uids[i].p, uids[i].n);
        strcat(app->removed, " ");
    }
    app->deleted += (int)count;
    return result(app, token, POSTERN_YES);
}

static int command(void *ctx, struct postern_token token,
                   const struct postern_pop3_question *question, struct postern_pop3_reply *reply_r)
{
    if (!is(question->arguments, "hello"))
        return result(ctx, token, POSTERN_NO_NOT_FOUND);
    reply_r->text = S("echoed");
    return result(ctx, token, POSTERN_YES);
}

static void seen(void *ctx, struct postern_visit *visit,
                 const struct postern_pop3_question *question)
{
    (void)visit;
    assert_true(question->command.n > 0);
    ((struct app *)ctx)->seen++;
}

static void released(void *ctx, struct postern_visit *visit)
{
    (void)visit;
    ((struct app *)ctx)->released++;
}

static void disconnected(void *ctx, struct postern_visit *visit)
{
    (void)visit;
    ((struct app *)ctx)->disconnected++;
}

static const struct postern_pop3_command commands[] = {
    {"ECHO", POSTERN_POP3_TRANSACTION, 1, 1, false}};

static inline void app_begin(struct app *app, enum manner manner)
{
    struct postern_pop3_options options;

    *app = (struct app){
        .manner = manner,
        .uids = {"one", "two", "three"},
        .contents = {"A: 1\r\n\r\nfirst\r\n", "A: 2\n\n.second\n", "A: 3\r\n\r\nthird"}};
    app->provider = (struct postern_provider){.struct_bytes = sizeof app->provider,
                                              .ctx = app,
                                              .authenticate = authenticate,
                                              .list = list,
                                              .size = size,
                                              .retrieve = retrieve,
                                              .delete_set = delete_set,
                                              .refresh = list,
                                              .command = command,
                                              .seen = seen,
                                              .released = released,
                                              .disconnected = disconnected};
    the_app = app;
    POSTERN_POP3_OPTIONS_INIT(&options);
    options.plaintext_without_tls = true;
    options.commands = commands;
    options.command_count = 1;
    assert_int_equal(postern_service_new(&app->service, &app->provider, &options), 0);
}

static inline void app_end(struct app *app)
{
    assert_int_equal(app->opened, app->done);
    postern_service_free(&app->service);
    assert_null(app->service);
}

#endif
