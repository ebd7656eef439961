/* SPDX-License-Identifier: MIT */
/* model_client - a client that believes what the server tells it, and nothing else. */
#ifndef MODEL_CLIENT_H
#define MODEL_CLIENT_H

#include "imap_host.h"

#define MESSAGES_MOST 400
#define SESSIONS 3
#define FLAG_UNKNOWN 0x80u

static const char *const flag_names[] = {"\\Seen", "\\Answered", "\\Flagged", "\\Deleted",
                                         "\\Draft"};

/* struct belief - what a client takes to be there: by number, UID (0: not told) and flags. */
struct belief {
    uint32_t uids[MESSAGES_MOST];
    unsigned flags[MESSAGES_MOST];
    unsigned count;
    uint64_t modseq;
    uint32_t validity;
};

/* struct told - of a mailbox that is not selected, by STATUS. */
struct told {
    unsigned messages, uid_next;
    bool known;
};

struct client {
    struct host_session s;
    struct belief belief;
    struct told told[2]; /* of INBOX, of other */
    bool selected, idling, qresync;
    bool notifies, delayed; /* NOTIFY SET; EXPUNGE waits for a command */
    const char *box;
};

struct run {
    struct host host;
    struct client clients[SESSIONS];
    unsigned seed;
    char log[65536];
    size_t log_n;
    bool failed;
};

static unsigned chance(struct run *run, unsigned of)
{
    return (unsigned)rand_r(&run->seed) % of;
}

static void fail(struct run *run, const struct client *client, const char *what, const char *more)
{
    if (!run->failed)
        printf("FAILED: session %d: %s %s\n%s\n", (int)(client - run->clients) + 1, what, more,
               run->log);
    run->failed = true;
}

/* ---- what a client understands --------------------------------------------------------------- */

static unsigned flags_of(const char *text, const char *end)
{
    unsigned flags = 0;

    for (unsigned i = 0; i < 5; i++) {
        const char *found =
            memmem(text, (size_t)(end - text), flag_names[i], strlen(flag_names[i]));

        flags |= found ? 1u << i : 0;
    }
    return flags;
}

static void forget_one(struct belief *belief, unsigned number)
{
    memmove(belief->uids + number - 1, belief->uids + number,
            (belief->count - number) * sizeof *belief->uids);
    memmove(belief->flags + number - 1, belief->flags + number,
            (belief->count - number) * sizeof *belief->flags);
    belief->count--;
}

static void vanished(struct run *run, struct client *client, const char *set, bool earlier)
{
    struct belief *belief = &client->belief;

    while (*set >= '0' && *set <= '9') {
        unsigned long first = strtoul(set, (char **)(uintptr_t)&set, 10), last = first;

        if (*set == ':')
            last = strtoul(set + 1, (char **)(uintptr_t)&set, 10);
        for (unsigned long uid = first; uid <= last; uid++) {
            unsigned i = 0, unknown = 0;

            while (i < belief->count && belief->uids[i] != uid)
                i++;
            /* one whose UID was never shown stands behind those with lower UIDs */
            for (unsigned k = 0; k < belief->count; k++)
                if (belief->uids[k] && belief->uids[k] < uid)
                    unknown = k + 1;
            while (unknown < belief->count && belief->uids[unknown])
                unknown++;
            if (i < belief->count)
                forget_one(belief, i + 1);
            else if (!earlier && unknown < belief->count)
                forget_one(belief, unknown + 1);
            else if (!earlier)
                fail(run, client, "VANISHED of what was never told", set);
        }
        set += *set == ',';
    }
}

