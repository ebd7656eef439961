/* SPDX-License-Identifier: MIT */
/* rights - what a command needs is asked for before its own question: the question waits in the
 * command's arena, and what is refused comes to the same function as an error of the question
 * itself would. So a mailbox that is hidden and one that is not there cannot differ. */
#include "proto/imap/rights.h"

#include "codec/rights.h"
#include "codec/saslprep.h"
#include "proto/imap/list.h"

#define L POSTERN_RIGHT_LOOKUP

const struct rights_needed rights_read = {POSTERN_RIGHT_READ, 0},
                           rights_insert = {POSTERN_RIGHT_INSERT, 0},
                           rights_create = {POSTERN_RIGHT_CREATE, 0},
                           rights_remove = {POSTERN_RIGHT_REMOVE, 0},
                           rights_admin = {POSTERN_RIGHT_ADMIN, 0},
                           rights_any = {0, L | POSTERN_RIGHT_READ | POSTERN_RIGHT_INSERT |
                                                POSTERN_RIGHT_CREATE | POSTERN_RIGHT_REMOVE |
                                                POSTERN_RIGHT_ADMIN},
                           rights_annotate = {L, POSTERN_RIGHT_READ | POSTERN_RIGHT_SEEN |
                                                     POSTERN_RIGHT_WRITE | POSTERN_RIGHT_INSERT |
                                                     POSTERN_RIGHT_POST}; /* RFC 5464 3.3 */

/* struct imap_guard - the question that waits. */
struct imap_guard {
    struct postern_imap_question question;
    enum postern_imap_question_kind kind;
    struct rights_needed needed;
    imap_then *then;
    bool above; /* of RENAME: the old name was permitted */
};

bool rights_permit(const struct postern_imap *s, uint32_t rights, struct rights_needed needed)
{
    return !s->o.acl ||
           ((rights & needed.all) == needed.all && (!needed.one || (rights & needed.one) != 0));
}

/* ---- before a question ----------------------------------------------------------------------- */

static void checked(struct postern_imap *s, const struct imap_answer *answer);

static void ask_rights(struct postern_imap *s, struct postern_span name, bool above)
{
    s->question = (struct postern_imap_question){.name = name, .on = above};
    imap_ask(s, POSTERN_IMAP_RIGHTS, checked);
}

/* judge - 0, or what it is refused with. Whether there is something above a name that cannot be
 * made is not told.
 * I 4314:6-1 I 4314:4-3 */
static int judge(const struct postern_imap *s, const struct imap_guard *guard,
                 const struct imap_answer *answer)
{
    bool above = guard->above || guard->kind == POSTERN_IMAP_CREATE;

    if (answer->err)
        return above && answer->err == POSTERN_E_NOT_FOUND ? POSTERN_E_DENIED : answer->err;
    if (rights_permit(s, answer->rights, above ? rights_create : guard->needed))
        return 0;
    return above || answer->rights & L ? POSTERN_E_DENIED : POSTERN_E_NOT_FOUND;
}

/* keep_permitted - of the flags of a new message (RFC 4314 4).
 * I 4314:4-5 */
static void keep_permitted(struct postern_imap_question *question, uint32_t rights)
{
    question->flags &= rights_flags(rights);
    if (!(rights & POSTERN_RIGHT_WRITE))
        question->keyword_count = 0;
}

void rights_keep(struct postern_imap_question *question, uint32_t rights)
{
    question->kept_flags = POSTERN_FLAGS_ALL & ~rights_flags(rights);
    question->kept_keywords = !(rights & POSTERN_RIGHT_WRITE);
}

static void checked(struct postern_imap *s, const struct imap_answer *answer)
{
    struct imap_guard *guard = s->guard;
    int err = judge(s, guard, answer);

    if (!err && guard->kind == POSTERN_IMAP_RENAME && !guard->above) {
        guard->above = true;
        ask_rights(s, guard->question.to, true);
        return;
    }
    s->guard = NULL;
    s->question = guard->question;
    if (err) {
        guard->then(s, &(struct imap_answer){.err = err});
        return;
    }
    if (guard->kind == POSTERN_IMAP_APPEND)
        keep_permitted(&s->question, answer->rights);
    if (guard->kind == POSTERN_IMAP_COPY)
        rights_keep(&s->question, answer->rights);
    if (guard->kind != POSTERN_IMAP_SET_ACL)
        s->question.rights = answer->rights;
    imap_ask(s, guard->kind, guard->then);
}

/* I 4314:4-2 I 4314:4-4 I 4314:4-6 */
void imap_ask_if(struct postern_imap *s, enum postern_imap_question_kind kind,
                 struct rights_needed needed, imap_then *then)
{
    struct imap_guard *guard;

    if (!s->o.acl || !s->question.name.n) { /* the account's own, or the selected mailbox */
        if (kind != POSTERN_IMAP_SET_ACL)
            s->question.rights = POSTERN_RIGHTS_ALL;
        imap_ask(s, kind, then);
        return;
    }
    guard = arena_alloc(&s->arena, sizeof *guard);
    if (!guard) {
        imap_no_memory(s);
        return;
    }
    *guard = (struct imap_guard){s->question, kind, needed, then, false};
    s->guard = guard;
    ask_rights(s, guard->question.name, kind == POSTERN_IMAP_CREATE);
}

