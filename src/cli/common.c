/* SPDX-License-Identifier: MIT */
/* common - what several commands need: complaints, exit codes, the store, JSON strings. */
#include "cli/cli.h"

#include "base/span.h"
#include "codec/utf8.h"
#include "daemon/parts.h"
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

int cli_complain(int code, const char *what, const char *why)
{
    fprintf(stderr, "postern: %s: %s\n", what, why);
    return code;
}

int cli_fail(const char *what, int err)
{
    int code = EX_SOFTWARE;

    switch (err) {
    case POSTERN_E_NOT_FOUND:
        code = EX_NOUSER;
        break;
    case POSTERN_E_IN_USE:
    case POSTERN_E_AGAIN:
    case POSTERN_E_FULL:
        code = EX_TEMPFAIL;
        break;
    case POSTERN_E_NOMEM:
        code = EX_OSERR;
        break;
    case POSTERN_E_IO:
        code = EX_IOERR;
        break;
    case POSTERN_E_DENIED:
        code = EX_NOPERM;
        break;
    case POSTERN_E_SYNTAX:
    case POSTERN_E_EXISTS:
    case POSTERN_E_AUTH:
        code = EX_DATAERR;
        break;
    case POSTERN_E_UNSUPPORTED:
        code = EX_USAGE;
        break;
    default:
        break;
    }
    return cli_complain(code, what, postern_err_text(err));
}

int cli_store(const struct config *config, struct postern_store *store_r)
{
    int err;

    if (strcmp(config->store, "memory") == 0)
        return cli_complain(EX_USAGE, "store", "a memory store lives only inside its server");
    err = parts_store(config, store_r);
    return err < 0 ? cli_fail(config->mail, err) : 0;
}

void json_text(FILE *out, struct postern_span text)
{
    bool good = utf8_is_valid(text);

    putc('"', out);
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];

        if (c < ' ' || c == '"' || c == '\\' || c == 127)
            fprintf(out, "\\u%04x", c);
        else if (c < 128 || good)
            putc(c, out);
        else
            fputs("\\ufffd", out);
    }
    putc('"', out);
}
