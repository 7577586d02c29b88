/* What the rooms of IPv6 share. Only models/ip/ip6*.c include it.
 *
 *   ip6.c          the instance: addresses, settings, protocols, counters
 *   ip6_route.c    the table, the choice of route and source, path MTUs
 *   ip6_input.c    from the device to the protocol
 *   ip6_output.c   from the protocol to the device
 *   ip6_frag.c     what is too long for the path, in pieces
 *   ip6_icmp.c     ICMPv6
 *   ip6_echo.c     our own echo requests
 *   raw.c          what raw sockets see, of both versions */
#pragma once

#include <errno.h>
#include <glib.h>

#include "models/ip/raw.h"
#include "models/wire/eth.h"
#include "models/wire/icmp6.h"
#include "sim/base/rng.h"

#define IP6_METRIC_DEFAULT 1024  /* IP6_RT_PRIO_USER */
#define IP6_METRIC_CONNECTED 256 /* IP6_RT_PRIO_ADDRCONF */

struct Ip6Route {
    Ip6Route *next; /* longest prefix first; of one prefix, ours first, then by metric */
    Ipv6Prefix prefix;
    Ipv6Addr via, src;
    Ip4If *dev; /* NULL: blackhole and its kin */
    uint32_t metric;
    uint8_t type;   /* Ip4RouteType */
    bool is_kernel; /* came with an address and goes with it */
    RouteMetrics *metrics;
};

typedef struct Ip6Addr Ip6Addr;
struct Ip6Addr {
    Ip6Addr *next;
    Ip4If *ifp;
    Ipv6Prefix prefix;
};

typedef struct Ip6ProtoEntry {
    uint8_t proto;
    Ip6Proto p;
} Ip6ProtoEntry;

typedef struct Ip6Listener {
    uint16_t id;
    Ip6EchoFn fn;
    Ip6EchoErrorFn error;
    void *user;
} Ip6Listener;

struct Ip6 {
    Ip4 *ip4;
    Ip4If *lo;
    Ip6Addr *addrs; /* in order of creation, ::1 first */
    Ip6Route *routes;
    GHashTable *pmtu; /* by destination; only looked up, never walked. NULL: nothing learnt */
    uint64_t *mib;    /* NULL: nothing counted yet */
    Ip6ProtoEntry *protos;
    unsigned n_protos;
    uint32_t gen;
    RawTap *raw;       /* NULL: no raw sockets */
    GArray *listeners; /* of Ip6Listener, by id; NULL until there is one */
    uint16_t echo_id_next;
    Ip6Sysctl sysctl;
    Rng *frag_ids; /* NULL: nothing was cut yet */
    struct {       /* the last answer of ip6_route_get, for ip6_output */
        Ipv6Addr dst, src;
        const Ip4If *oif;
        Ip6Flow flow;
        bool is_valid;
    } last;
};

static inline void ip6_count(Ip6 *ip, unsigned i)
{
    ip6_mib_add(ip, i, 1);
}

static inline bool ip6_addr_is_any(const Ipv6Addr *a)
{
    static const Ipv6Addr any;

    return ipv6_addr_equal(a, &any);
}

static inline bool ip6_addr_is_loopback(const Ipv6Addr *a)
{
    static const Ipv6Addr loopback = {{[15] = 1}};

    return ipv6_addr_equal(a, &loopback);
}

/* Everything that was resolved is void. */
void ip6_changed(Ip6 *ip);
void ip6_drop(Ip6 *ip, const Ip4If *ifp, Packet *pkt, ProbeDrop reason);

/* ip6_route.c */
void ip6_route_insert(Ip6 *ip, Ip6Route *r); /* takes it */
void ip6_route_addr_removed(Ip6 *ip, const Ip6Addr *a);
void ip6_route_dev_removed(Ip6 *ip, const Ip4If *ifp);
void ip6_route_clear(Ip6 *ip);

/* ip6_input.c */
void ip6_input(void *user, Ip4If *ifp, Packet *pkt);

/* ip6_output.c, ip6_frag.c */
void ip6_transmit(Ip6 *ip, Packet *pkt, const Ip4If *out); /* a complete packet; takes it */
/* Takes the packet (l3 at its header). 0 or -EMSGSIZE. */
int ip6_fragment(Ip6 *ip, Packet *pkt, const Ip4If *out, uint32_t mtu);

/* ip6_echo.c */
const Ip6Listener *ip6_echo_listener(const Ip6 *ip, uint16_t id);

/* raw.c. show: true: somebody wanted it. */
bool ip6_raw_show(const Ip6 *ip, const Packet *pkt, const Ip6Rx *rx);
void ip6_raw_error(const Ip6 *ip, uint8_t proto, const Ip6Error *e);

/* ip6_icmp.c */
void ip6_icmp_init(Ip6 *ip);
