/* SPDX-License-Identifier: MIT */
/* session - a POP3 server session: life, input, output. See include/postern/pop3.h.
 * At most one of these is true: a question is open, work goes on (LIST, a message), a line may
 * come. Replies are appended in order, and no line is taken while a body is being sent (R47). TRAP:
 * bytes behind STLS are swallowed in feed() itself, with the rest of that call (R65). */
#include "proto/pop3/session.h"
#include "proto/wire/facts.h"

#define LINE_MIN 255 /* RFC 2449 4 (R40) */

void pop3_enter(struct postern_pop3 *s, enum postern_pop3_state state)
{
    s->state = state;
}

int pop3_set_text(struct postern_pop3 *s, struct postern_span *owned, struct postern_span value)
{
    return memory_own(s->o.allocator, owned, value);
}

static void clear_text(struct postern_pop3 *s, struct postern_span *owned)
{
    int freed = pop3_set_text(s, owned, (struct postern_span){NULL, 0});

    (void)freed; /* an absent text takes no memory */
}

static int copy_facts(struct postern_pop3 *s, const struct postern_tls_facts *facts)
{
    return facts_own(s->o.allocator, facts, &s->tls_identity, &s->tls_binding);
}

int postern_pop3_new(struct postern_pop3 **session_r, const struct postern_pop3_options *options,
                     const struct postern_tls_facts *tls, postern_time now)
{
    struct postern_pop3 *s;

    if (options->struct_bytes != sizeof *options || options->line_max < LINE_MIN ||
        options->output_mark < 4096 || options->read_chunk == 0 ||
        options->sasl_line_max < LINE_MIN ||
        options->idle_timeout < 600 * POSTERN_SECOND) /* R11 R40 */
        return POSTERN_E_USAGE;
    s = memory_new(options->allocator, sizeof *s);
    if (!s)
        return POSTERN_E_NOMEM;
    s->o = *options;
    s->now = s->last = s->began = now;
    s->expire_days = s->login_delay_s = -1;
    s->arena.allocator = s->out.allocator = s->body.converted.allocator = options->allocator;
    line_init(&s->line, options->allocator);
    marks_init(&s->marks, options->allocator, 0);
    pop3_enter(s, POSTERN_POP3_GREETING);
    s->tls = tls != NULL;
    if (copy_facts(s, tls) < 0) {
        postern_pop3_free(&s);
        return POSTERN_E_NOMEM;
    }
    pop3_ask(s, POSTERN_POP3_CONNECT);
    *session_r = s;
    return 0;
}

void pop3_forget_login(struct postern_pop3 *s)
{
    postern_sasl_free(&s->sasl);
    clear_text(s, &s->name);
    clear_text(s, &s->user);
    s->has_user = false;
}

void pop3_close_mailbox(struct postern_pop3 *s)
{
    marks_done(&s->marks);
    s->list = (struct postern_list){0};
    s->expire_days = s->login_delay_s = -1;
    pop3_tell(s, POSTERN_POP3_MAILBOX_DONE, 0, false);
}

void postern_pop3_free(struct postern_pop3 **session)
{
    struct postern_pop3 *s = session ? *session : NULL;
    const struct postern_allocator *allocator;

    if (!s)
        return;
    allocator = s->o.allocator;
    pop3_body_close(s);
    pop3_forget_login(s);
    clear_text(s, &s->tls_identity);
    clear_text(s, &s->tls_binding);
    clear_text(s, &s->stamp);
    line_reset(&s->line);
    buffer_done(&s->out);
    arena_drop(&s->arena);
    marks_done(&s->marks);
    while (s->capabilities) {
        struct pop3_capability *next = s->capabilities->next;

        memory_free(allocator, s->capabilities);
        s->capabilities = next;
    }
    secret_wipe(s, sizeof *s);
    memory_free(allocator, s);
    *session = NULL;
}

/* pop3_over - the end, whatever led here: what was only marked stays (R26) */
void pop3_over(struct postern_pop3 *s)
{
    s->asked = ASKED_NOTHING;
    s->work = WORK_NONE;
    s->want_tls = false;
    pop3_enter(s, POSTERN_POP3_OVER);
}

