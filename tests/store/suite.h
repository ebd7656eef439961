/* SPDX-License-Identifier: MIT */
/* suite - what the store tests share: a store of a kind over a folder of its own, removed at the
 * end. */
#ifndef TESTS_STORE_SUITE_H
#define TESTS_STORE_SUITE_H

#include "cmocka_all.h"

#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <postern/store.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* struct world - a store, its folder, and one mailbox open in it. */
struct world {
    const char *kind;
    char dir[64];
    struct postern_store store;
    const struct postern_store_ops *ops;
    struct postern_mailbox *box; /* of ann */
};

static inline struct postern_span text(const char *s)
{
    return postern_span_of(s);
}

static inline void world_open(struct world *w, const char *kind)
{
    int r;

    *w = (struct world){.kind = kind, .dir = "/tmp/postern-suite-XXXXXX"};
    assert_non_null(mkdtemp(w->dir));
    if (strcmp(kind, "memory") == 0)
        r = postern_store_memory_new(&w->store);
    else if (strcmp(kind, "eml") == 0)
        r = postern_store_eml_new(&w->store, w->dir, true);
    else
        r = postern_store_maildir_new(&w->store, w->dir);
    assert_int_equal(r, 0);
    w->ops = w->store.ops;
    assert_string_equal(w->ops->name, kind);
    assert_int_equal(postern_store_inbox(&w->store, text("ann"), POSTERN_STORE_CREATE, &w->box), 0);
}

static inline int remove_one(const char *path, const struct stat *facts, int type,
                             struct FTW *place)
{
    (void)facts, (void)type, (void)place;
    return remove(path);
}

static inline void world_close(struct world *w)
{
    w->ops->close(&w->box);
    assert_null(w->box);
    postern_store_free(&w->store);
    nftw(w->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* unique_of - the unique-id of a UID. */
static inline void unique_of(struct world *w, uint32_t uid, char *unique_r)
{
    int n = w->ops->unique_id(w->box, uid, unique_r);

    assert_true(n > 0);
    assert_int_equal(strlen(unique_r), n);
}

/* deliver - one message with this content; its unique-id to uid_r, at least POSTERN_UID_MAX + 1
 * bytes, or NULL. */
static inline void deliver(struct world *w, const char *content, char *uid_r)
{
    struct postern_delivery *delivery = NULL;
    uint32_t uid;

    assert_int_equal(w->ops->begin(w->box, NULL, &delivery), 0);
    assert_int_equal(w->ops->write(delivery, text(content)), 0);
    assert_int_equal(w->ops->commit(&delivery, 1, &uid), 0);
    assert_null(delivery);
    if (uid_r)
        unique_of(w, uid, uid_r);
}

static inline struct postern_snapshot *snapshot_of(struct world *w)
{
    struct postern_snapshot *snapshot = NULL;

    assert_int_equal(w->ops->snapshot(w->box, 0, &snapshot), 0);
    return snapshot;
}

static inline struct postern_span uid_at(const struct postern_snapshot *snapshot, size_t i)
{
    const struct postern_entry *entry = &snapshot->list.entries[i];

    return (struct postern_span){snapshot->list.uids + entry->uid_offset, entry->uid_length};
}

static inline bool is(struct postern_span span, const char *expected)
{
    return span.n == strlen(expected) && memcmp(span.p, expected, span.n) == 0;
}

/* count_now - how many messages there are. */
static inline size_t count_now(struct world *w)
{
    struct postern_snapshot *snapshot = snapshot_of(w);
    size_t count = snapshot->list.count;

    postern_snapshot_unref(&snapshot);
    return count;
}

/* assert_content - the message is there and has exactly this content, read in pieces. */
static inline void assert_content(struct world *w, struct postern_span uid, const char *expected)
{
    struct postern_content *content = NULL;
    struct postern_facts facts;
    char bytes[7];
    size_t at = 0;
    int n;

    assert_int_equal(postern_store_message(&w->store, w->box, uid, 0, &content, &facts), 0);
    assert_int_equal(facts.size_raw, strlen(expected));
    while ((n = w->ops->read(content, at, bytes, sizeof bytes)) > 0) {
        assert_true(at + (size_t)n <= strlen(expected));
        assert_memory_equal(bytes, expected + at, (size_t)n);
        at += (size_t)n;
    }
    assert_int_equal(n, 0);
    assert_int_equal(at, strlen(expected));
    w->ops->content_close(&content);
    assert_null(content);
}

/* ---- files behind the store's back --------------------------------------------------------- */

/* put - a file below the store's folder; folders on the way must be there. */
static inline void put(const struct world *w, const char *name, const char *content)
{
    char path[512];
    FILE *out;

    snprintf(path, sizeof path, "%s/%s", w->dir, name);
    out = fopen(path, "w");
    assert_non_null(out);
    assert_true(fputs(content, out) >= 0);
    fclose(out);
}

static inline void move(const struct world *w, const char *from, const char *to)
{
    char old[512], new[512];

    snprintf(old, sizeof old, "%s/%s", w->dir, from);
    snprintf(new, sizeof new, "%s/%s", w->dir, to);
    assert_int_equal(rename(old, new), 0);
}

static inline void drop(const struct world *w, const char *name)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", w->dir, name);
    assert_int_equal(remove(path), 0);
}

static inline bool exists(const struct world *w, const char *name)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", w->dir, name);
    return access(path, F_OK) == 0;
}

#define ONE(kind, test)                                \
    {                                                  \
        kind " " #test, test, NULL, NULL, (void *)kind \
    }

#endif
