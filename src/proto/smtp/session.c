/* SPDX-License-Identifier: MIT */
/* session - an SMTP server session: life, questions, output. See include/postern/smtp.h.
 * At most one of these is true: a question is open, input is taken.
 * TRAP: octets behind STARTTLS in the same feed() are swallowed there (K2), octets behind DATA are
 * not the message's: the peer could not know that it would be asked for (H5, H6). */
#include "proto/smtp/session.h"
#include "proto/wire/facts.h"
#include "proto/wire/output.h"

#define OUTPUT_MARK 65536

int smtp_set_text(struct postern_smtp *s, struct postern_span *owned, struct postern_span value)
{
    return memory_own(s->o.allocator, owned, value);
}

static int copy_facts(struct postern_smtp *s, const struct postern_tls_facts *facts)
{
    return facts_own(s->o.allocator, facts, &s->tls_identity, &s->tls_binding);
}

/* N5 */
static bool are_sane(const struct postern_smtp_options *o)
{
    return o->struct_bytes == sizeof *o && o->hostname.n && o->hostname.n <= 255 &&
           o->role >= POSTERN_SMTP_MX && o->role <= POSTERN_SMTP_LMTP && o->message_max >= 65536 &&
           o->recipients_max >= 100 && o->write_chunk >= 4096;
}

int postern_smtp_new(struct postern_smtp **session_r, const struct postern_smtp_options *options,
                     const struct postern_tls_facts *tls, postern_time now)
{
    struct postern_smtp *s;

    if (!are_sane(options))
        return POSTERN_E_USAGE;
    s = memory_new(options->allocator, sizeof *s);
    if (!s)
        return POSTERN_E_NOMEM;
    s->o = *options;
    s->now = s->last = s->began = now;
    s->state = POSTERN_SMTP_GREETING;
    s->arena.allocator = s->out.allocator = s->recipients.allocator = options->allocator;
    line_init(&s->line, options->allocator);
    s->tls = tls != NULL;
    if (copy_facts(s, tls) < 0) {
        postern_smtp_free(&s);
        return POSTERN_E_NOMEM;
    }
    smtp_ask(s, POSTERN_SMTP_CONNECT, smtp_greet);
    *session_r = s;
    return 0;
}

void postern_smtp_free(struct postern_smtp **session)
{
    struct postern_smtp *s = session ? *session : NULL;
    struct postern_span none = {NULL, 0};
    const struct postern_allocator *allocator;

    if (!s)
        return;
    allocator = s->o.allocator;
    postern_sasl_free(&s->sasl);
    (void)smtp_set_text(s, &s->tls_identity, none); /* an absent text takes no memory */
    (void)smtp_set_text(s, &s->tls_binding, none);
    (void)smtp_set_text(s, &s->user, none);
    (void)smtp_set_text(s, &s->helo, none);
    (void)smtp_set_text(s, &s->candidate, none);
    (void)smtp_set_text(s, &s->client_name, none);
    (void)smtp_set_text(s, &s->client_address, none);
    smtp_content_free(s);
    line_reset(&s->line);
    buffer_done(&s->recipients);
    buffer_done(&s->out);
    arena_drop(&s->arena);
    secret_wipe(s, sizeof *s);
    memory_free(allocator, s);
    *session = NULL;
}

bool smtp_in_transaction(const struct postern_smtp *s)
{
    return s->state & (POSTERN_SMTP_SENDER | POSTERN_SMTP_RECIPIENTS | POSTERN_SMTP_CHUNKS |
                       POSTERN_SMTP_CONTENT);
}

/* G12: EHLO, AUTH and TLS stay */
void smtp_forget(struct postern_smtp *s, bool told)
{
    if (!smtp_in_transaction(s))
        return;
    s->reset_due = told;
    s->state = POSTERN_SMTP_READY;
    s->utf8 = false;
    s->recipient_count = 0;
    s->chunk.last = false;
    buffer_done(&s->recipients);
    smtp_content_free(s);
}

void smtp_over(struct postern_smtp *s)
{
    smtp_forget(s, true);
    s->asked = ASKED_NOTHING;
    s->want_tls = false;
    s->chunk = (struct smtp_chunk){0};
    s->state = POSTERN_SMTP_OVER;
}

