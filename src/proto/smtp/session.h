/* SPDX-License-Identifier: MIT */
/* session - what the files of the SMTP engine share.
 *
 * Octets become lines (input.c), a line a command (commands.c), whose handler (cmd-*.c) replies, or
 * asks a question and names the function that goes on with the answer. The octets of a message go
 * through content.c: unstuffed, looked at (header.c), and written in chunks. */
#ifndef SMTP_SESSION_H
#define SMTP_SESSION_H

#include "base/buffer.h"
#include "base/memory.h"
#include "base/span.h"
#include "proto/wire/line.h"
#include <postern/smtp.h>

enum smtp_asked { ASKED_NOTHING, ASKED_WAITING, ASKED_SHOWN };

/* struct smtp_answer - what came with an answer; borrowed. */
struct smtp_answer {
    const struct postern_smtp_reply *replies; /* NULL: go on */
    size_t count;
    enum postern_verdict verdict;
    struct postern_span text;
    const struct postern_scram_keys *keys;
};

typedef void smtp_then(struct postern_smtp *s, const struct smtp_answer *answer);

/* struct smtp_row - a row of the command table. */
struct smtp_row {
    const char *name;
    unsigned roles;  /* mask of ROLE() */
    unsigned states; /* elsewhere 503 */
    unsigned flags;
    void (*handler)(struct postern_smtp *s, struct postern_span argument);
};
#define ROLE(role) (1u << (role))
#define ROW_BARE 1 /* takes no argument */
#define ROW_IDLE 2 /* does nothing: too many of them in a row are refused (N3) */

/* struct smtp_chunk - a BDAT under way. */
struct smtp_chunk {
    uint64_t left, size;
    bool open;          /* its reply is still to be said */
    bool last, swallow; /* swallow: that was said, and its octets are passed over */
};

struct smtp_content;

struct postern_smtp {
    struct postern_smtp_options o;
    enum postern_smtp_state state;
    bool tls, want_tls, eof, closing, failed, shutdown, time_stale;
    bool greeted;        /* the greeting was written */
    bool refused;        /* by a 554 greeting: QUIT is all there is */
    bool extended;       /* EHLO or LHLO, not HELO */
    bool data_said;      /* DATA is being answered: nothing may stand behind it yet */
    bool early;          /* something did */
    bool closes_if_more; /* DATA was refused: what stands behind it may be the message */
    /* own memory */
    struct postern_span tls_identity, tls_binding, user, helo;
    struct postern_span candidate;                   /* who it is if the exchange ends well */
    struct postern_span client_name, client_address; /* by XCLIENT */
    unsigned errors, idle_commands, failures, too_long, transactions;
    postern_time now, last, began, line_began;
    struct line line;
    uint64_t line_octets; /* of the line under way, also while it is swallowed */
    struct buffer out;
    const char *tail;
    struct arena arena; /* lives as long as one command */
    struct postern_sasl *sasl;
    enum postern_verdict verdict;
    /* questions */
    smtp_then *then;
    struct postern_smtp_question question;
    uint64_t last_id;
    enum smtp_asked asked;
    bool reset_due; /* RESET is to be told */
    /* the transaction */
    char transaction[48];
    bool utf8;
    enum postern_smtp_body body;
    uint64_t size_bytes;
    struct buffer recipients; /* their texts, each with '\0' behind it */
    uint32_t recipient_count;
    struct smtp_chunk chunk;
    struct smtp_content *content; /* content.h; NULL: none under way */
};

/* session.c */
void smtp_over(struct postern_smtp *s);
void smtp_no_memory(struct postern_smtp *s);
int smtp_result_of(struct postern_smtp *s);
void smtp_touch(struct postern_smtp *s, postern_time now);
int smtp_set_text(struct postern_smtp *s, struct postern_span *owned, struct postern_span value);
/* smtp_ask - s->question, filled in but for its id, is open; then() goes on. */
void smtp_ask(struct postern_smtp *s, enum postern_smtp_question_kind kind, smtp_then *then);
bool smtp_is_idle(const struct postern_smtp *s);
/* smtp_forget - the transaction is over; told: RESET, where the application knows of it. */
void smtp_forget(struct postern_smtp *s, bool told);
bool smtp_in_transaction(const struct postern_smtp *s);
/* smtp_must_wait - for the greeting, before it speaks. */
bool smtp_must_wait(const struct postern_smtp *s);
void smtp_greet(struct postern_smtp *s, const struct smtp_answer *answer);
void smtp_tls_judged(struct postern_smtp *s, const struct smtp_answer *answer);

/* input.c */
/* smtp_input_feed - how much was taken. */
size_t smtp_input_feed(struct postern_smtp *s, struct postern_span in);

/* commands.c */
void smtp_command(struct postern_smtp *s, struct postern_span line);
void smtp_command_over(struct postern_smtp *s);

