/* The plots and ladders that a scenario asks for (hs.plot, hs.ladder): watched during the run, drawn at its
 * end. */
#pragma once

#include <glib.h>

#include "lua/scenario.h"

typedef struct OutputsPictures OutputsPictures;

/* scenario: its path as the user knows it; names pictures that have no title. */
OutputsPictures *outputs_pictures_new(Scenario *s, const char *scenario, const char *out_dir);
/* The scenario may have asked for more. */
void outputs_pictures_on_wish(OutputsPictures *p);
/* While the network is there. tell gets the path of each picture that is written, and whether data and script
 * are beside it. Goes on after an error, of which the first is told. */
bool outputs_pictures_draw(OutputsPictures *p, void (*tell)(void *user, const char *path, bool has_data),
                           void *user, GError **error) HS_MUST_USE;
void outputs_pictures_free(OutputsPictures *p); /* NULL is allowed */
