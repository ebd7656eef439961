/* SPDX-License-Identifier: MIT */
/* test_failmalloc - each allocation of a rich talk fails once: no crash, no leak, no half answer.
 */
#include "drive.h"

static struct {
    size_t live, calls, fail_at;
} heap;

static void *counting_resize(void *ctx, void *p, size_t n)
{
    void *moved;

    (void)ctx;
    if (n == 0) {
        if (p)
            heap.live--;
        free(p);
        return NULL;
    }
    if (++heap.calls == heap.fail_at)
        return NULL;
    moved = realloc(p, n);
    if (moved && !p)
        heap.live++;
    return moved;
}

static const struct postern_allocator counting = {.resize = counting_resize};

static const char talk[] =
    "CAPA\r\nLANG ja\r\nUTF8\r\nUSER x\r\nPASS \xc3\xa9\r\nAUTH PLAIN dQBwAA==\r\nAUTH "
    "PLAIN\r\n*\r\n"
    "APOP x c4c9334bac560ecc979e58001b3e22fb\r\nUSER u\r\nPASS "
    "p\r\nSTAT\r\nLIST\r\nUIDL\r\nCAPA\r\n"
    "RETR 1\r\nRETR 2\r\nTOP 3 1\r\nDELE UID:b\r\nRETR UID:new-1\r\nDELE UID:new-1\r\nDELI 3\r\n"
    "UIDL\r\nSLEE\r\nWAKE\r\nDELE 1\r\nQAUT\r\nUSER u\r\nPASS p\r\nDELE 1\r\nRSET\r\nQUIT\r\n";

/* one_run - 0 or the first error. */
static int one_run(size_t fail_at, size_t step)
{
    static struct drive d;
    int result;

    heap.live = heap.calls = 0;
    heap.fail_at = fail_at;
    drive_init(&d);
    d.options.allocator = &counting;
    d.options.stamp = POSTERN_POP3_STAMP_FIXED;
    d.options.stamp_text = drive_span("1.2");
    result = postern_pop3_new(&d.s, &d.options, NULL, d.now);
    if (result == 0) {
        result = postern_pop3_set_capability(d.s, POSTERN_POP3_AUTHORIZATION, drive_span("XA"),
                                             drive_span("XA b"));
        drive_note(&d, result);
        while (drive_pump(&d))
            ;
        drive_send_bytes(&d, (struct postern_span){talk, sizeof talk - 1}, step);
        assert_true(postern_pop3_wants(d.s) & POSTERN_WANT_CLOSE || d.result < 0);
        result = d.result;
        postern_pop3_free(&d.s);
    }
    assert_null(d.s);
    assert_int_equal(heap.live, 0);
    return result;
}

static void test_every_allocation_may_fail(void **state)
{
    (void)state;
    for (size_t step = 1; step <= 64; step += 63) {
        size_t total;

        assert_int_equal(one_run(0, step), 0);
        total = heap.calls;
        assert_true(total > 10);
        for (size_t i = 1; i <= total; i++) {
            int result = one_run(i, step);

            assert_true(result == 0 || result == POSTERN_E_NOMEM);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_allocation_may_fail)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
