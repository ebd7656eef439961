/* SPDX-License-Identifier: MIT */
/* test_imap - runs every tests/wire/imap/AREA/NAME.talk (or those named) against IMAP sessions over
 * the memory store: whole, byte by byte, and cut in two at every position. All passes must say what
 * the talk says. The format is told in tests/wire/README.md. */
#include "imap_host.h"
#include "talk_line.h"

#define SPLIT_MOST 600

/* struct play - one pass over a talk. */
struct play {
    struct host host;
    struct host_session sessions[HOST_SESSIONS + 1]; /* from 1 */
    bool plaintext, ready, compresses, shares, tls;
    struct postern_span hidden;
    uint32_t message_limit, save_limit, notify_max;
    size_t starve, taken; /* the allocation of the engines that fails, from 1; 0: none */
    bool armed;
    size_t step;   /* octets at a time */
    size_t cut;    /* or: one cut, so many octets into what is sent; SIZE_MAX: none */
    char *pending; /* what the session `who` is to send */
    size_t pending_n;
    unsigned who;
    struct line_names names;
    char *message;
    size_t message_n;
    char why[2000];
};

static unsigned passed, failed;

static void fail(struct play *play, unsigned line, const char *what, const char *expected,
                 const char *got)
{
    if (!play->why[0] && !play->starve)
        snprintf(play->why, sizeof play->why, "line %u: %s\n  expected: %.700s\n  got:      %.700s",
                 line, what, expected, got);
}

/* ---- memory that is not there ---------------------------------------------------------------- */

static struct play *starving;

static void *starve_resize(void *ctx, void *p, size_t n)
{
    (void)ctx;
    if (n && starving->armed && ++starving->taken == starving->starve)
        return NULL;
    if (n)
        return realloc(p, n);
    free(p);
    return NULL;
}

static const struct postern_allocator starved = {.resize = starve_resize};

static struct host_session *session(struct play *play, unsigned who)
{
    if (!play->ready) {
        host_open(&play->host);
        play->host.imap.hidden = play->hidden;
        play->host.imap.message_limit = play->message_limit;
        play->host.imap.save_limit = play->save_limit;
        if (play->shares)
            host_share(&play->host);
        play->host.tls = play->tls;
        if (play->starve)
            play->host.imap.allocator = &starved;
        if (play->notify_max)
            play->host.imap.notify_max = play->notify_max;
        play->ready = true;
    }
    play->armed = false;
    if (!play->sessions[who].session)
        host_connect(&play->host, &play->sessions[who], play->plaintext);
    play->armed = true;
    return &play->sessions[who];
}

static void send_pending(struct play *play)
{
    struct host_session *s;
    struct postern_span in = {play->pending, play->pending_n};

    if (!play->pending_n)
        return;
    s = session(play, play->who);
    if (play->cut < in.n) {
        host_say(s, span_make(in.p, play->cut), SIZE_MAX);
        host_say(s, span_from(in, play->cut), SIZE_MAX);
        play->cut = SIZE_MAX;
    } else {
        if (play->cut != SIZE_MAX)
            play->cut -= in.n;
        host_say(s, in, play->step);
    }
    play->pending_n = 0;
}

/* expect - the next line of what a session said. */
static void expect(struct play *play, unsigned line, unsigned who, char *text)
{
    struct host_session *s = session(play, who);
    char *end = s->said_n ? memchr(s->said, '\n', s->said_n) : NULL;
    size_t n = end ? (size_t)(end - s->said) : s->said_n;
    char got[800];

    if (play->starve) {
        s->said_n = 0;
        return;
    }
    snprintf(got, sizeof got, "%.*s", (int)n, s->said ? s->said : "");
    if (!end) {
        fail(play, line, "nothing more was said", text, got);
        return;
    }
    if (n && s->said[n - 1] == '\r')
        n--;
    line_learn(&play->names, text, s->said, n);
    if (!line_fits(text, s->said, n))
        fail(play, line, "something else was said", text, got);
    s->said_n -= (size_t)(end - s->said) + 1;
    memmove(s->said, end + 1, s->said_n + 1);
}

static void expect_silence(struct play *play, unsigned line)
{
    for (unsigned i = 1; i <= HOST_SESSIONS; i++)
        if (play->sessions[i].said_n)
            fail(play, line, "more was said", "", play->sessions[i].said);
}

static void deliver_text(struct play *play, struct postern_span text, bool recent)
{
    struct postern_mailbox *box = NULL;
    uint32_t from;

    (void)session(play, 1);
    if (postern_store_inbox(&play->host.store, SPAN("ann"), POSTERN_STORE_CREATE, &box) < 0 ||
        postern_store_deliver(&play->host.store, box, text, NULL) < 0)
        abort();
    if (!recent && play->host.store.ops->recent(box, &from) < 0)
        abort();
    play->host.store.ops->close(&box);
}

static void deliver(struct play *play, unsigned count, bool recent)
{
    char text[200];

    for (unsigned i = 1; i <= count; i++) {
        snprintf(text, sizeof text,
                 "From: Ann <ann@example.org>\r\nSubject: number %u\r\n\r\nbody %u\r\n", i, i);
        deliver_text(play, postern_span_of(text), recent);
    }
}

