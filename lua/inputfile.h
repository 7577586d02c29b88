/* The files that a scenario is made of: its text, the modules it requires, the traces it plays. They come
 * from the disk, or from whoever keeps them (ScenarioConfig.read): a run can be repeated from what it read.
 */
#pragma once

#include <stddef.h>

#include "sim/base/base.h"

/* The file's bytes, for g_free, with a 0 byte behind them; 0 or an errno (EFBIG: more than max). */
typedef int (*InputFileFn)(void *user, const char *path, size_t max, char **text, size_t *len);

/* From the disk; regular files only. */
int inputfile_read(const char *path, size_t max, char **text, size_t *len) HS_MUST_USE;
