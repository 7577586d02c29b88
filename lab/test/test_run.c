/* The answer of a process is one JSON object:
 *
 *     {"status":1,"error":null,"expectations":[{"name":"…","ok":false,"detail":"f.lua:5: got false"}],
 *      "digest":["…","…","…"]}
 */
#include "lab/test/test_run.h"

#include <json-glib/json-glib.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "lab/run/outcome_json.h"
#include "lab/status.h"

/* ---- in the process ---- */

static char *describe(Runner *r, int status)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    JsonNode *root;
    char *text;

    json_builder_begin_object(b);
    json_builder_set_member_name(b, "status");
    json_builder_add_int_value(b, status);
    outcome_json_string(b, "error", scenario_error(r->scenario));
    outcome_json_expectations(b, "expectations", r->scenario);
    if (outputs_digest(r->outputs)) {
        SinkDigestValue d;

        sink_digest_get(outputs_digest(r->outputs), &d);
        json_builder_set_member_name(b, "digest");
        json_builder_begin_array(b);
        json_builder_add_string_value(b, d.frames);
        json_builder_add_string_value(b, d.state);
        json_builder_add_string_value(b, d.events);
        json_builder_end_array(b);
    }
    json_builder_end_object(b);
    root = json_builder_get_root(b);
    text = json_to_string(root, FALSE);
    json_node_unref(root);
    return text;
}

/* Nothing is freed: the process ends. */
char *test_run_work(const TestCase *t, const TestRunConfig *config)
{
    RunnerConfig c = {.front = config->front};
    Runner r;

    c.scenario = (ScenarioConfig){.path = t->path,
                                  .has_seed = config->has_seed,
                                  .seed = config->seed,
                                  .params = config->set,
                                  .until = config->until,
                                  .out_dir = ".",
                                  .max_events = config->max_events,
                                  .max_memory = config->max_memory,
                                  .quiet = true};
    c.outputs = (OutputsConfig){.scenario = t->path,
                                .out_dir = ".",
                                .pcap = g_ptr_array_new(),
                                .no_scenario_files = true,
                                .digest = true};
    return describe(&r, runner_run(&r, &c));
}

/* ---- in the parent ---- */

void test_run_fail(TestResult *r, const char *file, unsigned line, const char *format, ...)
{
    TestFailure *f = g_new0(TestFailure, 1);
    va_list ap;

    va_start(ap, format);
    f->text = g_strdup_vprintf(format, ap);
    va_end(ap);
    f->file = g_strdup(file);
    f->line = line;
    g_ptr_array_add(r->failures, f);
}

/* "f.lua:5: got false" -> "f.lua", 5, and what follows; false: there is no such place. */
static bool split_place(const char *text, char **file, unsigned *line, const char **rest)
{
    const char *colon = strchr(text, ':');
    char *end;
    unsigned long n;

    if (!colon || colon == text || !g_ascii_isdigit(colon[1]))
        return false;
    n = strtoul(colon + 1, &end, 10);
    if (end[0] != ':' || end[1] != ' ')
        return false;
    *file = g_strndup(text, (gsize)(colon - text));
    *line = (unsigned)n;
    *rest = end + 2;
    return true;
}

static void fail_at(TestResult *r, const char *what, const char *detail)
{
    g_autofree char *file = NULL;
    const char *rest = detail;
    unsigned line = 0;

    split_place(detail, &file, &line, &rest);
    test_run_fail(r, file ? file : r->test->path, line, "%s%s%s", what, *what && *rest ? ": " : "", rest);
}

static void judge_expects(TestResult *r, JsonArray *expects)
{
    r->n_expects = json_array_get_length(expects);
    for (unsigned i = 0; i < r->n_expects; i++) {
        JsonObject *e = json_array_get_object_element(expects, i);

        /* A scenario that is meant to fail is judged by its exit status. */
        if (!json_object_get_boolean_member(e, "passed") && r->test->exit_status != EXIT_UNEXPECTED)
            fail_at(r, json_object_get_string_member(e, "name"), json_object_get_string_member(e, "detail"));
    }
}

static void take_digest(TestResult *r, JsonArray *digest)
{
    g_strlcpy(r->digest.frames, json_array_get_string_element(digest, 0), sizeof(r->digest.frames));
    g_strlcpy(r->digest.state, json_array_get_string_element(digest, 1), sizeof(r->digest.state));
    g_strlcpy(r->digest.events, json_array_get_string_element(digest, 2), sizeof(r->digest.events));
    r->has_digest = true;
}

static const char *status_text(int64_t status)
{
    switch (status) {
    case EXIT_OK:
        return "0 (success)";
    case EXIT_UNEXPECTED:
        return "1 (an expectation failed)";
    case EXIT_WRONG:
        return "2 (the scenario is wrong)";
    case EXIT_LIMIT:
        return "3 (a limit was hit)";
    default:
        return "130 (interrupted)";
    }
}

static void judge_answer(TestResult *r, JsonObject *answer)
{
    int64_t status = json_object_get_int_member(answer, "status");
    const char *error =
        json_object_get_null_member(answer, "error") ? NULL : json_object_get_string_member(answer, "error");

    judge_expects(r, json_object_get_array_member(answer, "expectations"));
    r->is_error = status != r->test->exit_status && (status == EXIT_WRONG || status == EXIT_LIMIT);
    if (status != r->test->exit_status && error && *error)
        fail_at(r, "", error);
    else if (status != r->test->exit_status && !r->failures->len)
        test_run_fail(r, r->test->path, 0, "exit status %s, expected %s", status_text(status),
                      status_text(r->test->exit_status));
    if (json_object_has_member(answer, "digest") && status != EXIT_WRONG)
        take_digest(r, json_object_get_array_member(answer, "digest"));
}

static void judge_end(TestResult *r, const JobResult *job, SimTime timeout)
{
    r->is_error = true;
    if (job->is_late)
        test_run_fail(r, r->test->path, 0, "not done after %.9g s of real time (--timeout)",
                      (double)timeout / 1e9);
    else if (WIFSIGNALED(job->wait_status))
        test_run_fail(r, r->test->path, 0, "hopscope crashed: signal %d, %s", WTERMSIG(job->wait_status),
                      strsignal(WTERMSIG(job->wait_status)));
    else if (r->test->args->len)
        test_run_fail(r, r->test->path, 0, "run-args cannot be read");
    else
        test_run_fail(r, r->test->path, 0, "hopscope ended with exit status %d",
                      WEXITSTATUS(job->wait_status));
}

TestResult *test_run_judge(const TestCase *t, const JobResult *job, SimTime timeout)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    TestResult *r = g_new0(TestResult, 1);

    r->test = t;
    r->failures = g_ptr_array_new();
    r->seconds = job->seconds;
    r->said = g_utf8_make_valid(job->said, -1);
    r->is_error = t->wrong != NULL;
    if (t->wrong)
        fail_at(r, "", t->wrong);
    else if (job->answer && json_parser_load_from_data(parser, job->answer, -1, NULL))
        judge_answer(r, json_node_get_object(json_parser_get_root(parser)));
    else
        judge_end(r, job, timeout);
    return r;
}

void test_run_free(gpointer result)
{
    TestResult *r = result;

    for (unsigned i = 0; r && i < r->failures->len; i++) {
        TestFailure *f = r->failures->pdata[i];

        g_free(f->text);
        g_free(f->file);
        g_free(f);
    }
    if (r) {
        g_ptr_array_free(r->failures, TRUE);
        g_free(r->said);
    }
    g_free(r);
}
