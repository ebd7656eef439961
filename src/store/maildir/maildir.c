/* SPDX-License-Identifier: MIT */
/* maildir - Maildir++ as Postfix, mutt, procmail and Dovecot leave it. The unique-id is the name
 * before
 * ":2,FLAGS", which no program changes; `,S=` and `,W=` in it are Dovecot's sizes (raw, wire).
 * Sub-folders (.Folder) are other mailboxes and not shown. Flags are not touched. */
#include "store/folder.h"

#include "base/span.h"
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static bool is_message(struct postern_span name)
{
    (void)name;
    return true;
}

static struct postern_span key_of(struct postern_span name)
{
    return span_make(name.p, span_find(name, ':'));
}

static void sizes_of(struct postern_span name, uint64_t *raw_r, uint64_t *wire_r)
{
    struct postern_span rest = key_of(name);

    span_cut(&rest, ',');
    while (rest.p) {
        struct postern_span field = span_cut(&rest, ',');
        uint64_t size;

        if (field.n < 3 || field.p[1] != '=' ||
            !span_number(span_from(field, 2), UINT64_MAX / 4, &size))
            continue;
        if (field.p[0] == 'S')
            *raw_r = size;
        else if (field.p[0] == 'W')
            *wire_r = size;
    }
}

static int new_name(const struct scan *scan, uint64_t number, char *out, size_t size)
{
    char host[65];
    struct timespec now;
    int n;

    clock_gettime(CLOCK_REALTIME, &now);
    if (gethostname(host, sizeof host) < 0)
        snprintf(host, sizeof host, "localhost");
    host[sizeof host - 1] = '\0';
    for (char *at = host; *at; at++)
        if (*at == '/' || *at == ':' || *at == ',' || (unsigned char)*at <= ' ' ||
            (unsigned char)*at > 126)
            *at = '_';
    n = snprintf(out, size, "%lld.M%ldP%dQ%llu.%.20s,S=%llu,W=%llu", (long long)now.tv_sec,
                 now.tv_nsec / 1000, (int)getpid(), (unsigned long long)number, host,
                 (unsigned long long)scan->size_raw, (unsigned long long)scan->size_wire);
    return n > 0 && (size_t)n < size ? 0 : POSTERN_E_TOO_LONG;
}

int postern_store_maildir_new(struct postern_store *store_r, const char *path)
{
    static const struct folder_kind kind = {.ops = FOLDER_OPS("maildir"),
                                            .sub_count = 2,
                                            .subs = {"new", "cur"},
                                            .staging = "tmp",
                                            .is_message = is_message,
                                            .key_of = key_of,
                                            .sizes_of = sizes_of,
                                            .new_name = new_name};

    return folder_store_new(store_r, &kind, path, true);
}
