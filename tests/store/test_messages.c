/* SPDX-License-Identifier: MIT */
/* test_messages - the calls about messages: appending sets, flags and keywords, copying, what
 * changed and what vanished, news. */
#include "suite.h"

#define MAIL "Subject: x\r\n\r\nbody\r\n"
#define ALL ((struct postern_uid_range){1, UINT32_MAX})

/* struct seen - what each() showed. */
struct seen {
    struct postern_message_info all[32];
    size_t count;
};

static int take(void *ctx, const struct postern_message_info *info)
{
    struct seen *seen = ctx;

    seen->all[seen->count++] = *info;
    return 0;
}

static struct seen look(struct world *w, struct postern_mailbox *box, uint64_t since)
{
    struct seen seen = {.count = 0};
    struct postern_status status;

    assert_int_equal(w->ops->refresh(box, 0, &status), 0);
    assert_int_equal(w->ops->each(box, ALL, since, take, &seen), 0);
    return seen;
}

static uint64_t modseq_of(struct world *w)
{
    struct postern_status status;

    assert_int_equal(w->ops->refresh(w->box, 0, &status), 0);
    return status.modseq;
}

static int change(struct world *w, uint32_t uid, enum postern_flags_how how, uint32_t flags)
{
    struct postern_flags_change what = {.how = how, .flags = flags};

    return w->ops->flags(w->box, &uid, 1, &what, NULL);
}

static struct postern_mailbox *other(struct world *w)
{
    struct postern_account *account = NULL;
    struct postern_mailbox *box = NULL;

    assert_int_equal(w->ops->account_open(&w->store, text("ann"), 0, &account), 0);
    assert_int_equal(w->ops->open(account, text("Other"), POSTERN_STORE_CREATE, &box), 0);
    w->ops->account_close(&account);
    return box;
}

/* Several are one: with flags, keywords and dates, in their order; or none is there. */
static void test_append_set(void **state)
{
    struct postern_delivery *three[3] = {NULL};
    uint32_t uids[3];
    struct seen seen;
    struct world w;

    world_open(&w, *state);
    for (size_t i = 0; i < 3; i++) {
        struct postern_new_message what = {.flags = i ? POSTERN_FLAG_SEEN : 0,
                                           .date_s = 1000000000 + (int64_t)i};

        assert_int_equal(w.ops->begin(w.box, &what, &three[i]), 0);
        assert_int_equal(w.ops->write(three[i], text(MAIL)), 0);
    }
    assert_int_equal(look(&w, w.box, 0).count, 0);
    assert_int_equal(w.ops->commit(three, 3, uids), 0);
    assert_true(uids[0] < uids[1] && uids[1] < uids[2]);
    seen = look(&w, w.box, 0);
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.all[0].flags, 0);
    assert_int_equal(seen.all[2].flags, POSTERN_FLAG_SEEN);
    assert_int_equal(seen.all[2].date_s, 1000000002);
    assert_int_equal(seen.all[2].uid, uids[2]);
    world_close(&w);
}

static void test_flags(void **state)
{
    uint32_t uid;
    uint64_t before;
    struct world w;

    world_open(&w, *state);
    assert_int_equal(postern_store_deliver(&w.store, w.box, text(MAIL), &uid), 0);
    before = modseq_of(&w);
    assert_int_equal(change(&w, uid, POSTERN_FLAGS_ADD, POSTERN_FLAG_SEEN | POSTERN_FLAG_DRAFT), 0);
    assert_int_equal(look(&w, w.box, 0).all[0].flags, POSTERN_FLAG_SEEN | POSTERN_FLAG_DRAFT);
    assert_true(modseq_of(&w) > before);
    before = modseq_of(&w);
    assert_int_equal(change(&w, uid, POSTERN_FLAGS_ADD, POSTERN_FLAG_SEEN), 0);
    assert_int_equal(modseq_of(&w), before); /* nothing changed */
    assert_int_equal(change(&w, uid, POSTERN_FLAGS_REMOVE, POSTERN_FLAG_DRAFT), 0);
    assert_int_equal(look(&w, w.box, before).count, 1);
    assert_int_equal(change(&w, uid, POSTERN_FLAGS_SET, POSTERN_FLAG_FLAGGED), 0);
    assert_int_equal(look(&w, w.box, 0).all[0].flags, POSTERN_FLAG_FLAGGED);
    assert_int_equal(change(&w, uid + 1, POSTERN_FLAGS_ADD, POSTERN_FLAG_SEEN), 0);
    world_close(&w);
}

