/* Code blocks: the small part of Python in which assertions on a connection are written (docs/packetdrill.md
 * lists it). Blocks are run after the last event, in order, in one namespace, each with the facts of its own
 * moment. */
#pragma once

#include <glib.h>

#include "packetdrill/pd_ast.h"
#include "packetdrill/pd_stack.h"

typedef struct PdCode PdCode;

PdCode *pd_code_new(void);
void pd_code_free(PdCode *c);
/* Runs one block. snapshot NULL: no facts. text's first line is `line` of the script. false and *error:
 * "LINE: what is wrong" (g_malloc'ed). output: what print() wrote, one line each, appended. */
bool pd_code_run(PdCode *c, const char *text, unsigned line, const PdSnapshot *snapshot, GString *output,
                 unsigned *error_line, char **error);
/* After a block that failed: an assertion was false. Otherwise the text itself is wrong. */
bool pd_code_is_assertion(const PdCode *c);
