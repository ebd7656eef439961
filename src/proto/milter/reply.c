/* SPDX-License-Identifier: MIT */
/* reply - what a filter says: one packet at a time, and nothing but what fits the command. */
#include "base/span.h"
#include "proto/milter/wire.h"

#define PACKET_MAX 65536

static int over(struct milter *m)
{
    m->over = true;
    return POSTERN_E_SYNTAX;
}

/* ---- packets --------------------------------------------------------------------------------- */

static uint32_t number_at(struct postern_span s)
{
    uint32_t number = 0;

    for (size_t i = 0; i < 4; i++)
        number = number << 8 | (unsigned char)s.p[i];
    return number;
}

static bool take_number(struct postern_span *rest, uint32_t *number_r)
{
    if (rest->n < 4)
        return false;
    *number_r = number_at(*rest);
    *rest = span_from(*rest, 4);
    return true;
}

/* take_text - up to its NUL. */
static bool take_text(struct postern_span *rest, struct postern_span *text_r)
{
    size_t n = span_find(*rest, '\0');

    if (n == rest->n)
        return false;
    *text_r = span_make(rest->p, n);
    *rest = span_from(*rest, n + 1);
    return true;
}

/* missing - octets until the packet is whole, or 0; SIZE_MAX: it is none. */
static size_t missing(const struct milter *m)
{
    struct postern_span have = buffer_span(&m->frame);
    uint32_t length;

    if (have.n < 4)
        return 4 - have.n;
    length = number_at(have);
    if (!length || length > PACKET_MAX)
        return SIZE_MAX;
    return 4 + length - have.n;
}

int milter_feed(struct milter *m, struct postern_span in)
{
    size_t taken = 0, want;

    if (m->over || !m->awaits)
        return in.n ? over(m) : 0;
    if (m->lent.n)
        buffer_take(&m->frame, m->lent.n);
    m->lent = (struct postern_span){NULL, 0};
    while (taken < in.n && (want = missing(m))) {
        if (want == SIZE_MAX)
            return over(m);
        want = want < in.n - taken ? want : in.n - taken;
        buffer_append(&m->frame, span_make(in.p + taken, want));
        if (m->frame.error) {
            m->over = true;
            return m->frame.error;
        }
        taken += want;
    }
    return (int)taken;
}

/* ---- what is in them ------------------------------------------------------------------------- */

/* on_options - version, actions and steps. Some name all actions that they know, whatever was
 * offered (rspamd's proxy): what they do is what counts. */
static bool on_options(struct milter *m, struct postern_span rest)
{
    uint32_t version, actions, steps;

    if (!take_number(&rest, &version) || !take_number(&rest, &actions) ||
        !take_number(&rest, &steps) || version < VERSION_LEAST || version > VERSION ||
        (steps & ~STEPS_ALL))
        return false;
    m->version = version;
    m->steps = steps;
    m->actions = actions & DO_ALL;
    return true;
}

/* enhanced_take - "5.7.1 " at the beginning of the text, of the code's class. */
static void enhanced_take(struct milter_event *event, struct postern_span *text)
{
    struct postern_span rest = *text, word = span_cut(&rest, ' ');
    unsigned dots = 0;

    if (word.n < 5 || word.n >= sizeof event->enhanced ||
        (unsigned)(word.p[0] - '0') != event->code / 100 || word.p[1] != '.')
        return;
    for (size_t i = 0; i < word.n; i++) {
        dots += word.p[i] == '.';
        if (word.p[i] != '.' && (word.p[i] < '0' || word.p[i] > '9'))
            return;
    }
    if (dots != 2)
        return;
    memcpy(event->enhanced, word.p, word.n);
    event->enhanced[word.n] = '\0';
    *text = rest;
}

/* on_reply - "550 5.7.1 words"; of several lines the first one. A percent sign stands for one if
 * there are two. */
static bool on_reply(struct milter_event *event, struct postern_span rest)
{
    struct postern_span text;
    uint64_t code;
    size_t n = 0;

    if (!take_text(&rest, &text) || rest.n || text.n < 3 ||
        !span_number(span_make(text.p, 3), 599, &code) || code < 400 ||
        (text.n > 3 && text.p[3] != ' ' && text.p[3] != '-'))
        return false;
    event->code = (unsigned)code;
    text = span_from(text, 4);
    text = span_make(text.p, span_find(text, '\n'));
    enhanced_take(event, &text);
    for (size_t i = 0; i < text.n && n < sizeof event->text - 1; i++) {
        if (text.p[i] != '\r')
            event->text[n++] = text.p[i];
        i += text.p[i] == '%' && i + 1 < text.n && text.p[i + 1] == '%';
    }
    event->text[n] = '\0';
    return true;
}