/* Only what nobody changed meanwhile (RFC 7162 3.1.3). */
static void test_flags_unchanged(void **state)
{
    struct postern_flags_change what = {.how = POSTERN_FLAGS_ADD, .flags = POSTERN_FLAG_SEEN};
    uint32_t uids[2], skipped[2] = {0};
    struct world w;

    world_open(&w, *state);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(postern_store_deliver(&w.store, w.box, text(MAIL), &uids[i]), 0);
    what.conditional = true;
    what.unchanged_since = modseq_of(&w);
    assert_int_equal(change(&w, uids[1], POSTERN_FLAGS_ADD, POSTERN_FLAG_FLAGGED), 0);
    assert_int_equal(w.ops->flags(w.box, uids, 2, &what, skipped), 1);
    assert_int_equal(skipped[0], uids[1]);
    assert_int_equal(look(&w, w.box, 0).all[0].flags, POSTERN_FLAG_SEEN);
    assert_int_equal(look(&w, w.box, 0).all[1].flags, POSTERN_FLAG_FLAGGED);
    assert_int_equal(w.ops->expunge(w.box, uids, 1), 0);
    skipped[0] = 0;
    assert_int_equal(w.ops->flags(w.box, uids, 2, &what, skipped), 1);
    assert_int_equal(skipped[0], uids[1]);
    world_close(&w);
}

static void test_keywords(void **state)
{
    static const char *const bad[] = {"", "\\Seen", "a b", "a]", "a(", "\xc3\xbc", "a\"", "a*"};
    struct postern_flags_change what = {.how = POSTERN_FLAGS_ADD};
    struct postern_span name;
    struct world w;
    uint32_t uid;
    int number;

    world_open(&w, *state);
    assert_int_equal(postern_store_deliver(&w.store, w.box, text(MAIL), &uid), 0);
    assert_int_equal(w.ops->keyword(w.box, text("$Label1"), false), POSTERN_E_NOT_FOUND);
    number = w.ops->keyword(w.box, text("$Label1"), true);
    assert_in_range(number, 0, 63);
    assert_int_equal(w.ops->keyword(w.box, text("$LABEL1"), true), number);
    assert_int_equal(w.ops->keyword_name(w.box, (unsigned)number, &name), 0);
    assert_true(is(name, "$Label1"));
    what.keywords = UINT64_C(1) << number;
    assert_int_equal(w.ops->flags(w.box, &uid, 1, &what, NULL), 0);
    assert_int_equal(look(&w, w.box, 0).all[0].keywords, what.keywords);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(w.ops->keyword(w.box, text(bad[i]), true), POSTERN_E_SYNTAX);
    for (unsigned i = 0; i < 63; i++) {
        char more[16];

        snprintf(more, sizeof more, "k%u", i);
        assert_in_range(w.ops->keyword(w.box, text(more), true), 0, 63);
    }
    assert_int_equal(w.ops->keyword(w.box, text("one-more"), true), POSTERN_E_FULL);
    world_close(&w);
}

