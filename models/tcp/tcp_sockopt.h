/* Options that few sockets use, on the side (TcpConn.opts), and the numbers of Linux's ABI. */
#pragma once

#include "models/tcp/tcp_conn.h"

struct TcpOpts {
    uint64_t rcvtimeo_ns, sndtimeo_ns; /* 0: none; obeyed by the socket layer */
    uint32_t mark, priority, min_ttl, notsent_lowat, tx_delay_us, tcp_timestamp;
    uint8_t ttl, mtu_discover, save_syn, unicast_hops;
    bool inq, recvtos, recvttl, tos_is_set, ip_recverr, ipv6_recverr, is_repair;
    char bound_dev[16];
    uint32_t bound_ifindex;
    struct TcpErrQueue *errq; /* IP_RECVERR, timestamps */
    Packet *saved_syn;
};
TcpOpts *tcp_opts(TcpConn *c); /* made when first needed */
