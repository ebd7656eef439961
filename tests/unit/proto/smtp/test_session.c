/* SPDX-License-Identifier: MIT */
/* test_session - the engine and its application: what may be answered, what comes of it on the
 * wire, memory, and every allocation that fails. */
#include "cmocka_all.h"

#include "base/span.h"
#include <postern/smtp.h>
#include <stdio.h>
#include <stdlib.h>

/* struct heap - counts; the fail_at'th allocation fails. */
static struct {
    size_t calls, fail_at;
    long live;
    bool looks; /* for secrets in what is given back */
} heap;

#define HEAD sizeof(max_align_t)
#define SECRET "geheim99"
#define SECRET_CODED "Z2VoZWltOTk" /* as it ends an AUTH PLAIN of ann's */

/* let_go - a block, which must not have a secret in it any more (L8). */
static void let_go(char *p)
{
    size_t n;

    if (!p)
        return;
    memcpy(&n, p - HEAD, sizeof n);
    if (heap.looks) {
        assert_null(memmem(p, n, SECRET, sizeof SECRET - 1));
        assert_null(memmem(p, n, SECRET_CODED, sizeof SECRET_CODED - 1));
    }
    heap.live--;
    free(p - HEAD);
}

static void *heap_resize(void *ctx, void *p, size_t n)
{
    char *q;
    size_t had = 0;

    (void)ctx;
    if (n && ++heap.calls == heap.fail_at)
        return NULL;
    q = n ? calloc(1, HEAD + n) : NULL; /* all of it is looked at when it is given back */
    if (q) {
        memcpy(q, &n, sizeof n);
        q += HEAD;
        heap.live++;
    }
    if (p)
        memcpy(&had, (char *)p - HEAD, sizeof had);
    if (q && p)
        memcpy(q, p, had < n ? had : n);
    let_go(p);
    return q;
}

static const struct postern_allocator allocator = {heap_resize, NULL};

/* struct drive - a session, what it said, and what is answered to one kind of question. */
struct drive {
    struct postern_smtp *s;
    struct postern_smtp_options o;
    struct postern_smtp_reply reply;
    enum postern_smtp_question_kind kind; /* answered by `reply`; the others go on */
    unsigned asked[POSTERN_SMTP_RESET + 1];
    bool waits; /* leave questions open */
    uint64_t id;
    int result;
    char said[65536];
    size_t said_n;
};

static void turn(struct drive *d)
{
    struct postern_smtp_question q;
    struct postern_piece piece;

    while (!d->waits && postern_smtp_next(d->s, &q) == 1) {
        d->asked[q.kind]++;
        d->id = q.id;
        if (!q.id)
            continue;
        d->result = q.kind == POSTERN_SMTP_AUTHENTICATE
                        ? postern_smtp_answer_authenticate(d->s, q.id, POSTERN_YES, SPAN("ann"))
                        : postern_smtp_answer(d->s, q.id, q.kind == d->kind ? &d->reply : NULL);
    }
    while (postern_smtp_output(d->s, &piece, 1)) {
        assert_true(d->said_n + piece.bytes.n < sizeof d->said);
        memcpy(d->said + d->said_n, piece.bytes.p, piece.bytes.n);
        d->said_n += piece.bytes.n;
        postern_smtp_sent(d->s, piece.bytes.n, 0);
    }
    d->said[d->said_n] = '\0';
}

static void say(struct drive *d, const char *text)
{
    struct postern_span in = postern_span_of(text);

    while (in.n) {
        int n = postern_smtp_feed(d->s, in, 0);

        turn(d);
        if (n < 0)
            return;
        in = span_from(in, (size_t)n);
    }
}

static struct drive *begin(enum postern_smtp_role role)
{
    static struct drive d;

    d = (struct drive){.kind = POSTERN_SMTP_RESET};
    POSTERN_SMTP_OPTIONS_INIT(&d.o);
    d.o.role = role;
    d.o.allocator = &allocator;
    return &d;
}

static void greet(struct drive *d)
{
    assert_int_equal(postern_smtp_new(&d->s, &d->o, NULL, 0), 0);
    turn(d);
    say(d, d->o.role == POSTERN_SMTP_LMTP ? "LHLO x\r\n" : "EHLO x\r\n");
    if (d->kind != POSTERN_SMTP_CONNECT)
        d->said_n = 0;
}

static void end(struct drive *d)
{
    postern_smtp_free(&d->s);
    assert_null(d->s);
    assert_int_equal(heap.live, 0);
}

