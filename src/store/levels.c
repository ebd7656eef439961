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

/* has_below - does an existing one follow, from status i on, among those below the name? */
static bool has_below(const struct postern_status *all, size_t count, size_t i,
                      struct postern_span name)
{
    for (; i < count && name_is_below(all[i].name, name); i++)
        if (all[i].exists)
            return true;
    return false;
}

/* show_above - the levels over status i that the one shown before is neither nor lies below.
 * I 6.3.4-4 I 6.3.6-4 */
static int show_above(const struct postern_status *all, size_t count, size_t i,
                      int (*each)(void *ctx, const struct postern_status *status), void *ctx)
{
    struct postern_span name = all[i].name, before = i ? all[i - 1].name : SPAN("");
    int result = 0;

    for (size_t n = 1; n < name.n && !result; n++) {
        struct postern_status level = {.name = span_make(name.p, n)};

        if (name.p[n] != '/' || span_equal(before, level.name) || name_is_below(before, level.name))
            continue;
        level.has_children = has_below(all, count, i, level.name);
        result = each(ctx, &level);
    }
    return result;
}

/* I 6.3.5-3 */
int levels_show(struct postern_status *all, size_t count,
                int (*each)(void *ctx, const struct postern_status *status), void *ctx)
{
    int result = 0;

    if (count)
        qsort(all, count, sizeof *all, by_level);
    for (size_t i = 0; i < count && !result; i++) {
        all[i].has_children = has_below(all, count, i + 1, all[i].name);
        result = show_above(all, count, i, each, ctx);
        if (!result)
            result = each(ctx, &all[i]);
    }
    return result;
}

bool levels_up(struct postern_span *name)
{
    size_t n = name->n;

    while (n && name->p[n - 1] != '/')
        n--;
    name->n = n ? n - 1 : 0;
    return name->n > 0;
}
