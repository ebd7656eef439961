/* SPDX-License-Identifier: MIT */
/* test_sdnotify - the datagrams that a service manager gets, on a path and in the abstract space.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/sdnotify.h"
#include <postern/base.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int manager(const char *name)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    size_t n = strlen(name);
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    memcpy(at.sun_path, name, n);
    if (name[0] == '@')
        at.sun_path[0] = '\0';
    assert_int_equal(
        bind(fd, (struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)),
        0);
    return fd;
}

static const char *heard(int fd)
{
    static char text[256];
    ssize_t n = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);

    text[n < 0 ? 0 : n] = '\0';
    return text;
}

static void test_nobody_asks(void **state)
{
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    assert_int_equal(sdnotify("READY=1"), 0);
    setenv("NOTIFY_SOCKET", "", 1);
    assert_int_equal(sdnotify("READY=1"), 0);
}

static void test_path_socket(void **state)
{
    char folder[] = "/tmp/postern-notify-XXXXXX", path[64];
    int fd;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/s", folder);
    fd = manager(path);
    setenv("NOTIFY_SOCKET", path, 1);
    assert_int_equal(sdnotify("READY=1"), 1);
    assert_string_equal(heard(fd), "READY=1");
    assert_int_equal(sdnotify_reloading(), 1);
    assert_memory_equal(heard(fd), "RELOADING=1\nMONOTONIC_USEC=", 27);
    close(fd);
    unlink(path);
    rmdir(folder);
    assert_int_equal(sdnotify("READY=1"), POSTERN_E_IO);
}

static void test_abstract_socket(void **state)
{
    char name[64];
    int fd;

    (void)state;
    snprintf(name, sizeof name, "@postern-test-%d", (int)getpid());
    fd = manager(name);
    assert_int_equal(sdnotify_to(name, "STOPPING=1"), 1);
    assert_string_equal(heard(fd), "STOPPING=1");
    close(fd);
}

static void test_bad_names(void **state)
{
    char big[200];

    (void)state;
    memset(big, 'a', sizeof big - 1);
    big[0] = '/';
    big[sizeof big - 1] = '\0';
    assert_int_equal(sdnotify_to(big, "READY=1"), POSTERN_E_SYNTAX);
    assert_int_equal(sdnotify_to("relative", "READY=1"), POSTERN_E_SYNTAX);
    assert_int_equal(sdnotify_to("", "READY=1"), POSTERN_E_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_asks),
        cmocka_unit_test(test_path_socket),
        cmocka_unit_test(test_abstract_socket),
        cmocka_unit_test(test_bad_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