void pop3_no_memory(struct postern_pop3 *s)
{
    static const char words[] = "-ERR [SYS/TEMP] out of memory\r\n";

    if (s->failed)
        return;
    s->failed = true;
    s->range_left = s->tail_left = 0;
    if (!s->in_multiline &&
        s->state != POSTERN_POP3_OVER) { /* inside a body it would be read as text */
        s->tail = words;
        s->tail_left = sizeof words - 1;
    }
    pop3_over(s);
}

int pop3_result(struct postern_pop3 *s)
{
    if (s->out.error)
        pop3_no_memory(s);
    return s->failed ? POSTERN_E_NOMEM : 0;
}

bool pop3_is_idle(const struct postern_pop3 *s)
{
    return s->state != POSTERN_POP3_OVER && s->asked == ASKED_NOTHING && s->work == WORK_NONE &&
           !s->want_tls;
}

static bool takes_lines(const struct postern_pop3 *s)
{
    return pop3_is_idle(s) && s->news_count == 0 && buffer_length(&s->out) < s->o.output_mark;
}

void pop3_touch(struct postern_pop3 *s, postern_time now)
{
    if (now < s->now)
        now = s->now;
    if (s->time_stale && s->asked == ASKED_NOTHING) {
        s->began += now - s->now;
        s->last = now;
        s->time_stale = false;
    }
    if (s->asked == ASKED_NOTHING)
        s->now = now;
}

static void take_line(struct postern_pop3 *s, int event, struct postern_span line)
{
    s->last = s->now; /* a whole line moves the idle timer, single octets do not (R11) */
    if (event == LINE_TOO_LONG) {
        postern_sasl_free(&s->sasl);
        pop3_bad(s, TEXT_TOO_LONG);
        return;
    }
    if (s->sasl)
        pop3_sasl_line(s, line);
    else
        pop3_command(s, line);
    line_release(&s->line);
}

int postern_pop3_feed(struct postern_pop3 *s, struct postern_span in, postern_time now)
{
    size_t used = 0;

    if (s->state == POSTERN_POP3_OVER)
        return s->failed ? POSTERN_E_NOMEM : POSTERN_E_CLOSED;
    pop3_touch(s, now);
    if (in.n > INT32_MAX)
        in.n = INT32_MAX;
    if (s->want_tls)
        return (int)in.n; /* R65: clear text behind STLS never reaches the TLS session */
    while (used < in.n && takes_lines(s)) {
        size_t max = s->sasl ? s->o.sasl_line_max : s->o.line_max; /* R40 R75 */
        struct postern_span line;
        size_t n = 0;
        int event = line_feed(&s->line, span_from(in, used), max, &n, &line);

        used += n;
        if (event < 0)
            pop3_no_memory(s);
        if (event > 0)
            take_line(s, event, line);
        if (s->out.error)
            break;
    }
    if (s->want_tls)
        used = in.n;
    return pop3_result(s) < 0 ? POSTERN_E_NOMEM : (int)used;
}

void postern_pop3_eof(struct postern_pop3 *s)
{
    s->eof = true;
    line_reset(&s->line);
    if (pop3_is_idle(s) || s->want_tls) /* R67 */
        pop3_over(s);
}

void pop3_ask(struct postern_pop3 *s, enum postern_pop3_question_kind kind)
{
    s->question.kind = kind;
    s->question.id = ++s->last_id;
    s->asked = ASKED_WAITING;
}

void pop3_tell(struct postern_pop3 *s, enum postern_pop3_question_kind kind, uint64_t content,
               bool ok)
{
    if (s->news_count < sizeof s->news / sizeof *s->news)
        s->news[s->news_count++] = (struct pop3_news){.kind = kind, .content = content, .ok = ok};
}

static void next_news(struct postern_pop3 *s, struct postern_pop3_question *question_r)
{
    struct pop3_news news = s->news[0];

    memmove(s->news, s->news + 1, --s->news_count * sizeof *s->news);
    *question_r =
        (struct postern_pop3_question){.kind = news.kind, .content = news.content, .ok = news.ok};
    if (news.kind == POSTERN_POP3_COMMAND_SEEN)
        question_r->command = postern_span_of(s->command);
}

