#include "models/link/impair.h"

#include <glib.h>
#include <string.h>

static bool value_is_in_range(const ImpairParam *p, const ImpairValue *v)
{
    switch (p->kind) {
    case IMPAIR_RATIO:
    case IMPAIR_BOOL:
        return v->ratio >= 0 && v->ratio <= 1; /* false for NaN */
    case IMPAIR_TIME:
    case IMPAIR_COUNT:
        return v->number >= 0;
    case IMPAIR_LIST:
        for (size_t i = 0; i < v->list_len; i++)
            if (v->list[i] == 0 || (i && v->list[i] <= v->list[i - 1]))
                return false;
        return v->list_len > 0;
    }
    return false;
}

static char *describe(const ImpairOps *ops, const ImpairParam *p, const ImpairValue *v)
{
    switch (p->kind) {
    case IMPAIR_RATIO:
    case IMPAIR_BOOL:
        return g_strdup_printf("%s: %s = %.15g is out of range (expected 0 to 1)", ops->name, p->name,
                               v->ratio);
    case IMPAIR_TIME:
    case IMPAIR_COUNT:
        return g_strdup_printf("%s: %s = %" G_GINT64_FORMAT " is negative", ops->name, p->name, v->number);
    case IMPAIR_LIST:
        break;
    }
    return g_strdup_printf("%s: %s must be frame numbers from 1 on, in ascending order, at least one",
                           ops->name, p->name);
}

Impair *impair_new(const ImpairOps *ops, const ImpairValue *values, char **error)
{
    char *unwanted = NULL, **e = error ? error : &unwanted;
    Impair *im;

    for (unsigned i = 0; ops->params[i].name; i++) {
        hs_assert(i < IMPAIR_PARAMS_MAX);
        if (values[i].set && !value_is_in_range(&ops->params[i], &values[i])) {
            *e = describe(ops, &ops->params[i], &values[i]);
            g_free(unwanted);
            return NULL;
        }
    }
    im = g_malloc0(ops->size);
    im->ops = ops;
    if (!ops->init(im, values, e)) {
        g_free(im);
        g_free(unwanted);
        return NULL;
    }
    return im;
}

void impair_free(Impair *im)
{
    if (!im)
        return;
    if (im->ops->clear)
        im->ops->clear(im);
    g_free(im);
}

const ImpairOps *impair_ops_by_name(const char *name)
{
    for (const ImpairOps *const *o = impair_ops_table; *o; o++)
        if (strcmp((*o)->name, name) == 0)
            return *o;
    return NULL;
}
