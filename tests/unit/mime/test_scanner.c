/* SPDX-License-Identifier: MIT */
/* test_scanner - messages taken apart: where parts begin and end, what is kept of headers, and that
 * neither splits nor damage change anything. */
#include "cmocka_all.h"

#include <postern/mime.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/span.h"

/* struct scanned - a message and its block. */
struct scanned {
    struct postern_span message, block;
    struct postern_mime *mime;
    struct postern_mime_facts facts;
};

static void scan_by(struct scanned *s, struct postern_span message, size_t step)
{
    s->message = message;
    assert_int_equal(postern_mime_new(&s->mime, NULL, NULL), 0);
    for (size_t at = 0; at < message.n; at += step) {
        struct postern_span rest = span_from(message, at);

        rest.n = rest.n < step ? rest.n : step;
        postern_mime_feed(s->mime, rest);
    }
    assert_int_equal(postern_mime_end(s->mime, &s->block), 0);
    assert_true(postern_mime_check(s->block));
    postern_mime_facts(s->block, &s->facts);
    assert_int_equal(s->facts.size_raw, message.n);
}

static void scan(struct scanned *s, const char *message)
{
    scan_by(s, postern_span_of(message), strlen(message) ? strlen(message) : 1);
}

static void done(struct scanned *s)
{
    postern_mime_free(&s->mime);
}

static void assert_span(struct postern_span span, const char *expected)
{
    if (span.n != strlen(expected) || memcmp(span.p, expected, span.n) != 0)
        fail_msg("\"%.*s\", not \"%s\"", SPAN_ARG(span), expected);
}

static struct postern_mime_part part_of(const struct scanned *s, uint32_t i)
{
    struct postern_mime_part part;

    assert_true(i < s->facts.parts);
    postern_mime_part(s->block, i, &part);
    return part;
}

static void assert_body(const struct scanned *s, uint32_t i, const char *body)
{
    struct postern_mime_part part = part_of(s, i);

    assert_span(span_make(s->message.p + part.body.raw, part.body.raw_end - part.body.raw), body);
}

static void assert_type(const struct scanned *s, uint32_t i, const char *type, const char *subtype)
{
    struct postern_mime_part part = part_of(s, i);

    assert_span(part.type, type);
    assert_span(part.subtype, subtype);
}

static void test_plain(void **state)
{
    struct scanned s;
    struct postern_mime_part part;

    (void)state;
    scan(&s, "Subject: a\r\n folded \r\n\tvalue \r\nFROM:me\r\nX: y\r\nTo: b\r\nTo: "
             "c\r\n\r\nbody\r\n.\r\n");
    part = part_of(&s, 0);
    assert_int_equal(s.facts.parts, 1);
    assert_int_equal(part.kind, POSTERN_MIME_LEAF);
    assert_body(&s, 0, "body\r\n.\r\n");
    assert_int_equal(part.body_lines, 2);
    assert_int_equal(part.header_lines, 8);
    assert_int_equal(part.header.raw_end, part.body.raw);
    assert_true(part.type_is_default);
    assert_type(&s, 0, "text", "plain");
    assert_span(postern_mime_field(s.block, 0, POSTERN_MIME_SUBJECT, 0), "a folded \tvalue");
    assert_span(postern_mime_field(s.block, 0, POSTERN_MIME_FROM, 0), "me");
    assert_span(postern_mime_field(s.block, 0, POSTERN_MIME_TO, 1), "c");
    assert_null(postern_mime_field(s.block, 0, POSTERN_MIME_TO, 2).p);
    assert_null(postern_mime_field(s.block, 0, POSTERN_MIME_CC, 0).p);
    assert_false(s.facts.wire_clean);
    done(&s);
}

/* Each bare LF counts as two on the wire; a missing last line end is added there. */
static void test_wire(void **state)
{
    struct scanned s;
    struct postern_mime_part part;

    (void)state;
    scan(&s, "A: b\nC: d\r\n\nx\ny");
    part = part_of(&s, 0);
    assert_int_equal(part.body.raw, 12);
    assert_int_equal(part.body.wire, 14);
    assert_int_equal(part.body.raw_end, 15);
    assert_int_equal(part.body.wire_end, 20);
    assert_int_equal(s.facts.size_wire, 20);
    assert_int_equal(part.body_lines, 2);
    done(&s);
    scan(&s, "A: b\r\n\r\nx\r\n");
    assert_true(s.facts.wire_clean);
    assert_int_equal(s.facts.size_wire, s.facts.size_raw);
    done(&s);
    scan(&s, "A: \xc3\xbc\r\n\r\n\xff\r\n");
    assert_true(s.facts.utf8_header);
    done(&s);
}

