/* SPDX-License-Identifier: MIT */
/* imap_grammar_body - ENVELOPE, BODY and BODYSTRUCTURE to the letter (RFC 9051 7.5.2 and 9): what a
 * strict client would take. */
#ifndef TESTS_IMAP_GRAMMAR_BODY_H
#define TESTS_IMAP_GRAMMAR_BODY_H

#include "imap_grammar.h"

static bool grammar_expect(struct grammar *g, const char *text, const char *why)
{
    return grammar_try(g, text) || grammar_bad(g, why);
}

static bool grammar_nstring(struct grammar *g)
{
    return grammar_try(g, "NIL") || grammar_string(g);
}

/* grammar_nstrings - so many, with spaces between. */
static bool grammar_nstrings(struct grammar *g, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if ((i && !grammar_expect(g, " ", "no space")) || !grammar_nstring(g))
            return false;
    return true;
}

static bool grammar_addresses(struct grammar *g)
{
    if (grammar_try(g, "NIL"))
        return true;
    if (!grammar_expect(g, "(", "addresses are no list"))
        return false;
    do
        if (!grammar_expect(g, "(", "an address is no list") || !grammar_nstrings(g, 4) ||
            !grammar_expect(g, ")", "an address has four strings"))
            return false;
    while (grammar_is(g, '('));
    return grammar_expect(g, ")", "addresses do not end");
}

static bool grammar_envelope(struct grammar *g)
{
    if (!grammar_expect(g, "(", "an envelope is no list") || !grammar_nstrings(g, 2))
        return false;
    for (unsigned i = 0; i < 6; i++)
        if (!grammar_expect(g, " ", "no space") || !grammar_addresses(g))
            return false;
    return grammar_expect(g, " ", "no space") && grammar_nstrings(g, 2) &&
           grammar_expect(g, ")", "an envelope does not end");
}

/* grammar_parameters - "(name value ...)" or NIL. */
static bool grammar_parameters(struct grammar *g)
{
    if (grammar_try(g, "NIL"))
        return true;
    if (!grammar_expect(g, "(", "parameters are no list"))
        return false;
    do
        if (!grammar_string(g) || !grammar_expect(g, " ", "a name without a value") ||
            !grammar_string(g))
            return false;
    while (grammar_try(g, " "));
    return grammar_expect(g, ")", "parameters do not end");
}

static bool grammar_disposition(struct grammar *g)
{
    if (grammar_try(g, "NIL"))
        return true;
    return grammar_expect(g, "(", "a disposition is no list") && grammar_string(g) &&
           grammar_expect(g, " ", "no space") && grammar_parameters(g) &&
           grammar_expect(g, ")", "a disposition does not end");
}

static bool grammar_language(struct grammar *g)
{
    if (!grammar_try(g, "("))
        return grammar_nstring(g);
    do
        if (!grammar_string(g))
            return false;
    while (grammar_try(g, " "));
    return grammar_expect(g, ")", "languages do not end");
}

/* grammar_extension - " disposition language location" */
static bool grammar_extension(struct grammar *g)
{
    return grammar_expect(g, " ", "no space") && grammar_disposition(g) &&
           grammar_expect(g, " ", "no space") && grammar_language(g) &&
           grammar_expect(g, " ", "no space") && grammar_nstring(g);
}

static bool grammar_body(struct grammar *g, bool extended);

static bool grammar_multipart(struct grammar *g, bool extended)
{
    while (grammar_is(g, '('))
        if (!grammar_body(g, extended))
            return false;
    return grammar_expect(g, " ", "no space") && grammar_string(g) &&
           (!extended ||
            (grammar_expect(g, " ", "no space") && grammar_parameters(g) && grammar_extension(g)));
}

/* grammar_one_is - is the quoted string here this word? */
static bool grammar_one_is(const struct grammar *g, const char *word)
{
    struct grammar copy = *g;

    return grammar_try(&copy, "\"") && grammar_try(&copy, word) && grammar_try(&copy, "\"");
}

static bool grammar_single(struct grammar *g, bool extended)
{
    bool text = grammar_one_is(g, "text"), message = grammar_one_is(g, "message");
    unsigned long long n;

    if (!grammar_string(g) || !grammar_expect(g, " ", "no space"))
        return false;
    message = message && (grammar_one_is(g, "rfc822") || grammar_one_is(g, "global"));
    if (!grammar_string(g) || !grammar_expect(g, " ", "no space") || !grammar_parameters(g) ||
        !grammar_expect(g, " ", "no space") || !grammar_nstrings(g, 2) ||
        !grammar_expect(g, " ", "no space") || !grammar_string(g) ||
        !grammar_expect(g, " ", "no space") || !grammar_number(g, &n))
        return false;
    if (message && !(grammar_expect(g, " ", "no envelope") && grammar_envelope(g) &&
                     grammar_expect(g, " ", "no body") && grammar_body(g, extended)))
        return false;
    if ((text || message) && !(grammar_expect(g, " ", "no lines") && grammar_number(g, &n)))
        return false;
    return !extended ||
           (grammar_expect(g, " ", "no MD5") && grammar_nstring(g) && grammar_extension(g));
}

/* grammar_body - parts nest as deep as the server lets them: some hundred levels. */
static bool grammar_body(struct grammar *g, bool extended)
{
    if (!grammar_expect(g, "(", "a body is no list"))
        return false;
    if (!(grammar_is(g, '(') ? grammar_multipart(g, extended) : grammar_single(g, extended)))
        return false;
    return grammar_expect(g, ")", "a body does not end");
}

#endif
