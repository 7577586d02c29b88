/* The captures of a run: of --pcap, of hs.capture, and the one that a run's folder gets. */
#pragma once

#include "lab/run/outputs.h"
#include "sim/trace/outfile.h"

typedef struct OutputsCaptures OutputsCaptures;

/* config and comment outlive it. */
OutputsCaptures *outputs_captures_new(Scenario *s, const OutputsConfig *config, const char *comment,
                                      OutHold *hold);
void outputs_captures_on_wish(OutputsCaptures *c);
/* When the network is built. False and *error: a pattern matches nothing, a file cannot be written. */
bool outputs_captures_settle(OutputsCaptures *c, GError **error) HS_MUST_USE;
bool outputs_captures_have_failed(const OutputsCaptures *c);
bool outputs_captures_close(OutputsCaptures *c, void (*tell)(void *user, const char *path, const char *note),
                            void *user, GError **error) HS_MUST_USE;
void outputs_captures_discard(OutputsCaptures *c);
void outputs_captures_free(OutputsCaptures *c); /* NULL is allowed */
