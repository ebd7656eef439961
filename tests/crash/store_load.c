/* SPDX-License-Identifier: MIT */
/* store_load - eight writers on one account, for test_power.py to pull the plug: `store_load MAIL
 * LOG SECONDS`. Each message belongs to the writer that appended it; nobody else touches it. The
 * log, which lies elsewhere, has a line before each operation and one after it was acknowledged:
 *
 *   B WRITER NUMBER append|set|flags|expunge ARGUMENTS      it begins
 *   A WRITER NUMBER                                          it was acknowledged
 *
 * append and set: a checksum for each message, as store_victim's list has it; flags: checksum and
 * flags; expunge: checksums. With LOAD_EARLY in the environment acknowledgements are written before
 * the operation: a liar, whom the test must find out. */
#include "base/span.h"
#include <fcntl.h>
#include <postern/store.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WRITERS 8
#define OWN_MAX 40

static struct postern_store store;
static int log_fd;
static time_t end;
static bool early;

struct own {
    uint32_t uid;
    unsigned long long sum;
};

struct writer {
    pthread_t thread;
    unsigned number, operations, seed;
    struct postern_mailbox *box;
    struct own own[OWN_MAX];
    size_t count;
};

static void note(const char *line)
{
    if (write(log_fd, line, strlen(line)) < 0)
        _exit(3);
}

static void begins(struct writer *writer, const char *what, const char *arguments)
{
    char line[400];

    snprintf(line, sizeof line, "B %u %u %s%s\n", writer->number, ++writer->operations, what,
             arguments);
    note(line);
    if (early) {
        snprintf(line, sizeof line, "A %u %u\n", writer->number, writer->operations);
        note(line);
    }
}

static void ended(struct writer *writer, int r)
{
    char line[40];

    if (r < 0) {
        fprintf(stderr, "store_load: %s\n", postern_err_name(r));
        _exit(4);
    }
    snprintf(line, sizeof line, "A %u %u\n", writer->number, writer->operations);
    if (!early)
        note(line);
}

static unsigned long long sum_of(const char *text)
{
    unsigned long long sum = 0;

    for (; *text; text++)
        sum = sum * 31 + (unsigned char)*text;
    return sum;
}

static void append(struct writer *writer, size_t count)
{
    struct postern_delivery *deliveries[3];
    char text[3][4000], arguments[100] = "";
    uint32_t uids[3];
    int r = 0;

    for (size_t i = 0; i < count && !r; i++) {
        int n = snprintf(text[i], sizeof text[i], "Subject: %u.%u.%zu\r\n\r\n", writer->number,
                         writer->operations, i);

        for (unsigned k = (unsigned)rand_r(&writer->seed) % 50; k; k--)
            n += snprintf(text[i] + n, sizeof text[i] - (size_t)n, "line %u of %u\r\n", k,
                          writer->operations);
        snprintf(arguments + strlen(arguments), sizeof arguments - strlen(arguments), " %llx",
                 sum_of(text[i]));
    }
    begins(writer, count > 1 ? "set" : "append", arguments);
    for (size_t i = 0; i < count && !r; i++) {
        r = store.ops->begin(writer->box, NULL, &deliveries[i]);
        if (!r)
            r = store.ops->write(deliveries[i], postern_span_of(text[i]));
    }
    if (!r)
        r = store.ops->commit(deliveries, count, uids);
    ended(writer, r);
    for (size_t i = 0; i < count; i++)
        writer->own[writer->count++] = (struct own){uids[i], sum_of(text[i])};
}

static void flag(struct writer *writer)
{
    struct own *own = &writer->own[(unsigned)rand_r(&writer->seed) % writer->count];
    struct postern_flags_change change = {.how = POSTERN_FLAGS_SET,
                                          .flags = (unsigned)rand_r(&writer->seed) % 32};
    char arguments[60];
    int r;

    snprintf(arguments, sizeof arguments, " %llx %u", own->sum, change.flags);
    begins(writer, "flags", arguments);
    r = store.ops->flags(writer->box, &own->uid, 1, &change, NULL);
    ended(writer, r);
}

static void expunge(struct writer *writer)
{
    size_t count = 1 + (unsigned)rand_r(&writer->seed) % (writer->count < 6 ? writer->count : 6);
    char arguments[200] = "";
    uint32_t uids[6];

    for (size_t i = 0; i < count; i++) {
        const struct own *own = &writer->own[--writer->count];

        uids[i] = own->uid;
        snprintf(arguments + strlen(arguments), sizeof arguments - strlen(arguments), " %llx",
                 own->sum);
    }
    begins(writer, "expunge", arguments);
    ended(writer, store.ops->expunge(writer->box, uids, count));
    store.ops->tidy(writer->box);
}

static void *run(void *arg)
{
    struct writer *writer = arg;

    while (time(NULL) < end) {
        unsigned what = (unsigned)rand_r(&writer->seed) % 10;

        if (writer->count + 3 >= OWN_MAX || (what >= 8 && writer->count))
            expunge(writer);
        else if (what >= 6 && writer->count)
            flag(writer);
        else
            append(writer, what == 0 ? 3 : 1);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    static struct writer writers[WRITERS];

    if (argc != 4 || postern_store_maildir_new(&store, argv[1]) < 0)
        return 2;
    log_fd = open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_TRUNC, 0600);
    end = time(NULL) + (time_t)strtol(argv[3], NULL, 10);
    early = getenv("LOAD_EARLY") != NULL;
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i].number = writers[i].seed = i + 1;
        if (postern_store_inbox(&store, SPAN("alice"), POSTERN_STORE_CREATE, &writers[i].box) < 0)
            return 2;
        pthread_create(&writers[i].thread, NULL, run, &writers[i]);
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        pthread_join(writers[i].thread, NULL);
        store.ops->close(&writers[i].box);
    }
    postern_store_free(&store);
    return 0;
}
