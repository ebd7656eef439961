/* SPDX-License-Identifier: MIT */
/* service - a provider made ready. What the application has not is taken out of the options here,
 * once, so that no capability promises what no callback can keep. */
#include "provider/visit.h"

#include "base/memory.h"

#define BAN_STRIKES 3
#define BAN_TIME (600 * POSTERN_SECOND)
#define WITH_KEYS                                                                            \
    (POSTERN_SASL_SCRAM_SHA_1 | POSTERN_SASL_SCRAM_SHA_1_PLUS | POSTERN_SASL_SCRAM_SHA_256 | \
     POSTERN_SASL_SCRAM_SHA_256_PLUS)

static bool is_usable(const struct postern_provider *provider)
{
    return provider->struct_bytes == sizeof *provider && provider->list && provider->retrieve &&
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
    options->deli = options->deli && provider->delete_set;
    options->slee_wake = options->slee_wake && provider->refresh;
    options->watch = provider->seen != NULL;
    if (!provider->command)
        options->command_count = 0;
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
