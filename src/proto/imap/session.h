/* SPDX-License-Identifier: MIT */
/* session - what the files of the IMAP engine share.
 *
 * Octets become a command (input.c: lines and literals), which is parsed whole (parse.c) by its
 * handler (cmd-*.c). A handler ends it with imap_ok() and the like, or asks a question and names
 * the function that goes on with the answer. Before the tagged line the mailbox's news are told
 * (news.c), where the command allows it. */
#ifndef IMAP_SESSION_H
#define IMAP_SESSION_H

#include "base/buffer.h"
#include "base/memory.h"
#include "base/span.h"
#include "mime/list.h"
#include "proto/imap/parse.h"
#include "proto/imap/text.h"
#include "proto/imap/view.h"
#include <postern/imap.h>

enum imap_asked { ASKED_NOTHING, ASKED_WAITING, ASKED_SHOWN };

/* struct imap_answer - what came with an answer; borrowed. */
struct imap_answer {
    int err;
    enum postern_verdict verdict;
    struct postern_span text; /* user, block, octets */
    const struct postern_scram_keys *keys;
    const struct postern_status *statuses;
    const struct postern_message_info *messages;
    const struct postern_structure *structures; /* NULL: it is the one in text */
    const struct postern_quota *quota;
    const struct postern_metadata *metadata;
    const struct postern_acl *acl;
    uint32_t rights;
    const uint32_t *uids;
    const struct postern_uid_range *ranges;
    size_t count;
    const struct postern_imap_mailbox *mailbox;
    uint64_t content, size_raw;
    uint32_t uid_validity;
};

typedef void imap_then(struct postern_imap *s, const struct imap_answer *answer);

/* struct imap_row - a row of the command table. */
struct imap_row {
    const char *name;
    unsigned states;
    unsigned flags; /* ROW_* */
    void (*handler)(struct postern_imap *s);
    const char *capability; /* without which there is no such command; NULL: always */
};
#define ROW_UID 1        /* "UID NAME" is a command as well */
#define ROW_NO_EXPUNGE 2 /* by numbers it may not be told of expunged ones (RFC 9051 7.5.1) */
#define ROW_NUMBERS 8    /* it speaks of numbers, unless it begins with UID (RFC 9586) */
#define ROW_NO_NEWS 4    /* the mailbox it was about is left behind */

enum imap_input_state {
    INPUT_LINE,    /* the command's text */
    INPUT_LITERAL, /* octets of a literal */
    INPUT_MESSAGE, /* octets of a message, which go to the application */
    INPUT_SWALLOW  /* octets of a literal that was refused */
};

struct imap_input {
    enum imap_input_state state;
    struct buffer text; /* the command so far, literals as they came */
    size_t line_at;     /* where in it the line under way began */
    uint64_t left;      /* octets of the literal to come */
    bool drop;          /* the command was answered: what is left of it is passed over */
};

enum { IMAP_KEYWORD_BYTES = 104 };

/* struct imap_news - what the application is told. */
struct imap_news {
    enum postern_imap_question_kind kind;
    uint64_t content;
};

struct imap_fetch;
struct imap_search;
struct imap_sort;
struct imap_thread;
struct imap_append;
struct imap_select;
struct imap_list;
struct imap_store;
struct imap_copy;
struct imap_expunge;
struct imap_metadata;
struct imap_guard;
struct imap_context;
struct imap_esearch;
struct context_work;
struct imap_notify;
struct imap_arrived;

/* enum imap_watching - what of the account the application was told to watch. */
enum imap_watching { WATCHES_NOTHING, WATCHES_SELECTED, WATCHES_ALL };

