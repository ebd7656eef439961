/* SPDX-License-Identifier: MIT */
/* message_ref - the message that a command names, by number or by unique-id (X1..X6).
 * A unique-id reaches the application only when it is well formed, and only when it is not in the
 * list: the application then looks for mail that came later (X4), and never sees a path (X6). */
#include "proto/pop3/session.h"

#define NUMBER_DIGITS_MAX 10

struct postern_span pop3_uid(const struct postern_pop3 *s, size_t index)
{
    const struct postern_entry *entry = &s->list.entries[index];

    return span_make(s->list.uids + entry->uid_offset, entry->uid_length);
}

bool pop3_uid_is_valid(struct postern_span uid)
{
    if (uid.n == 0 || uid.n > POSTERN_UID_MAX) /* R28 */
        return false;
    for (size_t i = 0; i < uid.n; i++)
        if (uid.p[i] < 0x21 || uid.p[i] > 0x7e)
            return false;
    return true;
}

static void resolved(struct postern_pop3 *s, size_t index)
{
    const struct postern_entry *entry = &s->list.entries[index];

    if (marks_is_marked(&s->marks, index) || marks_is_gone(&s->marks, index)) {
        pop3_err(s, NULL, TEXT_IS_DELETED); /* R22 X3 */
        return;
    }
    s->ref = (struct postern_pop3_ref){
        .number = (uint32_t)index + 1, .uid = pop3_uid(s, index), .size_bytes = entry->size_bytes};
    s->ref_flags = entry->flags;
    s->row->handler(s);
}

static void resolve_uid(struct postern_pop3 *s, struct postern_span uid)
{
    int64_t index;

    if (!pop3_uid_is_valid(uid)) {
        pop3_err(s, "UID/NOT-FOUND", TEXT_NO_UID);
        return;
    }
    index = marks_find(&s->marks, &s->list, uid);
    if (index == POSTERN_E_NOMEM) {
        pop3_no_memory(s);
    } else if (index >= 0) {
        resolved(s, (size_t)index);
    } else if (marks_find_extra(&s->marks, uid) >= 0) {
        pop3_err(s, NULL, TEXT_IS_DELETED);
    } else if (pop3_keep(s)) {
        s->ref = (struct postern_pop3_ref){.uid = span_from(s->argument[0], 4)};
        s->question = (struct postern_pop3_question){.message = s->ref};
        pop3_ask(s, POSTERN_POP3_FIND);
    }
}

void pop3_resolve(struct postern_pop3 *s)
{
    struct postern_span argument = s->argument[0];
    uint64_t number = 0;

    if (s->o.uid_param && span_begins_nocase(argument, SPAN("UID:")))
        resolve_uid(s, span_from(argument, 4));
    else if (argument.n > NUMBER_DIGITS_MAX || !span_number(argument, UINT64_MAX, &number) ||
             number == 0 || number > s->list.count)
        pop3_err(s, NULL, TEXT_NO_MESSAGE);
    else
        resolved(s, (size_t)number - 1);
}

void pop3_found(struct postern_pop3 *s, uint64_t size_bytes, unsigned flags)
{
    s->ref.size_bytes = size_bytes;
    s->ref_flags = flags;
    s->row->handler(s);
}
