#include "lab/run/observe.h"

#include "lab/run/manifest.h"
#include "lab/status.h"

static int tell(const ObserveConfig *c, const char *text)
{
    if (c->front && c->front->tell)
        c->front->tell(c->front->user, RUNNER_SAYS, text);
    return EXIT_WRONG;
}

static RunnerConfig common(const ObserveConfig *c, GPtrArray *no_pcap)
{
    return (RunnerConfig){
        .front = c->front,
        .scenario = {.out_dir = c->out_dir, .quiet = true},
        .outputs = {.out_dir = c->out_dir ? c->out_dir : ".",
                    .pcap = no_pcap,
                    .no_scenario_files = !c->out_dir},
        .observer_start = c->on_start,
        .observer_print = c->on_print,
        .observer_resume = c->on_resume,
        .observer = c->user,
    };
}

static int run_scenario(Runner *r, const ObserveConfig *c, RunnerConfig *config)
{
    int status;

    if (c->set)
        g_ptr_array_add(c->set, NULL);
    config->scenario.path = config->outputs.scenario = c->operand;
    config->scenario.params = c->set ? (const char *const *)c->set->pdata : NULL;
    config->scenario.seed = c->seed;
    config->scenario.has_seed = c->has_seed;
    config->scenario.until = c->until;
    status = runner_run(r, config);
    if (c->set)
        g_ptr_array_set_size(c->set, (int)c->set->len - 1);
    return status;
}

static int run_again(Runner *r, const ObserveConfig *c, RunnerConfig *config, Manifest *m)
{
    GError *error = NULL;
    int status;

    manifest_apply(m, config);
    status = runner_run(r, config);
    if (status == EXIT_LIMIT)
        status = EXIT_OK;
    if ((status == EXIT_OK || status == EXIT_UNEXPECTED) && !manifest_check(m, c->operand, r, &error)) {
        status = tell(c, error->message);
        g_error_free(error);
    }
    return status;
}

int observe_run(Runner *r, const ObserveConfig *c)
{
    GPtrArray *no_pcap = g_ptr_array_new();
    RunnerConfig config = common(c, no_pcap);
    Manifest *m = NULL;
    GError *error = NULL;
    int status;

    *r = (Runner){0};
    if (!manifest_is_named(c->operand)) {
        status = run_scenario(r, c, &config);
    } else if (c->has_seed || (c->set && c->set->len) || c->until != SIM_NEVER) {
        status = tell(c, "--seed, --set and --until are for scenarios (*.lua); a run has its own");
    } else if (!(m = manifest_read(c->operand, &error))) {
        status = tell(c, error->message);
        g_error_free(error);
    } else {
        status = run_again(r, c, &config, m);
    }
    manifest_free(m);
    g_ptr_array_free(no_pcap, TRUE);
    return status == EXIT_UNEXPECTED ? EXIT_OK : status;
}

const char *observe_scenario(const Runner *r)
{
    return r->scenario ? scenario_path(r->scenario) : "";
}
