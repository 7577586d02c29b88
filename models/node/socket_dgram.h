/* A datagram socket from inside.
 *
 *   socket_dgram.c      life, addresses, the error queue, reading
 *   socket_udp.c        UDP: sending, corks, errors
 *   socket_icmp.c       SOCK_DGRAM of ICMP (echo) and SOCK_RAW
 *   socket_dgram_opt.c  options of SOL_SOCKET and the protocols
 *   socket_dgram_ip.c   options of SOL_IP and SOL_IPV6
 *
 * An AF_INET6 socket of UDP also speaks IPv4, with addresses in their mapped form. Which family's options
 * count is then decided by what is on the wire. */
#pragma once

#include <glib.h>

#include "models/ip/raw.h"
#include "models/node/socket_priv.h"
#include "models/udp/udp6.h"

typedef struct DgramInfo { /* of what arrived */
    InetEndpoint from;
    InetAddr to;
    uint32_t len;
    uint8_t ttl, tos;
    bool is_ip6; /* on the wire */
    unsigned ifindex;
} DgramInfo;

typedef struct DgramWaiting { /* of ICMP and raw sockets */
    Packet *pkt;              /* head where reading begins */
    uint32_t truesize;
    DgramInfo info;
} DgramWaiting;

typedef struct DgramErr DgramErr; /* an entry of the error queue */

enum { /* what recvmsg hands over beside the bytes */
       DGRAM_TTL = 1 << 0,
       DGRAM_TOS = 1 << 1,
       DGRAM_PKTINFO = 1 << 2,
       DGRAM_HOPLIMIT6 = 1 << 3,
       DGRAM_TCLASS6 = 1 << 4,
       DGRAM_PKTINFO6 = 1 << 5,
};

struct Dgram {
    SockFile *file;
    Ip4 *ip;
    UdpSock *udp; /* NULL: ICMP or raw */
    uint8_t give; /* DGRAM_* */
    uint8_t shut; /* 1 receive, 2 send */
    uint8_t mcast_hops6, min_hops6;
    bool no_mcast_loop6, freebind;
    SimTime rcvtimeo_ns, sndtimeo_ns;
    uint64_t kept[3]; /* tcp_opts_kept: SOL_SOCKET, SOL_IP; and those of SOL_IPV6 */
    int priority, mark, rcvlowat;
    struct linger linger;
    DgramErr *errq_head, *errq_tail; /* IP_RECVERR, IPV6_RECVERR */
    uint32_t n_errs;
    Packet *peeked; /* seen by MSG_PEEK, and still the next one */
    DgramInfo peeked_info;
    /* UDP */
    bool has_cork;          /* UDP_CORK */
    int gso_size;           /* UDP_SEGMENT; 0: none */
    GByteArray *corked;     /* what is held back by it, or by MSG_MORE */
    InetEndpoint corked_to; /* port 0: the peer */
    /* ICMP and raw: what models/udp keeps of a UDP socket */
    UdpSockOpt own;
    Udp6SockOpt own6;
    InetAddr local, peer; /* all zero: any, none */
    int err;
    GQueue queue; /* of DgramWaiting */
    uint32_t rmem, drops;
    uint16_t id;  /* ICMP: its identifier; 0: not bound yet */
    int protocol; /* raw */
    bool hdrincl, is_bound;
    int checksum_off;   /* IPV6_CHECKSUM; -1: none */
    uint32_t filter[8]; /* ICMP_FILTER, ICMPV6_FILTER: types that do not pass */
    RawTap *tap;        /* raw; NULL: its host has lost power */
};

/* socket_dgram.c */
UdpSockOpt *dgram_opt(Dgram *d);
Udp6SockOpt *dgram_opt6(Dgram *d);
void dgram_wake_error(Dgram *d);
int dgram_error(const Dgram *d);
void dgram_set_error(Dgram *d, int err);
/* ip_icmp_error, ipv6_icmp_error: what goes into the error queue; payload_len: of the quoted packet. */
void dgram_queue_error4(Dgram *d, const Ip4Error *e, uint32_t payload_len);
void dgram_queue_error6(Dgram *d, const Ip6Error *e, uint32_t payload_len);
void dgram_queue_local_error(Dgram *d, int err, uint32_t mtu); /* ip_local_error */
void dgram_purge_errors(Dgram *d);
/* The address of a call: 0 or -errno. AF_UNSPEC is the caller's affair. */
int dgram_take_addr(const SockFile *f, const SockAddr *a, InetEndpoint *out);
/* The bytes of a call in one place; *free_me: to be freed by the caller. */
const uint8_t *dgram_bytes_of(const SockCall *c, size_t total, uint8_t **free_me);
/* What control messages of sendmsg say of TOS and TTL, for that family on the wire. 0 or -EINVAL. */
typedef struct DgramSendOpts {
    bool has_tos, has_ttl, dontfrag;
    uint8_t tos, ttl;
} DgramSendOpts;
int dgram_take_cmsgs(const SockCall *c, bool is_ip6, DgramSendOpts *out);
static inline const SockAddr *dgram_dest(const SockCall *c)
{
    return c->op == SYS_SENDTO || c->op == SYS_SENDMSG ? c->addr : NULL;
}

/* socket_udp.c */
void dgram_udp_open(Dgram *d, SockHost *sh);
int dgram_udp_send(SockCall *c, Dgram *d, size_t total);
int dgram_udp_push(Dgram *d); /* udp_push_pending_frames */

/* socket_icmp.c */
void dgram_raw_open(Dgram *d, int protocol);
void dgram_icmp_close(Dgram *d);
int dgram_icmp_bind(Dgram *d, const InetEndpoint *a);
int dgram_icmp_connect(Dgram *d, const InetEndpoint *a); /* NULL: undoes it */
int dgram_icmp_send(SockCall *c, Dgram *d, size_t total);
bool dgram_icmp_pop(Dgram *d, DgramWaiting *out);

/* socket_dgram_ip.c */
int dgram_set_ip(Dgram *d, int name, int val);
int dgram_get_ip(Dgram *d, int name, int *val);
int dgram_set_ip6(Dgram *d, int name, int val);
int dgram_get_ip6(Dgram *d, int name, int *val);
