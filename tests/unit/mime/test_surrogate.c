/* SPDX-License-Identifier: MIT */
/* test_surrogate - RFC 6858: what an old client is shown of an internationalized message. R87 R92.
 * Every case is fed whole, octet by octet, and cut in two at every place; the output is the same.
 */
#include "cmocka_all.h"

#include "base/span.h"
#include "codec/base64.h"
#include "codec/utf8.h"
#include "mime/surrogate.h"
#include <stdlib.h>

#define JOSE "jos\xc3\xa9"
#define GRUESSE          \
    "gr\xc3\xbc\xc3\x9f" \
    "e"
#define INVALID "<invalid@internationalized-address.invalid>"

/* converted - the surrogate of in, fed as `first` octets and then the rest, or in steps. Ends with
 * a NUL. */
static struct buffer converted(struct postern_span in, size_t first, size_t step)
{
    struct surrogate *s = NULL;
    struct buffer out = {0};

    assert_int_equal(surrogate_new(&s, NULL), 0);
    if (first)
        assert_int_equal(surrogate_feed(s, span_make(in.p, first), &out), 0);
    in = span_from(in, first);
    while (in.n) {
        size_t n = in.n < step ? in.n : step;

        assert_int_equal(surrogate_feed(s, span_make(in.p, n), &out), 0);
        in = span_from(in, n);
    }
    assert_int_equal(surrogate_finish(s, &out), 0);
    surrogate_free(&s);
    assert_null(s);
    buffer_append_char(&out, '\0');
    assert_int_equal(out.error, 0);
    return out;
}

static void assert_surrogate(const char *in, const char *expected)
{
    struct postern_span all = postern_span_of(in);
    struct buffer out = converted(all, 0, SIZE_MAX);

    assert_string_equal(buffer_span(&out).p, expected);
    buffer_done(&out);
    out = converted(all, 0, 1);
    assert_string_equal(buffer_span(&out).p, expected);
    buffer_done(&out);
    for (size_t cut = 1; cut < all.n; cut++) {
        out = converted(all, cut, SIZE_MAX);
        assert_string_equal(buffer_span(&out).p, expected);
        buffer_done(&out);
    }
}

static void assert_untouched(const char *in)
{
    assert_surrogate(in, in);
}

static void test_ascii_is_untouched(void **state)
{
    (void)state;
    assert_untouched("");
    assert_untouched("\r\n");
    assert_untouched("Subject: x\r\n\r\nbody\r\n");
    assert_untouched("From: a <a@b>\r\nTo: c,\r\n d\r\n\r\n" GRUESSE "\r\n");
    assert_untouched("Subject: x\n\nLF only\n");
    assert_untouched("no header at all");
    assert_untouched("Subject: no body");
    assert_untouched("\r\nSubject: " GRUESSE "\r\n"); /* that is body */
    assert_untouched("A: b\r\n\r\n--x\r\nSubject: " GRUESSE "\r\n");
}

static void test_subject(void **state)
{
    (void)state;
    assert_surrogate("Subject: " GRUESSE "\r\n\r\nx", "Subject: =?UTF-8?B?Z3LDvMOfZQ==?=\r\n\r\nx");
    assert_surrogate("SUBJECT:" GRUESSE "\n\nx", "Subject: =?UTF-8?B?Z3LDvMOfZQ==?=\r\n\nx");
    assert_surrogate("Subject: a\r\n " GRUESSE "\r\n\r\n",
                     "Subject: =?UTF-8?B?YSBncsO8w59l?=\r\n\r\n");
    assert_surrogate("Subject: \xff\r\n\r\n", "Subject: =?UTF-8?B?KHVucmVhZGFibGUp?=\r\n\r\n");
    assert_surrogate("A: b\r\nSubject: " GRUESSE, "A: b\r\nSubject: =?UTF-8?B?Z3LDvMOfZQ==?=\r\n");
}

