/* Ladders as files, for `hopscope ladder` and for hs.ladder. */
#pragma once

#include <glib.h>

#include "sim/base/base.h"
#include "view/ladder.h"

/* The format is told by the name: .svg, else text in that width. */
bool ladderout_write(const Ladder *l, const char *path, unsigned width, bool ascii,
                     GError **error) HS_MUST_USE;
/* What a story needs to record for ladders. */
StoryConfig ladderout_story_config(void);

#define LADDEROUT_WIDTH 100 /* of text in files, unless asked otherwise */
