/* SPDX-License-Identifier: MIT */
/* test_provider - visits and postern_serve_fd() over a small application whose every callback can
 * answer now, later from the same thread, or later from another one. */
#include "cmocka_all.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <postern/provider.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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

static void app_begin(struct app *app, enum manner manner)
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

static void app_end(struct app *app)
{
    assert_int_equal(app->opened, app->done);
    postern_service_free(&app->service);
    assert_null(app->service);
}

struct serving {
    struct postern_service *service;
    int fd, result;
};

static void *serve(void *arg)
{
    struct serving *serving = arg;

    serving->result = postern_serve_fd(serving->service, serving->fd);
    close(serving->fd);
    return NULL;
}

/* talk - what the service says to all of `said`, over a real socket and a thread of its own. */
static const char *talk(struct app *app, const char *said)
{
    static char heard[8192];
    struct serving serving = {.service = app->service};
    size_t n = 0;
    ssize_t got;
    int pair[2];
    pthread_t thread;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    serving.fd = pair[0];
    assert_int_equal(pthread_create(&thread, NULL, serve, &serving), 0);
    assert_int_equal(write(pair[1], said, strlen(said)), strlen(said));
    shutdown(pair[1], SHUT_WR);
    while (n < sizeof heard - 1 && (got = read(pair[1], heard + n, sizeof heard - 1 - n)) > 0)
        n += (size_t)got;
    heard[n] = '\0';
    pthread_join(thread, NULL);
    close(pair[1]);
    assert_int_equal(serving.result, 0);
    assert_int_equal(app->disconnected, 1);
    app->disconnected = 0;
    return heard;
}

#define LOGIN "USER ann\r\nPASS secret\r\n"

static void mailbox_is_read(enum manner manner)
{
    struct app app;
    const char *heard;

    app_begin(&app, manner);
    heard = talk(&app, LOGIN "STAT\r\nRETR 1\r\nRETR 2\r\nTOP 3 0\r\nECHO hello\r\nECHO "
                             "bye\r\nDELE 1\r\nDELE 3\r\nQUIT\r\n");
    assert_non_null(strstr(heard, "\r\n+OK 3 42\r\n"));
    assert_non_null(strstr(heard, "\r\nA: 1\r\n\r\nfirst\r\n.\r\n"));
    assert_non_null(strstr(heard, "\r\nA: 2\r\n\r\n..second\r\n.\r\n"));
    assert_non_null(strstr(heard, "\r\nA: 3\r\n\r\n.\r\n"));
    assert_non_null(strstr(heard, "+OK echoed\r\n-ERR"));
    assert_string_equal(app.removed, "one three ");
    assert_int_equal(app.released, 1);
    assert_int_equal(app.seen, 11);
    app_end(&app);
}

static void test_answers_now(void **state)
{
    (void)state;
    mailbox_is_read(NOW);
}

static void test_answers_from_another_thread(void **state)
{
    (void)state;
    mailbox_is_read(ANOTHER_THREAD);
}

/* The peer leaves without QUIT: what was marked stays (R26). */
static void test_marked_stays_without_quit(void **state)
{
    struct app app;

    (void)state;
    app_begin(&app, NOW);
    talk(&app, LOGIN "DELE 1\r\n");
    assert_int_equal(app.deleted, 0);
    assert_int_equal(app.released, 1);
    app_end(&app);
}

static void test_refusals_carry_their_words(void **state)
{
    struct app app;
    const char *heard;

    (void)state;
    app_begin(&app, NOW);
    heard = talk(&app, "USER ann\r\nPASS wrong\r\nUSER blocked\r\nPASS x\r\nQUIT\r\n");
    assert_non_null(strstr(heard, "-ERR [AUTH]"));
    assert_non_null(strstr(heard, "-ERR not before noon\r\n"));
    app_end(&app);
}

static void test_sizes_are_asked(void **state)
{
    for (int manner = NOW; manner <= ANOTHER_THREAD; manner += 2) {
        struct app app;
        const char *heard;

        (void)state;
        app_begin(&app, (enum manner)manner);
        app.sizes_unknown = true;
        app.contents[1] = NULL; /* gone since it was listed */
        heard = talk(&app, LOGIN "LIST\r\nRETR 2\r\nRETR UID:four\r\nQUIT\r\n");
        assert_non_null(strstr(heard, "\r\n1 15\r\n2 0\r\n3 13\r\n.\r\n-ERR"));
        app_end(&app);
    }
}

static void test_bodies_by_read(void **state)
{
    struct app app;
    const char *heard;

    (void)state;
    app_begin(&app, ANOTHER_THREAD);
    app.by_read = true;
    heard = talk(&app, LOGIN "RETR 2\r\nQUIT\r\n");
    assert_non_null(strstr(heard, "\r\nA: 2\r\n\r\n..second\r\n.\r\n+OK"));
    app.fail_read = true;
    heard = talk(&app, LOGIN "RETR 2\r\nQUIT\r\n");
    assert_null(strstr(heard, "A: 2"));
    app_end(&app);
}

