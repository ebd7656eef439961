/* SPDX-License-Identifier: MIT */
/* unseen - the first message without \Seen, for whoever selects a mailbox. It is looked for from
 * both ends at once: mail that was never read stands at the beginning, new mail at the end, where
 * the count of all tells which of them is the first. */
#include "store/index/index.h"

static bool is_unseen(const struct index_row *row)
{
    return !(row->bits & (POSTERN_FLAG_SEEN | ROW_GONE));
}

uint32_t mailbox_first_unseen(const struct index_mailbox *mailbox)
{
    size_t low = 0, high = mailbox_rows(mailbox);
    uint32_t left = mailbox->unseen;

    while (left && low < high) {
        const struct index_row *first = mailbox_row(mailbox, low++);
        const struct index_row *last = mailbox_row(mailbox, --high);

        if (is_unseen(first))
            return first->uid;
        if (is_unseen(last) && --left == 0)
            return last->uid;
    }
    return 0;
}
