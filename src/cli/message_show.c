/* SPDX-License-Identifier: MIT */
/* message_show - `postern message list|get`: what the store tells of messages. */
#include "cli/message.h"

#include "base/buffer.h"
#include "base/span.h"
#include <postern/mime.h>
#include <stdlib.h>
#include <string.h>

static const char *flags_text(uint32_t flags, char out[8])
{
    static const char letters[] = "SRFTD";
    size_t n = 0;

    for (unsigned i = 0; letters[i]; i++)
        if (flags >> i & 1)
            out[n++] = letters[i];
    out[n] = '\0';
    return out;
}

/* field - of a message, its encoded words decoded; absent where there is none. */
static void field(struct postern_span block, enum postern_mime_field which, struct buffer *out)
{
    struct postern_span value = postern_mime_field(block, 0, which, 0);
    char text[1000];
    size_t n = postern_mime_words(value, text, sizeof text);

    buffer_append(out, span_make(text, n < sizeof text ? n : sizeof text));
    for (size_t i = out->head; i < out->tail; i++) /* a terminal shall not obey it */
        if ((unsigned char)out->data[i] < ' ' || out->data[i] == 127)
            out->data[i] = ' ';
}

static void show_json(struct message_verb *verb, const struct postern_message_info *info,
                      struct postern_span from, struct postern_span subject)
{
    char letters[8];

    printf("%s{\"uid\": %u, \"date\": %lld, \"bytes\": %llu, \"flags\": \"%s\", \"from\": ",
           verb->shown++ ? ",\n " : "", info->uid, (long long)info->date_s,
           (unsigned long long)info->size_wire, flags_text(info->flags, letters));
    json_text(stdout, from);
    fputs(", \"subject\": ", stdout);
    json_text(stdout, subject);
    putchar('}');
}

static int show_one(struct message_verb *verb, const struct postern_message_info *info)
{
    struct buffer from = {0}, subject = {0};
    struct postern_span block = {NULL, 0};
    char letters[8];
    int err = verb->store->ops->structure(verb->box, info->uid, 0, &block);

    if (err == POSTERN_E_NOMEM)
        return err;
    if (!err) {
        field(block, POSTERN_MIME_FROM, &from);
        field(block, POSTERN_MIME_SUBJECT, &subject);
    }
    if (verb->json)
        show_json(verb, info, buffer_span(&from), buffer_span(&subject));
    else
        printf("%u\t%s\t%llu\t%.*s\t%.*s\n", info->uid, flags_text(info->flags, letters),
               (unsigned long long)info->size_wire, SPAN_ARG(buffer_span(&from)),
               SPAN_ARG(buffer_span(&subject)));
    buffer_done(&from);
    buffer_done(&subject);
    free((char *)(uintptr_t)block.p);
    return 0;
}

static int note(void *ctx, const struct postern_message_info *info)
{
    struct buffer *all = ctx;

    buffer_append(all, span_make((const char *)info, sizeof *info));
    return all->error;
}

int message_list(struct message_verb *verb)
{
    struct buffer infos = {0};
    struct postern_status status;
    const struct postern_message_info *all;
    int err = verb->store->ops->refresh(verb->box, 0, &status);

    if (!err)
        err = verb->store->ops->each(verb->box, (struct postern_uid_range){1, UINT32_MAX}, 0, note,
                                     &infos);
    all = (const struct postern_message_info *)(const void *)buffer_span(&infos).p;
    if (verb->json)
        putchar('[');
    for (size_t i = 0; i < buffer_length(&infos) / sizeof *all && !err; i++)
        err = show_one(verb, &all[i]);
    if (verb->json)
        puts("]");
    buffer_done(&infos);
    return err;
}

int message_get(struct message_verb *verb)
{
    const struct postern_store_ops *ops = verb->store->ops;
    struct postern_content *content = NULL;
    struct postern_facts facts;
    struct postern_status status;
    char bytes[65536];
    uint64_t uid = 0, offset = 0;
    int n, err = ops->refresh(verb->box, 0, &status);

    if (!span_number(postern_span_of(verb->words[0]), UINT32_MAX, &uid))
        return POSTERN_E_SYNTAX;
    if (!err)
        err = ops->message(verb->box, (uint32_t)uid, 0, &content, &facts);
    if (err)
        return err;
    while ((n = ops->read(content, offset, bytes, sizeof bytes)) > 0) {
        offset += (uint64_t)n;
        if (fwrite(bytes, 1, (size_t)n, stdout) != (size_t)n)
            n = POSTERN_E_IO;
    }
    ops->content_close(&content);
    return n;
}
