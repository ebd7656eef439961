/* SPDX-License-Identifier: MIT */
/* aliases - a file of "NAME: TARGET, TARGET" lines in memory, sorted by name. NAME is "ann",
 * "ann@example.org" or "@example.org"; "#" begins a comment. Pure but for malloc. */
#ifndef ACCOUNTS_ALIASES_H
#define ACCOUNTS_ALIASES_H

#include <postern/base.h>

struct alias {
    struct postern_span name, targets; /* in lower case; lent until the aliases are freed */
    unsigned line;
};

struct aliases {
    char *text;
    struct alias *all;
    size_t count;
};

/* aliases_parse - POSTERN_E_SYNTAX with *line_r and *why_r (static) set, POSTERN_E_NOMEM. */
int aliases_parse(struct postern_span text, struct aliases *aliases_r, unsigned *line_r,
                  const char **why_r);
void aliases_free(struct aliases *aliases);
/* aliases_find - the targets of a name in lower case; absent: there is no such alias. */
struct postern_span aliases_find(const struct aliases *aliases, struct postern_span name);
/* aliases_next - cut the next target off; false: none is left. */
bool aliases_next(struct postern_span *targets, struct postern_span *target_r);

#endif
