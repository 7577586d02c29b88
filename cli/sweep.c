/* hopscope sweep: one scenario over a grid of parameters and seeds, each run in a process of its own, into
 * tables with statistics. */
#include <glib.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/sweep_progress.h"
#include "lab/run/runner.h"
#include "lab/sweep/sweep_grid.h"
#include "lab/sweep/sweep_journal.h"
#include "lab/sweep/sweep_plot.h"
#include "lab/sweep/sweep_pool.h"
#include "lab/sweep/sweep_run.h"
#include "lab/sweep/sweep_table.h"
#include "sim/trace/outfile.h"

#define JOBS_MAX 1024
#define BATCHES_MAX 10000

typedef struct SweepOptions {
    GPtrArray *grid, *set, *plots;
    const char *seeds, *out, *from, *plot_file;
    uint64_t jobs, batches, max_events, max_memory;
    bool has_jobs, has_batches, has_until, has_progress;
    SimTime until, timeout;
    bool restart, retry, extend, table, quiet, progress, dry_run;
} SweepOptions;

typedef struct Sweep {
    const SweepOptions *o;
    SweepSpec *spec;
    SweepRow **rows;
    char *dir;
    Inputs *inputs;
    SweepJournal *journal;
    SweepProgress progress;
    GError *error;
} Sweep;

static int tell(const char *text)
{
    fflush(stdout);
    fprintf(stderr, "hopscope sweep: %s\n", text);
    return EXIT_WRONG;
}

static int tell_error(GError *error)
{
    int status = tell(error->message);

    g_error_free(error);
    return status;
}

/* ---- progress ---- */

static unsigned count_done(const Sweep *s)
{
    unsigned n = 0;

    for (unsigned i = 0; i < sweep_spec_runs(s->spec); i++)
        n += s->rows[i] != NULL;
    return n;
}

static bool on_tick(void *user)
{
    Sweep *s = user;

    sweep_progress_poll(&s->progress);
    return !interrupt_came();
}

static bool on_row(void *user, SweepRow *row)
{
    Sweep *s = user;

    sweep_row_free(s->rows[row->run]);
    s->rows[row->run] = row;
    s->progress.done++;
    s->progress.bad += !sweep_row_is(row, SWEEP_OK);
    sweep_progress_poll(&s->progress);
    return sweep_journal_add(s->journal, row, &s->error);
}

/* ---- the runs ---- */

static bool depends_on_machine(const SweepRow *row)
{
    return sweep_row_is(row, SWEEP_TIMEOUT) || sweep_row_is(row, SWEEP_CRASH);
}

static unsigned list_todo(const Sweep *s, unsigned *todo)
{
    unsigned n = 0;

    for (unsigned i = 0; i < sweep_spec_runs(s->spec); i++)
        if (!s->rows[i] || (s->o->retry && depends_on_machine(s->rows[i])))
            todo[n++] = i;
    return n;
}

static const char *const tables[] = {"runs.tsv", "runs.jsonl", "summary.tsv"};

/* Tables of what was there before must not be taken for those of what is there now. */
static void remove_tables(const Sweep *s)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(tables); i++) {
        g_autofree char *path = g_build_filename(s->dir, tables[i], NULL);

        g_unlink(path);
    }
}

static bool check_tables(const Sweep *s, GError **error)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(tables); i++) {
        g_autofree char *path = g_build_filename(s->dir, tables[i], NULL);

        if (!outfile_check(path, error))
            return false;
    }
    return true;
}

static int run_all(Sweep *s)
{
    unsigned all = sweep_spec_runs(s->spec);
    g_autofree unsigned *todo = g_new(unsigned, all);
    SweepPoolConfig pool = {.spec = s->spec,
                            .inputs = s->inputs,
                            .todo = todo,
                            .jobs = s->o->has_jobs ? (unsigned)s->o->jobs : g_get_num_processors(),
                            .timeout = s->o->timeout,
                            .clock_us = g_get_monotonic_time,
                            .on_row = on_row,
                            .on_tick = on_tick,
                            .user = s};
    bool ok;

    pool.n_todo = list_todo(s, todo);
    if (!pool.n_todo)
        return EXIT_OK;
    remove_tables(s);
    pool.jobs = HS_MIN(HS_MIN(pool.jobs, JOBS_MAX), pool.n_todo);
    sweep_progress_begin(&s->progress, s->o->has_progress ? s->o->progress : isatty(STDERR_FILENO), all,
                         all - pool.n_todo);
    for (unsigned i = 0; i < all; i++)
        s->progress.bad += s->rows[i] && !sweep_row_is(s->rows[i], SWEEP_OK) &&
                           !(s->o->retry && depends_on_machine(s->rows[i]));
    ok = sweep_pool_run(&pool, &s->error);
    sweep_progress_end(&s->progress);
    if (s->error)
        return tell_error(g_steal_pointer(&s->error));
    if (ok)
        return EXIT_OK;
    fprintf(stderr,
            "hopscope sweep: interrupted; %u of %u runs are done, the same command goes on from there\n",
            count_done(s), all);
    return EXIT_INTERRUPTED;
}

