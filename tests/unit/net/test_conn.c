/* SPDX-License-Identifier: MIT */
/* test_conn - a connection with its session: plain, moved between loops, limited, drained, and cut
 * off. */
#include "echo.h"

#include <sys/resource.h>

static void test_plain(void **state)
{
    int fd;

    (void)state;
    begin(false);
    fd = dial();
    hear(fd, GREETING);
    say(fd, "one\r\n");
    hear(fd, "one\r\n");
    say(fd, "bye and what follows is nobody's\r\n");
    hear(fd, "bye and what follows is nobody's\r\n");
    hear(fd, "");
    close(fd);
}

/* The last reply arrives although the client went on talking. */
static void test_reply_before_the_end(void **state)
{
    char flood[65536];

    (void)state;
    begin(false);
    memset(flood, 'x', sizeof flood);
    for (int i = 0; i < 20; i++) {
        int fd = dial();

        hear(fd, GREETING);
        say(fd, "bye\r\n");
        (void)!send(fd, flood, sizeof flood, MSG_NOSIGNAL);
        hear(fd, "bye\r\n");
        close(fd);
    }
}

static void test_half_closed_client(void **state)
{
    int fd;

    (void)state;
    begin(false);
    fd = dial();
    say(fd, "early\r\n");
    shutdown(fd, SHUT_WR);
    hear(fd, GREETING "early\r\n");
    hear(fd, "");
    close(fd);
}

static void test_moves(void **state)
{
    int fd;

    (void)state;
    begin(false);
    fd = dial();
    hear(fd, GREETING);
    for (int i = 0; i < 20; i++) {
        int before = atomic_load(&moved_to);

        say(fd, "move\r\n");
        hear(fd, "moved\r\n");
        assert_true(i == 0 || atomic_load(&moved_to) != before);
        say(fd, "x\r\n");
        hear(fd, "x\r\n");
    }
    close(fd);
}

static void test_limit_per_address(void **state)
{
    int fds[3];

    (void)state;
    limits.per_address_max = 2;
    begin(false);
    for (int i = 0; i < 2; i++) {
        fds[i] = dial();
        hear(fds[i], GREETING);
    }
    fds[2] = dial();
    hear(fds[2], "");
    expect_event("limit");
    close(fds[2]);
    say(fds[0], "bye\r\n");
    hear(fds[0], "bye\r\n");
    hear(fds[0], "");
    close(fds[0]);
    for (int i = 0; i < 2000 && net_connections(loops) > 1; i++)
        usleep(10000);
    fds[0] = dial(); /* a place is free again */
    hear(fds[0], GREETING);
    close(fds[0]);
    close(fds[1]);
}

static void test_drain(void **state)
{
    int fd;

    (void)state;
    begin(false);
    fd = dial();
    hear(fd, GREETING);
    net_loops_drain(loops, 20 * POSTERN_SECOND);
    hear(fd, "drained\r\n");
    hear(fd, "");
    close(fd);
}

/* Sessions on both loops that do not end by themselves are cut off when the grace is over. */
static void test_drain_cuts_off(void **state)
{
    int fds[8];

    (void)state;
    begin(false);
    for (int i = 0; i < 8; i++) {
        fds[i] = dial();
        hear(fds[i], GREETING);
        if (i % 2) {
            say(fds[i], "move\r\n");
            hear(fds[i], "moved\r\n");
        }
        say(fds[i], "stay\r\n");
        hear(fds[i], "stay\r\n");
    }
    net_loops_drain(loops, POSTERN_SECOND / 10);
    for (int i = 0; i < 8; i++) {
        hear(fds[i], "");
        close(fds[i]);
    }
}

/* Out of descriptors: who comes is turned away, the loops go on, and once some are free all is as
 * before. */
static void test_no_descriptors(void **state)
{
    struct rlimit usual, tight;
    int fd, more, held[256], n = 0;

    (void)state;
    begin(false);
    fd = dial();
    hear(fd, GREETING);
    getrlimit(RLIMIT_NOFILE, &usual);
    tight = usual;
    tight.rlim_cur = 200;
    setrlimit(RLIMIT_NOFILE, &tight);
    while (n < 255 && (held[n] = dup(0)) >= 0)
        n++;
    close(held[--n]); /* one for our own socket, none for the server's */
    more = dial();
    hear(more, "");
    say(fd, "still here\r\n");
    hear(fd, "still here\r\n");
    while (n > 0)
        close(held[--n]);
    setrlimit(RLIMIT_NOFILE, &usual);
    close(more);
    more = dial();
    hear(more, GREETING);
    close(more);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_plain),          CASE(test_reply_before_the_end), CASE(test_half_closed_client),
        CASE(test_moves),          CASE(test_limit_per_address),    CASE(test_drain),
        CASE(test_drain_cuts_off), CASE(test_no_descriptors)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
