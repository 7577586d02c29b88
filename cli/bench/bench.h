/* The benchmark workloads: real engine, real models, no shortcut that a user's scenario would not get. One
 * line of key=value pairs per run. */
#pragma once

#include <stdio.h>

#include "models/node/net.h"

typedef struct BenchOptions {
    uint64_t n;       /* w1: pending events; w4: packets; w6: hosts; size: hosts; 0: the workload's own */
    uint64_t holds;   /* w1 */
    uint64_t routers; /* w4, size */
    unsigned runs;    /* default 1 */
    bool digest;
    uint64_t buffer;      /* w3: SO_SNDBUF and SO_RCVBUF; 0: 4 MiB */
    const char *cc;       /* w2, w3, w5: congestion control; NULL: cubic */
    const char *pcap_dir; /* NULL: no capture */
    bool pcap_plain;
    uint64_t snaplen; /* of the capture; 0: whole frames */
} BenchOptions;

typedef struct BenchClock {
    double cpu_s, wall_s;
} BenchClock;

BenchClock bench_clock(void);
long bench_peak_rss_kb(void);

/* What a packet workload hands back after its run. */
typedef struct BenchNet BenchNet;
struct BenchNet {
    const char *workload;
    Net *net;
    const NetLink *capture; /* the link whose two ends --pcap captures */
    SimTime until;
    uint64_t delivered_bytes, delivered_packets; /* filled in by the workload while it runs */
    void (*on_end)(BenchNet *b);                 /* after the run, before the line is printed; may be NULL */
    char extra[256];
};

/* Runs it (with the observers that the options ask for), prints the line, frees the net. 0 or an exit code.
 */
int bench_net_run(BenchNet *b, const BenchOptions *o);

int bench_w1(const BenchOptions *o);
int bench_w2(const BenchOptions *o);
int bench_w3(const BenchOptions *o);
int bench_w4(const BenchOptions *o);
int bench_w5(const BenchOptions *o);
int bench_w6(const BenchOptions *o);
int bench_idle(const BenchOptions *o);
int bench_size(const BenchOptions *o);
