/* SPDX-License-Identifier: MIT */
/* names - what clients call things never becomes a path: a mailbox's name is written in modified
 * UTF-7 with its levels apart by '.', as Maildir++ has it, so that no name can hold a '/' or be
 * "..". */
#include "store/folder/folder.h"

#include "base/span.h"
#include "codec/utf7.h"
#include <stdio.h>

int name_to_dir(struct postern_span name, struct buffer *out)
{
    size_t before = buffer_length(out);
    struct postern_span rest = name;
    int err = 0;

    if (span_equal(name, SPAN("INBOX")))
        return 0;
    while (rest.p && !err) {
        buffer_append_char(out, '.');
        err = utf7_encode(span_cut(&rest, '/'), "./", out);
    }
    if (!err && buffer_length(out) - before >= FOLDER_NAME_BYTES - 1)
        err = POSTERN_E_TOO_LONG;
    return err;
}

int dir_to_name(struct postern_span dir, struct buffer *out)
{
    struct postern_span rest = span_from(dir, 1), name;
    size_t before = buffer_length(out);
    struct buffer again = {0};
    int err = 0;

    while (rest.p && !err) {
        if (buffer_length(out) > before)
            buffer_append_char(out, '/');
        err = utf7_decode(span_cut(&rest, '.'), out);
    }
    name = span_from(buffer_span(out), before);
    if (!err)
        err = name_check(&name);
    /* a folder that would not be called so by us (another way to write it) is not a mailbox, lest
     * two folders be one */
    if (!err)
        err = name_to_dir(name, &again);
    if (!err && !span_equal(buffer_span(&again), dir))
        err = POSTERN_E_SYNTAX;
    buffer_done(&again);
    return err;
}

/* ---- unique-ids ------------------------------------------------------------------------------ */

/* looks_escaped - a name that ends as escaped ones do is escaped, too, lest it be taken for
 * another. */
static bool looks_escaped(struct postern_span key)
{
    if (key.n < 33 || key.p[key.n - 33] != '~')
        return false;
    for (size_t i = key.n - 32; i < key.n; i++)
        if (!strchr("0123456789abcdef", key.p[i]))
            return false;
    return true;
}

static bool is_visible(char c)
{
    return c >= 0x21 && c <= 0x7e;
}

static bool is_unique_id(struct postern_span key)
{
    for (size_t i = 0; i < key.n; i++)
        if (!is_visible(key.p[i]))
            return false;
    return key.n >= 1 && key.n <= POSTERN_UID_MAX && !looks_escaped(key);
}

/* folder_unique - the key itself, or where it is too long or has other characters, its beginning
 * and 128 bits of a hash: it must be the same for ever, and two names must not meet. */
struct postern_span folder_unique(struct postern_span key, char out[POSTERN_UID_MAX + 1])
{
    uint64_t a = UINT64_C(14695981039346656037), b = UINT64_C(0x9ae16a3b2f90404f);
    size_t head = key.n < 37 ? key.n : 37;

    if (is_unique_id(key)) {
        memcpy(out, key.p, key.n);
        out[key.n] = '\0';
        return span_make(out, key.n);
    }
    for (size_t i = 0; i < key.n; i++) {
        unsigned char c = (unsigned char)key.p[i];

        a = (a ^ c) * UINT64_C(1099511628211);
        b = (b ^ (c + i)) * UINT64_C(0x9fb21c651e98df25);
        b ^= b >> 29;
    }
    for (size_t i = 0; i < head; i++)
        out[i] = is_visible(key.p[i]) ? key.p[i] : '_';
    snprintf(out + head, POSTERN_UID_MAX + 1 - head, "~%016llx%016llx", (unsigned long long)a,
             (unsigned long long)b);
    return postern_span_of(out);
}

struct postern_span row_unique_id(const struct postern_account *account,
                                  const struct index_mailbox *mailbox, const struct index_row *row,
                                  char out[POSTERN_UID_MAX + 1])
{
    const struct folder_kind *kind = account->store->kind;
    struct postern_span unique = row_unique(mailbox, row);

    if (unique.n && unique.n <= POSTERN_UID_MAX)
        return unique;
    return folder_unique(kind->unique_of(kind->key_of(row_name(mailbox, row))), out);
}
