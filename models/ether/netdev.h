/* A network device as the layer above sees it (Linux's net_device): a network card, the loopback, a serial
 * line, a VLAN on top of a card. Every kind embeds a NetDev first and supplies ops.
 *
 * Upwards: `input` gets packets whose head stands at the network header, with the EtherType; the link header
 * is still in buf in front of head (packet_push gets it back), l3 is set, PKT_BROADCAST and friends say how
 * it was addressed. Downwards: ops->xmit takes a packet whose head stands at the network header. */
#pragma once

#include "models/wire/mac.h"
#include "sim/engine/node.h"
#include "sim/packet/packet.h"
#include "sim/trace/probe.h"

enum {
    NETDEV_UP = 1 << 0,      /* administratively: ip link set up */
    NETDEV_CARRIER = 1 << 1, /* the cable is good */
    NETDEV_LOOPBACK = 1 << 2,
    NETDEV_NOARP = 1 << 3, /* no neighbour resolution (loopback, serial line) */
    NETDEV_POINTOPOINT = 1 << 4,
    NETDEV_PROMISC = 1 << 5,
    NETDEV_BROADCAST = 1 << 6,
    NETDEV_NO_AUTO_ADDR = 1 << 7, /* the scenario wants it without an address */
    NETDEV_TSO = 1 << 8, /* takes TCP super packets (Packet.gso_size) and cuts them itself: `ethtool -K …
                            tso`. Off: transports should not make them; what comes is cut all the same */
    NETDEV_TX_FULL = 1 << 9, /* its queue takes nothing (a limit of 0): what a host sends is dropped there,
                                and the sender hears -ENOBUFS (Linux NET_XMIT_DROP) */
};

typedef struct NetDevStats { /* the columns of ip -s link */
    uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
    struct NetDevErrors *errors; /* NULL: nothing of it happened yet */
} NetDevStats;

typedef struct NetDevErrors { /* further columns, most of which stay 0 */
    uint32_t rx_crc_errors, rx_frame_errors, rx_dropped, rx_overruns, rx_not_for_me, rx_multicast;
    uint32_t tx_dropped, tx_carrier_errors;
} NetDevErrors;

typedef struct NetDev NetDev;

typedef struct NetDevOps {
    /* Takes the packet (it may be shared). dst is ignored by devices without link addresses. */
    void (*xmit)(NetDev *dev, Packet *pkt, const MacAddr *dst, uint16_t ethertype);
    void (*set_up)(NetDev *dev, bool up); /* NULL: just the flag */
    void (*set_promisc)(NetDev *dev, bool on);
    /* Multicast groups to be received; counted, so joins nest. */
    void (*join)(NetDev *dev, MacAddr group, bool on);
    /* How many frames found the queue to the wire full. NULL: there is no queue. */
    uint64_t (*queue_drops)(const NetDev *dev);
} NetDevOps;

struct NetDev {
    const NetDevOps *ops;
    Node *node;
    const char *name; /* "eth0" */
    void (*input)(NetDev *dev, Packet *pkt,
                  uint16_t ethertype); /* set by the network layer; takes the packet */
    void (*changed)(NetDev *dev);      /* flags or mtu changed; may be NULL */
    void *upper;                       /* the network layer's (Ip4If) */
    const ProbePoint *point;           /* where its frames are seen; NULL: nowhere (loopback) */
    uint32_t mtu;
    uint16_t flags;
    uint16_t ifindex; /* from 1, per node: lo is 1 */
    MacAddr mac;
    NetDevStats *stats; /* NULL: nothing to count yet; netdev_stats and netdev_errors read them */
};

static inline const NetDevStats *netdev_stats(const NetDev *d)
{
    static const NetDevStats none;

    return d->stats ? d->stats : &none;
}

static inline const NetDevErrors *netdev_errors(const NetDev *d)
{
    static const NetDevErrors none;

    return d->stats && d->stats->errors ? d->stats->errors : &none;
}

/* To be counted in, by the device (whose stats are there) and what works for it. */
static inline NetDevErrors *netdev_count(NetDev *d)
{
    if (!d->stats->errors)
        d->stats->errors = cells_take(&d->node->part->cells, sizeof *d->stats->errors);
    return d->stats->errors;
}

/* The end of the device's stats. */
static inline void netdev_clear_stats(NetDev *d)
{
    if (d->stats)
        cells_give(&d->node->part->cells, d->stats->errors, sizeof *d->stats->errors);
    d->stats = NULL;
}

static inline bool netdev_is_running(const NetDev *d)
{
    return (d->flags & (NETDEV_UP | NETDEV_CARRIER)) == (NETDEV_UP | NETDEV_CARRIER);
}
