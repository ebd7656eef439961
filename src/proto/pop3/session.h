/* SPDX-License-Identifier: MIT */
/* session - what the files of the POP3 engine share: the session and its parts.
 *
 * A line goes: session.c (feed) -> commands.c (table, arguments, message reference) -> cmd-X.c,
 * which answers at once or opens a question; the answer (answers*.c) goes on where the handler
 * stopped: what it needs stands in the session (row, ref, body, work). */
#ifndef POP3_SESSION_H
#define POP3_SESSION_H

#include "base/buffer.h"
#include "base/memory.h"
#include "base/span.h"
#include "proto/pop3/marks.h"
#include "proto/pop3/text.h"
#include "proto/wire/line.h"
#include "proto/wire/reply.h"
#include "proto/wire/stuff.h"
#include <postern/pop3.h>

enum pop3_work { /* what goes on without a question being open */
                 WORK_NONE,
                 WORK_LIST, /* LIST, UIDL: lines are written as output drains */
                 WORK_BODY, /* RETR, TOP through READ */
                 WORK_RANGE /* RETR as a piece of a file */
};

enum pop3_asked { ASKED_NOTHING, ASKED_WAITING, ASKED_SHOWN };

struct pop3_news {
    enum postern_pop3_question_kind kind;
    uint64_t content;
    bool ok;
};

/* struct pop3_capability - an edit of the capability list; tag and line stand behind it in memory.
 */
struct pop3_capability {
    struct pop3_capability *next;
    unsigned states;
    struct postern_span tag, line;
    size_t size;
};

/* struct pop3_row - a row of the command table (commands.c). */
struct pop3_row {
    const char *name;
    unsigned states;
    uint8_t min, max;
    unsigned flags;                                     /* ROW_* */
    bool (*is_offered)(const struct postern_pop3 *s);   /* NULL: always */
    bool (*is_announced)(const struct postern_pop3 *s); /* NULL: as offered */
    const char *capability;                             /* its line in CAPA, or NULL */
    void (*handler)(struct postern_pop3 *s);
};
#define ROW_MESSAGE 1    /* the first argument names a message; s->ref is it */
#define ROW_UTF8 2       /* arguments may be UTF-8 */
#define ROW_REST 4       /* one argument: the rest of the line, spaces included */
#define ROW_KEEPS_USER 8 /* USER still counts after it */
#define ROW_CUSTOM 16    /* the application's own */

struct pop3_body { /* the message being sent */
    uint64_t content, offset, size_raw;
    uint64_t lines_left; /* TOP */
    struct stuff stuff;
    struct surrogate *surrogate;
    struct buffer converted;            /* what the surrogate made of a chunk */
    bool is_top, in_header, line_empty; /* TOP: where in the message, whether the line has text */
    bool is_open, is_started, is_plain; /* is_plain: wire form already */
};

struct postern_pop3 {
    struct postern_pop3_options o;
    enum postern_pop3_state state;
    enum pop3_work work;
    /* facts of the connection */
    bool tls, want_tls, eof, shutdown, closing, in_multiline, failed;
    bool utf8, has_user;
    enum language language;
    struct postern_span tls_identity, tls_binding, stamp; /* own memory */
    struct postern_span name, user;                       /* own memory: as sent, whose mailbox */
    uint32_t errors, failures;
    /* time */
    postern_time now, last, began;
    bool time_stale; /* a question was open: the timers begin when the next `now` comes */
    /* in and out */
    struct line line;
    struct buffer out;
    uint64_t range_offset, range_left;
    const char *tail; /* behind the range, or the last words when memory is gone */
    size_t tail_left;
    struct arena arena; /* lives as long as one command */
    /* the command being answered */
    const struct pop3_row *row;
    struct pop3_row custom; /* the row of an application's command */
    char command[13];
    struct postern_span rest; /* everything behind the first space */
    struct postern_span argument[2];
    unsigned argument_count;
    struct postern_pop3_ref ref;
    unsigned ref_flags; /* POSTERN_ENTRY_* */
    size_t list_next;
    bool list_uids;
    struct pop3_body body;
    /* login */
    struct postern_sasl *sasl;
    enum postern_verdict verdict; /* why a SASL exchange will fail */
    bool waking;
    /* questions */
    struct postern_pop3_question question;
    uint64_t last_id;
    enum pop3_asked asked;
    uint8_t news_count;
    struct pop3_news news[4];
    /* the mailbox */
    struct postern_list list;
    bool read_only;
    int expire_days, login_delay_s;
    uint32_t last_number, last_number_at_open; /* LAST */
    struct marks marks;
    struct pop3_capability *capabilities;
};

/* session.c */
/* pop3_enter - the only place where the state changes. */
void pop3_enter(struct postern_pop3 *s, enum postern_pop3_state state);
void pop3_over(struct postern_pop3 *s);
/* pop3_no_memory - the session is over for want of memory; says so to the peer when it can. */
void pop3_no_memory(struct postern_pop3 *s);
/* pop3_result - what a public function returns: 0, or POSTERN_E_NOMEM after which the session is
 * over. */
