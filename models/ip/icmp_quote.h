/* What an ICMP error of either family says of the packet that it is about. */
#pragma once

#include "sim/packet/packet.h"

/* Appends the packet from its IP header on, at most n bytes, with true checksums and by reference to its
 * payload. */
void icmp_quote(Packet *out, const Packet *pkt, uint32_t n);
