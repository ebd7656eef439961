/* SPDX-License-Identifier: MIT */
/* sendmail - `postern sendmail`, or a link of the name sendmail: what cron, mail(1) and scripts run
 * to send a message. It has no queue: it says the message to a server while its caller waits, and
 * its exit status is what came of it (sysexits.h): 0 for all, or nobody got it. */
#include "cli/cli.h"

#include "base/memory.h"
#include "base/span.h"
#include "cli/submit.h"
#include "daemon/parts.h"
#include "daemon/program.h"
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

/* struct flags - of the command line. */
struct flags {
    const char *sender, *name, *mode;
    bool from_header, dots_count_not;
    char **settings; /* "--key value", for settings_read() */
    int settings_count;
    char **recipients; /* the rest of the arguments */
};

/* struct sending - a message on its way. */
struct sending {
    struct flags flags;
    struct settings settings;
    struct letter letter;
    struct buffer sender, recipients; /* the latter a line each */
    const char *domain;               /* of names without one */
    char host[256];
};

static int complain(int code, const char *what, struct postern_span why)
{
    fprintf(stderr, "sendmail: %s%s%.*s\n", what, *what ? ": " : "", SPAN_ARG(why));
    return code;
}

static int no_memory(void)
{
    return complain(EX_TEMPFAIL, "", SPAN("out of memory"));
}

/* ---- the command line ------------------------------------------------------------------------ */

#define WITH_ARGUMENT "ABCFLNORVXbdefhopr" /* d, o, b, e: mostly behind the letter */

static void setting(struct flags *flags, char *argument)
{
    flags->settings[flags->settings_count++] = argument;
}

/* one_flag - what other sendmails have and we need not is passed over. */
static bool one_flag(struct flags *flags, char letter, char *value)
{
    switch (letter) {
    case 'f':
    case 'r':
        flags->sender = value;
        return true;
    case 'F':
        flags->name = value;
        return true;
    case 'b':
        flags->mode = value;
        return true;
    case 'C':
        setting(flags, (char *)(uintptr_t) "--config");
        setting(flags, value);
        return true;
    case 'o':
        flags->dots_count_not |= strcmp(value, "i") == 0;
        return true;
    case 't':
        return flags->from_header = true;
    case 'i':
        return flags->dots_count_not = true;
    case 'q':
        flags->mode = flags->mode ? flags->mode : "q";
        return true;
    default:
        return strchr("ABLNORVXdehpGImnUvcx", letter) != NULL;
    }
}

/* cluster - "-ti", "-oi", "-f x"; *used_r: the next argument was its value. */
static bool cluster(struct flags *flags, char *letters, char *next, bool *used_r)
{
    for (; *letters; letters++) {
        bool wants = strchr(WITH_ARGUMENT, *letters) != NULL;
        char *value = letters[1] || *letters == 'd' ? letters + 1 : next;

        if (wants && !value)
            return false;
        *used_r = wants && value == next;
        if (!one_flag(flags, *letters, value))
            return false;
        if (wants || *letters == 'q')
            return true;
    }
    return true;
}

static bool read_flags(struct flags *flags, int argc, char **argv)
{
    int i = 1;

    flags->settings = memory_new(NULL, 2 * (size_t)(argc + 1) * sizeof(char *));
    if (!flags->settings)
        return false;
    setting(flags, argv[0]);
    for (bool used = false; i < argc && argv[i][0] == '-' && argv[i][1]; i += 1 + used) {
        used = false;
        if (strcmp(argv[i], "--") == 0) {
            i++;
            break;
        }
        if (argv[i][1] == '-') {
            setting(flags, argv[i]);
            used = !strchr(argv[i], '=') && i + 1 < argc;
            if (used)
                setting(flags, argv[i + 1]);
        } else if (!cluster(flags, argv[i] + 1, argv[i + 1], &used)) {
            (void)complain(EX_USAGE, argv[i], SPAN("there is no such option, or it wants a value"));
            return false;
        }
    }
    flags->recipients = argv + i;
    return true;
}

/* other_mode - what is not sending a message; -1: it is. */
static int other_mode(const char *name, const char *mode)
{
    const char *slash = strrchr(name, '/');

    name = slash ? slash + 1 : name;
    if (strcmp(name, "mailq") == 0 || (mode && strcmp(mode, "p") == 0)) {
        puts("Mail queue is empty"); /* there is none */
        return 0;
    }
    if (strcmp(name, "newaliases") == 0 || (mode && (!strcmp(mode, "i") || !strcmp(mode, "q"))))
        return 0; /* the server sees by itself that a file changed */
    if (!mode || strcmp(mode, "m") == 0)
        return -1;
    fprintf(stderr, "sendmail: -b%s is not there: speak SMTP to the server itself\n", mode);
    return EX_USAGE;
}

/* ---- who sends it to whom -------------------------------------------------------------------- */

