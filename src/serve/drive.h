/* SPDX-License-Identifier: MIT */
/* drive - what a connection asks of an engine, the same for each protocol: SERVE_DRIVE_CALLS(pop3)
 * makes the functions over postern_pop3_*(), for a struct serve_pop3 that has its engine as
 * `engine`; SERVE_TABLE a struct serve_protocol of them and of the session's own functions. */
#ifndef SERVE_DRIVE_H
#define SERVE_DRIVE_H

#include "serve/serve.h"

#define SERVE_DRIVE_CALLS(proto)                                                       \
    static struct postern_##proto *engine_of(const void *self)                         \
    {                                                                                  \
        return ((const struct serve_##proto *)self)->engine;                           \
    }                                                                                  \
    static int drive_feed(void *self, struct postern_span in, postern_time now)        \
    {                                                                                  \
        return postern_##proto##_feed(engine_of(self), in, now);                       \
    }                                                                                  \
    static void drive_eof(void *self)                                                  \
    {                                                                                  \
        postern_##proto##_eof(engine_of(self));                                        \
    }                                                                                  \
    static size_t drive_output(void *self, struct postern_piece *pieces_r, size_t max) \
    {                                                                                  \
        return postern_##proto##_output(engine_of(self), pieces_r, max);               \
    }                                                                                  \
    static void drive_sent(void *self, uint64_t n, postern_time now)                   \
    {                                                                                  \
        postern_##proto##_sent(engine_of(self), n, now);                               \
    }                                                                                  \
    static unsigned drive_wants(const void *self)                                      \
    {                                                                                  \
        return postern_##proto##_wants(engine_of(self));                               \
    }                                                                                  \
    static postern_time drive_deadline(const void *self)                               \
    {                                                                                  \
        return postern_##proto##_deadline(engine_of(self));                            \
    }                                                                                  \
    static void drive_tick(void *self, postern_time now)                               \
    {                                                                                  \
        postern_##proto##_tick(engine_of(self), now);                                  \
    }                                                                                  \
    static int drive_tls_up(void *self, const struct postern_tls_facts *facts)         \
    {                                                                                  \
        return postern_##proto##_tls_up(engine_of(self), facts);                       \
    }                                                                                  \
    static void drive_shutdown(void *self)                                             \
    {                                                                                  \
        postern_##proto##_shutdown(engine_of(self));                                   \
    }

/* SERVE_TABLE - the functions as a protocol; make is one of the protocol's own. */
#define SERVE_TABLE(symbol, text, text_tls, text_alpn, text_refusal, make_function) \
    const struct serve_protocol serve_##symbol = {.name = text,                     \
                                                  .name_tls = text_tls,             \
                                                  .alpn = text_alpn,                \
                                                  .refusal = text_refusal,          \
                                                  .make = make_function,            \
                                                  .feed = drive_feed,               \
                                                  .eof = drive_eof,                 \
                                                  .pump = session_pump,             \
                                                  .output = drive_output,           \
                                                  .file_of = session_file,          \
                                                  .sent = drive_sent,               \
                                                  .wants = drive_wants,             \
                                                  .deadline = drive_deadline,       \
                                                  .tick = drive_tick,               \
                                                  .tls_up = drive_tls_up,           \
                                                  .shutdown = drive_shutdown,       \
                                                  .free = session_free}

#endif
