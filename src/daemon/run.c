/* SPDX-License-Identifier: MIT */
/* run - from "ready" to the end: the main thread waits for signals while the loops work.
 *
 * SIGHUP reads users and certificates again and reopens the log. SIGTERM and SIGINT drain: sessions
 * end after the command they are at, and what is only marked is not deleted (R26); a second one
 * cuts them off. Trap: the signals must be blocked before any thread exists, so that only
 * sigtimedwait() sees them. */
#include "daemon/server.h"

#include "daemon/sdnotify.h"
#include "serve/clock.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sysexits.h>

#define DRAIN_LOOK_NS 20000000 /* how often a drain looks whether all have gone */

static void reload(struct server *server)
{
    sdnotify_reloading();
    if (log_reopen(server->log) < 0)
        server_fail(server, 0, "log", strerror(errno));
    if (accounts_reload(server->accounts) < 0)
        server_fail(server, 0, "accounts", accounts_error());
    if (net_tls_reload(server->tls) < 0)
        server_fail(server, 0, "tls", net_tls_error());
    log_note(server->log, LOG_LEVEL_INFO, "reloaded", NULL, NULL, NULL, NULL);
    sdnotify("READY=1");
}

static void wait_for_end(struct server *server, const sigset_t *signals)
{
    for (;;) {
        int signal = sigwaitinfo(signals, NULL);

        if (signal == SIGHUP)
            reload(server);
        else if (signal > 0)
            return;
    }
}

static void drain(struct server *server, const sigset_t *signals)
{
    const struct timespec look = {.tv_nsec = DRAIN_LOOK_NS};
    postern_time end = clock_now() + server->config->drain_timeout;

    log_note(server->log, LOG_LEVEL_INFO, "draining", NULL, NULL, NULL, NULL);
    sdnotify("STOPPING=1");
    net_loops_drain(server->loops, server->config->drain_timeout);
    while (net_connections(server->loops) > 0 && clock_now() < end) {
        int signal = sigtimedwait(signals, NULL, &look);

        if (signal == SIGTERM || signal == SIGINT) {
            net_loops_drain(server->loops, 0);
            break;
        }
    }
    net_loops_join(&server->loops);
}

static sigset_t our_signals(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    return signals;
}

void server_signals_block(void)
{
    sigset_t signals = our_signals();

    signal(SIGPIPE, SIG_IGN);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

int server_run(struct server *server)
{
    sigset_t signals = our_signals();

    if (net_loops_start(server->loops) < 0)
        return server_fail(server, EX_OSERR, "loops", strerror(errno));
    log_note(server->log, LOG_LEVEL_INFO, "ready", "version", POSTERN_VERSION, NULL, NULL);
    sdnotify("READY=1");
    wait_for_end(server, &signals);
    drain(server, &signals);
    log_note(server->log, LOG_LEVEL_INFO, "ended", NULL, NULL, NULL, NULL);
    return 0;
}
