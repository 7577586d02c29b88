/* Text to script. */
#pragma once

#include "packetdrill/pd_ast.h"
#include "packetdrill/pd_config.h"

/* `config` holds the command line's flags; the script's are applied to it where the command line is silent.
 * NULL and *error, "FILE:LINE:COL: message" (g_malloc'ed), when the text is no script. */
PdScript *pd_parse(const char *path, const char *text, size_t len, PdConfig *config, char **error);
void pd_script_free(PdScript *s);
