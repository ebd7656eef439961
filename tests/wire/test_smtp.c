/* SPDX-License-Identifier: MIT */
/* test_smtp - runs every talk of tests/wire/smtp (or of the files named) against SMTP sessions over
 * the memory store: whole, byte by byte, and cut in two at every position. All passes must say what
 * the talk says. The format is told in tests/wire/README.md. */
#include "smtp_host.h"
#include "talk_line.h"

#define SPLIT_MOST 700
#define WHOLE SIZE_MAX

/* struct play - one pass over a talk. */
struct play {
    struct smtp_host host;
    size_t step;   /* octets at a time */
    size_t cut;    /* or: one cut, so many octets into what is sent; SIZE_MAX: none */
    char *pending; /* what the client is to send */
    size_t pending_n;
    char message[65536]; /* as it is expected */
    size_t message_n;
    char why[2000];
};

static unsigned passed, failed;
static char users_path[64], aliases_path[64];

static void fail(struct play *play, unsigned line, const char *what, const char *expected,
                 const char *got)
{
    if (!play->why[0])
        snprintf(play->why, sizeof play->why, "line %u: %s\n  expected: %.700s\n  got:      %.700s",
                 line, what, expected, got);
}

static void connected(struct play *play)
{
    if (play->host.session)
        return;
    smtp_host_connect(&play->host);
    smtp_host_turn(&play->host, play->step);
}

static void send_pending(struct play *play)
{
    struct postern_span in = {play->pending, play->pending_n};

    if (!play->pending_n)
        return;
    connected(play);
    if (play->cut < in.n) {
        smtp_host_say(&play->host, span_make(in.p, play->cut), WHOLE);
        smtp_host_say(&play->host, span_from(in, play->cut), WHOLE);
        play->cut = SIZE_MAX;
    } else {
        if (play->cut != SIZE_MAX)
            play->cut -= in.n;
        smtp_host_say(&play->host, in, play->step);
    }
    play->pending_n = 0;
}

/* expect - the next line of what the session said. */
static void expect(struct play *play, unsigned line, const char *text)
{
    struct smtp_host *host = &play->host;
    char *end, got[800];
    size_t n;

    connected(play);
    end = host->said_n ? memchr(host->said, '\n', host->said_n) : NULL;
    n = end ? (size_t)(end - host->said) : host->said_n;
    snprintf(got, sizeof got, "%.*s", (int)n, host->said ? host->said : "");
    if (!end) {
        fail(play, line, "nothing more was said", text, got);
        return;
    }
    if (n && host->said[n - 1] == '\r')
        n--;
    if (!line_fits(text, host->said, n))
        fail(play, line, "something else was said", text, got);
    host->said_n -= (size_t)(end - host->said) + 1;
    memmove(host->said, end + 1, host->said_n + 1);
}

static void expect_silence(struct play *play, unsigned line)
{
    connected(play);
    if (play->host.said_n)
        fail(play, line, "more was said", "", play->host.said);
}

/* ---- what is in the store -------------------------------------------------------------------- */

/* open_box - "alice" or "alice/lists". */
static struct postern_mailbox *open_box(struct play *play, const char *where)
{
    const struct postern_store_ops *ops = play->host.inner;
    struct postern_span name = postern_span_of(where), user = span_cut(&name, '/');
    struct postern_account *account = NULL;
    struct postern_mailbox *box = NULL;

    if (ops->account_open(&play->host.store, user, 0, &account) == 0)
        (void)!ops->open(account, name.p ? name : SPAN("INBOX"), 0, &box);
    if (account)
        ops->account_close(&account);
    return box;
}

static void has(struct play *play, unsigned line, const char *text)
{
    char where[200] = "", got[20];
    unsigned long wanted = 0;
    struct postern_status status = {0};
    struct postern_mailbox *box;

    sscanf(text, "%199s %lu", where, &wanted);
    box = open_box(play, where);
    if (box && play->host.inner->refresh(box, 0, &status) < 0)
        fail(play, line, "the mailbox cannot be read", where, "");
    snprintf(got, sizeof got, "%u", status.messages);
    if (status.messages != wanted)
        fail(play, line, "another number of messages", text, got);
    play->host.inner->close(&box);
}

