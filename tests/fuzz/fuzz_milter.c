/* SPDX-License-Identifier: MIT */
/* fuzz_milter - a filter that says anything, byte by byte or in larger steps, to a whole talk. What
 * is said to it is packets, each of a length that is right; what it says comes to a message whose
 * header stays one. The first octet tells how the input is cut. */
#include "base/span.h"
#include "proto/milter/milter.h"
#include "serve/edits.h"
#include "serve/fields.h"
#include <stdlib.h>

#define BODY "\r\nthe body\r\n"

/* look - packets only. */
static void look(struct milter *m)
{
    struct postern_span out = milter_output(m);

    while (out.n) {
        size_t n = 0;

        if (out.n < 5)
            abort();
        for (size_t i = 0; i < 4; i++)
            n = n << 8 | (unsigned char)out.p[i];
        if (!n || n > 65536 || n > out.n - 4)
            abort();
        out = span_from(out, 4 + n);
    }
    milter_sent(m, milter_output(m).n);
}

static int say(struct milter *m, unsigned step)
{
    static const struct postern_span text = {"some text\r\n\tof ours", 19};
    const struct milter_macro macro = {"{name}", text};

    switch (step) {
    case 0:
        return milter_begin(m);
    case 1:
        return milter_connect(m, text, SPAN("192.0.2.1"), 4711, &macro, 1);
    case 2:
        return milter_helo(m, text, NULL, 0);
    case 3:
        return milter_mail(m, text, &macro, 1);
    case 4:
        return milter_rcpt(m, text, &macro, 1);
    case 5:
        return milter_data(m, &macro, 1);
    case 6:
        return milter_header(m, SPAN("Subject"), text);
    case 7:
        return milter_header_end(m);
    case 8:
        return milter_wants_body(m) ? milter_body(m, text) : 0;
    case 9:
        return milter_end(m, &macro, 1);
    case 10:
        return milter_mail(m, text, &macro, 1);
    case 11:
        return milter_abort(m);
    default:
        milter_quit(m);
        return POSTERN_E_CLOSED;
    }
}

static void note(const struct milter_event *event, struct edits *edits)
{
    int err = 0;

    if (event->kind == MILTER_REPLY && (event->code < 400 || event->code > 599))
        abort();
    if (event->kind == MILTER_ADD)
        err = edits_add(edits, event->name, event->value);
    else if (event->kind == MILTER_INSERT)
        err = edits_insert(edits, event->number, event->name, event->value);
    else if (event->kind == MILTER_CHANGE)
        err = edits_change(edits, event->number, event->name, event->value);
    (void)err;
}

/* hear - until the reply is there; 1: it goes on. */
static int hear(struct milter *m, struct postern_span *in, size_t step, struct edits *edits)
{
    struct milter_event event = {0};
    int r, taken;

    for (;;) {
        while ((r = milter_next(m, &event)) == 1) {
            note(&event, edits);
            if (event.kind < MILTER_PROGRESS)
                return event.kind == MILTER_CONTINUE || event.kind == MILTER_SKIP;
        }
        if (r < 0 || !in->n)
            return 0;
        taken = milter_feed(m, span_make(in->p, in->n < step ? in->n : step));
        if (taken <= 0)
            return 0;
        *in = span_from(*in, (size_t)taken);
    }
}

static void apply(const struct edits *edits)
{
    struct spool message = {.folder = "/tmp"};
    struct fields fields;

    if (spool_write(&message, SPAN("Received: x\r\nSubject: y\r\n" BODY)) < 0)
        abort();
    if (edits_apply(edits, &message) == 0) {
        if (fields_read(&fields, &message) < 0 || fields.octets + sizeof BODY - 1 != message.octets)
            abort();
        fields_done(&fields);
    }
    spool_done(&message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct postern_span in = span_make((const char *)data, size);
    struct edits edits = {.without_ours = true};
    struct milter m;
    int said = 0;

    if (!size)
        return 0;
    in = span_from(in, 1);
    milter_init(&m, NULL);
    for (unsigned i = 0; said >= 0; i++) {
        said = say(&m, i);
        look(&m);
        edits.raw_values = milter_raw_values(&m);
        if (said == 1 && !hear(&m, &in, 1 + data[0] % 40, &edits))
            break;
    }
    apply(&edits);
    edits_done(&edits);
    milter_done(&m);
    return 0;
}

#include "replay.h"
