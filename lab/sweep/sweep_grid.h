/* What a sweep's command line says about values: lists and ranges.
 *
 *   0,0.01,0.05      these
 *   1..10            1, 2, … 10; also downwards
 *   0..0.1/0.02      0, 0.02, … 0.1: in steps
 *   1..64x2          1, 2, 4, … 64: times so much
 *   10ms..50ms/20ms  10ms, 30ms, 50ms: what stands behind the number stays
 *
 * and any of them joined by commas. The arithmetic is decimal and exact: the fourth value of 0..1/0.1 is 0.3.
 */
#pragma once

#include <glib.h>

#include "sim/base/base.h"

#define SWEEP_VALUES_MAX 100000

/* Values as text, none of them twice. On failure *error says what was expected, for g_free. */
GPtrArray *sweep_grid_values(const char *list, char **error) HS_MUST_USE;
/* Of uint64_t. */
GArray *sweep_grid_seeds(const char *list, char **error) HS_MUST_USE;
