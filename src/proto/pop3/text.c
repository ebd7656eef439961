/* SPDX-License-Identifier: MIT */
/* text - the reply texts, one array per language, all made from the one table in text.h. */
#include "proto/pop3/text.h"

#include "base/span.h"

#define TEXT_EN(id, en, de, es, fr, ja) en,
#define TEXT_DE(id, en, de, es, fr, ja) de,
#define TEXT_ES(id, en, de, es, fr, ja) es,
#define TEXT_FR(id, en, de, es, fr, ja) fr,
#define TEXT_JA(id, en, de, es, fr, ja) ja,

static const char *const texts_en[] = {POP3_TEXTS(TEXT_EN)};
static const char *const texts_de[] = {POP3_TEXTS(TEXT_DE)};
static const char *const texts_es[] = {POP3_TEXTS(TEXT_ES)};
static const char *const texts_fr[] = {POP3_TEXTS(TEXT_FR)};
static const char *const texts_ja[] = {POP3_TEXTS(TEXT_JA)};

static const struct {
    const char *tag, *description;
    const char *const *texts;
} languages[] = {
#define LANGUAGE_ROW(id, tag, description, column) {tag, description, texts_##column},
    POP3_LANGUAGES(LANGUAGE_ROW)
#undef LANGUAGE_ROW
};

struct postern_span text_get(enum pop3_language language, enum pop3_text text)
{
    return postern_span_of(languages[language].texts[text]);
}

const char *text_language_tag(enum pop3_language language)
{
    return languages[language].tag;
}

const char *text_language_description(enum pop3_language language)
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
int text_language_find(struct postern_span range)
{
    int found = span_equal(range, SPAN("*")) ? LANGUAGE_DEFAULT : tag_in(range);

    while (found < 0 && range.n) {
        range.n--;
        if (range.p[range.n] == '-')
            found = tag_in(range);
    }
    return found;
}
