/* SPDX-License-Identifier: MIT */
/* test_uid - messages named by unique-id (X1..X6), and the sorted index behind it. */
#include "drive.h"

#include "proto/pop3/marks.h"

/* X1 X2 */
static void test_uid_names_a_message(void **state)
{
    struct drive d;

    (void)state;
    drive_login(&d);
    drive_send(&d, "LIST UID:c\r\nUIDL uid:b\r\nTOP UID:a 0\r\nLIST UID:C\r\n");
    drive_expect(&d, "+OK 3 24\r\n+OK 2 b\r\n+OK it follows\r\nSubject: a\r\n\r\n.\r\n"
                     "-ERR [UID/NOT-FOUND] no message with this unique-id\r\n");
    drive_done(&d);
}

/* X3 X6: what is malformed never reaches the application */
static void test_bad_uid_is_not_asked(void **state)
{
    struct drive d;
    char line[128];

    (void)state;
    drive_login(&d);
    drive_send(&d, "RETR UID:\r\n");
    memset(line, 'x', sizeof line);
    memcpy(line, "RETR UID:", 9);
    memcpy(line + 9 + POSTERN_UID_MAX + 1, "\r\n", 3);
    drive_send(&d, line);
    drive_expect(&d, "-ERR [UID/NOT-FOUND] no message with this unique-id\r\n"
                     "-ERR [UID/NOT-FOUND] no message with this unique-id\r\n");
    assert_int_equal(d.finds, 0);
    drive_send(&d, "DELE 1\r\nDELI 2\r\nRETR UID:a\r\nRETR UID:b\r\n");
    drive_expect(&d, "+OK marked for deletion\r\n+OK deleted\r\n-ERR message is deleted\r\n"
                     "-ERR message is deleted\r\n");
    drive_done(&d);
}

/* X4 */
static void test_later_mail_has_number_0(void **state)
{
    struct drive d;

    (void)state;
    drive_login(&d);
    drive_send(&d, "LIST UID:new-1\r\nUIDL UID:new-1\r\nRETR UID:new-1\r\nDELE UID:new-1\r\n"
                   "RETR UID:new-1\r\nSTAT\r\n");
    drive_expect(&d, "+OK 0 20\r\n+OK 0 new-1\r\n+OK 20 octets\r\nSubject: new\r\n\r\nn\r\n.\r\n"
                     "+OK marked for deletion\r\n-ERR message is deleted\r\n+OK 3 64\r\n");
    drive_send(&d, "RSET\r\nDELE UID:new-1\r\nDELE 3\r\nQUIT\r\n");
    assert_string_equal(d.expunged_uids, "c,new-1,");
    drive_done(&d);
    drive_login(&d);
    drive_send(&d, "DELI UID:new-1\r\nRSET\r\nDELI UID:new-1\r\nQUIT\r\n");
    drive_expect(&d,
                 "+OK deleted\r\n+OK all marks removed\r\n-ERR message is deleted\r\n+OK bye\r\n");
    assert_string_equal(d.expunged_uids, "new-1,");
    drive_done(&d);
}

static void test_uid_can_be_switched_off(void **state)
{
    struct drive d;

    (void)state;
    drive_init(&d);
    d.options.uid_param = false;
    drive_start(&d);
    drive_send(&d, "USER u\r\nPASS p\r\n");
    drive_forget(&d);
    drive_send(&d, "LIST UID:c\r\n");
    drive_expect(&d, "-ERR no such message\r\n");
    drive_done(&d);
}

#define MANY 1000

static void test_index_finds_every_uid(void **state)
{
    static struct postern_entry entries[MANY];
    static char uids[MANY * 4];
    struct postern_list list = {entries, MANY, uids, 0};
    struct marks marks;

    (void)state;
    for (unsigned i = 0; i < MANY; i++) {
        char uid[8];

        snprintf(uid, sizeof uid, "%03u", i * 7 % MANY);
        memcpy(uids + i * 4, uid, 3);
        entries[i].uid_offset = i * 4;
        entries[i].uid_length = (uint8_t)(i % 50 == 0 ? 2 : 3); /* some are beginnings of others */
    }
    marks_init(&marks, NULL, MANY);
    for (unsigned i = 0; i < MANY; i++) {
        struct postern_span uid = {uids + entries[i].uid_offset, entries[i].uid_length};
        int64_t found = marks_find(&marks, &list, uid);

        assert_true(found >= 0);
        assert_int_equal(entries[found].uid_length, uid.n);
        assert_memory_equal(uids + entries[found].uid_offset, uid.p, uid.n);
    }
    assert_int_equal(marks_find(&marks, &list, drive_span("zzz")), POSTERN_E_NOT_FOUND);
    assert_int_equal(marks_find(&marks, &list, drive_span("")), POSTERN_E_NOT_FOUND);
    marks_done(&marks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uid_names_a_message),
        cmocka_unit_test(test_bad_uid_is_not_asked),
        cmocka_unit_test(test_later_mail_has_number_0),
        cmocka_unit_test(test_uid_can_be_switched_off),
        cmocka_unit_test(test_index_finds_every_uid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
