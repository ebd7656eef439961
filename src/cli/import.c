/* SPDX-License-Identifier: MIT */
/* import - `postern import USER PATH [--mailbox NAME]`: appends what lies at PATH: a Maildir (a
 * folder with cur and new), a folder of .eml files, or an mbox file. Flags come from Maildir names
 * and from the fields Status and X-Status; dates from From lines and files. */
#include "cli/transfer.h"

#include "base/span.h"
#include "store/mbox.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HEADER_MAX 65536

/* ---- mbox ------------------------------------------------------------------------------------ */

/* struct incoming - a message of an mbox: its header is held back until the flags are known. */
struct incoming {
    struct transfer *transfer;
    struct postern_delivery *delivery;
    struct buffer header;
    struct postern_new_message what;
};

/* date_of - "From ADDRESS Thu Jan  1 00:00:00 2026". 0: none to be read. */
static int64_t date_of(struct postern_span line)
{
    char text[128];
    struct tm when = {0};
    const char *at;

    snprintf(text, sizeof text, "%.*s", SPAN_ARG(line));
    at = strchr(text, ' ');
    at = at ? strchr(at + 1, ' ') : NULL;
    if (!at || !strptime(at, " %a %b %d %H:%M:%S %Y", &when))
        return 0;
    return timegm(&when);
}

static void flags_of_field(struct postern_span line, uint32_t *flags)
{
    struct postern_span value = line, name = span_cut(&value, ':');
    bool status = span_equal_nocase(name, SPAN("Status")),
         more = span_equal_nocase(name, SPAN("X-Status"));

    for (size_t i = 0; i < value.n && (status || more); i++)
        *flags |= status && value.p[i] == 'R' ? POSTERN_FLAG_SEEN
                  : more && value.p[i] == 'A' ? POSTERN_FLAG_ANSWERED
                  : more && value.p[i] == 'F' ? POSTERN_FLAG_FLAGGED
                  : more && value.p[i] == 'D' ? POSTERN_FLAG_DELETED
                  : more && value.p[i] == 'T' ? POSTERN_FLAG_DRAFT
                                              : 0;
}

static int header_over(struct incoming *incoming)
{
    const struct postern_store_ops *ops = incoming->transfer->store->ops;
    struct postern_span rest = buffer_span(&incoming->header);
    int err;

    while (rest.p && rest.n)
        flags_of_field(span_cut(&rest, '\n'), &incoming->what.flags);
    err = ops->begin(incoming->transfer->mailbox, &incoming->what, &incoming->delivery);
    if (!err)
        err = ops->write(incoming->delivery, buffer_span(&incoming->header));
    buffer_done(&incoming->header);
    return err;
}

static int incoming_bytes(struct incoming *incoming, struct postern_span bytes)
{
    bool blank = span_equal(bytes, SPAN("\n")) || span_equal(bytes, SPAN("\r\n"));

    if (incoming->delivery)
        return incoming->transfer->store->ops->write(incoming->delivery, bytes);
    buffer_append(&incoming->header, bytes);
    if (incoming->header.error)
        return POSTERN_E_NOMEM;
    return blank || buffer_length(&incoming->header) > HEADER_MAX ? header_over(incoming) : 0;
}

static int incoming_end(struct incoming *incoming)
{
    int err = incoming->delivery ? 0 : header_over(incoming);

    if (!err)
        err = incoming->transfer->store->ops->commit(&incoming->delivery, 1, NULL);
    if (!err)
        incoming->transfer->count++;
    incoming->what = (struct postern_new_message){0};
    return err;
}

static int incoming_event(struct incoming *incoming, enum mbox_event event,
                          struct postern_span bytes)
{
    if (event == MBOX_BEGIN)
        incoming->what = (struct postern_new_message){.date_s = date_of(bytes)};
    else if (event == MBOX_BYTES)
        return incoming_bytes(incoming, bytes);
    else if (event == MBOX_END)
        return incoming_end(incoming);
    return 0;
}