#define MIXED                                                                                  \
    "Content-Type: multipart/mixed; boundary=\"o u\"\r\n\r\npreamble\r\n--o "                  \
    "u\r\n\r\nfirst\r\n\r\n"                                                                   \
    "--o u  \r\nContent-Type: MULTIPART/alternative;\r\n boundary=o\r\n\r\n--o\r\n"            \
    "Content-Type: text/html (c); charset=x\r\nContent-ID: <1>\r\n\r\n<b>\r\n--o\r\n\r\nB\r\n" \
    "--o--\r\nepilogue\r\n--o u\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\nTo: "    \
    "x\r\n\r\n"                                                                                \
    "inner\r\nlines\r\n--o u--\r\nafter\r\n"

static void test_multipart(void **state)
{
    struct scanned s;
    struct postern_mime_part part;

    (void)state;
    scan(&s, MIXED);
    assert_int_equal(s.facts.parts, 7);
    part = part_of(&s, 0);
    assert_int_equal(part.kind, POSTERN_MIME_MULTIPART);
    assert_int_equal(part.body.raw_end, s.message.n);
    assert_int_equal(part.child, 1);
    assert_body(&s, 1, "first\r\n");
    assert_int_equal(part_of(&s, 1).body_lines, 1);
    assert_int_equal(part_of(&s, 1).next, 2);
    assert_type(&s, 2, "MULTIPART", "alternative");
    assert_int_equal(part_of(&s, 2).child, 3);
    assert_body(&s, 3, "<b>");
    assert_type(&s, 3, "text", "html");
    assert_span(postern_mime_field(s.block, 3, POSTERN_MIME_CONTENT_ID, 0), "<1>");
    assert_int_equal(part_of(&s, 3).body_lines, 0);
    assert_int_equal(part_of(&s, 3).next, 4);
    assert_body(&s, 4, "B");
    assert_int_equal(part_of(&s, 4).next, 0);
    assert_int_equal(part_of(&s, 2).next, 5);
    assert_int_equal(part_of(&s, 5).kind, POSTERN_MIME_MESSAGE);
    assert_body(&s, 5, "Subject: in\r\nTo: x\r\n\r\ninner\r\nlines");
    assert_int_equal(part_of(&s, 5).child, 6);
    assert_int_equal(part_of(&s, 5).body_lines, 4);
    assert_body(&s, 6, "inner\r\nlines");
    assert_int_equal(part_of(&s, 6).body_lines, 1);
    assert_int_equal(part_of(&s, 6).depth, 2);
    assert_span(postern_mime_field(s.block, 6, POSTERN_MIME_SUBJECT, 0), "in");
    done(&s);
}

/* What real mail breaks: ends that are missing, boundaries that begin alike, parts without a body.
 */
static void test_broken(void **state)
{
    struct scanned s;

    (void)state;
    scan(&s, "Content-Type: multipart/mixed; boundary=a\n\n--a\n\nx\n--ab\ny\n --a\n--a\nA: "
             "b\n--a\n\nz");
    assert_int_equal(s.facts.parts, 4);
    assert_body(&s, 1, "x\n--ab\ny\n --a");
    assert_body(&s, 2, "");
    assert_body(&s, 3, "z");
    done(&s);
    scan(&s, "Content-Type: multipart/mixed; boundary=a\n\n--a\n"
             "Content-Type: multipart/mixed; "
             "boundary=b\n\n--b\n\n1\n--a\n\n2\n--b\n3\n--a--\n--a\n\n4\n");
    assert_int_equal(s.facts.parts,
                     4); /* the outer one ends the inner; what is behind the end is epilogue */
    assert_body(&s, 2, "1");
    assert_body(&s, 3, "2\n--b\n3");
    done(&s);
    scan(&s, "Content-Type: multipart/digest; boundary=a\n\n--a\n\nSubject: d\n\nx\n--a--");
    assert_type(&s, 1, "message", "rfc822");
    assert_int_equal(part_of(&s, 1).kind, POSTERN_MIME_MESSAGE);
    assert_span(postern_mime_field(s.block, 2, POSTERN_MIME_SUBJECT, 0), "d");
    assert_body(&s, 2, "x");
    done(&s);
    scan(&s, "Content-Type: multipart/mixed\n\n--\nx\n");
    assert_int_equal(part_of(&s, 0).kind, POSTERN_MIME_LEAF); /* no boundary: plain text */
    assert_type(&s, 0, "text", "plain");
    assert_body(&s, 0, "--\nx\n");
    done(&s);
    scan(&s, "Content-Type: multipart/digest; boundary=a\n\n--a\n"
             "Content-Type: multipart/mixed; boundary=\"\"\n\nx\n--a--");
    assert_int_equal(part_of(&s, 1).kind, POSTERN_MIME_LEAF);
    assert_type(&s, 1, "text", "plain");
    done(&s);
    scan(&s, "Content-Type: text\nno field at all\n: x\n\nbody");
    assert_type(&s, 0, "text", "plain");
    assert_body(&s, 0, "body");
    done(&s);
    scan(&s, "");
    assert_int_equal(s.facts.parts, 1);
    done(&s);
    scan(&s, "Subject: only");
    assert_span(postern_mime_field(s.block, 0, POSTERN_MIME_SUBJECT, 0), "only");
    assert_body(&s, 0, "");
    done(&s);
    scan(&s, "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdA==\n");
    assert_int_equal(part_of(&s, 0).kind, POSTERN_MIME_LEAF);
    done(&s);
}

