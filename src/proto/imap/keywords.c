/* SPDX-License-Identifier: MIT */
/* keywords - of the selected mailbox: their names by number, as the application tells them. */
#include "proto/imap/rights.h"

/* I 7.3.5-2 */
void imap_learn_keywords(struct postern_imap *s, const struct postern_span *names, size_t count,
                         bool announce)
{
    unsigned before = s->keyword_count;

    if (count > before && !s->keywords)
        s->keywords = memory_new(s->o.allocator, POSTERN_KEYWORDS_MAX * sizeof *s->keywords);
    if (!s->keywords && count) {
        imap_no_memory(s);
        return;
    }
    for (size_t i = before; i < count && i < POSTERN_KEYWORDS_MAX; i++) {
        struct postern_span name = names[i];
        size_t n = name.n < IMAP_KEYWORD_BYTES ? name.n : IMAP_KEYWORD_BYTES - 1;

        memcpy(s->keywords[i], name.p, n);
        s->keywords[i][n] = '\0';
        s->keyword_count = (unsigned)i + 1;
    }
    if (announce && s->keyword_count > before)
        imap_write_mailbox_flags(s);
}

/* I 6.3.2-3 I 7.1-4 */
static void write_names(struct postern_imap *s, bool permanent)
{
    uint64_t all = s->keyword_count == 64 ? UINT64_MAX : (UINT64_C(1) << s->keyword_count) - 1;
    uint32_t rights = permanent && s->read_only ? 0 : permanent ? s->rights : POSTERN_RIGHTS_ALL;
    bool keeps_keywords = rights & POSTERN_RIGHT_WRITE;

    write_flags(s, rights_flags(rights), keeps_keywords ? all : 0, false);
    if (permanent && keeps_keywords && s->keyword_count < POSTERN_KEYWORDS_MAX &&
        !s->out.error) { /* new ones may be made */
        s->out.tail--;
        write_text(s, " \\*)");
    }
}

/* I 7.3.5-1 */
void imap_write_mailbox_flags(struct postern_imap *s)
{
    write_text(s, "* FLAGS ");
    write_names(s, false);
    write_text(s, "\r\n* OK [PERMANENTFLAGS ");
    write_names(s, true);
    write_text(s, "] flags that are kept\r\n");
}

int imap_keyword(const struct postern_imap *s, struct postern_span name)
{
    for (unsigned i = 0; i < s->keyword_count; i++)
        if (span_equal_nocase(name, postern_span_of(s->keywords[i])))
            return (int)i;
    return -1;
}
