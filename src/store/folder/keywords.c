/* SPDX-License-Identifier: MIT */
/* keywords - the letters a to z in a file's name stand for the keywords that the mailbox's file
 * dovecot-keywords numbers 0 to 25 ("0 $Forwarded"). Without that file letters mean nothing, and
 * keywords live in the index only. */
#include "store/folder/folder.h"

#include "base/span.h"
#include <fcntl.h>
#include <unistd.h>

#define LETTERS 26
#define FILE_BYTES 8192

struct letters {
    char text[FILE_BYTES];
    struct postern_span names[LETTERS];
    bool any;
};

static void letters_read(struct letters *letters, const struct place *place)
{
    int fd =
        openat(place->base, "dovecot-keywords", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, letters->text, sizeof letters->text);
    struct postern_span rest = span_make(letters->text, n < 0 ? 0 : (size_t)n);

    letters->any = false;
    folder_fd_close(&fd);
    for (unsigned i = 0; i < LETTERS; i++)
        letters->names[i] = (struct postern_span){0};
    while (rest.p && rest.n) {
        struct postern_span line = span_cut(&rest, '\n'), number = span_cut(&line, ' ');
        uint64_t i;

        if (!span_number(number, LETTERS - 1, &i) || !line.n || line.n > POSTERN_KEYWORD_MAX)
            continue;
        letters->names[i] = line;
        letters->any = true;
    }
}

static int number_of(const struct index_mailbox *mailbox, struct postern_span name)
{
    for (unsigned i = 0; i < mailbox->keyword_count; i++)
        if (span_equal_nocase(mailbox->keywords[i], name))
            return (int)i;
    return -1;
}

uint64_t letters_to_keywords(struct place *place, struct index_mailbox *mailbox, uint32_t set,
                             uint64_t before, struct keyword_maker *maker)
{
    struct letters letters;
    uint64_t keywords = before;

    letters_read(&letters, place);
    for (unsigned i = 0; i < LETTERS && letters.any; i++) {
        int number = letters.names[i].n ? number_of(mailbox, letters.names[i]) : -1;

        if (number < 0 && set >> i & 1 && letters.names[i].n)
            number = keyword_make(maker, mailbox, letters.names[i]);
        if (number < 0)
            continue;
        keywords &= ~(UINT64_C(1) << number);
        keywords |= (uint64_t)(set >> i & 1) << number;
    }
    return keywords;
}

uint32_t keywords_to_letters(struct place *place, const struct index_mailbox *mailbox,
                             uint64_t keywords)
{
    struct letters letters;
    uint32_t set = 0;

    if (!keywords)
        return 0;
    letters_read(&letters, place);
    for (unsigned i = 0; i < LETTERS && letters.any; i++) {
        int number = letters.names[i].n ? number_of(mailbox, letters.names[i]) : -1;

        if (number >= 0 && keywords >> number & 1)
            set |= 1u << i;
    }
    return set;
}

int keyword_make(struct keyword_maker *maker, const struct index_mailbox *mailbox,
                 struct postern_span name)
{
    struct postern_span made = buffer_span(&maker->made);
    unsigned number = mailbox->keyword_count;

    for (; made.n; number++) {
        struct postern_span each = span_make(made.p + 1, (unsigned char)made.p[0]);

        if (span_equal_nocase(each, name))
            return (int)number;
        made = span_from(made, each.n + 1);
    }
    if (number >= POSTERN_KEYWORDS_MAX)
        return POSTERN_E_FULL;
    buffer_append_char(&maker->made, (char)name.n);
    buffer_append(&maker->made, name);
    group_keyword(maker->group, mailbox->facts.id, name);
    return maker->made.error ? POSTERN_E_NOMEM : (int)number;
}