/* ---- the selected mailbox -------------------------------------------------------------------- */

bool rights_has(const struct postern_imap *s, uint32_t rights)
{
    return (s->rights & rights) == rights;
}

/* I 4314:4-8 */
uint32_t rights_flags(uint32_t rights)
{
    const uint32_t others = POSTERN_FLAGS_ALL & ~(POSTERN_FLAG_SEEN | POSTERN_FLAG_DELETED);

    return (rights & POSTERN_RIGHT_SEEN ? POSTERN_FLAG_SEEN : 0) |
           (rights & POSTERN_RIGHT_DELETED ? POSTERN_FLAG_DELETED : 0) |
           (rights & POSTERN_RIGHT_WRITE ? others : 0);
}

void rights_take(struct postern_imap *s, uint32_t rights)
{
    s->rights = s->o.acl ? rights : POSTERN_RIGHTS_ALL;
    s->read_only = s->examined || !(s->rights & (POSTERN_RIGHT_INSERT | POSTERN_RIGHT_EXPUNGE |
                                                 RIGHTS_FLAGS)); /* RFC 4314 5.2 */
}

bool rights_renew(struct postern_imap *s, uint32_t rights)
{
    if (!s->o.acl || rights == s->rights)
        return true;
    if (!(rights & POSTERN_RIGHT_READ)) {
        write_text(s, "* BYE [CLOSED] the mailbox was removed\r\n");
        s->closing = true;
        return false;
    }
    rights_take(s, rights);
    imap_write_mailbox_flags(s);
    return true;
}

/* ---- lists ----------------------------------------------------------------------------------- */

/* I 4314:4-1 I 8440:3-1 I 8440:3-2 */
bool rights_shows(const struct postern_imap *s, const struct postern_status *one)
{
    return one->exists && (!s->o.acl || one->rights & L);
}

/* has_visible_below - the names are in order: those below one begin as it does. */
static bool has_visible_below(const struct postern_imap *s, const struct imap_answer *all,
                              size_t at)
{
    struct postern_span name = all->statuses[at].name;

    for (size_t i = at + 1; i < all->count && span_begins(all->statuses[i].name, name); i++)
        if (list_is_below(all->statuses[i].name, name) && rights_shows(s, &all->statuses[i]))
            return true;
    return false;
}

const struct postern_status *rights_visible(struct postern_imap *s,
                                            const struct imap_answer *answer)
{
    struct postern_status *all;

    if (!s->o.acl)
        return answer->statuses;
    all = arena_alloc(&s->arena, (answer->count + 1) * sizeof *all);
    if (!all) {
        imap_no_memory(s);
        return NULL;
    }
    for (size_t i = 0; i < answer->count; i++) {
        all[i] = answer->statuses[i];
        all[i].exists = rights_shows(s, &all[i]);
        all[i].has_children = all[i].has_children && has_visible_below(s, answer, i);
    }
    return all;
}

static bool has_prefix(struct postern_span name, struct postern_span prefix)
{
    return prefix.n &&
           (span_begins(name, prefix) || span_equal(name, span_make(prefix.p, prefix.n - 1)));
}

bool rights_is_personal(const struct postern_imap *s, struct postern_span name)
{
    return !has_prefix(name, s->o.other_users) && !has_prefix(name, s->o.shared);
}

/* meets - up to its first wildcard, or to the end of the prefix, they are the same. */
static bool meets(struct postern_span pattern, struct postern_span prefix)
{
    size_t n = 0;

    while (n < pattern.n && n < prefix.n && pattern.p[n] == prefix.p[n])
        n++;
    return prefix.n && (n + 1 >= prefix.n || (n < pattern.n && strchr("*%", pattern.p[n])));
}

bool rights_asks_shared(const struct postern_imap *s, struct postern_span pattern)
{
    return s->o.acl && (meets(pattern, s->o.other_users) || meets(pattern, s->o.shared));
}

/* ---- words ----------------------------------------------------------------------------------- */

/* I 4314:2.1.1-2 */
void rights_write_string(struct postern_imap *s, uint32_t rights)
{
    if (rights)
        rights_write(&s->out, rights, true);
    else
        write_text(s, "\"\"");
}

void rights_write_mine(struct postern_imap *s, struct postern_span name, uint32_t rights)
{
    write_text(s, "* MYRIGHTS ");
    write_mailbox(s, name);
    write_text(s, " ");
    rights_write_string(s, rights);
    write_text(s, "\r\n");
}

/* I 4314:3-1 */
struct postern_span rights_parse_identifier(struct postern_imap *s, struct postern_span *as_sent_r)
{
    struct buffer prepared = {.allocator = s->o.allocator};
    struct postern_span text, out = {NULL, 0};
    int err;

    parse_space(&s->in);
    text = parse_astring(s, &s->in);
    if (as_sent_r)
        *as_sent_r = text;
    err = s->in.bad ? 0 : saslprep(text, &prepared);
    if (!err && !s->in.bad)
        err = arena_copy(&s->arena, buffer_span(&prepared), &out);
    buffer_done(&prepared);
    if (err == POSTERN_E_NOMEM) {
        imap_no_memory(s);
    } else if (!s->in.bad && (err || !out.n || out.n > 255 || span_equal(out, SPAN("-")))) {
        s->in.bad = true;
        s->in.why = "this is no name of a user";
    }
    return out;
}
