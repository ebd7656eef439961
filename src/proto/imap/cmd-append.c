/* SPDX-License-Identifier: MIT */
/* cmd-append - APPEND, also of several messages (RFC 9051 6.3.12, RFC 3502), and REPLACE (RFC
 * 8508). The octets go to the application as they come; what is begun is made to last with one
 * COMMIT, or nothing is.
 *
 * The command's text is read up to each literal, and each time on from there (append_go): the head
 * of a message, or the parts of a CATENATE.
 * A message is refused before its octets are asked for where that can be (RFC 9051 6.3.12): unknown
 * mailbox, too big, over quota. TRAP: "{9+}" comes all the same, and is swallowed. */
#include "proto/imap/append.h"
#include "proto/imap/commands.h"
#include "proto/imap/rights.h"

#define WRITE_BYTES 65536

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

/* give_up - octets that will come though nobody asks for them any more are passed over. I 6.3.12-5
 */
static void give_up(struct postern_imap *s)
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
    give_up(s);
    imap_no(s, code, text);
}

static void refuse(struct postern_imap *s, int err)
{
    give_up(s);
    imap_refuse_target(s, err);
}

/* I 6.3.12-9 */
static void spoilt(struct postern_imap *s)
{
    const char *code = s->in.code, *why = s->in.why ? s->in.why : "syntax error";

    give_up(s);
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

/* ---- what is announced ----------------------------------------------------------------------- */

static bool is_ours(const struct imap_row *row)
{
    return row && (row->handler == imap_cmd_append || row->handler == imap_cmd_replace);
}

bool imap_append_is_next(struct postern_imap *s, struct postern_span text)
{
    struct imap_parser in;
    struct postern_span tag, rest = {0};
    const struct imap_row *row;
    bool by_uid;

    if (text.n >= 4 && span_equal_nocase(span_from(text, text.n - 4), SPAN("URL ")))
        return false; /* of CATENATE: a short text like any other */
    if (s->append)
        return true;
    row = imap_verb(text, &tag, &rest, &by_uid);
    if (!is_ours(row))
        return false;
    in = (struct imap_parser){.rest = rest};
    parse_space(&in);
    if (row->handler == imap_cmd_replace) {
        if (!parse_try(&in, '*'))
            (void)parse_atom(&in); /* what it is, is seen later */
        parse_space(&in);
    }
    (void)parse_astring(s, &in);
    return !in.bad && in.rest.n > 0 && in.rest.p[0] == ' ';
}

/* parse_replaced - the one message, by its number or UID; "*" is the last.
 * I 8508:3.2-1 */
static void parse_replaced(struct postern_imap *s, struct imap_append *append)
{
    uint32_t number, last = s->view.messages;

    parse_space(&s->in);
    if (parse_try(&s->in, '*'))
        number = s->by_uid && last ? view_uid(&s->view, last) : last;
    else
        number = (uint32_t)parse_number(&s->in, UINT32_MAX);
    if (s->in.bad || number == 0) {
        s->in.bad = true;
    } else if (s->by_uid) {
        append->replaced.first = number;
    } else if (number > s->view.messages) {
        s->in.bad = true;
        s->in.why = "there are not so many messages";
    } else {
        append->replaced.first = view_uid(&s->view, number);
    }
    append->replaced.last = append->replaced.first;
}

/* is_refused - whoever says this may not; it is answered. */
static bool is_refused(struct postern_imap *s)
{
    const char *code = NULL, *why = imap_why_not(s, &code);
    uint32_t replaced = s->append->replaced.first;

    if (why) {
        give_up(s);
        imap_bad_code(s, code, why);
    } else if (!s->in.bad && replaced && s->read_only) {
        append_fail(s, "READ-ONLY", "the mailbox can only be read");
    } else if (!s->in.bad && replaced && !rights_has(s, RIGHTS_TAKE_OUT)) {
        append_fail(s, "NOPERM", "not permitted");
    } else if (!s->in.bad && replaced && !view_number(&s->view, replaced)) {
        append_fail(s, NULL, "there is no such message");
    }
    return !s->append;
}

/* begin - of a command whose name is read: the mailbox. */
static bool begin(struct postern_imap *s)
{
    struct imap_append *append = arena_alloc(&s->arena, sizeof *append);
    struct postern_span name;

    if (!append) {
        imap_no_memory(s);
        return false;
    }
    memset(append, 0, sizeof *append);
    append->octets.allocator = append->header.allocator = s->o.allocator;
    s->append = append;
    if (s->row->handler == imap_cmd_replace)
        parse_replaced(s, append);
    parse_space(&s->in);
    name = parse_mailbox(s, &s->in);
    if (arena_copy(&s->arena, name, &append->name) < 0) {
        imap_no_memory(s);
        return false;
    }
    return true;
}

void imap_append_message(struct postern_imap *s, struct postern_span text, uint64_t size,
                         bool waits, bool binary)
{
    bool begins = !s->append;

    if (begins && (!imap_begin(s, text) || !begin(s)))
        return;
    if (!begins)
        s->in = (struct imap_parser){.rest = text};
    s->append->announced = true;
    s->append->waits = waits;
    s->append->size = size;
    s->append->binary = binary;
    if (!begins || !is_refused(s))
        append_go(s);
}

/* ---- the head of a message ------------------------------------------------------------------- */

/* consent - to the literal: its octets go to the application.
 * I 7889:4-1 */
static void consent(struct postern_imap *s)
{
    struct imap_append *append = s->append;

    if (append->waits)
        write_text(s, "+ OK\r\n");
    imap_input_clear(s);
    append->announced = false;
    if (append->size == 0) { /* a part of CATENATE may be empty */
        s->input.state = INPUT_LINE;
        return;
    }
    s->input.state = INPUT_MESSAGE;
    s->input.left = append->size;
}

static void begun(struct postern_imap *s, const struct imap_answer *answer)
{
    if (answer->err) {
        refuse(s, answer->err);
        return;
    }
    s->append->begun++;
    if (s->append->in_list)
        append_go(s);
    else
        consent(s);
}

/* I 8508:3.4-1 I 3502:3-3 I 3502:3-4
 * I 3502:3-2 */
static void begin_message(struct postern_imap *s, const struct postern_imap_question *question)
{
    struct imap_append *append = s->append;
    uint32_t limit = imap_limit_of_saving(s);

    append->total = 0;
    append->in_header = append->at_line = true;
    if (limit && append->begun == limit) {
        give_up(s);
        imap_no_limit(s, limit, 0);
        return;
    }
    if (!append->in_list && !append_grow(s, append->size))
        return;
    if (!append->in_list && append->size == 0) {
        append_fail(s, NULL, "an empty message is none");
        return;
    }
    s->question = *question;
    s->question.name = append->name;
    s->question.size_bytes = append->total;
    s->question.uids = &append->replaced.first;
    s->question.uid_count = append->replaced.first ? 1 : 0;
    imap_ask_if(s, POSTERN_IMAP_APPEND, rights_insert, begun);
}

/* I 6.3.12-3 I 6.3.12-4
 * I 4469:2-1 I 4469:3-7 I 8508:4.2-1
 * I 6855:4-1 */
static void parse_message(struct postern_imap *s)
{
    struct postern_imap_question question = {0};
    struct imap_append *append = s->append;
    struct imap_flags flags = {0};

    parse_space(&s->in);
    if (s->in.rest.n && s->in.rest.p[0] == '(') {
        parse_flags(s, &s->in, &flags);
        parse_space(&s->in);
    }
    if (s->in.rest.n && s->in.rest.p[0] == '"') {
        question.date_s = parse_date_time(s, &s->in);
        parse_space(&s->in);
    }
    append->in_list = imap_offers(s, "CATENATE") && parse_try_word(&s->in, "CATENATE");
    append->is_open = !append->in_list && s->utf8 && parse_try_word(&s->in, "UTF8");
    if (append->in_list || append->is_open) {
        parse_space(&s->in);
        parse_char(&s->in, '(');
    }
    append->first = true;
    if (!append->in_list)
        s->in.bad |= s->in.rest.n || !append->announced;
    if (append->begun) /* one replaces one */
        s->in.bad |= append->replaced.first || !imap_offers(s, "MULTIAPPEND");
    if (s->in.bad) {
        if (!append->announced)
            s->in.why = "a message was expected";
        spoilt(s);
        return;
    }
    question.flags = flags.flags;
    question.keywords = flags.keywords;
    question.keyword_count = flags.count;
    begin_message(s, &question);
}

/* ---- the parts of CATENATE ------------------------------------------------------------------- */

/* I 8508:4.7-1
 * I 6855:4-2 */
static void next_part(struct postern_imap *s)
{
    struct imap_append *append = s->append;

    if (!append->first)
        parse_space(&s->in);
    append->first = false;
    if (parse_try_word(&s->in, "URL")) {
        parse_space(&s->in);
        append->url.text = parse_astring(s, &s->in);
        if (!s->in.bad) {
            catenate_fetch(s);
            return;
        }
    } else if ((append->is_open = s->utf8 && parse_try_word(&s->in, "UTF8")) ||
               parse_try_word(&s->in, "TEXT")) {
        parse_space(&s->in);
        if (append->is_open)
            parse_char(&s->in, '(');
        if (!s->in.bad && s->in.rest.n == 0 && append->announced) {
            if (append_grow(s, append->size))
                consent(s);
            return;
        }
    }
    s->in.bad = true;
    spoilt(s);
}

/* ---- the end --------------------------------------------------------------------------------- */

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

    s->append->begun = 0; /* the application has ended them, either way */
    imap_append_abort(s);
    if (answer->err) {
        imap_refuse_target(s, answer->err);
    } else if (!answer->uid_validity || !answer->count) {
        if (replaces)
            imap_ok_removed(s, "done");
        else
            imap_ok(s, NULL, "done");
    } else if (replaces) { /* RFC 8508 4.3: before the EXPUNGE is told */
        write_code(s, answer, "* ", "] the new one\r\n");
        imap_ok_removed(s, "done");
    } else {
        s->out = (struct buffer){.allocator = s->o.allocator};
        write_code(s, answer, "", "]");
        line = s->out;
        s->out = out;
        imap_result_take(s, &line, "done");
    }
}

