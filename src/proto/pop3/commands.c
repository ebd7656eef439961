/* SPDX-License-Identifier: MIT */
/* commands - the table of all commands, and the way from a line to a handler.
 * The table is the protocol: states, argument counts, what is offered and what CAPA says all come
 * from here, and so does the state diagram. An application's row of the same name goes first. */
#include "proto/pop3/session.h"

#define AUTHORIZATION POSTERN_POP3_AUTHORIZATION
#define TRANSACTION POSTERN_POP3_TRANSACTION
#define ASLEEP POSTERN_POP3_ASLEEP

bool pop3_is_secure(const struct postern_pop3 *s)
{
    return s->tls || s->o.plaintext_without_tls; /* R64 R78 */
}

static bool has_user_pass(const struct postern_pop3 *s)
{
    return s->o.user_pass;
}

static bool announces_user(const struct postern_pop3 *s)
{
    return pop3_is_secure(s);
}

static bool has_apop(const struct postern_pop3 *s)
{
    return s->stamp.n != 0 && s->o.crypto;
}

static bool has_stls(const struct postern_pop3 *s)
{
    return s->o.tls_available || s->tls;
}

static bool announces_stls(const struct postern_pop3 *s)
{
    return !s->tls && s->state == AUTHORIZATION; /* R61 */
}

static bool has_top(const struct postern_pop3 *s)
{
    return s->o.top;
}

static bool has_uidl(const struct postern_pop3 *s)
{
    return s->o.uidl;
}

static bool has_utf8(const struct postern_pop3 *s)
{
    return s->o.utf8;
}

static bool has_lang(const struct postern_pop3 *s)
{
    return s->o.lang;
}

static bool has_last(const struct postern_pop3 *s)
{
    return s->o.last;
}

static bool has_slee(const struct postern_pop3 *s)
{
    return s->o.slee_wake;
}

static bool has_deli(const struct postern_pop3 *s)
{
    return s->o.deli;
}

static bool has_qaut(const struct postern_pop3 *s)
{
    return s->o.qaut;
}

/* R2 R4 R9 R10 R31 R44: names, numbers of arguments (their length only the line limits);
 * R12: three ways to log in; X11: what has ASLEEP among its states works asleep */
static const struct pop3_row rows[] = {
    {.name = "APOP",
     .states = AUTHORIZATION,
     .min = 2,
     .max = 2,
     .flags = ROW_UTF8,
     .is_offered = has_apop,
     .handler = pop3_cmd_apop},
    {.name = "AUTH", .states = AUTHORIZATION, .min = 1, .max = 2, .handler = pop3_cmd_auth},
    {.name = "CAPA", .states = AUTHORIZATION | TRANSACTION, .handler = pop3_cmd_capa},
    {.name = "DELE",
     .states = TRANSACTION,
     .min = 1,
     .max = 1,
     .flags = ROW_MESSAGE,
     .handler = pop3_cmd_dele},
    {.name = "DELI",
     .states = TRANSACTION,
     .min = 1,
     .max = 1,
     .flags = ROW_MESSAGE,
     .is_offered = has_deli,
     .capability = "DELI",
     .handler = pop3_cmd_deli},
    {.name = "LANG",
     .states = AUTHORIZATION | TRANSACTION,
     .max = 1,
     .is_offered = has_lang,
     .capability = "LANG",
     .handler = pop3_cmd_lang},
    {.name = "LAST", .states = TRANSACTION, .is_offered = has_last, .handler = pop3_cmd_last},
    {.name = "LIST",
     .states = TRANSACTION,
     .max = 1,
     .flags = ROW_MESSAGE,
     .handler = pop3_cmd_list},
    {.name = "NOOP", .states = TRANSACTION | ASLEEP, .handler = pop3_cmd_noop},
    {.name = "PASS",
     .states = AUTHORIZATION,
     .min = 1,
     .max = 1,
     .flags = ROW_REST | ROW_UTF8 | ROW_KEEPS_USER,
     .is_offered = has_user_pass,
     .handler = pop3_cmd_pass},
    {.name = "QAUT",
     .states = TRANSACTION,
     .is_offered = has_qaut,
     .capability = "QAUT",
     .handler = pop3_cmd_qaut},
    {.name = "QUIT", .states = AUTHORIZATION | TRANSACTION | ASLEEP, .handler = pop3_cmd_quit},
    {.name = "RETR",
     .states = TRANSACTION,
     .min = 1,
     .max = 1,
     .flags = ROW_MESSAGE,
     .handler = pop3_cmd_retr},
    {.name = "RSET", .states = TRANSACTION, .handler = pop3_cmd_rset},
    {.name = "SLEE",
     .states = TRANSACTION,
     .is_offered = has_slee,
     .capability = "SLEE-WAKE",
     .handler = pop3_cmd_slee},
    {.name = "STAT", .states = TRANSACTION, .handler = pop3_cmd_stat},
    {.name = "STLS",
     .states = AUTHORIZATION,
     .is_offered = has_stls,
     .is_announced = announces_stls,
     .capability = "STLS",
     .handler = pop3_cmd_stls},
    {.name = "TOP",
     .states = TRANSACTION,
     .min = 2,
     .max = 2,
     .flags = ROW_MESSAGE,
     .is_offered = has_top,
     .capability = "TOP",
     .handler = pop3_cmd_top},
    {.name = "UIDL",
     .states = TRANSACTION,
     .max = 1,
     .flags = ROW_MESSAGE,
     .is_offered = has_uidl,
     .capability = "UIDL",
     .handler = pop3_cmd_uidl},
    {.name = "USER",
     .states = AUTHORIZATION,
     .min = 1,
     .max = 1,
     .flags = ROW_UTF8,
     .is_offered = has_user_pass,
     .is_announced = announces_user,
     .capability = "USER",
     .handler = pop3_cmd_user},
    {.name = "UTF8",
     .states = AUTHORIZATION,
     .is_offered = has_utf8,
     .capability = "UTF8 USER",
     .handler = pop3_cmd_utf8},
    {.name = "WAKE", .states = ASLEEP, .is_offered = has_slee, .handler = pop3_cmd_wake},
};

