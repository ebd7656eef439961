/* SPDX-License-Identifier: MIT */
/* config_table - CONFIG_MAP as rows, for the code that walks over all settings. */
#ifndef DAEMON_CONFIG_TABLE_H
#define DAEMON_CONFIG_TABLE_H

#include "daemon/config.h"

enum config_type { CONFIG_STRING, CONFIG_BOOL, CONFIG_NUMBER, CONFIG_TIME, CONFIG_LIST };

struct config_row {
    const char *key;
    enum config_type type;
    size_t offset; /* in struct config */
    const char *default_text, *help;
};

extern const struct config_row config_rows[];
extern const size_t config_row_count;

/* config_find - the row of a key, '-' and '_' being the same; NULL when there is none. */
const struct config_row *config_find(const char *key);
/* config_nearest - the known key that is most like this one, or NULL when none is near. */
const char *config_nearest(const char *key);
void *config_member(struct config *config, const struct config_row *row);
const void *config_member_of(const struct config *config, const struct config_row *row);
/* config_set_row - one value from text. 0, POSTERN_E_SYNTAX, _NOMEM; config_error() says why. */
int config_set_row(struct config *config, const struct config_row *row, const char *value);
int config_set_list(struct config *config, const struct config_row *row, char *const *items,
                    size_t count);
__attribute__((format(printf, 2, 3))) int config_fail(int err, const char *format, ...);

#endif
