/* Which program this is: results of two builds of one version do not belong into one table. */
#pragma once

#include "sim/base/base.h"

/* The linker's identifier of the running program (its GNU build-id) in hexadecimal, for g_free; "" if it has
 * none. */
char *sweep_build_id(void);
