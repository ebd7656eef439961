/* SPDX-License-Identifier: MIT */
/* options - the engines' options out of the configuration.
 *
 * The spans point into the configuration, which outlives the server. The decoy key is one for the
 * whole server: an unknown user's SCRAM salt must look the same each time it is asked for. */
#include "daemon/server.h"

#include "base/buffer.h"
#include "base/span.h"
#include "daemon/parts.h"
#include <stdlib.h>
#include <time.h>

static bool list_has(char *const *list, const char *word)
{
    for (; list && *list; list++)
        if (span_equal_nocase(postern_span_of(*list), postern_span_of(word)))
            return true;
    return false;
}

static unsigned mechanisms(const struct config *config)
{
    unsigned mask = 0;

    for (char *const *name = config->mechanisms; name && *name; name++)
        mask |= postern_sasl_find(postern_span_of(*name));
    if (*config->tls_client_ca)
        mask |= POSTERN_SASL_EXTERNAL; /* R98: who asks for certificates must take them */
    return mask;
}

static void extensions(struct postern_pop3_options *pop3, const struct config *config)
{
    pop3->uid_param = list_has(config->extensions, "UID-PARAM");
    pop3->slee_wake = list_has(config->extensions, "SLEE-WAKE");
    pop3->deli = list_has(config->extensions, "DELI");
    pop3->qaut = list_has(config->extensions, "QAUT");
    pop3->last = config->last;
}

static int64_t wall_clock(void)
{
    return (int64_t)time(NULL);
}

/* join - "a,b" of a list. NULL: out of memory. */
static char *join(char *const *list)
{
    struct buffer text = {0};

    for (size_t i = 0; list[i]; i++) {
        buffer_append_text(&text, i ? "," : "");
        buffer_append_text(&text, list[i]);
    }
    buffer_append_char(&text, '\0');
    if (text.error)
        buffer_done(&text);
    return text.data; /* nothing was taken of it: it begins there */
}

/* special_fill - "Sent", or a name of one's own, "Gesendet=Sent"; they were checked. */
static int special_fill(struct server *server)
{
    char *const *list = server->config->special_mailboxes;
    size_t count = 0;

    while (list[count])
        count++;
    server->special = calloc(count + 1, sizeof *server->special);
    if (!server->special)
        return POSTERN_E_NOMEM;
    for (size_t i = 0; i < count; i++)
        config_special(list[i], &server->special[i].name, &server->special[i].use);
    server->special_count = count;
    return 0;
}

/* prefix_fill - the names of mailboxes behind a level begin so. */
static struct postern_span prefix_fill(char out[CONFIG_LEVEL_MAX + 2], const char *level)
{
    snprintf(out, CONFIG_LEVEL_MAX + 2, "%s/", level);
    return postern_span_of(out);
}

/* sharing_options - mailboxes of others are there where a level for them is. */
static void sharing_options(struct server *server)
{
    const struct config *config = server->config;

    if (*config->other_users)
        server->imap.other_users = prefix_fill(server->other_users, config->other_users);
    if (*config->shared_account)
        server->imap.shared = prefix_fill(server->shared, config->shared);
    server->imap.acl = *config->other_users || *config->shared_account;
}

static void imap_options(struct server *server)
{
    const struct postern_pop3_options *pop3 = &server->pop3;
    struct postern_imap_options *imap = &server->imap;

    POSTERN_IMAP_OPTIONS_INIT(imap);
    imap->random = pop3->random;
    imap->crypto = pop3->crypto;
    imap->seconds = wall_clock;
    imap->greeting = pop3->greeting;
    imap->id_name = pop3->implementation;
    imap->sasl_mechanisms = pop3->sasl_mechanisms;
    imap->decoy_key = pop3->decoy_key;
    imap->tls_available = true;
    imap->message_limit = (uint32_t)server->config->imap_message_limit;
    imap->save_limit = imap->message_limit ? 0 : (uint32_t)server->config->imap_save_limit;
    imap->login_referrals = server->config->imap_referrals;
    imap->hidden = postern_span_of(server->imap_without);
    imap->append_max = (uint64_t)server->config->append_mb << 20;
    imap->login_timeout = pop3->login_timeout;
    sharing_options(server);
}

static void smtp_options(struct server *server)
{
    const struct postern_pop3_options *pop3 = &server->pop3;
    struct postern_smtp_options *smtp = &server->smtp;

    parts_smtp(server->config, smtp);
    smtp->random = pop3->random;
    smtp->crypto = pop3->crypto;
    smtp->hostname = pop3->host;
    smtp->sasl_mechanisms = pop3->sasl_mechanisms;
    smtp->decoy_key = pop3->decoy_key;
    smtp->tls_available = true;
}

int server_options(struct server *server)
{
    struct postern_pop3_options *pop3 = &server->pop3;
    const struct config *config = server->config;
    const struct postern_random *random = net_random_system();

    parts_host(config, server->host, sizeof server->host);
    if (random->fill(random->ctx, server->decoy, sizeof server->decoy) < 0)
        return POSTERN_E_IO;
    POSTERN_POP3_OPTIONS_INIT(pop3);
    pop3->random = random;
    pop3->crypto = net_crypto_openssl();
    pop3->host = postern_span_of(server->host);
    pop3->greeting = postern_span_of(config->greeting);
    pop3->implementation = postern_span_of(config->implementation);
    pop3->stamp = config->apop ? POSTERN_POP3_STAMP_RANDOM : POSTERN_POP3_STAMP_NONE;
    pop3->sasl_mechanisms = mechanisms(config);
    pop3->decoy_key = span_make((const char *)server->decoy, sizeof server->decoy);
    pop3->tls_available = true;
    extensions(pop3, config);
    pop3->surrogate = strcmp(config->surrogate, "refuse") == 0 ? POSTERN_POP3_SURROGATE_REFUSE
                                                               : POSTERN_POP3_SURROGATE_SEND;
    pop3->expire_days = (int)config->expire_days;
    if (config->login_delay)
        pop3->login_delay_s = (int)(config->login_delay / POSTERN_SECOND);
    pop3->login_timeout = config->login_timeout;
    pop3->idle_timeout = config->idle_timeout;
    pop3->asleep_timeout = config->asleep_timeout;
    server->imap_without = join(config->imap_without);
    if (!server->imap_without || special_fill(server) < 0)
        return POSTERN_E_NOMEM;
    imap_options(server);
    smtp_options(server);
    return 0;
}
