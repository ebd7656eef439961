/* SPDX-License-Identifier: MIT */
/* store_victim - what test_crash.py kills: `store_victim OPERATION STORE PATH USER`, STORE maildir
 * or eml. Prints "done" or "error NAME". The operations work on INBOX (messages of UIDs 1 on) and
 * Archive; `list` prints the account, `look` does so with the steps counted from the first one on.
 *
 * A line "box NAME VALIDITY NEXT MODSEQ" for each mailbox, then one "UID FLAGS OCTETS CHECKSUM" for
 * each of its messages. */
#include "base/span.h"
#include <dlfcn.h>
#include <postern/mime.h>
#include <postern/store.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX 1000

static struct postern_store store;
static struct postern_account *account;
static struct postern_mailbox *inbox, *archive;
static uint32_t uids[MAX];
static size_t count;

/* arm - from here on the steps are counted, if preload_fail is there. */
static void arm(void)
{
    void (*fail_arm)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "fail_arm");

    if (fail_arm)
        fail_arm();
}

static int note_uid(void *ctx, const struct postern_message_info *info)
{
    (void)ctx;
    if (count < MAX)
        uids[count++] = info->uid;
    return 0;
}

static int begin(const char *kind, const char *path, const char *user)
{
    const struct postern_store_ops *ops;
    struct postern_status status;
    int r = strcmp(kind, "eml") == 0 ? postern_store_eml_new(&store, path, true)
                                     : postern_store_maildir_new(&store, path);

    if (r < 0)
        return r;
    ops = store.ops;
    r = ops->account_open(&store, postern_span_of(user), 0, &account);
    if (r >= 0)
        r = ops->open(account, SPAN("INBOX"), 0, &inbox);
    if (r >= 0)
        r = ops->refresh(inbox, 0, &status);
    if (r >= 0)
        r = ops->each(inbox, (struct postern_uid_range){1, UINT32_MAX}, 0, note_uid, NULL);
    if (r >= 0 && ops->open(account, SPAN("Archive"), 0, &archive) < 0)
        archive = NULL;
    return r;
}

static int append(size_t messages, size_t lines, uint32_t replaced)
{
    struct postern_new_message what = {
        .flags = POSTERN_FLAG_FLAGGED, .replaced_in = inbox, .replaced = replaced};
    struct postern_delivery *deliveries[3] = {NULL};
    int r = 0;

    for (size_t i = 0; i < messages && !r; i++) {
        r = store.ops->begin(inbox, &what, &deliveries[i]);
        for (size_t line = 0; line < lines && !r; line++)
            r = store.ops->write(deliveries[i],
                                 SPAN("This is one of the lines of the new message.\n"));
    }
    if (!r)
        return store.ops->commit(deliveries, messages, NULL);
    for (size_t i = 0; i < messages; i++)
        store.ops->abort(&deliveries[i]);
    return r;
}

static int flag(void)
{
    struct postern_flags_change change = {.how = POSTERN_FLAGS_ADD,
                                          .flags = POSTERN_FLAG_SEEN | POSTERN_FLAG_ANSWERED};
    int r = store.ops->flags(inbox, uids, count / 2, &change, NULL);

    return r < 0 ? r : 0;
}

static int expunge(void)
{
    size_t kept = 0;
    int r;

    for (size_t i = 0; i < count; i++)
        if (i % 3 != 2)
            uids[kept++] = uids[i];
    r = store.ops->expunge(inbox, uids, kept);
    if (!r)
        store.ops->tidy(inbox);
    return r;
}

/* check_parsed - its parsed form is that of this message: as many octets. */
static int check_parsed(struct postern_mailbox *box, uint32_t uid, uint64_t size)
{
    struct postern_mime_facts facts;
    struct postern_span block;
    int r = store.ops->structure(box, uid, 0, &block);

    if (r < 0)
        return r;
    postern_mime_facts(block, &facts);
    free((char *)(uintptr_t)block.p);
    return facts.size_raw == size ? 0 : POSTERN_E_CORRUPT;
}

/* parse - all messages, and have what was found kept. */
static int parse(void)
{
    struct postern_status status;
    struct postern_span block;
    int r = 0;

    for (size_t i = 0; i < count && !r; i++) {
        r = store.ops->structure(inbox, uids[i], 0, &block);
        if (!r)
            free((char *)(uintptr_t)block.p);
    }
    return r ? r : store.ops->refresh(inbox, 0, &status);
}

