/* The arguments for its run that a scenario gives in its comment "-- run-args: --set waits=10000", joined
 * with those of the command line. */
#pragma once

#include "lab/test/test_run.h"

/* Of the command line: of all scenarios, behind their own run-args. */
typedef struct TestArgs {
    GPtrArray *set; /* "name=value" */
    uint64_t seed;
    bool has_seed;
    SimTime until; /* SIM_NEVER */
} TestArgs;

/* False: the scenario's cannot be read, which has been told. *out lives as long as the process: it is made
 * where the scenario runs. */
bool test_args_join(const TestCase *t, const TestArgs *all, TestRunConfig *out);
