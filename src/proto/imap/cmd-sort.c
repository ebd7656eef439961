/* SPDX-License-Identifier: MIT */
/* cmd-sort - SORT (RFC 5256 3, RFC 5957, ESORT of RFC 5267): a search whose findings are told in an
 * order. The keys of each are taken when it is found; ties keep the order of the mailbox. */
#include "proto/imap/commands.h"
#include "proto/imap/sort.h"

#define ADDRESS_BYTES 1024

/* ---- what is asked for ----------------------------------------------------------------------- */

/* I 5957:5-1 I 5256:5-1 */
static bool parse_criterion(struct postern_imap *s, enum criterion *criterion_r)
{
    static const char *const names[] = {"ARRIVAL", "CC", "DATE",        "FROM",      "SIZE",
                                        "SUBJECT", "TO", "DISPLAYFROM", "DISPLAYTO", "RELEVANCY"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (parse_try_word(&s->in, names[i])) {
            *criterion_r = (enum criterion)i;
            if (i == SORT_DISPLAYFROM || i == SORT_DISPLAYTO)
                s->in.bad |= !imap_offers(s, "SORT=DISPLAY");
            return !s->in.bad;
        }
    s->in.bad = true;
    return false;
}

static void parse_criteria(struct postern_imap *s, struct imap_sort *sort)
{
    parse_char(&s->in, '(');
    do {
        bool reverse = parse_try_word(&s->in, "REVERSE");

        if (reverse)
            parse_space(&s->in);
        if (sort->count == SORT_CRITERIA_MAX) {
            s->in.bad = true;
            return;
        }
        if (parse_criterion(s, &sort->criteria[sort->count]))
            sort->reverse[sort->count++] = reverse;
    } while (!s->in.bad && parse_try(&s->in, ' '));
    parse_char(&s->in, ')');
    parse_space(&s->in);
}

/* I 6203:6-1 */
bool sort_is_by_relevancy(const struct imap_sort *sort)
{
    for (size_t i = 0; sort && i < sort->count; i++)
        if (sort->criteria[i] == SORT_RELEVANCY)
            return true;
    return false;
}

bool sort_needs_block(const struct imap_sort *sort)
{
    for (size_t i = 0; sort && i < sort->count; i++)
        if (sort->criteria[i] != SORT_ARRIVAL && sort->criteria[i] != SORT_SIZE &&
            sort->criteria[i] != SORT_RELEVANCY)
            return true;
    return false;
}

/* ---- keys ------------------------------------------------------------------------------------ */

/* folded - a header's text as it is compared; is_reply_r: a subject, of which the base is taken.
 * I 5256:7-1
 * I 5255:4.2-1 I 5255:4.3-1 */
static struct postern_span folded(struct postern_imap *s, struct postern_span text,
                                  bool *is_reply_r)
{
    struct buffer plain = {.allocator = s->o.allocator}, out = {.allocator = s->o.allocator};
    struct postern_span kept = SPAN("");

    search_decode_words(s, text, &plain);
    if (is_reply_r && plain.data)
        plain.tail = plain.head + subject_squeeze(plain.data + plain.head, buffer_length(&plain));
    text_fold(is_reply_r ? base_subject(buffer_span(&plain), is_reply_r) : buffer_span(&plain),
              &out);
    if (plain.error || out.error || arena_copy(&s->arena, buffer_span(&out), &kept) < 0)
        imap_no_memory(s);
    buffer_done(&plain);
    buffer_done(&out);
    return kept;
}

struct postern_span sort_subject(struct postern_imap *s, bool *is_reply_r)
{
    return folded(s, postern_mime_field(s->search->structures.block, 0, POSTERN_MIME_SUBJECT, 0),
                  is_reply_r);
}

/* address - the mailbox of the first (RFC 5256 3), a group's is its name; display: its name, or all
 * of it (RFC 5957 3).
 * I 5256:3-4 I 5256:3-5 I 5256:3-10 I 5957:3-1 I 5957:3-2 I 5957:3-3 I 5957:4-1 */
static struct postern_span address(struct postern_imap *s, enum postern_mime_field field,
                                   bool display)
{
    struct postern_span rest = postern_mime_field(s->search->structures.block, 0, field, 0);
    struct postern_mime_address one;
    char buffer[ADDRESS_BYTES], whole[ADDRESS_BYTES * 2];
    bool in_group = false;
    size_t n;

    do
        if (!rest.p || !postern_mime_address(&rest, &in_group, &one, buffer, sizeof buffer))
            return SPAN("");
    while (one.kind == POSTERN_MIME_ADDRESS_GROUP_END);
    if (one.kind == POSTERN_MIME_ADDRESS_GROUP_BEGIN)
        return folded(s, one.name, NULL);
    if (!display || one.name.n)
        return folded(s, display ? one.name : one.mailbox, NULL);
    n = one.mailbox.n;
    memcpy(whole, one.mailbox.p, n);
    whole[n++] = '@';
    if (one.host.n)
        memcpy(whole + n, one.host.p, one.host.n);
    return folded(s, span_make(whole, n + one.host.n), NULL);
}

/* I 5256:2.2-1 I 5256:2.2-2 I 5256:2.2-3 */
int64_t sort_sent(struct postern_imap *s, const struct postern_message_info *info)
{
    struct postern_span value =
        postern_mime_field(s->search->structures.block, 0, POSTERN_MIME_DATE, 0);
    struct postern_mime_date date;

    return postern_mime_date(value, &date) < 0 ? info->date_s : date.seconds;
}

/* I 5256:3-6 */
static struct sort_key key_of(struct postern_imap *s, const struct postern_message_info *info,
                              enum criterion criterion)
{
    bool is_reply;

    switch (criterion) {
    case SORT_ARRIVAL:
        return (struct sort_key){.number = info->date_s};
    case SORT_RELEVANCY: /* the best first */
        return (struct sort_key){.number = -(int64_t)search_score(s)};
    case SORT_SIZE:
        return (struct sort_key){.number = (int64_t)info->size_wire};
    case SORT_DATE:
        return (struct sort_key){.number = sort_sent(s, info)};
    case SORT_SUBJECT:
        return (struct sort_key){.text = sort_subject(s, &is_reply)};
    case SORT_CC:
        return (struct sort_key){.text = address(s, POSTERN_MIME_CC, false)};
    case SORT_FROM:
    case SORT_DISPLAYFROM:
        return (struct sort_key){.text =
                                     address(s, POSTERN_MIME_FROM, criterion == SORT_DISPLAYFROM)};
    default:
        return (struct sort_key){.text = address(s, POSTERN_MIME_TO, criterion == SORT_DISPLAYTO)};
    }
}

void sort_note(struct postern_imap *s, const struct postern_message_info *info)
{
    struct imap_sort *sort = s->search->sort;
    struct sort_item *item =
        arena_alloc(&s->arena, sizeof *item + sort->count * sizeof *item->keys);

    if (sort->item_count == sort->item_room) {
        size_t room = sort->item_room ? sort->item_room * 2 : 256;
        void **more = arena_alloc(&s->arena, room * sizeof *more);

        if (more && sort->item_count)
            memcpy(more, sort->items, sort->item_count * sizeof *more);
        sort->items = more;
        sort->item_room = room;
    }
    if (!item || !sort->items) {
        imap_no_memory(s);
        return;
    }
    item->uid = info->uid;
    item->modseq = info->modseq;
    item->score = s->search->has_fuzzy ? search_score(s) : 0;
    for (size_t i = 0; i < sort->count; i++)
        item->keys[i] = key_of(s, info, sort->criteria[i]);
    sort->items[sort->item_count++] = item;
}

/* ---- order ----------------------------------------------------------------------------------- */

static int compare_keys(const struct sort_key *a, const struct sort_key *b)
{
    size_t n = a->text.n < b->text.n ? a->text.n : b->text.n;
    int order = n ? memcmp(a->text.p, b->text.p, n) : 0;

    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    if (order)
        return order;
    return a->text.n < b->text.n ? -1 : a->text.n > b->text.n;
}

/* I 5256:2.2-4 I 5256:3-1 I 5256:3-2 I 5256:3-3 */
bool sort_is_before(const void *ctx, const void *left, const void *right)
{
    const struct imap_sort *sort = ctx;
    const struct sort_item *a = left, *b = right;

    for (size_t i = 0; i < sort->count; i++) {
        int order = compare_keys(&a->keys[i], &b->keys[i]);

        if (order)
            return sort->reverse[i] ? order > 0 : order < 0;
    }
    return a->uid < b->uid;
}

void sort_order(struct postern_imap *s)
{
    struct imap_sort *sort = s->search->sort;

    heap_sort(sort->items, sort->item_count, sort_is_before, sort);
    for (size_t i = 0; i < sort->item_count; i++) {
        const struct sort_item *item = sort->items[i];

        search_note(s, item->uid, item->score, item->modseq);
    }
}

static void sort_run(struct postern_imap *s)
{
    struct imap_sort *sort = arena_alloc(&s->arena, sizeof *sort);

    if (!sort) {
        imap_no_memory(s);
        return;
    }
    *sort = (struct imap_sort){.count = 0};
    if (!search_new(s))
        return;
    s->search->sort = sort;
    parse_space(&s->in);
    if (imap_offers(s, "ESORT"))
        search_parse_return(s, s->search);
    parse_criteria(s, sort);
    search_begin_of_charset(s);
}

/* I 5256:3-7 */
void imap_cmd_sort(struct postern_imap *s)
{
    search_with_filters(s, sort_run);
}