/* RFC 2047 2: lines of at most 76; no character is cut; decoded it is the same text. */
static void test_long_subject(void **state)
{
    char in[600] = "Subject: ", decoded[600];
    struct buffer out, text = {0};
    struct postern_span rest;
    size_t n = 0;

    (void)state;
    for (int i = 0; i < 150; i++)
        strcat(in, i % 3 ? "\xe2\x98\x83" : "x");
    strcat(in, "\r\n\r\n");
    out = converted(postern_span_of(in), 0, SIZE_MAX);
    rest = span_from(buffer_span(&out), strlen("Subject:"));
    while (rest.p && rest.n > 3) {
        struct postern_span line = span_cut(&rest, '\n'), word = line;

        assert_true(line.n <= 76 + 1 - (n == 0 ? strlen("Subject:") : 0));
        word = span_from(word, strlen(" =?UTF-8?B?"));
        if (line.n < 12)
            break;
        word.n -= strlen("?=\r");
        assert_int_equal(base64_decode(word, &text), 0);
        assert_true(utf8_is_valid(buffer_span(&text)));
        memcpy(decoded + n, buffer_span(&text).p, buffer_length(&text));
        n += buffer_length(&text);
        buffer_take(&text, buffer_length(&text));
    }
    assert_int_equal(n, strlen(in) - strlen("Subject: \r\n\r\n"));
    assert_memory_equal(decoded, in + strlen("Subject: "), n);
    buffer_done(&text);
    buffer_done(&out);
}

/* RFC 6858 2.1: only the internationalized ones are replaced; the others stay usable. */
static void test_addresses(void **state)
{
    (void)state;
    assert_surrogate("From: " JOSE "@example.com\r\n\r\n",
                     "From: =?UTF-8?B?am9zw6lAZXhhbXBsZS5jb20=?=\r\n " INVALID "\r\n\r\n");
    assert_surrogate("From: Jo <" JOSE "@example.com>\r\n\r\n",
                     "From: =?UTF-8?B?am9zw6lAZXhhbXBsZS5jb20=?=\r\n " INVALID "\r\n\r\n");
    assert_surrogate("To: a@b, " JOSE "@c, \"d, e\" <f@g>\r\n\r\n",
                     "To: a@b, =?UTF-8?B?am9zw6lAYw==?=\r\n " INVALID ", \"d, e\" <f@g>\r\n\r\n");
    assert_surrogate("Cc: " JOSE " <jose@example.com>, x@y\r\n\r\n",
                     "Cc: =?UTF-8?B?am9zw6k=?= <jose@example.com>, x@y\r\n\r\n");
    assert_surrogate("Cc: \"" JOSE ", \\\"the\\\" one\" <jose@example.com>\r\n\r\n",
                     "Cc: =?UTF-8?B?am9zw6ksICJ0aGUiIG9uZQ==?= <jose@example.com>\r\n\r\n");
    assert_surrogate("Bcc: friends: a@b, " JOSE "@c;, d@e\r\n\r\n",
                     "Bcc: friends: a@b, =?UTF-8?B?am9zw6lAYw==?=\r\n " INVALID ";, d@e\r\n\r\n");
    assert_surrogate("Reply-To: " JOSE ": a@b;\r\n\r\n",
                     "Reply-To: =?UTF-8?B?am9zw6k=?=: a@b;\r\n\r\n");
    assert_surrogate("Sender: a@b (" JOSE ")\r\n\r\n", "Sender: a@b\r\n\r\n");
    assert_surrogate("Resent-To: a@[IPv6:::1], " JOSE "@[IPv6:::1]\r\n\r\n",
                     "Resent-To: a@[IPv6:::1], =?UTF-8?B?am9zw6lAW0lQdjY6OjoxXQ==?=\r\n " INVALID
                     "\r\n\r\n");
    assert_surrogate("Return-Path: <" JOSE "@c>\r\n\r\n",
                     "Return-Path: =?UTF-8?B?am9zw6lAYw==?=\r\n " INVALID "\r\n\r\n");
}

/* RFC 6858 2.4 */
static void test_other_fields_go(void **state)
{
    (void)state;
    assert_surrogate("A: 1\r\nX-Note: " GRUESSE "\r\n more\r\nB: 2\r\n\r\nx",
                     "A: 1\r\nB: 2\r\n\r\nx");
    assert_surrogate(GRUESSE ": x\r\nB: 2\r\n\r\n", "B: 2\r\n\r\n");
    assert_surrogate(GRUESSE "\r\nB: 2\r\n\r\n", "B: 2\r\n\r\n");
    assert_surrogate("Received: by " GRUESSE "\r\n\r\n", "\r\n");
}

/* RFC 6858 2.2 */
static void test_parameters(void **state)
{
    (void)state;
    assert_surrogate("Content-Disposition: attachment; filename=" GRUESSE "\r\n\r\n",
                     "Content-Disposition: attachment\r\n\r\n");
    assert_surrogate("Content-Type: text/plain; name=\"a;" GRUESSE "\";\r\n charset=utf-8\r\n\r\n",
                     "Content-Type: text/plain;\r\n charset=utf-8\r\n\r\n");
    assert_surrogate("Content-Type: text/plain; x=\"a;b\"; name=" GRUESSE "; y=(c;d) e\r\n\r\n",
                     "Content-Type: text/plain; x=\"a;b\"; y=(c;d) e\r\n\r\n");
    assert_surrogate("Content-Description: " GRUESSE "\r\n\r\n", "\r\n");
}

