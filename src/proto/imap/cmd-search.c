/* SPDX-License-Identifier: MIT */
/* cmd-search - SEARCH (RFC 9051 6.4.4): the going through it. Over the messages of the
 * view in batches: most are decided by what is known, then by the parsed form, the rest is read. */
#include "proto/imap/commands.h"
#include "proto/imap/context.h"
#include "proto/imap/esearch.h"

#define READ_BYTES 65536
#define PROGRESS_SECONDS 10

void imap_search_abort(struct postern_imap *s)
{
    if (!s->search)
        return;
    if (s->search->scan)
        (void)text_scan_end(s->search->scan);
    s->search->scan = NULL;
    buffer_done(&s->search->structures.own);
}

static void finish(struct postern_imap *s)
{
    s->work = NULL;
    if (s->judging) {
        context_found(s);
        return;
    }
    if (s->esearch) {
        esearch_found(s);
        return;
    }
    if (s->search->thread)
        thread_finish(s);
    else if (!search_answer(s))
        return;
    imap_search_abort(s);
    imap_partly(s, true, NULL, "done");
}

/* ---- one message ----------------------------------------------------------------------------- */

unsigned search_score(struct postern_imap *s)
{
    struct imap_search *search = s->search;
    enum truth exact;

    search->strict = true;
    exact = search_judge(s, search, &search->batch[search->at], search->depth);
    search->strict = false;
    return exact == FALSE_ ? SCORE_WORDS : SCORE_EXACT;
}

/* grow - room for twice as many. false: out of memory. */
static bool grow(struct postern_imap *s, struct imap_search *search)
{
    size_t room = search->found_room ? search->found_room * 2 : 256;
    uint32_t *more = arena_alloc(&s->arena, room * sizeof *more);
    unsigned char *scores = arena_alloc(&s->arena, room);
    uint64_t *modseqs = search->has_modseq ? arena_alloc(&s->arena, room * sizeof *modseqs) : NULL;

    if (!more || !scores || (search->has_modseq && !modseqs)) {
        imap_no_memory(s);
        return false;
    }
    if (search->found_count) {
        memcpy(more, search->found, search->found_count * sizeof *more);
        memcpy(scores, search->scores, search->found_count);
        if (modseqs)
            memcpy(modseqs, search->modseqs, search->found_count * sizeof *modseqs);
    }
    search->found = more;
    search->scores = scores;
    search->modseqs = modseqs;
    search->found_room = room;
    return true;
}

void search_note(struct postern_imap *s, uint32_t uid, unsigned score, uint64_t modseq)
{
    struct imap_search *search = s->search;

    if (search->found_count == search->found_room && !grow(s, search))
        return;
    search->scores[search->found_count] = (unsigned char)score;
    if (search->modseqs)
        search->modseqs[search->found_count] = modseq;
    search->found[search->found_count++] = uid;
}

static void note_modseq(struct imap_search *search, uint64_t modseq)
{
    if (search->modseq < modseq)
        search->modseq = modseq;
}

static void message_over(struct postern_imap *s, enum truth truth)
{
    struct imap_search *search = s->search;

    if (search->reading)
        imap_tell(s, POSTERN_IMAP_CONTENT_DONE, search->content);
    search->reading = false;
    if (truth == TRUE_)
        note_modseq(search, search->batch[search->at].modseq);
    if (truth == TRUE_ && search->sort)
        sort_note(s, &search->batch[search->at]);
    else if (truth == TRUE_ && search->thread)
        thread_note(s, &search->batch[search->at]);
    else if (truth == TRUE_)
        search_note(s, search->batch[search->at].uid, search->has_fuzzy ? search_score(s) : 0,
                    search->batch[search->at].modseq);
    search->at++;
    s->work = search_go;
}

static void next_leaf(struct postern_imap *s);

static void leaf_over(struct postern_imap *s)
{
    struct imap_search *search = s->search;

    search->leaves[search->leaf] = text_scan_end(search->scan) ? TRUE_ : FALSE_;
    search->scan = NULL;
    search->leaf++;
    next_leaf(s);
}

static void took_octets(struct postern_imap *s, const struct imap_answer *answer);

static void read_on(struct postern_imap *s)
{
    s->question = (struct postern_imap_question){
        .content = s->search->content, .offset = s->search->offset, .length = READ_BYTES};
    imap_ask(s, POSTERN_IMAP_READ, took_octets);
}

