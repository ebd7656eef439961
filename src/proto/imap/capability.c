/* SPDX-License-Identifier: MIT */
/* capability - what is offered, and when (RFC 9051 7.2.2). One table. What is not
 * told is not served either, but for what IMAP4rev2 has without a command of its own: who enables
 * that may rely on it. */
#include "proto/imap/session.h"

enum { BEFORE = 1, AFTER = 2, BOTH = 3 };

static const struct {
    const char *name;
    unsigned when;
} capabilities[] = {
    {"SASL-IR", BOTH},
    {"LITERAL+", BOTH},
    {"ID", BOTH},
    {"ENABLE", BOTH},
    {"LANGUAGE", BOTH},
    {"LOGIN-REFERRALS", BOTH},
    {"NAMESPACE", AFTER},
    {"UNSELECT", AFTER},
    {"IDLE", AFTER},
    {"CHILDREN", AFTER},
    {"LIST-EXTENDED", AFTER},
    {"LIST-STATUS", AFTER},
    {"SPECIAL-USE", AFTER},
    {"CREATE-SPECIAL-USE", AFTER},
    {"XLIST", AFTER},
    {"UIDPLUS", AFTER},
    {"MOVE", AFTER},
    {"MULTIAPPEND", AFTER},
    {"CATENATE", AFTER},
    {"REPLACE", AFTER},
    {"BINARY", AFTER},
    {"UTF8=ACCEPT", AFTER},
    {"SORT", AFTER},
    {"SORT=DISPLAY", AFTER},
    {"THREAD=ORDEREDSUBJECT", AFTER},
    {"THREAD=REFERENCES", AFTER},
    {"ESEARCH", AFTER},
    {"SEARCHRES", AFTER},
    {"PARTIAL", AFTER},
    {"ESORT", AFTER},
    {"CONTEXT=SEARCH", AFTER},
    {"MULTISEARCH", AFTER},
    {"SEARCH=FUZZY", AFTER},
    {"FILTERS", AFTER},
    {"PREVIEW", AFTER},
    {"SAVEDATE", AFTER},
    {"I18NLEVEL=1", AFTER},
    {"UNAUTHENTICATE", AFTER},
    {"COMPRESS=DEFLATE", AFTER},
    {"UIDONLY", AFTER},
    {"UIDBATCHES", AFTER},
    {"NOTIFY", AFTER},
    {"INPROGRESS", AFTER},
    {"WITHIN", AFTER},
    {"CONDSTORE", AFTER},
    {"QRESYNC", AFTER},
    {"OBJECTID", AFTER},
    {"QUOTA", AFTER},
    {"QUOTASET", AFTER},
    {"QUOTA=RES-STORAGE", AFTER},
    {"QUOTA=RES-MESSAGE", AFTER},
    {"STATUS=SIZE", AFTER},
    {"MESSAGELIMIT", AFTER}, /* "=" and how many */
    {"SAVELIMIT", AFTER},
    {"METADATA", AFTER},
    {"LIST-METADATA", AFTER},
    {"ACL", AFTER},
    {"RIGHTS=texk", AFTER},
    {"LIST-MYRIGHTS", AFTER},
};

/* is_named - in a list of words apart by spaces or commas. */
static bool is_named(struct postern_span list, struct postern_span name)
{
    while (list.n) {
        struct postern_span words = span_cut(&list, ',');

        while (words.n)
            if (span_equal_nocase(span_cut(&words, ' '), name))
                return true;
    }
    return false;
}

bool postern_imap_is_extension(struct postern_span name)
{
    for (size_t i = 0; i < sizeof capabilities / sizeof *capabilities; i++)
        if (span_equal_nocase(name, postern_span_of(capabilities[i].name)))
            return true;
    return false;
}

bool imap_offers(const struct postern_imap *s, const char *name)
{
    struct postern_span word = postern_span_of(name);

    if (is_named(s->o.hidden, word) || is_named(s->hidden, word))
        return false;
    if (span_equal_nocase(word, SPAN("WITHIN")) || span_equal_nocase(word, SPAN("INPROGRESS")))
        return s->o.seconds != NULL;
    if (span_equal_nocase(word, SPAN("MESSAGELIMIT")))
        return s->o.message_limit > 0;
    if (span_equal_nocase(word, SPAN("SAVELIMIT")))
        return s->o.save_limit > 0;
    if (span_equal_nocase(word, SPAN("LOGIN-REFERRALS")))
        return s->o.login_referrals;
    if (span_equal_nocase(word, SPAN("ACL")))
        return s->o.acl;
    if (span_equal_nocase(word, SPAN("RIGHTS=texk")) ||
        span_equal_nocase(word, SPAN("LIST-MYRIGHTS")))
        return imap_offers(s, "ACL");
    if (span_equal_nocase(word, SPAN("COMPRESS=DEFLATE")))
        return s->o.compress_available;
    if (span_equal_nocase(word, SPAN("UNAUTHENTICATE"))) /* it would end the compression as well */
        return !s->compressed;
    if (span_equal_nocase(word, SPAN("LIST-METADATA")) || span_equal_nocase(word, SPAN("FILTERS")))
        return imap_offers(s, "METADATA");
    if (span_equal_nocase(word, SPAN("QUOTASET")))
        return imap_offers(s, "QUOTA");
    if (span_equal_nocase(word, SPAN("QRESYNC")))
        return imap_offers(s, "CONDSTORE");
    return true;
}

int postern_imap_hide(struct postern_imap *s, struct postern_span names)
{
    return imap_set_text(s, &s->hidden, names);
}

/* write_limit - of those two that have one. */
static void write_limit(struct postern_imap *s, const char *name)
{
    bool messages = strcmp(name, "MESSAGELIMIT") == 0;

    if (!messages && strcmp(name, "SAVELIMIT") != 0)
        return;
    write_text(s, "=");
    write_number(s, messages ? s->o.message_limit : s->o.save_limit);
}

/* I 7.2.2-1, I 7.2.2-3 I 6.1.1-3 I 6.2.1-5 I 11.2-1
 * I 4314:2.2-1 */
void imap_write_capability(struct postern_imap *s)
{
    bool before = s->state & (POSTERN_IMAP_GREETING | POSTERN_IMAP_NOT_AUTHENTICATED);

    write_text(s, "CAPABILITY IMAP4rev1 IMAP4rev2");
    for (size_t i = 0; i < sizeof capabilities / sizeof *capabilities; i++)
        if (capabilities[i].when & (before ? BEFORE : AFTER) &&
            imap_offers(s, capabilities[i].name)) {
            write_text(s, " ");
            write_text(s, capabilities[i].name);
            write_limit(s, capabilities[i].name);
        }
    if (!before) {
        write_text(s, " APPENDLIMIT=");
        write_number(s, s->o.append_max);
        return;
    }
    if (s->o.tls_available && !s->tls)
        write_text(s, " STARTTLS");
    if (!imap_is_secure(s))
        write_text(s, " LOGINDISABLED");
    imap_write_mechanisms(s);
}
