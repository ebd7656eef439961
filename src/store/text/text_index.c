/* SPDX-License-Identifier: MIT */
/* text_index - the file: opened, made, written. Each commit is a whole transaction of SQLite with
 * its journal synced, so that a power cut leaves the one before; nothing is written while mail is
 * delivered. TRAP: SQLite has no checksums. What it finds damaged is thrown away; a flipped bit
 * that it does not find could hide a message from a search until the file is deleted. */
#include "store/text/text_index.h"

#ifdef POSTERN_WITH_FTS
#include "base/memory.h"
#include "base/span.h"
#include "codec/utf8.h"
#include "store/text/sqlite.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "text"
#define VERSION 1
#define UNKNOWN_OCTET '\1' /* for what is no UTF-8, and NUL, at which SQLite would stop */

static const char schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS box (slot INTEGER PRIMARY KEY, id INTEGER, validity INTEGER, upto "
    "INTEGER,"
    " added INTEGER, UNIQUE (id, validity));"
    "CREATE TABLE IF NOT EXISTS skipped (slot INTEGER, uid INTEGER, PRIMARY KEY (slot, uid)) "
    "WITHOUT ROWID;"
    "CREATE VIRTUAL TABLE IF NOT EXISTS text USING fts5 (t, content='', detail=none, columnsize=0,"
    " tokenize='trigram case_sensitive 1');"
    "INSERT INTO text (text, rank) VALUES ('hashsize', 8388608);"
    "PRAGMA user_version = 1;"
    "COMMIT;";

bool text_index_is_built(void)
{
    return true;
}

int sqlite_error(struct text_index *index, int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return POSTERN_E_AGAIN;
    case SQLITE_NOMEM:
        return POSTERN_E_NOMEM;
    case SQLITE_FULL:
        return POSTERN_E_FULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
    case SQLITE_ERROR: /* a table is not what it should be */
        index->broken = true;
        return POSTERN_E_CORRUPT;
    default:
        return POSTERN_E_IO;
    }
}

int sqlite_do(struct text_index *index, const char *sql)
{
    return sqlite_error(index, sqlite3_exec(index->db, sql, NULL, NULL, NULL));
}

/* ---- opening --------------------------------------------------------------------------------- */

/* make_file - for its owner alone, and nobody else's by a link. */
static int make_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
    struct stat st;
    bool good;

    if (fd < 0)
        return errno == ENOSPC || errno == EDQUOT ? POSTERN_E_FULL : POSTERN_E_IO;
    good = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1;
    close(fd);
    return good ? 0 : POSTERN_E_DENIED;
}

static int read_version(struct text_index *index, int *version_r)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(index->db, "PRAGMA user_version", -1, &statement, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    *version_r = code == SQLITE_ROW ? sqlite3_column_int(statement, 0) : 0;
    sqlite3_finalize(statement);
    return sqlite_error(index, code);
}

static int prepare(struct text_index *index)
{
    int version, err = sqlite_do(index, "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192;"
                                        "PRAGMA max_page_count = 262144;" /* 1 GiB */);

    if (!err)
        err = read_version(index, &version);
    if (!err && version == 0)
        err = sqlite_do(index, schema);
    if (!err && version != 0 && version != VERSION) {
        index->broken = true;
        err = POSTERN_E_CORRUPT;
    }
    return err;
}

static int open_once(struct text_index **index_r, const char *folder)
{
    struct text_index *index = memory_new(NULL, sizeof *index);
    int err;

    if (!index)
        return POSTERN_E_NOMEM;
    if ((size_t)snprintf(index->path, sizeof index->path, "%s/" FILE_NAME, folder) >=
        sizeof index->path - 16) {
        memory_free(NULL, index);
        return POSTERN_E_TOO_LONG;
    }
    err = make_file(index->path);
    if (!err)
        err = sqlite_error(index, sqlite3_open_v2(index->path, &index->db,
                                                  SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
                                                      SQLITE_OPEN_NOFOLLOW,
                                                  NULL));
    if (!err)
        err = prepare(index);
    if (err)
        text_index_close(&index);
    else
        *index_r = index;
    return err;
}

int text_index_open(struct text_index **index_r, const char *folder)
{
    int err = open_once(index_r, folder);

    return err == POSTERN_E_CORRUPT ? open_once(index_r, folder) : err;
}

void text_index_close(struct text_index **index)
{
    char journal[sizeof(*index)->path + 16];

    if (!index || !*index)
        return;
    sqlite3_close((*index)->db);
    if ((*index)->broken) {
        snprintf(journal, sizeof journal, "%s-journal", (*index)->path);
        unlink((*index)->path);
        unlink(journal);
    }
    memory_free(NULL, *index);
    *index = NULL;
}

int text_index_clear(struct text_index *index)
{
    return sqlite_do(index, "BEGIN IMMEDIATE; DELETE FROM box; DELETE FROM skipped;"
                            "INSERT INTO text (text) VALUES ('delete-all'); COMMIT; VACUUM");
}

