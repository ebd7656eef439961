/* SPDX-License-Identifier: MIT */
/* recipients - the resolver. Aliases are followed with a bound on depth and on how many there may
 * be in all, so that those which name each other end. Trap: a local part becomes the name of an
 * account only if an account could have it (account_name_is_good); it never becomes a path here. */
#include "accounts/recipients.h"

#include "accounts/aliases.h"
#include "accounts/domain.h"
#include "accounts/internal.h"
#include "accounts/name.h"
#include "accounts/table.h"
#include "accounts/watched.h"
#include "base/span.h"
#include <stdio.h>
#include <stdlib.h>

#define DEPTH_MAX 10

struct local_domain {
    char name[DOMAIN_BYTES];
    size_t n;
};

struct recipients {
    struct recipients_options o;
    struct local_domain *domains; /* those of o, in the form in which they are compared */
    size_t domain_count;
    pthread_mutex_t mutex; /* guards what follows */
    struct aliases aliases;
    struct watched watched;
};

/* struct search - one address on its way. */
struct search {
    struct recipients *recipients;
    struct address_targets *targets;
    unsigned depth, steps;
    bool disabled;
};

void address_targets_free(struct address_targets *targets)
{
    free(targets->all);
    *targets = (struct address_targets){0};
}

/* ---- names ----------------------------------------------------------------------------------- */

static bool is_local(const struct recipients *recipients, struct postern_span domain)
{
    char normal[DOMAIN_BYTES];
    size_t n = domain_normal(domain, normal, sizeof normal);

    for (size_t i = 0; n && i < recipients->domain_count; i++)
        if (span_equal(span_make(normal, n),
                       span_make(recipients->domains[i].name, recipients->domains[i].n)))
            return true;
    return recipients->o.anybody;
}

/* ---- accounts -------------------------------------------------------------------------------- */

static int add(struct search *search, struct postern_span user, struct postern_span detail)
{
    struct address_targets *targets = search->targets;
    struct address_target target = {0};

    if (user.n >= sizeof target.user)
        return ADDRESS_UNKNOWN;
    memcpy(target.user, user.p, user.n);
    if (detail.n && detail.n < sizeof target.detail)
        memcpy(target.detail, detail.p, detail.n);
    for (size_t i = 0; i < targets->count; i++)
        if (!strcmp(targets->all[i].user, target.user) &&
            !strcmp(targets->all[i].detail, target.detail))
            return ADDRESS_FOUND;
    if (targets->count == ADDRESS_TARGETS_MAX)
        return ADDRESS_TANGLED;
    if (targets->count == targets->room) {
        size_t room = targets->room ? targets->room * 2 : 1;
        struct address_target *more = realloc(targets->all, room * sizeof *more);

        if (!more)
            return POSTERN_E_NOMEM;
        targets->all = more;
        targets->room = room;
    }
    targets->all[targets->count++] = target;
    return ADDRESS_FOUND;
}

/* find_written - of exactly this name. 0: there is none. */
static int find_written(struct search *search, struct postern_span user, struct postern_span detail)
{
    struct accounts *accounts = search->recipients->o.accounts;
    char value[8];

    if (!account_name_is_good(user))
        return 0;
    if (accounts_stamp(accounts, user))
        return add(search, user, detail);
    search->disabled |= accounts_value(accounts, user, "disabled", value, sizeof value);
    return 0;
}

/* find_account - by either of its names. */
static int find_account(struct search *search, struct postern_span user, struct postern_span detail)
{
    char text[NAME_BYTES];
    struct postern_span other;
    int found = find_written(search, user, detail);

    if (found)
        return found;
    other = name_unicode(user, text);
    return other.p ? find_written(search, other, detail) : 0;
}

static bool is_account(struct accounts *accounts, struct postern_span user)
{
    char text[NAME_BYTES];
    struct postern_span other = name_unicode(user, text);

    return accounts_stamp(accounts, user) || (other.p && accounts_stamp(accounts, other));
}

/* ---- aliases --------------------------------------------------------------------------------- */

static int resolve(struct search *search, const struct name *name);

/* one_target - an account, an address, or "@domain" for the same name there. */
static int one_target(struct search *search, const struct name *from, struct postern_span target)
{
    struct postern_span local, domain;
    struct name name;
    int found = find_account(search, target, from->detail);

    if (found)
        return found;
    name_split(target, &local, &domain);
    if (!local.n && domain.n)
        local = from->written;
    if (!name_make(&name, local, domain.n ? domain : from->domain))
        return ADDRESS_UNKNOWN;
    name.detail = from->detail;
    return domain.n && !is_local(search->recipients, domain) ? ADDRESS_FOREIGN
                                                             : resolve(search, &name);
}

/* better - of what two targets of an alias came to: mail goes to those who are there. */
static int better(int a, int b)
{
    if (a < 0 || b < 0)
        return a < 0 ? a : b;
    if (a == ADDRESS_TANGLED || b == ADDRESS_TANGLED)
        return ADDRESS_TANGLED;
    return a == ADDRESS_FOUND ? a : b;
}

/* find_alias - all targets of an alias of this name; 0: there is none. */
static int find_alias(struct search *search, const struct name *name, struct postern_span key)
{
    struct postern_span targets = aliases_find(&search->recipients->aliases, key), target;
    int found = ADDRESS_UNKNOWN;

    if (!targets.p)
        return 0;
    if (search->depth == DEPTH_MAX || ++search->steps > ADDRESS_TARGETS_MAX)
        return ADDRESS_TANGLED;
    search->depth++;
    while (aliases_next(&targets, &target))
        found = better(found, one_target(search, name, target));
    search->depth--;
    return found;
}

