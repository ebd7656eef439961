/* SPDX-License-Identifier: MIT */
/* cmd-append - APPEND, also of several messages (RFC 9051 6.3.12, RFC 3502). The octets go to the
 * application as they come; what it begun is made to last with one COMMIT, or nothing is.
 *
 * A message is refused before its octets are asked for where that can be (RFC 9051 6.3.12): unknown
 * mailbox, too big, over quota. TRAP: "{9+}" comes all the same, and is swallowed. */
#include "proto/imap/session.h"

#define WRITE_BYTES 65536

struct imap_append {
    struct postern_span name;
    struct buffer octets; /* of the message, on their way */
    unsigned begun;
    bool waits;
    bool is_open; /* "UTF8 (" stands before the literal: ")" comes behind it (RFC 6855 4) */
    uint64_t size;
};

void imap_append_abort(struct postern_imap *s)
{
    if (!s->append)
        return;
    if (s->append->begun)
        imap_tell(s, POSTERN_IMAP_ABORT, 0);
    buffer_done(&s->append->octets);
    s->append = NULL;
}

static void refuse_with(struct postern_imap *s, uint64_t coming)
{
    imap_append_abort(s);
    imap_input_clear(s);
    if (coming != UINT64_MAX)
        imap_input_swallow(s, coming);
}

/* coming - octets that will come though nobody asked for them; UINT64_MAX: not even the rest of the
 * line. */
static uint64_t coming(const struct postern_imap *s)
{
    return s->append->waits ? UINT64_MAX : s->append->size;
}

/* ---- a message is announced ------------------------------------------------------------------ */

bool imap_append_is_next(struct postern_imap *s, struct postern_span text)
{
    struct imap_parser in;
    struct postern_span tag, rest = {0};
    const struct imap_row *row;
    bool by_uid;

    if (s->append)
        return true;
    row = imap_verb(text, &tag, &rest, &by_uid);
    if (!row || row->handler != imap_cmd_append)
        return false;
    in = (struct imap_parser){.rest = rest};
    parse_space(&in);
    (void)parse_astring(s, &in);
    return !in.bad && in.rest.n > 0 && in.rest.p[0] == ' ';
}

static void begun(struct postern_imap *s, const struct imap_answer *answer)
{
    if (answer->err) {
        refuse_with(s, coming(s));
        imap_refuse_target(s, answer->err);
        return;
    }
    s->append->begun++;
    if (s->append->waits)
        write_text(s, "+ OK\r\n");
    imap_input_clear(s);
    s->input.state = INPUT_MESSAGE;
    s->input.left = s->append->size;
}

static bool begin_command(struct postern_imap *s, struct postern_span text)
{
    struct postern_span name;

    if (!imap_begin(s, text))
        return false;
    s->append = arena_alloc(&s->arena, sizeof *s->append);
    if (!s->append) {
        imap_no_memory(s);
        return false;
    }
    *s->append = (struct imap_append){.octets = {.allocator = s->o.allocator}};
    parse_space(&s->in);
    name = parse_mailbox(s, &s->in);
    if (arena_copy(&s->arena, name, &s->append->name) < 0) {
        imap_no_memory(s);
        return false;
    }
    return true;
}

/* take_end - of the literal before. */
static void take_end(struct postern_imap *s)
{
    if (s->append->is_open)
        parse_char(&s->in, ')');
    s->append->is_open = false;
}

static void parse_message(struct postern_imap *s, struct postern_imap_question *question)
{
    struct imap_flags flags = {0};

    parse_space(&s->in);
    if (s->in.rest.n && s->in.rest.p[0] == '(') {
        parse_flags(s, &s->in, &flags);
        parse_space(&s->in);
    }
    if (s->in.rest.n && s->in.rest.p[0] == '"') {
        question->date_s = parse_date_time(s, &s->in);
        parse_space(&s->in);
    }
    s->append->is_open = s->utf8 && parse_try_word(&s->in, "UTF8");
    if (s->append->is_open) {
        parse_space(&s->in);
        parse_char(&s->in, '(');
    }
    question->flags = flags.flags;
    question->keywords = flags.keywords;
    question->keyword_count = flags.count;
}

