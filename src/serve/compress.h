/* SPDX-License-Identifier: MIT */
/* compress - DEFLATE between a connection and an engine (RFC 4978, RFC 1951). What comes is
 * inflated in small pieces, of which the engine takes what it has room for: nobody's octets make
 * more of memory than they are. */
#ifndef SERVE_COMPRESS_H
#define SERVE_COMPRESS_H

#include <postern/engine.h>

/* struct compress_engine - what is compressed for. */
struct compress_engine {
    void *self;
    int (*feed)(void *self, struct postern_span in, postern_time now);
    size_t (*output)(void *self, struct postern_piece *pieces_r, size_t max);
    void (*sent)(void *self, uint64_t n, postern_time now);
};

struct compress;
/* compress_new - engine: copied. POSTERN_E_NOMEM. */
int compress_new(struct compress **compress_r, const struct compress_engine *engine);
void compress_free(struct compress **compress);
/* compress_feed - how many compressed octets were taken; <0: the engine's error, or
 * POSTERN_E_SYNTAX: they are no such. */
int compress_feed(struct compress *compress, struct postern_span in, postern_time now);
/* compress_go - on with what is inflated and waits for the engine; whether it took some. */
bool compress_go(struct compress *compress, postern_time now);
/* compress_waits - is something inflated that the engine has not taken? */
bool compress_waits(const struct compress *compress);
/* compress_output - what the engine has to say, compressed and flushed; lent until the next call.
 */
struct postern_span compress_output(struct compress *compress, postern_time now);
void compress_sent(struct compress *compress, uint64_t n);
bool compress_has_output(const struct compress *compress);

#endif
