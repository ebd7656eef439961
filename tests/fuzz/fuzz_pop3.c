/* SPDX-License-Identifier: MIT */
/* fuzz_pop3 - targets postern_pop3_*: commands, answers, fragments and time come from the input.
 * The first octet chooses options. Then the input is text for the peer's side, in which an octet
 * 0xF0..0xFF is an order to the host: answer so, wait so long, hang up, begin TLS. */
#include <stdlib.h>
#include <string.h>

#include <postern/pop3.h>

static const struct postern_entry entries[] = {
    {.size_bytes = 24, .uid_offset = 0, .uid_length = 1},
    {.size_bytes = 16, .uid_offset = 1, .uid_length = 1, .flags = POSTERN_ENTRY_UTF8}};
static const char content[] = "Subject: \xc3\xa9\n\n.dot\n.\n..\r\n\rend";
static const struct postern_span nothing = {NULL, 0};

struct host {
    struct postern_pop3 *s;
    postern_time now;
    unsigned mood; /* bends the answers */
    unsigned expunged;
};

static int sure_fill(void *ctx, void *out, size_t n)
{
    (void)ctx;
    memset(out, 7, n);
    return 0;
}

static int toy_hash(enum postern_hash hash, struct postern_span data, unsigned char *out)
{
    size_t n = hash == POSTERN_HASH_MD5 ? 16 : hash == POSTERN_HASH_SHA1 ? 20 : 32;

    memset(out, (int)(data.n & 0xff), n);
    return 0;
}

static int toy_hmac(enum postern_hash hash, struct postern_span key, struct postern_span data,
                    unsigned char *out)
{
    (void)key;
    return toy_hash(hash, data, out);
}

static int answer_mailbox(struct host *h, const struct postern_pop3_question *q,
                          enum postern_verdict verdict)
{
    struct postern_pop3_mailbox mailbox = {.list = {entries, 2, "ab", 40},
                                           .knows_activity = h->mood & 16,
                                           .read_only = h->mood & 32,
                                           .expire_days = -1,
                                           .login_delay_s = -1};

    return postern_pop3_answer_open(h->s, q->id, verdict, &mailbox, nothing);
}

static int answer_read(struct host *h, const struct postern_pop3_question *q)
{
    size_t at = q->offset < sizeof content - 1 ? (size_t)q->offset : sizeof content - 1;
    struct postern_span left = {content + at, sizeof content - 1 - at};
    size_t most = h->mood & 8 ? 1 : q->length;

    if (left.n > most)
        left.n = most;
    return postern_pop3_answer_read(h->s, q->id, h->mood % 11 == 3 ? POSTERN_E_IO : 0, left);
}

static int answer_keys(struct host *h, const struct postern_pop3_question *q,
                       enum postern_verdict verdict)
{
    struct postern_pop3_keys keys = {
        .scram = {.salt = {"salt", 4},
                  .iterations = 4096,
                  .stored_key = {"01234567890123456789012345678901", 32},
                  .server_key = {"01234567890123456789012345678901", 32}},
        .apop_secret = {"s", 1}};

    return postern_pop3_answer_keys(h->s, q->id, verdict, h->mood & 64 ? NULL : &keys, nothing);
}

static int answer_command(struct host *h, const struct postern_pop3_question *q)
{
    struct postern_pop3_reply reply = {.ok = h->mood & 1,
                                       .code = {"C/D", 3},
                                       .text = {"[x]\r\ny", 6},
                                       .multiline = h->mood & 2,
                                       .lines = {".a\n.", 4},
                                       .effects = h->mood >> 2 & 7};

    return postern_pop3_answer_command(h->s, q->id, &reply);
}

static void answer(struct host *h, const struct postern_pop3_question *q)
{
    struct postern_pop3_message message = {
        .content = 1, .size_raw = h->mood & 2 ? UINT64_MAX : sizeof content - 1};
    enum postern_verdict verdict =
        h->mood & 4 ? (enum postern_verdict)(h->mood % (POSTERN_NO_READ_ONLY + 1)) : POSTERN_YES;
    struct postern_pop3_ref ref;
    size_t cursor = 0, walked = 0;
    int err = 0;

    if (q->id == 0)
        return;
    if (h->mood == 127)
        err = postern_pop3_answer_default(h->s, q->id);
    else if (q->kind == POSTERN_POP3_CONNECT)
        err = postern_pop3_answer_connect(h->s, q->id, verdict, nothing, nothing);
    else if (q->kind == POSTERN_POP3_AUTHENTICATE)
        err = postern_pop3_answer_authenticate(h->s, q->id, verdict, nothing, nothing);
    else if (q->kind == POSTERN_POP3_AUTH_LOOKUP)
        err = answer_keys(h, q, verdict);
    else if (q->kind == POSTERN_POP3_OPEN)
        err = answer_mailbox(h, q, verdict);
    else if (q->kind == POSTERN_POP3_FIND)
        err = postern_pop3_answer_find(h->s, q->id, verdict, 9, h->mood & 1, nothing);
    else if (q->kind == POSTERN_POP3_MESSAGE)
        err = postern_pop3_answer_message(h->s, q->id, verdict, &message, nothing);
    else if (q->kind == POSTERN_POP3_READ)
        err = answer_read(h, q);
    else if (q->kind == POSTERN_POP3_COMMAND)
        err = answer_command(h, q);
    if (q->kind == POSTERN_POP3_EXPUNGE && h->mood != 127) {
        while (postern_pop3_expunge_next(h->s, &cursor, &ref) == 1)
            walked++;
        if (walked != q->count)
            abort();
        err = postern_pop3_answer_expunge(h->s, q->id, verdict, nothing);
    }
    if (err != 0 && err != POSTERN_E_NOMEM)
        abort(); /* an open question takes its answer */
}