static void assert_header(const struct scanned *s, uint32_t i, const char *name, const char *raw)
{
    struct postern_mime_header header;

    postern_mime_header(s->block, 0, i, &header);
    assert_span(header.name, name);
    assert_span(span_make(s->message.p + header.range.raw, header.range.raw_end - header.range.raw),
                raw);
}

/* All fields of the top header are told with their places; values of those that are asked for. */
static void test_headers(void **state)
{
    static const struct postern_span chosen[] = {{"x-spam", 6}};
    const char *text = "X-Spam: yes\r\n no\r\nsubject: s\nno field\r\nX-Other : o\r\n\r\nX-Spam: b";
    struct postern_mime_options options;
    struct postern_mime_header header;
    struct scanned s = {.message = postern_span_of(text)};
    uint32_t at = 0;

    (void)state;
    postern_mime_options_init(&options);
    options.chosen = chosen;
    options.chosen_n = 1;
    assert_int_equal(postern_mime_new(&s.mime, &options, NULL), 0);
    postern_mime_feed(s.mime, s.message);
    assert_int_equal(postern_mime_take(s.mime, &s.block), 0);
    assert_int_equal(postern_mime_take(s.mime, &(struct postern_span){0}), POSTERN_E_USAGE);
    postern_mime_free(&s.mime);
    postern_mime_facts(s.block, &s.facts);
    assert_int_equal(part_of(&s, 0).fields, 3);
    assert_header(&s, 0, "X-Spam", "X-Spam: yes\r\n no\r\n");
    assert_header(&s, 1, "Subject", "subject: s\n");
    assert_header(&s, 2, "X-Other", "X-Other : o\r\n");
    postern_mime_header(s.block, 0, 0, &header);
    assert_int_equal(header.id, POSTERN_MIME_OTHER);
    assert_span(header.value, "yes no");
    postern_mime_header(s.block, 0, 1, &header);
    assert_int_equal(header.range.wire_end - header.range.wire, 12);
    postern_mime_header(s.block, 0, 2, &header);
    assert_null(header.value.p);
    assert_int_equal(postern_mime_find(s.block, 0, POSTERN_MIME_OTHER, &at, &header), 1);
    assert_span(header.name, "X-Spam");
    assert_int_equal(at, 1);
    assert_int_equal(postern_mime_find(s.block, 0, POSTERN_MIME_OTHER, &at, &header), 1);
    assert_span(header.name, "X-Other");
    assert_int_equal(postern_mime_find(s.block, 0, POSTERN_MIME_OTHER, &at, &header), 0);
    assert_int_equal(postern_mime_find(s.block, 0, POSTERN_MIME_OTHER, &at, &header), 0);
    assert_int_equal(postern_mime_field_named(SPAN("list-ID")), POSTERN_MIME_LIST_ID);
    assert_int_equal(postern_mime_field_named(SPAN("X-Other")), POSTERN_MIME_OTHER);
    free((char *)(uintptr_t)s.block.p);
}

static void assert_same(const struct scanned *a, const struct scanned *b, size_t step)
{
    if (a->block.n != b->block.n || memcmp(a->block.p, b->block.p, a->block.n) != 0)
        fail_msg("fed by %zu: another block for \"%.*s\"", step, SPAN_ARG(a->message));
}

/* mutate - a line end, a dash or any octet is changed, moved or taken away. */
static size_t mutate(char *text, size_t n, unsigned *seed)
{
    for (unsigned i = 0; i < 3; i++) {
        size_t at = (unsigned)rand_r(seed) % n;

        switch ((unsigned)rand_r(seed) % 4) {
        case 0:
            text[at] = (char)rand_r(seed);
            break;
        case 1:
            text[at] = "\r\n-: ;\""[(unsigned)rand_r(seed) % 7];
            break;
        case 2:
            memmove(text + at, text + at + 1, n - at - 1);
            n--;
            break;
        default:
            n = at + 1;
        }
    }
    return n;
}

