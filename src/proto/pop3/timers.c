/* SPDX-License-Identifier: MIT */
/* timers - when a session has waited too long (R11, X14), and small facts about a session.
 * Three clocks: from the greeting to the login; between two commands; asleep. None runs while the
 * application owes an answer. The end is silent and deletes nothing. */
#include "proto/pop3/session.h"

static postern_time later(postern_time from, postern_time by)
{
    return from > POSTERN_NEVER - by ? POSTERN_NEVER : from + by;
}

postern_time postern_pop3_deadline(const struct postern_pop3 *s)
{
    if (s->state == POSTERN_POP3_OVER || s->asked != ASKED_NOTHING)
        return POSTERN_NEVER;
    if (s->state == POSTERN_POP3_ASLEEP)
        return later(s->last, s->o.asleep_timeout);
    if (s->state == POSTERN_POP3_TRANSACTION)
        return later(s->last, s->o.idle_timeout);
    return later(s->began, s->o.login_timeout);
}

void postern_pop3_tick(struct postern_pop3 *s, postern_time now)
{
    pop3_touch(s, now);
    if (now < postern_pop3_deadline(s) || postern_pop3_deadline(s) == POSTERN_NEVER)
        return;
    s->range_left = s->tail_left = 0;
    buffer_done(&s->out);
    pop3_over(s);
}

enum postern_pop3_state postern_pop3_state(const struct postern_pop3 *s)
{
    return s->state;
}

struct postern_span postern_pop3_user(const struct postern_pop3 *s)
{
    return s->user;
}

size_t postern_pop3_memory(const struct postern_pop3 *s)
{
    size_t total = sizeof *s + s->line.partial.capacity + s->out.capacity + s->arena.held_bytes +
                   s->body.converted.capacity + marks_memory(&s->marks) + s->tls_identity.n +
                   s->tls_binding.n + s->stamp.n + s->name.n + s->user.n;

    for (const struct pop3_capability *c = s->capabilities; c; c = c->next)
        total += c->size;
    return total;
}
