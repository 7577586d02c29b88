/* Shared by the files of UDP: the host's table and the socket. The files:
 *   udp.c        life, counters, arriving datagrams and errors
 *   udp_table.c  which socket has which port: look-up by score, conflicts, ephemeral ports
 *   udp_sock.c   a socket: bind, connect, send, receive, its queue
 *   udp6.c       the same over IPv6 */
#pragma once

#include <glib.h>

#include "models/udp/udp.h"
#include "models/udp/udp6.h"
#include "sim/base/rng.h"

typedef struct UdpWaiting {
    Packet *pkt; /* head at the UDP header; perhaps in several sockets' queues: read only */
    SimTime time;
    uint32_t len, truesize; /* of the payload */
    unsigned ifindex;
} UdpWaiting;

typedef struct UdpMembership {
    struct UdpMembership *next;
    unsigned ifindex; /* the device may be gone before the socket */
    uint32_t group;
} UdpMembership;

typedef struct UdpSock6 {         /* what an AF_INET6 socket has beside */
    Ipv6Addr local, source, peer; /* as local_ip, source_ip, peer_ip */
    Udp6SockOpt opt;
    bool is_mapped; /* bound or connected to an IPv4-mapped address: the socket's IPv4 fields say which */
} UdpSock6;

struct UdpSock {
    UdpSock *next; /* in its bucket of the table */
    Udp *udp;
    uint32_t local_ip;  /* what datagrams must be addressed to; 0: any */
    uint32_t source_ip; /* what ours come from; 0: the route decides (also when bound to a group) */
    uint32_t peer_ip;
    uint16_t local_port, peer_port; /* local 0: not in the table */
    bool is_connected, has_bound_ip, has_bound_port;
    int err; /* pending, positive */
    UdpSockOpt opt;
    UdpWaiting *ring;
    uint32_t ring_head, ring_len, ring_cap; /* cap: a power of two, or 0 */
    uint32_t rmem;
    uint32_t refused_mtu;
    uint64_t drops;
    UdpMembership *groups;
    UdpSock6 *v6; /* NULL: an AF_INET socket */
    UdpWakeFn wake;
    void *wake_user;
    UdpIcmpFn icmp;
    Udp6IcmpFn icmp6;
    void *icmp_user, *icmp6_user;
    UdpSock *all_next, *all_prev; /* every socket of the host */
};

struct Udp {
    Ip4 *ip;
    Ip6 *ip6; /* NULL: none */
    Node *node;
    UdpSock **bucket; /* by local port */
    uint32_t n_buckets, n_bound;
    Rng *ports;
    UdpSock *all;
    uint64_t mib[UDP_MIB_COUNT];
};

extern const ProbeDesc udp_probe_send, udp_probe_deliver, udp_probe_drop;

/* udp_table.c */

typedef struct UdpKey { /* of an arriving datagram; for an error, of the answer that will not come */
    uint32_t local_ip, remote_ip;
    uint16_t local_port, remote_port;
    const Ip4If *dev;                 /* NULL: any */
    const Ipv6Addr *local6, *remote6; /* NULL: an IPv4 datagram; else local_ip and remote_ip are hashes */
} UdpKey;

void udptable_insert(Udp *u, UdpSock *s);
void udptable_remove(Udp *u, UdpSock *s);
void udptable_clear(Udp *u);
UdpSock *udptable_lookup(const Udp *u, const UdpKey *k);
/* The next socket after `after` (NULL: from the start) that a datagram to a group reaches. */
UdpSock *udptable_next_in_group(const Udp *u, const UdpKey *k, UdpSock *after);
bool udptable_conflicts(const Udp *u, const UdpSock *s, uint32_t ip, uint16_t port);
/* A free port of ip_local_port_range, or 0. */
uint16_t udptable_ephemeral(Udp *u, const UdpSock *s, uint32_t ip);

/* udp_sock.c */

/* Takes the packet if there is room: false if not. */
bool udpsock_enqueue(UdpSock *s, Packet *pkt, uint32_t len, const Ip4If *in);

/* A datagram with its UDP header, checksum 0. */
Packet *udpsock_build(UdpSock *s, const UdpSend *m, uint16_t to_port);

static inline void udpsock_wake(UdpSock *s)
{
    if (s->wake)
        s->wake(s->wake_user, s);
}
