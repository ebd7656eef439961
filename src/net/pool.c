/* SPDX-License-Identifier: MIT */
/* pool - threads for work that blocks: hashing, syncing, scanning. The queue is bounded: past it
 * the caller says "try later" at once instead of letting waiting pile up. */
#include "net/loop.h"

#include <stdlib.h>

struct job {
    struct job *next;
    struct net_loop *loop;
    void (*work)(void *arg);
    void (*done)(void *arg);
    void *arg;
};

struct net_pool {
    pthread_mutex_t mutex;
    pthread_cond_t some;
    struct job *first, **end;
    unsigned waiting, queue_max, threads;
    bool ending;
    pthread_t thread[];
};

static void job_done(void *arg)
{
    struct job *job = arg;

    atomic_fetch_sub(&job->loop->jobs, 1);
    job->done(job->arg);
    free(job);
}

static struct job *pool_take(struct net_pool *pool)
{
    struct job *job;

    pthread_mutex_lock(&pool->mutex);
    while (!pool->first && !pool->ending)
        pthread_cond_wait(&pool->some, &pool->mutex);
    job = pool->first;
    if (job) {
        pool->first = job->next;
        pool->waiting--;
        if (!pool->first)
            pool->end = &pool->first;
    }
    pthread_mutex_unlock(&pool->mutex);
    return job;
}

static void *pool_main(void *arg)
{
    struct net_pool *pool = arg;
    struct job *job;

    while ((job = pool_take(pool))) {
        job->work(job->arg);
        /* without memory to report, wait for some: a lost report would hang a session */
        while (net_loop_post(job->loop, job_done, job) < 0)
            nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    return NULL;
}

int net_pool_new(struct net_pool **pool_r, unsigned threads, unsigned queue_max)
{
    struct net_pool *pool;

    threads = threads ? threads : 1;
    pool = calloc(1, sizeof *pool + threads * sizeof *pool->thread);
    if (!pool)
        return POSTERN_E_NOMEM;
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->some, NULL);
    pool->end = &pool->first;
    pool->queue_max = queue_max;
    while (pool->threads < threads &&
           pthread_create(&pool->thread[pool->threads], NULL, pool_main, pool) == 0)
        pool->threads++;
    if (pool->threads == 0) {
        net_pool_free(&pool);
        return POSTERN_E_AGAIN;
    }
    *pool_r = pool;
    return 0;
}

int net_pool_submit(struct net_pool *pool, struct net_loop *loop, void (*work)(void *arg),
                    void (*done)(void *arg), void *arg)
{
    struct job *job = malloc(sizeof *job);
    int err = 0;

    if (!job)
        return POSTERN_E_NOMEM;
    *job = (struct job){.loop = loop, .work = work, .done = done, .arg = arg};
    pthread_mutex_lock(&pool->mutex);
    if (pool->waiting >= pool->queue_max || pool->ending) {
        err = POSTERN_E_AGAIN;
    } else {
        atomic_fetch_add(&loop->jobs, 1);
        *pool->end = job;
        pool->end = &job->next;
        pool->waiting++;
    }
    pthread_mutex_unlock(&pool->mutex);
    if (err)
        free(job);
    else
        pthread_cond_signal(&pool->some); /* who wakes up finds the mutex free */
    return err;
}

void net_pool_free(struct net_pool **pool_p)
{
    struct net_pool *pool = pool_p ? *pool_p : NULL;

    if (!pool)
        return;
    pthread_mutex_lock(&pool->mutex);
    pool->ending = true;
    pthread_cond_broadcast(&pool->some);
    pthread_mutex_unlock(&pool->mutex);
    for (unsigned i = 0; i < pool->threads; i++)
        pthread_join(pool->thread[i], NULL);
    pthread_mutex_destroy(&pool->mutex);
    pthread_cond_destroy(&pool->some);
    free(pool);
    *pool_p = NULL;
}
