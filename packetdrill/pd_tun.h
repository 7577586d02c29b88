/* tun0: the device under a simulated host whose other end is a script. What the host sends is captured with
 * its time; what the script injects arrives at the same instant. No link header, no addresses, no neighbours.
 *
 * Its queueing discipline is one of two: pfifo lets everything pass at once (with limit 0 nothing: the packet
 * is lost in our own host, and the sender is told), fq holds a packet until the departure time that it
 * carries. */
#pragma once

#include <glib.h>

#include "models/ether/netdev.h"
#include "packetdrill/pd_stack.h"

typedef struct PdTun {
    NetDev dev; /* first */
    NetDevStats stats;
    PacketPool *pool;
    bool is_fq;
    bool tso, gso;    /* ethtool -K: both off, and segments are cut before they come here */
    GQueue *captured; /* of PdCaptured, oldest first */
    int64_t zero_ns;  /* the simulation's time that is 0 to the script */
    void (*on_capture)(void *user);
    void *user;
} PdTun;

PdTun *pd_tun_new(Node *node, PacketPool *pool, uint32_t mtu);
void pd_tun_free(PdTun *t); /* not while a host has it */
void pd_tun_set_limit(PdTun *t, bool drops_all);
void pd_tun_set_offload(PdTun *t, bool tso, bool gso);
/* The oldest captured packet; false: none. Its bytes become the caller's. */
bool pd_tun_take(PdTun *t, PdCaptured *out);
void pd_tun_inject(PdTun *t, const uint8_t *bytes, size_t len, uint32_t gso_size);