/* reply.c: text may be of the peer or the application: it is made fit. */
void smtp_reply(struct postern_smtp *s, unsigned code, const char *enhanced, const char *text);
/* smtp_reply_about - with "<about> " before the text. */
void smtp_reply_about(struct postern_smtp *s, struct postern_span about,
                      const struct postern_smtp_reply *reply);
/* smtp_refuse - a reply that counts as an error of the peer's. */
void smtp_refuse(struct postern_smtp *s, unsigned code, const char *enhanced, const char *text);
#define REPLY(code, enhanced, text) \
    {                               \
        code, enhanced,             \
        {                           \
            text, sizeof text - 1   \
        }                           \
    }
#define REPLY_SILENT(code, enhanced) \
    {                                \
        code, enhanced,              \
        {                            \
            NULL, 0                  \
        }                            \
    }
/* smtp_answered - the application's reply, or `otherwise`, is written, but for an acceptance where
 * `otherwise` is silent. true: it is 2xx, go on. */
bool smtp_answered(struct postern_smtp *s, const struct smtp_answer *answer,
                   const struct postern_smtp_reply *otherwise);
/* smtp_reply_made_fit - code, class and enhanced code agree. */
struct postern_smtp_reply smtp_reply_made_fit(const struct postern_smtp_reply *reply,
                                              char enhanced[16]);
/* smtp_write_reply - its code is fit already; a long text has several lines. */
void smtp_write_reply(struct postern_smtp *s, const struct postern_smtp_reply *reply);
/* smtp_end - 421, and the session is over. */
void smtp_end(struct postern_smtp *s, const char *enhanced, const char *text);

/* parameters.c */
/* struct smtp_parameter - of a command. */
struct smtp_parameter {
    struct postern_span keyword, value; /* value absent: none */
};
/* smtp_parameter_next - 1, 0 at the end, POSTERN_E_SYNTAX. */
int smtp_parameter_next(struct postern_span *rest, struct smtp_parameter *parameter_r);
/* smtp_xtext - decoded, in the arena. 0, POSTERN_E_SYNTAX, _NOMEM. */
int smtp_xtext(struct postern_smtp *s, struct postern_span text, struct postern_span *decoded_r);

/* content.c */
/* smtp_content_begin - dots: of DATA. */
int smtp_content_begin(struct postern_smtp *s, bool dots);
/* smtp_content_refuse - this will be said when all of it came, or this chunk. */
void smtp_content_refuse(struct postern_smtp *s, const struct postern_smtp_reply *reply);
/* smtp_content_refusal - NULL: none. */
const struct postern_smtp_reply *smtp_content_refusal(const struct postern_smtp *s);
/* smtp_content_feed - octets behind DATA, until CRLF.CRLF; smtp_content_octets - of a BDAT. How
 * many were taken. */
size_t smtp_content_feed(struct postern_smtp *s, struct postern_span in);
size_t smtp_content_octets(struct postern_smtp *s, struct postern_span in);
/* smtp_content_end - the message is whole. */
void smtp_content_end(struct postern_smtp *s);
void smtp_content_free(struct postern_smtp *s);
size_t smtp_content_memory(const struct postern_smtp *s);
postern_time smtp_content_deadline(const struct postern_smtp *s);
/* smtp_chunk_over - what content has of a BDAT is written. */
void smtp_chunk_over(struct postern_smtp *s);

/* cmd-*.c */
void smtp_cmd_auth(struct postern_smtp *s, struct postern_span argument);
void smtp_cmd_bdat(struct postern_smtp *s, struct postern_span argument);
void smtp_cmd_data(struct postern_smtp *s, struct postern_span argument);
void smtp_cmd_ehlo(struct postern_smtp *s, struct postern_span argument);
void smtp_cmd_helo(struct postern_smtp *s, struct postern_span argument);
void smtp_cmd_help(struct postern_smtp *s, struct postern_span argument);
void smtp_cmd_mail(struct postern_smtp *s, struct postern_span argument);
void smtp_cmd_noop(struct postern_smtp *s, struct postern_span argument);
void smtp_cmd_quit(struct postern_smtp *s, struct postern_span argument);
void smtp_cmd_rcpt(struct postern_smtp *s, struct postern_span argument);
void smtp_cmd_rset(struct postern_smtp *s, struct postern_span argument);
void smtp_cmd_starttls(struct postern_smtp *s, struct postern_span argument);
void smtp_cmd_vrfy(struct postern_smtp *s, struct postern_span argument);
void smtp_cmd_xclient(struct postern_smtp *s, struct postern_span argument);
/* smtp_sasl_line - a response of the AUTH under way. */
void smtp_sasl_line(struct postern_smtp *s, struct postern_span line);
bool smtp_offers_auth(const struct postern_smtp *s);
void smtp_write_mechanisms(struct postern_smtp *s);

#endif
