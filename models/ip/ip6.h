/* A host's IPv6, as far as transport endpoints need it: addresses, routes, input, output, path MTU, ICMPv6
 * errors and echo. It stands on the devices of an Ip4 (which owns their input) and takes the frames with
 * EtherType 0x86dd.
 *
 *   device input → checks → extension headers skipped → protocol handler (ICMPv6, UDP, TCP)
 *   protocol → ip6_output → route, source address → device
 *
 * Rules and names follow Linux (net/ipv6/ip6_input.c, ip6_output.c, route.c, icmp.c) and RFC 8200, 4443,
 * 8201. Not there yet: neighbour discovery (only devices without link addresses carry IPv6: loopback, serial
 * lines, tunnels; elsewhere packets are dropped with DROP_NEIGH_FAILED), forwarding, reassembly, multicast.
 */
#pragma once

#include "models/ip/ip4.h"
#include "models/ip/route_metrics.h"
#include "models/wire/ipv6.h"

typedef struct Ip6 Ip6;
typedef struct Ip6Route Ip6Route;

#define IPV6_MIN_MTU 1280

/* X(name): Linux /proc/net/snmp6. */
/* clang-format off */
#define IP6_MIB(X)                                                                                          \
    X(Ip6InReceives) X(Ip6InHdrErrors) X(Ip6InTooBigErrors) X(Ip6InNoRoutes) X(Ip6InAddrErrors)             \
    X(Ip6InUnknownProtos) X(Ip6InTruncatedPkts) X(Ip6InDiscards) X(Ip6InDelivers) X(Ip6OutRequests)         \
    X(Ip6OutDiscards) X(Ip6OutNoRoutes) X(Ip6OutTransmits) X(Ip6ReasmReqds) X(Ip6ReasmFails)                \
    X(Ip6FragOKs) X(Ip6FragFails) X(Ip6FragCreates) X(Ip6InMcastPkts) X(Ip6InOctets) X(Ip6OutOctets) X(Ip6InNoECTPkts) X(Ip6InECT1Pkts)     \
    X(Ip6InECT0Pkts) X(Ip6InCEPkts) X(Icmp6InMsgs) X(Icmp6InErrors) X(Icmp6OutMsgs) X(Icmp6OutErrors)       \
    X(Icmp6InCsumErrors) X(Icmp6InDestUnreachs) X(Icmp6InPktTooBigs) X(Icmp6InTimeExcds)                    \
    X(Icmp6InParmProblems) X(Icmp6InEchos) X(Icmp6InEchoReplies) X(Icmp6OutDestUnreachs)                    \
    X(Icmp6OutParmProblems) X(Icmp6OutEchos) X(Icmp6OutEchoReplies)
/* clang-format on */

enum {
#define X(name) MIB_##name,
    IP6_MIB(X)
#undef X
        IP6_MIB_COUNT
};

/* ---- set-up ---- */

Ip6 *ip6_new(Ip4 *ip4); /* ::1/128 on lo is there from the beginning */
void ip6_free(Ip6 *ip); /* before its Ip4 */
Ip4 *ip6_ip4(const Ip6 *ip);
Node *ip6_node(const Ip6 *ip);
PacketPool *ip6_pool(const Ip6 *ip);
size_t ip6_bytes(const Ip6 *ip);
/* Power loss: counters and learnt path MTUs go; addresses and routes stay. */
void ip6_reset(Ip6 *ip);
/* Changes with every change of addresses, routes, devices, path MTUs; never 0. */
uint32_t ip6_gen(const Ip6 *ip);

/* false: *error is a sentence. The prefix's connected route comes and goes with the address; the first
 * address makes the device speak IPv6. */
bool ip6_addr_add(Ip6 *ip, Ip4If *ifp, Ipv6Prefix prefix, char **error);
bool ip6_addr_remove(Ip6 *ip, Ip4If *ifp, Ipv6Prefix prefix);
/* Before ip4_remove_dev: its addresses and routes go. */
void ip6_remove_dev(Ip6 *ip, Ip4If *ifp);
/* All addresses in order; i from 0. false: there are no more. */
bool ip6_addr_at(const Ip6 *ip, unsigned i, Ip4If **ifp, Ipv6Prefix *prefix);
bool ip6_is_local(const Ip6 *ip, const Ipv6Addr *addr);

