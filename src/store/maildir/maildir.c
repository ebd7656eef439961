/* SPDX-License-Identifier: MIT */
/* maildir - names as Postfix, mutt, procmail and Dovecot leave them: KEY:2,FLAGS. The key, which no
 * program changes, is the unique-id; `,S=` and `,W=` in it are Dovecot's sizes (raw, wire). A key
 * of ours has `,U=VALIDITY-UID` too, so that UIDs outlive the index, and its unique-id ends before
 * the first comma. */
#include "store/folder/folder.h"

#include "base/span.h"
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define LETTERS "DFRST" /* in the order in which they stand in a name */

static const struct {
    char letter;
    uint32_t flag;
} letters[] = {{'D', POSTERN_FLAG_DRAFT},
               {'F', POSTERN_FLAG_FLAGGED},
               {'R', POSTERN_FLAG_ANSWERED},
               {'S', POSTERN_FLAG_SEEN},
               {'T', POSTERN_FLAG_DELETED}};
#define LETTER_COUNT (sizeof letters / sizeof *letters)

static bool is_message(struct postern_span name)
{
    (void)name;
    return true;
}

static struct postern_span key_of(struct postern_span name)
{
    return span_make(name.p, span_find(name, ':'));
}

static bool read_uid(struct postern_span field, uint32_t *validity_r, uint32_t *uid_r)
{
    struct postern_span validity = span_cut(&field, '-');
    uint64_t a, b;

    if (!span_number(validity, UINT32_MAX, &a) || !span_number(field, UINT32_MAX - 1, &b) || !a ||
        !b)
        return false;
    *validity_r = (uint32_t)a;
    *uid_r = (uint32_t)b;
    return true;
}

static void read_fields(struct postern_span fields, struct file_facts *facts)
{
    while (fields.p) {
        struct postern_span field = span_cut(&fields, ','), value = span_from(field, 2);
        uint64_t size;

        if (field.n < 3 || field.p[1] != '=')
            continue;
        if (field.p[0] == 'U')
            read_uid(value, &facts->uid_validity, &facts->uid);
        else if (!span_number(value, UINT64_MAX / 4, &size))
            continue;
        else if (field.p[0] == 'S')
            facts->size_raw = size;
        else if (field.p[0] == 'W')
            facts->size_wire = size;
    }
}

static void read_flags(struct postern_span info, struct file_facts *facts)
{
    facts->has_flags = true;
    for (size_t i = 0; i < info.n && info.p[i] != ','; i++) {
        for (size_t j = 0; j < LETTER_COUNT; j++)
            if (info.p[i] == letters[j].letter)
                facts->flags |= letters[j].flag;
        if (info.p[i] >= 'a' && info.p[i] <= 'z')
            facts->letters |= 1u << (info.p[i] - 'a');
    }
}

static void read_name(struct postern_span name, struct file_facts *facts_r)
{
    struct postern_span info = name, fields = span_cut(&info, ':');

    *facts_r = (struct file_facts){.size_raw = UINT64_MAX, .size_wire = UINT64_MAX};
    span_cut(&fields, ',');
    read_fields(fields, facts_r);
    if (span_begins(info, SPAN("2,")))
        read_flags(span_from(info, 2), facts_r);
}

/* unique_of - asked for each message that is shown: only what may tell a UID is read. */
static struct postern_span unique_of(struct postern_span key)
{
    struct file_facts facts;
    size_t at = span_find(key, 'U');

    while (at < key.n && !span_begins(span_from(key, at), SPAN("U=")))
        at += 1 + span_find(span_from(key, at + 1), 'U');
    if (at >= key.n)
        return key;
    read_name(key, &facts);
    return facts.uid ? span_make(key.p, span_find(key, ',')) : key;
}

static void host_name(char host[65])
{
    if (gethostname(host, 65) < 0)
        snprintf(host, 65, "localhost");
    host[64] = '\0';
    for (char *at = host; *at; at++)
        if (*at == '/' || *at == ':' || *at == ',' || (unsigned char)*at <= ' ' ||
            (unsigned char)*at > 126)
            *at = '_';
}

static int make_name(const struct new_name *what, char *out, size_t size)
{
    char host[65];
    struct timespec now;
    int n;

    clock_gettime(CLOCK_REALTIME, &now);
    host_name(host);
    n = snprintf(out, size, "%lld.M%ldP%dQ%llu.%.20s,S=%llu,W=%llu,U=%lu-%lu",
                 (long long)now.tv_sec, now.tv_nsec / 1000, (int)getpid(),
                 (unsigned long long)what->number, host, (unsigned long long)what->size_raw,
                 (unsigned long long)what->size_wire, (unsigned long)what->uid_validity,
                 (unsigned long)what->uid);
    return n > 0 && (size_t)n < size ? 0 : POSTERN_E_TOO_LONG;
}

/* flag_name - letters that are not known to us stay. */
static bool flag_name(struct postern_span name, uint32_t flags, uint32_t keywords, char *out,
                      size_t size)
{
    struct postern_span key = key_of(name), info = span_from(name, key.n);
    size_t n = key.n;

    if (key.n + 3 + LETTER_COUNT + 26 + info.n >= size)
        return false;
    memcpy(out, key.p, key.n);
    memcpy(out + n, ":2,", 3);
    n += 3;
    for (size_t j = 0; j < LETTER_COUNT; j++)
        if (flags & letters[j].flag)
            out[n++] = letters[j].letter;
    if (span_begins(info, SPAN(":2,")))
        for (size_t i = 3; i < info.n; i++)
            if ((unsigned char)info.p[i] < 'a' && !strchr(LETTERS, info.p[i]))
                out[n++] = info.p[i];
    for (unsigned i = 0; i < 26; i++)
        if (keywords >> i & 1)
            out[n++] = (char)('a' + i);
    out[n] = '\0';
    return true;
}

int postern_store_maildir_new(struct postern_store *store_r, const char *path)
{
    static const struct folder_kind kind = {.ops = FOLDER_OPS("maildir"),
                                            .sub_count = 2,
                                            .subs = {"new", "cur"},
                                            .staging = "tmp",
                                            .index = "postern",
                                            .has_mailboxes = true,
                                            .is_message = is_message,
                                            .key_of = key_of,
                                            .unique_of = unique_of,
                                            .read_name = read_name,
                                            .make_name = make_name,
                                            .flag_name = flag_name};

    return folder_store_new(store_r, &kind, path, true);
}
