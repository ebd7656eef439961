/* SPDX-License-Identifier: MIT */
/* cmd-misc - NOOP, ID, ENABLE, NAMESPACE, IDLE (RFC 9051 6.1.2, 6.3.1, 6.3.10, 6.3.13; RFC 2971).
 */
#include "proto/imap/commands.h"
#include "proto/imap/notify.h"

/* I 6.1.2-1 */
void imap_cmd_noop(struct postern_imap *s)
{
    if (s->notify)
        s->notify->due = true; /* the application may not be able to watch */
    if (imap_good(s))
        imap_ok(s, NULL, "done");
}

/* ---- ID -------------------------------------------------------------------------------------- */

#define ID_PAIRS_MAX 30

static void parse_id(struct postern_imap *s)
{
    unsigned pairs = 0;

    parse_space(&s->in);
    if (parse_try_word(&s->in, "NIL"))
        return;
    parse_char(&s->in, '(');
    if (parse_try(&s->in, ')'))
        return;
    do {
        (void)parse_string(s, &s->in);
        parse_space(&s->in);
        (void)parse_nstring(s, &s->in);
        if (++pairs > ID_PAIRS_MAX)
            s->in.bad = true;
    } while (!s->in.bad && parse_try(&s->in, ' '));
    parse_char(&s->in, ')');
}

/* I 2971:3.1-1 I 2971:3.1-2 I 2971:3.2-1 I 2971:3.3-2 I 2971:4-1 */
void imap_cmd_id(struct postern_imap *s)
{
    parse_id(s);
    if (!imap_good(s))
        return;
    write_text(s, "* ID (\"name\" ");
    write_nstring(s, s->o.id_name);
    if (s->o.id_version.n) {
        write_text(s, " \"version\" ");
        write_nstring(s, s->o.id_version);
    }
    write_text(s, ")\r\n");
    imap_ok(s, NULL, "done");
}

/* ---- ENABLE ---------------------------------------------------------------------------------- */

/* enable - RFC 5161: what is not known is passed over; ENABLED names what was not enabled before.
 * I 7162:3.2.3-1
 * I 5464:4.4-1 I 6.3.1-1 I 6.3.1-3
 * I 5161:3.1-1 I 5161:3.1-2 I 5161:3.2-1
 * I 9586:3-5 */
static void enable(struct postern_imap *s, struct postern_span word)
{
    struct {
        const char *name;
        bool *is_on;
    } all[] = {{"CONDSTORE", &s->condstore},
               {"UTF8=ACCEPT", &s->utf8},
               {"IMAP4rev2", &s->rev2},
               {"UIDONLY", &s->uid_only},
               {"QRESYNC", &s->qresync}};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!span_equal_nocase(word, postern_span_of(all[i].name)) || *all[i].is_on ||
            !imap_offers(s, all[i].name))
            continue;
        *all[i].is_on = true;
        write_text(s, " ");
        write_text(s, all[i].name);
    }
}

/* I 6.3.1-2 I 6.3.1-4 I 6.3.1-5 I 6.3.1-6 I 7.2.1-1
 * I 5161:3.1-3 I 5161:3.1-4 I 5161:3.1-5 I 5161:3.1-6 */
void imap_cmd_enable(struct postern_imap *s)
{
    struct imap_parser words = s->in;
    bool had_condstore = s->condstore;

    do {
        parse_space(&s->in);
        (void)parse_atom(&s->in);
    } while (!s->in.bad && s->in.rest.n);
    if (!imap_good(s))
        return;
    write_text(s, "* ENABLED");
    while (words.rest.n) {
        parse_space(&words);
        enable(s, parse_atom(&words));
    }
    s->condstore |= s->qresync;
    write_text(s, "\r\n");
    if (s->condstore && !had_condstore)
        imap_write_highest(s);
    imap_ok(s, NULL, "done");
}

static void write_namespace(struct postern_imap *s, struct postern_span prefix)
{
    if (!prefix.n) {
        write_text(s, " NIL");
        return;
    }
    write_text(s, " ((");
    write_mailbox(s, prefix);
    write_text(s, " \"/\"))");
}

/* I 5.1.2-1 I 6.3.10-1 I 7.3.2-1
 * I 2342:5-1 */
void imap_cmd_namespace(struct postern_imap *s)
{
    if (!imap_good(s))
        return;
    write_text(s, "* NAMESPACE ((\"\" \"/\"))");
    write_namespace(s, s->o.other_users);
    write_namespace(s, s->o.shared);
    write_text(s, "\r\n");
    imap_ok(s, NULL, "done");
}

/* ---- COMPRESS -------------------------------------------------------------------------------- */

/* imap_cmd_compress - RFC 4978: the answer goes out as ever, then all is compressed.
 * I 4978:3-1 */
void imap_cmd_compress(struct postern_imap *s)
{
    parse_space(&s->in);
    if (!parse_try_word(&s->in, "DEFLATE"))
        s->in.bad = true;
    if (!imap_good(s))
        return;
    if (s->compressed) {
        imap_bad(s, "it is compressed already");
        return;
    }
    imap_ok(s, NULL, "compress from here on");
    s->want_compress = s->state != POSTERN_IMAP_OVER;
}

/* ---- IDLE ------------------------------------------------------------------------------------ */

/* I 6.3.13-1 I 6.3.13-5
 * I 2177:3-1 I 2177:3-2 I 2177:3-4
 * I 5465:4-1 */
void imap_cmd_idle(struct postern_imap *s)
{
    if (!imap_good(s))
        return;
    write_text(s, "+ idling\r\n");
    s->idling = s->has_news = true; /* what came since the last command is told at once */
    imap_input_clear(s);
    if (imap_set_text(s, &s->idle_tag, s->tag) < 0) {
        imap_no_memory(s);
        return;
    }
    s->tag = s->idle_tag; /* it may wait for long: nothing else of the command is kept */
    buffer_done(&s->input.text);
    arena_drop(&s->arena);
    imap_rewatch(s);
}

/* I 6.3.13-3 I 6.3.13-4 */
void imap_idle_line(struct postern_imap *s, struct postern_span line)
{
    s->idling = false;
    imap_rewatch(s);
    /* I 2177:3-3 */
    if (span_equal_nocase(line, SPAN("DONE")))
        imap_ok(s, NULL, "done");
    else
        imap_bad(s, "DONE was expected");
}