int pop3_result(struct postern_pop3 *s);
/* pop3_touch - learn the time. While a question was open no timer ran: they go on from here. */
void pop3_touch(struct postern_pop3 *s, postern_time now);
bool pop3_is_idle(const struct postern_pop3 *s);
void pop3_advance(struct postern_pop3 *s);
/* pop3_set_text - *owned becomes a copy of value (absent frees it). 0 or POSTERN_E_NOMEM. */
int pop3_set_text(struct postern_pop3 *s, struct postern_span *owned, struct postern_span value);
void pop3_forget_login(struct postern_pop3 *s);
void pop3_close_mailbox(struct postern_pop3 *s);
/* pop3_ask - the question s->question, filled in but for its id, is open now. */
void pop3_ask(struct postern_pop3 *s, enum postern_pop3_question_kind kind);
void pop3_tell(struct postern_pop3 *s, enum postern_pop3_question_kind kind, uint64_t content,
               bool ok);

/* answers.c */
/* pop3_accept - close the open question, if it is that one; pop3_answered() ends every answer. */
int pop3_accept(struct postern_pop3 *s, uint64_t id, enum postern_pop3_question_kind kind);
int pop3_answered(struct postern_pop3 *s);

/* replies.c: each of these but pop3_line() ends the command */
void pop3_line(struct postern_pop3 *s, bool ok, const char *code, struct postern_span text,
               bool foreign);
void pop3_finish(struct postern_pop3 *s, bool ok);
void pop3_ok(struct postern_pop3 *s, enum pop3_text text);
void pop3_err(struct postern_pop3 *s, const char *code, enum pop3_text text);
void pop3_bad(struct postern_pop3 *s, enum pop3_text text); /* counts as a bad command */
void pop3_err_verdict(struct postern_pop3 *s, enum postern_verdict verdict,
                      struct postern_span text);
void pop3_login_failed(struct postern_pop3 *s, enum postern_verdict verdict,
                       struct postern_span text);
const char *pop3_verdict_code(enum postern_verdict verdict);
enum pop3_text pop3_verdict_text(enum postern_verdict verdict);

/* commands.c */
void pop3_command(struct postern_pop3 *s, struct postern_span line);
void pop3_run_builtin(struct postern_pop3 *s);
/* pop3_keep - arguments outlive the line: they move to the arena. False when memory is gone. */
bool pop3_keep(struct postern_pop3 *s);
const struct pop3_row *pop3_rows(size_t *count_r);

/* message_ref.c */
/* pop3_resolve - find the message of the first argument, then run the handler; or answer -ERR. */
void pop3_resolve(struct postern_pop3 *s);
void pop3_found(struct postern_pop3 *s, uint64_t size_bytes, unsigned flags);
struct postern_span pop3_uid(const struct postern_pop3 *s, size_t index);
bool pop3_uid_is_valid(struct postern_span uid);

/* cmd-*.c */
void pop3_cmd_apop(struct postern_pop3 *s);
void pop3_cmd_auth(struct postern_pop3 *s);
void pop3_cmd_capa(struct postern_pop3 *s);
void pop3_cmd_custom(struct postern_pop3 *s);
void pop3_cmd_dele(struct postern_pop3 *s);
void pop3_cmd_deli(struct postern_pop3 *s);
void pop3_cmd_lang(struct postern_pop3 *s);
void pop3_cmd_last(struct postern_pop3 *s);
void pop3_cmd_list(struct postern_pop3 *s);
void pop3_cmd_noop(struct postern_pop3 *s);
void pop3_cmd_pass(struct postern_pop3 *s);
void pop3_cmd_qaut(struct postern_pop3 *s);
void pop3_cmd_quit(struct postern_pop3 *s);
void pop3_cmd_retr(struct postern_pop3 *s);
void pop3_cmd_rset(struct postern_pop3 *s);
void pop3_cmd_slee(struct postern_pop3 *s);
void pop3_cmd_stat(struct postern_pop3 *s);
void pop3_cmd_stls(struct postern_pop3 *s);
void pop3_cmd_top(struct postern_pop3 *s);
void pop3_cmd_uidl(struct postern_pop3 *s);
void pop3_cmd_user(struct postern_pop3 *s);
void pop3_cmd_utf8(struct postern_pop3 *s);
void pop3_cmd_wake(struct postern_pop3 *s);

/* parts of commands that answers and the loop go on with */
void pop3_list_go(struct postern_pop3 *s);
void pop3_body_go(struct postern_pop3 *s);
void pop3_body_begin(struct postern_pop3 *s, const struct postern_pop3_message *message);
void pop3_body_read(struct postern_pop3 *s, int err, struct postern_span bytes);
void pop3_body_close(struct postern_pop3 *s);
void pop3_range_sent(struct postern_pop3 *s);
void pop3_expunged(struct postern_pop3 *s, enum postern_verdict verdict, struct postern_span text);
void pop3_opened(struct postern_pop3 *s, enum postern_verdict verdict,
                 const struct postern_pop3_mailbox *mailbox, struct postern_span text);
void pop3_open_mailbox(struct postern_pop3 *s, struct postern_span user);
void pop3_greet(struct postern_pop3 *s, struct postern_span stamp);
void pop3_apop_keys(struct postern_pop3 *s, const struct postern_pop3_keys *keys);
void pop3_sasl_line(struct postern_pop3 *s, struct postern_span line);
void pop3_sasl_state(struct postern_pop3 *s, int state);
void pop3_sasl_keys(struct postern_pop3 *s, const struct postern_pop3_keys *keys);
/* pop3_sasl_offered - mask of the mechanisms that may be used now. */
unsigned pop3_sasl_offered(const struct postern_pop3 *s);
/* pop3_prepare - a name or password as compared: valid UTF-8 and SASLprep (R86). False after an
 * -ERR. */
bool pop3_prepare(struct postern_pop3 *s, struct postern_span in, struct postern_span *out_r);
bool pop3_is_secure(const struct postern_pop3 *s);

#endif