/* N5 and the like. */
static void test_options(void **state)
{
    struct drive *d = begin(POSTERN_SMTP_MX);
    struct postern_smtp_options good = d->o;

    (void)state;
    d->o.message_max = 65535;
    assert_int_equal(postern_smtp_new(&d->s, &d->o, NULL, 0), POSTERN_E_USAGE);
    d->o = good;
    d->o.recipients_max = 99;
    assert_int_equal(postern_smtp_new(&d->s, &d->o, NULL, 0), POSTERN_E_USAGE);
    d->o = good;
    d->o.hostname.n = 0;
    assert_int_equal(postern_smtp_new(&d->s, &d->o, NULL, 0), POSTERN_E_USAGE);
    d->o = good;
    d->o.struct_bytes--;
    assert_int_equal(postern_smtp_new(&d->s, &d->o, NULL, 0), POSTERN_E_USAGE);
}

/* expect - what is said to `text` when a question of that kind has that answer. */
static void expect(enum postern_smtp_question_kind kind, struct postern_smtp_reply reply,
                   const char *text, const char *wanted)
{
    struct drive *d = begin(POSTERN_SMTP_MX);

    d->kind = kind;
    d->reply = reply;
    greet(d);
    say(d, text);
    if (strcmp(d->said, wanted) != 0)
        fail_msg("said: %s", d->said);
    end(d);
}

/* M1 M2 M3: whatever an application answers, it is a reply. */
static void test_replies_are_made_fit(void **state)
{
    static const char mail[] = "MAIL FROM:<a@b.example>\r\n";

    (void)state;
    expect(POSTERN_SMTP_MAIL, (struct postern_smtp_reply){550, "5.7.1", SPAN("no\r\n250 yes")},
           mail, "550 5.7.1 no  250 yes\r\n");
    expect(POSTERN_SMTP_MAIL, (struct postern_smtp_reply){99, "5.7.1", SPAN("x")}, mail,
           "451 4.0.0 x\r\n");
    expect(POSTERN_SMTP_MAIL, (struct postern_smtp_reply){1550, NULL, SPAN("x")}, mail,
           "451 4.0.0 x\r\n");
    expect(POSTERN_SMTP_MAIL, (struct postern_smtp_reply){550, "4.7.1", SPAN("x")}, mail,
           "550 5.0.0 x\r\n");
    expect(POSTERN_SMTP_MAIL, (struct postern_smtp_reply){550, "5.7.1\r\n", SPAN("x")}, mail,
           "550 5.0.0 x\r\n");
    expect(POSTERN_SMTP_MAIL, (struct postern_smtp_reply){550, "5.1234.1", SPAN("x")}, mail,
           "550 5.0.0 x\r\n");
    expect(POSTERN_SMTP_MAIL, (struct postern_smtp_reply){354, NULL, SPAN("go on")}, mail,
           "451 4.0.0 go on\r\n");
    expect(POSTERN_SMTP_MAIL, (struct postern_smtp_reply){550, "5.7.1", SPAN("\xc3\xa9\x80 x")},
           mail, "550 5.7.1 ??? x\r\n");
    expect(POSTERN_SMTP_MAIL, (struct postern_smtp_reply){251, "2.1.0", SPAN("fine with me")}, mail,
           "251 2.1.0 fine with me\r\n");
    expect(POSTERN_SMTP_MAIL, (struct postern_smtp_reply){421, "4.7.0", SPAN("go away")}, mail,
           "421 4.7.0 go away\r\n");
}

/* M1: a long text has several lines, none above 512 octets. */
static void test_long_replies(void **state)
{
    struct drive *d = begin(POSTERN_SMTP_MX);
    char text[1200];
    size_t lines = 0;

    (void)state;
    memset(text, 'w', sizeof text);
    for (size_t i = 7; i < 600; i += 8)
        text[i] = ' ';
    d->kind = POSTERN_SMTP_MAIL;
    d->reply = (struct postern_smtp_reply){550, "5.7.1", span_make(text, sizeof text)};
    greet(d);
    say(d, "MAIL FROM:<a@b.example>\r\n");
    for (char *line = d->said, *next; *line; line = next + 1, lines++) {
        next = strchr(line, '\n');
        assert_non_null(next);
        assert_true(next - line < 512);
        assert_memory_equal(line, next[1] ? "550-5.7.1 " : "550 5.7.1 ", 10);
    }
    assert_int_equal(lines, 3);
    end(d);
}

/* A3: who is refused at once can only say QUIT. */
static void test_refused_connection(void **state)
{
    (void)state;
    expect(POSTERN_SMTP_CONNECT, (struct postern_smtp_reply){554, "5.7.1", SPAN("not you")},
           "NOOP\r\nQUIT\r\n",
           "554 5.7.1 not you\r\n503 5.5.1 there is nothing here but QUIT\r\n"
           "503 5.5.1 there is nothing here but QUIT\r\n221 2.0.0 bye\r\n");
    expect(POSTERN_SMTP_CONNECT, (struct postern_smtp_reply){421, "4.7.0", SPAN("later")}, "",
           "421 4.7.0 later\r\n");
}

