#include "models/link/linkmark.h"

#include "models/wire/eth.h"
#include "models/wire/ipv4.h"
#include "models/wire/vlan.h"

/* The offset of an IPv4 header in the frame, or 0 when there is none in the header area. */
static unsigned ip_offset(const Packet *p)
{
    const uint8_t *d = packet_cdata(p);
    unsigned len = packet_header_len(p), off = ETH_TYPE_OFF;

    if (len < ETH_HDR_LEN)
        return 0;
    while ((wire_get16(d + off) == ETH_TYPE_VLAN || wire_get16(d + off) == ETH_TYPE_QINQ) &&
           len >= off + 4 + 2)
        off += 4;
    if (wire_get16(d + off) != ETH_TYPE_IPV4 || len < off + 2 + IPV4_MIN_HDR_LEN)
        return 0;
    return off + 2;
}

QueueMark linkmark_ce(Packet **p)
{
    unsigned off = ip_offset(*p);

    if (!off)
        return QUEUE_NOT_ECT;
    switch (ipv4_ecn(packet_cdata(*p) + off)) {
    case IP_ECN_NOT_ECT:
        return QUEUE_NOT_ECT;
    case IP_ECN_CE:
        return QUEUE_WAS_MARKED;
    default:
        *p = packet_own(*p);
        ipv4_set_ecn(packet_data(*p) + off, IP_ECN_CE);
        return QUEUE_MARKED;
    }
}
