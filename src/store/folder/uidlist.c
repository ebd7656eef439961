/* SPDX-License-Identifier: MIT */
/* uidlist - the file dovecot-uidlist, version 3: "3 V<uid validity> N<next uid> ...", then a line
 * for each message: "<uid> [<letter><value> ...] :<file name before the flags>". P is the POP3
 * unique-id. Whoever comes from Dovecot keeps all his UIDs. */
#include "store/folder/uidlist.h"

#include "base/span.h"
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define UIDLIST_NAME "dovecot-uidlist"
#define UIDLIST_MAX (256u << 20)

static bool number_of(struct postern_span text, uint32_t *number_r)
{
    uint64_t number;

    if (!span_number(text, UINT32_MAX, &number))
        return false;
    *number_r = (uint32_t)number;
    return true;
}

static bool read_first(struct uidlist *list, struct postern_span line)
{
    struct postern_span word = span_cut(&line, ' ');

    if (!span_equal(word, SPAN("3")))
        return false;
    while (line.p) {
        word = span_cut(&line, ' ');
        if (word.n > 1 && word.p[0] == 'V')
            number_of(span_from(word, 1), &list->uid_validity);
        else if (word.n > 1 && word.p[0] == 'N')
            number_of(span_from(word, 1), &list->uid_next);
    }
    return list->uid_validity && list->uid_next;
}

static bool read_line(struct postern_span line, struct uidlist_entry *entry_r)
{
    struct uidlist_entry entry = {0};

    if (!number_of(span_cut(&line, ' '), &entry.uid) || entry.uid == 0)
        return false;
    while (line.p && line.n && line.p[0] != ':') {
        struct postern_span word = span_cut(&line, ' ');

        if (word.n > 1 && word.n <= POSTERN_UID_MAX + 1 && word.p[0] == 'P')
            entry.unique = span_from(word, 1);
    }
    if (!line.p || line.n < 2)
        return false;
    entry.key = span_from(line, 1);
    entry.key.n = span_find(entry.key, ':');
    *entry_r = entry;
    return entry.key.n > 0;
}

static int by_key(const void *a, const void *b)
{
    const struct uidlist_entry *x = a, *y = b;
    size_t n = x->key.n < y->key.n ? x->key.n : y->key.n;
    int order = memcmp(x->key.p, y->key.p, n);

    return order ? order : (x->key.n > y->key.n) - (x->key.n < y->key.n);
}

static size_t lines_in(struct postern_span text)
{
    size_t lines = 1;

    for (; text.n; text = span_from(text, span_find(text, '\n') + 1))
        lines++;
    return lines;
}

int uidlist_parse(struct uidlist *list, char *text, size_t n)
{
    struct postern_span rest = span_make(text, n);

    *list = (struct uidlist){.text = text};
    if (!read_first(list, span_cut(&rest, '\n')) || !rest.p) {
        if (!list->uid_validity || !list->uid_next)
            list->uid_validity = list->uid_next = 0;
        return 0;
    }
    list->all = calloc(lines_in(rest), sizeof *list->all);
    if (!list->all)
        return POSTERN_E_NOMEM;
    while (rest.p) {
        if (!read_line(span_cut(&rest, '\n'), &list->all[list->count]))
            continue;
        if (list->all[list->count].uid >= list->uid_next)
            list->uid_next = list->all[list->count].uid + 1;
        list->count++;
    }
    qsort(list->all, list->count, sizeof *list->all, by_key);
    return 0;
}

int uidlist_read(struct uidlist *list, struct place *place)
{
    int fd = openat(place->base, UIDLIST_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat facts;
    char *text;
    ssize_t n;

    *list = (struct uidlist){0};
    if (fd < 0)
        return 0;
    if (fstat(fd, &facts) < 0 || !S_ISREG(facts.st_mode) || facts.st_size > UIDLIST_MAX ||
        !(text = malloc((size_t)facts.st_size + 1))) {
        close(fd);
        return 0; /* without it: UIDs are given anew */
    }
    n = read(fd, text, (size_t)facts.st_size);
    close(fd);
    return uidlist_parse(list, text, n < 0 ? 0 : (size_t)n);
}

const struct uidlist_entry *uidlist_find(const struct uidlist *list, struct postern_span key)
{
    struct uidlist_entry wanted = {.key = key};

    return list->count ? bsearch(&wanted, list->all, list->count, sizeof *list->all, by_key) : NULL;
}

void uidlist_done(struct uidlist *list)
{
    free(list->all);
    free(list->text);
    *list = (struct uidlist){0};
}
