/* SPDX-License-Identifier: MIT */
/* checker - the promises, each where it is tested:
 *  P1 (mailbox id, uid validity, UID) names one octet string for ever
 *  P2 uid_next never falls, and every UID is below it
 *  P3 nothing new below a uid_next that was seen
 *  P4 mod-sequences never fall; what differs from what was seen has one above what was seen
 *  P5 uid validity only rises
 *  P6 the sums of the status are those of the messages; ranges and messages agree
 *  P7 what vanished is told as vanished since then */
#include "checker.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct seen {
    uint64_t box, modseq, keywords, sum;
    uint32_t validity, uid, flags;
    unsigned look; /* when it was there last */
    bool read;     /* sum is known */
};

struct seen_box {
    uint64_t id, modseq;
    uint32_t validity, next;
};

struct checker {
    struct seen *all;
    size_t count, room;
    struct seen_box boxes[64];
    size_t box_count;
    unsigned look;
    char text[300];
    bool bad;
};

struct walk {
    struct checker *checker;
    struct postern_store *store;
    struct postern_mailbox *box;
    struct postern_status status;
    struct seen_box before; /* id 0: not seen yet */
    uint32_t messages, unseen, deleted, last;
    uint64_t size;
    struct postern_message_info infos[4096];
};

struct checker *checker_new(void)
{
    return calloc(1, sizeof(struct checker));
}

void checker_free(struct checker *checker)
{
    free(checker->all);
    free(checker);
}

static void __attribute__((format(printf, 2, 3)))
complain(struct checker *checker, const char *format, ...)
{
    va_list arguments;

    if (checker->bad)
        return;
    checker->bad = true;
    va_start(arguments, format);
    vsnprintf(checker->text, sizeof checker->text, format, arguments);
    va_end(arguments);
}

bool content_sum(struct postern_store *store, struct postern_mailbox *box, uint32_t uid,
                 uint64_t *sum_r, uint64_t *size_r, int *err_r)
{
    struct postern_content *content = NULL;
    struct postern_facts facts;
    char bytes[8192];
    uint64_t offset = 0, sum = 7;
    int n;

    *err_r = store->ops->message(box, uid, 0, &content, &facts);
    if (*err_r)
        return false;
    while ((n = store->ops->read(content, offset, bytes, sizeof bytes)) > 0) {
        for (int i = 0; i < n; i++)
            sum = sum * 1099511628211u + (unsigned char)bytes[i];
        offset += (uint64_t)n;
    }
    store->ops->content_close(&content);
    *sum_r = sum;
    *size_r = offset;
    *err_r = n;
    return n == 0 && offset == facts.size_raw;
}

static struct seen *seen_of(struct checker *checker, uint64_t box, uint32_t validity, uint32_t uid)
{
    for (size_t i = 0; i < checker->count; i++) {
        struct seen *seen = &checker->all[i];

        if (seen->box == box && seen->validity == validity && seen->uid == uid)
            return seen;
    }
    return NULL;
}

static struct seen *seen_add(struct checker *checker)
{
    if (checker->count == checker->room) {
        checker->room = checker->room ? checker->room * 2 : 64;
        checker->all = realloc(checker->all, checker->room * sizeof *checker->all);
        if (!checker->all)
            abort();
    }
    checker->all[checker->count] = (struct seen){0};
    return &checker->all[checker->count++];
}

static int collect(void *ctx, const struct postern_message_info *info)
{
    struct walk *walk = ctx;

    if (info->uid <= walk->last)
        complain(walk->checker, "UID %u comes after %u", info->uid, walk->last);
    walk->last = info->uid;
    if (walk->messages < 4096)
        walk->infos[walk->messages] = *info;
    walk->messages++;
    walk->unseen += !(info->flags & POSTERN_FLAG_SEEN);
    walk->deleted += (info->flags & POSTERN_FLAG_DELETED) != 0;
    walk->size += info->size_wire;
    return 0;
}

static void look_at_message(struct walk *walk, const struct postern_message_info *info)
{
    struct checker *checker = walk->checker;
    uint32_t validity = walk->status.uid_validity;
    struct seen *seen = seen_of(checker, walk->status.id, validity, info->uid);
    uint64_t sum = 0, size = 0;
    int err;
    bool read = content_sum(walk->store, walk->box, info->uid, &sum, &size, &err);

    if (!read && err != POSTERN_E_NOT_FOUND) /* others may remove it at any time */
        complain(checker, "UID %u cannot be read: %s", info->uid, postern_err_name(err));
    if (info->uid >= walk->status.uid_next)
        complain(checker, "P2: UID %u is not below %u", info->uid, walk->status.uid_next);
    if (info->modseq > walk->status.modseq)
        complain(checker, "P4: mod-sequence of UID %u above the highest", info->uid);
    if (!seen && walk->before.id && walk->before.validity == validity &&
        info->uid < walk->before.next)
        complain(checker, "P3: UID %u is new, though %u was the next", info->uid,
                 walk->before.next);
    if (seen && read && seen->read && seen->sum != sum)
        complain(checker, "P1: UID %u names other octets", info->uid);
    if (seen && seen->look + 1 < checker->look)
        complain(checker, "P1: UID %u came back", info->uid);
    if (walk->before.id && walk->before.validity == validity &&
        (!seen || seen->flags != info->flags || seen->keywords != info->keywords) &&
        info->modseq <= walk->before.modseq)
        complain(checker, "P4: UID %u differs, and its mod-sequence was seen before", info->uid);
    if (!seen)
        seen = seen_add(checker);
    if (!read && seen->read)
        sum = seen->sum;
    read = read || seen->read;
    *seen = (struct seen){walk->status.id, info->modseq, info->keywords, sum, validity,
                          info->uid,       info->flags,  checker->look,  read};
}

