/* SPDX-License-Identifier: MIT */
/* thread - see thread.h. While references are followed a node knows its parent only; the lists of
 * children are made when all is linked. */
#include "proto/imap/thread.h"

#include "base/order.h"
#include "base/span.h"

#define DEPTH_MAX 1000 /* a reference that would hang something deeper is none */

/* ---- orders ---------------------------------------------------------------------------------- */

static int compare_spans(struct postern_span a, struct postern_span b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;

    return order ? order : (a.n > b.n) - (a.n < b.n);
}

/* dated - the message that a node is sorted by: the first child of one that is none. */
static const struct thread_node *dated(const struct thread_node *node)
{
    while (!node->uid && node->child)
        node = node->child;
    return node;
}

/* I 5256:3-27 I 5256:3-12 */
static bool is_older(const void *ctx, const void *left, const void *right)
{
    const struct thread_node *a = dated(left), *b = dated(right);

    (void)ctx;
    return a->sent != b->sent ? a->sent < b->sent : a->uid < b->uid;
}

static bool is_subject_before(const void *ctx, const void *left, const void *right)
{
    const struct thread_node *a = left, *b = right;
    int order = compare_spans(a->subject, b->subject);

    return order ? order < 0 : is_older(ctx, a, b);
}

static bool is_id_before(const void *ctx, const void *left, const void *right)
{
    const struct thread_id *a = left, *b = right;
    int order = compare_spans(a->text, b->text);

    (void)ctx;
    return order ? order < 0 : a->at < b->at;
}

/* ---- lists of children ----------------------------------------------------------------------- */

static void adopt(struct thread_node *parent, struct thread_node *node)
{
    node->parent = parent;
    node->next = parent->child;
    parent->child = node;
}

static void sort_children(const struct thread_forest *forest, struct thread_node *parent)
{
    size_t n = 0;

    if (!parent->child || !parent->child->next)
        return;
    for (struct thread_node *node = parent->child; node; node = node->next)
        forest->scratch[n++] = node;
    heap_sort(forest->scratch, n, is_older, NULL);
    parent->child = NULL;
    while (n)
        adopt(parent, forest->scratch[--n]);
}

/* prune - children that are no messages go: their own take the place. Of the threads themselves one
 * with several children stays, to hold them together.
 * I 5256:3-18 I 5256:3-19 I 5256:3-20 */
static void prune(const struct thread_forest *forest, struct thread_node *parent)
{
    struct thread_node *rest = parent->child, *next;

    parent->child = NULL;
    for (struct thread_node *node = rest; node; node = next) {
        struct thread_node *orphan = node->child;

        next = node->next;
        if (node->uid || (parent == &forest->top && orphan && orphan->next)) {
            adopt(parent, node);
            continue;
        }
        while (orphan) {
            struct thread_node *following = orphan->next;

            adopt(parent, orphan);
            orphan = following;
        }
    }
}

/* each_node - children before their parent, the top at last. */
static void each_node(struct thread_forest *forest,
                      void (*visit)(const struct thread_forest *forest, struct thread_node *))
{
    struct thread_node *node = &forest->top;

    for (;;) {
        while (node->child)
            node = node->child;
        for (; node != &forest->top; node = node->parent) {
            struct thread_node *next = node->next;

            visit(forest, node);
            if (next) {
                node = next;
                break;
            }
        }
        if (node == &forest->top)
            break;
    }
    visit(forest, &forest->top);
}

/* ---- references ------------------------------------------------------------------------------ */

static struct thread_node *node_new(struct thread_forest *forest)
{
    struct thread_node *node = arena_alloc(forest->arena, sizeof *node);

    if (node)
        *node = (struct thread_node){.uid = 0};
    return node;
}

/* owner - of ids that are equal: the first message that has it as its own; else a node of none.
 * I 5256:3-17 */
static struct thread_node *owner(struct thread_forest *forest, void **ids, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct thread_id *id = ids[i];

        if (id->node)
            return id->node;
    }
    return node_new(forest);
}

static size_t equal_ids(void **ids, size_t n)
{
    const struct thread_id *first = ids[0], *id;
    size_t equal = 1;

    while (equal < n && (id = ids[equal], span_equal(first->text, id->text)))
        equal++;
    return equal;
}

/* share_nodes - equal ids mean one node. */
static bool share_nodes(struct thread_forest *forest)
{
    void **ids = forest->scratch;
    size_t n = 0, equal;

    for (struct thread_message *message = forest->first; message; message = message->next)
        for (size_t i = 0; i < message->count; i++, n++) {
            message->ids[i].at = n;
            ids[n] = &message->ids[i];
        }
    heap_sort(ids, n, is_id_before, NULL);
    for (; n; n -= equal, ids += equal) {
        struct thread_node *node;

        equal = equal_ids(ids, n);
        node = owner(forest, ids, equal);
        if (!node)
            return false;
        for (size_t i = 0; i < equal; i++)
            ((struct thread_id *)ids[i])->node = node;
    }
    return true;
}

/* may_link - no loop would come of it, and nothing too deep.
 * I 5256:3-22 */
static bool may_link(const struct thread_node *parent, const struct thread_node *child)
{
    for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
        if (parent == child)
            return false;
        parent = parent->parent;
        if (!parent)
            return true;
    }
    return false;
}

