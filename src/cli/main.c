/* SPDX-License-Identifier: MIT */
/* main - `postern COMMAND ...`: finds the command in its table. */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *usage, *help;
} commands[] = {
    {"serve", cli_serve, "[MAIL] [--config FILE] [--KEY VALUE]...",
     "serve mail; see postern.conf(5)"},
    {"dev", cli_dev, "[MAIL] [--port N] [--password TEXT]...",
     "a disposable server on 127.0.0.1, for testers"},
    {"user", cli_user, "add|passwd|del|list|test [NAME] [--users FILE]",
     "edit and try the password file"},
    {"mailbox", cli_mailbox, "list|status|folders|create|delete|rename|... [USER]",
     "look at mailboxes and change them, make an index anew, take over unique-ids"},
    {"message", cli_message, "list|search|get|flag|move|delete USER MAILBOX ...",
     "look at messages, find and change them"},
    {"put", cli_put, "USER [FILE] [--mail PATH] [--stream]",
     "deliver a message, or a stream of them"},
    {"deliver", cli_deliver, "-d USER [-f SENDER] [-m MAILBOX] [-a ADDRESS] [-e]",
     "deliver a message from standard input, for an MTA's pipe"},
    {"sendmail", cli_sendmail, "[-t] [-i] [-f SENDER] [-F NAME] [RECIPIENT]...",
     "send a message from standard input, as every MTA's sendmail does"},
    {"explain", cli_explain, "ADDRESS", "who gets the mail for an address"},
    {"tlsa", cli_tlsa, "[FILE]", "the DANE records of tls_cert's key, and of a next one in FILE"},
    {"import", cli_import, "USER PATH [--mailbox NAME]", "append a Maildir, an mbox or .eml files"},
    {"export", cli_export, "USER PATH [--mailbox NAME] [--format maildir|mbox|eml]",
     "write a mailbox to a Maildir, an mbox or .eml files"},
    {"fsck", cli_fsck, "[USER] [--repair] [--json]", "check accounts, and mend them"},
    {"index", cli_index, "dump|text USER",
     "what is known of an account, as JSON; make its index of texts"},
    {"populate", cli_populate, "USER [--count N] [--rate PER_SECOND]",
     "deliver random realistic mail"},
    {"config", cli_config, "check|dump|example [--config FILE]",
     "check, print, or make a configuration"},
    {"version", cli_version, "", "print the version"},
    {"sizes", cli_sizes, "", "what a session that waits holds of memory"},
    {"help", cli_help, "[COMMAND]", "this text, or a command's"},
};
#define COMMAND_COUNT (sizeof commands / sizeof *commands)

static const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

int cli_version(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--json") == 0)
        printf("{\"version\": \"%s\"}\n", POSTERN_VERSION);
    else
        printf("postern %s\n", POSTERN_VERSION);
    return 0;
}

int cli_help(int argc, char **argv)
{
    const struct command *command = argc > 1 ? command_find(argv[1]) : NULL;

    if (argc > 1 && !command)
        return cli_complain(EX_USAGE, argv[1], "no such command");
    if (command) {
        printf("usage: postern %s %s\n%s\n", command->name, command->usage, command->help);
        return 0;
    }
    puts("postern - a mail server, and what its administrator needs\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("  postern %-9s %-52s %s\n", commands[i].name, commands[i].usage, commands[i].help);
    puts("\nEvery setting of postern.conf(5) is also a flag (--idle-timeout 15m) and a variable "
         "(POSTERN_IDLE_TIMEOUT).");
    return 0;
}

/* is_sendmail - called by one of the names that programs know. */
static bool is_sendmail(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

    return strcmp(name, "sendmail") == 0 || strcmp(name, "mailq") == 0 ||
           strcmp(name, "newaliases") == 0;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "help";
    const struct command *command;

    if (argc && is_sendmail(argv[0]))
        return cli_sendmail(argc, argv);
    if (strcmp(name, "--version") == 0)
        name = "version";
    if (strcmp(name, "--sizes") == 0)
        name = "sizes";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    command = command_find(name);
    if (!command) {
        cli_complain(EX_USAGE, name, "no such command; see postern help");
        return EX_USAGE;
    }
    if (argc > 2 && strcmp(argv[2], "--help") == 0 && command->run != cli_serve &&
        command->run != cli_dev)
        return cli_help(2, (char *[]){(char *)"help", (char *)command->name, NULL});
    return command->run(argc > 1 ? argc - 1 : 1, argc > 1 ? argv + 1 : argv);
}
