/* A scenario: one Lua file that builds a network, runs it and says what it expects. This is the face of the
 * runtime for the command and for tests.
 *
 * Order of calls: scenario_new, scenario_run (once), questions about the outcome, scenario_free. The file's
 * main part is a process like others: hs.run lets time pass and comes back to it.
 *
 * Whoever observes is called back: on_start once, before the main part's first line, when there is no network
 * yet: sinks that are attached here miss nothing. on_wish whenever the scenario has asked for a capture or a
 * series. on_ready once, when the network is built and time is about to pass for the first time (or at the
 * end, if it never does); frames may have been sent before. on_start and on_ready return false to stop the
 * run at once with SCENARIO_WRONG; why, they know best. on_resume whenever hs.run has let its time pass and
 * the main part is about to go on.
 *
 * Ownership: the config's strings are copied. What scenario_net and scenario_capture give belongs to the
 * Scenario. */
#pragma once

#include "lua/inputfile.h"
#include "models/node/net.h"

typedef struct Scenario Scenario;

typedef struct ScenarioConfig {
    const char *path;
    uint64_t seed;
    bool has_seed;
    const char *const *params;                   /* "name=value" …, NULL at the end; NULL: none */
    SimTime until;                               /* time never passes beyond it; SIM_NEVER */
    const char *out_dir;                         /* NULL: "." */
    uint64_t max_events;                         /* 0: no limit */
    size_t max_memory;                           /* of Lua, in bytes; 0: the sandbox's default */
    bool quiet;                                  /* no narration: hs.title, hs.note */
    void (*print)(void *user, const char *line); /* NULL: discarded */
    InputFileFn read;                            /* NULL: from the disk */
    bool (*poll)(void *user, const Sim *sim);    /* false: stop the run. NULL: never */
    bool (*on_start)(void *user, Scenario *s);   /* NULL, these three: nobody waits */
    void (*on_wish)(void *user, Scenario *s);
    bool (*on_ready)(void *user, Scenario *s);
    void (*on_resume)(void *user, Scenario *s); /* NULL */
    void *user;
} ScenarioConfig;

#define SCENARIO_SEED_DEFAULT 1

enum { /* exit codes */
       SCENARIO_OK = 0,
       SCENARIO_FAILED = 1, /* an expectation */
       SCENARIO_WRONG = 2,  /* the scenario has an error */
       SCENARIO_LIMIT = 3,
};

Scenario *scenario_new(const ScenarioConfig *config);
int scenario_run(Scenario *s); /* one of the exit codes */
void scenario_free(Scenario *s);

/* After exit codes 2 and 3: "FILE:LINE: what is wrong", and one line for each frame of the scenario ("" if
 * there is nothing to tell). NULL if all went well. */
const char *scenario_error(const Scenario *s);
const char *scenario_traceback(const Scenario *s);

Net *scenario_net(Scenario *s);
const char *scenario_path(const Scenario *s);
const char *scenario_out_dir(const Scenario *s);
uint64_t scenario_seed(const Scenario *s);
/* When the present hs.run will end, as far as is known; SIM_NEVER. For progress. */
SimTime scenario_until(const Scenario *s);
/* What Lua holds now, and held at most. */
size_t scenario_lua_bytes(const Scenario *s, size_t *peak);

/* Expectations, in the order in which they were written. detail says what was seen and where ("" if ok). */
typedef struct ScenarioExpect {
    const char *name;
    bool ok;
    const char *detail;
} ScenarioExpect;
unsigned scenario_expect_count(const Scenario *s);
void scenario_expect(const Scenario *s, unsigned i, ScenarioExpect *out);
/* What hs.translate said: texts of the scenario, and the same in Chinese, in the order of the texts. */
unsigned scenario_word_count(const Scenario *s);
void scenario_word(const Scenario *s, unsigned i, const char **en, const char **zh);

/* Parameters (hs.param), in the order in which they were declared. */
typedef struct ScenarioParam {
    const char *name, *value, *standard, *help;
} ScenarioParam;
unsigned scenario_param_count(const Scenario *s);
void scenario_param(const Scenario *s, unsigned i, ScenarioParam *out);

/* What the run has found out (hs.result), in the order in which it was told. */
typedef struct ScenarioResult {
    const char *name, *unit, *help; /* unit, help: "" if there is none */
    const char *missing;            /* NULL: there is a value; otherwise why not: "not a number", "nil" */
    double value;                   /* finite; the mean of the samples if there are any */
    const double *samples;          /* finite; NULL: one value only */
    unsigned n_samples;
} ScenarioResult;
unsigned scenario_result_count(const Scenario *s);
void scenario_result(const Scenario *s, unsigned i, ScenarioResult *out);
/* Names that no result may have, NULL at the end: tables of runs have such columns. */
extern const char *const scenario_columns[];

