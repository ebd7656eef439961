/* SPDX-License-Identifier: MIT */
/* milter - a filter that is asked in the protocol of Sendmail's and Postfix's, from MAIL on. */
#ifndef SERVE_MILTER_H
#define SERVE_MILTER_H

#include "serve/filter.h"

/* the ctx of such a filter is a const struct filter_link. */
extern const struct filter_ops milter_ops;

#endif
