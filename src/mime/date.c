/* SPDX-License-Identifier: MIT */
/* date - RFC 5322 3.3 and its obsolete forms: "[Day,] D Mon YYYY HH:MM[:SS] ZONE", comments
 * anywhere. */
#include "base/span.h"
#include "codec/date.h"
#include <postern/mime.h>

/* next_word - up to a space, comma or colon; comments and spaces before it are passed over. */
static struct postern_span next_word(struct postern_span *rest)
{
    unsigned depth = 0;
    struct postern_span word;
    size_t n = 0;

    for (; rest->n; *rest = span_from(*rest, 1)) {
        char c = rest->p[0];

        if (c == '(')
            depth++;
        else if (c == ')' && depth)
            depth--;
        else if (!depth && c != ' ' && c != '\t' && c != ',' && c != '\r' && c != '\n')
            break;
    }
    if (rest->n && rest->p[0] == ':') {
        word = span_make(rest->p, 1);
        *rest = span_from(*rest, 1);
        return word;
    }
    while (n < rest->n && !strchr(" \t,:(\r\n", rest->p[n]))
        n++;
    word = span_make(rest->p, n);
    *rest = span_from(*rest, n);
    return word;
}

static int number_of(struct postern_span word, size_t digits, int max)
{
    uint64_t number;

    if (word.n == 0 || word.n > digits || !span_number(word, (uint64_t)max, &number))
        return -1;
    return (int)number;
}

static int month_of(struct postern_span word)
{
    for (int i = 0; i < 12; i++)
        if (span_begins_nocase(word, postern_span_of(date_months[i])))
            return i + 1;
    return -1;
}

/* year_of - two digits: 2000 to 2049, 1950 to 1999; three: from 1900 on (RFC 5322 4.3). */
static int year_of(struct postern_span word)
{
    int year = number_of(word, 4, 9999);

    if (year < 0)
        return -1;
    if (word.n == 2)
        return year < 50 ? year + 2000 : year + 1900;
    return word.n == 3 ? year + 1900 : year;
}

static int zone_of(struct postern_span word)
{
    static const struct {
        const char *name;
        int hours;
    } names[] = {{"EDT", -4}, {"EST", -5}, {"CDT", -5}, {"CST", -6},
                 {"MDT", -6}, {"MST", -7}, {"PDT", -7}, {"PST", -8}};
    int number;

    if (word.n == 5 && (word.p[0] == '+' || word.p[0] == '-')) {
        number = number_of(span_from(word, 1), 4, 9999);
        if (number < 0)
            return 0;
        number = number / 100 * 60 + number % 100;
        return word.p[0] == '-' ? -number : number;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (span_equal_nocase(word, postern_span_of(names[i].name)))
            return names[i].hours * 60;
    return 0; /* GMT, UT, Z; military ones are not to be trusted, unknown ones are -0000 */
}

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static bool is_day(int year, int month, int day)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return day >= 1 && day <= lengths[month - 1] + (month == 2 && is_leap(year));
}

/* time_of - "HH:MM[:SS]"; *word becomes the word behind it. -1: none. */
static int time_of(struct postern_span *rest, struct postern_span *word)
{
    int hour = number_of(*word, 2, 23), minute, second = 0;

    if (!span_equal(next_word(rest), SPAN(":")))
        return -1;
    minute = number_of(next_word(rest), 2, 59);
    *word = next_word(rest);
    if (span_equal(*word, SPAN(":"))) {
        second = number_of(next_word(rest), 2, 60);
        *word = next_word(rest);
    }
    return hour < 0 || minute < 0 || second < 0 ? -1 : (hour * 60 + minute) * 60 + second;
}

int postern_mime_date(struct postern_span text, struct postern_mime_date *date_r)
{
    struct postern_span rest = text, word = next_word(&rest);
    int day, month, year, time, zone;

    if (word.n && (word.p[0] < '0' || word.p[0] > '9'))
        word = next_word(&rest); /* the day of the week is not believed */
    day = number_of(word, 2, 31);
    month = month_of(next_word(&rest));
    year = year_of(next_word(&rest));
    if (day < 1 || month < 1 || year < 0 || !is_day(year, month, day))
        return POSTERN_E_SYNTAX;
    word = next_word(&rest);
    time = time_of(&rest, &word);
    zone = time < 0 ? 0 : zone_of(word);
    time = time < 0 ? 0 : time;
    *date_r = (struct postern_mime_date){
        date_days(year, (unsigned)month, (unsigned)day) * 86400 + time - zone * 60, zone};
    return 0;
}
