/* SPDX-License-Identifier: MIT */
/* eml-folder FOLDER [PORT] - a POP3 service over a folder of .eml files: the user is "demo", the
 * password "postern". One thread per connection; provider.h does the protocol, store.h the folder.
 */
#include "listen.h"

#include <postern/provider.h>
#include <postern/store.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static struct postern_store folder;
static struct postern_service *service;

static int authenticate(void *ctx, struct postern_token token, const struct postern_login *login,
                        struct postern_span *user_r)
{
    (void)ctx, (void)token, (void)user_r;
    return login->user.n == 4 && !memcmp(login->user.p, "demo", 4) && login->secret.n == 7 &&
                   !memcmp(login->secret.p, "postern", 7)
               ? POSTERN_YES
               : POSTERN_NO_CREDENTIALS;
}

static void released(void *ctx, struct postern_visit *visit)
{
    struct postern_mailbox *mailbox = postern_visit_data(visit);

    (void)ctx;
    folder.ops->close(&mailbox);
}

/* The mailbox is kept with the visit, locked, until released(). */
static int list(void *ctx, struct postern_token token, struct postern_span user,
                struct postern_listing *listing)
{
    struct postern_mailbox *mailbox = NULL;
    struct postern_snapshot *now = NULL;
    int r = postern_store_inbox(&folder, user, 0, &mailbox);

    if (r >= 0)
        r = folder.ops->lock(mailbox);
    if (r >= 0)
        r = folder.ops->snapshot(mailbox, 0, &now);
    for (size_t i = 0; r >= 0 && i < now->list.count; i++) {
        const struct postern_entry *entry = &now->list.entries[i];
        struct postern_span uid = {now->list.uids + entry->uid_offset, entry->uid_length};

        r = postern_listing_add(listing, uid, entry->size_bytes, entry->flags);
    }
    postern_snapshot_unref(&now);
    postern_visit_set_data(token.visit, mailbox);
    if (r < 0)
        released(ctx, token.visit);
    return r;
}

static int retrieve(void *ctx, struct postern_token token, struct postern_span uid,
                    struct postern_body *body_r)
{
    struct postern_content *content = NULL;
    struct postern_facts facts = {0};
    int r =
        postern_store_message(&folder, postern_visit_data(token.visit), uid, 0, &content, &facts);

    (void)ctx;
    if (r >= 0) {
        body_r->size_bytes = facts.size_raw;
        body_r->fd_offset = facts.fd_offset;
        body_r->fd = dup(facts.fd); /* this store's messages are files */
        folder.ops->content_close(&content);
    }
    return r;
}

static int delete_set(void *ctx, struct postern_token token, const struct postern_span *uids,
                      size_t n)
{
    (void)ctx;
    return postern_store_expunge(&folder, postern_visit_data(token.visit), uids, n);
}

static void *serve(void *fd)
{
    if (postern_serve_fd(service, (int)(intptr_t)fd) < 0)
        perror("connection");
    close((int)(intptr_t)fd);
    return NULL;
}

int main(int argc, char **argv)
{
    struct postern_provider provider = {.struct_bytes = sizeof provider,
                                        .authenticate = authenticate,
                                        .list = list,
                                        .refresh = list,
                                        .retrieve = retrieve,
                                        .delete_set = delete_set,
                                        .released = released};
    struct postern_pop3_options options;
    pthread_t thread;
    int listener = listen_local(argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 0);

    POSTERN_POP3_OPTIONS_INIT(&options);
    options.plaintext_without_tls = true; /* on loopback only */
    if (argc < 2 || listener < 0 || postern_store_eml_new(&folder, argv[1], false) < 0 ||
        postern_service_new(&service, &provider, &options) < 0)
        return 1;
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0;)
        if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd) == 0)
            pthread_detach(thread);
    return 1;
}
