/* SPDX-License-Identifier: MIT */
/* test_transfer - encodings taken off, charsets made UTF-8, text folded, patterns over names; each
 * in one piece and octet by octet. */
#include "cmocka_all.h"

#include "base/span.h"
#include "codec/charset.h"
#include "codec/pattern.h"
#include "codec/transfer.h"
#include <stdio.h>

static void assert_text(struct buffer *out, const char *expected)
{
    struct postern_span text = buffer_span(out);

    if (!span_equal(text, postern_span_of(expected)))
        fail_msg("\"%.*s\", not \"%s\"", SPAN_ARG(text), expected);
    buffer_done(out);
}

static void test_transfers(void **state)
{
    static const struct {
        enum transfer_kind kind;
        const char *in, *out;
    } cases[] = {
        {TRANSFER_NONE, "as=20it is", "as=20it is"},
        {TRANSFER_BASE64, "c2VjcmV0", "secret"},
        {TRANSFER_BASE64, "c2Vj\r\ncmV0\r\n", "secret"},
        {TRANSFER_BASE64, "c2VjcmU=", "secre"},
        {TRANSFER_BASE64, "c2V!jcmU", "secre"},
        {TRANSFER_BASE64, "c2VjcmU=c2VjcmV0cw==\r\ncw==", "secresecretss"},
        {TRANSFER_BASE64, "", ""},
        {TRANSFER_QUOTED, "a=20b=\r\nc", "a bc"},
        {TRANSFER_QUOTED, "a=\nb", "ab"},
        {TRANSFER_QUOTED, "=C3=bc", "\xc3\xbc"},
        {TRANSFER_QUOTED, "a=zzb", "a=zzb"},
        {TRANSFER_QUOTED, "100%", "100%"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t step = 1; step < 20; step += 18) {
            struct transfer transfer = {.kind = cases[i].kind};
            struct postern_span rest = postern_span_of(cases[i].in);
            struct buffer out = {0};

            while (rest.n) {
                transfer_feed(&transfer, span_make(rest.p, rest.n < step ? rest.n : step), &out);
                rest = span_from(rest, step);
            }
            assert_text(&out, cases[i].out);
        }
    assert_int_equal(transfer_of(SPAN("BASE64 (x)")), TRANSFER_BASE64);
    assert_int_equal(transfer_of(SPAN("Quoted-Printable")), TRANSFER_QUOTED);
    assert_int_equal(transfer_of(SPAN("8bit")), TRANSFER_NONE);
}

static void test_charsets(void **state)
{
    static const struct {
        const char *name, *in, *out;
    } cases[] = {
        {"utf-8", "\xc3\xbc", "\xc3\xbc"},
        {"", "x", "x"},
        {"iso-8859-1", "\xfc x", "\xc3\xbc x"},
        {"windows-1252", "\x80", "\xe2\x82\xac"},
        {"koi8-r", "\xc1", "\xd0\xb0"},
        {"iso-2022-jp", "\x1b$B$\"\x1b(B", "\xe3\x81\x82"},
        {"gb2312", "\xc4\xe3", "\xe4\xbd\xa0"},
        {"utf-16be", "\xd8\x3d", ""}, /* half a character */
        {"ascii", "\xff", "\xff"},
    };
    static const char *const none[] = {"nothing", "//IGNORE", "../x", "a b", "utf-8//TRANSLIT"};
    struct charset *charset;
    struct buffer ended = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t step = 1; step < 20; step += 18) {
            struct postern_span rest = postern_span_of(cases[i].in);
            struct buffer out = {0};

            assert_int_equal(charset_open(&charset, postern_span_of(cases[i].name)), 0);
            while (rest.n) {
                charset_feed(charset, span_make(rest.p, rest.n < step ? rest.n : step), &out);
                rest = span_from(rest, step);
            }
            charset_close(&charset);
            assert_text(&out, cases[i].out);
        }
    assert_int_equal(charset_open(&charset, SPAN("utf-16be")), 0);
    charset_feed(charset, SPAN("\xd8\x3d"), &ended);
    charset_end(charset, &ended); /* and nothing of it is in the next text */
    charset_feed(charset, span_make("\0x\0", 3), &ended);
    charset_end(charset, &ended);
    charset_close(&charset);
    assert_text(&ended, "?x?");
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(charset_open(&charset, postern_span_of(none[i])), POSTERN_E_UNSUPPORTED);
}

