/* SPDX-License-Identifier: MIT */
/* test_rspamd - what rspamd is told, octet by octet, over a link that fails, and what its JSON
 * comes to: brackets in each other, and in texts. */
#include "cmocka_all.h"

#include "base/span.h"
#include "serve/rspamd.h"
#include <stdio.h>
#include <string.h>

/* struct fake - a link. */
struct fake {
    struct buffer heard;
    size_t takes; /* octets, then it fails */
    struct postern_span says;
    bool open;
};

static int fake_open(void *ctx, void **link_r)
{
    struct fake *fake = ctx;

    fake->open = true;
    *link_r = fake;
    return 0;
}

static void fake_again(void *link)
{
    (void)link;
}

static int fake_read(void *link, char *out, size_t n)
{
    struct fake *fake = link;

    n = n < fake->says.n ? n : fake->says.n;
    if (n)
        memcpy(out, fake->says.p, n);
    fake->says = span_from(fake->says, n);
    return (int)n;
}

static int fake_write(void *link, struct postern_span bytes)
{
    struct fake *fake = link;

    buffer_append(&fake->heard, bytes);
    return buffer_length(&fake->heard) > fake->takes ? POSTERN_E_IO : 0;
}

static bool fake_write_now(void *link, struct postern_span bytes)
{
    return fake_write(link, bytes) == 0;
}

static void fake_close(void *link)
{
    ((struct fake *)link)->open = false;
}

static int judge(struct fake *fake, const struct filter_question *question,
                 struct filter_verdict *verdict)
{
    const struct filter_link link = {fake_open,      fake_again, fake_read, fake_write,
                                     fake_write_now, fake_close, fake};
    struct rspamd rspamd = {&link, "here:11333"};
    const struct serve_filter filter = {&rspamd_ops, "rspamd", &rspamd};
    void *talk = NULL;
    int err = filter.ops->judge(&filter, &talk, question, verdict);

    assert_null(talk);
    assert_false(fake->open);
    return err;
}

#define REPLY(json) SPAN("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" json)

static void test_request_is_one_whatever_is_in_it(void **state)
{
    static const char expected[] =
        "POST /checkv2 HTTP/1.1\r\nHost: here:11333\r\nConnection: close\r\n"
        "Content-Type: message/rfc822\r\nContent-Length: 4\r\nIp: 192.0.2.1\r\nHelo: a??X: y\r\n"
        "Hostname: unknown\r\nFrom: <>\r\nRcpt: b@c\r\nRcpt: d?@e\r\nUser: \xc3\xb6?\r\n\r\nbody";
    struct fake fake = {.takes = SIZE_MAX, .says = REPLY("{\"action\":\"no action\"}")};
    struct spool message = {.folder = "/tmp"};
    struct filter_verdict verdict = {0};

    (void)state;
    assert_int_equal(spool_write(&message, SPAN("body")), 0);
    assert_int_equal(judge(&fake,
                           &(struct filter_question){.recipients = SPAN("b@c\nd\x7f@e\n"),
                                                     .helo = SPAN("a\r\nX: y"),
                                                     .user = SPAN("\xc3\xb6\0"),
                                                     .peer = SPAN("192.0.2.1"),
                                                     .message = &message},
                           &verdict),
                     0);
    assert_int_equal(buffer_length(&fake.heard), sizeof expected - 1);
    assert_memory_equal(buffer_span(&fake.heard).p, expected, sizeof expected - 1);
    buffer_done(&fake.heard);
    spool_done(&message);
}

/* one that has seen enough does not take the rest */
static void test_early_reply_counts(void **state)
{
    struct fake fake = {.takes = 300, .says = REPLY("{\"action\":\"reject\"}")};
    struct spool message = {.folder = "/tmp"};
    struct filter_verdict verdict = {0};
    char line[1000];

    (void)state;
    memset(line, 'x', sizeof line);
    assert_int_equal(spool_write(&message, span_make(line, sizeof line)), 0);
    assert_int_equal(judge(&fake, &(struct filter_question){.message = &message}, &verdict), 0);
    assert_int_equal(verdict.code, 554);
    buffer_done(&fake.heard);
    fake = (struct fake){.takes = 300}; /* and one that only goes away says nothing */
    assert_true(judge(&fake, &(struct filter_question){.message = &message}, &verdict) < 0);
    buffer_done(&fake.heard);
    spool_done(&message);
}

/* verdict_on - with `x` in it. */
static int verdict_on(const char *x)
{
    struct filter_verdict verdict = {0};
    char json[400];
    int err;

    snprintf(json, sizeof json, "{\"action\":\"no action\",\"x\":%s}", x);
    err = rspamd_verdict(postern_span_of(json), &verdict);
    edits_done(&verdict.edits);
    return err;
}

static void test_brackets_are_bounded(void **state)
{
    (void)state;
#define TEN "[[[[[[[[[["
#define TEN_ENDS "]]]]]]]]]]"
    assert_int_equal(verdict_on(TEN TEN TEN "[" TEN_ENDS TEN_ENDS TEN_ENDS "]"), 0);
    assert_int_equal(verdict_on(TEN TEN TEN "[[" TEN_ENDS TEN_ENDS TEN_ENDS "]]"),
                     POSTERN_E_SYNTAX);
    assert_int_equal(verdict_on("[" TEN TEN TEN_ENDS TEN_ENDS "," TEN TEN TEN_ENDS TEN_ENDS "]"),
                     0);
    assert_int_equal(verdict_on("\"" TEN TEN TEN TEN "\""), 0);
    assert_int_equal(verdict_on("\"\\\"" TEN TEN TEN TEN "\\\\\""), 0);
    assert_int_equal(verdict_on("[\"\\\\\"," TEN TEN TEN "[" TEN_ENDS TEN_ENDS TEN_ENDS "]]"),
                     POSTERN_E_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_is_one_whatever_is_in_it),
        cmocka_unit_test(test_early_reply_counts),
        cmocka_unit_test(test_brackets_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
