/* SPDX-License-Identifier: MIT */
/* talk_text - growing byte strings, escapes and base64 for the transcript runner. */
#ifndef WIRE_TALK_TEXT_H
#define WIRE_TALK_TEXT_H

#include <postern/base.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct text {
    char *p;
    size_t n, size;
};

static void text_add(struct text *text, const void *bytes, size_t n)
{
    if (n > SIZE_MAX / 4)
        abort();
    if (text->n + n + 1 > text->size) {
        text->size = (text->n + n + 1) * 2;
        text->p = realloc(text->p, text->size);
        if (!text->p)
            abort();
    }
    if (n)
        memcpy(text->p + text->n, bytes, n);
    text->n += n;
    text->p[text->n] = 0;
}

static void text_put(struct text *text, const char *string)
{
    text_add(text, string, strlen(string));
}

static void text_drop(struct text *text, size_t n)
{
    memmove(text->p, text->p + n, text->n - n);
    text->n -= n;
    text->p[text->n] = 0;
}

static void text_done(struct text *text)
{
    free(text->p);
    *text = (struct text){0};
}

static struct postern_span text_span(const struct text *text)
{
    return (struct postern_span){text->p ? text->p : "", text->n};
}

static int text_hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* text_unescape - \r \n \t \0 \\ \xNN; anything else stands for itself */
static void text_unescape(struct text *out, const char *p, size_t n)
{
    static const char names[] = "rnt0\\", values[] = "\r\n\t\0\\";
    for (size_t i = 0; i < n; i++) {
        const char *name = i + 1 < n && p[i] == '\\' ? memchr(names, p[i + 1], 5) : NULL;
        if (name) {
            text_add(out, &values[name - names], 1);
            i++;
        } else if (i + 3 < n && p[i] == '\\' && p[i + 1] == 'x' && text_hex(p[i + 2]) >= 0 &&
                   text_hex(p[i + 3]) >= 0) {
            char c = (char)(text_hex(p[i + 2]) * 16 + text_hex(p[i + 3]));
            text_add(out, &c, 1);
            i += 3;
        } else {
            text_add(out, p + i, 1);
        }
    }
}

/* text_shown - the bytes as a reader of a failure wants them; at most 160 of them */
static void text_shown(struct text *out, const char *p, size_t n)
{
    char hex[8];
    for (size_t i = 0; i < n && i < 160; i++) {
        if (p[i] == '\r')
            text_put(out, "\\r");
        else if (p[i] == '\n')
            text_put(out, "\\n");
        else if ((unsigned char)p[i] < 32 || p[i] == 127) {
            snprintf(hex, sizeof hex, "\\x%02x", (unsigned char)p[i]);
            text_put(out, hex);
        } else
            text_add(out, p + i, 1);
    }
    if (n > 160)
        text_put(out, "...");
}

static void text_base64(struct text *out, const void *bytes, size_t n)
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = bytes;
    for (size_t i = 0; i < n; i += 3) {
        unsigned v = (unsigned)p[i] << 16;
        v |= i + 1 < n ? (unsigned)p[i + 1] << 8 : 0;
        v |= i + 2 < n ? p[i + 2] : 0;
        char four[4] = {set[v >> 18], set[v >> 12 & 63], i + 1 < n ? set[v >> 6 & 63] : '=',
                        i + 2 < n ? set[v & 63] : '='};
        text_add(out, four, 4);
    }
}

static void text_unbase64(struct text *out, const char *p, size_t n)
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned v = 0, bits = 0;
    for (size_t i = 0; i < n && p[i] != '='; i++) {
        const char *at = memchr(set, p[i], 64);
        v = v << 6 | (unsigned)(at ? at - set : 0);
        bits += 6;
        if (bits >= 8) {
            char c = (char)(v >> (bits -= 8));
            text_add(out, &c, 1);
        }
    }
}

/* word - take the next blank-separated word of *line into out (cut to size); false at the end */
static bool word(const char **line, char *out, size_t size)
{
    const char *p = *line;
    size_t n = 0;
    while (*p == ' ')
        p++;
    while (*p && *p != ' ') {
        if (n + 1 < size)
            out[n++] = *p;
        p++;
    }
    out[n] = 0;
    while (*p == ' ')
        p++;
    *line = p;
    return n > 0;
}

/* begins - whether line begins with this word; *rest_r is then what follows it and one blank */
static bool begins(const char *line, const char *first, const char **rest_r)
{
    size_t n = strlen(first);
    if (strncmp(line, first, n) != 0 || (line[n] && line[n] != ' ' && first[n - 1] != ' '))
        return false;
    *rest_r = line + n + (line[n] == ' ');
    return true;
}

#endif
