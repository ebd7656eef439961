/* SPDX-License-Identifier: MIT */
/* fuzz_aliases - a file of aliases, and addresses that are looked up in it: what was parsed is
 * found again, and following them ends, whatever they name. The first line are addresses, apart by
 * spaces; the rest is the file. */
#include "accounts/aliases.h"
#include "accounts/recipients.h"
#include "base/span.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static void look(struct postern_span text)
{
    struct aliases aliases;
    const char *why = NULL;
    unsigned line = 0;

    if (aliases_parse(text, &aliases, &line, &why) < 0) {
        if (!why || !line)
            abort();
        return;
    }
    for (size_t i = 0; i < aliases.count; i++) {
        struct postern_span targets = aliases_find(&aliases, aliases.all[i].name), target;

        if (targets.p != aliases.all[i].targets.p || !aliases_next(&targets, &target))
            abort();
    }
    aliases_free(&aliases);
}

/* ask - each address by a resolver over the file. */
static void ask(struct postern_span addresses, struct recipients *recipients)
{
    while (addresses.n) {
        struct postern_span domain = span_cut(&addresses, ' '), local = span_cut(&domain, '@');
        struct address_targets targets;
        int found = recipients_find(recipients, local, domain, &targets);

        if (found < ADDRESS_FOUND || found > ADDRESS_TANGLED ||
            (targets.count > 0) != (found == ADDRESS_FOUND) || targets.count > ADDRESS_TARGETS_MAX)
            abort();
        address_targets_free(&targets);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* file_make - in memory, with a path. */
static int file_make(char path[40])
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    if (fd < 0)
        abort();
    snprintf(path, 40, "/proc/self/fd/%d", fd);
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const domains[] = {"a", "b", NULL};
    static struct accounts *accounts;
    static char path[40], nobody[40];
    static int fd;
    struct postern_span text = span_make((const char *)data, size), first = span_cut(&text, '\n');
    struct recipients_options options = {.domains = domains, .aliases = path, .delimiters = "+"};
    struct recipients *recipients = NULL;

    if (!accounts) {
        (void)file_make(nobody);
        fd = file_make(path);
        if (accounts_file_new(&accounts, nobody) < 0)
            abort();
    }
    look(text);
    if (ftruncate(fd, 0) < 0 || pwrite(fd, text.p ? text.p : "", text.n, 0) != (ssize_t)text.n)
        abort();
    options.accounts = accounts;
    if (recipients_new(&recipients, &options) == 0)
        ask(first, recipients);
    recipients_free(&recipients);
    return 0;
}

#include "replay.h"
