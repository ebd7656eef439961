/* SPDX-License-Identifier: MIT */
/* fuzz_imap_set - sets and ranges, of numbers and of UIDs: taken or refused as a table of all
 * messages says, which is slow and simple. UIDs 2 and 4 to 6 are gone. */
#include "fuzz_imap.h"

#define UIDS 12
#define SET_MOST 200

static const uint32_t uids[] = {1, 3, 7, 8, 9, 10, 11, 12};
enum { MESSAGES = sizeof uids / sizeof *uids };

/* one_end - 0: it is none. Zeros may stand before it, up to twenty digits in all. */
static uint64_t one_end(struct postern_span *rest, uint64_t star)
{
    uint64_t number = 0;
    unsigned digits = 0;

    if (span_begins(*rest, SPAN("*"))) {
        *rest = span_from(*rest, 1);
        return star;
    }
    for (; rest->n && rest->p[0] >= '0' && rest->p[0] <= '9'; *rest = span_from(*rest, 1), digits++)
        if (number <= UINT32_MAX)
            number = number * 10 + (uint64_t)(rest->p[0] - '0');
    return number <= UINT32_MAX && digits <= 20 ? number : 0;
}

/* table_says - which messages are meant; false: it is no set. */
static bool table_says(struct postern_span set, bool by_uid, bool meant[MESSAGES])
{
    struct postern_span rest = set;

    do {
        uint64_t a = one_end(&rest, by_uid ? UIDS : MESSAGES), b = a;

        if (span_begins(rest, SPAN(":"))) {
            rest = span_from(rest, 1);
            b = one_end(&rest, by_uid ? UIDS : MESSAGES);
        }
        if (!a || !b) /* a number that no message has is searched for in vain */
            return false;
        for (unsigned i = 0; i < MESSAGES; i++) {
            uint64_t key = by_uid ? uids[i] : i + 1;

            meant[i] |= key >= (a < b ? a : b) && key <= (a < b ? b : a);
        }
        if (!rest.n)
            return true;
        if (rest.p[0] != ',')
            return false;
        rest = span_from(rest, 1);
    } while (true);
}

static void compare(struct host_session *s, struct postern_span set, bool by_uid)
{
    char line[SET_MOST + 100], expected[200] = "* SEARCH";
    bool meant[MESSAGES] = {false}, good = table_says(set, by_uid, meant);
    int n =
        snprintf(line, sizeof line, "x UID SEARCH %s%.*s", by_uid ? "UID " : "", (int)set.n, set.p);
    size_t at = strlen(expected);

    for (unsigned i = 0; i < MESSAGES; i++)
        if (meant[i])
            at += (size_t)snprintf(expected + at, sizeof expected - at, " %u", uids[i]);
    snprintf(expected + at, sizeof expected - at, "\r\n");
    fuzz_say(s, span_make(line, (size_t)n), false);
    if (good != fuzz_is_ok(s) || (good && strncmp(s->said, expected, strlen(expected)) != 0))
        fuzz_fail(s, expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct postern_span set = span_make((const char *)data, size);
    struct host_session s;
    struct host host;

    if (size == 0 || size > SET_MOST)
        return 0;
    for (size_t i = 0; i < size; i++) /* other octets are other keys, or more than one */
        if (!strchr("0123456789:*,", (char)data[i]) || !data[i])
            return 0;
    host_open(&host);
    for (unsigned i = 0; i < UIDS; i++)
        fuzz_deliver(&host, SPAN("mail"));
    fuzz_select(&host, &s);
    fuzz_say(&s, SPAN("x UID STORE 2,4:6 FLAGS (\\Deleted)"), false);
    fuzz_say(&s, SPAN("x EXPUNGE"), false);
    compare(&s, set, true);
    compare(&s, set, false);
    fuzz_over(&host, &s);
    return 0;
}

#include "replay.h"
