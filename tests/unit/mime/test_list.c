/* SPDX-License-Identifier: MIT */
/* test_list - the lists that a block holds are those that would be written, and whoever changes
 * what is written must say that blocks of before are no good. */
#include "cmocka_all.h"

#include "mime/block.h"
#include "mime/list.h"
#include <postern/mime.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIXED                                                                                      \
    "Date: Sat, 21 Nov 2026 10:00:00 +0000\nFrom: \"A \\\"B\\\" C\" <a@b>, d@e (D)\n"              \
    "Reply-To: <@r,@s:x@y>\nTo: friends: g@h, i@j;, <no>\nSubject: =?utf-8?q?caf=C3=A9?=\n"        \
    "In-Reply-To: <1@b>\nMessage-ID: <2@b>\nContent-Type: multipart/mixed; boundary=\"b c\"\n\n"   \
    "--b c\nContent-Type: text/html; charset=utf-8\nContent-Language: de, en\n"                    \
    "Content-Disposition: attachment; filename=\"x\\\\y\"\nContent-ID: <i>\n\n<p>\n--b c\n"        \
    "Content-Type: message/rfc822\n\nSubject: within\n\ntext\n--b c\nContent-Type: message/global" \
    "\nContent-Transfer-Encoding: base64\n\nU3Vi\n--b c\nContent-Type: multipart/x\n\n--b c--\n"

static const char *const mails[] = {"Subject: s\nFrom: a@b\n\nbody\n",
                                    MIXED,
                                    "",
                                    "Subject: caf\xc3\xa9\n\n",
                                    "Subject: caf\xe9\nFrom: <a@b>\n\n",
                                    "Content-Type: text/plain; name*0=a; name*1=b\n\n"};
#define MAILS (sizeof mails / sizeof *mails)

static struct postern_mime *scan(const char *message, struct postern_span *block_r)
{
    struct postern_mime *mime;

    assert_int_equal(postern_mime_new(&mime, NULL, NULL), 0);
    postern_mime_feed(mime, postern_span_of(message));
    assert_int_equal(postern_mime_end(mime, block_r), 0);
    assert_true(postern_mime_check(*block_r));
    return mime;
}

static void write_both(struct postern_span block, bool utf8, struct buffer *envelope,
                       struct buffer *body)
{
    struct list list = {.out = envelope, .utf8 = utf8, .rev2 = utf8};

    mime_write_envelope(&list, block, 0);
    list.out = body;
    mime_write_body(&list, block, true);
    assert_int_equal(envelope->error | body->error, 0);
}

static void assert_kept(struct postern_span kept, struct postern_span written)
{
    if (kept.p && !span_equal(kept, written))
        fail_msg("\"%.*s\", not \"%.*s\"", SPAN_ARG(kept), SPAN_ARG(written));
}

static void test_kept_as_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * MAILS; i++) {
        struct buffer envelope = {0}, body = {0};
        struct postern_span block;
        struct postern_mime *mime = scan(mails[i / 2], &block);

        write_both(block, i % 2, &envelope, &body);
        assert_kept(mime_kept_envelope(block), buffer_span(&envelope));
        assert_kept(mime_kept_body(block), buffer_span(&body));
        assert_int_equal(mime_kept_envelope(block).p != NULL, i / 2 != 3 && i / 2 != 4);
        assert_int_equal(mime_kept_body(block).p != NULL, i / 2 != 5);
        buffer_done(&envelope);
        buffer_done(&body);
        postern_mime_free(&mime);
    }
}

/* Many parts, or long values, are told but not kept. */
static void test_monsters_are_not_kept(void **state)
{
    char message[30000];
    struct postern_span block;
    struct postern_mime *mime;
    size_t n;

    (void)state;
    snprintf(message, sizeof message, "Subject: %020000d", 0);
    mime = scan(message, &block);
    assert_null(mime_kept_envelope(block).p);
    postern_mime_free(&mime);
    n = (size_t)snprintf(message, sizeof message, "Content-Type: multipart/x; boundary=b\n\n");
    for (unsigned i = 0; i < 100; i++)
        n += (size_t)snprintf(message + n, sizeof message - n, "--b\n\nx\n");
    mime = scan(message, &block);
    assert_null(mime_kept_body(block).p);
    postern_mime_free(&mime);
}

/* What was not looked into is told as octets: a multipart without parts is nothing that a client
 * can read. I 7.5.2-16 */
static void test_multipart_too_deep_is_octets(void **state)
{
    struct postern_mime_options options;
    struct buffer body = {0};
    struct list list = {.out = &body};
    struct postern_mime *mime;
    struct postern_span block;

    (void)state;
    postern_mime_options_init(&options);
    options.depth_max = 2;
    assert_int_equal(postern_mime_new(&mime, &options, NULL), 0);
    postern_mime_feed(mime, postern_span_of("Content-Type: multipart/x; boundary=a\n\n--a\n"
                                            "Content-Type: multipart/y; boundary=b\n\n--b\n"));
    assert_int_equal(postern_mime_end(mime, &block), 0);
    mime_write_body(&list, block, false);
    buffer_append_char(&body, '\0');
    assert_string_equal(buffer_span(&body).p, "((\"application\" \"octet-stream\" NIL NIL NIL "
                                              "\"7bit\" 5) \"x\")");
    buffer_done(&body);
    postern_mime_free(&mime);
}

/* Blocks are kept on disks: lists that are told otherwise need another VERSION, and then this. */
static void test_version_tells_what_is_written(void **state)
{
    struct buffer all = {0};

    (void)state;
    for (size_t i = 0; i < MAILS; i++) {
        struct postern_span block;
        struct postern_mime *mime = scan(mails[i], &block);

        write_both(block, false, &all, &all);
        postern_mime_free(&mime);
    }
    if (VERSION != 4 || span_hash(buffer_span(&all)) != UINT64_C(0xdd9abcd981724820))
        fail_msg("version %d, %#llx: \"%.*s\"", VERSION,
                 (unsigned long long)span_hash(buffer_span(&all)), SPAN_ARG(buffer_span(&all)));
    buffer_done(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept_as_written),
        cmocka_unit_test(test_monsters_are_not_kept),
        cmocka_unit_test(test_multipart_too_deep_is_octets),
        cmocka_unit_test(test_version_tells_what_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
