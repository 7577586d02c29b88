/* The loopback device: what is sent comes back through the input backlog, at the same time but in an event of
 * its own, as Linux's softirq does (drivers/net/loopback.c, net/core/dev.c netif_rx). Carries 127/8, packets
 * to a host's own addresses, and the sender's copy of its own broadcasts. */
#pragma once

#include "models/ether/netdev.h"
#include "sim/engine/timer.h"

#define LOOPBACK_MTU 65536
#define LOOPBACK_BACKLOG 1000 /* net.core.netdev_max_backlog */

typedef struct LoopbackItem {
    Packet *pkt;
    NetDev *dev; /* whose input gets it */
    uint16_t ethertype;
} LoopbackItem;

typedef struct Loopback {
    NetDev dev; /* first */
    NetDevStats stats;
    Timer softirq;
    LoopbackItem *ring; /* allocated with the first packet */
    uint32_t cap, first, len;
    uint32_t max_backlog;
    uint32_t backlog_drops;
} Loopback;

void loopback_init(Loopback *lo, Node *node);
void loopback_clear(Loopback *lo);
void loopback_purge(Loopback *lo); /* forgets what is on its way */
/* netif_rx: has the packet received by dev, a device of the same host. Takes it. */
void loopback_receive(Loopback *lo, NetDev *dev, Packet *pkt, uint16_t ethertype);
