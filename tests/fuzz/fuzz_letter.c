/* SPDX-License-Identifier: MIT */
/* fuzz_letter - what a program gives to sendmail: nothing of it is lost between header and body,
 * who gets it can be said to a server, and what is completed is complete. The first octet tells
 * what it is read as. */
#include "base/span.h"
#include "cli/letter.h"
#include <stdlib.h>

enum { DOT_ENDS = 1, NO_SENDER = 2, NAMED = 4 };

static void read_in(struct letter *letter, struct postern_span in, bool dot_ends)
{
    FILE *file = in.n ? fmemopen((char *)(uintptr_t)in.p, in.n, "r") : fopen("/dev/null", "r");

    if (!file)
        abort();
    letter->body.folder = "/tmp";
    if (letter_read(letter, file, dot_ends) < 0)
        abort();
    fclose(file);
}

static struct postern_span body_of(const struct letter *letter)
{
    size_t n = letter->body.octets;
    char *bytes = malloc(n + 1);

    if (!bytes || spool_read(&letter->body, 0, bytes, n) != (int)n)
        abort();
    return span_make(bytes, n);
}

/* is_parting - what may stand between header and body; the file may end in it. */
static bool is_parting(struct postern_span octets)
{
    return span_begins(SPAN("\r\n"), octets) || span_equal(octets, SPAN("\n"));
}

/* look_whole - first the header, then the body, and an empty line between them at most; a line
 * end is put behind a header that has none, and an mbox's line is passed over. */
static void look_whole(const struct letter *letter, struct postern_span in)
{
    struct postern_span header = buffer_span(&letter->header), body = body_of(letter);

    if (span_begins(in, SPAN("From ")))
        (void)span_cut(&in, '\n');
    if (header.n == in.n + 1 && header.p[header.n - 1] == '\n')
        header.n--;
    if (!span_begins(in, header))
        abort();
    in = span_from(in, header.n);
    if (in.n < body.n || !is_parting(span_make(in.p, in.n - body.n)) ||
        !span_equal(span_from(in, in.n - body.n), body))
        abort();
    free((char *)(uintptr_t)body.p);
}

/* look_addresses - a line each, nothing in them that could be another command. */
static void look_addresses(struct postern_span lines)
{
    while (lines.n) {
        struct postern_span line;

        if (lines.p[lines.n - 1] != '\n')
            abort();
        line = span_cut(&lines, '\n');
        if (span_find(line, '@') == line.n)
            abort();
        for (size_t i = 0; i < line.n; i++)
            if ((unsigned char)line.p[i] < ' ')
                abort();
    }
}

/* look_complete - a second time nothing is missing and nothing is hidden. */
static void look_complete(struct letter *letter, const struct letter_facts *facts)
{
    struct buffer once = {0};

    if (letter_complete(letter, facts) < 0)
        abort();
    buffer_append(&once, buffer_span(&letter->header));
    if (letter_complete(letter, facts) < 0 ||
        !span_equal(buffer_span(&once), buffer_span(&letter->header)))
        abort();
    buffer_done(&once);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct postern_span in = span_make((const char *)data, size);
    struct letter_facts facts = {.host = "here.example"};
    struct letter letter = {0};
    struct buffer recipients = {0};
    unsigned how = size ? data[0] : 0;

    in = span_from(in, size > 0);
    if (!(how & NO_SENDER))
        facts.sender = SPAN("ann@example.org");
    if (how & NAMED)
        facts.name = "Ann \xc3\x96ther";
    read_in(&letter, in, how & DOT_ENDS);
    if (!(how & DOT_ENDS))
        look_whole(&letter, in);
    if (letter_recipients(&letter, "example.org", &recipients) == 0)
        look_addresses(buffer_span(&recipients));
    else if (recipients.error != POSTERN_E_SYNTAX)
        abort();
    look_complete(&letter, &facts);
    letter_done(&letter);
    buffer_done(&recipients);
    return 0;
}

#include "replay.h"
