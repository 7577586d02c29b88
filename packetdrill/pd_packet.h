/* Datagrams between bytes and meaning: what was captured explained, what the script injects built. All
 * layouts are models/wire's. */
#pragma once

#include <glib.h>

#include "models/wire/tcp.h"
#include "packetdrill/pd_ast.h"
#include "packetdrill/pd_stack.h"

/* Both ends of a packet. */
typedef struct PdTuple {
    PdAddr src, dst;
    uint16_t src_port, dst_port;
} PdTuple;

bool pd_addr_equal(const PdAddr *a, const PdAddr *b); /* without the prefix */
bool pd_tuple_equal(const PdTuple *a, const PdTuple *b);
PdTuple pd_tuple_reversed(const PdTuple *t);

/* A datagram explained. Numbers are those on the wire until pd_map turns them into the script's. */
typedef struct PdSeen {
    int64_t at_ns;
    uint32_t gso_size;
    PdTuple tuple;
    uint8_t tos, ttl;
    uint32_t flow_label;
    uint32_t ip_hdr_len, total_len;
    uint8_t ip_proto; /* of the upper layer */
    bool is_fragment;
    bool bad_ip_checksum;
    TcpHdr tcp; /* TCP */
    unsigned n_options, options_leftover;
    PdTcpOption options[PD_MAX_TCP_OPTIONS];
    uint8_t icmp_type, icmp_code; /* ICMP */
    uint32_t icmp_mtu;
    uint16_t icmp_id;
    bool has_quote; /* ICMP: the packet that it complains about, as far as it is quoted */
    uint8_t quote_proto;
    uint16_t quote_flags; /* of TCP */
    uint32_t quote_seq, quote_len;
    uint32_t payload_len;
    bool payload_is_zero;
    unsigned n_pieces;                        /* captured packets of which this is the union … */
    uint32_t first_piece_len, last_piece_len; /* … and the payloads of the first and the last of them */
} PdSeen;

/* false and *why: bytes that are no datagram. *why is a constant. */
bool pd_packet_explain(PdSeen *out, const PdCaptured *p, const char **why);

/* The TOS byte that the script asks for. */
uint8_t pd_packet_tos(const PdIpInfo *ip);

/* What an inbound TCP line becomes: its numbers live ones already. Payload: zeros. */
GByteArray *pd_packet_build_tcp(const PdPacket *p, const PdTuple *tuple);
GByteArray *pd_packet_build_udp(const PdPacket *p, const PdTuple *tuple);
/* An ICMP message. about: the packet that it complains about (as the stack sent it), of ip_proto; NULL for
 * messages that complain about nothing. seq: the quoted TCP sequence number. */
GByteArray *pd_packet_build_icmp(const PdPacket *p, const PdAddr *src, const PdAddr *dst,
                                 const PdTuple *about, uint8_t about_proto, uint32_t seq);
