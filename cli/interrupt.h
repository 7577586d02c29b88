/* ^C (SIGINT) and SIGTERM as a question that long work asks now and then. The second signal ends the process
 * as usual. */
#pragma once

#include "sim/base/base.h"

void interrupt_catch(void);
bool interrupt_came(void);
