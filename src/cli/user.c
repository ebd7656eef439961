/* SPDX-License-Identifier: MIT */
/* user - `postern user add|passwd|del|list|test [NAME] [--users FILE] [--scram] [--apop]
 * [--disabled] [--json]`. Passwords come from the terminal without echo, or from standard input;
 * never from the command line, where every user of the machine could read them. */
#include "cli/cli.h"

#include "accounts/accounts.h"
#include "base/span.h"
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

#define PASSWORD_BYTES 512

struct user_flags {
    const char *verb, *name;
    bool scram, apop, disabled, json;
};

static void echo(bool on)
{
    struct termios terminal;

    if (tcgetattr(STDIN_FILENO, &terminal) < 0)
        return;
    terminal.c_lflag = on ? terminal.c_lflag | ECHO : terminal.c_lflag & ~(tcflag_t)ECHO;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &terminal);
}

/* ask - one line, without its end. false: none, or too long. */
static bool ask(const char *prompt, char password[PASSWORD_BYTES])
{
    bool terminal = isatty(STDIN_FILENO);
    char *line;

    if (terminal) {
        fprintf(stderr, "%s: ", prompt);
        echo(false);
    }
    line = fgets(password, PASSWORD_BYTES, stdin);
    if (terminal) {
        echo(true);
        putc('\n', stderr);
    }
    if (!line || !*line)
        return false;
    if (password[strlen(password) - 1] != '\n')
        return strlen(password) < PASSWORD_BYTES - 1;
    password[strcspn(password, "\r\n")] = '\0';
    return true;
}

static bool ask_new(char password[PASSWORD_BYTES])
{
    char again[PASSWORD_BYTES];
    bool same;

    if (!ask("New password", password) || !*password)
        return false;
    if (!isatty(STDIN_FILENO))
        return true;
    same = ask("Once more", again) && strcmp(password, again) == 0;
    secret_wipe(again, sizeof again);
    return same;
}

static int user_change(const struct config *config, const struct user_flags *flags)
{
    char password[PASSWORD_BYTES];
    struct account_change change = {.user = postern_span_of(flags->name),
                                    .scram = flags->scram,
                                    .apop = flags->apop,
                                    .disabled = flags->disabled};
    int err;

    if (!ask_new(password)) {
        secret_wipe(password, sizeof password);
        return cli_complain(EX_DATAERR, flags->name, "no password, or two different ones");
    }
    change.password = postern_span_of(password);
    err = strcmp(flags->verb, "add") == 0 ? accounts_file_add(config->users, &change)
                                          : accounts_file_set(config->users, &change);
    secret_wipe(password, sizeof password);
    return err < 0 ? cli_fail(flags->name, err) : 0;
}

static int user_del(const struct config *config, const struct user_flags *flags)
{
    int err = accounts_file_del(config->users, postern_span_of(flags->name));

    return err < 0 ? cli_fail(flags->name, err) : 0;
}

struct listing {
    bool json;
    size_t count;
};

static int list_one(void *ctx, struct postern_span user, bool disabled, bool scram, bool apop)
{
    struct listing *listing = ctx;

    if (!listing->json) {
        printf("%.*s%s%s%s\n", SPAN_ARG(user), disabled ? " disabled" : "", scram ? " scram" : "",
               apop ? " apop" : "");
        return 0;
    }
    fputs(listing->count++ ? ",\n {\"user\": " : "{\"user\": ", stdout);
    json_text(stdout, user);
    printf(", \"disabled\": %s, \"scram\": %s, \"apop\": %s}", disabled ? "true" : "false",
           scram ? "true" : "false", apop ? "true" : "false");
    return 0;
}

static int user_list(const struct config *config, const struct user_flags *flags)
{
    struct listing listing = {.json = flags->json};
    int err;

    if (flags->json)
        putchar('[');
    err = accounts_file_each(config->users, list_one, &listing);
    if (flags->json)
        puts("]");
    if (err < 0)
        return cli_complain(err == POSTERN_E_NOT_FOUND ? EX_NOINPUT : EX_DATAERR, "users",
                            accounts_error());
    return 0;
}

static int user_test(const struct config *config, const struct user_flags *flags)
{
    char password[PASSWORD_BYTES], name[256];
    struct accounts *accounts;
    enum postern_verdict verdict;

    if (accounts_file_new(&accounts, config->users) < 0)
        return cli_complain(EX_NOINPUT, "users", accounts_error());
    if (!ask("Password", password))
        password[0] = '\0';
    verdict = accounts_check(accounts, postern_span_of(flags->name), (struct postern_span){NULL, 0},
                             postern_span_of(password), name);
    secret_wipe(password, sizeof password);
    accounts_free(&accounts);
    if (flags->json)
        printf("{\"ok\": %s}\n", verdict == POSTERN_YES ? "true" : "false");
    else
        puts(verdict == POSTERN_YES ? "yes" : verdict == POSTERN_NO_POLICY ? "no: disabled" : "no");
    return verdict == POSTERN_YES ? 0 : EX_NOPERM;
}

static int own_flag(void *ctx, const char *flag, const char *value, bool *value_used)
{
    struct user_flags *flags = ctx;
    bool *member = strcmp(flag, "scram") == 0      ? &flags->scram
                   : strcmp(flag, "apop") == 0     ? &flags->apop
                   : strcmp(flag, "disabled") == 0 ? &flags->disabled
                   : strcmp(flag, "json") == 0     ? &flags->json
                                                   : NULL;

    (void)value, (void)value_used;
    if (member)
        *member = true;
    return member != NULL;
}

static const struct {
    const char *name;
    int (*run)(const struct config *config, const struct user_flags *flags);
    bool wants_name;
} verbs[] = {{"add", user_change, true},
             {"passwd", user_change, true},
             {"del", user_del, true},
             {"list", user_list, false},
             {"test", user_test, true}};

int cli_user(int argc, char **argv)
{
    struct user_flags flags = {.verb = argc > 1 ? argv[1] : ""};
    struct settings settings = {.own = own_flag, .ctx = &flags};
    int code = EX_USAGE;

    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(flags.verb, verbs[i].name) != 0)
            continue;
        code = settings_read(&settings, argc - 1, argv + 1);
        flags.name = settings.positional;
        if (!code && verbs[i].wants_name != (flags.name != NULL))
            code = cli_complain(EX_USAGE, flags.verb,
                                flags.name ? "takes no name" : "wants a user name");
        if (!code)
            code = verbs[i].run(&settings.config, &flags);
        config_done(&settings.config);
        return code;
    }
    return cli_complain(code, "user", "want add, passwd, del, list or test");
}
