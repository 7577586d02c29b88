/* A sink for udp_source: counts what arrives, and what does not. The first byte of datagram n is n × size mod
 * 251, which gives n mod 251 back unless 251 divides the size; gaps of up to 125 datagrams are therefore
 * seen. */
#pragma once

#include "models/udp/udp.h"

typedef struct UdpSink UdpSink;

typedef struct UdpSinkResult {
    uint64_t received, bytes;
    uint64_t lost;       /* gaps in the sequence that nothing has filled yet */
    uint64_t reordered;  /* came after a later one */
    SimTime first, last; /* when they came */
    SimTime longest_gap; /* between two arrivals */
} UdpSinkResult;

typedef void (*UdpSinkFn)(void *user, const UdpRecv *r); /* each datagram; may be NULL */

/* NULL: the port is taken. */
UdpSink *udp_sink_new(Udp *udp, uint16_t port, UdpSinkFn fn, void *user);
void udp_sink_free(UdpSink *s);
void udp_sink_result(const UdpSink *s, UdpSinkResult *out);
UdpSock *udp_sink_socket(UdpSink *s); /* for its options */
