/* SPDX-License-Identifier: MIT */
/* talk_options - `option NAME VALUE` lines onto struct postern_pop3_options. */
#ifndef WIRE_TALK_OPTIONS_H
#define WIRE_TALK_OPTIONS_H

#include "wire/talk_model.h"
#include <strings.h>

#define TALK_OPTIONS_BOOL(X)                                                                    \
    X(user_pass)                                                                                \
    X(plaintext_without_tls) X(tls_available) X(uid_param) X(slee_wake) X(deli) X(qaut) X(utf8) \
        X(lang) X(last) X(top) X(uidl) X(expire_per_user) X(login_delay_per_user) X(watch)
#define TALK_OPTIONS_NUMBER(X)                                                                 \
    X(expire_days)                                                                             \
    X(login_delay_s) X(line_max) X(sasl_line_max) X(errors_max) X(failures_max) X(output_mark) \
        X(read_chunk)
#define TALK_OPTIONS_TIME(X) X(login_timeout) X(idle_timeout) X(asleep_timeout)
#define TALK_OPTIONS_TEXT(X) X(host) X(greeting) X(implementation) X(stamp_text) X(decoy_key)

/* talk_seconds - "600s", "10m" or "500ms" */
static postern_time talk_seconds(const char *value)
{
    char *end;
    postern_time n = strtoull(value, &end, 10);
    return strcmp(end, "ms") == 0 ? n * (POSTERN_SECOND / 1000)
                                  : n * POSTERN_SECOND * (*end == 'm' ? 60 : 1);
}

static bool option_word(struct postern_pop3_options *options, const char *name, const char *value)
{
    static const char *const stamps[] = {"none", "random", "fixed", "ask"};
    if (strcmp(name, "stamp") == 0) {
        for (int i = 0; i < 4; i++)
            if (strcmp(value, stamps[i]) == 0)
                options->stamp = (enum postern_pop3_stamp)i;
        return true;
    }
    if (strcmp(name, "surrogate") == 0) {
        options->surrogate = strcmp(value, "refuse") == 0 ? POSTERN_POP3_SURROGATE_REFUSE
                                                          : POSTERN_POP3_SURROGATE_SEND;
        return true;
    }
    return false;
}

static bool option_mechanisms(struct postern_pop3_options *options, const char *value)
{
    static const char *const names[] = {"PLAIN",
                                        "LOGIN",
                                        "EXTERNAL",
                                        "OAUTHBEARER",
                                        "XOAUTH2",
                                        "SCRAM-SHA-1",
                                        "SCRAM-SHA-1-PLUS",
                                        "SCRAM-SHA-256",
                                        "SCRAM-SHA-256-PLUS"};
    char one[40];
    options->sasl_mechanisms = 0;
    while (word(&value, one, sizeof one)) {
        bool known = strcmp(one, "none") == 0;
        for (unsigned i = 0; i < 9; i++)
            if (strcmp(one, names[i]) == 0) {
                options->sasl_mechanisms |= 1u << i;
                known = true;
            }
        if (!known)
            return false;
    }
    return true;
}

/* option_set - false: no such option. value is lent until the session is freed. */
static bool option_set(struct postern_pop3_options *options, const char *name, const char *value)
{
    if (option_word(options, name, value))
        return true;
    if (strcmp(name, "sasl_mechanisms") == 0)
        return option_mechanisms(options, value);
    if (strcmp(name, "crypto") == 0 || strcmp(name, "random") == 0) {
        if (name[0] == 'c')
            options->crypto = NULL;
        else
            options->random = NULL;
        return true;
    }
#define SET(member)                      \
    if (strcmp(name, #member) == 0) {    \
        options->member = VALUE(member); \
        return true;                     \
    }
#define VALUE(member) (strcmp(value, "yes") == 0)
    TALK_OPTIONS_BOOL(SET)
#undef VALUE
#define VALUE(member) (__typeof__(options->member))strtol(value, NULL, 10)
    TALK_OPTIONS_NUMBER(SET)
#undef VALUE
#define VALUE(member) talk_seconds(value)
    TALK_OPTIONS_TIME(SET)
#undef VALUE
#define VALUE(member) postern_span_of(value)
    TALK_OPTIONS_TEXT(SET)
#undef VALUE
#undef SET
    return false;
}

#endif
