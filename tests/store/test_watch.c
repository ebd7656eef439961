/* SPDX-License-Identifier: MIT */
/* test_watch - news of a mailbox and of all of an account, from this process and from others, over
 * each of the stores. */
#include "suite.h"

#include <dirent.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

#define MAIL "Subject: x\n\n.dot\nend\n"

/* struct ear - one who waits: what he watches makes his descriptor readable. */
struct ear {
    int fd;
    atomic_uint rings;
};

static void ear_ring(void *arg)
{
    struct ear *ear = arg;
    uint64_t one = 1;
    ssize_t n;

    atomic_fetch_add(&ear->rings, 1);
    n = write(ear->fd, &one, sizeof one);
    (void)n; /* full: it is readable as it is */
}

static struct postern_bell bell_of(struct ear *ear)
{
    *ear = (struct ear){.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    assert_true(ear->fd >= 0);
    return (struct postern_bell){ear_ring, ear};
}

/* hears - within so many milliseconds; what rang so far is heard. */
static bool hears(struct ear *ear, int milliseconds)
{
    struct pollfd polled = {.fd = ear->fd, .events = POLLIN};
    uint64_t count;

    return poll(&polled, 1, milliseconds) == 1 && read(ear->fd, &count, sizeof count) > 0;
}

static void test_watch(void **state)
{
    struct postern_watch *watch = NULL;
    struct postern_bell bell;
    struct world w;
    struct ear ear;

    world_open(&w, *state);
    bell = bell_of(&ear);
    assert_int_equal(w.ops->watch(w.box, &bell, &watch), 0);
    assert_false(hears(&ear, 0));
    deliver(&w, MAIL, NULL); /* before he waits */
    assert_true(hears(&ear, 10000));
    assert_false(w.ops->watch_has_lost(watch));
    w.ops->unwatch(&watch);
    assert_null(watch);
    w.ops->unwatch(&watch);
    while (hears(&ear, 0))
        continue;
    deliver(&w, MAIL, NULL);
    assert_false(hears(&ear, 100));
    close(ear.fd);
    world_close(&w);
}

/* The other session's news come to the one that waits, also a deletion. */
static void test_watch_other(void **state)
{
    struct postern_mailbox *other = NULL;
    struct postern_watch *watch = NULL;
    struct postern_bell bell;
    struct postern_span span;
    char uid[POSTERN_UID_MAX + 1];
    struct world w;
    struct ear ear;

    world_open(&w, *state);
    deliver(&w, MAIL, uid);
    span = text(uid);
    assert_int_equal(postern_store_inbox(&w.store, text("ann"), 0, &other), 0);
    bell = bell_of(&ear);
    assert_int_equal(w.ops->watch(other, &bell, &watch), 0);
    assert_int_equal(postern_store_expunge(&w.store, w.box, &span, 1), 0);
    assert_true(hears(&ear, 10000));
    w.ops->unwatch(&watch);
    w.ops->close(&other);
    close(ear.fd);
    world_close(&w);
}

static size_t count_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    size_t count = 0;

    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

/* Many wait for one mailbox, and each hears of it; what they need are no descriptors. */
static void test_watch_many(void **state)
{
    enum { MANY = 100 };
    struct postern_mailbox *boxes[MANY] = {0};
    struct postern_watch *watches[MANY] = {0}, *first = NULL;
    struct ear ears[MANY], ear;
    struct postern_bell bell;
    struct world w;
    size_t before;

    world_open(&w, *state);
    bell = bell_of(&ear);
    assert_int_equal(w.ops->watch(w.box, &bell, &first),
                     0); /* the store may want some of its own */
    before = count_descriptors();
    for (size_t i = 0; i < MANY; i++) {
        ears[i] = (struct ear){.fd = ear.fd};
        bell.arg = &ears[i];
        assert_int_equal(postern_store_inbox(&w.store, text("ann"), 0, &boxes[i]), 0);
        assert_int_equal(w.ops->watch(boxes[i], &bell, &watches[i]), 0);
    }
    assert_int_equal(count_descriptors(), before);
    deliver(&w, MAIL, NULL);
    for (size_t i = 0; i < MANY; i++) /* each is told before the call is over */
        assert_true(atomic_load(&ears[i].rings) > 0);
    for (size_t i = 0; i < MANY; i++) {
        w.ops->unwatch(&watches[i]);
        w.ops->close(&boxes[i]);
    }
    w.ops->unwatch(&first);
    close(ear.fd);
    world_close(&w);
}

/* hears_foreign - another program puts a message there, once all before it is known; is that heard
 * within so many milliseconds? */
static bool hears_foreign(struct world *w, struct ear *ear, const char *name, int milliseconds)
{
    char path[64];

    do
        (void)count_now(w);
    while (hears(ear, 100));
    snprintf(path, sizeof path, strcmp(w->kind, "eml") == 0 ? "ann/%s.eml" : "ann/new/%s", name);
    put(w, path, MAIL);
    return hears(ear, milliseconds);
}

/* What others put there is heard of as long as one still listens, to the mailbox or to all. */
static void test_watch_foreign(void **state)
{
    struct postern_watch *watch = NULL, *second = NULL, *all = NULL;
    struct postern_account *account = NULL;
    struct postern_bell bell;
    struct world w;
    struct ear ear;

    if (strcmp(*state, "memory") == 0)
        return; /* there are no others */
    world_open(&w, *state);
    bell = bell_of(&ear);
    assert_int_equal(w.ops->account_open(&w.store, text("ann"), 0, &account), 0);
    assert_int_equal(w.ops->watch(w.box, &bell, &watch), 0);
    assert_int_equal(w.ops->watch(w.box, &bell, &second), 0);
    assert_int_equal(w.ops->watch_all(account, &bell, &all), 0);
    assert_true(hears_foreign(&w, &ear, "1", 10000));
    w.ops->unwatch(&all);
    assert_true(hears_foreign(&w, &ear, "2", 10000));
    w.ops->unwatch(&watch);
    assert_true(hears_foreign(&w, &ear, "3", 10000));
    assert_int_equal(w.ops->watch_all(account, &bell, &all), 0);
    w.ops->unwatch(&second);
    assert_true(hears_foreign(&w, &ear, "4", 10000));
    assert_int_equal(count_now(&w), 4);
    w.ops->unwatch(&all);
    assert_false(hears_foreign(&w, &ear, "5", 200));
    w.ops->account_close(&account);
    close(ear.fd);
    world_close(&w);
}

/* What the folder's time does not show, as it came in the same tick, is found by whoever hears. */
static void test_watch_tick(void **state)
{
    bool is_eml = strcmp(*state, "eml") == 0;
    const char *place = is_eml ? "ann" : "ann/new";
    struct postern_watch *watch = NULL;
    struct timespec times[2];
    struct postern_bell bell;
    struct stat facts;
    char path[128];
    struct world w;
    struct ear ear;

    if (strcmp(*state, "memory") == 0)
        return;
    world_open(&w, *state);
    bell = bell_of(&ear);
    assert_int_equal(w.ops->watch(w.box, &bell, &watch), 0);
    assert_true(hears_foreign(&w, &ear, "1", 10000));
    do
        assert_int_equal(count_now(&w), 1);
    while (hears(&ear, 100));
    snprintf(path, sizeof path, "%s/%s", w.dir, place);
    assert_int_equal(stat(path, &facts), 0);
    put(&w, is_eml ? "ann/2.eml" : "ann/new/2", MAIL);
    times[0] = facts.st_atim;
    times[1] = facts.st_mtim;
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_true(hears(&ear, 10000));
    assert_int_equal(count_now(&w), 2);
    w.ops->unwatch(&watch);
    close(ear.fd);
    world_close(&w);
}

static int pass_over(void *ctx, const struct postern_status *status)
{
    (void)ctx, (void)status;
    return 0;
}

/* rings - once for what was done, and not again until something is done. */
static void assert_rings(struct world *w, struct postern_account *account,
                         const struct postern_watch *watch, struct ear *ear)
{
    assert_true(hears(ear, 10000));
    for (unsigned i = 0; i < 50; i++) { /* looking settles down */
        assert_false(w->ops->watch_has_lost(watch));
        assert_int_equal(w->ops->list(account, pass_over, NULL), 0);
        if (!hears(ear, 100))
            return;
    }
    fail();
}

/* Whoever watches all of an account hears of each mailbox, also of one that was made later. */
static void test_watch_all(void **state)
{
    static const struct postern_metadata note = {{"/private/comment", 16}, {"x", 1}};
    struct postern_account *account = NULL, *other = NULL;
    struct postern_watch *watch = NULL, *second = NULL;
    struct postern_mailbox *box = NULL;
    struct postern_bell bell, bell2;
    struct ear ear, ear2;
    struct world w;

    world_open(&w, *state);
    bell = bell_of(&ear);
    bell2 = bell_of(&ear2);
    assert_int_equal(w.ops->account_open(&w.store, text("ann"), 0, &account), 0);
    assert_int_equal(w.ops->watch_all(account, &bell, &watch), 0);
    assert_int_equal(w.ops->account_open(&w.store, text("ann"), 0, &other), 0);
    assert_int_equal(w.ops->watch_all(other, &bell2, &second), 0);
    assert_int_equal(w.ops->list(account, pass_over, NULL), 0);
    deliver(&w, MAIL, NULL);
    assert_rings(&w, account, watch, &ear);
    assert_true(hears(&ear2, 0));
    assert_int_equal(w.ops->subscribe(account, text("INBOX"), true), 0);
    assert_rings(&w, account, watch, &ear);
    assert_int_equal(w.ops->set_metadata(account, text("INBOX"), &note, 1), 0);
    assert_rings(&w, account, watch, &ear);
    if (strcmp(w.ops->name, "eml") != 0) {
        assert_int_equal(w.ops->create(account, text("a"), POSTERN_SPECIAL_NONE), 0);
        assert_rings(&w, account, watch, &ear);
        assert_int_equal(w.ops->open(account, text("a"), 0, &box), 0);
        assert_int_equal(postern_store_deliver(&w.store, box, text(MAIL), NULL), 0);
        assert_rings(&w, account, watch, &ear);
        assert_int_equal(w.ops->rename(account, text("a"), text("b")), 0);
        assert_rings(&w, account, watch, &ear);
        assert_int_equal(postern_store_deliver(&w.store, box, text(MAIL), NULL), 0);
        assert_rings(&w, account, watch, &ear);
        w.ops->close(&box);
        assert_int_equal(w.ops->remove(account, text("b")), 0);
        assert_rings(&w, account, watch, &ear);
    }
    w.ops->unwatch(&second);
    w.ops->account_close(&other);
    while (hears(&ear2, 0))
        continue;
    deliver(&w, MAIL, NULL);
    assert_rings(&w, account, watch, &ear);
    assert_false(hears(&ear2, 0));
    w.ops->unwatch(&watch);
    w.ops->account_close(&account);
    close(ear.fd);
    close(ear2.fd);
    world_close(&w);
}

/* deliver_many - 20 messages for ann, each by a mailbox of its own. */
static void *deliver_many(void *arg)
{
    struct world *w = arg;
    struct postern_mailbox *box = NULL;

    for (int i = 0; i < 20; i++) {
        if (postern_store_inbox(&w->store, text("ann"), 0, &box) < 0 ||
            postern_store_deliver(&w->store, box, text(MAIL), NULL) < 0)
            return w; /* anything but NULL */
        w->ops->close(&box);
    }
    return NULL;
}

/* No ring is lost while another thread delivers: whoever looks after each one sees all. */
static void test_watch_thread(void **state)
{
    struct postern_watch *watch = NULL;
    struct postern_bell bell;
    pthread_t thread;
    struct world w;
    struct ear ear;
    void *result = NULL;

    world_open(&w, *state);
    bell = bell_of(&ear);
    assert_int_equal(w.ops->watch(w.box, &bell, &watch), 0);
    assert_int_equal(pthread_create(&thread, NULL, deliver_many, &w), 0);
    while (count_now(&w) < 20)
        assert_true(hears(&ear, 30000));
    pthread_join(thread, &result);
    assert_null(result);
    w.ops->unwatch(&watch);
    close(ear.fd);
    world_close(&w);
}

static void mark(void *arg)
{
    *(bool *)arg = true; /* of whoever is gone: a memory checker says so */
}

/* Nobody is rung for who has left, or is leaving, while another thread delivers. */
static void test_watch_end(void **state)
{
    struct postern_account *account = NULL;
    pthread_t thread;
    struct world w;
    void *result = NULL;

    world_open(&w, *state);
    assert_int_equal(w.ops->account_open(&w.store, text("ann"), 0, &account), 0);
    assert_int_equal(pthread_create(&thread, NULL, deliver_many, &w), 0);
    for (unsigned i = 0; count_now(&w) < 20; i++) {
        struct postern_watch *watch = NULL;
        bool *marked = calloc(1, sizeof *marked);
        struct postern_bell bell = {mark, marked};

        assert_non_null(marked);
        assert_int_equal(i % 2 ? w.ops->watch_all(account, &bell, &watch)
                               : w.ops->watch(w.box, &bell, &watch),
                         0);
        w.ops->unwatch(&watch);
        free(marked);
    }
    pthread_join(thread, &result);
    assert_null(result);
    w.ops->account_close(&account);
    world_close(&w);
}

#define OVER(kind)                                                                            \
    ONE(kind, test_watch), ONE(kind, test_watch_other), ONE(kind, test_watch_many),           \
        ONE(kind, test_watch_foreign), ONE(kind, test_watch_tick), ONE(kind, test_watch_all), \
        ONE(kind, test_watch_thread), ONE(kind, test_watch_end)

int main(void)
{
    const struct CMUnitTest tests[] = {OVER("memory"), OVER("eml"), OVER("maildir")};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
