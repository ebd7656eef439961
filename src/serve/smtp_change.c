/* SPDX-License-Identifier: MIT */
/* smtp_change - a filter changes who sent a message and who gets it. Whoever is taken out is still
 * answered as if the message had come: that is what the filter wants.
 *
 * Another server was told of sender and recipients already, so a message that goes there cannot be
 * changed so. All wishes are looked at before the first is done. */
#include "serve/smtp_session.h"

#include "base/span.h"

#define ADDRESS_OCTETS 512

/* parse - path_r lies in the address and in local. */
static int parse(struct postern_span address, char local[ADDRESS_OCTETS],
                 struct postern_smtp_path *path_r)
{
    return address.n < ADDRESS_OCTETS ? postern_smtp_parse_address(address, local, path_r)
                                      : POSTERN_E_TOO_LONG;
}

/* find - whose address it is, into s->found. */
static int find(struct serve_smtp *s, const struct postern_smtp_path *path)
{
    int found;

    address_targets_free(&s->found);
    found = recipients_find(s->site->recipients, path->local, path->domain, &s->found);
    return found == ADDRESS_FOUND ? 0 : found < 0 ? found : POSTERN_E_NOT_FOUND;
}

static int look_at(struct serve_smtp *s, char kind, struct postern_span address)
{
    char local[ADDRESS_OCTETS];
    struct postern_smtp_path path;
    int err = kind == FILTER_SENDER && !address.n ? 0 : parse(address, local, &path);

    return !err && kind == FILTER_ADDS ? find(s, &path) : err;
}

static int add(struct serve_smtp *s, struct postern_span address)
{
    char local[ADDRESS_OCTETS];
    struct postern_smtp_path path;
    int err = parse(address, local, &path);

    if (!err)
        err = find(s, &path);
    return err ? err : smtp_note_recipient(s, &path);
}

/* take_out - each recipient of that address, however often it was named; an empty line stands for
 * it then. */
static int take_out(struct serve_smtp *s, struct postern_span address)
{
    struct smtp_recipient *all = (struct smtp_recipient *)(void *)s->recipients.data;
    struct postern_span rest = buffer_span(&s->addresses);
    struct buffer text = {0};

    for (size_t i = 0; rest.n; i++) {
        struct postern_span line = span_cut(&rest, '\n');

        if (line.n && span_equal_nocase(line, address))
            all[i].deleted = true;
        else
            buffer_append(&text, line);
        buffer_append_char(&text, '\n');
    }
    buffer_done(&s->addresses);
    s->addresses = text;
    return text.error;
}

/* settle - who gets it: the targets of all recipients that are left, or nobody. */
static void settle(struct serve_smtp *s)
{
    bool some = false;

    const struct smtp_recipient *all =
        (const struct smtp_recipient *)(const void *)buffer_span(&s->recipients).p;
    const size_t *links = (const size_t *)(const void *)buffer_span(&s->links).p;
    size_t count = buffer_length(&s->recipients) / sizeof *all;

    for (size_t i = 0; i < s->target_count; i++)
        s->targets[i]->dropped = true;
    for (size_t i = 0; i < count; i++)
        for (size_t link = 0; !all[i].deleted && link < all[i].count; link++)
            s->targets[links[all[i].first + link]]->dropped = false;
    for (size_t i = 0; i < s->target_count; i++)
        some |= !s->targets[i]->dropped;
    s->verdict.discarded |= !some;
}

static int change(struct serve_smtp *s, char kind, struct postern_span address)
{
    if (kind == FILTER_ADDS)
        return add(s, address);
    if (kind == FILTER_DELETES)
        return take_out(s, address);
    buffer_done(&s->sender);
    buffer_append(&s->sender, address);
    return s->sender.error;
}

static int each(struct serve_smtp *s, struct postern_span wishes,
                int (*act)(struct serve_smtp *s, char kind, struct postern_span address))
{
    int err = 0;

    while (!err && wishes.n) {
        struct postern_span line = span_cut(&wishes, '\n');

        err = act(s, line.p[0], span_from(line, 1));
    }
    return err;
}

int smtp_change_envelope(struct serve_smtp *s, struct postern_span wishes)
{
    size_t came = buffer_length(&s->recipients) / sizeof(struct smtp_recipient);
    int err;

    if (!wishes.n)
        return 0;
    if (s->elsewhere)
        return POSTERN_E_UNSUPPORTED;
    if (!s->answered)
        s->answered = came;
    err = each(s, wishes, look_at);
    if (!err)
        err = each(s, wishes, change);
    settle(s);
    return err;
}
