/* hopscope test: scenarios as tests. Each runs in a process of its own; results are told in the order of the
 * scenarios, however the processes end. */
#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/interrupt.h"
#include "cli/out_check.h"
#include "cli/test_args.h"
#include "cli/test_report.h"
#include "lab/test/test_golden.h"
#include "sim/trace/outfile.h"

#define JOBS_MAX 512
#define TIMEOUT (300 * SIM_SEC)

typedef struct Test {
    const ArgCommand *command;
    TestArgs run;
    TestStyle style;
    uint64_t jobs;
    SimTime timeout;
    const char *junit;
    GPtrArray *filters;
    bool tap, list, annotate, update, yes, fail_fast, dry_run;
    GPtrArray *cases;   /* TestCase */
    GPtrArray *results; /* TestResult by case; NULL: still to come */
    unsigned told;      /* of them */
    TestGolden *golden;
    TestTotals totals;
} Test;

/* ---- results ---- */

/* With other parameters it is another run. */
static bool is_standard(const Test *t)
{
    return !t->run.has_seed && !t->run.set->len && t->run.until == SIM_NEVER;
}

static void compare_golden(Test *t, TestResult *r)
{
    GError *error = NULL;
    const SinkDigestValue *golden;
    const char *difference;

    if (!is_standard(t) || t->update || !r->has_digest)
        return;
    golden = test_golden_find(t->golden, r->test->path, &error);
    if (error) {
        test_run_fail(r, r->test->path, 0, "%s", error->message);
        g_error_free(error);
    }
    if (!golden)
        return;
    r->is_golden = true;
    t->totals.golden++;
    difference = test_golden_difference(golden, &r->digest);
    if (difference)
        test_run_fail(r, r->test->path, 0, "the digest is not the golden one (%s): %s", TEST_GOLDEN_NAME,
                      difference);
}

static void tell(Test *t, TestResult *r)
{
    if (r->failures->len)
        t->totals.failed++;
    else
        t->totals.passed++;
    test_report_result(t->style, t->told + 1, r);
    if (t->annotate)
        test_report_annotate(r);
}

static char *work(void *user, unsigned job)
{
    const Test *t = user;
    const TestCase *c = t->cases->pdata[job];
    Console console = {.command = "test", .mute = true, .progress = PROGRESS_NEVER};
    TestRunConfig config;

    if (!test_args_join(c, &t->run, &config))
        return g_strdup("");
    config.front = console_front(&console);
    return test_run_work(c, &config);
}

static bool on_result(void *user, const JobResult *job)
{
    Test *t = user;
    TestResult *r = test_run_judge(t->cases->pdata[job->job], job, t->timeout);

    compare_golden(t, r);
    t->results->pdata[job->job] = r;
    while (t->told < t->results->len && t->results->pdata[t->told]) {
        tell(t, t->results->pdata[t->told]);
        t->told++;
    }
    return !t->fail_fast || !t->totals.failed;
}

static bool on_tick(void *user)
{
    return !interrupt_came();
}

/* ---- golden digests ---- */

static bool is_confirmed(const Test *t, unsigned changes)
{
    char answer[16];

    if (t->yes)
        return true;
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        printf("nothing was written: --yes writes\n");
        return false;
    }
    printf("write %s? [y/N] ", changes == 1 ? "it" : "them");
    fflush(stdout);
    return fgets(answer, sizeof(answer), stdin) && (*answer == 'y' || *answer == 'Y');
}

static int update_golden(Test *t)
{
    g_autoptr(GString) text = g_string_new(NULL);
    unsigned changes;
    GError *error = NULL;

    for (unsigned i = 0; i < t->results->len; i++) {
        const TestResult *r = t->results->pdata[i];

        if (!r->failures->len && r->has_digest)
            test_golden_set(t->golden, r->test->path, &r->digest);
    }
    changes = test_golden_show(t->golden, text);
    fputs(text->str, stdout);
    if (!changes) {
        printf("all golden digests are up to date\n");
        return EXIT_OK;
    }
    if (!is_confirmed(t, changes))
        return EXIT_UNEXPECTED;
    if (!test_golden_write(t->golden, &error)) {
        return console_tell_error("test", error);
    }
    printf("written\n");
    return EXIT_OK;
}

/* ---- the whole ---- */

static bool is_wanted(const Test *t, unsigned at)
{
    const TestCase *c = t->cases->pdata[at];

    for (unsigned i = 0; i < at; i++) /* a file, and the folder that it is in */
        if (!strcmp(((const TestCase *)t->cases->pdata[i])->path, c->path))
            return false;
    for (unsigned i = 0; i < t->filters->len; i++)
        if (test_case_matches(c, t->filters->pdata[i]))
            return true;
    return t->filters->len == 0;
}

