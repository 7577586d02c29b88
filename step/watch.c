#include "step/watch.h"

#include <glib.h>
#include <string.h>

typedef struct Watch {
    uint32_t id;
    char kind;
    StepExpr *expr;
    bool held;
    char *value; /* of kind w */
} Watch;

struct StepWatches {
    GArray *list;
    bool wants_records, wants_events;
};

static bool add(StepWatches *w, StepCond *cond, const char *line, char **error)
{
    char *end;
    Watch one = {.id = (uint32_t)g_ascii_strtoull(line, &end, 10)};

    one.kind = end[1];
    one.expr = stepcond_compile(cond, end + 3, error);
    if (!one.expr)
        return false;
    if (one.kind == 'w' && stepexpr_is_of_record(one.expr)) {
        *error = g_strdup("a watched value must be there all the time: counter(…), info(…).…; for what a "
                          "record says, use break");
        stepcond_forget(one.expr);
        return false;
    }
    if (stepexpr_is_of_record(one.expr))
        w->wants_records = true;
    else
        w->wants_events = true;
    g_array_append_val(w->list, one);
    return true;
}

StepWatches *stepwatches_new(StepCond *cond, const char *text, char **error)
{
    StepWatches *w = g_new0(StepWatches, 1);
    char **lines = g_strsplit(text, "\n", -1);
    bool fine = true;

    w->list = g_array_new(FALSE, FALSE, sizeof(Watch));
    for (char **line = lines; *line && fine; line++)
        if (**line)
            fine = add(w, cond, *line, error);
    g_strfreev(lines);
    if (fine)
        return w;
    stepwatches_free(w);
    return NULL;
}

void stepwatches_free(StepWatches *w)
{
    if (!w)
        return;
    for (unsigned i = 0; i < w->list->len; i++) {
        Watch *one = &g_array_index(w->list, Watch, i);

        stepcond_forget(one->expr);
        g_free(one->value);
    }
    g_array_free(w->list, TRUE);
    g_free(w);
}

bool stepwatches_wants_records(const StepWatches *w)
{
    return w && w->wants_records;
}

bool stepwatches_wants_events(const StepWatches *w)
{
    return w && w->wants_events;
}

static bool has_changed(Watch *one, const ProbeRecord *r, char **text, char **error)
{
    char *value = stepcond_text(one->expr, r, error);
    bool changed = value && one->value && strcmp(value, one->value) != 0;

    if (changed && text)
        *text = g_strdup_printf("%s -> %s", one->value, value);
    if (value) {
        g_free(one->value);
        one->value = value;
    }
    return changed;
}

void stepwatches_prime(StepWatches *w)
{
    for (unsigned i = 0; w && i < w->list->len; i++) {
        Watch *one = &g_array_index(w->list, Watch, i);
        char *error = NULL;

        if (stepexpr_is_of_record(one->expr))
            continue;
        if (one->kind == 'w')
            has_changed(one, NULL, NULL, &error);
        else
            one->held = one->kind == 'c' && stepcond_holds(one->expr, NULL, &error);
        g_free(error);
    }
}

static bool is_hit(Watch *one, const ProbeRecord *r, char **text, char **error)
{
    bool held = one->held;

    if (one->kind == 'w')
        return has_changed(one, r, text, error);
    one->held = stepcond_holds(one->expr, r, error);
    return one->held && (r || !held || one->kind == 'u');
}

static bool ask(StepWatches *w, const ProbeRecord *r, uint32_t *id, char **text, char **error)
{
    bool hit = false;

    for (unsigned i = 0; i < w->list->len; i++) {
        Watch *one = &g_array_index(w->list, Watch, i);

        if (stepexpr_is_of_record(one->expr) != (r != NULL))
            continue;
        /* All of them are asked, so that each knows its own past; the first one is told. */
        if (is_hit(one, r, hit ? NULL : text, error) && !hit) {
            *id = one->id;
            hit = true;
        }
        if (*error) {
            *id = one->id;
            return true;
        }
    }
    return hit;
}

bool stepwatches_record(StepWatches *w, const ProbeRecord *r, uint32_t *id, char **text, char **error)
{
    return ask(w, r, id, text, error);
}

bool stepwatches_event(StepWatches *w, uint32_t *id, char **text, char **error)
{
    return ask(w, NULL, id, text, error);
}
