/* SPDX-License-Identifier: MIT */
/* fuzz_imap_search - a search program, an octet 0xff, and a message: what is taken as a program is
 * judged, and of a program and its opposite each message is found by exactly one. */
#include "fuzz_imap.h"

#define PROGRAM_MOST 4096
#define MAIL "Subject: Gr=?utf-8?q?=C3=BC?=n\r\nFrom: a@b\r\n\r\none two\r\n"

/* found - how many a command found; it was OK. */
static unsigned found(const struct host_session *s)
{
    const char *count = memmem(s->said, s->said_n, " COUNT ", 7);

    if (!count)
        fuzz_fail(s, "no COUNT");
    return (unsigned)strtoul(count + 7, NULL, 10);
}

/* search - "x SEARCH RETURN (COUNT) NOT (program)". */
static void search(struct host_session *s, const char *before, struct postern_span program,
                   const char *after)
{
    char line[PROGRAM_MOST + 100];
    int n = snprintf(line, sizeof line, "x SEARCH RETURN (COUNT) %s", before);

    memcpy(line + n, program.p, program.n);
    n += (int)program.n;
    n += snprintf(line + n, sizeof line - (size_t)n, "%s", after);
    fuzz_say(s, span_make(line, (size_t)n), false);
}

/* is_one - does the line hold nothing but a program? A line end in it begins other commands, and a
 * space at its end is passed over, but not in parentheses. */
static bool is_one(struct postern_span program)
{
    return program.n && program.p[program.n - 1] != ' ' && !memchr(program.p, '\n', program.n) &&
           !span_begins_nocase(program, SPAN("CHARSET "));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct postern_span rest = span_make((const char *)data, size);
    struct postern_span program = span_cut(&rest, (char)0xff);
    struct host_session s;
    struct host host;
    unsigned is, is_not;

    if (program.n > PROGRAM_MOST)
        return 0;
    host_open(&host);
    fuzz_deliver(&host, SPAN(MAIL));
    fuzz_deliver(&host, rest.p ? rest : SPAN(""));
    fuzz_select(&host, &s);
    fuzz_say(&s, SPAN("x STORE 1 FLAGS (\\Seen word)"), false);
    search(&s, "", program, "");
    if (is_one(program) && fuzz_is_ok(&s)) {
        is = found(&s);
        search(&s, "NOT (", program, ")");
        if (!fuzz_is_ok(&s))
            fuzz_fail(&s, "what may be searched may not be searched for its opposite");
        is_not = found(&s);
        if (is + is_not != 2)
            fuzz_fail(&s, "a message is neither, or both");
    }
    fuzz_over(&host, &s);
    return 0;
}

#include "replay.h"
