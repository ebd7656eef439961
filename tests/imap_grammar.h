/* SPDX-License-Identifier: MIT */
/* imap_grammar - are these whole responses (RFC 9051 9)? Lines, literals, quoted strings, words and
 * parentheses, and what each kind of line begins with. For the fuzzers and the triples of commands:
 * it knows nothing of what was asked. */
#ifndef TESTS_IMAP_GRAMMAR_H
#define TESTS_IMAP_GRAMMAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* struct grammar - what is left. why: what does not fit; NULL: nothing. */
struct grammar {
    const char *p, *end;
    bool utf8; /* quoted strings may have it */
    const char *why;
};

static bool grammar_bad(struct grammar *g, const char *why)
{
    if (!g->why)
        g->why = why;
    return false;
}

static bool grammar_is(const struct grammar *g, char c)
{
    return g->p < g->end && *g->p == c;
}

static bool grammar_try(struct grammar *g, const char *word)
{
    size_t n = strlen(word);

    if ((size_t)(g->end - g->p) < n || strncasecmp(g->p, word, n) != 0)
        return false;
    g->p += n;
    return true;
}

static bool grammar_number(struct grammar *g, unsigned long long *number_r)
{
    const char *begin = g->p;

    *number_r = 0;
    while (g->p < g->end && *g->p >= '0' && *g->p <= '9')
        *number_r = *number_r * 10 + (unsigned long long)(*g->p++ - '0');
    if (g->p == begin || g->p - begin > 20)
        return grammar_bad(g, "no number");
    return true;
}

static bool grammar_quoted(struct grammar *g)
{
    g->p++;
    while (g->p < g->end && *g->p != '"') {
        if (*g->p == '\\' && (++g->p == g->end || (*g->p != '"' && *g->p != '\\')))
            return grammar_bad(g, "a backslash before what needs none");
        if (*g->p == '\r' || *g->p == '\n' || *g->p == '\0')
            return grammar_bad(g, "a quoted string over several lines");
        if ((unsigned char)*g->p > 127 && !g->utf8)
            return grammar_bad(g, "raw 8-bit in a quoted string");
        g->p++;
    }
    return grammar_try(g, "\"") || grammar_bad(g, "a quoted string without an end");
}

static bool grammar_literal(struct grammar *g)
{
    bool binary = grammar_try(g, "~");
    unsigned long long n;

    if (!grammar_try(g, "{") || !grammar_number(g, &n) || !grammar_try(g, "}\r\n") ||
        n > (unsigned long long)(g->end - g->p))
        return grammar_bad(g, "a broken literal");
    if (!binary && memchr(g->p, '\0', (size_t)n))
        return grammar_bad(g, "NUL in a literal");
    g->p += n;
    return true;
}

static bool grammar_string(struct grammar *g)
{
    return grammar_is(g, '"') ? grammar_quoted(g) : grammar_literal(g);
}

/* grammar_word - an atom, a flag, "BODY[HEADER.FIELDS (A B)]<0>", "[BADCHARSET (UTF-8)]". */
static bool grammar_word(struct grammar *g)
{
    struct grammar ahead = *g;
    bool has_section =
        grammar_is(g, '[') || grammar_try(&ahead, "BODY[") || grammar_try(&ahead, "BINARY");
    const char *begin = g->p;
    bool within = false; /* brackets; another "[" means nothing there */

    while (g->p < g->end && (within || !strchr(" ()\r", *g->p))) {
        if ((unsigned char)*g->p < ' ' || (unsigned char)*g->p > 126)
            return grammar_bad(g, "a word has an octet that no word has");
        if (*g->p == '"') {
            if (!within)
                return grammar_bad(g, "a quote within a word");
            if (!grammar_quoted(g))
                return false;
            continue;
        }
        if (within && *g->p == '{') {
            if (!grammar_literal(g))
                return false;
            continue;
        }
        within |= has_section && *g->p == '[';
        within &= *g->p != ']';
        g->p++;
    }
    return g->p > begin || grammar_bad(g, "a word was expected");
}

/* grammar_data - words, strings and lists up to the end of the line: single spaces between them,
 * none inside parentheses; lists may stand side by side. */
