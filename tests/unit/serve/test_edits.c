/* SPDX-License-Identifier: MIT */
/* test_edits - what filters may do to a header and a body, and what they may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/span.h"
#include "serve/edits.h"

#define HEADER "Received: ours\r\n\tfolded\r\nSubject: one\r\nX-A: 1\r\nsubject : two\r\nX-A: 2\r\n"
#define TEXT HEADER "\r\nbody\r\n"

static struct spool message_of(const char *text)
{
    struct spool spool = {.folder = "/tmp"};

    assert_int_equal(spool_write(&spool, postern_span_of(text)), 0);
    return spool;
}

/* check - the edits, which go, make `expected` of the text. */
static void check(struct edits *edits, const char *text, const char *expected)
{
    struct spool message = message_of(text);
    char out[4096];
    int n;

    assert_int_equal(edits_apply(edits, &message), 0);
    n = spool_read(&message, 0, out, sizeof out - 1);
    assert_true(n >= 0);
    out[n] = '\0';
    assert_string_equal(out, expected);
    spool_done(&message);
    edits_done(edits);
}

static void test_fields_are_added_and_inserted(void **state)
{
    struct edits edits = {0};

    (void)state;
    assert_int_equal(edits_add(&edits, SPAN("X-B"), SPAN("last")), 0);
    assert_int_equal(edits_insert(&edits, 0, SPAN("X-C"), SPAN(" first ")), 0);
    assert_int_equal(edits_insert(&edits, 2, SPAN("X-D"), SPAN("third")), 0);
    assert_int_equal(edits_insert(&edits, 1000000, SPAN("X-E"), SPAN("")), 0);
    check(&edits, TEXT,
          "X-C: first\r\nReceived: ours\r\n\tfolded\r\nX-D: third\r\nSubject: one\r\nX-A: 1\r\n"
          "subject : two\r\nX-A: 2\r\nX-B: last\r\nX-E: \r\n\r\nbody\r\n");
    assert_int_equal(edits_add(&edits, SPAN("X"), SPAN("y")), 0);
    check(&edits, "no header\r\n", "X: y\r\nno header\r\n");
    assert_int_equal(edits_add(&edits, SPAN("X"), SPAN("y")), 0);
    check(&edits, "A: b\r\n", "A: b\r\nX: y\r\n");
    check(&edits, TEXT, TEXT);
}

static void test_fields_are_changed_and_removed(void **state)
{
    struct edits edits = {0};

    (void)state;
    assert_int_equal(edits_change(&edits, 2, SPAN("subject"), SPAN("zwei")), 0);
    assert_int_equal(edits_change(&edits, 0, SPAN("X-A"), SPAN("eins")), 0);
    assert_int_equal(edits_change(&edits, 3, SPAN("X-A"), SPAN("new")), 0);
    check(&edits, TEXT,
          "Received: ours\r\n\tfolded\r\nSubject: one\r\nX-A: eins\r\nsubject: zwei\r\nX-A: 2\r\n"
          "X-A: new\r\n\r\nbody\r\n");
    assert_int_equal(edits_change(&edits, 1, SPAN("SUBJECT"), SPAN(" ")), 0);
    assert_int_equal(edits_change(&edits, 7, SPAN("X-Z"), SPAN("")), 0);
    assert_int_equal(edits_remove(&edits, 0, SPAN("x-a")), 0);
    check(&edits, TEXT, "Received: ours\r\n\tfolded\r\nsubject : two\r\n\r\nbody\r\n");
    assert_int_equal(edits_remove(&edits, -1, SPAN("x-a")), 0);
    assert_int_equal(edits_remove(&edits, -9, SPAN("subject")), 0);
    check(&edits, TEXT,
          "Received: ours\r\n\tfolded\r\nSubject: one\r\nX-A: 1\r\nsubject : two\r\n\r\nbody\r\n");
    assert_int_equal(edits_remove(&edits, 2, SPAN("x-a")), 0);
    assert_int_equal(edits_remove(&edits, 0, SPAN("Received")), 0);
    check(&edits, TEXT, "Subject: one\r\nX-A: 1\r\nsubject : two\r\n\r\nbody\r\n");
}

