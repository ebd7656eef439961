/* SPDX-License-Identifier: MIT */
/* Whether there is room: by the disk, the reserve and the size, asked only where it may wait. */
#include "cmocka_all.h"

#include "store/space.h"
#include <postern/store.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

static int room(const char *mail, uint64_t reserve_bytes, uint64_t size_bytes)
{
    struct space *space = NULL;
    int err;

    assert_int_equal(space_new(&space, mail, reserve_bytes), 0);
    err = space_for(space, size_bytes, 0);
    space_free(&space);
    assert_null(space);
    return err;
}

static void test_space_is_what_the_disk_has(void **state)
{
    struct statvfs facts;
    uint64_t left;

    (void)state;
    assert_int_equal(statvfs("/tmp", &facts), 0);
    left = (uint64_t)facts.f_bavail * facts.f_frsize;
    assert_int_equal(room("/tmp", 0, left / 2), 0);
    assert_int_equal(room("/tmp", left / 2, left / 4), 0);
    assert_int_equal(room("/tmp", left / 2, left), POSTERN_E_FULL);
    assert_int_equal(room("/tmp", 0, left * 2), POSTERN_E_FULL);
    assert_int_equal(room("/tmp", left * 2, 0), POSTERN_E_FULL);
    assert_int_equal(room("/tmp", 0, UINT64_MAX), POSTERN_E_FULL);
    assert_int_equal(room("/tmp", UINT64_MAX, UINT64_MAX), POSTERN_E_FULL);
}

/* /proc does not tell, by whatever name it is reached; all others have not that much */
static void test_space_is_looked_for_where_the_mail_is(void **state)
{
    static const char *const untold[] = {"/proc", "/proc/%u", "/proc/x-%u/mail", "/proc/none/yet",
                                         "/proc/none/%d/%n"},
                             *const told[] = {"/tmp/none/%u",   "tests/%u", "%u", "mail",
                                              "none/yet/%d/%n", "/",        ""};

    (void)state;
    for (size_t i = 0; i < sizeof untold / sizeof *untold; i++)
        assert_int_equal(room(untold[i], UINT64_MAX / 2, 1), 0);
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        assert_int_equal(room(told[i], UINT64_MAX / 2, 1), POSTERN_E_FULL);
}

static void test_space_is_asked_once_a_second(void **state)
{
    struct space *space = NULL;
    unsigned asked = 0;
    time_t began = time(NULL);

    (void)state;
    assert_int_equal(space_new(&space, "/tmp", 0), 0);
    assert_int_equal(space_for(space, 1, POSTERN_STORE_NO_WAIT), POSTERN_E_AGAIN);
    for (unsigned i = 0; i < 150; i++) {
        int err = space_for(space, 1, POSTERN_STORE_NO_WAIT);

        assert_true(!err || err == POSTERN_E_AGAIN);
        asked += err != 0;
        if (err)
            assert_int_equal(space_for(space, 1, 0), 0);
        usleep(10000);
    }
    assert_true(asked >= 1 && asked <= time(NULL) - began + 2);
    space_free(&space);
}

static void test_space_that_nobody_asks_for(void **state)
{
    (void)state;
    assert_int_equal(space_for(NULL, UINT64_MAX, POSTERN_STORE_NO_WAIT), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_space_is_what_the_disk_has),
        cmocka_unit_test(test_space_is_looked_for_where_the_mail_is),
        cmocka_unit_test(test_space_is_asked_once_a_second),
        cmocka_unit_test(test_space_that_nobody_asks_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
