/* SPDX-License-Identifier: MIT */
/* commands - the table, who may say what when, and how a command ends. */
#include "proto/imap/commands.h"
#include "proto/imap/esearch.h"
#include "proto/imap/arrived.h"

#define ANY (POSTERN_IMAP_NOT_AUTHENTICATED | POSTERN_IMAP_AUTHENTICATED | POSTERN_IMAP_SELECTED)
#define BEFORE POSTERN_IMAP_NOT_AUTHENTICATED
#define IN (POSTERN_IMAP_AUTHENTICATED | POSTERN_IMAP_SELECTED)
#define SELECTED POSTERN_IMAP_SELECTED

/* I 3.3-1, I 6.1-1, I 6.2-1 I 3501:6.4.1-1 */
static const struct imap_row rows[] = {
    {"CAPABILITY", ANY, 0, imap_cmd_capability, NULL},
    {"NOOP", ANY, 0, imap_cmd_noop, NULL},
    {"LOGOUT", ANY, ROW_NO_NEWS, imap_cmd_logout, NULL},
    {"ID", ANY, 0, imap_cmd_id, "ID"},
    {"LANGUAGE", ANY, 0, imap_cmd_language, "LANGUAGE"},
    {"STARTTLS", BEFORE, 0, imap_cmd_starttls, NULL},
    {"AUTHENTICATE", BEFORE, 0, imap_cmd_authenticate, NULL},
    {"LOGIN", BEFORE, 0, imap_cmd_login, NULL},
    {"UNAUTHENTICATE", IN, ROW_NO_NEWS, imap_cmd_unauthenticate, "UNAUTHENTICATE"},
    {"ENABLE", IN, 0, imap_cmd_enable, "ENABLE"},
    {"SELECT", IN, ROW_NO_NEWS, imap_cmd_select, NULL},
    {"EXAMINE", IN, ROW_NO_NEWS, imap_cmd_examine, NULL},
    {"CREATE", IN, 0, imap_cmd_create, NULL},
    {"DELETE", IN, 0, imap_cmd_delete, NULL},
    {"RENAME", IN, 0, imap_cmd_rename, NULL},
    {"SUBSCRIBE", IN, 0, imap_cmd_subscribe, NULL},
    {"UNSUBSCRIBE", IN, 0, imap_cmd_unsubscribe, NULL},
    {"LIST", IN, 0, imap_cmd_list, NULL},
    {"LSUB", IN, 0, imap_cmd_lsub, NULL},
    {"XLIST", IN, 0, imap_cmd_xlist, "XLIST"},
    {"NAMESPACE", IN, 0, imap_cmd_namespace, "NAMESPACE"},
    {"STATUS", IN, 0, imap_cmd_status, NULL},
    {"GETQUOTA", IN, 0, imap_cmd_getquota, "QUOTA"},
    {"GETQUOTAROOT", IN, 0, imap_cmd_getquotaroot, "QUOTA"},
    {"SETQUOTA", IN, 0, imap_cmd_setquota, "QUOTASET"},
    {"GETMETADATA", IN, 0, imap_cmd_getmetadata, "METADATA"},
    {"SETMETADATA", IN, 0, imap_cmd_setmetadata, "METADATA"},
    {"GETACL", IN, 0, imap_cmd_getacl, "ACL"},
    {"SETACL", IN, 0, imap_cmd_setacl, "ACL"},
    {"DELETEACL", IN, 0, imap_cmd_deleteacl, "ACL"},
    {"LISTRIGHTS", IN, 0, imap_cmd_listrights, "ACL"},
    {"MYRIGHTS", IN, 0, imap_cmd_myrights, "ACL"},
    {"APPEND", IN, 0, imap_cmd_append, NULL},
    {"REPLACE", SELECTED, ROW_UID | ROW_NUMBERS, imap_cmd_replace, "REPLACE"},
    {"COMPRESS", IN, ROW_NO_NEWS, imap_cmd_compress, "COMPRESS=DEFLATE"},
    {"NOTIFY", IN, 0, imap_cmd_notify, "NOTIFY"},
    {"IDLE", IN, 0, imap_cmd_idle, "IDLE"},
    {"CHECK", SELECTED, 0, imap_cmd_noop, NULL},
    {"CLOSE", SELECTED, ROW_NO_NEWS, imap_cmd_close, NULL},
    {"UNSELECT", SELECTED, ROW_NO_NEWS, imap_cmd_unselect, "UNSELECT"},
    {"EXPUNGE", SELECTED, ROW_UID, imap_cmd_expunge, NULL},
    {"SEARCH", SELECTED, ROW_UID | ROW_NUMBERS | ROW_NO_EXPUNGE, imap_cmd_search, NULL},
    {"SORT", SELECTED, ROW_UID | ROW_NUMBERS | ROW_NO_EXPUNGE, imap_cmd_sort, "SORT"},
    {"CANCELUPDATE", SELECTED, 0, imap_cmd_cancelupdate, "CONTEXT=SEARCH"},
    {"ESEARCH", IN, ROW_UID, imap_cmd_esearch, "MULTISEARCH"},
    {"UIDBATCHES", SELECTED, 0, imap_cmd_uidbatches, "UIDBATCHES"},
    {"THREAD", SELECTED, ROW_UID | ROW_NUMBERS | ROW_NO_EXPUNGE, imap_cmd_thread, NULL},
    {"FETCH", SELECTED, ROW_UID | ROW_NUMBERS | ROW_NO_EXPUNGE, imap_cmd_fetch, NULL},
    {"STORE", SELECTED, ROW_UID | ROW_NUMBERS | ROW_NO_EXPUNGE, imap_cmd_store, NULL},
    {"COPY", SELECTED, ROW_UID | ROW_NUMBERS, imap_cmd_copy, NULL},
    {"MOVE", SELECTED, ROW_UID | ROW_NUMBERS, imap_cmd_move, "MOVE"},
};

