/* The way of a received frame from the card's ring to the kernel: interrupts, polling, budgets, and what is
 * lost when the host is too slow. Optional; without it a frame goes up in the instant in which it arrives.
 *
 * Two modes:
 *   interrupt  every frame raises a hard interrupt, whose handler moves it to the input backlog
 *              (netdev_max_backlog); a soft interrupt takes it from there. Hard interrupts come first: too
 *              many of them leave no time for the rest.
 *   NAPI       the first frame raises a hard interrupt, which is then masked; a soft interrupt polls the
 *              ring, `weight` frames a poll, until a poll finds less; then the interrupt is unmasked. After
 *              `budget` frames or `budget_time` the work goes to a thread (ksoftirqd).
 *
 * The host has one processor per card here: cards do not slow each other down (interrupt affinity). */
#pragma once

#include "models/ether/nic.h"
#include "sim/engine/timer.h"

typedef enum NicRingMode { NIC_RING_NAPI, NIC_RING_INTERRUPT } NicRingMode;

typedef struct NicRingConfig {
    NicRingMode mode;
    unsigned rx_size;     /* slots: 256 */
    SimTime irq_cost;     /* a hard interrupt: 2 µs */
    SimTime packet_cost;  /* the kernel's work per frame: 1 µs */
    unsigned weight;      /* frames per poll: 64 (net.core.dev_weight) */
    unsigned budget;      /* frames per soft interrupt: 300 (net.core.netdev_budget) */
    SimTime budget_time;  /* 2 ms (net.core.netdev_budget_usecs) */
    SimTime thread_delay; /* until ksoftirqd runs: 0 */
    unsigned max_backlog; /* 1000 (net.core.netdev_max_backlog); interrupt mode only */
} NicRingConfig;

typedef struct NicRingStats {
    uint64_t interrupts;      /* hard ones */
    uint64_t softirqs;        /* soft ones, runs of the thread included */
    uint64_t thread_runs;     /* ksoftirqd */
    uint64_t polls, squeezes; /* squeezes: the budget was used up (softnet_stat) */
    uint64_t overruns;        /* frames that found the ring full; also in NetDevStats */
    uint64_t backlog_drops;   /* frames that found the backlog full */
    uint32_t ring_peak, backlog_peak;
} NicRingStats;

void nic_ring_config_init(NicRingConfig *c);
/* Gives the card a ring (replacing an older one), or takes it away (NULL). Frames that wait are released. */
void nic_set_ring(Nic *nic, const NicRingConfig *c);
/* While paused no soft interrupt takes frames: a host that is busy elsewhere. */
void nic_ring_set_paused(NicRing *r, bool paused);
const NicRingStats *nic_ring_stats(const NicRing *r);
unsigned nic_ring_waiting(const NicRing *r); /* in the ring */
unsigned nic_ring_backlog(const NicRing *r); /* behind it */
bool nic_ring_is_masked(const NicRing *r);   /* the card's interrupt */

/* ---- for nic.c ---- */

void nic_ring_receive(NicRing *r, Packet *pkt); /* takes a frame that passed the filter, not shared */
void nic_ring_flush(NicRing *r);                /* the device goes down */
void nic_ring_free(NicRing *r);                 /* NULL allowed */
