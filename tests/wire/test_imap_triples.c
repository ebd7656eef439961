/* SPDX-License-Identifier: MIT */
/* test_imap_triples - every ordered triple of commands, in every state, answers as the model says:
 * OK, NO or BAD, the state after it, and which messages the client was told of; each line is one of
 * the grammar's; and the three in one packet are answered as one by one (every seventh of them).
 * TRIPLES_STATE runs only that state. Under a sanitizer, which takes ten times as long, every
 * eleventh triple is run. */
#include "imap_grammar.h"
#include "imap_host.h"
#include "triples_commands.h"
#include <ctype.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined __SANITIZE_ADDRESS__
#define STEP 11
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define STEP 11
#endif
#endif
#ifndef STEP
#define STEP 1
#endif
#define PACKET_STEP 7

static const struct {
    const char *name, *says;
} states[] = {
    {"not authenticated", ""},
    {"authenticated", "l LOGIN ann secret\r\n"},
    {"selected", "l LOGIN ann secret\r\nl SELECT INBOX\r\n"},
    {"selected to read", "l LOGIN ann secret\r\nl EXAMINE INBOX\r\n"},
    {"QRESYNC", "l LOGIN ann secret\r\nl ENABLE QRESYNC\r\nl SELECT INBOX\r\n"},
    {"IMAP4rev2", "l LOGIN ann secret\r\nl ENABLE IMAP4rev2\r\nl SELECT INBOX\r\n"},
    {"UIDONLY", "l LOGIN ann secret\r\nl ENABLE UIDONLY\r\nl SELECT INBOX\r\n"},
};
enum { STATES = sizeof states / sizeof *states };

/* struct run - a triple in one state. */
struct run {
    struct host *host;
    struct host_session s;
    struct model model;
    unsigned state;
    const struct command *triple[3];
    char all[65536]; /* what was said to the three, one by one */
    size_t all_n;
    bool failed;
};

static unsigned passed, failed;

static void fail(struct run *run, const char *why)
{
    if (!run->failed && failed < 20)
        printf("FAILED: %s: %s; %s; %s: %s\n%.*s%.*s\n", states[run->state].name,
               run->triple[0]->text, run->triple[1]->text, run->triple[2]->text, why,
               (int)run->all_n, run->all, (int)run->s.said_n, run->s.said ? run->s.said : "");
    run->failed = true;
}

/* ---- a world ----------------------------------------------------------------------------------
 */

static void deliver(struct host *host, struct postern_account *account, const char *name,
                    uint32_t flags)
{
    const struct postern_store_ops *ops = host->store.ops;
    struct postern_new_message what = {.flags = flags, .date_s = 1};
    struct postern_mailbox *box = NULL;
    struct postern_delivery *delivery = NULL;

    if (ops->open(account, postern_span_of(name), 0, &box) < 0 ||
        ops->begin(box, &what, &delivery) < 0 || ops->write(delivery, SPAN("mail\r\n")) < 0 ||
        ops->commit(&delivery, 1, NULL) < 0)
        abort();
    ops->close(&box);
}

static void others_do(struct host *host, const char *what)
{
    const struct postern_store_ops *ops = host->store.ops;
    struct postern_account *account = NULL;
    struct postern_mailbox *box = NULL;
    struct postern_status status;
    uint32_t uid = 1;

    if (ops->account_open(&host->store, SPAN("ann"), 0, &account) < 0 ||
        ops->open(account, SPAN("INBOX"), 0, &box) < 0)
        abort();
    if (what[0] == 'd')
        deliver(host, account, "INBOX", 0);
    else if (ops->refresh(box, 0, &status) < 0 || ops->expunge(box, &uid, 1) < 0)
        abort();
    ops->close(&box);
    ops->account_close(&account);
}

/* begin - a store as model_start() says, and a session in the state. */
static void begin(struct run *run)
{
    const struct postern_store_ops *ops;
    struct postern_account *account = NULL;

    if (postern_store_memory_new(&run->host->store) < 0)
        abort();
    ops = run->host->store.ops;
    if (ops->account_open(&run->host->store, SPAN("ann"), POSTERN_STORE_CREATE, &account) < 0 ||
        ops->create(account, SPAN("other"), POSTERN_SPECIAL_NONE) < 0 ||
        ops->create(account, SPAN("spare"), POSTERN_SPECIAL_NONE) < 0)
        abort();
    for (unsigned i = 0; i < 3; i++)
        deliver(run->host, account, "INBOX", i == 1 ? POSTERN_FLAG_DELETED : 0);
    deliver(run->host, account, "other", 0);
    ops->account_close(&account);
    host_connect(run->host, &run->s, true);
    host_say(&run->s, postern_span_of(states[run->state].says), SIZE_MAX);
    run->s.said_n = 0;
    model_start(&run->model);
    run->model.state = run->state ? IN : OUT;
    run->model.uid_only = strstr(states[run->state].says, "UIDONLY");
    if (run->state > 1)
        model_select(&run->model, &run->model.inbox, strstr(states[run->state].says, "EXAMINE"));
}

