/* What the rooms of IPv4 share. Only models/ip/ip4*.c include it. */
#pragma once

#include <errno.h>

#include "models/ether/arp.h"
#include "models/ether/loopback.h"
#include "models/ip/icmp4.h"
#include "models/ip/ip4.h"
#include "models/wire/eth.h"

typedef struct Ip4Live Ip4Live;
typedef struct Ip4Rare Ip4Rare;
typedef struct Ip4Reass Ip4Reass;
typedef struct Ip4Exceptions Ip4Exceptions;

struct Ip4Route {
    Ip4Route *next; /* same prefix: ours (local, broadcast) first, then by metric; or the next parked one */
    Ip4If *dev;     /* NULL: blackhole and its kin */
    uint32_t prefix;
    uint8_t plen;
    uint8_t type;       /* Ip4RouteType */
    bool is_kernel : 1; /* came with an address and goes with it: one of a block of three */
    bool is_parked : 1; /* not in the table: its device is down */
    bool is_in_use : 1; /* of a block: this one has not gone yet */
    uint8_t place;      /* in the block: 0 is the address itself */
};
_Static_assert(sizeof(Ip4Route) <= 24, "Ip4Route has grown: each address has three");

typedef struct Ip4StaticRoute { /* every other */
    Ip4Route route;
    uint32_t via, src, metric, mtu;
    RouteMetrics *metrics; /* NULL: none */
} Ip4StaticRoute;

static inline uint32_t ip4_route_via(const Ip4Route *r)
{
    return r->is_kernel ? 0 : ((const Ip4StaticRoute *)r)->via;
}

static inline uint32_t ip4_route_src(const Ip4Route *r) /* 0: none preferred */
{
    return r->is_kernel ? r[-r->place].prefix : ((const Ip4StaticRoute *)r)->src;
}

static inline uint32_t ip4_route_metric(const Ip4Route *r)
{
    return r->is_kernel ? 0 : ((const Ip4StaticRoute *)r)->metric;
}

static inline uint32_t ip4_route_mtu(const Ip4Route *r)
{
    return r->is_kernel ? 0 : ((const Ip4StaticRoute *)r)->mtu;
}

static inline const RouteMetrics *ip4_route_metrics(const Ip4Route *r)
{
    return r->is_kernel ? NULL : ((const Ip4StaticRoute *)r)->metrics;
}

/* Where packets of one kind go: the answer of the routing code, kept as long as ip->gen stands still. */
typedef struct Ip4Dst {
    uint32_t src, dst;    /* as asked */
    uint32_t gen;         /* of the Ip4 when it was made; 0: empty */
    uint16_t in;          /* input: ifindex; output: 0, or DST_OIF | ifindex */
    uint8_t type;         /* Ip4RouteType */
    bool redirect : 1;    /* the sender should go to next_hop directly */
    bool mtu_locked : 1;  /* the path's MTU is below min_pmtu: no DF */
    bool has_metrics : 1; /* the route has: ip4_dst_metrics */
    bool expires : 1;     /* by what ICMP taught, at Ip4Rare.expires; such an answer is not kept */
    Ip4If *out;
    Neigh *neigh; /* NULL: the device needs none. One reference is ours */
    uint32_t next_hop;
    uint32_t src_used; /* output: the source that the route gives */
    uint32_t mtu;
} Ip4Dst;
#define DST_OIF 0x8000u
_Static_assert(sizeof(Ip4Dst) <= 48, "Ip4Dst has grown: routers keep thousands of them");

#define REDIRECT_PEERS 8

typedef struct Ip4RedirectPeer { /* to whom redirects were sent */
    uint32_t addr, count;
    SimTime last;
} Ip4RedirectPeer;

/* Counters that every packet moves are in the Ip4Live itself, at the place that this says; the others (-1)
 * are made when the first of them is needed, and take the carry of the 32 bits that these have. */
