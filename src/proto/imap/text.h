/* SPDX-License-Identifier: MIT */
/* text - what ends a command, in the languages of LANGUAGE (RFC 5255 3). The code says the English
 * text where it is meant; here it is looked up, and stays English if nobody translated it. */
#ifndef IMAP_TEXT_H
#define IMAP_TEXT_H

#include "proto/wire/language.h"

/* text_in - a text in a language; static, or the English text itself. */
const char *text_in(enum language language, const char *english);

#endif
