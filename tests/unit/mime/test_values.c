/* SPDX-License-Identifier: MIT */
/* test_values - addresses and dates, well formed, obsolete and broken. */
#include "cmocka_all.h"

#include <postern/mime.h>
#include <stdio.h>
#include <string.h>

#include "base/span.h"

/* show - a list as text: name|route|mailbox|host; [name for a group, ] for its end. */
static void show(const char *list, char *out, size_t size)
{
    struct postern_span rest = postern_span_of(list);
    struct postern_mime_address address;
    bool in_group = false;
    char buffer[400];
    size_t n = 0;

    out[0] = '\0';
    while (postern_mime_address(&rest, &in_group, &address, buffer, sizeof buffer)) {
        if (address.kind == POSTERN_MIME_ADDRESS_GROUP_BEGIN)
            n += (size_t)snprintf(out + n, size - n, "[%.*s ", SPAN_ARG(address.name));
        else if (address.kind == POSTERN_MIME_ADDRESS_GROUP_END)
            n += (size_t)snprintf(out + n, size - n, "] ");
        else
            n += (size_t)snprintf(out + n, size - n, "%.*s|%.*s|%.*s|%.*s ", SPAN_ARG(address.name),
                                  SPAN_ARG(address.route), SPAN_ARG(address.mailbox),
                                  SPAN_ARG(address.host));
        assert_true(n < size);
    }
}

static void test_addresses(void **state)
{
    static const struct {
        const char *list, *shown;
    } cases[] = {
        {"", ""},
        {"a@b", "||a|b "},
        {"Ann Lee <a@b.c>, c@d", "Ann Lee||a|b.c ||c|d "},
        {"\"Lee, \\\"Ann\\\"\" <a@b>", "Lee, \"Ann\"||a|b "},
        {"a@b (Ann (née) Lee)", "Ann (née) Lee||a|b "},
        {"(c) Ann (d) <a@b> (e)", "Ann||a|b "},
        {"<@x,@y:a@b>", "|@x,@y|a|b "},
        {"friends: a@b, C <c@d>; e@f", "[friends ||a|b C||c|d ] ||e|f "},
        {"undisclosed-recipients:;", "[undisclosed-recipients ] "},
        {"open: a@b", "[open ||a|b ] "},
        {"a . b @ c . d", "||a . b | c . d "},
        {"\"a b\"@c", "||a b|c "},
        {"ann", "||ann| "},
        {"<>", ""},
        {",, ,a@b,,", "||a|b "},
        {"=?utf-8?q?x?= <a@b>", "=?utf-8?q?x?=||a|b "},
        {"a@b <c@d>", "a@b||c|d "},
        {"unended \"quote <a@b>", "||unended quote <a|b> "},
        {"unended (comment a@b", "comment a@b||unended| "},
        {"A <a@b", "A||a|b "},
        {"\xc3\xbc@\xc3\xb6", "||\xc3\xbc|\xc3\xb6 "},
    };
    char out[400];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        show(cases[i].list, out, sizeof out);
        if (strcmp(out, cases[i].shown) != 0)
            fail_msg("\"%s\" gives \"%s\", not \"%s\"", cases[i].list, out, cases[i].shown);
    }
}

/* Long ones are cut; the list goes on behind them. */
static void test_long(void **state)
{
    char list[2000], out[1000];

    (void)state;
    memset(list, 'x', sizeof list);
    memcpy(list + 1990, "@b, c@d", 8);
    show(list, out, sizeof out);
    assert_non_null(strstr(out, "||c|d "));
}

static void test_dates(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
        int zone;
    } cases[] = {
        {"Fri, 21 Nov 1997 09:55:06 -0600", 880127706, -360},
        {"21 Nov 97 09:55:06 GMT", 880106106, 0},
        {"Thu,\r\n 1 (first) Jan 1970 00:00 +0000", 0, 0},
        {"Mon, 29 Feb 2016 23:59:60 +0100", 1456786800, 60},
        {"1 Jan 100 0:00 EST", 946702800, -300},
        {"31 Dec 1969 23:59:59 Z", -1, 0},
        {"1 January 2049 00:00:00 X", 2493072000, 0},
        {"Sat, 1 Jan 0001 00:00:00 +0000", -62135596800, 0},
    };
    static const char *const bad[] = {"",
                                      "yesterday",
                                      "32 Jan 2020 00:00 +0000",
                                      "30 Feb 2020 00:00 +0000",
                                      "29 Feb 2019 00:00 +0000",
                                      "1 Foo 2020 00:00 +0000",
                                      "1 Jan 2020",
                                      "1 Jan 2020 24:00 +0000",
                                      "1 Jan 2020 00:60 +0000",
                                      "1 Jan 99999 00:00 +0000",
                                      "((((((1 Jan 2020 00:00 +0000"};
    struct postern_mime_date date;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(postern_mime_date(postern_span_of(cases[i].text), &date), 0);
        if (date.seconds != cases[i].seconds || date.zone_minutes != cases[i].zone)
            fail_msg("%s: %lld %d", cases[i].text, (long long)date.seconds, date.zone_minutes);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(postern_mime_date(postern_span_of(bad[i]), &date), POSTERN_E_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_addresses),
                                       cmocka_unit_test(test_long), cmocka_unit_test(test_dates)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
