/* SPDX-License-Identifier: MIT */
/* crypt - password hashes of crypt(3), and small files. Both are slow and wanted by all kinds. */
#include "accounts/internal.h"

#include "base/span.h"
#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (64 << 20)

/* hash_into - crypt() with the setting in `like`; NULL when it cannot be. data: wiped by the
 * caller. */
static const char *hash_into(struct postern_span password, struct postern_span like,
                             struct crypt_data *data)
{
    char phrase[CRYPT_MAX_PASSPHRASE_SIZE], setting[CRYPT_OUTPUT_SIZE];
    const char *made = NULL;

    /* crypt() ends at a NUL: a password with one must not match by its beginning */
    if (password.n < sizeof phrase && like.n < sizeof setting &&
        span_find(password, '\0') == password.n) {
        memcpy(phrase, password.p ? password.p : "", password.n);
        phrase[password.n] = '\0';
        memcpy(setting, like.p ? like.p : "", like.n);
        setting[like.n] = '\0';
        made = crypt_rn(phrase, setting, data, sizeof *data);
    }
    secret_wipe(phrase, sizeof phrase);
    return made;
}

bool crypt_matches(struct postern_span password, struct postern_span hash)
{
    struct crypt_data *data = calloc(1, sizeof *data);
    const char *made = data && hash.n >= 13 ? hash_into(password, hash, data) : NULL;
    bool same = made && made[0] != '*' && span_same_secret(postern_span_of(made), hash);

    if (data)
        secret_wipe(data, sizeof *data);
    free(data);
    return same;
}

void crypt_dummy(struct postern_span password, struct postern_span like)
{
    /* nobody's password: a yescrypt setting of the default cost */
    static const char setting[] =
        "$y$j9T$abcdefghijklmnopqrstu.$WWUHxMVT46BNaHmxmFT2wO8oAT6qKlHhCwzH1zvLxJ4";
    struct crypt_data *data = calloc(1, sizeof *data);

    if (!data)
        return;
    hash_into(password, like.n ? like : SPAN(setting), data);
    secret_wipe(data, sizeof *data);
    free(data);
}

int crypt_make(struct postern_span password, const char *prefix, char out[384])
{
    struct crypt_data *data = calloc(1, sizeof *data);
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    const char *made = NULL;

    if (!data)
        return POSTERN_E_NOMEM;
    if (crypt_gensalt_rn(prefix ? prefix : "$y$", 0, NULL, 0, setting, sizeof setting))
        made = hash_into(password, postern_span_of(setting), data);
    if (made)
        memcpy(out, made, strlen(made) + 1);
    secret_wipe(data, sizeof *data);
    free(data);
    return made ? 0 : POSTERN_E_UNSUPPORTED;
}

int read_whole(const char *path, char **text_r, size_t *n_r)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;
    struct stat facts;
    size_t n = 0;
    char *text;

    if (fd < 0)
        return errno == ENOENT   ? POSTERN_E_NOT_FOUND
               : errno == EACCES ? POSTERN_E_DENIED
                                 : POSTERN_E_IO;
    if (fstat(fd, &facts) < 0 || !S_ISREG(facts.st_mode) || facts.st_size > FILE_MAX) {
        close(fd);
        return POSTERN_E_IO;
    }
    text = malloc((size_t)facts.st_size + 1);
    while (text && n < (size_t)facts.st_size) {
        ssize_t got = read(fd, text + n, (size_t)facts.st_size - n);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            err = got < 0 ? POSTERN_E_IO : 0;
            break;
        }
        n += (size_t)got;
    }
    close(fd);
    if (!text || err) {
        free(text);
        return text ? err : POSTERN_E_NOMEM;
    }
    *text_r = text;
    *n_r = n;
    return 0;
}
