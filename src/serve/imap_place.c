/* SPDX-License-Identifier: MIT */
/* imap_place - where a mailbox's name leads: into the user's own account; behind the prefix of
 * other users ("Other/ann/Work") into that user's; behind the shared one into the public account.
 * Stores let any thread use any account, so another's is opened like one's own, whichever loop its
 * owner is on. It stays open until another one is named.
 *
 * What does not exist, whose owner does not exist, and what is one's own by another's prefix are
 * all POSTERN_E_NOT_FOUND. */
#include "serve/imap_session.h"

#include "base/span.h"
#include "store/acl.h"

void imap_leave_guest(struct serve_imap *s)
{
    if (s->guest)
        imap_ops(s)->account_close(&s->guest);
    buffer_done(&s->guest_name);
}

/* is_somebody - an account that is known and not disabled; the public one needs no login. A folder
 * that lies among the accounts is none. */
static bool is_somebody(const struct serve_imap *s, struct postern_span owner)
{
    return owner.n && !span_equal(owner, postern_span_of(login_user(&s->login))) &&
           (span_equal(owner, s->site->public_account) ||
            accounts_stamp(s->site->accounts, owner) != 0);
}

int imap_guest(struct serve_imap *s, struct postern_span owner, unsigned wait_flag,
               struct postern_account **account_r)
{
    int err = 0;

    if (!is_somebody(s, owner))
        return POSTERN_E_NOT_FOUND;
    if (!s->guest || !span_equal(buffer_span(&s->guest_name), owner)) {
        struct buffer name = {0};

        buffer_append(&name, owner); /* it may be the old name itself */
        imap_leave_guest(s);
        s->guest_name = name;
        err = name.error ? POSTERN_E_NOMEM
                         : imap_ops(s)->account_open(s->site->store, buffer_span(&name), wait_flag,
                                                     &s->guest);
        if (err)
            imap_leave_guest(s);
    }
    *account_r = s->guest;
    return err == POSTERN_E_SYNTAX || err == POSTERN_E_TOO_LONG ? POSTERN_E_NOT_FOUND : err;
}

/* is_behind - the name begins with the prefix, whose delimiter is its last octet; or it is the
 * prefix without that. */
static bool is_behind(struct postern_span name, struct postern_span prefix,
                      struct postern_span *rest_r)
{
    if (!prefix.n || !span_begins(name, span_make(prefix.p, prefix.n - 1)))
        return false;
    *rest_r = span_from(name, prefix.n < name.n ? prefix.n : name.n);
    return name.n == prefix.n - 1 || name.p[prefix.n - 1] == '/';
}

bool imap_is_shared(const struct serve_imap *s, struct postern_span name,
                    struct postern_span *owner_r, struct postern_span *local_r)
{
    const struct postern_imap_options *options = s->site->imap;

    if (is_behind(name, options->other_users, local_r)) {
        *owner_r = span_cut(local_r, '/');
        return true;
    }
    *owner_r = s->site->public_account;
    return is_behind(name, options->shared, local_r);
}

int imap_place(struct serve_imap *s, struct postern_span name, unsigned wait_flag,
               struct imap_place *place_r)
{
    struct postern_span owner, local;
    int err = 0;

    *place_r = (struct imap_place){.account = s->account, .name = name};
    if (!imap_is_shared(s, name, &owner, &local))
        return 0;
    *place_r = (struct imap_place){.name = local, .owner = owner};
    if (!local.n)
        return POSTERN_E_NOT_FOUND;
    err = imap_guest(s, owner, wait_flag, &place_r->account);
    return err;
}

int imap_place_rights(struct serve_imap *s, const struct imap_place *place, unsigned wait_flag,
                      uint32_t *rights_r)
{
    int err;

    *rights_r = POSTERN_RIGHTS_ALL;
    if (!place->owner.n)
        return 0;
    if (wait_flag)
        return POSTERN_E_AGAIN;
    err = acl_rights(s->site->store, place->account, place->name,
                     postern_span_of(login_user(&s->login)), rights_r);
    /* a name that cannot be: who is told so hears that its owner is somebody */
    return err == POSTERN_E_SYNTAX || err == POSTERN_E_TOO_LONG ? POSTERN_E_NOT_FOUND : err;
}
