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

const struct body *body_of(const struct postern_visit *v, uint64_t id)
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

struct postern_body *body_open(struct postern_visit *v)
{
    memory_free(NULL, v->opening);
    v->opening = memory_new(NULL, sizeof *v->opening);
    if (!v->opening)
        return NULL;
    v->opening->content = (struct postern_body){.size_bytes = POSTERN_SIZE_UNKNOWN, .fd = -1};
    return &v->opening->content;
}

const struct body *body_opened(struct postern_visit *v, int result, int *err_r)
{
    struct body *body = v->opening;

    v->opening = NULL;
    *err_r = visit_err(result);
    if (!*err_r && !has_content(&body->content))
        *err_r = POSTERN_E_IO; /* a descriptor that could not be had, most likely */
    if (*err_r) {
        memory_free(NULL, body);
        return NULL;
    }
    body->id = ++v->bodies_last;
    body->next = v->bodies;
    v->bodies = body;
    return body;
}

static void retrieved(struct postern_visit *v, int result)
{
    struct postern_pop3_message message;
    int err;
    const struct body *body = body_opened(v, result, &err);

    if (!body) {
        if (result == POSTERN_YES)
            result = err;
        postern_pop3_answer_message(v->engine, v->question.id, visit_verdict(result), NULL,
                                    visit_text(v));
        return;
    }
    message = message_of(v, body);
    postern_pop3_answer_message(v->engine, v->question.id, POSTERN_YES, &message, absent);
}

void visit_message(struct postern_visit *v)
{
    const struct postern_provider *provider = &v->service->provider;
    struct postern_body *body = body_open(v);
    struct postern_span uid = v->question.message.uid;
    struct postern_token token;

    if (!body) {
        postern_pop3_answer_default(v->engine, v->question.id);
        return;
    }
    token = visit_ask(v, retrieved);
    visit_result(v, provider->list ? provider->retrieve(provider->ctx, token, uid, body)
                                   : visit_inbox_fetch(v, token, uid, body));
}

static void read_done(struct postern_visit *v, int result)
{
    struct postern_span octets = span_make(v->read_bytes, result < 0 ? 0 : (size_t)result);

    if (octets.n > v->reading.length) /* the application counted wrong */
        result = POSTERN_E_IO;
    v->reading.took(v, result < 0 ? result : 0, result < 0 ? absent : octets);
}

static void read_bytes(struct postern_visit *v, struct postern_span all)
{
    struct reading *reading = &v->reading;
    uint64_t offset = reading->offset < all.n ? reading->offset : all.n;
    size_t rest = all.n - (size_t)offset;

    reading->took(v, 0, span_make(all.p + offset, rest < reading->length ? rest : reading->length));
}

static int read_file(struct postern_visit *v, const struct postern_body *content)
{
    uint64_t offset = v->reading.offset;
    size_t length = v->reading.length;
    ssize_t n;

    if (content->size_bytes != POSTERN_SIZE_UNKNOWN && content->size_bytes - offset < length)
        length =
            (size_t)(content->size_bytes - offset); /* the file may go on with something else */
    n = pread(content->fd, v->read_bytes, length, (off_t)(content->fd_offset + offset));
    return n < 0 ? POSTERN_E_IO : (int)n;
}

void body_read(struct postern_visit *v)
{
    struct reading *reading = &v->reading;
    const struct postern_body *content = reading->body ? &reading->body->content : NULL;
    struct postern_token token;

    if (!v->read_bytes)
        v->read_bytes = memory_resize(NULL, NULL, READ_BYTES);
    if (!content || !v->read_bytes) {
        reading->took(v, POSTERN_E_NOMEM, absent);
        return;
    }
    if (content->bytes.p) {
        read_bytes(v, content->bytes);
        return;
    }
    if (reading->length > READ_BYTES)
        reading->length = READ_BYTES;
    token = visit_ask(v, read_done);
    if (content->fd >= 0)
        visit_result(v, read_file(v, content));
    else
        visit_result(v, content->read(content->handle, token, reading->offset, v->read_bytes,
                                      reading->length));
}

static void read_took(struct postern_visit *v, int err, struct postern_span octets)
{
    postern_pop3_answer_read(v->engine, v->question.id, err, octets);
}

void visit_read(struct postern_visit *v)
{
    v->reading = (struct reading){.body = body_of(v, v->question.content),
                                  .offset = v->question.offset,
                                  .length = v->question.length,
                                  .took = read_took};
    body_read(v);
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
    memory_free(NULL, v->inbox_uids);
    v->uids = NULL;
    v->inbox_uids = NULL;
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

    size_t count;

    if (!v->question.count || !visit_deletes(provider)) {
        visit_result(v, v->question.count ? POSTERN_NO_READ_ONLY : POSTERN_YES);
        return;
    }
    /* UNSAFE: no wrap, as many entries of 16 bytes are in memory already */
    v->uids = memory_new(NULL, v->question.count * sizeof *v->uids);
    if (!v->uids) {
        visit_result(v, POSTERN_E_NOMEM);
        return;
    }
    count = uids_collect(v);
    visit_result(v, provider->list ? provider->delete_set(provider->ctx, token, v->uids, count)
                                   : visit_inbox_delete(v, token, v->uids, count));
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
