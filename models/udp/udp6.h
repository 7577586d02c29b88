/* UDP over IPv6 (RFC 8200 8.1; Linux net/ipv6/udp.c, datagram.c): AF_INET6 sockets. They are UdpSocks with
 * IPv6 addresses beside, so closing, options, the receive queue and waking are udpsock_*. Unless is_v6only,
 * such a socket also talks IPv4, with addresses in their mapped form ::ffff:a.b.c.d; then the IPv4 options
 * count (UdpSockOpt), and over IPv6 those here. */
#pragma once

#include "models/ip/ip6.h"
#include "models/udp/udp.h"

typedef struct UdpAddr6 {
    Ipv6Addr ip; /* ::: any */
    uint16_t port;
} UdpAddr6;

typedef struct Udp6SockOpt {
    bool is_v6only;                /* IPV6_V6ONLY */
    bool recverr;                  /* IPV6_RECVERR */
    bool dontfrag;                 /* IPV6_DONTFRAG */
    bool no_check_tx, no_check_rx; /* UDP_NO_CHECK6_TX, _RX (RFC 6936) */
    bool no_flow_label;            /* IPV6_AUTOFLOWLABEL 0 */
    uint8_t tclass;
    int16_t hop_limit;    /* -1: the default */
    uint8_t mtu_discover; /* IPV6_MTU_DISCOVER: PMTUDISC_* */
    uint32_t frag_mtu;    /* IPV6_MTU: fragments are no longer than that; 0: the path's MTU decides */
} Udp6SockOpt;

/* Registers with it as protocol 17; NULL: no more, and IPv6 sockets reach IPv4 only. */
void udp_set_ip6(Udp *u, Ip6 *ip6);

UdpSock *udp6sock_new(Udp *u);
Udp6SockOpt *udp6sock_opt(UdpSock *s);
/* As udpsock_*; 0 or a negative errno. */
int udp6sock_bind(UdpSock *s, const UdpAddr6 *a);
int udp6sock_connect(UdpSock *s, const UdpAddr6 *a); /* :: is ::1, as in Linux; udpsock_connect undoes it */
int udp6sock_send(UdpSock *s, const UdpSend *m,
                  const UdpAddr6 *to); /* m->to is not used; to NULL: the peer */
UdpAddr6 udp6sock_local(const UdpSock *s);
UdpAddr6 udp6sock_peer(const UdpSock *s);
/* The path's MTU to the connected peer (IPV6_MTU), or -ENOTCONN. */
int udp6sock_mtu(const UdpSock *s);
/* As udpsock_on_icmp, for ICMPv6. (ICMP about its IPv4 datagrams is told by the other one.) */
typedef void (*Udp6IcmpFn)(void *user, UdpSock *s, const Ip6Error *e);
void udp6sock_on_icmp(UdpSock *s, Udp6IcmpFn fn, void *user);
/* Whence and whereto the next datagram is, before udpsock_recv takes it. false: there is none. */
bool udp6sock_next(const UdpSock *s, UdpAddr6 *from, UdpAddr6 *to);
