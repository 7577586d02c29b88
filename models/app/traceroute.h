/* traceroute: the routers on the way, found by probes whose TTL is too small (V. Jacobson's program; the
 * output is that of the modern Linux one with -n). */
#pragma once

#include "models/app/hop_probe.h"
#include "sim/engine/timer.h"

typedef struct Traceroute Traceroute;

typedef struct TracerouteOptions {
    uint32_t dst;
    const char *name;   /* what the user typed; NULL: the address */
    bool icmp;          /* -I: echo requests instead of UDP */
    uint8_t first_ttl;  /* 0: 1 */
    uint8_t max_ttl;    /* 0: 30 */
    uint8_t probes;     /* for each hop; 0: 3, at most TRACEROUTE_MAX_PROBES */
    uint8_t parallel;   /* probes under way at a time; 0: 1, the classical way; the modern program takes 16 */
    SimTime wait;       /* 0: 5 s */
    uint32_t total_len; /* of the probe's IP packet; 0: 60 */
} TracerouteOptions;

#define TRACEROUTE_MAX_PROBES 10

typedef struct TracerouteProbe {
    enum { TRACEROUTE_UNSENT, TRACEROUTE_WAITING, TRACEROUTE_ANSWERED, TRACEROUTE_SILENT } state;
    SimTime sent, rtt;
    HopReply reply;
} TracerouteProbe;

typedef struct TracerouteEvents {
    void (*line)(void *user, const char *text);
    /* All probes of this hop are answered or given up. */
    void (*hop)(void *user, uint8_t ttl, const TracerouteProbe *probes, unsigned n);
    void (*done)(void *user, bool reached); /* may free it */
    void *user;
} TracerouteEvents;

/* udp may be NULL with icmp. */
Traceroute *traceroute_new(Ip4 *ip, Udp *udp, const TracerouteOptions *o, const TracerouteEvents *ev);
void traceroute_free(Traceroute *t);
bool traceroute_is_done(const Traceroute *t);
