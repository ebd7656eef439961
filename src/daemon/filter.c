/* SPDX-License-Identifier: MIT */
/* filter - makes each kind of filter ready. Those on a socket are reached by net/reach.h, behind a
 * table of functions, so that serve knows no sockets. */
#include "daemon/filter.h"

#include "base/memory.h"
#include "base/span.h"
#include "daemon/filter_program.h"
#include "daemon/parts.h"
#include "net/name.h"
#include "net/reach.h"
#include "serve/milter.h"
#include "serve/rspamd.h"
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* struct place - a filter on a socket. */
struct place {
    char host[PARTS_HOST_BYTES], port[PARTS_PORT_BYTES],
        host_port[PARTS_HOST_BYTES + 16]; /* the last as HTTP's Host */
    struct reach_options options;
    struct filter_link link;
    struct rspamd rspamd;
};

struct filters {
    struct serve_filters serve;
    struct serve_filter all[FILTERS_MAX];
    struct filter_program programs[FILTERS_MAX];
    struct place places[FILTERS_MAX];
};

static _Thread_local char error_text[400];

const char *filters_error(void)
{
    return error_text;
}

static int fail(int err, const char *filter, const char *why)
{
    snprintf(error_text, sizeof error_text, "%.300s %s", filter, why);
    return err;
}

/* ---- the links ------------------------------------------------------------------------------- */

static int link_open(void *ctx, void **link_r)
{
    const struct place *place = ctx;
    struct reach *reach = NULL;
    int err = reach_open(&reach, &place->options);

    *link_r = reach;
    return err;
}

static void link_again(void *link)
{
    reach_again(link);
}

static int link_read(void *link, char *out, size_t n)
{
    return reach_read(link, out, n);
}

static int link_write(void *link, struct postern_span bytes)
{
    return reach_write(link, bytes);
}

static bool link_write_now(void *link, struct postern_span bytes)
{
    return send(reach_fd(link), bytes.p, bytes.n, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)bytes.n;
}

static void link_close(void *link)
{
    struct reach *reach = link;

    reach_close(&reach);
}

/* ---- what the configuration names ------------------------------------------------------------ */

/* place_fill - address: "unix:/PATH", or what stands behind `prefix`: HOST:PORT. */
static bool place_fill(struct place *place, const char *address, const char *prefix,
                       postern_time limit)
{
    size_t n = strlen(prefix);

    place->options.limit = limit;
    place->link = (struct filter_link){link_open,      link_again, link_read, link_write,
                                       link_write_now, link_close, place};
    if (strncmp(address, "unix:/", 6) == 0) {
        place->options.path = address + 5;
        snprintf(place->host_port, sizeof place->host_port, "localhost");
        return true;
    }
    if (strncmp(address, prefix, n) != 0 || !parts_address(address + n, place->host, place->port))
        return false;
    place->options.host = place->host;
    place->options.port = place->port;
    snprintf(place->host_port, sizeof place->host_port, "%s", address + n);
    return true;
}

static int open_rspamd(struct serve_filter *filter, struct place *place, postern_time limit)
{
    if (!place_fill(place, filter->name + strlen("rspamd:"), "http://", limit))
        return fail(POSTERN_E_SYNTAX, filter->name,
                    "is neither rspamd:http://HOST:PORT nor rspamd:unix:/PATH");
    place->rspamd = (struct rspamd){&place->link, place->host_port};
    filter->ops = &rspamd_ops;
    filter->ctx = &place->rspamd;
    return 0;
}

static int open_milter(struct serve_filter *filter, struct place *place, postern_time limit)
{
    if (!place_fill(place, filter->name + strlen("milter:"), "inet:", limit))
        return fail(POSTERN_E_SYNTAX, filter->name,
                    "is neither milter:inet:HOST:PORT nor milter:unix:/PATH");
    filter->ops = &milter_ops;
    filter->ctx = &place->link;
    return 0;
}

static int open_program(struct serve_filter *filter, struct filter_program *program,
                        postern_time limit)
{
    if (filter->name[0] != '/' || access(filter->name, X_OK) < 0)
        return fail(POSTERN_E_NOT_FOUND, filter->name, "is no program");
    *program = (struct filter_program){filter->name, limit};
    filter->ops = &filter_program_ops;
    filter->ctx = program;
    return 0;
}

static int open_one(struct filters *filters, const char *name, postern_time limit)
{
    size_t number = filters->serve.count++;
    struct serve_filter *filter = &filters->all[number];

    filter->name = name;
    if (strncmp(name, "rspamd:", 7) == 0)
        return open_rspamd(filter, &filters->places[number], limit);
    if (strncmp(name, "milter:", 7) == 0)
        return open_milter(filter, &filters->places[number], limit);
    return open_program(filter, &filters->programs[number], limit);
}

int filters_open(struct filters **filters_r, const struct config *config)
{
    struct filters *filters = memory_new(NULL, sizeof *filters);
    int err = 0;

    if (!filters)
        return fail(POSTERN_E_NOMEM, "filter", "out of memory");
    filters->serve.all = filters->all;
    filters->serve.accepts_on_failure = config->filter_optional;
    filters->serve.junk = config->filter_junk;
    filters->serve.body_max = (uint64_t)config->message_mb << 20;
    for (size_t i = 0; !err && config->filter[i]; i++)
        err = i < FILTERS_MAX ? open_one(filters, config->filter[i], config->filter_timeout)
                              : fail(POSTERN_E_SYNTAX, config->filter[i], "is one too many");
    for (size_t i = 0; !err && i < filters->serve.count; i++) {
        const struct filter_ops *ops = filters->all[i].ops;

        filters->serve.sees_envelope |= ops->mail || ops->rcpt;
        if (config->filter_names && ops != &filter_program_ops)
            filters->serve.name_of = net_name_of;
    }
    if (err)
        filters_close(&filters);
    *filters_r = filters;
    return err;
}

void filters_close(struct filters **filters)
{
    memory_free(NULL, *filters);
    *filters = NULL;
}

const struct serve_filters *filters_serve(struct filters *filters)
{
    return &filters->serve;
}
