/* SPDX-License-Identifier: MIT */
/* search - a search as a program: leaves and what joins them, operands first, so that it is judged
 * with a stack of truth values and never by recursion. What is not known yet is unknown: a message
 * is opened only when flags, dates and sizes do not decide. */
#ifndef IMAP_SEARCH_H
#define IMAP_SEARCH_H

#include "base/order.h"
#include "codec/charset.h"
#include "codec/transfer.h"
#include "proto/imap/session.h"
#include <postern/mime.h>

#define SEARCH_BATCH 256
#define SEARCH_DEPTH_MAX 1000 /* of parentheses, NOT and OR within each other */

enum search_op {
    SEARCH_ALL,
    SEARCH_FLAG,    /* number: POSTERN_FLAG_* */
    SEARCH_KEYWORD, /* number: its bit; none: it is nowhere */
    SEARCH_RECENT,
    SEARCH_NEW,
    SEARCH_BEFORE, /* internal date: days since 1970 */
    SEARCH_ON,
    SEARCH_SINCE,
    SEARCH_SAVEDBEFORE, /* RFC 8514: when it came into the mailbox */
    SEARCH_SAVEDON,
    SEARCH_SAVEDSINCE,
    SEARCH_SAVEDATESUPPORTED,
    SEARCH_SENTBEFORE,
    SEARCH_SENTON,
    SEARCH_SENTSINCE,
    SEARCH_LARGER,
    SEARCH_SMALLER,
    SEARCH_YOUNGER, /* seconds */
    SEARCH_OLDER,
    SEARCH_MODSEQ,
    SEARCH_EMAILID,
    SEARCH_SET,
    SEARCH_HEADER, /* name, text */
    SEARCH_BODY,
    SEARCH_TEXT,
    /* what joins them */
    SEARCH_NOT,
    SEARCH_OR,
    SEARCH_AND,
    SEARCH_FUZZY /* while it is read only: nothing is judged by it */
};

struct search_step {
    enum search_op op;
    int64_t number;
    struct imap_set set;
    struct postern_span name; /* of a header field */
    enum postern_mime_field field;
    struct postern_span text; /* folded */
    bool is_narrowed;         /* only those in `set` can have it: an index said so */
    bool loose;               /* one word of a fuzzy text: it does not make an exact match */
};

enum truth { FALSE_, TRUE_, UNKNOWN_ };

/* enum search_depth - what of the message is known. */
enum search_depth { KNOWS_INFO, KNOWS_BLOCK, KNOWS_ALL };

/* struct search_partial - a part of the findings, counted from 1 (RFC 9394). */
struct search_partial {
    bool from_end;
    uint32_t first, last;           /* first is not above last */
    uint32_t told_first, told_last; /* as the client put it */
};

struct imap_search {
    struct search_step *steps;
    size_t count, room;
    unsigned returns; /* RETURN_* */
    bool has_return, has_modseq, has_fuzzy;
    unsigned fuzzy; /* FUZZY around what is read now */
    bool strict;    /* loose steps are false: is it exact? */
    struct search_partial partial;
    enum truth *stack;
    int64_t now_s;  /* for YOUNGER and OLDER */
    int64_t told_s; /* when the client last heard of it */
    size_t asking;  /* the step that an index is asked for */
    unsigned asked;
    /* going on */
    size_t run; /* of the view */
    uint32_t next_uid;
    struct postern_span mailbox; /* absent: the selected one */
    const uint32_t *only;        /* a context's: these UIDs, rising; NULL: all */
    size_t only_count;
    bool broken; /* not all of them could be looked at */
    struct postern_message_info batch[SEARCH_BATCH];
    unsigned char truths[SEARCH_BATCH]; /* of each, by what is known without looking at it */
    size_t batch_n, at;
    struct imap_structures structures;
    uint32_t wanted[SEARCH_BATCH]; /* of these */
    enum search_depth depth;       /* how much of the message at hand was looked at */
    /* reading one message for its text */
    size_t leaf;        /* the step being looked up */
    enum truth *leaves; /* by step, of what was read */
    uint64_t content, offset;
    bool reading;
    struct text_scan *scan;
    /* what was found */
    uint32_t *found;       /* UIDs */
    unsigned char *scores; /* of each, 1 to 100, with RETURN_RELEVANCY */
    size_t found_count, found_room;
    uint64_t *modseqs;               /* of each, where the criteria have MODSEQ */
    uint64_t modseq;                 /* the highest; 0: nothing was found */
    struct fetch_item *update_items; /* RETURN (UPDATE (...)): of new messages; NULL: none */
    bool update_needs_block;
    struct imap_sort *sort; /* one of them, or both NULL: SEARCH */
    struct imap_thread *thread;
};

enum {
    RETURN_MIN = 1,
    RETURN_MAX = 2,
    RETURN_ALL = 4,
    RETURN_COUNT = 8,
    RETURN_SAVE = 16,
    RETURN_PARTIAL = 32,
    RETURN_RELEVANCY = 64,
    RETURN_UPDATE = 128,
    RETURN_CONTEXT = 256 /* a hint that it will be asked again: nothing is prepared */
};

