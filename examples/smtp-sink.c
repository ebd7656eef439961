/* SPDX-License-Identifier: MIT */
/* smtp-sink [PORT [DIR]] - takes every message for everybody, writes each to a file of DIR
 * (default: here), and tells its path. One client after the other; smtp.h does the protocol. */
#include "listen.h"

#include <postern/smtp.h>
#include <stdlib.h>

struct sink {
    struct postern_smtp *smtp;
    FILE *file;
    unsigned count;
    const char *folder;
    char path[4096];
};

static void forget(struct sink *sink)
{
    if (sink->file)
        remove(sink->path), fclose(sink->file);
    sink->file = NULL;
}

/* keep - it is on disk before 250 is said. */
static int keep(struct sink *sink)
{
    if (fflush(sink->file) != 0 || fsync(fileno(sink->file)) != 0)
        return forget(sink), POSTERN_E_IO;
    fclose(sink->file);
    sink->file = NULL;
    return printf("%s\n", sink->path) > 0 && fflush(stdout) == 0 ? 0 : POSTERN_E_IO;
}

static int answer(struct sink *sink, const struct postern_smtp_question *q)
{
    switch (q->kind) {
    case POSTERN_SMTP_BEGIN:
        snprintf(sink->path, sizeof sink->path, "%s/%u.eml", sink->folder, ++sink->count);
        sink->file = fopen(sink->path, "wxe");
        return sink->file ? 0 : POSTERN_E_IO;
    case POSTERN_SMTP_WRITE:
        return fwrite(q->bytes.p, 1, q->bytes.n, sink->file) == q->bytes.n ? 0 : POSTERN_E_IO;
    case POSTERN_SMTP_COMMIT:
        return keep(sink);
    default: /* CONNECT, HELO, MAIL, RCPT, HEADERS: welcome, all of them */
        return 0;
    }
}

static void turn(struct sink *sink, int fd)
{
    struct postern_smtp_question q;
    struct postern_piece piece;
    ssize_t sent;

    while (postern_smtp_next(sink->smtp, &q) == 1) {
        struct postern_smtp_reply reply = postern_smtp_reply_of(q.id ? answer(sink, &q) : 0);

        if (!q.id)
            forget(sink);
        else if (postern_smtp_answer(sink->smtp, q.id, &reply) < 0)
            return;
    }
    while (postern_smtp_output(sink->smtp, &piece, 1) &&
           (sent = write(fd, piece.bytes.p, piece.bytes.n)) > 0)
        postern_smtp_sent(sink->smtp, (uint64_t)sent, clock_now());
}

static void serve(int fd, struct sink *sink)
{
    char in[65536];
    ssize_t got;

    turn(sink, fd);
    while (!(postern_smtp_wants(sink->smtp) & POSTERN_WANT_CLOSE) &&
           (got = read(fd, in, sizeof in)) > 0)
        for (int n = 0, used = 0; n >= 0 && used < got; used += n) {
            struct postern_span rest = {in + used, (size_t)(got - used)};

            n = postern_smtp_feed(sink->smtp, rest, clock_now());
            turn(sink, fd);
        }
}

int main(int argc, char **argv)
{
    struct postern_smtp_options options;
    int listener = listen_local(argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1025), fd;

    POSTERN_SMTP_OPTIONS_INIT(&options);
    for (struct sink sink = {.folder = argc > 2 ? argv[2] : "."};
         (fd = accept(listener, NULL, NULL)) >= 0; close(fd)) {
        if (postern_smtp_new(&sink.smtp, &options, NULL, clock_now()) == 0)
            serve(fd, &sink);
        forget(&sink);
        postern_smtp_free(&sink.smtp);
    }
    return 1;
}
