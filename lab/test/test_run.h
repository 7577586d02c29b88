/* One scenario run as a test, in a process of its own, and what its parent makes of that. */
#pragma once

#include "lab/jobs.h"
#include "lab/run/runner.h"
#include "lab/test/test_case.h"
#include "sim/trace/sink_digest.h"

typedef struct TestRunConfig {
    const char *const *set; /* "name=value" … NULL */
    uint64_t seed, max_events, max_memory;
    bool has_seed;
    SimTime until;            /* SIM_NEVER */
    const RunnerFront *front; /* hears what goes wrong */
} TestRunConfig;

typedef struct TestFailure {
    char *text; /* "the echoes come back: got 3, expected 5" */
    char *file; /* where; NULL: not known */
    unsigned line;
} TestFailure;

typedef struct TestResult {
    const TestCase *test;
    GPtrArray *failures; /* TestFailure; none: passed */
    unsigned n_expects;
    bool is_error; /* it failed, and not by an expectation: wrong, at a limit, late, crashed */
    bool has_digest;
    bool is_golden; /* it was compared with a golden digest */
    SinkDigestValue digest;
    double seconds; /* of real time */
    char *said;     /* on stdout and stderr; "" */
} TestResult;

/* For JobsConfig.work, in the process of the job. */
char *test_run_work(const TestCase *t, const TestRunConfig *config);
/* For JobsConfig.on_result. timeout: for the message. */
TestResult *test_run_judge(const TestCase *t, const JobResult *job, SimTime timeout);
void test_run_fail(TestResult *r, const char *file, unsigned line, const char *format, ...) HS_PRINTF(4, 5);
void test_run_free(gpointer result);
