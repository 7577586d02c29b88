#include "models/cc/cc.h"

#include <glib.h>
#include <inttypes.h>

#include "sim/base/suggest.h"

const CcOps *cc_ops_by_name(const char *name)
{
    for (const CcOps *const *o = cc_ops_table; *o; o++)
        if (strcmp((*o)->name, name) == 0)
            return *o;
    return NULL;
}

const CcOps *cc_ops_find(const CcSet *more, const char *name)
{
    for (unsigned i = 0; more && i < more->n; i++)
        if (strcmp(more->ops[i]->name, name) == 0)
            return more->ops[i];
    return cc_ops_by_name(name);
}

/* ---- module parameters ---- */

static unsigned param_count(const CcOps *ops)
{
    unsigned n = 0;

    while (ops->params && ops->params[n].name)
        n++;
    return n;
}

CcParams *cc_params_new(const CcOps *ops)
{
    CcParams *p = g_new0(CcParams, 1);

    p->ops = ops;
    p->refs = 1;
    for (unsigned i = 0; i < param_count(ops); i++)
        p->values[i] = p->loaded[i] = ops->params[i].def;
    return p;
}

CcParams *cc_params_ref(CcParams *p)
{
    p->refs++;
    return p;
}

void cc_params_unref(CcParams *p)
{
    if (p && --p->refs == 0)
        g_free(p);
}

static int param_index(const CcOps *ops, const char *name)
{
    for (unsigned i = 0; i < param_count(ops); i++)
        if (strcmp(ops->params[i].name, name) == 0)
            return (int)i;
    return -1;
}

static char *unknown_param(const CcOps *ops, const char *name)
{
    const char *names[CC_PARAMS_MAX + 1] = {NULL};
    unsigned n = param_count(ops);
    const char *close;
    g_autofree char *known = NULL;

    if (n == 0)
        return g_strdup_printf("%s has no parameter '%s': it has none at all", ops->name, name);
    for (unsigned i = 0; i < n; i++)
        names[i] = ops->params[i].name;
    close = suggest_closest(name, names, n);
    if (close)
        return g_strdup_printf("%s has no parameter '%s' (did you mean '%s'?)", ops->name, name, close);
    known = g_strjoinv(", ", (char **)names);
    return g_strdup_printf("%s has no parameter '%s' (expected %s)", ops->name, name, known);
}

/* -1: not possible */
static int index_for(const CcParams *p, const char *name, int64_t value, char **error)
{
    int i = param_index(p->ops, name);

    if (i < 0) {
        *error = unknown_param(p->ops, name);
        return -1;
    }
    if (value < p->ops->params[i].min || value > p->ops->params[i].max) {
        *error = g_strdup_printf("%s: %s cannot be %" PRId64 " (expected %" PRId32 " to %" PRId32 ")",
                                 p->ops->name, name, value, p->ops->params[i].min, p->ops->params[i].max);
        return -1;
    }
    return i;
}

bool cc_params_set(CcParams *p, const char *name, int64_t value, char **error)
{
    int i = index_for(p, name, value, error);

    if (i >= 0)
        p->values[i] = p->loaded[i] = (int32_t)value;
    return i >= 0;
}

bool cc_params_write(CcParams *p, const char *name, int64_t value, char **error)
{
    int i = index_for(p, name, value, error);

    if (i >= 0 && p->ops->params[i].is_read_only) {
        *error = g_strdup_printf("%s: %s cannot be changed any more, it is fixed when the module is loaded",
                                 p->ops->name, name);
        return false;
    }
    if (i >= 0)
        p->values[i] = (int32_t)value;
    return i >= 0;
}

bool cc_params_get(const CcParams *p, const char *name, int32_t *value)
{
    int i = param_index(p->ops, name);

    if (i < 0)
        return false;
    *value = p->values[i];
    return true;
}

/* ---- life ---- */

