/* SPDX-License-Identifier: MIT */
/* test_thread - trees of messages: whatever they refer to, each stands in them once, siblings by
 * date, and what is no message only holds several together at the top. */
#include "cmocka_all.h"

#include "proto/imap/thread.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const letters[] = {"", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"};

static void add(struct thread_forest *forest, size_t references, bool has_own)
{
    size_t count = references + has_own;
    struct thread_message *message =
        arena_alloc(forest->arena, sizeof *message + count * sizeof *message->ids);

    *message = (struct thread_message){.references = references,
                                       .count = count,
                                       .node = arena_alloc(forest->arena, sizeof *message->node)};
    *message->node = (struct thread_node){.uid = (uint32_t)++forest->messages};
    for (size_t i = 0; i < count; i++)
        message->ids[i] = (struct thread_id){.node = i == references ? message->node : NULL};
    *forest->end = message;
    forest->end = &message->next;
    forest->ids += count;
}

static struct postern_span letter(unsigned *seed, size_t most)
{
    size_t i = (size_t)rand_r(seed) % most;

    return (struct postern_span){letters[i], i ? 1 : 0};
}

static void fill(struct thread_forest *forest, unsigned *seed)
{
    for (unsigned i = 0, n = (unsigned)rand_r(seed) % 30; i < n; i++) {
        struct thread_message *message;

        add(forest, (size_t)rand_r(seed) % 4, rand_r(seed) % 5);
        for (message = forest->first; message->next;)
            message = message->next;
        for (size_t k = 0; k < message->count; k++)
            message->ids[k].text = letter(seed, 12);
        message->node->subject = letter(seed, 6);
        message->node->is_reply = rand_r(seed) % 2;
        message->node->sent = rand_r(seed) % 10;
    }
}

static int64_t date_of(const struct thread_node *node)
{
    while (!node->uid)
        node = node->child;
    return node->sent;
}

/* check - count what stands below a parent. Recursion is fine here: the trees are small. */
static size_t check(const struct thread_node *parent, const struct thread_node *top, bool *seen)
{
    size_t n = 0;

    for (const struct thread_node *node = parent->child; node; node = node->next) {
        assert_ptr_equal(node->parent, parent);
        if (node->next)
            assert_true(date_of(node) <= date_of(node->next));
        if (node->uid) {
            assert_false(seen[node->uid]);
            seen[node->uid] = true;
            n++;
        } else {
            assert_ptr_equal(parent, top);
            assert_non_null(node->child->next);
        }
        n += check(node, top, seen);
    }
    return n;
}

static void test_each_once(void **state)
{
    unsigned seed = 7;

    (void)state;
    for (unsigned round = 0; round < 4000; round++) {
        struct arena arena = {.allocator = NULL};
        struct thread_forest forest = {.arena = &arena};
        bool seen[64] = {false};

        forest.end = &forest.first;
        fill(&forest, &seed);
        assert_true(round % 4 ? thread_by_references(&forest) : thread_by_subject(&forest));
        assert_int_equal(check(&forest.top, &forest.top, seen), forest.messages);
        arena_drop(&arena);
    }
}

/* a reply to a reply to ...: as deep as it may be, then anew */
static void test_deep(void **state)
{
    enum { MOST = 3000 };
    static char texts[MOST + 1][24];
    struct arena arena = {.allocator = NULL};
    struct thread_forest forest = {.arena = &arena};
    size_t threads = 0, n = 0;

    (void)state;
    forest.end = &forest.first;
    for (size_t i = 1; i <= MOST; i++)
        add(&forest, 1, true);
    for (struct thread_message *message = forest.first; message; message = message->next) {
        n++;
        snprintf(texts[n], sizeof texts[n], "%zu", n);
        message->ids[0].text = (struct postern_span){texts[n - 1], strlen(texts[n - 1])};
        message->ids[1].text = (struct postern_span){texts[n], strlen(texts[n])};
        message->node->sent = (int64_t)n;
    }
    assert_true(thread_by_references(&forest));
    for (const struct thread_node *node = forest.top.child; node; node = node->next)
        threads++;
    assert_int_equal(threads, 3);
    arena_drop(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_once),
                                       cmocka_unit_test(test_deep)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
