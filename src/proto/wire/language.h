/* SPDX-License-Identifier: MIT */
/* language - those that the engines speak (RFC 6856 3, RFC 5255 3). */
#ifndef WIRE_LANGUAGE_H
#define WIRE_LANGUAGE_H

#include <postern/base.h>

/* Best first: X(id, tag, description in the language itself, column of the texts). */
#define LANGUAGES(X)                       \
    X(DEFAULT, "i-default", "Default", en) \
    X(EN, "en", "English", en)             \
    X(DE, "de", "Deutsch", de)             \
    X(ES, "es", "Español", es)             \
    X(FR, "fr", "Français", fr)            \
    X(JA, "ja", "日本語", ja)

enum language {
#define LANGUAGE_ENUM(id, tag, description, column) LANGUAGE_##id,
    LANGUAGES(LANGUAGE_ENUM)
#undef LANGUAGE_ENUM
        LANGUAGE_COUNT
};

const char *language_tag(enum language language);
const char *language_description(enum language language);
/* language_find - the one that a basic language range asks for, or -1. "*" is the default. */
int language_find(struct postern_span range);

#endif
