/* SPDX-License-Identifier: MIT */
/* server - builds the parts of a running server and gives them back.
 *
 * Owns everything in struct server. Order of the end: loops first (their sessions use all the
 * rest), then the workers, then store and accounts. */
#include "daemon/server.h"

#include "daemon/filter.h"
#include "daemon/parts.h"
#include "daemon/program.h"
#include "daemon/sendmail.h"
#include "daemon/smarthost.h"

#include "base/span.h"
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

#define POOL_QUEUE_MAX 4096  /* more waiting work than this is refused: [SYS/TEMP] */
#define POOL_LONG_THREADS 64 /* they wait, and do little */
#define DELAY_ENTRIES 65536

int server_fail(struct server *server, int code, const char *what, const char *why)
{
    log_note(server->log, LOG_LEVEL_ERROR, "error", "what", what, "why", why);
    return code;
}

/* ---- TLS ------------------------------------------------------------------------------------- */

/* each "CERT:KEY"; the key's path has no colon in it */
static int tls_extra(struct net_tls *tls, char *const *list)
{
    char cert[4096];
    int r = 0;

    for (; list && *list && r >= 0; list++) {
        const char *colon = strrchr(*list, ':');

        if (!colon || (size_t)(colon - *list) >= sizeof cert)
            return POSTERN_E_SYNTAX;
        snprintf(cert, sizeof cert, "%.*s", (int)(colon - *list), *list);
        r = net_tls_add(tls, cert, colon + 1);
    }
    return r;
}

static int tls_open(struct server *server)
{
    const struct config *config = server->config;
    const char *cert = *config->tls_cert ? config->tls_cert : NULL;
    const char *key = *config->tls_key ? config->tls_key : NULL;
    const char *host = *config->host ? config->host : "localhost";
    int r = net_tls_new(&server->tls, cert, key, host);

    if (r >= 0)
        r = tls_extra(server->tls, config->tls_extra);
    if (r >= 0 && *config->tls_client_ca)
        r = net_tls_client_ca(server->tls, config->tls_client_ca);
    return r < 0 ? server_fail(server, EX_CONFIG, "tls", net_tls_error()) : 0;
}

static void log_open_failed(const struct config *config, int err)
{
    fprintf(stderr, "postern: log %s: %s\n", config->log,
            err == POSTERN_E_IO ? strerror(errno) : postern_err_text(err));
}

int server_init(struct server *server, const struct config *config)
{
    int r = log_open(&server->log, config->log, config->log_level);

    if (r < 0) {
        log_open_failed(config, r);
        return EX_CONFIG;
    }
    server->config = config;
    /* T1 */
    server->services[SERVICE_POP3] = (struct service){server, &serve_pop3};
    server->services[SERVICE_IMAP] = (struct service){server, &serve_imap};
    server->services[SERVICE_SMTP] = (struct service){server, &serve_smtp};
    server->services[SERVICE_SUBMISSION] = (struct service){server, &serve_submission};
    server->services[SERVICE_LMTP] = (struct service){server, &serve_lmtp};
    pthread_mutex_init(&server->delays_lock, NULL);
    r = tls_open(server);
    if (r)
        return r;
    if (net_loops_new(&server->loops, (unsigned)config->threads) < 0)
        return server_fail(server, EX_OSERR, "loops", strerror(errno));
    server->limits = (struct net_limits){
        .connections_max = (unsigned)config->connections_max,
        .per_address_max = (unsigned)config->connections_per_address,
        .handshake_timeout = 10 * POSTERN_SECOND,
        .proxy_timeout = 5 * POSTERN_SECOND,
    };
    return 0;
}

/* ---- privileges ------------------------------------------------------------------------------ */

static int become(struct server *server, const char *name)
{
    const struct passwd *user = getpwnam(name);

    if (!user)
        return server_fail(server, EX_NOUSER, "user", name);
    if (getuid() == user->pw_uid && geteuid() == user->pw_uid)
        return 0;
    if (initgroups(name, user->pw_gid) < 0 || setgid(user->pw_gid) < 0 || setuid(user->pw_uid) < 0)
        return server_fail(server, EX_NOPERM, "user", strerror(errno));
    if (user->pw_uid != 0 && setuid(0) == 0)
        return server_fail(server, EX_NOPERM, "user", "privileges could be taken back");
    return 0;
}

/* What was read with more rights must be readable again: better said now than when it has expired.
 */
static void check_key(struct server *server)
{
    const char *path = server->config->tls_key;

    if (*path && access(path, R_OK) < 0)
        log_note(server->log, LOG_LEVEL_WARN, "key-unreadable", "path", path, "why",
                 "this user cannot read it again at SIGHUP");
}

