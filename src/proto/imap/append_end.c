/* SPDX-License-Identifier: MIT */
/* append_end - how it ends: what was begun is made to last with one COMMIT, or nothing is. */
#include "proto/imap/append.h"

void imap_append_abort(struct postern_imap *s)
{
    struct imap_append *append = s->append;

    if (!append)
        return;
    if (append->has_content)
        imap_tell(s, POSTERN_IMAP_CONTENT_DONE, append->content);
    if (append->begun)
        imap_tell(s, POSTERN_IMAP_ABORT, 0);
    buffer_done(&append->octets);
    buffer_done(&append->header);
    s->append = NULL;
}

/* I 6.3.12-5 */
void append_give_up(struct postern_imap *s)
{
    bool comes = s->append->announced && !s->append->waits;
    uint64_t size = s->append->size;

    if (s->input.state == INPUT_MESSAGE) {
        comes = true;
        size = s->input.left;
    }
    imap_append_abort(s);
    imap_input_clear(s);
    s->input.state = INPUT_LINE;
    if (comes)
        imap_input_swallow(s, size);
}

void append_fail(struct postern_imap *s, const char *code, const char *text)
{
    append_give_up(s);
    imap_no(s, code, text);
}

void append_refuse(struct postern_imap *s, int err)
{
    append_give_up(s);
    imap_refuse_target(s, err);
}

/* I 6.3.12-9 */
void append_spoilt(struct postern_imap *s)
{
    const char *code = s->in.code, *why = s->in.why ? s->in.why : "syntax error";

    append_give_up(s);
    imap_bad_code(s, code, why);
}

/* I 4469:4.2-1 */
bool append_grow(struct postern_imap *s, uint64_t more)
{
    s->append->total += more;
    if (s->append->total <= s->o.append_max)
        return true;
    append_fail(s, "TOOBIG", "message too long");
    return false;
}

/* write_code - to the end of the line, or as a line of its own.
 * I 4315:3-1 I 3502:4-1 */
static void write_code(struct postern_imap *s, const struct imap_answer *answer, const char *before,
                       const char *after)
{
    write_text(s, before);
    write_text(s, "OK [APPENDUID ");
    write_number(s, answer->uid_validity);
    write_text(s, " ");
    write_uids(s, answer->uids, answer->count);
    write_text(s, after);
}

/* I 6.3.12-7
 * I 8508:4.3-1 I 8508:4.5-1 */
static void committed(struct postern_imap *s, const struct imap_answer *answer)
{
    struct buffer out = s->out, line;
    bool replaces = s->append->replaced.first;
    bool has_uids = answer->uid_validity && answer->count;

    s->append->begun = 0; /* the application has ended them, either way */
    imap_append_abort(s);
    if (answer->err) {
        imap_refuse_target(s, answer->err);
    } else if (replaces) {
        if (has_uids) /* RFC 8508 4.3: before the EXPUNGE is told */
            write_code(s, answer, "* ", "] the new one\r\n");
        imap_ok_removed(s, "done");
    } else if (!has_uids) {
        imap_ok(s, NULL, "done");
    } else {
        s->out = (struct buffer){.allocator = s->o.allocator};
        write_code(s, answer, "", "]");
        line = s->out;
        s->out = out;
        imap_result_take(s, &line, "done");
    }
}

/* I 8508:3.4-2 I 8508:3.4-3 I 8508:3.4-4 I 8508:3.4-5 I 3502:3-1 I 3502:3-5 */
void append_commit(struct postern_imap *s)
{
    s->question = (struct postern_imap_question){.name = s->append->name,
                                                 .uids = &s->append->replaced.first,
                                                 .uid_count = s->append->replaced.first ? 1 : 0};
    imap_ask(s, POSTERN_IMAP_COMMIT, committed);
}
