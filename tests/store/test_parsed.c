/* SPDX-License-Identifier: MIT */
/* test_parsed - parsed forms are kept in the account's cache, and a cache that is lost, spoiled or
 * somebody else's costs no more than parsing again. */
#include "suite.h"

#include <postern/mime.h>

#define COUNT 20
#define MAIL "Subject: number %u\nFrom: a@b\nX-Long: %0*d\n\n%066000d\n" /* not a quick one */

static uint32_t mail(struct world *w, unsigned number)
{
    char bytes[90000];
    uint32_t uid = 0;

    snprintf(bytes, sizeof bytes, MAIL, number, (int)(number * 700), 0, 0);
    assert_int_equal(postern_store_deliver(&w->store, w->box, text(bytes), &uid), 0);
    return uid;
}

static void refresh(struct world *w)
{
    struct postern_status status;

    assert_int_equal(w->ops->refresh(w->box, 0, &status), 0);
}

/* assert_parsed - with NO_WAIT only what is kept can be told. */
static int parsed(struct world *w, uint32_t uid, unsigned number, unsigned flags)
{
    char subject[40];
    struct postern_span block;
    struct postern_mime_facts facts;
    struct postern_facts known;
    struct postern_content *content = NULL;
    char room[8192];
    struct postern_structure one;
    int several = w->ops->structures(w->box, &uid, 1, 0, room, sizeof room, &one);
    int err = w->ops->structure(w->box, uid, flags, &block);

    if (err)
        return err;
    snprintf(subject, sizeof subject, "number %u", number);
    assert_true(postern_mime_check(block));
    assert_true(is(postern_mime_field(block, 0, POSTERN_MIME_SUBJECT, 0), subject));
    assert_in_range(several, 0, 1);
    if (several) {
        assert_int_equal(one.block.n, block.n);
        assert_memory_equal(one.block.p, block.p, block.n);
    }
    postern_mime_facts(block, &facts);
    assert_int_equal(w->ops->message(w->box, uid, 0, &content, &known), 0);
    assert_int_equal(facts.size_wire, known.size_wire);
    assert_int_equal(facts.wire_clean, known.wire_clean);
    w->ops->content_close(&content);
    free((char *)(uintptr_t)block.p);
    return 0;
}

static void reopen(struct world *w)
{
    w->ops->close(&w->box);
    postern_store_free(&w->store);
    assert_int_equal(postern_store_maildir_new(&w->store, w->dir), 0);
    w->ops = w->store.ops;
    assert_int_equal(postern_store_inbox(&w->store, text("ann"), 0, &w->box), 0);
    refresh(w);
}

static void fill(struct world *w, uint32_t uids[COUNT])
{
    world_open(w, "maildir");
    for (unsigned i = 0; i < COUNT; i++)
        uids[i] = mail(w, i);
    for (unsigned i = 0; i < COUNT; i++) {
        assert_int_equal(parsed(w, uids[i], i, POSTERN_STORE_NO_WAIT), POSTERN_E_AGAIN);
        assert_int_equal(parsed(w, uids[i], i, 0), 0);
    }
    refresh(w);
}

static void test_kept(void **state)
{
    struct postern_structure all[COUNT];
    uint32_t uids[COUNT];
    char room[65536];
    struct world w;

    (void)state;
    fill(&w, uids);
    for (unsigned i = 0; i < COUNT; i++)
        assert_int_equal(parsed(&w, uids[i], i, POSTERN_STORE_NO_WAIT), 0);
    reopen(&w);
    for (unsigned i = 0; i < COUNT; i++)
        assert_int_equal(parsed(&w, uids[i], i, POSTERN_STORE_NO_WAIT), 0);
    assert_int_equal(w.ops->structures(w.box, uids, COUNT, 0, room, sizeof room, all), COUNT);
    assert_int_equal(w.ops->structures(w.box, uids, COUNT, 0, room, 600, all), 1);
    assert_int_equal(w.ops->expunge(w.box, uids, 1), 0);
    assert_int_equal(parsed(&w, uids[0], 0, 0), POSTERN_E_NOT_FOUND);
    world_close(&w);
}

/* ---- may_have -------------------------------------------------------------------------------- */

struct ranges {
    struct postern_uid_range all[COUNT + 1];
    size_t count;
};

static int note_range(void *ctx, struct postern_uid_range range)
{
    struct ranges *ranges = ctx;

    assert_true(ranges->count <= COUNT);
    ranges->all[ranges->count++] = range;
    return 0;
}

/* may - in how many ranges of UIDs it may be; they rise, and what is to come is in the last. */
static size_t may(struct world *w, enum postern_mime_field field, const char *wanted,
                  struct ranges *ranges)
{
    ranges->count = 0;
    assert_int_equal(w->ops->may_have(w->box, field, text(wanted), 0, note_range, ranges), 0);
    assert_true(ranges->count > 0);
    for (size_t i = 0; i < ranges->count; i++) {
        assert_true(ranges->all[i].first <= ranges->all[i].last);
        if (i)
            assert_true(ranges->all[i].first > ranges->all[i - 1].last + 1);
    }
    assert_int_equal(ranges->all[ranges->count - 1].last, UINT32_MAX);
    return ranges->count;
}

static bool has_uid(const struct ranges *ranges, uint32_t uid)
{
    for (size_t i = 0; i < ranges->count; i++)
        if (uid >= ranges->all[i].first && uid <= ranges->all[i].last)
            return true;
    return false;
}

