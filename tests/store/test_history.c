/* SPDX-License-Identifier: MIT */
/* test_history - random histories on a store and on the model, the memory store: after each step
 * both must show the same, and the checker must be content. A history is made from a seed; one that
 * fails is made shorter as long as it still fails, and printed.
 *
 * HISTORY_SEED and HISTORY_COUNT in the environment replay one, or run more. */
#include "shown.h"

#define STEPS 60

enum step_kind {
    STEP_APPEND,
    STEP_APPEND_SET,
    STEP_FLAGS,
    STEP_FLAGS_IF,
    STEP_KEYWORD,
    STEP_EXPUNGE,
    STEP_COPY,
    STEP_MOVE,
    STEP_CREATE,
    STEP_REMOVE,
    STEP_RENAME,
    STEP_SUBSCRIBE,
    STEP_REOPEN,
    STEP_TIDY,
    STEP_KINDS
};

static const char *const step_names[STEP_KINDS] = {
    "append", "append-set", "flags",  "flags-if", "keyword",   "expunge", "copy",
    "move",   "create",     "remove", "rename",   "subscribe", "reopen",  "tidy"};

struct step {
    enum step_kind kind;
    unsigned a, b, c; /* numbers that the step uses as it needs them */
};

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* ---- the steps ------------------------------------------------------------------------------- */

static unsigned names_of(const struct side *side)
{
    return strcmp(side->kind, "eml") == 0 ? 1 : NAMES;
}

struct picked {
    uint32_t uids[64];
    size_t count;
    unsigned mask;
};

static int pick(void *ctx, const struct postern_message_info *info)
{
    struct picked *picked = ctx;

    if (picked->count < 64 && (picked->mask * 2654435761u + info->uid * 40503u) >> 13 & 1)
        picked->uids[picked->count++] = info->uid;
    return 0;
}

static void pick_some(struct side *side, struct postern_mailbox *box, unsigned mask,
                      struct picked *picked)
{
    *picked = (struct picked){.mask = mask};
    side->store.ops->each(box, (struct postern_uid_range){1, UINT32_MAX}, 0, pick, picked);
}

static int append(struct side *side, struct postern_mailbox *box, const struct step *step)
{
    const struct postern_store_ops *ops = side->store.ops;
    struct postern_delivery *deliveries[3] = {NULL};
    size_t count = step->kind == STEP_APPEND_SET ? 1 + step->b % 3 : 1;
    char line[80];
    int r = 0;

    for (size_t i = 0; i < count && !r; i++) {
        struct postern_new_message what = {.flags = step->c >> (i * 5) & POSTERN_FLAGS_ALL,
                                           .date_s = 1700000000 + step->b};

        r = ops->begin(box, &what, &deliveries[i]);
        for (unsigned j = 0; j < 1 + step->b % 7 && !r; j++) {
            snprintf(line, sizeof line, "line %u of %u%s", j, step->c, j & 1 ? "\n" : "\r\n");
            r = ops->write(deliveries[i], text(line));
        }
    }
    if (!r)
        return ops->commit(deliveries, count, NULL);
    for (size_t i = 0; i < count; i++)
        ops->abort(&deliveries[i]);
    return r;
}

static int flags(struct side *side, struct postern_mailbox *box, const struct step *step,
                 uint64_t mark)
{
    struct postern_flags_change change = {.how = step->b % 3,
                                          .flags = step->c & POSTERN_FLAGS_ALL,
                                          .conditional = step->kind == STEP_FLAGS_IF && mark,
                                          .unchanged_since = mark};
    struct picked picked;

    pick_some(side, box, step->c, &picked);
    return side->store.ops->flags(box, picked.uids, picked.count, &change, NULL);
}

static int keyword(struct side *side, struct postern_mailbox *box, const struct step *step)
{
    static const char *const words[] = {"$Forwarded", "$Junk", "work", "NonJunk", "Work"};
    struct postern_flags_change change = {.how = step->b % 2 ? POSTERN_FLAGS_ADD
                                                             : POSTERN_FLAGS_REMOVE};
    struct picked picked;
    int number = side->store.ops->keyword(box, text(words[step->c % 5]), true);

    if (number < 0)
        return number;
    change.keywords = UINT64_C(1) << number;
    pick_some(side, box, step->b, &picked);
    return side->store.ops->flags(box, picked.uids, picked.count, &change, NULL);
}

static int copy(struct side *side, struct postern_mailbox *box, const struct step *step)
{
    struct postern_mailbox *to = NULL;
    struct picked picked;
    int r = side->store.ops->open(side->account, text(box_names[step->b % names_of(side)]), 0, &to);

    pick_some(side, box, step->c, &picked);
    if (!r)
        r = side->store.ops->copy(box, picked.uids, picked.count, to, step->kind == STEP_MOVE,
                                  NULL);
    side->store.ops->close(&to);
    return r;
}

static int in_box(struct side *side, struct postern_mailbox *box, const struct step *step)
{
    struct picked picked;

    switch (step->kind) {
    case STEP_APPEND:
    case STEP_APPEND_SET:
        return append(side, box, step);
    case STEP_FLAGS:
    case STEP_FLAGS_IF:
        return flags(side, box, step, side->marks[step->a % names_of(side)]);
    case STEP_KEYWORD:
        return keyword(side, box, step);
    case STEP_EXPUNGE:
        pick_some(side, box, step->b, &picked);
        return side->store.ops->expunge(box, picked.uids, picked.count);
    case STEP_COPY:
    case STEP_MOVE:
        return copy(side, box, step);
    default:
        side->store.ops->tidy(box);
        return 0;
    }
}