void smtp_no_memory(struct postern_smtp *s)
{
    if (s->failed)
        return;
    s->failed = true;
    if (s->state != POSTERN_SMTP_OVER)
        s->tail = "421 4.3.0 out of memory\r\n";
    smtp_over(s);
}

int smtp_result_of(struct postern_smtp *s)
{
    if (s->out.error || s->recipients.error)
        smtp_no_memory(s);
    return s->failed ? POSTERN_E_NOMEM : 0;
}

bool smtp_is_idle(const struct postern_smtp *s)
{
    return s->state != POSTERN_SMTP_OVER && s->asked == ASKED_NOTHING && !s->want_tls;
}

/* A5 */
bool smtp_must_wait(const struct postern_smtp *s)
{
    return s->o.role != POSTERN_SMTP_LMTP && !s->o.talk_early && !s->o.trusted;
}

/* listens - before the greeting only to those who must not speak yet. */
static bool listens(const struct postern_smtp *s)
{
    return s->state != POSTERN_SMTP_GREETING || smtp_must_wait(s);
}

/* J3 J5: not while a question is open, nor while the peer does not read */
static bool takes_input(const struct postern_smtp *s)
{
    return smtp_is_idle(s) && !s->reset_due && listens(s) && buffer_length(&s->out) < OUTPUT_MARK;
}

void smtp_touch(struct postern_smtp *s, postern_time now)
{
    if (now < s->now)
        now = s->now;
    if (s->time_stale && s->asked == ASKED_NOTHING) { /* the application's time is not the peer's */
        s->last = now;
        s->time_stale = false;
    }
    s->now = now;
}

/* guard - H5, H6: `more` octets stand behind a DATA that was not answered yet, or refused. */
static void guard(struct postern_smtp *s, bool more)
{
    if (more && s->closes_if_more && s->state != POSTERN_SMTP_OVER)
        smtp_end(s, "4.7.0", "DATA was refused");
    if (more && s->data_said)
        s->early = true;
    s->closes_if_more = false;
}

static int early_talk(struct postern_smtp *s, size_t n)
{
    smtp_reply(s, 554, "5.5.0", "you spoke before the greeting");
    smtp_over(s);
    return smtp_result_of(s) < 0 ? POSTERN_E_NOMEM : (int)n;
}

int postern_smtp_feed(struct postern_smtp *s, struct postern_span in, postern_time now)
{
    size_t used = 0;

    if (s->state == POSTERN_SMTP_OVER)
        return s->failed ? POSTERN_E_NOMEM : POSTERN_E_CLOSED;
    smtp_touch(s, now);
    if (in.n > INT32_MAX)
        in.n = INT32_MAX;
    if (in.n && takes_input(s) && !s->greeted && smtp_must_wait(s))
        return early_talk(s, in.n);
    guard(s, in.n > 0);
    while (used < in.n && takes_input(s) && !s->out.error) {
        used += smtp_input_feed(s, span_from(in, used));
        guard(s, used < in.n);
    }
    if (s->want_tls)
        used = in.n;
    return smtp_result_of(s) < 0 ? POSTERN_E_NOMEM : (int)used;
}

/* G8: what is under way is not to be */
void postern_smtp_eof(struct postern_smtp *s)
{
    s->eof = true;
    if (smtp_is_idle(s) || s->want_tls)
        smtp_over(s);
}

/* ---- questions ------------------------------------------------------------------------------- */

void smtp_ask(struct postern_smtp *s, enum postern_smtp_question_kind kind, smtp_then *then)
{
    s->question.kind = kind;
    s->question.id = ++s->last_id;
    s->question.transaction = postern_span_of(s->transaction);
    s->question.tls = s->tls;
    s->then = then;
    s->asked = ASKED_WAITING;
}

int postern_smtp_next(struct postern_smtp *s, struct postern_smtp_question *question_r)
{
    if (s->reset_due) {
        s->reset_due = false;
        *question_r = (struct postern_smtp_question){
            .kind = POSTERN_SMTP_RESET, .transaction = postern_span_of(s->transaction)};
        return 1;
    }
    if (s->failed)
        return POSTERN_E_NOMEM;
    if (s->state == POSTERN_SMTP_OVER)
        return POSTERN_E_CLOSED;
    if (s->asked != ASKED_WAITING)
        return 0;
    s->asked = ASKED_SHOWN;
    s->time_stale = true;
    *question_r = s->question;
    return 1;
}

