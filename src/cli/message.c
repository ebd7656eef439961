/* SPDX-License-Identifier: MIT */
/* message - `postern message list|search|get|flag|move|delete USER MAILBOX ...`. Changes and
 * searches are IMAP commands, said to the store without a connection; so criteria are those of
 * SEARCH. */
#include "cli/cli.h"

#include "base/buffer.h"
#include "base/span.h"
#include "serve/command.h"
#include <postern/mime.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define WORDS_MAX 64

struct message_verb {
    struct postern_store *store;
    struct postern_span user, mailbox;
    const char *words[WORDS_MAX]; /* behind the mailbox */
    size_t count;
    bool json;
    size_t shown;
    struct postern_mailbox *box;
    int code;
};

/* ---- list, get ------------------------------------------------------------------------------- */

static const char *flags_text(uint32_t flags, char out[8])
{
    static const char letters[] = "SRFTD";
    size_t n = 0;

    for (unsigned i = 0; letters[i]; i++)
        if (flags >> i & 1)
            out[n++] = letters[i];
    out[n] = '\0';
    return out;
}

/* field - of a message, its encoded words decoded; absent where there is none. */
static void field(struct postern_span block, enum postern_mime_field which, struct buffer *out)
{
    struct postern_span value = postern_mime_field(block, 0, which, 0);
    char text[1000];
    size_t n = postern_mime_words(value, text, sizeof text);

    buffer_append(out, span_make(text, n < sizeof text ? n : sizeof text));
    for (size_t i = out->head; i < out->tail; i++) /* a terminal shall not obey it */
        if ((unsigned char)out->data[i] < ' ' || out->data[i] == 127)
            out->data[i] = ' ';
}

static void show_json(struct message_verb *verb, const struct postern_message_info *info,
                      struct postern_span from, struct postern_span subject)
{
    char letters[8];

    printf("%s{\"uid\": %u, \"date\": %lld, \"bytes\": %llu, \"flags\": \"%s\", \"from\": ",
           verb->shown++ ? ",\n " : "", info->uid, (long long)info->date_s,
           (unsigned long long)info->size_wire, flags_text(info->flags, letters));
    json_text(stdout, from);
    fputs(", \"subject\": ", stdout);
    json_text(stdout, subject);
    putchar('}');
}

static int show_one(struct message_verb *verb, const struct postern_message_info *info)
{
    struct buffer from = {0}, subject = {0};
    struct postern_span block = {NULL, 0};
    char letters[8];
    int err = verb->store->ops->structure(verb->box, info->uid, 0, &block);

    if (err == POSTERN_E_NOMEM)
        return err;
    if (!err) {
        field(block, POSTERN_MIME_FROM, &from);
        field(block, POSTERN_MIME_SUBJECT, &subject);
    }
    if (verb->json)
        show_json(verb, info, buffer_span(&from), buffer_span(&subject));
    else
        printf("%u\t%s\t%llu\t%.*s\t%.*s\n", info->uid, flags_text(info->flags, letters),
               (unsigned long long)info->size_wire, SPAN_ARG(buffer_span(&from)),
               SPAN_ARG(buffer_span(&subject)));
    buffer_done(&from);
    buffer_done(&subject);
    free((char *)(uintptr_t)block.p);
    return 0;
}

static int note(void *ctx, const struct postern_message_info *info)
{
    struct buffer *all = ctx;

    buffer_append(all, span_make((const char *)info, sizeof *info));
    return all->error;
}

static int list(struct message_verb *verb)
{
    struct buffer infos = {0};
    struct postern_status status;
    const struct postern_message_info *all;
    int err = verb->store->ops->refresh(verb->box, 0, &status);

    if (!err)
        err = verb->store->ops->each(verb->box, (struct postern_uid_range){1, UINT32_MAX}, 0, note,
                                     &infos);
    all = (const struct postern_message_info *)(const void *)buffer_span(&infos).p;
    if (verb->json)
        putchar('[');
    for (size_t i = 0; i < buffer_length(&infos) / sizeof *all && !err; i++)
        err = show_one(verb, &all[i]);
    if (verb->json)
        puts("]");
    buffer_done(&infos);
    return err;
}