static bool find(Test *t, const char *const *operands)
{
    static const char *const here[] = {".", NULL};
    GError *error = NULL;

    for (const char *const *o = *operands ? operands : here; *o; o++) {
        if (test_case_find(*o, t->cases, &error))
            continue;
        console_tell_error("test", error);
        return false;
    }
    for (unsigned i = t->cases->len; i-- > 0;)
        if (!is_wanted(t, i))
            g_ptr_array_remove_index(t->cases, i);
    if (t->cases->len)
        return true;
    args_wrong(t->command, "--filter: no scenario matches");
    return false;
}

static int list_cases(const Test *t)
{
    for (unsigned i = 0; i < t->cases->len; i++)
        printf("%s\n", ((const TestCase *)t->cases->pdata[i])->path);
    return EXIT_OK;
}

/* ^C, or no process can be started. */
static int give_up(const Test *t, GError *error)
{
    fflush(stdout);
    if (t->style == TEST_TAP)
        printf("Bail out! %s\n", error ? "no process can be started" : "interrupted");
    fflush(stdout);
    if (error)
        return console_tell_error("test", error);
    fprintf(stderr, "hopscope test: interrupted; %u of %u scenarios were told\n", t->told, t->cases->len);
    return EXIT_INTERRUPTED;
}

static int finish(Test *t)
{
    GError *error = NULL;
    int status = t->totals.failed ? EXIT_UNEXPECTED : EXIT_OK;

    if (t->told < t->cases->len && t->style == TEST_TAP)
        printf("Bail out! --fail-fast\n");
    t->totals.left = t->cases->len - t->told;
    test_report_end(t->style, &t->totals);
    if (t->junit && !test_report_junit(t->junit, t->results, t->totals.seconds, &error)) {
        return console_tell_error("test", error);
    }
    if (t->update) {
        int updated = update_golden(t);

        return status == EXIT_OK ? updated : status;
    }
    return status;
}

static bool check_junit(const Test *t, const char *const *operands)
{
    OutCheck out;
    bool ok;

    outcheck_init(&out, t->command, operands);
    ok = !t->junit || outcheck_file(&out, "--junit", t->junit);
    outcheck_clear(&out);
    return ok;
}

/* Digests that could not be written are not worth all the runs. */
static bool check_golden(const Test *t)
{
    GError *error = NULL;

    for (unsigned i = 0; t->update && i < t->cases->len; i++) {
        g_autofree char *folder = g_path_get_dirname(((const TestCase *)t->cases->pdata[i])->path);
        g_autofree char *path = g_build_filename(folder, TEST_GOLDEN_NAME, NULL);

        if (!outfile_check(path, &error)) {
            console_tell_error("test", error);
            return false;
        }
    }
    return true;
}

static int run(Test *t, const char *const *operands)
{
    JobsConfig c = {.timeout = t->timeout,
                    .clock_us = g_get_monotonic_time,
                    .work = work,
                    .on_result = on_result,
                    .on_tick = on_tick,
                    .user = t};
    gint64 started = g_get_monotonic_time();
    GError *error = NULL;

    if (!find(t, operands))
        return EXIT_WRONG;
    if (t->dry_run)
        return list_cases(t);
    if (!check_golden(t))
        return EXIT_WRONG;
    g_ptr_array_set_size(t->results, (int)t->cases->len);
    c.n_jobs = t->cases->len;
    c.at_a_time = t->totals.jobs = (unsigned)HS_MIN(t->jobs, t->cases->len);
    interrupt_catch();
    test_report_begin(t->style, t->cases->len);
    if (!jobs_run(&c, &error) && (error || interrupt_came()))
        return give_up(t, error);
    t->totals.seconds = (double)(g_get_monotonic_time() - started) / 1e6;
    return finish(t);
}

static bool check(Test *t)
{
    for (unsigned i = 0; i < t->run.set->len; i++) {
        const char *param = t->run.set->pdata[i], *equals = strchr(param, '=');

        if (!equals || equals == param)
            return args_wrong(t->command, "--set: \"%s\" is not NAME=VALUE", param), false;
    }
    if (t->jobs == 0 || t->jobs > JOBS_MAX)
        return args_wrong(t->command, "-j: expected 1 to %d processes", JOBS_MAX), false;
    if (t->timeout < 0)
        return args_wrong(t->command, "--timeout: a time must not be negative"), false;
    if (t->tap && t->list)
        return args_wrong(t->command, "--tap and --list exclude each other"), false;
    if (t->yes && !t->update)
        return args_wrong(t->command, "--yes: there is nothing to write without --update-golden"), false;
    if (t->update && t->fail_fast)
        return args_wrong(t->command, "--update-golden needs all runs: expected no --fail-fast"), false;
    if (t->update && !is_standard(t))
        return args_wrong(t->command,
                          "--update-golden: golden digests are those of the standard run, without "
                          "--seed, --set and --until"),
               false;
    t->style = t->tap || (!t->list && !isatty(STDOUT_FILENO)) ? TEST_TAP : TEST_LIST;
    if (t->update && !t->tap)
        t->style = TEST_LIST;
    return true;
}