/* is - the last message of a mailbox is what the lines "> " say. */
static void is(struct play *play, unsigned line, const char *where)
{
    const struct postern_store_ops *ops = play->host.inner;
    struct postern_mailbox *box = open_box(play, where);
    struct postern_content *content = NULL;
    struct postern_status status = {0};
    struct postern_facts facts;
    static char got[131072];
    int n = -1;

    if (box && ops->refresh(box, 0, &status) == 0 &&
        ops->message(box, status.uid_next - 1, 0, &content, &facts) == 0)
        n = ops->read(content, 0, got, sizeof got - 1);
    got[n < 0 ? 0 : n] = '\0';
    play->message[play->message_n] = '\0';
    if (n < 0 || !line_fits(play->message, got, (size_t)n))
        fail(play, line, "it is another message", play->message, got);
    if (content)
        ops->content_close(&content);
    ops->close(&box);
    play->message_n = 0;
}

/* ---- the world ------------------------------------------------------------------------------- */

static int error_named(const char *name)
{
    static const int all[] = {POSTERN_E_FULL, POSTERN_E_IO, POSTERN_E_NOMEM, POSTERN_E_CORRUPT,
                              POSTERN_E_NOT_FOUND};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(postern_err_name(all[i]), name) == 0)
            return all[i];
    return 0;
}

/* fails - "fail write FULL", "fail open IO bob". */
static void fails(struct play *play, const char *text)
{
    static const char *const ops[] = {"open", "begin", "write", "commit"};
    char op[20] = "", name[20] = "";

    play->host.fails_for[0] = '\0';
    sscanf(text, "%19s %19s %63s", op, name, play->host.fails_for);
    for (unsigned i = 0; i < 4; i++)
        if (strcmp(op, ops[i]) == 0)
            play->host.fails[i] = error_named(name);
}

static bool option_number(struct postern_smtp_options *o, const char *name, unsigned long value)
{
    const struct {
        const char *name;
        uint32_t *place;
    } all[] = {{"recipients_max", &o->recipients_max},
               {"transactions_max", &o->transactions_max},
               {"line_max", &o->line_max},
               {"header_max", &o->header_max},
               {"header_lines_max", &o->header_lines_max},
               {"received_max", &o->received_max},
               {"errors_max", &o->errors_max},
               {"write_chunk", &o->write_chunk},
               {"idle_commands_max", &o->idle_commands_max}};

    if (strcmp(name, "message_max") == 0)
        o->message_max = value;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(name, all[i].name) == 0)
            *all[i].place = (uint32_t)value;
    return true;
}

/* option - "newline reject", "trusted", "line_max 1000". */
static bool option(struct postern_smtp_options *o, const char *text)
{
    const struct {
        const char *name;
        bool *place;
    } flags[] = {{"trusted", &o->trusted},
                 {"verify", &o->verify},
                 {"binarymime", &o->binarymime},
                 {"tls_required", &o->tls_required},
                 {"talk_early", &o->talk_early},
                 {"strict", &o->strict_addresses},
                 {"hide_client", &o->hide_client},
                 {"keep_bcc", &o->keep_bcc},
                 {"domain_optional", &o->domain_optional}};
    char name[40] = "", value[40] = "";

    sscanf(text, "%39s %39s", name, value);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (strcmp(name, flags[i].name) == 0)
            return *flags[i].place = true;
    if (strcmp(name, "newline") == 0)
        o->newline = strcmp(value, "reject") == 0 ? POSTERN_SMTP_REJECT : POSTERN_SMTP_LEGACY;
    else if (strcmp(name, "nul") == 0)
        o->nul = strcmp(value, "strip") == 0 ? POSTERN_SMTP_NUL_STRIP : POSTERN_SMTP_NUL_KEEP;
    else if (strcmp(name, "no-tls") == 0)
        o->tls_available = false;
    else if (strcmp(name, "no-utf8") == 0)
        o->smtputf8 = false;
    else if (strcmp(name, "greeting_delay") == 0)
        o->greeting_delay = 5 * POSTERN_SECOND;
    else
        return option_number(o, name, strtoul(value, NULL, 10));
    return true;
}

static void limit(struct play *play, const char *text)
{
    char *rest;
    struct postern_quota quota = {.bytes_max = strtoul(text, &rest, 10) * 1024};

    quota.messages_max = strtoul(rest, &rest, 10);
    quota.mailboxes_max = strtoul(rest, NULL, 10);
    play->host.inner->limit(&play->host.store, &quota);
}