static int get(struct message_verb *verb)
{
    const struct postern_store_ops *ops = verb->store->ops;
    struct postern_content *content = NULL;
    struct postern_facts facts;
    struct postern_status status;
    char bytes[65536];
    uint64_t uid = 0, offset = 0;
    int n, err = ops->refresh(verb->box, 0, &status);

    if (!span_number(postern_span_of(verb->words[0]), UINT32_MAX, &uid))
        return POSTERN_E_SYNTAX;
    if (!err)
        err = ops->message(verb->box, (uint32_t)uid, 0, &content, &facts);
    if (err)
        return err;
    while ((n = ops->read(content, offset, bytes, sizeof bytes)) > 0) {
        offset += (uint64_t)n;
        if (fwrite(bytes, 1, (size_t)n, stdout) != (size_t)n)
            n = POSTERN_E_IO;
    }
    ops->content_close(&content);
    return n;
}

/* ---- what is said in IMAP's words ------------------------------------------------------------ */

static void say_mailbox(struct buffer *say, struct postern_span name)
{
    buffer_append_text(say, "{");
    buffer_append_number(say, name.n);
    buffer_append_text(say, "+}\r\n");
    buffer_append(say, name);
}

/* next_line - of an answer, without its end. */
static struct postern_span next_line(struct postern_span *rest)
{
    struct postern_span line = span_cut(rest, '\n');

    return span_cut(&line, '\r');
}

/* tagged - the text behind "x " of the last line; ok_r: it says OK. */
static struct postern_span tagged(struct postern_span said, bool *ok_r)
{
    struct postern_span last = {"", 0};

    while (said.n) {
        struct postern_span line = next_line(&said);

        if (span_begins(line, SPAN("x ")))
            last = span_from(line, 2);
    }
    *ok_r = span_begins(last, SPAN("OK"));
    return last;
}

/* command - in the mailbox, selected; what was answered in said. */
static int command(struct message_verb *verb, struct postern_span text, struct buffer *said)
{
    struct buffer say = {0};
    struct postern_span answer;
    bool ok;
    int err;

    buffer_append_text(&say, "s SELECT ");
    say_mailbox(&say, verb->mailbox);
    buffer_append_text(&say, "\r\nx ");
    buffer_append(&say, text);
    buffer_append_text(&say, "\r\n");
    err = say.error ? say.error : serve_command(verb->store, verb->user, buffer_span(&say), said);
    buffer_done(&say);
    if (err)
        return err;
    answer = tagged(buffer_span(said), &ok);
    if (!ok) {
        fprintf(stderr, "postern: message: %.*s\n", SPAN_ARG(answer));
        verb->code = span_begins(answer, SPAN("BAD")) ? EX_USAGE : EX_DATAERR;
    }
    return 0;
}

static bool is_set(const char *text)
{
    return *text && strspn(text, "0123456789:,*") == strlen(text);
}

/* run - "UID VERB SET rest". */
static int run(struct message_verb *verb, const char *name, struct postern_span rest)
{
    struct buffer text = {0}, said = {0};
    int err;

    if (!is_set(verb->words[0]))
        return POSTERN_E_SYNTAX;
    buffer_append_text(&text, name);
    buffer_append_text(&text, verb->words[0]);
    buffer_append(&text, rest);
    err = text.error ? text.error : command(verb, buffer_span(&text), &said);
    buffer_done(&text);
    buffer_done(&said);
    return err;
}

static int search(struct message_verb *verb)
{
    struct buffer text = {0}, said = {0};
    struct postern_span rest;
    int err;

    buffer_append_text(&text, "UID SEARCH");
    for (size_t i = 0; i < verb->count; i++) {
        buffer_append_text(&text, " ");
        buffer_append_text(&text, verb->words[i]);
    }
    if (!verb->count)
        buffer_append_text(&text, " ALL");
    err = text.error ? text.error : command(verb, buffer_span(&text), &said);
    rest = buffer_span(&said);
    while (!err && rest.n) {
        struct postern_span line = next_line(&rest);

        if (!span_begins(line, SPAN("* SEARCH ")))
            continue;
        line = span_from(line, strlen("* SEARCH "));
        while (line.n) {
            struct postern_span uid = span_cut(&line, ' ');

            printf("%.*s\n", SPAN_ARG(uid));
        }
    }
    buffer_done(&text);
    buffer_done(&said);
    return err;
}

