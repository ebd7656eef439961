/* SPDX-License-Identifier: MIT */
/* fuzz_names - file names (two, a line each) to unique-ids: always 1..70 printable characters, the
 * same each time, different for different names, and either file is found again by it. */
#include <stdlib.h>

#include "base/span.h"
#include "store/folder.h"

static struct postern_span uid(struct postern_span name, char *out)
{
    struct postern_span id = folder_uid(name, out);

    if (id.n < 1 || id.n > POSTERN_UID_MAX || out[id.n] != '\0')
        abort();
    for (size_t i = 0; i < id.n; i++)
        if (id.p[i] < 0x21 || id.p[i] > 0x7e)
            abort();
    return id;
}

/* find - in a listing of the two files, by what a journal would say of the name and by unique-id.
 */
static void find(char *name[2], struct postern_span key[2], char ids[2][POSTERN_UID_MAX + 1])
{
    struct row all[2] = {{.name = name[0], .uid = postern_span_of(ids[0])},
                         {.name = name[1], .uid = postern_span_of(ids[1])}};
    uint32_t by_uid[2] = {strcmp(ids[0], ids[1]) > 0, strcmp(ids[0], ids[1]) < 0};
    struct folder folder = {.rows = {.all = all, .count = 2, .room = 2, .by_uid = by_uid}};

    for (size_t i = 0; i < 2; i++)
        if (folder_row_of_key(&folder, key[i]) != &all[i] ||
            folder_row(&folder, all[i].uid) != &all[i])
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char ids[2][POSTERN_UID_MAX + 1], again[POSTERN_UID_MAX + 1], text[2][256] = {"", ""};
    struct postern_span rest = span_make((const char *)data, size), key[2];
    bool same;

    key[0] = span_cut(&rest, '\n');
    key[1] = rest;
    same = span_equal(key[0], key[1]);
    if (key[0].n > 255 || key[1].n > 255) /* no file system has longer ones */
        return 0;
    if (span_equal(uid(key[0], ids[0]), uid(key[1], ids[1])) != same)
        abort();
    if (!span_equal(uid(key[0], again), postern_span_of(ids[0])))
        abort();
    for (size_t i = 0; i < 2; i++)
        if (key[i].n)
            memcpy(text[i], key[i].p, key[i].n);
    if (!same)
        find((char *[2]){text[0], text[1]}, key, ids);
    return 0;
}

#include "replay.h"
