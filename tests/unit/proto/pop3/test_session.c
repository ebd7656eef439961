/* SPDX-License-Identifier: MIT */
/* test_session - a POP3 session driven by hand: the mailbox, the ways out, the traps. */
#include "drive.h"

/* R15 R17 R18 R19 R22 R24 R28 R30 */
static void test_lists_never_renumber(void **state)
{
    struct drive d;

    (void)state;
    drive_login(&d);
    drive_send(&d, "STAT\r\nDELE 1\r\nDELE 1\r\nSTAT\r\nLIST\r\nUIDL\r\nLIST 3\r\nUIDL "
                   "1\r\nRSET\r\nUIDL 1\r\n");
    drive_expect(&d,
                 "+OK 3 64\r\n+OK marked for deletion\r\n-ERR message is deleted\r\n+OK 2 40\r\n"
                 "+OK it follows\r\n2 16\r\n3 24\r\n.\r\n+OK it follows\r\n2 b\r\n3 c\r\n.\r\n"
                 "+OK 3 24\r\n-ERR message is deleted\r\n+OK all marks removed\r\n+OK 1 a\r\n");
    drive_done(&d);
}

/* R8 R35: the first octet, a dot alone, no last line end; READ answers of one octet */
static void test_retr_stuffs_across_reads(void **state)
{
    struct drive d;

    (void)state;
    for (size_t most = 0; most < 6; most++) {
        drive_login(&d);
        d.read_most = most;
        drive_send(&d, "RETR 2\r\nNOOP\r\n");
        drive_expect(&d, "+OK 16 octets\r\n..dot\r\n\r\n..\r\nend\r\n.\r\n+OK done\r\n");
        assert_int_equal(d.messages_done, 1);
        drive_done(&d);
    }
}

/* R27 */
static void test_top_cuts(void **state)
{
    struct drive d;

    (void)state;
    for (size_t most = 0; most < 4; most++) {
        drive_login(&d);
        d.read_most = most;
        drive_send(&d, "TOP 3 0\r\nTOP 3 1\r\nTOP 3 99\r\nTOP 3 -1\r\nTOP 3\r\n");
        drive_expect(&d, "+OK it follows\r\nSubject: c\r\n\r\n.\r\n"
                         "+OK it follows\r\nSubject: c\r\n\r\n..x\r\n.\r\n"
                         "+OK it follows\r\nSubject: c\r\n\r\n..x\r\ny\r\nz\r\n.\r\n"
                         "-ERR wrong arguments\r\n-ERR wrong arguments\r\n");
        drive_done(&d);
    }
}

static void test_range_is_not_read(void **state)
{
    struct drive d;

    (void)state;
    drive_login(&d);
    d.range = true;
    drive_send(&d, "RETR 1\r\nNOOP\r\n");
    drive_expect(&d, "+OK 24 octets\r\nSubject: a\r\n\r\none\r\ntwo\r\n.\r\n+OK done\r\n");
    assert_int_equal(d.reads, 0);
    assert_int_equal(d.range_octets, 24);
    assert_int_equal(d.messages_done, 1);
    drive_done(&d);
}

static void test_read_error_early_and_late(void **state)
{
    struct drive d;

    (void)state;
    drive_login(&d);
    d.read_error = POSTERN_E_IO;
    drive_send(&d, "RETR 1\r\nNOOP\r\n");
    drive_expect(&d, "-ERR [SYS/TEMP] message cannot be read\r\n+OK done\r\n");
    d.read_error_at = 8;
    d.read_most = 8;
    drive_send(&d, "RETR 1\r\n");
    drive_expect(&d, "+OK 24 octets\r\nSubject:");
    assert_int_equal(postern_pop3_wants(d.s), POSTERN_WANT_CLOSE);
    assert_int_equal(d.expunged, 0);
    drive_done(&d);
}

