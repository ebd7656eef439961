/* SPDX-License-Identifier: MIT */
/* test_neighbours - other programs at work in the same folders. One delivers, flags, moves and
 * removes by hand, as an MTA and mutt do: no message that stays may vanish, none gets another UID.
 * One is a foe, who has an account of his own and swaps its files and folders for links to where he
 * may not look: nothing of that is ever read, written or removed. NEIGHBOUR_SECONDS: how long (60).
 */
#include "checker.h"
#include "suite.h"

#include <dirent.h>
#include <stdatomic.h>

#define MAIL "Subject: ours\n\nbody\n"
#define SECRET "Subject: SECRET\n\nnobody may read this\n"
#define KEPT 60
#define UIDS_MOST 65536

struct neighbour {
    const struct world *w;
    atomic_bool stop;
    unsigned seed, delivered;
};

static unsigned chance(struct neighbour *n, unsigned of)
{
    return (unsigned)rand_r(&n->seed) % of;
}

static int seconds(void)
{
    const char *text = getenv("NEIGHBOUR_SECONDS");

    return text ? (int)strtol(text, NULL, 10) : 60;
}

/* a_file - some file of a folder of the account; false when it has none. */
static bool a_file(struct neighbour *n, const char *folder, char *name)
{
    char path[200];
    struct dirent *entry;
    unsigned seen = 0;
    DIR *dir;

    snprintf(path, sizeof path, "%s/%s", n->w->dir, folder);
    dir = opendir(path);
    if (!dir)
        return false;
    while ((entry = readdir(dir)))
        if (entry->d_name[0] != '.' && chance(n, ++seen) == 0)
            snprintf(name, 200, "%.199s", entry->d_name);
    closedir(dir);
    return seen > 0;
}

static void deliver_by_hand(struct neighbour *n)
{
    char from[300], to[300];
    FILE *out;

    snprintf(from, sizeof from, "%s/ann/tmp/1700001000.%u.go", n->w->dir, ++n->delivered);
    snprintf(to, sizeof to, "%s/ann/new/1700001000.%u.go", n->w->dir, n->delivered);
    out = fopen(from, "w");
    assert_non_null(out);
    fprintf(out, "Subject: %u\n\nby hand\n", n->delivered);
    fclose(out);
    rename(from, to);
}

/* flag_by_hand - out of new, or to other flags. */
static void flag_by_hand(struct neighbour *n)
{
    const char *folder = chance(n, 2) ? "ann/new" : "ann/cur";
    char name[200], from[512], to[512];

    if (!a_file(n, folder, name))
        return;
    snprintf(from, sizeof from, "%s/%s/%s", n->w->dir, folder, name);
    name[strcspn(name, ":")] = '\0';
    snprintf(to, sizeof to, "%s/ann/cur/%s:2,%s%s%s", n->w->dir, name, chance(n, 2) ? "F" : "",
             chance(n, 2) ? "R" : "", chance(n, 2) ? "S" : "");
    rename(from, to);
}

static void remove_by_hand(struct neighbour *n)
{
    const char *folder = chance(n, 2) ? "ann/new" : "ann/cur";
    char name[200], path[512];

    if (!a_file(n, folder, name) || strstr(name, "keep"))
        return;
    snprintf(path, sizeof path, "%s/%s/%s", n->w->dir, folder, name);
    unlink(path);
}

static void *by_hand(void *arg)
{
    struct neighbour *n = arg;

    while (!n->stop) {
        unsigned what = chance(n, 10);

        if (what < 2)
            deliver_by_hand(n);
        else if (what < 4)
            remove_by_hand(n);
        else
            flag_by_hand(n);
        usleep(200 + chance(n, 3000));
    }
    return NULL;
}

/* swap - the file or folder for a link to `to`, and back. */
static void swap(struct neighbour *n, const char *path, const char *to)
{
    char aside[512];

    snprintf(aside, sizeof aside, "%s.aside", path);
    if (rename(path, aside) < 0)
        return;
    if (symlink(to, path) == 0) {
        usleep(chance(n, 400));
        unlink(path);
    }
    rename(aside, path);
}