/* on_field - of those that have a number before it, or not. */
static bool on_field(struct milter_event *event, struct postern_span rest, bool numbered)
{
    return (!numbered || take_number(&rest, &event->number)) && take_text(&rest, &event->name) &&
           take_text(&rest, &event->value) && !rest.n;
}

/* on_verdict - a letter that ends the wait. false: not one that fits the command. */
static bool on_verdict(struct milter *m, char letter, struct postern_span rest,
                       struct milter_event *event)
{
    static const struct {
        char letter;
        enum milter_kind kind;
    } rows[] = {{'c', MILTER_CONTINUE}, {'a', MILTER_ACCEPT},   {'r', MILTER_REJECT},
                {'t', MILTER_TEMPFAIL}, {'d', MILTER_DISCARD},  {'s', MILTER_SKIP},
                {'y', MILTER_REPLY},    {'f', MILTER_TEMPFAIL}, {'4', MILTER_TEMPFAIL}};
    size_t i = 0;

    while (i < sizeof rows / sizeof *rows && rows[i].letter != letter)
        i++;
    if (i == sizeof rows / sizeof *rows || (letter == 'y' ? !on_reply(event, rest) : rest.n) ||
        (letter == 's' && (m->awaits != SAY_BODY || !(m->steps & CAN_SKIP))) ||
        (letter == 'd' && (m->awaits == SAY_CONNECT || m->awaits == SAY_HELO)))
        return false;
    event->kind = rows[i].kind;
    m->skips_body |= letter == 's';
    if (m->awaits == SAY_END || letter == 'a')
        m->in_message = false;
    m->awaits = 0;
    return true;
}

/* on_address - "<ann@example.org>", also without brackets; parameters may stand behind it. */
static bool on_address(struct milter_event *event, struct postern_span rest, bool more)
{
    struct postern_span parameters;

    if (!take_text(&rest, &event->value) ||
        (rest.n && (!more || !take_text(&rest, &parameters) || rest.n)))
        return false;
    if (event->value.n > 1 && event->value.p[0] == '<' && event->value.p[event->value.n - 1] == '>')
        event->value = span_make(event->value.p + 1, event->value.n - 2);
    return true;
}

/* on_wish - what it wants to be done to the message. */
static bool on_wish(const struct milter *m, char letter, struct postern_span rest,
                    struct milter_event *event)
{
    static const struct {
        char letter;
        uint32_t action;
        enum milter_kind kind;
    } rows[] = {{'h', DO_ADD, MILTER_ADD},
                {'i', DO_ADD, MILTER_INSERT},
                {'m', DO_CHANGE, MILTER_CHANGE},
                {'b', DO_BODY, MILTER_BODY},
                {'q', DO_QUARANTINE, MILTER_QUARANTINE},
                {'+', DO_ADD_RCPT, MILTER_ADD_RCPT},
                {'2', DO_ADD_RCPT_MORE, MILTER_ADD_RCPT},
                {'-', DO_DELETE_RCPT, MILTER_DELETE_RCPT},
                {'e', DO_SENDER, MILTER_SENDER}};
    size_t i = 0;

    while (i < sizeof rows / sizeof *rows && rows[i].letter != letter)
        i++;
    if (m->awaits != SAY_END || i == sizeof rows / sizeof *rows || !(m->actions & rows[i].action))
        return false;
    event->kind = rows[i].kind;
    if (event->kind >= MILTER_ADD_RCPT)
        return on_address(event, rest, letter == '2' || letter == 'e');
    if (event->kind == MILTER_QUARANTINE)
        return take_text(&rest, &event->value) && !rest.n;
    if (event->kind != MILTER_BODY)
        return on_field(event, rest, event->kind != MILTER_ADD);
    event->value = rest;
    return true;
}

static bool on_packet(struct milter *m, struct postern_span packet, struct milter_event *event)
{
    struct postern_span rest = span_from(packet, 1);
    char letter = packet.p[0];

    if (letter == 'p' && !rest.n) {
        event->kind = MILTER_PROGRESS;
        return true;
    }
    if (m->awaits == SAY_OPTIONS) {
        event->kind = MILTER_CONTINUE;
        m->awaits = 0;
        return letter == SAY_OPTIONS && on_options(m, rest);
    }
    return on_verdict(m, letter, rest, event) || on_wish(m, letter, rest, event);
}

int milter_next(struct milter *m, struct milter_event *event_r)
{
    struct milter_event event = {0};
    struct postern_span have = buffer_span(&m->frame);

    if (m->over)
        return POSTERN_E_SYNTAX;
    if (m->lent.n || !have.n)
        return 0;
    if (missing(m))
        return missing(m) == SIZE_MAX ? over(m) : 0;
    m->lent = have;
    if (!on_packet(m, span_from(have, 4), &event))
        return over(m);
    *event_r = event;
    return 1;
}