static bool has_control(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 127)
            return true;
    return false;
}

/* bad_list - what letter_addresses() came to: err, or nobody. */
static int bad_list(int err, int code, const char *what)
{
    return err == POSTERN_E_NOMEM ? no_memory() : complain(code, what, SPAN("is no address"));
}

/* read_sender - -f's, or who runs this. */
static int read_sender(struct sending *sending)
{
    const char *said = sending->flags.sender;
    const struct passwd *user = said ? NULL : getpwuid(getuid());
    const char *name = said ? said : user ? user->pw_name : getenv("LOGNAME");

    if (said && (!*said || strcmp(said, "<>") == 0))
        return 0;
    if (!name || has_control(name))
        return complain(EX_USAGE, "the sender", SPAN("is no address"));
    letter_addresses(postern_span_of(name), sending->domain, &sending->sender);
    if (sending->sender.error || !buffer_length(&sending->sender))
        return bad_list(sending->sender.error, EX_USAGE, name);
    /* of several the first */
    sending->sender.tail = sending->sender.head + span_find(buffer_span(&sending->sender), '\n');
    return 0;
}

/* full_name - -F's, $NAME, or what the system knows; NULL: none. */
static const char *full_name(const struct sending *sending, char *out, size_t size)
{
    const char *name = sending->flags.name ? sending->flags.name : getenv("NAME");
    const struct passwd *user = name ? NULL : getpwuid(getuid());

    if (user && user->pw_gecos)
        name = user->pw_gecos;
    if (name)
        snprintf(out, size, "%.*s", user ? (int)strcspn(name, ",") : (int)strlen(name), name);
    return name && *out ? out : NULL;
}

static int read_arguments(struct sending *sending)
{
    for (char **at = sending->flags.recipients; *at; at++) {
        size_t before = buffer_length(&sending->recipients);

        letter_addresses(postern_span_of(*at), sending->domain, &sending->recipients);
        if (sending->recipients.error || buffer_length(&sending->recipients) == before)
            return bad_list(sending->recipients.error, EX_DATAERR, *at);
    }
    if (!buffer_length(&sending->recipients) && !sending->flags.from_header)
        return complain(EX_USAGE, "", SPAN("no recipients; see postern(1)"));
    return 0;
}

/* read_letter - all of it, before anybody is told. */
static int read_letter(struct sending *sending)
{
    struct letter_facts facts = {.host = sending->host, .sender = buffer_span(&sending->sender)};
    char name[256] = "";
    int err;

    sending->letter.body.folder = program_folder();
    err = letter_read(&sending->letter, stdin, !sending->flags.dots_count_not);
    if (err)
        return complain(err == POSTERN_E_TOO_LONG ? EX_DATAERR : EX_TEMPFAIL, "the message",
                        postern_span_of(postern_err_text(err)));
    if (sending->flags.from_header)
        err = letter_recipients(&sending->letter, sending->domain, &sending->recipients);
    if (err)
        return bad_list(err, EX_DATAERR, "a recipient in the header");
    if (!buffer_length(&sending->recipients))
        return complain(EX_DATAERR, "", SPAN("no recipients in the header"));
    facts.name = full_name(sending, name, sizeof name);
    return letter_complete(&sending->letter, &facts) < 0 ? no_memory() : 0;
}

/* ---- all of it --------------------------------------------------------------------------------
 */

static int run(struct sending *sending)
{
    struct flags *flags = &sending->flags;
    const struct config *config = &sending->settings.config;
    int code = settings_read(&sending->settings, flags->settings_count, flags->settings);

    if (code)
        return code;
    if (sending->settings.positional)
        return complain(EX_USAGE, sending->settings.positional, SPAN("what is it?"));
    parts_host(config, sending->host, sizeof sending->host);
    sending->domain = config->domains[0] ? config->domains[0] : sending->host;
    code = read_sender(sending);
    if (!code)
        code = read_arguments(sending);
    if (!code)
        code = read_letter(sending);
    return code ? code
                : submit(config,
                         &(struct submission){.host = sending->host,
                                              .sender = buffer_span(&sending->sender),
                                              .recipients = buffer_span(&sending->recipients),
                                              .letter = &sending->letter});
}

int cli_sendmail(int argc, char **argv)
{
    struct sending *sending = memory_new(NULL, sizeof *sending);
    int code = EX_USAGE;

    signal(SIGPIPE, SIG_IGN);
    if (!sending)
        return EX_TEMPFAIL;
    if (read_flags(&sending->flags, argc, argv)) {
        code = other_mode(argv[0], sending->flags.mode);
        if (code < 0)
            code = run(sending);
    }
    letter_done(&sending->letter);
    buffer_done(&sending->sender);
    buffer_done(&sending->recipients);
    config_done(&sending->settings.config);
    memory_free(NULL, sending->flags.settings);
    memory_free(NULL, sending);
    return code;
}
