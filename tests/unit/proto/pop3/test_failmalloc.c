/* SPDX-License-Identifier: MIT */
/* test_failmalloc - each allocation of a rich talk fails once: no crash, no leak, no half answer.
 */
#include "counting_heap.h"
#include "drive.h"

/* Hash functions and random bytes that are none: what matters here is the memory they work in. */
static int no_hash(enum postern_hash hash, struct postern_span data, unsigned char *out)
{
    memset(out, (int)data.n, hash == POSTERN_HASH_MD5 ? 16 : hash == POSTERN_HASH_SHA1 ? 20 : 32);
    return 0;
}

static int no_hmac(enum postern_hash hash, struct postern_span key, struct postern_span data,
                   unsigned char *out)
{
    (void)key;
    return no_hash(hash, data, out);
}

static int no_random(void *ctx, void *out, size_t n)
{
    (void)ctx;
    memset(out, 7, n);
    return 0;
}

static const struct postern_crypto crypto = {.hash = no_hash, .hmac = no_hmac};
static const struct postern_random entropy = {.fill = no_random};
static const struct postern_pop3_command commands[] = {
    {"XHI", POSTERN_POP3_TRANSACTION, 0, 1, false}};

/* without UTF8 mode, so that the first message comes as a surrogate */
static const struct postern_entry utf8_entries[] = {
    {.size_bytes = 24, .uid_offset = 0, .uid_length = 1, .flags = POSTERN_ENTRY_UTF8},
    {.size_bytes = 16, .uid_offset = 1, .uid_length = 1, .flags = POSTERN_ENTRY_UTF8},
    {.size_bytes = 24, .uid_offset = 2, .uid_length = 1}};

static const char scram_talk[] =
    "CAPA\r\nAUTH SCRAM-SHA-256 biwsbj11LHI9cm9wcm9wcm9w\r\n*\r\nAUTH "
    "SCRAM-SHA-1\r\nbiwsbj11LHI9cm9wcm9wcm9w\r\n"
    "Yz1iaXdzLHI9eCxwPWFiY2Q=\r\nUSER u\r\nPASS p\r\nXHI\r\nRETR 1\r\nTOP 2 1\r\nNOOP\r\nQUIT\r\n";

static const char talk[] =
    "CAPA\r\nLANG ja\r\nUTF8\r\nUSER x\r\nPASS \xc3\xa9\r\nAUTH PLAIN dQBwAA==\r\nAUTH "
    "PLAIN\r\n*\r\n"
    "APOP x c4c9334bac560ecc979e58001b3e22fb\r\nUSER u\r\nPASS "
    "p\r\nSTAT\r\nLIST\r\nUIDL\r\nCAPA\r\n"
    "RETR 1\r\nRETR 2\r\nTOP 3 1\r\nDELE UID:b\r\nRETR UID:new-1\r\nDELE UID:new-1\r\nDELI 3\r\n"
    "UIDL\r\nSLEE\r\nWAKE\r\nDELE 1\r\nQAUT\r\nUSER u\r\nPASS p\r\nDELE 1\r\nRSET\r\nQUIT\r\n";

/* one_run - 0 or the first error. */
static int one_run(struct postern_span said, bool utf8, size_t fail_at, size_t step)
{
    static struct drive d;
    int result;

    heap_fail(fail_at);
    drive_init(&d);
    d.options.allocator = &counting;
    d.options.stamp = POSTERN_POP3_STAMP_FIXED;
    d.options.stamp_text = drive_span("1.2");
    d.options.crypto = &crypto;
    d.options.random = &entropy;
    d.options.commands = commands;
    d.options.command_count = 1;
    if (utf8)
        d.entries = utf8_entries;
    result = postern_pop3_new(&d.s, &d.options, NULL, d.now);
    if (result == 0) {
        result = postern_pop3_set_capability(d.s, POSTERN_POP3_AUTHORIZATION, drive_span("XA"),
                                             drive_span("XA b"));
        drive_note(&d, result);
        while (drive_pump(&d))
            ;
        drive_send_bytes(&d, said, step);
        assert_true(postern_pop3_wants(d.s) & POSTERN_WANT_CLOSE || d.result < 0);
        result = d.result;
        postern_pop3_free(&d.s);
    }
    assert_null(d.s);
    assert_int_equal(heap.live, 0);
    return result;
}

static void sweep(struct postern_span said, bool utf8)
{
    for (size_t step = 1; step <= 64; step += 63) {
        size_t total;

        assert_int_equal(one_run(said, utf8, 0, step), 0);
        total = heap.calls;
        assert_true(total > 10);
        for (size_t i = 1; i <= total; i++) {
            int result = one_run(said, utf8, i, step);

            assert_true(result == 0 || result == POSTERN_E_NOMEM);
        }
    }
}

static void test_every_allocation_may_fail(void **state)
{
    (void)state;
    sweep((struct postern_span){talk, sizeof talk - 1}, false);
}

static void test_also_in_scram_and_surrogates(void **state)
{
    (void)state;
    sweep((struct postern_span){scram_talk, sizeof scram_talk - 1}, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_allocation_may_fail),
                                       cmocka_unit_test(test_also_in_scram_and_surrogates)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
