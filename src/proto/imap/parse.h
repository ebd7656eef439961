/* SPDX-License-Identifier: MIT */
/* parse - what a command says. The first thing that does not fit makes the parser bad; from then on
 * everything is empty and harmless, so that a handler asks once, at the end: imap_good(). */
#ifndef IMAP_PARSE_H
#define IMAP_PARSE_H

#include "base/span.h"
#include <postern/imap.h>

/* struct imap_parser - the rest of the command's text. */
struct imap_parser {
    struct postern_span rest;
    bool bad, takes_nul; /* a literal may have NUL in it */
    const char *why;     /* NULL: "syntax error" */
    const char *code;    /* of the response, or NULL */
};

/* parse.c */
/* parse_spoil - what stands there does not fit. */
void parse_spoil(struct imap_parser *in);
void parse_space(struct imap_parser *in);
void parse_char(struct imap_parser *in, char c);
bool parse_try(struct imap_parser *in, char c);                /* is it next? then take it */
bool parse_try_word(struct imap_parser *in, const char *word); /* any case; a whole atom */
void parse_end(struct imap_parser *in);                        /* nothing is left */
/* parse_while - the octets that fit; perhaps none. */
struct postern_span parse_while(struct imap_parser *in, bool (*fits)(char c));
struct postern_span parse_atom(struct imap_parser *in);
bool is_astring_char(char c);
struct postern_span parse_astring(struct postern_imap *s, struct imap_parser *in);
struct postern_span parse_string(struct postern_imap *s, struct imap_parser *in);
/* parse_is_string - does a quoted string or a literal stand there? */
bool parse_is_string(const struct imap_parser *in);
/* parse_nstring - absent for NIL. */
struct postern_span parse_nstring(struct postern_imap *s, struct imap_parser *in);
uint64_t parse_number(struct imap_parser *in, uint64_t max);

/* parse_mailbox.c */
/* parse_with_inbox - of a name: what is below INBOX is below it however that is written, whosever
 * INBOX it is: another "inbox" would be a mailbox that no client can name. */
struct postern_span parse_with_inbox(struct postern_imap *s, struct imap_parser *in,
                                     struct postern_span name);
/* parse_inbox_place - where INBOX stands in a name or pattern, written otherwise; SIZE_MAX:
 * nowhere.
 */
size_t parse_inbox_place(const struct postern_imap *s, struct postern_span name);
/* parse_mailbox - its name in UTF-8. */
struct postern_span parse_mailbox(struct postern_imap *s, struct imap_parser *in);
/* parse_pattern - of LIST: "*" and "%" may stand in it bare. */
struct postern_span parse_pattern(struct postern_imap *s, struct imap_parser *in);

/* parse_flags.c */
/* parse_flags - "(\Seen word)" or without parentheses: system flags and, lent until the command is
 * over, the names of keywords. */
struct imap_flags {
    uint32_t flags;
    struct postern_span *keywords;
    size_t count;
};
void parse_flags(struct postern_imap *s, struct imap_parser *in, struct imap_flags *flags_r);

/* parse_set.c */
/* parse_set - a sequence set, or "$", as UID ranges: rising, apart. Numbers are looked up in the
 * view; one that is not there is bad. by_uid: they are UIDs. */
struct imap_set {
    struct postern_uid_range *ranges;
    size_t count;
};
void parse_set(struct postern_imap *s, struct imap_parser *in, bool by_uid, struct imap_set *set_r);

/* parse_date.c */
/* parse_date - "1-Feb-2020" (days since 1970); parse_date_time - with a time, in seconds. */
int64_t parse_date(struct postern_imap *s, struct imap_parser *in);
int64_t parse_date_time(struct postern_imap *s, struct imap_parser *in);

#endif