/* message - "> text" is a line of a message, "deliver" its end. */
static bool message(struct play *play, const char *line)
{
    if (line[0] == '>') {
        play->message_n = line_add(&play->message, play->message_n, line[1] ? line + 2 : "");
        return true;
    }
    if (strcmp(line, "deliver") != 0)
        return false;
    deliver_text(play, span_make(play->message, play->message_n), false);
    play->message_n = 0;
    return true;
}

/* quietly - said by the client, and its answer passed over. */
static void quietly(struct play *play, unsigned who, const char *text)
{
    struct host_session *s = session(play, who);

    host_say(s, postern_span_of(text), SIZE_MAX);
    s->said_n = 0;
    if (play->compresses && !s->compressed && strstr(text, "login"))
        host_compress(s);
}

/* as_user - "login NAME", "select NAME MAILBOX". */
static bool as_user(struct play *play, unsigned who, const char *word)
{
    char name[40], mailbox[80], text[160];
    int parts = sscanf(word, "select %39s %79s", name, mailbox);

    if (parts < 2 && sscanf(word, "login %39s", name) < 1)
        return false;
    snprintf(text, sizeof text, "x login %s secret\r\n", name);
    quietly(play, who, text);
    snprintf(text, sizeof text, "x select %s\r\n", mailbox);
    if (parts == 2)
        quietly(play, who, text);
    return true;
}

/* limit - "KIB MESSAGES", and perhaps MAILBOXES. */
static void limit(struct play *play, const char *text)
{
    char *rest;
    struct postern_quota quota = {.bytes_max = strtoul(text, &rest, 10) * 1024};

    quota.messages_max = strtoul(rest, &rest, 10);
    quota.mailboxes_max = strtoul(rest, NULL, 10);
    (void)session(play, 1);
    play->host.store.ops->limit(&play->host.store, &quota);
}

/* setup - "secure": no plaintext logins. "may-set-quota": users may use SETQUOTA. "hide NAMES":
 * extensions that are switched off. "share": mailboxes can be shared. "hurry": 20 seconds pass at
 * each look at the clock. "mail N": N messages in ann's INBOX, "new N": \Recent ones. "login",
 * "select": that and its answer, by the session whose number stands before it. */
static bool setup(struct play *play, const char *text)
{
    bool numbered = *text >= '1' && *text <= '0' + HOST_SESSIONS;
    unsigned who = numbered ? (unsigned)(*text - '0') : 1;
    const char *word = text + numbered;

    if (strcmp(text, "secure") == 0) {
        play->plaintext = false;
    } else if (strncmp(text, "hide ", 5) == 0) {
        play->hidden = postern_span_of(text + 5);
    } else if (strncmp(text, "message-limit ", 14) == 0) {
        play->message_limit = (uint32_t)strtoul(text + 14, NULL, 10);
    } else if (strncmp(text, "notify-max ", 11) == 0) {
        play->notify_max = (uint32_t)strtoul(text + 11, NULL, 10);
    } else if (strncmp(text, "save-limit ", 11) == 0) {
        play->save_limit = (uint32_t)strtoul(text + 11, NULL, 10);
    } else if (strcmp(text, "share") == 0) {
        play->shares = true;
    } else if (strcmp(text, "hurry") == 0) {
        (void)session(play, 1);
        host_hurry = 20;
    } else if (strcmp(text, "may-set-quota") == 0) {
        (void)session(play, 1);
        play->host.site.set_quota = true;
    } else if (strncmp(text, "quota ", 6) == 0)
        limit(play, text + 6);
    else if (strncmp(text, "mail ", 5) == 0)
        deliver(play, (unsigned)strtoul(text + 5, NULL, 10), false);
    else if (strncmp(text, "new ", 4) == 0)
        deliver(play, (unsigned)strtoul(text + 4, NULL, 10), true);
    else if (strcmp(word, "login") == 0)
        quietly(play, who, "x login ann secret\r\n");
    else if (strcmp(word, "select") == 0)
        quietly(play, who, "x login ann secret\r\nx select inbox\r\n");
    else
        return as_user(play, who, word);
    return true;
}

/* each - of the sessions that are there. */
static void each(struct play *play, void (*does)(struct host_session *s, struct play *play))
{
    for (unsigned i = 1; i <= HOST_SESSIONS; i++)
        if (play->sessions[i].session)
            does(&play->sessions[i], play);
}

static void hear_news(struct host_session *s, struct play *play)
{
    host_news(s, play->step);
}

static void grow_old(struct host_session *s, struct play *play)
{
    host_wait(s, play->host.now);
}

static void go_down(struct host_session *s, struct play *play)
{
    serve_imap.shutdown(s->session);
    host_turn(s, play->step);
}

