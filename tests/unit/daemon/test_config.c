/* SPDX-License-Identifier: MIT */
/* test_config - the configuration: what is taken, and with which words the rest is refused. */
#include "cmocka_all.h"

#include "daemon/config.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct config config;

static int setup(void **state)
{
    (void)state;
    return config_init(&config);
}

static int teardown(void **state)
{
    (void)state;
    config_done(&config);
    return 0;
}

static void refused(const char *text, const char *words)
{
    struct config fresh;

    assert_int_equal(config_init(&fresh), 0);
    assert_int_equal(config_text(&fresh, text), POSTERN_E_SYNTAX);
    if (!strstr(config_error(), words))
        fail_msg("\"%s\" does not say \"%s\"", config_error(), words);
    config_done(&fresh);
}

static void test_defaults(void **state)
{
    (void)state;
    assert_string_equal(config.store, "maildir");
    assert_string_equal(config.listen[0], "0.0.0.0:110");
    assert_string_equal(config.listen[1], "[::]:110");
    assert_null(config.listen[2]);
    assert_int_equal(config.idle_timeout, 600 * POSTERN_SECOND);
    assert_string_equal(config.mechanisms[1], "LOGIN");
    assert_null(config.mechanisms[2]);
    assert_int_equal(config_check(&config), 0);
}

static void test_types(void **state)
{
    (void)state;
    assert_int_equal(
        config_text(&config, "config_version = 1\nlast = yes\nworkers = 7\nidle_timeout = \"2h\"\n"
                             "mail = \"a \\\"b\\\"\"\nlisten = {\"127.0.0.1:1\"}\n# comment\n"),
        0);
    assert_true(config.last);
    assert_int_equal(config.workers, 7);
    assert_int_equal(config.idle_timeout, 7200 * POSTERN_SECOND);
    assert_string_equal(config.mail, "a \"b\"");
    assert_string_equal(config.listen[0], "127.0.0.1:1");
    assert_null(config.listen[1]);
}

static void test_refusals(void **state)
{
    (void)state;
    refused("config_version = 1\n\nmial = \"x\"\n", "mail");
    refused("config_version = 1\n\nmial = \"x\"\n", ":3");
    refused("config_version = 1\nworkers = many\n", "workers");
    refused("config_version = 1\nidle_timeout = \"soon\"\n", "idle_timeout");
    refused("config_version = 1\nlast = perhaps\n", "last");
    refused("config_version = 1\nmail = \"x\n", "");
    refused("config_version = 1\nlisten = {\"a\"\n", "");
    refused("mail\n", "");
}

static void test_set(void **state)
{
    (void)state;
    assert_int_equal(config_set(&config, "idle-timeout", "15m"), 0);
    assert_int_equal(config.idle_timeout, 900 * POSTERN_SECOND);
    assert_int_equal(config_set(&config, "idle_timeout", "20m"), 0);
    assert_int_equal(config_set(&config, "mechanisms", "PLAIN,LOGIN,SCRAM-SHA-256"), 0);
    assert_string_equal(config.mechanisms[2], "SCRAM-SHA-256");
    assert_int_equal(config_set(&config, "listen", ""), 0);
    assert_null(config.listen[0]);
    assert_true(config_set(&config, "idle-timeot", "15m") < 0);
    assert_non_null(strstr(config_error(), "idle_timeout"));
    assert_true(config_set(&config, "workers", "-") < 0);
}

/* What no single value can tell. */
static void test_check(void **state)
{
    static const char *const bad[][2] = {{"idle_timeout", "9m"},      {"store", "floppy"},
                                         {"plaintext", "sometimes"},  {"surrogate", "maybe"},
                                         {"log_level", "loud"},       {"mechanisms", "DIGEST-MD5"},
                                         {"extensions", "TELEPATHY"}, {"config_version", "2"}};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct config fresh;

        assert_int_equal(config_init(&fresh), 0);
        if (config_set(&fresh, bad[i][0], bad[i][1]) == 0)
            assert_int_equal(config_check(&fresh), POSTERN_E_SYNTAX);
        assert_non_null(strstr(config_error(), bad[i][0]));
        config_done(&fresh);
    }
}

static void test_environment(void **state)
{
    (void)state;
    setenv("POSTERN_GREETING", "from outside", 1);
    setenv("POSTERN_WORKERS", "3", 1);
    assert_int_equal(config_environment(&config), 0);
    assert_string_equal(config.greeting, "from outside");
    assert_int_equal(config.workers, 3);
    setenv("POSTERN_WORKERS", "three", 1);
    assert_true(config_environment(&config) < 0);
    unsetenv("POSTERN_GREETING");
    unsetenv("POSTERN_WORKERS");
}

static void test_missing_file(void **state)
{
    (void)state;
    assert_int_equal(config_file(&config, "/nonexistent/postern.conf"), POSTERN_E_NOT_FOUND);
    assert_non_null(strstr(config_error(), "/nonexistent/postern.conf"));
    assert_int_equal(config_file(&config, "/tmp"), POSTERN_E_IO); /* a folder */
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_defaults), CASE(test_types),       CASE(test_refusals),    CASE(test_set),
        CASE(test_check),    CASE(test_environment), CASE(test_missing_file)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
