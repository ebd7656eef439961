/* SPDX-License-Identifier: MIT */
/* fuzz_imap_engine - the engine alone, and an application that answers what it likes: errors,
 * mailboxes that change between two looks, messages that are gone, too short, or somebody else's.
 * Input: an octet for how it is cut, what the client says, 0xff, and what the application decides.
 * Whatever comes, all that is said are whole responses; they do not depend on how it was cut; and
 * memory follows what came. */
#include <stdio.h>

#include "base/buffer.h"
#include "base/span.h"
#include "imap_grammar.h"
#include <postern/imap.h>
#include <postern/mime.h>

#define KINDS 40
#define MEMORY_MOST 262144 /* of a session, besides four times what came */
#define MESSAGES_MOST 8

#define MULTIPART                                                                            \
    "Content-Type: multipart/mixed; boundary=q\r\n\r\n--q\r\n\r\na\r\n--q\r\nContent-Type: " \
    "message/rfc822\r\n\r\nSubject: in\r\n\r\nx\r\n--q--\r\n"

static const char *const mails[] = {
    "Subject: one\r\nFrom: Ann <a@b>\r\n\r\nbody of one\r\n", MULTIPART,
    "Subject: =?utf-8?q?=c3=bc?=\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n", ""};

/* struct run - one session; what the application decides depends on the kind of question and on
 * how many of the kind there were, not on when they come. */
struct run {
    struct postern_imap *imap;
    struct postern_span decisions;
    unsigned asked[KINDS];
    struct buffer said;
    size_t came, step;
    bool broke; /* a message was shorter than announced: then the session ends at once */
};

static unsigned decide(struct run *run, enum postern_imap_question_kind kind, unsigned what)
{
    size_t at = run->asked[kind % KINDS] * 5 + (unsigned)kind * 3 + what;

    return run->decisions.n ? (unsigned char)run->decisions.p[at % run->decisions.n] : 0;
}

static int error_of(unsigned decision)
{
    static const int errors[] = {POSTERN_E_NOT_FOUND, POSTERN_E_AGAIN,   POSTERN_E_FULL,
                                 POSTERN_E_DENIED,    POSTERN_E_CORRUPT, POSTERN_E_IO,
                                 POSTERN_E_EXISTS,    POSTERN_E_TOO_LONG};

    return decision >= 0xf0 ? errors[decision & 7] : 0;
}

static struct postern_status status_of(unsigned decision)
{
    static const char *const names[] = {"INBOX", "a\xc3\xa4", "a/b&c", "\"q\\", "c d", "Sent"};

    return (struct postern_status){.name = postern_span_of(names[decision % 6]),
                                   .id = decision,
                                   .uid_validity = 1 + decision / 64,
                                   .uid_next = 1 + decision * 3,
                                   .modseq = 1 + decision,
                                   .messages = decision,
                                   .special = (enum postern_special_use)(decision % 8),
                                   .subscribed = decision & 1,
                                   .exists = decision & 6};
}

/* infos - up to eight, rising, some of those that are asked for. */
static size_t infos(struct run *run, enum postern_imap_question_kind kind,
                    struct postern_uid_range range, struct postern_message_info *out)
{
    size_t n = 0;

    for (uint32_t i = 0; i < MESSAGES_MOST; i++) {
        unsigned what = decide(run, kind, i);

        if (range.first + i < range.first || range.first + i > range.last || what & 0x80)
            continue;
        out[n++] = (struct postern_message_info){.uid = range.first + i,
                                                 .flags = what & POSTERN_FLAGS_ALL,
                                                 .keywords = what & 3,
                                                 .modseq = 1 + what,
                                                 .date_s = (int64_t)what * 1000003,
                                                 .size_wire = what,
                                                 .email_id = what};
    }
    return n;
}

static void answer_mailbox(struct run *run, const struct postern_imap_question *q)
{
    static const struct postern_span keywords[] = {{"word", 4}, {"$Junk", 5}};
    unsigned what = decide(run, q->kind, 0), size = decide(run, q->kind, 1) % 16;
    struct postern_uid_range ranges[2] = {{1 + what % 3, 3 + what % 3},
                                          {7 + what % 2, 7 + what % 2 + size}};
    struct postern_message_info changed[MESSAGES_MOST];
    struct postern_imap_mailbox mailbox = {.status = status_of(what & 0x3f),
                                           .ranges = ranges,
                                           .range_count = what % 3,
                                           .changed = changed,
                                           .keywords = keywords,
                                           .keyword_count = what % 3,
                                           .recent_from = what % 9,
                                           .first_unseen = what % 11,
                                           .vanished = ranges,
                                           .vanished_count = what % 2,
                                           .vanished_known = what & 16,
                                           .unchanged = what & 4,
                                           .read_only = what & 8};

    mailbox.status.uid_validity = 1 + (what == 0xee);
    mailbox.changed_count = infos(run, q->kind, (struct postern_uid_range){1, 30}, changed);
    postern_imap_answer_mailbox(run->imap, q->id, error_of(what), &mailbox);
}

