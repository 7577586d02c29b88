/* The sides of a comparison: what the user named, made into event logs. */
#pragma once

#include <glib.h>

#include "lab/run/runner.h"

typedef struct DiffOperand {
    const char *operand;
    GPtrArray *set; /* "name=value", of this side only */
    uint64_t seed;
    bool has_seed;
    char *path, *title; /* of the log, when it is there */
} DiffOperand;

typedef struct DiffSides {
    const RunnerFront *front;
    DiffOperand side[2];
    GPtrArray *set; /* of both */
    uint64_t seed;
    SimTime until;
    bool has_seed;
    uint64_t classes; /* of records that logs are to have */
    char *folder;     /* for logs that are made; made when needed */
} DiffSides;

void diff_side_init(DiffSides *d);
/* Runs scenarios, repeats runs, finds logs. An exit status; what is wrong with a run has been told, what is
 * wrong with the sides is in *error, of the domain G_OPTION_ERROR if they cannot be asked for like that. */
int diff_side_prepare(DiffSides *d, GError **error) HS_MUST_USE;
void diff_side_clear(DiffSides *d); /* and removes the folder */
