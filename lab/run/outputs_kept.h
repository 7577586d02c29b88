/* The series and pictures that a run leaves in its folder without being asked (lab/run/keep.h): collected
 * during the run in bounded memory, written at its end. */
#pragma once

#include <glib.h>

#include "lua/scenario.h"

typedef struct OutputsKept OutputsKept;

/* Who hears what became of it. */
typedef struct OutputsKeptTell {
    void (*wrote)(void *user, const char *path, const char *note); /* note NULL: nothing to say */
    void (*wrote_beside)(void *user, const char *path);            /* what belongs to a picture */
    void (*left_out)(void *user, const char *path, const char *what);
    void *user;
} OutputsKeptTell;

/* Attached. kinds: bits of KeepKind; scenario: its path, for titles. */
OutputsKept *outputs_kept_new(Scenario *s, const char *scenario, const char *dir, unsigned kinds);
/* While the network is there. Pictures of a kind that the scenario asked for itself are not drawn. */
bool outputs_kept_write(OutputsKept *k, const OutputsKeptTell *tell, GError **error) HS_MUST_USE;
void outputs_kept_free(OutputsKept *k); /* NULL is allowed */