bool cc_ops_check(const CcOps *ops, char **error)
{
    const char *lacks = !ops->name                               ? "name"
                        : !ops->ssthresh                         ? "ssthresh"
                        : !ops->undo_cwnd                        ? "undo_cwnd"
                        : !ops->cong_avoid && !ops->cong_control ? "cong_avoid or cong_control"
                                                                 : NULL;
    const char *name = ops->name ? ops->name : "(unnamed)";

    if (lacks) {
        *error = g_strdup_printf("congestion controller %s has no %s", name, lacks);
        return false;
    }
    if (strlen(name) >= CC_NAME_MAX) {
        *error = g_strdup_printf("congestion controller %s: the name is longer than %d characters", name,
                                 CC_NAME_MAX - 1);
        return false;
    }
    if (ops->state_size > CC_STATE_MAX) {
        *error = g_strdup_printf("congestion controller %s needs %" PRIu32 " bytes of state (at most %d)",
                                 name, ops->state_size, CC_STATE_MAX);
        return false;
    }
    if (param_count(ops) > CC_PARAMS_MAX) {
        *error = g_strdup_printf("congestion controller %s has more than %d parameters", name, CC_PARAMS_MAX);
        return false;
    }
    return true;
}

static bool has_big_state(const Cc *cc)
{
    return cc->ops && cc->ops->state_size > CC_STATE_INLINE;
}

static void forget_state(Cc *cc)
{
    if (has_big_state(cc))
        memset(cc->big, 0, cc->ops->state_size);
    else
        memset(cc->priv, 0, sizeof cc->priv);
}

static void free_state(Cc *cc)
{
    if (has_big_state(cc))
        g_free(cc->big);
    memset(cc->priv, 0, sizeof cc->priv);
}

void cc_assign(Cc *cc, const CcOps *ops, CcParams *params)
{
    hs_assert(!params || params->ops == ops);
    cc_stop(cc);
    if (params)
        cc_params_ref(params);
    cc_params_unref(cc->params);
    free_state(cc);
    cc->ops = ops;
    cc->params = params;
    cc->s.pacing_rate = 0;
    if (has_big_state(cc))
        cc->big = g_malloc0(ops->state_size);
}

void cc_start(Cc *cc, const CcView *v)
{
    hs_assert(cc->ops);
    cc_stop(cc);
    forget_state(cc);
    if (cc->ops->init)
        cc->ops->init(cc, v);
    cc->is_started = true;
}

void cc_stop(Cc *cc)
{
    if (!cc->is_started)
        return;
    cc->is_started = false;
    if (cc->ops->release)
        cc->ops->release(cc);
}

void cc_clear(Cc *cc)
{
    cc_stop(cc);
    cc_params_unref(cc->params);
    cc->params = NULL;
    free_state(cc);
    cc->ops = NULL;
}

void cc_get_info(const Cc *cc, const CcView *v, CcInfo *info)
{
    memset(info, 0, sizeof *info);
    if (cc->ops->get_info)
        cc->ops->get_info(cc, v, info);
    hs_assert(info->n <= CC_INFO_VALUES_MAX);
}

/* ---- shared arithmetic ---- */

uint32_t cc_slow_start(CcState *s, const CcView *v, uint32_t acked)
{
    uint32_t cwnd = HS_MIN(s->cwnd + acked, s->ssthresh);

    acked -= cwnd - s->cwnd;
    s->cwnd = HS_MIN(cwnd, v->cwnd_clamp);
    return acked;
}

void cc_avoid_ai(CcState *s, const CcView *v, uint32_t w, uint32_t acked)
{
    /* Credit that was gathered at a larger w must not burst out when w shrinks. */
    if (s->cwnd_cnt >= w) {
        s->cwnd_cnt = 0;
        s->cwnd++;
    }
    s->cwnd_cnt += acked;
    if (s->cwnd_cnt >= w) {
        uint32_t more = s->cwnd_cnt / w;

        s->cwnd_cnt -= more * w;
        s->cwnd += more;
    }
    s->cwnd = HS_MIN(s->cwnd, v->cwnd_clamp);
}