enum { IP4_MIB_HOT_COUNT = 11 };
static inline int ip4_mib_hot(unsigned i)
{
    switch (i) {
    case MIB_IpInReceives:
        return 0;
    case MIB_IpForwDatagrams:
        return 1;
    case MIB_IpInDelivers:
        return 2;
    case MIB_IpOutRequests:
        return 3;
    case MIB_IpOutTransmits:
        return 4;
    case MIB_IpExtInOctets:
        return 5;
    case MIB_IpExtOutOctets:
        return 6;
    case MIB_IpExtInNoECTPkts:
    case MIB_IpExtInECT1Pkts:
    case MIB_IpExtInECT0Pkts:
    case MIB_IpExtInCEPkts:
        return 7 + (int)(i - MIB_IpExtInNoECTPkts);
    default:
        return -1;
    }
}

/* Made with the first packet. */
struct Ip4Live {
    uint32_t mib_hot[IP4_MIB_HOT_COUNT];
    uint16_t n_ids;       /* taken from the global counter */
    uint64_t *mib_seldom; /* NULL, or IP4_MIB_COUNT */
    Ip4Dst *cache;        /* sets of two, the newer one first */
    uint32_t cache_mask;  /* of a set's index: entries - 2 */
    uint32_t cache_misses;
    Ip4Rare *rare; /* NULL: nothing of that */
};
_Static_assert(sizeof(Ip4Live) <= 80, "Ip4Live has grown: what few hosts need belongs into Ip4Rare");

typedef struct Ip4Rare {
    uint32_t *idents; /* Linux's id policy: a counter per hash of the destination; NULL, or IP4_IDENTS */
    Ip4Reass *reass;
    Ip4Exceptions *exc;
    Ip4RedirectPeer *redirect; /* NULL, or REDIRECT_PEERS */
    SimTime expires;           /* of the last answer that does */
} Ip4Rare;
#define IP4_IDENTS 256

typedef struct Ip4ProtoEntry {
    uint8_t proto;
    Ip4Proto p;
} Ip4ProtoEntry;

struct Ip4 {
    Node *node;
    const Ip4Sysctl *sysctl; /* ip4_sysctl_default or our own */
    Ip4Live *live;
    void (*make_proto)(Ip4 *ip, uint8_t proto);
    Ip4If *first_if; /* without the loopback */
    Ip4If *lo;       /* made when first needed */
    Ip4Route *parked;
    struct RawTap *raw;    /* NULL: no raw sockets */
    Ip4ProtoEntry *protos; /* sorted by how they came; a handful */
    Lpm fib;
    uint32_t gen; /* changes with every change of addresses, routes, devices, settings; never 0 */
    uint32_t n_routes;
    uint16_t n_ifs; /* the loopback counted */
    uint16_t next_ifindex;
    uint8_t n_protos;
};

typedef struct Ip4Tap Ip4Tap;
struct Ip4Tap {
    Ip4Tap *next;
    Ip4TapFn fn;
    void *user;
    uint16_t ethertype;
};

typedef struct Ip4Group {
    uint32_t group, users;
} Ip4Group;

typedef struct Ip4IfExtra {
    Ip4Group *groups;
    Ip4Tap *taps;
    unsigned n_groups;
} Ip4IfExtra;

struct Ip4If {
    Ip4 *ip;
    NetDev *dev;
    Ip4If *next;
    Arp *arp; /* made with the first neighbour */
    union {
        Ipv4Prefix one;
        Ipv4Prefix *many;
    } addr;
    Ip4IfExtra *extra; /* NULL: neither groups nor taps */
    MacAddr mac;       /* to notice a change */
    uint16_t n_addrs : 14;
    bool was_up : 1, was_running : 1;
};
#define IP4_ADDRS_MAX 16383

/* An idle host has one of these and each link's router end another; see docs/performance.md. */
_Static_assert(sizeof(Ip4If) <= 56,
               "Ip4If has grown: what idle interfaces do without belongs into Ip4IfExtra");

extern const Ip4Sysctl ip4_sysctl_default;

