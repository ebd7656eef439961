/* SPDX-License-Identifier: MIT */
/* test_client - the client's side: against scripts of a server, and against our own server, cut in
 * every way. */
#include "cmocka_all.h"

#include "base/buffer.h"
#include "base/span.h"
#include <postern/smtp.h>
#include <postern/smtp_client.h>
#include <stdio.h>
#include <stdlib.h>

static struct postern_smtp_client *begin(struct postern_smtp_client_options *o)
{
    struct postern_smtp_client *c = NULL;

    assert_int_equal(postern_smtp_client_new(&c, o), 0);
    return c;
}

static struct postern_smtp_client_options options(enum postern_smtp_client_tls tls)
{
    struct postern_smtp_client_options o;

    POSTERN_SMTP_CLIENT_OPTIONS_INIT(&o);
    o.tls = tls;
    o.hostname = SPAN("me.example");
    return o;
}

/* hear - what the server says, and what is said to it. */
static void hear(struct postern_smtp_client *c, const char *said, const char *wanted)
{
    struct postern_span out;

    assert_true(postern_smtp_client_feed(c, postern_span_of(said)) >= 0);
    out = postern_smtp_client_output(c);
    assert_int_equal(out.n, strlen(wanted));
    assert_memory_equal(out.p ? out.p : "", wanted, out.n);
    postern_smtp_client_sent(c, out.n);
}

static void expect(struct postern_smtp_client *c, enum postern_smtp_client_event_kind kind,
                   unsigned code, const char *text)
{
    struct postern_smtp_client_event event;

    assert_int_equal(postern_smtp_client_next(c, &event), 1);
    assert_int_equal(event.kind, kind);
    assert_int_equal(event.code, code);
    assert_int_equal(event.text.n, strlen(text));
    assert_memory_equal(event.text.p ? event.text.p : "", text, event.text.n);
    assert_int_equal(postern_smtp_client_next(c, &event), 0);
}

static void test_login(void **state)
{
    struct postern_smtp_client_options o = options(POSTERN_SMTP_CLIENT_TLS_REQUIRED);
    struct postern_smtp_client *c;

    (void)state;
    o.user = SPAN("ann");
    o.secret = SPAN("secret");
    c = begin(&o);
    hear(c, "220-hello\r\n220 there\r\n", "EHLO me.example\r\n");
    hear(c, "250-x\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n", "STARTTLS\r\n");
    /* what stands behind the reply is dropped */
    hear(c, "220 go\r\n250 evil\r\n", "");
    expect(c, POSTERN_SMTP_CLIENT_TLS, 220, "go");
    assert_int_equal(postern_smtp_client_tls_up(c), 0);
    hear(c, "", "EHLO me.example\r\n");
    hear(c, "250-x\r\n250-SIZE 1000\r\n250 AUTH LOGIN PLAIN\r\n",
         "AUTH PLAIN AGFubgBzZWNyZXQ=\r\n");
    hear(c, "235 2.7.0 in\r\n", "");
    expect(c, POSTERN_SMTP_CLIENT_READY, 235, "in");
    assert_true(postern_smtp_client_offers(c, "size"));
    assert_false(postern_smtp_client_offers(c, "8BITMIME"));
    postern_smtp_client_quit(c);
    hear(c, "", "QUIT\r\n");
    postern_smtp_client_free(&c);
    o.tls_first = true;
    c = begin(&o);
    hear(c, "220 x\r\n", "EHLO me.example\r\n");
    hear(c, "250-x\r\n250 AUTH LOGIN\r\n", "AUTH LOGIN\r\n");
    hear(c, "334 VXNlcm5hbWU6\r\n", "YW5u\r\n");
    hear(c, "334 UGFzc3dvcmQ6\r\n", "c2VjcmV0\r\n");
    hear(c, "535 5.7.8 no\r\n", "");
    expect(c, POSTERN_SMTP_CLIENT_FAILED, 535, "no");
    postern_smtp_client_free(&c);
}