/* D13 and the others: each question may be refused. */
static void test_each_may_be_refused(void **state)
{
    static const struct postern_smtp_reply later = {451, "4.7.1", {"later", 5}};

    (void)state;
    expect(POSTERN_SMTP_RCPT, later, "MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n",
           "250 2.1.0 sender fine\r\n451 4.7.1 later\r\n");
    expect(POSTERN_SMTP_BEGIN, later, "MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n",
           "250 2.1.0 sender fine\r\n250 2.1.5 recipient fine\r\n451 4.7.1 later\r\n");
    expect(POSTERN_SMTP_HEADERS, later,
           "MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nBDAT 8 LAST\r\na: b\r\n\r\n",
           "250 2.1.0 sender fine\r\n250 2.1.5 recipient fine\r\n451 4.7.1 later\r\n");
    expect(POSTERN_SMTP_BEGIN, later,
           "MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nBDAT 2\r\n\r\nBDAT 2 LAST\r\n\r\n",
           "250 2.1.0 sender fine\r\n250 2.1.5 recipient fine\r\n451 4.7.1 later\r\n"
           "451 4.7.1 later\r\n");
    expect(POSTERN_SMTP_HELO, later, "NOOP\r\n", "250 2.0.0 fine\r\n");
}

/* F2: an application that says nothing is no relay, and takes nothing. */
static void test_defaults(void **state)
{
    struct drive *d = begin(POSTERN_SMTP_MX);
    struct postern_smtp_question q;

    (void)state;
    greet(d);
    say(d, "MAIL FROM:<>\r\n");
    d->waits = true;
    say(d, "RCPT TO:<a@b.example>\r\n");
    assert_int_equal(postern_smtp_next(d->s, &q), 1);
    assert_int_equal(q.kind, POSTERN_SMTP_RCPT);
    assert_int_equal(postern_smtp_next(d->s, &q), 0);
    assert_int_equal(postern_smtp_answer(d->s, q.id + 1, NULL), POSTERN_E_STALE);
    assert_int_equal(postern_smtp_answer_authenticate(d->s, q.id, POSTERN_YES, SPAN("x")),
                     POSTERN_E_USAGE);
    assert_int_equal(postern_smtp_answer_each(d->s, q.id, NULL, 0), POSTERN_E_USAGE);
    assert_int_equal(postern_smtp_answer_default(d->s, q.id), 0);
    assert_int_equal(postern_smtp_answer_default(d->s, q.id), POSTERN_E_STALE);
    d->waits = false;
    turn(d);
    assert_string_equal(d->said, "250 2.1.0 sender fine\r\n550 5.7.1 relaying denied\r\n");
    end(d);
}

/* Q1: an answer for each, and not one too few. */
static void test_answer_each(void **state)
{
    struct postern_smtp_reply replies[2] = {{250, "2.0.0", SPAN("kept")},
                                            {552, "5.2.2", SPAN("full")}};
    struct drive *d = begin(POSTERN_SMTP_LMTP);
    struct postern_smtp_question q;

    (void)state;
    greet(d);
    say(d, "MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nRCPT TO:<c@b.example>\r\n");
    d->said_n = 0;
    say(d, "BDAT 0 LAST\r\n");
    d->said_n = 0;
    say(d, "MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nRCPT TO:<c@b.example>\r\n");
    d->waits = true;
    d->said_n = 0;
    say(d, "BDAT 0 LAST\r\n");
    while (postern_smtp_next(d->s, &q) == 1 && q.kind != POSTERN_SMTP_COMMIT)
        assert_int_equal(postern_smtp_answer(d->s, q.id, NULL), 0);
    assert_int_equal(q.recipient, 2);
    assert_int_equal(postern_smtp_answer_each(d->s, q.id, replies, 1), POSTERN_E_USAGE);
    assert_int_equal(postern_smtp_answer_each(d->s, q.id, replies, 2), 0);
    d->waits = false;
    turn(d);
    assert_string_equal(d->said,
                        "250 2.0.0 <a@b.example> kept\r\n552 5.2.2 <c@b.example> full\r\n");
    end(d);
}

/* G8: what began and did not end is told. */
static void test_reset_is_told(void **state)
{
    struct drive *d = begin(POSTERN_SMTP_MX);

    (void)state;
    greet(d);
    say(d, "MAIL FROM:<>\r\nRSET\r\nRSET\r\n");
    assert_int_equal(d->asked[POSTERN_SMTP_RESET], 1);
    say(d, "MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n");
    say(d, "half");
    postern_smtp_eof(d->s);
    turn(d);
    assert_int_equal(d->asked[POSTERN_SMTP_RESET], 2);
    assert_int_equal(d->asked[POSTERN_SMTP_COMMIT], 0);
    assert_true(postern_smtp_wants(d->s) & POSTERN_WANT_CLOSE);
    end(d);
}

