#include "lab/sweep/sweep_run.h"

#include <errno.h>
#include <string.h>

#include "lab/run/run_frames.h"
#include "lua/scenario.h"
#include "sim/base/hash64.h"

typedef struct Watch {
    Inputs *inputs;
    bool checking, is_ready;
} Watch;

static int on_read(void *user, const char *path, size_t max, char **text, size_t *len)
{
    Watch *w = user;
    int why = w->checking ? ENOENT : inputs_replay(w->inputs, path, max, text, len);

    return why == ENOENT ? inputs_record(w->inputs, path, max, text, len) : why;
}

static bool on_ready(void *user, Scenario *s)
{
    Watch *w = user;

    (void)s;
    w->is_ready = true;
    return !w->checking;
}

static Scenario *make(const SweepSpec *spec, unsigned point, uint64_t seed, Watch *w)
{
    char **params = sweep_spec_params(spec, point);
    ScenarioConfig c = {.path = spec->scenario,
                        .seed = seed,
                        .has_seed = true,
                        .params = (const char *const *)params,
                        .until = spec->until,
                        .max_events = spec->max_events,
                        .max_memory = spec->max_memory,
                        .quiet = true,
                        .read = on_read,
                        .on_ready = on_ready,
                        .user = w};
    Scenario *s = scenario_new(&c);

    g_strfreev(params);
    return s;
}

/* ---- before ---- */

static const char *shown_value(const Scenario *s, const char *name)
{
    for (unsigned i = 0; i < scenario_param_count(s); i++) {
        ScenarioParam p;

        scenario_param(s, i, &p);
        if (!strcmp(p.name, name))
            return p.value;
    }
    return NULL;
}

static bool check_point(SweepSpec *spec, unsigned point, unsigned axis, unsigned at, Inputs *inputs,
                        char **error)
{
    SweepAxis *a = spec->axes->len ? spec->axes->pdata[axis] : NULL;
    Watch w = {.inputs = inputs, .checking = true};
    Scenario *s = make(spec, point, sweep_spec_seed(spec, 0), &w);
    int status = scenario_run(s);
    const char *shown = a && w.is_ready ? shown_value(s, a->name) : NULL;

    if (!w.is_ready && status != SCENARIO_OK && status != SCENARIO_FAILED)
        *error = g_strdup(scenario_error(s));
    if (shown) {
        g_free(a->shown->pdata[at]);
        a->shown->pdata[at] = g_strdup(shown);
    }
    scenario_free(s);
    return !*error;
}

/* How many points one step of the axis leaves behind. */
static unsigned stride(const SweepSpec *spec, unsigned axis)
{
    unsigned n = 1;

    for (unsigned i = axis + 1; i < spec->axes->len; i++)
        n *= ((const SweepAxis *)spec->axes->pdata[i])->values->len;
    return n;
}

static char *digest_of(const Inputs *inputs)
{
    Hash64 hash;
    char text[HASH64_HEX_LEN];

    hash64_init(&hash, 0);
    for (unsigned i = 0; i < inputs_count(inputs); i++) {
        const char *path;
        size_t len;
        const char *bytes = inputs_at(inputs, i, &path, &len);

        hash64_update(&hash, path, strlen(path));
        hash64_update(&hash, bytes, len);
    }
    return g_strdup(hash64_hex(&hash, text));
}

bool sweep_run_check(SweepSpec *spec, Inputs *inputs, bool (*is_over)(void), char **error)
{
    *error = NULL;
    if (!check_point(spec, 0, 0, 0, inputs, error))
        return false;
    for (unsigned i = 0; i < spec->axes->len; i++)
        for (unsigned at = 0; at < ((const SweepAxis *)spec->axes->pdata[i])->values->len; at++)
            if (is_over() || !check_point(spec, at * stride(spec, i), i, at, inputs, error))
                return false;
    g_free(spec->digest);
    spec->digest = digest_of(inputs);
    return true;
}

/* ---- the run ---- */

static void take_params(const Scenario *s, SweepRow *row)
{
    for (unsigned i = 0; i < scenario_param_count(s); i++) {
        ScenarioParam p;

        scenario_param(s, i, &p);
        g_ptr_array_add(row->param_names, g_strdup(p.name));
        g_ptr_array_add(row->param_values, g_strdup(p.value));
    }
}

static void take_results(const Scenario *s, SweepRow *row)
{
    for (unsigned i = 0; i < scenario_result_count(s); i++) {
        ScenarioResult r;
        SweepValue *v = g_new0(SweepValue, 1);

        scenario_result(s, i, &r);
        v->name = g_strdup(r.name);
        v->unit = g_strdup(r.unit);
        v->help = g_strdup(r.help);
        v->missing = g_strdup(r.missing ? r.missing : "");
        v->has_value = !r.missing;
        v->value = r.value;
        if (r.n_samples && v->has_value) {
            v->samples = g_array_sized_new(FALSE, FALSE, sizeof(double), r.n_samples);
            g_array_append_vals(v->samples, r.samples, r.n_samples);
        }
        g_ptr_array_add(row->results, v);
    }
}

static void take_expectations(const Scenario *s, SweepRow *row)
{
    for (unsigned i = 0; i < scenario_expect_count(s); i++) {
        ScenarioExpect e;

        scenario_expect(s, i, &e);
        if (e.ok)
            continue;
        if (row->failed++ == 0) {
            g_free(row->detail);
            row->detail = g_strdup_printf("%s: %s", e.name, e.detail);
        }
    }
}

SweepRow *sweep_run_one(const SweepSpec *spec, unsigned run, Inputs *inputs)
{
    Watch w = {.inputs = inputs};
    Scenario *s = make(spec, run / spec->seeds->len, sweep_spec_seed(spec, run), &w);
    int status = scenario_run(s);
    const char *error = scenario_error(s);
    SweepRow *row = sweep_row_new(run,
                                  status == SCENARIO_OK       ? SWEEP_OK
                                  : status == SCENARIO_FAILED ? SWEEP_FAILED
                                  : status == SCENARIO_LIMIT  ? SWEEP_LIMIT
                                                              : SWEEP_ERROR,
                                  error ? error : "");
    const RunFrames frames = run_frames_count(scenario_net(s));
    const Sim *sim = net_sim(scenario_net(s));

    take_params(s, row);
    row->has_end = status == SCENARIO_OK || status == SCENARIO_FAILED;
    if (!row->has_end)
        return row;
    row->events = sim_events(sim);
    row->time = sim_now(sim);
    row->sent = frames.sent;
    row->delivered = frames.delivered;
    row->lost = frames.lost;
    take_expectations(s, row);
    take_results(s, row);
    return row;
}
