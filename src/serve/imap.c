/* SPDX-License-Identifier: MIT */
/* imap - one IMAP session: its engine, and who answers which of its questions. */
#include "serve/imap_session.h"

#include "base/memory.h"
#include "base/span.h"
#include "serve/compress.h"
#include <stdio.h>
#include <stdlib.h>

/* What was there after a client's octets came will do for all commands in them; so long, at most.
 */
#define LOOK_AGAIN (POSTERN_SECOND / 10)
#define TURN_QUESTIONS 1000 /* answered in one turn of the loop, and messages that are shown */

const struct postern_store_ops *imap_ops(const struct serve_imap *s)
{
    return s->site->store->ops;
}

static const struct imap_work *const works[] = {[POSTERN_IMAP_LOGIN] = &imap_account_work,
                                                [POSTERN_IMAP_LIST] = &imap_list_work,
                                                [POSTERN_IMAP_STATUS] = &imap_status_work,
                                                [POSTERN_IMAP_CREATE] = &imap_create_work,
                                                [POSTERN_IMAP_REMOVE] = &imap_remove_work,
                                                [POSTERN_IMAP_RENAME] = &imap_rename_work,
                                                [POSTERN_IMAP_SUBSCRIBE] = &imap_subscribe_work,
                                                [POSTERN_IMAP_QUOTA] = &imap_quota_work,
                                                [POSTERN_IMAP_SET_QUOTA] = &imap_set_quota_work,
                                                [POSTERN_IMAP_RIGHTS] = &imap_rights_work,
                                                [POSTERN_IMAP_ACL] = &imap_acl_work,
                                                [POSTERN_IMAP_SET_ACL] = &imap_set_acl_work,
                                                [POSTERN_IMAP_METADATA] = &imap_metadata_work,
                                                [POSTERN_IMAP_SET_METADATA] =
                                                    &imap_set_metadata_work,
                                                [POSTERN_IMAP_SELECT] = &imap_select_work,
                                                [POSTERN_IMAP_NEWS] = &imap_news_work,
                                                [POSTERN_IMAP_LOOK] = &imap_look_work,
                                                [POSTERN_IMAP_FIND] = &imap_find_work,
                                                [POSTERN_IMAP_VANISHED] = &imap_vanished_work,
                                                [POSTERN_IMAP_MESSAGES] = &imap_messages_work,
                                                [POSTERN_IMAP_STRUCTURE] = &imap_structure_work,
                                                [POSTERN_IMAP_CONTENT] = &imap_content_work,
                                                [POSTERN_IMAP_READ] = &imap_read_work,
                                                [POSTERN_IMAP_STORE] = &imap_store_work,
                                                [POSTERN_IMAP_COPY] = &imap_copy_work,
                                                [POSTERN_IMAP_EXPUNGE] = &imap_expunge_work,
                                                [POSTERN_IMAP_APPEND] = &imap_append_work,
                                                [POSTERN_IMAP_WRITE] = &imap_write_work,
                                                [POSTERN_IMAP_COMMIT] = &imap_commit_work};

static const struct imap_work *work_of(enum postern_imap_question_kind kind)
{
    return kind < sizeof works / sizeof *works ? works[kind] : NULL;
}

static void session_end(struct serve_imap *s);

static void job_work(void *arg)
{
    struct serve_imap *s = arg;

    s->err = s->working->work(s, 0);
}

static void job_done(void *arg)
{
    struct serve_imap *s = arg;
    const struct imap_work *working = s->working;

    s->working = NULL;
    if (s->dead)
        session_end(s);
    else
        working->finish(s, s->err);
}

void imap_look_again(struct serve_imap *s)
{
    s->looked_at = s->asked_at = 0;
}

/* has_looked - so lately that the news need no other look. */
static bool has_looked(const struct serve_imap *s)
{
    return s->question.kind == POSTERN_IMAP_NEWS && s->looked_at &&
           s->asked_at - s->looked_at < LOOK_AGAIN;
}

void imap_go(struct serve_imap *s)
{
    const struct imap_work *work = work_of(s->question.kind);
    int err = POSTERN_E_AGAIN;

    if (!work) {
        postern_imap_answer_default(s->engine, s->question.id);
        return;
    }
    s->asked_at = s->login.now;
    s->look_flag = has_looked(s) ? POSTERN_STORE_LOOKED : 0;
    if (work->writes && s->site->read_only)
        err = POSTERN_E_READ_ONLY;
    else if (work->tries_now)
        err = work->work(s, POSTERN_STORE_NO_WAIT);
    if (err != POSTERN_E_AGAIN) {
        work->finish(s, err);
        return;
    }
    s->working = work;
    if (s->site->work->run(s->conn, job_work, job_done, s) >= 0)
        return;
    s->working = NULL;
    postern_imap_answer_default(s->engine, s->question.id);
}

static void answer(struct serve_imap *s)
{
    imap_shown_drop(s, s->question.kind);
    switch (s->question.kind) {
    case POSTERN_IMAP_CONNECT:
        postern_imap_answer(s->engine, s->question.id, 0);
        break;
    case POSTERN_IMAP_AUTHENTICATE:
    case POSTERN_IMAP_AUTH_LOOKUP:
        imap_login_ask(s);
        break;
    case POSTERN_IMAP_LOGIN:
        imap_account_ask(s);
        break;
    default:
        imap_go(s);
        break;
    }
}

