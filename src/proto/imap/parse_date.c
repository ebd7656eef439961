/* SPDX-License-Identifier: MIT */
/* parse_date - a day, or a day with its time. */
#include "codec/date.h"
#include "proto/imap/session.h"

/* fixed_number - of exactly n digits. I 9-10 */
static uint64_t fixed_number(struct imap_parser *in, size_t n, uint64_t max)
{
    size_t before = in->rest.n;
    uint64_t number = parse_number(in, max);

    if (!in->bad && before - in->rest.n != n)
        parse_spoil(in);
    return number;
}

/* I 9-8 */
static int64_t month_and_year(struct imap_parser *in, unsigned day)
{
    static const unsigned char longest[12] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned month = 0;
    int year;

    parse_char(in, '-');
    while (month < 12 && !span_begins_nocase(in->rest, postern_span_of(date_months[month])))
        month++;
    in->rest = span_from(in->rest, 3);
    parse_char(in, '-');
    year = (int)fixed_number(in, 4, 9999);
    if (month == 12 || day == 0 || day > longest[month < 12 ? month : 0])
        parse_spoil(in);
    return in->bad ? 0 : date_days(year, month + 1, day);
}

/* I 9-9 */
int64_t parse_date(struct postern_imap *s, struct imap_parser *in)
{
    bool is_quoted = parse_try(in, '"');
    size_t before = in->rest.n;
    unsigned day = (unsigned)parse_number(in, 31);
    int64_t days;

    (void)s;
    if (before - in->rest.n > 2)
        parse_spoil(in);
    days = month_and_year(in, day);
    if (is_quoted)
        parse_char(in, '"');
    return days;
}

int64_t parse_date_time(struct postern_imap *s, struct imap_parser *in)
{
    int64_t days, seconds, zone;
    bool east;

    (void)s;
    parse_char(in, '"');
    days = month_and_year(in, (unsigned)fixed_number(in, parse_try(in, ' ') ? 1 : 2, 31));
    parse_space(in);
    seconds = (int64_t)fixed_number(in, 2, 23) * 3600;
    parse_char(in, ':');
    seconds += (int64_t)fixed_number(in, 2, 59) * 60;
    parse_char(in, ':');
    seconds += (int64_t)fixed_number(in, 2, 60);
    parse_space(in);
    east = parse_try(in, '+');
    if (!east)
        parse_char(in, '-');
    zone = (int64_t)fixed_number(in, 4, 9999);
    parse_char(in, '"');
    if (zone / 100 > 23 || zone % 100 > 59)
        parse_spoil(in);
    zone = (zone / 100 * 60 + zone % 100) * 60;
    seconds += days * 86400 - (east ? zone : -zone);
    if (seconds < date_days(0, 1, 1) * 86400 || seconds >= date_days(10000, 1, 1) * 86400)
        parse_spoil(in); /* it could not be told again */
    return in->bad ? 0 : seconds;
}