static bool grammar_data(struct grammar *g)
{
    unsigned depth = 0;
    char last = ' ';

    while (g->p < g->end && *g->p != '\r') {
        char c = *g->p;

        if (c == ' ' && (last == ' ' || last == '('))
            return grammar_bad(g, "a space too many");
        if (c == ')' && (last == ' ' || depth == 0))
            return grammar_bad(g, "parentheses are not in order");
        if (last == ')' && c != ' ' && c != '(' && c != ')')
            return grammar_bad(g, "nothing between a list and a word");
        if (last == 'w' && c != ' ' && c != ')')
            return grammar_bad(g, "nothing between two words");
        if (strchr(" ()", c) && c) {
            depth += c == '(';
            depth -= c == ')';
            last = c;
            g->p++;
            continue;
        }
        if (c == '"' || c == '{' || c == '~' ? !grammar_string(g) : !grammar_word(g))
            return false;
        last = 'w';
    }
    if (depth || last == ' ')
        return grammar_bad(g, "a line ends too soon");
    return true;
}

/* grammar_text - "[CODE ...] text". */
static bool grammar_text(struct grammar *g)
{
    const char *begin;

    if (grammar_is(g, '[') && (!grammar_word(g) || !grammar_try(g, " ")))
        return grammar_bad(g, "a response code and no text");
    begin = g->p;
    while (g->p < g->end && *g->p != '\r' && *g->p != '\n' && *g->p != '\0')
        g->p++;
    return g->p > begin || grammar_bad(g, "no text");
}

static bool grammar_state(struct grammar *g, bool tagged)
{
    static const char *const words[] = {"OK ", "NO ", "BAD ", "BYE ", "PREAUTH "};

    for (size_t i = 0; i < (tagged ? 3 : 5); i++)
        if (grammar_try(g, words[i]))
            return grammar_text(g);
    return grammar_bad(g, "neither OK nor NO nor BAD");
}

static bool grammar_numbered(struct grammar *g)
{
    static const char *const words[] = {"EXISTS", "RECENT", "EXPUNGE"};
    unsigned long long number;

    if (!grammar_number(g, &number) || !grammar_try(g, " "))
        return grammar_bad(g, "a number and nothing");
    for (size_t i = 0; i < 3; i++)
        if (grammar_try(g, words[i]))
            return number || i < 2 || grammar_bad(g, "there is no message 0");
    if (!number || !(grammar_try(g, "FETCH (") || grammar_try(g, "UIDFETCH (")))
        return grammar_bad(g, "a number of nothing");
    g->p--;
    return grammar_data(g);
}

static bool grammar_untagged(struct grammar *g)
{
    static const char *const words[] = {
        "CAPABILITY",   "ENABLED",  "FLAGS",      "LIST",       "LSUB",       "XLIST",
        "STATUS",       "ESEARCH",  "SEARCH",     "SORT",       "THREAD",     "NAMESPACE",
        "ID",           "METADATA", "QUOTA",      "QUOTAROOT",  "VANISHED",   "LANGUAGE",
        "UIDBATCHES",   "ACL",      "MYRIGHTS",   "LISTRIGHTS", "COMPARATOR", "CONVERSION",
        "NOTIFICATION", "URLMECH",  "GENURLAUTH", "URLFETCH"};

    if (g->p < g->end && *g->p >= '0' && *g->p <= '9')
        return grammar_numbered(g);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const char *begin = g->p;

        if (grammar_try(g, words[i]) && (grammar_is(g, ' ') || grammar_is(g, '\r'))) {
            g->p += *g->p == ' ';
            return grammar_is(g, '\r') ? g->p[-1] != ' ' || grammar_bad(g, "a space at the end")
                                       : grammar_data(g);
        }
        g->p = begin;
    }
    return grammar_state(g, false);
}

/* grammar_tag - it may have brackets, which mean nothing in it. */
static bool grammar_tag(struct grammar *g)
{
    const char *begin = g->p;

    while (g->p<g->end && * g->p> ' ' && *g->p < 127)
        g->p++;
    return (g->p > begin && grammar_try(g, " ")) || grammar_bad(g, "neither a tag nor * nor +");
}

/* grammar_line - one response with its line end. */
static bool grammar_line(struct grammar *g)
{
    if (grammar_try(g, "* "))
        (void)grammar_untagged(g);
    else if (grammar_try(g, "+ ")) /* text, or base64, or nothing */
        while (g->p < g->end && *g->p != '\r' && *g->p != '\n')
            g->p++;
    else if (grammar_tag(g))
        (void)grammar_state(g, true);
    if (!g->why && !grammar_try(g, "\r\n"))
        return grammar_bad(g, "no line end where one should be");
    return !g->why;
}

/* grammar_check - all of it; NULL: whole responses, each as it should be. */
static const char *grammar_check(const char *said, size_t n, bool utf8)
{
    struct grammar g = {said, said + n, utf8, NULL};

    while (g.p < g.end && grammar_line(&g))
        ;
    return g.why;
}

#endif
