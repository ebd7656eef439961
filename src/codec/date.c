/* SPDX-License-Identifier: MIT */
/* date - a moment as people write it (H. Hinnant's civil_from_days and days_from_civil). */
#include "codec/date.h"

#include "base/span.h"

const char *const date_months[12] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

int64_t date_days(int year, unsigned month, unsigned day)
{
    int64_t y = month <= 2 ? year - 1 : year, era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

struct date date_of(int64_t seconds)
{
    int64_t days = seconds / 86400 - (seconds % 86400 < 0), of_day = seconds - days * 86400;
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
    unsigned of_era = (unsigned)(z - era * 146097);
    unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
    unsigned month = (5 * of_year + 2) / 153, day = of_year - (153 * month + 2) / 5 + 1;

    month = month < 10 ? month + 3 : month - 9;
    return (struct date){.year = (int)(year + era * 400 + (month <= 2)),
                         .month = month,
                         .day = day,
                         .hour = (unsigned)(of_day / 3600),
                         .minute = (unsigned)(of_day / 60 % 60),
                         .second = (unsigned)(of_day % 60),
                         .weekday = (unsigned)(((days + 4) % 7 + 7) % 7)};
}

void date_write_digits(struct buffer *out, unsigned number, unsigned digits)
{
    char text[8];

    for (unsigned i = digits; i-- > 0; number /= 10)
        text[i] = (char)('0' + number % 10);
    buffer_append(out, span_make(text, digits));
}

void date_write_header(struct buffer *out, int64_t seconds)
{
    static const char *const weekdays[7] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    struct date date = date_of(seconds);

    buffer_append_text(out, weekdays[date.weekday]);
    buffer_append_text(out, ", ");
    buffer_append_number(out, date.day);
    buffer_append_char(out, ' ');
    buffer_append_text(out, date_months[date.month - 1]);
    buffer_append_char(out, ' ');
    date_write_digits(out, (unsigned)date.year, 4);
    buffer_append_char(out, ' ');
    date_write_digits(out, date.hour, 2);
    buffer_append_char(out, ':');
    date_write_digits(out, date.minute, 2);
    buffer_append_char(out, ':');
    date_write_digits(out, date.second, 2);
    buffer_append_text(out, " +0000");
}
