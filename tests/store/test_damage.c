/* SPDX-License-Identifier: MIT */
/* test_damage - each octet of a small index is changed, and the index is cut off everywhere: the
 * account opens all the same or says clearly that it cannot, and what it shows keeps every promise
 * towards who has seen it before. */
#include "checker.h"
#include "store/index/index.h"
#include "suite.h"

#define MAIL "Subject: x\n\nbody\n"
#define INDEX "/ann/postern/index"

struct account_file {
    char path[128];
    char *bytes;
    size_t n, used; /* used: behind that there are zeros */
};

static void read_index(const struct world *w, struct account_file *file)
{
    FILE *in;
    struct stat facts;

    snprintf(file->path, sizeof file->path, "%s%s", w->dir, INDEX);
    assert_int_equal(stat(file->path, &facts), 0);
    file->n = (size_t)facts.st_size;
    file->bytes = malloc(file->n);
    in = fopen(file->path, "r");
    assert_non_null(in);
    assert_int_equal(fread(file->bytes, 1, file->n, in), file->n);
    fclose(in);
    file->used = file->n;
    while (file->used && !file->bytes[file->used - 1])
        file->used--;
}

/* write_index - as a new file, as a checkpoint would. */
static void write_index(const struct account_file *file, const char *bytes, size_t n)
{
    FILE *out;

    unlink(file->path);
    out = fopen(file->path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, n, out), n);
    fclose(out);
}

static void checkpoint(const struct world *w)
{
    char path[128];
    struct index index;
    int dir;

    snprintf(path, sizeof path, "%s/ann/postern", w->dir);
    dir = open(path, O_RDONLY | O_DIRECTORY);
    assert_true(dir >= 0);
    assert_int_equal(index_open(&index, dir), 0);
    assert_int_equal(index_lock(&index, true), 0);
    assert_int_equal(index_checkpoint(&index), 0);
    index_close(&index);
    close(dir);
}

static void reopen(struct world *w)
{
    w->ops->close(&w->box);
    postern_store_free(&w->store);
    assert_int_equal(postern_store_maildir_new(&w->store, w->dir), 0);
    assert_int_equal(postern_store_inbox(&w->store, text("ann"), 0, &w->box), 0);
}

/* make_account - ours and foreign mail, flags, a keyword, something expunged, another mailbox; half
 * of it in the base of the index and half in its log. */
static void make_account(struct world *w, struct account_file *file)
{
    struct postern_flags_change change = {.how = POSTERN_FLAGS_ADD, .flags = POSTERN_FLAG_SEEN};
    struct postern_account *account = NULL;
    uint32_t uid;

    world_open(w, "maildir");
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(postern_store_deliver(&w->store, w->box, text(MAIL), &uid), 0);
    put(w, "ann/new/1700000001.a", "Subject: foreign\n\n1\n");
    put(w, "ann/cur/1700000002.b:2,F", "Subject: foreign\n\n2\n");
    assert_int_equal(count_now(w), 5);
    uid = 1;
    assert_int_equal(w->ops->flags(w->box, &uid, 1, &change, NULL), 0);
    assert_int_equal(w->ops->account_open(&w->store, text("ann"), 0, &account), 0);
    assert_int_equal(w->ops->create(account, text("Work"), POSTERN_SPECIAL_NONE), 0);
    w->ops->account_close(&account);
    w->ops->close(&w->box);
    postern_store_free(&w->store);
    checkpoint(w);
    assert_int_equal(postern_store_maildir_new(&w->store, w->dir), 0);
    assert_int_equal(postern_store_inbox(&w->store, text("ann"), 0, &w->box), 0);
    uid = 2;
    assert_int_equal(w->ops->expunge(w->box, &uid, 1), 0);
    w->ops->tidy(w->box);
    put(w, "ann/new/1700000003.c", "Subject: foreign\n\n3\n");
    assert_int_equal(count_now(w), 5);
    assert_true(w->ops->keyword(w->box, text("$Forwarded"), true) == 0);
    change.keywords = 1;
    uid = 3;
    assert_int_equal(w->ops->flags(w->box, &uid, 1, &change, NULL), 0);
    assert_int_equal(postern_store_deliver(&w->store, w->box, text(MAIL), NULL), 0);
    reopen(w);
    read_index(w, file);
}