static void test_part_headers(void **state)
{
    (void)state;
    assert_surrogate("Content-Type: multipart/mixed; boundary=\"b b\"\r\n\r\n"
                     "--no\r\nContent-Disposition: x; filename=" GRUESSE
                     "\r\n" /* preamble: not ours */
                     "--b b\r\n"
                     "Content-Disposition: attachment; filename=" GRUESSE "\r\n\r\n"
                     "X: " GRUESSE "\r\n"
                     "--b b  \r\n"
                     "--b b\r\n"
                     "X: " GRUESSE "\r\nY: 1\r\n\r\n"
                     "-\r\n--b b--\r\n"
                     "X: " GRUESSE "\r\n",
                     "Content-Type: multipart/mixed; boundary=\"b b\"\r\n\r\n"
                     "--no\r\nContent-Disposition: x; filename=" GRUESSE "\r\n"
                     "--b b\r\n"
                     "Content-Disposition: attachment\r\n\r\n"
                     "X: " GRUESSE "\r\n"
                     "--b b  \r\n"
                     "--b b\r\n"
                     "Y: 1\r\n\r\n"
                     "-\r\n--b b--\r\n"
                     "X: " GRUESSE "\r\n");
}

static void test_nested_parts(void **state)
{
    (void)state;
    assert_surrogate("Content-Type: multipart/mixed; boundary=out\n\n"
                     "--out\n"
                     "Content-Type: Multipart/Alternative;\n Boundary=in\n\n"
                     "--in\nX: " GRUESSE "\n\na\n"
                     "--out\nX: " GRUESSE "\n\nb\n" /* ends the inner one as well */
                     "--in\nX: " GRUESSE "\n\nc\n"
                     "--out--\n",
                     "Content-Type: multipart/mixed; boundary=out\n\n"
                     "--out\n"
                     "Content-Type: Multipart/Alternative;\n Boundary=in\n\n"
                     "--in\n\na\n"
                     "--out\n\nb\n"
                     "--in\nX: " GRUESSE "\n\nc\n"
                     "--out--\n");
}

static void test_attached_message(void **state)
{
    (void)state;
    assert_surrogate("Content-Type: multipart/mixed; boundary=b\n\n"
                     "--b\nContent-Type: message/rfc822\n\n"
                     "Subject: " GRUESSE "\nContent-Type: text/plain\n\n" GRUESSE "\nX: " GRUESSE
                     "\n--b--\n",
                     "Content-Type: multipart/mixed; boundary=b\n\n"
                     "--b\nContent-Type: message/rfc822\n\n"
                     "Subject: =?UTF-8?B?Z3LDvMOfZQ==?=\r\nContent-Type: text/plain\n\n" GRUESSE
                     "\nX: " GRUESSE "\n--b--\n");
}

/* A field beyond the bound: its ASCII goes on, or nothing; the line end is never lost, however it
 * is cut. */
static void test_long_fields(void **state)
{
    static const size_t cuts[] = {1, 7, 4096, 65535, 65536, 65537, 70000, 100000};
    size_t size = 100000;
    char *in = malloc(size + 64);

    (void)state;
    for (int bad = 0; bad < 3; bad++) {
        struct buffer whole;
        struct postern_span all;

        memcpy(in, "X: ", 3);
        memset(in + 3, 'a', size - 3);
        if (bad)
            in[bad == 1 ? 100 : 90000] = (char)0xc3;
        memcpy(in + size, "\r\nY: 1\r\n\r\n", 11);
        all = postern_span_of(in);
        whole = converted(all, 0, SIZE_MAX);
        if (bad == 1)
            assert_string_equal(buffer_span(&whole).p, "Y: 1\r\n\r\n");
        else
            assert_int_equal(buffer_length(&whole), all.n + 1 - (bad == 2));
        for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
            struct buffer out = converted(all, 0, cuts[i]);

            assert_true(span_equal(buffer_span(&out), buffer_span(&whole)));
            buffer_done(&out);
        }
        assert_true(utf8_is_ascii(buffer_span(&whole)));
        buffer_done(&whole);
    }
    free(in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ascii_is_untouched), cmocka_unit_test(test_subject),
        cmocka_unit_test(test_long_subject),       cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_other_fields_go),    cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_part_headers),       cmocka_unit_test(test_nested_parts),
        cmocka_unit_test(test_attached_message),   cmocka_unit_test(test_long_fields),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
