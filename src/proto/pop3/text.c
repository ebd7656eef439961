/* SPDX-License-Identifier: MIT */
/* text - the reply texts, one array per language, all made from the one table in text.h. */
#include "proto/pop3/text.h"

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

static const char *const *const texts[] = {
#define LANGUAGE_TEXTS(id, tag, description, column) texts_##column,
    LANGUAGES(LANGUAGE_TEXTS)
#undef LANGUAGE_TEXTS
};

struct postern_span text_get(enum language language, enum pop3_text text)
{
    return postern_span_of(texts[language][text]);
}
