/* SPDX-License-Identifier: MIT */
/* test_login - how a POP3 session is entered: USER and PASS, AUTH, APOP, and what is refused. */
#include "drive.h"

#define HELLO "+OK Postern ready\r\n"

/* R1 R31 R32 R13 */
static void test_login_asks_then_opens(void **state)
{
    struct drive d;

    (void)state;
    drive_init(&d);
    drive_start(&d);
    drive_expect(&d, HELLO);
    drive_send(&d, "user u\r\nPASS p\r\n");
    drive_expect(&d, "+OK send the password\r\n+OK logged in\r\n");
    drive_done(&d);
}

/* R32 R56 R57 */
static void test_pass_counts_behind_user_only(void **state)
{
    struct drive d;

    (void)state;
    drive_init(&d);
    drive_start(&d);
    drive_forget(&d);
    drive_send(&d, "PASS p\r\nUSER u\r\nXXXX\r\nPASS p\r\nUSER u\r\nPASS no\r\nPASS p\r\n");
    drive_expect(&d, "-ERR send USER first\r\n+OK send the password\r\n-ERR unknown command\r\n"
                     "-ERR send USER first\r\n+OK send the password\r\n"
                     "-ERR [AUTH] authentication failed\r\n-ERR send USER first\r\n");
    drive_done(&d);
}

/* R13 R51 */
static void test_open_refusal_goes_back(void **state)
{
    struct drive d;

    (void)state;
    drive_init(&d);
    d.open = POSTERN_NO_IN_USE;
    drive_start(&d);
    drive_forget(&d);
    drive_send(&d, "USER u\r\nPASS p\r\n");
    drive_expect(&d,
                 "+OK send the password\r\n-ERR [IN-USE] mailbox is in use by another session\r\n");
    assert_int_equal(postern_pop3_state(d.s), POSTERN_POP3_AUTHORIZATION);
    assert_int_equal(postern_pop3_user(d.s).n, 0);
    drive_done(&d);
}

/* R14: three failures end the connection */
static void test_failures_end_it(void **state)
{
    struct drive d;

    (void)state;
    drive_init(&d);
    drive_start(&d);
    for (int i = 0; i < 3; i++)
        drive_send(&d, "USER u\r\nPASS no\r\n");
    assert_true(postern_pop3_wants(d.s) & POSTERN_WANT_CLOSE);
    drive_done(&d);
}

/* R70 R71 R72 R73 R74 R76 R81 */
static void test_auth_talks_base64(void **state)
{
    struct drive d;

    (void)state;
    drive_init(&d);
    drive_start(&d);
    drive_forget(&d);
    drive_send(&d,
               "AUTH NONE\r\nauth plain\r\n*\r\nAUTH PLAIN A=HU\r\nAUTH PLAIN AHUAeA==\r\nSTAT\r\n"
               "AUTH PLAIN\r\nAHUAcA==\r\nAUTH PLAIN AHUAcA==\r\n");
    drive_expect(
        &d, "-ERR mechanism not available\r\n+ \r\n-ERR authentication cancelled\r\n"
            "-ERR not valid base64\r\n-ERR [AUTH] authentication failed\r\n-ERR not allowed now\r\n"
            "+ \r\n+OK logged in\r\n-ERR not allowed now\r\n");
    drive_done(&d);
}

/* R64 R78 R97: refused before anything is looked at */
static void test_clear_text_needs_tls(void **state)
{
    struct drive d;

    (void)state;
    drive_init(&d);
    d.options.plaintext_without_tls = false;
    drive_start(&d);
    drive_forget(&d);
    drive_send(&d, "USER u\r\nPASS p\r\nAUTH PLAIN AHUAcA==\r\nAUTH LOGIN\r\nSTLS\r\n");
    drive_expect(
        &d, "-ERR encryption required\r\n-ERR encryption required\r\n"
            "-ERR encryption required\r\n-ERR encryption required\r\n-ERR unknown command\r\n");
    drive_done(&d);
}

/* the RFC's own digest, for the RFC's own stamp and secret; anything else hashes to zero */
static int rfc_hash(enum postern_hash hash, struct postern_span data, unsigned char *out)
{
    static const char text[] = "<1896.697170952@dbc.mtview.ca.us>tanstaaf";
    static const unsigned char digest[16] = {0xc4, 0xc9, 0x33, 0x4b, 0xac, 0x56, 0x0e, 0xcc,
                                             0x97, 0x9e, 0x58, 0x00, 0x1b, 0x3e, 0x22, 0xfb};

    assert_int_equal(hash, POSTERN_HASH_MD5);
    memset(out, 0, 16);
    if (data.n == sizeof text - 1 && memcmp(data.p, text, data.n) == 0)
        memcpy(out, digest, 16);
    return 0;
}

/* R33 */
static void test_apop_compares_lower_case(void **state)
{
    static const struct postern_crypto crypto = {.hash = rfc_hash};
    struct drive d;

    (void)state;
    drive_init(&d);
    d.options.crypto = &crypto;
    d.options.host = drive_span("dbc.mtview.ca.us");
    d.options.stamp = POSTERN_POP3_STAMP_FIXED;
    d.options.stamp_text = drive_span("1896.697170952");
    drive_start(&d);
    drive_expect(&d, "+OK Postern ready <1896.697170952@dbc.mtview.ca.us>\r\n");
    drive_send(
        &d, "APOP u C4C9334BAC560ECC979E58001B3E22FB\r\nAPOP x c4c9334bac560ecc979e58001b3e22fb\r\n"
            "APOP u c4c9334bac560ecc979e58001b3e22fb\r\n");
    drive_expect(&d, "-ERR [AUTH] authentication failed\r\n-ERR [AUTH] authentication failed\r\n"
                     "+OK logged in\r\n");
    drive_done(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_login_asks_then_opens),
        cmocka_unit_test(test_pass_counts_behind_user_only),
        cmocka_unit_test(test_open_refusal_goes_back),
        cmocka_unit_test(test_failures_end_it),
        cmocka_unit_test(test_auth_talks_base64),
        cmocka_unit_test(test_clear_text_needs_tls),
        cmocka_unit_test(test_apop_compares_lower_case),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
