/* SPDX-License-Identifier: MIT */
/* Whether a quota has room: up to its limit and not beyond it, whatever the sum would come to. */
#include "cmocka_all.h"

#include "store/quota.h"
#include <postern/base.h>

static void test_mail_fits_up_to_the_limit(void **state)
{
    struct postern_quota quota = {.bytes = 60, .bytes_max = 100, .messages = 2, .messages_max = 3};

    (void)state;
    assert_int_equal(quota_room(&quota, 40, 1), 0);
    assert_int_equal(quota_room(&quota, 41, 1), POSTERN_E_FULL);
    assert_int_equal(quota_room(&quota, 0, 2), POSTERN_E_FULL);
    assert_int_equal(quota_room(&quota, UINT64_MAX - 10, 0), POSTERN_E_FULL);
    quota.bytes = 101; /* the limit was lowered */
    assert_int_equal(quota_room(&quota, 0, 0), POSTERN_E_FULL);
}

static void test_no_limit_is_no_limit(void **state)
{
    struct postern_quota quota = {.bytes = 60, .messages = 2, .mailboxes = 7};

    (void)state;
    assert_int_equal(quota_room(&quota, UINT64_MAX, UINT64_MAX), 0);
    assert_int_equal(quota_mailbox_room(&quota, UINT64_MAX), 0);
}

/* Mail comes in, and names change, where there are too many mailboxes already. */
static void test_mailboxes_are_counted_for_themselves(void **state)
{
    struct postern_quota quota = {.mailboxes = 3, .mailboxes_max = 3};

    (void)state;
    assert_int_equal(quota_mailbox_room(&quota, 0), 0);
    assert_int_equal(quota_mailbox_room(&quota, 1), POSTERN_E_FULL);
    quota.mailboxes = 4;
    assert_int_equal(quota_mailbox_room(&quota, 0), 0);
    assert_int_equal(quota_room(&quota, 1000, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_mail_fits_up_to_the_limit),
                                       cmocka_unit_test(test_no_limit_is_no_limit),
                                       cmocka_unit_test(test_mailboxes_are_counted_for_themselves)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