/* fails - a server that says this comes to nothing, whatever is cut where. */
static void fails(struct postern_smtp_client_options *o, const char *said, unsigned code)
{
    for (size_t cut = 0; cut <= strlen(said); cut++) {
        struct postern_smtp_client *c = begin(o);
        struct postern_smtp_client_event event = {0};

        (void)!postern_smtp_client_feed(c, span_make(said, cut));
        if (!postern_smtp_client_next(c, &event)) {
            (void)!postern_smtp_client_feed(c, span_from(postern_span_of(said), cut));
            assert_int_equal(postern_smtp_client_next(c, &event), 1);
        }
        assert_int_equal(event.kind, POSTERN_SMTP_CLIENT_FAILED);
        assert_int_equal(event.code, code);
        assert_int_equal(postern_smtp_client_mail(c, SPAN("a"), 0, false, false), POSTERN_E_USAGE);
        postern_smtp_client_free(&c);
    }
}

static void test_failures(void **state)
{
    struct postern_smtp_client_options o = options(POSTERN_SMTP_CLIENT_TLS_REQUIRED);
    struct postern_smtp_client_options any = options(POSTERN_SMTP_CLIENT_TLS_IF_OFFERED);
    char line[5000];

    (void)state;
    fails(&o, "554 go away\r\n", 554);
    fails(&o, "220 x\r\n250 x\r\n", 0); /* no TLS */
    fails(&o, "hello\r\n", 0);
    fails(&o, "22\r\n", 0);
    fails(&o, "220x\r\n", 0);
    fails(&o, "199 x\r\n", 0);
    fails(&o, "220 x\r\n502 no\r\n", 502);
    fails(&o, "220 x\r\n250 STARTTLS\r\n454 no\r\n", 454);
    any.user = SPAN("ann");
    any.secret = SPAN("x");
    fails(&any, "220 x\r\n250-x\r\n250 AUTH PLAIN\r\n", 0); /* not in the clear */
    any.tls = POSTERN_SMTP_CLIENT_TLS_NEVER;
    fails(&any, "220 x\r\n250-x\r\n250 AUTH CRAM-MD5\r\n", 0);
    memset(line, 'x', sizeof line);
    memcpy(line, "220 ", 4);
    memcpy(line + sizeof line - 3, "\r\n", 3);
    fails(&o, line, 0);
}

