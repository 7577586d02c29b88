/* Cutting a TCP super packet into frames, as a card with segmentation offload does (Linux tcp_gso_segment,
 * inet_gso_segment, ipv6_gso_segment). The wire sees exactly what a TCP that sends segment by segment would
 * have sent: headers copied, sequence numbers and IP identifications counted up, lengths of each its own, FIN
 * and PSH on the last, CWR on the first (on all, where it counts for accurate ECN: PKT_ACCECN), checksums
 * still to be computed.
 *
 * The loopback carries super packets whole. */
#pragma once

#include "sim/engine/node.h"
#include "sim/packet/packet.h"

/* From head on, without padding: the packet, or the longest frame that it will be cut into. */
static inline uint32_t tso_frame_len(const Packet *pkt)
{
    return HS_LIKELY(pkt->gso_size == 0) ? packet_len(pkt) : packet_header_len(pkt) + pkt->gso_size;
}

typedef void (*TsoEmitFn)(void *user, Packet *frame);

/* Takes pkt: head at its IP header, l4 set, all headers and nothing else in buf, TCP checksum PARTIAL,
 * gso_size > 0. emit takes the frames; the first inherits the packet's birth, the others are born here. */
void tso_split(Node *node, Packet *pkt, TsoEmitFn emit, void *user);
