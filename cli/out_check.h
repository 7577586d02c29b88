/* Files that a command writes after long work: what can be said against their names is said before. */
#pragma once

#include <glib.h>

#include "cli/args.h"

typedef struct OutCheck {
    const ArgCommand *command;
    const char *const *inputs; /* the operands; NULL at the end */
    GHashTable *taken;         /* names so far; look-up only */
} OutCheck;

void outcheck_init(OutCheck *c, const ArgCommand *command, const char *const *inputs);
/* The file can be created, is none of the inputs or another scenario, and nobody else's: otherwise that is
 * told. option: "--output"; NULL: the name was not asked for. */
bool outcheck_file(OutCheck *c, const char *option, const char *path) HS_MUST_USE;
void outcheck_clear(OutCheck *c);
