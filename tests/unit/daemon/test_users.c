/* SPDX-License-Identifier: MIT */
/* test_users - sessions and login delays are counted per user. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/span.h"
#include "daemon/users.h"
#include <stdio.h>

static void test_sessions_are_limited_per_user(void **state)
{
    struct users *users = NULL;

    (void)state;
    assert_int_equal(users_new(&users, 2, 0), 0);
    assert_int_equal(users_in(users, SPAN("ada"), 0), 0);
    assert_int_equal(users_in(users, SPAN("ada"), 0), 0);
    assert_int_equal(users_in(users, SPAN("ada"), 0), POSTERN_E_FULL);
    assert_int_equal(users_in(users, SPAN("bob"), 0), 0);
    users_out(users, SPAN("ada"));
    assert_int_equal(users_in(users, SPAN("ada"), 0), 0);
    users_free(&users);
    assert_null(users);
}

/* One account, one loop: the first session's, until the last one is gone. */
static void test_owner_is_who_came_first(void **state)
{
    struct users *users = NULL;

    (void)state;
    assert_int_equal(users_new(&users, 0, 10), 0);
    assert_int_equal(users_in(users, SPAN("ada"), 0), 0);
    assert_int_equal(users_owner(users, SPAN("ada"), 3), 3);
    assert_int_equal(users_owner(users, SPAN("ada"), 1), 3);
    assert_int_equal(users_owner(users, SPAN("bob"), 1), 1); /* not logged in: owned by nobody */
    assert_int_equal(users_in(users, SPAN("ada"), 20), 0);
    users_out(users, SPAN("ada"));
    assert_int_equal(users_owner(users, SPAN("ada"), 1), 3);
    users_out(users, SPAN("ada"));
    assert_int_equal(users_in(users, SPAN("ada"), 40), 0);
    assert_int_equal(users_owner(users, SPAN("ada"), 2), 2);
    users_free(&users);
}

static void test_delay_outlives_the_session(void **state) /* R46 */
{
    struct users *users = NULL;

    (void)state;
    assert_int_equal(users_new(&users, 0, 10), 0);
    assert_int_equal(users_in(users, SPAN("ada"), 100), 0);
    users_out(users, SPAN("ada"));
    assert_int_equal(users_in(users, SPAN("ada"), 109), POSTERN_E_AGAIN);
    assert_int_equal(users_in(users, SPAN("ada"), 110), 0);
    users_free(&users);
}

static void test_many_users(void **state)
{
    struct users *users = NULL;
    char name[16];

    (void)state;
    assert_int_equal(users_new(&users, 1, 0), 0);
    for (int turn = 0; turn < 2; turn++) {
        for (int i = 0; i < 10000; i++) {
            snprintf(name, sizeof name, "user%d", i);
            assert_int_equal(users_in(users, postern_span_of(name), 0), 0);
        }
        for (int i = 0; i < 10000; i++) {
            snprintf(name, sizeof name, "user%d", i);
            users_out(users, postern_span_of(name));
        }
    }
    users_out(users, SPAN("nobody"));
    users_free(&users);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sessions_are_limited_per_user),
        cmocka_unit_test(test_owner_is_who_came_first),
        cmocka_unit_test(test_delay_outlives_the_session),
        cmocka_unit_test(test_many_users),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
