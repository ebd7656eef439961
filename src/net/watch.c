/* SPDX-License-Identifier: MIT */
/* watch - a descriptor that is no connection, watched by a loop. The handle outlives the watch
 * until libuv has closed it. */
#include "net/loop.h"

#include <stdlib.h>

struct net_watch {
    uv_poll_t handle;
    void (*ready)(void *arg); /* NULL once ended */
    void *arg;
};

static void watch_ready(uv_poll_t *handle, int status, int events)
{
    struct net_watch *watch = handle->data;

    (void)status, (void)events;
    if (watch->ready)
        watch->ready(watch->arg);
}

int net_watch_new(struct net_watch **watch_r, struct net_loop *loop, int fd,
                  void (*ready)(void *arg), void *arg)
{
    struct net_watch *watch = calloc(1, sizeof *watch);

    if (!watch)
        return POSTERN_E_NOMEM;
    if (uv_poll_init(&loop->uv, &watch->handle, fd) != 0) {
        free(watch);
        return POSTERN_E_IO;
    }
    watch->handle.data = watch;
    watch->ready = ready;
    watch->arg = arg;
    uv_poll_start(&watch->handle, UV_READABLE, watch_ready);
    *watch_r = watch;
    return 0;
}

static void watch_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void net_watch_free(struct net_watch **watch)
{
    if (!watch || !*watch)
        return;
    (*watch)->ready = NULL;
    uv_close((uv_handle_t *)&(*watch)->handle, watch_closed);
    *watch = NULL;
}
