/* SPDX-License-Identifier: MIT */
/* fuzz_imap_input - lines and literals of a client, logged in or not (the first octet tells, and
 * how it is cut): the same commands however it is cut, and memory follows what came, not what was
 * announced. The application answers with what is safe. */
#include <stdio.h>

#include "base/buffer.h"
#include "base/span.h"
#include "imap_grammar.h"
#include <postern/imap.h>

#define MEMORY_MOST 65536 /* of a session at work, besides what came */
#define MEMORY_EACH 8     /* octets for an octet: a list has a span for each of its words */

/* struct run - a session, what it said, and how much came. */
struct run {
    struct postern_imap *imap;
    struct buffer said;
    size_t came, step;
};

static void answer(struct run *run, const struct postern_imap_question *q)
{
    if (q->kind == POSTERN_IMAP_AUTHENTICATE)
        postern_imap_answer_authenticate(run->imap, q->id, POSTERN_YES,
                                         (struct postern_span){NULL, 0});
    else if (q->kind == POSTERN_IMAP_LOGIN || q->kind == POSTERN_IMAP_APPEND ||
             q->kind == POSTERN_IMAP_WRITE)
        postern_imap_answer(run->imap, q->id, 0);
    else
        postern_imap_answer_default(run->imap, q->id);
}

static void turn(struct run *run)
{
    struct postern_imap_question question;
    struct postern_piece piece;
    bool any = true;

    while (any) {
        any = false;
        while (postern_imap_next(run->imap, &question) == 1) {
            any = true;
            if (question.id)
                answer(run, &question);
        }
        while (postern_imap_output(run->imap, &piece, 1)) {
            any = true;
            buffer_append(&run->said, piece.bytes);
            postern_imap_sent(run->imap, piece.bytes.n, 1);
        }
    }
    if (postern_imap_memory(run->imap) > MEMORY_MOST + MEMORY_EACH * run->came) {
        fprintf(stderr, "%zu octets came, and %zu are held\n", run->came,
                postern_imap_memory(run->imap));
        abort();
    }
}

static void feed(struct run *run, struct postern_span in)
{
    while (in.n && !(postern_imap_wants(run->imap) & POSTERN_WANT_CLOSE)) {
        struct postern_span piece = span_make(in.p, in.n < run->step ? in.n : run->step);
        int n = postern_imap_feed(run->imap, piece, 1);

        run->came += n > 0 ? (size_t)n : 0;
        turn(run);
        if (n < 0)
            return;
        in = span_from(in, (size_t)n);
    }
}

static struct postern_span play(struct postern_span in, bool logged_in, size_t step)
{
    struct run run = {.step = step};
    struct postern_imap_options options;

    POSTERN_IMAP_OPTIONS_INIT(&options);
    options.sasl_mechanisms = POSTERN_SASL_PLAIN | POSTERN_SASL_LOGIN;
    options.plaintext_without_tls = true;
    if (postern_imap_new(&run.imap, &options, NULL, 1) < 0)
        abort();
    turn(&run);
    if (logged_in)
        feed(&run, SPAN("l LOGIN ann secret\r\n"));
    feed(&run, in);
    postern_imap_free(&run.imap);
    if (run.said.error)
        abort();
    return buffer_span(&run.said);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct postern_span in, whole, cut;
    const char *why;

    if (size < 2)
        return 0;
    in = span_make((const char *)data + 1, size - 1);
    whole = play(in, data[0] & 0x80, SIZE_MAX);
    cut = play(in, data[0] & 0x80, 1 + data[0] % 31);
    why = span_equal(whole, cut) ? grammar_check(whole.p, whole.n, true) : "the cut matters";
    if (why) {
        fprintf(stderr, "%s\n%.*s\n----\n%.*s\n", why, (int)whole.n, whole.p, (int)cut.n, cut.p);
        abort();
    }
    free((char *)(uintptr_t)whole.p);
    free((char *)(uintptr_t)cut.p);
    return 0;
}

#include "replay.h"