/* RFC 6203 4: the text as it was given, or all its words somewhere. */
enum { SCORE_EXACT = 100, SCORE_WORDS = 50 };

/* search_parse.c */
bool search_parse(struct postern_imap *s, struct imap_search *search);
/* search_parse_program - "RETURN (...) CHARSET x keys". false: the command is answered. */
bool search_parse_program(struct postern_imap *s, struct imap_search *search);
/* search_parse_keys - of this charset; empty: UTF-8. false: the command is answered. */
bool search_parse_keys(struct postern_imap *s, struct imap_search *search,
                       struct postern_span charset_name);
/* search_add - a step more; NULL: out of memory, and the parser is bad. */
struct search_step *search_add(struct postern_imap *s, struct imap_search *search,
                               enum search_op op);
/* search_key.c */
/* search_parse_key - one that is whole in itself. */
void search_parse_key(struct postern_imap *s, struct imap_search *search, struct charset *charset);
/* search_return.c */
/* search_parse_return - "RETURN (...) ", if it stands there. */
void search_parse_return(struct postern_imap *s, struct imap_search *search);
/* search_parse_partial - "1:100", "-1:-100". */
void search_parse_partial(struct postern_imap *s, struct search_partial *partial_r);
/* search_match.c */
enum truth search_judge(struct postern_imap *s, const struct imap_search *search,
                        const struct postern_message_info *info, enum search_depth depth);

/* search_decode_words - a header's value with its encoded words as UTF-8, of any charset. */
void search_decode_words(struct postern_imap *s, struct postern_span value, struct buffer *out);

/* search_limit.c: search_limit - of the messages that the program's sets leave, only so many are
 * looked at (RFC 9738). false: the command is answered. */
bool search_limit(struct postern_imap *s);
/* search_filter.c */
/* search_with_filters - go(), once the named filters of the command stand in it; or it is refused.
 */
void search_with_filters(struct postern_imap *s, void (*go)(struct postern_imap *s));
/* search_answer.c */
/* search_answer - what was found is told, and saved. false: out of memory. */
bool search_answer(struct postern_imap *s);
/* search_forget - "$" names no messages. */
void search_forget(struct postern_imap *s);
/* search_is_smaller - of two UIDs. */
bool search_is_smaller(const void *ctx, const void *left, const void *right);
/* search_slice - of so many findings, the first and how many of them are in the part. */
void search_slice(const struct search_partial *partial, size_t count, size_t *first_r, size_t *n_r);
void search_write_partial(struct postern_imap *s, const struct search_partial *partial);

/* cmd-sort.c. sort_note - a message was found: its keys. sort_order - all are: search->found. */
bool sort_is_by_relevancy(const struct imap_sort *sort);
bool sort_needs_block(const struct imap_sort *sort);
void sort_note(struct postern_imap *s, const struct postern_message_info *info);
void sort_order(struct postern_imap *s);
/* sort_subject - the base subject of the message at hand, folded. sort_sent - its Date field; the
 * internal date where that is none (RFC 5256 2.2). */
struct postern_span sort_subject(struct postern_imap *s, bool *is_reply_r);
int64_t sort_sent(struct postern_imap *s, const struct postern_message_info *info);
/* cmd-thread.c, likewise */
void thread_note(struct postern_imap *s, const struct postern_message_info *info);
void thread_finish(struct postern_imap *s);
/* cmd-search.c. search_new - s->search, zero; then, with its program, it begins. false: out of
 * memory. */
bool search_new(struct postern_imap *s);
void search_begin(struct postern_imap *s);
/* search_begin_of_charset - the charset and the program are still to be read. */
void search_begin_of_charset(struct postern_imap *s);
/* search_go.c: search_go - a step of going through the messages. */
void search_go(struct postern_imap *s);
/* search_look.c: search_look_at - the message at hand; then on. search_note - this one was found.
 * search_score - of the message at hand, which is found. */
void search_look_at(struct postern_imap *s);
void search_note(struct postern_imap *s, uint32_t uid, unsigned score, uint64_t modseq);
unsigned search_score(struct postern_imap *s);
/* search_index.c. search_ask_index - what an index knows of its texts; then it goes on. */
void search_ask_index(struct postern_imap *s);

/* subject.c */
/* base_subject - what a subject is about (RFC 5256 2.1): a part of text, which is decoded;
 * is_reply_r: it had the marks of a reply or forward. */
struct postern_span base_subject(struct postern_span text, bool *is_reply_r);
/* subject_squeeze - spaces, tabs and line ends in a row are one space (RFC 5256 2.1 (1)), in place;
 * how many octets are left. */
size_t subject_squeeze(char *text, size_t n);

/* search_text.c: does a text occur in a message? fed its octets in order. */
struct text_scan;
/* text_scan_new - in the arena; text: folded; header: look there too. NULL: out of memory. */
struct text_scan *text_scan_new(struct postern_imap *s, struct postern_span block,
                                struct postern_span text, struct postern_span field, bool header,
                                bool body);
/* text_scan_feed - true: it was found, or nothing more can come. */
bool text_scan_feed(struct text_scan *scan, struct postern_span octets);
bool text_scan_end(struct text_scan *scan); /* was it found? */

#endif
