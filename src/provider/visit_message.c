/* SPDX-License-Identifier: MIT */
/* visit_message - FIND, MESSAGE, READ, EXPUNGE and COMMAND, and the file behind a piece of output.
 *
 * Owns the open bodies. Each has a number that is never used again in the visit, so that a late
 * piece cannot name the wrong one. */
#include "provider/visit.h"

#include "base/memory.h"
#include "base/span.h"
#include <unistd.h>

static const struct postern_span absent;

/* ---- finding --------------------------------------------------------------------------------- */

static void found(struct postern_visit *v, int result)
{
    postern_pop3_answer_find(v->engine, v->question.id, visit_verdict(result), v->size, 0,
                             visit_text(v));
}

void visit_find(struct postern_visit *v)
{
    const struct postern_provider *provider = &v->service->provider;
    struct postern_token token;

    v->size = 0;
    token = visit_ask(v, found);
    visit_result(v, provider->size
                        ? provider->size(provider->ctx, token, v->question.message.uid, &v->size)
                        : POSTERN_E_NOT_FOUND);
}

/* ---- reading --------------------------------------------------------------------------------- */

static void body_close(struct body *body)
{
    if (body->content.fd >= 0)
        close(body->content.fd);
    if (body->content.done)
        body->content.done(body->content.handle);
    memory_free(NULL, body);
}

void visit_body_done(struct postern_visit *v, uint64_t id)
{
    struct body **at = &v->bodies, *body;

    while (*at && (*at)->id != id)
        at = &(*at)->next;
    body = *at;
    if (!body)
        return;
    *at = body->next;
    body_close(body);
}

void visit_bodies_done(struct postern_visit *v)
{
    while (v->bodies)
        visit_body_done(v, v->bodies->id);
}

static const struct body *body_of(const struct postern_visit *v, uint64_t id)
{
    const struct body *body = v->bodies;

    while (body && body->id != id)
        body = body->next;
    return body;
}

static struct postern_pop3_message message_of(const struct postern_visit *v,
                                              const struct body *body)
{
    const struct postern_body *content = &body->content;

    return (struct postern_pop3_message){
        .content = body->id,
        .size_raw = content->bytes.p ? content->bytes.n : content->size_bytes,
        .wire_clean = content->wire_clean,
        .file_range = v->host.sends_files && content->fd >= 0 && content->wire_clean &&
                      content->size_bytes != POSTERN_SIZE_UNKNOWN,
    };
}

static bool has_content(const struct postern_body *content)
{
    return content->bytes.p || content->fd >= 0 || content->read;
}

static void retrieved(struct postern_visit *v, int result)
{
    struct body *body = v->opening;
    struct postern_pop3_message message;

    v->opening = NULL;
    if (result == POSTERN_YES && !has_content(&body->content))
        result = POSTERN_E_IO; /* a descriptor that could not be had, most likely */
    if (visit_verdict(result) != POSTERN_YES) {
        memory_free(NULL, body);
        postern_pop3_answer_message(v->engine, v->question.id, visit_verdict(result), NULL,
                                    visit_text(v));
        return;
    }
    body->id = ++v->bodies_last;
    body->next = v->bodies;
    v->bodies = body;
    message = message_of(v, body);
    postern_pop3_answer_message(v->engine, v->question.id, POSTERN_YES, &message, absent);
}

void visit_message(struct postern_visit *v)
{
    const struct postern_provider *provider = &v->service->provider;
    struct postern_token token;

    v->opening = memory_new(NULL, sizeof *v->opening);
    if (!v->opening) {
        postern_pop3_answer_default(v->engine, v->question.id);
        return;
    }
    v->opening->content = (struct postern_body){.size_bytes = POSTERN_SIZE_UNKNOWN, .fd = -1};
    token = visit_ask(v, retrieved);
    visit_result(
        v, provider->retrieve(provider->ctx, token, v->question.message.uid, &v->opening->content));
}

static void read_done(struct postern_visit *v, int result)
{
    struct postern_span bytes = span_make(v->read_bytes, result < 0 ? 0 : (size_t)result);

    if (bytes.n > v->question.length) /* the application counted wrong */
        result = POSTERN_E_IO;
    postern_pop3_answer_read(v->engine, v->question.id, result < 0 ? result : 0,
                             result < 0 ? absent : bytes);
}