static void test_copy_and_move(void **state)
{
    struct postern_mailbox *box;
    uint32_t uids[3], news[2], missing[2];
    struct seen seen;
    struct world w;

    world_open(&w, *state);
    box = other(&w);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(postern_store_deliver(&w.store, w.box, text(MAIL), &uids[i]), 0);
    assert_int_equal(change(&w, uids[1], POSTERN_FLAGS_ADD, POSTERN_FLAG_FLAGGED), 0);
    assert_int_equal(w.ops->copy(w.box, uids, 2, box, false, news), 0);
    seen = look(&w, box, 0);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.all[1].uid, news[1]);
    assert_int_equal(seen.all[1].flags, POSTERN_FLAG_FLAGGED);
    assert_int_equal(seen.all[0].date_s, look(&w, w.box, 0).all[0].date_s);
    assert_in_range(seen.all[0].saved_s, time(NULL) - 60, time(NULL));
    assert_int_equal(look(&w, w.box, 0).count, 3);
    missing[0] = uids[2];
    missing[1] = uids[2] + 7;
    assert_int_equal(w.ops->copy(w.box, missing, 2, box, true, NULL), POSTERN_E_NOT_FOUND);
    assert_int_equal(look(&w, w.box, 0).count, 3);
    assert_int_equal(look(&w, box, 0).count, 2);
    missing[1] = uids[0];
    assert_int_equal(w.ops->copy(w.box, missing, 2, box, false, NULL), POSTERN_E_USAGE);
    assert_int_equal(w.ops->copy(w.box, uids, 2, box, true, news), 0);
    assert_int_equal(look(&w, w.box, 0).count, 1);
    assert_int_equal(look(&w, box, 0).count, 4);
    w.ops->close(&box);
    world_close(&w);
}

/* The new one takes the place of the old in one step, and its room; another mailbox may have it. */
static void test_replace(void **state)
{
    struct postern_quota quota = {.messages_max = 2};
    struct postern_new_message what = {.flags = POSTERN_FLAG_DRAFT};
    struct postern_delivery *delivery = NULL;
    struct postern_mailbox *box;
    uint32_t uids[2], now;
    struct seen seen;
    struct world w;

    world_open(&w, *state);
    box = other(&w);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(postern_store_deliver(&w.store, w.box, text(MAIL), &uids[i]), 0);
    w.ops->limit(&w.store, &quota);
    assert_int_equal(postern_store_deliver(&w.store, w.box, text(MAIL), NULL), POSTERN_E_FULL);
    what.replaced_in = w.box;
    for (size_t i = 0; i < 2; i++) {
        what.replaced = uids[i];
        assert_int_equal(w.ops->begin(i ? box : w.box, &what, &delivery), 0);
        assert_int_equal(w.ops->write(delivery, text(MAIL)), 0);
        assert_int_equal(w.ops->commit(&delivery, 1, &now), 0);
        w.ops->tidy(w.box);
    }
    seen = look(&w, w.box, 0);
    assert_int_equal(seen.count, 1);
    assert_true(seen.all[0].uid > uids[1]);
    assert_int_equal(seen.all[0].flags, POSTERN_FLAG_DRAFT);
    assert_int_equal(look(&w, box, 0).count, 1);
    assert_int_equal(w.ops->begin(box, &what, &delivery),
                     0); /* it is gone already: two are enough */
    assert_int_equal(w.ops->write(delivery, text(MAIL)), 0);
    assert_int_equal(w.ops->commit(&delivery, 1, &now), POSTERN_E_FULL);
    w.ops->close(&box);
    world_close(&w);
}

struct vanished {
    struct postern_uid_range all[8];
    size_t count;
};

static int take_range(void *ctx, struct postern_uid_range range)
{
    struct vanished *vanished = ctx;

    vanished->all[vanished->count++] = range;
    return 0;
}

static bool names(const struct vanished *vanished, uint32_t uid)
{
    for (size_t i = 0; i < vanished->count; i++)
        if (uid >= vanished->all[i].first && uid <= vanished->all[i].last)
            return true;
    return false;
}

static void test_vanished(void **state)
{
    struct vanished vanished = {.count = 0};
    uint64_t before;
    uint32_t uids[3];
    struct world w;

    world_open(&w, *state);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(postern_store_deliver(&w.store, w.box, text(MAIL), &uids[i]), 0);
    before = modseq_of(&w);
    assert_int_equal(w.ops->expunge(w.box, &uids[1], 1), 0);
    assert_true(modseq_of(&w) > before);
    assert_int_equal(w.ops->vanished(w.box, before, take_range, &vanished), 0);
    assert_true(names(&vanished, uids[1]));
    assert_false(names(&vanished, uids[0]) || names(&vanished, uids[2]));
    vanished.count = 0;
    assert_int_equal(w.ops->vanished(w.box, modseq_of(&w), take_range, &vanished), 0);
    assert_int_equal(vanished.count, 0);
    world_close(&w);
}

