/* SPDX-License-Identifier: MIT */
/* cmd-custom - a command of the application's own: asked as COMMAND, answered with a reply. */
#include "proto/pop3/session.h"

void pop3_cmd_custom(struct postern_pop3 *s)
{
    if (!pop3_keep(s))
        return;
    s->question = (struct postern_pop3_question){
        .message = s->ref, .command = postern_span_of(s->command), .arguments = s->rest};
    pop3_ask(s, POSTERN_POP3_COMMAND);
}

static int take_effects(struct postern_pop3 *s, unsigned effects)
{
    bool gone = effects & POSTERN_POP3_EFFECT_GONE;

    if (effects & POSTERN_POP3_EFFECT_CLOSE)
        s->closing = true;
    if (!(effects & (POSTERN_POP3_EFFECT_MARK | POSTERN_POP3_EFFECT_GONE)) || !s->ref.uid.n)
        return 0;
    if (!s->ref.number)
        return marks_add_extra(&s->marks, s->ref.uid, s->ref.size_bytes, gone);
    if (gone)
        return marks_set_gone(&s->marks, s->ref.number - 1, s->ref.size_bytes);
    return marks_set(&s->marks, s->ref.number - 1, s->ref.size_bytes);
}

/* code_is_clean - a response code of the application must not break the line (R50) */
static bool code_is_clean(struct postern_span code)
{
    for (size_t i = 0; i < code.n; i++)
        if (code.p[i] <= 0x20 || code.p[i] > 0x7e || code.p[i] == '[' || code.p[i] == ']')
            return false;
    return code.n > 0 && code.n <= 64;
}

int postern_pop3_answer_command(struct postern_pop3 *s, uint64_t id,
                                const struct postern_pop3_reply *reply)
{
    struct stuff stuff = {0};
    struct reply code;
    int err = pop3_accept(s, id, POSTERN_POP3_COMMAND);

    if (err < 0)
        return err;
    code.n = 0;
    if (code_is_clean(reply->code))
        reply_add(&code, reply->code);
    code.bytes[code.n] = '\0';
    if (take_effects(s, reply->effects) < 0) {
        pop3_no_memory(s);
        return POSTERN_E_NOMEM;
    }
    pop3_line(s, reply->ok, code.n ? code.bytes : NULL, reply->text, true);
    if (reply->multiline) {
        s->in_multiline = true;
        stuff_feed(&stuff, reply->lines, &s->out);
        stuff_finish(&stuff, &s->out);
        buffer_append_text(&s->out, ".\r\n");
    }
    pop3_finish(s, reply->ok);
    return pop3_answered(s);
}
