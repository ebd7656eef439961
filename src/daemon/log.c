/* SPDX-License-Identifier: MIT */
/* log - one line per event.
 *
 * Owns the log's descriptor. A reopen puts the new file under the same number (dup2), so writers
 * need no lock. Values are quoted when anything but harmless characters is in them, and bytes
 * outside printable ASCII are written \xNN: a user name cannot end its field or its line. Trap:
 * secrets never get here; nobody passes them. */
#include "daemon/log.h"

#include "base/memory.h"
#include "base/span.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct log {
    int fd;
    char *path; /* NULL: stderr */
    enum log_level level;
};

static const char *const level_names[] = {"error", "warn", "info", "debug"};

static int level_of(const char *name)
{
    for (int i = 0; i < 4; i++)
        if (strcmp(level_names[i], name) == 0)
            return i;
    return POSTERN_E_SYNTAX;
}

static int file_open(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

int log_open(struct log **log_r, const char *target, const char *level)
{
    struct log *log = NULL;
    int number = level_of(level);

    if (number < 0)
        return number;
    log = memory_new(NULL, sizeof *log);
    if (!log)
        return POSTERN_E_NOMEM;
    *log = (struct log){.fd = STDERR_FILENO, .level = (enum log_level)number};
    if (strcmp(target, "stderr") != 0) {
        log->path = strdup(target);
        log->fd = log->path ? file_open(target) : -1;
    }
    if (log->fd < 0) {
        log_close(&log);
        return POSTERN_E_IO;
    }
    *log_r = log;
    return 0;
}

void log_close(struct log **log)
{
    if (!log || !*log)
        return;
    if ((*log)->path && (*log)->fd >= 0)
        close((*log)->fd);
    free((*log)->path);
    memory_free(NULL, *log);
    *log = NULL;
}

int log_reopen(struct log *log)
{
    int fd, r;

    if (!log->path)
        return 0;
    fd = file_open(log->path);
    if (fd < 0)
        return POSTERN_E_IO;
    r = dup3(fd, log->fd, O_CLOEXEC) < 0 ? POSTERN_E_IO : 0;
    close(fd);
    return r;
}

/* ---- the line -------------------------------------------------------------------------------- */

struct line {
    char *out;
    size_t n, max; /* max keeps room for the line end */
};

static void put(struct line *line, const char *bytes, size_t n)
{
    if (n > line->max - line->n) {
        line->max = line->n; /* cut here: nothing after it may be put in its place */
        return;
    }
    memcpy(line->out + line->n, bytes, n);
    line->n += n;
}

static void put_text(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

static bool is_harmless(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c && strchr("-._:/@+[]%,", c));
}

static bool wants_quotes(const char *key, const char *value)
{
    if (strcmp(key, "user") == 0)
        return true;
    while (*value && is_harmless((unsigned char)*value))
        value++;
    return *value != '\0';
}

static void put_quoted(struct line *line, const char *value)
{
    char hex[5];

    put(line, "\"", 1);
    for (; *value; value++) {
        unsigned char c = (unsigned char)*value;

        if (c == '"' || c == '\\') {
            snprintf(hex, sizeof hex, "\\%c", c);
            put_text(line, hex);
        } else if (c < 0x20 || c > 0x7e) {
            snprintf(hex, sizeof hex, "\\x%02x", c);
            put_text(line, hex);
        } else {
            put(line, value, 1);
        }
    }
    put(line, "\"", 1);
}

static void put_pair(struct line *line, const char *key, const char *value)
{
    put_text(line, " ");
    put_text(line, key);
    put_text(line, "=");
    if (wants_quotes(key, value))
        put_quoted(line, value);
    else
        put_text(line, value);
}

size_t log_format(char *out, size_t size, const char *time, enum log_level level, const char *event,
                  const char *const *pairs)
{
    struct line line = {.out = out, .max = size - 1};

    put_text(&line, time);
    put_text(&line, " ");
    put_text(&line, level_names[level]);
    put_text(&line, " ");
    put_text(&line, event);
    for (; pairs && pairs[0]; pairs += 2)
        if (pairs[1] && pairs[1][0])
            put_pair(&line, pairs[0], pairs[1]);
    out[line.n++] = '\n';
    return line.n;
}

static void time_text(char *out, size_t size)
{
    struct timespec now;
    struct tm tm;
    char seconds[24];

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out, size, "%s.%03dZ", seconds, (int)(now.tv_nsec / 1000000));
}

void log_event(struct log *log, enum log_level level, const char *event, const char *const *pairs)
{
    char text[32], line[LOG_LINE_MAX];
    size_t n, done = 0;

    if (level > log->level)
        return;
    time_text(text, sizeof text);
    n = log_format(line, sizeof line, text, level, event, pairs);
    while (done < n) {
        ssize_t r = write(log->fd, line + done, n - done);

        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return; /* nowhere to complain to */
        done += (size_t)r;
    }
}

void log_note(struct log *log, enum log_level level, const char *event, const char *key1,
              const char *value1, const char *key2, const char *value2)
{
    const char *pairs[] = {key1, value1, key2, value2, NULL};

    log_event(log, level, event, pairs);
}
