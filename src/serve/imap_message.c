/* SPDX-License-Identifier: MIT */
/* imap_message - MESSAGES, STRUCTURE, CONTENT and READ: looking at messages, and reading them. */
#include "serve/imap_session.h"

#include "base/memory.h"
#include "base/span.h"
#include <stdlib.h>

#define READ_BYTES 65536
#define SHOWN_MAX 256 /* parsed forms at once, and octets of them */
#define SHOWN_BYTES 32768

static int note_info(void *ctx, const struct postern_message_info *info)
{
    struct serve_imap *s = ctx;

    buffer_append(&s->infos, span_make((const char *)info, sizeof *info));
    return s->infos.error || buffer_length(&s->infos) / sizeof *info == s->question.count;
}

static int messages_work(struct serve_imap *s, unsigned wait_flag)
{
    struct postern_mailbox *box;
    int r = imap_reach(s, wait_flag, &box);

    if (!r)
        r = imap_ops(s)->each(box, s->question.range, 0, note_info, s);
    return r < 0 ? r : 0;
}

static void messages_finish(struct serve_imap *s, int err)
{
    struct postern_span infos = buffer_span(&s->infos);

    postern_imap_answer_messages(s->engine, s->question.id, err,
                                 (const struct postern_message_info *)(const void *)infos.p,
                                 infos.n / sizeof(struct postern_message_info));
    buffer_take(&s->infos, buffer_length(&s->infos));
}

/* struct imap_shown - parsed forms that are lent to the engine. */
struct imap_shown {
    struct postern_structure all[SHOWN_MAX];
    char room[SHOWN_BYTES];
};

void imap_shown_drop(struct serve_imap *s, enum postern_imap_question_kind kind)
{
    if (kind == POSTERN_IMAP_MESSAGES || kind == POSTERN_IMAP_STRUCTURE ||
        kind == POSTERN_IMAP_CONTENT || kind == POSTERN_IMAP_READ || kind == POSTERN_IMAP_STORE)
        return;
    memory_free(NULL, s->shown);
    s->shown = NULL;
}

/* show_several - the parsed forms that are at hand, from the first message on; how many. */
static int show_several(struct serve_imap *s, struct postern_mailbox *box, unsigned wait_flag)
{
    const struct postern_imap_question *q = &s->question;
    size_t most = q->uid_count < SHOWN_MAX ? q->uid_count : SHOWN_MAX;

    if (most < 2 || !imap_ops(s)->structures)
        return 0;
    if (!s->shown)
        s->shown = memory_resize(NULL, NULL, sizeof *s->shown);
    if (!s->shown)
        return POSTERN_E_NOMEM;
    return imap_ops(s)->structures(box, q->uids, most, wait_flag, s->shown->room,
                                   sizeof s->shown->room, s->shown->all);
}

static int structure_work(struct serve_imap *s, unsigned wait_flag)
{
    struct postern_mailbox *box;
    int n = imap_reach(s, wait_flag, &box);

    if (!n)
        n = show_several(s, box, wait_flag);
    s->shown_count = n > 0 ? (size_t)n : 0;
    if (n)
        return n < 0 ? n : 0;
    return imap_ops(s)->structure(box, s->question.uid, wait_flag, &s->block);
}

static void structure_finish(struct serve_imap *s, int err)
{
    if (err < 0)
        login_log_error(&s->login, "structure", err);
    if (!err && s->shown_count)
        postern_imap_answer_structures(s->engine, s->question.id, s->shown->all, s->shown_count);
    else
        postern_imap_answer_structure(s->engine, s->question.id, err, s->block);
    free((char *)(uintptr_t)s->block.p);
    s->block = (struct postern_span){0};
}

static int content_work(struct serve_imap *s, unsigned wait_flag)
{
    struct postern_facts facts;
    struct postern_mailbox *box;
    int err = imap_reach(s, wait_flag, &box);

    imap_content_close(s);
    if (!err)
        err = imap_ops(s)->message(box, s->question.uid, wait_flag, &s->content, &facts);
    if (!err)
        s->content_size = facts.size_raw;
    return err;
}

static void content_finish(struct serve_imap *s, int err)
{
    if (err < 0)
        login_log_error(&s->login, "message", err);
    else
        s->fetched++;
    postern_imap_answer_content(s->engine, s->question.id, err, ++s->content_id, s->content_size);
}

static int read_work(struct serve_imap *s, unsigned wait_flag)
{
    (void)s, (void)wait_flag;
    return 0;
}

static void read_finish(struct serve_imap *s, int err)
{
    const struct postern_imap_question *q = &s->question;
    char bytes[READ_BYTES];
    int n = POSTERN_E_NOT_FOUND;

    (void)err;
    if (s->content && q->content == s->content_id)
        n = imap_ops(s)->read(s->content, q->offset, bytes,
                              q->length < sizeof bytes ? q->length : sizeof bytes);
    if (n < 0)
        login_log_error(&s->login, "read", n);
    postern_imap_answer_read(s->engine, q->id, n < 0 ? n : 0,
                             span_make(bytes, n < 0 ? 0 : (size_t)n));
}

const struct imap_work imap_messages_work = {
    .work = messages_work, .finish = messages_finish, .tries_now = true};
const struct imap_work imap_structure_work = {
    .work = structure_work, .finish = structure_finish, .tries_now = true};
const struct imap_work imap_content_work = {
    .work = content_work, .finish = content_finish, .tries_now = true};
const struct imap_work imap_read_work = {
    .work = read_work, .finish = read_finish, .tries_now = true};