static int take_step(struct side *side, const struct step *step)
{
    const struct postern_store_ops *ops = side->store.ops;
    struct postern_span name = text(box_names[step->a % names_of(side)]),
                        other = text(box_names[step->b % names_of(side)]);
    struct postern_mailbox *box = NULL;
    int r;

    switch (step->kind) {
    case STEP_CREATE:
        return names_of(side) == 1 ? 0 : ops->create(side->account, name, (int)(step->c % 3));
    case STEP_REMOVE:
        return names_of(side) == 1 ? 0 : ops->remove(side->account, name);
    case STEP_RENAME:
        return names_of(side) == 1 ? 0 : ops->rename(side->account, name, other);
    case STEP_SUBSCRIBE:
        return ops->subscribe(side->account, name, step->c & 1);
    case STEP_REOPEN:
        side_reopen(side);
        return 0;
    default:
        r = ops->open(side->account, name, 0, &box);
        if (!r)
            r = in_box(side, box, step);
        ops->close(&box);
        return r;
    }
}

static void forget_marks(struct side *side, const struct step *step)
{
    if (step->kind == STEP_RENAME || step->kind == STEP_REMOVE || step->kind == STEP_CREATE)
        memset(side->marks, 0, sizeof side->marks);
}

/* run_history - NULL, or what went wrong at which step. */
static const char *run_history(const char *kind, const struct step *steps, size_t count)
{
    static char wrong[500];
    static struct shown model_shown, shown;
    struct side model, side;
    const char *bad = NULL;

    side_open(&model, "memory");
    side_open(&side, kind);
    if (strcmp(kind, "eml") == 0)
        model.kind = "eml"; /* it may only do what an eml folder can */
    for (size_t i = 0; i < count && !bad; i++) {
        int a, b;

        if (steps[i].kind == STEP_REOPEN)
            a = 0;
        else
            a = take_step(&model, &steps[i]);
        b = take_step(&side, &steps[i]);
        forget_marks(&model, &steps[i]);
        forget_marks(&side, &steps[i]);
        show_account(&model_shown, &model, steps[i].c % 4 == 0);
        show_account(&shown, &side, steps[i].c % 4 == 0);
        bad = checker_look(side.checker, &side.store, text("ann"));
        if (!bad)
            bad = checker_look(model.checker, &model.store, text("ann"));
        if (!bad && a != b) {
            snprintf(wrong, sizeof wrong, "the model returns %d, the store %d", a, b);
            bad = wrong;
        }
        if (!bad && strcmp(model_shown.text, shown.text) != 0) {
            size_t at = 0;

            while (model_shown.text[at] == shown.text[at])
                at++;
            while (at && model_shown.text[at - 1] != '\n')
                at--;
            snprintf(wrong, sizeof wrong, "the model shows\n%.150s\nthe store\n%.150s",
                     model_shown.text + at, shown.text + at);
            bad = wrong;
        }
    }
    if (bad && bad != wrong) {
        snprintf(wrong, sizeof wrong, "%s", bad);
        bad = wrong;
    }
    if (strcmp(kind, "eml") == 0)
        model.kind = "memory";
    side_close(&model);
    side_close(&side);
    return bad;
}

static size_t shrink(const char *kind, struct step *steps, size_t count)
{
    for (size_t chunk = count / 2; chunk; chunk /= 2)
        for (size_t at = 0; at + chunk <= count;) {
            struct step less[STEPS];

            memcpy(less, steps, at * sizeof *steps);
            memcpy(less + at, steps + at + chunk, (count - at - chunk) * sizeof *steps);
            if (run_history(kind, less, count - chunk)) {
                count -= chunk;
                memcpy(steps, less, count * sizeof *steps);
            } else {
                at += chunk;
            }
        }
    return count;
}

static void one_history(const char *kind, uint64_t seed)
{
    struct step steps[STEPS];
    uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;
    const char *bad;

    for (size_t i = 0; i < STEPS; i++)
        steps[i] = (struct step){(enum step_kind)(random_next(&state) % STEP_KINDS),
                                 (unsigned)(random_next(&state) % 9973),
                                 (unsigned)(random_next(&state) % 9973),
                                 (unsigned)(random_next(&state) % 99991)};
    bad = run_history(kind, steps, STEPS);
    if (bad) {
        size_t count = shrink(kind, steps, STEPS);

        bad = run_history(kind, steps, count);
        print_message("%s, seed %llu, %zu steps:\n", kind, (unsigned long long)seed, count);
        for (size_t i = 0; i < count; i++)
            print_message("  %s %u %u %u  (%s, %s)\n", step_names[steps[i].kind], steps[i].a,
                          steps[i].b, steps[i].c, box_names[steps[i].a % NAMES],
                          box_names[steps[i].b % NAMES]);
        fail_msg("%s", bad ? bad : "not the second time");
    }
}

static void test_histories(void **state)
{
    const char *seed = getenv("HISTORY_SEED"), *count = getenv("HISTORY_COUNT");
    uint64_t first = seed ? strtoull(seed, NULL, 10) : 1;
    uint64_t histories = count ? strtoull(count, NULL, 10) : seed ? 1 : 60;

    for (uint64_t i = 0; i < histories; i++)
        one_history(*state, first + i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {ONE("memory", test_histories), ONE("eml", test_histories),
                                       ONE("maildir", test_histories)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