/* I 6.5-1 */
static const struct imap_row *find_row(struct postern_span word)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (span_equal_nocase(word, postern_span_of(rows[i].name)))
            return &rows[i];
    return NULL;
}

/* is_tag - 1*<any ASTRING-CHAR except "+"> I 9-4 */
static bool is_tag(struct postern_span tag)
{
    for (size_t i = 0; i < tag.n; i++)
        if ((unsigned char)tag.p[i] <= ' ' || (unsigned char)tag.p[i] > 126 ||
            strchr("(){%*\"\\+", tag.p[i]))
            return false;
    return tag.n > 0 && tag.n <= 256;
}

/* I 2.2.1-1 */
const struct imap_row *imap_verb(struct postern_span text, struct postern_span *tag_r,
                                 struct postern_span *rest_r, bool *by_uid_r)
{
    struct postern_span rest = text, word, whole;
    const struct imap_row *row;

    *by_uid_r = false;
    *tag_r = span_cut(&rest, ' ');
    if (!is_tag(*tag_r)) {
        *tag_r = (struct postern_span){0};
        return NULL;
    }
    whole = rest;
    word = span_cut(&rest, ' ');
    if (span_equal_nocase(word, SPAN("UID")) && rest.p) {
        *by_uid_r = true;
        whole = rest;
        word = span_cut(&rest, ' ');
    }
    *rest_r = span_from(whole, word.n);
    row = find_row(word);
    return row && *by_uid_r && !(row->flags & ROW_UID) ? NULL : row;
}

bool imap_begin(struct postern_imap *s, struct postern_span text)
{
    struct postern_span tag, rest = {0};

    s->row = imap_verb(text, &tag, &rest, &s->by_uid);
    s->in = (struct imap_parser){.rest = rest};
    if (arena_copy(&s->arena, tag, &s->tag) < 0) {
        imap_no_memory(s);
        return false;
    }
    return true;
}

/* I 3.1-1, I 3.2-1
 * I 9586:3-1 */
const char *imap_why_not(const struct postern_imap *s, const char **code_r)
{
    const struct imap_row *row = s->row;

    if (!s->tag.n)
        return "no tag";
    if (!row || (row->capability && !imap_offers(s, row->capability)))
        return "unknown command";
    if (!(row->states & s->state))
        return s->state == POSTERN_IMAP_NOT_AUTHENTICATED ? "log in first"
               : row->states == SELECTED                  ? "no mailbox is selected"
                                                          : "not in this state";
    if (s->uid_only && row->flags & ROW_NUMBERS && !s->by_uid) {
        *code_r = "UIDREQUIRED";
        return "message numbers are not used";
    }
    return NULL;
}

void imap_command(struct postern_imap *s, struct postern_span text)
{
    const char *code = NULL, *why;

    if (s->append) { /* it goes on behind a message */
        s->in = (struct imap_parser){.rest = text};
        imap_cmd_append(s);
        return;
    }
    if (!imap_begin(s, text))
        return;
    why = imap_why_not(s, &code);
    if (why)
        imap_bad_code(s, code, why);
    else
        s->row->handler(s);
}

/* ---- ends ------------------------------------------------------------------------------------ */

static void result(struct postern_imap *s, const char *what, const char *code, const char *text)
{
    struct buffer line = {.allocator = s->o.allocator};

    buffer_append_text(&line, what);
    buffer_append_text(&line, code ? " [" : "");
    buffer_append_text(&line, code ? code : "");
    buffer_append_text(&line, code ? "]" : "");
    imap_result_take(s, &line, text);
}

