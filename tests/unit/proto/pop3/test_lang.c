/* SPDX-License-Identifier: MIT */
/* test_lang - LANG, UTF8 and CAPA (R42 R43 R45 R85 R86 R91). */
#include "drive.h"

#include "proto/pop3/text.h"

/* R91 */
static void test_lang_chooses_and_keeps(void **state)
{
    struct drive d;

    (void)state;
    drive_login(&d);
    drive_send(
        &d,
        "LANG fr\r\nNOOP\r\nLANG xx\r\nNOOP\r\nLANG DE\r\nNOOP\r\nLANG *\r\nNOOP\r\nLANG i\r\n");
    drive_expect(
        &d, "+OK fr langue choisie\r\n+OK fait\r\n-ERR langue indisponible\r\n+OK fait\r\n"
            "+OK de Sprache gesetzt\r\n+OK erledigt\r\n+OK i-default language set\r\n+OK done\r\n"
            "+OK i-default language set\r\n");
    drive_send(&d, "LANG\r\n");
    drive_expect(&d,
                 "+OK it follows\r\ni-default Default\r\nen English\r\nde Deutsch\r\nes Español\r\n"
                 "fr Français\r\nja 日本語\r\n.\r\n");
    drive_done(&d);
}

/* R5 R45 */
static void test_every_text_fits_and_begins_well(void **state)
{
    (void)state;
    for (int l = 0; l < LANGUAGE_COUNT; l++) {
        for (int t = 0; t < TEXT_COUNT; t++) {
            struct postern_span text = text_get((enum language)l, (enum pop3_text)t);

            assert_true(text.n > 0 && text.n < 200);
            assert_int_not_equal(text.p[0], '[');
            assert_null(memchr(text.p, '\n', text.n));
        }
    }
}

/* R42 R43 R44 R61: what each state says */
static void test_capa_follows_the_table(void **state)
{
    struct drive d;

    (void)state;
    drive_init(&d);
    d.options.plaintext_without_tls = false;
    d.options.tls_available = true;
    drive_start(&d);
    drive_forget(&d);
    drive_send(&d, "CAPA\r\n");
    drive_expect(&d,
                 "+OK it follows\r\nDELI\r\nLANG\r\nQAUT\r\nSLEE-WAKE\r\nSTLS\r\nTOP\r\nUIDL\r\n"
                 "UTF8 USER\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nUID-PARAM\r\n"
                 "IMPLEMENTATION Postern\r\n.\r\n");
    drive_done(&d);
}

static void test_capabilities_can_be_edited(void **state)
{
    struct drive d;

    (void)state;
    drive_login(&d);
    assert_int_equal(postern_pop3_set_capability(d.s, POSTERN_POP3_TRANSACTION, drive_span("DELI"),
                                                 drive_span(NULL)),
                     0);
    assert_int_equal(postern_pop3_set_capability(d.s, POSTERN_POP3_TRANSACTION,
                                                 drive_span("IMPLEMENTATION"),
                                                 drive_span("IMPLEMENTATION x")),
                     0);
    assert_int_equal(postern_pop3_set_capability(d.s, POSTERN_POP3_AUTHORIZATION, drive_span("NOW"),
                                                 drive_span("NOW")),
                     0);
    assert_int_equal(postern_pop3_set_capability(d.s, POSTERN_POP3_TRANSACTION, drive_span("BAD"),
                                                 drive_span("BAD\r\n.")),
                     POSTERN_E_USAGE);
    drive_send(&d, "CAPA\r\n");
    assert_null(strstr(d.text, "DELI\r\n"));
    assert_null(strstr(d.text, "IMPLEMENTATION Postern"));
    assert_non_null(strstr(d.text, "\r\nIMPLEMENTATION x\r\n"));
    assert_null(strstr(d.text, "NOW"));
    drive_done(&d);
}

/* R85 R86 */
static void test_utf8_names_must_be_valid(void **state)
{
    struct drive d;

    (void)state;
    drive_init(&d);
    drive_start(&d);
    drive_forget(&d);
    drive_send(
        &d,
        "UTF8 x\r\nUTF8\r\nUSER \xc3\xa9\r\nUSER \xc3\r\nUSER \xed\xa0\x80\r\nSTAT \xc3\xa9\r\n");
    drive_expect(&d, "-ERR wrong arguments\r\n+OK UTF-8 mode\r\n+OK send the password\r\n"
                     "-ERR not acceptable UTF-8\r\n-ERR not acceptable UTF-8\r\n-ERR malformed "
                     "command line\r\n");
    drive_done(&d);
}

static void test_dot_is_made_from_the_table(void **state)
{
    static char text[8192];
    size_t n = postern_pop3_dot(text, sizeof text);

    (void)state;
    assert_true(n < sizeof text);
    assert_int_equal(strlen(text), n);
    assert_non_null(strstr(text, "ASLEEP -> TRANSACTION [label=\"WAKE\"]"));
    assert_int_equal(postern_pop3_dot(text, 10), n);
    assert_int_equal(strlen(text), 9);
    assert_int_equal(postern_pop3_dot(NULL, 0), n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lang_chooses_and_keeps),
        cmocka_unit_test(test_every_text_fits_and_begins_well),
        cmocka_unit_test(test_capa_follows_the_table),
        cmocka_unit_test(test_capabilities_can_be_edited),
        cmocka_unit_test(test_utf8_names_must_be_valid),
        cmocka_unit_test(test_dot_is_made_from_the_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
