/* SPDX-License-Identifier: MIT */
/* dot - the state diagram in Graphviz's language, made from the command table. */
#include "proto/pop3/session.h"

struct dot {
    char *out;
    size_t size, n;
};

static void add(struct dot *dot, const char *text)
{
    for (; *text; text++, dot->n++)
        if (dot->n + 1 < dot->size)
            dot->out[dot->n] = *text;
}

static const struct {
    unsigned state;
    const char *name;
} states[] = {
    {POSTERN_POP3_AUTHORIZATION, "AUTHORIZATION"},
    {POSTERN_POP3_TRANSACTION, "TRANSACTION"},
    {POSTERN_POP3_ASLEEP, "ASLEEP"},
};

/* target - where a command leads when it succeeds; NULL: it stays */
static const char *target(const char *command)
{
    static const char *const moves[][2] = {{"APOP", "TRANSACTION"}, {"AUTH", "TRANSACTION"},
                                           {"PASS", "TRANSACTION"}, {"QAUT", "AUTHORIZATION"},
                                           {"QUIT", "OVER"},        {"SLEE", "ASLEEP"},
                                           {"WAKE", "TRANSACTION"}};

    for (size_t i = 0; i < sizeof moves / sizeof *moves; i++)
        if (strcmp(moves[i][0], command) == 0)
            return moves[i][1];
    return NULL;
}

size_t postern_pop3_dot(char *out, size_t size)
{
    struct dot dot = {.out = out, .size = size};
    size_t count;
    const struct pop3_row *rows = pop3_rows(&count);

    add(&dot, "digraph pop3 {\n  GREETING -> AUTHORIZATION;\n");
    for (size_t at = 0; at < sizeof states / sizeof *states; at++) {
        for (size_t i = 0; i < count; i++) {
            const char *to = target(rows[i].name);

            if (!(rows[i].states & states[at].state))
                continue;
            add(&dot, "  ");
            add(&dot, states[at].name);
            add(&dot, " -> ");
            add(&dot, to ? to : states[at].name);
            add(&dot, " [label=\"");
            add(&dot, rows[i].name);
            add(&dot, "\"];\n");
        }
    }
    add(&dot, "}\n");
    if (size)
        out[dot.n < size ? dot.n : size - 1] = '\0';
    return dot.n;
}
