/* SPDX-License-Identifier: MIT */
/* cmd-apop - the greeting with its timestamp, and APOP (R1 R33).
 * The digest is compared in constant time, lower case only; for an unknown user a digest is
 * computed as well, so that both take the same time. */
#include "proto/pop3/session.h"

#define DIGEST_BYTES 16
#define STAMP_MAX 200

static bool is_stamp(struct postern_span stamp)
{
    for (size_t i = 0; i < stamp.n; i++)
        if (stamp.p[i] <= 0x20 || stamp.p[i] > 0x7e)
            return false;
    return stamp.n > 0 && stamp.n <= STAMP_MAX;
}

static void add_hex(struct reply *reply, const unsigned char *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        char pair[2] = {digits[bytes[i] >> 4], digits[bytes[i] & 15]};

        reply_add(reply, span_make(pair, 2));
    }
}

/* keep_stamp - left in the form of a msg-id: brackets and @host are added when absent */
static void keep_stamp(struct postern_pop3 *s, struct postern_span left)
{
    struct reply stamp;
    bool bare = left.n && left.p[0] != '<';

    if (!is_stamp(left))
        return;
    stamp.n = 0;
    reply_add(&stamp, bare ? SPAN("<") : SPAN(""));
    reply_add(&stamp, left);
    if (bare && span_find(left, '@') == left.n) {
        reply_add(&stamp, SPAN("@"));
        reply_add(&stamp, s->o.host);
    }
    reply_add(&stamp, bare ? SPAN(">") : SPAN(""));
    if (stamp.n <= STAMP_MAX + 100 &&
        pop3_set_text(s, &s->stamp, span_make(stamp.bytes, stamp.n)) < 0)
        pop3_no_memory(s);
}

static void make_stamp(struct postern_pop3 *s, struct postern_span asked)
{
    unsigned char bytes[16];
    struct reply hex;

    if (s->o.stamp == POSTERN_POP3_STAMP_FIXED)
        keep_stamp(s, s->o.stamp_text);
    if (s->o.stamp == POSTERN_POP3_STAMP_ASK)
        keep_stamp(s, asked);
    if (s->o.stamp != POSTERN_POP3_STAMP_RANDOM || !s->o.random ||
        s->o.random->fill(s->o.random->ctx, bytes, sizeof bytes) < 0)
        return; /* no unguessable stamp, no APOP */
    hex.n = 0;
    add_hex(&hex, bytes, sizeof bytes);
    keep_stamp(s, span_make(hex.bytes, hex.n));
}

void pop3_greet(struct postern_pop3 *s, struct postern_span stamp)
{
    struct reply reply;
    struct postern_span text = s->o.greeting;

    if (s->o.crypto)
        make_stamp(s, stamp);
    if (s->failed)
        return;
    reply.n = 0;
    reply_add(&reply, SPAN("+OK "));
    if (text.n > REPLY_LINE_MAX - 320)
        text.n = REPLY_LINE_MAX - 320; /* the stamp must stand whole */
    reply_add_foreign(&reply, text, false);
    if (s->stamp.n) {
        reply_add(&reply, SPAN(" "));
        reply_add(&reply, s->stamp);
    }
    reply_write(&reply, &s->out);
    pop3_enter(s, POSTERN_POP3_AUTHORIZATION);
    arena_drop(&s->arena);
    if (s->shutdown)
        postern_pop3_shutdown(s);
}

void pop3_cmd_apop(struct postern_pop3 *s)
{
    struct postern_span name;

    if (!pop3_keep(s) || !pop3_prepare(s, s->argument[0], &name))
        return;
    if (pop3_set_text(s, &s->name, name) < 0) {
        pop3_no_memory(s);
        return;
    }
    s->question =
        (struct postern_pop3_question){.login = {.method = "APOP", .user = s->name, .tls = s->tls}};
    pop3_ask(s, POSTERN_POP3_AUTH_LOOKUP);
}

/* digest_is - whether the client's digest belongs to the stamp and this secret */
static bool digest_is(struct postern_pop3 *s, struct postern_span secret)
{
    unsigned char digest[POSTERN_HASH_BYTES_MAX];
    struct postern_span joined;
    struct reply hex;
    char *bytes = arena_alloc(&s->arena, s->stamp.n + secret.n + 1);

    if (!bytes) {
        pop3_no_memory(s);
        return false;
    }
    memcpy(bytes, s->stamp.p, s->stamp.n);
    if (secret.n)
        memcpy(bytes + s->stamp.n, secret.p, secret.n);
    joined = span_make(bytes, s->stamp.n + secret.n);
    if (s->o.crypto->hash(POSTERN_HASH_MD5, joined, digest) < 0)
        return false;
    hex.n = 0;
    add_hex(&hex, digest, DIGEST_BYTES);
    return span_same_secret(span_make(hex.bytes, hex.n), s->argument[1]);
}

void pop3_apop_keys(struct postern_pop3 *s, const struct postern_pop3_keys *keys)
{
    bool is_known = keys && keys->apop_secret.p;
    bool matches = digest_is(s, is_known ? keys->apop_secret : SPAN("decoy secret"));

    if (s->failed)
        return;
    if (!is_known || !matches)
        pop3_login_failed(s, POSTERN_NO_CREDENTIALS, (struct postern_span){NULL, 0});
    else
        pop3_open_mailbox(s, keys->user.n ? keys->user : s->name);
}
