/* A host's IPv4: addresses, routes, input, forwarding, output. One Ip4 per host or router; IPv6 stands beside
 * it.
 *
 *   device input → ip4_input ─┬─ for us: (reassembly) → protocol handler (ICMP, UDP, …)
 *                             └─ for others: ip4_forward → route → (fragmentation) → neighbour → device
 *   protocol → ip4_output → route, source address → (fragmentation) → neighbour → device
 *
 * Rules and names follow Linux (net/ipv4/ip_input.c, ip_forward.c, ip_output.c, route.c); RFC 791, 1122,
 * 1812. An Ip4 that has seen no packet stays small: counters, reassembly and caches are allocated when first
 * used. */
#pragma once

#include "models/ether/netdev.h"
#include "models/ip/lpm.h"
#include "models/ip/route_metrics.h"
#include "models/wire/ipv4.h"

typedef struct Ip4 Ip4;
typedef struct Ip4If Ip4If; /* a device with its IPv4 configuration and neighbour table */
typedef struct Ip4Route Ip4Route;
typedef struct Ip4Error Ip4Error;
struct NeighTable;

/* ---- counters, by the names of netstat -s / nstat ---- */

/* X(name): the stem of "IpInReceives" and so on (RFC 4293 order, then Linux's IpExt). */
#define IP4_MIB(X)                                                                                           \
    X(IpInReceives)                                                                                          \
    X(IpInHdrErrors)                                                                                         \
    X(IpInAddrErrors)                                                                                        \
    X(IpForwDatagrams)                                                                                       \
    X(IpInUnknownProtos)                                                                                     \
    X(IpInDiscards)                                                                                          \
    X(IpInDelivers)                                                                                          \
    X(IpOutRequests)                                                                                         \
    X(IpOutDiscards)                                                                                         \
    X(IpOutNoRoutes)                                                                                         \
    X(IpReasmTimeout)                                                                                        \
    X(IpReasmReqds)                                                                                          \
    X(IpReasmOKs)                                                                                            \
    X(IpReasmFails)                                                                                          \
    X(IpFragOKs)                                                                                             \
    X(IpFragFails)                                                                                           \
    X(IpFragCreates)                                                                                         \
    X(IpOutTransmits)                                                                                        \
    X(IpExtInNoRoutes)                                                                                       \
    X(IpExtInTruncatedPkts)                                                                                  \
    X(IpExtInMcastPkts)                                                                                      \
    X(IpExtOutMcastPkts)                                                                                     \
    X(IpExtInBcastPkts)                                                                                      \
    X(IpExtOutBcastPkts)                                                                                     \
    X(IpExtInOctets)                                                                                         \
    X(IpExtOutOctets)                                                                                        \
    X(IpExtInMcastOctets)                                                                                    \
    X(IpExtOutMcastOctets)                                                                                   \
    X(IpExtInBcastOctets)                                                                                    \
    X(IpExtOutBcastOctets)                                                                                   \
    X(IpExtInCsumErrors)                                                                                     \
    X(IpExtInNoECTPkts)                                                                                      \
    X(IpExtInECT1Pkts)                                                                                       \
    X(IpExtInECT0Pkts)                                                                                       \
    X(IpExtInCEPkts)                                                                                         \
    X(IpExtReasmOverlaps)

enum {
#define X(name) MIB_##name,
    IP4_MIB(X)
#undef X
        IP4_MIB_COUNT
};

/* ---- set-up ---- */

Ip4 *ip4_new(Node *node, PacketPool *pool);
void ip4_free(Ip4 *ip);
/* Called when somebody asks for a protocol that is not there: the moment to add ICMP or a transport to a host
 * that has not needed it so far. */
void ip4_on_unknown_proto(Ip4 *ip, void (*make)(Ip4 *ip, uint8_t proto));
Node *ip4_node(const Ip4 *ip);
PacketPool *ip4_pool(const Ip4 *ip);
size_t ip4_bytes(const Ip4 *ip);       /* memory, for --stats */
size_t ip4_route_bytes(const Ip4 *ip); /* the part of it that routes take */
/* The host lost its power: counters, caches, neighbours, fragments and what waits in the loopback are gone;
 * devices, addresses, routes and settings are its configuration and stay. */
