/* SPDX-License-Identifier: MIT */
/* letters - the letters a to z in a file's name stand for the keywords that the mailbox's file
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

uint64_t letters_to_keywords(struct place *place, struct index_mailbox *mailbox, uint32_t set,
                             uint64_t before, struct keyword_maker *maker)
{
    struct letters letters;
    uint64_t keywords = before;

    letters_read(&letters, place);
    for (unsigned i = 0; i < LETTERS && letters.any; i++) {
        int number = letters.names[i].n ? keyword_number(mailbox, letters.names[i]) : -1;

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
        int number = letters.names[i].n ? keyword_number(mailbox, letters.names[i]) : -1;

        if (number >= 0 && keywords >> number & 1)
            set |= 1u << i;
    }
    return set;
}
