/* A store-and-forward Ethernet switch (IEEE 802.1D clause 7): learns from every source address, forwards bit
 * for bit out of one port, floods what it does not know. Queues are those of the links at its ports.
 *
 * A frame arrives as a whole (the link delivers its last bit), is checked, and given to the links in the same
 * instant, or `delay` later. A flooded frame is one shared packet. A switch has no address that hosts could
 * speak to.
 *
 * Parts: switch_table (MAC table), switch_vlan (802.1Q), rstp (spanning tree; off unless asked for, so a loop
 * is a storm). */
#pragma once

#include "models/ether/switch_table.h"
#include "models/link/port.h"
#include "sim/engine/sim.h"
#include "sim/engine/timer.h"

typedef struct Switch Switch;
typedef struct SwitchPort SwitchPort;
typedef struct SwitchVlanPort SwitchVlanPort; /* models/ether/switch_vlan.h */
typedef struct Rstp Rstp;                     /* models/ether/rstp.h */
typedef struct RstpPort RstpPort;

#define SWITCH_PORTS_MAX 4094 /* a port identifier has 12 bits for the number (802.1D-2004 9.2.7) */

typedef enum SwitchStp {
    SWITCH_STP_OFF,
    SWITCH_STP_RSTP,
    SWITCH_STP_LEGACY, /* 802.1D-1998's timers: listening and learning, no handshake */
} SwitchStp;

typedef struct SwitchStats {
    uint64_t rx_frames, rx_bytes;
    uint64_t forwarded; /* sent out of one port */
    uint64_t flooded;   /* sent out of all others */
    uint64_t flood_copies;
    uint64_t bad_fcs, malformed, same_port, reserved, vlan_drops, stp_drops, not_learnt;
    uint64_t learnt, moved, aged;
} SwitchStats;

typedef struct SwitchPortStats {
    uint64_t rx_frames, rx_bytes, tx_frames, tx_bytes;
    uint32_t rx_bad_fcs, rx_dropped;
} SwitchPortStats;

struct SwitchPort {
    LinkPort port;
    Switch *sw;
    uint16_t index;       /* from 0; the name and the spanning tree count from 1 */
    bool is_open;         /* takes and gives frames: carrier, forwarding, no mirror */
    bool learns;          /* spanning tree: learning or forwarding */
    bool forwards;        /* spanning tree: forwarding */
    bool is_mirror;       /* copies go here and nothing else */
    SwitchPort *mirror;   /* copies of this port's frames go there; NULL: nowhere */
    SwitchVlanPort *vlan; /* NULL: the switch knows no VLANs */
    RstpPort *stp;        /* NULL: no spanning tree */
    SwitchPortStats stats;
    char name[8]; /* "p1" */
};

struct Switch {
    Node node; /* first */
    SwitchPort **ports;
    unsigned n_ports;
    bool vlan_aware;
    SwitchTable table;
    MacAddr mac; /* its management address: bridge identifier, source of BPDUs */
    Rstp *stp;
    Probes *probes;
    SwitchStats stats;
    /* Frames between check and forwarding, when that takes time. */
    SimTime delay;
    struct SwitchHeld *held;
    uint32_t held_head, held_len, held_cap;
    Timer held_timer;
};

Switch *switch_new(Sim *sim, const char *name, MacAddr mac, Probes *probes);
void switch_free(Switch *sw); /* NULL allowed; every cable pulled */
/* A new port for a cable. Once made it stays. */
LinkPort *switch_add_port(Switch *sw);

static inline SwitchPort *switch_port_of(LinkPort *port)
{
    return HS_CONTAINER_OF(port, SwitchPort, port);
}

void switch_set_delay(Switch *sw, SimTime delay);
void switch_set_age(Switch *sw, SimTime age); /* 0: for ever */
void switch_set_stp(Switch *sw, SwitchStp mode);
/* Everything that `from` receives or sends is also sent to `to`, which does nothing else any more; NULL ends
 * it. */
void switch_set_mirror(SwitchPort *from, SwitchPort *to);
/* An entry by hand: never ages or moves. vid 0 unless the switch knows VLANs. false: the table is full. */
bool switch_add_static(Switch *sw, MacAddr mac, uint16_t vid, const SwitchPort *port);
/* The port behind which mac lives, by what the table says now; NULL: unknown. */
SwitchPort *switch_lookup(Switch *sw, MacAddr mac, uint16_t vid);
/* Stations in order of (VLAN, MAC). */
void switch_foreach(Switch *sw, void (*fn)(void *user, const SwitchEntry *e), void *user);
size_t switch_bytes(const Switch *sw); /* memory, for --stats */

/* ---- for the files of this folder ---- */

void switch_port_set_state(SwitchPort *port, bool learns, bool forwards);
void switch_port_flush(SwitchPort *port); /* forget what was learnt there */
/* A frame of the switch's own. Takes the packet. */
void switch_port_send(SwitchPort *port, Packet *pkt);
