/* SPDX-License-Identifier: MIT */
/* Whose mail is it, by domains in either of their forms (E2): in the settings, the aliases, the
 * names of accounts, and what a peer says. */
#include "cmocka_all.h"

#include "accounts/domain.h"
#include "accounts/recipients.h"
#include "base/span.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define A_LABEL "xn--bcher-kva.example"
#define U_LABEL \
    "b\xc3\xbc" \
    "cher.example"
#define U_UPPER \
    "B\xc3\x9c" \
    "CHER.Example"
#define U_APART  \
    "bu\xcc\x88" \
    "cher.example" /* u and the diaeresis apart */

static void assert_normal(struct postern_span domain, const char *normal)
{
    char out[DOMAIN_BYTES];
    size_t n = domain_normal(domain, out, sizeof out);

    assert_int_equal(n, strlen(normal));
    assert_memory_equal(out, normal, n);
}

static void test_domain_has_one_form(void **state)
{
    static const char *const same[] = {A_LABEL, U_LABEL, U_UPPER, U_APART, "XN--BCHER-KVA.EXAMPLE"};

    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        assert_normal(postern_span_of(same[i]), A_LABEL);
    assert_normal(SPAN("Mail.EXAMPLE.org"), "mail.example.org");
    assert_normal(SPAN("fa\xc3\x9f.example"), "xn--fa-hia.example"); /* no transition to "ss" */
    assert_normal(SPAN("[192.0.2.1]"), "[192.0.2.1]");
    assert_normal(SPAN(""), "");
}

/* what is none is like itself alone, and nothing is written past the end */
static void test_domain_that_is_no_idn(void **state)
{
    char long_one[400], out[DOMAIN_BYTES];

    (void)state;
    assert_normal(SPAN("a\xff.example"), "a\xff.example");
    assert_normal(SPAN("\xe2\x80\x8f.example"), "\xe2\x80\x8f.example");
    assert_int_equal(domain_normal(span_make("\xc3\xbc\0.example", 11), out, sizeof out), 11);
    assert_memory_equal(out, "\xc3\xbc\0.example", 11);
    memset(long_one, 'a', sizeof long_one);
    assert_int_equal(domain_normal(span_make(long_one, 256), out, sizeof out), 256);
    assert_int_equal(domain_normal(span_make(long_one, 257), out, sizeof out), 0);
    memcpy(long_one, "\xc3\xbc", 2);
    assert_int_equal(domain_normal(span_make(long_one, 400), out, sizeof out), 0);
    assert_int_equal(domain_normal(SPAN(U_LABEL), out, 5), 0);
    assert_int_equal(domain_unicode(SPAN(A_LABEL), out, 5), 0);
    assert_int_equal(domain_unicode(SPAN("example.org"), out, sizeof out), 0);
    assert_int_equal(domain_unicode(SPAN("xn--\xff.example"), out, sizeof out), 0);
}

/* ---- the resolver ---------------------------------------------------------------------------- */

static char users_path[] = "/tmp/postern-users-XXXXXX",
            aliases_path[] = "/tmp/postern-alias-XXXXXX";

static void file_make(char *path, const char *text)
{
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void assert_found(struct recipients *recipients, const char *address, const char *users)
{
    struct postern_span domain = postern_span_of(address), local = span_cut(&domain, '@');
    struct address_targets targets;
    int found = recipients_find(recipients, local, domain, &targets);
    char text[1024] = "";

    for (size_t i = 0; i < targets.count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "",
                 targets.all[i].user);
    if (strcmp(text, users) != 0)
        fail_msg("%s: %s and not %s", address, text, users);
    assert_int_equal(found == ADDRESS_FOUND, *users != '\0');
    address_targets_free(&targets);
}

static void resolve_all(const char *const *domains)
{
    static const char *const forms[] = {A_LABEL, U_LABEL, U_UPPER, U_APART};
    struct recipients_options options = {
        .domains = domains, .aliases = aliases_path, .delimiters = "+"};
    struct recipients *recipients = NULL;
    char address[200];

    assert_int_equal(accounts_file_new(&options.accounts, users_path), 0);
    assert_int_equal(recipients_new(&recipients, &options), 0);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        static const struct {
            const char *local, *users;
        } all[] = {{"ann", "ann@" U_LABEL}, /* an account, as it is written */
                   {"bob", "bob@" A_LABEL},
                   {"Carl+x", "carl"},
                   {"both", "ann@" U_LABEL " bob@" A_LABEL},
                   {"there", "carl"},
                   {"\xc3\xa9ric", "carl"}, /* a local part is no domain */
                   {"nobody", ""}};

        for (size_t j = 0; j < sizeof all / sizeof *all; j++) {
            snprintf(address, sizeof address, "%s@%s", all[j].local, forms[i]);
            assert_found(recipients, address, all[j].users);
        }
    }
    assert_found(recipients, "any@xn--fa-hia.example", "carl");
    assert_found(recipients, "any@fa\xc3\x9f.example", "carl");
    assert_found(recipients, "any@fass.example", "");
    assert_found(recipients,
                 "ann@b\xc3\xa4"
                 "cher.example",
                 "");
    assert_found(recipients,
                 "ann@b\xff"
                 "cher.example",
                 "");
    recipients_free(&recipients);
    accounts_free(&options.accounts);
}

static void test_recipients_by_either_form(void **state)
{
    static const char *const by_u[] = {U_LABEL, "fa\xc3\x9f.example", NULL},
                             *const by_a[] = {"XN--bcher-kva.example", "xn--fa-hia.example", NULL};

    (void)state;
    resolve_all(by_u);
    resolve_all(by_a);
}

/* a target elsewhere is told, in whatever form (R3) */
static void test_recipients_of_aliases_elsewhere(void **state)
{
    static const char *const domains[] = {"example.org", NULL};
    struct recipients_options options = {
        .domains = domains, .aliases = aliases_path, .delimiters = "+"};
    struct recipients *recipients = NULL;

    (void)state;
    assert_int_equal(accounts_file_new(&options.accounts, users_path), 0);
    assert_int_equal(recipients_new(&recipients, &options), POSTERN_E_SYNTAX);
    assert_non_null(strstr(accounts_error(), ":3: a target is in no local domain"));
    accounts_free(&options.accounts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_domain_has_one_form),
        cmocka_unit_test(test_domain_that_is_no_idn),
        cmocka_unit_test(test_recipients_by_either_form),
        cmocka_unit_test(test_recipients_of_aliases_elsewhere),
    };
    int failed;

    file_make(users_path, "ann@" U_LABEL ":x\nbob@" A_LABEL ":x\ncarl:x\n");
    file_make(aliases_path, "both@" A_LABEL ": ann@" U_UPPER ", bob@" U_APART "\n"
                            "there@" U_UPPER ": carl@" A_LABEL "\n"
                            "@fa\xc3\x9f.example: carl@" U_LABEL " # @ to the rest\n"
                            "\xc3\xa9ric: carl\n");
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(users_path);
    unlink(aliases_path);
    return failed;
}
