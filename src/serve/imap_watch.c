/* SPDX-License-Identifier: MIT */
/* imap_watch - news of the selected mailbox, or of all of the account, from the store's descriptor
 * to the engine. On the loop. */
#include "serve/imap_session.h"

static void watched(void *arg)
{
    struct serve_imap *s = arg;

    if (!s->mailbox)
        return;
    s->looked_at = 0;
    imap_ops(s)->watch_clear(s->mailbox);
    postern_imap_news(s->engine);
}

void imap_unwatch(struct serve_imap *s)
{
    if (s->watching)
        s->site->work->unwatch(s->conn);
    s->watching = false;
}

void imap_watch(struct serve_imap *s)
{
    int fd = s->mailbox ? imap_ops(s)->watch_fd(s->mailbox) : -1;

    imap_unwatch_all(s);
    imap_unwatch(s);
    s->looked_at = 0; /* what came between that look and the watch is told by no event */
    if (fd >= 0)
        s->watching = s->site->work->watch(s->conn, fd, watched, s) >= 0;
}

static void watched_all(void *arg)
{
    struct serve_imap *s = arg;

    s->looked_at = 0;
    if (imap_ops(s)->watch_all_clear(s->all) == POSTERN_E_FULL)
        (void)postern_imap_overflow(s->engine);
    else
        postern_imap_news(s->engine);
}

void imap_watch_all(struct serve_imap *s)
{
    s->looked_at = 0;
    if (s->all && !s->watching)
        s->watching = s->site->work->watch(s->conn, s->all_fd, watched_all, s) >= 0;
}

void imap_unwatch_all(struct serve_imap *s)
{
    s->wants_all = false;
    if (!s->all)
        return;
    imap_unwatch(s);
    imap_ops(s)->watch_all_end(&s->all);
}
