#include "lab/run/runner.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "lab/status.h"

static void on_print(void *user, const char *line)
{
    Runner *r = user;
    const RunnerFront *front = r->config.front;

    if (r->config.observer_print)
        r->config.observer_print(r->config.observer, line);
    if (front && front->on_print)
        front->on_print(front->user, line);
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
    const RunnerFront *front = r->config.front;

    if (r->stop == RUNNER_ENDED && front && front->on_poll)
        r->stop = front->on_poll(front->user, sim, scenario_until(r->scenario));
    if (r->stop == RUNNER_ENDED && outputs_have_failed(r->outputs))
        r->stop = RUNNER_BROKEN; /* closing tells why */
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
    if (!outputs_on_ready(r->outputs, &r->error) ||
        (r->config.prepare && !r->config.prepare(r->config.prepare_user, &r->error)) ||
        (!r->config.accept && !outputs_begin(r->outputs, &r->error)))
        r->stop = RUNNER_BROKEN;
    r->has_begun = r->stop == RUNNER_ENDED;
    return r->has_begun;
}

/* NULL: dir is there. */
static char *uppermost_missing(const char *dir)
{
    char *missing = NULL, *at = g_strdup(dir);

    while (!g_file_test(at, G_FILE_TEST_EXISTS)) {
        g_free(missing);
        missing = at;
        at = g_path_get_dirname(at);
    }
    g_free(at);
    return missing;
}

void runner_remove_folder(const char *dir, const char *made)
{
    g_autofree char *at = g_strdup(dir);

    while (made && g_rmdir(at) == 0 && strlen(at) > strlen(made)) {
        char *above = g_path_get_dirname(at);

        g_free(at);
        at = above;
    }
}

bool runner_make_folder(const char *dir, char **made, GError **error)
{
    g_autofree char *missing = uppermost_missing(dir);
    int why = 0;

    if (g_mkdir_with_parents(dir, 0777) != 0)
        why = errno;
    else if (!g_file_test(dir, G_FILE_TEST_IS_DIR))
        why = ENOTDIR;
    else if (g_access(dir, W_OK | X_OK) != 0)
        why = errno;
    if (why)
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(why),
                    "cannot write to the folder %s: %s", dir, g_strerror(why));
    if (why)
        runner_remove_folder(dir, missing);
    else if (made)
        *made = g_steal_pointer(&missing);
    return !why;
}

static void tell(const Runner *r, RunnerSays says, const char *text)
{
    const RunnerFront *front = r->config.front;

    if (front && front->tell)
        front->tell(front->user, says, text);
}

static void tell_scenario(const Runner *r)
{
    const char *error = scenario_error(r->scenario), *traceback = scenario_traceback(r->scenario);
    g_autofree char *text =
        g_strdup_printf("%s\n%s", error ? error : "the run failed", traceback ? traceback : "");

    tell(r, RUNNER_SAYS_SCENARIO, text);
}

/* What the scenario's own status becomes after what the command knows. */
static int judge(Runner *r, int status)
{
    switch (r->stop) {
    case RUNNER_INTERRUPTED:
        return EXIT_INTERRUPTED;
    case RUNNER_WALL:
        tell(r, RUNNER_SAYS, "the limit of real time (--max-wall) was reached");
        return EXIT_LIMIT;
    case RUNNER_BROKEN:
        if (r->error)
            tell(r, RUNNER_SAYS, r->error->message);
        return EXIT_WRONG;
    case RUNNER_ENDED:
        break;
    }
    if (status == SCENARIO_WRONG || (status == SCENARIO_LIMIT && !r->config.limit_is_known))
        tell_scenario(r);
    return status;
}

static int accept(Runner *r, int status)
{
    if (r->config.accept(r->config.prepare_user, r, &r->error))
        return status;
    tell(r, RUNNER_SAYS, r->error->message);
    return EXIT_WRONG;
}

int runner_run(Runner *r, const RunnerConfig *config)
{
    const RunnerFront *front = config->front;
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
    if (front && front->on_begin)
        front->on_begin(front->user, config->scenario.until);
    r->scenario = scenario_new(&r->config.scenario);
    status = scenario_run(r->scenario);
    if (front && front->on_end)
        front->on_end(front->user);
    status = judge(r, status);
    if (config->accept && r->has_begun && r->stop == RUNNER_ENDED && status != EXIT_WRONG)
        status = accept(r, status);
    if (!outputs_have_failed(r->outputs) && (status == EXIT_WRONG || !r->has_begun)) {
        outputs_discard(r->outputs);
    } else if (!outputs_close(r->outputs, &error)) {
        tell(r, RUNNER_SAYS, error->message);
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
