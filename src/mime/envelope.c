/* SPDX-License-Identifier: MIT */
/* envelope - ENVELOPE (RFC 9051 7.5.2). Sender and Reply-To that are missing or empty are From, as
 * they mostly are: then what was told of From is told again. */
#include "mime/list.h"

#define ADDRESS_BYTES 4096

/* I 7.5.2-9 I 7.5.2-10 */
static void write_one(struct list *list, const struct postern_mime_address *address)
{
    struct postern_span nil = {0};
    bool group = address->kind == POSTERN_MIME_ADDRESS_GROUP_BEGIN,
         ends = address->kind == POSTERN_MIME_ADDRESS_GROUP_END;

    list_text(list, "(");
    list_header(list, group || ends || !address->name.n ? nil : address->name);
    list_text(list, " ");
    list_header(list, group || ends || !address->route.n ? nil : address->route);
    list_text(list, " ");
    list_header(list, ends ? nil : group ? address->name : address->mailbox);
    list_text(list, " ");
    list_header(list, group || ends ? nil : address->host.p ? address->host : SPAN(""));
    list_text(list, ")");
}

/* write_addresses - of all such fields; false: there is none, and nothing was written. */
static bool write_addresses(struct list *list, struct postern_span block, uint32_t part,
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
                list_text(list, "(");
            any = true;
            write_one(list, &address);
        }
    }
    if (any)
        list_text(list, ")");
    return any;
}

/* struct told - where in what was written a list stands, for writing it again. */
struct told {
    size_t at, n;
};

/* I 7.5.2-7 */
static struct told write_list(struct list *list, struct postern_span block, uint32_t part,
                              enum postern_mime_field field)
{
    size_t at;

    list_text(list, " ");
    at = buffer_length(list->out);
    if (!write_addresses(list, block, part, field))
        list_text(list, "NIL");
    return (struct told){at, buffer_length(list->out) - at};
}

/* write_or_from - room comes first: what was written may move. */
static void write_or_from(struct list *list, struct postern_span block, uint32_t part,
                          enum postern_mime_field field, struct told from)
{
    char *room;

    list_text(list, " ");
    if (write_addresses(list, block, part, field) || !(room = buffer_room(list->out, from.n)))
        return;
    memcpy(room, buffer_span(list->out).p + from.at, from.n);
    buffer_commit(list->out, from.n);
}

/* I 7.5.2-8 */
static void write_value(struct list *list, struct postern_span block, uint32_t part,
                        enum postern_mime_field field)
{
    list_header(list, postern_mime_field(block, part, field, 0));
}

/* I 7.5.2-6 */
void mime_write_envelope(struct list *list, struct postern_span block, uint32_t part)
{
    struct told from;

    list_text(list, "(");
    write_value(list, block, part, POSTERN_MIME_DATE);
    list_text(list, " ");
    write_value(list, block, part, POSTERN_MIME_SUBJECT);
    from = write_list(list, block, part, POSTERN_MIME_FROM);
    write_or_from(list, block, part, POSTERN_MIME_SENDER, from);
    write_or_from(list, block, part, POSTERN_MIME_REPLY_TO, from);
    write_list(list, block, part, POSTERN_MIME_TO);
    write_list(list, block, part, POSTERN_MIME_CC);
    write_list(list, block, part, POSTERN_MIME_BCC);
    list_text(list, " ");
    write_value(list, block, part, POSTERN_MIME_IN_REPLY_TO);
    list_text(list, " ");
    write_value(list, block, part, POSTERN_MIME_MESSAGE_ID);
    list_text(list, ")");
}