/* J3 J5: a peer that does not read, or does not wait, costs no memory. */
static void test_no_growth(void **state)
{
    struct drive *d = begin(POSTERN_SMTP_MX);
    int taken = 1;

    (void)state;
    d->o.errors_max = UINT32_MAX;
    greet(d);
    for (unsigned i = 0; i < 100000 && taken > 0; i++)
        taken = postern_smtp_feed(d->s, SPAN("XYZZY\r\n"), 0);
    assert_int_equal(taken, 0);
    assert_false(postern_smtp_wants(d->s) & POSTERN_WANT_READ);
    assert_true(postern_smtp_memory(d->s) < 200000);
    end(d);
    d = begin(POSTERN_SMTP_MX);
    greet(d);
    d->waits = true;
    assert_int_equal(postern_smtp_feed(d->s, SPAN("MAIL FROM:<>\r\nNOOP\r\n"), 0), 14);
    assert_int_equal(postern_smtp_feed(d->s, SPAN("NOOP\r\n"), 0), 0);
    end(d);
}

/* L8: the allocator looks at what is given back. */
static void test_secrets_are_wiped(void **state)
{
    (void)state;
    heap.looks = true;
    for (size_t step = 1; step < 100; step += 97) {
        static const char talk[] =
            "EHLO x\r\nAUTH PLAIN AGFubgBnZWhlaW05OQ==\r\nAUTH PLAIN AABhbm4A" SECRET_CODED
            "=\r\nQUIT\r\n";
        struct drive *d = begin(POSTERN_SMTP_SUBMISSION);

        d->o.sasl_mechanisms = POSTERN_SASL_PLAIN;
        d->o.plaintext_without_tls = true;
        assert_int_equal(postern_smtp_new(&d->s, &d->o, NULL, 0), 0);
        turn(d);
        for (size_t i = 0; i < sizeof talk - 1; i += step) {
            char piece[100] = "";

            memcpy(piece, talk + i, sizeof talk - 1 - i < step ? sizeof talk - 1 - i : step);
            say(d, piece);
        }
        assert_non_null(strstr(d->said, "235 2.7.0"));
        end(d);
    }
    heap.looks = false;
}

#define TALK                                                                                  \
    "EHLO x\r\nAUTH PLAIN AGEAYg==\r\nAUTH LOGIN\r\nYQ==\r\nYg==\r\nMAIL FROM:<a@b.example> " \
    "SIZE=5 AUTH=<>\r\nRCPT TO:<c@d.example>\r\nRCPT TO:<e@d.example>\r\nDATA\r\n"

static int one_run(enum postern_smtp_role role, size_t fail_at)
{
    struct drive *d = begin(role);
    int result;

    heap.calls = 0;
    heap.fail_at = fail_at;
    d->o.sasl_mechanisms = POSTERN_SASL_PLAIN | POSTERN_SASL_LOGIN;
    d->o.plaintext_without_tls = true;
    result = postern_smtp_new(&d->s, &d->o, NULL, 0);
    if (result == 0) {
        turn(d);
        say(d, TALK);
        say(d, "Subject: x\r\n\r\nbody\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n");
        say(d, "BDAT 6\r\nbody\r\nBDAT 2 LAST\r\n\r\nQUIT\r\n");
        assert_true(postern_smtp_wants(d->s) & POSTERN_WANT_CLOSE);
        result = d->result;
        postern_smtp_free(&d->s);
    }
    heap.fail_at = 0;
    assert_int_equal(heap.live, 0);
    return result;
}

static void test_every_allocation_may_fail(void **state)
{
    (void)state;
    for (int role = POSTERN_SMTP_MX; role <= POSTERN_SMTP_SUBMISSION; role++) {
        size_t total;

        assert_int_equal(one_run((enum postern_smtp_role)role, 0), 0);
        total = heap.calls;
        assert_true(total > 20);
        for (size_t i = 1; i <= total; i++)
            (void)one_run((enum postern_smtp_role)role, i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_replies_are_made_fit),
        cmocka_unit_test(test_long_replies),
        cmocka_unit_test(test_refused_connection),
        cmocka_unit_test(test_each_may_be_refused),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_answer_each),
        cmocka_unit_test(test_reset_is_told),
        cmocka_unit_test(test_no_growth),
        cmocka_unit_test(test_secrets_are_wiped),
        cmocka_unit_test(test_every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
