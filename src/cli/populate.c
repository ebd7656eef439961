/* SPDX-License-Identifier: MIT */
/* populate - `postern populate USER [--count N] [--rate PER_SECOND] [--seed N]`: random realistic
 * mail into a mailbox, until it is stopped or N are there. For trying clients and filling test
 * mailboxes. */
#include "cli/cli.h"

#include "base/buffer.h"
#include "base/span.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

struct populate {
    long count; /* -1: until stopped */
    double rate;
    uint64_t seed;
    bool bad;
};

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

static uint64_t next(struct populate *populate)
{
    /* splitmix64: a seed gives the same mail again */
    uint64_t z = populate->seed += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static const char *pick(struct populate *populate, const char *const *words, size_t count)
{
    return words[next(populate) % count];
}
#define PICK(populate, words) pick((populate), (words), sizeof(words) / sizeof *(words))

static const char *const people[] = {"Ada", "Grace",  "Edsger", "Barbara",
                                     "Ken", "Dennis", "Radia",  "Jon"};
static const char *const topics[] = {"invoice",  "meeting",    "build failed",  "holiday",
                                     "question", "newsletter", "order shipped", "minutes",
                                     "lunch",    "deployment"};
static const char *const words[] = {
    "the",  "server",  "has",       "sent",   "a",       "message", "about",  "our",
    "next", "release", "please",    "look",   "at",      "it",      "before", "monday",
    "and",  "tell",    "everybody", "thanks", "regards", "we",      "should", "talk"};

static void put_text(struct populate *populate, struct buffer *out)
{
    size_t lines = 3 + next(populate) % 40;

    for (size_t i = 0; i < lines; i++) {
        size_t n = 1 + next(populate) % 12;

        for (size_t j = 0; j < n; j++) {
            buffer_append_text(out, j ? " " : "");
            buffer_append_text(out, PICK(populate, words));
        }
        buffer_append_text(out, next(populate) % 6 ? "\r\n" : ".\r\n\r\n");
    }
}

static void put_attachment(struct populate *populate, struct buffer *out)
{
    size_t lines = 20 + next(populate) % 400;

    buffer_append_text(out, "--frontier\r\nContent-Type: application/octet-stream\r\n"
                            "Content-Transfer-Encoding: base64\r\n"
                            "Content-Disposition: attachment; filename=\"data.bin\"\r\n\r\n");
    for (size_t i = 0; i < lines; i++) {
        for (size_t j = 0; j < 76; j++)
            buffer_append_char(
                out,
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[next(populate) &
                                                                                   63]);
        buffer_append_text(out, "\r\n");
    }
    buffer_append_text(out, "--frontier--\r\n");
}

static void make_message(struct populate *populate, const char *user, long number,
                         struct buffer *out)
{
    const char *from = PICK(populate, people);
    bool multipart = next(populate) % 4 == 0;
    char date[64];
    time_t now = time(NULL);
    struct tm parts;

    gmtime_r(&now, &parts);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &parts);
    buffer_append_text(out, "From: ");
    buffer_append_text(out, from);
    buffer_append_text(out, " <sender@example.org>\r\nTo: ");
    buffer_append_text(out, user);
    buffer_append_text(out, " <recipient@example.org>\r\nSubject: ");
    buffer_append_text(out, PICK(populate, topics));
    buffer_append_text(out, " ");
    buffer_append_number(out, (uint64_t)number);
    buffer_append_text(out, "\r\nDate: ");
    buffer_append_text(out, date);
    buffer_append_text(out, "\r\nMessage-ID: <");
    buffer_append_number(out, next(populate));
    buffer_append_text(out, "@example.org>\r\nMIME-Version: 1.0\r\n");
    if (multipart)
        buffer_append_text(
            out, "Content-Type: multipart/mixed; boundary=frontier\r\n\r\n--frontier\r\n");
    buffer_append_text(out, "Content-Type: text/plain; charset=us-ascii\r\n\r\n");
    put_text(populate, out);
    if (multipart)
        put_attachment(populate, out);
}

static int deliver(struct postern_store *store, struct postern_mailbox *mailbox,
                   struct postern_span message)
{
    return postern_store_deliver(store, mailbox, message, NULL);
}

static int run(struct populate *populate, struct postern_store *store, const char *user)
{
    struct postern_mailbox *mailbox;
    struct timespec pause = {.tv_sec = (time_t)(1 / populate->rate)};
    long made = 0;
    int err = postern_store_inbox(store, postern_span_of(user), POSTERN_STORE_CREATE, &mailbox);

    if (err < 0)
        return cli_fail(user, err);
    pause.tv_nsec = (long)((1 / populate->rate - (double)pause.tv_sec) * 1e9);
    while (!err && !stopped && made != populate->count) {
        struct buffer message = {0};

        make_message(populate, user, ++made, &message);
        err = message.error ? message.error : deliver(store, mailbox, buffer_span(&message));
        buffer_done(&message);
        if (!err && made != populate->count && populate->count < 0)
            nanosleep(&pause, NULL);
    }
    store->ops->close(&mailbox);
    printf("%ld messages delivered to %s\n", err ? made - 1 : made, user);
    return err < 0 ? cli_fail(user, err) : 0;
}

static int own_flag(void *ctx, const char *flag, const char *value, bool *value_used)
{
    struct populate *populate = ctx;
    char *end = (char *)"x";

    if (strcmp(flag, "count") != 0 && strcmp(flag, "rate") != 0 && strcmp(flag, "seed") != 0)
        return 0;
    *value_used = true;
    if (!value)
        populate->bad = true;
    else if (strcmp(flag, "count") == 0)
        populate->count = strtol(value, &end, 10);
    else if (strcmp(flag, "seed") == 0)
        populate->seed = strtoull(value, &end, 10);
    else
        populate->rate = strtod(value, &end);
    populate->bad =
        populate->bad || *end != '\0' || !(populate->rate > 0.0001) || populate->rate > 100000;
    return 1;
}

int cli_populate(int argc, char **argv)
{
    struct populate populate = {.count = -1, .rate = 1, .seed = (uint64_t)time(NULL)};
    struct settings settings = {.own = own_flag, .ctx = &populate};
    struct postern_store store;
    int code = settings_read(&settings, argc, argv);

    if (!code && (populate.bad || !settings.positional))
        code =
            cli_complain(EX_USAGE, "populate", "want USER, --count N, --rate PER_SECOND, --seed N");
    if (!code)
        code = cli_store(&settings.config, &store);
    if (!code) {
        signal(SIGINT, stop);
        signal(SIGTERM, stop);
        code = run(&populate, &store, settings.positional);
        postern_store_free(&store);
    }
    config_done(&settings.config);
    return code;
}
