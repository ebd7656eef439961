/* SPDX-License-Identifier: MIT */
/* smarthost - where it is and who we are there, from the settings; net/dial.h makes the connection,
 * behind a table of functions, so that serve knows no sockets. */
#include "daemon/smarthost.h"

#include "base/memory.h"
#include "base/span.h"
#include "daemon/parts.h"
#include "net/dial.h"
#include "serve/relay.h"
#include <stdio.h>

#define WAIT_S 60 /* for each step of the other server's */
#define LOGIN_BYTES 1024
#define LMTP "lmtp:"

struct smarthost {
    struct serve_relay relay;
    struct dial_options dial;
    char host[PARTS_HOST_BYTES], port[PARTS_PORT_BYTES];
    char login[LOGIN_BYTES]; /* "user:password", cut in two */
};

static _Thread_local const char *error_text = "";

const char *smarthost_error(void)
{
    return error_text;
}

static int fail(int err, const char *why)
{
    error_text = why;
    return err;
}

static int link_open(void *ctx, void **link_r)
{
    const struct smarthost *smarthost = ctx;
    struct dial *dial = NULL;
    int err = dial_open(&dial, &smarthost->dial);

    *link_r = dial;
    return err;
}

static int link_tls(void *link)
{
    return dial_tls(link);
}

static int link_read(void *link, char *out, size_t n)
{
    return dial_read(link, out, n);
}

static int link_write(void *link, struct postern_span bytes)
{
    return dial_write(link, bytes);
}

static void link_close(void *link)
{
    struct dial *dial = link;

    dial_close(&dial);
}

/* address_cut - HOST:PORT, or a socket's path. */
static bool address_cut(struct smarthost *smarthost, const char *address)
{
    size_t n = strlen(address);

    if (*address != '/')
        return parts_address(address, smarthost->host, smarthost->port);
    if (n < sizeof smarthost->host)
        memcpy(smarthost->host, address, n + 1);
    return n < sizeof smarthost->host;
}

static int login_read(struct smarthost *smarthost, const char *path)
{
    struct postern_span rest, user;
    FILE *file = *path ? fopen(path, "re") : NULL;
    bool good;

    if (!*path)
        return 0;
    if (!file)
        return fail(POSTERN_E_NOT_FOUND, "the file with its login cannot be read");
    good = fgets(smarthost->login, sizeof smarthost->login, file) != NULL;
    fclose(file);
    rest = span_make(smarthost->login, strcspn(smarthost->login, "\r\n"));
    user = span_cut(&rest, ':');
    if (!good || !user.n || !rest.n)
        return fail(POSTERN_E_SYNTAX, "the file with its login wants one line, USER:PASSWORD");
    smarthost->relay.client.user = user;
    smarthost->relay.client.secret = rest;
    return 0;
}

static void relay_fill(struct smarthost *smarthost, const struct smarthost_place *place)
{
    struct postern_smtp_client_options *client = &smarthost->relay.client;
    bool none = strcmp(place->tls, "none") == 0;

    smarthost->dial = (struct dial_options){
        .host = smarthost->host,
        .port = smarthost->port,
        .ca_path = *place->ca ? place->ca : NULL,
        .verify = strcmp(place->tls, "verify") == 0,
        .tls_first = strcmp(smarthost->port, "465") == 0 && !none,
        .wait_s = WAIT_S,
    };
    smarthost->relay = (struct serve_relay){.open = link_open,
                                            .tls = link_tls,
                                            .read = link_read,
                                            .write = link_write,
                                            .close = link_close,
                                            .ctx = smarthost};
    POSTERN_SMTP_CLIENT_OPTIONS_INIT(client);
    client->hostname = postern_span_of(place->host);
    client->tls = none ? POSTERN_SMTP_CLIENT_TLS_NEVER : POSTERN_SMTP_CLIENT_TLS_REQUIRED;
    client->tls_first = smarthost->dial.tls_first;
}

int smarthost_open(struct smarthost **smarthost_r, const struct smarthost_place *place)
{
    struct smarthost *smarthost = memory_new(NULL, sizeof *smarthost);
    bool lmtp = strncmp(place->address, LMTP, strlen(LMTP)) == 0;
    int err;

    if (!smarthost)
        return fail(POSTERN_E_NOMEM, "out of memory");
    if (!address_cut(smarthost, place->address + (lmtp ? strlen(LMTP) : 0))) {
        smarthost_close(&smarthost);
        return fail(POSTERN_E_SYNTAX, "not HOST:PORT");
    }
    relay_fill(smarthost, place);
    smarthost->relay.client.lmtp = lmtp;
    err = login_read(smarthost, place->login);
    if (err)
        smarthost_close(&smarthost);
    *smarthost_r = smarthost;
    return err;
}

void smarthost_close(struct smarthost **smarthost)
{
    if (*smarthost)
        secret_wipe(*smarthost, sizeof **smarthost);
    memory_free(NULL, *smarthost);
    *smarthost = NULL;
}

const struct serve_relay *smarthost_relay(struct smarthost *smarthost)
{
    return &smarthost->relay;
}
