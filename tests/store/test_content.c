/* SPDX-License-Identifier: MIT */
/* test_content - what is told of messages, and what is read of them, over each of the stores. */
#include "suite.h"

#include <postern/mime.h>

#define MAIL "Subject: x\r\n\r\n.dot\r\nend\r\n"

struct fact_case {
    const char *content, *stored; /* stored NULL: as it came */
    uint64_t wire;
    bool clean;
};

/* R36 R37 R38: line ends are stored as CRLF; sizes count them; only what can go out untouched is
 * called clean. */
static void test_facts(void **state)
{
    static const struct fact_case cases[] = {
        {"", NULL, 0, true},
        {"a", NULL, 3, false},
        {"a\n", "a\r\n", 3, true},
        {"a\r\n", NULL, 3, true},
        {"a\r\nb", NULL, 6, false},
        {"a\nb\r\nc\n", "a\r\nb\r\nc\r\n", 9, true},
        {".\r\n", NULL, 3, false},
        {"a\r\n.b\r\n", NULL, 7, false},
        {"a.b\r\n..", NULL, 9, false},
        {"a\rb\r\n", NULL, 5, true},
        {"a\r\n\r\n\r\n", NULL, 7, true},
        {"\n", "\r\n", 2, true},
        {"\r", NULL, 3, false},
        {"a\r\r\n", NULL, 4, true},
    };
    struct world w;

    world_open(&w, *state);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *stored = cases[i].stored ? cases[i].stored : cases[i].content;
        char uid[POSTERN_UID_MAX + 1];
        struct postern_content *content = NULL;
        struct postern_facts facts;
        struct postern_entry entry;
        uint32_t number;

        deliver(&w, cases[i].content, uid);
        assert_content(&w, text(uid), stored);
        assert_int_equal(w.ops->find(w.box, text(uid), &entry, &number), 0);
        assert_int_equal(entry.size_bytes, cases[i].wire);
        assert_int_equal(postern_store_message(&w.store, w.box, text(uid), 0, &content, &facts), 0);
        if (*cases[i].content) /* of nothing, both can be said */
            assert_int_equal(facts.wire_clean, cases[i].clean);
        if (facts.fd >= 0) {
            char bytes[16];

            assert_int_equal(pread(facts.fd, bytes, facts.size_raw, (off_t)facts.fd_offset),
                             facts.size_raw);
            assert_memory_equal(bytes, stored, facts.size_raw);
        }
        w.ops->content_close(&content);
    }
    world_close(&w);
}

static void test_utf8_header_is_told(void **state)
{
    struct world w;
    struct postern_entry entry;
    uint32_t number;
    char plain[POSTERN_UID_MAX + 1], header[POSTERN_UID_MAX + 1];

    world_open(&w, *state);
    deliver(&w,
            "Subject: plain\n\nGr\xc3\xbc\xc3\x9f"
            "e\n",
            plain);
    deliver(&w,
            "Subject: Gr\xc3\xbc\xc3\x9f"
            "e\n\nplain\n",
            header);
    assert_int_equal(w.ops->find(w.box, text(plain), &entry, &number), 0);
    assert_int_equal(entry.flags & POSTERN_ENTRY_UTF8, 0);
    assert_int_equal(w.ops->find(w.box, text(header), &entry, &number), 0);
    assert_int_equal(entry.flags & POSTERN_ENTRY_UTF8, POSTERN_ENTRY_UTF8);
    world_close(&w);
}

/* A message of many blocks, given in LF form, comes out whole from any offset; beyond its end there
 * is nothing. */
static void test_large(void **state)
{
    enum { LINES = 20000, LINE = 11 };
    char *bytes = malloc(LINES * LINE + 1), *sent = malloc(LINES * LINE), uid[POSTERN_UID_MAX + 1],
         part[LINE * 3];
    struct world w;
    struct postern_content *content = NULL;
    struct postern_facts facts;

    assert_non_null(bytes);
    assert_non_null(sent);
    for (size_t i = 0; i < LINES; i++) {
        snprintf(bytes + i * LINE, LINE + 1, "line%05zu\r\n", i);
        snprintf(sent + i * (LINE - 1), LINE, "line%05zu\n", i);
    }
    world_open(&w, *state);
    deliver(&w, sent, uid);
    free(sent);
    assert_int_equal(postern_store_message(&w.store, w.box, text(uid), 0, &content, &facts), 0);
    assert_int_equal(facts.size_raw, LINES * LINE);
    assert_int_equal(facts.size_wire, LINES * LINE);
    assert_true(facts.wire_clean);
    for (size_t at = 0; at + sizeof part <= LINES * LINE; at += 65521) {
        assert_int_equal(w.ops->read(content, at, part, sizeof part), sizeof part);
        assert_memory_equal(part, bytes + at, sizeof part);
    }
    assert_int_equal(w.ops->read(content, LINES * LINE - 1, part, sizeof part), 1);
    assert_int_equal(w.ops->read(content, LINES * LINE, part, sizeof part), 0);
    assert_int_equal(w.ops->read(content, LINES * LINE + 1, part, sizeof part), 0);
    assert_int_equal(w.ops->read(content, UINT64_MAX, part, sizeof part), 0);
    w.ops->content_close(&content);
    world_close(&w);
    free(bytes);
}