/* ---- mailboxes ------------------------------------------------------------------------------- */

int sqlite_slot(struct text_index *index, const struct text_box *box, struct sqlite_box *box_r)
{
    static const char sql[] = "SELECT slot, upto, added FROM box WHERE id = ?1 AND validity = ?2";
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(index->db, sql, sizeof sql, &statement, NULL);

    *box_r = (struct sqlite_box){0};
    if (code == SQLITE_OK) {
        sqlite3_bind_int64(statement, 1, (sqlite3_int64)box->id);
        sqlite3_bind_int64(statement, 2, box->validity);
        code = sqlite3_step(statement);
    }
    if (code == SQLITE_ROW) {
        box_r->slot = sqlite3_column_int64(statement, 0);
        box_r->upto = (uint32_t)sqlite3_column_int64(statement, 1);
        box_r->added = (uint64_t)sqlite3_column_int64(statement, 2);
    }
    sqlite3_finalize(statement);
    return sqlite_error(index, code);
}

int text_index_upto(struct text_index *index, const struct text_box *box, uint32_t *uid_r,
                    uint64_t *count_r)
{
    struct sqlite_box found;
    int err = sqlite_slot(index, box, &found);

    *uid_r = found.upto;
    *count_r = found.added;
    return err;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* run - a statement with up to three numbers and a text (absent: none of it). */
static int run(struct text_index *index, const char *sql, const int64_t numbers[3],
               struct postern_span text)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(index->db, sql, -1, &statement, NULL);

    for (int i = 0; code == SQLITE_OK && i < 3; i++)
        if (i < sqlite3_bind_parameter_count(statement))
            sqlite3_bind_int64(statement, i + 1, numbers[i]);
    if (code == SQLITE_OK && text.p)
        code = sqlite3_bind_text64(statement, 2, text.p, text.n, SQLITE_STATIC, SQLITE_UTF8);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    sqlite3_finalize(statement);
    return sqlite_error(index, code);
}

int text_index_begin(struct text_index *index)
{
    index->added = 0;
    return sqlite_do(index, "BEGIN IMMEDIATE");
}

/* make_slot - below 2^31, as a row's number has room for. */
static int make_slot(struct text_index *index, const struct text_box *box, int64_t *slot_r)
{
    const int64_t numbers[3] = {(int64_t)box->id, box->validity, 0};
    struct sqlite_box found;
    int err = sqlite_slot(index, box, &found);

    *slot_r = found.slot;
    if (err || *slot_r)
        return err;
    err = run(index, "INSERT INTO box (id, validity, upto, added) VALUES (?1, ?2, 0, 0)", numbers,
              (struct postern_span){NULL, 0});
    *slot_r = sqlite3_last_insert_rowid(index->db);
    return err ? err : *slot_r > INT32_MAX ? POSTERN_E_FULL : 0;
}

/* clean - a copy in which all is UTF-8 without NUL. What is valid is not touched, so that a valid
 * text that stands there still does. */
static void clean(struct postern_span text, struct buffer *out)
{
    while (text.n && !out->error) {
        size_t n = text.p[0] ? utf8_length(text) : 0;

        if (n)
            buffer_append(out, span_make(text.p, n));
        else
            buffer_append_char(out, UNKNOWN_OCTET);
        text = span_from(text, n ? n : 1);
    }
}

int text_index_add(struct text_index *index, const struct text_box *box, uint32_t uid,
                   struct postern_span text)
{
    struct buffer cleaned = {0};
    int64_t numbers[3] = {0, uid, 0};
    int err = make_slot(index, box, &numbers[0]);

    if (err)
        return err;
    if (!text.p)
        return run(index, "INSERT OR IGNORE INTO skipped VALUES (?1, ?2)", numbers, text);
    clean(text, &cleaned);
    numbers[0] = numbers[0] << 32 | uid;
    err = cleaned.error ? POSTERN_E_NOMEM
                        : run(index, "INSERT INTO text (rowid, t) VALUES (?1, ?2)", numbers,
                              cleaned.data ? buffer_span(&cleaned) : SPAN(""));
    buffer_done(&cleaned);
    index->added += !err;
    return err;
}

int text_index_commit(struct text_index *index, const struct text_box *box, uint32_t upto)
{
    int64_t numbers[3] = {0, upto, index->added};
    int err = make_slot(index, box, &numbers[0]);

    if (!err)
        err = run(index, "UPDATE box SET upto = ?2, added = added + ?3 WHERE slot = ?1", numbers,
                  (struct postern_span){NULL, 0});
    return err ? err : sqlite_do(index, "COMMIT");
}

void text_index_abort(struct text_index *index)
{
    if (!sqlite3_get_autocommit(index->db))
        (void)!sqlite_do(index, "ROLLBACK");
}
#endif