static void mailbox(struct play *play, const char *where)
{
    const struct postern_store_ops *ops = play->host.inner;
    struct postern_span name = postern_span_of(where), user = span_cut(&name, '/');
    struct postern_account *account = NULL;

    if (ops->account_open(&play->host.store, user, POSTERN_STORE_CREATE, &account) < 0 ||
        ops->create(account, name, POSTERN_SPECIAL_NONE) < 0)
        abort();
    ops->account_close(&account);
}

/* quietly - said by the client, and the answers passed over: "hello", with "mail" a sender, with
 * "rcpt" alice as well, with "data" all up to the message. */
static bool quietly(struct play *play, const char *text)
{
    static const char *const lines[] = {"MAIL FROM:<a@b.example>\r\n",
                                        "RCPT TO:<alice@example.org>\r\n", "DATA\r\n"};
    static const char *const words[] = {"hello", "mail", "rcpt", "data"};
    size_t depth = 0;

    while (depth < 4 && strcmp(text, words[depth]) != 0)
        depth++;
    if (depth == 4)
        return false;
    send_pending(play);
    connected(play);
    smtp_host_say(&play->host,
                  play->host.protocol == &serve_lmtp ? SPAN("LHLO client.example\r\n")
                                                     : SPAN("EHLO client.example\r\n"),
                  WHOLE);
    for (size_t i = 0; i < depth; i++)
        smtp_host_say(&play->host, postern_span_of(lines[i]), WHOLE);
    play->host.said_n = 0;
    return true;
}

static bool setup(struct play *play, const char *text)
{
    struct smtp_host *host = &play->host;

    if (quietly(play, text))
        return true;
    if (strcmp(text, "lmtp") == 0)
        host->protocol = &serve_lmtp;
    else if (strcmp(text, "submission") == 0)
        host->protocol = &serve_submission;
    else if (strcmp(text, "secure") == 0)
        host->plaintext = false;
    else if (strcmp(text, "tls") == 0)
        host->tls = true;
    else if (strcmp(text, "detail_create") == 0)
        host->site.detail_create = true;
    else if (strcmp(text, "any_sender") == 0)
        host->site.any_sender = true;
    else if (strncmp(text, "option ", 7) == 0)
        option(&host->smtp, text + 7);
    else if (strncmp(text, "quota ", 6) == 0)
        limit(play, text + 6);
    else if (strncmp(text, "peer ", 5) == 0)
        host->peer = text + 5;
    else if (strncmp(text, "mailbox ", 8) == 0)
        mailbox(play, text + 8);
    else
        return false;
    return true;
}

/* happens - what is neither said by the client nor by the server. */
static bool happens(struct play *play, unsigned number, const char *text)
{
    static const struct postern_tls_facts facts;
    struct smtp_host *host = &play->host;

    send_pending(play);
    if (strcmp(text, "silence") == 0) {
        expect_silence(play, number);
    } else if (strcmp(text, "closed") == 0 || strcmp(text, "open") == 0) {
        if (host->closed != (*text == 'c'))
            fail(play, number, "the session goes on, or is over", text, "");
    } else if (strncmp(text, "has ", 4) == 0) {
        has(play, number, text + 4);
    } else if (strncmp(text, "is ", 3) == 0) {
        is(play, number, text + 3);
    } else if (strncmp(text, "fail ", 5) == 0) {
        fails(play, text + 5);
    } else if (strncmp(text, "time ", 5) == 0) {
        connected(play);
        host->now += strtoul(text + 5, NULL, 10) * POSTERN_SECOND;
        host->protocol->tick(host->session, host->now);
        smtp_host_turn(host, play->step);
    } else if (strcmp(text, "tls-up") == 0) {
        if (host->protocol->tls_up(host->session, &facts) < 0)
            fail(play, number, "no TLS was wanted", "", "");
        smtp_host_turn(host, play->step);
    } else if (strcmp(text, "eof") == 0 || strcmp(text, "shutdown") == 0) {
        connected(play);
        (*text == 'e' ? host->protocol->eof : host->protocol->shutdown)(host->session);
        smtp_host_turn(host, play->step);
    } else {
        return false;
    }
    return true;
}

