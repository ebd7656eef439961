/* SPDX-License-Identifier: MIT */
/* late - questions to the application and the results that come back, now or later.
 *
 * A token's number is open from just before its callback is called until its result is taken in. So
 * a second answer, or one to a question of the past, finds its number closed and changes nothing.
 */
#include "provider/visit.h"

#include "base/span.h"

struct postern_token visit_ask(struct postern_visit *v, void (*finish)(struct postern_visit *, int))
{
    v->finish = finish;
    v->say_given = false;
    pthread_mutex_lock(&v->late.lock);
    v->late.open = ++v->serial;
    v->late.here = false;
    pthread_mutex_unlock(&v->late.lock);
    return (struct postern_token){v, v->serial};
}

/* A result that postern_answer() left before the callback returned one of its own is dropped. */
void visit_settled(struct postern_visit *v)
{
    pthread_mutex_lock(&v->late.lock);
    v->late.open = 0;
    v->late.here = false;
    pthread_mutex_unlock(&v->late.lock);
}

void visit_result(struct postern_visit *v, int result)
{
    if (result == POSTERN_LATER)
        return;
    visit_settled(v);
    v->finish(v, result);
}

int postern_answer(struct postern_token token, int result)
{
    struct postern_visit *v = token.visit;
    bool open;

    if (result == POSTERN_LATER)
        return POSTERN_E_USAGE;
    pthread_mutex_lock(&v->late.lock);
    open = token.id && v->late.open == token.id;
    if (open) {
        v->late.open = 0;
        v->late.here = true;
        v->late.result = result;
        if (v->host.wake)
            v->host.wake(
                v->host.wake_arg); /* within the lock: the visit may be freed once it is open */
    }
    pthread_mutex_unlock(&v->late.lock);
    return open ? 0 : POSTERN_E_STALE;
}

void postern_say(struct postern_token token, struct postern_span text)
{
    struct postern_visit *v = token.visit;

    pthread_mutex_lock(&v->late.lock);
    if (token.id && v->late.open == token.id) {
        v->said_n = text.n < sizeof v->said ? text.n : sizeof v->said;
        if (v->said_n)
            memcpy(v->said, text.p, v->said_n);
        v->say_given = true;
    }
    pthread_mutex_unlock(&v->late.lock);
}

bool visit_take_late(struct postern_visit *v)
{
    bool here;
    int result;

    pthread_mutex_lock(&v->late.lock);
    here = v->late.here;
    result = v->late.result;
    v->late.here = false;
    pthread_mutex_unlock(&v->late.lock);
    if (here)
        v->finish(v, result);
    return here;
}

struct postern_span visit_text(const struct postern_visit *v)
{
    return v->say_given ? span_make(v->said, v->said_n) : (struct postern_span){NULL, 0};
}

int visit_err(int result)
{
    static const int errors[] = {[POSTERN_YES] = 0,
                                 [POSTERN_NO_CREDENTIALS] = POSTERN_E_DENIED,
                                 [POSTERN_NO_TEMPORARY] = POSTERN_E_AGAIN,
                                 [POSTERN_NO_PERMANENT] = POSTERN_E_IO,
                                 [POSTERN_NO_IN_USE] = POSTERN_E_IN_USE,
                                 [POSTERN_NO_LOGIN_DELAY] = POSTERN_E_AGAIN,
                                 [POSTERN_NO_POLICY] = POSTERN_E_DENIED,
                                 [POSTERN_NO_NOT_FOUND] = POSTERN_E_NOT_FOUND,
                                 [POSTERN_NO_READ_ONLY] = POSTERN_E_READ_ONLY};

    if (result < 0)
        return result;
    return result <= POSTERN_NO_READ_ONLY ? errors[result] : POSTERN_E_IO;
}

enum postern_verdict visit_verdict(int result)
{
    if (result < 0)
        return postern_verdict_of(result);
    return result <= POSTERN_NO_READ_ONLY ? (enum postern_verdict)result : POSTERN_NO_PERMANENT;
}