static void test_commands(void **state)
{
    struct postern_smtp_client_options o = options(POSTERN_SMTP_CLIENT_TLS_NEVER);
    struct postern_smtp_client *c;

    (void)state;
    o.lmtp = true;
    c = begin(&o);
    assert_int_equal(postern_smtp_client_mail(c, SPAN("a"), 0, false, false), POSTERN_E_USAGE);
    hear(c, "220 x\r\n", "LHLO me.example\r\n");
    hear(c, "250-x\r\n250-SIZE\r\n250 8BITMIME\r\n", "");
    expect(c, POSTERN_SMTP_CLIENT_READY, 250, "8BITMIME");
    assert_int_equal(postern_smtp_client_mail(c, SPAN("a\r\nQUIT"), 0, false, false),
                     POSTERN_E_SYNTAX);
    assert_int_equal(postern_smtp_client_mail(c, SPAN("a"), 0, false, true), POSTERN_E_UNSUPPORTED);
    assert_int_equal(postern_smtp_client_mail(c, SPAN("a@b"), 77, true, false), 0);
    hear(c, "250 2.1.0 ok\r\n", "MAIL FROM:<a@b> SIZE=77 BODY=8BITMIME\r\n");
    expect(c, POSTERN_SMTP_CLIENT_REPLY, 250, "ok");
    assert_int_equal(postern_smtp_client_rcpt(c, SPAN("c@d")), 0);
    assert_int_equal(postern_smtp_client_rcpt(c, SPAN("c@d")), POSTERN_E_USAGE);
    hear(c, "550-5.1.1 no\r\n550 5.1.1 such\r\n", "RCPT TO:<c@d>\r\n");
    expect(c, POSTERN_SMTP_CLIENT_REPLY, 550, "such");
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(postern_smtp_client_rcpt(c, SPAN("e@d")), 0);
        hear(c, "250 ok\r\n", "RCPT TO:<e@d>\r\n");
        expect(c, POSTERN_SMTP_CLIENT_REPLY, 250, "ok");
    }
    /* a server that says 354 to anything is not given a message */
    assert_int_equal(postern_smtp_client_rcpt(c, SPAN("f@d")), 0);
    hear(c, "354 go\r\n", "RCPT TO:<f@d>\r\n");
    expect(c, POSTERN_SMTP_CLIENT_REPLY, 354, "go");
    assert_int_equal(postern_smtp_client_write(c, SPAN("x")), POSTERN_E_USAGE);
    assert_int_equal(postern_smtp_client_data(c), 0);
    hear(c, "354 go\r\n", "DATA\r\n");
    expect(c, POSTERN_SMTP_CLIENT_REPLY, 354, "go");
    assert_int_equal(postern_smtp_client_finish(c), 0);
    hear(c, "250 2.0.0 one\r\n", ".\r\n");
    expect(c, POSTERN_SMTP_CLIENT_REPLY, 250, "one");
    assert_int_equal(postern_smtp_client_mail(c, SPAN("a"), 0, false, false), POSTERN_E_USAGE);
    hear(c, "452 4.2.2 two\r\n", "");
    expect(c, POSTERN_SMTP_CLIENT_REPLY, 452, "two");
    assert_int_equal(postern_smtp_client_mail(c, SPAN(""), 0, false, false), 0);
    hear(c, "421 later\r\n", "MAIL FROM:<>\r\n");
    expect(c, POSTERN_SMTP_CLIENT_REPLY, 421, "later");
    assert_int_equal(postern_smtp_client_rcpt(c, SPAN("x")), POSTERN_E_USAGE);
    postern_smtp_client_free(&c);
}

/* written - what is sent of a message, cut in pieces of `step`. */
static void written(const char *message, size_t step, const char *wanted)
{
    struct postern_smtp_client_options o = options(POSTERN_SMTP_CLIENT_TLS_NEVER);
    struct postern_smtp_client *c = begin(&o);
    struct postern_span rest = postern_span_of(message);
    struct postern_smtp_client_event event;

    hear(c, "220 x\r\n", "EHLO me.example\r\n");
    hear(c, "250 x\r\n", "");
    assert_int_equal(postern_smtp_client_next(c, &event), 1);
    assert_int_equal(postern_smtp_client_data(c), 0);
    hear(c, "354 x\r\n", "DATA\r\n");
    assert_int_equal(postern_smtp_client_next(c, &event), 1);
    while (rest.n) {
        size_t n = rest.n < step ? rest.n : step;

        assert_int_equal(postern_smtp_client_write(c, span_make(rest.p, n)), 0);
        rest = span_from(rest, n);
    }
    assert_int_equal(postern_smtp_client_finish(c), 0);
    hear(c, "", wanted);
    postern_smtp_client_free(&c);
}

/* H4: whatever is written, what is sent is canonical. */
static void test_canonical(void **state)
{
    (void)state;
    for (size_t step = 1; step < 8; step++) {
        written("", step, ".\r\n");
        written("a\r\n", step, "a\r\n.\r\n");
        written("a", step, "a\r\n.\r\n");
        written("a\nb", step, "a\r\nb\r\n.\r\n");
        written("a\rb\r", step, "a\r\nb\r\n.\r\n");
        written(".\r\n..a\r\n", step, "..\r\n...a\r\n.\r\n");
        written("a\n.\nb", step, "a\r\n..\r\nb\r\n.\r\n");
        written("a\r.\rb", step, "a\r\n..\r\nb\r\n.\r\n");
        written("a\r\r\n.", step, "a\r\n\r\n..\r\n.\r\n");
        written("\n\r", step, "\r\n\r\n.\r\n");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_login), cmocka_unit_test(test_failures),
        cmocka_unit_test(test_commands), cmocka_unit_test(test_canonical)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