static int import_mbox(struct transfer *transfer, const char *path)
{
    struct incoming incoming = {.transfer = transfer};
    FILE *in = fopen(path, "re");
    struct postern_span bytes = {0};
    struct mbox mbox = {0};
    enum mbox_event event;
    char block[65536];
    size_t n;
    int err = in ? 0 : POSTERN_E_NOT_FOUND;

    while (!err && (n = fread(block, 1, sizeof block, in)) > 0) {
        struct postern_span rest = span_make(block, n);

        while (!err && (event = mbox_next(&mbox, &rest, &bytes)) != MBOX_MORE)
            err = incoming_event(&incoming, event, bytes);
    }
    while (!err && in && (event = mbox_end(&mbox, &bytes)) != MBOX_MORE)
        err = incoming_event(&incoming, event, bytes);
    transfer->store->ops->abort(&incoming.delivery);
    buffer_done(&incoming.header);
    if (in)
        fclose(in);
    return err;
}

/* ---- files ----------------------------------------------------------------------------------- */

static uint32_t flags_of_name(const char *name)
{
    const char *info = strstr(name, ":2,");
    uint32_t flags = 0;

    for (info = info ? info + 3 : ""; *info; info++)
        flags |= *info == 'S'   ? POSTERN_FLAG_SEEN
                 : *info == 'R' ? POSTERN_FLAG_ANSWERED
                 : *info == 'F' ? POSTERN_FLAG_FLAGGED
                 : *info == 'T' ? POSTERN_FLAG_DELETED
                 : *info == 'D' ? POSTERN_FLAG_DRAFT
                                : 0;
    return flags;
}

static int copy_file(struct transfer *transfer, struct postern_delivery *delivery, FILE *in)
{
    char bytes[65536];
    size_t n;
    int err = 0;

    while (!err && (n = fread(bytes, 1, sizeof bytes, in)) > 0)
        err = transfer->store->ops->write(delivery, span_make(bytes, n));
    return err ? err : ferror(in) ? POSTERN_E_IO : 0;
}

static int import_file(struct transfer *transfer, const char *folder, const char *name)
{
    struct postern_new_message what = {.flags = flags_of_name(name)};
    struct postern_delivery *delivery = NULL;
    char path[4096];
    struct stat facts;
    FILE *in;
    int err;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    in = fopen(path, "re");
    if (!in || fstat(fileno(in), &facts) < 0 || !S_ISREG(facts.st_mode)) {
        if (in)
            fclose(in);
        return 0;
    }
    what.date_s = facts.st_mtim.tv_sec;
    err = transfer->store->ops->begin(transfer->mailbox, &what, &delivery);
    if (!err)
        err = copy_file(transfer, delivery, in);
    fclose(in);
    if (err)
        transfer->store->ops->abort(&delivery);
    else
        err = transfer->store->ops->commit(&delivery, 1, NULL);
    transfer->count += err == 0;
    return err;
}

static int import_folder(struct transfer *transfer, const char *path)
{
    struct dirent **names;
    int count = scandir(path, &names, NULL, versionsort), err = 0;

    if (count < 0)
        return errno == ENOENT ? POSTERN_E_NOT_FOUND : POSTERN_E_IO;
    for (int i = 0; i < count; i++) {
        if (!err && names[i]->d_name[0] != '.')
            err = import_file(transfer, path, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    return err;
}

static int import_path(struct transfer *transfer, const char *path)
{
    char sub[4096];
    struct stat facts;
    int err;

    if (stat(path, &facts) < 0)
        return POSTERN_E_NOT_FOUND;
    if (!S_ISDIR(facts.st_mode))
        return import_mbox(transfer, path);
    snprintf(sub, sizeof sub, "%s/cur", path);
    if (access(sub, X_OK) < 0)
        return import_folder(transfer, path);
    err = import_folder(transfer, sub);
    snprintf(sub, sizeof sub, "%s/new", path);
    return err ? err : import_folder(transfer, sub);
}

int cli_import(int argc, char **argv)
{
    return transfer_command(argc, argv, POSTERN_STORE_CREATE, import_path, "imported");
}
