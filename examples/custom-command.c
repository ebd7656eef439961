/* SPDX-License-Identifier: MIT */
/* custom-command [PORT] - adds to POP3: a command XCOUNT with a capability of its own, and a DELE
 * that deletes at once, which no RSET takes back. The mail is in memory; one connection at a time.
 */
#include "listen.h"

#include <postern/provider.h>
#include <stdlib.h>
#include <string.h>

static const struct postern_pop3_command commands[] = {
    {.name = "XCOUNT", .states = POSTERN_POP3_TRANSACTION},
    {.name = "DELE",
     .states = POSTERN_POP3_TRANSACTION,
     .arguments_min = 1,
     .arguments_max = 1,
     .takes_message = true},
};

static struct letter {
    const char *uid, *content; /* content NULL: deleted */
} letters[] = {
    {"alpha", "Subject: first\r\n\r\nThe first letter.\r\n"},
    {"beta", "Subject: second\r\n\r\nThe second letter.\r\n"},
    {"gamma", "Subject: third\r\n\r\nThe third letter.\r\n"},
};
#define LETTERS (sizeof letters / sizeof *letters)

static bool is(struct postern_span span, const char *text)
{
    return span.n == strlen(text) && memcmp(span.p, text, span.n) == 0;
}

static struct letter *letter_of(struct postern_span uid)
{
    for (size_t i = 0; i < LETTERS; i++)
        if (letters[i].content && is(uid, letters[i].uid))
            return &letters[i];
    return NULL;
}

/* The capability list can be edited for each connection. */
static int connected(void *ctx, struct postern_token token, const char *peer,
                     struct postern_span *stamp_r)
{
    (void)ctx, (void)peer, (void)stamp_r;
    return postern_pop3_set_capability(postern_visit_engine(token.visit), POSTERN_POP3_TRANSACTION,
                                       postern_span_of("XCOUNT"), postern_span_of("XCOUNT EXACT"));
}

static int authenticate(void *ctx, struct postern_token token, const struct postern_login *login,
                        struct postern_span *user_r)
{
    (void)ctx, (void)token, (void)user_r;
    return is(login->user, "demo") && is(login->secret, "postern") ? POSTERN_YES
                                                                   : POSTERN_NO_CREDENTIALS;
}

static int list(void *ctx, struct postern_token token, struct postern_span user,
                struct postern_listing *listing)
{
    int r = 0;

    (void)ctx, (void)token, (void)user;
    for (size_t i = 0; r >= 0 && i < LETTERS; i++)
        if (letters[i].content)
            r = postern_listing_add(listing, postern_span_of(letters[i].uid),
                                    strlen(letters[i].content), 0);
    return r;
}

static int retrieve(void *ctx, struct postern_token token, struct postern_span uid,
                    struct postern_body *body_r)
{
    const struct letter *letter = letter_of(uid);

    (void)ctx, (void)token;
    if (!letter)
        return POSTERN_NO_NOT_FOUND;
    body_r->bytes = postern_span_of(letter->content);
    return POSTERN_YES;
}

/* DELE deletes: EFFECT_GONE tells the engine that the message will not come back. */
static int command(void *ctx, struct postern_token token,
                   const struct postern_pop3_question *question, struct postern_pop3_reply *reply_r)
{
    static char text[64];
    struct letter *letter;
    int count = 0;

    (void)ctx, (void)token;
    if (is(question->command, "DELE")) {
        letter = letter_of(question->message.uid);
        reply_r->ok = letter != NULL;
        reply_r->text = postern_span_of(letter ? "deleted for good" : "it is gone already");
        reply_r->effects = POSTERN_POP3_EFFECT_GONE;
        if (letter)
            letter->content = NULL;
        return POSTERN_YES;
    }
    for (size_t i = 0; i < LETTERS; i++)
        count += letters[i].content != NULL;
    snprintf(text, sizeof text, "%d letters are left", count);
    reply_r->text = postern_span_of(text);
    return POSTERN_YES;
}

int main(int argc, char **argv)
{
    struct postern_provider provider = {.struct_bytes = sizeof provider,
                                        .connected = connected,
                                        .authenticate = authenticate,
                                        .list = list,
                                        .retrieve = retrieve,
                                        .command = command};
    struct postern_service *service;
    struct postern_pop3_options options;
    int listener = listen_local(argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 0);

    POSTERN_POP3_OPTIONS_INIT(&options);
    options.plaintext_without_tls = true; /* on loopback only */
    options.commands = commands;
    options.command_count = sizeof commands / sizeof *commands;
    if (listener < 0 || postern_service_new(&service, &provider, &options) < 0)
        return perror("custom-command"), 1;
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0; close(fd))
        if (postern_serve_fd(service, fd) < 0)
            fprintf(stderr, "a connection broke\n");
    return 1;
}
