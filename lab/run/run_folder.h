/* Runs whose files go into a folder of their own, with a manifest by which they can be repeated. */
#pragma once

#include "lab/run/manifest.h"

typedef struct RunFolderConfig {
    const char *dir; /* exists */
    RunnerConfig *runner;
    unsigned keep;    /* bits of KeepKind */
    bool is_in_place; /* of a run that is repeated: what it left is in this folder */
} RunFolderConfig;

/* A scenario into the folder. Like runner_run; errors are told. runner_clear(r) only if r->scenario is there.
 */
int run_folder_run(Runner *r, const RunFolderConfig *config);
/* The run m again, which stands in `operand`, perhaps into another folder. Its digest must be the same. */
int run_folder_repeat(Runner *r, const RunFolderConfig *config, Manifest *m, const char *operand);