void ip4_reset(Ip4 *ip);

/* The loopback device (127.0.0.1/8) is made with the Ip4; others are added as they are plugged in. */
Ip4If *ip4_add_dev(Ip4 *ip, NetDev *dev);
void ip4_remove_dev(Ip4 *ip, Ip4If *ifp);
Ip4If *ip4_if_by_index(const Ip4 *ip, unsigned ifindex);
Ip4If *ip4_if_by_name(const Ip4 *ip, const char *name);
unsigned ip4_if_count(const Ip4 *ip);
Ip4If *ip4_if(const Ip4 *ip, unsigned i); /* in order of creation, loopback first */
NetDev *ip4_if_dev(const Ip4If *ifp);
struct NeighTable *ip4_if_neighbours(Ip4If *ifp); /* models/ether/neigh.h */
bool ip4_if_has_neighbours(
    const Ip4If *ifp);              /* false: nothing was resolved there yet, and nothing is allocated */
struct Arp *ip4_if_arp(Ip4If *ifp); /* models/ether/arp.h */

/* Frames of other protocols that come in by the device (RARP, later IPv6): fn takes the packet, whose head
 * stands at the network header. fn NULL: no more. */
typedef void (*Ip4TapFn)(void *user, Ip4If *ifp, Packet *pkt);
void ip4_if_set_tap(Ip4If *ifp, uint16_t ethertype, Ip4TapFn fn, void *user);

/* Multicast groups to be received; counted, so joins nest. 224.0.0.1 needs none. */
void ip4_group_join(Ip4If *ifp, uint32_t group);
bool ip4_group_leave(Ip4If *ifp, uint32_t group); /* false: was no member */

/* false: *error is a sentence (class D or E, network or broadcast address of the prefix, there already, …).
 * The first address of a device is its primary. Connected and broadcast routes come and go with the address.
 */
bool ip4_addr_add(Ip4 *ip, Ip4If *ifp, Ipv4Prefix prefix, char **error);
bool ip4_addr_remove(Ip4 *ip, Ip4If *ifp, Ipv4Prefix prefix);
unsigned ip4_addr_count(const Ip4If *ifp);
Ipv4Prefix ip4_addr(const Ip4If *ifp, unsigned i);
uint32_t ip4_primary_addr(const Ip4If *ifp);     /* 0: none */
bool ip4_is_local(const Ip4 *ip, uint32_t addr); /* one of ours, 127/8 included */

typedef enum Ip4RouteType {
    IP4_ROUTE_UNICAST,
    IP4_ROUTE_LOCAL,
    IP4_ROUTE_BROADCAST,
    IP4_ROUTE_MULTICAST,
    IP4_ROUTE_BLACKHOLE,   /* silently dropped */
    IP4_ROUTE_UNREACHABLE, /* ICMP 3/1 */
    IP4_ROUTE_PROHIBIT,    /* ICMP 3/13 */
} Ip4RouteType;

typedef struct Ip4RouteSpec { /* ip route add … */
    Ipv4Prefix prefix;
    Ip4RouteType type;
    uint32_t via; /* gateway; 0: directly connected */
    Ip4If *dev;   /* NULL: found from via */
    uint32_t src; /* preferred source; 0: the device's address in the right subnet */
    uint32_t metric;
    uint32_t mtu;                /* 0: the metrics', or the device's */
    const RouteMetrics *metrics; /* NULL: none; copied */
} Ip4RouteSpec;

bool ip4_route_add(Ip4 *ip, const Ip4RouteSpec *spec, char **error);
/* ip route replace: adds it, or takes the place of the one with the same prefix and metric. */
bool ip4_route_replace(Ip4 *ip, const Ip4RouteSpec *spec, char **error);
/* ip route change: there must be one with that prefix and metric; a gateway and a device that spec leaves out
 * stay. */
bool ip4_route_change(Ip4 *ip, const Ip4RouteSpec *spec, char **error);
bool ip4_route_remove(Ip4 *ip, const Ip4RouteSpec *spec, char **error); /* matched as `ip route del` does */
void ip4_route_foreach(const Ip4 *ip, void (*fn)(const Ip4RouteSpec *spec, void *user), void *user);
size_t ip4_route_count(const Ip4 *ip);