static int sweep_runs(Sweep *s)
{
    char *why = NULL;
    GError *error = NULL;
    unsigned n = sweep_spec_runs(s->spec);
    int status;

    interrupt_catch();
    s->inputs = inputs_new();
    if (!sweep_run_check(s->spec, s->inputs, interrupt_came, &why)) {
        if (!why)
            return EXIT_INTERRUPTED;
        fflush(stdout);
        fprintf(stderr, "%s\n", why);
        g_free(why);
        return EXIT_WRONG;
    }
    if (s->o->dry_run)
        return EXIT_OK;
    if (!runner_make_folder(s->dir, NULL, &error) || !check_tables(s, &error))
        return tell_error(error);
    s->rows = g_new0(SweepRow *, n);
    s->journal = sweep_journal_open(s->dir, s->spec,
                                    s->o->restart  ? SWEEP_JOURNAL_RESTART
                                    : s->o->extend ? SWEEP_JOURNAL_EXTEND
                                                   : SWEEP_JOURNAL_GO_ON,
                                    s->rows, &error);
    if (!s->journal)
        return tell_error(error);
    status = run_all(s);
    sweep_journal_close(s->journal);
    return status;
}

/* ---- what comes out ---- */

static void print_head(const Sweep *s)
{
    unsigned n_axes = s->spec->axes->len, seeds = s->spec->seeds->len;

    printf("%s: %u run%s", s->spec->scenario, sweep_spec_runs(s->spec),
           sweep_spec_runs(s->spec) == 1 ? "" : "s");
    for (unsigned i = 0; i < n_axes; i++) {
        const SweepAxis *a = s->spec->axes->pdata[i];

        printf("%s%u of %s", i ? " × " : " = ", a->values->len, a->name);
    }
    printf("%s%u seed%s\n", n_axes ? " × " : " = ", seeds, seeds == 1 ? "" : "s");
}

static int print_statuses(const Sweep *s)
{
    unsigned n = sweep_spec_runs(s->spec), seen = 0;
    int status = EXIT_OK;

    for (unsigned i = 0; sweep_statuses[i]; i++) {
        unsigned count = 0, first = 0;

        for (unsigned r = 0; r < n; r++)
            if (s->rows[r] && sweep_row_is(s->rows[r], sweep_statuses[i]) && count++ == 0)
                first = r;
        seen += count;
        if (!count || (i == 0 && s->o->quiet))
            continue;
        if (i == 0) {
            printf("  %-10s%u\n", sweep_statuses[i], count);
            continue;
        }
        g_autofree char *repeat = sweep_spec_describe(s->spec, first);

        status = EXIT_UNEXPECTED;
        fflush(stdout);
        fprintf(s->o->quiet ? stderr : stdout, "  %-10s%u, the first: %s: %s\n", sweep_statuses[i], count,
                repeat, s->rows[first]->detail);
    }
    if (seen < n)
        fprintf(stderr, "hopscope sweep: %u of %u runs are done; the others are missing in what follows\n",
                seen, n);
    return status;
}

/* Values that no table can hold; nil is what the scenario meant. */
static void print_missing(const Sweep *s)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal); /* look-up only */

    for (unsigned r = 0; r < sweep_spec_runs(s->spec); r++) {
        for (unsigned i = 0; s->rows[r] && i < s->rows[r]->results->len; i++) {
            const SweepValue *v = s->rows[r]->results->pdata[i];

            if (v->has_value || !strcmp(v->missing, "nil") || !g_hash_table_add(seen, v->name))
                continue;
            g_autofree char *repeat = sweep_spec_describe(s->spec, r);

            printf("  %-10s%s has no value in some runs, the first: %s: %s\n", "missing", v->name, repeat,
                   v->missing);
        }
    }
}

