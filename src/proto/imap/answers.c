/* SPDX-License-Identifier: MIT */
/* answers - the application's side of questions: checked against the open one, then handed to the
 * function that asked. */
#include "proto/imap/notify.h"

static uint64_t mask(enum postern_imap_question_kind kind)
{
    return UINT64_C(1) << kind;
}

#define PLAIN_KINDS                                                                         \
    (mask(POSTERN_IMAP_CONNECT) | mask(POSTERN_IMAP_LOGIN) | mask(POSTERN_IMAP_CREATE) |    \
     mask(POSTERN_IMAP_REMOVE) | mask(POSTERN_IMAP_RENAME) | mask(POSTERN_IMAP_SUBSCRIBE) | \
     mask(POSTERN_IMAP_EXPUNGE) | mask(POSTERN_IMAP_APPEND) | mask(POSTERN_IMAP_WRITE) |    \
     mask(POSTERN_IMAP_SET_METADATA) | mask(POSTERN_IMAP_SET_ACL))

static int take(struct postern_imap *s, uint64_t id, uint64_t kinds,
                const struct imap_answer *answer)
{
    if (s->asked != ASKED_SHOWN || id != s->question.id)
        return POSTERN_E_STALE;
    if (!(mask(s->question.kind) & kinds))
        return POSTERN_E_USAGE;
    s->asked = ASKED_NOTHING;
    s->time_stale = true;
    if (!answer->err &&
        mask(s->question.kind) & (mask(POSTERN_IMAP_COPY) | mask(POSTERN_IMAP_COMMIT)))
        arrived_own(s, answer);
    if (s->notify)
        notify_did(s, answer);
    s->then(s, answer);
    imap_advance(s);
    return imap_result_of(s);
}

int postern_imap_answer_default(struct postern_imap *s, uint64_t id)
{
    struct imap_answer answer = {.err = POSTERN_E_AGAIN, .verdict = POSTERN_NO_TEMPORARY};

    if (s->asked == ASKED_SHOWN && s->question.kind == POSTERN_IMAP_CONNECT)
        answer.err = 0;
    return take(s, id, UINT64_MAX, &answer);
}

int postern_imap_answer(struct postern_imap *s, uint64_t id, int err)
{
    return take(s, id, PLAIN_KINDS, &(struct imap_answer){.err = err});
}

int postern_imap_answer_referral(struct postern_imap *s, uint64_t id, struct postern_span url)
{
    for (size_t i = 0; i < url.n; i++)
        if (url.p[i] <= ' ' || url.p[i] > '~' || url.p[i] == ']')
            return POSTERN_E_SYNTAX;
    if (!url.n)
        return POSTERN_E_SYNTAX;
    return take(s, id, mask(POSTERN_IMAP_LOGIN),
                &(struct imap_answer){.err = POSTERN_E_NOT_FOUND, .text = url});
}

int postern_imap_answer_authenticate(struct postern_imap *s, uint64_t id,
                                     enum postern_verdict verdict, struct postern_span user)
{
    return take(s, id, mask(POSTERN_IMAP_AUTHENTICATE),
                &(struct imap_answer){.verdict = verdict, .text = user});
}

int postern_imap_answer_keys(struct postern_imap *s, uint64_t id, enum postern_verdict verdict,
                             const struct postern_scram_keys *keys, struct postern_span user)
{
    return take(s, id, mask(POSTERN_IMAP_AUTH_LOOKUP),
                &(struct imap_answer){.verdict = verdict, .keys = keys, .text = user});
}

int postern_imap_answer_list(struct postern_imap *s, uint64_t id, int err,
                             const struct postern_status *all, size_t count)
{
    return take(s, id, mask(POSTERN_IMAP_LIST),
                &(struct imap_answer){.err = err, .statuses = all, .count = count});
}

int postern_imap_answer_status(struct postern_imap *s, uint64_t id, int err,
                               const struct postern_status *status)
{
    return take(s, id, mask(POSTERN_IMAP_STATUS),
                &(struct imap_answer){.err = err, .statuses = status, .count = 1});
}

