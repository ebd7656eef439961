/* SPDX-License-Identifier: MIT */
/* loop - the loops: their threads, their connections, and what is posted to them. A loop ends when
 * it drains, no connection is left anywhere and no pool job will report to it. */
#include "net/loop.h"

#include "base/memory.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

postern_time net_loop_now(const struct net_loop *loop)
{
    struct timespec now;

    (void)loop;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (postern_time)now.tv_sec * POSTERN_SECOND + (postern_time)now.tv_nsec;
}

unsigned net_loop_index(const struct net_loop *loop)
{
    return loop->index;
}

void loop_conn_add(struct net_loop *loop, struct net_conn *conn)
{
    conn->loop = loop;
    conn->next = loop->conns;
    conn->link = &loop->conns;
    if (conn->next)
        conn->next->link = &conn->next;
    loop->conns = conn;
}

void loop_conn_remove(struct net_conn *conn)
{
    loop_conn_due_never(conn);
    *conn->link = conn->next;
    if (conn->next)
        conn->next->link = conn->link;
}

void loop_wake(struct net_loop *loop)
{
    if (!loop->closed) /* within the lock: a handle that is closed meanwhile must not be sent to */
        uv_async_send(&loop->wake);
}

int net_loop_post(struct net_loop *loop, void (*fn)(void *arg), void *arg)
{
    struct post *post = malloc(sizeof *post);

    if (!post)
        return POSTERN_E_NOMEM;
    *post = (struct post){.fn = fn, .arg = arg};
    pthread_mutex_lock(&loop->mutex);
    *loop->posts_end = post;
    loop->posts_end = &post->next;
    loop_wake(loop);
    pthread_mutex_unlock(&loop->mutex);
    return 0;
}

static void run_posts(struct net_loop *loop)
{
    struct post *post;

    pthread_mutex_lock(&loop->mutex);
    post = loop->posts;
    loop->posts = NULL;
    loop->posts_end = &loop->posts;
    pthread_mutex_unlock(&loop->mutex);
    while (post) {
        struct post *next = post->next;

        post->fn(post->arg);
        free(post);
        post = next;
    }
}

static void woken(uv_async_t *wake)
{
    struct net_loop *loop = wake->data;

    run_posts(loop);
    loop_hear(loop);
    loop_check_end(loop);
}

static int loop_init(struct net_loops *loops, unsigned index)
{
    struct net_loop *loop = &loops->loops[index];

    loop->loops = loops;
    loop->index = index;
    loop->posts_end = &loop->posts;
    loop->timer_due = POSTERN_NEVER;
    if (uv_loop_init(&loop->uv) != 0)
        return POSTERN_E_IO;
    pthread_mutex_init(&loop->mutex, NULL);
    loop->wake.data = loop->timer.data = loop;
    if (uv_async_init(&loop->uv, &loop->wake, woken) != 0)
        return POSTERN_E_IO;
    uv_timer_init(&loop->uv, &loop->timer);
    return 0;
}

int net_loops_new(struct net_loops **loops_r, unsigned count)
{
    struct net_loops *loops = calloc(1, sizeof *loops);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    int err = 0;

    if (!loops)
        return POSTERN_E_NOMEM;
    atomic_init(&loops->grace_until, POSTERN_NEVER);
    loops->count = count ? count : cores > 0 ? (unsigned)cores : 1;
    loops->loops = calloc(loops->count, sizeof *loops->loops);
    if (!loops->loops || addresses_new(&loops->addresses) < 0)
        err = POSTERN_E_NOMEM;
    for (unsigned i = 0; !err && i < loops->count; i++)
        err = loop_init(loops, i);
    if (err) {
        addresses_free(&loops->addresses);
        free(loops->loops);
        free(loops);
        return err;
    }
    *loops_r = loops;
    return 0;
}

unsigned net_loops_count(const struct net_loops *loops)
{
    return loops->count;
}

struct net_loop *net_loops_at(struct net_loops *loops, unsigned index)
{
    return &loops->loops[index];
}

unsigned net_connections(const struct net_loops *loops)
{
    return atomic_load(&loops->connections);
}

static void *loop_main(void *arg)
{
    struct net_loop *loop = arg;

    uv_run(&loop->uv, UV_RUN_DEFAULT);
    return NULL;
}

int net_loops_start(struct net_loops *loops)
{
    for (unsigned i = 0; i < loops->count; i++) {
        struct net_loop *loop = &loops->loops[i];

        if (pthread_create(&loop->thread, NULL, loop_main, loop) != 0)
            return POSTERN_E_AGAIN;
        loop->started = true;
    }
    loops->started = true;
    return 0;
}

static void drain(void *arg)
{
    struct net_loop *loop = arg;
    struct net_conn *next;

    loop->draining = true;
    loop->cut_at = atomic_load(&loop->loops->grace_until);
    acceptors_stop(loop);
    for (struct net_conn *conn = loop->conns; conn; conn = next) {
        next = conn->next;
        conn_shutdown(conn);
    }
    loop_timer_set(loop, net_loop_now(loop));
    loop_check_end(loop);
}

void net_loops_drain(struct net_loops *loops, postern_time grace)
{
    postern_time now = net_loop_now(&loops->loops[0]);

    atomic_store(&loops->grace_until,
                 grace > POSTERN_NEVER - now ? POSTERN_NEVER - 1 : now + grace);
    atomic_store(&loops->draining, true);
    for (unsigned i = 0; i < loops->count; i++)
        if (net_loop_post(&loops->loops[i], drain, &loops->loops[i]) < 0)
            uv_async_send(&loops->loops[i].wake);
}

static void check_end(void *arg)
{
    loop_check_end(arg);
}

void loop_check_end(struct net_loop *loop)
{
    struct net_loops *loops = loop->loops;

    if (!loop->draining || atomic_load(&loop->ended) || atomic_load(&loops->connections) ||
        atomic_load(&loop->jobs))
        return;
    atomic_store(&loop->ended, true);
    pthread_mutex_lock(&loop->mutex);
    loop->closed = true;
    uv_close((uv_handle_t *)&loop->wake, NULL);
    pthread_mutex_unlock(&loop->mutex);
    uv_close((uv_handle_t *)&loop->timer, NULL);
    /* the last connection may have ended here while others wait for it */
    for (unsigned i = 0; i < loops->count; i++)
        if (&loops->loops[i] != loop && !atomic_load(&loops->loops[i].ended))
            net_loop_post(&loops->loops[i], check_end, &loops->loops[i]);
}

static void loop_done(struct net_loop *loop)
{
    if (loop->started)
        pthread_join(loop->thread, NULL);
    run_posts(loop);
    if (!atomic_load(&loop->ended)) {
        uv_close((uv_handle_t *)&loop->wake, NULL);
        uv_close((uv_handle_t *)&loop->timer, NULL);
    }
    acceptors_stop(loop);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    uv_loop_close(&loop->uv);
    pthread_mutex_destroy(&loop->mutex);
    free(loop->heap);
}

void net_loops_join(struct net_loops **loops_p)
{
    struct net_loops *loops = loops_p ? *loops_p : NULL;

    if (!loops)
        return;
    for (unsigned i = 0; i < loops->count; i++)
        loop_done(&loops->loops[i]);
    listeners_free(loops);
    addresses_free(&loops->addresses);
    free(loops->loops);
    free(loops);
    *loops_p = NULL;
}