int server_drop(struct server *server)
{
    int r = *server->config->user ? become(server, server->config->user) : 0;

    if (!r && geteuid() == 0)
        log_note(server->log, LOG_LEVEL_WARN, "privileged", "why", "running as root; set user",
                 NULL, NULL);
    /* a sendmail mostly is another user's, or another group's */
    if (!r && !*server->config->sendmail && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        r = server_fail(server, EX_OSERR, "no_new_privs", strerror(errno));
    if (!r)
        check_key(server);
    return r;
}

/* ---- store, accounts, tables ----------------------------------------------------------------- */

/* P6 */
static int store_open(struct server *server)
{
    int r = server->store.ops ? 0 : parts_store(server->config, &server->store);

    if (r < 0)
        return server_fail(server, EX_CONFIG, "store", postern_err_text(r));
    if (strcmp(server->config->durability, "none") == 0)
        log_note(server->log, LOG_LEVEL_WARN, "not-durable", "why",
                 "durability = none: a power cut takes mail that was acknowledged", NULL, NULL);
    return 0;
}

static int accounts_open(struct server *server)
{
    int r = server->accounts ? 0 : parts_accounts(server->config, &server->accounts);

    if (r >= 0)
        return 0;
    return server_fail(server, EX_CONFIG, "accounts",
                       r == POSTERN_E_UNSUPPORTED ? postern_err_text(r) : accounts_error());
}

/* recipients_open - whose mail is taken; those that are there already are kept. */
static int recipients_open(struct server *server)
{
    const struct config *config = server->config;

    if (server->recipients || !config->domains[0])
        return 0;
    if (parts_recipients(config, server->accounts, &server->recipients) < 0)
        return server_fail(server, EX_CONFIG, "aliases", accounts_error());
    return 0;
}

static void site_fill(struct server *server)
{
    session_work(&server->work);
    server->site = (struct serve_site){
        .store = &server->store,
        .accounts = server->accounts,
        .delays = server->delays,
        .delays_lock = &server->delays_lock,
        .pop3 = &server->pop3,
        .imap = &server->imap,
        .smtp = &server->smtp,
        .recipients = server->recipients,
        .filters = server->filters ? filters_serve(server->filters) : NULL,
        .relay = server->smarthost ? smarthost_relay(server->smarthost) : NULL,
        .sendmail = server->sendmail ? sendmail_serve(server->sendmail) : NULL,
        .spool_folder = program_folder(),
        .detail_create = server->config->detail_create,
        .space = server->space,
        .set_quota = server->config->imap_set_quota,
        .any_sender = server->config->any_sender,
        .deduplicate = server->config->deduplicate,
        .text_index = server->config->search_index,
        .work = &server->work,
        .read_only = server->config->read_only,
        .create_mailboxes = true,
        .public_account = postern_span_of(server->config->shared_account),
        .special = server->special,
        .special_count = server->special_count,
        .login_delay = server->config->login_delay,
        .user_in = session_user_in,
        .user_out = session_user_out,
        .struck = session_struck,
        .trusts = session_trusts,
        .is_crowded = session_is_crowded,
        .ctx = server,
    };
}

static int tables_open(struct server *server)
{
    const struct config *config = server->config;
    int r = users_new(&server->users, (unsigned)config->connections_per_user, config->login_delay);

    if (r >= 0)
        r = delays_new(&server->delays, DELAY_ENTRIES);
    if (r >= 0)
        r = bans_new(&server->bans, (unsigned)config->ban_strikes, config->ban_time);
    if (r >= 0)
        r = server_options(server);
    if (r >= 0)
        r = parts_space(server->config, &server->space);
    if (r >= 0)
        r = net_pool_new(&server->pool, (unsigned)config->workers, POOL_QUEUE_MAX);
    if (r >= 0 && (server->smarthost || server->filters || server->sendmail))
        r = net_pool_new(&server->pool_long, POOL_LONG_THREADS, POOL_QUEUE_MAX);
    return r < 0 ? server_fail(server, EX_OSERR, "start", postern_err_text(r)) : 0;
}

/* relay_place - who takes users' mail for others. */
static int relay_place(struct server *server)
{
    const struct config *config = server->config;
    struct smarthost_place place = {.address = config->smarthost,
                                    .tls = config->smarthost_tls,
                                    .ca = config->smarthost_ca,
                                    .login = config->smarthost_login,
                                    .host = server->host};

    parts_host(config, server->host, sizeof server->host);
    if (*config->smarthost && smarthost_open(&server->smarthost, &place) < 0)
        return server_fail(server, EX_CONFIG, "smarthost", smarthost_error());
    if (*config->sendmail && sendmail_open(&server->sendmail, config) < 0)
        return server_fail(server, EX_CONFIG, config->sendmail, "is no program");
    return 0;
}

int server_open(struct server *server)
{
    int r = store_open(server);

    if (!r)
        r = accounts_open(server);
    if (!r)
        r = recipients_open(server);
    if (!r && *server->config->filter && filters_open(&server->filters, server->config) < 0)
        r = server_fail(server, EX_CONFIG, "filter", filters_error());
    if (!r)
        r = relay_place(server);
    if (!r)
        r = tables_open(server);
    if (!r)
        site_fill(server);
    return r;
}

void server_done(struct server *server)
{
    if (server->loops)
        net_loops_join(&server->loops);
    net_pool_free(&server->pool);
    net_pool_free(&server->pool_long);
    smarthost_close(&server->smarthost);
    filters_close(&server->filters);
    sendmail_close(&server->sendmail);
    if (server->store.ops)
        postern_store_free(&server->store);
    space_free(&server->space);
    recipients_free(&server->recipients);
    accounts_free(&server->accounts);
    users_free(&server->users);
    delays_free(&server->delays);
    bans_free(&server->bans);
    net_tls_free(&server->tls);
    free(server->imap_without);
    free(server->special);
    secret_wipe(server->decoy, sizeof server->decoy);
    log_close(&server->log);
}
