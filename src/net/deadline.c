/* SPDX-License-Identifier: MIT */
/* deadline - one timer for all connections of a loop. The heap is lazy: a deadline that moves later
 * stays where it is and is looked at once too often, so that a command costs no timer work.
 * Invariant: conn->due is never later than the true deadline. */
#include "net/loop.h"

#include <stdlib.h>

static void heap_put(struct net_loop *loop, size_t at, struct net_conn *conn)
{
    loop->heap[at] = conn;
    conn->heap_at = at + 1;
}

static void heap_up(struct net_loop *loop, size_t at)
{
    struct net_conn *conn = loop->heap[at];

    while (at && loop->heap[(at - 1) / 2]->due > conn->due) {
        heap_put(loop, at, loop->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_put(loop, at, conn);
}

static void heap_down(struct net_loop *loop, size_t at)
{
    struct net_conn *conn = loop->heap[at];

    for (;;) {
        size_t child = 2 * at + 1;

        if (child + 1 < loop->heap_count && loop->heap[child + 1]->due < loop->heap[child]->due)
            child++;
        if (child >= loop->heap_count || loop->heap[child]->due >= conn->due)
            break;
        heap_put(loop, at, loop->heap[child]);
        at = child;
    }
    heap_put(loop, at, conn);
}

static bool heap_room(struct net_loop *loop)
{
    size_t size = loop->heap_size ? loop->heap_size * 2 : 64;
    struct net_conn **heap;

    if (loop->heap_count < loop->heap_size)
        return true;
    heap = realloc(loop->heap, size * sizeof *heap);
    if (!heap)
        return false;
    loop->heap = heap;
    loop->heap_size = size;
    return true;
}

static void heap_remove(struct net_loop *loop, struct net_conn *conn)
{
    size_t at = conn->heap_at - 1;
    struct net_conn *last = loop->heap[--loop->heap_count];

    conn->heap_at = 0;
    if (last == conn)
        return;
    heap_put(loop, at, last);
    heap_up(loop, at);
    heap_down(loop, last->heap_at - 1);
}

static void timer_fired(uv_timer_t *timer);

void loop_timer_set(struct net_loop *loop, postern_time now)
{
    postern_time due = loop->heap_count ? loop->heap[0]->due : POSTERN_NEVER;

    if (loop->draining && loop->cut_at < due)
        due = loop->cut_at;
    if (due == loop->timer_due)
        return;
    loop->timer_due = due;
    if (due == POSTERN_NEVER) {
        uv_timer_stop(&loop->timer);
        return;
    }
    uv_update_time(&loop->uv);
    uv_timer_start(&loop->timer, timer_fired, due > now ? (due - now) / 1000000 + 1 : 0, 0);
}

void loop_conn_due(struct net_conn *conn, postern_time due)
{
    struct net_loop *loop = conn->loop;

    if (conn->heap_at) {
        if (due >= conn->due)
            return; /* looked at in time anyway */
        conn->due = due;
        heap_up(loop, conn->heap_at - 1);
    } else {
        if (due == POSTERN_NEVER || !heap_room(loop))
            return;
        conn->due = due;
        heap_put(loop, loop->heap_count++, conn);
        heap_up(loop, conn->heap_at - 1);
    }
    loop_timer_set(loop, net_loop_now(loop));
}

void loop_conn_due_never(struct net_conn *conn)
{
    if (conn->heap_at)
        heap_remove(conn->loop, conn);
}

static void cut_all(struct net_loop *loop)
{
    struct net_conn *next;

    for (struct net_conn *conn = loop->conns; conn; conn = next) {
        next = conn->next;
        conn_close(conn, "cut off");
    }
}

static void timer_fired(uv_timer_t *timer)
{
    struct net_loop *loop = timer->data;
    postern_time now = net_loop_now(loop);

    loop->timer_due = POSTERN_NEVER;
    if (loop->draining && now >= loop->cut_at) {
        loop->cut_at = POSTERN_NEVER;
        cut_all(loop);
    }
    while (loop->heap_count && loop->heap[0]->due <= now) {
        struct net_conn *conn = loop->heap[0];

        heap_remove(loop, conn);
        conn_expired(conn, now);
    }
    loop_timer_set(loop, now);
    loop_check_end(loop);
}
