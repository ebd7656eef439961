/* SPDX-License-Identifier: MIT */
/* gather - what a search for a text would look through, brought together for an index of texts. */
#include "proto/imap/gather.h"

#include "proto/imap/text_scan.h"

struct text_gather {
    struct postern_imap *nobody; /* a session of which only the memory is used */
    struct text_scan *scan;
    struct buffer all;
};

static void gather_free(struct text_gather **gather)
{
    if ((*gather)->nobody)
        arena_drop(&(*gather)->nobody->arena);
    memory_free(NULL, (*gather)->nobody);
    memory_free(NULL, *gather);
    *gather = NULL;
}

int gather_new(struct text_gather **gather_r, struct postern_span block)
{
    struct text_gather *gather = memory_new(NULL, sizeof *gather);

    if (!gather)
        return POSTERN_E_NOMEM;
    gather->nobody = memory_new(NULL, sizeof *gather->nobody);
    if (gather->nobody)
        gather->scan = text_scan_new(gather->nobody, block, SPAN("\1"),
                                     (struct postern_span){NULL, 0}, true, true);
    if (!gather->scan) {
        gather_free(&gather);
        return POSTERN_E_NOMEM;
    }
    gather->scan->all = &gather->all;
    *gather_r = gather;
    return 0;
}

void gather_feed(struct text_gather *gather, struct postern_span octets)
{
    (void)text_scan_feed(gather->scan, octets);
}

int gather_end(struct text_gather **gather, struct buffer *text_r)
{
    int err;

    (void)text_scan_end((*gather)->scan);
    err = (*gather)->nobody->failed || (*gather)->all.error ? POSTERN_E_NOMEM : 0;
    if (err)
        buffer_done(&(*gather)->all);
    else
        *text_r = (*gather)->all;
    gather_free(gather);
    return err;
}
