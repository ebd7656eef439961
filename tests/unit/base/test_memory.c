/* SPDX-License-Identifier: MIT */
#include "cmocka_all.h"
#include "meter.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "base/span.h"
#include <stdlib.h>

static void test_arena_aligns_and_frees_all(void **state)
{
    struct meter meter = {.left = 100};
    struct postern_allocator allocator = {meter_resize, &meter};
    struct arena arena = {.allocator = &allocator};

    (void)state;
    for (size_t n = 1; n < 3000; n += 7) {
        char *p = arena_alloc(&arena, n);
        if (!p)
            break;
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        memset(p, 0xa5, n);
    }
    assert_true(arena.held_bytes > 3000);
    arena_drop(&arena);
    assert_int_equal(meter.held, 0);
    assert_int_equal(arena.held_bytes, 0);
}

static void test_arena_refuses_the_absurd(void **state)
{
    struct arena arena = {0};

    (void)state;
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_alloc(&arena, SIZE_MAX - 8));
    arena_drop(&arena);
}

static void test_arena_copy_ends_with_nul(void **state)
{
    struct arena arena = {0};
    struct postern_span copy;

    (void)state;
    assert_int_equal(arena_copy(&arena, SPAN("abc"), &copy), 0);
    assert_string_equal(copy.p, "abc");
    assert_int_equal(copy.n, 3);
    arena_drop(&arena);
}

static void test_buffer_keeps_order(void **state)
{
    struct buffer b = {0};

    (void)state;
    for (int i = 0; i < 1000; i++) {
        buffer_append_number(&b, (uint64_t)i);
        buffer_append_char(&b, ',');
    }
    buffer_take(&b, 4);
    assert_true(span_begins(buffer_span(&b), SPAN("2,3,")));
    buffer_append_text(&b, "end");
    assert_true(span_equal(span_from(buffer_span(&b), buffer_length(&b) - 7), SPAN("999,end")));
    buffer_take(&b, buffer_length(&b));
    assert_int_equal(buffer_length(&b), 0);
    buffer_append_number(&b, UINT64_MAX);
    assert_true(span_equal(buffer_span(&b), SPAN("18446744073709551615")));
    buffer_done(&b);
    assert_null(b.data);
}

/* struct shelf - memory that is never given twice, so that what was given back can be looked at. */
struct shelf {
    char room[8192];
    size_t used;
};

static void *shelf_resize(void *ctx, void *p, size_t n)
{
    struct shelf *shelf = ctx;
    char *fresh = shelf->room + shelf->used;

    if (n == 0)
        return NULL;
    assert_true(shelf->used + n <= sizeof shelf->room);
    if (p) /* no more is behind it than what came after */
        memmove(fresh, p, n < (size_t)(fresh - (char *)p) ? n : (size_t)(fresh - (char *)p));
    shelf->used += n;
    return fresh;
}

static size_t count_in(const struct shelf *shelf, struct postern_span text)
{
    struct postern_span rest = span_make(shelf->room, shelf->used);
    size_t count = 0;

    for (const char *at; (at = memmem(rest.p, rest.n, text.p, text.n)); count++)
        rest = span_from(rest, (size_t)(at - rest.p) + text.n);
    return count;
}

/* test_buffer_wipes - a password is nowhere when the buffer has grown, and when it is done; one
 * that is plain spares itself that, and says the same. */
static void test_buffer_wipes(void **state)
{
    (void)state;
    for (int plain = 0; plain < 2; plain++) {
        struct shelf shelf = {.used = 0};
        struct postern_allocator allocator = {shelf_resize, &shelf};
        struct buffer b = {.allocator = &allocator, .plain = plain};

        buffer_append_text(&b, "open sesame");
        while (buffer_length(&b) < 1000)
            buffer_append_char(&b, '.');
        assert_true(span_begins(buffer_span(&b), SPAN("open sesame.....")));
        assert_int_equal(buffer_length(&b), 1000);
        assert_int_equal(count_in(&shelf, SPAN("sesame")), plain ? 3 : 1);
        buffer_done(&b);
        assert_int_equal(count_in(&shelf, SPAN("sesame")), plain ? 3 : 0);
        assert_int_equal(b.plain, plain);
        assert_int_equal(buffer_length(&b), 0);
    }
}

static void test_buffer_error_sticks(void **state)
{
    struct meter meter = {.left = 1};
    struct postern_allocator allocator = {meter_resize, &meter};
    struct buffer b = {.allocator = &allocator};
    char big[300] = {0};

    (void)state;
    buffer_append_text(&b, "first");
    assert_int_equal(b.error, 0);
    buffer_append(&b, span_make(big, sizeof big));
    assert_int_equal(b.error, POSTERN_E_NOMEM);
    buffer_append_text(&b, "x");
    assert_true(span_equal(buffer_span(&b), SPAN("first")));
    assert_null(buffer_room(&b, 1));
    buffer_done(&b);
    assert_int_equal(meter.held, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena_aligns_and_frees_all),
        cmocka_unit_test(test_arena_refuses_the_absurd),
        cmocka_unit_test(test_arena_copy_ends_with_nul),
        cmocka_unit_test(test_buffer_keeps_order),
        cmocka_unit_test(test_buffer_wipes),
        cmocka_unit_test(test_buffer_error_sticks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
