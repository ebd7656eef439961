/* SPDX-License-Identifier: MIT */
/* parts - settings become the structures that stores, accounts and engines take. */
#include "daemon/parts.h"

#include "base/span.h"
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int make_store(const struct config *config, struct postern_store *store_r)
{
    if (strcmp(config->store, "memory") == 0)
        return postern_store_memory_new(store_r);
    return strcmp(config->store, "eml") == 0 ? postern_store_eml_new(store_r, config->mail, true)
                                             : postern_store_maildir_new(store_r, config->mail);
}

/* P6 */
int parts_store(const struct config *config, struct postern_store *store_r)
{
    int err = make_store(config, store_r);

    if (err < 0)
        return err;
    store_r->ops->limit(
        store_r, &(struct postern_quota){.bytes_max = (uint64_t)config->quota_mb << 20,
                                         .messages_max = (uint64_t)config->quota_messages,
                                         .mailboxes_max = (uint64_t)config->quota_mailboxes});
    if (strcmp(config->durability, "none") == 0 && store_r->ops->unsynced)
        store_r->ops->unsynced(store_r);
    return 0;
}

int parts_accounts(const struct config *config, struct accounts **accounts_r)
{
    if (strcmp(config->accounts, "pam") == 0) {
#ifdef POSTERN_WITH_PAM
        return accounts_pam_new(accounts_r, "postern");
#else
        return POSTERN_E_UNSUPPORTED;
#endif
    }
    return accounts_file_new(accounts_r, config->users);
}

int parts_recipients(const struct config *config, struct accounts *accounts,
                     struct recipients **recipients_r)
{
    struct recipients_options options = {.accounts = accounts,
                                         .domains = (const char *const *)config->domains,
                                         .aliases = config->aliases,
                                         .delimiters = config->recipient_delimiter,
                                         .postmaster = config->postmaster};

    return recipients_new(recipients_r, &options);
}

static int64_t wall_clock(void)
{
    return (int64_t)time(NULL);
}

void parts_smtp(const struct config *config, struct postern_smtp_options *options_r)
{
    POSTERN_SMTP_OPTIONS_INIT(options_r);
    options_r->seconds = wall_clock;
    options_r->greeting = postern_span_of(config->greeting);
    options_r->tls_required = config->smtp_tls_required;
    options_r->verify = config->smtp_verify;
    options_r->hide_client = config->hide_client;
    options_r->newline = strcmp(config->bare_newline, "reject") == 0   ? POSTERN_SMTP_REJECT
                         : strcmp(config->bare_newline, "legacy") == 0 ? POSTERN_SMTP_LEGACY
                                                                       : POSTERN_SMTP_NORMALIZE;
    options_r->message_max = (uint64_t)config->message_mb << 20;
    options_r->write_chunk = 65536; /* each goes to a worker */
    options_r->recipients_max = (uint32_t)config->recipients_max;
}

int parts_space(const struct config *config, struct space **space_r)
{
    *space_r = NULL;
    if (strcmp(config->store, "memory") == 0)
        return 0;
    return space_new(space_r, config->mail, (uint64_t)config->disk_reserve_mb << 20);
}

void parts_host(const struct config *config, char *out, size_t size)
{
    if (*config->host)
        snprintf(out, size, "%s", config->host);
    else if (gethostname(out, size - 1) < 0 || !*out)
        snprintf(out, size, "localhost");
}

bool parts_address(const char *address, char host_r[PARTS_HOST_BYTES],
                   char port_r[PARTS_PORT_BYTES])
{
    const char *colon = strrchr(address, ':');
    struct postern_span host = {address, colon ? (size_t)(colon - address) : 0};
    uint64_t port;

    if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        host = span_make(host.p + 1, host.n - 2);
    for (size_t i = 0; i < host.n; i++)
        if (host.p[i] <= ' ' || strchr("/@,;\"'\\", host.p[i]))
            return false;
    if (!host.n || host.n >= PARTS_HOST_BYTES ||
        !span_number(postern_span_of(colon + 1), 65535, &port) || !port)
        return false;
    snprintf(host_r, PARTS_HOST_BYTES, "%.*s", SPAN_ARG(host));
    snprintf(port_r, PARTS_PORT_BYTES, "%u", (unsigned)port);
    return true;
}
