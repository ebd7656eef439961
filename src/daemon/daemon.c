/* SPDX-License-Identifier: MIT */
/* daemon - `postern serve`: the steps of server.h, in order. Each step needs the rights of those
 * before it, or fewer. */
#include "daemon/daemon.h"

#include "base/memory.h"
#include "daemon/server.h"
#include <sysexits.h>

int daemon_serve(const struct config *config)
{
    struct server *server = memory_new(NULL, sizeof *server);
    int r;

    if (!server)
        return EX_OSERR;
    server_signals_block();
    r = server_init(server, config);
    if (!r)
        r = server_listen_all(server);
    if (!r)
        r = server_drop(server);
    if (!r)
        r = server_open(server);
    if (!r)
        r = server_run(server);
    server_done(server);
    memory_free(NULL, server);
    return r;
}
