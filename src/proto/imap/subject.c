/* SPDX-License-Identifier: MIT */
/* subject - what is left of a subject without the marks of replies and forwards (RFC 5256 2.1).
 * Each step makes the text shorter, so it ends. */
#include "proto/imap/search.h"

/* I 5256:2.1-3 */
static struct postern_span trim_end(struct postern_span text, bool *is_reply)
{
    for (;;) {
        while (text.n && (text.p[text.n - 1] == ' ' || text.p[text.n - 1] == '\t'))
            text.n--;
        if (text.n < 5 || !span_equal_nocase(span_make(text.p + text.n - 5, 5), SPAN("(fwd)")))
            return text;
        *is_reply = true;
        text.n -= 5;
    }
}

/* blob - "[...]" and spaces at the front; how long, 0: there is none.
 * I 5256:2.1-2 */
static size_t blob(struct postern_span text)
{
    size_t n = 1;

    if (text.n == 0 || text.p[0] != '[')
        return 0;
    while (n < text.n && text.p[n] != '[' && text.p[n] != ']')
        n++;
    if (n == text.n || text.p[n] != ']')
        return 0;
    n++;
    while (n < text.n && (text.p[n] == ' ' || text.p[n] == '\t'))
        n++;
    return n;
}

/* refwd - "re:", "fw:", "fwd:", with a blob before the colon.
 * I 5256:2.1-1 I 5256:2.1-5 */
static size_t refwd(struct postern_span text)
{
    size_t n = span_begins_nocase(text, SPAN("fwd"))                                          ? 3
               : span_begins_nocase(text, SPAN("re")) || span_begins_nocase(text, SPAN("fw")) ? 2
                                                                                              : 0;

    if (!n)
        return 0;
    while (n < text.n && (text.p[n] == ' ' || text.p[n] == '\t'))
        n++;
    n += blob(span_from(text, n));
    return n < text.n && text.p[n] == ':' ? n + 1 : 0;
}

/* leader - what stands before the subject proper: blobs before "re:", or spaces. */
static size_t leader(struct postern_span text, bool *is_reply)
{
    size_t n = 0, one;

    if (text.n && (text.p[0] == ' ' || text.p[0] == '\t'))
        return 1;
    while ((one = blob(span_from(text, n))))
        n += one;
    one = refwd(span_from(text, n));
    *is_reply = *is_reply || one;
    return one ? n + one : 0;
}

/* I 5256:2.1-4 */
size_t subject_squeeze(char *text, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++)
        if (!strchr(" \t\r\n", text[i]) || !text[i])
            text[kept++] = text[i];
        else if (kept == 0 || text[kept - 1] != ' ')
            text[kept++] = ' ';
    return kept;
}

struct postern_span base_subject(struct postern_span text, bool *is_reply_r)
{
    *is_reply_r = false;
    for (;;) {
        size_t n;

        text = trim_end(text, is_reply_r);
        while ((n = leader(text, is_reply_r)))
            text = span_from(text, n);
        /* a blob alone goes too, unless nothing would be left */
        n = blob(text);
        if (n && n < text.n) {
            text = span_from(text, n);
            continue;
        }
        if (text.n < 6 || !span_begins_nocase(text, SPAN("[fwd:")) || text.p[text.n - 1] != ']')
            return text;
        *is_reply_r = true;
        text = span_make(text.p + 5, text.n - 6);
    }
}
