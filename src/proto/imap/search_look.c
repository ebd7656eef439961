/* SPDX-License-Identifier: MIT */
/* search_look - a search looks at one message: by what is known of it, then by its parsed form,
 * then by its octets. */
#include "proto/imap/search.h"

#define READ_BYTES 65536

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

void search_look_at(struct postern_imap *s)
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