static void *foe(void *arg)
{
    struct neighbour *n = arg;
    static const char *const folders[] = {"eve/new", "eve/cur", "eve/tmp", "eve/.Sub",
                                          "eve/.Sub/cur"};
    char path[300], to[300], name[200];

    while (!n->stop) {
        if (chance(n, 2)) {
            snprintf(path, sizeof path, "%s/%s", n->w->dir, folders[chance(n, 5)]);
            snprintf(to, sizeof to, "%s/outside", n->w->dir);
            swap(n, path, to);
        } else if (a_file(n, "eve/new", name)) {
            snprintf(path, sizeof path, "%s/eve/new/%.200s", n->w->dir, name);
            snprintf(to, sizeof to, "%s/outside/1.secret", n->w->dir);
            swap(n, path, to);
        }
    }
    return NULL;
}

/* ---- we -------------------------------------------------------------------------------------- */

struct kept {
    uint32_t uids[KEPT];
    unsigned count;
};

/* struct uids - of all that are there. */
struct uids {
    uint32_t all[UIDS_MOST];
    unsigned count;
};

static int note_uid(void *ctx, const struct postern_message_info *info)
{
    struct uids *uids = ctx;

    assert_true(uids->count < UIDS_MOST);
    uids->all[uids->count++] = info->uid;
    return 0;
}

static void find_kept(struct world *w, struct kept *kept, uint32_t uid)
{
    char unique[POSTERN_UID_MAX + 1];
    int n = w->ops->unique_id(w->box, uid, unique);
    unsigned long long number;

    if (n < 16 || strcmp(unique + n - 4, "keep") != 0)
        return;
    number = strtoull(unique + 11, NULL, 10);
    assert_true(number < KEPT);
    if (kept->uids[number] && kept->uids[number] != uid)
        fail_msg("message %llu was UID %u and is %u", number, kept->uids[number], uid);
    kept->uids[number] = uid;
    kept->count++;
}

static void look_for_kept(struct world *w, struct kept *kept)
{
    struct postern_status status;
    struct uids uids = {.count = 0};

    kept->count = 0;
    assert_int_equal(w->ops->refresh(w->box, 0, &status), 0);
    assert_int_equal(
        w->ops->each(w->box, (struct postern_uid_range){1, UINT32_MAX}, 0, note_uid, &uids), 0);
    for (unsigned i = 0; i < uids.count; i++)
        find_kept(w, kept, uids.all[i]);
    if (kept->count != KEPT)
        fail_msg("%u of %u that stay are there", kept->count, KEPT);
}

/* work - what a session of ours does: something is delivered, flagged, expunged. */
static void work(struct world *w, struct neighbour *n)
{
    struct postern_flags_change change = {.how = chance(n, 3), .flags = chance(n, 32)};
    uint32_t uid = 0;

    assert_int_equal(postern_store_deliver(&w->store, w->box, text(MAIL), &uid), 0);
    assert_true(w->ops->flags(w->box, &uid, 1, &change, NULL) >= 0);
    if (chance(n, 4))
        assert_int_equal(w->ops->expunge(w->box, &uid, 1), 0);
    if (chance(n, 8) == 0)
        w->ops->tidy(w->box);
}

static void test_by_hand(void **state)
{
    struct world w;
    struct neighbour n = {.w = &w, .seed = 1}, we = {.seed = 2};
    struct checker *checker = checker_new();
    struct kept kept = {0};
    time_t end = time(NULL) + seconds() / 2;
    pthread_t thread;
    char name[64];
    const char *bad = NULL;

    (void)state;
    world_open(&w, "maildir");
    for (unsigned i = 0; i < KEPT; i++) {
        snprintf(name, sizeof name, "ann/%s/1700000000.%u.keep", i % 2 ? "new" : "cur", i);
        put(&w, name, "Subject: stays\n\nbody\n");
    }
    look_for_kept(&w, &kept);
    pthread_create(&thread, NULL, by_hand, &n);
    while (!bad && time(NULL) < end) {
        work(&w, &we);
        look_for_kept(&w, &kept);
        bad = checker_look(checker, &w.store, text("ann"));
    }
    n.stop = true;
    pthread_join(thread, NULL);
    if (bad)
        fail_msg("%s", bad);
    look_for_kept(&w, &kept);
    checker_free(checker);
    world_close(&w);
}

