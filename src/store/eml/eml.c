/* SPDX-License-Identifier: MIT */
/* eml - a plain folder of .eml and .txt files. The file name is the unique-id (escaped by the
 * common code where it is not 1-70 printable characters). People edit such files in place, so every
 * listing looks at each file's size and change time. Staging and journal live in `.postern`. */
#include "store/folder.h"

#include "base/span.h"
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static bool is_message(struct postern_span name)
{
    struct postern_span end = span_from(name, name.n > 4 ? name.n - 4 : name.n);

    return span_equal_nocase(end, SPAN(".eml")) || span_equal_nocase(end, SPAN(".txt"));
}

static struct postern_span key_of(struct postern_span name)
{
    return name;
}

static void sizes_of(struct postern_span name, uint64_t *raw_r, uint64_t *wire_r)
{
    (void)name;
    *raw_r = *wire_r = UINT64_MAX;
}

static int new_name(const struct scan *scan, uint64_t number, char *out, size_t size)
{
    struct timespec now;
    int n;

    (void)scan;
    clock_gettime(CLOCK_REALTIME, &now);
    n = snprintf(out, size, "%lld.%06ld-%d-%llu.eml", (long long)now.tv_sec, now.tv_nsec / 1000,
                 (int)getpid(), (unsigned long long)number);
    return n > 0 && (size_t)n < size ? 0 : POSTERN_E_TOO_LONG;
}

int postern_store_eml_new(struct postern_store *store_r, const char *path, bool per_user)
{
    static const struct folder_kind kind = {.ops = FOLDER_OPS("eml"),
                                            .sub_count = 1,
                                            .subs = {"."},
                                            .staging = ".postern",
                                            .mutable_files = true,
                                            .is_message = is_message,
                                            .key_of = key_of,
                                            .sizes_of = sizes_of,
                                            .new_name = new_name};

    return folder_store_new(store_r, &kind, path, per_user);
}
