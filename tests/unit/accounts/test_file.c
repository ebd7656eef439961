/* SPDX-License-Identifier: MIT */
/* test_file - the password file: what is read, what is refused with its line, what editing leaves
 * as it was. */
#include "cmocka_all.h"

#include "accounts/accounts.h"
#include "base/span.h"
#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[64];

static int setup(void **state)
{
    int fd;

    (void)state;
    strcpy(path, "/tmp/postern-users-XXXXXX");
    fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
    char lock[80];

    (void)state;
    snprintf(lock, sizeof lock, "%s.lock", path);
    unlink(lock); /* there once the file has been edited */
    return unlink(path);
}

static void write_file(const char *text)
{
    FILE *out = fopen(path, "w");

    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    fclose(out);
}

static char *read_file(void)
{
    static char text[8192];
    FILE *in = fopen(path, "r");

    assert_non_null(in);
    text[fread(text, 1, sizeof text - 1, in)] = '\0';
    fclose(in);
    return text;
}

static struct accounts *opened(void)
{
    struct accounts *accounts = NULL;

    assert_int_equal(accounts_file_new(&accounts, path), 0);
    return accounts;
}

static enum postern_verdict check(struct accounts *accounts, const char *user, const char *password)
{
    char name[256];

    return accounts_check(accounts, postern_span_of(user), (struct postern_span){NULL, 0},
                          postern_span_of(password), name);
}

/* Every crypt(3) hash that the system knows is taken. */
static void test_hashes(void **state)
{
    static const char *const prefixes[] = {"$y$", "$gy$", "$7$", "$2b$", "$6$", "$5$", "$1$"};

    (void)state;
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        struct crypt_data data = {0};
        char salt[CRYPT_GENSALT_OUTPUT_SIZE], line[600];
        struct accounts *accounts;

        assert_non_null(crypt_gensalt_rn(prefixes[i], i == 3 ? 4 : 0, NULL, 0, salt, sizeof salt));
        snprintf(line, sizeof line, "ann:%s\n", crypt_r("secret", salt, &data));
        write_file(line);
        accounts = opened();
        assert_int_equal(check(accounts, "ann", "secret"), POSTERN_YES);
        assert_int_equal(check(accounts, "ann", "secreT"), POSTERN_NO_CREDENTIALS);
        assert_int_equal(check(accounts, "ann", ""), POSTERN_NO_CREDENTIALS);
        assert_int_equal(check(accounts, "bob", "secret"), POSTERN_NO_CREDENTIALS);
        accounts_free(&accounts);
        assert_null(accounts);
    }
}

static void refused(const char *text, const char *where)
{
    struct accounts *accounts = NULL;

    write_file(text);
    assert_int_equal(accounts_file_new(&accounts, path), POSTERN_E_SYNTAX);
    assert_null(accounts);
    assert_non_null(strstr(accounts_error(), where));
}

static void test_bad_lines_are_named(void **state)
{
    (void)state;
    refused("ann:!\nbob\n", ":2:");
    refused("# x\n\n:!\n", ":3:");
    refused("ann:!\nann:!\n", ":2:");
    refused("a/b:!\n", ":1:");
}

static void test_missing_file(void **state)
{
    struct accounts *accounts = NULL;

    (void)state;
    assert_int_equal(accounts_file_new(&accounts, "/nonexistent/users"), POSTERN_E_NOT_FOUND);
    assert_non_null(strstr(accounts_error(), "/nonexistent/users"));
}

/* add, set, del: other lines, comments and their order stay; the file stays ours alone. */
static void test_edits(void **state)
{
    struct account_change change = {.user = SPAN("bob"),
                                    .password = SPAN("x:y=%"),
                                    .hash_prefix = "$5$",
                                    .scram = true,
                                    .apop = true};
    struct accounts *accounts;
    struct account_secrets secrets;
    struct stat facts;

    (void)state;
    write_file("# first\nann:!:plaintext=no\n\n# last");
    chmod(path, 0640);
    assert_int_equal(accounts_file_add(path, &change), 0);
    assert_int_equal(accounts_file_add(path, &change), POSTERN_E_EXISTS);
    assert_true(strncmp(read_file(), "# first\nann:!:plaintext=no\n\n# last\nbob:$5$", 42) == 0);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0640);
    accounts = opened();
    assert_int_equal(check(accounts, "bob", "x:y=%"), POSTERN_YES);
    assert_int_equal(accounts_secrets(accounts, SPAN("bob"), POSTERN_HASH_MD5, &secrets),
                     POSTERN_YES);
    assert_int_equal(secrets.apop_bytes, 5);
    assert_memory_equal(secrets.apop, "x:y=%", 5);
    assert_int_equal(accounts_secrets(accounts, SPAN("bob"), POSTERN_HASH_SHA256, &secrets),
                     POSTERN_YES);
    assert_int_equal(secrets.key_bytes, 32);
    assert_int_equal(accounts_secrets(accounts, SPAN("ann"), POSTERN_HASH_SHA256, &secrets),
                     POSTERN_NO_CREDENTIALS);
    accounts_free(&accounts);
    assert_int_equal(accounts_file_del(path, SPAN("bob")), 0);
    assert_int_equal(accounts_file_del(path, SPAN("bob")), POSTERN_E_NOT_FOUND);
    assert_string_equal(read_file(), "# first\nann:!:plaintext=no\n\n# last\n");
    change.user = SPAN("no:good");
    assert_int_equal(accounts_file_add(path, &change), POSTERN_E_SYNTAX);
    change.user = SPAN("carl");
    assert_int_equal(accounts_file_set(path, &change), POSTERN_E_NOT_FOUND);
}