struct postern_imap {
    struct postern_imap_options o;
    enum postern_imap_state state;
    bool tls, want_tls, compressed, want_compress, eof, closing, failed, shutdown;
    bool rev2, utf8, condstore, qresync, uid_only;                                  /* ENABLEd */
    struct postern_span tls_identity, tls_binding, user, hidden, mailbox, idle_tag; /* own memory */
    enum language language;
    uint32_t errors, failures;
    postern_time now, last, began;
    bool time_stale;
    struct imap_input input;
    struct buffer out;
    const char *tail;   /* last words when memory is gone */
    struct arena arena; /* lives as long as one command */
    /* the command being answered */
    const struct imap_row *row;
    struct postern_span tag;
    bool asks_condstore;    /* it is enabled once the command is known to be good */
    bool by_uid, by_number; /* by_number: a set named messages by their numbers */
    struct imap_parser in;
    imap_then *then;
    void (*after_news)(struct postern_imap *s);    /* the command goes on; NULL: none waits */
    void (*after_filters)(struct postern_imap *s); /* the search, once its filters are known */
    void (*work)(struct postern_imap *s);          /* goes on as output drains; NULL: nothing */
    struct postern_sasl *sasl;
    enum postern_verdict verdict;
    bool idling;
    struct imap_fetch *fetch; /* these in the arena */
    struct imap_select *select;
    struct imap_list *list;
    struct imap_store *store;
    struct imap_copy *copy;
    struct imap_expunge *expunge;
    struct imap_search *search;
    struct imap_append *append;
    struct imap_metadata *metadata;
    struct imap_guard *guard; /* rights.h */
    struct imap_esearch *esearch;
    /* how it will end, once the news are told */
    const char *result; /* "OK [CODE] text", in the arena; NULL: not yet */
    /* questions */
    struct postern_imap_question question;
    uint64_t last_id;
    enum imap_asked asked;
    struct imap_news news[8];
    unsigned news_count;
    bool has_news; /* postern_imap_news() was called */
    /* the mailbox */
    struct imap_view view;
    char (*keywords)[IMAP_KEYWORD_BYTES];
    unsigned keyword_count;
    uint32_t rights;                 /* of the user to it; all where nobody keeps any */
    bool examined;                   /* it is only to be read, whatever the rights */
    bool read_only, owes_expunge;    /* owes: some are gone and could not be told */
    uint64_t owed_modseq;            /* what the client knows all of while they are owed */
    struct postern_uid_range *saved; /* "$" (RFC 5182), own memory */
    size_t saved_count;
    struct imap_context *contexts;            /* context.h */
    struct context_work *judging;             /* NULL: they are not at work */
    struct imap_notify *notify, *notify_next; /* NOTIFY; next: being set. NULL: none */
    enum imap_watching watching;
    struct imap_arrived *arrived; /* new messages that are to be fetched; NULL: none */
    uint32_t new_from;            /* the news of now: this UID and above are new */
    uint64_t flags_since;    /* changes of flags above it were not told, as wished; 0: all were */
    const uint32_t *removed; /* by this command, rising; in the arena */
    size_t removed_count;
    uint32_t *noted; /* new or changed, to be judged by them; own memory */
    size_t noted_count, noted_room;
    struct uid_told *told; /* what this command itself told of flags, by UID; in the arena */
    size_t told_count, told_room;
    bool told_falls;    /* from the highest down */
    uint32_t limit_uid; /* the lowest that was worked on, as there were too many (RFC 9738); 0 */
    uint32_t told_down; /* EXPUNGE lines, or ranges, told just now */
};

struct uid_told {
    uint32_t uid;
    uint64_t modseq;
};

/* session.c */
void imap_over(struct postern_imap *s);
void imap_no_memory(struct postern_imap *s);
int imap_result_of(struct postern_imap *s);
void imap_touch(struct postern_imap *s, postern_time now);
int imap_set_text(struct postern_imap *s, struct postern_span *owned, struct postern_span value);
/* imap_ask - s->question, filled in but for its id, is open; then() goes on. */
void imap_ask(struct postern_imap *s, enum postern_imap_question_kind kind, imap_then *then);
void imap_tell(struct postern_imap *s, enum postern_imap_question_kind kind, uint64_t content);
bool imap_has_room(const struct postern_imap *s);
bool imap_is_idle(const struct postern_imap *s);
void imap_advance(struct postern_imap *s);

/* input.c */
/* input_feed - how much was taken. */
size_t imap_input_feed(struct postern_imap *s, struct postern_span in);
void imap_input_reset(struct postern_imap *s);
/* imap_input_clear - the command goes on with lines of their own. */
void imap_input_clear(struct postern_imap *s);
/* imap_input_swallow - of a refused literal so many octets will come, and the rest of its line;
 * then the answer that is made meanwhile is written. */
void imap_input_swallow(struct postern_imap *s, uint64_t size);

/* structures.c */
/* struct imap_structures - parsed forms that are at hand: lent ones, or a copy of one. */
struct imap_structures {
    const struct postern_structure *lent;
    size_t count;
    struct buffer own;
    struct postern_span block; /* of the message at hand */
};
/* structures_have - is that of this message there? Then it is the one at hand. They are asked for
 * in the order of UIDs. */
bool structures_have(struct imap_structures *structures, uint32_t uid);
/* structures_take - what came with an answer. false: out of memory. */
bool structures_take(struct postern_imap *s, struct imap_structures *structures,
                     const struct imap_answer *answer);