/* ip4.c */
Ip4If *ip4_lo(Ip4 *ip);
Loopback *ip4_loopback(Ip4 *ip);
void ip4_changed(Ip4 *ip); /* what was resolved is void */
static inline Cells *ip4_cells(const Ip4 *ip)
{
    return &ip->node->part->cells;
}
Ip4Live *ip4_live_new(Ip4 *ip);
static inline Ip4Live *ip4_live(Ip4 *ip)
{
    return HS_LIKELY(ip->live != NULL) ? ip->live : ip4_live_new(ip);
}
static inline const Ipv4Prefix *ip4_addrs(const Ip4If *ifp)
{
    return ifp->n_addrs > 1 ? ifp->addr.many : &ifp->addr.one;
}
Ip4Rare *ip4_rare(Ip4 *ip); /* made when first needed */
static inline Ip4Rare *ip4_has_rare(const Ip4 *ip)
{
    return ip->live ? ip->live->rare : NULL;
}
bool ip4_in_group(const Ip4If *ifp, uint32_t group);
/* ip4_mib.c: the counters that are seldom needed */
void ip4_mib_add_slow(Ip4Live *live, unsigned i, uint64_t n);
static inline void ip4_add(Ip4Live *live, unsigned i, uint32_t n)
{
    int hot = ip4_mib_hot(i);

    if (hot < 0)
        ip4_mib_add_slow(live, i, n);
    else if (HS_UNLIKELY(__builtin_add_overflow(live->mib_hot[hot], n, &live->mib_hot[hot])))
        ip4_mib_add_slow(live, i, UINT64_C(1) << 32);
}
static inline void ip4_count(Ip4 *ip, unsigned i)
{
    ip4_add(ip4_live(ip), i, 1);
}
static inline void ip4_drop(Ip4If *ifp, Packet *pkt, ProbeDrop reason)
{
    probe_drop(ifp->ip->node, ifp->dev->point, pkt, reason);
}

/* ip4_route.c */
void ip4_route_addr_added(Ip4 *ip, Ip4If *ifp, Ipv4Prefix p);
void ip4_route_addr_removed(Ip4 *ip, Ip4If *ifp, Ipv4Prefix p);
void ip4_route_dev_changed(Ip4 *ip, Ip4If *ifp, bool up);
void ip4_route_dev_removed(Ip4 *ip, Ip4If *ifp);
void ip4_route_clear(Ip4 *ip);
/* The best route, or NULL; local addresses too, but for 127/8. */
const Ip4Route *ip4_route_lookup(const Ip4 *ip, uint32_t dst);
/* The best of those that leave by the device (fib_table_lookup with flowi4_oif): perhaps a shorter prefix. */
const Ip4Route *ip4_route_lookup_by(const Ip4 *ip, const Ip4If *ifp, uint32_t dst);
Ip4RouteType ip4_addr_type(const Ip4 *ip, uint32_t addr);
/* inet_select_addr: the address of the device from which to talk to dst; 0: the host has none. */
uint32_t ip4_select_src(const Ip4 *ip, const Ip4If *ifp, uint32_t dst);
bool ip4_is_onlink(const Ip4If *ifp, uint32_t a, uint32_t b); /* both in one subnet of the device */

/* ip4_dst.c. 0 and *out, or a negative errno: -EINVAL martian, -ENETUNREACH no route, -EHOSTUNREACH not
 * forwarding, -EXDEV reverse path filter, -ENOENT a multicast group that is not ours, -ENOBUFS the neighbour
 * table is full. The answer is valid until the next call. */
int ip4_dst_in_slow(Ip4 *ip, Ip4If *ifp, uint32_t src, uint32_t dst, const Ip4Dst **out);
int ip4_dst_out_slow(Ip4 *ip, const Ip4If *oif, uint32_t src, uint32_t dst, const Ip4Dst **out);
void ip4_dst_clear(Ip4Live *live);
/* The metrics of the route that gave this answer just now, or NULL. */
const RouteMetrics *ip4_dst_metrics_slow(const Ip4 *ip, const Ip4Dst *d);
static inline const RouteMetrics *ip4_dst_metrics(const Ip4 *ip, const Ip4Dst *d)
{
    return HS_UNLIKELY(d->has_metrics) ? ip4_dst_metrics_slow(ip, d) : NULL;
}

static inline uint32_t ip4_dst_hash(uint32_t src, uint32_t dst, uint32_t in)
{
    return (uint32_t)((((uint64_t)dst << 32 | src) ^ (uint64_t)in << 20) * 0x9e3779b97f4a7c15u >> 40);
}

