/* SPDX-License-Identifier: MIT */
/* rspamd_verdict - what rspamd's JSON comes to. The library that reads it goes down into it for
 * each bracket, so they are counted before. */
#include "serve/rspamd.h"

#include "base/span.h"
#include <jansson.h>

#define DEPTH_MAX 32

/* is_shallow - no more than DEPTH_MAX brackets are open anywhere outside of texts. */
static bool is_shallow(struct postern_span json)
{
    size_t depth = 0;
    bool text = false;

    for (size_t i = 0; i < json.n && depth <= DEPTH_MAX; i++) {
        char c = json.p[i];

        if (text && c == '\\')
            i++;
        else if (c == '"')
            text = !text;
        else if (!text && (c == '{' || c == '['))
            depth++;
        else if (!text && (c == '}' || c == ']') && depth)
            depth--;
    }
    return depth <= DEPTH_MAX;
}

static struct postern_span text_of(const json_t *value)
{
    return json_is_string(value) ? span_make(json_string_value(value), json_string_length(value))
                                 : (struct postern_span){NULL, 0};
}

/* ---- headers --------------------------------------------------------------------------------- */

/* add_one - "value", or {"value": "value", "order": before which field it stands}. */
static int add_one(struct edits *edits, const char *name, const json_t *what)
{
    const json_t *order = json_object_get(what, "order");
    struct postern_span value =
        text_of(json_is_object(what) ? json_object_get(what, "value") : what);

    if (!value.p)
        return POSTERN_E_SYNTAX;
    if (json_is_integer(order) && json_integer_value(order) >= 0)
        return edits_insert(edits, (size_t)json_integer_value(order), postern_span_of(name), value);
    return edits_add(edits, postern_span_of(name), value);
}

/* add_all - one, or a list of such. */
static int add_all(struct edits *edits, const char *name, const json_t *what)
{
    int err = 0;

    if (!json_is_array(what))
        return add_one(edits, name, what);
    for (size_t i = 0; !err && i < json_array_size(what); i++)
        err = add_one(edits, name, json_array_get(what, i));
    return err;
}

/* remove_one - a number, or a list of such: which of that name; 0 all, negative from the end. */
static int remove_one(struct edits *edits, const char *name, const json_t *which)
{
    json_int_t number = json_integer_value(which);

    if (!json_is_integer(which) || number > EDITS_OCTETS_MAX || number < -EDITS_OCTETS_MAX)
        return POSTERN_E_SYNTAX;
    return edits_remove(edits, (long)number, postern_span_of(name));
}

static int remove_all(struct edits *edits, const char *name, const json_t *which)
{
    int err = 0;

    if (!json_is_array(which))
        return remove_one(edits, name, which);
    for (size_t i = 0; !err && i < json_array_size(which); i++)
        err = remove_one(edits, name, json_array_get(which, i));
    return err;
}

static int take_headers(json_t *reply, struct edits *edits)
{
    json_t *milter = json_object_get(reply, "milter"), *value;
    const json_t *signature = json_object_get(reply, "dkim-signature");
    const char *name;
    int err = 0;

    json_object_foreach(json_object_get(milter, "remove_headers"), name, value)
    {
        if (!err)
            err = remove_all(edits, name, value);
    }
    json_object_foreach(json_object_get(milter, "add_headers"), name, value)
    {
        if (!err)
            err = add_all(edits, name, value);
    }
    return err || !signature ? err : add_all(edits, "DKIM-Signature", signature);
}

/* ---- the action ------------------------------------------------------------------------------ */

enum action { PASS, LATER, MARK, REWRITE, REJECT, DISCARD, QUARANTINE };

static int action_of(struct postern_span word, enum action *action_r)
{
    static const struct {
        const char *word;
        enum action action;
    } rows[] = {{"no action", PASS},  {"greylist", LATER},          {"soft reject", LATER},
                {"add header", MARK}, {"rewrite subject", REWRITE}, {"reject", REJECT},
                {"discard", DISCARD}, {"quarantine", QUARANTINE}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (span_equal(word, postern_span_of(rows[i].word))) {
            *action_r = rows[i].action;
            return 0;
        }
    return POSTERN_E_SYNTAX;
}

static int act(json_t *reply, enum action action, struct filter_verdict *verdict)
{
    struct postern_span words =
        text_of(json_object_get(json_object_get(reply, "messages"), "smtp_message"));
    struct postern_span subject = text_of(json_object_get(reply, "subject"));

    verdict->discarded = action == DISCARD;
    verdict->spam = action == MARK || action == QUARANTINE;
    if (action == LATER)
        filter_refuse(verdict, 451, "4.7.1", words.n ? words : SPAN("try again later"));
    else if (action == REJECT)
        filter_refuse(verdict, 554, "5.7.1", words.n ? words : SPAN("spam message rejected"));
    else if (action == MARK)
        return edits_insert(&verdict->edits, 0, SPAN("X-Spam"), SPAN("Yes"));
    else if (action == REWRITE && subject.n)
        return edits_change(&verdict->edits, 1, SPAN("Subject"), subject);
    return 0;
}

int rspamd_verdict(struct postern_span json, struct filter_verdict *verdict_r)
{
    json_error_t why;
    json_t *reply = is_shallow(json) ? json_loadb(json.p, json.n, 0, &why) : NULL;
    enum action action;
    int err = action_of(text_of(json_object_get(reply, "action")), &action);

    if (!err)
        err = take_headers(reply, &verdict_r->edits);
    if (!err)
        err = act(reply, action, verdict_r);
    json_decref(reply);
    return err;
}