static void answer_structure(struct run *run, const struct postern_imap_question *q)
{
    unsigned what = decide(run, q->kind, 0);
    struct postern_span block = {0};
    struct postern_mime *mime;

    if (postern_mime_new(&mime, NULL, NULL) < 0)
        abort();
    postern_mime_feed(mime, postern_span_of(mails[what % 4]));
    if (postern_mime_end(mime, &block) < 0)
        abort();
    postern_imap_answer_structure(run->imap, q->id, error_of(what), block);
    postern_mime_free(&mime);
}

/* answer_read - of any of the mails, whatever the structure said. */
static void answer_read(struct run *run, const struct postern_imap_question *q)
{
    unsigned what = decide(run, POSTERN_IMAP_CONTENT, 1) + (unsigned)q->content;
    struct postern_span mail = postern_span_of(mails[what % 4]);

    mail = q->offset < mail.n ? span_from(mail, (size_t)q->offset) : span_make("", 0);
    mail.n = mail.n < q->length ? mail.n : q->length;
    run->broke |= mail.n == 0 || error_of(decide(run, q->kind, 0));
    postern_imap_answer_read(run->imap, q->id, error_of(decide(run, q->kind, 0)), mail);
}

static void answer_uids(struct run *run, const struct postern_imap_question *q)
{
    unsigned what = decide(run, q->kind, 0);
    uint32_t uids[MESSAGES_MOST];
    size_t n = what % 4 == 3 ? what % MESSAGES_MOST : q->uid_count;

    n = n < MESSAGES_MOST ? n : MESSAGES_MOST;
    for (size_t i = 0; i < n; i++)
        uids[i] =
            q->kind == POSTERN_IMAP_STORE && i < q->uid_count ? q->uids[i] : (uint32_t)(100 + i);
    if (q->kind == POSTERN_IMAP_STORE)
        n = what % (n + 1);
    postern_imap_answer_uids(run->imap, q->id, error_of(what), 1, uids, n);
}

static void answer_lists(struct run *run, const struct postern_imap_question *q)
{
    unsigned what = decide(run, q->kind, 0);
    struct postern_status all[4];
    struct postern_metadata metadata[2] = {{SPAN("/private/comment"), SPAN("a\r\nb")},
                                           {SPAN("/private/filters/values/f"), SPAN("SEEN")}};
    struct postern_quota quota = {what, what * 2, 3, 4, 5, 6};

    for (unsigned i = 0; i < 4; i++)
        all[i] = status_of(decide(run, q->kind, i));
    if (q->kind == POSTERN_IMAP_LIST)
        postern_imap_answer_list(run->imap, q->id, error_of(what), all, what % 5);
    else if (q->kind == POSTERN_IMAP_STATUS)
        postern_imap_answer_status(run->imap, q->id, error_of(what), all);
    else if (q->kind == POSTERN_IMAP_QUOTA || q->kind == POSTERN_IMAP_SET_QUOTA)
        postern_imap_answer_quota(run->imap, q->id, error_of(what), &quota);
    else
        postern_imap_answer_metadata(run->imap, q->id, error_of(what), metadata, what % 3);
}

static void answer_rights(struct run *run, const struct postern_imap_question *q)
{
    unsigned what = decide(run, q->kind, 0);
    struct postern_acl all[2] = {{SPAN("ann"), POSTERN_RIGHTS_ALL, true},
                                 {SPAN("-b c"), what & POSTERN_RIGHTS_ALL, false}};

    if (q->kind == POSTERN_IMAP_ACL)
        postern_imap_answer_acl(run->imap, q->id, error_of(what), all, what % 3);
    else
        postern_imap_answer_rights(run->imap, q->id, error_of(what),
                                   what & 1 ? what * 5 & POSTERN_RIGHTS_ALL : POSTERN_RIGHTS_ALL);
}

static void answer_found(struct run *run, const struct postern_imap_question *q)
{
    unsigned what = decide(run, q->kind, 0);
    struct postern_uid_range ranges[2] = {{1 + what % 3, 2 + what % 3}, {9, UINT32_MAX}};

    postern_imap_answer_found(run->imap, q->id, error_of(what), ranges, what % 3);
}

