/* SPDX-License-Identifier: MIT */
/* postern/base.h - what every other header stands on: text, time, errors, memory, hash functions.
 *
 * Ownership words used in all headers:  borrowed (for this call only), lent until X,
 * taken (the callee frees it), given (the caller frees it with Y).
 * Threads: an object belongs to one thread at a time; the libraries have no mutable globals. */
#ifndef POSTERN_BASE_H
#define POSTERN_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define POSTERN_VERSION "0.1.0"

#if defined(__GNUC__)
#define POSTERN_API __attribute__((visibility("default")))
#define POSTERN_MUST_USE __attribute__((warn_unused_result))
#else
#define POSTERN_API
#define POSTERN_MUST_USE
#endif

/* postern_time - a monotonic moment or a duration, in nanoseconds. The libraries never read a
 * clock. */
typedef uint64_t postern_time;
#define POSTERN_NEVER UINT64_MAX
#define POSTERN_SECOND UINT64_C(1000000000)

/* struct postern_span - n bytes at p; never NUL-terminated by promise; {NULL, 0} is "absent". */
struct postern_span {
    const char *p;
    size_t n;
};

/* postern_span_of - the span over a NUL-terminated string (lent as long as text is). NULL gives
 * {NULL, 0}. */
POSTERN_API struct postern_span postern_span_of(const char *text);

/* Error codes: X(name, number, category, text). Categories tell a caller what to do:
 * PEER broke the protocol, LOCAL something failed here, USAGE the caller made a mistake,
 * AGAIN may be tried later. */
#define POSTERN_ERR_MAP(X)                                \
    X(NOMEM, 1, LOCAL, "out of memory")                   \
    X(IO, 2, LOCAL, "input/output error")                 \
    X(USAGE, 3, USAGE, "call not allowed in this state")  \
    X(STALE, 4, USAGE, "this question is no longer open") \
    X(SYNTAX, 5, PEER, "malformed input")                 \
    X(TOO_LONG, 6, PEER, "input exceeds a limit")         \
    X(CLOSED, 7, PEER, "the session is over")             \
    X(NOT_FOUND, 8, LOCAL, "no such object")              \
    X(EXISTS, 9, LOCAL, "exists already")                 \
    X(IN_USE, 10, AGAIN, "locked by another session")     \
    X(AGAIN, 11, AGAIN, "not now, try again")             \
    X(DENIED, 12, LOCAL, "not permitted")                 \
    X(UNSUPPORTED, 13, USAGE, "not supported here")       \
    X(CORRUPT, 14, LOCAL, "stored data are damaged")      \
    X(FULL, 15, AGAIN, "no space or quota left")          \
    X(AUTH, 16, PEER, "credentials refused")              \
    X(READ_ONLY, 17, LOCAL, "read-only")

enum postern_err_category {
    POSTERN_ERR_PEER = 1,
    POSTERN_ERR_LOCAL,
    POSTERN_ERR_USAGE,
    POSTERN_ERR_AGAIN
};

/* enum postern_err - functions return 0 or a count on success and one of these on failure. */
enum postern_err {
#define POSTERN_ERR_ENUM(name, number, category, text) POSTERN_E_##name = -(number),
    POSTERN_ERR_MAP(POSTERN_ERR_ENUM)
#undef POSTERN_ERR_ENUM
};

/* postern_err_text - English text of a code; never NULL, static. */
POSTERN_API const char *postern_err_text(int err);
/* postern_err_name - "NOMEM" and so on; never NULL, static. */
POSTERN_API const char *postern_err_name(int err);
/* postern_err_category - what kind of failure err is; POSTERN_ERR_USAGE for an unknown code. */
POSTERN_API enum postern_err_category postern_err_category(int err);

/* struct postern_allocator - where an object's memory comes from. A NULL pointer to one means
 * malloc. resize(ctx, NULL, n) allocates, resize(ctx, p, 0) frees and returns NULL, otherwise like
 * realloc(); NULL for n > 0 means out of memory and leaves p as it was. Lent until the object is
 * freed. */
struct postern_allocator {
    void *(*resize)(void *ctx, void *p, size_t size_bytes);
    void *ctx;
};

/* postern_allocator_malloc - the allocator over malloc(), realloc(), free(). */
POSTERN_API const struct postern_allocator *postern_allocator_malloc(void);

/* struct postern_random - where unguessable bytes come from. fill() writes n bytes to out and
 * returns 0, or <0 when it cannot (the operation that needed them then fails safely). */
struct postern_random {
    int (*fill)(void *ctx, void *out, size_t n);
    void *ctx;
};

/* enum postern_hash - the hash functions that mechanisms need. */
enum postern_hash { POSTERN_HASH_MD5 = 1, POSTERN_HASH_SHA1, POSTERN_HASH_SHA256 };
#define POSTERN_HASH_BYTES_MAX 32

/* struct postern_crypto - hash functions come in from outside, so that engines link without any.
 * Each returns 0 or <0. out has 16, 20 or 32 bytes. A mechanism whose hash fails is refused. */
struct postern_crypto {
    int (*hash)(enum postern_hash hash, struct postern_span data, unsigned char *out);
    int (*hmac)(enum postern_hash hash, struct postern_span key, struct postern_span data,
                unsigned char *out);
};

#ifdef __cplusplus
}
#endif
#endif
