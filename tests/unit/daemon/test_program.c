/* SPDX-License-Identifier: MIT */
/* What a program that is run for a message sees, says and may do; and that none outlives its time.
 */
#include "cmocka_all.h"

#include "base/span.h"
#include "daemon/program.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define TEXT "Subject: x\r\n\r\n.\r\nlast\r\n"

static postern_time limit = 60 * POSTERN_SECOND;

struct outcome {
    int status;
    struct buffer said;
};

static struct outcome run(const char *script, struct spool *message, bool as_here)
{
    char *arguments[] = {(char *)"/bin/sh", (char *)"-c", (char *)(uintptr_t)script, NULL};
    char *environment[] = {(char *)"PATH=" PROGRAM_PATH, (char *)"WHAT=a b", NULL};
    struct outcome outcome = {0};

    outcome.status = program_run(&(struct program){.arguments = arguments,
                                                   .environment = environment,
                                                   .message = message,
                                                   .line_feeds = as_here,
                                                   .hears_errors = as_here,
                                                   .limit = limit},
                                 &outcome.said);
    return outcome;
}

static void says(const char *script, bool as_here, int status, const char *text)
{
    struct spool message = {.folder = "/tmp"};
    struct outcome outcome;
    struct postern_span said;

    assert_int_equal(spool_write(&message, SPAN(TEXT)), 0);
    outcome = run(script, &message, as_here);
    said = buffer_span(&outcome.said);
    assert_int_equal(outcome.status, status);
    if (text) {
        assert_int_equal(said.n, strlen(text));
        assert_memory_equal(said.n ? said.p : "", text, said.n);
    }
    buffer_done(&outcome.said);
    spool_done(&message);
}

static void test_program_is_told_the_message(void **state)
{
    (void)state;
    says("cat", false, 0, TEXT);
    says("cat", true, 0, "Subject: x\n\n.\nlast\n");
    says("echo \"$WHAT\"; env | wc -l", false, 0, "a b\n3\n"); /* and PWD, of the shell */
}

static void test_program_says_how_it_ended(void **state)
{
    (void)state;
    says("exit 75", false, 75, "");
    says("echo one; echo two >&2; exit 1", true, 1, "one\ntwo\n");
    says("exec 1>&- 2>&-; sleep 0.2; exit 3", true, 3, "");
    says("kill -9 $$", false, POSTERN_E_IO, "");
    says("head -c 300000 /dev/zero", false, 0, NULL);
}

/* it, and what it started: nobody holds the output open */
static void test_program_that_is_late_is_killed(void **state)
{
    time_t began = time(NULL);

    (void)state;
    limit = POSTERN_SECOND;
    says("sleep 60", false, POSTERN_E_AGAIN, "");
    says("sleep 60 & echo here", false, POSTERN_E_AGAIN, "here\n");
    says("exec 1>&- 2>&-; sleep 60", true, POSTERN_E_AGAIN, "");
    assert_true(time(NULL) - began < 30);
    limit = 60 * POSTERN_SECOND;
}

/* is_gone - or nobody has asked for its status yet. */
static bool is_gone(long pid)
{
    char path[64], line[256] = "";
    FILE *file;
    const char *state;

    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    file = fopen(path, "r");
    if (!file)
        return true;
    (void)!fgets(line, sizeof line, file);
    fclose(file);
    state = strrchr(line, ')');
    return state && strlen(state) > 2 && state[2] == 'Z';
}

static void test_program_that_is_late_takes_its_children_along(void **state)
{
    struct spool message = {.folder = "/tmp"};
    struct outcome outcome;
    long child;

    (void)state;
    limit = POSTERN_SECOND;
    outcome = run("sleep 600 & echo $!; sleep 600", &message, false);
    limit = 60 * POSTERN_SECOND;
    assert_int_equal(outcome.status, POSTERN_E_AGAIN);
    buffer_append_char(&outcome.said, '\0');
    child = strtol(buffer_span(&outcome.said).p, NULL, 10);
    assert_true(child > 1);
    for (int i = 0; i < 2000 && !is_gone(child); i++)
        usleep(10000);
    assert_true(is_gone(child));
    buffer_done(&outcome.said);
    spool_done(&message);
}

static void test_program_that_is_not_there(void **state)
{
    char *arguments[] = {(char *)"/nonexistent/x", NULL}, *environment[] = {NULL};
    struct spool message = {.folder = "/tmp"};
    struct buffer said = {0};
    int status;
    struct program program = {
        .arguments = arguments, .environment = environment, .message = &message, .limit = limit};

    (void)state;
    status = program_run(&program, &said);
    /* under valgrind the child alone sees that it is not there */
    assert_true(status == POSTERN_E_IO || status == 127);
    buffer_done(&said);
}

/* one that is in a file already, with a CR at the edge of what is read at once */
static void test_program_sees_a_large_message(void **state)
{
    struct spool message = {.folder = "/tmp"};
    struct outcome outcome;
    size_t lines = 40000;

    (void)state;
    for (size_t i = 0; i < lines; i++)
        assert_int_equal(spool_write(&message, SPAN("0123\r\n")), 0);
    outcome = run("tr -d '0-9\\n' | wc -c; wc -c", &message, true);
    assert_int_equal(outcome.status, 0);
    assert_memory_equal(outcome.said.data, "0\n0\n", 4);
    buffer_done(&outcome.said);
    outcome = run("echo $(wc -l -c)", &message, true);
    assert_int_equal(outcome.status, 0);
    assert_memory_equal(outcome.said.data, "40000 200000\n", 13);
    buffer_done(&outcome.said);
    spool_done(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_program_is_told_the_message),
        cmocka_unit_test(test_program_says_how_it_ended),
        cmocka_unit_test(test_program_that_is_late_is_killed),
        cmocka_unit_test(test_program_that_is_late_takes_its_children_along),
        cmocka_unit_test(test_program_that_is_not_there),
        cmocka_unit_test(test_program_sees_a_large_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
