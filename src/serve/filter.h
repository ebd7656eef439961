/* SPDX-License-Identifier: MIT */
/* filter - somebody else's word on a message before it is committed. Filters are asked one after
 * the other; each sees what those before it made of the message. */
#ifndef SERVE_FILTER_H
#define SERVE_FILTER_H

#include "serve/edits.h"

#define FILTERS_MAX 8

/* struct filter_question - what is known of the message; lent. */
struct filter_question {
    struct postern_span sender, recipients; /* the latter apart by line ends */
    struct postern_span recipient;          /* the one at hand */
    struct postern_span helo, protocol, transaction;
    struct postern_span user, method; /* who logged in, and how; empty: nobody */
    struct postern_span peer;         /* its address; absent: it has none */
    struct postern_span name;         /* of it; absent: not known */
    unsigned port;                    /* of it; 0: not known */
    struct postern_span hostname;     /* ours */
    struct postern_span tls;          /* "TLSv1.3 TLS_AES_256_GCM_SHA384"; absent: none */
    struct postern_span delivered;    /* the account, where it is one alone */
    const struct spool *message;
};

/* enum filter_change - of sender and recipients: the first octet of a line of `envelope`, before
 * the address, which is without brackets. */
enum filter_change { FILTER_ADDS = '+', FILTER_DELETES = '-', FILTER_SENDER = '=' };

/* struct filter_verdict - zero: it is fine as it is. The edits are set up by who asks. */
struct filter_verdict {
    unsigned code; /* 0: accepted; else refused with this */
    char enhanced[16], text[256];
    bool discarded;    /* accepted, and nobody gets it */
    bool spam;         /* into the mailbox for it, if there is one */
    char mailbox[256]; /* into this one, if it is there or may be made; "": where it belongs */
    struct edits edits;
    struct buffer envelope;
};

struct serve_filter;

/* struct filter_ops - all wait, so they are for workers that may. 0 and a verdict, or <0: it could
 * not be asked. *talk is the filter's own, of this session; NULL at first. */
struct filter_ops {
    /* mail, rcpt - at these commands; NULL: it is not asked then. */
    int (*mail)(const struct serve_filter *filter, void **talk,
                const struct filter_question *question, struct filter_verdict *verdict_r);
    int (*rcpt)(const struct serve_filter *filter, void **talk,
                const struct filter_question *question, struct filter_verdict *verdict_r);
    /* judge - the message is whole. */
    int (*judge)(const struct serve_filter *filter, void **talk,
                 const struct filter_question *question, struct filter_verdict *verdict_r);
    /* end - the transaction is over; close - the session is. Neither waits; NULL: nothing is kept
     * of either. */
    void (*end)(void **talk);
    void (*close)(void **talk);
};

struct serve_filter {
    const struct filter_ops *ops;
    const char *name; /* as configured, for the log */
    void *ctx;
};

/* struct serve_filters - the daemon fills it in. */
struct serve_filters {
    const struct serve_filter *all;
    size_t count;            /* at most FILTERS_MAX */
    bool sees_envelope;      /* one of them is asked at MAIL and RCPT */
    bool accepts_on_failure; /* what cannot be asked is passed by; else a refusal for now */
    /* name_of - of a client's address; waits. 0, or <0: it has none. NULL: nobody wants it. */
    int (*name_of)(struct postern_span address, char *name_r, size_t size);
    const char *junk;  /* the mailbox for spam; "": where it belongs */
    uint64_t body_max; /* octets of a body that is put in place of another */
};

/* filter_refuse - a verdict that is one; text is cut, and told as far as it is printable. */
void filter_refuse(struct filter_verdict *verdict, unsigned code, const char *enhanced,
                   struct postern_span text);

/* struct filter_link - how a filter on a socket is reached; the daemon fills it in. The limit
 * stands for all that is done since open() or again(). */
struct filter_link {
    int (*open)(void *ctx, void **link_r);
    void (*again)(void *link);
    int (*read)(void *link, char *out, size_t n); /* 0: the end */
    int (*write)(void *link, struct postern_span bytes);
    bool (*write_now)(void *link, struct postern_span bytes); /* all of it; does not wait */
    void (*close)(void *link);                                /* does not wait */
    void *ctx;
};

#endif
