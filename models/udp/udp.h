/* UDP over IPv4: sockets with Linux's rules (RFC 768, 1122 4.1; Linux net/ipv4/udp.c). Everything is
 * non-blocking here: the socket layer (models/node/socket.h) and the applications add waiting. */
#pragma once

#include "models/ip/ip4.h"
#include "models/wire/udp.h"

typedef struct Udp Udp; /* one per host */
typedef struct UdpSock UdpSock;

/* clang-format off */
#define UDP_MIB(X)                                                                                          \
    X(UdpInDatagrams) X(UdpNoPorts) X(UdpInErrors) X(UdpOutDatagrams) X(UdpRcvbufErrors)                    \
    X(UdpSndbufErrors) X(UdpInCsumErrors) X(UdpIgnoredMulti) X(Udp6InDatagrams) X(Udp6NoPorts)              \
    X(Udp6InErrors) X(Udp6OutDatagrams) X(Udp6RcvbufErrors) X(Udp6SndbufErrors) X(Udp6InCsumErrors)
/* clang-format on */

enum {
#define X(name) MIB_##name,
    UDP_MIB(X)
#undef X
        UDP_MIB_COUNT
};

Udp *udp_new(Ip4 *ip); /* registers itself as protocol 17 */
void udp_free(Udp *u); /* before its Ip4; closes what is open: nobody may use those sockets any more */
uint64_t udp_mib(const Udp *u, unsigned i);
const char *udp_mib_name(unsigned i);

typedef struct UdpAddr {
    uint32_t ip; /* host order; 0: any */
    uint16_t port;
} UdpAddr;

/* Every socket of the host, in order of creation. */
void udp_foreach(const Udp *u, void (*fn)(void *user, const UdpSock *s), void *user);

/* All calls return 0 (or a count) or a negative errno. */
UdpSock *udpsock_new(Udp *u);
void udpsock_close(UdpSock *s);
int udpsock_bind(UdpSock *s, UdpAddr a); /* port 0: an ephemeral one. -EADDRINUSE, -EADDRNOTAVAIL, -EACCES */
int udpsock_connect(UdpSock *s, UdpAddr a); /* ip 0 and port 0: disconnect (AF_UNSPEC) */
/* IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP: the host receives the group on that device (NULL: the one that the
 * route to the group names) until the socket leaves or is closed. As Linux's default IP_MULTICAST_ALL has it,
 * the membership is the host's: any socket bound to the port gets the datagrams. -EINVAL (no group), -ENODEV,
 * -EADDRINUSE (member already), -EADDRNOTAVAIL (no member). */
int udpsock_join(UdpSock *s, uint32_t group, Ip4If *ifp);
int udpsock_leave(UdpSock *s, uint32_t group, Ip4If *ifp);
UdpAddr udpsock_local(const UdpSock *s);
UdpAddr udpsock_peer(const UdpSock *s);

/* The payload: what a packet carries (from its head on, by reference; it stays the caller's, and len is its
 * length), or bytes, or a range of the synthetic stream when both are NULL. to NULL: the connected peer. */
typedef struct UdpSend {
    const UdpAddr *to;
    const Packet *packet;
    const void *bytes;
    uint64_t synthetic_off;
    uint32_t len;
    uint8_t tos; /* used when has_tos */
    uint8_t ttl; /* used when not 0 */
    bool has_tos;
    bool has_ttl;  /* over IPv6: ttl counts though it is 0 */
    bool dontfrag; /* IPV6_DONTFRAG, for this one */
    bool is_whole; /* -EMSGSIZE rather than fragments (UDP_SEGMENT) */
} UdpSend;
int udpsock_send(
    UdpSock *s,
    const UdpSend *m); /* -EMSGSIZE, -EDESTADDRREQ, -ECONNREFUSED (pending), -EACCES (broadcast), … */

typedef struct UdpRecv {
    UdpAddr from, to;
    uint32_t len;    /* of the datagram */
    uint32_t copied; /* into the buffer; the rest is gone */
    uint8_t tos, ttl;
    unsigned ifindex; /* of the device where it arrived */
    SimTime time;     /* of arrival */
} UdpRecv;
/* The next datagram: -EAGAIN when there is none, or the pending error. */
int udpsock_recv(UdpSock *s, void *buf, uint32_t size, UdpRecv *info);
/* The same without copying: the caller gets the packet (head at the payload) and releases it. */
int udpsock_recv_packet(UdpSock *s, Packet **pkt, UdpRecv *info);
bool udpsock_readable(const UdpSock *s);
uint32_t udpsock_first_len(const UdpSock *s); /* of the datagram that is next; 0: none (FIONREAD) */
int udpsock_take_error(UdpSock *s);           /* SO_ERROR */
int udpsock_error(const UdpSock *s);          /* the same, which stays */
void udpsock_set_error(UdpSock *s, int err);
bool udpsock_waiting(const UdpSock *s); /* a datagram, errors apart */
int udpsock_autobind(UdpSock *s);       /* a port, if it has none yet */

/* With -EMSGSIZE: the MTU for which it was too long (what IP_RECVERR tells of a local error); 0: no datagram
 * is so long. */
uint32_t udpsock_refused_mtu(const UdpSock *s);

typedef struct UdpSockOpt {
    uint32_t
        rcvbuf; /* bytes of truesize as Linux counts it (SO_RCVBUF doubled); default rmem_default 212992 */
    uint32_t sndbuf;
    bool broadcast, reuseaddr, reuseport,
        no_check; /* SO_BROADCAST, SO_REUSEADDR, SO_REUSEPORT, SO_NO_CHECK */
    bool recverr; /* IP_RECVERR */
    uint8_t tos, ttl;
    uint8_t mtu_discover;   /* PMTUDISC_*; PMTUDISC_WANT by default */
    const Ip4If *bound_dev; /* SO_BINDTODEVICE */
} UdpSockOpt;
UdpSockOpt *udpsock_opt(UdpSock *s);

/* Something to read, an error, or room to write again. Called from events; may call anything but
 * udpsock_close of another socket. */
typedef void (*UdpWakeFn)(void *user, UdpSock *s);
void udpsock_on_wake(UdpSock *s, UdpWakeFn fn, void *user);

/* Every ICMP error about a datagram of this socket, also those that fail nothing (what Linux's IP_RECVERR
 * queue would tell, and source quench). With such a function, on_wake is not called for errors; the errno is
 * set before. */
typedef void (*UdpIcmpFn)(void *user, UdpSock *s, const Ip4Error *e);
void udpsock_on_icmp(UdpSock *s, UdpIcmpFn fn, void *user);

/* What a waiting IPv4 datagram with so many bytes of payload costs the receive buffer: the packet as a
 * network card's driver leaves it (64 bytes of room, Ethernet, IP and UDP headers), the 320 bytes that follow
 * it (skb_shared_info), rounded up to a size of kmalloc, at least a small head's 576 (Linux 6.3), and 256 for
 * the sk_buff itself. 1 byte: 832; 1472 bytes: 2304. */
uint32_t udp_truesize(uint32_t payload_len);
/* The rcvbuf that holds k such datagrams and no more. (Since 6.17 Linux accepts what still fits into the
 * buffer, and anything into an empty one.) */
uint32_t udp_rcvbuf_for(uint32_t k, uint32_t payload_len);

uint64_t udpsock_drops(const UdpSock *s); /* datagrams lost to a full receive buffer */
uint32_t udpsock_rmem(const UdpSock *s);  /* bytes of truesize waiting */