static void answer_later(void *arg)
{
    answer(arg);
}

void imap_content_close(struct serve_imap *s)
{
    if (s->content)
        imap_ops(s)->content_close(&s->content);
}

void imap_leave(struct serve_imap *s)
{
    if (!s->wants_all)
        imap_unwatch(s);
    imap_content_close(s);
    if (s->mailbox)
        imap_ops(s)->close(&s->mailbox);
    buffer_done(&s->mailbox_owner);
    s->keyword_count = 0;
}

static void log_out(struct serve_imap *s)
{
    login_log(&s->login, "logout", NULL, NULL, NULL, NULL);
    login_out(&s->login);
    imap_leave_other(s);
    imap_leave_guest(s);
    imap_unwatch(s);
    if (s->account)
        imap_ops(s)->account_close(&s->account);
}

static void hear(struct serve_imap *s, enum postern_imap_question_kind kind)
{
    if (kind == POSTERN_IMAP_CONTENT_DONE)
        imap_content_close(s);
    else if (kind == POSTERN_IMAP_ABORT)
        imap_drop_appends(s);
    else if (kind == POSTERN_IMAP_WATCH)
        imap_watch(s);
    else if (kind == POSTERN_IMAP_WATCH_ALL)
        imap_watch_all(s);
    else if (kind == POSTERN_IMAP_UNWATCH)
        imap_unwatch(s);
    else if (kind == POSTERN_IMAP_UNSELECT)
        imap_leave(s);
    else if (kind == POSTERN_IMAP_LOGOUT)
        log_out(s);
}

void imap_session_pump(void *self, postern_time now)
{
    struct serve_imap *s = self;
    struct postern_imap_question question;

    s->login.now = now;
    for (unsigned i = 0; !s->working && postern_imap_next(s->engine, &question) == 1; i++) {
        if (!question.id) {
            hear(s, question.kind);
            continue;
        }
        s->question = question;
        /* a search may ask for very much: then the loop's other sessions have their turn */
        if (i >= TURN_QUESTIONS && *login_user(&s->login) &&
            s->site->work->later(s->conn, 0, answer_later, s) >= 0)
            return;
        s->shown_count = 0;
        answer(s);
        if (!s->working)
            i += (unsigned)s->shown_count;
    }
}

int imap_session_new(void **session_r, const struct serve_site *site, void *conn,
                     struct postern_span peer, const struct postern_tls_facts *tls,
                     bool plaintext_allowed, postern_time now)
{
    struct serve_imap *s = memory_new(NULL, sizeof *s);
    struct postern_imap_options options;
    int r;

    if (!s)
        return POSTERN_E_NOMEM;
    s->site = site;
    s->conn = conn;
    imap_login_init(s, peer, now);
    options = *site->imap;
    options.plaintext_without_tls = plaintext_allowed;
    options.compress_available = true;
    options.has_text_index = site->text_index;
    options.has_field_index = site->store->ops->may_have;
    r = postern_imap_new(&s->engine, &options, tls, now);
    if (r < 0) {
        memory_free(NULL, s);
        return r;
    }
    *session_r = s;
    return 0;
}

static void log_closed(struct serve_imap *s)
{
    char fetched[24], appended[24], expunged[24];
    const char *pairs[] = {"user",      login_user(&s->login),
                           "retrieved", fetched,
                           "appended",  appended,
                           "expunged",  expunged,
                           NULL};

    snprintf(fetched, sizeof fetched, "%llu", (unsigned long long)s->fetched);
    snprintf(appended, sizeof appended, "%llu", (unsigned long long)s->appended);
    snprintf(expunged, sizeof expunged, "%llu", (unsigned long long)s->expunged);
    if (s->site->work->log)
        s->site->work->log(s->conn, "closed", pairs);
}

static void session_end(struct serve_imap *s)
{
    compress_free(&s->compress);
    postern_imap_free(&s->engine);
    imap_drop_appends(s);
    imap_unwatch(s);
    imap_leave(s);
    imap_leave_other(s);
    imap_leave_guest(s);
    if (s->account)
        imap_ops(s)->account_close(&s->account);
    imap_shown_drop(s, POSTERN_IMAP_LOGOUT);
    free((char *)(uintptr_t)s->block.p);
    buffer_done(&s->infos);
    buffer_done(&s->ranges);
    buffer_done(&s->vanished);
    buffer_done(&s->statuses);
    buffer_done(&s->names);
    buffer_done(&s->uids);
    secret_wipe(s, sizeof *s);
    memory_free(NULL, s);
}

void imap_session_free(void *session)
{
    struct serve_imap *s = session;

    login_proof_failed(&s->login);
    log_closed(s);
    s->site->work->take_down(s->conn); /* a worker may be making what rings it */
    login_done(&s->login);
    s->dead = true;
    if (!s->working)
        session_end(s);
}