/* Nothing is known until it was asked for and then told. */
static void test_may_have(void **state)
{
    uint32_t uids[COUNT], fresh;
    struct ranges ranges;
    struct world w;

    (void)state;
    fill(&w, uids);
    assert_int_equal(may(&w, POSTERN_MIME_SUBJECT, "number 7", &ranges), 1);
    assert_int_equal(ranges.all[0].first, 1);
    for (unsigned i = 0; i < COUNT; i++)
        assert_int_equal(parsed(&w, uids[i], i, 0), 0);
    (void)may(&w, POSTERN_MIME_SUBJECT, "NUMBER 7", &ranges);
    assert_true(has_uid(&ranges, uids[7]));
    assert_false(has_uid(&ranges, uids[8]));
    assert_int_equal(may(&w, POSTERN_MIME_SUBJECT, "umb", &ranges), 1);
    assert_int_equal(may(&w, POSTERN_MIME_FROM, "a@b", &ranges), 1);
    (void)may(&w, POSTERN_MIME_FROM, "somebody@example.org", &ranges);
    assert_false(has_uid(&ranges, uids[7]));
    fresh = mail(&w, 7);
    (void)may(&w, POSTERN_MIME_SUBJECT, "xyzzy plugh", &ranges);
    assert_true(has_uid(&ranges, fresh));
    assert_false(has_uid(&ranges, uids[7]));
    assert_int_equal(w.ops->may_have(w.box, POSTERN_MIME_TO, text("abc"), 0, note_range, &ranges),
                     POSTERN_E_UNSUPPORTED);
    reopen(&w);
    assert_int_equal(may(&w, POSTERN_MIME_SUBJECT, "xyzzy plugh", &ranges), 1);
    world_close(&w);
}

/* cache_path - of ann's, "" when there is none. */
static off_t cache_size(struct world *w, char *path)
{
    struct stat facts;

    snprintf(path, 128, "%s/ann/postern/cache", w->dir);
    return stat(path, &facts) == 0 ? facts.st_size : -1;
}

/* Each octet changed, each length: what is told is right, and the next one who asks has it kept. */
static void test_spoiled(void **state)
{
    char path[128];
    uint32_t uids[COUNT];
    struct world w;
    off_t size;
    int fd;

    (void)state;
    fill(&w, uids);
    size = cache_size(&w, path);
    assert_true(size > 1000);
    fd = open(path, O_RDWR);
    for (off_t at = 0; at < size; at += 1 + at / 40) {
        char octet, other;

        assert_int_equal(pread(fd, &octet, 1, at), 1);
        other = (char)(octet ^ 0x21);
        assert_int_equal(pwrite(fd, &other, 1, at), 1);
        for (unsigned i = 0; i < COUNT; i++)
            (void)parsed(&w, uids[i], i, POSTERN_STORE_NO_WAIT);
        assert_int_equal(pwrite(fd, &octet, 1, at), 1);
    }
    for (off_t at = size; at > 0; at -= 1 + at / 20) {
        assert_int_equal(ftruncate(fd, at - 1), 0);
        for (unsigned i = 0; i < COUNT; i++)
            (void)parsed(&w, uids[i], i, POSTERN_STORE_NO_WAIT);
    }
    close(fd);
    assert_int_equal(parsed(&w, uids[1], 1, POSTERN_STORE_NO_WAIT), POSTERN_E_AGAIN);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < COUNT; i++)
            assert_int_equal(parsed(&w, uids[i], i, 0), 0);
        refresh(&w);
    }
    for (unsigned i = 0; i < COUNT; i++)
        assert_int_equal(parsed(&w, uids[i], i, POSTERN_STORE_NO_WAIT), 0);
    world_close(&w);
}

static void test_removed(void **state)
{
    char path[128];
    uint32_t uids[COUNT];
    struct world w;

    (void)state;
    fill(&w, uids);
    cache_size(&w, path);
    assert_int_equal(unlink(path), 0);
    reopen(&w);
    for (unsigned i = 0; i < COUNT; i++)
        assert_int_equal(parsed(&w, uids[i], i, 0), 0);
    refresh(&w);
    assert_int_equal(parsed(&w, uids[3], 3, POSTERN_STORE_NO_WAIT), 0);
    world_close(&w);
}

/* What is expunged does not stay in the cache for ever. */
static void test_compacted(void **state)
{
    char path[128];
    uint32_t first = 0;
    struct world w;
    off_t most = 0, size = 0;

    (void)state;
    world_open(&w, "maildir");
    for (unsigned i = 0; i < 9000 && size >= most; i++) {
        uint32_t uid = mail(&w, 1);

        first = first ? first : uid;
        assert_int_equal(parsed(&w, uid, 1, 0), 0);
        if (uid != first)
            assert_int_equal(w.ops->expunge(w.box, &uid, 1), 0);
        if (i % 200)
            continue;
        w.ops->tidy(w.box);
        refresh(&w);
        most = size > most ? size : most;
        size = cache_size(&w, path);
    }
    assert_true(size < most);
    assert_int_equal(parsed(&w, first, 1, POSTERN_STORE_NO_WAIT), 0);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kept), cmocka_unit_test(test_may_have),
                                       cmocka_unit_test(test_spoiled),
                                       cmocka_unit_test(test_removed),
                                       cmocka_unit_test(test_compacted)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
