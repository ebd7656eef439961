/* SPDX-License-Identifier: MIT */
/* test_search_index - searches with an index of texts, and with what the store remembers of header
 * fields, find what they find without: random mails of all encodings, random texts, some of which
 * stand in them, over a Maildir; while the index is behind, whole, damaged, and gone. In a build
 * without an index of texts both ways are the same for those. SEARCH_SEED and SEARCH_COUNT replay
 * and lengthen. */
#include "imap_host.h"
#include "serve/text.h"
#include "store/text/text_index.h"
#include <ctype.h>
#include <fcntl.h>
#include <ftw.h>
#include <unistd.h>

#define MAILS 40
#define SEARCHES 60

/* struct run - a store, and a session on either way of searching. */
struct run {
    struct host host;
    struct host_session plain, indexed;
    struct postern_store_ops ops;
    char folder[64], file[128];
    unsigned seed;
    char *mails[MAILS];
    size_t sizes[MAILS];
    unsigned coded; /* mails whose subject is more than it says */
    bool failed;
};

static unsigned passed, failed, opened, shown;
static const struct postern_store_ops *inner;

static int count_message(struct postern_mailbox *mailbox, uint32_t uid, unsigned flags,
                         struct postern_content **content_r, struct postern_facts *facts_r)
{
    opened++;
    return inner->message(mailbox, uid, flags, content_r, facts_r);
}

static int count_structures(struct postern_mailbox *mailbox, const uint32_t *uids, size_t count,
                            unsigned flags, char *room, size_t size,
                            struct postern_structure *all_r)
{
    int n = inner->structures(mailbox, uids, count, flags, room, size, all_r);

    shown += n > 0 ? (unsigned)n : 0;
    return n;
}

static unsigned chance(struct run *run, unsigned of)
{
    return (unsigned)rand_r(&run->seed) % of;
}

/* ---- mails ------------------------------------------------------------------------------------
 */

/* word - of letters that fold, that do not, and of what is no UTF-8. */
static size_t word(struct run *run, char *out)
{
    static const char *const pieces[] = {
        "a",    "B",        "c",         "ss", "\xc3\x9f",     "\xc3\xbc",
        "\xff", "\xe2\x82", "u\xcc\x88", "e",  "\xe6\x9d\xb1", "\xf0\x9f\x93\xac",
        "\"",   "=",        "?"};
    size_t n = 0;

    for (unsigned i = 1 + chance(run, 6); i > 0; i--) {
        const char *piece = pieces[chance(run, sizeof pieces / sizeof *pieces)];

        memcpy(out + n, piece, strlen(piece));
        n += strlen(piece);
    }
    return n;
}

static size_t words(struct run *run, char *out, unsigned most)
{
    size_t n = 0;

    for (unsigned i = chance(run, most); i > 0; i--) {
        n += word(run, out + n);
        out[n++] = chance(run, 12) ? ' ' : '\0';
        if (chance(run, 8) == 0)
            n += (size_t)sprintf(out + n, "\r\n");
    }
    return n;
}

static size_t hex(const char *in, size_t n, char *out)
{
    size_t at = 0;

    for (size_t i = 0; i < n; i++) {
        at += (size_t)sprintf(out + at, "=%02X", (unsigned char)in[i]);
        if (i % 20 == 19)
            at += (size_t)sprintf(out + at, "=\r\n");
    }
    return at;
}

