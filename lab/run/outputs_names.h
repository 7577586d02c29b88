/* Whose file is whose: two of a run's files must not have the same name, because one would be lost. */
#pragma once

#include <glib.h>

#include "sim/base/base.h"

typedef struct OutputsNames OutputsNames;

OutputsNames *outputs_names_new(void);
void outputs_names_free(OutputsNames *n); /* NULL is allowed */
/* who: "hs.capture", "--pcap"; lives as long as n. False and *error: somebody else has it, or it
 * cannot be created. */
bool outputs_names_claim(OutputsNames *n, const char *path, const char *who, GError **error) HS_MUST_USE;
/* A picture with its data and script, NAME.tsv and NAME.gp. */
bool outputs_names_claim_plot(OutputsNames *n, const char *path, const char *who, GError **error) HS_MUST_USE;
