/* SPDX-License-Identifier: MIT */
/* test_provider_imap - postern_serve_imap_fd() over a real socket: what a client sees, hears of
 * while it waits, and may do. */
#include "imap_app.h"

static void round_of(bool threads)
{
    struct app app;

    app_begin(&app, threads);
    say(&app, "a login ann wrong\r\n", "a NO [AUTHENTICATIONFAILED]");
    say(&app, "b login ann secret\r\n", "b OK");
    has_not(&app, "CONDSTORE");
    has(&app, " MOVE ");
    say(&app, "c list \"\" * return (status (messages unseen))\r\n", "c OK");
    has(&app,
        "* LIST (\\NonExistent \\HasChildren) \"/\" \"Away\"\r\n* LIST (\\HasNoChildren) \"/\" "
        "\"Away-\"");
    has(&app, "* LIST (\\HasNoChildren \\Archive) \"/\" \"Away/Far\"\r\n");
    has(&app, "* STATUS \"INBOX\" (MESSAGES 3 UNSEEN 3)");
    say(&app, "d select inbox\r\n", "d OK [READ-WRITE]");
    has(&app, "* 3 EXISTS\r\n");
    has(&app, "[UNSEEN 1]");
    has(&app, "[UIDVALIDITY 7]");
    has(&app, "[UIDNEXT 10]");
    say(&app, "e fetch 1:2 (envelope body body.peek[text] rfc822.size)\r\n", "e OK");
    has(&app, "* 2 FETCH (ENVELOPE (NIL \"one\" NIL");
    has(&app, "BODY[TEXT] {11}\r\nThe text.\r\n RFC822.SIZE 46)");
    say(&app, "f store 1:2 +flags (\\Flagged \\Draft nice work)\r\n", "f OK");
    has(&app, "* 1 FETCH (FLAGS (\\Flagged nice work))");
    say(&app, "g store 2 -flags (nice)\r\n", "g OK");
    has(&app, "* 2 FETCH (FLAGS (\\Flagged work))");
    say(&app, "h search keyword nice\r\n", "* SEARCH 1\r\n");
    say(&app, "i search text \"the text\"\r\n", "* SEARCH 1 2 3\r\n");
    say(&app, "j append inbox (\\Seen) {3+}\r\nabc\r\n", "j OK [APPENDUID 7 10]");
    has(&app, "* 4 EXISTS");
    say(&app, "k uid move 1 Away/Far\r\n", "k OK");
    has(&app, "* OK [COPYUID 7 1 1]");
    has(&app, "* 1 EXPUNGE\r\n");
    say(&app, "l copy 1 Away/Far\r\n", "l NO [TRYCREATE]");
    say(&app, "m store 1 +flags.silent (\\Deleted)\r\n", "m OK");
    say(&app, "n expunge\r\n", "* 1 EXPUNGE\r\n");
    say(&app, "o status Away/Far (messages uidnext)\r\n",
        "* STATUS \"Away/Far\" (MESSAGES 1 UIDNEXT 11)");
    say(&app, "p create New\r\n", "p OK made");
    say(&app, "q delete New\r\n", "q NO [CANNOT]");
    say(&app, "q delete inbox\r\n", "q NO [NOPERM]"); /* and change() is not asked */
    app.fail_read = true;
    say(&app, "r fetch 1 envelope\r\n", "r NO");
    app.fail_read = false;
    say(&app, "s fetch 1 body[]\r\n", "s OK");
    has(&app, "FLAGS (\\Seen)");
    say(&app, "t append inbox {3+}\r\nabc {3+}\r\ndef\r\n", "t BAD");
    say(&app, "u logout\r\n", "u OK");
    app_end(&app);
}

static void test_answers_now(void **state)
{
    (void)state;
    round_of(false);
}

static void test_answers_from_another_thread(void **state)
{
    (void)state;
    round_of(true);
}

