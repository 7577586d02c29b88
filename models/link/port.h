/* Where a device meets a cable. A network card and a switch port embed a LinkPort; a link joins two of them
 * (a shared segment, many). The device's side of the contract: `receive` takes whole frames, `carrier` hears
 * about the cable. The link's side: port_send.
 *
 * Nothing about MAC addresses or IP here: bytes and bits. */
#pragma once

#include "sim/trace/probe.h"

typedef struct LinkPort LinkPort;
typedef struct LinkPortOps {
    /* The frame's last bit is here. Takes the packet (which may be shared: packet_own before changing it).
     * Runs on port's node. */
    void (*receive)(LinkPort *port, Packet *pkt);
    /* The cable was plugged or pulled, or the link went up or down. May be NULL. */
    void (*carrier)(LinkPort *port, bool up);
} LinkPortOps;

/* What a device can learn about the cable (ethtool): speed, and what became of the frames it gave away. */
typedef struct LinkTxInfo {
    uint64_t rate_bps; /* 0: infinitely fast */
    bool half_duplex;
    uint32_t mtu;
    uint64_t tx_packets, tx_bytes; /* put on the wire */
    uint64_t queue_drops;
    uint32_t queue_packets, queue_bytes; /* waiting now */
    uint64_t collisions, excessive_collisions;
} LinkTxInfo;

/* What is at the other end of the port's plug: the sending half of a link, or of a shared segment. */
typedef struct LinkTx LinkTx;
struct LinkTx {
    void (*send)(LinkTx *tx, Packet *pkt);                /* takes the packet; queues or drops it */
    void (*describe)(const LinkTx *tx, LinkTxInfo *info); /* fills in a zeroed info; may be NULL */
};

struct LinkPort {
    ProbePoint point; /* point.node is the device's node */
    const LinkPortOps *ops;
    LinkTx *tx; /* NULL: nothing plugged in */
    bool carrier;
};

/* Sends a frame: it is transmitted now, queued, or dropped with a reason. Takes the packet, which may be
 * shared. */
static inline void port_send(LinkPort *port, Packet *pkt)
{
    if (HS_LIKELY(port->tx != NULL))
        port->tx->send(port->tx, pkt);
    else
        probe_drop(port->point.node, &port->point, pkt, DROP_NO_CARRIER);
}

/* false: nothing is plugged in, or it does not tell; *info is then all zero. */
static inline bool port_describe(const LinkPort *port, LinkTxInfo *info)
{
    *info = (LinkTxInfo){0};
    if (!port->tx || !port->tx->describe)
        return false;
    port->tx->describe(port->tx, info);
    return true;
}