/* Of several messages the first ones' parsed forms, as far as there is room, the same as one alone.
 */
static void test_structures(void **state)
{
    struct world w;
    struct postern_structure all[4];
    struct postern_entry entry;
    struct postern_span block;
    char unique[POSTERN_UID_MAX + 1], bytes[4000];
    uint32_t uids[4];

    world_open(&w, *state);
    for (unsigned i = 0; i < 3; i++) {
        snprintf(bytes, sizeof bytes, "Subject: %u\nX-Long: %0*u\n\nx\n", i, 1000, i);
        deliver(&w, bytes, unique);
        assert_int_equal(w.ops->find(w.box, text(unique), &entry, &uids[i]), 0);
    }
    uids[3] = uids[2] + 1; /* nobody's */
    for (size_t size = 0; w.ops->structures && size <= 8192; size += 4096) {
        char *room = malloc(size + 1);
        int n = w.ops->structures(w.box, uids, 4, 0, room, size, all);

        assert_in_range(n, 0, size ? 3 : 0);
        for (int i = 0; i < n; i++) {
            assert_int_equal(all[i].uid, uids[i]);
            assert_int_equal(w.ops->structure(w.box, uids[i], 0, &block), 0);
            assert_int_equal(all[i].block.n, block.n);
            assert_memory_equal(all[i].block.p, block.p, block.n);
            free((char *)block.p);
        }
        free(room);
    }
    world_close(&w);
}

/* The parsed form tells the parts of the message that was delivered. */
static void test_structure(void **state)
{
    struct world w;
    struct postern_entry entry;
    struct postern_span block = {0};
    struct postern_mime_facts facts;
    struct postern_mime_part part;
    char unique[POSTERN_UID_MAX + 1];
    uint32_t uid;

    world_open(&w, *state);
    deliver(&w, "Subject: s\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--\n",
            unique);
    assert_int_equal(w.ops->find(w.box, text(unique), &entry, &uid), 0);
    assert_int_equal(w.ops->structure(w.box, uid, 0, &block), 0);
    assert_true(postern_mime_check(block));
    postern_mime_facts(block, &facts);
    assert_int_equal(facts.parts, 2);
    assert_int_equal(facts.size_wire, entry.size_bytes);
    assert_true(is(postern_mime_field(block, 0, POSTERN_MIME_SUBJECT, 0), "s"));
    postern_mime_part(block, 1, &part);
    assert_int_equal(part.body.raw_end - part.body.raw, 1);
    free((char *)block.p);
    assert_int_equal(w.ops->structure(w.box, uid + 1, 0, &block), POSTERN_E_NOT_FOUND);
    world_close(&w);
}

/* Who has a message open reads it to the end, though another session deletes it. */
static void test_read_while_deleted(void **state)
{
    struct world w;
    struct postern_mailbox *other = NULL;
    struct postern_content *content = NULL;
    struct postern_facts facts;
    struct postern_span span;
    char uid[POSTERN_UID_MAX + 1], bytes[64];

    world_open(&w, *state);
    deliver(&w, MAIL, uid);
    span = text(uid);
    assert_int_equal(postern_store_message(&w.store, w.box, span, 0, &content, &facts), 0);
    assert_int_equal(postern_store_inbox(&w.store, text("ann"), 0, &other), 0);
    assert_int_equal(w.ops->lock(other), 0);
    assert_int_equal(postern_store_expunge(&w.store, other, &span, 1), 0);
    w.ops->close(&other);
    assert_int_equal(w.ops->read(content, 0, bytes, sizeof bytes), strlen(MAIL));
    assert_memory_equal(bytes, MAIL, strlen(MAIL));
    w.ops->content_close(&content);
    assert_int_equal(count_now(&w), 0);
    world_close(&w);
}

/* R10: every unique-id has 1 to 70 characters of 0x21 to 0x7E, whatever the store makes them of. */
static void test_uids_are_proper(void **state)
{
    struct world w;
    struct postern_snapshot *snapshot;

    world_open(&w, *state);
    for (int i = 0; i < 30; i++)
        deliver(&w, MAIL, NULL);
    snapshot = snapshot_of(&w);
    assert_int_equal(snapshot->list.count, 30);
    for (size_t i = 0; i < 30; i++) {
        struct postern_span uid = uid_at(snapshot, i);

        assert_in_range(uid.n, 1, POSTERN_UID_MAX);
        for (size_t j = 0; j < uid.n; j++)
            assert_in_range(uid.p[j], 0x21, 0x7e);
        for (size_t j = 0; j < i; j++) {
            struct postern_span other = uid_at(snapshot, j);

            assert_false(other.n == uid.n && memcmp(other.p, uid.p, uid.n) == 0);
        }
    }
    postern_snapshot_unref(&snapshot);
    world_close(&w);
}

#define OVER(kind)                                                                     \
    ONE(kind, test_facts), ONE(kind, test_utf8_header_is_told), ONE(kind, test_large), \
        ONE(kind, test_read_while_deleted), ONE(kind, test_uids_are_proper),           \
        ONE(kind, test_structure), ONE(kind, test_structures)

int main(void)
{
    const struct CMUnitTest tests[] = {OVER("memory"), OVER("eml"), OVER("maildir")};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
