/* SPDX-License-Identifier: MIT */
/* tlsa - `postern tlsa [FILE]`: the records that DANE wants for the MX's key, the present one of
 * tls_cert, and a next one in FILE, which is to be published before it is used (K7). */
#include "cli/cli.h"

#include "daemon/parts.h"
#include "net/tlsa.h"
#include <string.h>
#include <sysexits.h>

static int tell(const char *host, const char *path)
{
    unsigned char digest[NET_TLSA_BYTES];
    int err = net_tlsa(path, digest);

    if (err == POSTERN_E_NOT_FOUND)
        return cli_complain(EX_NOINPUT, path, "cannot be read");
    if (err)
        return cli_complain(EX_DATAERR, path, "has no certificate, and no key without a password");
    printf("_25._tcp.%s. IN TLSA 3 1 1 ", host);
    for (size_t i = 0; i < sizeof digest; i++)
        printf("%02x", digest[i]);
    putchar('\n');
    return 0;
}

static int tell_all(const struct config *config, const char *next)
{
    char host[256];
    int code = 0;

    if (!*config->tls_cert && !next)
        return cli_complain(EX_USAGE, "tlsa", "tls_cert is empty: a key is made at each start");
    parts_host(config, host, sizeof host);
    if (*config->tls_cert)
        code = tell(host, config->tls_cert);
    return code || !next ? code : tell(host, next);
}

int cli_tlsa(int argc, char **argv)
{
    struct settings settings = {0};
    int code = settings_read(&settings, argc, argv);

    if (!code)
        code = tell_all(&settings.config, settings.positional);
    config_done(&settings.config);
    return code;
}
