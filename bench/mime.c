/* SPDX-License-Identifier: MIT */
/* mime - how fast the scanner is, per core: bodies of base64 lines, and small mail that is mostly
 * header; and that it stays linear: time at 2n over time at n for input that is made to hurt. */
#include <postern/mime.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUND_OCTETS 20000000 /* of short input so many, or the clock is too coarse */

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* text - head, then unit n times, then tail. */
static char *text(const char *head, const char *unit, size_t n, const char *tail, size_t *size_r)
{
    size_t unit_n = strlen(unit), head_n = strlen(head), tail_n = strlen(tail);
    char *out = malloc(head_n + unit_n * n + tail_n + 1);

    if (!out)
        exit(1);
    memcpy(out, head, head_n);
    for (size_t i = 0; i < n; i++)
        memcpy(out + head_n + i * unit_n, unit, unit_n);
    memcpy(out + head_n + unit_n * n, tail, tail_n);
    *size_r = head_n + unit_n * n + tail_n;
    return out;
}

/* scan - in pieces of 4 KiB; CPU seconds. */
static double scan(const char *octets, size_t n, unsigned rounds)
{
    double began = seconds();

    for (unsigned round = 0; round < rounds; round++) {
        struct postern_mime *mime;
        struct postern_span block;

        if (postern_mime_new(&mime, NULL, NULL) < 0)
            exit(1);
        for (size_t at = 0; at < n; at += 4096)
            postern_mime_feed(mime,
                              (struct postern_span){octets + at, n - at < 4096 ? n - at : 4096});
        if (postern_mime_end(mime, &block) < 0 || !block.n)
            exit(1);
        postern_mime_free(&mime);
    }
    return seconds() - began;
}

static void speed(const char *what, const char *head, const char *unit, size_t count,
                  unsigned rounds)
{
    size_t n;
    char *octets = text(head, unit, count, "\r\n--b--\r\n", &n);
    double took = scan(octets, n, rounds);

    printf("%-44s %8.0f MB/s\n", what, (double)n * rounds / took / 1e6);
    free(octets);
}

static void linear(const char *what, const char *head, const char *unit, size_t count)
{
    double times[2];

    for (unsigned i = 0; i < 2; i++) {
        size_t n;
        char *octets = text(head, unit, count << i, "\n\nx\n", &n);

        unsigned rounds = (unsigned)(1 + ROUND_OCTETS / n);

        times[i] = scan(octets, n, rounds) / rounds;
        for (unsigned again = 0; again < 4; again++) {
            double took = scan(octets, n, rounds) / rounds;

            times[i] = took < times[i] ? took : times[i];
        }
        free(octets);
    }
    printf("%-44s %8.2f (2n over n), %.2f ms\n", what, times[1] / times[0], times[1] * 1e3);
}

int main(void)
{
    static const char header[] =
        "Received: from a.example.org (a.example.org [192.0.2.1])\r\n\tby b.example.org (Postfix) "
        "with "
        "ESMTPS id 0123456789\r\n\tfor <b@example.org>; Fri, 20 Nov 2026 10:00:00 +0000 (UTC)\r\n"
        "From: Somebody <a@example.org>\r\nTo: b@example.org\r\nSubject: something to say\r\n"
        "Message-ID: <1@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; "
        "boundary=b\r\n";
    static const char line[] =
        "TWFuIGlzIGRpc3Rpbmd1aXNoZWQsIG5vdCBvbmx5IGJ5IGhpcyByZWFzb24sIGJ1dCBieSB0aGlz\r\n";
    char head[2000];

    snprintf(head, sizeof head, "%s\r\n--b\r\nContent-Type: image/png\r\n\r\n", header);
    speed("bodies, lines of 78 octets", head, line, 200000, 40);
    snprintf(head, sizeof head, "%s%s%s\r\n", header, header, header);
    speed("small mail, mostly header", head, "a short line\r\n", 5, 60000);
    linear("500,000 To: lines", "", "To: a@example.org\n", 250000);
    linear("a million parts", "Content-Type: multipart/mixed; boundary=a\n\n", "--a\n\nx\n",
           500000);
    linear("messages in messages, 10,000", "", "Content-Type: message/rfc822\n\n", 5000);
    linear("a boundary of 1 MiB", "Content-Type: multipart/mixed; boundary=", "abcdefgh", 65536);
    linear("a million boundary prefixes", "Content-Type: multipart/mixed; boundary=abcd\n\n",
           "--abc\n", 500000);
    linear("a field of a million folds", "Subject: a", "\n b", 500000);
    return 0;
}