static void print_wrote(const Sweep *s, const char *name, unsigned rows)
{
    g_autofree char *path = g_build_filename(s->dir, name, NULL);

    if (!s->o->quiet)
        printf("  %-10s%s (%u row%s)\n", "wrote", path, rows, rows == 1 ? "" : "s");
}

static bool draw_plots(const Sweep *s, const SweepTable *t, GError **error)
{
    for (unsigned i = 0; i < s->o->plots->len; i++) {
        char *file = sweep_plot(t, s->o->plots->pdata[i], s->dir, s->o->plot_file, error);

        if (!file)
            return false;
        if (!s->o->quiet)
            printf("  %-10s%s\n", "wrote", file);
        g_free(file);
    }
    return true;
}

/* What stands behind the ±. */
static void print_foot(const Sweep *s, const SweepTable *t, bool is_partial)
{
    unsigned seeds = s->spec->seeds->len;
    bool is_batched = false;
    double alike;

    for (unsigned i = 0; i < t->columns->len; i++)
        is_batched |= sweep_table_has_batches(t, &g_array_index(t->columns, SweepColumn, i));
    if (seeds == 1 && !is_batched)
        printf("\none seed: no confidence intervals; --seeds 1..30 gives them\n");
    else
        printf("\nmeans with 95 %% confidence intervals: %u seed%s each", seeds, seeds == 1 ? "" : "s");
    if (is_batched)
        printf(", %u batch means a run where there are samples", t->batches);
    if (is_partial)
        printf("%s[n]: only n runs have a value", seeds > 1 || is_batched ? "; " : "");
    if (seeds > 1 || is_batched || is_partial)
        printf("\n");
    for (unsigned i = 0; i < t->columns->len; i++) {
        const SweepColumn *c = &g_array_index(t->columns, SweepColumn, i);

        if (sweep_table_batches_are_alike(t, c, &alike))
            printf("%s: neighbouring batches resemble each other (autocorrelation %.2f), so that its "
                   "intervals are too "
                   "small: take fewer batches or longer runs\n",
                   c->name, alike);
    }
}

/* Each as `hopscope run` would repeat it. */
static int list_runs(const Sweep *s)
{
    print_head(s);
    for (unsigned i = 0; i < sweep_spec_runs(s->spec); i++) {
        g_autofree char *repeat = sweep_spec_describe(s->spec, i);

        printf("%6u  %s\n", i + 1, repeat);
    }
    return EXIT_OK;
}

static int tell_outcome(Sweep *s)
{
    bool is_whole = count_done(s) == sweep_spec_runs(s->spec);
    SweepTable *t = sweep_table_new(s->spec, s->rows, (unsigned)s->o->batches);
    GError *error = NULL;
    int status;
    bool ok;

    if (!s->o->quiet)
        print_head(s);
    status = print_statuses(s);
    if (!s->o->quiet)
        print_missing(s);
    ok = !is_whole || sweep_table_write(t, s->dir, &error);
    if (ok && is_whole) {
        print_wrote(s, "runs.tsv", t->n_rows);
        print_wrote(s, "runs.jsonl", t->n_rows);
        print_wrote(s, "summary.tsv", sweep_table_summary_rows(t));
    }
    ok = ok && draw_plots(s, t, &error);
    if (ok && s->o->table) {
        bool is_partial;
        GString *text = sweep_table_pretty(t, &is_partial);

        printf("%s%s", s->o->quiet ? "" : "\n", text->str);
        g_string_free(text, TRUE);
        if (!s->o->quiet)
            print_foot(s, t, is_partial);
    }
    sweep_table_free(t);
    return ok ? status : tell_error(error);
}

/* ---- the command line ---- */

static bool check(const ArgCommand *command, const SweepOptions *o, const char *scenario)
{
    const char *wrong = NULL;

    if (!scenario == !o->from)
        wrong = "expected a scenario, or --from with the folder of an earlier sweep";
    else if (o->from && (o->grid->len || o->set->len || o->seeds || o->out || o->restart || o->retry ||
                         o->extend || o->dry_run))
        wrong = "--from only looks at an earlier sweep: it takes --table, --plot and --batch-means";
    else if (o->has_jobs && (o->jobs == 0 || o->jobs > JOBS_MAX))
        wrong = "--jobs: expected 1 to 1024 processes";
    else if (o->has_batches && (o->batches < 2 || o->batches > BATCHES_MAX))
        wrong = "--batch-means: expected 2 to 10000 batches";
    else if (o->timeout < 0 || (o->has_until && o->until < 0))
        wrong = "a time must not be negative";
    else if (o->restart && o->extend)
        wrong = "--restart forgets earlier runs, --extend keeps them: expected one of them";
    else if (o->restart && o->retry)
        wrong = "--restart does all runs again, --retry some: expected one of them";
    else if (o->plot_file && o->plots->len != 1)
        wrong = "--plot-file names the picture of one --plot";
    if (wrong)
        args_wrong(command, "%s", wrong);
    return !wrong;
}

