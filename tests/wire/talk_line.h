/* SPDX-License-Identifier: MIT */
/* talk_line - what talks of many to a file share: how a line is told, compared, and read. */
#ifndef TESTS_TALK_LINE_H
#define TESTS_TALK_LINE_H

#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TALK_LINES_MOST 4000

/* line_fits - "{*}" in what is expected stands for anything up to what follows it. */
static inline bool line_fits(const char *expected, const char *got, size_t n)
{
    const char *end = got + n;

    while (*expected) {
        if (strncmp(expected, "{*}", 3) == 0) {
            const char *rest = expected + 3;

            for (; got <= end; got++)
                if (line_fits(rest, got, (size_t)(end - got)))
                    return true;
            return false;
        }
        if (got == end || *got != *expected)
            return false;
        got++;
        expected++;
    }
    return got == end;
}

/* line_add - text of a client's line, behind n octets of *out, which grows: "\r\n" behind it unless
 * it ends with a backslash; \x41, \\ and \r\n are octets. How many there are then. */
static inline size_t line_add(char **out, size_t n, const char *text)
{
    bool open = false;

    *out = realloc(*out, n + strlen(text) + 3);
    if (!*out)
        abort();
    for (; *text; text++) {
        char c = *text;

        if (c == '\\' && text[1] == '\0') {
            open = true;
            break;
        }
        if (c == '\\' && text[1] == 'x') {
            c = (char)strtol((char[]){text[2], text[3], 0}, NULL, 16);
            text += 3;
        } else if (c == '\\' && (text[1] == '\\' || text[1] == 'r' || text[1] == 'n')) {
            c = text[1] == 'r' ? '\r' : text[1] == 'n' ? '\n' : '\\';
            text++;
        }
        (*out)[n++] = c;
    }
    if (!open) {
        memcpy(*out + n, "\r\n", 2);
        n += 2;
    }
    return n;
}

/* struct line_names - what a talk remembers of what was said: "{V=*}" is anything, and "{V}" in a
 * later line is that again. */
struct line_names {
    char value['Z' - 'A' + 1][100];
};

/* line_named - the line with what its names stand for. Its memory is the caller's. */
static inline char *line_named(const struct line_names *names, const char *text)
{
    char *out = malloc(strlen(text) * sizeof names->value[0] + 1), *at = out;

    if (!out)
        abort();
    while (*text)
        if (text[0] == '{' && text[1] >= 'A' && text[1] <= 'Z' && text[2] == '}') {
            at += sprintf(at, "%s", names->value[text[1] - 'A']);
            text += 3;
        } else {
            *at++ = *text++;
        }
    *at = '\0';
    return out;
}

/* line_learn - "{V=*}" in what was expected takes its value from what was said, up to the octet
 * that follows it; nothing before it in the line may be left open. It is "{*}" then. */
static inline void line_learn(struct line_names *names, char *expected, const char *got, size_t n)
{
    char *mark;
    size_t at, end;

    for (mark = expected; (mark = strchr(mark, '{')) != NULL; mark++)
        if (mark[1] >= 'A' && mark[1] <= 'Z' && strncmp(mark + 2, "=*}", 3) == 0)
            break;
    if (!mark)
        return;
    at = (size_t)(mark - expected);
    for (end = at; end < n && got[end] != mark[5]; end++)
        continue;
    if (at <= n && end - at < sizeof names->value[0])
        snprintf(names->value[mark[1] - 'A'], sizeof names->value[0], "%.*s", (int)(end - at),
                 got + at);
    memmove(mark + 1, mark + 3, strlen(mark + 3) + 1);
}

/* talk_has - does this line stand in the talk? */
static inline bool talk_has(char **lines, unsigned count, const char *line)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(lines[i], line) == 0)
            return true;
    return false;
}

/* talk_file - each talk of a file; they are parted by lines "== what it shows". */
static inline void talk_file(const char *path,
                             void (*talk)(const char *name, char **lines, unsigned count))
{
    static char *lines[TALK_LINES_MOST];
    char name[400] = "", text[4000];
    FILE *in = fopen(path, "r");
    unsigned count = 0;

    snprintf(name, sizeof name, "%.300s", path);
    while (in && fgets(text, sizeof text, in)) {
        text[strcspn(text, "\n")] = '\0';
        if (strncmp(text, "== ", 3) == 0) {
            if (count)
                talk(name, lines, count);
            while (count)
                free(lines[--count]);
            snprintf(name, sizeof name, "%.200s: %.150s", path, text + 3);
        } else if (count < TALK_LINES_MOST) {
            lines[count++] = strdup(text);
        }
    }
    if (count)
        talk(name, lines, count);
    while (count)
        free(lines[--count]);
    if (in)
        fclose(in);
}

/* talk_files - those named, or all that fit the pattern. */
static inline void talk_files(int argc, char **argv, const char *pattern,
                              void (*talk)(const char *name, char **lines, unsigned count))
{
    glob_t found = {0};

    if (argc < 2)
        glob(pattern, 0, NULL, &found);
    for (int i = 1; i < argc; i++)
        talk_file(argv[i], talk);
    for (size_t i = 0; i < found.gl_pathc; i++)
        talk_file(found.gl_pathv[i], talk);
    globfree(&found);
}

#endif
