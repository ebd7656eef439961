/* SPDX-License-Identifier: MIT */
/* fuzz_addresses - an address list: in a room of any size what is told fits it, each call takes
 * something off, groups open and close in turn; and addresses that are written down again, quoted,
 * are read as the same. */
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/span.h"
#include <postern/mime.h>

#define ROOM 4096

static void append_quoted(struct buffer *out, struct postern_span text)
{
    buffer_append_char(out, '"');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"' || text.p[i] == '\\')
            buffer_append_char(out, '\\');
        buffer_append_char(out, text.p[i]);
    }
    buffer_append_char(out, '"');
}

/* is_plain - nothing that a quoted string cannot hold. */
static bool is_plain(struct postern_span text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < ' ' || text.p[i] == 127)
            return false;
    return true;
}

/* is_host - dots and letters. */
static bool is_host(struct postern_span text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!(text.p[i] == '-' || (text.p[i] == '.' && i && i + 1 < text.n) ||
              (text.p[i] >= '0' && text.p[i] <= '9') ||
              (ascii_lower(text.p[i]) >= 'a' && ascii_lower(text.p[i]) <= 'z')))
            return false;
    return text.n > 0;
}

/* again - written down and read. */
static void again(const struct postern_mime_address *address)
{
    struct postern_mime_address read;
    struct postern_span rest;
    struct buffer text = {0};
    char room[ROOM];
    bool in_group = false;

    if (!address->mailbox.n || !is_host(address->host) || !is_plain(address->mailbox) ||
        !is_plain(address->name) ||
        address->mailbox.n + address->host.n + address->name.n > ROOM / 4)
        return;
    append_quoted(&text, address->name);
    buffer_append_text(&text, " <");
    append_quoted(&text, address->mailbox);
    buffer_append_char(&text, '@');
    buffer_append(&text, address->host);
    buffer_append_char(&text, '>');
    rest = buffer_span(&text);
    if (!postern_mime_address(&rest, &in_group, &read, room, sizeof room) ||
        read.kind != POSTERN_MIME_ADDRESS_MAILBOX || !span_equal(read.mailbox, address->mailbox) ||
        !span_equal(read.host, address->host) || !span_equal(read.name, address->name)) {
        fprintf(stderr, "%.*s\n", (int)buffer_span(&text).n, buffer_span(&text).p);
        abort();
    }
    buffer_done(&text);
}

static void walk(struct postern_span in, size_t size)
{
    static char room[ROOM];
    struct postern_span rest = in;
    struct postern_mime_address address;
    bool in_group = false, open = false;

    for (size_t left = rest.n + 1; postern_mime_address(&rest, &in_group, &address, room, size);
         left = rest.n) {
        if (address.kind != POSTERN_MIME_ADDRESS_GROUP_END && rest.n >= left)
            abort(); /* nothing was taken: it would go on for ever */
        if (address.kind == POSTERN_MIME_ADDRESS_GROUP_BEGIN && open)
            abort();
        if (address.kind == POSTERN_MIME_ADDRESS_GROUP_END && !open)
            abort();
        if (address.kind != POSTERN_MIME_ADDRESS_MAILBOX)
            open = address.kind == POSTERN_MIME_ADDRESS_GROUP_BEGIN;
        if (address.mailbox.n + address.host.n + address.name.n + address.route.n > size)
            abort();
        if (size == ROOM && address.kind == POSTERN_MIME_ADDRESS_MAILBOX)
            again(&address);
    }
    if (open)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    walk(span_make((const char *)data + 1, size - 1), ROOM);
    walk(span_make((const char *)data + 1, size - 1), data[0]);
    return 0;
}

#include "replay.h"
