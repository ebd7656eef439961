/* SPDX-License-Identifier: MIT */
/* cmd-getmetadata - GETMETADATA (RFC 5464 4.2). */
#include "proto/imap/commands.h"
#include "proto/imap/metadata.h"
#include "proto/imap/rights.h"

#include <limits.h>

/* I 5464:4.2.1-2 I 5464:4.2-3 */
static void looked(struct postern_imap *s, const struct imap_answer *answer)
{
    struct imap_metadata *metadata = s->metadata;
    struct buffer line = {.allocator = s->o.allocator};

    if (answer->err) {
        imap_refuse(s, answer->err);
        return;
    }
    metadata_write(s, metadata, answer);
    if (!metadata->longest) {
        imap_ok(s, NULL, "done");
        return;
    }
    buffer_append_text(&line, "OK [METADATA LONGENTRIES ");
    buffer_append_number(&line, metadata->longest);
    buffer_append_text(&line, "]");
    imap_result_take(s, &line, "done");
}

static void parse_options(struct postern_imap *s, struct imap_metadata *metadata)
{
    parse_char(&s->in, '(');
    do {
        if (parse_try_word(&s->in, "MAXSIZE")) {
            parse_space(&s->in);
            metadata->max_size = parse_number(&s->in, UINT32_MAX);
            metadata->has_max_size = true;
        } else if (parse_try_word(&s->in, "DEPTH")) {
            parse_space(&s->in);
            metadata->depth = parse_try_word(&s->in, "1")          ? 1
                              : parse_try_word(&s->in, "infinity") ? UINT_MAX
                                                                   : 0;
            if (!metadata->depth && !parse_try_word(&s->in, "0"))
                s->in.bad = true;
        } else {
            s->in.bad = true;
        }
    } while (!s->in.bad && parse_try(&s->in, ' '));
    parse_char(&s->in, ')');
    parse_space(&s->in);
}

static bool is_options_next(const struct postern_imap *s)
{
    return span_begins_nocase(s->in.rest, SPAN("(MAXSIZE ")) ||
           span_begins_nocase(s->in.rest, SPAN("(DEPTH "));
}

/* asks_use - of a mailbox of the user's own. */
static bool asks_use(const struct postern_imap *s, const struct imap_metadata *metadata)
{
    for (size_t i = 0; i < metadata->entry_count; i++)
        if (metadata_means(metadata, metadata->entries[i], METADATA_SPECIAL_USE))
            return metadata->mailbox.n && rights_is_personal(s, metadata->mailbox);
    return false;
}

/* took_use - what it is used for is an entry (RFC 6154 4). I 6154:4-1 */
static void took_use(struct postern_imap *s, const struct imap_answer *answer)
{
    s->metadata->special = answer->err ? POSTERN_SPECIAL_NONE : answer->statuses->special;
    s->question = (struct postern_imap_question){.name = s->metadata->mailbox};
    imap_ask_if(s, POSTERN_IMAP_METADATA, rights_annotate, looked);
}

/* I 5464:4.2-2 */
void imap_cmd_getmetadata(struct postern_imap *s)
{
    struct imap_metadata *metadata = arena_alloc(&s->arena, sizeof *metadata);

    if (!metadata) {
        imap_no_memory(s);
        return;
    }
    *metadata = (struct imap_metadata){.depth = 0};
    s->metadata = metadata;
    parse_space(&s->in);
    if (is_options_next(s)) /* where the grammar has them, and where its examples do */
        parse_options(s, metadata);
    metadata->mailbox = metadata_parse_mailbox(s);
    parse_space(&s->in);
    if (is_options_next(s))
        parse_options(s, metadata);
    metadata_parse_entries(s, metadata);
    if (!imap_good(s))
        return;
    s->question = (struct postern_imap_question){.name = metadata->mailbox};
    if (asks_use(s, metadata))
        imap_ask(s, POSTERN_IMAP_STATUS, took_use);
    else
        imap_ask_if(s, POSTERN_IMAP_METADATA, rights_annotate, looked);
}
