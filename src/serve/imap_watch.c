/* SPDX-License-Identifier: MIT */
/* imap_watch - news of the selected mailbox, or of all of the account, from the store to the
 * engine. On the loop. */
#include "serve/imap_session.h"

/* heard - a worker may have the session meanwhile: only what the loop alone touches. */
static void heard(void *arg)
{
    struct serve_imap *s = arg;

    imap_look_again(s);
    postern_imap_news(s->engine);
}

void imap_unwatch(struct serve_imap *s)
{
    s->wants_all = false;
    imap_ops(s)->unwatch(&s->watch);
    s->site->work->take_down(s->conn);
}

void imap_watch(struct serve_imap *s)
{
    imap_unwatch(s);
    imap_look_again(s); /* what came between that look and the watch is told by no ring */
    s->bell = s->site->work->hang(s->conn, heard, s);
    if (s->mailbox) /* what cannot be watched is asked for */
        (void)imap_ops(s)->watch(s->mailbox, &s->bell, &s->watch);
}

/* The bell hangs before a worker makes the watch. */
void imap_watch_all(struct serve_imap *s)
{
    imap_unwatch(s);
    imap_look_again(s);
    s->bell = s->site->work->hang(s->conn, heard, s);
    s->wants_all = true;
}