int cmd_test(int argc, char **argv)
{
    Test t = {.run = {.set = g_ptr_array_new(), .until = SIM_NEVER},
              .jobs = g_get_num_processors(),
              .timeout = TIMEOUT,
              .annotate = g_strcmp0(g_getenv("GITHUB_ACTIONS"), "true") == 0,
              .filters = g_ptr_array_new(),
              .cases = g_ptr_array_new_with_free_func(test_case_free),
              .results = g_ptr_array_new_with_free_func(test_run_free),
              .golden = test_golden_new()};
    const char **operands = g_new0(const char *, argc + 1);
    const ArgOption options[] = {
        {"jobs", 'j', ARG_COUNT, "N", "so many processes at a time (default: one for each processor)",
         &t.jobs, NULL, NULL},
        {"filter", 'f', ARG_LIST, "PATTERN",
         "only scenarios whose path contains it, or matches it with * and ?; may be repeated", t.filters,
         NULL, NULL},
        {"tap", 't', ARG_FLAG, NULL, "TAP (version 13) on stdout, which is what a pipe gets anyway", &t.tap,
         NULL, NULL},
        {"list", 'l', ARG_FLAG, NULL, "a list for people, which is what a terminal gets anyway", &t.list,
         NULL, NULL},
        {"junit", 0, ARG_STRING, "FILE", "write the results as JUnit's XML too", &t.junit, NULL, NULL},
        {"annotations", 0, ARG_FLAG, NULL,
         "tell failures as GitHub's \"::error\" lines on stderr too (always when GITHUB_ACTIONS is true)",
         &t.annotate, NULL, NULL},
        {"fail-fast", 'x', ARG_FLAG, NULL, "stop at the first scenario that fails", &t.fail_fast, NULL, NULL},
        {"dry-run", 'n', ARG_FLAG, NULL, "run nothing: list the scenarios", &t.dry_run, NULL, NULL},
        {"seed", 's', ARG_COUNT, "N", "seed of every random stream (default 1)", &t.run.seed, &t.run.has_seed,
         NULL},
        {"set", 'p', ARG_LIST, "NAME=VALUE", "set a parameter of all scenarios; may be repeated", t.run.set,
         NULL, NULL},
        {"until", 'u', ARG_TIME, "TIME", "end each run at this simulated time at the latest", &t.run.until,
         NULL, NULL},
        {"timeout", 0, ARG_TIME, "TIME", "real time for each scenario (default 300s; 0: no limit)",
         &t.timeout, NULL, NULL},
        {"update-golden", 0, ARG_FLAG, NULL,
         "show which golden digests would change, and write them when told so", &t.update, NULL, NULL},
        {"yes", 'y', ARG_FLAG, NULL, "write golden digests without asking", &t.yes, NULL, NULL},
        {0},
    };
    const ArgCommand command = {
        "test",
        "[FILE.lua|FOLDER...]",
        "Runs scenarios as tests, several at a time: those given, or all in the folders given and below "
        "them, or "
        "in this one. A scenario passes when its expectations hold, its exit status is 0 (or what its "
        "comment "
        "\"-- expect-exit: N\" says), and its digest is the one in golden.tsv beside it, if that has one. "
        "Exit "
        "status: 0 if all pass, 1 if not, 2 on wrong usage, 130 after ^C.",
        options,
        0,
        (unsigned)argc,
        "  hopscope test scenarios                       all that are there\n"
        "  hopscope test scenarios --filter tcp -j 4 --junit results.xml\n"
        "  hopscope test scenarios --seed 2              do they hold for another seed?\n"
        "  hopscope test scenarios --update-golden       what has changed since the digests were written?\n",
    };
    int status = EXIT_WRONG;

    t.command = &command;
    switch (args_parse(&command, argc, argv, operands)) {
    case ARGS_HELPED:
        status = EXIT_OK;
        break;
    case ARGS_OK:
        if (check(&t) && check_junit(&t, operands))
            status = run(&t, operands);
        break;
    case ARGS_WRONG:
        break;
    }
    g_ptr_array_free(t.results, TRUE);
    g_ptr_array_free(t.cases, TRUE);
    g_ptr_array_free(t.filters, TRUE);
    g_ptr_array_free(t.run.set, TRUE);
    test_golden_free(t.golden);
    g_free(operands);
    return status;
}
