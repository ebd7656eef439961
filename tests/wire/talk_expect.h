/* SPDX-License-Identifier: MIT */
/* talk_expect - the S lines: what the server must have said. */
#ifndef WIRE_TALK_EXPECT_H
#define WIRE_TALK_EXPECT_H

#include "wire/talk_turn.h"

/* expect_line - take the next whole line of the output, without CRLF */
static bool expect_line(struct run *run, struct text *line, const char *wanted)
{
    char *end = run->got.p && run->got.n ? memmem(run->got.p, run->got.n, "\r\n", 2) : NULL;
    if (!end) {
        struct text shown = {0};
        text_shown(&shown, run->got.p, run->got.n);
        run_fail(run, "expected \"%s\", got %s\"%s\"", wanted,
                 run->got.n ? "half a line " : "nothing ", shown.p ? shown.p : "");
        text_done(&shown);
        return false;
    }
    text_add(line, run->got.p, (size_t)(end - run->got.p));
    text_drop(&run->got, line->n + 2);
    return true;
}

static bool expect_failed(struct run *run, const char *wanted, const struct text *line)
{
    struct text shown = {0};
    text_shown(&shown, line->p, line->n);
    run_fail(run, "expected \"%s\", got \"%s\"", wanted, shown.p ? shown.p : "");
    text_done(&shown);
    return false;
}

/* expect_reply_form - R5 R6 R41: a status line is +OK or -ERR, alone or with a space, 512 octets at
 * most */
static bool expect_reply_form(const struct text *line)
{
    size_t status = line->n >= 3 && memcmp(line->p, "+OK", 3) == 0 ? 3 : 4;
    return line->n <= 510 && (line->n == status || line->p[status] == ' ') &&
           !memchr(line->p, '\n', line->n) && !memchr(line->p, '\r', line->n);
}

/* expect_match - exact; TEXT* begins with TEXT; TEXT*PART* has PART later on as well;
 * +OK~ and -ERR~ that status without a response code (R45) */
static bool expect_match(const char *wanted, const struct text *line)
{
    size_t n = strlen(wanted);
    struct text plain = {0};
    bool same;
    bool status = strncmp(wanted, "+OK", 3) == 0 || strncmp(wanted, "-ERR", 4) == 0;
    if (status && !expect_reply_form(line))
        return false;
    if (strcmp(wanted, "+OK~") == 0 || strcmp(wanted, "-ERR~") == 0)
        return line->n >= n - 1 && !memcmp(line->p, wanted, n - 1) &&
               (line->n < n + 1 || line->p[n] != '[');
    bool prefix = n && wanted[n - 1] == '*';
    const char *star = prefix ? memchr(wanted, '*', n - 1) : NULL;
    if (star && (n -= 2, !memmem(line->p, line->n, star + 1, n - (size_t)(star - wanted))))
        return false;
    n = star ? (size_t)(star - wanted) + 1 : n;
    text_unescape(&plain, wanted, prefix ? n - 1 : n);
    same = (prefix ? line->n >= plain.n : line->n == plain.n) &&
           (!plain.n || !memcmp(line->p, plain.p, plain.n));
    text_done(&plain);
    return same;
}

/* expect_text - `S: ...`: the rest of a multi-line answer, whatever it is; else one line */
static bool expect_text(struct run *run, const char *wanted)
{
    bool ok, rest = strcmp(wanted, "...") == 0;
    do {
        struct text line = {0};
        if (!expect_line(run, &line, wanted)) {
            text_done(&line);
            return false;
        }
        ok = rest ? line.n == 1 && line.p[0] == '.' : expect_match(wanted, &line);
        if (!ok && !rest)
            expect_failed(run, wanted, &line);
        text_done(&line);
    } while (rest && !ok);
    return ok;
}

