/* SPDX-License-Identifier: MIT */
/* bell - any number of bells share their loop's one descriptor for being woken. Whoever rings puts
 * the bell into the loop's list of those that rang, unless it is there; the loop takes the list
 * whole, so that a bell that goes on ringing keeps nobody waiting, and hears one after the other.
 * The mutex is not held meanwhile: who hears may ring, hang up and take down what he likes. */
#include "net/loop.h"

static void bell_link(struct net_bell *bell, struct net_bell **list)
{
    bell->next = *list;
    bell->link = list;
    if (bell->next)
        bell->next->link = &bell->next;
    *list = bell;
}

static void bell_unlink(struct net_bell *bell)
{
    if (!bell->link)
        return;
    *bell->link = bell->next;
    if (bell->next)
        bell->next->link = bell->link;
    bell->link = NULL;
}

void net_bell_hang(struct net_bell *bell, struct net_loop *loop, void (*heard)(void *arg),
                   void *arg)
{
    *bell = (struct net_bell){.loop = loop, .heard = heard, .arg = arg};
}

void net_bell_ring(struct net_bell *bell)
{
    struct net_loop *loop = bell->loop;

    pthread_mutex_lock(&loop->mutex);
    if (bell->heard && !bell->link) {
        if (!loop->rang) /* else the loop is woken already, and has not looked */
            loop_wake(loop);
        bell_link(bell, &loop->rang);
    }
    pthread_mutex_unlock(&loop->mutex);
}

void net_bell_take_down(struct net_bell *bell)
{
    if (!bell->loop)
        return;
    pthread_mutex_lock(&bell->loop->mutex);
    bell_unlink(bell);
    bell->heard = NULL;
    pthread_mutex_unlock(&bell->loop->mutex);
}

/* take - the next of those that are to be heard; NULL: none. */
static struct net_bell *take(struct net_loop *loop)
{
    struct net_bell *bell;

    pthread_mutex_lock(&loop->mutex);
    bell = loop->hearing;
    if (bell)
        bell_unlink(bell);
    pthread_mutex_unlock(&loop->mutex);
    return bell;
}

void loop_hear(struct net_loop *loop)
{
    struct net_bell *bell;

    pthread_mutex_lock(&loop->mutex);
    loop->hearing = loop->rang;
    loop->rang = NULL;
    if (loop->hearing)
        loop->hearing->link = &loop->hearing;
    pthread_mutex_unlock(&loop->mutex);
    while ((bell = take(loop)))
        bell->heard(bell->arg);
}
