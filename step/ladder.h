/* The last packets as a ladder (view/ladder.h): recorded while a copy of the run goes once more over the time
 * that it shows. */
#pragma once

#include "models/node/net.h"
#include "view/story.h"

/* Records from now on. */
Story *stepladder_record(Net *net);
/* What was recorded from that time on, in so many columns; takes the story. For g_free. */
char *stepladder_draw(Story *story, SimTime from, unsigned columns);