/* expect_body - exactly this message as RETR sends it, the final dot included */
static bool expect_body(struct run *run, const char *uid)
{
    struct text wire = {0};
    size_t at = 0;
    for (size_t i = 0; i < run->model.count; i++)
        if (strcmp(run->model.messages[i].uid, uid) == 0)
            talk_wire(&wire, &run->model.messages[i].raw, true);
    text_put(&wire, ".\r\n");
    while (at < wire.n && at < run->got.n && wire.p[at] == run->got.p[at])
        at++;
    bool ok = at == wire.n;
    if (ok)
        text_drop(&run->got, at);
    else
        run_fail(run, "the body of %s differs from its octet %zu on", uid, at);
    text_done(&wire);
    return ok;
}

/* expect_has - `S(has): a, b`: a multi-line answer with these lines, `!line` without; `*` as above
 */
static bool expect_has(struct run *run, const char *list)
{
    struct text lines = {0}, line = {0};
    bool ok = true;
    do {
        line.n = 0;
        if (!expect_line(run, &line, list)) {
            ok = false;
            break;
        }
        text_add(&lines, line.p, line.n);
        text_put(&lines, "\n");
    } while (strcmp(line.p, ".") != 0);
    while (ok && *list) {
        char item[200];
        bool found = false, absent = *list == '!';
        size_t n = strcspn(list, ",");
        snprintf(item, sizeof item, "%.*s", (int)(n - absent), list + absent);
        for (const char *p = lines.p; p && *p; p = strchr(p, '\n') + 1) {
            line.n = 0;
            text_add(&line, p, strcspn(p, "\n"));
            found |= expect_match(item, &line);
        }
        if (found == absent)
            ok = run_fail(run, "a line \"%s\" is %s", item, absent ? "there" : "missing");
        list += n + strspn(list + n, ", ");
    }
    text_done(&lines);
    text_done(&line);
    return ok;
}

static bool expect_base64(struct run *run, const char *text)
{
    struct text wanted = {0}, plain = {0};
    text_unescape(&plain, text, strlen(text));
    text_put(&wanted, "+ ");
    text_base64(&wanted, plain.p, plain.n);
    bool ok = expect_text(run, wanted.p);
    text_done(&wanted);
    text_done(&plain);
    return ok;
}

/* expect_scram - a SCRAM challenge: the first prepares our proof, the final one must prove the
 * server */
static bool expect_scram(struct run *run, bool final)
{
    struct text line = {0}, plain = {0};
    bool ok = expect_line(run, &line, "a SCRAM challenge");
    if (ok && (line.n < 4 || memcmp(line.p, "+ ", 2) != 0))
        ok = expect_failed(run, "+ BASE64", &line);
    if (ok) {
        text_unbase64(&plain, line.p + 2, line.n - 2);
        if (final ? strcmp(plain.p, run->scram.server_wants.p) != 0
                  : !scram_challenged(&run->scram, &plain))
            ok = expect_failed(run, final ? "a good server signature" : "a server-first message",
                               &plain);
    }
    text_done(&line);
    text_done(&plain);
    return ok;
}

static bool expect_silence(struct run *run)
{
    struct text shown = {0};
    if (run->got.n == 0)
        return true;
    text_shown(&shown, run->got.p, run->got.n);
    run_fail(run, "the server said \"%s\" unexpectedly", shown.p);
    text_done(&shown);
    return false;
}

static bool expect_close(struct run *run, bool wanted)
{
    unsigned wants = postern_pop3_wants(run->session);
    if (!expect_silence(run))
        return false;
    if (!!(wants & POSTERN_WANT_CLOSE) != wanted)
        return run_fail(run,
                        wanted ? "the session should be over" : "the session should not be over");
    return true;
}

/* expect_differs - `remember` keeps the next line, S(differs) wants another one */
static bool expect_differs(struct run *run)
{
    struct text line = {0};
    bool ok = expect_line(run, &line, "a line");
    if (ok && line.n == run->remembered.n && !memcmp(line.p, run->remembered.p, line.n))
        ok = expect_failed(run, "another line than the one remembered", &line);
    text_done(&line);
    return ok;
}

#endif
