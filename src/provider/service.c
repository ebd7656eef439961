/* SPDX-License-Identifier: MIT */
/* service - a provider made ready. What the application has not is taken out of the options here,
 * once, so that no capability promises what no callback can keep. */
#include "provider/visit.h"

#include "base/memory.h"
#include "base/span.h"

#define BAN_STRIKES 3
#define BAN_TIME (600 * POSTERN_SECOND)
#define WITH_KEYS                                                                            \
    (POSTERN_SASL_SCRAM_SHA_1 | POSTERN_SASL_SCRAM_SHA_1_PLUS | POSTERN_SASL_SCRAM_SHA_256 | \
     POSTERN_SASL_SCRAM_SHA_256_PLUS)

static bool is_usable(const struct postern_provider *provider)
{
    bool pop3 = provider->list && provider->retrieve, imap = provider->messages && provider->fetch;

    return provider->struct_bytes == sizeof *provider && (pop3 || imap) &&
           !provider->list == !provider->retrieve && !provider->messages == !provider->fetch &&
           (provider->authenticate || provider->keys) && !provider->banned == !provider->strike;
}

static void options_fit(struct postern_pop3_options *options,
                        const struct postern_provider *provider)
{
    if (!provider->authenticate) {
        options->user_pass = false;
        options->sasl_mechanisms &= WITH_KEYS;
    }
    if (!provider->keys) {
        options->sasl_mechanisms &= ~(unsigned)WITH_KEYS;
        options->stamp = POSTERN_POP3_STAMP_NONE;
    }
    options->deli = options->deli && visit_deletes(provider);
    options->slee_wake = options->slee_wake && (provider->refresh || !provider->list);
    options->watch = provider->seen != NULL;
    if (!provider->command)
        options->command_count = 0;
}

/* hide - what no callback can keep; the application's own list stays. */
static int hide(struct postern_service *service)
{
    const struct postern_provider *provider = &service->provider;
    struct postern_span own = service->imap.hidden;
    struct buffer words = {.allocator = NULL};
    int r = 0;

    /* mod-sequences are the session's own; a name is all that a mailbox is known by */
    buffer_append_text(&words, "CONDSTORE QRESYNC OBJECTID QUOTA QUOTA=RES-STORAGE "
                               "QUOTA=RES-MESSAGE QUOTA=RES-MAILBOX QUOTASET MULTIAPPEND CATENATE "
                               "REPLACE SAVEDATE METADATA MULTISEARCH");
    if (!provider->watch)
        buffer_append_text(&words, " NOTIFY");
    if (!provider->copy || !provider->expunge)
        buffer_append_text(&words, " MOVE");
    if (!provider->change)
        buffer_append_text(&words, " CREATE-SPECIAL-USE");
    if (!provider->acl || !provider->set_acl)
        buffer_append_text(&words, " ACL");
    buffer_append_text(&words, " ");
    buffer_append(&words, own);
    if (words.error)
        r = POSTERN_E_NOMEM;
    else if (buffer_length(&words) > sizeof service->hidden)
        r = POSTERN_E_USAGE;
    else
        memcpy(service->hidden, buffer_span(&words).p, buffer_length(&words));
    service->imap.hidden = span_make(service->hidden, r ? 0 : buffer_length(&words));
    buffer_done(&words);
    return r;
}

static int imap_fit(struct postern_service *service)
{
    if (!service->provider.authenticate)
        service->imap.sasl_mechanisms &= WITH_KEYS;
    if (!service->provider.keys)
        service->imap.sasl_mechanisms &= ~(unsigned)WITH_KEYS;
    service->imap.acl = service->provider.rights != NULL;
    return hide(service);
}

int postern_service_imap(struct postern_service *service,
                         const struct postern_imap_options *options)
{
    if (options->struct_bytes != sizeof *options || !service->provider.messages)
        return POSTERN_E_USAGE;
    service->imap = *options;
    return imap_fit(service);
}

static int bans_begin(struct postern_service *service)
{
    const struct postern_provider *provider = &service->provider;
    int strikes = provider->ban_strikes ? provider->ban_strikes : BAN_STRIKES;

    if (strikes < 0 || provider->banned)
        return 0;
    return bans_new(&service->bans, (unsigned)strikes,
                    provider->ban_time ? provider->ban_time : BAN_TIME);
}

int postern_service_new(struct postern_service **service_r, const struct postern_provider *provider,
                        const struct postern_pop3_options *options)
{
    struct postern_service *service;
    int r;

    if (!is_usable(provider) || (options && options->struct_bytes != sizeof *options))
        return POSTERN_E_USAGE;
    service = memory_new(NULL, sizeof *service);
    if (!service)
        return POSTERN_E_NOMEM;
    service->provider = *provider;
    if (options)
        service->options = *options;
    else
        POSTERN_POP3_OPTIONS_INIT(&service->options);
    options_fit(&service->options, provider);
    POSTERN_IMAP_OPTIONS_INIT(&service->imap);
    r = imap_fit(service);
    if (!r)
        r = bans_begin(service);
    if (r < 0)
        postern_service_free(&service);
    else
        *service_r = service;
    return r;
}

void postern_service_free(struct postern_service **service)
{
    if (!service || !*service)
        return;
    bans_free(&(*service)->bans);
    memory_free(NULL, *service);
    *service = NULL;
}
