/* SPDX-License-Identifier: MIT */
/* append_text - what the command says of its messages: the head of each, the parts of a CATENATE,
 * and the end. It is read up to each literal, and each time on from there (append_go). */
#include "proto/imap/append.h"
#include "proto/imap/rights.h"

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
        append_refuse(s, answer->err);
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
        append_give_up(s);
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

/* parse_head - "(\Seen) "date" CATENATE (": what stands before the first literal of a message. */
static void parse_head(struct postern_imap *s, struct postern_imap_question *question)
{
    struct imap_append *append = s->append;
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
    append->in_list = imap_offers(s, "CATENATE") && parse_try_word(&s->in, "CATENATE");
    append->is_open = !append->in_list && s->utf8 && parse_try_word(&s->in, "UTF8");
    if (append->in_list || append->is_open) {
        parse_space(&s->in);
        parse_char(&s->in, '(');
    }
    append->first = true;
    question->flags = flags.flags;
    question->keywords = flags.keywords;
    question->keyword_count = flags.count;
}

/* I 6.3.12-3 I 6.3.12-4
 * I 4469:2-1 I 4469:3-7 I 8508:4.2-1
 * I 6855:4-1 */
static void parse_message(struct postern_imap *s)
{
    struct postern_imap_question question = {0};
    struct imap_append *append = s->append;

    parse_head(s, &question);
    if (!append->in_list)
        s->in.bad |= s->in.rest.n || !append->announced;
    if (append->begun) /* one replaces one */
        s->in.bad |= append->replaced.first || !imap_offers(s, "MULTIAPPEND");
    if (s->in.bad) {
        if (!append->announced)
            s->in.why = "a message was expected";
        append_spoilt(s);
        return;
    }
    begin_message(s, &question);
}

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
    append_spoilt(s);
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
        append_spoilt(s);
    else if (append->in_list)
        next_part(s);
    else if (s->in.rest.n || !append->begun)
        parse_message(s);
    else if (append->announced) /* a literal without a head */
        append_spoilt(s);
    else
        append_commit(s);
}