/* took_octets - a message that cannot be read has not what is looked for. */
static void took_octets(struct postern_imap *s, const struct imap_answer *answer)
{
    struct imap_search *search = s->search;

    search->offset += answer->text.n;
    if (answer->err || answer->text.n == 0 || text_scan_feed(search->scan, answer->text)) {
        leaf_over(s);
        return;
    }
    read_on(s);
}

static bool is_read_leaf(const struct search_step *step)
{
    return step->op == SEARCH_BODY || step->op == SEARCH_TEXT ||
           (step->op == SEARCH_HEADER && step->text.n);
}

/* next_leaf - the next step that needs the message's octets, if that can still matter. */
static void next_leaf(struct postern_imap *s)
{
    struct imap_search *search = s->search;
    const struct search_step *step;
    enum truth truth = search_judge(s, search, &search->batch[search->at], KNOWS_ALL);

    while (search->leaf < search->count && !is_read_leaf(&search->steps[search->leaf]))
        search->leaf++;
    if (truth != UNKNOWN_ || search->leaf == search->count) {
        message_over(s, truth);
        return;
    }
    step = &search->steps[search->leaf];
    search->offset = 0;
    search->scan = text_scan_new(s, search->structures.block, step->text, step->name,
                                 step->op != SEARCH_BODY, step->op != SEARCH_HEADER);
    if (!search->scan)
        return;
    read_on(s);
}

static void took_content(struct postern_imap *s, const struct imap_answer *answer)
{
    struct imap_search *search = s->search;

    if (answer->err) {
        message_over(s, FALSE_);
        return;
    }
    search->content = answer->content;
    search->reading = true;
    search->depth = KNOWS_ALL;
    search->leaf = 0;
    for (size_t i = 0; i < search->count; i++)
        search->leaves[i] = UNKNOWN_;
    next_leaf(s);
}

/* look_into - the message at hand, whose parsed form is there. */
static void look_into(struct postern_imap *s)
{
    struct imap_search *search = s->search;
    enum truth truth;

    search->depth = KNOWS_BLOCK;
    truth = search_judge(s, search, &search->batch[search->at], KNOWS_BLOCK);
    if (truth != UNKNOWN_) {
        message_over(s, truth);
        return;
    }
    s->work = NULL;
    s->question = (struct postern_imap_question){.name = search->mailbox,
                                                 .uid = search->batch[search->at].uid};
    imap_ask(s, POSTERN_IMAP_CONTENT, took_content);
}

static void took_structures(struct postern_imap *s, const struct imap_answer *answer)
{
    if (answer->err)
        message_over(s, FALSE_);
    else if (structures_take(s, &s->search->structures, answer))
        look_into(s);
}

/* is_looked_at - a context looks at what changed only. */
static bool is_looked_at(struct imap_search *search, uint32_t uid)
{
    if (!search->only)
        return true;
    while (search->only_count && *search->only < uid) {
        search->only++;
        search->only_count--;
    }
    return search->only_count && *search->only == uid;
}

/* needs_structure - of a message of the batch. */
static bool needs_structure(const struct imap_search *search, size_t i)
{
    return search->truths[i] == UNKNOWN_ ||
           (search->truths[i] == TRUE_ && (search->thread || sort_needs_block(search->sort)));
}

/* ask_structures - of this message, and of those of the batch behind it that need it too. */
static void ask_structures(struct postern_imap *s)
{
    struct imap_search *search = s->search;
    size_t count = 0;

    for (size_t i = search->at; i < search->batch_n; i++)
        if (needs_structure(search, i))
            search->wanted[count++] = search->batch[i].uid;
    s->work = NULL;
    s->question = (struct postern_imap_question){.name = search->mailbox,
                                                 .uid = search->wanted[0],
                                                 .uids = search->wanted,
                                                 .uid_count = count};
    imap_ask(s, POSTERN_IMAP_STRUCTURE, took_structures);
}

static void look_at(struct postern_imap *s)
{
    struct imap_search *search = s->search;

    search->depth = KNOWS_INFO;
    if (!needs_structure(search, search->at))
        message_over(s, search->truths[search->at]);
    else if (structures_have(&search->structures, search->batch[search->at].uid))
        look_into(s);
    else
        ask_structures(s);
}

