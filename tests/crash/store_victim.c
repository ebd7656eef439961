/* SPDX-License-Identifier: MIT */
/* expunge_victim - what test_crash.py kills: STORE is maildir or eml, PATH its folder, USER the
 * mailbox.
 *
 *   expunge STORE PATH USER   delete all but every third message, as one set; "deleted" or "error
 * NAME" recover STORE PATH USER   open and list; steps are counted from the beginning list    STORE
 * PATH USER   (after recovery, if it is due) one line "UID OCTETS CHECKSUM" a message */
#include "base/span.h"
#include <dlfcn.h>
#include <postern/store.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct postern_store store;
static struct postern_mailbox *mailbox;
static struct postern_snapshot *snapshot;

static int fail(const char *what, int err)
{
    printf("error %s %s\n", postern_err_name(err), what);
    return 1;
}

static int begin(const char *kind, const char *path, const char *user)
{
    int r = strcmp(kind, "eml") == 0 ? postern_store_eml_new(&store, path, true)
                                     : postern_store_maildir_new(&store, path);

    if (r >= 0)
        r = store.ops->open(&store, postern_span_of(user), 0, &mailbox);
    if (r >= 0)
        r = store.ops->lock(mailbox);
    if (r >= 0)
        r = store.ops->snapshot(mailbox, 0, &snapshot);
    return r;
}

static struct postern_span uid_of(size_t i)
{
    const struct postern_entry *entry = &snapshot->list.entries[i];

    return span_make(snapshot->list.uids + entry->uid_offset, entry->uid_length);
}

/* arm - from here on the steps are counted, if preload_fail is there. */
static void arm(void)
{
    void (*fail_arm)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "fail_arm");

    if (fail_arm)
        fail_arm();
}

/* is_served - whether a message can still be opened. */
static bool is_served(struct postern_span uid)
{
    struct postern_content *content = NULL;
    struct postern_facts facts;

    if (store.ops->message(mailbox, uid, 0, &content, &facts) < 0)
        return false;
    store.ops->content_close(&content);
    return true;
}

static int expunge(void)
{
    struct postern_span *uids = calloc(snapshot->list.count + 1, sizeof *uids);
    size_t n = 0;
    int r;

    for (size_t i = 0; uids && i < snapshot->list.count; i++)
        if (i % 3 != 2)
            uids[n++] = uid_of(i);
    arm();
    r = uids ? store.ops->expunge(mailbox, uids, n) : POSTERN_E_NOMEM;
    if (r >= 0 && n && (is_served(uids[0]) || is_served(uids[n / 2]) || is_served(uids[n - 1])))
        r = POSTERN_E_CORRUPT; /* deleted, and there all the same */
    free(uids);
    if (r < 0)
        return fail("expunge", r);
    printf("deleted\n");
    return 0;
}

static int list_one(struct postern_span uid)
{
    struct postern_content *content = NULL;
    struct postern_facts facts;
    char bytes[4096];
    uint64_t offset = 0, sum = 0;
    int r = store.ops->message(mailbox, uid, 0, &content, &facts);

    if (r < 0)
        return r;
    while ((r = store.ops->read(content, offset, bytes, sizeof bytes)) > 0) {
        sum = sum * 31 + span_hash(span_make(bytes, (size_t)r));
        offset += (uint64_t)r;
    }
    store.ops->content_close(&content);
    printf("%.*s %llu %llx\n", (int)uid.n, uid.p, (unsigned long long)offset,
           (unsigned long long)sum);
    return r;
}

static int list(void)
{
    int r = 0;

    for (size_t i = 0; r >= 0 && i < snapshot->list.count; i++)
        r = list_one(uid_of(i));
    return r < 0 ? fail("list", r) : 0;
}

int main(int argc, char **argv)
{
    int r;

    if (argc != 5)
        return 2;
    if (strcmp(argv[1], "recover") == 0)
        arm();
    r = begin(argv[2], argv[3], argv[4]);
    r = r < 0 ? fail("open", r) : strcmp(argv[1], "expunge") == 0 ? expunge() : list();
    fflush(stdout);
    postern_snapshot_unref(&snapshot);
    if (mailbox)
        store.ops->close(&mailbox);
    postern_store_free(&store);
    return r;
}