static void end(struct run *run)
{
    host_hang_up(&run->s);
    postern_store_free(&run->host->store);
}

/* ---- what the client makes of it --------------------------------------------------------------
 */

/* struct told - the messages that the client believes in; 0: one whose UID it was not told. */
struct told {
    uint32_t uids[MODEL_MESSAGES];
    unsigned n;
};

static void forget(struct run *run, struct told *told, unsigned number)
{
    if (number == 0 || number > told->n) {
        fail(run, "a message is expunged that is not there");
        return;
    }
    told->n--;
    for (unsigned i = number - 1; i < told->n; i++)
        told->uids[i] = told->uids[i + 1];
}

static void vanish(struct run *run, struct told *told, const char *set)
{
    while (*set >= '0' && *set <= '9') {
        unsigned long first = strtoul(set, (char **)(uintptr_t)&set, 10), last = first;

        if (*set == ':')
            last = strtoul(set + 1, (char **)(uintptr_t)&set, 10);
        for (; first <= last; first++) {
            unsigned i = 0;

            while (i < told->n && told->uids[i] != first)
                i++;
            forget(run, told, i + 1);
        }
        set += *set == ',';
    }
}

static void hear(struct run *run, struct told *told, const char *line)
{
    unsigned number;
    char word[16];

    if (strncmp(line, "* VANISHED ", 11) == 0 && line[11] != '(')
        vanish(run, told, line + 11);
    if (line[0] != '*' || sscanf(line, "* %u %15[A-Z]", &number, word) != 2)
        return;
    if (strcmp(word, "EXPUNGE") == 0)
        forget(run, told, number);
    if (strcmp(word, "EXISTS") != 0)
        return;
    if (number < told->n || number > MODEL_MESSAGES)
        fail(run, "EXISTS fell");
    while (told->n < number && told->n < MODEL_MESSAGES)
        told->uids[told->n++] = 0;
}

/* result_of - the tagged line; BAD with `why` set where there is none. */
static enum result result_of(struct run *run, char tag)
{
    static const char *const words[] = {"OK", "NO", "BAD"};
    char begins[8];

    for (unsigned i = 0; i < 3; i++) {
        int n = snprintf(begins, sizeof begins, "%c %s ", tag, words[i]);
        const char *at = memmem(run->s.said, run->s.said_n, begins, (size_t)n);

        if (at && (at == run->s.said || at[-1] == '\n'))
            return (enum result)i;
    }
    fail(run, "no tagged line");
    return BAD;
}

/* ---- one triple -------------------------------------------------------------------------------
 */

static bool is_select(const struct command *command)
{
    return strstr(command->text, "SELECT ") || strstr(command->text, "EXAMINE");
}

/* listen - to what was said: the lines are well-formed, and tell what the model was told. before:
 * what the client believed in. */
static void listen(struct run *run, const struct command *command, struct told *told)
{
    const char *why = grammar_check(run->s.said, run->s.said_n, false);
    const char *at = run->s.said;

    if (why)
        fail(run, why);
    if (is_select(command))
        told->n = 0;
    while (at < run->s.said + run->s.said_n) {
        hear(run, told, at);
        at = (const char *)memchr(at, '\n', run->s.said_n - (size_t)(at - run->s.said)) + 1;
    }
    if (run->model.state != SELECTED)
        return;
    if (told->n != run->model.view_n)
        fail(run, "the client counts other messages than the model");
    for (unsigned i = 0; i < told->n && i < run->model.view_n; i++)
        if (told->uids[i] && told->uids[i] != run->model.view[i])
            fail(run, "the client knows another message by this number");
}