/* flag - "+seen -flagged +work": the system's by name, others are keywords. */
static int flag(struct message_verb *verb)
{
    static const char *const system[] = {"seen", "answered", "flagged", "deleted", "draft"};
    int err = 0;

    for (size_t i = 1; i < verb->count && !err && !verb->code; i++) {
        const char *word = verb->words[i];
        struct buffer rest = {0};
        bool known = false;

        if ((*word != '+' && *word != '-') || !word[1])
            return POSTERN_E_SYNTAX;
        for (size_t k = 0; k < sizeof system / sizeof *system; k++)
            known |= strcmp(system[k], word + 1) == 0;
        buffer_append_text(&rest, *word == '+' ? " +FLAGS.SILENT (" : " -FLAGS.SILENT (");
        buffer_append_text(&rest, known ? "\\" : "");
        buffer_append_text(&rest, word + 1);
        buffer_append_text(&rest, ")");
        err = rest.error ? rest.error : run(verb, "UID STORE ", buffer_span(&rest));
        buffer_done(&rest);
    }
    return err;
}

static int move(struct message_verb *verb)
{
    struct buffer rest = {0};
    int err;

    buffer_append_text(&rest, " ");
    say_mailbox(&rest, postern_span_of(verb->words[1]));
    err = rest.error ? rest.error : run(verb, "UID MOVE ", buffer_span(&rest));
    buffer_done(&rest);
    return err;
}

static int delete_(struct message_verb *verb)
{
    int err = run(verb, "UID STORE ", SPAN(" +FLAGS.SILENT (\\Deleted)"));

    return err || verb->code ? err : run(verb, "UID EXPUNGE ", SPAN(""));
}

/* ---- the command ----------------------------------------------------------------------------- */

static const struct {
    const char *name;
    size_t least; /* words behind the mailbox */
    size_t most;
    int (*work)(struct message_verb *verb);
    const char *wants;
} verbs[] = {{"list", 0, 0, list, "wants a user and a mailbox"},
             {"search", 0, WORDS_MAX, search, "wants a user, a mailbox and what SEARCH takes"},
             {"get", 1, 1, get, "wants a user, a mailbox and a UID"},
             {"flag", 2, WORDS_MAX, flag, "wants a user, a mailbox, UIDs and +flags or -flags"},
             {"move", 2, 2, move, "wants a user, a mailbox, UIDs and another mailbox"},
             {"delete", 1, 1, delete_, "wants a user, a mailbox and UIDs"}};

static int own_flag(void *ctx, const char *flag_name, const char *value, bool *value_used)
{
    (void)value, (void)value_used;
    if (strcmp(flag_name, "json") != 0)
        return 0;
    ((struct message_verb *)ctx)->json = true;
    return 1;
}

static int work(struct message_verb *verb, int (*of_verb)(struct message_verb *verb))
{
    struct postern_account *account = NULL;
    int err = verb->store->ops->account_open(verb->store, verb->user, 0, &account);

    if (!err)
        err = verb->store->ops->open(account, verb->mailbox, 0, &verb->box);
    if (!err)
        err = of_verb(verb);
    verb->store->ops->close(&verb->box);
    verb->store->ops->account_close(&account);
    return err;
}

int cli_message(int argc, char **argv)
{
    struct message_verb verb = {.code = 0};
    struct settings settings = {.own = own_flag, .ctx = &verb};
    struct postern_store store;
    size_t which = 0;
    int at = 4, code;

    while (which < 6 && (argc < 2 || strcmp(argv[1], verbs[which].name) != 0))
        which++;
    if (which == 6)
        return cli_complain(EX_USAGE, "message", "want list, search, get, flag, move or delete");
    for (; at < argc && strncmp(argv[at], "--", 2) != 0 && verb.count < WORDS_MAX; at++) {
        if (strpbrk(argv[at], "\r\n")) /* it would begin another command */
            return cli_complain(EX_USAGE, argv[1], "an argument is one line");
        verb.words[verb.count++] = argv[at];
    }
    if (at < argc && strncmp(argv[at], "--", 2) != 0)
        return cli_complain(EX_USAGE, argv[1], "too many words");
    if (argc < 4 || strncmp(argv[2], "--", 2) == 0 || strncmp(argv[3], "--", 2) == 0 ||
        verb.count < verbs[which].least || verb.count > verbs[which].most)
        return cli_complain(EX_USAGE, verbs[which].name, verbs[which].wants);
    verb.user = postern_span_of(argv[2]);
    verb.mailbox = postern_span_of(argv[3]);
    argv[at - 1] = argv[0]; /* what is left is flags */
    code = settings_read(&settings, argc - at + 1, argv + at - 1);
    if (!code)
        code = cli_store(&settings.config, &store);
    if (!code) {
        int err;

        verb.store = &store;
        err = work(&verb, verbs[which].work);
        postern_store_free(&store);
        code = err < 0 ? cli_fail(argv[3], err) : verb.code;
    }
    config_done(&settings.config);
    return code;
}
