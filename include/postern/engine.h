/* SPDX-License-Identifier: MIT */
/* postern/engine.h - the shape that all protocol engines share.
 *
 * An engine is pulled: the host feeds it bytes and time, asks it for questions, answers them
 * (now or later), and writes out what it lends. It never calls the host. One turn of a host:
 *
 *     n = postern_X_feed(s, bytes, now);             0 = busy: keep the rest and offer it again
 *     while (postern_X_next(s, &question) == 1)      each question is shown once
 *         ... answer it, or remember question.id and answer later ...
 *     while (postern_X_output(s, pieces, k) > 0)     write, then postern_X_sent(s, written)
 *     postern_X_wants(s)                             what can move it on
 *     postern_X_deadline(s)                          when to call postern_X_tick(s, now)
 *
 * A question with id 0 is news: it wants no answer. Spans in a question are lent until it is
 * answered (news: until the next call to next() or feed()). A stale id is refused with
 * POSTERN_E_STALE and changes nothing. Freeing a session is always legal, questions open or not. */
#ifndef POSTERN_ENGINE_H
#define POSTERN_ENGINE_H

#include <postern/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What can move a session on (a mask; see postern_X_wants). */
enum postern_want {
    POSTERN_WANT_READ = 1,        /* bytes from the peer are welcome */
    POSTERN_WANT_WRITE = 2,       /* output is waiting */
    POSTERN_WANT_APPLICATION = 4, /* a question is open or waiting to be asked */
    POSTERN_WANT_TLS = 8,         /* write all output, then do the TLS handshake, then tls_up() */
    POSTERN_WANT_COMPRESS = 32, /* write all output, then compress both ways, then compress_up() */
    POSTERN_WANT_CLOSE = 16     /* write all output, then close the connection and free */
};

/* struct postern_piece - one run of output. bytes.p not NULL: those bytes, lent until sent().
 * bytes.p NULL: bytes.n bytes of the open message `content` from offset on, as they stand in
 * the file that the application named with it; the host may sendfile() them. */
struct postern_piece {
    struct postern_span bytes;
    uint64_t content;
    uint64_t offset;
};

/* struct postern_tls_facts - what the host knows of the TLS session; borrowed, copied. */
struct postern_tls_facts {
    struct postern_span identity;         /* authorized name from a verified client certificate, or
                                           * absent */
    struct postern_span binding_exporter; /* RFC 9266 tls-exporter, 32 bytes, or absent (at most
                                           * 64) */
};

/* enum postern_verdict - the application's word on a login, an opening, a deletion. */
enum postern_verdict {
    POSTERN_YES = 0,
    POSTERN_NO_CREDENTIALS, /* wrong name, password, token, key: [AUTH] */
    POSTERN_NO_TEMPORARY,   /* [SYS/TEMP] */
    POSTERN_NO_PERMANENT,   /* [SYS/PERM] */
    POSTERN_NO_IN_USE,      /* mailbox locked by another session: [IN-USE] */
    POSTERN_NO_LOGIN_DELAY, /* logged in again too soon: [LOGIN-DELAY] */
    POSTERN_NO_POLICY,      /* credentials fine or not, not allowed here: plain refusal */
    POSTERN_NO_NOT_FOUND,   /* no such message, it vanished */
    POSTERN_NO_READ_ONLY    /* [READ-ONLY] */
};

/* postern_verdict_of - what to answer for an error: NOT_FOUND, IN_USE, READ_ONLY and AUTH have
 * their own verdicts, what may pass (AGAIN, IO, FULL, NOMEM) is TEMPORARY, the rest PERMANENT; YES
 * when err >= 0. */
POSTERN_API enum postern_verdict postern_verdict_of(int err);

#ifdef __cplusplus
}
#endif
#endif
