/* SPDX-License-Identifier: MIT */
/* fuzz_config - a configuration file: what is taken can be dumped, and the dump is taken again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config.h"

static char *dump(const struct config *config)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);

    if (!out)
        abort();
    config_dump(config, out);
    fclose(out);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config one, two;
    char *text = malloc(size + 1), *first, *second;

    memcpy(text, data, size);
    text[size] = '\0';
    if (config_init(&one) < 0 || config_init(&two) < 0)
        abort();
    if (config_text(&one, text) < 0) {
        if (!*config_error())
            abort();
    } else {
        first = dump(&one);
        if (config_text(&two, first) < 0)
            abort();
        second = dump(&two);
        if (strcmp(first, second) != 0)
            abort();
        free(first);
        free(second);
    }
    config_done(&one);
    config_done(&two);
    free(text);
    return 0;
}

#include "replay.h"
