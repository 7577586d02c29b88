/* mtr: traceroute again and again, and from it each hop's loss and round trips. A hop that answers rarely
 * while those behind it answer always limits its own ICMP; loss that begins at a hop and goes on behind it is
 * on the link before it. */
#pragma once

#include "models/app/hop_probe.h"
#include "sim/engine/timer.h"

typedef struct Mtr Mtr;

typedef struct MtrOptions {
    uint32_t dst;
    bool udp;           /* -u: UDP probes; otherwise echo requests */
    uint32_t cycles;    /* 0: 10, as mtr --report */
    uint8_t max_ttl;    /* 0: 30 */
    SimTime interval;   /* between cycles; 0: 1 s */
    SimTime grace;      /* after the last cycle; 0: 5 s */
    uint32_t total_len; /* 0: 64 */
} MtrOptions;

typedef struct MtrHop {
    uint32_t addr; /* 0: never answered */
    uint32_t sent, received;
    SimTime last, best, worst;
    double sum_us, sum2_us;
} MtrHop;

typedef struct MtrEvents {
    void (*line)(void *user, const char *text); /* the report, at the end */
    void (*done)(void *user);                   /* may free it */
    void *user;
} MtrEvents;

/* udp may be NULL without o->udp. */
Mtr *mtr_new(Ip4 *ip, Udp *udp, const MtrOptions *o, const MtrEvents *ev);
void mtr_free(Mtr *m);
bool mtr_is_done(const Mtr *m);
unsigned mtr_hops(const Mtr *m);                 /* to the target, or to the last that ever answered */
const MtrHop *mtr_hop(const Mtr *m, unsigned i); /* i = TTL - 1 */
double mtr_hop_loss(const MtrHop *h);            /* 0 to 1 */
