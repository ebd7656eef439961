/* SPDX-License-Identifier: MIT */
/* capability - what is offered, and when (RFC 9051 7.2.2). One table. What is not
 * told is not served either, but for what IMAP4rev2 has without a command of its own: who enables
 * that may rely on it. */
#include "proto/imap/session.h"

enum { BEFORE = 1, AFTER = 2, BOTH = 3 };

enum need {
    NOTHING,
    NEEDS_SECONDS,
    NEEDS_MESSAGE_LIMIT,
    NEEDS_SAVE_LIMIT,
    NEEDS_REFERRALS,
    NEEDS_ACL,
    NEEDS_COMPRESS,
    NEEDS_PLAIN /* it would end the compression as well */
};

static const struct capability {
    const char *name;
    unsigned when;
    enum need need;
    const char *with; /* there only where that one is; NULL: alone */
} capabilities[] = {
    {"SASL-IR", BOTH, NOTHING, NULL},
    {"LITERAL+", BOTH, NOTHING, NULL},
    {"ID", BOTH, NOTHING, NULL},
    {"ENABLE", BOTH, NOTHING, NULL},
    {"LANGUAGE", BOTH, NOTHING, NULL},
    {"LOGIN-REFERRALS", BOTH, NEEDS_REFERRALS, NULL},
    {"NAMESPACE", AFTER, NOTHING, NULL},
    {"UNSELECT", AFTER, NOTHING, NULL},
    {"IDLE", AFTER, NOTHING, NULL},
    {"CHILDREN", AFTER, NOTHING, NULL},
    {"LIST-EXTENDED", AFTER, NOTHING, NULL},
    {"LIST-STATUS", AFTER, NOTHING, NULL},
    {"SPECIAL-USE", AFTER, NOTHING, NULL},
    {"CREATE-SPECIAL-USE", AFTER, NOTHING, NULL},
    {"XLIST", AFTER, NOTHING, NULL},
    {"UIDPLUS", AFTER, NOTHING, NULL},
    {"MOVE", AFTER, NOTHING, NULL},
    {"MULTIAPPEND", AFTER, NOTHING, NULL},
    {"CATENATE", AFTER, NOTHING, NULL},
    {"REPLACE", AFTER, NOTHING, NULL},
    {"BINARY", AFTER, NOTHING, NULL},
    {"UTF8=ACCEPT", AFTER, NOTHING, NULL},
    {"SORT", AFTER, NOTHING, NULL},
    {"SORT=DISPLAY", AFTER, NOTHING, NULL},
    {"THREAD=ORDEREDSUBJECT", AFTER, NOTHING, NULL},
    {"THREAD=REFERENCES", AFTER, NOTHING, NULL},
    {"ESEARCH", AFTER, NOTHING, NULL},
    {"SEARCHRES", AFTER, NOTHING, NULL},
    {"PARTIAL", AFTER, NOTHING, NULL},
    {"ESORT", AFTER, NOTHING, NULL},
    {"CONTEXT=SEARCH", AFTER, NOTHING, NULL},
    {"CONTEXT=SORT", AFTER, NOTHING, "CONTEXT=SEARCH"},
    {"MULTISEARCH", AFTER, NOTHING, NULL},
    {"SEARCH=FUZZY", AFTER, NOTHING, NULL},
    {"FILTERS", AFTER, NOTHING, "METADATA"},
    {"PREVIEW", AFTER, NOTHING, NULL},
    {"SAVEDATE", AFTER, NOTHING, NULL},
    {"I18NLEVEL=1", AFTER, NOTHING, NULL},
    {"UNAUTHENTICATE", AFTER, NEEDS_PLAIN, NULL},
    {"COMPRESS=DEFLATE", AFTER, NEEDS_COMPRESS, NULL},
    {"UIDONLY", AFTER, NOTHING, NULL},
    {"UIDBATCHES", AFTER, NOTHING, NULL},
    {"NOTIFY", AFTER, NOTHING, NULL},
    {"INPROGRESS", AFTER, NEEDS_SECONDS, NULL},
    {"WITHIN", AFTER, NEEDS_SECONDS, NULL},
    {"CONDSTORE", AFTER, NOTHING, NULL},
    {"QRESYNC", AFTER, NOTHING, "CONDSTORE"},
    {"OBJECTID", AFTER, NOTHING, NULL},
    {"QUOTA", AFTER, NOTHING, NULL},
    {"QUOTASET", AFTER, NOTHING, "QUOTA"},
    {"QUOTA=RES-STORAGE", AFTER, NOTHING, NULL},
    {"QUOTA=RES-MESSAGE", AFTER, NOTHING, NULL},
    {"QUOTA=RES-MAILBOX", AFTER, NOTHING, NULL},
    {"STATUS=SIZE", AFTER, NOTHING, NULL},
    {"MESSAGELIMIT", AFTER, NEEDS_MESSAGE_LIMIT, NULL}, /* "=" and how many */
    {"SAVELIMIT", AFTER, NEEDS_SAVE_LIMIT, NULL},
    {"METADATA", AFTER, NOTHING, NULL},
    {"LIST-METADATA", AFTER, NOTHING, "METADATA"},
    {"ACL", AFTER, NEEDS_ACL, NULL},
    {"RIGHTS=texk", AFTER, NOTHING, "ACL"},
    {"LIST-MYRIGHTS", AFTER, NOTHING, "ACL"},
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

static bool has(const struct postern_imap *s, enum need need)
{
    switch (need) {
    case NEEDS_SECONDS:
        return s->o.seconds != NULL;
    case NEEDS_MESSAGE_LIMIT:
        return s->o.message_limit > 0;
    case NEEDS_SAVE_LIMIT:
        return s->o.save_limit > 0;
    case NEEDS_REFERRALS:
        return s->o.login_referrals;
    case NEEDS_ACL:
        return s->o.acl;
    case NEEDS_COMPRESS:
        return s->o.compress_available;
    case NEEDS_PLAIN:
        return !s->compressed;
    default:
        return true;
    }
}

static bool is_hidden(const struct postern_imap *s, const char *name)
{
    struct postern_span word;

    if (!s->o.hidden.n && !s->hidden.n)
        return false;
    word = postern_span_of(name);
    return is_named(s->o.hidden, word) || is_named(s->hidden, word);
}

static bool is_offered(const struct postern_imap *s, const struct capability *capability)
{
    return has(s, capability->need) && !is_hidden(s, capability->name) &&
           (!capability->with || imap_offers(s, capability->with));
}

bool imap_offers(const struct postern_imap *s, const char *name)
{
    for (size_t i = 0; i < sizeof capabilities / sizeof *capabilities; i++)
        if (capabilities[i].name[0] == name[0] && !strcmp(capabilities[i].name, name))
            return is_offered(s, &capabilities[i]);
    return !is_hidden(s, name);
}

int postern_imap_hide(struct postern_imap *s, struct postern_span names)
{
    return imap_set_text(s, &s->hidden, names);
}

/* write_limit - of those two that have one. */
static void write_limit(struct postern_imap *s, enum need need)
{
    if (need != NEEDS_MESSAGE_LIMIT && need != NEEDS_SAVE_LIMIT)
        return;
    write_text(s, "=");
    write_number(s, need == NEEDS_MESSAGE_LIMIT ? s->o.message_limit : s->o.save_limit);
}

/* I 7.2.2-1, I 7.2.2-3 I 6.1.1-3 I 6.2.1-5 I 11.2-1
 * I 4314:2.2-1 */
void imap_write_capability(struct postern_imap *s)
{
    bool before = s->state & (POSTERN_IMAP_GREETING | POSTERN_IMAP_NOT_AUTHENTICATED);

    write_text(s, "CAPABILITY IMAP4rev1 IMAP4rev2");
    for (size_t i = 0; i < sizeof capabilities / sizeof *capabilities; i++)
        if (capabilities[i].when & (before ? BEFORE : AFTER) && is_offered(s, &capabilities[i])) {
            write_text(s, " ");
            write_text(s, capabilities[i].name);
            write_limit(s, capabilities[i].need);
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