static void test_ours_is_not_seen(void **state)
{
    struct edits edits = {.without_ours = true};

    (void)state;
    assert_int_equal(edits_change(&edits, 1, SPAN("Received"), SPAN("theirs")), 0);
    check(&edits, "Received: ours\r\nReceived: far\r\n\r\n",
          "Received: ours\r\nReceived: theirs\r\n\r\n");
    edits.without_ours = true;
    assert_int_equal(edits_remove(&edits, 0, SPAN("Received")), 0);
    check(&edits, "Received: ours\r\nReceived: far\r\nReceived: further\r\n\r\n",
          "Received: ours\r\n\r\n");
}

static void test_no_text_becomes_two_fields(void **state)
{
    struct edits edits = {0};

    (void)state;
    assert_int_equal(edits_add(&edits, SPAN("A"), SPAN("one\r\nTo: two\n three\r\n\r\nfour\n \n")),
                     0);
    assert_int_equal(edits_add(&edits, SPAN("B"), SPAN("\r\n\r\nx\ry\0z\x7f\t!")), 0);
    check(&edits, "C: d\r\n\r\n",
          "C: d\r\nA: one\r\n\tTo: two\r\n three\r\n\tfour\r\nB: \r\n\txy?z?\t!\r\n\r\n");
    assert_int_equal(edits_add(&edits, SPAN(""), SPAN("x")), POSTERN_E_SYNTAX);
    assert_int_equal(edits_add(&edits, SPAN("A b"), SPAN("x")), POSTERN_E_SYNTAX);
    assert_int_equal(edits_add(&edits, SPAN("A:"), SPAN("x")), POSTERN_E_SYNTAX);
    assert_int_equal(edits_add(&edits, SPAN("A\r\nB"), SPAN("x")), POSTERN_E_SYNTAX);
    assert_int_equal(edits_add(&edits, SPAN("\xc3\xa4"), SPAN("x")), POSTERN_E_SYNTAX);
    check(&edits, TEXT, TEXT);
    edits.raw_values = true;
    assert_int_equal(edits_add(&edits, SPAN("A"), SPAN("  b")), 0);
    check(&edits, "C: d\r\n\r\n", "C: d\r\nA:  b\r\n\r\n");
}

static void test_bodies_are_replaced(void **state)
{
    struct edits edits = {.body_max = 30};

    (void)state;
    edits.body.folder = "/tmp";
    assert_int_equal(edits_body(&edits, SPAN("one\ntwo\r")), 0);
    assert_int_equal(edits_body(&edits, SPAN("\nthree\rfour")), 0);
    assert_int_equal(edits_body(&edits, SPAN("\0\r")), 0);
    check(&edits, TEXT, HEADER "\r\none\r\ntwo\r\nthree\r\nfour?\r\n");
    assert_int_equal(edits_body(&edits, SPAN("")), 0);
    check(&edits, TEXT, HEADER "\r\n");
    assert_int_equal(edits_body(&edits, SPAN("0123456789012345678901234567890")),
                     POSTERN_E_TOO_LONG);
    edits_done(&edits);
}

static void test_all_is_bounded(void **state)
{
    struct edits edits = {0};
    static char large[EDITS_OCTETS_MAX];
    struct spool message;
    int err = 0;

    (void)state;
    memset(large, 'x', sizeof large);
    assert_int_equal(edits_add(&edits, SPAN("A"), span_make(large, sizeof large)),
                     POSTERN_E_TOO_LONG);
    for (unsigned i = 0; !err && i <= EDITS_MAX; i++)
        err = edits_add(&edits, SPAN("A"), SPAN("b"));
    assert_int_equal(err, POSTERN_E_TOO_LONG);
    memcpy(large, "A: ", 3);
    memcpy(large + sizeof large - 2, "\r\n", 2);
    message = message_of("");
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(spool_write(&message, span_make(large, sizeof large)), 0);
    assert_int_equal(edits_apply(&edits, &message), POSTERN_E_TOO_LONG);
    assert_int_equal(message.octets, 5 * sizeof large); /* as it was */
    spool_done(&message);
    edits_done(&edits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields_are_added_and_inserted),
        cmocka_unit_test(test_fields_are_changed_and_removed),
        cmocka_unit_test(test_ours_is_not_seen),
        cmocka_unit_test(test_no_text_becomes_two_fields),
        cmocka_unit_test(test_bodies_are_replaced),
        cmocka_unit_test(test_all_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
