/* SPDX-License-Identifier: MIT */
/* err - names, texts and categories of the error codes, all from one list. */
#include <postern/base.h>

struct err_row {
    const char *name, *text;
    enum postern_err_category category;
};

static const struct err_row rows[] = {
#define ERR_ROW(name, number, category, text) [number] = {#name, text, POSTERN_ERR_##category},
    POSTERN_ERR_MAP(ERR_ROW)
#undef ERR_ROW
};

static const struct err_row *err_find(int err)
{
    static const struct err_row unknown = {"UNKNOWN", "unknown error", POSTERN_ERR_USAGE};
    static const struct err_row fine = {"OK", "no error", POSTERN_ERR_USAGE};
    size_t number = err < 0 ? (size_t) - (long)err : 0;

    if (err >= 0)
        return &fine;
    return number < sizeof rows / sizeof *rows && rows[number].name ? &rows[number] : &unknown;
}

const char *postern_err_text(int err)
{
    return err_find(err)->text;
}

const char *postern_err_name(int err)
{
    return err_find(err)->name;
}

enum postern_err_category postern_err_category(int err)
{
    return err_find(err)->category;
}