/* ---- output ---------------------------------------------------------------------------------- */

size_t postern_smtp_output(struct postern_smtp *s, struct postern_piece *pieces_r, size_t max)
{
    return output_pieces(&s->out, s->tail, pieces_r, max);
}

void postern_smtp_sent(struct postern_smtp *s, uint64_t n, postern_time now)
{
    smtp_touch(s, now);
    if (n)
        s->last = s->now;
    output_sent(&s->out, &s->tail, n);
    if (buffer_length(&s->out) == 0) {
        /* N6 */
        buffer_done(&s->out); /* an idle session holds no buffer */
        s->greeted |= s->state != POSTERN_SMTP_GREETING;
    }
    (void)smtp_result_of(s);
}

unsigned postern_smtp_wants(const struct postern_smtp *s)
{
    unsigned wants = buffer_length(&s->out) || s->tail ? POSTERN_WANT_WRITE : 0;

    if (s->asked != ASKED_NOTHING || s->reset_due)
        wants |= POSTERN_WANT_APPLICATION;
    if (s->want_tls)
        wants |= POSTERN_WANT_TLS;
    if (s->state == POSTERN_SMTP_OVER)
        wants |= POSTERN_WANT_CLOSE;
    if (takes_input(s) && !s->eof)
        wants |= POSTERN_WANT_READ;
    return wants;
}

/* ---- time and the rest ----------------------------------------------------------------------- */

postern_time postern_smtp_deadline(const struct postern_smtp *s)
{
    if (s->state == POSTERN_SMTP_OVER || s->asked != ASKED_NOTHING)
        return POSTERN_NEVER;
    if (s->state == POSTERN_SMTP_GREETING)
        return s->began + s->o.greeting_delay;
    if (s->content)
        return smtp_content_deadline(s);
    /* N2: what trickles in does not put it off */
    return (s->line_octets ? s->line_began : s->last) + s->o.command_timeout;
}

void postern_smtp_tick(struct postern_smtp *s, postern_time now)
{
    smtp_touch(s, now);
    if (now < postern_smtp_deadline(s) || postern_smtp_deadline(s) == POSTERN_NEVER)
        return;
    if (s->state == POSTERN_SMTP_GREETING)
        smtp_greet(s, NULL);
    else
        smtp_end(s, "4.4.2", "idle for too long");
    (void)smtp_result_of(s);
}

/* T2 */
void postern_smtp_shutdown(struct postern_smtp *s)
{
    s->shutdown = true;
    if (!smtp_is_idle(s) || s->content || s->chunk.left)
        return;
    smtp_end(s, "4.3.2", "the server goes down");
    (void)smtp_result_of(s);
}

int postern_smtp_tls_up(struct postern_smtp *s, const struct postern_tls_facts *facts)
{
    static const struct postern_span none;

    if (!s->want_tls)
        return POSTERN_E_USAGE;
    if (copy_facts(s, facts) < 0)
        smtp_no_memory(s);
    s->want_tls = false;
    s->tls = true;
    s->last = s->now;
    if (s->failed)
        return POSTERN_E_NOMEM;
    s->state = POSTERN_SMTP_CONNECTED;      /* K3 */
    (void)smtp_set_text(s, &s->helo, none); /* an absent text takes no memory */
    (void)smtp_set_text(s, &s->user, none);
    s->question = (struct postern_smtp_question){0};
    smtp_ask(s, POSTERN_SMTP_TLS, smtp_tls_judged);
    return 0;
}

enum postern_smtp_state postern_smtp_state(const struct postern_smtp *s)
{
    return s->state;
}

struct postern_span postern_smtp_user(const struct postern_smtp *s)
{
    return s->user;
}

struct postern_span postern_smtp_helo(const struct postern_smtp *s)
{
    return s->helo;
}

size_t postern_smtp_memory(const struct postern_smtp *s)
{
    return sizeof *s + s->line.partial.capacity + s->out.capacity + s->arena.held_bytes +
           s->recipients.capacity + s->tls_identity.n + s->tls_binding.n + s->user.n + s->helo.n +
           s->candidate.n + s->client_name.n + s->client_address.n + smtp_content_memory(s);
}
