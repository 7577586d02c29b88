#include "lab/run/run_folder.h"

#include "lab/run/keep.h"
#include "lab/status.h"

typedef struct Folder {
    const char *dir;
    Manifest *earlier; /* NULL: none */
} Folder;

static int fail(const RunFolderConfig *c, GError *error)
{
    const RunnerFront *front = c->runner->front;

    if (front && front->tell)
        front->tell(front->user, RUNNER_SAYS, error->message);
    g_error_free(error);
    return EXIT_WRONG;
}

static bool prepare(void *user, GError **error)
{
    const Folder *f = user;

    return manifest_remove_earlier(f->dir, f->earlier, error);
}

typedef struct Again {
    const Manifest *manifest;
    const char *operand;
    const Folder *other; /* that it goes to; NULL: its own */
} Again;

static bool accept(void *user, const Runner *r, GError **error)
{
    const Again *a = user;

    return manifest_check(a->manifest, a->operand, r, error) &&
           (!a->other || prepare((void *)a->other, error));
}

/* What is asked for by name takes the place of what would be kept of its kind. */
static void choose_kept(const RunFolderConfig *c)
{
    OutputsConfig *o = &c->runner->outputs;

    o->keep = c->keep;
    if (o->pcap->len)
        o->keep &= ~(unsigned)KEEP_CAPTURES;
    if (o->event_classes)
        o->keep &= ~(unsigned)KEEP_EVENTS;
}

int run_folder_run(Runner *r, const RunFolderConfig *config)
{
    RunnerConfig *c = config->runner;
    Folder folder = {.dir = config->dir};
    Inputs *inputs;
    GError *error = NULL;
    int status;

    *r = (Runner){0};
    if (!manifest_find_earlier(config->dir, &folder.earlier, &error))
        return fail(config, error);
    inputs = inputs_new();
    choose_kept(config);
    c->inputs = inputs;
    c->outputs.digest = true;
    c->prepare = prepare;
    c->prepare_user = &folder;
    status = runner_run(r, c);
    if (status != EXIT_WRONG && r->has_begun && !manifest_write(config->dir, r, status, inputs, NULL, &error))
        status = fail(config, error);
    manifest_free(folder.earlier);
    inputs_free(inputs);
    return status;
}

int run_folder_repeat(Runner *r, const RunFolderConfig *config, Manifest *m, const char *operand)
{
    RunnerConfig *c = config->runner;
    Folder folder = {.dir = config->dir};
    Again again = {m, operand, config->is_in_place ? NULL : &folder};
    GError *error = NULL;
    int status;

    *r = (Runner){0};
    if (!config->is_in_place && !manifest_find_earlier(config->dir, &folder.earlier, &error))
        return fail(config, error);
    manifest_apply(m, c);
    c->accept = accept;
    c->prepare_user = &again;
    c->limit_is_known = m->max_events != 0;
    choose_kept(config);
    if (!config->is_in_place)
        m->keep = 0;
    status = runner_run(r, c);
    if (r->stop == RUNNER_ENDED && status != EXIT_WRONG && r->has_begun &&
        !manifest_write(config->dir, r, status, m->inputs, m, &error))
        status = fail(config, error);
    manifest_free(folder.earlier);
    return status;
}
