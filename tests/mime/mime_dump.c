/* SPDX-License-Identifier: MIT */
/* mime_dump - what the scanner says of messages, for test_compare.py: reads files "LENGTH\n" and
 * octets from standard input, writes for each a line "message PARTS", then one for each part: its
 * depth, type, subtype, and length and checksum of its body. Subject and file names decoded. */
#include <postern/mime.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void lower(struct postern_span s)
{
    for (size_t i = 0; i < s.n; i++)
        putchar(s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] + 32 : s.p[i]);
}

static unsigned long sum_of(const char *p, size_t n)
{
    unsigned long sum = 7;

    for (size_t i = 0; i < n; i++)
        sum = (sum * 31 + (unsigned char)p[i]) & 0xffffffff;
    return sum;
}

static void print_subject(struct postern_span block)
{
    static char text[1 << 20];
    struct postern_span subject = postern_mime_field(block, 0, POSTERN_MIME_SUBJECT, 0);
    size_t n = postern_mime_words(subject, text, sizeof text);

    printf("subject %.*s\n", (int)(n < sizeof text ? n : sizeof text), text);
}

static void print_filename(struct postern_span block, uint32_t i)
{
    char text[1000];
    struct postern_mime_value value;
    struct postern_span field = postern_mime_field(block, i, POSTERN_MIME_CONTENT_DISPOSITION, 0);

    if (field.p &&
        postern_mime_parameter_find(field, postern_span_of("filename"), &value, text, sizeof text))
        printf("filename %.*s\n", (int)value.text.n, value.text.p);
}

static void dump(const char *octets, struct postern_span block)
{
    struct postern_mime_facts facts;

    postern_mime_facts(block, &facts);
    printf("message %u\n", facts.parts);
    print_subject(block);
    for (unsigned i = 0; i < facts.parts; i++) {
        struct postern_mime_part part;

        postern_mime_part(block, i, &part);
        printf("%u ", part.depth);
        lower(part.type);
        putchar('/');
        lower(part.subtype);
        printf(" %llu %lu\n", (unsigned long long)(part.body.raw_end - part.body.raw),
               part.kind == POSTERN_MIME_LEAF
                   ? sum_of(octets + part.body.raw, part.body.raw_end - part.body.raw)
                   : 0);
        print_filename(block, i);
    }
}

int main(void)
{
    unsigned long n;

    while (scanf("%lu", &n) == 1 && getchar() == '\n' && n < 1ul << 24) {
        char *octets = malloc(n + 1);
        struct postern_mime *mime;
        struct postern_span block;

        if (!octets || fread(octets, 1, n, stdin) != n || postern_mime_new(&mime, NULL, NULL) < 0)
            return 1;
        postern_mime_feed(mime, (struct postern_span){octets, n});
        if (postern_mime_end(mime, &block) < 0)
            return 1;
        dump(octets, block);
        postern_mime_free(&mime);
        free(octets);
    }
    return 0;
}