static void test_bodies_by_descriptor(void **state)
{
    char path[] = "/tmp/postern-provider-XXXXXX";
    struct app app;
    const char *heard;
    int fd = mkstemp(path);

    (void)state;
    app_begin(&app, NOW);
    assert_int_equal(write(fd, "xxA: 1\r\n\r\nfirst\r\nand the next one", 33), 33);
    close(fd);
    app.temp_path = path;
    heard = talk(&app, LOGIN "RETR 1\r\nQUIT\r\n");
    assert_non_null(strstr(heard, "\r\nA: 1\r\n\r\nfirst\r\n.\r\n+OK"));
    unlink(path);
    app_end(&app);
}

static void test_sleep_and_wake(void **state)
{
    struct app app;

    (void)state;
    app_begin(&app, NOW);
    assert_non_null(strstr(talk(&app, LOGIN "SLEE\r\nWAKE\r\nQUIT\r\n"), "[ACTIVITY/NONE]"));
    assert_int_equal(app.released, 2);
    app_end(&app);
}

/* ---- a host of its own: visits --------------------------------------------------------------- */

static void count_wake(void *arg)
{
    ((struct app *)arg)->wakes++;
}

static const char *written(struct app *app)
{
    static char text[4096];
    struct postern_pop3 *engine = postern_visit_engine(app->visit);
    struct postern_piece pieces[8];
    size_t count, n = 0;

    while ((count = postern_pop3_output(engine, pieces, 8)) > 0) {
        uint64_t sent = 0;

        for (size_t i = 0; i < count; i++) {
            uint64_t at = 0;

            if (pieces[i].bytes.p)
                memcpy(text + n, pieces[i].bytes.p, pieces[i].bytes.n);
            else
                assert_int_equal(
                    pread(postern_visit_file(app->visit, pieces[i].content, pieces[i].offset, &at),
                          text + n, pieces[i].bytes.n, (off_t)at),
                    -1);
            n += pieces[i].bytes.n;
            sent += pieces[i].bytes.n;
        }
        postern_pop3_sent(engine, sent, 0);
        postern_visit_pump(app->visit, 0);
    }
    text[n] = '\0';
    return text;
}

static void say(struct app *app, const char *line)
{
    struct postern_pop3 *engine = postern_visit_engine(app->visit);

    assert_int_equal(postern_pop3_feed(engine, S(line), 0), strlen(line));
    postern_visit_pump(app->visit, 0);
}

static void answer_kept(struct app *app)
{
    assert_true(app->kept);
    app->kept = false;
    assert_int_equal(postern_answer(app->token, app->result), 0);
    assert_int_equal(postern_answer(app->token, app->result), POSTERN_E_STALE);
    postern_visit_pump(app->visit, 0);
}

static void visit_begin(struct app *app, const char *peer)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct postern_visit_options options = {.wake = count_wake, .wake_arg = app};

    inet_pton(AF_INET, peer, &address.sin_addr);
    options.peer = (struct sockaddr *)&address;
    assert_int_equal(postern_visit_new(&app->visit, app->service, &options, 0), 0);
    postern_visit_pump(app->visit, 0);
}

static void test_later_on_the_same_thread(void **state)
{
    struct app app;

    (void)state;
    app_begin(&app, LATER);
    visit_begin(&app, "192.0.2.1");
    say(&app, "USER ann\r\n");
    say(&app, "PASS secret\r\n");
    written(&app);
    assert_string_equal(written(&app), "");
    answer_kept(&app); /* authenticate */
    assert_string_equal(written(&app), "");
    answer_kept(&app); /* list */
    assert_int_equal(app.wakes, 2);
    assert_non_null(strstr(written(&app), "+OK"));
    say(&app, "RETR 1\r\n");
    assert_true(app.kept);
    app.kept = false;
    app.opened = 0; /* the body was never taken over: done() is not called for it */
    postern_visit_free(&app.visit);
    assert_null(app.visit);
    assert_int_equal(app.released, 1);
    assert_int_equal(app.disconnected, 1);
    app_end(&app);
}

static void fail_to_log_in(struct app *app, const char *peer)
{
    visit_begin(app, peer);
    say(app, "USER ann\r\n");
    say(app, "PASS wrong\r\n");
    postern_visit_free(&app->visit);
}

