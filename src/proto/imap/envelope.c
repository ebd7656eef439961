/* SPDX-License-Identifier: MIT */
/* envelope - ENVELOPE (RFC 9051 7.5.2). Sender and Reply-To that are missing or empty are From. */
#include "proto/imap/fetch.h"

#define ADDRESS_BYTES 4096

/* I 7.5.2-9 I 7.5.2-10 */
static void write_one(struct postern_imap *s, const struct postern_mime_address *address)
{
    struct postern_span nil = {0};
    bool group = address->kind == POSTERN_MIME_ADDRESS_GROUP_BEGIN,
         ends = address->kind == POSTERN_MIME_ADDRESS_GROUP_END;

    write_text(s, "(");
    write_header(s, group || ends || !address->name.n ? nil : address->name);
    write_text(s, " ");
    write_header(s, group || ends || !address->route.n ? nil : address->route);
    write_text(s, " ");
    write_header(s, ends ? nil : group ? address->name : address->mailbox);
    write_text(s, " ");
    write_header(s, group || ends ? nil : address->host.p ? address->host : SPAN(""));
    write_text(s, ")");
}

/* write_addresses - of all such fields; false: there is none, and nothing was written. */
static bool write_addresses(struct postern_imap *s, struct postern_span block, uint32_t part,
                            enum postern_mime_field field)
{
    char buffer[ADDRESS_BYTES];
    bool any = false;
    struct postern_span rest;

    for (unsigned n = 0; (rest = postern_mime_field(block, part, field, n)).p; n++) {
        struct postern_mime_address address;
        bool in_group = false;

        while (postern_mime_address(&rest, &in_group, &address, buffer, sizeof buffer)) {
            if (!any)
                write_text(s, "(");
            any = true;
            write_one(s, &address);
        }
    }
    if (any)
        write_text(s, ")");
    return any;
}

/* I 7.5.2-7 */
static void write_list(struct postern_imap *s, struct postern_span block, uint32_t part,
                       enum postern_mime_field field, bool or_from)
{
    write_text(s, " ");
    if (write_addresses(s, block, part, field))
        return;
    if (!or_from || !write_addresses(s, block, part, POSTERN_MIME_FROM))
        write_text(s, "NIL");
}

/* I 7.5.2-8 */
static void write_value(struct postern_imap *s, struct postern_span block, uint32_t part,
                        enum postern_mime_field field)
{
    write_header(s, postern_mime_field(block, part, field, 0));
}

/* I 7.5.2-6 */
void fetch_write_envelope(struct postern_imap *s, struct postern_span block, uint32_t part)
{
    write_text(s, "(");
    write_value(s, block, part, POSTERN_MIME_DATE);
    write_text(s, " ");
    write_value(s, block, part, POSTERN_MIME_SUBJECT);
    write_list(s, block, part, POSTERN_MIME_FROM, false);
    write_list(s, block, part, POSTERN_MIME_SENDER, true);
    write_list(s, block, part, POSTERN_MIME_REPLY_TO, true);
    write_list(s, block, part, POSTERN_MIME_TO, false);
    write_list(s, block, part, POSTERN_MIME_CC, false);
    write_list(s, block, part, POSTERN_MIME_BCC, false);
    write_text(s, " ");
    write_value(s, block, part, POSTERN_MIME_IN_REPLY_TO);
    write_text(s, " ");
    write_value(s, block, part, POSTERN_MIME_MESSAGE_ID);
    write_text(s, ")");
}