static void test_fold(void **state)
{
    struct buffer a = {0}, b = {0};

    (void)state;
    text_fold(SPAN("Stra\xc3\x9f\x65 \xc3\x9c"), &a);
    text_fold(SPAN("STRA\xc3\x9f\x45 u\xcc\x88"), &b);
    assert_true(span_equal(buffer_span(&a), buffer_span(&b)));
    buffer_done(&a);
    buffer_done(&b);
    text_fold(SPAN("abc \xff"), &a); /* no UTF-8 */
    assert_text(&a, "ABC \xff");
    text_fold(SPAN("\xff\xc3\xbc \xc3 a\xe2\x82"), &a); /* here and there */
    assert_int_equal(buffer_length(&a), 1 + 3 + 1 + 1 + 1 + 1 + 2);
    assert_memory_equal(buffer_span(&a).p, "\xffU\xcc\x88 \xc3 A\xe2\x82", 10);
    buffer_done(&a);
    text_fold(SPAN("a\xef\xbf\xbe\xf4\x8f\xbf\xbf z"), &a); /* U+FFFE and U+10FFFF: no characters */
    assert_text(&a, "A\xef\xbf\xbe\xf4\x8f\xbf\xbf Z");
}

/* every octet at every place of those that are looked at together, and behind them */
static void test_fold_octets(void **state)
{
    char text[64 + 11], want[sizeof text];

    (void)state;
    for (unsigned octet = 0; octet < 128; octet++)
        for (size_t at = 0; at < sizeof text; at++) {
            struct buffer folded = {0};

            memset(text, 'Z', sizeof text);
            text[at] = (char)octet;
            memcpy(want, text, sizeof want);
            if (octet >= 'a' && octet <= 'z')
                want[at] = (char)(octet - 'a' + 'A');
            text_fold(span_make(text, sizeof text), &folded);
            assert_true(span_equal(buffer_span(&folded), span_make(want, sizeof want)));
            buffer_done(&folded);
        }
}

/* What a character becomes does not depend on those before it, nor on where it stands among octets
 * of ASCII. */
static void test_fold_each(void **state)
{
    struct buffer text = {0}, together = {0}, alone = {0};

    (void)state;
    for (unsigned character = 0x80; character < 0x10000; character++) {
        char octets[12] = "abcdefgh";
        size_t at = character % 9, n = character < 0x800 ? 2 : 3;
        unsigned last = 0x80 | (character & 0x3f), middle = 0x80 | (character >> 6 & 0x3f);

        if (character >= 0xd800 && character < 0xe000)
            continue; /* surrogates */
        octets[at] = (char)(n == 2 ? 0xc0 | character >> 6 : 0xe0 | character >> 12);
        octets[at + 1] = (char)(n == 2 ? last : middle);
        if (n == 3)
            octets[at + 2] = (char)last;
        for (unsigned twice = 0; twice < 2; twice++) {
            buffer_append(&text, span_make(octets, sizeof octets));
            text_fold(span_make(octets, sizeof octets), &alone);
        }
    }
    text_fold(buffer_span(&text), &together);
    assert_int_equal(buffer_length(&together), buffer_length(&alone));
    assert_memory_equal(buffer_span(&together).p, buffer_span(&alone).p, buffer_length(&alone));
    buffer_done(&text);
    buffer_done(&together);
    buffer_done(&alone);
}

static void test_patterns(void **state)
{
    static const struct {
        const char *name, *pattern;
        bool matches;
    } cases[] = {
        {"INBOX", "inbox", true},
        {"a/b", "*", true},
        {"a/b", "%", false},
        {"a/b", "%/%", true},
        {"a/b", "a*b", true},
        {"a/b", "a%b", false},
        {"", "", true},
        {"", "*", true},
        {"a", "", false},
        {"abcabc", "*abc", true},
        {"abcab", "*abc", false},
        {"a/b/c", "a/%", false},
        {"a/b/c", "*%", true},
        {"a/b/c", "%*c", true},
        {"INBOX/x", "inbox/%", true},
        {"INBOX", "in%", false},
        {"INBOXES", "inboxes", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (pattern_matches(postern_span_of(cases[i].name), postern_span_of(cases[i].pattern)) !=
            cases[i].matches)
            fail_msg("\"%s\" and \"%s\"", cases[i].name, cases[i].pattern);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transfers), cmocka_unit_test(test_charsets),
        cmocka_unit_test(test_fold),      cmocka_unit_test(test_fold_octets),
        cmocka_unit_test(test_fold_each), cmocka_unit_test(test_patterns)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
