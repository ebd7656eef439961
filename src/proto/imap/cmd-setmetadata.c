/* SPDX-License-Identifier: MIT */
/* cmd-setmetadata - SETMETADATA (RFC 5464 4.3). What of the account is shared is the
 * administrator's to say. */
#include "proto/imap/commands.h"
#include "proto/imap/metadata.h"
#include "proto/imap/rights.h"

#define VALUE_MAX 65536

/* I 5464:4.3-7 */
static bool has_private(const struct postern_imap_question *question)
{
    for (size_t i = 0; i < question->metadata_count; i++)
        if (span_begins_nocase(question->metadata[i].entry, SPAN("/private/")))
            return true;
    return false;
}

/* I 5464:4.3-5 I 5464:4.3-6 */
static void changed(struct postern_imap *s, const struct imap_answer *answer)
{
    if (answer->err == POSTERN_E_FULL)
        imap_no(s, "METADATA TOOMANY", "no more of them");
    else if (answer->err == POSTERN_E_DENIED && has_private(&s->question) &&
             !rights_is_personal(s, s->question.name))
        imap_no(s, "METADATA NOPRIVATE", "not permitted");
    else if (answer->err)
        imap_refuse(s, answer->err);
    else
        imap_ok(s, NULL, "done");
}

/* parse_value - NIL, a string, or octets of any kind: "~{5}". */
static struct postern_span parse_value(struct postern_imap *s)
{
    struct postern_span value;

    s->in.takes_nul = s->in.rest.n && s->in.rest.p[0] == '~';
    value = parse_nstring(s, &s->in);
    s->in.takes_nul = false;
    return value;
}

/* is_settable - a vendor's entry has his name in it, and a name of its own (RFC 5464 3.2).
 * I 5464:3.2-4 */
static bool is_settable(struct postern_span entry)
{
    bool vendors = span_begins_nocase(entry, SPAN("/private/vendor/")) ||
                   span_begins_nocase(entry, SPAN("/shared/vendor/")) ||
                   span_equal_nocase(entry, SPAN("/private/vendor")) ||
                   span_equal_nocase(entry, SPAN("/shared/vendor"));
    size_t levels = 0;

    for (size_t i = 0; i < entry.n; i++)
        levels += entry.p[i] == '/';
    return !metadata_is_scope(entry) && (!vendors || levels >= 4);
}

static size_t parse_changes(struct postern_imap *s, struct postern_metadata *changes)
{
    size_t count = 0;

    parse_char(&s->in, '(');
    do {
        struct postern_metadata one;

        one.entry = metadata_parse_entry(s);
        s->in.bad |= !is_settable(one.entry);
        parse_space(&s->in);
        one.value = parse_value(s);
        if (count == METADATA_ENTRIES_MAX)
            s->in.bad = true;
        else
            changes[count++] = one;
    } while (!s->in.bad && parse_try(&s->in, ' '));
    parse_char(&s->in, ')');
    return count;
}

/* I 5464:4.3-1 I 5464:4.3-2 I 5464:4.3-3 I 5464:4.3-4 I 5464:4.1-4 */
void imap_cmd_setmetadata(struct postern_imap *s)
{
    struct postern_metadata *changes =
        arena_alloc(&s->arena, METADATA_ENTRIES_MAX * sizeof *changes);
    struct postern_imap_question question = {.metadata = changes};

    if (!changes) {
        imap_no_memory(s);
        return;
    }
    parse_space(&s->in);
    question.name = metadata_parse_mailbox(s);
    parse_space(&s->in);
    question.metadata_count = parse_changes(s, changes);
    if (!imap_good(s))
        return;
    for (size_t i = 0; i < question.metadata_count; i++) {
        if (changes[i].value.n > VALUE_MAX) {
            imap_no(s, "METADATA MAXSIZE 65536", "too long");
            return;
        }
        if (span_equal_nocase(changes[i].entry,
                              METADATA_SPECIAL_USE)) { /* CREATE alone gives one */
            imap_no(s, "CANNOT", "not possible here");
            return;
        }
        if (!question.name.n && span_begins_nocase(changes[i].entry, SPAN("/shared/"))) {
            imap_no(s, "NOPERM", "that is the administrator's to say");
            return;
        }
    }
    s->question = question;
    imap_ask_if(s, POSTERN_IMAP_SET_METADATA, rights_annotate, changed);
}