/* default three strikes, per address, loopback exempt */
static void test_bans(void **state)
{
    struct app app;

    (void)state;
    app_begin(&app, NOW);
    for (int i = 0; i < 3; i++) {
        visit_begin(&app, "192.0.2.1");
        assert_memory_equal(written(&app), "+OK", 3);
        postern_visit_free(&app.visit);
        fail_to_log_in(&app, "192.0.2.1");
        fail_to_log_in(&app, "127.0.0.1");
    }
    visit_begin(&app, "192.0.2.1");
    assert_memory_equal(written(&app), "-ERR", 4);
    assert_true(postern_pop3_wants(postern_visit_engine(app.visit)) & POSTERN_WANT_CLOSE);
    postern_visit_free(&app.visit);
    visit_begin(&app, "192.0.2.2");
    assert_memory_equal(written(&app), "+OK", 3);
    postern_visit_free(&app.visit);
    visit_begin(&app, "127.0.0.1");
    assert_memory_equal(written(&app), "+OK", 3);
    postern_visit_free(&app.visit);
    app_end(&app);
}

static bool banned(void *ctx, const struct sockaddr *peer)
{
    assert_int_equal(peer->sa_family, AF_INET);
    return ((struct app *)ctx)->strikes >= 1;
}

static void strike(void *ctx, const struct sockaddr *peer)
{
    (void)peer;
    ((struct app *)ctx)->strikes++;
}

static void test_bans_of_the_application(void **state)
{
    struct app app;

    (void)state;
    app_begin(&app, NOW);
    postern_service_free(&app.service);
    app.provider.banned = banned;
    app.provider.strike = strike;
    assert_int_equal(postern_service_new(&app.service, &app.provider, NULL), 0);
    visit_begin(&app, "192.0.2.1");
    assert_memory_equal(written(&app), "+OK", 3);
    postern_visit_free(&app.visit);
    assert_int_equal(app.strikes, 0);
    app.strikes = 1;
    visit_begin(&app, "192.0.2.1");
    assert_memory_equal(written(&app), "-ERR", 4);
    postern_visit_free(&app.visit);
    app_end(&app);
}

static void test_what_is_not_there_is_not_offered(void **state)
{
    struct app app;
    const char *heard;

    (void)state;
    app_begin(&app, NOW);
    heard = talk(&app, "CAPA\r\n" LOGIN "CAPA\r\nQUIT\r\n");
    assert_non_null(strstr(heard, "\r\nDELI\r\n"));
    assert_non_null(strstr(heard, "SLEE-WAKE"));
    assert_non_null(strstr(heard, "SASL PLAIN LOGIN\r\n"));
    postern_service_free(&app.service);
    app.provider.delete_set = NULL;
    app.provider.refresh = NULL;
    assert_int_equal(postern_service_new(&app.service, &app.provider, NULL), 0);
    heard = talk(&app, "CAPA\r\nQUIT\r\n");
    assert_null(strstr(heard, "\r\nDELI\r\n"));
    assert_null(strstr(heard, "SLEE-WAKE"));
    app_end(&app);
}

static void test_misuse_is_refused(void **state)
{
    struct app app;
    struct postern_pop3_options options;
    struct postern_service *service = NULL;
    int pair[2];

    (void)state;
    app_begin(&app, NOW);
    app.provider.retrieve = NULL;
    assert_int_equal(postern_service_new(&service, &app.provider, NULL), POSTERN_E_USAGE);
    app.provider.retrieve = retrieve;
    app.provider.struct_bytes = 1;
    assert_int_equal(postern_service_new(&service, &app.provider, NULL), POSTERN_E_USAGE);
    app.provider.struct_bytes = sizeof app.provider;
    app.provider.authenticate = NULL;
    assert_int_equal(postern_service_new(&service, &app.provider, NULL), POSTERN_E_USAGE);
    app.provider.authenticate = authenticate;
    POSTERN_POP3_OPTIONS_INIT(&options);
    options.tls_available = true;
    assert_int_equal(postern_service_new(&service, &app.provider, &options), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(postern_serve_fd(service, pair[0]), POSTERN_E_USAGE);
    assert_int_equal(postern_serve_fd(app.service, -1), POSTERN_E_USAGE);
    close(pair[0]);
    close(pair[1]);
    postern_service_free(&service);
    app_end(&app);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_now),
        cmocka_unit_test(test_answers_from_another_thread),
        cmocka_unit_test(test_marked_stays_without_quit),
        cmocka_unit_test(test_refusals_carry_their_words),
        cmocka_unit_test(test_sizes_are_asked),
        cmocka_unit_test(test_bodies_by_read),
        cmocka_unit_test(test_bodies_by_descriptor),
        cmocka_unit_test(test_sleep_and_wake),
        cmocka_unit_test(test_later_on_the_same_thread),
        cmocka_unit_test(test_bans),
        cmocka_unit_test(test_bans_of_the_application),
        cmocka_unit_test(test_what_is_not_there_is_not_offered),
        cmocka_unit_test(test_misuse_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
