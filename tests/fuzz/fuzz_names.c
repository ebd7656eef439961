/* SPDX-License-Identifier: MIT */
/* fuzz_names - file names (two, a line each) to unique-ids: always 1..70 printable characters, the
 * same each time, different for different names. And names of mailboxes to folders and back. */
#include <stdlib.h>

#include "base/span.h"
#include "store/folder/folder.h"

static struct postern_span uid(struct postern_span name, char *out)
{
    struct postern_span id = folder_unique(name, out);

    if (id.n < 1 || id.n > POSTERN_UID_MAX || out[id.n] != '\0')
        abort();
    for (size_t i = 0; i < id.n; i++)
        if (id.p[i] < 0x21 || id.p[i] > 0x7e)
            abort();
    return id;
}

/* mailbox - a name that is accepted becomes a folder's name without a way out of the account, and
 * that the same name again. */
static void mailbox(struct postern_span name)
{
    struct buffer dir = {0}, again = {0};
    struct postern_span path;

    if (name_check(&name) < 0 || name_to_dir(name, &dir) < 0) {
        buffer_done(&dir);
        return;
    }
    path = buffer_span(&dir);
    if (!span_equal(name, SPAN("INBOX"))) {
        if (path.n < 2 || path.p[0] != '.' || path.p[1] == '.' || memchr(path.p, '/', path.n) ||
            memchr(path.p, '\0', path.n))
            abort();
        if (dir_to_name(path, &again) < 0 || !span_equal(buffer_span(&again), name))
            abort();
    }
    buffer_done(&dir);
    buffer_done(&again);
}

/* folder - any name of a folder is a mailbox or is not, and then becomes itself again. */
static void folder(struct postern_span dir)
{
    struct buffer name = {0}, again = {0};

    if (dir.n > 1 && dir_to_name(dir, &name) == 0)
        if (name_to_dir(buffer_span(&name), &again) < 0 || !span_equal(buffer_span(&again), dir))
            abort();
    buffer_done(&name);
    buffer_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char ids[2][POSTERN_UID_MAX + 1], again[POSTERN_UID_MAX + 1];
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
    mailbox(key[0]);
    folder(key[1]);
    return 0;
}

#include "replay.h"