/* It is looked at once a second. */
static void wait_for(struct accounts *accounts, const char *user, const char *password)
{
    for (int i = 0; i < 1000 && check(accounts, user, password) != POSTERN_YES; i++)
        usleep(10000);
}

/* A changed file is noticed without being told; one that is broken leaves the old in force. */
static void test_reload(void **state)
{
    struct account_change change = {
        .user = SPAN("ann"), .password = SPAN("one"), .hash_prefix = "$5$"};
    struct accounts *accounts;
    uint64_t stamp;

    (void)state;
    assert_int_equal(accounts_file_add(path, &change), 0);
    accounts = opened();
    stamp = accounts_stamp(accounts, SPAN("ann"));
    assert_true(stamp != 0);
    assert_int_equal(accounts_stamp(accounts, SPAN("bob")), 0);
    change.password = SPAN("two");
    assert_int_equal(accounts_file_set(path, &change), 0);
    wait_for(accounts, "ann", "two");
    assert_int_equal(check(accounts, "ann", "two"), POSTERN_YES);
    assert_int_equal(check(accounts, "ann", "one"), POSTERN_NO_CREDENTIALS);
    assert_true(accounts_stamp(accounts, SPAN("ann")) !=
                stamp); /* X13: a sleeper must not wake with the old one */
    write_file("broken\n");
    assert_int_equal(accounts_reload(accounts), POSTERN_E_SYNTAX);
    assert_int_equal(check(accounts, "ann", "two"), POSTERN_YES);
    accounts_free(&accounts);
}

/* The cache says yes only to the very same credentials, and not once they have changed. */
static void test_cache(void **state)
{
    struct account_change change = {
        .user = SPAN("ann"), .password = SPAN("one"), .hash_prefix = "$5$"};
    struct postern_span none = {NULL, 0};
    struct accounts *accounts;
    char name[256];

    (void)state;
    assert_int_equal(accounts_file_add(path, &change), 0);
    accounts = opened();
    assert_int_equal(accounts_check_cached(accounts, SPAN("ann"), none, SPAN("one"), name),
                     POSTERN_NO_TEMPORARY);
    assert_int_equal(check(accounts, "ann", "one"), POSTERN_YES);
    assert_int_equal(accounts_check_cached(accounts, SPAN("ann"), none, SPAN("one"), name),
                     POSTERN_YES);
    assert_string_equal(name, "ann");
    assert_int_equal(accounts_check_cached(accounts, SPAN("ann"), none, SPAN("onE"), name),
                     POSTERN_NO_TEMPORARY);
    assert_int_equal(accounts_check_cached(accounts, SPAN("bob"), none, SPAN("one"), name),
                     POSTERN_NO_TEMPORARY);
    change.disabled = true;
    assert_int_equal(accounts_file_set(path, &change), 0);
    assert_int_equal(accounts_reload(accounts), 0);
    assert_int_equal(accounts_check_cached(accounts, SPAN("ann"), none, SPAN("one"), name),
                     POSTERN_NO_TEMPORARY);
    assert_int_equal(check(accounts, "ann", "one"), POSTERN_NO_POLICY);
    accounts_free(&accounts);
}

/* Acting for another user needs master=yes. */
static void test_master(void **state)
{
    struct crypt_data data = {0};
    struct accounts *accounts;
    char text[600], name[256];

    (void)state;
    snprintf(text, sizeof text, "root:%s:master=yes\nann:!\n", crypt_r("pw", "$5$saltsalt", &data));
    write_file(text);
    accounts = opened();
    assert_int_equal(accounts_check(accounts, SPAN("root"), SPAN("ann"), SPAN("pw"), name),
                     POSTERN_YES);
    assert_string_equal(name, "ann");
    assert_true(accounts_check(accounts, SPAN("root"), SPAN("nobody"), SPAN("pw"), name) !=
                POSTERN_YES);
    snprintf(text, sizeof text, "root:%s\nann:!\n", crypt_r("pw", "$5$saltsalt", &data));
    write_file(text);
    assert_int_equal(accounts_reload(accounts), 0);
    assert_true(accounts_check(accounts, SPAN("root"), SPAN("ann"), SPAN("pw"), name) !=
                POSTERN_YES);
    accounts_free(&accounts);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(test_hashes),       CASE(test_bad_lines_are_named),
                                       CASE(test_missing_file), CASE(test_edits),
                                       CASE(test_reload),       CASE(test_cache),
                                       CASE(test_master)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
