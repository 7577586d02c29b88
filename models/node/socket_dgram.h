/* A datagram socket from inside: socket_dgram.c (sending, receiving) and socket_dgram_opt.c (options). */
#pragma once

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
};