/* find_exact - the account, else the alias. */
static int find_exact(struct search *search, const struct name *name)
{
    int found = find_account(search, name_whole(name), name->detail);

    if (!found && name->domain.n)
        found = find_account(search, name->local, name->detail);
    if (!found)
        found = find_alias(search, name, name_whole(name));
    if (!found && name->domain.n)
        found = find_alias(search, name, name->local);
    return found;
}

static bool is_office(struct postern_span local)
{
    return span_equal(local, SPAN("postmaster")) || span_equal(local, SPAN("abuse"));
}

/* R1 R4 F5 F6: by the address as it is, whatever looks like a route in it */
static int resolve(struct search *search, const struct name *name)
{
    struct name bare;
    char key[NAME_BYTES];
    int found;

    if (search->recipients->o.anybody)
        return add(search,
                   name_without_detail(name, search->recipients->o.delimiters, &bare) ? bare.local
                                                                                      : name->local,
                   (struct postern_span){NULL, 0});
    found = find_exact(search, name);
    if (!found && name_without_detail(name, search->recipients->o.delimiters, &bare))
        found = find_exact(search, &bare);
    if (!found && is_office(name->local)) {
        const char *office = search->recipients->o.postmaster;

        return add(search, postern_span_of(office && *office ? office : "postmaster"),
                   (struct postern_span){NULL, 0});
    }
    if (!found && name->domain.n) {
        snprintf(key, sizeof key, "@%.*s", SPAN_ARG(name->domain));
        found = find_alias(search, name, postern_span_of(key));
    }
    return found ? found : search->disabled ? ADDRESS_DISABLED : ADDRESS_UNKNOWN;
}

/* ---- the file -------------------------------------------------------------------------------- */

/* check_targets - what is not ours cannot be delivered: nobody forwards (R3). */
static int check_targets(const struct recipients *recipients, const struct aliases *aliases,
                         unsigned *line_r, const char **why_r)
{
    for (size_t i = 0; i < aliases->count; i++) {
        struct postern_span targets = aliases->all[i].targets, target, local, domain;

        while (aliases_next(&targets, &target)) {
            name_split(target, &local, &domain);
            *line_r = aliases->all[i].line;
            *why_r = "a target is in no local domain: mail is not forwarded";
            if (domain.n && !is_local(recipients, domain) &&
                !is_account(recipients->o.accounts, target))
                return POSTERN_E_SYNTAX;
        }
    }
    return 0;
}

static int aliases_load(struct recipients *recipients)
{
    const char *path = recipients->o.aliases, *why = "cannot be read";
    struct aliases aliases = {0};
    unsigned line = 0;
    char *text = NULL;
    size_t n = 0;
    int err = stat(path, &recipients->watched.seen) < 0 ? POSTERN_E_NOT_FOUND
                                                        : read_whole(path, &text, &n);

    if (!err)
        err = aliases_parse(span_make(text, n), &aliases, &line, &why);
    free(text);
    if (!err)
        err = check_targets(recipients, &aliases, &line, &why);
    if (err) {
        aliases_free(&aliases);
        accounts_set_error(path, line, why);
        return err;
    }
    aliases_free(&recipients->aliases);
    recipients->aliases = aliases;
    return 0;
}

/* look - read it again if it has changed; a broken one leaves what was. With the mutex. */
static void look(struct recipients *recipients)
{
    const char *path = recipients->o.aliases;

    if (path && *path && watched_has_changed(&recipients->watched, path))
        (void)!aliases_load(recipients);
}

static int domains_make(struct recipients *recipients)
{
    const char *const *all = recipients->o.domains;
    size_t count = 0;

    while (all && all[count])
        count++;
    recipients->domains = calloc(count + 1, sizeof *recipients->domains);
    if (!recipients->domains)
        return POSTERN_E_NOMEM;
    for (size_t i = 0; i < count; i++) {
        struct local_domain *one = &recipients->domains[i];

        one->n = domain_normal(postern_span_of(all[i]), one->name, sizeof one->name);
    }
    recipients->domain_count = count;
    return 0;
}

int recipients_new(struct recipients **recipients_r, const struct recipients_options *options)
{
    struct recipients *recipients = calloc(1, sizeof *recipients);
    int err;

    if (!recipients)
        return POSTERN_E_NOMEM;
    recipients->o = *options;
    pthread_mutex_init(&recipients->mutex, NULL);
    err = domains_make(recipients);
    if (!err && options->aliases && *options->aliases)
        err = aliases_load(recipients);
    if (err)
        recipients_free(&recipients);
    *recipients_r = recipients;
    return err;
}

void recipients_free(struct recipients **recipients)
{
    if (!*recipients)
        return;
    aliases_free(&(*recipients)->aliases);
    free((*recipients)->domains);
    pthread_mutex_destroy(&(*recipients)->mutex);
    free(*recipients);
    *recipients = NULL;
}

/* E8 E9 R5: for RCPT, VRFY, deliver and explain */
int recipients_find(struct recipients *recipients, struct postern_span local,
                    struct postern_span domain, struct address_targets *targets_r)
{
    struct search search = {.recipients = recipients, .targets = targets_r};
    struct name name;
    int found;

    *targets_r = (struct address_targets){0};
    if (!domain.n && recipients->o.domains && recipients->o.domains[0])
        domain = postern_span_of(recipients->o.domains[0]);
    if (domain.n && !is_local(recipients, domain))
        return ADDRESS_FOREIGN;
    if (!name_make(&name, local, domain) || !account_name_is_good(name.local))
        return ADDRESS_UNKNOWN;
    pthread_mutex_lock(&recipients->mutex);
    look(recipients);
    found = resolve(&search, &name);
    pthread_mutex_unlock(&recipients->mutex);
    if (found != ADDRESS_FOUND)
        address_targets_free(targets_r);
    return found;
}
