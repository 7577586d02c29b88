#include "cli/observe.h"

#include <glib.h>

#include "cli/commands.h"

static GPtrArray *terminated(const GPtrArray *set)
{
    GPtrArray *list = g_ptr_array_new();

    for (unsigned i = 0; set && i < set->len; i++)
        g_ptr_array_add(list, set->pdata[i]);
    g_ptr_array_add(list, NULL);
    return list;
}

int observe_run(Runner *r, const ObserveConfig *c)
{
    GPtrArray *set = terminated(c->set);
    RunnerConfig config = {
        .command = c->command,
        .scenario = {.path = c->operand,
                     .seed = c->seed,
                     .has_seed = c->has_seed,
                     .params = (const char *const *)set->pdata,
                     .until = c->until,
                     .out_dir = c->out_dir,
                     .quiet = true},
        .outputs = {.scenario = c->operand,
                    .out_dir = c->out_dir ? c->out_dir : ".",
                    .pcap = g_ptr_array_new(),
                    .no_scenario_files = !c->out_dir},
        .progress = c->progress,
        .mute = true,
        .observer_start = c->on_start,
        .observer = c->user,
    };
    int status = runner_run(r, &config);

    g_ptr_array_free(set, TRUE);
    g_ptr_array_free(config.outputs.pcap, TRUE);
    r->config.outputs.pcap = NULL;
    return status == EXIT_UNEXPECTED ? EXIT_OK : status;
}

const char *observe_scenario(const Runner *r)
{
    return r->config.outputs.scenario;
}
