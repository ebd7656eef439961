/* SPDX-License-Identifier: MIT */
/* session - the handle that a connection (net) and a protocol's session (serve) both know. */
#ifndef DAEMON_SESSION_H
#define DAEMON_SESSION_H

#include "daemon/server.h"

#include <stdatomic.h>

struct session {
    atomic_uint refs; /* a job's report may let go on the loop that the connection has just left */
    struct server *server;
    struct net_conn *conn;
    const struct serve_protocol *protocol;
    void *self;
    /* copies: a worker may log after the connection is gone */
    struct net_peer peer;
    char id[20], tls[96];
    postern_time later_at; /* POSTERN_NEVER: nothing is held back */
    void (*later)(void *arg);
    void *later_arg;
    void (*moved)(void *arg);
    void *moved_arg;
    struct net_bell bell; /* rings when there may be news */
    void (*heard)(void *arg);
    void *heard_arg;
};

/* session_unref - freed with the last one. */
void session_unref(struct session *session);

#endif
