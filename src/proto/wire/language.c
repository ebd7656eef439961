/* SPDX-License-Identifier: MIT */
/* language - ranges and tags (RFC 4647 3). */
#include "proto/wire/language.h"

#include "base/span.h"

static const struct {
    const char *tag, *description;
} languages[] = {
#define LANGUAGE_ROW(id, tag, description, column) {tag, description},
    LANGUAGES(LANGUAGE_ROW)
#undef LANGUAGE_ROW
};

const char *language_tag(enum language language)
{
    return languages[language].tag;
}

const char *language_description(enum language language)
{
    return languages[language].description;
}

/* RFC 4647 3.3.1: a range names a tag that equals it or goes on with "-" behind it. */
static int tag_in(struct postern_span range)
{
    for (int i = 0; i < LANGUAGE_COUNT; i++) {
        struct postern_span tag = postern_span_of(languages[i].tag);

        if (range.n && span_begins_nocase(tag, range) &&
            (tag.n == range.n || tag.p[range.n] == '-'))
            return i;
    }
    return -1;
}

/* RFC 4647 3.4: when nothing lies in the range, it is widened from its end, "de-AT" to "de". */
int language_find(struct postern_span range)
{
    int found = span_equal(range, SPAN("*")) ? LANGUAGE_DEFAULT : tag_in(range);

    while (found < 0 && range.n) {
        range.n--;
        if (range.p[range.n] == '-')
            found = tag_in(range);
    }
    return found;
}