/* Who waits is told, however the change came about; the flags of the others are theirs. */
static void test_idle_is_told(void **state)
{
    struct app app;

    (void)state;
    app_begin(&app, false);
    say(&app, "a login ann secret\r\n", "a OK");
    say(&app, "b select inbox\r\n", "b OK");
    say(&app, "c idle\r\n", "+ idling");
    pthread_mutex_lock(&app.mutex);
    app.letters[0].there = false;
    app.letters[1].flags = POSTERN_FLAG_SEEN;
    app.letters[5] = (struct letter){.uid = app.uid_next++, .there = true};
    pthread_mutex_unlock(&app.mutex);
    postern_visit_changed(app.visit);
    hear(&app, "* 1 FETCH (FLAGS (\\Seen))\r\n");
    has(&app, "* 1 EXPUNGE\r\n* 3 EXISTS\r\n");
    say(&app, "done\r\n", "c OK");
    app_end(&app);
}

static bool is_watched(struct app *app)
{
    bool watched;

    pthread_mutex_lock(&app->mutex);
    watched = app->watched;
    pthread_mutex_unlock(&app->mutex);
    return watched;
}

/* Who said NOTIFY hears of all mailboxes, as soon as the application says that one may differ; what
 * cannot be counted for the moment is not told as empty. */
static void notify_with(bool threads)
{
    struct app app;

    app_begin_with(&app, threads, &(struct postern_provider){.watch = watch});
    say(&app, "a login ann secret\r\n", "a OK");
    has(&app, " NOTIFY ");
    say(&app,
        "b notify set status (selected (messagenew (uid) messageexpunge)) (personal (messagenew "
        "messageexpunge flagchange mailboxname))\r\n",
        "b OK");
    has(&app, "* STATUS \"INBOX\" (MESSAGES 3 UIDNEXT 10 UIDVALIDITY 7)\r\n");
    assert_true(is_watched(&app));
    say(&app, "c select inbox\r\n", "c OK");
    app.said_n = 0;
    pthread_mutex_lock(&app.mutex);
    app.fail_far = true;
    app.letters[0].there = false;
    pthread_mutex_unlock(&app.mutex);
    postern_visit_changed(app.visit);
    hear(&app, "* 1 EXPUNGE\r\n");
    pthread_mutex_lock(&app.mutex);
    app.fail_far = false;
    app.has_more = true;
    app.letters[6] = (struct letter){.uid = app.uid_next++, .there = true, .away = true};
    pthread_mutex_unlock(&app.mutex);
    postern_visit_changed(app.visit);
    hear(&app, "* LIST (\\HasNoChildren) \"/\" \"More\"\r\n");
    has(&app, "* STATUS \"Away/Far\" (MESSAGES 1 UIDNEXT 11 UNSEEN 1)\r\n");
    has_not(&app, "\"Away/Far\" (MESSAGES 0");
    say(&app, "d notify none\r\n", "d OK");
    assert_false(is_watched(&app));
    app_end(&app);
}

static void test_notify_is_told(void **state)
{
    (void)state;
    notify_with(false);
    notify_with(true);
}

/* ---- rights ---------------------------------------------------------------------------------- */

static uint32_t inbox_rights, far_rights;

static int rights(void *ctx, struct postern_token token, struct postern_span user,
                  struct postern_span mailbox, uint32_t *rights_r)
{
    (void)user;
    if (is(mailbox, "Away/Far"))
        *rights_r = far_rights;
    else if (is(mailbox, "INBOX"))
        *rights_r = inbox_rights;
    else
        return result(ctx, token, POSTERN_NO_NOT_FOUND);
    return result(ctx, token, POSTERN_YES);
}

static int acl(void *ctx, struct postern_token token, struct postern_span user,
               struct postern_span mailbox, void *builder)
{
    struct postern_acl owner = {.identifier = user, .rights = POSTERN_RIGHTS_ALL, .fixed = true};
    struct postern_acl bob = {.identifier = S("bob"), .rights = far_rights};

    assert_true(is(mailbox, "INBOX"));
    assert_int_equal(postern_acl_add(builder, &owner), 0);
    assert_int_equal(postern_acl_add(builder, &bob), 0);
    bob.identifier.n = 0;
    assert_int_equal(postern_acl_add(builder, &bob), POSTERN_E_USAGE);
    return result(ctx, token, POSTERN_YES);
}

