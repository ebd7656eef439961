/* SPDX-License-Identifier: MIT */
/* test_reply - replies whole and byte by byte, each prefix asking for more; what is none; the
 * bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/span.h"
#include "guard.h"
#include "counting_heap.h"
#include "proto/http/reply.h"

#define BODY_MAX 64

/* feed - in steps of so many octets; what the last call said. */
static int feed(struct http_reply *reply, struct postern_span text, size_t step)
{
    int r = 0;

    http_reply_init(reply, &counting, BODY_MAX);
    for (size_t at = 0; at < text.n && r == 0; at += step) {
        struct postern_span some = span_from(text, at);
        struct postern_span guarded = guard_copy(some.p, some.n < step ? some.n : step);

        r = http_reply_feed(reply, guarded);
        guard_free(guarded);
    }
    return r;
}

static void check(const char *text, int expected, unsigned status, const char *body)
{
    for (size_t step = 1; step < 200; step += step < 3 ? 1 : 98) {
        struct http_reply reply;
        int r = feed(&reply, postern_span_of(text), step);

        if (r == 0)
            r = http_reply_eof(&reply);
        assert_int_equal(r, expected);
        if (r == 1) {
            assert_int_equal(reply.status, status);
            assert_true(span_equal(buffer_span(&reply.body), postern_span_of(body)));
        }
        http_reply_done(&reply);
    }
}

static void test_bodies_end_as_they_say(void **state)
{
    (void)state;
    check("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 1, 200, "hello");
    check("HTTP/1.0 200\r\ncontent-length:5 \r\n\r\nhello and more", 1, 200, "hello");
    check("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", 1, 503, "");
    check("HTTP/1.1 204 None\r\n\r\n", 1, 204, "");
    check("HTTP/1.1 200 OK\r\n\r\nto the end", 1, 200, "to the end");
    check("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
          "0A;x=y\r\n and\r\nmore\r\n0\r\nTrailer: x\r\n\r\n",
          1, 200, "hello and\r\nmore");
    check("HTTP/1.1 100 Continue\r\nContent-Length: 9\r\n\r\n"
          "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
          1, 200, "ok");
}

static void test_prefixes_want_more(void **state)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
                               "5\r\nhello\r\n0\r\n\r\n";

    (void)state;
    for (size_t n = 0; n < sizeof text - 1; n++) {
        struct http_reply reply;

        assert_int_equal(feed(&reply, span_make(text, n), 7), 0);
        assert_int_equal(http_reply_eof(&reply), POSTERN_E_CLOSED);
        http_reply_done(&reply);
    }
}

static void test_what_is_none_is_refused(void **state)
{
    static const char *const bad[] = {
        "SSH-2.0-OpenSSH\r\n",
        "HTTP/2 200 OK\r\n",
        "HTTP/1.1 abc OK\r\n",
        "HTTP/1.1 2000\r\n",
        "HTTP/1.1 099 x\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        check(bad[i], POSTERN_E_SYNTAX, 0, "");
}

static void test_all_is_bounded(void **state)
{
    static const char header[] = "X-Long: 0123456789012345678901234567890123456789012345678\r\n";
    struct http_reply reply;
    int r;

    (void)state;
    check("HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\n", POSTERN_E_TOO_LONG, 0, "");
    check("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n41\r\n", POSTERN_E_TOO_LONG, 0, "");
    check("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n", POSTERN_E_TOO_LONG,
          0, "");
    check("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
          "21\r\n012345678901234567890123456789012\r\n"
          "21\r\n012345678901234567890123456789012\r\n",
          POSTERN_E_TOO_LONG, 0, "");
    check("HTTP/1.1 200 OK\r\n\r\n"
          "01234567890123456789012345678901234567890123456789012345678901234",
          POSTERN_E_TOO_LONG, 0, "");
    r = feed(&reply, SPAN("HTTP/1.1 200 OK\r\n"), 5);
    for (unsigned i = 0; r == 0 && i < 5000; i++)
        r = http_reply_feed(&reply, SPAN(header));
    assert_int_equal(r, POSTERN_E_TOO_LONG);
    http_reply_done(&reply);
    r = feed(&reply, SPAN("HTTP/1.1 200 OK\r\n"), 5);
    for (unsigned i = 0; r == 0 && i < 100000; i++) /* a line that does not end */
        r = http_reply_feed(&reply, SPAN("xxxxxxxxxx"));
    assert_int_equal(r, POSTERN_E_TOO_LONG);
    http_reply_done(&reply);
}

static void test_each_allocation_may_fail(void **state)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "5\r\nhello\r\n5\r\nagain\r\n0\r\n\r\n";
    struct http_reply reply;
    int r = POSTERN_E_NOMEM;

    (void)state;
    for (unsigned n = 1; r < 0; n++) {
        heap_fail(n);
        r = feed(&reply, SPAN(text), 3);
        assert_true(r == 1 || r == POSTERN_E_NOMEM);
        http_reply_done(&reply);
        assert_int_equal(heap.live, 0);
        assert_true(n < 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies_end_as_they_say),   cmocka_unit_test(test_prefixes_want_more),
        cmocka_unit_test(test_what_is_none_is_refused),  cmocka_unit_test(test_all_is_bounded),
        cmocka_unit_test(test_each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
