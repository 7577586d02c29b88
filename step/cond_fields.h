/* Which fields headers have, so that a mistyped one is refused before a search goes through the whole run. */
#pragma once

#include "models/wire/wire.h"

/* NULL: `name` is a field of that header (with is_flag: one of its flags), or that cannot be told from here,
 * since what such headers carry depends on their kind. Otherwise what to say. */
char *stepfields_check(WireLayerId id, const char *name, bool is_flag);