static void one(struct run *run, const struct command *command, char tag)
{
    char line[200];
    struct told told = {.n = run->model.view_n};
    enum result expected;

    if (command->flags & OTHERS) {
        others_do(run->host, command->text);
        (void)model_do(&run->model, command);
        return;
    }
    if (run->model.state == OVER)
        return;
    memcpy(told.uids, run->model.view, sizeof told.uids);
    expected = model_do(&run->model, command);
    run->s.said_n = 0;
    snprintf(line, sizeof line, "%c %s\r\n", tag, command->text);
    host_say(&run->s, postern_span_of(line), SIZE_MAX);
    if (result_of(run, tag) != expected)
        fail(run, expected == OK ? "OK expected" : expected == NO ? "NO expected" : "BAD expected");
    if (run->s.closed != (run->model.state == OVER))
        fail(run, "the session is over, or not, against what the model says");
    listen(run, command, &told);
    if (run->all_n + run->s.said_n <= sizeof run->all)
        memcpy(run->all + run->all_n, run->s.said, run->s.said_n);
    run->all_n += run->s.said_n;
}

/* check_state - CHECK is answered by the state, and is told what was kept back. */
static void check_state(struct run *run)
{
    static const struct command probe = {"CHECK", SELECTED, 0, act_ok};
    const char *why = run->model.state == OUT  ? "log in first"
                      : run->model.state == IN ? "no mailbox is selected"
                                               : "done";

    one(run, &probe, 'e');
    if (run->model.state != OVER && !memmem(run->s.said, run->s.said_n, why, strlen(why)))
        fail(run, "another state than the model's");
}

/* is_same - but for UID validities, which are made from the clock: ten digits. */
static bool is_same(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i]) {
            size_t begin = i, end = i;

            while (begin > 0 && isdigit((unsigned char)a[begin - 1]))
                begin--;
            while (end < n && isdigit((unsigned char)a[end]) && isdigit((unsigned char)b[end]))
                end++;
            if (end - begin != 10)
                return false;
            i = end;
        }
    return true;
}

/* one_packet - the three at once are answered as they were one by one, in so many octets. */
static void one_packet(struct run *run, size_t said)
{
    char packet[600];
    int n = 0;

    for (unsigned i = 0; i < 3; i++) {
        if (run->triple[i]->flags & (OTHERS | ALONE))
            return;
        n += snprintf(packet + n, sizeof packet - (size_t)n, "%c %s\r\n", "abc"[i],
                      run -> triple[i] -> text);
    }
    begin(run);
    host_say(&run->s, span_make(packet, (size_t)n), SIZE_MAX);
    if (run->s.said_n != said || !is_same(run->s.said, run->all, said))
        fail(run, "in one packet they are answered otherwise");
    end(run);
}

static bool triple(struct host *host, unsigned state, unsigned at)
{
    static struct run run;
    size_t said;

    run.host = host;
    run.state = state;
    run.all_n = 0;
    run.failed = false;
    run.triple[0] = &commands[at / COMMANDS / COMMANDS];
    run.triple[1] = &commands[at / COMMANDS % COMMANDS];
    run.triple[2] = &commands[at % COMMANDS];
    begin(&run);
    for (unsigned i = 0; i < 3; i++)
        one(&run, run.triple[i], "abc"[i]);
    said = run.all_n;
    check_state(&run);
    end(&run);
    if (at % PACKET_STEP == state % PACKET_STEP)
        one_packet(&run, said);
    return !run.failed;
}

/* run_states - every second of them, from `first` on; of the host's own. */
static int run_states(unsigned first)
{
    const char *only = getenv("TRIPLES_STATE");
    struct host host;

    host_open(&host);
    postern_store_free(&host.store);
    host.imap.tls_available = false;
    host.site.set_quota = true;
    host.imap.acl = true;
    host.imap.hidden = SPAN("COMPRESS=DEFLATE");
    for (unsigned state = first; state < STATES; state += 2)
        for (unsigned at = state % STEP; at < COMMANDS * COMMANDS * COMMANDS; at += STEP)
            if (!only || strcmp(only, states[state].name) == 0)
                *(triple(&host, state, at) ? &passed : &failed) += 1;
    accounts_free(&host.accounts);
    printf("%u passed, %u failed\n", passed, failed);
    fflush(stdout);
    return failed > 0;
}

/* main - in two processes, which is all that they share. */
int main(void)
{
    pid_t child = fork();
    int status = 0, r = child < 0 ? 1 : run_states(child == 0);

    if (child > 0 && waitpid(child, &status, 0) != child)
        r = 1;
    return r || status != 0;
}
