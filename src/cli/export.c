/* SPDX-License-Identifier: MIT */
/* export - `postern export USER PATH [--mailbox NAME] [--format maildir|mbox|eml]`: writes a
 * mailbox to a Maildir (as it is, the default), an mbox file with From lines and Status fields, or
 * a folder of .eml files. What is there already is not overwritten. */
#include "cli/transfer.h"

#include "base/span.h"
#include "store/mbox.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct infos {
    struct postern_message_info *all;
    size_t count, room;
};

static int take_info(void *ctx, const struct postern_message_info *info)
{
    struct infos *infos = ctx;

    if (infos->count == infos->room) {
        size_t room = infos->room ? infos->room * 2 : 256;
        struct postern_message_info *all = realloc(infos->all, room * sizeof *all);

        if (!all)
            return POSTERN_E_NOMEM;
        infos->all = all;
        infos->room = room;
    }
    infos->all[infos->count++] = *info;
    return 0;
}

static bool make_folder(const char *path)
{
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

/* ---- files ----------------------------------------------------------------------------------- */

static int copy_out(struct transfer *transfer, struct postern_content *content, FILE *out)
{
    char bytes[65536];
    uint64_t offset = 0;
    int n;

    while ((n = transfer->store->ops->read(content, offset, bytes, sizeof bytes)) > 0) {
        if (fwrite(bytes, 1, (size_t)n, out) != (size_t)n)
            return POSTERN_E_FULL;
        offset += (uint64_t)n;
    }
    return n;
}

/* name_file - PATH/cur/DATE.UID.export:2,FLAGS, or PATH/UID.eml. */
static void name_file(const char *path, const struct postern_message_info *info, bool maildir,
                      char *out, size_t size)
{
    if (!maildir)
        snprintf(out, size, "%s/%lu.eml", path, (unsigned long)info->uid);
    else
        snprintf(out, size, "%s/cur/%lld.U%lu.export:2,%s%s%s%s%s", path, (long long)info->date_s,
                 (unsigned long)info->uid, info->flags & POSTERN_FLAG_DRAFT ? "D" : "",
                 info->flags & POSTERN_FLAG_FLAGGED ? "F" : "",
                 info->flags & POSTERN_FLAG_ANSWERED ? "R" : "",
                 info->flags & POSTERN_FLAG_SEEN ? "S" : "",
                 info->flags & POSTERN_FLAG_DELETED ? "T" : "");
}

static int export_file(struct transfer *transfer, const char *path,
                       const struct postern_message_info *info, struct postern_content *content)
{
    bool maildir = !transfer->format || strcmp(transfer->format, "maildir") == 0;
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = info->date_s}};
    char name[4200];
    FILE *out;
    int err;

    name_file(path, info, maildir, name, sizeof name);
    out = fopen(name, "wxe");
    if (!out)
        return errno == EEXIST ? POSTERN_E_EXISTS : POSTERN_E_IO;
    err = copy_out(transfer, content, out);
    if (!err && (fflush(out) != 0 || futimens(fileno(out), times) < 0))
        err = POSTERN_E_IO;
    return fclose(out) == 0 ? err : POSTERN_E_FULL;
}

static int make_folders(const struct transfer *transfer, const char *path)
{
    static const char *const subs[] = {"cur", "new", "tmp"};
    char name[4200];

    if (!make_folder(path))
        return POSTERN_E_IO;
    for (size_t i = 0; i < 3 && (!transfer->format || strcmp(transfer->format, "maildir") == 0);
         i++) {
        snprintf(name, sizeof name, "%s/%s", path, subs[i]);
        if (!make_folder(name))
            return POSTERN_E_IO;
    }
    return 0;
}

/* ---- mbox ------------------------------------------------------------------------------------ */