/* What the kernel would do with a packet to dst (ip route get): 0 or a negative errno. */
typedef struct Ip4Flow {
    Ip4RouteType type;
    Ip4If *dev;
    uint32_t next_hop; /* the address to resolve */
    uint32_t src;
    uint32_t mtu; /* path MTU if known, else the device's */
    /* The path is narrower than min_pmtu, which mtu then is: DF must not be set (Linux ip_mtu_locked). */
    bool mtu_locked;
    const RouteMetrics *metrics; /* NULL: none */
    uint32_t gen;                /* ip4_gen(): the flow is good as long as that stands still … */
    SimTime expires;             /* … and until then: what ICMP taught is forgotten; or SIM_NEVER */
} Ip4Flow;
int ip4_route_get(Ip4 *ip, uint32_t dst, uint32_t src, const Ip4If *oif, Ip4Flow *out);

/* Changes with every change of addresses, routes, devices, settings, path MTUs; never 0. */
uint32_t ip4_gen(const Ip4 *ip);

/* A transport made progress there: its neighbour entry is confirmed (Linux dst_confirm). */
void ip4_confirm_neigh(const Ip4Flow *f);

/* Path MTU as learnt from ICMP 3/4 (expires after 600 s, floor min_pmtu 552 as Linux). */
void ip4_pmtu_update(Ip4 *ip, uint32_t dst, uint32_t mtu);
/* An ICMP redirect: `from` says that packets to dst go better by gw. Followed if the rules of RFC
 * 1122 3.2.2.2 allow it: it came from the gateway in use, gw is a neighbour on the same device,
 * accept_redirects. false: not followed. */
bool ip4_redirect(Ip4 *ip, Ip4If *in, uint32_t from, uint32_t dst, uint32_t gw);

/* ---- configuration (Linux sysctl names) ---- */

typedef struct Ip4Sysctl {
    bool ip_forward;        /* net.ipv4.ip_forward */
    uint8_t ip_default_ttl; /* 64 */
    bool accept_redirects, send_redirects, bc_forwarding, rp_filter;
    bool icmp_echo_ignore_all, icmp_echo_ignore_broadcasts; /* false, true */
    uint32_t icmp_ratelimit_ms;                             /* 1000 */
    uint32_t icmp_ratemask;                                 /* 6168 */
    uint32_t icmp_msgs_per_sec, icmp_msgs_burst;            /* 1000, 50 */
    uint32_t ipfrag_high_thresh, ipfrag_low_thresh;         /* 4194304, 3145728 */
    uint32_t ipfrag_time_ms;                                /* 30000 */
    uint32_t ipfrag_max_dist;                               /* 64 */
    uint32_t netdev_max_backlog; /* net.core: 1000; kept here, obeyed by the loopback and by cards' rings */
    uint8_t ip_no_pmtu_disc;
    uint32_t min_pmtu, mtu_expires_s;     /* 552, 600 */
    uint16_t port_low, port_high;         /* ip_local_port_range: 32768, 60999 */
    uint32_t ping_gid_low, ping_gid_high; /* ping_group_range: 1, 0 (nobody) */
    bool connect_zero_is_error; /* hopscope's strict profile: 0.0.0.0 is no destination (Linux: loopback) */
    bool source_quench;         /* historic profile: send and obey ICMP 4 (RFC 6633 forbids it) */
    bool ip_id_global; /* hopscope: one counter, +1 per datagram (default); false: as Linux, per destination,
                          0 with DF */
    uint32_t ip_id_first; /* hopscope: where that counter begins (1) */
    bool drop_private;    /* hopscope: a public router: RFC 1918 addresses are not forwarded */
    bool icmp_silent;     /* hopscope: generates no ICMP errors (a router that hides) */
} Ip4Sysctl;
Ip4Sysctl *ip4_sysctl(Ip4 *ip); /* the host's own copy, to be written to now: ask again for the next change */
const Ip4Sysctl *ip4_sysctl_get(const Ip4 *ip);

/* ---- protocols ---- */

/* What a handler learns beside the packet. The packet's head stands at the transport header, l3 and l4 are
 * set; trailing padding is cut off; its first bytes are in buf (at least 8, or all). */
