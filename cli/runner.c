#include "cli/runner.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/interrupt.h"

static void on_print(void *user, const char *line)
{
    Runner *r = user;

    if (r->config.observer_print)
        r->config.observer_print(r->config.observer, line);
    if (r->config.mute)
        return;
    progress_clear(&r->progress);
    puts(line);
}

static int on_read(void *user, const char *path, size_t max, char **text, size_t *len)
{
    const RunnerConfig *c = &((Runner *)user)->config;

    return c->replay ? inputs_replay(c->inputs, path, max, text, len)
                     : inputs_record(c->inputs, path, max, text, len);
}

static bool on_poll(void *user, const Sim *sim)
{
    Runner *r = user;

    r->progress.until = scenario_until(r->scenario);
    progress_poll(&r->progress, sim);
    if (r->stop == RUNNER_ENDED && interrupt_came())
        r->stop = RUNNER_INTERRUPTED;
    else if (r->stop == RUNNER_ENDED && outputs_have_failed(r->outputs))
        r->stop = RUNNER_BROKEN; /* closing tells why */
    else if (r->stop == RUNNER_ENDED && r->config.max_wall &&
             progress_seconds(&r->progress) * 1e9 > (double)r->config.max_wall)
        r->stop = RUNNER_WALL;
    return r->stop == RUNNER_ENDED;
}

static bool on_start(void *user, Scenario *s)
{
    Runner *r = user;

    if (!outputs_attach(r->outputs, s, &r->error))
        r->stop = RUNNER_BROKEN;
    else if (r->config.observer_start)
        r->config.observer_start(r->config.observer, s);
    return r->stop == RUNNER_ENDED;
}

static void on_resume(void *user, Scenario *s)
{
    Runner *r = user;

    (void)s;
    if (r->config.observer_resume)
        r->config.observer_resume(r->config.observer);
}

static void on_wish(void *user, Scenario *s)
{
    (void)s;
    outputs_on_wish(((Runner *)user)->outputs);
}

static bool on_ready(void *user, Scenario *s)
{
    Runner *r = user;

    (void)s;
    if (!outputs_on_ready(r->outputs, &r->error))
        r->stop = RUNNER_BROKEN;
    return r->stop == RUNNER_ENDED;
}

bool runner_make_folder(const char *command, const char *dir)
{
    int why = 0;

    if (g_mkdir_with_parents(dir, 0777) != 0)
        why = errno;
    else if (!g_file_test(dir, G_FILE_TEST_IS_DIR))
        why = ENOTDIR;
    else if (g_access(dir, W_OK | X_OK) != 0)
        why = errno;
    if (why)
        fprintf(stderr, "hopscope %s: cannot write to the folder %s: %s\n", command, dir, g_strerror(why));
    return !why;
}

static void tell(const Runner *r, const char *text)
{
    fflush(stdout);
    fprintf(stderr, "hopscope %s: %s\n", r->config.command, text);
}

/* What the scenario's own status becomes after what the command knows. */
static int judge(Runner *r, int status)
{
    const char *error = scenario_error(r->scenario);
    const char *traceback = scenario_traceback(r->scenario);

    switch (r->stop) {
    case RUNNER_INTERRUPTED:
        return EXIT_INTERRUPTED;
    case RUNNER_WALL:
        tell(r, "the limit of real time (--max-wall) was reached");
        return EXIT_LIMIT;
    case RUNNER_BROKEN:
        if (r->error)
            tell(r, r->error->message);
        return EXIT_WRONG;
    case RUNNER_ENDED:
        break;
    }
    if (status == SCENARIO_WRONG || (status == SCENARIO_LIMIT && !r->config.limit_is_known)) {
        fflush(stdout);
        fprintf(stderr, "%s\n", error ? error : "the run failed");
        if (traceback && *traceback)
            fprintf(stderr, "%s%s", traceback, g_str_has_suffix(traceback, "\n") ? "" : "\n");
    }
    return status;
}

int runner_run(Runner *r, const RunnerConfig *config)
{
    GError *error = NULL;
    int status;

    *r = (Runner){.config = *config};
    r->config.scenario.print = on_print;
    r->config.scenario.poll = on_poll;
    r->config.scenario.on_start = on_start;
    r->config.scenario.on_wish = on_wish;
    r->config.scenario.on_ready = on_ready;
    r->config.scenario.on_resume = on_resume;
    if (config->inputs)
        r->config.scenario.read = on_read;
    r->config.scenario.user = r;
    r->outputs = outputs_new(&config->outputs);
    interrupt_catch();
    progress_init(&r->progress, config->progress, config->scenario.until);
    r->scenario = scenario_new(&r->config.scenario);
    status = scenario_run(r->scenario);
    r->seconds = progress_seconds(&r->progress);
    progress_clear(&r->progress);
    status = judge(r, status);
    if (status == EXIT_WRONG && !outputs_have_failed(r->outputs)) {
        outputs_discard(r->outputs);
    } else if (!outputs_close(r->outputs, &error)) {
        tell(r, error->message);
        g_error_free(error);
        status = EXIT_WRONG;
    }
    return status;
}

void runner_clear(Runner *r)
{
    if (!r->scenario) /* it has not come so far */
        return;
    outputs_free(r->outputs);
    scenario_free(r->scenario);
    g_clear_error(&r->error);
}
