/* SPDX-License-Identifier: MIT */
/* search_match - is a message meant? As far as flags, dates and sizes tell, then its parsed form,
 * then what was found in its text. */
#include "codec/utf8.h"
#include "proto/imap/search.h"

static enum truth truth_of(bool is)
{
    return is ? TRUE_ : FALSE_;
}

static int64_t day_of(int64_t seconds)
{
    return seconds / 86400 - (seconds % 86400 < 0);
}

/* sent - by the Date field's own words (RFC 9051 6.4.4: without regard to time and zone). I 6.4.4-7
 */
static enum truth sent(const struct imap_search *search, const struct search_step *step,
                       enum search_depth depth)
{
    struct postern_mime_date date;
    int64_t day;

    if (depth == KNOWS_INFO)
        return UNKNOWN_;
    if (postern_mime_date(postern_mime_field(search->structures.block, 0, POSTERN_MIME_DATE, 0),
                          &date) < 0)
        return FALSE_;
    day = day_of(date.seconds + (int64_t)date.zone_minutes * 60);
    if (step->op == SEARCH_SENTON)
        return truth_of(day == step->number);
    return truth_of(step->op == SEARCH_SENTBEFORE ? day < step->number : day >= step->number);
}

static bool contains(struct postern_span text, struct postern_span needle)
{
    return needle.n == 0 || (text.n >= needle.n && memmem(text.p, text.n, needle.p, needle.n));
}

/* value_has - a header's value, its encoded words decoded, as compared. I 6.4.4-12 */
static bool value_has(struct postern_imap *s, struct postern_span value, struct postern_span needle)
{
    struct buffer plain = {.allocator = s->o.allocator}, folded = {.allocator = s->o.allocator};
    bool has;

    if (postern_mime_is_plain(value)) /* most are */
        return utf8_is_ascii(needle) && span_has_nocase(value, needle);
    search_decode_words(s, value, &plain);
    text_fold(buffer_span(&plain), &folded);
    has = contains(buffer_span(&folded), needle);
    if (plain.error || folded.error)
        imap_no_memory(s);
    buffer_done(&plain);
    buffer_done(&folded);
    return has;
}

/* header - a field whose value the block has is known by it; any other must be read. I 6.4.4-9
 * I 6.4.4-10 */
static enum truth header(struct postern_imap *s, const struct imap_search *search,
                         const struct search_step *step, enum search_depth depth, size_t i)
{
    struct postern_span block = search->structures.block;
    struct postern_mime_header field;
    bool unread = false;
    uint32_t at = 0;

    if (depth == KNOWS_INFO)
        return UNKNOWN_;
    while (postern_mime_find(block, 0, step->field, &at, &field)) {
        if (step->field == POSTERN_MIME_OTHER && !span_equal_nocase(field.name, step->name))
            continue;
        if (!field.value.p)
            unread = true;
        else if (value_has(s, field.value, step->text))
            return TRUE_;
    }
    if (!unread || step->text.n == 0) /* "" asks only whether the field is there */
        return truth_of(unread);
    return depth == KNOWS_ALL ? search->leaves[i] : UNKNOWN_;
}

/* I 6.4.4-6 I 6.4.4-8 I 3501:6.4.4-1 I 8514:4.2-2 */
static enum truth leaf(struct postern_imap *s, const struct imap_search *search, size_t i,
                       const struct postern_message_info *info, enum search_depth depth)
{
    const struct search_step *step = &search->steps[i];
    int64_t day = day_of(info->date_s);
    int64_t saved = day_of(info->saved_s ? info->saved_s : info->date_s); /* RFC 8514 4.3 */

    if (step->loose && search->strict)
        return FALSE_;
    switch (step->op) {
    case SEARCH_ALL:
        return TRUE_;
    case SEARCH_FLAG:
        return truth_of(info->flags & (uint32_t)step->number);
    case SEARCH_KEYWORD:
        return truth_of(step->number >= 0 && info->keywords >> step->number & 1);
    case SEARCH_RECENT:
        return truth_of(view_is_recent(&s->view, info->uid));
    case SEARCH_NEW:
        return truth_of(view_is_recent(&s->view, info->uid) && !(info->flags & POSTERN_FLAG_SEEN));
    case SEARCH_BEFORE:
        return truth_of(day < step->number);
    case SEARCH_ON:
        return truth_of(day == step->number);
    case SEARCH_SINCE:
        return truth_of(day >= step->number);
    case SEARCH_SAVEDBEFORE:
        return truth_of(saved < step->number);
    case SEARCH_SAVEDON:
        return truth_of(saved == step->number);
    case SEARCH_SAVEDSINCE:
        return truth_of(saved >= step->number);
    case SEARCH_SAVEDATESUPPORTED:
        return truth_of(info->saved_s);
    case SEARCH_LARGER:
        return truth_of(info->size_wire > (uint64_t)step->number);
    case SEARCH_SMALLER:
        return truth_of(info->size_wire < (uint64_t)step->number);
    /* I 5032:3-1 I 5032:3-2 */
    case SEARCH_YOUNGER:
        return truth_of(info->date_s >= search->now_s - step->number);
    case SEARCH_OLDER:
        return truth_of(info->date_s <= search->now_s - step->number);
    case SEARCH_MODSEQ:
        return truth_of(info->modseq >= (uint64_t)step->number);
    case SEARCH_EMAILID:
        return truth_of(step->number && info->email_id == (uint64_t)step->number);
    case SEARCH_SET:
        return truth_of(imap_set_has(&step->set, info->uid));
    case SEARCH_HEADER:
        if (step->is_narrowed && !imap_set_has(&step->set, info->uid))
            return FALSE_;
        return header(s, search, step, depth, i);
    case SEARCH_BODY:
    case SEARCH_TEXT:
        if (step->is_narrowed && !imap_set_has(&step->set, info->uid))
            return FALSE_;
        return depth == KNOWS_ALL ? search->leaves[i] : UNKNOWN_;
    default:
        return sent(search, step, depth);
    }
}

static enum truth both(enum truth a, enum truth b)
{
    if (a == FALSE_ || b == FALSE_)
        return FALSE_;
    return a == UNKNOWN_ || b == UNKNOWN_ ? UNKNOWN_ : TRUE_;
}

static enum truth not_(enum truth a)
{
    return a == UNKNOWN_ ? UNKNOWN_ : truth_of(a == FALSE_);
}

enum truth search_judge(struct postern_imap *s, const struct imap_search *search,
                        const struct postern_message_info *info, enum search_depth depth)
{
    enum truth *top = search->stack;

    for (size_t i = 0; i < search->count; i++) {
        switch (search->steps[i].op) {
        case SEARCH_NOT:
            top[-1] = not_(top[-1]);
            break;
        case SEARCH_OR:
            top--;
            top[-1] = not_(both(not_(top[-1]), not_(top[0])));
            break;
        case SEARCH_AND:
            top--;
            top[-1] = both(top[-1], top[0]);
            break;
        default:
            *top++ = leaf(s, search, i, info, depth);
            break;
        }
    }
    return top == search->stack ? TRUE_ : top[-1];
}
