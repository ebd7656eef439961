/* SPDX-License-Identifier: MIT */
/* scan - the same of all texts of a few octets whole, octet by octet and cut in two, and as the
 * scanner of structures has it. */
#include "cmocka_all.h"

#include "base/span.h"
#include "store/scan.h"
#include <postern/mime.h>

static struct scan scan_cut(struct postern_span text, size_t first, size_t step)
{
    struct scan scan = {0};

    for (size_t at = 0, n = first; at < text.n; at += n, n = step) {
        n = n && n < text.n - at ? n : text.n - at;
        scan_feed(&scan, span_make(text.p + at, n));
    }
    scan_end(&scan);
    return scan;
}

static void assert_as_parsed(struct postern_span text, const struct scan *scan)
{
    struct postern_mime *mime;
    struct postern_mime_facts facts;
    struct postern_span block;

    assert_int_equal(postern_mime_new(&mime, NULL, NULL), 0);
    postern_mime_feed(mime, text);
    assert_int_equal(postern_mime_end(mime, &block), 0);
    postern_mime_facts(block, &facts);
    assert_int_equal(scan->size_raw, facts.size_raw);
    assert_int_equal(scan->size_wire, facts.size_wire);
    assert_int_equal(scan->wire_clean, facts.wire_clean);
    assert_int_equal(scan->utf8_header, facts.utf8_header);
    postern_mime_free(&mime);
}

static void assert_same(const struct scan *a, const struct scan *b)
{
    assert_int_equal(a->size_raw, b->size_raw);
    assert_int_equal(a->size_wire, b->size_wire);
    assert_int_equal(a->wire_clean, b->wire_clean);
    assert_int_equal(a->utf8_header, b->utf8_header);
}

/* All texts of six octets, which are header, or behind an empty line and so body. */
static void test_scan_is_the_same_however_it_is_cut(void **state)
{
    static const char octets[] = {'a', '\r', '\n', '.', '-', '\xe1'};
    char text[7] = "\n";

    (void)state;
    for (uint32_t which = 0; which < 2 * 6 * 6 * 6 * 6 * 6 * 6; which++) {
        uint32_t rest = which / 2;
        struct postern_span s = span_from(span_make(text, sizeof text), which % 2);
        struct scan whole, other;

        for (size_t i = 1; i < sizeof text; i++, rest /= 6)
            text[i] = octets[rest % 6];
        whole = scan_cut(s, 0, 0);
        other = scan_cut(s, 1, 1);
        assert_same(&whole, &other);
        other = scan_cut(s, 1 + which % 5, 0);
        assert_same(&whole, &other);
        assert_as_parsed(s, &whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scan_is_the_same_however_it_is_cut),
    };

    return cmocka_run_group_tests_name("scan", tests, NULL, NULL);
}