static void put_from(FILE *out, const struct postern_message_info *info)
{
    time_t when = (time_t)info->date_s;
    char text[64];
    struct tm parts;

    strftime(text, sizeof text, "%a %b %e %H:%M:%S %Y", gmtime_r(&when, &parts));
    fprintf(
        out, "From MAILER-DAEMON %s\nStatus: %sO\nX-Status: %s%s%s%s\n", text,
        info->flags & POSTERN_FLAG_SEEN ? "R" : "", info->flags & POSTERN_FLAG_ANSWERED ? "A" : "",
        info->flags & POSTERN_FLAG_FLAGGED ? "F" : "", info->flags & POSTERN_FLAG_DRAFT ? "T" : "",
        info->flags & POSTERN_FLAG_DELETED ? "D" : "");
}

/* put_line - with LF, as mbox files have it. */
static int put_line(FILE *out, struct postern_span line)
{
    struct buffer quoted = {0};
    struct postern_span bytes;
    bool bad;

    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    mbox_quote(line, &quoted);
    buffer_append_char(&quoted, '\n');
    bytes = buffer_span(&quoted);
    bad = quoted.error || fwrite(bytes.p, 1, bytes.n, out) != bytes.n;
    buffer_done(&quoted);
    return bad ? POSTERN_E_FULL : 0;
}

static int export_mbox(struct transfer *transfer, FILE *out,
                       const struct postern_message_info *info, struct postern_content *content)
{
    struct buffer held = {0};
    char bytes[65536];
    uint64_t offset = 0;
    int n, err = 0;

    put_from(out, info);
    while (!err && (n = transfer->store->ops->read(content, offset, bytes, sizeof bytes)) != 0) {
        struct postern_span rest;
        size_t end;

        if (n < 0) {
            err = n;
            break;
        }
        offset += (uint64_t)n;
        buffer_append(&held, span_make(bytes, (size_t)n));
        rest = buffer_span(&held);
        while (!err && (end = span_find(rest, '\n')) < rest.n) {
            err = put_line(out, span_make(rest.p, end));
            rest = span_from(rest, end + 1);
        }
        buffer_take(&held, buffer_length(&held) - rest.n);
    }
    if (!err && buffer_length(&held))
        err = put_line(out, buffer_span(&held));
    buffer_done(&held);
    return err || putc('\n', out) == '\n' ? err : POSTERN_E_FULL;
}

/* ---- all ------------------------------------------------------------------------------------- */

static int export_one(struct transfer *transfer, const char *path, FILE *mbox,
                      const struct postern_message_info *info)
{
    struct postern_content *content = NULL;
    struct postern_facts facts;
    int err = transfer->store->ops->message(transfer->mailbox, info->uid, 0, &content, &facts);

    if (err == POSTERN_E_NOT_FOUND)
        return 0; /* it went meanwhile */
    if (!err)
        err = mbox ? export_mbox(transfer, mbox, info, content)
                   : export_file(transfer, path, info, content);
    transfer->store->ops->content_close(&content);
    transfer->count += err == 0;
    return err;
}

static int export_path(struct transfer *transfer, const char *path)
{
    bool is_mbox = transfer->format && strcmp(transfer->format, "mbox") == 0;
    struct infos infos = {0};
    struct postern_status status;
    FILE *mbox = is_mbox ? fopen(path, "wxe") : NULL;
    int err = is_mbox ? (mbox ? 0 : POSTERN_E_EXISTS) : make_folders(transfer, path);

    if (!err)
        err = transfer->store->ops->refresh(transfer->mailbox, 0, &status);
    if (!err)
        err = transfer->store->ops->each(
            transfer->mailbox, (struct postern_uid_range){1, UINT32_MAX}, 0, take_info, &infos);
    for (size_t i = 0; i < infos.count && !err; i++)
        err = export_one(transfer, path, mbox, &infos.all[i]);
    free(infos.all);
    if (mbox && fclose(mbox) != 0 && !err)
        err = POSTERN_E_FULL;
    return err;
}

int cli_export(int argc, char **argv)
{
    return transfer_command(argc, argv, 0, export_path, "exported");
}
