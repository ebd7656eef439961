/* SPDX-License-Identifier: MIT */
/* rspamd - a filter that is asked over HTTP: POST /checkv2, and JSON that says what to do. */
#ifndef SERVE_RSPAMD_H
#define SERVE_RSPAMD_H

#include "serve/filter.h"

/* struct rspamd - the ctx of such a filter. */
struct rspamd {
    const struct filter_link *link;
    const char *host; /* for the Host header */
};

extern const struct filter_ops rspamd_ops;

/* rspamd_verdict - of the JSON that it answers. POSTERN_E_SYNTAX: it is none, or has no action that
 * we know; _TOO_LONG; _NOMEM. */
int rspamd_verdict(struct postern_span json, struct filter_verdict *verdict_r);

#endif
