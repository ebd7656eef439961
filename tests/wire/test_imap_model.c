/* SPDX-License-Identifier: MIT */
/* test_imap_model - random commands of up to four sessions over two mailboxes. A client here
 * believes what the server tells it, and nothing else; at every step its belief is held against
 * what a fresh look by UID shows, and a client that comes back with QRESYNC must end with exactly
 * what is there. One that said NOTIFY asks nothing before it is held to what it was told, also of
 * the mailbox that it has not selected. MODEL_SEED and MODEL_COUNT replay and lengthen. A run that
 * fails is told with its commands. */
#include "model_client.h"

#define STEPS 60

/* ---- commands -------------------------------------------------------------------------------- */

static void set_of(struct run *run, const struct client *client, char *out, size_t size, bool uids)
{
    unsigned top = uids ? 30 : client->belief.count, a, b;

    a = 1 + chance(run, top ? top : 1);
    b = 1 + chance(run, top ? top : 1);
    snprintf(out, size, chance(run, 3) ? "%u:%u" : "%u", a, b);
}

/* change - what a client that said .SILENT takes the flags to be now; others are told. */
static void expect_silent(struct client *client, const char *set, bool by_uid, char how,
                          unsigned flags)
{
    unsigned a = 0, b = 0;

    if (sscanf(set, "%u:%u", &a, &b) == 1)
        b = a;
    for (unsigned i = 0; i < client->belief.count; i++) {
        unsigned key = by_uid ? client->belief.uids[i] : i + 1, low = a < b ? a : b,
                 high = a < b ? b : a;

        if (key < low || key > high)
            continue;
        if (how == '+')
            client->belief.flags[i] |= flags;
        else if (how == '-')
            client->belief.flags[i] &= ~flags;
        else
            client->belief.flags[i] = flags;
    }
}

static void store(struct run *run, struct client *client)
{
    bool by_uid = chance(run, 2), silent = chance(run, 2);
    unsigned flag = chance(run, 5);
    char how = "+-\0"[chance(run, 3)], set[40], line[200];
    struct belief before;

    set_of(run, client, set, sizeof set, by_uid);
    snprintf(line, sizeof line, "a %sSTORE %s %.1sFLAGS%s (%s)", by_uid ? "UID " : "", set,
             how ? &how : "", silent ? ".SILENT" : "", flag_names[flag]);
    /* the change stands in the client's mind before the answers, which can only correct it; a
     * client that does not know a message's flags or UID has nothing to change */
    before = client->belief;
    for (unsigned i = 0; i < before.count; i++)
        if (before.flags[i] & FLAG_UNKNOWN || (by_uid && !before.uids[i]))
            silent = false;
    if (silent) {
        /* news first, then the change, then corrections: as the server orders them */
        say(run, client, "n NOOP");
        set_of(run, client, set, sizeof set, by_uid);
        for (unsigned i = 0; i < client->belief.count; i++)
            if (client->belief.flags[i] & FLAG_UNKNOWN || (by_uid && !client->belief.uids[i]))
                return;
        if (!by_uid && client->belief.count == 0)
            return;
        snprintf(line, sizeof line, "a %sSTORE %s %.1sFLAGS.SILENT (%s)", by_uid ? "UID " : "", set,
                 how ? &how : "", flag_names[flag]);
        expect_silent(client, set, by_uid, how, 1u << flag);
    } else {
        char *dot = strstr(line, ".SILENT");

        if (dot)
            memmove(dot, dot + 7, strlen(dot + 7) + 1);
    }
    say(run, client, line);
}

static void append(struct run *run, struct client *client)
{
    char line[200];

    bool inbox = chance(run, 4);

    snprintf(line, sizeof line, "a APPEND %s %s{4+}\r\nmail", inbox ? "INBOX" : "other",
             chance(run, 2) ? "(\\Flagged) " : "");
    say(run, client, line);
    client->told[!inbox].known = false; /* what it does itself it is not told */
}

/* replace - one of those that are believed in; it may be gone by now. */
static void replace(struct run *run, struct client *client)
{
    char line[120];
    unsigned i;
    bool by_uid;

    if (client->belief.count == 0)
        return;
    i = chance(run, client->belief.count);
    by_uid = chance(run, 2) && client->belief.uids[i];
    snprintf(line, sizeof line, "a %sREPLACE %u %s %s{4+}\r\nmail", by_uid ? "UID " : "",
             by_uid ? client->belief.uids[i] : i + 1, chance(run, 4) ? client->box : "other",
             chance(run, 2) ? "(\\Seen) " : "");
    say(run, client, line);
    client->told[1].known = false;
}

