/* SPDX-License-Identifier: MIT */
/* conn_poll - the uv_poll handle of a connection. It is an allocation of its own because libuv
 * keeps a handle until its close callback, when the connection may long be free or on another loop.
 */
#include "net/loop.h"

#include <stdlib.h>

struct conn_poll {
    uv_poll_t handle;
    struct net_conn *conn; /* NULL once ended */
    int mask, wanted;      /* what is waited for, and what is of use now */
};

static void conn_ready(uv_poll_t *handle, int status, int events)
{
    struct conn_poll *poll = handle->data;

    if (poll->conn && poll->wanted) {
        conn_service(poll->conn, status < 0 || (events & UV_READABLE));
    } else {
        uv_poll_stop(handle);
        poll->mask = 0;
    }
}

int conn_poll_start(struct net_conn *conn)
{
    struct conn_poll *poll = calloc(1, sizeof *poll);

    if (!poll)
        return POSTERN_E_NOMEM;
    if (uv_poll_init(&conn->loop->uv, &poll->handle, conn->fd) != 0) {
        free(poll);
        return POSTERN_E_IO;
    }
    poll->handle.data = poll;
    poll->conn = conn;
    conn->poll = poll;
    return 0;
}

static void poll_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void conn_poll_end(struct net_conn *conn)
{
    if (!conn->poll)
        return;
    conn->poll->conn = NULL;
    uv_close((uv_handle_t *)&conn->poll->handle, poll_closed);
    conn->poll = NULL;
}

void conn_poll_mask(struct net_conn *conn, int events)
{
    struct conn_poll *poll = conn->poll;

    if (!poll)
        return;
    poll->wanted = events;
    /* a peer seldom speaks while it waits for an answer: then it is told soon enough to be quiet */
    if (poll->mask == events || (!events && poll->mask == UV_READABLE))
        return;
    poll->mask = events;
    if (events)
        uv_poll_start(&poll->handle, events, conn_ready);
    else
        uv_poll_stop(&poll->handle);
}
