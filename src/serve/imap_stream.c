/* SPDX-License-Identifier: MIT */
/* imap_stream - what a connection asks of an IMAP session; between it and the engine octets are
 * compressed, once the client asked for it. */
#include "serve/compress.h"
#include "serve/drive.h"
#include "serve/imap_session.h"

#include "base/span.h"

/* session_file - no piece names a file here. */
static int session_file(void *self, uint64_t content, uint64_t offset, uint64_t *file_offset_r)
{
    (void)self, (void)content, (void)offset, (void)file_offset_r;
    return -1;
}

SERVE_DRIVE_CALLS(imap)

static void compress_begin(struct serve_imap *s)
{
    struct compress_engine engine = {s, drive_feed, drive_output, drive_sent};

    if (compress_new(&s->compress, &engine) < 0 || postern_imap_compress_up(s->engine) < 0)
        postern_imap_eof(s->engine); /* the client was told that it is: there is no way back */
}

static int any_feed(void *self, struct postern_span in, postern_time now)
{
    struct serve_imap *s = self;
    int took;

    if (!s->takes_rest)
        imap_look_again(s);
    took = s->compress ? compress_feed(s->compress, in, now) : drive_feed(self, in, now);
    s->takes_rest = took >= 0 && (size_t)took < in.n;
    return took;
}

static void any_eof(void *self)
{
    struct serve_imap *s = self;

    s->eof_due = s->compress && compress_waits(s->compress);
    if (!s->eof_due)
        drive_eof(self);
}

static void any_pump(void *self, postern_time now)
{
    struct serve_imap *s = self;
    struct postern_piece piece;

    do
        imap_session_pump(self, now);
    while (s->compress && compress_go(s->compress, now));
    if (s->eof_due)
        any_eof(self);
    if (postern_imap_wants(s->engine) & POSTERN_WANT_COMPRESS && !drive_output(self, &piece, 1))
        compress_begin(s);
}

static size_t any_output(void *self, struct postern_piece *pieces_r, size_t max)
{
    struct serve_imap *s = self;

    if (!s->compress)
        return drive_output(self, pieces_r, max);
    pieces_r[0] = (struct postern_piece){.bytes = compress_output(s->compress, s->login.now)};
    return pieces_r[0].bytes.n > 0;
}

static void any_sent(void *self, uint64_t n, postern_time now)
{
    struct serve_imap *s = self;

    if (s->compress)
        compress_sent(s->compress, n);
    else
        drive_sent(self, n, now);
}

static unsigned any_wants(const void *self)
{
    const struct serve_imap *s = self;
    unsigned wants = drive_wants(self) & ~(unsigned)POSTERN_WANT_COMPRESS;

    return s->compress && compress_has_output(s->compress) ? wants | POSTERN_WANT_WRITE : wants;
}

const struct serve_protocol serve_imap = {.name = "imap",
                                          .name_tls = "imaps",
                                          .alpn = "imap",
                                          .refusal = "* BYE [LIMIT] too many connections\r\n",
                                          .make = imap_session_new,
                                          .feed = any_feed,
                                          .eof = any_eof,
                                          .pump = any_pump,
                                          .output = any_output,
                                          .file_of = session_file,
                                          .sent = any_sent,
                                          .wants = any_wants,
                                          .deadline = drive_deadline,
                                          .tick = drive_tick,
                                          .tls_up = drive_tls_up,
                                          .shutdown = drive_shutdown,
                                          .free = imap_session_free};
