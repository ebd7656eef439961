/* SPDX-License-Identifier: MIT */
/* session - an IMAP server session: life, questions, output. See include/postern/imap.h.
 * At most one of these is true: a question is open, work goes on as output drains, input is taken.
 * TRAP: octets behind STARTTLS in the same feed() are swallowed there (RFC 9051 6.2.1). */
#include "proto/imap/context.h"
#include "proto/imap/esearch.h"
#include "proto/imap/notify.h"
#include "proto/wire/facts.h"
#include "proto/wire/output.h"

int imap_set_text(struct postern_imap *s, struct postern_span *owned, struct postern_span value)
{
    return memory_own(s->o.allocator, owned, value);
}

static int copy_facts(struct postern_imap *s, const struct postern_tls_facts *facts)
{
    return facts_own(s->o.allocator, facts, &s->tls_identity, &s->tls_binding);
}

/* I 5.4-1 */
int postern_imap_new(struct postern_imap **session_r, const struct postern_imap_options *options,
                     const struct postern_tls_facts *tls, postern_time now)
{
    struct postern_imap *s;

    if (options->struct_bytes != sizeof *options || options->command_before_login_max < 8192 ||
        options->command_max < 8192 || options->output_mark < 4096 || options->read_chunk == 0 ||
        options->idle_timeout < 1800 * POSTERN_SECOND ||
        (options->message_limit && options->save_limit))
        return POSTERN_E_USAGE;
    s = memory_new(options->allocator, sizeof *s);
    if (!s)
        return POSTERN_E_NOMEM;
    s->o = *options;
    s->now = s->last = s->began = now;
    s->state = POSTERN_IMAP_GREETING;
    s->arena.allocator = s->out.allocator = s->input.text.allocator = s->view.allocator =
        options->allocator;
    s->tls = tls != NULL;
    if (copy_facts(s, tls) < 0) {
        postern_imap_free(&s);
        return POSTERN_E_NOMEM;
    }
    imap_ask(s, POSTERN_IMAP_CONNECT, imap_greet);
    *session_r = s;
    return 0;
}

void postern_imap_free(struct postern_imap **session)
{
    struct postern_imap *s = session ? *session : NULL;
    struct postern_span none = {NULL, 0};
    const struct postern_allocator *allocator;

    if (!s)
        return;
    allocator = s->o.allocator;
    postern_sasl_free(&s->sasl);
    (void)imap_set_text(s, &s->tls_identity, none); /* an absent text takes no memory */
    (void)imap_set_text(s, &s->tls_binding, none);
    (void)imap_set_text(s, &s->hidden, none);
    (void)imap_set_text(s, &s->user, none);
    (void)imap_set_text(s, &s->mailbox, none);
    (void)imap_set_text(s, &s->idle_tag, none);
    buffer_done(&s->input.text);
    buffer_done(&s->out);
    imap_append_abort(s);
    imap_fetch_abort(s);
    imap_search_abort(s);
    esearch_end(s);
    context_drop_all(s);
    arrived_free(s);
    notify_free(s, &s->notify_next);
    notify_free(s, &s->notify);
    arena_drop(&s->arena);
    view_done(&s->view);
    memory_free(allocator, s->keywords);
    memory_free(allocator, s->saved);
    secret_wipe(s, sizeof *s);
    memory_free(allocator, s);
    *session = NULL;
}

/* I 3.4-2 */
void imap_over(struct postern_imap *s)
{
    s->asked = ASKED_NOTHING;
    s->work = NULL;
    s->want_tls = s->want_compress = s->idling = false;
    s->state = POSTERN_IMAP_OVER;
}

void imap_no_memory(struct postern_imap *s)
{
    if (s->failed)
        return;
    s->failed = true;
    if (!s->work && s->state != POSTERN_IMAP_OVER) /* within a response it would be data */
        s->tail = "* BYE [SERVERBUG] out of memory\r\n";
    imap_over(s);
}

