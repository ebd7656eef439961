/* SPDX-License-Identifier: MIT */
/* text_none - built without POSTERN_FTS there is no index of texts. */
#include "store/text/text_index.h"

#ifndef POSTERN_WITH_FTS

bool text_index_is_built(void)
{
    return false;
}

int text_index_open(struct text_index **index_r, const char *folder)
{
    (void)index_r, (void)folder;
    return POSTERN_E_UNSUPPORTED;
}

void text_index_close(struct text_index **index)
{
    (void)index;
}

int text_index_clear(struct text_index *index)
{
    (void)index;
    return POSTERN_E_UNSUPPORTED;
}

int text_index_upto(struct text_index *index, const struct text_box *box, uint32_t *uid_r,
                    uint64_t *count_r)
{
    (void)index, (void)box, (void)uid_r, (void)count_r;
    return POSTERN_E_UNSUPPORTED;
}

int text_index_begin(struct text_index *index)
{
    (void)index;
    return POSTERN_E_UNSUPPORTED;
}

int text_index_add(struct text_index *index, const struct text_box *box, uint32_t uid,
                   struct postern_span text)
{
    (void)index, (void)box, (void)uid, (void)text;
    return POSTERN_E_UNSUPPORTED;
}

int text_index_commit(struct text_index *index, const struct text_box *box, uint32_t upto)
{
    (void)index, (void)box, (void)upto;
    return POSTERN_E_UNSUPPORTED;
}

void text_index_abort(struct text_index *index)
{
    (void)index;
}

int text_index_find(struct text_index *index, const struct text_box *box, struct postern_span text,
                    struct buffer *ranges_r)
{
    (void)index, (void)box, (void)text, (void)ranges_r;
    return POSTERN_E_UNSUPPORTED;
}
#endif