/* ---- batches --------------------------------------------------------------------------------- */

/* tell_progress - of a search that takes long (RFC 9585).
 * I 9585:4-1 I 9585:4-2 */
static void tell_progress(struct postern_imap *s)
{
    struct imap_search *search = s->search;
    int64_t now_s = s->o.seconds ? s->o.seconds() : 0;

    if (now_s - search->told_s < PROGRESS_SECONDS || !imap_offers(s, "INPROGRESS"))
        return;
    search->told_s = now_s;
    write_text(s, "* OK [INPROGRESS (");
    write_string(s, s->tag);
    write_text(s, " ");
    write_number(s, view_place(&s->view, search->next_uid));
    write_text(s, " ");
    write_number(s, s->view.messages);
    write_text(s, ")] still looking\r\n");
}

static void took_batch(struct postern_imap *s, const struct imap_answer *answer)
{
    struct imap_search *search = s->search;

    if (answer->err && s->judging) { /* the news are told all the same */
        search->broken = true;
        s->work = finish;
        return;
    }
    if (answer->err && search->mailbox.p) { /* another one: it is gone, the others are not */
        search->found_count = 0;
        s->work = finish;
        return;
    }
    if (answer->err) {
        imap_search_abort(s);
        imap_refuse(s, answer->err);
        return;
    }
    search->at = 0;
    search->batch_n = answer->count < SEARCH_BATCH ? answer->count : SEARCH_BATCH;
    if (search->batch_n)
        memcpy(search->batch, answer->messages, search->batch_n * sizeof *search->batch);
    for (size_t i = 0; i < search->batch_n; i++) {
        const struct postern_message_info *info = &search->batch[i];
        bool meant = view_number(&s->view, info->uid) && is_looked_at(search, info->uid);

        search->truths[i] = meant ? search_judge(s, search, info, KNOWS_INFO) : FALSE_;
    }
    search->next_uid =
        search->batch_n == SEARCH_BATCH ? search->batch[SEARCH_BATCH - 1].uid + 1 : 0;
    s->work = search_go;
}

void search_go(struct postern_imap *s)
{
    struct imap_search *search = s->search;
    uint32_t last = s->view.messages ? view_uid(&s->view, s->view.messages) : 0;

    if (search->only)
        last = search->only_count ? search->only[search->only_count - 1] : 0;
    if (search->at < search->batch_n) {
        look_at(s);
    } else if (search->next_uid == 0 || search->next_uid > last) {
        finish(s);
    } else {
        tell_progress(s);
        s->work = NULL;
        s->question = (struct postern_imap_question){
            .name = search->mailbox, .range = {search->next_uid, last}, .count = SEARCH_BATCH};
        imap_ask(s, POSTERN_IMAP_MESSAGES, took_batch);
    }
}

bool search_new(struct postern_imap *s)
{
    struct imap_search *search = arena_alloc(&s->arena, sizeof *search);

    if (!search) {
        imap_no_memory(s);
        return false;
    }
    memset(search, 0, sizeof *search);
    search->structures.own.allocator = s->o.allocator;
    s->search = search;
    return true;
}

/* I 5.5-3 */
void search_begin(struct postern_imap *s)
{
    struct imap_search *search = s->search;

    search->stack = arena_alloc(&s->arena, (search->count + 1) * sizeof *search->stack);
    search->leaves = arena_alloc(&s->arena, (search->count + 1) * sizeof *search->leaves);
    if (!search->stack || !search->leaves) {
        imap_no_memory(s);
        return;
    }
    search->next_uid = search->only ? search->only[0] : 1;
    if (!search->only && !search_limit(s))
        return;
    search->now_s = search->told_s = s->o.seconds ? s->o.seconds() : 0;
    s->work = search_ask_index;
    imap_advance(s);
}

void search_begin_of_charset(struct postern_imap *s)
{
    struct postern_span charset = parse_astring(s, &s->in);

    parse_space(&s->in);
    if (search_parse_keys(s, s->search, charset))
        search_begin(s);
}

static void search_run(struct postern_imap *s)
{
    if (search_new(s) && search_parse(s, s->search))
        search_begin(s);
}

void imap_cmd_search(struct postern_imap *s)
{
    search_with_filters(s, search_run);
}
