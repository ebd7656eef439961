/* SPDX-License-Identifier: MIT */
/* test_view - numbers and UIDs both ways, over runs, against an array. */
#include "cmocka_all.h"

#include "proto/imap/view.h"
#include <stdlib.h>

#define MOST 300

static void test_against_an_array(void **state)
{
    unsigned seed = 3;

    (void)state;
    for (unsigned round = 0; round < 200; round++) {
        struct imap_view view = {.allocator = NULL};
        uint32_t uids[MOST], uid = 0;
        unsigned count = 0;

        while (count < MOST && rand_r(&seed) % 60) {
            struct postern_uid_range range;

            range.first = uid + 1 + (unsigned)rand_r(&seed) % 5;
            range.last = range.first + (unsigned)rand_r(&seed) % 8;
            for (uid = range.first; uid <= range.last && count < MOST; uid++)
                uids[count++] = uid;
            range.last = --uid;
            assert_int_equal(view_add(&view, range), 0);
        }
        assert_int_equal(view.messages, count);
        for (unsigned i = 0; i < count; i++) {
            assert_int_equal(view_number(&view, uids[i]), i + 1);
            assert_int_equal(view_uid(&view, i + 1), uids[i]);
            assert_int_equal(view_place(&view, uids[i]), i);
            if (i && uids[i] > uids[i - 1] + 1) {
                assert_int_equal(view_number(&view, uids[i] - 1), 0);
                assert_int_equal(view_place(&view, uids[i] - 1), i);
            }
        }
        assert_int_equal(view_place(&view, UINT32_MAX), count);
        assert_int_equal(view_number(&view, UINT32_MAX), 0);
        view_done(&view);
    }
}

/* A mailbox without holes is one run, however many messages it has. */
static void test_small(void **state)
{
    struct imap_view view = {.allocator = NULL};
    struct postern_uid_range million = {1, 1000000};

    (void)state;
    assert_int_equal(view_set(&view, &million, 1), 0);
    assert_int_equal(view.count, 1);
    for (uint32_t uid = 1000001; uid < 1001000; uid++)
        assert_int_equal(view_add(&view, (struct postern_uid_range){uid, uid}), 0);
    assert_int_equal(view.count, 1);
    view.recent_from = 1000990;
    assert_int_equal(view_recent(&view), 10);
    assert_true(view_is_recent(&view, 1000990));
    assert_false(view_is_recent(&view, 1000989));
    view_done(&view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_an_array),
                                       cmocka_unit_test(test_small)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