void imap_result_take(struct postern_imap *s, struct buffer *line, const char *text)
{
    struct postern_span kept = {0};

    buffer_append_char(line, ' ');
    buffer_append_text(line, text_in(s->language, text));
    buffer_append_char(line, '\0');
    if (line->error || arena_copy(&s->arena, buffer_span(line), &kept) < 0)
        imap_no_memory(s);
    buffer_done(line);
    s->result = kept.p;
    if (!s->failed)
        imap_finish(s);
}

void imap_ok(struct postern_imap *s, const char *code, const char *text)
{
    s->errors = 0;
    result(s, "OK", code, text);
}

/* I 6-2 */
void imap_no(struct postern_imap *s, const char *code, const char *text)
{
    s->errors = 0;
    result(s, "NO", code, text);
}

/* I 6-1 */
void imap_bad_code(struct postern_imap *s, const char *code, const char *text)
{
    s->errors++;
    result(s, "BAD", code, text);
}

void imap_bad(struct postern_imap *s, const char *text)
{
    imap_bad_code(s, NULL, text);
}

/* imap_refuse - RFC 5530: the code says what a program can do about it. I 7.1-1
 * I 9208:4.3.1-1 */
void imap_refuse(struct postern_imap *s, int err)
{
    static const struct {
        int err;
        const char *code, *text;
    } all[] = {{POSTERN_E_NOT_FOUND, "NONEXISTENT", "there is no such mailbox"},
               {POSTERN_E_EXISTS, "ALREADYEXISTS", "it is there already"},
               {POSTERN_E_DENIED, "NOPERM", "not permitted"},
               {POSTERN_E_FULL, "OVERQUOTA", "no space or quota left"},
               {POSTERN_E_READ_ONLY, "NOPERM", "it can only be read"},
               {POSTERN_E_SYNTAX, "CANNOT", "no such name is possible"},
               {POSTERN_E_TOO_LONG, "LIMIT", "too long, or too many"},
               {POSTERN_E_IN_USE, "INUSE", "in use"},
               {POSTERN_E_UNSUPPORTED, "CANNOT", "not possible here"},
               {POSTERN_E_CORRUPT, "CORRUPTION", "stored data are damaged"},
               {POSTERN_E_AGAIN, "UNAVAILABLE", "temporarily unavailable"},
               {POSTERN_E_NOMEM, "UNAVAILABLE", "out of memory"}};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].err == err) {
            imap_no(s, all[i].code, all[i].text);
            return;
        }
    imap_no(s, "SERVERBUG", "an error of the server");
}

/* I 6.3.12-6 I 6.4.8-4 */
void imap_refuse_target(struct postern_imap *s, int err)
{
    if (err == POSTERN_E_NOT_FOUND)
        imap_no(s, "TRYCREATE", "there is no such mailbox");
    else
        imap_refuse(s, err);
}

/* I 2.2.1-2 */
bool imap_good(struct postern_imap *s)
{
    if (s->failed)
        return false;
    parse_end(&s->in);
    if (!s->in.bad) {
        if (s->asks_condstore && !s->condstore)
            imap_write_highest(s);
        s->condstore |= s->asks_condstore;
        return true;
    }
    imap_bad_code(s, s->in.code, s->in.why ? s->in.why : "syntax error");
    return false;
}

void imap_command_over(struct postern_imap *s)
{
    bool closes = s->closing;

    s->row = NULL;
    s->tag = (struct postern_span){0};
    (void)imap_set_text(s, &s->idle_tag, s->tag); /* takes no memory */
    s->result = NULL;
    s->by_uid = s->by_number = s->asks_condstore = false;
    s->after_news = NULL;
    s->fetch = NULL;
    s->select = NULL;
    s->list = NULL;
    s->store = NULL;
    s->copy = NULL;
    s->expunge = NULL;
    s->search = NULL;
    esearch_end(s);
    arrived_free(s);
    s->append = NULL;
    s->metadata = NULL;
    s->guard = NULL;
    s->told = NULL;
    s->told_count = s->told_room = 0;
    s->told_falls = false;
    s->limit_uid = 0;
    s->removed_count = 0;
    imap_input_reset(s);
    arena_drop(&s->arena);
    if (closes)
        imap_over(s);
}

/* I 2.2.2-1, I 7.1.3-1 I 7.1.5-1 */
void imap_write_result(struct postern_imap *s)
{
    if (s->tag.n)
        write_span(s, s->tag);
    else
        write_text(s, "*");
    write_text(s, " ");
    write_text(s, s->result);
    write_text(s, "\r\n");
    if (s->errors >= s->o.errors_max || s->failures >= s->o.failures_max) {
        write_text(s, "* BYE too many errors\r\n");
        s->closing = true;
    }
    imap_command_over(s);
    if (s->shutdown && s->state != POSTERN_IMAP_OVER) {
        write_text(s, "* BYE [UNAVAILABLE] the server goes down\r\n");
        imap_over(s);
    }
}
