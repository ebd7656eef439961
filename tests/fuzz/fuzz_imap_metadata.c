/* SPDX-License-Identifier: MIT */
/* fuzz_imap_metadata - an entry's name, a LF, and a value: what SETMETADATA takes GETMETADATA tells
 * again, octet for octet, and what it removes is gone. The same octets as ID's list, and as a line
 * of either command, are answered by whole responses. */
#include "fuzz_imap.h"

#define MOST 4000

/* say - text, then the octets as a literal, then more text. */
static void say(struct host_session *s, const char *before, struct postern_span octets,
                const char *after)
{
    char line[MOST + 400];
    int n = snprintf(line, sizeof line, "%s~{%zu+}\r\n", before, octets.n);

    memcpy(line + n, octets.p ? octets.p : "", octets.n);
    n += (int)octets.n;
    n += snprintf(line + n, sizeof line - (size_t)n, "%s", after);
    fuzz_say(s, span_make(line, (size_t)n), true);
}

/* has_value - does the answer tell exactly this value? */
static bool has_value(const struct host_session *s, struct postern_span value)
{
    struct grammar g = {s->said, s->said + s->said_n, true, NULL};
    char expected[MOST * 2 + 32], quoted[MOST * 2 + 32];
    size_t n = (size_t)snprintf(expected, sizeof expected, "{%zu}\r\n", value.n), q = 0;

    memcpy(expected + n, value.p ? value.p : "", value.n);
    quoted[q++] = '"';
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '"' || value.p[i] == '\\')
            quoted[q++] = '\\';
        quoted[q++] = value.p[i];
    }
    quoted[q++] = '"';
    return memmem(g.p, s->said_n, expected, n + value.n) || memmem(g.p, s->said_n, quoted, q);
}

static void set_and_get(struct host_session *s, struct postern_span name, struct postern_span value)
{
    char line[MOST + 100], get[MOST + 100];

    for (size_t i = 0; i < name.n; i++) /* as it may stand bare */
        if (name.p[i] <= ' ' || name.p[i] > '~' || strchr("(){%*\"\\", name.p[i]))
            return;
    snprintf(line, sizeof line, "x SETMETADATA INBOX (/private/%.*s ", (int)name.n, name.p);
    snprintf(get, sizeof get, "x GETMETADATA INBOX /private/%.*s", (int)name.n, name.p);
    say(s, line, value, ")");
    if (!fuzz_is_ok(s))
        return;
    fuzz_say(s, postern_span_of(get), true);
    if (!fuzz_is_ok(s) || !has_value(s, value))
        fuzz_fail(s, "another value than was set");
    snprintf(line, sizeof line, "x SETMETADATA INBOX (/private/%.*s NIL)", (int)name.n, name.p);
    fuzz_say(s, postern_span_of(line), true);
    fuzz_say(s, postern_span_of(get), true);
    if (!fuzz_is_ok(s) || (value.n > 6 && has_value(s, value)))
        fuzz_fail(s, "it was removed and is still there");
}

/* line - as it comes, behind a command's name. */
static void line(struct host_session *s, const char *command, struct postern_span octets)
{
    char text[MOST + 100];
    int n = snprintf(text, sizeof text, "x %s ", command);

    memcpy(text + n, octets.p, octets.n);
    fuzz_say(s, span_make(text, (size_t)n + octets.n), true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct postern_span in = span_make((const char *)data, size), rest = in,
                        name = span_cut(&rest, '\n');
    struct host_session s;
    struct host host;

    if (size == 0 || size > MOST)
        return 0;
    host_open(&host);
    fuzz_select(&host, &s);
    set_and_get(&s, name, rest);
    line(&s, "ID", in);
    line(&s, "SETMETADATA INBOX", in);
    line(&s, "GETMETADATA", in);
    fuzz_over(&host, &s);
    return 0;
}

#include "replay.h"
