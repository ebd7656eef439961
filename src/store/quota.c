/* SPDX-License-Identifier: MIT */
/* quota - see quota.h. What is no such list there is passed over: mail goes on coming in. */
#include "store/quota.h"

#include "base/buffer.h"
#include "base/span.h"
#include "store/metadata.h"
#include <postern/store.h>

enum { FOUND = 1, UNREADABLE };

#define KIB_MAX (UINT64_MAX / 1024)

void quota_limits(struct postern_quota *quota, const struct postern_quota *limits)
{
    quota->bytes_max = limits->bytes_max;
    quota->messages_max = limits->messages_max;
    quota->mailboxes_max = limits->mailboxes_max;
}

/* fits - max 0: no limit. */
static bool fits(uint64_t used, uint64_t more, uint64_t max)
{
    return max == 0 || (used <= max && more <= max - used);
}

int quota_room(const struct postern_quota *quota, uint64_t bytes, uint64_t messages)
{
    return fits(quota->bytes, bytes, quota->bytes_max) &&
                   fits(quota->messages, messages, quota->messages_max)
               ? 0
               : POSTERN_E_FULL;
}

/* I 9208:5.3-1 */
int quota_mailbox_room(const struct postern_quota *quota, uint64_t mailboxes)
{
    return mailboxes == 0 || fits(quota->mailboxes, mailboxes, quota->mailboxes_max)
               ? 0
               : POSTERN_E_FULL;
}

static int read_one(void *ctx, const struct postern_metadata *one)
{
    struct postern_quota *limits = ctx, found = {0};
    struct postern_span rest = one->value;

    if (!span_equal_nocase(one->entry, SPAN(QUOTA_ENTRY)))
        return 0;
    while (rest.n) {
        struct postern_span name = span_cut(&rest, ' '), number = span_cut(&rest, ' ');
        uint64_t value;

        if (!span_number(number, KIB_MAX, &value))
            return UNREADABLE;
        if (span_equal_nocase(name, SPAN("STORAGE")))
            found.bytes_max = value * 1024;
        else if (span_equal_nocase(name, SPAN("MESSAGE")))
            found.messages_max = value;
        else if (span_equal_nocase(name, SPAN("MAILBOX")))
            found.mailboxes_max = value;
    }
    quota_limits(limits, &found);
    return FOUND;
}

bool quota_read(struct postern_span records, struct postern_quota *limits)
{
    return metadata_each(records, SPAN(""), read_one, limits) == FOUND;
}

static void write_one(struct buffer *out, const char *name, uint64_t value)
{
    if (!value)
        return;
    buffer_append_text(out, buffer_length(out) ? " " : "");
    buffer_append_text(out, name);
    buffer_append_number(out, value);
}

int postern_store_set_quota(struct postern_store *store, struct postern_account *account,
                            const struct postern_quota *limits)
{
    struct postern_metadata one = {.entry = SPAN(QUOTA_ENTRY)};
    struct buffer text = {.allocator = NULL};
    int err;

    if (limits) {
        write_one(&text, "STORAGE ", limits->bytes_max / 1024 + (limits->bytes_max % 1024 > 0));
        write_one(&text, "MESSAGE ", limits->messages_max);
        write_one(&text, "MAILBOX ", limits->mailboxes_max);
        one.value = buffer_length(&text) ? buffer_span(&text) : SPAN("");
    }
    err = text.error ? POSTERN_E_NOMEM : store->ops->set_metadata(account, SPAN(""), &one, 1);
    buffer_done(&text);
    return err;
}