static int set_acl(void *ctx, struct postern_token token, struct postern_span user,
                   struct postern_span mailbox, const struct postern_acl *change,
                   enum postern_flags_how how)
{
    (void)user, (void)mailbox;
    assert_true(is(change->identifier, "bob") && how == POSTERN_FLAGS_ADD);
    far_rights |= change->rights;
    return result(ctx, token, POSTERN_YES);
}

static void rights_round(bool threads)
{
    struct postern_provider more = {.rights = rights, .acl = acl, .set_acl = set_acl};
    struct app app;

    inbox_rights = POSTERN_RIGHT_LOOKUP | POSTERN_RIGHT_READ | POSTERN_RIGHT_WRITE |
                   POSTERN_RIGHT_ADMIN | POSTERN_RIGHT_CREATE | POSTERN_RIGHT_DELETED |
                   POSTERN_RIGHT_EXPUNGE;
    far_rights = POSTERN_RIGHT_INSERT;
    app_begin_with(&app, threads, &more);
    say(&app, "a login ann secret\r\n", "a OK");
    has(&app, " ACL RIGHTS=texk LIST-MYRIGHTS");
    say(&app, "b list \"\" * return (myrights)\r\n", "b OK");
    has(&app, "* MYRIGHTS \"INBOX\" lrwktecda\r\n");
    has_not(&app, "Far");
    say(&app, "c getacl inbox\r\n", "* ACL \"INBOX\" \"ann@example.org\" lrswipkxtecda \"bob\" i");
    say(&app, "d getacl Away/Far\r\n", "d NO [NONEXISTENT]");
    say(&app, "e select Away/Far\r\n", "e NO [NONEXISTENT]");
    say(&app, "f select inbox\r\n", "f OK [READ-WRITE]");
    has(&app, "[PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Draft \\*)]");
    say(&app, "g store 1 flags (\\Seen \\Flagged work)\r\n", "* 1 FETCH (FLAGS (\\Flagged work))");
    say(&app, "h uid move 1 Away/Far\r\n", "[COPYUID 7 1 1]");
    say(&app, "i setacl inbox bob +lr\r\n", "i OK");
    say(&app, "j store 2 +flags (\\Seen)\r\n", "j NO [NOPERM]");
    say(&app, "k create INBOX/deep/er\r\n", "k OK");
    say(&app, "l create top\r\n", "l NO [NOPERM]");
    inbox_rights &= ~POSTERN_RIGHT_WRITE;
    say(&app, "m noop\r\n", "[PERMANENTFLAGS (\\Deleted)]");
    say(&app, "n select Away/Far\r\n", "n OK [READ-WRITE]"); /* i */
    say(&app, "o fetch 1 flags\r\n", "o OK");
    has_not(&app, "Flagged");
    say(&app, "p logout\r\n", "p OK");
    app_end(&app);
}

static void test_rights_are_kept(void **state)
{
    (void)state;
    rights_round(false);
    rights_round(true);
}

static void test_misuse_is_refused(void **state)
{
    struct postern_provider provider = {
        .struct_bytes = sizeof provider, .authenticate = authenticate, .messages = messages};
    struct postern_service *service = NULL;
    struct postern_imap_options options;

    (void)state;
    assert_int_equal(postern_service_new(&service, &provider, NULL), POSTERN_E_USAGE);
    provider.fetch = fetch;
    assert_int_equal(postern_service_new(&service, &provider, NULL), 0);
    POSTERN_IMAP_OPTIONS_INIT(&options);
    options.struct_bytes--;
    assert_int_equal(postern_service_imap(service, &options), POSTERN_E_USAGE);
    options.struct_bytes++;
    options.tls_available = true; /* there is no TLS on a bare descriptor */
    assert_int_equal(postern_service_imap(service, &options), 0);
    assert_int_equal(postern_serve_imap_fd(service, 0), POSTERN_E_USAGE);
    postern_service_free(&service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_now),     cmocka_unit_test(test_answers_from_another_thread),
        cmocka_unit_test(test_idle_is_told),    cmocka_unit_test(test_notify_is_told),
        cmocka_unit_test(test_rights_are_kept), cmocka_unit_test(test_misuse_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
