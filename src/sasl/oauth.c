/* SPDX-License-Identifier: MIT */
/* oauth - OAUTHBEARER (RFC 7628) and XOAUTH2: a bearer token in pairs ended by ^A.
 * Owns nothing. Trap: a refusal is a challenge first, and whatever answers it ends in failure. */
#include "sasl/saslname.h"

#define END '\1'

/* read_header - gs2-header of OAUTHBEARER: "n,[a=name],"; *rest keeps what follows. */
static int read_header(struct postern_sasl *sasl, struct postern_span *rest)
{
    struct postern_span flag = span_cut(rest, ',');
    struct postern_span name = span_cut(rest, ',');
    if (!rest->p || (!span_equal(flag, SPAN("n")) && !span_equal(flag, SPAN("y"))))
        return POSTERN_E_SYNTAX;
    if (rest->n == 0 || rest->p[0] != END)
        return POSTERN_E_SYNTAX;
    *rest = span_from(*rest, 1);
    if (name.n == 0)
        return 0;
    if (!span_begins(name, SPAN("a=")))
        return POSTERN_E_SYNTAX;
    return saslname_read(sasl, span_from(name, 2), &sasl->facts.authcid);
}

static int read_user(struct postern_sasl *sasl, struct postern_span *rest)
{
    struct postern_span pair = span_cut(rest, END);
    if (!rest->p || !span_begins(pair, SPAN("user=")))
        return POSTERN_E_SYNTAX;
    return sasl_prepare(sasl, span_from(pair, 5), &sasl->facts.authcid);
}

/* read_token - RFC 6750 2.1: "Bearer", spaces, b64token; printable ASCII only. */
static int read_token(struct postern_sasl *sasl, struct postern_span value)
{
    if (!span_begins_nocase(value, SPAN("Bearer ")) || sasl->facts.token.n > 0)
        return POSTERN_E_SYNTAX;
    struct postern_span token = span_trim(span_from(value, 7));
    for (size_t i = 0; i < token.n; i++)
        if (token.p[i] <= ' ' || token.p[i] > '~')
            return POSTERN_E_SYNTAX;
    return token.n ? arena_copy(&sasl->arena, token, &sasl->facts.token) : POSTERN_E_SYNTAX;
}

/* read_pairs - up to the empty pair, behind which nothing may come. */
static int read_pairs(struct postern_sasl *sasl, struct postern_span rest)
{
    for (;;) {
        struct postern_span pair = span_cut(&rest, END);
        if (!rest.p)
            return POSTERN_E_SYNTAX;
        if (pair.n == 0)
            return rest.n == 0 && sasl->facts.token.n > 0 ? 0 : POSTERN_E_SYNTAX;
        if (!span_begins(pair, SPAN("auth=")))
            continue;
        int err = read_token(sasl, span_from(pair, 5));
        if (err)
            return err;
    }
}

int oauth_step(struct postern_sasl *sasl, struct postern_span response)
{
    if (sasl->round > 0)
        return POSTERN_SASL_FAILED;
    bool is_bearer = sasl->mechanism->id == POSTERN_SASL_OAUTHBEARER;
    int err = is_bearer ? read_header(sasl, &response) : read_user(sasl, &response);
    if (!err)
        err = read_pairs(sasl, response);
    return err ? err : POSTERN_SASL_VERIFY;
}

int oauth_refuse(struct postern_sasl *sasl)
{
    bool is_bearer = sasl->mechanism->id == POSTERN_SASL_OAUTHBEARER;
    buffer_append_text(&sasl->challenge, is_bearer ? "{\"status\":\"invalid_token\"}"
                                                   : "{\"status\":\"401\",\"schemes\":\"Bearer\"}");
    return POSTERN_SASL_CHALLENGE;
}