static inline const Ip4Dst *ip4_dst_cached(Ip4 *ip, uint32_t src, uint32_t dst, uint32_t in)
{
    Ip4Live *live = ip4_live(ip);
    const Ip4Dst *d = &live->cache[ip4_dst_hash(src, dst, in) & live->cache_mask];

    if (HS_LIKELY(d->dst == dst && d->src == src && d->in == in && d->gen == ip->gen))
        return d;
    d++;
    return d->dst == dst && d->src == src && d->in == in && d->gen == ip->gen ? d : NULL;
}

static inline int ip4_dst_in(Ip4 *ip, Ip4If *ifp, uint32_t src, uint32_t dst, const Ip4Dst **out)
{
    *out = ip4_dst_cached(ip, src, dst, ifp->dev->ifindex);
    return HS_LIKELY(*out != NULL) ? 0 : ip4_dst_in_slow(ip, ifp, src, dst, out);
}

static inline int ip4_dst_out(Ip4 *ip, const Ip4If *oif, uint32_t src, uint32_t dst, const Ip4Dst **out)
{
    *out = ip4_dst_cached(ip, src, dst, oif ? DST_OIF | oif->dev->ifindex : 0);
    return HS_LIKELY(*out != NULL) ? 0 : ip4_dst_out_slow(ip, oif, src, dst, out);
}

/* ip4_input.c: what stands behind the routing decision; takes the packet, head at the IP header. */
void ip4_input(NetDev *dev, Packet *pkt, uint16_t ethertype);
void ip4_local_deliver(Ip4 *ip, Ip4If *ifp, Packet *pkt, Ip4RouteType type);
/* ip4_options.c. false: refused, and told to the sender if that is allowed. The packet stays the caller's. */
bool ip4_options_input(Ip4 *ip, Ip4If *ifp, Packet *pkt, ProbeDrop *reason);
void ip4_options_forward(Ip4 *ip, Packet *pkt, const Ip4If *out);
/* Options for all fragments but the first: what has the copied bit. Returns the length, padded. */
unsigned ip4_options_copied(uint8_t *to, const uint8_t *options, unsigned len);

/* ip4_forward.c */
void ip4_forward(Ip4 *ip, Ip4If *ifp, Packet *pkt, const Ip4Dst *d);

/* ip4_output.c: the last steps for a packet with a complete IP header at head. */
void ip4_transmit(Ip4 *ip, Packet *pkt, const Ip4Dst *d);          /* fragments it if need be */
void ip4_transmit_fragment(Ip4 *ip, Packet *pkt, const Ip4Dst *d); /* it fits */
uint16_t ip4_take_id(Ip4 *ip, uint32_t src, uint32_t dst, uint8_t proto, bool df);

/* ip4_frag.c: cuts the packet and hands each fragment to ip4_transmit. Takes it. 0 or -EMSGSIZE. */
int ip4_fragment(Ip4 *ip, Packet *pkt, const Ip4Dst *d);

/* ip4_reass.c: takes a fragment; returns the whole datagram when it is complete, else NULL. */
Packet *ip4_reassemble(Ip4 *ip, Ip4If *ifp, Packet *pkt);
void ip4_reass_free(Ip4Reass *r);
size_t ip4_reass_bytes(const Ip4Reass *r);

/* ip4_pmtu.c: what was learnt about single destinations (Linux's next-hop exceptions). 0: nothing. */
bool ip4_exc_lookup(const Ip4 *ip, uint32_t dst, uint32_t *mtu, bool *locked, uint32_t *gw, SimTime *expires);
void ip4_exc_free(Ip4Exceptions *e);

/* raw.c. show: true: somebody wanted it. */
bool ip4_raw_show(const Ip4 *ip, const Packet *pkt, const Ip4Rx *rx);
void ip4_raw_error(const Ip4 *ip, uint8_t proto, const Ip4Error *e);

/* ip4_probes.c */
extern const ProbeDesc ip4_probe_rcv, ip4_probe_local_deliver, ip4_probe_forward, ip4_probe_output,
    ip4_probe_fragment, ip4_probe_reassembled;
void ip4_probe_emit(const Ip4If *ifp, const ProbeDesc *desc, const Packet *pkt);
static inline void ip4_probe(const Ip4If *ifp, const ProbeDesc *desc, const Packet *pkt)
{
    if (probe_wanted(ifp->ip->node, PROBE_IP))
        ip4_probe_emit(ifp, desc, pkt);
}
