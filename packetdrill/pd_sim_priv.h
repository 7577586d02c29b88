/* What the simulated host and its shell share. */
#pragma once

#include <glib.h>

#include "models/ip/ip6.h"
#include "models/node/socket.h"
#include "packetdrill/pd_sim.h"
#include "packetdrill/pd_tun.h"

typedef struct PdCounter {
    const char *name;
    uint64_t value;
} PdCounter;

typedef struct PdSim {
    PdStack stack; /* first */
    PdHostConfig config;
    Net *net;
    Host *host;
    PdTun *tun;
    Ip4If *ifp;
    Fds *fds;
    GArray *nstat;                 /* of PdCounter: nstat's last snapshot */
    bool waits_packet, waits_call; /* the run is to be stopped when it comes */
    struct PdSimCall *sleeping;    /* or has just returned; NULL: none */
} PdSim;

SimTime pd_sim_time(const PdSim *s, int64_t t_ns); /* the script's time in the simulation */
Ip6 *pd_sim_ip6(PdSim *s);
void pd_sim_sleep(PdSim *s, SimTime ns); /* the host lives on meanwhile */

/* As PdStackOps.shell. */
int pd_shell_run(PdSim *s, const char *text, GString *output, char **error);
