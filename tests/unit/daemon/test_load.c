/* SPDX-License-Identifier: MIT */
/* test_load - a folder of .eml files becomes messages, in the order of their names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/span.h"
#include "daemon/load.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[] = "/tmp/postern-load-XXXXXX";

static void file_write(const char *name, const char *text)
{
    char path[128];
    FILE *out;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static void file_remove(const char *name)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
}

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    file_write("02-b.EML", "Subject: b\r\n\r\n12345\r\n");
    file_write("01-a.eml", "Subject: a\r\n\r\n");
    file_write("notes.txt", "not a message");
    file_write(".hidden.eml", "nor this");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    file_remove("02-b.EML");
    file_remove("01-a.eml");
    file_remove("notes.txt");
    file_remove(".hidden.eml");
    return rmdir(folder);
}

static void test_files_come_in_order(void **state)
{
    struct postern_snapshot *snapshot = NULL;
    struct postern_mailbox *mailbox = NULL;
    struct postern_store store;

    (void)state;
    assert_int_equal(postern_store_memory_new(&store), 0);
    assert_int_equal(load_folder(&store, SPAN("demo"), folder), 2);
    assert_int_equal(postern_store_inbox(&store, SPAN("demo"), 0, &mailbox), 0);
    assert_int_equal(store.ops->snapshot(mailbox, 0, &snapshot), 0);
    assert_int_equal(snapshot->list.count, 2);
    assert_int_equal(snapshot->list.entries[0].size_bytes, 14);
    assert_int_equal(snapshot->list.entries[1].size_bytes, 21);
    postern_snapshot_unref(&snapshot);
    store.ops->close(&mailbox);
    postern_store_free(&store);
}

static void test_no_folder(void **state)
{
    struct postern_store store;

    (void)state;
    assert_int_equal(postern_store_memory_new(&store), 0);
    assert_int_equal(load_folder(&store, SPAN("demo"), "/nonexistent"), POSTERN_E_NOT_FOUND);
    postern_store_free(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_come_in_order),
        cmocka_unit_test(test_no_folder),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
