/* SPDX-License-Identifier: MIT */
/* edit - changes to a password file: the whole file is written anew beside it, synced, and renamed
 * over it, so that a reader sees the old file or the new one. Comments and other lines stay as they
 * are. Two editors at once are kept apart by a lock on the directory's `FILE.lock`. */
#include "accounts/internal.h"

#include "accounts/escape.h"
#include "accounts/keys.h"
#include "accounts/table.h"
#include "base/span.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_all(int fd, struct postern_span bytes)
{
    while (bytes.n) {
        ssize_t n = write(fd, bytes.p, bytes.n);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return POSTERN_E_IO;
        bytes = span_from(bytes, (size_t)n);
    }
    return 0;
}

static int sync_folder(const char *path)
{
    char copy[PATH_MAX];
    int fd, err;

    snprintf(copy, sizeof copy, "%s", path);
    fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return POSTERN_E_IO;
    err = fsync(fd) < 0 ? POSTERN_E_IO : 0;
    close(fd);
    return err;
}

/* keep_owner - the new file is read by whom the old one was: a server that dropped its privileges.
 */
static int keep_owner(int fd, const char *path)
{
    struct stat facts;

    if (stat(path, &facts) < 0)
        return errno == ENOENT ? 0 : POSTERN_E_IO;
    if (fchown(fd, facts.st_uid, facts.st_gid) < 0 && errno != EPERM)
        return POSTERN_E_IO;
    return fchmod(fd, facts.st_mode & 0777) < 0 ? POSTERN_E_IO : 0;
}

static int replace_file(const char *path, struct postern_span text)
{
    char fresh[PATH_MAX];
    int fd, err;

    if (snprintf(fresh, sizeof fresh, "%s.new", path) >= (int)sizeof fresh)
        return POSTERN_E_TOO_LONG;
    fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == EACCES ? POSTERN_E_DENIED : POSTERN_E_IO;
    err = keep_owner(fd, path);
    if (!err)
        err = write_all(fd, text);
    if (!err && fsync(fd) < 0)
        err = POSTERN_E_IO;
    if (close(fd) < 0 && !err)
        err = POSTERN_E_IO;
    if (!err && rename(fresh, path) < 0)
        err = POSTERN_E_IO;
    if (err) {
        unlink(fresh);
        return err;
    }
    return sync_folder(path);
}

static int append_keys(struct buffer *line, const char *key, enum postern_hash hash,
                       struct postern_span password)
{
    struct account_secrets secrets = {.salt_bytes = KEYS_SALT_BYTES};
    int err = RAND_bytes(secrets.salt, KEYS_SALT_BYTES) == 1 ? keys_make(hash, password, &secrets)
                                                             : POSTERN_E_IO;

    if (!err) {
        buffer_append_text(line, key);
        keys_append(line, &secrets);
    }
    secret_wipe(&secrets, sizeof secrets);
    return err;
}

/* append_password - the hash and what else is made of the password. */
static int append_password(struct buffer *line, const struct account_change *change)
{
    char hash[384];
    int err = crypt_make(change->password, change->hash_prefix, hash);

    if (err < 0)
        return err;
    buffer_append_text(line, hash);
    if (change->scram)
        err = append_keys(line, ":scram256=", POSTERN_HASH_SHA256, change->password);
    if (change->scram && !err)
        err = append_keys(line, ":scram1=", POSTERN_HASH_SHA1, change->password);
    if (change->apop) {
        buffer_append_text(line, ":apop=");
        escape_append(line, change->password);
    }
    return err;
}

static bool is_replaced(struct postern_span key, const struct account_change *change)
{
    if (span_equal(key, SPAN("disabled")))
        return true;
    return change->password.p && (span_equal(key, SPAN("scram256")) ||
                                  span_equal(key, SPAN("scram1")) || span_equal(key, SPAN("apop")));
}

/* append_line - the user's new line; old NULL for a new user. */
static int append_line(struct buffer *line, const struct account_change *change,
                       const struct account *old)
{
    struct postern_span rest = old ? old->values : (struct postern_span){NULL, 0};
    int err = 0;

    buffer_append(line, change->user);
    buffer_append_char(line, ':');
    if (change->password.p)
        err = append_password(line, change);
    else if (old)
        buffer_append(line, old->hash);
    while (rest.n) {
        struct postern_span pair = span_cut(&rest, ':'), key = pair;

        if (is_replaced(span_cut(&key, '='), change))
            continue;
        buffer_append_char(line, ':');
        buffer_append(line, pair);
    }
    if (change->disabled)
        buffer_append_text(line, ":disabled=yes");
    buffer_append_char(line, '\n');
    return err ? err : line->error;
}