int imap_result_of(struct postern_imap *s)
{
    if (s->out.error || s->input.text.error)
        imap_no_memory(s);
    return s->failed ? POSTERN_E_NOMEM : 0;
}

bool imap_is_idle(const struct postern_imap *s)
{
    return s->state != POSTERN_IMAP_OVER && s->asked == ASKED_NOTHING && !s->work && !s->want_tls &&
           !s->want_compress;
}

bool imap_has_room(const struct postern_imap *s)
{
    return buffer_length(&s->out) < s->o.output_mark;
}

/* I 5.5-1 */
static bool takes_input(const struct postern_imap *s)
{
    return imap_is_idle(s) && s->news_count == 0 && imap_has_room(s);
}

void imap_touch(struct postern_imap *s, postern_time now)
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

/* I 6.2.1-3 */
int postern_imap_feed(struct postern_imap *s, struct postern_span in, postern_time now)
{
    size_t used = 0;

    if (s->state == POSTERN_IMAP_OVER)
        return s->failed ? POSTERN_E_NOMEM : POSTERN_E_CLOSED;
    imap_touch(s, now);
    if (in.n > INT32_MAX)
        in.n = INT32_MAX;
    while (used < in.n && takes_input(s) && !s->out.error)
        used += imap_input_feed(s, span_from(in, used));
    if (s->want_tls)
        used = in.n;
    return imap_result_of(s) < 0 ? POSTERN_E_NOMEM : (int)used;
}

void postern_imap_eof(struct postern_imap *s)
{
    s->eof = true;
    if (imap_is_idle(s) || s->want_tls || s->want_compress)
        imap_over(s);
}

/* ---- questions ------------------------------------------------------------------------------- */

void imap_ask(struct postern_imap *s, enum postern_imap_question_kind kind, imap_then *then)
{
    if (s->failed) /* whoever asks has not seen yet that it is over */
        return;
    s->question.kind = kind;
    s->question.id = ++s->last_id;
    s->then = then;
    s->asked = ASKED_WAITING;
}

void imap_tell(struct postern_imap *s, enum postern_imap_question_kind kind, uint64_t content)
{
    if (s->news_count < sizeof s->news / sizeof *s->news)
        s->news[s->news_count++] = (struct imap_news){kind, content};
}

int postern_imap_next(struct postern_imap *s, struct postern_imap_question *question_r)
{
    if (s->news_count) {
        *question_r =
            (struct postern_imap_question){.kind = s->news[0].kind, .content = s->news[0].content};
        memmove(s->news, s->news + 1, --s->news_count * sizeof *s->news);
        return 1;
    }
    if (s->failed)
        return POSTERN_E_NOMEM;
    if (s->state == POSTERN_IMAP_OVER)
        return POSTERN_E_CLOSED;
    if (s->asked != ASKED_WAITING)
        return 0;
    s->asked = ASKED_SHOWN;
    *question_r = s->question;
    return 1;
}

/* ---- output ---------------------------------------------------------------------------------- */

/* imap_advance - go on with what needs no answer, as far as the output has room. */
void imap_advance(struct postern_imap *s)
{
    while (s->work && !s->failed && s->asked == ASKED_NOTHING && imap_has_room(s) && !s->out.error)
        s->work(s);
    if (s->has_news && imap_is_idle(s) && imap_may_push(s))
        imap_push(s);
    if (s->eof && imap_is_idle(s))
        imap_over(s);
}

size_t postern_imap_output(struct postern_imap *s, struct postern_piece *pieces_r, size_t max)
{
    return output_pieces(&s->out, s->tail, pieces_r, max);
}

void postern_imap_sent(struct postern_imap *s, uint64_t n, postern_time now)
{
    imap_touch(s, now);
    if (n)
        s->last = s->now;
    output_sent(&s->out, &s->tail, n);
    imap_advance(s);
    /* an idle session holds no buffer; a FETCH waits for octets and then needs it again */
    if (buffer_length(&s->out) == 0 && !s->work && !s->fetch)
        buffer_done(&s->out);
    (void)imap_result_of(s);
}

