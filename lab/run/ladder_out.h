/* Ladders as files, for `hopscope ladder` and for hs.ladder. */
#pragma once

#include <glib.h>

#include "lua/scenario.h"
#include "view/ladder.h"

#define LADDEROUT_WIDTH 100 /* columns of text in files, unless asked otherwise */

/* The format is told by the name: .svg, else text in that width. */
bool ladderout_write(const Ladder *l, const char *path, unsigned width, bool ascii,
                     GError **error) HS_MUST_USE;
/* A story that records what ladders need; attached. story_seal before the network goes; both free functions.
 */
typedef struct LadderRecorder LadderRecorder;
LadderRecorder *ladderout_record(Scenario *s, uint32_t max_records); /* 0: as many as a machine bears */
Story *ladderout_story(LadderRecorder *r);
void ladderout_free(LadderRecorder *r); /* with its story; NULL is allowed */

/* Draws the scenario's wish, after story_seal; name: of the scenario, if it has no title. The path is for
 * g_free. */
bool ladderout_fulfil(LadderRecorder *r, Scenario *s, unsigned wish, const char *dir, const char *name,
                      char **path, GError **error) HS_MUST_USE;