typedef struct Ip4Rx {
    Ip4 *ip;
    Ip4If *in; /* where it came in */
    uint32_t src, dst;
    uint8_t proto, tos, ttl;
    Ip4RouteType type;  /* LOCAL, BROADCAST, MULTICAST: how it was addressed to us */
    const uint8_t *hdr; /* the IP header (also when head has moved on) */
} Ip4Rx;

typedef struct Ip4Proto {
    /* Takes the packet. */
    void (*input)(void *user, Packet *pkt, const Ip4Rx *rx);
    /* An ICMP error about a packet that we sent: the quoted packet's addresses and its first len >= 8
     * transport bytes. err is the errno that Linux derives, hard says that it ends a connection (RFC
     * 1122 4.2.3.9). */
    void (*error)(void *user, const Ip4Error *e);
    void *user;
} Ip4Proto;

struct Ip4Error {
    uint32_t src, dst; /* of the quoted packet: src is ours */
    uint32_t reporter; /* who sent the error */
    uint32_t to;       /* which of our addresses it came to … */
    uint8_t tos, ttl;  /* … and how */
    uint32_t len;      /* of the message, IP header included */
    const Ip4If *in;
    uint8_t icmp_type, icmp_code;
    uint16_t mtu; /* with 3/4 */
    const uint8_t *l4;
    uint32_t l4_len;
    int err;
    bool hard;
};

void ip4_set_proto(Ip4 *ip, uint8_t proto, const Ip4Proto *p); /* copied */
const Ip4Proto *ip4_proto(Ip4 *ip, uint8_t proto);

/* ---- output ---- */

typedef struct Ip4Tx {
    uint32_t src; /* 0: chosen by the route */
    uint32_t dst;
    uint8_t proto, tos;
    uint8_t ttl; /* 0: the default (1 for multicast) */
    bool df;
    bool has_id;
    bool allow_broadcast;
    bool header_included; /* raw sockets: head stands at a complete IP header */
    bool by_dev_mtu;      /* what was learnt about the path's MTU does not count (PMTUDISC_PROBE) */
    uint16_t id;
    const Ip4If *oif; /* NULL: any */
    const uint8_t *options;
    uint8_t options_len;
} Ip4Tx;

/* Sends the packet whose head stands at the transport header, its checksum set up: complete; or PARTIAL, with
 * the pseudo-header's sum in the field (ip4_l4_csum); or, for UDP and TCP that leave the source address to
 * the route, PARTIAL with 0 in the field, and ip4_output adds the pseudo-header. Takes the packet, whatever
 * is returned: 0, or a negative errno as Linux gives it
 * (-ENETUNREACH, -EHOSTUNREACH, -EMSGSIZE, -EACCES, -EINVAL, -ENOBUFS). */
int ip4_output(Ip4 *ip, Packet *pkt, const Ip4Tx *tx);

/* A socket's IP_MTU_DISCOVER, IPV6_MTU_DISCOVER. */
enum {
    PMTUDISC_DONT,
    PMTUDISC_WANT,
    PMTUDISC_DO,
    PMTUDISC_PROBE,     /* the path MTU does not count, the device's does … */
    PMTUDISC_INTERFACE, /* … without DF, and what ICMP says of it is not believed … */
    PMTUDISC_OMIT,      /* … and what is longer goes out in fragments */
};
/* With that, may a datagram of so many bytes take the flow, and not be cut (*df)? 0, or -EMSGSIZE and the MTU
 * that is exceeded in *mtu. */
int ip4_choose_df(const Ip4 *ip, unsigned mode, uint32_t total, const Ip4Flow *f, bool *df, uint32_t *mtu);

/* For transports: the packet's checksum is PARTIAL at l4 + field offset, with the pseudo-header's sum filled
 * in. */
void ip4_l4_csum(Packet *pkt, uint32_t src, uint32_t dst, uint8_t proto, unsigned field_off);

/* ---- counters ---- */
uint64_t ip4_mib(const Ip4 *ip, unsigned i);
void ip4_mib_add(Ip4 *ip, unsigned i, uint64_t n);
const char *ip4_mib_name(unsigned i);

/* ---- hooks for ICMP (models/ip/icmp4.c), which ip4 calls and which calls ip4 ---- */
struct Icmp4;
struct Icmp4 *ip4_icmp(Ip4 *ip);