unsigned postern_imap_wants(const struct postern_imap *s)
{
    unsigned wants = buffer_length(&s->out) || s->tail ? POSTERN_WANT_WRITE : 0;

    if (s->asked != ASKED_NOTHING || s->news_count)
        wants |= POSTERN_WANT_APPLICATION;
    if (s->want_tls)
        wants |= POSTERN_WANT_TLS;
    if (s->want_compress)
        wants |= POSTERN_WANT_COMPRESS;
    if (s->state == POSTERN_IMAP_OVER)
        wants |= POSTERN_WANT_CLOSE;
    if (takes_input(s) && !s->eof)
        wants |= POSTERN_WANT_READ;
    return wants;
}

/* ---- time and the rest ----------------------------------------------------------------------- */

static postern_time later(postern_time from, postern_time by)
{
    return from > POSTERN_NEVER - by ? POSTERN_NEVER : from + by;
}

postern_time postern_imap_deadline(const struct postern_imap *s)
{
    if (s->state == POSTERN_IMAP_OVER || s->asked != ASKED_NOTHING)
        return POSTERN_NEVER;
    if (s->state & (POSTERN_IMAP_AUTHENTICATED | POSTERN_IMAP_SELECTED))
        return later(s->last, s->o.idle_timeout);
    return later(s->began, s->o.login_timeout);
}

/* I 3.4-3 */
void postern_imap_tick(struct postern_imap *s, postern_time now)
{
    imap_touch(s, now);
    if (now < postern_imap_deadline(s) || postern_imap_deadline(s) == POSTERN_NEVER)
        return;
    if (!s->work)
        buffer_append_text(&s->out, "* BYE [UNAVAILABLE] idle for too long\r\n");
    imap_over(s);
}

/* I 6.2.1-4 */
int postern_imap_tls_up(struct postern_imap *s, const struct postern_tls_facts *facts)
{
    if (!s->want_tls)
        return POSTERN_E_USAGE;
    if (copy_facts(s, facts) < 0)
        imap_no_memory(s);
    s->want_tls = false;
    s->language = LANGUAGE_DEFAULT; /* it may not have been the client who chose (RFC 5255 7) */
    s->tls = true;
    return imap_result_of(s);
}

int postern_imap_compress_up(struct postern_imap *s)
{
    if (!s->want_compress)
        return POSTERN_E_USAGE;
    s->want_compress = false;
    s->compressed = true;
    return 0;
}

void postern_imap_shutdown(struct postern_imap *s)
{
    s->shutdown = true;
    if (s->want_tls || s->want_compress)
        imap_over(s);
    if (!imap_is_idle(s))
        return;
    buffer_append_text(&s->out, "* BYE [UNAVAILABLE] the server goes down\r\n");
    imap_over(s);
    (void)imap_result_of(s);
}

enum postern_imap_state postern_imap_state(const struct postern_imap *s)
{
    return s->state;
}

struct postern_span postern_imap_user(const struct postern_imap *s)
{
    return s->user;
}

/* I 5.3-1 */
void postern_imap_news(struct postern_imap *s)
{
    s->has_news = true;
    if (s->notify)
        s->notify->due = true;
    if (s->notify_next) /* the list that it begins with may be older */
        s->notify_next->due = true;
    imap_advance(s);
}

size_t postern_imap_memory(const struct postern_imap *s)
{
    return sizeof *s + s->input.text.capacity + s->out.capacity + s->arena.held_bytes +
           s->view.room * sizeof *s->view.runs +
           (s->keywords ? POSTERN_KEYWORDS_MAX * sizeof *s->keywords : 0) + s->tls_identity.n +
           s->tls_binding.n + s->user.n + s->hidden.n + s->mailbox.n + s->idle_tag.n;
}
