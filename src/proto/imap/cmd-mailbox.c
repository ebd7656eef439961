/* SPDX-License-Identifier: MIT */
/* cmd-mailbox - CREATE, RENAME, SUBSCRIBE, UNSUBSCRIBE, STATUS (RFC 9051 6.3.4, 6.3.6 to 6.3.8,
 * 6.3.11; RFC 6154, 8474, 8438). */
#include "codec/nfc.h"
#include "proto/imap/commands.h"
#include "proto/imap/rights.h"

static const struct {
    const char *name;
    enum postern_special_use special;
} specials[] = {{"\\Archive", POSTERN_SPECIAL_ARCHIVE}, {"\\Drafts", POSTERN_SPECIAL_DRAFTS},
                {"\\Flagged", POSTERN_SPECIAL_FLAGGED}, {"\\Important", POSTERN_SPECIAL_IMPORTANT},
                {"\\Junk", POSTERN_SPECIAL_JUNK},       {"\\Sent", POSTERN_SPECIAL_SENT},
                {"\\Trash", POSTERN_SPECIAL_TRASH}};

const char *imap_special(enum postern_special_use special)
{
    for (size_t i = 0; i < sizeof specials / sizeof *specials; i++)
        if (specials[i].special == special)
            return specials[i].name;
    return NULL;
}

/* I 6.3.6-3 */
static void done(struct postern_imap *s, const struct imap_answer *answer)
{
    if (answer->err)
        imap_refuse(s, answer->err);
    else
        imap_ok(s, NULL, "done");
}

/* has_separator - of lines or paragraphs, or a control character beyond ASCII (RFC 6855 3).
 * I 6855:3-4 */
static bool has_separator(struct postern_span name)
{
    for (size_t i = 0; i + 1 < name.n; i++) {
        struct postern_span rest = span_from(name, i);

        if (((unsigned char)rest.p[0] == 0xc2 && (unsigned char)rest.p[1] < 0xa0) ||
            span_begins(rest, SPAN("\xe2\x80\xa8")) || span_begins(rest, SPAN("\xe2\x80\xa9")))
            return true;
    }
    return false;
}

/* is_possible - RFC 9051 5.1: no name that is not normalized comes into being; or it is refused.
 * I 5.1-2 */
static bool is_possible(struct postern_imap *s, struct postern_span name)
{
    if (nfc_is(name) && !has_separator(name))
        return true;
    imap_refuse(s, POSTERN_E_SYNTAX);
    return false;
}

/* ---- CREATE ---------------------------------------------------------------------------------- */

/* parse_special - POSTERN_SPECIAL_COUNT: one that nobody knows. */
static enum postern_special_use parse_special(struct postern_imap *s)
{
    struct postern_span word;

    parse_char(&s->in, '\\');
    word = parse_atom(&s->in);
    for (size_t i = 0; i < sizeof specials / sizeof *specials; i++)
        if (span_equal_nocase(word, postern_span_of(specials[i].name + 1)))
            return specials[i].special;
    return POSTERN_SPECIAL_COUNT;
}

/* parse_use - a mailbox has one use; several are none that it can have.
 * I 6154:3-1 I 6154:3-4 */
static enum postern_special_use parse_use(struct postern_imap *s)
{
    enum postern_special_use special = POSTERN_SPECIAL_NONE;

    if (!parse_try(&s->in, ' '))
        return special;
    parse_char(&s->in, '(');
    if (!imap_offers(s, "CREATE-SPECIAL-USE") || !parse_try_word(&s->in, "USE"))
        s->in.bad = true;
    parse_space(&s->in);
    parse_char(&s->in, '(');
    if (!parse_try(&s->in, ')')) {
        special = parse_special(s);
        for (; parse_try(&s->in, ' '); special = POSTERN_SPECIAL_COUNT)
            (void)parse_special(s);
        parse_char(&s->in, ')');
    }
    parse_char(&s->in, ')');
    return special;
}

/* I 8474:4.1-1 */
static void told_id(struct postern_imap *s, const struct imap_answer *answer)
{
    struct buffer line = {.allocator = s->o.allocator};

    if (answer->err || !answer->statuses->id || !imap_offers(s, "OBJECTID")) {
        imap_ok(s, NULL, "made");
        return;
    }
    buffer_append_text(&line, "OK [MAILBOXID (M");
    buffer_append_number(&line, answer->statuses->id);
    buffer_append_text(&line, ")]");
    imap_result_take(s, &line, "made");
}

/* I 6.3.4-2 */
static void created(struct postern_imap *s, const struct imap_answer *answer)
{
    if (answer->err) {
        imap_refuse(s, answer->err);
        return;
    }
    s->question = (struct postern_imap_question){.name = s->question.name};
    imap_ask(s, POSTERN_IMAP_STATUS, told_id);
}

/* I 2.3.1.1-5 I 6.3.4-1 I 6.3.4-3 I 6.3.4-5 I 6154:3-2 I 6154:3-3 */
void imap_cmd_create(struct postern_imap *s)
{
    struct postern_imap_question question = {0};

    parse_space(&s->in);
    question.name = parse_mailbox(s, &s->in);
    question.special = parse_use(s);
    if (!imap_good(s))
        return;
    if (question.special == POSTERN_SPECIAL_COUNT) {
        imap_no(s, "USEATTR", "no such use of a mailbox is known");
        return;
    }
    /* a client that will make others below it may end the name with the delimiter */
    if (question.name.n > 1 && question.name.p[question.name.n - 1] == '/')
        question.name.n--;
    s->question = question;
    if (is_possible(s, question.name))
        imap_ask_if(s, POSTERN_IMAP_CREATE, rights_create, created);
}