/* look_after - with the index as it was, then with these octets. */
static void look_after(struct world *w, const struct account_file *file, const char *bytes,
                       size_t n, const char *what, size_t at)
{
    struct checker *checker = checker_new();
    const char *bad;

    write_index(file, file->bytes, file->n);
    reopen(w);
    bad = checker_look(checker, &w->store, text("ann"));
    if (bad)
        fail_msg("whole: %s", bad);
    w->ops->close(&w->box);
    postern_store_free(&w->store);
    write_index(file, bytes, n);
    assert_int_equal(postern_store_maildir_new(&w->store, w->dir), 0);
    bad = checker_look(checker, &w->store, text("ann"));
    if (!bad)
        bad = checker_look(checker, &w->store, text("ann"));
    if (bad)
        fail_msg("%s %zu: %s", what, at, bad);
    assert_int_equal(postern_store_inbox(&w->store, text("ann"), 0, &w->box), 0);
    assert_int_equal(count_now(w), 6); /* no mail is lost with an index */
    checker_free(checker);
}

static void test_flips(void **state)
{
    struct account_file file;
    struct world w;
    char *bytes;

    (void)state;
    make_account(&w, &file);
    bytes = malloc(file.n);
    for (size_t at = 0; at < file.used + 40; at++) {
        memcpy(bytes, file.bytes, file.n);
        bytes[at] = (char)(bytes[at] ^ (at % 2 ? 0x01 : 0xff));
        look_after(&w, &file, bytes, file.n, "octet", at);
    }
    free(bytes);
    free(file.bytes);
    world_close(&w);
}

static void test_cuts(void **state)
{
    struct account_file file;
    struct world w;

    (void)state;
    make_account(&w, &file);
    for (size_t n = 0; n < file.n; n += n < file.used + 64 ? 2 : 501)
        look_after(&w, &file, file.bytes, n, "cut at", n);
    free(file.bytes);
    world_close(&w);
}

/* A store that opens while there is no index at all gives the UIDs in the names again, and no other
 * message one that was given. */
static void test_lost(void **state)
{
    struct account_file file;
    struct world w;

    (void)state;
    make_account(&w, &file);
    look_after(&w, &file, "", 0, "lost", 0);
    assert_true(exists(&w, "ann/postern/index.damaged"));
    free(file.bytes);
    world_close(&w);
}

/* A first index so large that it is written anew at once is no damaged one. */
static void test_first(void **state)
{
    struct world w;
    char name[64];

    (void)state;
    world_open(&w, "maildir");
    for (unsigned i = 0; i < 2000; i++) {
        snprintf(name, sizeof name, "ann/new/17000%05u.foreign", i);
        put(&w, name, "Subject: x\n\nx\n");
    }
    assert_int_equal(count_now(&w), 2000);
    assert_false(exists(&w, "ann/postern/index.damaged"));
    reopen(&w);
    assert_int_equal(count_now(&w), 2000);
    world_close(&w);
}

/* Somebody removes the index under an open store: it goes on. */
static void test_removed(void **state)
{
    struct account_file file;
    struct world w;
    struct checker *checker = checker_new();
    const char *bad;

    (void)state;
    make_account(&w, &file);
    assert_null(checker_look(checker, &w.store, text("ann")));
    assert_int_equal(unlink(file.path), 0);
    bad = checker_look(checker, &w.store, text("ann"));
    if (!bad && postern_store_deliver(&w.store, w.box, text(MAIL), NULL) == 0)
        bad = checker_look(checker, &w.store, text("ann"));
    if (bad)
        fail_msg("%s", bad);
    assert_int_equal(count_now(&w), 7);
    reopen(&w);
    assert_int_equal(count_now(&w), 7);
    /* and the folder that it is in */
    assert_int_equal(unlink(file.path), 0);
    *strrchr(file.path, '/') = '\0';
    nftw(file.path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    bad = checker_look(checker, &w.store, text("ann"));
    if (bad)
        fail_msg("%s", bad);
    assert_int_equal(postern_store_deliver(&w.store, w.box, text(MAIL), NULL), 0);
    assert_int_equal(count_now(&w), 8);
    checker_free(checker);
    free(file.bytes);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lost), cmocka_unit_test(test_first),
                                       cmocka_unit_test(test_removed), cmocka_unit_test(test_cuts),
                                       cmocka_unit_test(test_flips)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
