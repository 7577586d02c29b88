/* The runtime's inside: what scenario*.c and the bindings share. */
#pragma once

#include <glib.h>

#include "lua/luaclass.h"
#include "lua/luaerr.h"
#include "lua/luaopt.h"
#include "lua/luaproc.h"
#include "lua/scenario.h"
#include "sim/base/rng.h"

typedef struct Proc Proc;
typedef struct ScnHost ScnHost;
typedef struct ScnSock ScnSock;

/* What a process waits for. */
typedef struct ProcWait {
    bool (*ready)(void *data); /* NULL: any proc_wake is the answer */
    LuaProcPush push;          /* the call's results; NULL: none. Must not block */
    void (*left)(void *data);  /* the wait is over, or the process died: forget it. NULL */
    void *data;
} ProcWait;

/* A process: the main part of the scenario, or a function that runs on a host. Waiting, waking and time-outs
 * all go through its timer, so that a process is never entered from inside another one. It is ours and lent
 * to Lua; when it has ended, and nobody waits for that any more, it is given to Lua, which frees it. The main
 * part stays. */
struct Proc {
    Scenario *s;
    LuaProc *lua;  /* NULL: ended */
    ScnHost *host; /* NULL: the main part */
    Proc *next;    /* of all that are not free yet, newest first */
    Proc **link;   /* what points to this one */
    unsigned busy; /* calls in which this one is still needed */
    Timer timer;
    SimTime deadline; /* of the wait; SIM_NEVER */
    ProcWait wait;
    bool is_waiting, is_woken, is_timed_out;
    bool is_given;      /* Lua frees it */
    GPtrArray *joiners; /* Proc: wait for the end of this one */
    struct Fds *fds;    /* its descriptors; NULL: none yet */
};

/* A host as scenarios see it. Lives as long as the Scenario. */
struct ScnHost {
    Scenario *s;
    Host *host;
    Node *node;
    int os_ref; /* the table that its processes get; LUA_NOREF */
    bool hears_power;
    GPtrArray *socks; /* ScnSock, open ones, in order of creation; NULL: none yet */
    GPtrArray *calls; /* ScnCall, likewise */
    GPtrArray *tcps;  /* ScnTcp, likewise */
    struct Fds *fds;  /* descriptors made by the main part and by callbacks */
};

typedef struct Expectation {
    char *name, *where, *detail;
    int ref; /* function to be asked at the end; LUA_NOREF when decided */
    bool ok;
} Expectation;

typedef struct Result {
    char *name, *unit, *help, *where;
    int ref; /* function to be asked at the end; LUA_NOREF when decided */
    double value;
    double *samples; /* NULL: one value */
    unsigned n_samples;
    const char *missing; /* why there is no value; NULL: there is */
} Result;

typedef struct Param {
    char *name, *value, *standard, *help;
} Param;

typedef struct Capture {
    char *file;
    GPtrArray *points;
    bool drops;
    uint32_t snaplen;
} Capture;

typedef struct Series {
    char *file, *of;
    GPtrArray *places, *fields; /* strings, NULL at the end */
    SimTime every;
} Series;

typedef struct Plot {
    char *file, *what;
    char *host, *flow, *title, *font; /* NULL: none */
    SimTime from, to, interval;
    unsigned width, height;
    bool cdf, no_states, separate, log, no_legend, is_paper;
} Plot;

typedef struct LadderWish {
    char *file, *flow, *title; /* flow, title NULL: none */
    GPtrArray *between;        /* names, NULL at the end */
    SimTime from, to;
    bool hops, timers, options, absolute, unfold, no_notes, no_states;
} LadderWish;

typedef struct QlogFileWish {
    char *file, *host, *role, *level; /* role, level NULL: both, the usual one */
    uint16_t port;
} QlogFileWish;

typedef struct PlotNote {
    SimTime time;
    char *text;
} PlotNote;

typedef struct PlotLine {
    char *what, *text;
    double value;
} PlotLine;

struct Scenario {
    ScenarioConfig config;
    char *path, *dir, *out_dir;
    char **params; /* "name=value" */
    bool *params_used;