static void read_bytes(struct postern_visit *v, struct postern_span all)
{
    uint64_t offset = v->question.offset < all.n ? v->question.offset : all.n;
    size_t rest = all.n - (size_t)offset;

    postern_pop3_answer_read(
        v->engine, v->question.id, 0,
        span_make(all.p + offset, rest < v->question.length ? rest : v->question.length));
}

static int read_file(struct postern_visit *v, const struct postern_body *content, size_t length)
{
    uint64_t offset = v->question.offset;
    ssize_t n;

    if (content->size_bytes != POSTERN_SIZE_UNKNOWN && content->size_bytes - offset < length)
        length =
            (size_t)(content->size_bytes - offset); /* the file may go on with something else */
    n = pread(content->fd, v->read_bytes, length, (off_t)(content->fd_offset + offset));
    return n < 0 ? POSTERN_E_IO : (int)n;
}

void visit_read(struct postern_visit *v)
{
    const struct body *body = body_of(v, v->question.content);
    const struct postern_body *content = body ? &body->content : NULL;
    size_t length = v->question.length < READ_BYTES ? v->question.length : READ_BYTES;
    struct postern_token token;

    if (!v->read_bytes)
        v->read_bytes = memory_resize(NULL, NULL, READ_BYTES);
    if (!content || !v->read_bytes) {
        postern_pop3_answer_read(v->engine, v->question.id, POSTERN_E_NOMEM, absent);
        return;
    }
    if (content->bytes.p) {
        read_bytes(v, content->bytes);
        return;
    }
    token = visit_ask(v, read_done);
    if (content->fd >= 0)
        visit_result(v, read_file(v, content, length));
    else
        visit_result(
            v, content->read(content->handle, token, v->question.offset, v->read_bytes, length));
}

int postern_visit_file(const struct postern_visit *visit, uint64_t content, uint64_t offset,
                       uint64_t *fd_offset_r)
{
    const struct body *body = body_of(visit, content);

    if (!body || body->content.fd < 0)
        return -1;
    *fd_offset_r = body->content.fd_offset + offset;
    return body->content.fd;
}

/* ---- deleting, and the application's own commands -------------------------------------------- */

static void deleted(struct postern_visit *v, int result)
{
    memory_free(NULL, v->uids);
    v->uids = NULL;
    postern_pop3_answer_expunge(v->engine, v->question.id, visit_verdict(result), visit_text(v));
}

static size_t uids_collect(struct postern_visit *v)
{
    struct postern_pop3_ref ref;
    size_t cursor = 0, n = 0;

    while (n < v->question.count && postern_pop3_expunge_next(v->engine, &cursor, &ref) == 1)
        v->uids[n++] = ref.uid;
    return n;
}

void visit_expunge(struct postern_visit *v)
{
    const struct postern_provider *provider = &v->service->provider;
    struct postern_token token = visit_ask(v, deleted);

    if (!v->question.count || !provider->delete_set) {
        visit_result(v, v->question.count ? POSTERN_NO_READ_ONLY : POSTERN_YES);
        return;
    }
    /* UNSAFE: no wrap, as many entries of 16 bytes are in memory already */
    v->uids = memory_new(NULL, v->question.count * sizeof *v->uids);
    if (v->uids)
        visit_result(v, provider->delete_set(provider->ctx, token, v->uids, uids_collect(v)));
    else
        visit_result(v, POSTERN_E_NOMEM);
}

static void commanded(struct postern_visit *v, int result)
{
    if (visit_verdict(result) == POSTERN_YES)
        postern_pop3_answer_command(v->engine, v->question.id, &v->reply);
    else
        postern_pop3_answer_default(v->engine, v->question.id);
}

void visit_command(struct postern_visit *v)
{
    const struct postern_provider *provider = &v->service->provider;
    struct postern_token token = visit_ask(v, commanded);

    v->reply = (struct postern_pop3_reply){.ok = true};
    visit_result(v, provider->command(provider->ctx, token, &v->question, &v->reply));
}