static void pump(struct host *h)
{
    struct postern_pop3_question q;
    struct postern_piece pieces[3];
    size_t count;

    for (bool moved = true; moved;) {
        uint64_t total = 0;

        moved = postern_pop3_next(h->s, &q) == 1;
        if (moved)
            answer(h, &q);
        count = postern_pop3_output(h->s, pieces, 3);
        for (size_t i = 0; i < count; i++)
            total += pieces[i].bytes.n;
        if (h->mood & 1 && total > 1)
            total = total / 2 + 1;
        if (total)
            postern_pop3_sent(h->s, total, h->now);
        moved = moved || total;
    }
}

static void order(struct host *h, uint8_t octet)
{
    struct postern_tls_facts facts = {.identity = {"u", 1}, .binding_exporter = {"0123", 4}};

    switch (octet) {
    case 0xf0:
        h->now += 700 * POSTERN_SECOND;
        postern_pop3_tick(h->s, h->now);
        break;
    case 0xf1:
        postern_pop3_eof(h->s);
        break;
    case 0xf2:
        postern_pop3_shutdown(h->s);
        break;
    case 0xf3:
        if (postern_pop3_wants(h->s) & POSTERN_WANT_TLS && postern_pop3_tls_up(h->s, &facts) < 0)
            abort();
        break;
    default:
        h->mood = (h->mood * 31 + octet) & 127;
        break;
    }
}

static void talk(struct host *h, const uint8_t *data, size_t size)
{
    size_t at = 0;

    pump(h);
    while (at < size && postern_pop3_state(h->s) != POSTERN_POP3_OVER) {
        size_t end = at;
        int taken;

        while (end < size && data[end] < 0xf0)
            end++;
        if (end == at) {
            order(h, data[at++]);
            pump(h);
            continue;
        }
        taken = postern_pop3_feed(h->s, (struct postern_span){(const char *)data + at, end - at},
                                  h->now);
        if (taken == POSTERN_E_CLOSED || taken == POSTERN_E_NOMEM)
            return;
        if (taken < 0 || (size_t)taken > end - at)
            abort();
        at += (size_t)taken;
        pump(h);
        if (taken == 0 && !(postern_pop3_wants(h->s) & (POSTERN_WANT_READ | POSTERN_WANT_CLOSE)))
            abort(); /* everything is answered and written: it must take more or be over */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct postern_random random = {.fill = sure_fill};
    static const struct postern_crypto crypto = {.hash = toy_hash, .hmac = toy_hmac};
    static const struct postern_pop3_command commands[] = {
        {.name = "XOWN", .states = 14, .arguments_max = 3},
        {.name = "XMSG",
         .states = POSTERN_POP3_TRANSACTION,
         .arguments_min = 1,
         .arguments_max = 1,
         .takes_message = true}};
    struct postern_pop3_options options;
    struct host h = {.now = POSTERN_SECOND};

    if (size == 0)
        return 0;
    POSTERN_POP3_OPTIONS_INIT(&options);
    options.random = &random;
    options.crypto = &crypto;
    options.stamp = data[0] & 1 ? POSTERN_POP3_STAMP_RANDOM : POSTERN_POP3_STAMP_NONE;
    options.plaintext_without_tls = data[0] & 2;
    options.tls_available = data[0] & 4;
    options.watch = data[0] & 8;
    options.last = true;
    options.sasl_mechanisms = POSTERN_SASL_ALL;
    options.surrogate = data[0] & 16 ? POSTERN_POP3_SURROGATE_REFUSE : POSTERN_POP3_SURROGATE_SEND;
    options.output_mark = data[0] & 32 ? 4096 : 32768;
    options.commands = commands;
    options.command_count = 2;
    if (postern_pop3_new(&h.s, &options, NULL, h.now) < 0)
        return 0;
    talk(&h, data + 1, size - 1);
    if (postern_pop3_memory(h.s) > 1024 * 1024)
        abort();
    postern_pop3_free(&h.s);
    return 0;
}

#include "replay.h"