static void copy(struct run *run, struct client *client)
{
    char set[40], line[120];
    bool by_uid = chance(run, 2);

    set_of(run, client, set, sizeof set, by_uid);
    snprintf(line, sizeof line, "a %s%s %s %s", by_uid ? "UID " : "",
             chance(run, 2) ? "COPY" : "MOVE", set, chance(run, 2) ? "INBOX" : "other");
    say(run, client, line);
    client->told[0].known = client->told[1].known = false;
}

/* leave_and_return - with QRESYNC, and what was believed. */
static void leave_and_return(struct run *run, struct client *client)
{
    char line[200];

    if (!client->qresync)
        return;
    say(run, client, "a UNSELECT");
    client->selected = false;
    for (unsigned i = chance(run, 3); i > 0; i--) {
        struct client *other = &run->clients[chance(run, SESSIONS)];

        if (!other->idling)
            append(run, other);
    }
    snprintf(line, sizeof line, "a SELECT %s (QRESYNC (%u %llu))", client->box,
             client->belief.validity, (unsigned long long)client->belief.modseq);
    client->belief.count = 0; /* EXISTS comes first; the UIDs are told below */
    say(run, client, line);
    client->selected = true;
    say(run, client, "a UID FETCH 1:* (FLAGS)");
}

/* notify - from now on it is told all; before that, perhaps, nothing while others go on. */
static void notify(struct run *run, struct client *client)
{
    char line[160];

    if (client->notifies && chance(run, 2)) {
        say(run, client, "a NOTIFY NONE");
        for (unsigned i = 0; i < SESSIONS; i++)
            if (!run->clients[i].idling)
                append(run, &run->clients[i]);
        say(run, client, "a EXPUNGE");
    }
    client->notifies = true;
    client->delayed = chance(run, 3) == 0;
    snprintf(line, sizeof line,
             "a NOTIFY SET STATUS (%s (MessageNew (UID FLAGS) MessageExpunge FlagChange)) "
             "(personal (MessageNew MessageExpunge FlagChange MailboxName))",
             client->delayed ? "selected-delayed" : "selected");
    say(run, client, line);
}

static void select_box(struct run *run, struct client *client)
{
    client->told[0].known = client->told[1].known = false;
    client->belief = (struct belief){.count = 0};
    client->box = chance(run, 3) ? "INBOX" : "other";
    say(run, client, client->box[0] == 'I' ? "a SELECT INBOX" : "a SELECT other");
    client->selected = true;
    say(run, client, "a UID FETCH 1:* (FLAGS)");
}

static void command(struct run *run, struct client *client)
{
    char set[40], line[120];

    if (client->idling) {
        client->idling = false;
        say(run, client, "DONE");
        return;
    }
    if (!client->selected) {
        select_box(run, client);
        return;
    }
    switch (chance(run, 14)) {
    case 0:
        append(run, client);
        break;
    case 1:
    case 2:
    case 3:
        store(run, client);
        break;
    case 4:
        copy(run, client);
        break;
    case 5:
        say(run, client, "a EXPUNGE");
        break;
    case 6:
        set_of(run, client, set, sizeof set, true);
        snprintf(line, sizeof line, "a UID EXPUNGE %s", set);
        say(run, client, line);
        break;
    case 7:
        set_of(run, client, set, sizeof set, false);
        snprintf(line, sizeof line, "a FETCH %s (UID FLAGS%s)", set,
                 chance(run, 3) ? "" : " BODY[]");
        say(run, client, line);
        break;
    case 8:
        say(run, client, "a IDLE");
        client->idling = true;
        break;
    case 9:
        say(run, client, "a SEARCH NOT DELETED");
        break;
    case 10:
        leave_and_return(run, client);
        break;
    case 11:
        replace(run, client);
        break;
    case 12:
        notify(run, client);
        break;
    default:
        client->selected = chance(run, 4);
        say(run, client, client->selected ? "a NOOP" : "a CLOSE");
        break;
    }
}

/* ---- checking -------------------------------------------------------------------------------- */