static void expected_line(struct play *play, const char *line)
{
    play->message_n +=
        (size_t)snprintf(play->message + play->message_n, sizeof play->message - play->message_n,
                         "%s\r\n", line[1] ? line + 2 : "");
}

static void one_line(struct play *play, unsigned number, const char *text)
{
    if (!*text || *text == '#' || strcmp(text, "whole") == 0 || strcmp(text, "engine") == 0)
        return;
    if (*text == '>') {
        expected_line(play, text);
    } else if (strncmp(text, "C: ", 3) == 0 || strcmp(text, "C:") == 0) {
        play->pending_n = line_add(&play->pending, play->pending_n, text[2] ? text + 3 : "");
    } else if (strncmp(text, "C*", 2) == 0) { /* C*100: so many times */
        char *rest;
        unsigned long times = strtoul(text + 2, &rest, 10);

        while (times--)
            play->pending_n = line_add(&play->pending, play->pending_n, rest + 2);
    } else if (strncmp(text, "S: ", 3) == 0) {
        send_pending(play);
        expect(play, number, text + 3);
    } else if (!setup(play, text) && !happens(play, number, text)) {
        fail(play, number, "what is this?", text, "");
    }
}

/* ---- passes ---------------------------------------------------------------------------------- */

static size_t run(struct play *play, char **lines, unsigned count)
{
    size_t sent = 0;

    smtp_host_open(&play->host, users_path, aliases_path);
    for (unsigned i = 0; i < count && !play->why[0]; i++) {
        size_t before = play->pending_n;

        one_line(play, i + 1, lines[i]);
        sent += play->pending_n > before ? play->pending_n - before : 0;
    }
    send_pending(play);
    if (!play->why[0])
        expect_silence(play, count);
    smtp_host_close(&play->host);
    free(play->pending);
    play->pending = NULL;
    return sent;
}

static bool pass(const char *name, char **lines, unsigned count, size_t step, size_t cut,
                 size_t *sent_r)
{
    static struct play play;
    size_t sent;

    memset(&play, 0, sizeof play);
    play.step = step;
    play.cut = cut;
    sent = run(&play, lines, count);
    if (sent_r)
        *sent_r = sent;
    if (play.why[0])
        printf("FAILED: %s (%s %zu): %s\n", name, cut == SIZE_MAX ? "step" : "cut",
               cut == SIZE_MAX ? step : cut, play.why);
    return !play.why[0];
}

static void talk(const char *name, char **lines, unsigned count)
{
    size_t sent = 0;
    bool good = pass(name, lines, count, WHOLE, SIZE_MAX, &sent);
    bool whole = talk_has(lines, count, "whole"); /* it is about what came at once */

    if (good && !whole)
        good = pass(name, lines, count, 1, SIZE_MAX, NULL);
    for (size_t cut = 1; good && !whole && cut < sent && cut < SPLIT_MOST; cut++)
        good = pass(name, lines, count, WHOLE, cut, NULL);
    *(good ? &passed : &failed) += 1;
}

/* ---- who is there ---------------------------------------------------------------------------- */

static void write_file(char path[64], const char *text)
{
    int fd;

    strcpy(path, "/tmp/postern-smtp-XXXXXX");
    fd = mkstemp(path);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || close(fd) < 0)
        abort();
}

static void add_user(const char *name, bool disabled)
{
    struct account_change change = {.user = postern_span_of(name),
                                    .password = SPAN("secret"),
                                    .hash_prefix = "$1$",
                                    .disabled = disabled};

    if (accounts_file_add(users_path, &change) < 0)
        abort();
}

int main(int argc, char **argv)
{
    write_file(users_path, "");
    write_file(aliases_path, "team: alice, bob\n"
                             "team2: team, alice\n"
                             "loop: loop2\nloop2: loop\n"
                             "dead: nobody\n"
                             "half: nobody, bob\n"
                             "sales@example.net: bob\n"
                             "box: alice+lists\n"
                             "@example.net: @example.org\n");
    add_user("alice", false);
    add_user("bob", false);
    add_user("gone", true);
    add_user("ann@example.net", false);
    talk_files(argc, argv, "tests/wire/smtp/*.talk", talk);
    unlink(users_path);
    unlink(aliases_path);
    printf("%u passed, %u failed\n", passed, failed);
    return failed || !passed;
}