typedef struct Ip6RouteSpec { /* ip -6 route add … */
    Ipv6Prefix prefix;
    Ip4RouteType type;           /* UNICAST, BLACKHOLE, UNREACHABLE, PROHIBIT */
    Ipv6Addr via;                /* ::: directly connected */
    Ip4If *dev;                  /* NULL: found from via */
    Ipv6Addr src;                /* preferred source; ::: chosen */
    uint32_t metric;             /* 0: 1024 as Linux (256 for connected routes) */
    const RouteMetrics *metrics; /* NULL: none; copied */
} Ip6RouteSpec;

bool ip6_route_add(Ip6 *ip, const Ip6RouteSpec *spec, char **error);
/* ip -6 route replace: adds it, or takes the place of the one with the same prefix and metric. */
bool ip6_route_replace(Ip6 *ip, const Ip6RouteSpec *spec, char **error);
/* ip -6 route change: there must be one with that prefix (and metric, if given); what spec leaves out (via,
 * dev) stays. */
bool ip6_route_change(Ip6 *ip, const Ip6RouteSpec *spec, char **error);
bool ip6_route_remove(Ip6 *ip, const Ip6RouteSpec *spec, char **error);
void ip6_route_foreach(const Ip6 *ip, void (*fn)(const Ip6RouteSpec *spec, void *user), void *user);

typedef struct Ip6Flow {
    Ip4RouteType type; /* UNICAST or LOCAL */
    Ip4If *dev;
    Ipv6Addr next_hop, src;
    uint32_t mtu;                /* path MTU if known, else the route's or the device's */
    const RouteMetrics *metrics; /* NULL: none */
    uint32_t gen;                /* ip6_gen(): the flow is good as long as that stands still … */
    SimTime expires;             /* … and until then; SIM_NEVER */
} Ip6Flow;
/* What the kernel would do (ip -6 route get): 0 or a negative errno (-ENETUNREACH, -EHOSTUNREACH, -EACCES,
 * -EINVAL). src :: or NULL: chosen by the route (RFC 6724, in short). */
int ip6_route_get(Ip6 *ip, const Ipv6Addr *dst, const Ipv6Addr *src, const Ip4If *oif, Ip6Flow *out);

/* Path MTU as learnt from "packet too big"; nothing below 1280 is believed, nor what makes a path wider, nor
 * on routes whose mtu is locked. Expires after mtu_expires. */
void ip6_pmtu_update(Ip6 *ip, const Ipv6Addr *dst, uint32_t mtu);

typedef struct Ip6Sysctl {
    uint8_t hop_limit;         /* net.ipv6.conf.all.hop_limit: 64 */
    uint32_t mtu_expires_s;    /* net.ipv6.route.mtu_expires: 600 */
    bool icmp_echo_ignore_all; /* net.ipv6.icmp.echo_ignore_all */
} Ip6Sysctl;
Ip6Sysctl *ip6_sysctl(Ip6 *ip);

/* ---- protocols ---- */

/* The packet's head stands at the transport header, l3 and l4 are set, padding is cut off; at least 8 bytes,
 * or all, are in buf. */
typedef struct Ip6Rx {
    Ip6 *ip;
    Ip4If *in;
    Ipv6Addr src, dst;
    uint8_t proto, tclass, hop_limit;
    uint32_t flow_label;
    const uint8_t *hdr; /* the IPv6 header */
} Ip6Rx;

typedef struct Ip6Error {
    Ipv6Addr src, dst; /* of the quoted packet: src is ours */
    Ipv6Addr reporter;
    Ipv6Addr to;               /* which of our addresses the message came to … */
    uint8_t tclass, hop_limit; /* … and how */
    uint32_t len;              /* of the message, IP header included */
    const Ip4If *in;
    uint8_t icmp_type, icmp_code;
    uint32_t info; /* the MTU, or the pointer */
    const uint8_t *l4;
    uint32_t l4_len; /* >= 8 */
    int err;         /* Linux icmpv6_err_convert */
    bool hard;
} Ip6Error;