/* check_other - what it was told of the mailbox that it has not selected is so. */
static void check_other(struct run *run, struct client *client)
{
    const char *other = client->box[0] == 'I' ? "other" : "INBOX";
    struct told told = *told_of(client, other), *now = told_of(client, other);
    char line[80];

    if (!client->notifies || !told.known)
        return;
    snprintf(line, sizeof line, "c STATUS %s (MESSAGES UIDNEXT)", other);
    say(run, client, line);
    if (now->messages != told.messages || now->uid_next != told.uid_next)
        fail(run, client, "a mailbox is not as it was told", other);
}

/* check - after a NOOP, or by NOTIFY, a client knows all: it must be what a fresh look shows. */
static void check(struct run *run, struct client *client)
{
    struct belief before;

    if (!client->selected || client->idling)
        return;
    if (client->notifies && !client->delayed) {
        host_news(&client->s, SIZE_MAX);
        listen(run, client);
    } else {
        say(run, client, "c NOOP");
    }
    check_other(run, client);
    before = client->belief;
    say(run, client, "c UID FETCH 1:* (FLAGS)");
    if (before.count != client->belief.count)
        fail(run, client, "the count changed by looking", "");
    for (unsigned i = 0; i < before.count && i < client->belief.count; i++)
        if (!(before.flags[i] & FLAG_UNKNOWN) && before.flags[i] != client->belief.flags[i])
            fail(run, client, "flags are others than it was told", "");
    for (unsigned i = 0; i < client->belief.count; i++)
        if (!client->belief.uids[i])
            fail(run, client, "a message was not shown", "");
}

static void same_view(struct run *run)
{
    for (unsigned i = 1; i < SESSIONS; i++) {
        const struct client *a = &run->clients[0], *b = &run->clients[i];

        if (!a->selected || !b->selected || a->idling || b->idling || strcmp(a->box, b->box) != 0)
            continue;
        if (a->belief.count != b->belief.count ||
            memcmp(a->belief.uids, b->belief.uids, a->belief.count * sizeof *a->belief.uids) != 0 ||
            memcmp(a->belief.flags, b->belief.flags, a->belief.count * sizeof *a->belief.flags) !=
                0)
            fail(run, b, "two clients see different mailboxes", "");
    }
}

static void begin(struct run *run)
{
    host_open(&run->host);
    for (unsigned i = 0; i < SESSIONS; i++) {
        struct client *client = &run->clients[i];

        host_connect(&run->host, &client->s, true);
        say(run, client, "l LOGIN ann secret");
        if (i == 0)
            say(run, client, "l CREATE other");
        if (i == 1 || chance(run, 3) == 0)
            say(run, client, "l ENABLE QRESYNC"), client->qresync = true;
        for (unsigned n = chance(run, 6); n > 0; n--)
            append(run, client);
        select_box(run, client);
    }
}

static bool play(unsigned seed)
{
    static struct run run;
    bool good;

    memset(&run, 0, sizeof run);
    run.seed = seed;
    begin(&run);
    for (unsigned step = 0; step < STEPS && !run.failed; step++) {
        command(&run, &run.clients[chance(&run, SESSIONS)]);
        for (unsigned i = 0; i < SESSIONS; i++)
            if (run.clients[i].idling || (run.clients[i].notifies && chance(&run, 2))) {
                host_news(&run.clients[i].s, SIZE_MAX);
                listen(&run, &run.clients[i]);
            }
        if (step % 5 == 4) {
            for (unsigned i = 0; i < SESSIONS; i++)
                check(&run, &run.clients[i]);
            same_view(&run);
        }
    }
    good = !run.failed;
    if (!good)
        printf("MODEL_SEED=%u replays it\n", seed);
    for (unsigned i = 0; i < SESSIONS; i++)
        host_hang_up(&run.clients[i].s);
    host_close(&run.host);
    return good;
}

int main(void)
{
    const char *seed = getenv("MODEL_SEED"), *count = getenv("MODEL_COUNT");
    unsigned first = seed ? (unsigned)strtoul(seed, NULL, 10) : 1;
    unsigned n = count  ? (unsigned)strtoul(count, NULL, 10)
                 : seed ? 1
                        : 1000,
             passed = 0, failed = 0;

    for (unsigned i = 0; i < n && failed < 3; i++)
        *(play(first + i) ? &passed : &failed) += 1;
    printf("%u passed, %u failed\n", passed, failed);
    return failed > 0;
}