    Sandbox *sb;
    lua_State *L;
    Net *net;
    Sim *sim;
    Node control; /* events of the scenario itself: hs.at, the log */

    Proc *main;
    Proc *procs;
    Proc *current;     /* runs now; NULL: none */
    SimTime run_until; /* of the hs.run that the main part waits in */
    bool in_run, is_ready, is_running;
    bool stop_asked, is_asleep, is_over;
    bool is_dirty;      /* the network changed since net_prepare */
    unsigned observing; /* depth of callbacks that must only look */
    bool failed;
    int exit_code;
    char *error, *traceback;

    GPtrArray *hosts;        /* ScnHost */
    GHashTable *host_by_ptr; /* Host -> ScnHost; look-up only */
    GPtrArray *expects;      /* Expectation */
    GPtrArray *results;      /* Result */
    GPtrArray *words;        /* char *: a text of the scenario and the same in Chinese, in turn */
    GPtrArray *param_list;   /* Param */
    GPtrArray *captures;     /* Capture */
    GPtrArray *series;       /* Series, Lua's */
    GPtrArray *plots;        /* Plot, likewise */
    char *title;             /* hs.title's first; NULL: none yet */
    GPtrArray *ladders;      /* LadderWish, likewise */
    GPtrArray *qlogs;        /* QlogFileWish */
    GArray *plot_notes;      /* PlotNote */
    GArray *plot_levels;     /* PlotLine */
    GPtrArray *rules;        /* struct Rule */
    GPtrArray *observers;    /* struct Observer */
    GPtrArray *apps;         /* ScnApp */
    GPtrArray *rarps;        /* ScnRarp */
    GPtrArray *controllers;  /* ScnCc */
    GHashTable *peers;       /* ProbePoint -> name of the node at the other end; look-up only */
    unsigned peers_links;
    GHashTable *buffers; /* Packet -> its number for scenarios; look-up only */
    ProbeSink sink;
    struct Dissection *free_dissections;
};

Scenario *scenario_of(lua_State *L);
/* An input file: InputFileFn. */
int scenario_read(Scenario *s, const char *path, size_t max, char **text, size_t *len) HS_MUST_USE;
/* Keeps the first error; the run stops. Takes what err owns. */
void scenario_fail(Scenario *s, LuaErr *err);
void scenario_fail_text(Scenario *s, int exit_code, const char *format, ...) HS_PRINTF(3, 4);
void scenario_print(Scenario *s, const char *line);
/* Calls the function and its nargs arguments on top of s->L's stack; an error is the scenario's. */
bool scenario_call(Scenario *s, int nargs, int nresults) HS_MUST_USE;

/* Pushes what a part written in Lua gave us under that name (lua/hs). */
void scenario_push_private(lua_State *L, const char *name);

/* For bindings: raises an error inside a callback that must only look (hs.on). */
void scenario_may_change(lua_State *L);
/* The network is about to be looked at: assigns addresses and routes if anything changed. Raises the
 * network's error. */
void scenario_prepare(lua_State *L);
bool scenario_prepare_net(Scenario *s, char **error);

/* ---- processes (scenario_proc.c) ---- */

/* Takes a function and nargs arguments from L; to be called from Lua or below luaerr_protect. */
Proc *proc_new(lua_State *L, int nargs, Scenario *s, ScnHost *host);
void proc_start(Proc *p);    /* now, as an event of its own */
void proc_continue(Proc *p); /* at once: for whoever is below all Lua */
void proc_throw(Proc *p, const char *message);
/* The process that L runs in, for a call that blocks. */
Proc *proc_current(lua_State *L);
/* Blocks: return proc_block(…). timeout < 0: forever. data must live until wait.left or wait.push was called.
 */
int proc_block(lua_State *L, Proc *p, SimTime timeout, const ProcWait *wait);
void proc_wake(Proc *p);
void proc_kill(Proc *p);
void proc_kill_host(ScnHost *h); /* the host lost its power */
void proc_free_all(Scenario *s);
extern const LuaClass bind_proc_class;
