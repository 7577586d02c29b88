#include "lab/sweep/sweep_pool.h"

#include <string.h>
#include <sys/wait.h>

#include "lab/jobs.h"
#include "lab/sweep/sweep_run.h"

/* ---- the process of a run ---- */

static char *work(void *user, unsigned job)
{
    const SweepPoolConfig *c = user;
    GString *line = g_string_new(NULL);

    sweep_row_write(sweep_run_one(c->spec, c->todo[job], c->inputs), line);
    return g_string_free(line, FALSE);
}

/* ---- what it left ---- */

static SweepRow *parse(unsigned run, const char *line)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonNode *root = json_parser_load_from_data(parser, line, -1, NULL) ? json_parser_get_root(parser) : NULL;
    SweepRow *row = root && JSON_NODE_HOLDS_OBJECT(root) ? sweep_row_read(json_node_get_object(root)) : NULL;

    if (row && row->run == run)
        return row;
    sweep_row_free(row);
    return NULL;
}

/* With its last words: what an assertion said. */
static SweepRow *crashed(unsigned run, const JobResult *r)
{
    int status = r->wait_status;
    g_autofree char *words = g_strndup(r->said, strcspn(r->said, "\n"));
    g_autofree char *valid = g_utf8_make_valid(words, -1);
    g_autofree char *how =
        WIFSIGNALED(status) ? g_strdup_printf("signal %d, %s", WTERMSIG(status), strsignal(WTERMSIG(status)))
                            : g_strdup_printf("exit status %d", WEXITSTATUS(status));
    g_autofree char *detail = g_strdup_printf("%s%s%s", how, *valid ? ": " : "", valid);

    return sweep_row_new(run, SWEEP_CRASH, detail);
}

static bool on_result(void *user, const JobResult *r)
{
    const SweepPoolConfig *c = user;
    unsigned run = c->todo[r->job];
    SweepRow *row = r->answer ? parse(run, r->answer) : NULL;

    if (!row && r->is_late) {
        g_autofree char *detail =
            g_strdup_printf("not done after %.9g s of real time", (double)c->timeout / 1e9);

        row = sweep_row_new(run, SWEEP_TIMEOUT, detail);
    }
    return c->on_row(c->user, row ? row : crashed(run, r));
}

static bool on_tick(void *user)
{
    const SweepPoolConfig *c = user;

    return c->on_tick(c->user);
}

bool sweep_pool_run(const SweepPoolConfig *config, GError **error)
{
    const JobsConfig jobs = {.n_jobs = config->n_todo,
                             .at_a_time = config->jobs,
                             .timeout = config->timeout,
                             .clock_us = config->clock_us,
                             .work = work,
                             .on_result = on_result,
                             .on_tick = on_tick,
                             .user = (void *)config};

    return jobs_run(&jobs, error);
}