void imap_append_message(struct postern_imap *s, struct postern_span text, uint64_t size,
                         bool waits)
{
    struct postern_imap_question question = {.size_bytes = size};

    if (!s->append) {
        if (!begin_command(s, text))
            return;
    } else {
        s->in = (struct imap_parser){.rest = text};
        take_end(s);
    }
    s->append->size = size;
    s->append->waits = waits;
    parse_message(s, &question);
    parse_end(&s->in);
    question.name = s->append->name;
    s->question = question;
    if (!(s->row->states & s->state)) {
        refuse_with(s, coming(s));
        imap_bad(s, "log in first");
    } else if (s->in.bad) {
        refuse_with(s, coming(s));
        imap_bad(s, s->in.why ? s->in.why : "syntax error");
    } else if (size == 0 || size > s->o.append_max) {
        refuse_with(s, coming(s));
        imap_no(s, size ? "TOOBIG" : NULL, size ? "message too long" : "an empty message is none");
    } else {
        imap_ask(s, POSTERN_IMAP_APPEND, begun);
    }
}

/* ---- its octets ------------------------------------------------------------------------------ */

static void written(struct postern_imap *s, const struct imap_answer *answer)
{
    struct imap_append *append = s->append;

    buffer_take(&append->octets, buffer_length(&append->octets));
    if (answer->err) {
        refuse_with(s, s->input.left);
        imap_refuse(s, answer->err);
    } else if (s->input.left == 0) {
        s->input.state = INPUT_LINE;
        s->input.line_at = 0;
    }
}

size_t imap_append_octets(struct postern_imap *s, struct postern_span in)
{
    struct imap_append *append = s->append;
    size_t room = WRITE_BYTES - buffer_length(&append->octets);

    if (in.n > s->input.left)
        in.n = (size_t)s->input.left;
    if (in.n > room)
        in.n = room;
    buffer_append(&append->octets, in);
    s->input.left -= in.n;
    if (append->octets.error) {
        imap_no_memory(s);
    } else if (memchr(in.p, '\0', in.n)) {
        refuse_with(s, s->input.left);
        imap_no(s, "CANNOT", "a message has no NUL");
    } else if (s->input.left == 0 || buffer_length(&append->octets) == WRITE_BYTES) {
        s->question = (struct postern_imap_question){.bytes = buffer_span(&append->octets)};
        imap_ask(s, POSTERN_IMAP_WRITE, written);
    }
    return in.n;
}

/* ---- the end --------------------------------------------------------------------------------- */

static void committed(struct postern_imap *s, const struct imap_answer *answer)
{
    struct buffer out = s->out, line;

    s->append->begun = 0; /* the application has ended them, either way */
    imap_append_abort(s);
    if (answer->err) {
        imap_refuse_target(s, answer->err);
        return;
    }
    if (!answer->uid_validity || !answer->count) {
        imap_ok(s, NULL, "done");
        return;
    }
    s->out = (struct buffer){.allocator = s->o.allocator};
    write_text(s, "OK [APPENDUID ");
    write_number(s, answer->uid_validity);
    write_text(s, " ");
    write_uids(s, answer->uids, answer->count);
    write_text(s, "] done");
    line = s->out;
    s->out = out;
    imap_result_take(s, &line);
}

/* imap_cmd_append - the line that ends it. */
void imap_cmd_append(struct postern_imap *s)
{
    if (s->append)
        take_end(s);
    if (!s->append || s->in.bad || s->in.rest.n) {
        imap_append_abort(s);
        imap_bad(s, "a message was expected");
        return;
    }
    s->question = (struct postern_imap_question){.name = s->append->name};
    imap_ask(s, POSTERN_IMAP_COMMIT, committed);
}