/* R16 R25 R26 */
static void test_quit_deletes_the_marked(void **state)
{
    struct drive d;

    (void)state;
    drive_login(&d);
    drive_send(&d, "DELE 1\r\nDELE 3\r\nQUIT\r\n");
    assert_string_equal(d.expunged_uids, "a,c,");
    assert_int_equal(d.mailboxes_done, 1);
    assert_true(postern_pop3_wants(d.s) & POSTERN_WANT_CLOSE);
    assert_int_equal(postern_pop3_feed(d.s, drive_span("NOOP\r\n"), d.now), POSTERN_E_CLOSED);
    drive_done(&d);
    drive_login(&d);
    d.expunge = POSTERN_NO_TEMPORARY;
    drive_send(&d, "DELE 1\r\nQUIT\r\n");
    drive_expect(
        &d, "+OK marked for deletion\r\n-ERR [SYS/TEMP] some deleted messages not removed\r\n");
    assert_true(postern_pop3_wants(d.s) & POSTERN_WANT_CLOSE);
    drive_done(&d);
}

/* X10 X11 X12 X13 X30 */
static void test_sleep_wake_and_logout(void **state)
{
    struct drive d;

    (void)state;
    drive_login(&d);
    d.activity = d.is_new = true;
    drive_send(&d, "DELE 2\r\nSLEE\r\nSTAT\r\nCAPA\r\nNOOP\r\nWAKE\r\nWAKE\r\n");
    drive_expect(
        &d,
        "+OK marked for deletion\r\n+OK asleep; messages deleted: 1\r\n-ERR not allowed now\r\n"
        "-ERR not allowed now\r\n+OK done\r\n+OK [ACTIVITY/NEW] awake\r\n-ERR not allowed now\r\n");
    d.expunge = POSTERN_NO_TEMPORARY;
    drive_send(&d, "DELE 1\r\nSLEE\r\nSTAT\r\n");
    drive_expect(
        &d, "+OK marked for deletion\r\n-ERR [SYS/TEMP] temporarily unavailable\r\n+OK 2 40\r\n");
    d.expunge = POSTERN_YES;
    drive_send(&d, "QAUT\r\nPASS p\r\nUSER u\r\nPASS p\r\n");
    drive_expect(
        &d, "+OK logged out\r\n-ERR send USER first\r\n+OK send the password\r\n+OK logged in\r\n");
    drive_done(&d);
}

/* X20 */
static void test_deli_is_final(void **state)
{
    struct drive d;

    (void)state;
    drive_login(&d);
    drive_send(&d, "DELI 2\r\nRSET\r\nDELI 2\r\nRETR 2\r\nSTAT\r\nLIST\r\nQUIT\r\n");
    drive_expect(&d, "+OK deleted\r\n+OK all marks removed\r\n-ERR message is deleted\r\n"
                     "-ERR message is deleted\r\n+OK 2 48\r\n+OK it follows\r\n1 24\r\n3 "
                     "24\r\n.\r\n+OK bye\r\n");
    assert_string_equal(d.expunged_uids, "b,");
    drive_done(&d);
    drive_init(&d);
    d.read_only = true;
    drive_start(&d);
    drive_send(&d, "USER u\r\nPASS p\r\n");
    drive_forget(&d);
    drive_send(&d, "DELE 1\r\nDELI 1\r\n");
    drive_expect(
        &d, "-ERR [READ-ONLY] mailbox is read-only\r\n-ERR [READ-ONLY] mailbox is read-only\r\n");
    drive_done(&d);
}