/* uids.c */
/* imap_set_uids - the messages of the view in the set, rising, in the arena; how many. */
size_t imap_set_uids(struct postern_imap *s, const struct imap_set *set, uint32_t **uids_r);
/* imap_uids_set - rising UIDs as a set, in the arena. */
void imap_uids_set(struct postern_imap *s, const uint32_t *uids, size_t count,
                   struct imap_set *set_r);
bool imap_set_has(const struct imap_set *set, uint32_t uid);
/* imap_set_copy - in the arena; its ranges are never NULL, but out of memory. */
struct imap_set imap_set_copy(struct postern_imap *s, const struct postern_uid_range *ranges,
                              size_t count);
/* imap_set_meet - what is in both, in the arena. NULL ranges: everything. */
struct imap_set imap_set_meet(struct postern_imap *s, struct imap_set a, struct imap_set b);

/* limit.c */
/* imap_limit - the most messages of one command; imap_limit_of_saving - of COPY and APPEND. 0: any
 * number. */
uint32_t imap_limit(const struct postern_imap *s);
uint32_t imap_limit_of_saving(const struct postern_imap *s);
/* imap_limit_cut - of rising UIDs the last ones, as many as may be; how many. imap_limit_cut_set -
 * likewise, of those that are there; false: out of memory. */
size_t imap_limit_cut(struct postern_imap *s, uint32_t **uids, size_t count);
bool imap_limit_cut_set(struct postern_imap *s, struct imap_set *set);
/* imap_batch_range - what is left of a range of a set, at most so many where they are worked on
 * from the highest down. next_uid: where it goes on; 0: it begins. */
struct postern_uid_range imap_batch_range(const struct postern_imap *s,
                                          struct postern_uid_range range, uint32_t next_uid,
                                          uint32_t batch);
/* imap_no_limit - the command ends: NO [MESSAGELIMIT limit uid]. */
void imap_no_limit(struct postern_imap *s, uint32_t limit, uint32_t uid);
/* imap_partly - the command ends; if it was cut, that is told as well. */
void imap_partly(struct postern_imap *s, bool good, const char *code, const char *text);

/* write.c: responses. */
/* inline, so that the length of a literal is known when it is compiled */
static inline void write_text(struct postern_imap *s, const char *text)
{
    buffer_append(&s->out, span_make(text, strlen(text)));
}
void write_span(struct postern_imap *s, struct postern_span text);
void write_number(struct postern_imap *s, uint64_t number);
void write_string(struct postern_imap *s, struct postern_span text);  /* quoted or literal */
void write_nstring(struct postern_imap *s, struct postern_span text); /* absent: NIL */
/* write_list - where lists of mime/list.h go, as this client may be told them. */
struct list write_list(struct postern_imap *s);
/* write_attribute - of a mailbox, in a list. space: "" before the first. */
void write_attribute(struct postern_imap *s, const char **space, const char *name);
void write_mailbox(struct postern_imap *s, struct postern_span name);
void write_flags(struct postern_imap *s, uint32_t flags, uint64_t keywords, bool recent);
void write_ranges(struct postern_imap *s, const struct postern_uid_range *ranges, size_t count);
void write_uids(struct postern_imap *s, const uint32_t *uids, size_t count);
void write_date_time(struct postern_imap *s, int64_t seconds);

/* commands.c */
void imap_command(struct postern_imap *s, struct postern_span text);
/* imap_begin - tag, row and arguments of a command. false: out of memory. */
bool imap_begin(struct postern_imap *s, struct postern_span text);
/* imap_why_not - why the command at hand may not be said; NULL: it may. code_r: set if there is
 * one.
 */
const char *imap_why_not(const struct postern_imap *s, const char **code_r);
/* imap_verb - of a command that is not whole yet: NULL when it has none. */
const struct imap_row *imap_verb(struct postern_span text, struct postern_span *tag_r,
                                 struct postern_span *rest_r, bool *by_uid_r);
/* each ends the command. code: "[X]" without brackets, or NULL. */
void imap_ok(struct postern_imap *s, const char *code, const char *text);
/* imap_ok_removed - of messages that were removed: OK, to who has QRESYNC with the mod-sequence. */
void imap_ok_removed(struct postern_imap *s, const char *text);
void imap_no(struct postern_imap *s, const char *code, const char *text);
void imap_bad(struct postern_imap *s, const char *text);
void imap_bad_code(struct postern_imap *s, const char *code, const char *text);
void imap_refuse(struct postern_imap *s, int err); /* NO with what fits the error */
/* imap_refuse_target - of COPY or APPEND: a mailbox that is not there could be made (RFC 9051 7.1).
 */