static void test_ranges(void **state)
{
    struct postern_uid_range ranges[2];
    uint32_t uids[5];
    struct world w;

    world_open(&w, *state);
    assert_int_equal(w.ops->ranges(w.box, ranges, 2), 0);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(postern_store_deliver(&w.store, w.box, text(MAIL), &uids[i]), 0);
    assert_int_equal(w.ops->ranges(w.box, ranges, 2), 1);
    assert_int_equal(ranges[0].last - ranges[0].first, 4);
    assert_int_equal(w.ops->expunge(w.box, &uids[1], 1), 0);
    assert_int_equal(w.ops->expunge(w.box, &uids[3], 1), 0);
    assert_int_equal(w.ops->ranges(w.box, ranges, 2), 3); /* of which two fit */
    assert_int_equal(ranges[1].first, uids[2]);
    assert_int_equal(ranges[1].last, uids[2]);
    world_close(&w);
}

static uint32_t first_unseen(const struct world *w)
{
    uint32_t uid = 1000;

    assert_int_equal(w->ops->first_unseen(w->box, &uid), 0);
    return uid;
}

/* The first that was not seen is found wherever it stands, also beside one that is gone. */
static void test_first_unseen(void **state)
{
    struct postern_flags_change change = {.how = POSTERN_FLAGS_ADD, .flags = POSTERN_FLAG_SEEN};
    uint32_t uids[6];
    struct world w;

    world_open(&w, *state);
    assert_int_equal(first_unseen(&w), 0);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(postern_store_deliver(&w.store, w.box, text(MAIL), &uids[i]), 0);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(first_unseen(&w), uids[i]);
        if (i == 1)
            assert_int_equal(w.ops->expunge(w.box, &uids[i], 1), 0);
        else
            assert_int_equal(w.ops->flags(w.box, &uids[i], 1, &change, NULL), 0);
    }
    assert_int_equal(first_unseen(&w), 0);
    change.how = POSTERN_FLAGS_REMOVE;
    for (size_t i = 6; i-- > 2;) {
        assert_int_equal(w.ops->flags(w.box, &uids[i], 1, &change, NULL), 0);
        assert_int_equal(first_unseen(&w), uids[i]);
    }
    world_close(&w);
}

/* Messages are new to all sessions until one takes them. */
static void test_recent(void **state)
{
    struct postern_status status;
    uint32_t uid, from;
    struct world w;

    world_open(&w, *state);
    assert_int_equal(postern_store_deliver(&w.store, w.box, text(MAIL), &uid), 0);
    assert_int_equal(w.ops->refresh(w.box, 0, &status), 0);
    assert_int_equal(status.recent, 1);
    assert_int_equal(w.ops->recent(w.box, &from), 0);
    assert_true(from <= uid);
    assert_int_equal(w.ops->recent(w.box, &from), 0);
    assert_true(from > uid);
    assert_int_equal(w.ops->refresh(w.box, 0, &status), 0);
    assert_int_equal(status.recent, 0);
    assert_int_equal(postern_store_deliver(&w.store, w.box, text(MAIL), &uid), 0);
    assert_int_equal(w.ops->refresh(w.box, 0, &status), 0);
    assert_int_equal(status.recent, 1);
    assert_int_equal(status.recent_from, uid);
    world_close(&w);
}

#define OVER(kind)                                                                        \
    ONE(kind, test_append_set), ONE(kind, test_flags), ONE(kind, test_flags_unchanged),   \
        ONE(kind, test_keywords), ONE(kind, test_copy_and_move), ONE(kind, test_replace), \
        ONE(kind, test_vanished), ONE(kind, test_ranges), ONE(kind, test_first_unseen),   \
        ONE(kind, test_recent)

int main(void)
{
    const struct CMUnitTest tests[] = {OVER("memory"), OVER("maildir")};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