int postern_imap_answer_mailbox(struct postern_imap *s, uint64_t id, int err,
                                const struct postern_imap_mailbox *mailbox)
{
    return take(s, id,
                mask(POSTERN_IMAP_SELECT) | mask(POSTERN_IMAP_NEWS) | mask(POSTERN_IMAP_LOOK),
                &(struct imap_answer){.err = err, .mailbox = mailbox});
}

int postern_imap_answer_quota(struct postern_imap *s, uint64_t id, int err,
                              const struct postern_quota *quota)
{
    return take(s, id, mask(POSTERN_IMAP_QUOTA) | mask(POSTERN_IMAP_SET_QUOTA),
                &(struct imap_answer){.err = err, .quota = quota});
}

int postern_imap_answer_metadata(struct postern_imap *s, uint64_t id, int err,
                                 const struct postern_metadata *all, size_t count)
{
    return take(s, id, mask(POSTERN_IMAP_METADATA),
                &(struct imap_answer){.err = err, .metadata = all, .count = count});
}

int postern_imap_answer_rights(struct postern_imap *s, uint64_t id, int err, uint32_t rights)
{
    return take(s, id, mask(POSTERN_IMAP_RIGHTS),
                &(struct imap_answer){.err = err, .rights = rights});
}

int postern_imap_answer_acl(struct postern_imap *s, uint64_t id, int err,
                            const struct postern_acl *all, size_t count)
{
    return take(s, id, mask(POSTERN_IMAP_ACL),
                &(struct imap_answer){.err = err, .acl = all, .count = count});
}

int postern_imap_answer_messages(struct postern_imap *s, uint64_t id, int err,
                                 const struct postern_message_info *all, size_t count)
{
    return take(s, id, mask(POSTERN_IMAP_MESSAGES),
                &(struct imap_answer){.err = err, .messages = all, .count = count});
}

int postern_imap_answer_structure(struct postern_imap *s, uint64_t id, int err,
                                  struct postern_span block)
{
    return take(s, id, mask(POSTERN_IMAP_STRUCTURE),
                &(struct imap_answer){.err = err, .text = block});
}

int postern_imap_answer_structures(struct postern_imap *s, uint64_t id,
                                   const struct postern_structure *all, size_t count)
{
    if (count == 0 || all[0].uid != s->question.uid)
        return POSTERN_E_USAGE;
    return take(s, id, mask(POSTERN_IMAP_STRUCTURE),
                &(struct imap_answer){.text = all[0].block, .structures = all, .count = count});
}

int postern_imap_answer_content(struct postern_imap *s, uint64_t id, int err, uint64_t content,
                                uint64_t size_raw)
{
    return take(s, id, mask(POSTERN_IMAP_CONTENT),
                &(struct imap_answer){.err = err, .content = content, .size_raw = size_raw});
}

int postern_imap_answer_read(struct postern_imap *s, uint64_t id, int err,
                             struct postern_span bytes)
{
    return take(s, id, mask(POSTERN_IMAP_READ), &(struct imap_answer){.err = err, .text = bytes});
}

int postern_imap_answer_uids(struct postern_imap *s, uint64_t id, int err, uint32_t uid_validity,
                             const uint32_t *uids, size_t count)
{
    return take(s, id,
                mask(POSTERN_IMAP_STORE) | mask(POSTERN_IMAP_COPY) | mask(POSTERN_IMAP_COMMIT),
                &(struct imap_answer){
                    .err = err, .uid_validity = uid_validity, .uids = uids, .count = count});
}

int postern_imap_answer_found(struct postern_imap *s, uint64_t id, int err,
                              const struct postern_uid_range *ranges, size_t count)
{
    return take(s, id, mask(POSTERN_IMAP_FIND) | mask(POSTERN_IMAP_VANISHED),
                &(struct imap_answer){.err = err, .ranges = ranges, .count = count});
}

void postern_imap_keywords(struct postern_imap *s, const struct postern_span *names, size_t count)
{
    if (s->state == POSTERN_IMAP_SELECTED)
        imap_learn_keywords(s, names, count, true);
}
