/* SPDX-License-Identifier: MIT */
/* alone - a session of any protocol within a program, without a connection: what is asked of others
 * is done at once, by the program itself. */
#ifndef SERVE_ALONE_H
#define SERVE_ALONE_H

#include "base/buffer.h"
#include "serve/serve.h"

struct alone {
    const struct serve_protocol *protocol;
    void *session;
    struct buffer *out; /* NULL: what is said is passed over */
};

/* alone_work - what a site needs whose sessions are alone. */
extern const struct serve_work alone_work;
/* alone_begin - a session that says its greeting; end it with alone_end(). */
int alone_begin(struct alone *alone, const struct serve_protocol *protocol,
                const struct serve_site *site);
/* alone_say - octets of the client. */
void alone_say(struct alone *alone, struct postern_span text);
void alone_end(struct alone *alone);

#endif
