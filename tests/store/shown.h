/* SPDX-License-Identifier: MIT */
/* shown - one of two stores that go through the same, and all that is in it as text. */
#ifndef SHOWN_H
#define SHOWN_H

#include "checker.h"
#include "suite.h"

#include <postern/mime.h>

#define NAMES 6

static const char *const box_names[NAMES] = {"INBOX", "A", "A/B", "A/B/C", "Ünï &.~/x", "D.d"};

/* struct side - one of the two stores. */
struct side {
    const char *kind;
    char dir[64];
    struct postern_store store;
    struct postern_account *account;
    struct checker *checker;
    uint64_t marks[NAMES]; /* a mod-sequence of each mailbox that was seen once */
};

static int side_store(struct side *side)
{
    if (strcmp(side->kind, "memory") == 0)
        return postern_store_memory_new(&side->store);
    if (strcmp(side->kind, "eml") == 0)
        return postern_store_eml_new(&side->store, side->dir, true);
    return postern_store_maildir_new(&side->store, side->dir);
}

static void side_open(struct side *side, const char *kind)
{
    *side = (struct side){.kind = kind, .dir = "/tmp/postern-history-XXXXXX"};
    assert_non_null(mkdtemp(side->dir));
    assert_int_equal(side_store(side), 0);
    side->checker = checker_new();
    assert_int_equal(side->store.ops->account_open(&side->store, text("ann"), POSTERN_STORE_CREATE,
                                                   &side->account),
                     0);
}

static void side_close(struct side *side)
{
    side->store.ops->account_close(&side->account);
    postern_store_free(&side->store);
    checker_free(side->checker);
    nftw(side->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void side_reopen(struct side *side)
{
    if (strcmp(side->kind, "memory") == 0)
        return;
    side->store.ops->account_close(&side->account);
    postern_store_free(&side->store);
    assert_int_equal(side_store(side), 0);
    assert_int_equal(side->store.ops->account_open(&side->store, text("ann"), 0, &side->account),
                     0);
}

/* ---- what is there --------------------------------------------------------------------------- */

#define SHOWN 65536

/* struct shown - an account as text, to be compared. */
struct shown {
    char text[SHOWN];
    size_t n;
    struct side *side;
    struct postern_mailbox *box;
    uint32_t uids[1024];
    uint64_t keywords[1024];
    size_t count;
};

static void __attribute__((format(printf, 2, 3))) show(struct shown *shown, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    shown->n += (size_t)vsnprintf(shown->text + shown->n, SHOWN - shown->n, format, arguments);
    va_end(arguments);
    assert_true(shown->n < SHOWN);
}

static int show_info(void *ctx, const struct postern_message_info *info)
{
    struct shown *shown = ctx;

    show(shown, "  %u flags %x size %llu\n", info->uid, info->flags,
         (unsigned long long)info->size_wire);
    shown->keywords[shown->count] = info->keywords;
    shown->uids[shown->count++] = info->uid;
    return 0;
}

/* show_parsed - from the cache, or made: it must be the message's. */
static void show_parsed(struct shown *shown, uint32_t uid)
{
    struct postern_mime_facts facts = {0};
    struct postern_span block;
    int err = shown->side->store.ops->structure(shown->box, uid, 0, &block);

    if (!err) {
        postern_mime_facts(block, &facts);
        free((char *)(uintptr_t)block.p);
    }
    show(shown, " parsed %llu %llu err %d", (unsigned long long)facts.size_raw,
         (unsigned long long)facts.size_wire, err);
}

static void show_messages(struct shown *shown)
{
    const struct postern_store_ops *ops = shown->side->store.ops;

    shown->count = 0;
    ops->each(shown->box, (struct postern_uid_range){1, UINT32_MAX}, 0, show_info, shown);
    for (size_t i = 0; i < shown->count; i++) {
        uint64_t sum = 0, size = 0;
        int err = 0;

        content_sum(&shown->side->store, shown->box, shown->uids[i], &sum, &size, &err);
        show(shown, "  %u octets %llu sum %llx err %d", shown->uids[i], (unsigned long long)size,
             (unsigned long long)sum, err);
        show_parsed(shown, shown->uids[i]);
        for (unsigned bit = 0; bit < 64; bit++) {
            struct postern_span name;

            if (shown->keywords[i] >> bit & 1)
                show(shown, " %.*s", ops->keyword_name(shown->box, bit, &name) ? 1 : (int)name.n,
                     ops->keyword_name(shown->box, bit, &name) ? "?" : name.p);
        }
        show(shown, "\n");
    }
}

static int show_changed(void *ctx, const struct postern_message_info *info)
{
    show(ctx, " %u", info->uid);
    return 0;
}

struct boxes {
    char names[32][64];
    size_t count;
    struct shown *shown;
};

static int show_box(void *ctx, const struct postern_status *status)
{
    struct boxes *boxes = ctx;

    show(boxes->shown, "%.*s exists %d children %d subscribed %d", (int)status->name.n,
         status->name.p, status->exists, status->has_children, status->subscribed);
    if (status->exists) {
        show(boxes->shown, " messages %u unseen %u deleted %u size %llu next %u special %d",
             status->messages, status->unseen, status->deleted,
             (unsigned long long)status->size_bytes, status->uid_next, (int)status->special);
        snprintf(boxes->names[boxes->count++], 64, "%.*s", (int)status->name.n, status->name.p);
    }
    show(boxes->shown, "\n");
    return 0;
}

static uint64_t *mark_of(struct side *side, const char *name)
{
    for (unsigned i = 0; i < NAMES; i++)
        if (strcmp(box_names[i], name) == 0)
            return &side->marks[i];
    return NULL;
}

static void show_account(struct shown *shown, struct side *side, bool mark)
{
    const struct postern_store_ops *ops = side->store.ops;
    static struct boxes boxes;

    shown->n = 0;
    shown->side = side;
    boxes.count = 0;
    boxes.shown = shown;
    show(shown, "list %d\n", ops->list(side->account, show_box, &boxes));
    for (size_t i = 0; i < boxes.count; i++) {
        struct postern_status status;
        uint64_t *modseq = mark_of(side, boxes.names[i]);

        shown->box = NULL;
        if (ops->open(side->account, text(boxes.names[i]), 0, &shown->box) != 0 ||
            ops->refresh(shown->box, 0, &status) != 0) {
            show(shown, "%s does not open\n", boxes.names[i]);
            ops->close(&shown->box);
            continue;
        }
        show(shown, "%s\n", boxes.names[i]);
        show_messages(shown);
        if (modseq && *modseq) {
            show(shown, "  changed:");
            ops->each(shown->box, (struct postern_uid_range){1, UINT32_MAX}, *modseq, show_changed,
                      shown);
            show(shown, "\n");
        }
        if (modseq && mark)
            *modseq = status.modseq;
        ops->close(&shown->box);
    }
}

#endif