static SweepSpec *make_spec(const ArgCommand *command, const SweepOptions *o, const char *scenario)
{
    SweepSpec *spec = sweep_spec_new(scenario);
    char *why = NULL;
    const char *option = "--grid";
    uint64_t runs;

    for (unsigned i = 0; i < o->set->len && !why; i++) {
        if (!sweep_spec_add_set(spec, o->set->pdata[i], &why))
            option = "--set";
    }
    for (unsigned i = 0; i < o->grid->len && !why; i++)
        (void)!sweep_spec_add_axis(spec, o->grid->pdata[i], &why);
    if (!why) {
        GArray *seeds = sweep_grid_seeds(o->seeds ? o->seeds : "1", &why);

        option = "--seeds";
        if (seeds) {
            g_array_free(spec->seeds, TRUE);
            spec->seeds = seeds;
        }
    }
    spec->until = o->until;
    spec->max_events = o->max_events;
    spec->max_memory = o->max_memory;
    if (!why && (runs = sweep_spec_runs(spec)) >= SWEEP_RUNS_MAX)
        option = "--grid", why = g_strdup_printf("these are %u runs or more", SWEEP_RUNS_MAX);
    if (!why)
        return spec;
    args_wrong(command, "%s: %s", option, why);
    g_free(why);
    sweep_spec_free(spec);
    return NULL;
}

static char *default_folder(const char *scenario)
{
    g_autofree char *stem = g_path_get_basename(scenario);

    if (g_str_has_suffix(stem, ".lua"))
        stem[strlen(stem) - 4] = '\0';
    return g_strconcat(stem, ".sweep", NULL);
}

static int sweep(const ArgCommand *command, const SweepOptions *o, const char *scenario)
{
    Sweep s = {.o = o};
    GError *error = NULL;
    int status = EXIT_OK;

    for (unsigned i = 0; i < o->plots->len; i++)
        if (!sweep_plot_check(o->plots->pdata[i], o->plot_file, &error))
            return tell_error(error);
    s.dir = o->from ? g_strdup(o->from) : o->out ? g_strdup(o->out) : default_folder(scenario);
    if (o->from) {
        s.spec = sweep_journal_read(o->from, &s.rows, &error);
        status = s.spec ? EXIT_OK : tell_error(error);
    } else {
        s.spec = make_spec(command, o, scenario);
        status = s.spec ? EXIT_OK : EXIT_WRONG;
    }
    if (status == EXIT_OK && !sweep_plot_check_grid(s.spec, o->plots, o->plot_file, &error))
        status = tell_error(error);
    else if (status == EXIT_OK && !o->from)
        status = sweep_runs(&s);
    if (status == EXIT_OK)
        status = o->dry_run ? list_runs(&s) : tell_outcome(&s);
    if (s.rows)
        sweep_journal_free_rows(s.rows, sweep_spec_runs(s.spec));
    sweep_spec_free(s.spec);
    inputs_free(s.inputs);
    g_free(s.dir);
    return status;
}

