/* An arriving segment, parsed once (Linux: sk_buff, tcp_skb_cb and the options of this segment). Lives on the
 * stack of the input path; whoever keeps the payload takes the packet with tcpin_take. */
#pragma once

#include "models/ip/inet.h"
#include "models/tcp/tcp_types.h"
#include "models/wire/tcp.h"
#include "sim/packet/packet.h"

struct TcpIn {
    Packet *pkt; /* head at the payload, nothing else in buf after it; NULL once taken. Read only if shared */
    SimTime now;
    uint32_t seq, end_seq; /* SYN and FIN count */
    uint32_t ack;
    uint32_t len;    /* payload */
    uint16_t flags;  /* TCP_SYN … TCP_AE */
    uint16_t window; /* as on the wire */
    uint16_t urgent;
    uint16_t src_port, dst_port;
    uint16_t gso_size, gso_segs; /* as GRO would hand it up; gso_segs is at least 1 */
    uint8_t hdr_len;
    uint8_t tos; /* of the IP header; ECN in the low bits */
    uint8_t ttl;
    bool is_v6;    /* on the wire */
    bool has_opts; /* opt is decoded */
    bool saw_ts;   /* the segment carries timestamps (and the connection uses them) */
    bool is_dup_ts;
    uint32_t tsval, tsecr;
    const uint8_t *raw; /* the TCP header's first byte */
    InetAddr src, dst;  /* src: the peer */
    void *dev;          /* Ip4If or Ip6If it came in by */
    uint32_t ifindex;
    uint8_t rx_type; /* unicast, broadcast, multicast (Ip4RouteType) */
    uint32_t flow_label;
    uint32_t tw_isn; /* a SYN that takes over a TIME_WAIT: our sequence number (tcp_tw.c); 0: none */
    TcpOptions opt;
};

/* Decodes the options if that has not happened (Linux tcp_parse_options). */
void tcpin_options(TcpIn *in);
/* The packet becomes the caller's. */
static inline Packet *tcpin_take(TcpIn *in)
{
    Packet *p = in->pkt;

    in->pkt = NULL;
    return p;
}
