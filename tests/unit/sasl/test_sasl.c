/* SPDX-License-Identifier: MIT */
#include "cmocka_all.h"

#include "base/span.h"
#include <postern/sasl.h>

static struct postern_sasl *begin(unsigned mechanism)
{
    struct postern_sasl_options options = {.tls_identity = SPAN("cert")};
    struct postern_sasl *sasl;
    assert_int_equal(postern_sasl_new(&sasl, mechanism, &options), 0);
    return sasl;
}

static int once(unsigned mechanism, struct postern_span response)
{
    struct postern_sasl *sasl = begin(mechanism);
    int result = postern_sasl_step(sasl, true, response);
    postern_sasl_free(&sasl);
    return result;
}

static void test_plain_gives_facts(void **state)
{
    struct postern_sasl *sasl = begin(POSTERN_SASL_PLAIN);
    (void)state;
    assert_int_equal(postern_sasl_step(sasl, false, SPAN("")), POSTERN_SASL_CHALLENGE);
    assert_int_equal(postern_sasl_challenge(sasl).n, 0);
    assert_int_equal(postern_sasl_step(sasl, true, SPAN("z\0tim\0pw")), POSTERN_SASL_VERIFY);
    assert_true(span_equal(postern_sasl_facts(sasl)->authzid, SPAN("z")));
    assert_true(span_equal(postern_sasl_facts(sasl)->authcid, SPAN("tim")));
    assert_true(span_equal(postern_sasl_facts(sasl)->password, SPAN("pw")));
    assert_int_equal(postern_sasl_step(sasl, true, SPAN("")), POSTERN_E_USAGE);
    assert_int_equal(postern_sasl_verified(sasl, true), POSTERN_SASL_DONE);
    assert_int_equal(postern_sasl_verified(sasl, true), POSTERN_E_USAGE);
    postern_sasl_free(&sasl);
}

/* R79, R86: malformed, empty, empty after preparation, prohibited */
static void test_plain_refuses(void **state)
{
    (void)state;
    assert_int_equal(once(POSTERN_SASL_PLAIN, SPAN("")), POSTERN_SASL_FAILED);
    assert_int_equal(once(POSTERN_SASL_PLAIN, SPAN("\0tim")), POSTERN_SASL_FAILED);
    assert_int_equal(once(POSTERN_SASL_PLAIN, SPAN("\0tim\0")), POSTERN_SASL_FAILED);
    assert_int_equal(once(POSTERN_SASL_PLAIN, SPAN("\0\0pw")), POSTERN_SASL_FAILED);
    assert_int_equal(once(POSTERN_SASL_PLAIN, SPAN("\0tim\0pw\0")), POSTERN_SASL_FAILED);
    assert_int_equal(once(POSTERN_SASL_PLAIN, SPAN("\xc2\xad\0tim\0pw")), POSTERN_SASL_FAILED);
    assert_int_equal(once(POSTERN_SASL_PLAIN, SPAN("\0t\xff\0pw")), POSTERN_SASL_FAILED);
}

static void test_login_asks_twice(void **state)
{
    struct postern_sasl *sasl = begin(POSTERN_SASL_LOGIN);
    (void)state;
    assert_int_equal(postern_sasl_step(sasl, false, SPAN("")), POSTERN_SASL_CHALLENGE);
    assert_true(span_equal(postern_sasl_challenge(sasl), SPAN("Username:")));
    assert_int_equal(postern_sasl_step(sasl, true, SPAN("tim")), POSTERN_SASL_CHALLENGE);
    assert_true(span_equal(postern_sasl_challenge(sasl), SPAN("Password:")));
    assert_int_equal(postern_sasl_step(sasl, true, SPAN("pw")), POSTERN_SASL_VERIFY);
    assert_int_equal(postern_sasl_verified(sasl, false), POSTERN_SASL_FAILED);
    postern_sasl_free(&sasl);
}

static void test_bearer_refusal_is_a_challenge_first(void **state)
{
    struct postern_sasl *sasl = begin(POSTERN_SASL_OAUTHBEARER);
    (void)state;
    assert_int_equal(postern_sasl_step(sasl, true, SPAN("n,a=u=2Cv,\1host=h\1auth=Bearer t0k\1\1")),
                     POSTERN_SASL_VERIFY);
    assert_true(span_equal(postern_sasl_facts(sasl)->authcid, SPAN("u,v")));
    assert_true(span_equal(postern_sasl_facts(sasl)->token, SPAN("t0k")));
    assert_int_equal(postern_sasl_verified(sasl, false), POSTERN_SASL_CHALLENGE);
    assert_true(span_equal(postern_sasl_challenge(sasl), SPAN("{\"status\":\"invalid_token\"}")));
    assert_int_equal(postern_sasl_step(sasl, true, SPAN("\1")), POSTERN_SASL_FAILED);
    postern_sasl_free(&sasl);
    assert_int_equal(once(POSTERN_SASL_XOAUTH2, SPAN("user=u\1auth=Bearer t\1\1")),
                     POSTERN_SASL_VERIFY);
    assert_int_equal(once(POSTERN_SASL_XOAUTH2, SPAN("user=u\1auth=Bearer t\1")),
                     POSTERN_SASL_FAILED);
}

static void test_external_takes_the_certificate(void **state)
{
    struct postern_sasl *sasl = begin(POSTERN_SASL_EXTERNAL);
    (void)state;
    assert_int_equal(postern_sasl_step(sasl, true, SPAN("other")), POSTERN_SASL_VERIFY);
    assert_true(span_equal(postern_sasl_facts(sasl)->authcid, SPAN("cert")));
    assert_true(span_equal(postern_sasl_facts(sasl)->authzid, SPAN("other")));
    postern_sasl_free(&sasl);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_gives_facts),
        cmocka_unit_test(test_plain_refuses),
        cmocka_unit_test(test_login_asks_twice),
        cmocka_unit_test(test_bearer_refusal_is_a_challenge_first),
        cmocka_unit_test(test_external_takes_the_certificate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
