/* SPDX-License-Identifier: MIT */
/* visit - what the files of the provider share: a service, and one connection of it. */
#ifndef PROVIDER_VISIT_H
#define PROVIDER_VISIT_H

#include "base/buffer.h"
#include "provider/bans.h"
#include "store/snapshot.h"
#include <postern/provider.h>
#include <pthread.h>

#define SAY_MAX 200
#define READ_BYTES 16384

#define HIDDEN_BYTES 400

struct postern_service {
    struct postern_provider provider;
    struct postern_pop3_options options;
    struct postern_imap_options imap;
    char hidden[HIDDEN_BYTES]; /* imap.hidden points here */
    struct bans *bans;         /* NULL: none, or the application's own */
};

/* struct body - an open message. Several, since pieces of one may wait while the next is asked for.
 */
struct body {
    struct body *next;
    uint64_t id;
    struct postern_body content;
};

/* struct late - the door through which another thread answers. Behind its lock. */
struct late {
    pthread_mutex_t lock;
    uint64_t open; /* the token's id that may answer; 0: none */
    bool here;     /* the answer came and is not yet taken in */
    int result;
    bool changed; /* postern_visit_changed() was called */
};

/* struct reading - what of a body is read, and who takes it. octets are lent for the call. */
struct reading {
    const struct body *body;
    uint64_t offset;
    size_t length;
    void (*took)(struct postern_visit *v, int err, struct postern_span octets);
};

struct imap_side;

/* The question that is open, and where its callback writes. One at a time, as the engine asks. */
struct postern_visit {
    struct postern_service *service;
    struct postern_pop3 *engine; /* one of the two */
    struct imap_side *imap;
    struct postern_visit_options host; /* peer points to address, or is NULL */
    struct sockaddr_storage address;
    void *data;
    postern_time now;
    uint64_t serial, bodies_last;
    struct late late;
    struct postern_pop3_question question;
    void (*finish)(struct postern_visit *v, int result); /* takes the result of the callback in */
    char said[SAY_MAX];
    size_t said_n;
    bool say_given;
    /* where callbacks write */
    struct postern_login login;
    struct postern_span span;
    struct postern_pop3_keys keys;
    struct postern_listing listing;
    uint64_t size;
    struct body *opening;
    struct postern_pop3_reply reply;
    struct postern_span *uids;
    uint32_t *inbox_uids;
    struct postern_letters letters;
    uint32_t last_uid;  /* that was shown */
    struct buffer user; /* whose mailboxes these are: IMAP, and POP3 out of IMAP's callbacks */
    char *read_bytes;
    struct reading reading;
    /* the listing under way: which entries have no size yet */
    uint32_t *unsized;
    size_t unsized_n, unsized_room, unsized_at;
    /* the mailbox */
    struct postern_snapshot *seen; /* the list lent to the engine; asleep, what the client knows */
    bool locked;                   /* list() succeeded, released() was not told */
    struct body *bodies;
    /* logins */
    bool proof_due; /* of SCRAM and APOP only the engine knows how they end: no OPEN, no success */
    bool ever_in, failed;
};

/* visit_ask - begin a question to the application: the token to pass to the callback. */
struct postern_token visit_ask(struct postern_visit *v,
                               void (*finish)(struct postern_visit *, int));
/* visit_settled - the callback returned, not POSTERN_LATER: its token is used up. */
void visit_settled(struct postern_visit *v);
/* visit_result - the callback returned: take the result in, unless it is POSTERN_LATER. */
void visit_result(struct postern_visit *v, int result);
/* visit_take_late - take in the result that postern_answer() left; whether there was one. */
bool visit_take_late(struct postern_visit *v);
/* visit_text - what postern_say() left, or absent. */
struct postern_span visit_text(const struct postern_visit *v);
/* visit_verdict - a callback's result as a verdict; visit_err - as an error, or 0. */
enum postern_verdict visit_verdict(int result);
int visit_err(int result);

/* one per kind of question */
void visit_connect(struct postern_visit *v);
void visit_authenticate(struct postern_visit *v);
void visit_lookup(struct postern_visit *v);
void visit_open(struct postern_visit *v);
void visit_find(struct postern_visit *v);
void visit_message(struct postern_visit *v);
void visit_read(struct postern_visit *v);
void visit_expunge(struct postern_visit *v);
void visit_command(struct postern_visit *v);

/* body_open - a callback is to fill in v->opening->content: NULL: out of memory. body_opened - it
 * did, or not: the body, kept until visit_body_done(), or NULL and *err_r. */
struct postern_body *body_open(struct postern_visit *v);
const struct body *body_opened(struct postern_visit *v, int result, int *err_r);
const struct body *body_of(const struct postern_visit *v, uint64_t id);
/* body_read - v->reading, now or later. */
void body_read(struct postern_visit *v);

/* visit_proof_failed - the lookup that was not followed by an OPEN counts as a failed login. */
void visit_proof_failed(struct postern_visit *v);
/* visit_inbox.c: POP3 out of IMAP's callbacks, each as the callback of that name. */
static inline bool visit_deletes(const struct postern_provider *provider)
{
    return provider->list ? provider->delete_set != NULL : provider->expunge != NULL;
}
void visit_letters_begin(struct postern_visit *v);
int visit_inbox_add(struct postern_visit *v, const struct postern_letter *letter);
int visit_inbox_list(struct postern_visit *v, struct postern_token token, struct postern_span user);
int visit_inbox_fetch(struct postern_visit *v, struct postern_token token,
                      struct postern_span unique, struct postern_body *body_r);
int visit_inbox_delete(struct postern_visit *v, struct postern_token token,
                       const struct postern_span *uniques, size_t count);

/* visit_body_done - close the body of this number; visit_bodies_done - all. */
void visit_body_done(struct postern_visit *v, uint64_t id);
void visit_bodies_done(struct postern_visit *v);
/* visit_listing_end - forget a listing that was not finished. */
void visit_listing_end(struct postern_visit *v);
/* visit_release - the mailbox may be unlocked; its list stays, to tell on waking what is new. */
void visit_release(struct postern_visit *v);

#endif
