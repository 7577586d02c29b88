/* Where a device meets a cable. A network card and a switch port embed a LinkPort; a link joins two of them (a shared segment,
 * many). The device's side of the contract: `receive` takes whole frames, `carrier` hears about the cable. The link's side:
 * port_send.
 *
 * Nothing about MAC addresses or IP here: bytes and bits. */
#pragma once

#include "sim/trace/probe.h"

typedef struct LinkPort LinkPort;
typedef struct LinkPortOps {
    /* The frame's last bit is here. Takes the packet (which may be shared: packet_own before changing it). Runs on port's node. */
    void (*receive)(LinkPort *port, Packet *pkt);
    /* The cable was plugged or pulled, or the link went up or down. May be NULL. */
    void (*carrier)(LinkPort *port, bool up);
} LinkPortOps;

/* What is at the other end of the port's plug: the sending half of a link, or of a shared segment. */
typedef struct LinkTx LinkTx;
struct LinkTx {
    void (*send)(LinkTx *tx, Packet *pkt); /* takes the packet; queues or drops it */
};

struct LinkPort {
    ProbePoint point; /* point.node is the device's node */
    const LinkPortOps *ops;
    LinkTx *tx; /* NULL: nothing plugged in */
    bool carrier;
};

/* Sends a frame: it is transmitted now, queued, or dropped with a reason. Takes the packet, which may be shared. */
static inline void port_send(LinkPort *port, Packet *pkt)
{
    if (HS_LIKELY(port->tx != NULL))
        port->tx->send(port->tx, pkt);
    else
        probe_drop(port->point.node, &port->point, pkt, DROP_NO_CARRIER);
}