static void fetched(struct run *run, struct client *client, unsigned number, const char *rest)
{
    const char *uid = strstr(rest, "UID "), *flags = strstr(rest, "FLAGS (");
    struct belief *belief = &client->belief;

    if (number == 0 || number > belief->count) {
        fail(run, client, "FETCH of a number that is not there", rest);
        return;
    }
    if (uid) {
        uint32_t told = (uint32_t)strtoul(uid + 4, NULL, 10);

        if (belief->uids[number - 1] && belief->uids[number - 1] != told)
            fail(run, client, "a number has another UID", rest);
        belief->uids[number - 1] = told;
    }
    if (flags)
        belief->flags[number - 1] = flags_of(flags + 7, strchr(flags + 7, ')'));
}

static struct told *told_of(struct client *client, const char *box)
{
    return &client->told[box[0] != 'I'];
}

static void take_status(struct client *client, const char *line)
{
    struct told *told = told_of(client, line + strlen("* STATUS \""));
    const char *messages = strstr(line, "MESSAGES "), *uid_next = strstr(line, "UIDNEXT ");

    if (messages && uid_next)
        *told = (struct told){(unsigned)strtoul(messages + 9, NULL, 10),
                              (unsigned)strtoul(uid_next + 8, NULL, 10), true};
}

static void one_line(struct run *run, struct client *client, const char *line)
{
    struct belief *belief = &client->belief;
    unsigned number;
    int n = 0;

    if (strncmp(line, "* STATUS ", 9) == 0)
        take_status(client, line);
    if (sscanf(line, "* %u EXISTS%n", &number, &n) == 1 && n) {
        if (number < belief->count || number >= MESSAGES_MOST)
            fail(run, client, "EXISTS fell, or is beyond all", line);
        for (; belief->count < number && belief->count < MESSAGES_MOST; belief->count++) {
            belief->uids[belief->count] = 0;
            belief->flags[belief->count] = FLAG_UNKNOWN;
        }
    } else if (sscanf(line, "* %u EXPUNGE%n", &number, &n) == 1 && n) {
        if (number == 0 || number > belief->count)
            fail(run, client, "EXPUNGE of what is not there", line);
        else
            forget_one(belief, number);
    } else if (strncmp(line, "* VANISHED (EARLIER) ", 21) == 0) {
        vanished(run, client, line + 21, true);
    } else if (strncmp(line, "* VANISHED ", 11) == 0) {
        vanished(run, client, line + 11, false);
    } else if (sscanf(line, "* %u FETCH (%n", &number, &n) == 1 && n) {
        fetched(run, client, number, line + n);
    } else if (strstr(line, "[HIGHESTMODSEQ ")) {
        belief->modseq = strtoull(strstr(line, "[HIGHESTMODSEQ ") + 15, NULL, 10);
    } else if (strstr(line, "[UIDVALIDITY ")) {
        belief->validity = (uint32_t)strtoul(strstr(line, "[UIDVALIDITY ") + 13, NULL, 10);
    }
}

static void listen(struct run *run, struct client *client)
{
    char *at = client->s.said;

    while (client->s.said_n) {
        char *end = memchr(at, '\n', client->s.said_n);

        if (!end)
            break;
        *end = '\0';
        run->log_n += (size_t)snprintf(run->log + run->log_n, sizeof run->log - run->log_n,
                                       "  S%d %.180s\n", (int)(client - run->clients) + 1, at);
        if (strstr(at, " BAD ") && !strstr(at, "there are not so many messages"))
            fail(run, client, "a good command was not understood", at);
        one_line(run, client, at);
        client->s.said_n -= (size_t)(end - at) + 1;
        at = end + 1;
    }
}

static void say(struct run *run, struct client *client, const char *text)
{
    char line[400];

    run->log_n += (size_t)snprintf(run->log + run->log_n, sizeof run->log - run->log_n, "C%d %s\n",
                                   (int)(client - run->clients) + 1, text);
    if (run->log_n > sizeof run->log - 8192)
        run->log_n = 0;
    snprintf(line, sizeof line, "%s\r\n", text);
    host_say(&client->s, postern_span_of(line), 1 + chance(run, 40));
    listen(run, client);
}

#endif
