/* SPDX-License-Identifier: MIT */
/* compress - zlib, raw DEFLATE both ways. What was inflated waits here until the engine takes it.
 */
#include "serve/compress.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "base/span.h"
#include <zlib.h>

#define INFLATED_BYTES 16384
#define ROUNDS_MAX 4 /* of so many octets in one call: other sessions have their turn */
#define OUTPUT_BYTES 32768
#define PIECES 4
/* 64 KiB for the window and the tables, a quarter of zlib's default: connections are idle mostly */
#define WINDOW_BITS 13
#define MEMORY_LEVEL 6
#define LEVEL 5

struct compress {
    struct compress_engine engine;
    z_stream in, out;
    char inflated[INFLATED_BYTES];
    size_t at, n;  /* of it, what the engine has not taken */
    bool has_more; /* inflate() had more to give than room */
    bool flushed;  /* all that was deflated was flushed */
    struct buffer deflated;
};

int compress_new(struct compress **compress_r, const struct compress_engine *engine)
{
    struct compress *compress = memory_new(NULL, sizeof *compress);

    if (!compress)
        return POSTERN_E_NOMEM;
    compress->engine = *engine;
    compress->flushed = true;
    if (inflateInit2(&compress->in, -15) != Z_OK) {
        memory_free(NULL, compress);
        return POSTERN_E_NOMEM;
    }
    if (deflateInit2(&compress->out, LEVEL, Z_DEFLATED, -WINDOW_BITS, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        inflateEnd(&compress->in);
        memory_free(NULL, compress);
        return POSTERN_E_NOMEM;
    }
    *compress_r = compress;
    return 0;
}

void compress_free(struct compress **compress)
{
    struct compress *c = *compress;

    if (!c)
        return;
    inflateEnd(&c->in);
    deflateEnd(&c->out);
    buffer_done(&c->deflated);
    secret_wipe(c->inflated, sizeof c->inflated);
    memory_free(NULL, c);
    *compress = NULL;
}

/* ---- in -------------------------------------------------------------------------------------- */

/* push - what is inflated, to the engine: how much it took, or <0.
 * I 4978:3-2 */
static int push(struct compress *c, postern_time now)
{
    int taken =
        c->n ? c->engine.feed(c->engine.self, span_make(c->inflated + c->at, c->n), now) : 0;

    if (taken > 0) {
        c->at += (size_t)taken;
        c->n -= (size_t)taken;
    }
    return taken;
}

/* refill - nothing waits: inflate the next piece. 0, POSTERN_E_SYNTAX. */
static int refill(struct compress *c, struct postern_span *in)
{
    int r;

    c->in.next_in = (Bytef *)(uintptr_t)in->p;
    c->in.avail_in = (uInt)in->n;
    c->in.next_out = (Bytef *)c->inflated;
    c->in.avail_out = INFLATED_BYTES;
    r = inflate(&c->in, Z_SYNC_FLUSH);
    *in = span_from(*in, in->n - c->in.avail_in);
    c->at = 0;
    c->n = INFLATED_BYTES - c->in.avail_out;
    c->has_more = c->in.avail_out == 0;
    /* the end of the stream is the end of the session: no plain text follows it */
    return r == Z_OK || r == Z_BUF_ERROR ? 0 : POSTERN_E_SYNTAX;
}

int compress_feed(struct compress *c, struct postern_span in, postern_time now)
{
    size_t all = in.n;

    for (unsigned round = 0; round < ROUNDS_MAX; round++) {
        int taken = push(c, now), err;

        if (taken < 0)
            return taken;
        if (c->n || (in.n == 0 && !c->has_more))
            break;
        err = refill(c, &in);
        if (err)
            return err;
    }
    return (int)(all - in.n);
}

bool compress_go(struct compress *c, postern_time now)
{
    struct postern_span none = {"", 0};
    int taken = push(c, now);

    if (!c->n && c->has_more && refill(c, &none) == 0 && push(c, now) > 0)
        return true;
    return taken > 0;
}

bool compress_waits(const struct compress *c)
{
    return c->n || c->has_more;
}

/* ---- out ------------------------------------------------------------------------------------- */

/* I 4978:4-1 */
static void squeeze(struct compress *c, struct postern_span octets, int flush)
{
    c->out.next_in = (Bytef *)(uintptr_t)octets.p;
    c->out.avail_in = (uInt)octets.n;
    do {
        char *room = buffer_room(&c->deflated, OUTPUT_BYTES / 4);

        if (!room)
            return;
        c->out.next_out = (Bytef *)room;
        c->out.avail_out = OUTPUT_BYTES / 4;
        (void)deflate(&c->out, flush);
        buffer_commit(&c->deflated, OUTPUT_BYTES / 4 - c->out.avail_out);
    } while (c->out.avail_out == 0);
    c->flushed = flush == Z_SYNC_FLUSH;
}

struct postern_span compress_output(struct compress *c, postern_time now)
{
    struct postern_piece pieces[PIECES];
    size_t n;

    while (buffer_length(&c->deflated) < OUTPUT_BYTES && !c->deflated.error &&
           (n = c->engine.output(c->engine.self, pieces, PIECES)) > 0) {
        uint64_t octets = 0;

        for (size_t i = 0; i < n; i++) {
            squeeze(c, pieces[i].bytes, Z_NO_FLUSH);
            octets += pieces[i].bytes.n;
        }
        c->engine.sent(c->engine.self, octets, now);
    }
    if (!c->flushed)
        squeeze(c, span_make("", 0), Z_SYNC_FLUSH);
    return buffer_span(&c->deflated);
}

void compress_sent(struct compress *c, uint64_t n)
{
    buffer_take(&c->deflated, (size_t)n);
    if (buffer_length(&c->deflated) == 0)
        buffer_done(&c->deflated);
}

bool compress_has_output(const struct compress *c)
{
    return buffer_length(&c->deflated) > 0 || !c->flushed;
}
