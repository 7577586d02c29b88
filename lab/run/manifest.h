/* manifest.json: what a run was, in the folder of its files. With it the run can be looked at again, because
 * a run is a function of what stands here: its inputs (the scenario's text and everything that it read),
 * parameters, seed and limits, and the version of hopscope. The digests say whether it is the same.
 *
 * Nothing in it depends on the clock or the machine: equal runs leave equal manifests. */
#pragma once

#include <glib.h>

#include "lab/run/inputs.h"
#include "lab/run/runner.h"
#include "sim/trace/sink_digest.h"

#define MANIFEST_NAME "manifest.json"

typedef struct Manifest {
    char *version;
    char *scenario; /* its path, as it was given */
    uint64_t seed;
    GPtrArray *set;                  /* of --set: "name=value", NULL at the end */
    SimTime until;                   /* SIM_NEVER */
    uint64_t max_events, max_memory; /* 0: no limit, the default */
    SinkDigestValue digest;
    GPtrArray *files; /* relative to its folder */
    unsigned keep;    /* bits of KeepKind: what it left beside what was asked for by name */
    Inputs *inputs;
} Manifest;

/* A folder, or a file *.json: something that manifest_read is to be asked about, not a scenario. */
bool manifest_is_named(const char *operand);

/* The folder can take one: what is called manifest.json there, if anything, is one. *earlier: of the run that
 * is there, NULL if there is none (or it cannot be read any more). */
bool manifest_find_earlier(const char *dir, Manifest **earlier, GError **error) HS_MUST_USE;
/* A folder is that of one run: what an earlier one left there goes, its manifest and the files that this
 * lists, so that they are not taken for those of the run that is about to begin. */
bool manifest_remove_earlier(const char *dir, const Manifest *earlier, GError **error) HS_MUST_USE;
/* After the run, while its scenario is there; with a digest among the outputs. before: of the run that this
 * one repeats, whose files are still there; NULL: none. */
bool manifest_write(const char *dir, Runner *r, int status, const Inputs *inputs, const Manifest *before,
                    GError **error) HS_MUST_USE;
/* path: the folder or the file. NULL and *error: there is none, or it is not one. */
Manifest *manifest_read(const char *path, GError **error);
/* A run has the settings of m, and reads what m kept. */
void manifest_apply(Manifest *m, RunnerConfig *config);
/* It was the same run. */
bool manifest_check(const Manifest *m, const char *path, const Runner *r, GError **error) HS_MUST_USE;
void manifest_free(Manifest *m); /* NULL is allowed */