int postern_pop3_next(struct postern_pop3 *s, struct postern_pop3_question *question_r)
{
    if (s->news_count) {
        next_news(s, question_r);
        return 1;
    }
    if (s->failed)
        return POSTERN_E_NOMEM;
    if (s->state == POSTERN_POP3_OVER)
        return POSTERN_E_CLOSED;
    if (s->asked != ASKED_WAITING)
        return 0;
    s->asked = ASKED_SHOWN;
    *question_r = s->question;
    return 1;
}

/* pop3_advance - go on with what needs no answer, as far as the output has room. */
void pop3_advance(struct postern_pop3 *s)
{
    if (s->work == WORK_LIST)
        pop3_list_go(s);
    if (s->work == WORK_BODY && s->asked == ASKED_NOTHING)
        pop3_body_go(s);
    if (s->eof && pop3_is_idle(s))
        pop3_over(s);
}

size_t postern_pop3_output(struct postern_pop3 *s, struct postern_piece *pieces_r, size_t max)
{
    size_t n = 0;

    if (n < max && buffer_length(&s->out))
        pieces_r[n++] = (struct postern_piece){.bytes = buffer_span(&s->out)};
    if (n < max && s->range_left)
        pieces_r[n++] = (struct postern_piece){
            .bytes = {NULL, s->range_left}, .content = s->body.content, .offset = s->range_offset};
    if (n < max && s->tail_left)
        pieces_r[n++] = (struct postern_piece){.bytes = {s->tail, s->tail_left}};
    return n;
}

/* least - the part of *n that fits in room, taken from it */
static uint64_t least(uint64_t *n, uint64_t room)
{
    uint64_t part = *n < room ? *n : room;

    *n -= part;
    return part;
}

void postern_pop3_sent(struct postern_pop3 *s, uint64_t n, postern_time now)
{
    uint64_t part;

    pop3_touch(s, now);
    if (n)
        s->last = s->now;
    buffer_take(&s->out, least(&n, buffer_length(&s->out)));
    part = least(&n, s->range_left);
    s->range_left -= part;
    s->range_offset += part;
    part = least(&n, s->tail_left);
    s->tail_left -= part;
    if (part)
        s->tail += part;
    if (s->work == WORK_RANGE && !s->range_left && !s->tail_left && !buffer_length(&s->out))
        pop3_range_sent(s);
    pop3_advance(s);
    if (buffer_length(&s->out) == 0 && s->work == WORK_NONE)
        buffer_done(&s->out); /* an idle session holds no buffer */
    (void)pop3_result(s);
}

unsigned postern_pop3_wants(const struct postern_pop3 *s)
{
    bool has_output = buffer_length(&s->out) || s->range_left || s->tail_left;
    unsigned wants = has_output ? POSTERN_WANT_WRITE : 0;

    if (s->asked != ASKED_NOTHING || s->news_count)
        wants |= POSTERN_WANT_APPLICATION;
    if (s->want_tls)
        wants |= POSTERN_WANT_TLS;
    if (s->state == POSTERN_POP3_OVER)
        wants |= POSTERN_WANT_CLOSE;
    if (takes_lines(s) && !s->eof)
        wants |= POSTERN_WANT_READ;
    return wants;
}

int postern_pop3_tls_up(struct postern_pop3 *s, const struct postern_tls_facts *facts)
{
    if (!s->want_tls)
        return POSTERN_E_USAGE;
    if (copy_facts(s, facts) < 0)
        pop3_no_memory(s);
    s->want_tls = false;
    s->tls = true; /* still in AUTHORIZATION, and no greeting (R62 R66) */
    return pop3_result(s);
}

void postern_pop3_shutdown(struct postern_pop3 *s)
{
    s->shutdown = true;
    if (s->want_tls)
        pop3_over(s);
    if (!pop3_is_idle(s))
        return;
    pop3_line(s, false, "SYS/TEMP", text_get(s->language, TEXT_SHUTDOWN), false);
    pop3_over(s);
    (void)pop3_result(s);
}
