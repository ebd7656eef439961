/* SPDX-License-Identifier: MIT */
/* pattern - "*" and "%" over names of mailboxes (RFC 9051 6.3.9). Pure. */
#ifndef CODEC_PATTERN_H
#define CODEC_PATTERN_H

#include <postern/base.h>

/* pattern_matches - '*' stands for anything, '%' for anything but '/'; the level INBOX in any
 * case. */
bool pattern_matches(struct postern_span name, struct postern_span pattern);

#endif
