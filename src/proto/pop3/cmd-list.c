/* SPDX-License-Identifier: MIT */
/* cmd-list - LIST and UIDL: one message, or a line for each that is left (R15 R18 R19 R28 R30).
 * Sizes are the store's exact ones (R20); RETR sends as many octets, unless it must make a
 * surrogate, whose size is not known without making it (R89, a SHOULD). The listing of a mailbox of
 * any size is written as the output drains, straight from the shared list; numbers stay what they
 * were at the opening. */
#include "proto/pop3/session.h"

#define LINE_ROOM 96 /* number, space, unique-id or size, CRLF */

static void add_line(struct postern_pop3 *s, struct reply *reply, struct postern_pop3_ref ref)
{
    reply_add_number(reply, ref.number);
    reply_add(reply, SPAN(" "));
    if (s->list_uids)
        reply_add(reply, ref.uid);
    else
        reply_add_number(reply, ref.size_bytes);
    reply_write(reply, &s->out);
}

void pop3_list_go(struct postern_pop3 *s)
{
    while (s->list_next < s->list.count && !s->out.error) {
        size_t at = s->list_next;
        struct reply reply;

        if (buffer_length(&s->out) + LINE_ROOM > s->o.output_mark)
            return;
        s->list_next++;
        if (marks_is_marked(&s->marks, at) || marks_is_gone(&s->marks, at))
            continue;
        reply.n = 0;
        add_line(s, &reply,
                 (struct postern_pop3_ref){.number = (uint32_t)at + 1,
                                           .uid = pop3_uid(s, at),
                                           .size_bytes = s->list.entries[at].size_bytes});
    }
    if (s->out.error)
        return;
    buffer_append_text(&s->out, ".\r\n");
    pop3_finish(s, true);
}

static void list(struct postern_pop3 *s, bool uids)
{
    struct reply reply;

    s->list_uids = uids;
    if (s->argument_count) {
        reply.n = 0;
        reply_add(&reply, SPAN("+OK "));
        add_line(s, &reply, s->ref); /* X2: a message after the listing has number 0 */
        pop3_finish(s, true);
        return;
    }
    pop3_line(s, true, NULL, text_get(s->language, TEXT_FOLLOWS), false);
    s->in_multiline = true;
    s->list_next = 0;
    s->work = WORK_LIST;
    pop3_list_go(s);
}

void pop3_cmd_list(struct postern_pop3 *s)
{
    if (s->argument_count && s->ref_flags & POSTERN_ENTRY_UTF8 && !s->utf8 &&
        s->o.surrogate == POSTERN_POP3_SURROGATE_REFUSE)
        pop3_err(s, "UTF8", TEXT_NEED_UTF8); /* R87 */
    else
        list(s, false);
}

void pop3_cmd_uidl(struct postern_pop3 *s)
{
    list(s, true);
}