enum edit { EDIT_ADD, EDIT_SET, EDIT_DEL };

/* edited - the whole new text: every line but the user's, which is changed in its place or at the
 * end. */
static int edited(struct postern_span text, enum edit edit, const struct account_change *change,
                  const struct account *old, struct buffer *out)
{
    struct postern_span rest = text;
    int err = 0;

    for (unsigned number = 1; rest.n && !err; number++) {
        struct postern_span line = span_cut(&rest, '\n');

        if (old && number == old->line) {
            if (edit == EDIT_SET)
                err = append_line(out, change, old);
            continue;
        }
        buffer_append(out, line);
        buffer_append_char(out, '\n');
    }
    if (edit == EDIT_ADD)
        err = append_line(out, change, NULL);
    return err ? err : out->error;
}

static int edit_text(const char *path, struct postern_span text, enum edit edit,
                     const struct account_change *change)
{
    struct account_table *table;
    const struct account *old;
    const char *why = "out of memory";
    struct buffer out = {0};
    unsigned line = 0;
    int err = table_parse(text, &table, &line, &why);

    if (err < 0) {
        accounts_set_error(path, line, why);
        return err;
    }
    old = table_find(table, change->user);
    if (edit == EDIT_ADD && old)
        err = POSTERN_E_EXISTS;
    else if (edit != EDIT_ADD && !old)
        err = POSTERN_E_NOT_FOUND;
    if (!err)
        err = edited(text, edit, change, old, &out);
    if (!err)
        err = replace_file(path, buffer_span(&out));
    if (err < 0)
        accounts_set_error(path, 0, postern_err_text(err));
    buffer_done(&out);
    table_free(&table);
    return err;
}

static int edit_file(const char *path, enum edit edit, const struct account_change *change)
{
    char lock_path[PATH_MAX], *text = NULL;
    size_t n = 0;
    int lock, err;

    if (!account_name_is_good(change->user)) {
        accounts_set_error(path, 0, "bad user name");
        return POSTERN_E_SYNTAX;
    }
    if (snprintf(lock_path, sizeof lock_path, "%s.lock", path) >= (int)sizeof lock_path)
        return POSTERN_E_TOO_LONG;
    lock = open(lock_path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (lock < 0 || flock(lock, LOCK_EX) < 0) {
        accounts_set_error(lock_path, 0, "cannot be locked");
        err = POSTERN_E_DENIED;
    } else {
        err = read_whole(path, &text, &n);
        if (err == POSTERN_E_NOT_FOUND && edit == EDIT_ADD)
            err = 0; /* the first user makes the file */
        if (!err)
            err = edit_text(path, span_make(text, n), edit, change);
        else
            accounts_set_error(path, 0, postern_err_text(err));
    }
    if (text)
        secret_wipe(text, n);
    free(text);
    if (lock >= 0)
        close(lock);
    return err;
}

int accounts_file_add(const char *path, const struct account_change *change)
{
    return edit_file(path, EDIT_ADD, change);
}

int accounts_file_set(const char *path, const struct account_change *change)
{
    return edit_file(path, EDIT_SET, change);
}

int accounts_file_del(const char *path, struct postern_span user)
{
    return edit_file(path, EDIT_DEL, &(struct account_change){.user = user});
}

int accounts_file_each(const char *path,
                       int (*each)(void *ctx, struct postern_span user, bool disabled, bool scram,
                                   bool apop),
                       void *ctx)
{
    struct account_table *table = NULL;
    const struct account *account;
    const char *why = "";
    unsigned line = 0;
    char *text;
    size_t n;
    int err = read_whole(path, &text, &n);

    if (err < 0) {
        accounts_set_error(path, 0, postern_err_text(err));
        return err;
    }
    err = table_parse(span_make(text, n), &table, &line, &why);
    free(text);
    if (err < 0) {
        accounts_set_error(path, line, why);
        return err;
    }
    for (size_t i = 0; !err && (account = table_at(table, i)); i++)
        err = each(ctx, account->user, account_is_disabled(account),
                   account_value(account, "scram256").p != NULL,
                   account_value(account, "apop").p != NULL);
    table_free(&table);
    return err;
}
