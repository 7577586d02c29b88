/* A simulation: its nodes, its clock, its random streams, and the run loop.
 *
 * Order of calls: sim_new, node_init for every node, sim_run (as often as wanted: it goes on where it
 * stopped), node_clear for every node, sim_free. No global state: several simulations can live in one
 * process. */
#pragma once

#include "sim/engine/node.h"

typedef enum SimStop {
    SIM_STOP_TIME,    /* everything up to `until` has happened */
    SIM_STOP_IDLE,    /* no events left (the clock then stands at `until`, if one was given) */
    SIM_STOP_EVENTS,  /* the event limit was reached */
    SIM_STOP_POLL,    /* the caller's poll function said stop (wall-clock limit, ^C) */
    SIM_STOP_REQUEST, /* sim_stop was called from inside */
    SIM_STOP_STUCK,   /* time does not advance: a zero-delay loop; see sim_stuck_node */
} SimStop;

typedef struct SimLimits {
    SimTime until;            /* run events at times <= until; SIM_NEVER: to the end */
    uint64_t events;          /* at most so many more; 0: no limit */
    uint64_t same_time;       /* so many events at one instant count as stuck; 0: SIM_SAME_TIME_DEFAULT */
    uint64_t poll_every;      /* call poll after so many events; 0: SIM_POLL_DEFAULT */
    bool (*poll)(void *user); /* false: stop. May look at the simulation, must not change it */
    void *user;
} SimLimits;

#define SIM_SAME_TIME_DEFAULT 20000000
#define SIM_POLL_DEFAULT 65536

Sim *sim_new(uint64_t seed);
void sim_free(Sim *s);

SimStop sim_run(Sim *s, const SimLimits *limits);
/* Ends the run after the current event. */
void sim_stop(Sim *s);
bool sim_is_running(const Sim *s);
/* After SIM_STOP_STUCK: the node that scheduled most of the last events. */
const Node *sim_stuck_node(const Sim *s);

SimTime sim_now(const Sim *s);
uint64_t sim_seed(const Sim *s);
/* A copy of the name that lives as long as the Sim, the same one for equal names: "eth0" is kept once. */
const char *sim_intern(Sim *s, const char *name);
uint64_t sim_events(const Sim *s);  /* executed so far */
uint64_t sim_pending(const Sim *s); /* events to come; lazy timers' stale entries do not count */
Partition *sim_partition(Sim *s, unsigned i);

unsigned sim_node_count(const Sim *s);
Node *sim_node(const Sim *s, unsigned id); /* NULL for one that has been cleared */
Node *sim_node_by_name(const Sim *s, const char *name);

/* A hash of every random stream's present state, in an order defined by the streams' names: the cheapest
 * witness of determinism. */
uint64_t sim_unseed(const Sim *s);
