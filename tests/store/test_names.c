/* SPDX-License-Identifier: MIT */
/* test_names - 10,000 hostile names of mailboxes: each is refused, the same by every store, or
 * becomes a folder directly in the account and is the same name again when that is listed. */
#include "suite.h"

#include <dirent.h>

#define NAMES 10000
#define MADE 400 /* of them are really made */

static const char *const pieces[] = {"..",
                                     ".",
                                     "/",
                                     "//",
                                     "\\",
                                     "&",
                                     "&-",
                                     "&AC8-",
                                     "&AC4-",
                                     "cur",
                                     "new",
                                     "tmp",
                                     "INBOX",
                                     "inbox",
                                     "postern",
                                     "~",
                                     "%00",
                                     "%2f",
                                     "\n",
                                     "\r",
                                     "\x1b",
                                     "\x7f",
                                     "\xc3\xbc",
                                     "\xe2\x80\xae",
                                     "\xf0\x9f\x93\xac",
                                     "\xc0\xaf",
                                     "\xff",
                                     "\xed\xa0\x80",
                                     " ",
                                     "*",
                                     "%",
                                     "\"",
                                     "a",
                                     "B",
                                     "trash.1",
                                     "maildirfolder",
                                     ":2,S",
                                     "|",
                                     "$(x)",
                                     ";",
                                     "-"};
#define PIECES (sizeof pieces / sizeof *pieces)

static size_t make_name(unsigned *seed, char *out, size_t size)
{
    size_t n = 0;

    for (unsigned i = 1 + (unsigned)rand_r(seed) % 6; i; i--) {
        const char *piece = pieces[(unsigned)rand_r(seed) % PIECES];
        unsigned times = (unsigned)rand_r(seed) % 50 == 0 ? 60 : 1;

        for (; times && n + strlen(piece) < size; times--) {
            memcpy(out + n, piece, strlen(piece));
            n += strlen(piece);
        }
    }
    return n;
}

struct names {
    char (*all)[1001];
    size_t count;
};

static int take_name(void *ctx, const struct postern_status *status)
{
    struct names *names = ctx;

    if (status->exists && names->count < 8 * MADE) {
        memcpy(names->all[names->count], status->name.p, status->name.n);
        names->all[names->count++][status->name.n] = '\0';
    }
    return 0;
}

static void list(struct postern_store *store, struct postern_account *account, struct names *names)
{
    names->all = calloc(8 * MADE, sizeof *names->all);
    names->count = 0;
    assert_non_null(names->all);
    assert_int_equal(store->ops->list(account, take_name, names), 0);
}

/* check_folders - all that is in the account is what belongs there. */
static void check_folders(const struct world *w, size_t mailboxes)
{
    char path[200];
    struct dirent *entry;
    size_t found = 1; /* INBOX */
    DIR *dir;

    snprintf(path, sizeof path, "%s/ann", w->dir);
    dir = opendir(path);
    assert_non_null(dir);
    while ((entry = readdir(dir))) {
        const char *name = entry->d_name;

        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "cur") == 0 ||
            strcmp(name, "new") == 0 || strcmp(name, "tmp") == 0 || strcmp(name, "postern") == 0)
            continue;
        assert_int_equal(name[0], '.');
        assert_int_not_equal(name[1], '.');
        assert_int_equal(entry->d_type, DT_DIR);
        found++;
    }
    closedir(dir);
    assert_int_equal(found, mailboxes);
    dir = opendir(w->dir);
    assert_non_null(dir);
    for (found = 0; readdir(dir);)
        found++;
    closedir(dir);
    assert_int_equal(found, 3); /* ".", "..", "ann" */
}

static void test_hostile(void **state)
{
    struct world w, model;
    struct postern_account *account = NULL, *other = NULL;
    struct names names, again;
    unsigned seed = 11, made = 0;
    char name[1200];

    (void)state;
    world_open(&w, "maildir");
    world_open(&model, "memory");
    assert_int_equal(w.ops->account_open(&w.store, text("ann"), 0, &account), 0);
    assert_int_equal(model.ops->account_open(&model.store, text("ann"), 0, &other), 0);
    for (unsigned i = 0; i < NAMES; i++) {
        size_t n = make_name(&seed, name, sizeof name);
        struct postern_span span = {name, n};
        struct postern_status status;
        int r;

        if (made >= MADE) {
            r = w.ops->status(account, span, 0, &status);
            assert_true(r == 0 || r == POSTERN_E_NOT_FOUND || r == POSTERN_E_SYNTAX ||
                        r == POSTERN_E_TOO_LONG);
            continue;
        }
        r = w.ops->create(account, span, POSTERN_SPECIAL_NONE);
        if (r == POSTERN_E_TOO_LONG)
            continue; /* a folder's name has fewer octets than a mailbox's */
        assert_int_equal(r, model.ops->create(other, span, POSTERN_SPECIAL_NONE));
        assert_true(r == 0 || r == POSTERN_E_SYNTAX || r == POSTERN_E_EXISTS);
        made += r == 0;
    }
    list(&w.store, account, &names);
    check_folders(&w, names.count);
    w.ops->account_close(&account);
    w.ops->close(&w.box);
    postern_store_free(&w.store);
    assert_int_equal(postern_store_maildir_new(&w.store, w.dir), 0);
    assert_int_equal(postern_store_inbox(&w.store, text("ann"), 0, &w.box), 0);
    assert_int_equal(w.ops->account_open(&w.store, text("ann"), 0, &account), 0);
    list(&w.store, account, &again);
    assert_int_equal(again.count, names.count);
    for (size_t i = 0; i < names.count; i++)
        assert_string_equal(again.all[i], names.all[i]);
    free(names.all);
    free(again.all);
    w.ops->account_close(&account);
    model.ops->account_close(&other);
    world_close(&w);
    world_close(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hostile)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