typedef struct Ip6Proto {
    void (*input)(void *user, Packet *pkt, const Ip6Rx *rx); /* takes the packet */
    void (*error)(void *user, const Ip6Error *e);            /* NULL: does not want to know */
    void *user;
} Ip6Proto;

/* An error about a packet of which no socket knows: counted by the transport that looked. */
void ip6_count_unclaimed(Ip6 *ip);

void ip6_set_proto(Ip6 *ip, uint8_t proto, const Ip6Proto *p); /* copied; NULL: no more */
const Ip6Proto *ip6_proto(const Ip6 *ip, uint8_t proto);

/* ---- output ---- */

typedef struct Ip6Tx {
    Ipv6Addr src; /* ::: chosen by the route */
    Ipv6Addr dst;
    uint8_t proto, tclass;
    uint8_t hop_limit; /* 0: the route's or the default … */
    bool is_last_hop;  /* … unless this says that 0 is meant */
    uint32_t flow_label;
    const Ip4If *oif;
    bool header_included; /* raw sockets: head stands at a complete IPv6 header */
    bool by_dev_mtu;      /* what was learnt about the path's MTU does not count (PMTUDISC_PROBE) */
    uint32_t frag_mtu;    /* what is longer than the MTU goes out in fragments of so much; 0: it is refused */
} Ip6Tx;

/* As ip4_choose_df; cuttable: not IPV6_DONTFRAG; limit: IPV6_MTU, 0: none. *mtu: for tx.frag_mtu, or what is
 * exceeded. */
int ip6_choose_mtu(unsigned mode, bool cuttable, uint32_t limit, uint32_t total, const Ip6Flow *f,
                   uint32_t *mtu);

/* Sends the packet whose head stands at the transport header, checksum set up as for ip4_output: complete;
 * PARTIAL with the pseudo-header's sum in the field (ip6_l4_csum); or, for UDP and TCP, PARTIAL with 0 in it,
 * and the pseudo-header is added here. Takes the packet. 0 or a negative errno; -EMSGSIZE: larger than the
 * path's MTU, and no frag_mtu. */
int ip6_output(Ip6 *ip, Packet *pkt, const Ip6Tx *tx);
void ip6_l4_csum(Packet *pkt, const Ipv6Addr *src, const Ipv6Addr *dst, uint8_t proto, unsigned field_off);

/* Answers `pkt` (l3 at its IPv6 header; stays the caller's) with an ICMPv6 error, if RFC 4443 2.4 (e) allows
 * it. */
void ip6_send_error(Ip6 *ip, const Packet *pkt, uint8_t type, uint8_t code, uint32_t info);

/* Echo requests of our own, as icmp4_echo_open: answers go to the listener by id. id 0: a free one is chosen.
 * Returns the id, or 0 when it is taken. */
typedef void (*Ip6EchoFn)(void *user, Packet *reply,
                          const Ip6Rx *rx); /* head at the ICMPv6 header; takes the packet */
typedef void (*Ip6EchoErrorFn)(void *user, const Ip6Error *e);
uint16_t ip6_echo_open(Ip6 *ip, uint16_t id, Ip6EchoFn fn, Ip6EchoErrorFn error, void *user);
void ip6_echo_close(Ip6 *ip, uint16_t id);
/* Sends an ICMPv6 message made by the caller, head at its header; fills in the checksum. Takes it; errors as
 * ip6_output. */
int ip6_send_query(Ip6 *ip, Packet *pkt, const Ip6Tx *tx);

/* ---- counters ---- */
uint64_t ip6_mib(const Ip6 *ip, unsigned i);
void ip6_mib_add(Ip6 *ip, unsigned i, uint64_t n);
const char *ip6_mib_name(unsigned i);
