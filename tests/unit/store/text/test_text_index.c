/* SPDX-License-Identifier: MIT */
/* test_text_index - what was added is found, whatever is asked of it; what was taken back is not
 * known; a damaged file is made anew. Built without the index, all say so. */
#include "cmocka_all.h"

#include "base/span.h"
#include "store/text/text_index.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct text_box box = {7, 99}, later = {7, 100};

struct place {
    char folder[64], file[96];
    struct text_index *index;
};

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    if (!place)
        return -1;
    strcpy(place->folder, "/tmp/postern-text-XXXXXX");
    if (!mkdtemp(place->folder))
        return -1;
    snprintf(place->file, sizeof place->file, "%s/text", place->folder);
    *state = place;
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;

    text_index_close(&place->index);
    unlink(place->file);
    rmdir(place->folder);
    free(place);
    return 0;
}

static bool opens(struct place *place)
{
    int err = text_index_open(&place->index, place->folder);

    assert_int_equal(err, text_index_is_built() ? 0 : POSTERN_E_UNSUPPORTED);
    return !err;
}

static void add(struct place *place, uint32_t uid, const char *text)
{
    assert_int_equal(text_index_add(place->index, &box, uid, postern_span_of(text)), 0);
}

/* fill - UIDs 1 to 6 but 4, which is not known. */
static void fill(struct place *place)
{
    assert_int_equal(text_index_begin(place->index), 0);
    add(place, 1, "AN APPLE A DAY");
    add(place, 2, "KEEPS \"THE\" DOCTOR\1AWAY");
    add(place, 3,
        "\xff\xe2\x82"
        "APPLE\x80PIE");
    assert_int_equal(text_index_add(place->index, &box, 4, (struct postern_span){NULL, 0}), 0);
    add(place, 5, "");
    add(place, 6, "GRU\xcc\x88N");
    assert_int_equal(text_index_commit(place->index, &box, 8), 0);
}

/* find - the ranges as text. */
static const char *find(struct place *place, const struct text_box *of, const char *text)
{
    static char out[400];
    struct buffer ranges = {0};
    int err = text_index_find(place->index, of, postern_span_of(text), &ranges);
    const struct postern_uid_range *all =
        (const struct postern_uid_range *)(const void *)(err ? NULL : buffer_span(&ranges).p);
    size_t n = 0, count = buffer_length(&ranges) / sizeof *all;

    out[0] = '\0';
    for (size_t i = 0; i < count; i++)
        n += (size_t)snprintf(out + n, sizeof out - n, i ? ",%u:%u" : "%u:%u", all[i].first,
                              all[i].last);
    buffer_done(&ranges);
    return err == POSTERN_E_NOT_FOUND ? "any" : err ? "error" : out;
}

static void test_what_is_there_is_found(void **state)
{
    struct place *place = *state;

    if (!opens(place))
        return;
    fill(place);
    assert_string_equal(find(place, &box, "APPLE"), "1:1,3:4,9:4294967295");
    assert_string_equal(find(place, &box, "\"THE\" D"), "2:2,4:4,9:4294967295");
    assert_string_equal(find(place, &box, "OCTORAW"), "4:4,9:4294967295");
    assert_string_equal(find(place, &box, "RU\xcc\x88"), "4:4,6:6,9:4294967295");
    assert_string_equal(find(place, &box, "PIE"), "3:4,9:4294967295");
    assert_string_equal(find(place, &box, "apple"), "4:4,9:4294967295"); /* folded elsewhere */
    assert_string_equal(find(place, &later, "APPLE"), "1:4294967295");
}

static void test_what_cannot_be_looked_up(void **state)
{
    struct place *place = *state;

    if (!opens(place))
        return;
    fill(place);
    assert_string_equal(find(place, &box, "AP"), "any");
    assert_string_equal(find(place, &box, "\xc3\x9c\xc3\x9c"), "any"); /* two characters */
    assert_string_equal(find(place, &box, "APP\xff"), "any");
}

static void test_a_set_is_there_or_not(void **state)
{
    struct place *place = *state;
    uint64_t count;
    uint32_t upto;

    if (!opens(place))
        return;
    fill(place);
    assert_int_equal(text_index_begin(place->index), 0);
    add(place, 9, "APPLE");
    text_index_abort(place->index);
    assert_string_equal(find(place, &box, "APPLE"), "1:1,3:4,9:4294967295");
    assert_int_equal(text_index_begin(place->index), 0);
    add(place, 9, "PEAR");
    text_index_close(&place->index); /* in the middle of it */
    assert_true(opens(place));
    assert_int_equal(text_index_upto(place->index, &box, &upto, &count), 0);
    assert_int_equal(upto, 8);
    assert_int_equal(count, 5);
    assert_string_equal(find(place, &box, "PEAR"), "4:4,9:4294967295");
    assert_int_equal(text_index_clear(place->index), 0);
    assert_string_equal(find(place, &box, "APPLE"), "1:4294967295");
}

static void test_damage_begins_anew(void **state)
{
    struct place *place = *state;
    int fd;

    if (!opens(place))
        return;
    fill(place);
    text_index_close(&place->index);
    fd = open(place->file, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "no such thing", 13, 0), 13);
    close(fd);
    assert_true(opens(place));
    assert_string_equal(find(place, &box, "APPLE"), "1:4294967295");
    fill(place);
    assert_string_equal(find(place, &box, "APPLE"), "1:1,3:4,9:4294967295");
}

static void test_somebody_else_writes(void **state)
{
    struct place *place = *state;
    struct text_index *other = NULL;

    if (!opens(place))
        return;
    fill(place);
    assert_int_equal(text_index_open(&other, place->folder), 0);
    assert_int_equal(text_index_begin(other), 0);
    assert_int_equal(text_index_begin(place->index), POSTERN_E_AGAIN);
    assert_string_equal(find(place, &box, "PIE"), "3:4,9:4294967295");
    text_index_close(&other);
    assert_int_equal(text_index_begin(place->index), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_there_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_looked_up, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_set_is_there_or_not, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damage_begins_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(test_somebody_else_writes, setup, teardown)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
