/* SPDX-License-Identifier: MIT */
/* listen - the addresses of the configuration become listeners.
 *
 * A line `listening address=... protocol=...` tells the port that was really taken, for port 0. */
#include "daemon/server.h"

#include "base/span.h"
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

/* "127.0.0.1:110", "[::]:110", "/run/postern.sock,mode=0660" */
static bool address_split(const char *text, char *host, size_t size, unsigned *port_r)
{
    struct postern_span all = postern_span_of(text), name;
    const char *colon = strrchr(text, ':');
    uint64_t port;

    if (text[0] == '/')
        return snprintf(host, size, "%s", text) < (int)size;
    if (!colon || !span_number(span_from(all, (size_t)(colon - text) + 1), 65535, &port))
        return false;
    name = span_make(text, (size_t)(colon - text));
    if (name.n >= 2 && name.p[0] == '[' && name.p[name.n - 1] == ']')
        name = span_make(name.p + 1, name.n - 2);
    if (!name.n || name.n >= size)
        return false;
    snprintf(host, size, "%.*s", SPAN_ARG(name));
    *port_r = (unsigned)port;
    return true;
}

/* struct owner - of a socket: "/run/lmtp,mode=0660,user=postfix,group=postfix". */
struct owner {
    uid_t user;
    gid_t group;
    mode_t mode;
};

/* owner_word - false: there is no such user, group or mode. */
static bool owner_word(struct owner *owner, const char *word)
{
    struct passwd *user;
    struct group *group;
    char *end;

    if (strncmp(word, "user=", 5) == 0 && (user = getpwnam(word + 5))) {
        owner->user = user->pw_uid;
        return true;
    }
    if (strncmp(word, "group=", 6) == 0 && (group = getgrnam(word + 6))) {
        owner->group = group->gr_gid;
        return true;
    }
    if (strncmp(word, "mode=", 5) != 0)
        return false;
    owner->mode = (mode_t)strtoul(word + 5, &end, 8);
    return word[5] && !*end && owner->mode <= 0777;
}

/* owner_cut - what stands behind the path, which is cut off there. */
static bool owner_cut(char *path, struct owner *owner_r)
{
    char *rest = strchr(path, ','), *word;

    *owner_r = (struct owner){(uid_t)-1, (gid_t)-1, 0660};
    if (rest)
        *rest++ = '\0';
    while ((word = strsep(&rest, ",")))
        if (!owner_word(owner_r, word))
            return false;
    return true;
}

static bool is_local_name(const char *host)
{
    return host[0] == '/' || strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0;
}

static void log_listening(struct server *server, const char *protocol, const char *host,
                          unsigned port, bool tls)
{
    char address[300];

    if (host[0] == '/')
        snprintf(address, sizeof address, "%s", host);
    else
        snprintf(address, sizeof address, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
    log_note(server->log, LOG_LEVEL_INFO, "listening", "address", address, "protocol", protocol);
    if (!tls && !is_local_name(host) && strcmp(server->config->plaintext, "always") == 0)
        log_note(server->log, LOG_LEVEL_WARN, "plaintext", "address", address, "why",
                 "passwords may come unencrypted over the network");
}

static int listen_failed(struct server *server, const char *address, int err)
{
    int why = errno;

    if (err == POSTERN_E_DENIED)
        return server_fail(server, EX_NOPERM, address, strerror(EACCES));
    if (err == POSTERN_E_IN_USE)
        return server_fail(server, EX_UNAVAILABLE, address, strerror(EADDRINUSE));
    return server_fail(server, EX_UNAVAILABLE, address,
                       err == POSTERN_E_IO && why ? strerror(why) : postern_err_text(err));
}

int server_listen(struct server *server, enum service_kind kind, const char *address, bool tls)
{
    const struct serve_protocol *protocol = server->services[kind].protocol;
    struct net_listener *listener;
    char host[256];
    struct net_listener_options options = {
        .address = host,
        .tls_implicit = tls,
        .tls = server->tls,
        .alpn = protocol->alpn,
        .refusal = protocol->refusal,
        .proxy = server->config->proxy_trusted && server->config->proxy_trusted[0],
        .proxy_trusted = (const char *const *)server->config->proxy_trusted,
        .limits = &server->limits,
        .accept = session_accept,
        .event = session_event,
        .ctx = &server->services[kind],
    };
    struct owner owner = {0};
    int r;

    if (!address_split(address, host, sizeof host, &options.port))
        return server_fail(server, EX_CONFIG, address, "not HOST:PORT");
    if (host[0] == '/' && !owner_cut(host, &owner))
        return server_fail(server, EX_CONFIG, address, "not PATH,mode=0660,user=NAME,group=NAME");
    errno = 0;
    r = net_listen(server->loops, &options, &listener);
    if (r >= 0 && host[0] == '/' &&
        (chmod(host, owner.mode) < 0 || chown(host, owner.user, owner.group) < 0))
        r = POSTERN_E_IO;
    if (r < 0)
        return listen_failed(server, address, r);
    options.port = net_listener_port(listener);
    server->ports[kind][tls] = options.port;
    log_listening(server, tls ? protocol->name_tls : protocol->name, host, options.port, tls);
    return 0;
}

static int listen_list(struct server *server, enum service_kind kind, char *const *list, bool tls)
{
    int r = 0;

    for (; list && *list && !r; list++)
        r = server_listen(server, kind, *list, tls);
    return r;
}

int server_listen_all(struct server *server)
{
    const struct config *config = server->config;
    int r = listen_list(server, SERVICE_POP3, config->listen, false);

    if (!r)
        r = listen_list(server, SERVICE_POP3, config->listen_tls, true);
    if (!r)
        r = listen_list(server, SERVICE_IMAP, config->imap_listen, false);
    if (!r)
        r = listen_list(server, SERVICE_IMAP, config->imap_listen_tls, true);
    if (!config->domains[0])
        return r;
    if (!r)
        r = listen_list(server, SERVICE_SMTP, config->smtp_listen, false);
    if (!r)
        r = listen_list(server, SERVICE_SUBMISSION, config->submission_listen, false);
    if (!r)
        r = listen_list(server, SERVICE_SUBMISSION, config->submission_listen_tls, true);
    if (!r)
        r = listen_list(server, SERVICE_LMTP, config->lmtp_listen, false);
    return r;
}
