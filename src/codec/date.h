/* SPDX-License-Identifier: MIT */
/* date - a moment as people write it. Pure. */
#ifndef CODEC_DATE_H
#define CODEC_DATE_H

#include "base/buffer.h"

struct date {
    int year;
    unsigned month, day, hour, minute, second; /* month and day from 1 */
    unsigned weekday;                          /* 0: Sunday */
};

extern const char *const date_months[12];
/* date_days - since 1970, in the Gregorian calendar, backwards too. month and day from 1. */
int64_t date_days(int year, unsigned month, unsigned day);
/* date_of - seconds since 1970, as in Greenwich. */
struct date date_of(int64_t seconds);
/* date_write_digits - with zeros in front; at most 8 digits. */
void date_write_digits(struct buffer *out, unsigned number, unsigned digits);
/* date_write_header - "Sat, 21 Nov 2026 14:06:40 +0000" (RFC 5322 3.3). */
void date_write_header(struct buffer *out, int64_t seconds);

#endif
