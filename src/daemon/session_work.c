/* SPDX-License-Identifier: MIT */
/* session_work - what a protocol's session (serve) asks of its connection: work on other threads,
 * time, another loop, a bell, the log.
 *
 * The handle is counted, since work on a worker thread may outlive the connection; all counting
 * happens on the connection's loop, and a session with work out does not move. Trap: conn is NULL
 * once the connection is gone; only a job that comes home late sees that. */
#include "daemon/session.h"

#include "base/memory.h"
#include <string.h>

void session_unref(struct session *session)
{
    if (atomic_fetch_sub(&session->refs, 1) == 1)
        memory_free(NULL, session);
}

struct errand {
    struct session *session;
    void (*work)(void *arg);
    void (*done)(void *arg);
    void *arg;
};

static void errand_work(void *arg)
{
    struct errand *errand = arg;

    errand->work(errand->arg);
}

static void errand_done(void *arg)
{
    struct errand *errand = arg;
    struct session *session = errand->session;

    errand->done(errand->arg);
    memory_free(NULL, errand);
    if (session->conn)
        net_conn_kick(session->conn);
    session_unref(session);
}

static int run_on(struct net_pool *pool, struct session *session, void (*work)(void *arg),
                  void (*done)(void *arg), void *arg)
{
    struct errand *errand = memory_new(NULL, sizeof *errand);
    int r;

    if (!errand)
        return POSTERN_E_NOMEM;
    *errand = (struct errand){session, work, done, arg};
    atomic_fetch_add(&session->refs, 1);
    r = net_pool_submit(pool, net_conn_loop(session->conn), errand_work, errand_done, errand);
    if (r < 0) {
        atomic_fetch_sub(&session->refs, 1);
        memory_free(NULL, errand);
    }
    return r;
}

static int work_run(void *conn, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
    struct session *session = conn;

    return run_on(session->server->pool, session, work, done, arg);
}

static int work_run_long(void *conn, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
    struct session *session = conn;

    return run_on(session->server->pool_long, session, work, done, arg);
}

/* Held by the session's own deadline, so nothing is left behind when the connection goes. */
static int work_later(void *conn, postern_time wait, void (*done)(void *arg), void *arg)
{
    struct session *session = conn;

    session->later_at = net_loop_now(net_conn_loop(session->conn)) + wait;
    session->later = done;
    session->later_arg = arg;
    return 0;
}

static void conn_moved(void *self)
{
    struct session *session = self;

    session->moved(session->moved_arg);
}

static int work_own(void *conn, struct postern_span user, void (*done)(void *arg), void *arg)
{
    struct session *session = conn;
    struct net_loop *here = net_conn_loop(session->conn);
    unsigned index = users_owner(session->server->users, user, net_loop_index(here));
    struct net_loop *owner = net_loops_at(session->server->loops, index);

    if (owner == here) {
        done(arg);
        return 0;
    }
    session->moved = done;
    session->moved_arg = arg;
    return net_conn_move(session->conn, owner, conn_moved);
}

static void bell_heard(void *arg)
{
    struct session *session = arg;

    session->heard(session->heard_arg);
    net_conn_kick(session->conn);
}

static void bell_ring(void *arg)
{
    net_bell_ring(&((struct session *)arg)->bell);
}

static struct postern_bell work_hang(void *conn, void (*heard)(void *arg), void *arg)
{
    struct session *session = conn;

    session->heard = heard;
    session->heard_arg = arg;
    net_bell_hang(&session->bell, net_conn_loop(session->conn), bell_heard, session);
    return (struct postern_bell){bell_ring, session};
}

static void work_take_down(void *conn)
{
    net_bell_take_down(&((struct session *)conn)->bell);
}

static const char *work_tls(void *conn)
{
    return ((struct session *)conn)->tls;
}

#define PAIRS_MAX 24

static enum log_level level_of(const char *event)
{
    if (strcmp(event, "error") == 0)
        return LOG_LEVEL_ERROR;
    return strcmp(event, "login-failed") == 0 ? LOG_LEVEL_WARN : LOG_LEVEL_INFO;
}

static void work_log(void *conn, const char *event, const char *const *pairs)
{
    struct session *session = conn;
    const char *all[PAIRS_MAX + 7] = {"session", session->id, "peer", session->peer.text};
    size_t n = 4;

    for (size_t i = 0; pairs[i] && i < PAIRS_MAX; i += 2) {
        all[n++] = pairs[i];
        all[n++] = pairs[i + 1];
    }
    if (strcmp(event, "login") == 0 || strcmp(event, "closed") == 0) { /* R96 */
        all[n++] = "tls";
        all[n++] = session->tls;
    }
    log_event(session->server->log, level_of(event), event, all);
}

void session_work(struct serve_work *work)
{
    *work = (struct serve_work){.run = work_run,
                                .run_long = work_run_long,
                                .later = work_later,
                                .own = work_own,
                                .hang = work_hang,
                                .take_down = work_take_down,
                                .tls = work_tls,
                                .log = work_log};
}
