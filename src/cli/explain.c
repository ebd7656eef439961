/* SPDX-License-Identifier: MIT */
/* explain - `postern explain ADDRESS`: who gets the mail for it, by the resolver that RCPT asks. */
#include "cli/cli.h"

#include "base/span.h"
#include "daemon/parts.h"
#include <sysexits.h>

static int tell(const char *address, int found, const struct address_targets *targets)
{
    static const char *const why[] = {[ADDRESS_FOREIGN] = "its domain is not one of ours",
                                      [ADDRESS_UNKNOWN] = "nobody has this name",
                                      [ADDRESS_DISABLED] = "the account is disabled",
                                      [ADDRESS_TANGLED] = "the aliases name each other"};

    if (found < 0)
        return cli_fail(address, found);
    if (found != ADDRESS_FOUND)
        return cli_complain(EX_NOUSER, address, why[found]);
    for (size_t i = 0; i < targets->count; i++)
        printf("%s\t%s\n", targets->all[i].user,
               targets->all[i].detail[0] ? targets->all[i].detail : "INBOX");
    return 0;
}

static int explain(const struct config *config, const char *address)
{
    struct accounts *accounts = NULL;
    struct recipients *recipients = NULL;
    struct address_targets targets = {0};
    struct postern_smtp_path path;
    char local[256];
    int code;

    if (strlen(address) > 254 ||
        postern_smtp_parse_address(postern_span_of(address), local, &path) < 0)
        return cli_complain(EX_DATAERR, address, "this is no address");
    if (parts_accounts(config, &accounts) < 0 ||
        parts_recipients(config, accounts, &recipients) < 0) {
        code = cli_complain(EX_CONFIG, "accounts", accounts_error());
    } else {
        int found = recipients_find(recipients, path.local, path.domain, &targets);

        code = tell(address, found, &targets);
    }
    address_targets_free(&targets);
    recipients_free(&recipients);
    accounts_free(&accounts);
    return code;
}

int cli_explain(int argc, char **argv)
{
    struct settings settings = {0};
    int code = settings_read(&settings, argc, argv);

    if (!code && !settings.positional)
        code = cli_complain(EX_USAGE, "explain", "wants an address");
    if (!code)
        code = explain(&settings.config, settings.positional);
    config_done(&settings.config);
    return code;
}
