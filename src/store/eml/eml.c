/* SPDX-License-Identifier: MIT */
/* eml - a plain folder of .eml and .txt files is an INBOX. The file name is the unique-id (escaped
 * by the common code where it is not 1-70 printable characters). People edit such files in place,
 * so every look compares each file's size and change time; other octets are another message. Flags
 * live in the index; it and what is being written lie in `.postern`. */
#include "store/folder/folder.h"

#include "base/span.h"
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static bool is_message(struct postern_span name)
{
    struct postern_span end = span_from(name, name.n > 4 ? name.n - 4 : name.n);

    return span_equal_nocase(end, SPAN(".eml")) || span_equal_nocase(end, SPAN(".txt"));
}

static struct postern_span whole(struct postern_span name)
{
    return name;
}

static void read_name(struct postern_span name, struct file_facts *facts_r)
{
    (void)name;
    *facts_r = (struct file_facts){.size_raw = UINT64_MAX, .size_wire = UINT64_MAX};
}

static int make_name(const struct new_name *what, char *out, size_t size)
{
    struct timespec now;
    int n;

    clock_gettime(CLOCK_REALTIME, &now);
    n = snprintf(out, size, "%lld.%06ld-%d-%llu.eml", (long long)now.tv_sec, now.tv_nsec / 1000,
                 (int)getpid(), (unsigned long long)what->number);
    return n > 0 && (size_t)n < size ? 0 : POSTERN_E_TOO_LONG;
}

static bool flag_name(struct postern_span name, uint32_t flags, uint32_t letters, char *out,
                      size_t size)
{
    (void)name, (void)flags, (void)letters, (void)out, (void)size;
    return false;
}

int postern_store_eml_new(struct postern_store *store_r, const char *path, bool per_user)
{
    static const struct folder_kind kind = {.ops = FOLDER_OPS("eml"),
                                            .sub_count = 1,
                                            .subs = {"."},
                                            .staging = ".postern",
                                            .index = ".postern",
                                            .mutable_files = true,
                                            .is_message = is_message,
                                            .key_of = whole,
                                            .unique_of = whole,
                                            .read_name = read_name,
                                            .make_name = make_name,
                                            .flag_name = flag_name};

    return folder_store_new(store_r, &kind, path, per_user);
}