const struct pop3_row *pop3_rows(size_t *count_r)
{
    *count_r = sizeof rows / sizeof *rows;
    return rows;
}

static const struct pop3_row *find_builtin(const struct postern_pop3 *s, struct postern_span name)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (span_equal_nocase(name, postern_span_of(rows[i].name)))
            return !rows[i].is_offered || rows[i].is_offered(s) ? &rows[i] : NULL;
    return NULL;
}

static const struct pop3_row *find_row(struct postern_pop3 *s, struct postern_span name)
{
    for (size_t i = 0; i < s->o.command_count; i++) {
        const struct postern_pop3_command *own = &s->o.commands[i];

        if (!span_equal_nocase(name, postern_span_of(own->name)))
            continue;
        s->custom = (struct pop3_row){.name = own->name,
                                      .states = own->states,
                                      .min = own->arguments_min,
                                      .max = own->arguments_max,
                                      .flags = ROW_CUSTOM | ROW_UTF8 |
                                               (own->takes_message ? ROW_MESSAGE : 0),
                                      .handler = pop3_cmd_custom};
        return &s->custom;
    }
    return find_builtin(s, name);
}

bool pop3_keep(struct postern_pop3 *s)
{
    struct postern_span kept;

    if (!s->rest.p)
        return true; /* no argument is not an empty one */
    if (arena_copy(&s->arena, s->rest, &kept) < 0) {
        pop3_no_memory(s);
        return false;
    }
    for (unsigned i = 0; i < s->argument_count && i < 2; i++)
        s->argument[i].p = kept.p + (s->argument[i].p - s->rest.p);
    s->rest = kept;
    return true;
}

/* split - R3: one space between two arguments, none at the end. False when one is empty. */
static bool split(struct postern_pop3 *s, bool has_rest)
{
    struct postern_span left = s->rest;

    s->argument_count = 0;
    if (!has_rest)
        return true;
    if (s->row->flags & ROW_REST) {
        s->argument[s->argument_count++] = left; /* R32 */
        return left.n != 0;
    }
    while (left.p) {
        struct postern_span argument = span_cut(&left, ' ');

        if (argument.n == 0 || s->argument_count > UINT8_MAX)
            return false;
        if (s->argument_count < 2)
            s->argument[s->argument_count] = argument;
        s->argument_count++;
    }
    return true;
}

static bool arguments_fit(const struct postern_pop3 *s)
{
    return s->argument_count >= s->row->min && s->argument_count <= s->row->max;
}

static void run(struct postern_pop3 *s)
{
    if (s->row->flags & ROW_MESSAGE && s->argument_count)
        pop3_resolve(s);
    else
        s->row->handler(s);
}

static void check_and_run(struct postern_pop3 *s, bool has_rest)
{
    if (!s->row) {
        pop3_bad(s, TEXT_UNKNOWN);
    } else if (!(s->row->states & s->state)) {
        pop3_bad(s, TEXT_WRONG_STATE);
    } else if (!split(s, has_rest) || !arguments_fit(s)) {
        s->has_user = false;
        pop3_bad(s, TEXT_BAD_ARGUMENTS);
    } else {
        run(s);
    }
}

static void note_name(struct postern_pop3 *s, struct postern_span name)
{
    size_t n = name.n < sizeof s->command ? name.n : sizeof s->command - 1;

    for (size_t i = 0; i < n; i++)
        s->command[i] = ascii_upper(name.p[i]);
    s->command[n] = '\0';
}

void pop3_command(struct postern_pop3 *s, struct postern_span line)
{
    unsigned odd = line_inspect(line);
    struct postern_span name;

    s->rest = line;
    name = span_cut(&s->rest, ' ');
    note_name(s, odd ? (struct postern_span){NULL, 0} : name);
    s->row = find_row(s, name);
    if (!s->row || odd & LINE_HAS_CONTROL || !(s->row->flags & ROW_KEEPS_USER))
        s->has_user = false; /* R32: PASS counts immediately behind USER only */
    if (odd & LINE_HAS_CONTROL || (odd && !(s->row && s->row->flags & ROW_UTF8 && s->o.utf8))) {
        pop3_bad(s, TEXT_BAD_LINE); /* never cut short: "USER u\0x" is not user u */
        return;
    }
    if (odd)
        note_name(s, name);
    check_and_run(s, name.n < line.n);
}

void pop3_run_builtin(struct postern_pop3 *s)
{
    s->ref = (struct postern_pop3_ref){0};
    s->row = find_builtin(s, postern_span_of(s->command));
    check_and_run(s, s->rest.p != NULL);
}