static int read_one(void *ctx, const struct postern_message_info *info)
{
    uint32_t *uids = ctx;

    if (uids[0] < 200)
        uids[++uids[0]] = info->uid;
    return 0;
}

/* read_all - nothing of it is the secret. */
static void read_all(struct world *w, struct postern_mailbox *box)
{
    uint32_t uids[201] = {0};

    w->ops->each(box, (struct postern_uid_range){1, UINT32_MAX}, 0, read_one, uids);
    for (uint32_t i = 1; i <= uids[0]; i++) {
        struct postern_content *content = NULL;
        struct postern_facts facts;
        char bytes[200];
        int n;

        if (w->ops->message(box, uids[i], 0, &content, &facts) != 0)
            continue;
        n = w->ops->read(content, 0, bytes, sizeof bytes);
        assert_true(n >= 0);
        assert_null(memmem(bytes, (size_t)n, "SECRET", 6));
        w->ops->content_close(&content);
    }
}

static size_t files_in(const struct world *w, const char *folder)
{
    char path[200];
    size_t count = 0;
    DIR *dir;

    snprintf(path, sizeof path, "%s/%s", w->dir, folder);
    dir = opendir(path);
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

/* Whatever he does, calls may fail; but none goes astray. */
static void test_foe(void **state)
{
    struct world w;
    struct neighbour n = {.w = &w, .seed = 3}, we = {.seed = 4};
    struct postern_mailbox *eve = NULL, *sub = NULL;
    struct postern_account *account = NULL;
    time_t end = time(NULL) + seconds() / 2;
    size_t outside;
    pthread_t thread;
    char path[200];

    (void)state;
    world_open(&w, "maildir");
    snprintf(path, sizeof path, "%s/outside", w.dir);
    assert_int_equal(mkdir(path, 0700), 0);
    put(&w, "outside/1.secret", SECRET);
    put(&w, "outside/2.secret", SECRET);
    outside = files_in(&w, "outside");
    assert_int_equal(w.ops->account_open(&w.store, text("eve"), POSTERN_STORE_CREATE, &account), 0);
    assert_int_equal(w.ops->open(account, text("INBOX"), 0, &eve), 0);
    assert_int_equal(w.ops->open(account, text("Sub"), POSTERN_STORE_CREATE, &sub), 0);
    for (unsigned i = 0; i < 5; i++)
        (void)postern_store_deliver(&w.store, eve, text(MAIL), NULL);
    pthread_create(&thread, NULL, foe, &n);
    while (time(NULL) < end) {
        struct postern_flags_change change = {.flags = chance(&we, 32)};
        uint32_t uid = 1 + chance(&we, 20);
        struct postern_status status;

        (void)w.ops->refresh(chance(&we, 2) ? eve : sub, 0, &status);
        read_all(&w, eve);
        read_all(&w, sub);
        (void)postern_store_deliver(&w.store, chance(&we, 2) ? eve : sub, text(MAIL), NULL);
        (void)w.ops->flags(eve, &uid, 1, &change, NULL);
        (void)w.ops->expunge(chance(&we, 2) ? eve : sub, &uid, 1);
        w.ops->tidy(eve);
        assert_int_equal(files_in(&w, "outside"), outside);
    }
    n.stop = true;
    pthread_join(thread, NULL);
    assert_int_equal(files_in(&w, "outside"), outside);
    w.ops->close(&eve);
    w.ops->close(&sub);
    w.ops->account_close(&account);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_by_hand), cmocka_unit_test(test_foe)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