void imap_refuse_target(struct postern_imap *s, int err);
/* imap_result_take - the command ends with this line, "OK [CODE]", whose memory is taken, and the
 * text in the language of the session. */
void imap_result_take(struct postern_imap *s, struct buffer *line, const char *text);
/* imap_good - after parsing: if it was bad, the command is ended, and false. */
bool imap_good(struct postern_imap *s);
/* capability.c */
/* imap_offers - is this extension there for this user? */
bool imap_offers(const struct postern_imap *s, const char *name);
/* imap_write_capability - "CAPABILITY ..." without a line end. */
void imap_write_capability(struct postern_imap *s);
void imap_write_mechanisms(struct postern_imap *s); /* " AUTH=..." of those offered now */
bool imap_is_secure(const struct postern_imap *s);

/* news.c */
/* imap_finish - news first, then the tagged line in s->result. */
void imap_finish(struct postern_imap *s);
/* imap_write_result - the tagged line, and the command is over. */
void imap_write_result(struct postern_imap *s);
/* imap_command_over - its tagged line is written: what belonged to it is forgotten. */
void imap_command_over(struct postern_imap *s);
void imap_news_ask(struct postern_imap *s);
void imap_unselect(struct postern_imap *s);
/* imap_news_ended - all is told; on with what waited for it. */
void imap_news_ended(struct postern_imap *s);

/* keywords.c */
/* imap_learn_keywords - learn the names; tells FLAGS when there are new ones. */
void imap_learn_keywords(struct postern_imap *s, const struct postern_span *names, size_t count,
                         bool announce);
void imap_write_mailbox_flags(struct postern_imap *s);
/* imap_keyword - its number; -1: there is none such. */
int imap_keyword(const struct postern_imap *s, struct postern_span name);

/* told.c */
/* imap_told - this command told the flags of a message, as of modseq. */
void imap_told(struct postern_imap *s, uint32_t uid, uint64_t modseq);
/* imap_is_told - that, or a later state of it. */
bool imap_is_told(const struct postern_imap *s, const struct postern_message_info *info);
/* imap_write_message - "* 3 FETCH (", and with_uid "UID 7 "; UIDONLY: "* 7 UIDFETCH (". */
void imap_write_message(struct postern_imap *s, uint32_t uid, bool with_uid);
void imap_write_changed(struct postern_imap *s, const struct postern_message_info *info);

/* push.c. imap_rewatch - what the application is to watch now; it is told when that is something
 * else. */
void imap_rewatch(struct postern_imap *s);
/* imap_may_push - a client that did not ask may be told something now. */
bool imap_may_push(const struct postern_imap *s);
/* imap_push - that there is something is known; find out and tell it. */
void imap_push(struct postern_imap *s);

/* parts of commands that others go on with */
/* imap_write_highest - HIGHESTMODSEQ of the mailbox, if one is selected. */
void imap_write_highest(struct postern_imap *s);
/* imap_enable_condstore - a command was read that asks for it: the first one is told what the
 * highest is (RFC 7162 3.1). */
void imap_enable_condstore(struct postern_imap *s);
/* imap_write_earlier - VANISHED (EARLIER): of the UIDs that a client may know (NULL ranges: any)
 * and that vanished (NULL: as is not known), what is not in the view and above that UID. */
void imap_write_earlier(struct postern_imap *s, struct imap_set known, struct imap_set vanished,
                        uint32_t above);
void imap_search_abort(struct postern_imap *s);
void imap_fetch_abort(struct postern_imap *s);
const char *imap_special(enum postern_special_use special); /* "\\Sent"; NULL */
unsigned imap_parse_status_items(struct postern_imap *s);
void imap_write_status(struct postern_imap *s, const struct postern_status *status, unsigned mask);
void imap_greet(struct postern_imap *s, const struct imap_answer *answer);
void imap_sasl_line(struct postern_imap *s, struct postern_span line);
void imap_idle_line(struct postern_imap *s, struct postern_span line);
/* imap_append_is_next - does a message stand where this command's text ends? */
bool imap_append_is_next(struct postern_imap *s, struct postern_span text);
/* imap_append_message - a message of so many octets was announced there. */
void imap_append_message(struct postern_imap *s, struct postern_span text, uint64_t size,
                         bool waits, bool binary);
/* imap_append_octets - of the message; how many were taken. */
size_t imap_append_octets(struct postern_imap *s, struct postern_span in);
void imap_append_abort(struct postern_imap *s);
void imap_logged_in(struct postern_imap *s, struct postern_span user);
void imap_login_failed(struct postern_imap *s, enum postern_verdict verdict);

#endif