/* I 8508:3.4-2 I 8508:3.4-3 I 8508:3.4-4 I 8508:3.4-5 I 3502:3-1 I 3502:3-5 */
static void commit(struct postern_imap *s)
{
    s->question = (struct postern_imap_question){.name = s->append->name,
                                                 .uids = &s->append->replaced.first,
                                                 .uid_count = s->append->replaced.first ? 1 : 0};
    imap_ask(s, POSTERN_IMAP_COMMIT, committed);
}

void append_go(struct postern_imap *s)
{
    struct imap_append *append = s->append;

    if (append->is_open) {
        parse_char(&s->in, ')');
        append->is_open = false;
    }
    if (append->in_list && !append->first && parse_try(&s->in, ')')) {
        append->in_list = false;
        if (append->total == 0) {
            append_fail(s, NULL, "an empty message is none");
            return;
        }
    }
    if (s->in.bad)
        spoilt(s);
    else if (append->in_list)
        next_part(s);
    else if (s->in.rest.n || !append->begun)
        parse_message(s);
    else if (append->announced) /* a literal without a head */
        spoilt(s);
    else
        commit(s);
}

/* append_line - the line that ends the command. */
static void append_line(struct postern_imap *s)
{
    bool begins = !s->append;

    if (begins && !begin(s))
        return;
    s->append->announced = false;
    if (!begins || !is_refused(s))
        append_go(s);
}

