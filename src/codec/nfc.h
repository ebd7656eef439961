/* SPDX-License-Identifier: MIT */
/* nfc - Unicode's normalization form C, which names have in Net-Unicode (RFC 5198 3). Pure. */
#ifndef CODEC_NFC_H
#define CODEC_NFC_H

#include <postern/base.h>

/* nfc_is - is the text, which is UTF-8, in that form? One of more than 1,024 characters when it is
 * decomposed counts as such: it is too long for a name. */
bool nfc_is(struct postern_span text);

#endif