/* I 5256:3-21 I 5256:3-23 */
static void link_message(struct thread_message *message)
{
    struct thread_node *parent = NULL;

    for (size_t i = 0; i < message->references; i++) {
        struct thread_node *node = message->ids[i].node;

        if (parent && !node->parent && may_link(parent, node))
            node->parent = parent;
        parent = node;
    }
    /* the last that it refers to is the truth, whatever others said before */
    message->node->parent = NULL;
    if (parent && may_link(parent, message->node))
        message->node->parent = parent;
}

/* ---- equal subjects -------------------------------------------------------------------------- */

static struct postern_span subject_of(const struct thread_node *thread)
{
    return dated(thread)->subject;
}

static bool is_thread_before(const void *ctx, const void *left, const void *right)
{
    int order = compare_spans(subject_of(left), subject_of(right));

    return order ? order < 0 : is_older(ctx, left, right);
}

/* leads - would rather be joined: what is no message, then what is no reply, then the oldest. */
static bool leads(const struct thread_node *a, const struct thread_node *b)
{
    if (!a->uid != !b->uid)
        return !a->uid;
    return a->uid && b->is_reply && !a->is_reply;
}

/* split_top - what a message held, and itself, go under a new top of equal subjects in its place.
 */
static bool split_top(struct thread_forest *forest, struct thread_node *thread)
{
    struct thread_node *message = node_new(forest);

    if (!message)
        return false;
    *message = *thread;
    for (struct thread_node *child = message->child; child; child = child->next)
        child->parent = message;
    thread->uid = 0;
    thread->child = NULL;
    adopt(thread, message);
    return true;
}

/* join - a thread goes to the first of its subject.
 * I 5256:3-24 I 5256:3-25 */
static bool join(struct thread_forest *forest, struct thread_node *first,
                 struct thread_node *thread)
{
    struct thread_node *child = thread->child, *next;

    if (first->uid && thread->is_reply == first->is_reply && !split_top(forest, first))
        return false;
    if (thread->uid) {
        adopt(first, thread);
        return true;
    }
    for (; child; child = next) {
        next = child->next;
        adopt(first, child);
    }
    return true;
}

/* join_equals - n threads of one subject, the oldest first. */
static bool join_equals(struct thread_forest *forest, void **threads, size_t n)
{
    struct thread_node *first = threads[0];

    for (size_t i = 1; i < n; i++)
        if (leads(threads[i], first))
            first = threads[i];
    adopt(&forest->top, first);
    for (size_t i = 0; i < n; i++)
        if (threads[i] != first && !join(forest, first, threads[i]))
            return false;
    return true;
}

/* I 5256:3-26 */
static size_t equal_subjects(void **threads, size_t n)
{
    struct postern_span subject = subject_of(threads[0]);
    size_t equal = 1;

    while (subject.n && equal < n && span_equal(subject, subject_of(threads[equal])))
        equal++;
    return equal;
}

static bool join_subjects(struct thread_forest *forest)
{
    void **threads = forest->scratch;
    size_t n = 0, equal;

    for (struct thread_node *node = forest->top.child; node; node = node->next)
        threads[n++] = node;
    heap_sort(threads, n, is_thread_before, NULL);
    forest->top.child = NULL;
    for (; n; n -= equal, threads += equal) {
        equal = equal_subjects(threads, n);
        if (!join_equals(forest, threads, equal))
            return false;
    }
    return true;
}

/* ---- the two ways ---------------------------------------------------------------------------- */

static bool begin(struct thread_forest *forest)
{
    forest->scratch =
        arena_alloc(forest->arena, (forest->ids + forest->messages + 1) * sizeof(void *));
    return forest->scratch != NULL;
}

static void hang(struct thread_forest *forest, struct thread_node *node)
{
    if (!node->is_hung)
        adopt(node->parent ? node->parent : &forest->top, node);
    node->is_hung = true;
}

bool thread_by_references(struct thread_forest *forest)
{
    if (!begin(forest) || !share_nodes(forest))
        return false;
    for (struct thread_message *message = forest->first; message; message = message->next)
        link_message(message);
    for (struct thread_message *message = forest->first; message; message = message->next) {
        for (size_t i = 0; i < message->count; i++)
            hang(forest, message->ids[i].node);
        hang(forest, message->node);
    }
    each_node(forest, prune);
    each_node(forest, sort_children);
    if (!join_subjects(forest))
        return false;
    each_node(forest, sort_children);
    return true;
}

/* I 5256:3-11 */
bool thread_by_subject(struct thread_forest *forest)
{
    struct thread_node *first = NULL;
    size_t n = 0;

    if (!begin(forest))
        return false;
    for (struct thread_message *message = forest->first; message; message = message->next)
        forest->scratch[n++] = message->node;
    heap_sort(forest->scratch, n, is_subject_before, NULL);
    for (size_t i = 0; i < n; i++) {
        struct thread_node *node = forest->scratch[i];

        if (!first || !span_equal(first->subject, node->subject))
            first = node;
        adopt(first == node ? &forest->top : first, node);
    }
    each_node(forest, sort_children);
    return true;
}
