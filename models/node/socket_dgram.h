/* A datagram socket from inside: socket_dgram.c (sending, receiving) and socket_dgram_opt.c (options). */
#pragma once

#include <glib.h>

#include "models/node/socket_priv.h"

#define PING_QUEUE 64

typedef struct PingWaiting {
    Packet *pkt; /* head at the ICMP header */
    uint32_t from;
    uint8_t ttl, tos;
} PingWaiting;

struct Dgram {
    SockFile *file;
    Ip4 *ip;
    UdpSock *udp; /* NULL: ICMP */
    /* ICMP */
    uint16_t id; /* 0: not bound yet */
    uint32_t local, peer;
    PingWaiting queue[PING_QUEUE];
    unsigned head, n;
    int err;
    bool recverr;
    uint8_t ttl, tos;
    /* both */
    bool recvtos, recvttl;
    uint8_t shut; /* 1 receive, 2 send */
    SimTime rcvtimeo_ns, sndtimeo_ns;
    uint64_t kept[2]; /* tcp_opts_kept */
    int priority, mark, rcvlowat;
    struct linger linger;
    /* UDP */
    Packet *peeked; /* seen by MSG_PEEK, and still the next one */
    UdpRecv peeked_info;
    bool has_cork;                           /* UDP_CORK */
    int gso_size;                            /* UDP_SEGMENT; 0: none */
    GByteArray *corked;                      /* what is held back by it, or by MSG_MORE */
    UdpAddr corked_to;                       /* port 0: the peer */
    struct TcpErrMsg *errq_head, *errq_tail; /* IP_RECVERR */
};

struct TcpErrMsg *dgram_take_errmsg(Dgram *d); /* the caller's; NULL: none */
int dgram_push_corked(Dgram *d);               /* udp_push_pending_frames */
