/* SPDX-License-Identifier: MIT */
/* test_resolver - whose an address is: the order in which names are tried, details, aliases that
 * lead on, in circles and nowhere, catch-alls, offices, and a file that changes. */
#include "cmocka_all.h"

#include "accounts/recipients.h"
#include "base/span.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define USERS                                      \
    "alice:x\nbob:x\nTeam:x\ncarl@example.net:x\n" \
    "dan@b\xc3\xbc\x63her.example:x\n"             \
    "a+b:x\nextra:x\ngone:x:disabled=yes\n"
#define ALIASES                                                                             \
    "alice: bob\n" /* the account is before it */                                           \
    "bob+lists: alice\n"                                                                    \
    "two: alice, bob, alice+x, bob\n"                                                       \
    "some: nobody, alice\n"                                                                 \
    "none: nobody\n"                                                                        \
    "net@example.net: bob\n"                                                                \
    "to-carl: carl@example.net\n"                                                           \
    "wide: alice@Example.NET\n"                                                             \
    "only@example.org: alice\n"                                                             \
    "to-dan: dan@xn--bcher-kva.example\n" /* an account, whatever its domain is */          \
    "old: gone\n"                                                                           \
    "round: about\nabout: round\n"                                                          \
    "round-and-alice: round, alice\n"                                                       \
    "c1: c2\nc2: c3\nc3: c4\nc4: c5\nc5: c6\nc6: c7\nc7: c8\nc8: c9\nc9: c10\nc10: alice\n" \
    "c0: c1\n"                                                                              \
    "@example.net: @example.org\n"                                                          \
    "@catch.example: extra\n"

static char users_path[] = "/tmp/postern-users-XXXXXX",
            aliases_path[] = "/tmp/postern-alias-XXXXXX";
static const char *const domains[] = {"example.org", "example.net", "catch.example", NULL};

static void file_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fputs(text, file) < 0, 0);
    fclose(file);
}

static struct recipients *resolver(struct recipients_options *options)
{
    struct recipients *recipients = NULL;

    *options = (struct recipients_options){
        .domains = domains, .aliases = aliases_path, .delimiters = "+-", .postmaster = ""};
    assert_int_equal(accounts_file_new(&options->accounts, users_path), 0);
    if (recipients_new(&recipients, options) != 0)
        fail_msg("%s", accounts_error());
    return recipients;
}

static void ask(struct recipients *recipients, const char *address, int outcome, const char *users)
{
    struct postern_span domain = postern_span_of(address), local = span_cut(&domain, '@');
    struct address_targets targets;
    int found = recipients_find(recipients, local, domain, &targets);
    char text[1024] = "";

    for (size_t i = 0; i < targets.count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s%s%s", i ? " " : "",
                 targets.all[i].user, targets.all[i].detail[0] ? "/" : "", targets.all[i].detail);
    if (found != outcome || strcmp(text, users) != 0)
        fail_msg("%s: %d %s, and not %d %s", address, found, text, outcome, users);
    address_targets_free(&targets);
}

/* R1 R2 R4 F3 F4 F5 E8 */
static void test_resolver_goes_in_order(void **state)
{
    static const struct {
        const char *address;
        int outcome;
        const char *users;
    } rows[] = {{"alice@example.org", ADDRESS_FOUND, "alice"},
                {"ALICE@Example.Net", ADDRESS_FOUND, "alice"},
                {"team@example.org", ADDRESS_UNKNOWN, ""}, /* names of accounts are in lower case */
                {"alice", ADDRESS_FOUND, "alice"},
                {"carl@example.net", ADDRESS_FOUND, "carl@example.net"},
                {"carl@example.org", ADDRESS_UNKNOWN, ""},
                {"alice@elsewhere.example", ADDRESS_FOREIGN, ""},
                {"alice@sub.example.org", ADDRESS_FOREIGN, ""},
                {"nobody@example.org", ADDRESS_UNKNOWN, ""},
                {"gone@example.org", ADDRESS_DISABLED, ""},
                {"gone+x@example.org", ADDRESS_DISABLED, ""},
                {"alice%elsewhere.example@example.org", ADDRESS_UNKNOWN, ""},
                {"elsewhere.example!alice@example.org", ADDRESS_UNKNOWN, ""},
                {"../alice@example.org", ADDRESS_UNKNOWN, ""},
                /* details */
                {"alice+Lists@example.org", ADDRESS_FOUND, "alice/Lists"},
                {"alice-x+y@example.org", ADDRESS_FOUND, "alice/x+y"},
                {"alice+@example.org", ADDRESS_FOUND, "alice"},
                {"a+b@example.org", ADDRESS_FOUND, "a+b"},
                {"a+b+c@example.org", ADDRESS_UNKNOWN, ""}, /* the first sign parts */
                {"+alice@example.org", ADDRESS_UNKNOWN, ""},
                {"bob+lists@example.org", ADDRESS_FOUND, "alice"},
                {"bob+other@example.org", ADDRESS_FOUND, "bob/other"},
                {"nobody+alice@example.org", ADDRESS_UNKNOWN, ""},
                /* aliases */
                {"two@example.org", ADDRESS_FOUND, "alice bob alice/x"},
                {"two+y@example.org", ADDRESS_FOUND, "alice/y bob/y alice/x"},
                {"some@example.org", ADDRESS_FOUND, "alice"},
                {"none@example.org", ADDRESS_UNKNOWN, ""},
                {"old@example.org", ADDRESS_DISABLED, ""},
                {"net@example.net", ADDRESS_FOUND, "bob"},
                {"net@example.org", ADDRESS_UNKNOWN, ""},
                {"to-carl@example.org", ADDRESS_FOUND, "carl@example.net"},
                {"wide+z@example.org", ADDRESS_FOUND, "alice/z"},
                /* offices, and the rest */
                {"postmaster", ADDRESS_FOUND, "postmaster"},
                {"PostMaster@catch.example", ADDRESS_FOUND, "postmaster"},
                {"abuse@catch.example", ADDRESS_FOUND, "postmaster"},
                {"any@catch.example", ADDRESS_FOUND, "extra"},
                {"alice@catch.example", ADDRESS_FOUND, "alice"},
                {"two@example.net", ADDRESS_FOUND, "alice bob alice/x"},
                {"Some+Thing@example.net", ADDRESS_FOUND, "alice/Thing"},
                {"Only+Deep@example.net", ADDRESS_FOUND, "alice/Deep"},
                {"to-dan@example.org", ADDRESS_FOUND, "dan@b\xc3\xbc\x63her.example"},
                {"nobody@example.net", ADDRESS_UNKNOWN, ""}};
    struct recipients_options options;
    struct recipients *recipients = resolver(&options);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ask(recipients, rows[i].address, rows[i].outcome, rows[i].users);
    recipients_free(&recipients);
    accounts_free(&options.accounts);
}

