/* One run of a sweep, in whatever process calls. */
#pragma once

#include "lab/run/inputs.h"
#include "lab/sweep/sweep_row.h"
#include "lab/sweep/sweep_spec.h"

/* Builds the scenario once for every value of the grid, without letting time pass: wrong names and values are
 * found before hours are spent. Learns how the scenario understands the values, and the digest of its files,
 * which are kept for sweep_run_one. False and *error (g_free; NULL if is_over said so). */
bool sweep_run_check(SweepSpec *spec, Inputs *inputs, bool (*is_over)(void), char **error) HS_MUST_USE;

/* Runs and tells. What was read at the check is not read again. The scenario is not freed: the process ends
 * soon. */
SweepRow *sweep_run_one(const SweepSpec *spec, unsigned run, Inputs *inputs);
