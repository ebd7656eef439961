/* SPDX-License-Identifier: MIT */
/* transfer - Content-Transfer-Encoding taken off, tolerantly, in any pieces (RFC 2045 6). Pure. */
#ifndef CODEC_TRANSFER_H
#define CODEC_TRANSFER_H

#include "base/buffer.h"

enum transfer_kind { TRANSFER_NONE, TRANSFER_BASE64, TRANSFER_QUOTED };

/* struct transfer - zero it but for kind. */
struct transfer {
    enum transfer_kind kind;
    uint32_t bits; /* of base64, not yet an octet */
    unsigned have;
    char held[3]; /* "=X" of quoted-printable, cut */
    unsigned held_n;
};

/* transfer_of - by the field's first word; what is not known is NONE. */
enum transfer_kind transfer_of(struct postern_span encoding);
/* transfer_feed - append what the octets mean. Octets that mean nothing are passed over (base64) or
 * stand for themselves (quoted-printable). */
void transfer_feed(struct transfer *transfer, struct postern_span in, struct buffer *out);

#endif