/* R3: ten deep, a thousand in all, and an end */
static void test_resolver_ends(void **state)
{
    struct recipients_options options;
    struct recipients *recipients = resolver(&options);

    (void)state;
    ask(recipients, "c1@example.org", ADDRESS_FOUND, "alice");
    ask(recipients, "c0@example.org", ADDRESS_TANGLED, "");
    ask(recipients, "round@example.org", ADDRESS_TANGLED, "");
    ask(recipients, "round-and-alice@example.org", ADDRESS_TANGLED, "");
    recipients_free(&recipients);
    accounts_free(&options.accounts);
}

/* wide - of so many names each, so deep: what all of them would come to takes for ever. */
static void wide(char *out, size_t size, unsigned names, unsigned depth)
{
    size_t n = 0;

    for (unsigned d = 0; d < depth; d++) {
        n += (size_t)snprintf(out + n, size - n, "w%u:", d);
        for (unsigned i = 0; i < names; i++)
            n += (size_t)snprintf(out + n, size - n, "%s %s%u", i ? "," : "",
                                  d + 1 < depth ? "w" : "alice+", d + 1 < depth ? d + 1 : i);
        n += (size_t)snprintf(out + n, size - n, "\n");
    }
    assert_true(n < size);
}

static void test_resolver_does_not_multiply(void **state)
{
    struct recipients_options options;
    struct recipients *recipients;
    char text[20000];

    (void)state;
    wide(text, sizeof text, 40, 9);
    file_write(aliases_path, text);
    recipients = resolver(&options);
    ask(recipients, "w0@example.org", ADDRESS_TANGLED, "");
    recipients_free(&recipients);
    accounts_free(&options.accounts);
    for (unsigned count = 1000; count < 1002; count++) {
        struct address_targets targets;

        wide(text, sizeof text, count, 1);
        file_write(aliases_path, text);
        recipients = resolver(&options);
        assert_int_equal(recipients_find(recipients, SPAN("w0"), SPAN("example.org"), &targets),
                         count == 1000 ? ADDRESS_FOUND : ADDRESS_TANGLED);
        assert_int_equal(targets.count, count == 1000 ? 1000 : 0);
        address_targets_free(&targets);
        recipients_free(&recipients);
        accounts_free(&options.accounts);
    }
    file_write(aliases_path, ALIASES);
}

/* a change is seen; one that cannot be read leaves what was */
static void test_resolver_reads_a_file_again(void **state)
{
    static const struct {
        const char *text, *users;
    } rows[] = {{"new: bob\n", "bob"},
                {"new: a@elsewhere.example\n", "bob"},
                {"new: alice # again\n", "alice"}};
    struct recipients_options options;
    struct recipients *recipients = resolver(&options);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        file_write(aliases_path, rows[i].text);
        usleep(1100000); /* it is looked at once a second */
        ask(recipients, "new@example.org", ADDRESS_FOUND, rows[i].users);
    }
    recipients_free(&recipients);
    accounts_free(&options.accounts);
    file_write(aliases_path, ALIASES);
}

/* no target is outside (R3): told with its line */
static void test_resolver_leads_nowhere_else(void **state)
{
    struct recipients_options options = {
        .domains = domains, .aliases = aliases_path, .delimiters = "+"};
    struct recipients *recipients = NULL;

    (void)state;
    assert_int_equal(accounts_file_new(&options.accounts, users_path), 0);
    file_write(aliases_path, "a: alice\nb: alice, x@elsewhere.example\n");
    assert_int_equal(recipients_new(&recipients, &options), POSTERN_E_SYNTAX);
    assert_non_null(strstr(accounts_error(), ":2: a target is in no local domain"));
    assert_null(recipients);
    accounts_free(&options.accounts);
    file_write(aliases_path, ALIASES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resolver_goes_in_order),
        cmocka_unit_test(test_resolver_ends),
        cmocka_unit_test(test_resolver_does_not_multiply),
        cmocka_unit_test(test_resolver_reads_a_file_again),
        cmocka_unit_test(test_resolver_leads_nowhere_else),
    };
    int failed;

    assert_true(close(mkstemp(users_path)) == 0 && close(mkstemp(aliases_path)) == 0);
    file_write(users_path, USERS);
    file_write(aliases_path, ALIASES);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(users_path);
    unlink(aliases_path);
    return failed;
}
