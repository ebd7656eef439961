/* SPDX-License-Identifier: MIT */
/* cmd-thread - THREAD (RFC 5256 3): a search whose findings are told as trees. */
#include "proto/imap/commands.h"
#include "proto/imap/search.h"
#include "proto/imap/thread.h"

struct imap_thread {
    bool by_subject; /* ORDEREDSUBJECT; else REFERENCES */
    struct thread_forest forest;
};

/* ---- what a message refers to ---------------------------------------------------------------- */

/* next_id - what stands between "<" and ">", taken off the front of *rest. */
static bool next_id(struct postern_span *rest, struct postern_span *id_r)
{
    size_t begin = 0;

    for (size_t i = 0; i < rest->n; i++) {
        if (rest->p[i] == '<')
            begin = i + 1;
        if (rest->p[i] != '>' || !begin || i == begin)
            continue;
        *id_r = span_make(rest->p + begin, i - begin);
        *rest = span_from(*rest, i + 1);
        return true;
    }
    return false;
}

static struct postern_span field(struct postern_imap *s, enum postern_mime_field id)
{
    return postern_mime_field(s->search->structures.block, 0, id, 0);
}

/* references - the field with the ids that the message refers to; max_r: of how many of them.
 * I 5256:3-13 I 5256:3-14 I 5256:3-15 */
static struct postern_span references(struct postern_imap *s, size_t *max_r)
{
    struct postern_span value = field(s, POSTERN_MIME_REFERENCES), rest = value, id;

    *max_r = SIZE_MAX;
    if (next_id(&rest, &id))
        return value;
    *max_r = 1; /* RFC 5256 3: the first of In-Reply-To alone */
    return field(s, POSTERN_MIME_IN_REPLY_TO);
}

static size_t count_ids(struct postern_span value, size_t max)
{
    struct postern_span id;
    size_t n = 0;

    while (n < max && next_id(&value, &id))
        n++;
    return n;
}

/* take_id - without the quotes that its left side may be written with (RFC 5256 3).
 * I 5256:3-16 */
static void take_id(struct postern_imap *s, struct postern_span id, struct postern_span *id_r)
{
    char *out = arena_alloc(&s->arena, id.n);
    size_t n = 0;

    if (!out) {
        imap_no_memory(s);
        return;
    }
    for (size_t i = 0; i < id.n; i++) {
        if (id.p[i] == '"')
            continue;
        if (id.p[i] == '\\' && i + 1 < id.n)
            i++;
        out[n++] = id.p[i];
    }
    *id_r = span_make(out, n);
}

static void take_ids(struct postern_imap *s, struct thread_message *message,
                     struct postern_span value, size_t n)
{
    struct postern_span id;

    while (n-- && next_id(&value, &id)) {
        struct thread_id *one = &message->ids[message->count++];

        *one = (struct thread_id){.node = NULL};
        take_id(s, id, &one->text);
    }
}

/* ---- the search ------------------------------------------------------------------------------ */

static struct thread_message *message_new(struct postern_imap *s, bool by_subject)
{
    size_t max = 0;
    struct postern_span refers = by_subject ? SPAN("") : references(s, &max);
    struct postern_span own = by_subject ? SPAN("") : field(s, POSTERN_MIME_MESSAGE_ID);
    size_t n = count_ids(refers, max);
    struct thread_message *message =
        arena_alloc(&s->arena, sizeof *message + (n + 1) * sizeof *message->ids);

    if (!message)
        return NULL;
    *message = (struct thread_message){.node = arena_alloc(&s->arena, sizeof *message->node)};
    if (!message->node)
        return NULL;
    take_ids(s, message, refers, n);
    message->references = message->count;
    take_ids(s, message, own, 1);
    if (message->count > message->references)
        message->ids[message->references].node = message->node;
    return message;
}

/* I 5256:3-28 */
void thread_note(struct postern_imap *s, const struct postern_message_info *info)
{
    struct imap_thread *thread = s->search->thread;
    struct thread_forest *forest = &thread->forest;
    struct thread_message *message = message_new(s, thread->by_subject);

    if (!message) {
        imap_no_memory(s);
        return;
    }
    *message->node = (struct thread_node){.uid = info->uid, .sent = sort_sent(s, info)};
    message->node->subject = sort_subject(s, &message->node->is_reply);
    *forest->end = message;
    forest->end = &message->next;
    forest->messages++;
    forest->ids += message->count;
}

/* ---- the answer ------------------------------------------------------------------------------ */

/* opens - stands in parentheses of its own: an only child follows its parent instead.
 * I 5256:4-3 */
static bool opens(const struct thread_node *node, const struct thread_node *top)
{
    return node->parent == top || node->next || node->parent->child != node;
}

static void write_node(struct postern_imap *s, const struct thread_node *node, bool opening)
{
    if (opening)
        write_text(s, "(");
    if (!node->uid)
        return;
    write_number(s, s->by_uid ? node->uid : view_number(&s->view, node->uid));
    if (node->child)
        write_text(s, " ");
}

static void write_trees(struct postern_imap *s, const struct thread_node *top)
{
    const struct thread_node *node = top;

    while (node->child || node != top) {
        if (node->child) {
            node = node->child;
        } else {
            for (; node != top; node = node->parent) {
                if (opens(node, top))
                    write_text(s, ")");
                if (node->next)
                    break;
            }
            if (node == top)
                return;
            node = node->next;
        }
        write_node(s, node, opens(node, top));
    }
}

/* I 5256:4-2 */
void thread_finish(struct postern_imap *s)
{
    struct imap_thread *thread = s->search->thread;
    struct thread_forest *forest = &thread->forest;
    bool made = thread->by_subject ? thread_by_subject(forest) : thread_by_references(forest);

    if (!made) {
        imap_no_memory(s);
        return;
    }
    write_text(s, "* THREAD");
    if (forest->top.child) {
        write_text(s, " ");
        write_trees(s, &forest->top);
    }
    write_text(s, "\r\n");
}

static void thread_run(struct postern_imap *s)
{
    struct imap_thread *thread = arena_alloc(&s->arena, sizeof *thread);

    if (!thread) {
        imap_no_memory(s);
        return;
    }
    if (!search_new(s))
        return;
    *thread = (struct imap_thread){.forest = {.arena = &s->arena}};
    thread->forest.end = &thread->forest.first;
    s->search->thread = thread;
    parse_space(&s->in);
    thread->by_subject = parse_try_word(&s->in, "ORDEREDSUBJECT");
    if (!thread->by_subject && !parse_try_word(&s->in, "REFERENCES"))
        s->in.bad = true;
    s->in.bad |=
        !imap_offers(s, thread->by_subject ? "THREAD=ORDEREDSUBJECT" : "THREAD=REFERENCES");
    parse_space(&s->in);
    search_begin_of_charset(s);
}

/* I 5256:5-2 */
void imap_cmd_thread(struct postern_imap *s)
{
    search_with_filters(s, thread_run);
}
