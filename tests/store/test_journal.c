/* SPDX-License-Identifier: MIT */
/* test_journal - the journal of a deletion, as a crash, another process, or an enemy leaves it in a
 * mailbox. */
#include "suite.h"

#include "base/span.h"

#define MAIL "Subject: x\r\n\r\nbody\r\n"
#define JOURNAL "tmp/.postern.expunge"

/* put_journal - with its own, right checksum; rows: each ended by a line end here, by NUL in the
 * file. */
static void put_journal(const struct world *w, const char *rows)
{
    char path[512], bytes[512];
    size_t n = strlen(rows);
    FILE *out;

    memcpy(bytes, rows, n);
    for (size_t i = 0; i < n; i++)
        if (bytes[i] == '\n')
            bytes[i] = '\0';
    snprintf(path, sizeof path, "%s/ann/" JOURNAL, w->dir);
    out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, n, out), n);
    fprintf(out, "=%llu%c", (unsigned long long)span_hash(span_make(bytes, n)), 0);
    assert_int_equal(fclose(out), 0);
}

static void recover(struct world *w)
{
    assert_int_equal(w->ops->lock(w->box), 0);
    w->ops->unlock(w->box);
    assert_false(exists(w, "ann/" JOURNAL));
}

/* What a whole journal names is deleted, also under the name that it has got since; the rest
 * stays. */
static void test_carried_out(void **state)
{
    struct world w;

    (void)state;
    world_open(&w, "maildir");
    put(&w, "ann/new/1.one", MAIL);
    put(&w, "ann/cur/2.two:2,FS", MAIL);
    put(&w, "ann/cur/3.three:2,S", MAIL);
    put(&w, "ann/new/4.four", MAIL);
    put_journal(&w, "01.one\n02.two\n13.three:2,S\n0never-was\n");
    assert_int_equal(count_now(&w), 1);
    assert_false(exists(&w, "ann/new/1.one"));
    assert_false(exists(&w, "ann/cur/2.two:2,FS"));
    assert_false(exists(&w, "ann/cur/3.three:2,S"));
    assert_true(exists(&w, "ann/new/4.four"));
    assert_false(exists(&w, "ann/" JOURNAL));
    world_close(&w);
}

/* A journal that somebody else wrote does not reach out of its mailbox; a damaged one deletes
 * nothing. */
static void test_hostile_journals(void **state)
{
    static const char *const journals[] = {
        "0../../bob/cur/1.secret", "1../victim", "9nonsense", "", "=123", "0a\n=5"};
    struct world w;
    struct postern_mailbox *bob = NULL;

    (void)state;
    world_open(&w, "maildir");
    assert_int_equal(w.ops->open(&w.store, text("bob"), POSTERN_STORE_CREATE, &bob), 0);
    w.ops->close(&bob);
    put(&w, "bob/cur/1.secret", MAIL);
    put(&w, "ann/cur/1.mine", MAIL);
    for (size_t i = 0; i < sizeof journals / sizeof *journals; i++) {
        put(&w, "ann/tmp/.postern.expunge", journals[i]);
        assert_int_equal(w.ops->lock(w.box), 0);
        w.ops->unlock(w.box);
        assert_true(exists(&w, "bob/cur/1.secret"));
        assert_true(exists(&w, "ann/cur/1.mine"));
        assert_false(exists(&w, "ann/tmp/.postern.expunge"));
    }
    world_close(&w);
}

/* The same with a checksum that is right: no name leads out of its folder, and none holds the
 * mailbox up. */
static void test_hostile_whole_journals(void **state)
{
    static const char *const journals[] = {"0../../bob/cur/1.secret\n",
                                           "1../../bob/cur/1.secret\n",
                                           "2cur\n",
                                           "9nonsense\n",
                                           "\n",
                                           "0\n",
                                           "0.\n",
                                           "0..\n",
                                           "1folder\n",
                                           "1/etc/none\n",
                                           "x\n\n\n0"};
    struct world w;
    struct postern_mailbox *bob = NULL;
    char path[128];

    (void)state;
    world_open(&w, "maildir");
    assert_int_equal(w.ops->open(&w.store, text("bob"), POSTERN_STORE_CREATE, &bob), 0);
    w.ops->close(&bob);
    put(&w, "bob/cur/1.secret", MAIL);
    put(&w, "ann/cur/1.mine", MAIL);
    snprintf(path, sizeof path, "%s/ann/cur/folder", w.dir);
    assert_int_equal(mkdir(path, 0700), 0);
    for (size_t i = 0; i < sizeof journals / sizeof *journals; i++) {
        put_journal(&w, journals[i]);
        recover(&w);
        assert_true(exists(&w, "bob/cur/1.secret"));
        assert_true(exists(&w, "ann/cur/1.mine"));
        assert_true(exists(&w, "ann/cur/folder"));
    }
    world_close(&w);
}

/* A journal cut short anywhere, or with one octet changed, is not believed. */
static void test_damaged(void **state)
{
    struct world w;
    char path[128], bytes[128];
    size_t n;
    FILE *file;

    (void)state;
    world_open(&w, "maildir");
    put(&w, "ann/cur/1.mine", MAIL);
    snprintf(path, sizeof path, "%s/ann/" JOURNAL, w.dir);
    put_journal(&w, "11.mine\n");
    file = fopen(path, "r");
    assert_non_null(file);
    n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    for (size_t i = 0; i < 2 * n; i++) {
        size_t at = i % n;

        bytes[at] ^= i < n ? 0 : 1;
        file = fopen(path, "w");
        assert_non_null(file);
        fwrite(bytes, 1, i < n ? at : n, file);
        fclose(file);
        bytes[at] ^= i < n ? 0 : 1;
        recover(&w);
        assert_true(exists(&w, "ann/cur/1.mine"));
    }
    put_journal(&w, "11.mine\n");
    recover(&w);
    assert_false(exists(&w, "ann/cur/1.mine"));
    world_close(&w);
}

/* While another process has the mailbox locked, its journal is its own: it may yet take it back. */
static void test_left_to_the_lock(void **state)
{
    struct world w;
    struct postern_store other;
    struct postern_mailbox *box = NULL;
    struct postern_snapshot *snapshot = NULL;

    (void)state;
    world_open(&w, "maildir");
    put(&w, "ann/new/1.one", MAIL);
    put(&w, "ann/new/2.two", MAIL);
    assert_int_equal(w.ops->lock(w.box), 0);
    put_journal(&w, "01.one\n");
    assert_int_equal(postern_store_maildir_new(&other, w.dir),
                     0); /* locks as another process does */
    assert_int_equal(other.ops->open(&other, text("ann"), 0, &box), 0);
    assert_int_equal(other.ops->snapshot(box, 0, &snapshot), 0);
    postern_snapshot_unref(&snapshot);
    assert_true(exists(&w, "ann/" JOURNAL));
    assert_true(exists(&w, "ann/new/1.one"));
    w.ops->unlock(w.box);
    assert_int_equal(other.ops->snapshot(box, 0, &snapshot), 0);
    assert_int_equal(snapshot->list.count, 1);
    postern_snapshot_unref(&snapshot);
    assert_false(exists(&w, "ann/" JOURNAL));
    assert_int_equal(w.ops->lock(w.box), 0); /* who only looks keeps no lock */
    other.ops->close(&box);
    postern_store_free(&other);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_carried_out),
        cmocka_unit_test(test_hostile_journals),
        cmocka_unit_test(test_hostile_whole_journals),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_left_to_the_lock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
