/* SPDX-License-Identifier: MIT */
/* levels - '/' sorts before all else, so that whatever is below a name follows it at once. */
#include "store/levels.h"
#include "store/words.h"

#include "base/span.h"
#include <stdlib.h>

static int octet(struct postern_span s, size_t i)
{
    if (i >= s.n)
        return -1;
    return s.p[i] == '/' ? 0 : (unsigned char)s.p[i];
}

static int by_level(const void *a, const void *b)
{
    struct postern_span x = ((const struct postern_status *)a)->name,
                        y = ((const struct postern_status *)b)->name;

    for (size_t i = 0;; i++) {
        int c = octet(x, i), d = octet(y, i);

        if (c != d || c < 0)
            return c - d;
    }
}

/* has_below - an existing one follows among those below status i. */
static bool has_below(const struct postern_status *all, size_t count, size_t i)
{
    for (size_t j = i + 1; j < count && name_is_below(all[j].name, all[i].name); j++)
        if (all[j].exists)
            return true;
    return false;
}

/* show_above - the levels over name that the one shown before is neither nor lies below. */
static int show_above(struct postern_span name, struct postern_span before, bool exists,
                      int (*each)(void *ctx, const struct postern_status *status), void *ctx)
{
    int result = 0;

    for (size_t n = 1; n < name.n && !result; n++) {
        struct postern_span level = span_make(name.p, n);

        if (name.p[n] == '/' && !span_equal(before, level) && !name_is_below(before, level) &&
            exists)
            result = each(ctx, &(struct postern_status){.name = level, .has_children = true});
    }
    return result;
}

int levels_show(struct postern_status *all, size_t count,
                int (*each)(void *ctx, const struct postern_status *status), void *ctx)
{
    struct postern_span before = {"", 0};
    int result = 0;

    if (count)
        qsort(all, count, sizeof *all, by_level);
    for (size_t i = 0; i < count && !result; i++) {
        all[i].has_children = has_below(all, count, i);
        result = show_above(all[i].name, before, all[i].exists, each, ctx);
        if (!result)
            result = each(ctx, &all[i]);
        before = all[i].name;
    }
    return result;
}
