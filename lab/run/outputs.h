/* What observers of a run leave behind, as the command line and the scenario asked for it: captures, the
 * event log, the digest, and the count of drops for the summary.
 *
 * Order of calls: outputs_new; outputs_attach before the scenario's first line, outputs_on_wish during it,
 * outputs_on_ready when the network is built (ScenarioConfig.on_start, on_wish, on_ready), outputs_begin when
 * everybody else has agreed; the run;
 * outputs_close or outputs_discard; questions; outputs_free before scenario_free. */
#pragma once

#include <glib.h>

#include "lua/scenario.h"
#include "sim/trace/sink_digest.h"

typedef struct Outputs Outputs;

typedef struct OutputsConfig {
    const char *scenario; /* its path: names the files and stands in their comments */
    const char *out_dir;  /* exists */
    GPtrArray *pcap;      /* patterns of const char *, "" for all; empty: no capture */
    bool pcap_drops;
    bool pcap_per_interface;
    bool pcap_compress;
    uint32_t snaplen;
    bool no_scenario_files; /* what the scenario asked for is not written */
    bool digest;
    bool count_drops;
    uint64_t event_classes; /* 0: no event log */
    const char *event_path; /* NULL: STEM.events.jsonl in out_dir */
    unsigned keep;          /* bits of KeepKind; what is asked for by name takes its kind's place */
    GPtrArray *qlog;        /* patterns of hosts' names, const char *, "" for all; NULL or empty: no qlog */
    uint16_t qlog_port;     /* 0: all connections */
    const char *qlog_level; /* one of outputs_qlog_levels; NULL: base */
} OutputsConfig;

/* One row of the count of drops. */
typedef struct OutputsDrops {
    const char *reason;
    uint64_t count;
} OutputsDrops;

typedef struct OutputsLack {
    const char *path, *what;
} OutputsLack;

Outputs *outputs_new(const OutputsConfig *config);
/* False and *error, these two: a file cannot be written, or a pattern matches nothing. */
bool outputs_attach(Outputs *o, Scenario *s, GError **error) HS_MUST_USE;
bool outputs_on_ready(Outputs *o, GError **error) HS_MUST_USE;
/* From here on files of these names that were there before are replaced. Without it outputs_close does that:
 * of a run that may still turn out to be the wrong one. */
bool outputs_begin(Outputs *o, GError **error) HS_MUST_USE;
void outputs_on_wish(Outputs *o); /* errors are told by outputs_on_ready */
bool outputs_are_attached(const Outputs *o);
/* A write error that makes it pointless to go on. */
bool outputs_have_failed(const Outputs *o);

/* Completes the files. */
bool outputs_close(Outputs *o, GError **error) HS_MUST_USE;
/* Sets aside what was written as NAME.incomplete; before outputs_begin it is removed. */
void outputs_discard(Outputs *o);

const SinkDigest *outputs_digest(const Outputs *o);                  /* NULL: not asked for */
unsigned outputs_drops(const Outputs *o, const OutputsDrops **rows); /* in order of first appearance */
/* Lines like "out/ping.pcapng (84 frames, 4 interfaces)", after outputs_close. */
unsigned outputs_file_count(const Outputs *o);
const char *outputs_file(const Outputs *o, unsigned i);
/* All files, "out/ping.pcapng", also those that belong to others: a picture's data. */
unsigned outputs_path_count(const Outputs *o);
const char *outputs_path_at(const Outputs *o, unsigned i);
/* What kept files lack, or why there is none. */
unsigned outputs_left_out_count(const Outputs *o);
const OutputsLack *outputs_left_out(const Outputs *o, unsigned i);
/* One that somebody else wrote. */
void outputs_add_file(Outputs *o, const char *path);
void outputs_free(Outputs *o);

/* "DIR/STEM.SUFFIX" for g_free, STEM being the scenario's file name without ".lua". */
char *outputs_path(const char *dir, const char *scenario, const char *suffix);