/* check_tree - parts lie within their parents, one behind the other. */
static void check_tree(const struct scanned *s)
{
    for (uint32_t i = 0; i < s->facts.parts; i++) {
        struct postern_mime_part part = part_of(s, i), parent = part_of(s, part.parent);

        assert_true(part.header.raw <= part.header.raw_end);
        assert_true(part.header.raw_end <= part.body.raw && part.body.raw <= part.body.raw_end);
        assert_true(part.body.wire <= part.body.wire_end);
        assert_true(part.body.raw_end <= s->message.n);
        assert_true(part.body.wire_end - part.body.wire >= part.body.raw_end - part.body.raw);
        if (i) {
            assert_true(part.header.raw >= parent.body.raw);
            assert_true(part.body.raw_end <= parent.body.raw_end);
        }
        if (part.next)
            assert_true(part_of(s, part.next).header.raw >= part.body.raw_end);
    }
}

static void test_splits(void **state)
{
    static const size_t steps[] = {1, 2, 3, 7, 64};
    unsigned seed = 7;

    (void)state;
    for (unsigned round = 0; round < 3000; round++) {
        char text[sizeof MIXED];
        struct scanned whole, pieces;
        size_t n = sizeof MIXED - 1, step = steps[round % 5];

        memcpy(text, MIXED, sizeof MIXED);
        if (round >= 5)
            n = mutate(text, n, &seed);
        scan_by(&whole, span_make(text, n), n ? n : 1);
        check_tree(&whole);
        scan_by(&pieces, span_make(text, n), step);
        assert_same(&whole, &pieces, step);
        done(&whole);
        done(&pieces);
    }
}

/* A block that was read back is whole or is told not to be. */
static void test_block(void **state)
{
    struct scanned s;
    char *copy;

    (void)state;
    scan(&s, MIXED);
    copy = malloc(s.block.n);
    for (size_t at = 0; at < s.block.n; at++) {
        memcpy(copy, s.block.p, s.block.n);
        copy[at] ^= 0x10;
        assert_false(postern_mime_check(span_make(copy, s.block.n)));
        assert_false(postern_mime_check(span_make(s.block.p, at)));
    }
    free(copy);
    done(&s);
}

/* feed_text - n times. */
static void feed_text(struct postern_mime *mime, const char *text, unsigned n)
{
    while (n--)
        postern_mime_feed(mime, postern_span_of(text));
}

/* Past each bound the rest is opaque, and the scanner goes on. */
static void test_bounds(void **state)
{
    struct postern_mime_facts facts;
    struct postern_mime *mime;
    struct postern_span block;

    (void)state;
    assert_int_equal(postern_mime_new(&mime, NULL, NULL), 0);
    feed_text(mime, "Content-Type: message/rfc822\n\n", 10000);
    assert_int_equal(postern_mime_end(mime, &block), 0);
    postern_mime_facts(block, &facts);
    assert_int_equal(facts.parts, 100);
    assert_true(facts.cut);
    postern_mime_free(&mime);

    assert_int_equal(postern_mime_new(&mime, NULL, NULL), 0);
    feed_text(mime, "Content-Type: multipart/mixed; boundary=a\n\n", 1);
    feed_text(mime, "--a\n\n", 100000);
    assert_int_equal(postern_mime_end(mime, &block), 0);
    assert_true(postern_mime_check(block));
    postern_mime_facts(block, &facts);
    assert_int_equal(facts.parts, 10000);
    postern_mime_free(&mime);

    assert_int_equal(postern_mime_new(&mime, NULL, NULL), 0);
    feed_text(mime, "To: somebody@example.org\n", 100000);
    feed_text(mime, "Subject: x", 1);
    feed_text(mime, "\n folded", 100000);
    feed_text(mime, "\nContent-Type: multipart/mixed; boundary=", 1);
    feed_text(mime, "0123456789", 100000);
    feed_text(mime, "\n\n-", 1);
    feed_text(mime, "-0123456789", 100000);
    assert_int_equal(postern_mime_end(mime, &block), 0);
    assert_true(postern_mime_check(block));
    assert_true(block.n < 4u << 20);
    postern_mime_facts(block, &facts);
    assert_int_equal(facts.parts, 1);
    assert_true(facts.cut);
    postern_mime_free(&mime);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),     cmocka_unit_test(test_wire),
        cmocka_unit_test(test_multipart), cmocka_unit_test(test_headers),
        cmocka_unit_test(test_broken),    cmocka_unit_test(test_splits),
        cmocka_unit_test(test_block),     cmocka_unit_test(test_bounds)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
