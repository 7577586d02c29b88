/* The input files of a run (its scenario, the modules and traces that it read): recorded when they are read
 * from the disk, or played back without a disk. */
#pragma once

#include <glib.h>

#include "lua/inputfile.h"

typedef struct Inputs Inputs;

Inputs *inputs_new(void);
void inputs_free(Inputs *in); /* NULL is allowed */
/* Keeps a copy, unless there is a file of that path already. */
void inputs_add(Inputs *in, const char *path, const char *text, size_t len);
unsigned inputs_count(const Inputs *in);
/* In the order in which they were first read. */
const char *inputs_at(const Inputs *in, unsigned i, const char **path, size_t *len);

/* Both are InputFileFn with the Inputs as user. The first reads from the disk and keeps what was read, the
 * second gives what was kept, and nothing else. */
int inputs_record(void *inputs, const char *path, size_t max, char **text, size_t *len);
int inputs_replay(void *inputs, const char *path, size_t max, char **text, size_t *len);
