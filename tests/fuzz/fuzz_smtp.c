/* SPDX-License-Identifier: MIT */
/* fuzz_smtp - a session over the memory store, in each role. The first octets tell the role, what
 * fails, and how the input is cut. Whatever comes, all that is said are reply lines; and how it was
 * cut changes neither what is said nor what is stored. */
#include "smtp_host.h"

#define MESSAGES_MOST 64

/* struct outcome - what a run came to. */
struct outcome {
    char *said;
    size_t said_n;
    uint64_t stored; /* a hash of all messages of alice's */
};

static void configure(struct smtp_host *host, const uint8_t *data)
{
    static const struct serve_protocol *const roles[] = {&serve_smtp, &serve_submission,
                                                         &serve_lmtp};

    host->protocol = roles[data[0] % 3];
    host->smtp.tls_available = false;
    host->smtp.newline = data[0] & 0x40 ? POSTERN_SMTP_REJECT : POSTERN_SMTP_LEGACY;
    host->smtp.nul = (enum postern_smtp_nul)(data[0] >> 4 & 1);
    host->smtp.trusted = true; /* else what stands behind DATA matters, and when it came */
    host->smtp.binarymime = data[0] & 0x20;
    host->smtp.verify = true;
    host->smtp.write_chunk = 4096;
    host->smtp.message_max = 65536;
    host->smtp.line_max = data[1] & 0x10 ? 998 : 0;
    host->site.detail_create = data[1] & 0x20;
    if (data[1] % 8 < 4)
        host->fails[data[1] % 4] = POSTERN_E_FULL;
}

/* check_replies - lines of three digits, "-" or space, and printable text. */
static void check_replies(const char *said, size_t n)
{
    while (n) {
        const char *end = memchr(said, '\n', n);
        size_t line = end ? (size_t)(end - said) : 0;

        if (!end || line < 4 || end[-1] != '\r' || line > 512 || (said[3] != ' ' && said[3] != '-'))
            abort();
        for (size_t i = 0; i < 3; i++)
            if (said[i] < '0' || said[i] > '9')
                abort();
        for (size_t i = 0; i + 1 < line; i++)
            if ((unsigned char)said[i] < ' ' || said[i] == 127)
                abort();
        n -= line + 1;
        said = end + 1;
    }
}

static int hash_message(void *ctx, const struct postern_message_info *info)
{
    uint32_t **next = ctx;

    *(*next)++ = info->uid;
    return 0;
}

/* stored - a hash of what alice has. */
static uint64_t stored(struct smtp_host *host)
{
    const struct postern_store_ops *ops = host->inner;
    struct postern_mailbox *box = NULL;
    struct postern_status status;
    uint32_t uids[MESSAGES_MOST], *next = uids;
    uint64_t hash = 0;

    if (postern_store_inbox(&host->store, SPAN("alice"), 0, &box) < 0)
        return 0;
    if (ops->refresh(box, 0, &status) == 0 && status.messages < MESSAGES_MOST)
        (void)!ops->each(box, (struct postern_uid_range){1, UINT32_MAX}, 0, hash_message, &next);
    for (uint32_t *uid = uids; uid < next; uid++) {
        static char text[1 << 18];
        struct postern_content *content;
        struct postern_facts facts;
        int n;

        if (ops->message(box, *uid, 0, &content, &facts) < 0)
            abort();
        n = ops->read(content, 0, text, sizeof text);
        hash = hash * 31 + span_hash(span_make(text, n < 0 ? 0 : (size_t)n));
        ops->content_close(&content);
    }
    ops->close(&box);
    return hash + status.messages;
}

static struct outcome run(const uint8_t *data, size_t size, size_t step)
{
    struct smtp_host host;
    struct outcome outcome;

    smtp_host_open(&host, NULL, NULL);
    configure(&host, data);
    smtp_host_connect(&host);
    smtp_host_turn(&host, SIZE_MAX);
    smtp_host_say(&host, span_make((const char *)data + 3, size - 3), step);
    check_replies(host.said, host.said_n);
    outcome = (struct outcome){host.said, host.said_n, stored(&host)};
    host.said = NULL;
    smtp_host_close(&host);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome whole, cut;

    if (size < 4)
        return 0;
    whole = run(data, size, SIZE_MAX);
    cut = run(data, size, 1 + data[2] % 64);
    /* a refused DATA ends the session if more stands behind it, which is a matter of the cut */
    if (!memmem(whole.said, whole.said_n, "DATA was refused", 16) &&
        (whole.said_n != cut.said_n || memcmp(whole.said, cut.said, cut.said_n) != 0 ||
         whole.stored != cut.stored))
        abort();
    free(whole.said);
    free(cut.said);
    return 0;
}

#include "replay.h"