/* Captures that the scenario asked for (hs.capture), to be fulfilled by whoever writes files. */
typedef struct ScenarioCapture {
    const char *file;               /* relative to the output folder */
    const ProbePoint *const *point; /* interfaces; none: all */
    unsigned n_points;
    bool drops;       /* drops are recorded too, with the reason as a comment */
    uint32_t snaplen; /* 0: whole frames */
} ScenarioCapture;
unsigned scenario_capture_count(const Scenario *s);
void scenario_capture(const Scenario *s, unsigned i, ScenarioCapture *out);

/* Time series that the scenario asked for (hs.series): a column for each field at each place. */
typedef struct ScenarioSeries {
    const char *file;          /* relative to the output folder */
    const char *of;            /* the probe's name: "queue.length" */
    const char *const *places; /* patterns of "node:point", NULL at the end; so the fields */
    const char *const *fields;
    SimTime every; /* at most one row in so much time; 0: all */
} ScenarioSeries;
unsigned scenario_series_count(const Scenario *s);
void scenario_series(const Scenario *s, unsigned i, ScenarioSeries *out);

/* Pictures that the scenario asked for (hs.plot), and what it wants to be written into them (hs.plot.note),
 * at whichever time of the run it says so. */
typedef struct ScenarioPlot {
    const char *file;                /* relative to the output folder */
    const char *what;                /* "cwnd,ssthresh" (view/plot.h) */
    const char *host, *flow, *title; /* NULL: all, all, chosen */
    const char *font;                /* NULL: chosen */
    SimTime from, to;                /* SIM_NEVER: to the end */
    SimTime interval;                /* of rates; 0: chosen */
    unsigned width, height;          /* 0: chosen */
    bool cdf, no_states, separate, log, no_legend, is_paper;
} ScenarioPlot;
unsigned scenario_plot_count(const Scenario *s);
void scenario_plot(const Scenario *s, unsigned i, ScenarioPlot *out);
unsigned scenario_plot_note_count(const Scenario *s);
const char *scenario_plot_note(const Scenario *s, unsigned i, SimTime *time);
/* hs.plot.level: a line at a value of "cwnd"; segments, bytes, seconds, bit/s or packets. */
unsigned scenario_plot_level_count(const Scenario *s);
const char *scenario_plot_level(const Scenario *s, unsigned i, const char **what, double *value);

/* Sequence diagrams that the scenario asked for (hs.ladder), likewise. */
typedef struct ScenarioLadder {
    const char *file;           /* relative to the output folder */
    const char *const *between; /* names of nodes, NULL at the end; NULL: chosen */
    const char *flow, *title;   /* NULL: all, the scenario's */
    SimTime from, to;           /* SIM_NEVER: the end */
    bool hops, timers, options, absolute, unfold, no_notes, no_states;
} ScenarioLadder;
unsigned scenario_ladder_count(const Scenario *s);
void scenario_ladder(const Scenario *s, unsigned i, ScenarioLadder *out);
/* qlog files that the scenario asked for (hs.qlog), likewise. */
typedef struct ScenarioQlog {
    const char *file;  /* relative to the output folder */
    const char *host;  /* its name */
    const char *role;  /* "client": only connections that it opens; "server"; NULL: all */
    const char *level; /* "core", "base", "extra"; NULL: base */
    uint16_t port;     /* only connections with it at either end; 0: all */
} ScenarioQlog;
unsigned scenario_qlog_count(const Scenario *s);
void scenario_qlog(const Scenario *s, unsigned i, ScenarioQlog *out);
/* What the scenario called itself first (hs.title); "" if it did not. */
const char *scenario_title(const Scenario *s);

/* What a scenario may say: every name and option that is bound, for the test that compares them with the
 * reference and the annotations. owner is "hs", a class ("host") or a function with options ("hs.link"). */
typedef void (*ScenarioApiFn)(void *user, const char *owner, const char *name);
void scenario_foreach_api(ScenarioApiFn fn, void *user);

extern const ProbeDesc scenario_probe_log;         /* "scenario.log": kind ("title", "note", "log"), text */
extern const ProbeDesc scenario_probe_translation; /* of the record before: kind, lang ("zh"), text */