/* R60 R65 R66: what follows STLS is dropped, also half a line */
static void test_stls_drops_what_follows(void **state)
{
    struct drive d;

    (void)state;
    drive_init(&d);
    d.options.plaintext_without_tls = false;
    d.options.tls_available = true;
    drive_start(&d);
    drive_forget(&d);
    drive_send(&d, "USER u\r\nLANG de\r\nSTLS\r\nUSER u\r\nPASS p\r\nQU");
    drive_expect(
        &d,
        "-ERR encryption required\r\n+OK de Sprache gesetzt\r\n+OK TLS-Aushandlung beginnen\r\n");
    assert_true(postern_pop3_wants(d.s) & POSTERN_WANT_TLS);
    assert_int_equal(postern_pop3_feed(d.s, drive_span("QUIT\r\n"), d.now), 6);
    assert_int_equal(postern_pop3_tls_up(d.s, NULL), 0);
    drive_send(&d, "PASS p\r\nUSER u\r\nPASS p\r\nSTLS\r\n");
    drive_expect(&d, "-ERR send USER first\r\n+OK send the password\r\n+OK logged in\r\n-ERR not "
                     "allowed now\r\n");
    drive_done(&d);
}

/* R3 R9 and the traps: refused whole, in sync */
static void test_malformed_lines_stay_in_sync(void **state)
{
    static const char *const bad[] = {"RETR 0",
                                      "RETR -1",
                                      "RETR +1",
                                      "RETR 1x",
                                      "RETR 1.5",
                                      "RETR ",
                                      "RETR 99999999999999999999",
                                      "RETR  1",
                                      "RETR 1 ",
                                      "STAT ",
                                      " STAT",
                                      "NOOP\rNOOP",
                                      "NOOP\nNOOP",
                                      "NOOP\t",
                                      "\xff\xf4NOOP",
                                      "",
                                      "RETR"};
    struct drive d;
    char line[64];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        for (size_t step = 1; step < 4; step++) {
            drive_login(&d);
            snprintf(line, sizeof line, "%s\r\nNOOP\r\n", bad[i]);
            drive_send_bytes(&d, drive_span(line), step);
            assert_memory_equal(d.text, "-ERR ", 5);
            assert_string_equal(strchr(d.text, '\n') + 1, "+OK done\r\n");
            drive_done(&d);
        }
    }
}

static void test_nul_never_truncates(void **state)
{
    struct drive d;

    (void)state;
    drive_init(&d);
    drive_start(&d);
    drive_forget(&d);
    drive_send_bytes(&d, (struct postern_span){"USER u\0x\r\nPASS p\r\n", 18}, SIZE_MAX);
    drive_expect(&d, "-ERR malformed command line\r\n-ERR send USER first\r\n");
    drive_done(&d);
}

static void test_long_line_is_one_error(void **state)
{
    struct drive d;
    char line[4096];

    (void)state;
    drive_login(&d);
    memset(line, 'x', sizeof line);
    memcpy(line + sizeof line - 14, "QUIT\r\nNOOP\r\n", 12);
    drive_send_bytes(&d, (struct postern_span){line, sizeof line - 2}, 100);
    drive_expect(&d, "-ERR line too long\r\n+OK done\r\n");
    drive_done(&d);
}

/* R11 X14 */
static void test_timers(void **state)
{
    struct drive d;

    (void)state;
    drive_login(&d);
    drive_send(&d, "DELE 1\r\n");
    drive_forget(&d);
    assert_int_equal(postern_pop3_deadline(d.s), d.now + 600 * POSTERN_SECOND);
    postern_pop3_tick(d.s, d.now + 600 * POSTERN_SECOND - 1);
    assert_int_equal(postern_pop3_state(d.s), POSTERN_POP3_TRANSACTION);
    postern_pop3_tick(d.s, d.now + 600 * POSTERN_SECOND);
    assert_int_equal(postern_pop3_wants(d.s), POSTERN_WANT_CLOSE);
    drive_pump(&d);
    drive_expect(&d, "");
    assert_int_equal(d.expunged, 0);
    drive_done(&d);
    drive_login(&d);
    drive_send(&d, "SLEE\r\n");
    assert_int_equal(postern_pop3_deadline(d.s), d.now + 1800 * POSTERN_SECOND);
    drive_done(&d);
}

