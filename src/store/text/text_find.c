/* SPDX-License-Identifier: MIT */
/* text_find - which messages have all the trigrams of a text. A text that stands in another has its
 * trigrams there: so none is missed, and what is found too much costs a look. */
#include "store/text/text_index.h"

#ifdef POSTERN_WITH_FTS
#include "base/span.h"
#include "codec/utf8.h"
#include "store/text/sqlite.h"

#define TRIGRAMS_MOST 32

/* trigram - the first three characters; absent: there are not as many. */
static struct postern_span trigram(struct postern_span text)
{
    size_t n = 0;

    for (unsigned i = 0; i < 3; i++) {
        size_t length = utf8_length(span_from(text, n));

        if (!length)
            return (struct postern_span){NULL, 0};
        n += length;
    }
    return span_make(text.p, n);
}

/* write_query - "abc" "bcd": all of them, in the words of FTS5. false: there are none. */
static bool write_query(struct postern_span text, struct buffer *out)
{
    struct postern_span three;

    if (!utf8_is_valid(text) || memchr(text.p ? text.p : "", '\0', text.n))
        return false;
    for (unsigned count = 0; count < TRIGRAMS_MOST && (three = trigram(text)).p; count++) {
        buffer_append_char(out, '"');
        for (size_t i = 0; i < three.n; i++) {
            if (three.p[i] == '"')
                buffer_append_char(out, '"');
            buffer_append_char(out, three.p[i]);
        }
        buffer_append_text(out, "\" ");
        text = span_from(text, utf8_length(text));
    }
    return buffer_length(out) > 0;
}

/* add_range - rising; what stands side by side is one. */
static void add_range(struct buffer *ranges, uint32_t first, uint32_t last)
{
    struct postern_uid_range range = {first, last}, *before;
    size_t n = buffer_length(ranges);

    before = n ? (struct postern_uid_range *)(void *)(ranges->data + ranges->tail) - 1 : NULL;
    if (before && before->last + 1 == first)
        before->last = last;
    else
        buffer_append(ranges, span_make((const char *)&range, sizeof range));
}

/* look_up - the UIDs of a mailbox's texts, and of those whose texts are not known. */
static int look_up(struct text_index *index, const struct sqlite_box *box,
                   struct postern_span query, struct buffer *ranges)
{
    static const char sql[] = "SELECT rowid & 4294967295 FROM text WHERE text MATCH ?1 AND "
                              "rowid BETWEEN ?2 AND ?3 "
                              "UNION SELECT uid FROM skipped WHERE slot = ?4 ORDER BY 1";
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(index->db, sql, sizeof sql, &statement, NULL);

    if (code == SQLITE_OK) {
        sqlite3_bind_text64(statement, 1, query.p, query.n, SQLITE_STATIC, SQLITE_UTF8);
        sqlite3_bind_int64(statement, 2, box->slot << 32);
        sqlite3_bind_int64(statement, 3, box->slot << 32 | box->upto);
        sqlite3_bind_int64(statement, 4, box->slot);
        while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
            uint32_t uid = (uint32_t)sqlite3_column_int64(statement, 0);

            add_range(ranges, uid, uid);
        }
    }
    sqlite3_finalize(statement);
    return sqlite_error(index, code);
}

int text_index_find(struct text_index *index, const struct text_box *box, struct postern_span text,
                    struct buffer *ranges_r)
{
    struct buffer query = {0};
    struct sqlite_box found = {0};
    int err = write_query(text, &query) ? 0 : POSTERN_E_NOT_FOUND;

    if (!err)
        err = query.error ? POSTERN_E_NOMEM : sqlite_slot(index, box, &found);
    if (!err && found.slot)
        err = look_up(index, &found, buffer_span(&query), ranges_r);
    if (!err && found.upto < UINT32_MAX)
        add_range(ranges_r, found.upto + 1, UINT32_MAX);
    buffer_done(&query);
    return err ? err : ranges_r->error ? POSTERN_E_NOMEM : 0;
}
#endif
