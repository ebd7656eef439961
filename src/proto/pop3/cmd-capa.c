/* SPDX-License-Identifier: MIT */
/* cmd-capa - CAPA: what the command table offers now, and what has no command of its own
 * (R42..R49). The rows are the same before and after the login (R43 R77); TLS lets more of them
 * through (R63); no tag of ours begins with X (R52). The application's edits replace, hide or add
 * lines. */
#include "proto/pop3/session.h"

struct capa {
    struct postern_pop3 *s;
    struct reply line;
};

static struct postern_span first_word(struct postern_span line)
{
    return span_cut(&line, ' ');
}

static const struct pop3_capability *find_edit(const struct postern_pop3 *s,
                                               struct postern_span tag)
{
    for (const struct pop3_capability *c = s->capabilities; c; c = c->next)
        if (c->states & s->state && span_equal_nocase(c->tag, tag))
            return c;
    return NULL;
}

/* put - a built-in line, unless it was edited: edits are written at the end */
static void put(struct capa *capa)
{
    if (!find_edit(capa->s, first_word(span_make(capa->line.bytes, capa->line.n))))
        reply_write(&capa->line, &capa->s->out);
    capa->line.n = 0;
}

static void put_text(struct capa *capa, struct postern_span text)
{
    reply_add(&capa->line, text);
    put(capa);
}

static void put_rows(struct capa *capa)
{
    const struct postern_pop3 *s = capa->s;
    size_t count;
    const struct pop3_row *rows = pop3_rows(&count);

    for (size_t i = 0; i < count; i++) {
        if (!rows[i].capability || (rows[i].is_offered && !rows[i].is_offered(s)) ||
            (rows[i].is_announced && !rows[i].is_announced(s)))
            continue;
        put_text(capa, postern_span_of(rows[i].capability));
    }
}

static void put_sasl(struct capa *capa)
{
    unsigned offered = pop3_sasl_offered(capa->s);

    if (!offered)
        return;
    reply_add(&capa->line, SPAN("SASL"));
    for (unsigned bit = 1; bit < POSTERN_SASL_ALL; bit <<= 1) {
        if (!(offered & bit))
            continue;
        reply_add(&capa->line, SPAN(" "));
        reply_add(&capa->line, postern_span_of(postern_sasl_name(bit)));
    }
    put(capa);
}

/* R46 R48: before the login the value that holds for everybody, after it the user's own */
static void put_days(struct capa *capa, struct postern_span tag, int value, int own, bool per_user)
{
    bool before = capa->s->state == POSTERN_POP3_AUTHORIZATION;

    if (!before && own != -1)
        value = own;
    if (value == -1)
        return;
    reply_add(&capa->line, tag);
    if (value < 0)
        reply_add(&capa->line, SPAN("NEVER"));
    else
        reply_add_number(&capa->line, (uint64_t)value);
    if (before && per_user)
        reply_add(&capa->line, SPAN(" USER"));
    put(capa);
}

static void put_edits(struct capa *capa)
{
    for (const struct pop3_capability *c = capa->s->capabilities; c; c = c->next) {
        if (!c->line.n || find_edit(capa->s, c->tag) != c)
            continue;
        reply_add(&capa->line, c->line);
        reply_write(&capa->line, &capa->s->out);
        capa->line.n = 0;
    }
}

void pop3_cmd_capa(struct postern_pop3 *s)
{
    struct capa capa = {.s = s};

    pop3_line(s, true, NULL, text_get(s->language, TEXT_FOLLOWS), false);
    s->in_multiline = true;
    put_rows(&capa);
    put_sasl(&capa);
    put_text(&capa, SPAN("RESP-CODES"));
    put_text(&capa, SPAN("AUTH-RESP-CODE"));
    put_text(&capa, SPAN("PIPELINING"));
    if (s->o.uid_param)
        put_text(&capa, SPAN("UID-PARAM"));
    put_days(&capa, SPAN("EXPIRE "), s->o.expire_days, s->expire_days, s->o.expire_per_user);
    put_days(&capa, SPAN("LOGIN-DELAY "), s->o.login_delay_s, s->login_delay_s,
             s->o.login_delay_per_user);
    if (s->o.implementation.n) {
        reply_add(&capa.line, SPAN("IMPLEMENTATION "));
        reply_add_foreign(&capa.line, s->o.implementation, false);
        put(&capa);
    }
    put_edits(&capa);
    buffer_append_text(&s->out, ".\r\n");
    pop3_finish(s, true);
}

static bool is_printable(struct postern_span text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < 0x20 || text.p[i] > 0x7e)
            return false;
    return text.n <= REPLY_LINE_MAX - 2;
}

/* The newest edit of a tag is first in the list and counts; older ones of the same states go. */
int postern_pop3_set_capability(struct postern_pop3 *s, unsigned states, struct postern_span tag,
                                struct postern_span line)
{
    struct pop3_capability *made;
    char *bytes;

    if (!tag.n || !is_printable(tag) || !is_printable(line) || span_find(tag, ' ') != tag.n ||
        (line.n && line.p[0] == '.') || (line.p && !line.n))
        return POSTERN_E_USAGE;
    made = memory_new(s->o.allocator, sizeof *made + tag.n + line.n);
    if (!made)
        return POSTERN_E_NOMEM;
    for (struct pop3_capability **at = &s->capabilities, *old; (old = *at);) {
        if (span_equal_nocase(old->tag, tag) && !(old->states &= ~states)) {
            *at = old->next;
            memory_free(s->o.allocator, old);
        } else {
            at = &old->next;
        }
    }
    bytes = (char *)(made + 1);
    memcpy(bytes, tag.p, tag.n);
    if (line.n)
        memcpy(bytes + tag.n, line.p, line.n);
    *made = (struct pop3_capability){.next = s->capabilities,
                                     .states = states,
                                     .tag = span_make(bytes, tag.n),
                                     .line = span_make(bytes + tag.n, line.n),
                                     .size = sizeof *made + tag.n + line.n};
    s->capabilities = made;
    return 0;
}