struct gone {
    uint32_t uid;
    bool told;
};

static int is_told(void *ctx, struct postern_uid_range range)
{
    struct gone *gone = ctx;

    gone->told = gone->told || (gone->uid >= range.first && gone->uid <= range.last);
    return 0;
}

static void look_for_vanished(struct walk *walk)
{
    for (size_t i = 0; i < walk->checker->count; i++) {
        const struct seen *seen = &walk->checker->all[i];
        struct gone gone = {seen->uid, false};
        int r;

        if (seen->box != walk->status.id || seen->validity != walk->status.uid_validity ||
            seen->look + 1 != walk->checker->look)
            continue;
        r = walk->store->ops->vanished(walk->box, walk->before.modseq, is_told, &gone);
        if (r == 0 && !gone.told)
            complain(walk->checker, "P7: UID %u vanished and is not told", seen->uid);
    }
}

static void look_at_ranges(struct walk *walk)
{
    static struct postern_uid_range ranges[4096];
    int count = walk->store->ops->ranges(walk->box, ranges, 4096);
    uint32_t messages = 0;

    for (int i = 0; i < count && i < 4096; i++) {
        if (ranges[i].first > ranges[i].last || (i && ranges[i].first <= ranges[i - 1].last + 1))
            complain(walk->checker, "P6: ranges are not apart");
        messages += ranges[i].last - ranges[i].first + 1;
    }
    if (messages != walk->messages)
        complain(walk->checker, "P6: %u messages in ranges, %u shown", messages, walk->messages);
}

static void look_at_unseen(struct walk *walk)
{
    uint32_t uid = 0, found = 0;

    for (uint32_t i = 0; i < walk->messages && i < 4096 && !uid; i++)
        uid = walk->infos[i].flags & POSTERN_FLAG_SEEN ? 0 : walk->infos[i].uid;
    if (walk->store->ops->first_unseen(walk->box, &found) != 0 || found != uid)
        complain(walk->checker, "P6: the first that was not seen is %u, not %u", uid, found);
}

static struct seen_box *box_of(struct checker *checker, uint64_t id)
{
    for (size_t i = 0; i < checker->box_count; i++)
        if (checker->boxes[i].id == id)
            return &checker->boxes[i];
    if (checker->box_count == 64)
        abort();
    return &checker->boxes[checker->box_count++];
}

static void look_at_sums(struct walk *walk)
{
    const struct postern_status *status = &walk->status;

    if (status->messages != walk->messages || status->unseen != walk->unseen ||
        status->deleted != walk->deleted || status->size_bytes != walk->size)
        complain(walk->checker,
                 "P6: status tells %u messages, %u unseen, %u deleted; it is %u, %u, %u",
                 status->messages, status->unseen, status->deleted, walk->messages, walk->unseen,
                 walk->deleted);
}

static void look_at_box(struct checker *checker, struct postern_store *store,
                        struct postern_account *account, struct postern_span name)
{
    static struct walk walk;
    struct seen_box *box;

    walk.box = NULL;
    walk.checker = checker;
    walk.store = store;
    walk.messages = walk.unseen = walk.deleted = walk.last = 0;
    walk.size = 0;
    if (store->ops->open(account, name, 0, &walk.box) != 0 ||
        store->ops->refresh(walk.box, 0, &walk.status) != 0) {
        complain(checker, "%.*s does not open", (int)name.n, name.p);
        store->ops->close(&walk.box);
        return;
    }
    box = box_of(checker, walk.status.id);
    walk.before = *box;
    if (box->id && walk.status.uid_validity < box->validity)
        complain(checker, "P5: uid validity fell");
    if (box->id && walk.status.uid_validity == box->validity && walk.status.uid_next < box->next)
        complain(checker, "P2: the next UID fell from %u to %u", box->next, walk.status.uid_next);
    if (box->id && walk.status.modseq < box->modseq)
        complain(checker, "P4: the highest mod-sequence fell");
    if (store->ops->each(walk.box, (struct postern_uid_range){1, UINT32_MAX}, 0, collect, &walk) !=
        0)
        complain(checker, "%.*s does not show its messages", (int)name.n, name.p);
    look_at_sums(&walk);
    look_at_ranges(&walk);
    look_at_unseen(&walk);
    for (uint32_t i = 0; i < walk.messages && i < 4096; i++)
        look_at_message(&walk, &walk.infos[i]);
    if (box->id && box->validity == walk.status.uid_validity)
        look_for_vanished(&walk);
    *box = (struct seen_box){walk.status.id, walk.status.modseq, walk.status.uid_validity,
                             walk.status.uid_next};
    store->ops->close(&walk.box);
}

struct names {
    char all[64][256];
    size_t count;
};

static int take_name(void *ctx, const struct postern_status *status)
{
    struct names *names = ctx;

    if (status->exists && names->count < 64)
        snprintf(names->all[names->count++], 256, "%.*s", (int)status->name.n, status->name.p);
    return 0;
}

const char *checker_look(struct checker *checker, struct postern_store *store,
                         struct postern_span user)
{
    struct postern_account *account = NULL;
    static struct names names;

    checker->look++;
    names.count = 0;
    if (store->ops->account_open(store, user, 0, &account) != 0)
        complain(checker, "the account does not open");
    else if (store->ops->list(account, take_name, &names) != 0)
        complain(checker, "the account does not list");
    for (size_t i = 0; i < names.count; i++)
        look_at_box(checker, store, account, postern_span_of(names.all[i]));
    store->ops->account_close(&account);
    return checker->bad ? checker->text : NULL;
}
