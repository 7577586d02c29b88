/* An Ethernet card: 14-byte headers, padding to 60 bytes, the address filter, EtherTypes, VLAN sub-devices,
 * raw taps.
 *
 *   network layer ── dev.ops->xmit ─→ [header, padding] ─────────────────────────→ port ─→ cable
 *   network layer ←─ dev.input ←─ [EtherType] ←─ (receive ring) ←─ [FCS, filter] ←─ port ←─ cable
 *
 * The receive ring and the interrupt model are an extra (nic_ring.h); without one a frame goes up in the
 * instant in which its last bit arrives.
 *
 * A Nic is a NetDev and embeds the LinkPort that a cable joins. It is born up, without carrier, with an MTU
 * of 1500. */
#pragma once

#include "models/ether/netdev.h"
#include "models/link/port.h"

typedef struct Nic Nic;
typedef struct NicTap NicTap;
typedef struct NicVlan NicVlan; /* models/ether/nic_vlan.h */
typedef struct NicRing NicRing; /* models/ether/nic_ring.h */

#define NIC_MTU_MIN 68 /* RFC 791: what every link must carry */
#define NIC_MTU_MAX 65535

/* A raw socket on the device (AF_PACKET): sees every frame that the card accepts or sends, head at the
 * Ethernet header. The packet is lent and may be shared: packet_ref to keep it, packet_own of that to change
 * it. */
struct NicTap {
    void (*frame)(NicTap *tap, Nic *nic, const Packet *pkt, bool outgoing);
    uint16_t ethertype; /* only these; 0: all */
    NicTap *next;       /* set by nic_add_tap: taps are called in order of attachment */
};

typedef struct NicGroup {
    MacAddr mac;
    unsigned joins;
} NicGroup;

/* Beside NetDevStats, in ethtool -S's manner. */
typedef struct NicStats {
    uint64_t rx_broadcast;
    uint32_t rx_runts, rx_oversize, rx_no_handler;
    uint32_t tx_too_long;
} NicStats;

typedef struct NicExtra { /* what few cards have */
    NicRing *ring;        /* NULL: no ring */
    NicTap *taps;
    NicVlan *vlans;
    uint8_t *pad_pattern; /* NULL: zeros */
    unsigned pad_pattern_len, n_groups;
    NicGroup *groups;
    NicStats stats; /* but for rx_broadcast */
    bool promisc;   /* asked of the card itself; a VLAN on top may ask too */
} NicExtra;

/* What an idle card does without. What every frame looks at is one cache line. */
typedef struct NicLive {
    NicExtra *extra; /* NULL: nothing of that */
    NetDevStats dev; /* what Nic.dev.stats points to */
    uint64_t rx_broadcast;
} NicLive;
_Static_assert(sizeof(NicLive) <= 64, "NicLive has grown beyond a cache line");

struct Nic {
    NetDev dev;    /* first */
    LinkPort port; /* the filter compares with port.point.mac */
    NicLive *live; /* NULL: no frame yet, and nothing set up; nic_live makes it */
};

/* An idle interface costs one of these; see docs/performance.md. */
_Static_assert(sizeof(Nic) <= 144, "Nic has grown: what idle cards do without belongs into NicLive");

/* probes may be NULL in a test without sinks. The name is copied. */
void nic_init(Nic *nic, Node *node, const char *name, MacAddr mac, Probes *probes);
void nic_clear(Nic *nic); /* not while a cable is plugged in */
Nic *nic_new(Node *node, const char *name, MacAddr mac, Probes *probes);
void nic_free(Nic *nic); /* NULL allowed */

/* A complete frame, header included (AF_PACKET, SOCK_RAW): padded, counted and sent as it is. Takes the
 * packet. */
void nic_send_raw(Nic *nic, Packet *pkt);

/* Another address while running: a swapped card, or `ip link set address`. Neighbours find out when we speak.
 */
void nic_set_mac(Nic *nic, MacAddr mac);
/* false: outside NIC_MTU_MIN … NIC_MTU_MAX. */
bool nic_set_mtu(Nic *nic, uint32_t mtu);
/* What padding is made of: the pattern's first bytes (up to 46), to reproduce cards that leak old memory.
 * NULL: zeros. */
void nic_set_pad_pattern(Nic *nic, const uint8_t *bytes, unsigned len);
void nic_add_tap(Nic *nic, NicTap *tap);
void nic_remove_tap(Nic *nic, NicTap *tap);
static inline const NicExtra *nic_has_extra(const Nic *nic) /* NULL: nothing of that */
{
    return nic->live ? nic->live->extra : NULL;
}
static inline NicRing *nic_get_ring(const Nic *nic) /* NULL: it has none */
{
    return nic_has_extra(nic) ? nic->live->extra->ring : NULL;
}
/* Is the group among the joined ones? */
bool nic_has_group(const Nic *nic, MacAddr group);
NicStats nic_stats(const Nic *nic);
size_t nic_bytes(const Nic *nic); /* memory, for --stats */

/* ---- for the files of this folder ---- */

NicLive *nic_live_new(Nic *nic);
static inline NicLive *nic_live(Nic *nic)
{
    return HS_LIKELY(nic->live != NULL) ? nic->live : nic_live_new(nic);
}

NicExtra *nic_extra(Nic *nic); /* made when first needed */
static inline NicVlan *nic_vlans(const Nic *nic)
{
    return nic_has_extra(nic) ? nic->live->extra->vlans : NULL;
}

/* An accepted frame leaves the card's hardware (or its ring) for the kernel. Takes the packet, which is not
 * shared. */
void nic_deliver(Nic *nic, Packet *pkt);
/* A frame whose head stands at its Ethernet header goes out: checks, padding, counting. Takes the packet, not
 * shared. */
void nic_transmit(Nic *nic, Packet *pkt);

/* The card is promiscuous when it or one of its VLANs was asked to be. */
void nic_update_promisc(Nic *nic);

static inline Nic *nic_of_dev(NetDev *dev)
{
    return (Nic *)dev;
}