static void answer(struct run *run, const struct postern_imap_question *q)
{
    struct postern_message_info messages[MESSAGES_MOST];
    unsigned what = decide(run, q->kind, 0);

    switch (q->kind) {
    case POSTERN_IMAP_AUTHENTICATE:
        postern_imap_answer_authenticate(
            run->imap, q->id, what >= 0xf0 ? (enum postern_verdict)(what & 3) : POSTERN_YES,
            (struct postern_span){0});
        break;
    case POSTERN_IMAP_SELECT:
    case POSTERN_IMAP_NEWS:
    case POSTERN_IMAP_LOOK:
        answer_mailbox(run, q);
        break;
    case POSTERN_IMAP_MESSAGES:
        postern_imap_answer_messages(run->imap, q->id, error_of(what), messages,
                                     infos(run, q->kind, q->range, messages));
        break;
    case POSTERN_IMAP_STRUCTURE:
        answer_structure(run, q);
        break;
    case POSTERN_IMAP_CONTENT:
        postern_imap_answer_content(run->imap, q->id, error_of(what), what,
                                    what & 1 ? what : POSTERN_SIZE_UNKNOWN);
        break;
    case POSTERN_IMAP_READ:
        answer_read(run, q);
        break;
    case POSTERN_IMAP_STORE:
    case POSTERN_IMAP_COPY:
    case POSTERN_IMAP_COMMIT:
        answer_uids(run, q);
        break;
    case POSTERN_IMAP_LIST:
    case POSTERN_IMAP_STATUS:
    case POSTERN_IMAP_QUOTA:
    case POSTERN_IMAP_SET_QUOTA:
    case POSTERN_IMAP_METADATA:
        answer_lists(run, q);
        break;
    case POSTERN_IMAP_RIGHTS:
    case POSTERN_IMAP_ACL:
        answer_rights(run, q);
        break;
    case POSTERN_IMAP_FIND:
    case POSTERN_IMAP_VANISHED:
        answer_found(run, q);
        break;
    case POSTERN_IMAP_WRITE: /* how many there are is a matter of the cut */
        postern_imap_answer(run->imap, q->id, error_of(decide(run, POSTERN_IMAP_APPEND, 1)));
        return;
    case POSTERN_IMAP_AUTH_LOOKUP:
        postern_imap_answer_default(run->imap, q->id);
        break;
    default:
        if (postern_imap_answer(run->imap, q->id, error_of(what)) == POSTERN_E_USAGE)
            postern_imap_answer_default(run->imap, q->id);
        break;
    }
    run->asked[q->kind % KINDS]++;
}

/* turn - all that can be done now; its output is taken in pieces. */
static void turn(struct run *run)
{
    struct postern_imap_question question;
    struct postern_piece piece;

    for (;;) {
        bool any = false;

        while (postern_imap_next(run->imap, &question) == 1) {
            any = true;
            if (question.id)
                answer(run, &question);
            else if (question.kind == POSTERN_IMAP_WATCH)
                postern_imap_news(run->imap);
        }
        if (postern_imap_memory(run->imap) > MEMORY_MOST + 4 * run->came)
            abort();
        if (!postern_imap_output(run->imap, &piece, 1)) {
            if (!any)
                return;
            continue;
        }
        piece.bytes.n = piece.bytes.n < run->step ? piece.bytes.n : run->step;
        buffer_append(&run->said, piece.bytes);
        postern_imap_sent(run->imap, piece.bytes.n, 1);
    }
}

static struct postern_span play(struct postern_span in, struct postern_span decisions, size_t step,
                                bool *broke_r)
{
    struct run run = {.decisions = decisions, .step = step};
    struct postern_imap_options options;

    POSTERN_IMAP_OPTIONS_INIT(&options);
    options.sasl_mechanisms = POSTERN_SASL_PLAIN | POSTERN_SASL_LOGIN;
    options.plaintext_without_tls = true;
    options.acl = options.has_text_index = options.has_field_index = true;
    options.command_before_login_max = 8192;
    options.command_max = 8192;
    options.append_max = 10000;
    options.output_mark = 4096;
    options.read_chunk = 50;
    if (postern_imap_new(&run.imap, &options, NULL, 1) < 0)
        abort();
    turn(&run);
    while (in.n && !(postern_imap_wants(run.imap) & POSTERN_WANT_CLOSE)) {
        struct postern_span piece = span_make(in.p, in.n < step ? in.n : step);
        int n = postern_imap_feed(run.imap, piece, 1);

        run.came += n > 0 ? (size_t)n : 0;
        turn(&run);
        if (n < 0)
            break;
        in = span_from(in, (size_t)n);
    }
    *broke_r = run.broke && postern_imap_state(run.imap) == POSTERN_IMAP_OVER;
    postern_imap_free(&run.imap);
    if (run.said.error)
        abort();
    return buffer_span(&run.said);
}

static void fail(const char *why, struct postern_span a, struct postern_span b)
{
    fprintf(stderr, "%s\n%.*s\n---- \n%.*s\n", why, (int)a.n, a.p, (int)b.n, b.p);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct postern_span decisions, in, whole, cut;
    const char *why;
    bool broke;

    if (size < 2)
        return 0;
    decisions = span_make((const char *)data + 1, size - 1);
    in = span_cut(&decisions, (char)0xff);
    whole = play(in, decisions, SIZE_MAX, &broke);
    cut = play(in, decisions, 1 + data[0] % 37, &broke);
    why = grammar_check(whole.p, whole.n, true);
    if (why && !broke)
        fail(why, whole, cut);
    if (!span_equal(whole, cut))
        fail("how it is cut matters", whole, cut);
    free((char *)(uintptr_t)whole.p);
    free((char *)(uintptr_t)cut.p);
    return 0;
}

#include "replay.h"
