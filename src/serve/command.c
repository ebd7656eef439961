/* SPDX-License-Identifier: MIT */
/* command - an IMAP session of its own, whose accounts let anybody in: who may run the program may
 * read the mail. What the greeting and the login say is dropped. */
#include "serve/command.h"

#include "base/span.h"
#include "serve/alone.h"

static int session_say(const struct serve_site *site, struct postern_span user,
                       struct postern_span commands, struct buffer *out)
{
    struct buffer login = {0};
    struct alone alone;
    int err = alone_begin(&alone, &serve_imap, site);

    if (err < 0)
        return err;
    buffer_append_text(&login, "- LOGIN {");
    buffer_append_number(&login, user.n);
    buffer_append_text(&login, "+}\r\n");
    buffer_append(&login, user);
    buffer_append_text(&login, " x\r\n- ENABLE UTF8=ACCEPT\r\n");
    alone_say(&alone, buffer_span(&login));
    alone.out = out;
    alone_say(&alone, commands);
    alone.out = NULL;
    alone_end(&alone);
    err = login.error ? login.error : out->error;
    buffer_done(&login);
    return err;
}

int serve_command(struct postern_store *store, struct postern_span user,
                  struct postern_span commands, struct buffer *out)
{
    struct postern_account *account = NULL;
    struct accounts *accounts = NULL;
    struct postern_imap_options imap;
    int err = store->ops->account_open(store, user, 0, &account);

    if (!err)
        err = accounts_dev_new(&accounts, NULL);
    if (!err) {
        struct serve_site site = {
            .store = store, .accounts = accounts, .imap = &imap, .work = &alone_work};

        POSTERN_IMAP_OPTIONS_INIT(&imap);
        imap.sasl_mechanisms = 0;
        imap.command_max = 16u << 20;
        err = session_say(&site, user, commands, out);
    }
    accounts_free(&accounts);
    store->ops->account_close(&account);
    return err;
}