/* ---- the others ------------------------------------------------------------------------------ */

static bool one_name(struct postern_imap *s)
{
    struct postern_imap_question question = {0};

    parse_space(&s->in);
    question.name = parse_mailbox(s, &s->in);
    s->question = question;
    return imap_good(s);
}

/* I 6.3.6-1 I 6.3.6-2 I 6.3.6-5 I 6.3.6-6 I 6.3.6-7 */
void imap_cmd_rename(struct postern_imap *s)
{
    struct postern_imap_question question = {0};

    parse_space(&s->in);
    question.name = parse_mailbox(s, &s->in);
    parse_space(&s->in);
    question.to = parse_mailbox(s, &s->in);
    s->question = question;
    if (imap_good(s) && is_possible(s, question.to))
        imap_ask_if(s, POSTERN_IMAP_RENAME, rights_remove, done);
}

/* I 6.3.7-1 I 6.3.7-3 */
void imap_cmd_subscribe(struct postern_imap *s)
{
    if (!one_name(s))
        return;
    s->question.on = true;
    imap_ask(s, POSTERN_IMAP_SUBSCRIBE, done);
}

/* I 6.3.8-1 */
void imap_cmd_unsubscribe(struct postern_imap *s)
{
    if (one_name(s))
        imap_ask(s, POSTERN_IMAP_SUBSCRIBE, done);
}

/* ---- STATUS ---------------------------------------------------------------------------------- */

#define STATUS_ITEMS(X) \
    X("MESSAGES")       \
    X("RECENT")         \
    X("UIDNEXT")        \
    X("UIDVALIDITY")    \
    X("UNSEEN")         \
    X("DELETED")        \
    X("SIZE")           \
    X("HIGHESTMODSEQ")  \
    X("MAILBOXID")      \
    X("APPENDLIMIT")    \
    X("DELETED-STORAGE")
#define ITEM_NAME(name) name,
static const char *const items[] = {STATUS_ITEMS(ITEM_NAME)};
#define ITEM_COUNT (sizeof items / sizeof *items)

/* I 7162:3.1.7-1 I 6.3.11-6 I 5819:2-4 I 5819:4-1 */
unsigned imap_parse_status_items(struct postern_imap *s)
{
    unsigned mask = 0;

    parse_char(&s->in, '(');
    do {
        size_t i = 0;

        while (i < ITEM_COUNT && !parse_try_word(&s->in, items[i]))
            i++;
        if (i == ITEM_COUNT)
            s->in.bad = true;
        mask |= 1u << i;
    } while (!s->in.bad && parse_try(&s->in, ' '));
    parse_char(&s->in, ')');
    if (mask & 1u << 8)
        s->in.bad |= !imap_offers(s, "OBJECTID");
    if (mask & 1u << 7)
        imap_enable_condstore(s); /* RFC 7162 3.1: it is asked for by this */
    return mask;
}

/* I 6.3.11-4 I 6.3.11-5
 * I 7889:3-1 I 7889:5-1 I 3501:6.3.10-1 */
static uint64_t item_value(const struct postern_imap *s, const struct postern_status *status,
                           size_t item)
{
    const uint64_t values[] = {status->messages,
                               status->recent,
                               status->uid_next,
                               status->uid_validity,
                               status->unseen,
                               status->deleted,
                               status->size_bytes,
                               status->modseq,
                               status->id,
                               s->o.append_max,
                               (status->deleted_bytes + 1023) / 1024};

    return values[item];
}

/* I 6.3.11-1 I 7.3.3-1
 * I 8474:4.3-1 I 8438:2-1 I 8438:3-1 I 9208:4.1.4-1 I 9208:4.1.4-2 */
void imap_write_status(struct postern_imap *s, const struct postern_status *status, unsigned mask)
{
    const char *space = "";

    write_text(s, "* STATUS ");
    write_mailbox(s, status->name);
    write_text(s, " (");
    for (size_t i = 0; i < ITEM_COUNT; i++) {
        bool is_id = i == 8;

        if (!(mask >> i & 1))
            continue;
        write_text(s, space);
        write_text(s, items[i]);
        write_text(s, is_id ? " (M" : " ");
        write_number(s, item_value(s, status, i));
        write_text(s, is_id ? ")" : "");
        space = " ";
    }
    write_text(s, ")\r\n");
}

/* I 6.3.11-3 */
static void status_known(struct postern_imap *s, const struct imap_answer *answer)
{
    struct postern_status status;

    if (answer->err) {
        imap_refuse(s, answer->err);
        return;
    }
    status = *answer->statuses;
    status.name = s->question.name;
    imap_write_status(s, &status, s->question.flags);
    imap_ok(s, NULL, "done");
}

/* I 6.3.11-2 */
void imap_cmd_status(struct postern_imap *s)
{
    struct postern_imap_question question = {0};

    parse_space(&s->in);
    question.name = parse_mailbox(s, &s->in);
    parse_space(&s->in);
    question.flags = imap_parse_status_items(s);
    s->question = question;
    if (imap_good(s))
        imap_ask_if(s, POSTERN_IMAP_STATUS, rights_read, status_known);
}
