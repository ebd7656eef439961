/* SPDX-License-Identifier: MIT */
/* test_log - the form of a log line, and that no value can break out of its field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/log.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *formatted(const char *const *pairs)
{
    static char line[LOG_LINE_MAX + 1];
    size_t n = log_format(line, LOG_LINE_MAX, "T", LOG_LEVEL_INFO, "login", pairs);

    line[n] = '\0';
    return line;
}

static void test_line_has_fields_in_order(void **state)
{
    const char *pairs[] = {"session", "7", "peer", "[2001:db8::1]:4711", "user", "ada", NULL};

    (void)state;
    assert_string_equal(formatted(pairs),
                        "T info login session=7 peer=[2001:db8::1]:4711 user=\"ada\"\n");
}

static void test_empty_values_are_left_out(void **state)
{
    const char *pairs[] = {"a", "", "b", NULL, "c", "1", NULL};

    (void)state;
    assert_string_equal(formatted(pairs), "T info login c=1\n");
}

static void test_user_bytes_cannot_forge(void **state)
{
    const char *pairs[] = {"user", "x\" admin=1\r\nT error\\\x80", NULL};

    (void)state;
    assert_string_equal(formatted(pairs),
                        "T info login user=\"x\\\" admin=1\\x0d\\x0aT error\\\\\\x80\"\n");
}

static void test_spaces_are_quoted(void **state)
{
    const char *pairs[] = {"why", "no such file", NULL};

    (void)state;
    assert_string_equal(formatted(pairs), "T info login why=\"no such file\"\n");
}

static void test_long_line_is_cut_and_ended(void **state)
{
    char big[2 * LOG_LINE_MAX];
    const char *pairs[] = {"why", big, "after", "lost", NULL};
    const char *line;

    (void)state;
    memset(big, 'a', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    line = formatted(pairs);
    assert_true(strlen(line) <= LOG_LINE_MAX);
    assert_int_equal(line[strlen(line) - 1], '\n');
    assert_null(strstr(line, "after"));
}

static size_t file_lines(const char *path)
{
    char text[4096];
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text);
    size_t lines = 0;

    if (fd >= 0)
        close(fd);
    for (ssize_t i = 0; i < n; i++)
        lines += text[i] == '\n';
    return lines;
}

static void test_level_and_reopen(void **state)
{
    char path[] = "/tmp/postern-log-XXXXXX", old[64];
    struct log *log = NULL;

    (void)state;
    close(mkstemp(path));
    snprintf(old, sizeof old, "%s.1", path);
    assert_int_equal(log_open(&log, path, "warn"), 0);
    log_note(log, LOG_LEVEL_WARN, "one", NULL, NULL, NULL, NULL);
    log_note(log, LOG_LEVEL_INFO, "unseen", NULL, NULL, NULL, NULL);
    assert_int_equal(file_lines(path), 1);
    assert_int_equal(rename(path, old), 0);
    log_note(log, LOG_LEVEL_ERROR, "two", NULL, NULL, NULL, NULL);
    assert_int_equal(file_lines(old), 2);
    assert_int_equal(log_reopen(log), 0);
    log_note(log, LOG_LEVEL_ERROR, "three", NULL, NULL, NULL, NULL);
    assert_int_equal(file_lines(old), 2);
    assert_int_equal(file_lines(path), 1);
    log_close(&log);
    assert_null(log);
    unlink(path);
    unlink(old);
}

static void test_open_refuses(void **state)
{
    struct log *log = NULL;

    (void)state;
    assert_int_equal(log_open(&log, "stderr", "loud"), POSTERN_E_SYNTAX);
    assert_int_equal(log_open(&log, "/nonexistent/folder/log", "info"), POSTERN_E_IO);
    assert_null(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line_has_fields_in_order),
        cmocka_unit_test(test_empty_values_are_left_out),
        cmocka_unit_test(test_user_bytes_cannot_forge),
        cmocka_unit_test(test_spaces_are_quoted),
        cmocka_unit_test(test_long_line_is_cut_and_ended),
        cmocka_unit_test(test_level_and_reopen),
        cmocka_unit_test(test_open_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