/* event - what happens to connections: time, a handshake, an end. */
static bool event(struct play *play, const char *text)
{
    static const char *const words[] = {"news", "tls", "tls-up", "eof", "shutdown"};
    size_t i = 0;

    while (i < 5 && strcmp(text, words[i]) != 0)
        i++;
    if (i == 5 && strncmp(text, "time ", 5) != 0)
        return false;
    send_pending(play);
    if (i == 0) {
        each(play, hear_news);
    } else if (i == 1) {
        play->tls = true;
    } else if (i == 2) {
        host_tls_up(session(play, play->who));
    } else if (i == 3) {
        serve_imap.eof(session(play, play->who)->session);
        host_turn(session(play, play->who), play->step);
    } else if (i == 4) {
        each(play, go_down);
    } else {
        play->host.now += strtoll(text + 5, NULL, 10) * POSTERN_SECOND;
        each(play, grow_old);
    }
    return true;
}

static void one_line(struct play *play, unsigned number, const char *text)
{
    unsigned who = 1;
    char *named;

    if (!*text || *text == '#' || strcmp(text, "engine") == 0 || strcmp(text, "starve") == 0)
        return;
    if (setup(play, text) || message(play, text) || event(play, text))
        return;
    if (*text >= '1' && *text <= '0' + HOST_SESSIONS && (text[1] == 'C' || text[1] == 'S'))
        who = (unsigned)(*text++ - '0');
    if (strncmp(text, "C: ", 3) == 0 || strcmp(text, "C:") == 0) {
        if (who != play->who)
            send_pending(play);
        play->who = who;
        named = line_named(&play->names, text[2] ? text + 3 : "");
        play->pending_n = line_add(&play->pending, play->pending_n, named);
        free(named);
    } else if (strncmp(text, "S: ", 3) == 0 || strcmp(text, "S:") == 0) {
        send_pending(play);
        named = line_named(&play->names, text[2] ? text + 3 : "");
        expect(play, number, who, named);
        free(named);
    } else if (strcmp(text, "silence") == 0) {
        send_pending(play);
        expect_silence(play, number);
    } else if (strcmp(text, "closed") == 0) {
        send_pending(play);
        if (!play->sessions[play->who].closed)
            fail(play, number, "the session goes on", "", "");
    } else {
        fail(play, number, "what is this?", text, "");
    }
}

/* run - the talk's lines, once. How much was sent in all. */
static size_t run(struct play *play, char **lines, unsigned count)
{
    size_t sent = 0;

    play->plaintext = true;
    for (unsigned i = 0; i < count && !play->why[0]; i++) {
        size_t before = play->pending_n;

        one_line(play, i + 1, lines[i]);
        sent += play->pending_n > before ? play->pending_n - before : 0;
    }
    send_pending(play);
    if (!play->why[0])
        expect_silence(play, count);
    for (unsigned i = 1; i <= HOST_SESSIONS; i++)
        host_hang_up(&play->sessions[i]);
    if (play->ready)
        host_close(&play->host);
    free(play->pending);
    free(play->message);
    return sent;
}

/* minds - the talk is about what compression changes. */
static bool minds(char **lines, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (strstr(lines[i], "compress") || strstr(lines[i], "unauthenticate"))
            return true;
    return false;
}

static bool pass(const char *name, char **lines, unsigned count, size_t step, size_t cut,
                 size_t *sent_r)
{
    /* a session that was logged in quietly is compressed in every third of the cuts */
    struct play play = {.step = step,
                        .cut = cut,
                        .who = 1,
                        .compresses = (step == 1 || (cut != SIZE_MAX && cut % 3 == 0)) &&
                                      !minds(lines, count)};
    size_t sent = run(&play, lines, count);

    if (sent_r)
        *sent_r = sent;
    if (play.why[0])
        printf("FAILED: %s (%s %zu): %s\n", name, cut == SIZE_MAX ? "step" : "cut",
               cut == SIZE_MAX ? step : cut, play.why);
    return !play.why[0];
}

/* starve - each allocation of the engines fails once: whatever is said then, nothing breaks. */
static void starve(char **lines, unsigned count)
{
    for (size_t n = 1;; n++) {
        struct play play = {.step = SIZE_MAX, .cut = SIZE_MAX, .who = 1, .starve = n};

        starving = &play;
        (void)run(&play, lines, count);
        if (play.taken < n)
            return;
    }
}

static void talk(const char *name, char **lines, unsigned count)
{
    size_t sent = 0;
    bool good;

    /* about what only `postern serve` has: users with a password each, and no others */
    if (talk_has(lines, count, "server"))
        return;
    good = pass(name, lines, count, SIZE_MAX, SIZE_MAX, &sent) &&
           pass(name, lines, count, 1, SIZE_MAX, NULL);

    for (size_t cut = 1; good && cut < sent && cut < SPLIT_MOST; cut++)
        good = pass(name, lines, count, SIZE_MAX, cut, NULL);
    if (good && talk_has(lines, count, "starve"))
        starve(lines, count);
    *(good ? &passed : &failed) += 1;
}

int main(int argc, char **argv)
{
    talk_files(argc, argv, "tests/wire/imap/*.talk", talk);
    printf("%u passed, %u failed\n", passed, failed);
    return failed || !passed;
}