static int operate(const char *operation)
{
    const struct postern_store_ops *ops = store.ops;

    if (strcmp(operation, "append") == 0)
        return append(1, 60, 0);
    if (strcmp(operation, "append-set") == 0)
        return append(3, 10, 0);
    if (strcmp(operation, "append-large") == 0)
        return append(1, 5000, 0);
    if (strcmp(operation, "replace") == 0)
        return append(1, 20, uids[3]);
    if (strcmp(operation, "flags") == 0)
        return flag();
    if (strcmp(operation, "expunge") == 0)
        return expunge();
    if (strcmp(operation, "copy") == 0)
        return ops->copy(inbox, uids, 3, archive, false, NULL);
    if (strcmp(operation, "move") == 0)
        return ops->copy(inbox, uids, 3, archive, true, NULL);
    if (strcmp(operation, "annotate") == 0)
        return ops->set_metadata(account, SPAN("Archive"),
                                 &(struct postern_metadata){SPAN("/private/comment"), SPAN("new")},
                                 1);
    if (strcmp(operation, "parse") == 0)
        return parse();
    if (strcmp(operation, "create") == 0)
        return ops->create(account, SPAN("New/Below"), POSTERN_SPECIAL_NONE);
    if (strcmp(operation, "remove") == 0)
        return ops->remove(account, SPAN("Archive"));
    if (strcmp(operation, "rename") == 0)
        return ops->rename(account, SPAN("Archive"), SPAN("Old"));
    return POSTERN_E_USAGE;
}

/* ---- showing --------------------------------------------------------------------------------- */

static int show_box(void *ctx, const struct postern_status *status)
{
    char(*names)[64] = ctx;

    if (!status->exists)
        return 0;
    while (**names)
        names++;
    snprintf(*names, sizeof *names, "%.*s", SPAN_ARG(status->name));
    return 0;
}

struct shown {
    struct postern_message_info all[MAX];
    size_t count;
};

static int take_info(void *ctx, const struct postern_message_info *info)
{
    struct shown *shown = ctx;

    if (shown->count < MAX)
        shown->all[shown->count++] = *info;
    return 0;
}

static bool parses; /* what is shown is parsed as well */

static int show_message(struct postern_mailbox *box, const struct postern_message_info *info)
{
    struct postern_content *content = NULL;
    struct postern_facts facts;
    char bytes[4096];
    uint64_t offset = 0, sum = 0;
    int r = store.ops->message(box, info->uid, 0, &content, &facts);

    if (r < 0)
        return r;
    while ((r = store.ops->read(content, offset, bytes, sizeof bytes)) > 0) {
        for (int i = 0; i < r; i++)
            sum = sum * 31 + (unsigned char)bytes[i];
        offset += (uint64_t)r;
    }
    store.ops->content_close(&content);
    printf("%u %u %llu %llx\n", info->uid, info->flags, (unsigned long long)offset,
           (unsigned long long)sum);
    return parses && !r ? check_parsed(box, info->uid, offset) : r;
}

/* show_annotation - as if it were a message: they are compared alike. */
static int show_annotation(void *ctx, const struct postern_metadata *one)
{
    (void)ctx;
    printf("m%.*s 0 %zu %.*s\n", SPAN_ARG(one->entry), one->value.n, SPAN_ARG(one->value));
    return 0;
}

static int show_messages(const char *name)
{
    static struct shown shown;
    struct postern_mailbox *box = NULL;
    struct postern_status status;
    int r = store.ops->open(account, postern_span_of(name), 0, &box);

    shown.count = 0;
    if (!r)
        r = store.ops->refresh(box, 0, &status);
    if (!r)
        r = store.ops->each(box, (struct postern_uid_range){1, UINT32_MAX}, 0, take_info, &shown);
    if (!r)
        printf("box %s %u %u %llu\n", name, status.uid_validity, status.uid_next,
               (unsigned long long)status.modseq);
    for (size_t i = 0; i < shown.count && !r; i++)
        r = show_message(box, &shown.all[i]);
    if (!r)
        r = store.ops->metadata(account, postern_span_of(name), show_annotation, NULL);
    store.ops->close(&box);
    return r;
}

static int show(void)
{
    static char names[32][64];
    int r = store.ops->list(account, show_box, names);

    for (size_t i = 0; !r && i < 32 && *names[i]; i++)
        r = show_messages(names[i]);
    return r;
}

int main(int argc, char **argv)
{
    bool shows;
    int r;

    if (argc != 5)
        return 2;
    shows = strcmp(argv[1], "list") == 0 || strcmp(argv[1], "look") == 0;
    parses = strcmp(argv[1], "list") == 0;
    if (strcmp(argv[1], "look") == 0)
        arm();
    r = begin(argv[2], argv[3], argv[4]);
    if (!r && !shows) {
        arm();
        r = operate(argv[1]);
        puts(r ? "" : "done");
    }
    if (!r && shows)
        r = show();
    if (r)
        printf("error %s\n", postern_err_name(r));
    fflush(stdout);
    store.ops->close(&archive);
    store.ops->close(&inbox);
    store.ops->account_close(&account);
    postern_store_free(&store);
    return r ? 1 : 0;
}