int cmd_sweep(int argc, char **argv)
{
    SweepOptions o = {
        .grid = g_ptr_array_new(), .set = g_ptr_array_new(), .plots = g_ptr_array_new(), .until = SIM_NEVER};
    const char *operand[2] = {NULL, NULL};
    const ArgOption options[] = {
        {"grid", 'g', ARG_LIST, "NAME=VALUES",
         "an axis of the grid: a parameter and its values: loss=0,0.01,0.05, n=1..10, loss=0..0.1/0.02, "
         "n=1..64x2, rtt=10ms..50ms/20ms; may be repeated",
         o.grid, NULL, NULL},
        {"seeds", 's', ARG_STRING, "LIST", "seeds for each point of the grid: 1..30, or 1,7,9 (default: 1)",
         &o.seeds, NULL, NULL},
        {"set", 'p', ARG_LIST, "NAME=VALUE", "set a parameter for all runs; may be repeated", o.set, NULL,
         NULL},
        {"jobs", 'j', ARG_COUNT, "N", "so many processes at a time (default: one for each processor)",
         &o.jobs, &o.has_jobs, NULL},
        {"out", 'o', ARG_STRING, "DIR", "folder of the sweep; made if need be (default: SCENARIO.sweep)",
         &o.out, NULL, NULL},
        {"until", 'u', ARG_TIME, "TIME", "end each run at this simulated time at the latest", &o.until,
         &o.has_until, NULL},
        {"max-events", 0, ARG_COUNT, "N", "stop a run after so many events; its status is then limit",
         &o.max_events, NULL, NULL},
        {"max-memory", 0, ARG_SIZE, "SIZE", "memory that a scenario's Lua may use", &o.max_memory, NULL,
         NULL},
        {"timeout", 'T', ARG_TIME, "TIME", "end a run after so much real time; its status is then timeout",
         &o.timeout, NULL, NULL},
        {"restart", 0, ARG_FLAG, NULL, "forget what an earlier sweep left in the folder", &o.restart, NULL,
         NULL},
        {"extend", 'x', ARG_FLAG, NULL, "take over the runs of an earlier sweep with fewer seeds or values",
         &o.extend, NULL, NULL},
        {"retry", 0, ARG_FLAG, NULL, "run again what ended with the status timeout or crash", &o.retry, NULL,
         NULL},
        {"from", 'f', ARG_STRING, "DIR", "run nothing: tables and plots of an earlier sweep", &o.from, NULL,
         NULL},
        {"dry-run", 'n', ARG_FLAG, NULL, "run nothing: check parameters and list the runs", &o.dry_run, NULL,
         NULL},
        {"table", 't', ARG_FLAG, NULL, "print means and confidence intervals", &o.table, NULL, NULL},
        {"batch-means", 'b', ARG_COUNT, "K",
         "results that are lists of samples: K batch means of each run instead of its mean", &o.batches,
         &o.has_batches, NULL},
        {"plot", 0, ARG_LIST, "Y:X",
         "draw column Y against column X with error bars: goodput:loss,by=rtt; Y+Z:X adds Z as a dashed "
         "line; more "
         "items: NAME=VALUE (only these runs), each (a point is a run), median (with the 5th and 95th "
         "percentile), log=x, log=y, log=xy; may be "
         "repeated",
         o.plots, NULL, NULL},
        {"plot-file", 0, ARG_STRING, "FILE",
         "name of the picture: .svg, .png or .pdf (default: Y-X.svg in the folder)", &o.plot_file, NULL,
         NULL},
        {"quiet", 'q', ARG_FLAG, NULL, "no summary; runs that were not ok are still told", &o.quiet, NULL,
         NULL},
        {"progress", 0, ARG_FLAG, NULL, "show progress on stderr even if it is no terminal", &o.progress,
         &o.has_progress, NULL},
        {"no-progress", 0, ARG_NO_FLAG, NULL, "show no progress on a terminal", &o.progress, &o.has_progress,
         NULL},
        {0},
    };
    const ArgCommand command = {
        "sweep",
        "SCENARIO.lua",
        "Runs a scenario for every point of a grid of parameters and every seed, in parallel processes, and "
        "makes "
        "tables: runs.tsv and runs.jsonl with one row a run, summary.tsv with mean, spread, percentiles and "
        "95 % "
        "confidence interval for each point and result (hs.result). A sweep that was stopped goes on where "
        "it was "
        "when the same command is given again. Exit status: 0, 1 if a run was not ok, 2 if the scenario or "
        "the "
        "command line is wrong or a file cannot be written, 130 after ^C.",
        options,
        0,
        1,
        "  hopscope sweep scenarios/goodput.lua --grid loss=0.001,0.01 --grid rtt=10ms,100ms --seeds 1..10 "
        "--table\n"
        "  hopscope sweep --from goodput.sweep --plot goodput+law:loss,by=rtt,log=xy\n",
    };
    ArgsResult result = args_parse(&command, argc, argv, operand);
    int status = EXIT_WRONG;

    if (result == ARGS_HELPED)
        status = EXIT_OK;
    else if (result == ARGS_OK && check(&command, &o, operand[0]))
        status = sweep(&command, &o, operand[0]);
    g_ptr_array_free(o.grid, TRUE);
    g_ptr_array_free(o.set, TRUE);
    g_ptr_array_free(o.plots, TRUE);
    return status;
}
