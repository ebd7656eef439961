/* SPDX-License-Identifier: MIT */
/* gmime_dump - what GMime says of messages, in the words of mime_dump.c, for test_compare.py. */
#include <gmime/gmime.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned long sum_of(GMimeStream *stream)
{
    unsigned long sum = 7;
    unsigned char octets[4096];
    ssize_t n;

    g_mime_stream_reset(stream);
    while ((n = g_mime_stream_read(stream, (char *)octets, sizeof octets)) > 0)
        for (ssize_t i = 0; i < n; i++)
            sum = (sum * 31 + octets[i]) & 0xffffffff;
    return sum;
}

static void print_entity(GMimeObject *entity, unsigned depth)
{
    GMimeContentType *type = g_mime_object_get_content_type(entity);
    char *written = g_mime_content_type_get_mime_type(type), *lower = g_ascii_strdown(written, -1);
    const char *filename = g_mime_object_get_content_disposition_parameter(entity, "filename");
    unsigned long sum = 0;

    if (GMIME_IS_PART(entity)) {
        GMimeDataWrapper *content = g_mime_part_get_content(GMIME_PART(entity));

        sum = content ? sum_of(g_mime_data_wrapper_get_stream(content)) : 7;
    }
    printf("%u %s 0 %lu\n", depth, lower, sum);
    if (filename)
        printf("filename %s\n", filename);
    g_free(lower);
    g_free(written);
}

/* walk - messages are made by the test, so their depth is small. */
static void walk(GMimeObject *entity, unsigned depth)
{
    print_entity(entity, depth);
    if (GMIME_IS_MULTIPART(entity)) {
        for (int i = 0; i < g_mime_multipart_get_count(GMIME_MULTIPART(entity)); i++)
            walk(g_mime_multipart_get_part(GMIME_MULTIPART(entity), i), depth + 1);
    } else if (GMIME_IS_MESSAGE_PART(entity)) {
        GMimeMessage *message = g_mime_message_part_get_message(GMIME_MESSAGE_PART(entity));

        if (message && g_mime_message_get_mime_part(message))
            walk(g_mime_message_get_mime_part(message), depth + 1);
    }
}

static void dump(const char *octets, size_t n)
{
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(octets, n);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);

    printf("message 0\n");
    if (message) {
        printf("subject %s\n",
               g_mime_message_get_subject(message) ? g_mime_message_get_subject(message) : "");
        if (g_mime_message_get_mime_part(message))
            walk(g_mime_message_get_mime_part(message), 0);
        g_object_unref(message);
    }
    g_object_unref(parser);
    g_object_unref(stream);
}

int main(void)
{
    unsigned long n;

    g_mime_init();
    while (scanf("%lu", &n) == 1 && getchar() == '\n' && n < 1ul << 24) {
        char *octets = malloc(n + 1);

        if (!octets || fread(octets, 1, n, stdin) != n)
            return 1;
        dump(octets, n);
        free(octets);
    }
    g_mime_shutdown();
    return 0;
}