/* part - a text part: as it is, or quoted-printable, in one of three charsets. */
static size_t part(struct run *run, char *out)
{
    static const char *const charsets[] = {"utf-8", "iso-8859-1", "utf-16le"};
    char text[8192];
    size_t n = (size_t)sprintf(out, "Content-Type: text/plain; charset=%s\r\n",
                               charsets[chance(run, 3)]),
           length = words(run, text, 60);

    if (chance(run, 2)) {
        n += (size_t)sprintf(out + n, "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
        return n + hex(text, length, out + n);
    }
    n += (size_t)sprintf(out + n, "\r\n");
    memcpy(out + n, text, length);
    return n + length;
}

/* plain_field - of words that few others have, perhaps folded; it may look coded. */
static size_t plain_field(struct run *run, const char *name, char *out)
{
    static const char *const pieces[] = {"ab",  "Bc", "C", "dd", "e@f", "<",
                                         ">\"", ", ", "=", "?",  " ",   "\r\n "};
    size_t n = (size_t)sprintf(out, "%s: x", name);

    for (unsigned i = chance(run, 12); i > 0; i--)
        n += (size_t)sprintf(out + n, "%s", pieces[chance(run, 12)]);
    return n + (size_t)sprintf(out + n, ".\r\n");
}

static size_t coded_subject(struct run *run, char *out)
{
    char text[8192];
    size_t n = (size_t)sprintf(out, "Subject: "), length = words(run, text, 5);

    for (size_t i = 0; i < length; i++) /* no line of its own */
        if (text[i] != '\r' && text[i] != '\n')
            out[n++] = text[i];
    n += (size_t)sprintf(out + n, " =?utf-8?q?");
    n += hex(text, length < 18 ? length : 18, out + n);
    return n + (size_t)sprintf(out + n, "?=\r\n");
}

static size_t mail(struct run *run, char *out)
{
    unsigned kind = chance(run, 4);
    size_t n = chance(run, 3) ? plain_field(run, "From", out) : 0;

    if (kind > 0) /* some have none, some two */
        n += plain_field(run, "Subject", out + n);
    if (kind == 1)
        n += coded_subject(run, out + n);
    run->coded += memmem(out, n, "=?", 2) != NULL;
    if (chance(run, 2))
        return n + part(run, out + n);
    n += (size_t)sprintf(out + n, "Content-Type: multipart/mixed; boundary=q\r\n\r\n");
    for (unsigned i = chance(run, 3); i > 0; i--) {
        n += (size_t)sprintf(out + n, "\r\n--q\r\n");
        if (chance(run, 3) == 0)
            n += (size_t)sprintf(out + n, "Content-Type: message/rfc822\r\n\r\nSubject: in\r\n");
        n += part(run, out + n);
    }
    return n + (size_t)sprintf(out + n, "\r\n--q--\r\n");
}

static void deliver(struct run *run, unsigned i)
{
    static char text[262144];
    struct postern_mailbox *box = NULL;

    run->sizes[i] = mail(run, text);
    run->mails[i] = malloc(run->sizes[i]);
    if (!run->mails[i])
        abort();
    memcpy(run->mails[i], text, run->sizes[i]);
    if (postern_store_inbox(&run->host.store, SPAN("ann"), POSTERN_STORE_CREATE, &box) < 0 ||
        postern_store_deliver(&run->host.store, box, span_make(run->mails[i], run->sizes[i]),
                              NULL) < 0)
        abort();
    inner->close(&box);
}

/* ---- searches ---------------------------------------------------------------------------------
 */

/* needle - a piece of a mail, or words of its own. */
static size_t needle(struct run *run, unsigned mails, char *out)
{
    unsigned i = chance(run, mails);
    size_t at, n = 1 + chance(run, 12);

    if (chance(run, 4) == 0)
        return word(run, out);
    at = chance(run, (unsigned)run->sizes[i]);
    n = n < run->sizes[i] - at ? n : run->sizes[i] - at;
    for (size_t k = 0; k < n; k++)
        out[k] = run->mails[i][at + k] ? run->mails[i][at + k] : ' ';
    return n;
}

/* field_needle - a piece of a mail's first fields, in any case. */
static size_t field_needle(struct run *run, unsigned mails, char *out)
{
    unsigned i = chance(run, mails);
    struct postern_span mail = {run->mails[i], run->sizes[i]};
    size_t n = 0;

    for (mail = span_from(mail, chance(run, 60)); n < mail.n && n < 3 + chance(run, 4); n++) {
        char c = mail.p[n];

        if (c == '\0' || c == '\r' || c == '\n')
            break;
        out[n] = chance(run, 4) ? c : (char)toupper((unsigned char)c);
    }
    return n ? n : word(run, out);
}

static size_t search(struct run *run, unsigned mails, char *out)
{
    static const char *const keys[] = {"TEXT",
                                       "BODY",
                                       "NOT TEXT",
                                       "FUZZY BODY",
                                       "OR BODY {2+}\r\nss TEXT",
                                       "RETURN (COUNT) TEXT",
                                       "SUBJECT",
                                       "FROM",
                                       "NOT SUBJECT",
                                       "HEADER From",
                                       "OR FROM {3+}\r\nabb SUBJECT",
                                       "FUZZY SUBJECT",
                                       "HEADER Subject"};
    char text[64];
    unsigned key = chance(run, sizeof keys / sizeof *keys);
    size_t length =
        key < 6 || !chance(run, 4) ? needle(run, mails, text) : field_needle(run, mails, text);
    size_t n =
        (size_t)sprintf(out, "x %s %s {%zu+}\r\n",
                        chance(run, 5) ? "UID SEARCH" : "ESEARCH IN (personal)", keys[key], length);

    memcpy(out + n, text, length);
    return n + length + (size_t)sprintf(out + n + length, "\r\n");
}

static void fail(struct run *run, const char *why, const char *line)
{
    if (!run->failed)
        printf("FAILED: %s: %s  plain:   %s  indexed: %s", why, line, run->plain.said,
               run->indexed.said);
    run->failed = true;
}

static void compare(struct run *run, const char *line, size_t n)
{
    run->plain.said_n = run->indexed.said_n = 0;
    host_say(&run->plain, span_make(line, n), SIZE_MAX);
    host_say(&run->indexed, span_make(line, n), SIZE_MAX);
    if (run->plain.said_n != run->indexed.said_n ||
        memcmp(run->plain.said, run->indexed.said, run->plain.said_n) != 0)
        fail(run, "another answer with the index", line);
    if (!strstr(run->plain.said, "x OK"))
        fail(run, "not searched", line);
}

/* keep - a search that is kept up to date: what comes later is not in what the index knew then. */
static void keep(struct run *run, unsigned mails, unsigned tag)
{
    char line[200], text[64];
    size_t length = needle(run, mails, text);
    int n = snprintf(line, sizeof line, "u%u UID SEARCH RETURN (UPDATE COUNT) BODY {%zu+}\r\n", tag,
                     length);

    memcpy(line + n, text, length);
    memcpy(line + n + (int)length, "\r\n", 3);
    host_say(&run->plain, span_make(line, (size_t)n + length + 2), SIZE_MAX);
    host_say(&run->indexed, span_make(line, (size_t)n + length + 2), SIZE_MAX);
}

static void searches(struct run *run, unsigned mails)
{
    char line[200];

    for (unsigned i = 0; i < SEARCHES; i++)
        compare(run, line, search(run, mails, line));
}

/* misses - no message is opened for what is in none. */
static void misses(struct run *run)
{
    static const char line[] = "x UID SEARCH TEXT xyzzy\r\n";

    compare(run, line, strlen(line));
    opened = 0;
    host_say(&run->indexed, SPAN(line), SIZE_MAX);
    if (opened != 0 && text_index_is_built())
        fail(run, "messages were opened though none can have it", line);
    opened = 0;
    host_say(&run->plain, SPAN(line), SIZE_MAX);
    if (opened == 0)
        fail(run, "nothing was opened to be searched", line);
}

/* field_misses - no parsed form is looked at for what is in no plain subject. */
static void field_misses(struct run *run)
{
    static const char line[] = "x UID SEARCH SUBJECT \"nothing happens, xyzzy\"\r\n";

    compare(run, line, strlen(line));
    shown = 0;
    host_say(&run->indexed, SPAN(line), SIZE_MAX);
    if (shown > run->coded)
        fail(run, "parsed forms were looked at though none can have it", line);
    shown = 0;
    host_say(&run->plain, SPAN(line), SIZE_MAX);
    if (shown <= run->coded)
        fail(run, "no parsed forms were looked at", line);
}

/* spoil - octets of the index's file are other ones. */
static void spoil(struct run *run)
{
    char junk[600];
    int fd = open(run->file, O_RDWR | O_CLOEXEC);

    memset(junk, 'x', sizeof junk);
    if (fd >= 0 && pwrite(fd, junk, sizeof junk, chance(run, 2) ? 0 : 4096) < 0)
        abort();
    if (fd >= 0)
        close(fd);
}

/* ---- one run ----------------------------------------------------------------------------------
 */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static void connect_one(struct run *run, struct host_session *s, bool indexed)
{
    run->host.site.text_index = indexed;
    run->ops.may_have = indexed ? inner->may_have : NULL;
    host_connect(&run->host, s, true);
    run->ops.may_have = inner->may_have;
    host_say(s, SPAN("l LOGIN ann secret\r\nl ENABLE IMAP4rev2\r\nl SELECT INBOX\r\n"), SIZE_MAX);
}

static void begin(struct run *run)
{
    strcpy(run->folder, "/tmp/postern-search-XXXXXX");
    if (!mkdtemp(run->folder))
        abort();
    snprintf(run->file, sizeof run->file, "%s/ann/postern/text", run->folder);
    host_open(&run->host);
    postern_store_free(&run->host.store);
    if (postern_store_maildir_new(&run->host.store, run->folder) < 0)
        abort();
    inner = run->host.store.ops;
    run->ops = *inner;
    run->ops.message = count_message;
    run->ops.structures = count_structures;
    run->host.store.ops = &run->ops;
}

static void end(struct run *run)
{
    host_hang_up(&run->plain);
    host_hang_up(&run->indexed);
    run->host.store.ops = inner;
    host_close(&run->host);
    for (unsigned i = 0; i < MAILS; i++)
        free(run->mails[i]);
    nftw(run->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static bool play(unsigned seed)
{
    static const char noop[] = "x NOOP\r\n";
    struct run run = {.seed = seed};

    begin(&run);
    for (unsigned i = 0; i < MAILS / 2; i++)
        deliver(&run, i);
    connect_one(&run, &run.plain, false);
    connect_one(&run, &run.indexed, true);
    searches(&run, MAILS / 2);
    misses(&run);
    field_misses(&run);
    for (unsigned i = 0; i < 4; i++)
        keep(&run, MAILS / 2, i);
    for (unsigned i = MAILS / 2; i < MAILS; i++)
        deliver(&run, i);
    compare(&run, noop, strlen(noop));
    host_say(&run.plain, SPAN("y STORE 3:9 +FLAGS.SILENT (\\Deleted)\r\ny EXPUNGE\r\n"), SIZE_MAX);
    host_say(&run.indexed, SPAN("y NOOP\r\n"), SIZE_MAX);
    searches(&run, MAILS);
    spoil(&run);
    searches(&run, MAILS);
    misses(&run);
    field_misses(&run);
    unlink(run.file);
    searches(&run, MAILS);
    if (run.failed)
        printf("SEARCH_SEED=%u replays it\n", seed);
    end(&run);
    return !run.failed;
}

int main(void)
{
    const char *seed = getenv("SEARCH_SEED"), *count = getenv("SEARCH_COUNT");
    unsigned first = seed ? (unsigned)strtoul(seed, NULL, 10) : 1;
    unsigned n = count ? (unsigned)strtoul(count, NULL, 10) : seed ? 1 : 12;

    for (unsigned i = 0; i < n && failed < 3; i++)
        *(play(first + i) ? &passed : &failed) += 1;
    printf("%u passed, %u failed\n", passed, failed);
    return failed > 0;
}
