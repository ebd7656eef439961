/* SPDX-License-Identifier: MIT */
/* test_talks - runs every tests/wire/pop3/AREA/NAME.talk (or those named) against the POP3 engine,
 * whole, byte by byte, and cut in two at every position, the output taken whole and byte by byte.
 * All passes must give the same transcript. The format is told in tests/wire/README.md. */
#include "wire/talk_steps.h"
#include <glob.h>

#define SPLIT_MOST 400

static void talk_load(struct talk *talk, const char *path)
{
    FILE *file = fopen(path, "rb");
    char block[4096];
    size_t n;
    *talk = (struct talk){.name = strstr(path, "pop3/") ? strstr(path, "pop3/") : path};
    while (file && (n = fread(block, 1, sizeof block, file)) > 0)
        text_add(&talk->file, block, n);
    if (file)
        fclose(file);
    text_put(&talk->file, "");
    for (char *p = talk->file.p; *p; p++) {
        talk->lines = realloc(talk->lines, (talk->count + 1) * sizeof *talk->lines);
        talk->lines[talk->count++] = p;
        p += strcspn(p, "\n");
        if (!*p)
            break;
        *p = 0;
    }
}

static void talk_free(struct talk *talk)
{
    free(talk->lines);
    text_done(&talk->file);
}

static void run_init(struct run *run, const struct talk *talk, const struct pass *pass)
{
    memset(run, 0, sizeof *run);
    run->talk = talk;
    run->pass = *pass;
    run->random = (struct postern_random){talk_random_fill, &run->random_state};
    run->now = 1000 * POSTERN_SECOND;
    model_init(&run->model);
    POSTERN_POP3_OPTIONS_INIT(&run->options);
    run->options.random = &run->random;
    run->options.crypto = &talk_crypto;
    run->options.host = postern_span_of("pop.example");
    run->options.decoy_key = postern_span_of("decoy key of the talks, 32 octets");
    run->options.plaintext_without_tls = true; /* most talks are not about that */
    setup_user(run, "alice secret");
}

static void run_done(struct run *run)
{
    postern_pop3_free(&run->session);
    model_done(&run->model);
    scram_done(&run->scram);
    text_done(&run->pending);
    text_done(&run->got);
    text_done(&run->all);
    text_done(&run->seen);
    text_done(&run->remembered);
}

/* run_talk - one pass; true when all was as the talk says */
static bool run_talk(struct run *run)
{
    for (run->line = 0; run->line < run->talk->count && !run->why[0]; run->line++) {
        const char *line = run->talk->lines[run->line];
        if (!*line || *line == '#' || setup_line(run, line))
            continue;
        if (!run->session && !turn_begin(run))
            break;
        step_line(run, line);
    }
    if (!run->why[0] && !run->session)
        run_fail(run, "a talk without a step");
    if (!run->why[0])
        expect_silence(run);
    return !run->why[0];
}

/* talk_pass - run it and compare with the first pass; false: failed, and told */
static bool talk_pass(struct run *run, const struct talk *talk, const struct pass *pass,
                      struct text *first, size_t *client_bytes)
{
    static const char *const names[] = {"whole", "byte by byte", "split"};
    run_init(run, talk, pass);
    bool ok = run_talk(run);
    if (ok && !first->p)
        text_add(first, run->all.p, run->all.n);
    else if (ok &&
             (first->n != run->all.n || (first->n && memcmp(first->p, run->all.p, first->n) != 0)))
        ok = run_fail(run, "the transcript differs from that of the first pass");
    *client_bytes = run->fed;
    if (!ok)
        printf("FAIL %s [%s%s%s %zu]\n", run->why, names[pass->feeding],
               pass->slow_output ? ", slow output" : "",
               pass->feeding == FEED_SPLIT ? " at" : ", bytes",
               pass->feeding == FEED_SPLIT ? pass->split : run->fed);
    run_done(run);
    return ok;
}

static bool talk_passes(struct run *run, const struct talk *talk)
{
    struct text first = {0};
    size_t bytes = 0;
    bool ok = true;
    for (int i = 0; i < 4 && ok; i++) {
        struct pass pass = {i & 1 ? FEED_BYTES : FEED_WHOLE, 0, i >= 2};
        ok = talk_pass(run, talk, &pass, &first, &bytes);
    }
    for (size_t at = 1; bytes < SPLIT_MOST && at < bytes && ok; at++) {
        size_t ignored;
        struct pass pass = {FEED_SPLIT, at, false};
        ok = talk_pass(run, talk, &pass, &first, &ignored);
    }
    text_done(&first);
    return ok;
}

int main(int argc, char **argv)
{
    glob_t found = {0};
    struct run *run = malloc(sizeof *run);
    size_t passed = 0, failed = 0;
    const char *default_pattern = "tests/wire/pop3/*/*.talk";
    for (int i = 1; i < argc; i++)
        glob(argv[i], i > 1 ? GLOB_APPEND : 0, NULL, &found);
    if (argc < 2)
        glob(default_pattern, 0, NULL, &found);
    for (size_t i = 0; run && i < found.gl_pathc; i++) {
        struct talk talk;
        talk_load(&talk, found.gl_pathv[i]);
        if (talk_passes(run, &talk))
            passed++;
        else
            failed++;
        talk_free(&talk);
    }
    globfree(&found);
    free(run);
    printf("%zu passed, %zu failed\n", passed, failed);
    return failed || !passed;
}
