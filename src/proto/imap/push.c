/* SPDX-License-Identifier: MIT */
/* push - news that nobody waits for: in IDLE (RFC 2177), and at any time to who asked for that by
 * NOTIFY (RFC 5465); and what the application is to watch for them. */
#include "proto/imap/notify.h"

bool imap_may_push(const struct postern_imap *s)
{
    if (s->idling || !s->notify)
        return s->idling;
    return !s->row && !s->append && !s->sasl && s->input.state == INPUT_LINE && !s->input.drop &&
           buffer_length(&s->input.text) == 0 && imap_has_room(s);
}

/* I 6.3.13-2 */
void imap_push(struct postern_imap *s)
{
    s->has_news = false;
    if (s->state == POSTERN_IMAP_SELECTED && !notify_is_frozen(s))
        imap_news_ask(s);
    else
        notify_look(s, imap_news_ended);
}

void imap_rewatch(struct postern_imap *s)
{
    static const enum postern_imap_question_kind kinds[] = {[WATCHES_NOTHING] =
                                                                POSTERN_IMAP_UNWATCH,
                                                            [WATCHES_SELECTED] = POSTERN_IMAP_WATCH,
                                                            [WATCHES_ALL] = POSTERN_IMAP_WATCH_ALL};
    const struct imap_notify *notify = s->notify_next ? s->notify_next : s->notify;
    enum imap_watching wants = WATCHES_NOTHING;

    if (notify && notify->others)
        wants = WATCHES_ALL;
    else if (s->state == POSTERN_IMAP_SELECTED && (notify ? notify->selected != 0 : s->idling))
        wants = WATCHES_SELECTED;
    if (wants == s->watching)
        return;
    s->watching = wants;
    imap_tell(s, kinds[wants], 0);
}
