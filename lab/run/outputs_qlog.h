/* The qlog files of a run: those of --qlog, named after the scenario, and those that the scenario asks for
 * (hs.qlog).
 *
 * Order of calls: outputs_qlog_new before the scenario's first line; _on_wish during it; _check when the
 * network is built; the run; _close or _discard. */
#pragma once

#include <glib.h>

#include "lua/scenario.h"
#include "view/qlog_tcp.h"

typedef struct OutputsQlog OutputsQlog;

typedef struct OutputsQlogConfig {
    const char *scenario; /* its path: names the files and is their title */
    const char *out_dir;
    const char *comment; /* the files' description */
    GPtrArray
        *hosts; /* patterns of const char *, "" for all; NULL or empty: nothing but what the scenario asks */
    uint16_t port;     /* for those; 0: all connections */
    const char *level; /* "core", "base", "extra"; NULL: base */
    bool no_scenario_files;
    OutHold *hold; /* for the files (sim/trace/outfile.h) */
} OutputsQlogConfig;

/* NULL at the end. */
extern const char *const outputs_qlog_levels[];

/* What the config points to must outlive it. */
OutputsQlog *outputs_qlog_new(Scenario *s, const OutputsQlogConfig *config);
void outputs_qlog_on_wish(OutputsQlog *o);
/* False and *error: a pattern that no host matches. */
bool outputs_qlog_check(const OutputsQlog *o, GError **error) HS_MUST_USE;
bool outputs_qlog_has_failed(const OutputsQlog *o);
/* Both free o; NULL is allowed. tell gets each file and how many events it holds. */
bool outputs_qlog_close(OutputsQlog *o, void (*tell)(void *user, const char *path, uint64_t events),
                        void *user, GError **error) HS_MUST_USE;
void outputs_qlog_discard(OutputsQlog *o);