void imap_cmd_append(struct postern_imap *s)
{
    append_line(s);
}

/* I 8508:3.5-1 */
void imap_cmd_replace(struct postern_imap *s)
{
    append_line(s);
}

/* ---- octets ---------------------------------------------------------------------------------- */

static void written(struct postern_imap *s, const struct imap_answer *answer)
{
    struct imap_append *append = s->append;

    buffer_take(&append->octets, buffer_length(&append->octets));
    if (answer->err) {
        refuse(s, answer->err);
    } else if (append->stream.active) {
        catenate_fetch(s);
    } else if (s->input.left == 0) {
        s->input.state = INPUT_LINE;
        s->input.line_at = 0;
    }
}

/* has_raw_header - the header of the message has octets beyond ASCII; a chunk goes on where the one
 * before it ended. */
static bool has_raw_header(struct imap_append *append, struct postern_span octets)
{
    for (size_t i = 0; append->in_header && i < octets.n; i++) {
        unsigned char c = (unsigned char)octets.p[i];

        if (c > 127)
            return true;
        if (c == '\n') {
            append->in_header = !append->at_line;
            append->at_line = true;
        } else if (c != '\r') {
            append->at_line = false;
        }
    }
    return false;
}

/* append_write - RFC 6855 4: who has not enabled UTF8=ACCEPT may append no raw header.
 * I 6855:4-3 */
void append_write(struct postern_imap *s)
{
    if (!s->utf8 && !s->rev2 && imap_offers(s, "UTF8=ACCEPT") &&
        has_raw_header(s->append, buffer_span(&s->append->octets))) {
        append_fail(s, "CANNOT", "raw octets in a header want UTF8=ACCEPT");
        return;
    }
    s->question = (struct postern_imap_question){.bytes = buffer_span(&s->append->octets)};
    imap_ask(s, POSTERN_IMAP_WRITE, written);
}

/* I 6.3.12-1 I 6.3.12-2
 * I 3516:4.4-1 */
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
    if (append->octets.error)
        imap_no_memory(s);
    else if (memchr(in.p, '\0', in.n))
        append_fail(s, append->binary ? "UNKNOWN-CTE" : "CANNOT", "a message has no NUL");
    else if (s->input.left == 0 || buffer_length(&append->octets) == WRITE_BYTES)
        append_write(s);
    return in.n;
}
