/* SPDX-License-Identifier: MIT */
/* test_values - addresses, dates, parameters and encoded words, well formed, obsolete and broken.
 */
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
        {"a . b @ c . d", "||a . b|c . d "},
        {"ann @b, \"c d\" (x) @ (y) e", "||ann|b y||c d|e "},
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

static void assert_span(struct postern_span span, const char *expected)
{
    if (!span_equal(span, postern_span_of(expected)))
        fail_msg("\"%.*s\", not \"%s\"", SPAN_ARG(span), expected);
}

static void test_parameters(void **state)
{
    struct postern_span rest =
        SPAN("; a=b ;C = \"d\\\"e;\" (comment; x=y) ; none; f*0*=us'en'%20; g=");
    struct postern_span name, value;
    char text[10];

    (void)state;
    assert_int_equal(postern_mime_parameter(&rest, &name, &value, text, sizeof text), 1);
    assert_span(name, "a");
    assert_span(value, "b");
    assert_int_equal(postern_mime_parameter(&rest, &name, &value, text, sizeof text), 1);
    assert_span(name, "C");
    assert_span(value, "d\"e;");
    assert_int_equal(postern_mime_parameter(&rest, &name, &value, text, sizeof text), 1);
    assert_span(name, "f*0*");
    assert_span(value, "us'en'%20");
    assert_int_equal(postern_mime_parameter(&rest, &name, &value, text, sizeof text), 1);
    assert_span(name, "g");
    assert_span(value, "");
    assert_int_equal(postern_mime_parameter(&rest, &name, &value, text, sizeof text), 0);
    rest = SPAN("x=\"0123456789abcdef\"");
    assert_int_equal(postern_mime_parameter(&rest, &name, &value, text, sizeof text), 1);
    assert_span(value, "0123456789"); /* cut, not overrun */
}

/* Values in sections and charsets (RFC 2231), good and broken. */
static void test_parameter_find(void **state)
{
    static const struct {
        const char *field, *text, *charset, *language;
    } cases[] = {
        {"attachment; name=\"a b\"", "a b", "", ""},
        {"x; NAME=plain; name=other", "plain", "", ""},
        {"x; name*=utf-8'en'%c3%bc%20x", "\xc3\xbc x", "utf-8", "en"},
        {"x; name*=iso-8859-1''%fc; name=u", "\xc3\xbc", "iso-8859-1", ""},
        {"x; name=u; name*=iso-8859-1''%fc", "\xc3\xbc", "iso-8859-1", ""},
        {"x; name*=koi8-r'ru'%fc", "\xfc", "koi8-r", "ru"},
        {"x; name*=us-ascii''%ff", "\xef\xbf\xbd", "us-ascii", ""},
        {"x; name*1=b; name*0=\"a \"", "a b", "", ""},
        {"x; name*0*=utf-8''%c3; name*1*=%bc; name*2=%41", "\xc3\xbc%41", "utf-8", ""},
        {"x; name*0*=\"utf-8'de'%41\"; name*1=b", "Ab", "utf-8", "de"},
        {"x; name*0=a; name*2=c", "a", "", ""},
        {"x; name*1=a; name=b", "b", "", ""},
        {"x; name*=%41", "A", "", ""},
        {"x; name*=utf-8''%4; name=x", "%4", "utf-8", ""},
        {"x; names=y; name*x=1; name*01=2", NULL, "", ""},
        {"", NULL, "", ""},
    };
    struct postern_mime_value value;
    char buffer[100];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int found = postern_mime_parameter_find(postern_span_of(cases[i].field), SPAN("name"),
                                                &value, buffer, sizeof buffer);

        assert_int_equal(found, cases[i].text != NULL);
        if (!found)
            continue;
        assert_span(value.text, cases[i].text);
        assert_span(value.charset, cases[i].charset);
        assert_span(value.language, cases[i].language);
    }
    assert_int_equal(postern_mime_parameter_find(SPAN("x; name*0=abc; name*1=def"), SPAN("name"),
                                                 &value, buffer, 4),
                     1);
    assert_span(value.text, "abcd");
}

static void test_words(void **state)
{
    static const struct {
        const char *text, *decoded;
    } cases[] = {
        {"", ""},
        {"plain =?text", "plain =?text"},
        {"=?utf-8?q?a_=c3=bc?=", "a \xc3\xbc"},
        {"=?ISO-8859-1*de?Q?=FC?= b", "\xc3\xbc b"},
        {"=?utf-8?B?w7w=?=", "\xc3\xbc"},
        {"=?utf-8?b?w7w?=", "\xc3\xbc"},
        {"a =?utf-8?q?b?= \r\n =?utf-8?q?c?= d", "a bc d"},
        {"=?utf-8?q?=c3?= =?utf-8?q?=bc?=", "\xc3\xbc"},
        {"=?utf-8?q?=c3?= x", "\xef\xbf\xbd x"},
        {"=?utf-8?q?=c3?==?iso-8859-1?q?=bc?=", "\xef\xbf\xbd\xc2\xbc"},
        {"=?utf-8?q?=c3(?=", "\xef\xbf\xbd("},
        {"=?us-ascii?q?=e9?=", "\xef\xbf\xbd"},
        {"=?koi8-r?q?=c3?= =?utf-8?q?x?=", "=?koi8-r?q?=c3?= x"},
        {"=?utf-8?q?=c?=", "=?utf-8?q?=c?="},
        {"=?utf-8?x?a?=", "=?utf-8?x?a?="},
        {"=?utf-8?b?w*w?=", "=?utf-8?b?w*w?="},
        {"=?utf-8?q?a b?=", "=?utf-8?q?a b?="},
        {"=?"
         "?q?a?=",
         "=?"
         "?q?a?="},
        {"\"=?utf-8?q?a?=\"=?utf-8?q?b?=", "\"a\"b"},
        {"=?utf-8?q?"
         "?=.",
         "."},
        {"\xff=?", "\xff=?"},
    };
    char out[100];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n = postern_mime_words(postern_span_of(cases[i].text), out, sizeof out);

        assert_span(span_make(out, n), cases[i].decoded);
        assert_int_equal(postern_mime_words(postern_span_of(cases[i].text), NULL, 0), n);
    }
    assert_int_equal(postern_mime_words(SPAN("=?utf-8?q?abc?="), out, 2), 3);
    assert_int_equal(memcmp(out, "ab", 2), 0);
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
        {"1 Jan 2020", 1577836800, 0},
        {"1 Jan 2020 24:00 +0100", 1577836800, 0},
        {"1 Jan 2020 00:60 +0000", 1577836800, 0},
    };
    static const char *const bad[] = {"",
                                      "yesterday",
                                      "32 Jan 2020 00:00 +0000",
                                      "30 Feb 2020 00:00 +0000",
                                      "29 Feb 2019 00:00 +0000",
                                      "1 Foo 2020 00:00 +0000",
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),  cmocka_unit_test(test_long),
        cmocka_unit_test(test_parameters), cmocka_unit_test(test_parameter_find),
        cmocka_unit_test(test_words),      cmocka_unit_test(test_dates)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