static void test_no_timer_while_a_question_is_open(void **state)
{
    struct drive d;

    (void)state;
    drive_login(&d);
    d.hold = true;
    drive_send(&d, "RETR 1\r\n");
    assert_int_equal(postern_pop3_deadline(d.s), POSTERN_NEVER);
    d.now += 3600 * POSTERN_SECOND;
    postern_pop3_tick(d.s, d.now);
    assert_int_equal(postern_pop3_answer_default(d.s, d.held_id), 0);
    assert_int_equal(postern_pop3_answer_default(d.s, d.held_id), POSTERN_E_STALE);
    postern_pop3_tick(d.s, d.now);
    assert_int_equal(postern_pop3_state(d.s), POSTERN_POP3_TRANSACTION);
    assert_int_equal(postern_pop3_deadline(d.s), d.now + 600 * POSTERN_SECOND);
    drive_done(&d);
}

/* R26 */
static void test_eof_and_shutdown_delete_nothing(void **state)
{
    struct drive d;

    (void)state;
    drive_login(&d);
    drive_send(&d, "DELE 1\r\nQUI");
    postern_pop3_eof(d.s);
    assert_int_equal(postern_pop3_wants(d.s) & POSTERN_WANT_CLOSE, POSTERN_WANT_CLOSE);
    assert_int_equal(d.expunged, 0);
    drive_done(&d);
    drive_login(&d);
    drive_send(&d, "DELE 1\r\n");
    drive_forget(&d);
    postern_pop3_shutdown(d.s);
    drive_pump(&d);
    drive_expect(&d, "-ERR [SYS/TEMP] server is shutting down\r\n");
    assert_int_equal(d.expunged, 0);
    drive_done(&d);
}

/* R47: one byte at a time gives the same answers as all at once */
static void test_pipeline_in_any_fragments(void **state)
{
    static const char talk[] = "USER u\r\nPASS p\r\nSTAT\r\nRETR 2\r\nLIST\r\nTOP 1 1\r\nDELE 3\r\n"
                               "UIDL\r\nNOOP\r\nQUIT\r\n";
    static struct drive whole, parts;

    (void)state;
    drive_init(&whole);
    drive_start(&whole);
    drive_send(&whole, talk);
    for (size_t step = 1; step < 12; step++) {
        drive_init(&parts);
        drive_start(&parts);
        drive_send_bytes(&parts, drive_span(talk), step);
        assert_string_equal(parts.text, whole.text);
        drive_done(&parts);
    }
    drive_done(&whole);
}

/* R45 */
static void test_foreign_text_is_defused(void **state)
{
    struct drive d;
    struct postern_pop3_question q;

    (void)state;
    drive_init(&d);
    assert_int_equal(postern_pop3_new(&d.s, &d.options, NULL, d.now), 0);
    assert_int_equal(postern_pop3_next(d.s, &q), 1);
    assert_int_equal(postern_pop3_answer_connect(d.s, q.id, POSTERN_NO_POLICY,
                                                 drive_span("[AUTH]\r\n+OK x"), drive_span(NULL)),
                     0);
    drive_pump(&d);
    drive_expect(&d, "-ERR (AUTH]  +OK x\r\n");
    drive_done(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists_never_renumber),
        cmocka_unit_test(test_retr_stuffs_across_reads),
        cmocka_unit_test(test_top_cuts),
        cmocka_unit_test(test_range_is_not_read),
        cmocka_unit_test(test_read_error_early_and_late),
        cmocka_unit_test(test_quit_deletes_the_marked),
        cmocka_unit_test(test_sleep_wake_and_logout),
        cmocka_unit_test(test_deli_is_final),
        cmocka_unit_test(test_stls_drops_what_follows),
        cmocka_unit_test(test_malformed_lines_stay_in_sync),
        cmocka_unit_test(test_nul_never_truncates),
        cmocka_unit_test(test_long_line_is_one_error),
        cmocka_unit_test(test_timers),
        cmocka_unit_test(test_no_timer_while_a_question_is_open),
        cmocka_unit_test(test_eof_and_shutdown_delete_nothing),
        cmocka_unit_test(test_pipeline_in_any_fragments),
        cmocka_unit_test(test_foreign_text_is_defused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
