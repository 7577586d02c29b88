#include "models/queue/mark.h"

#include "models/wire/eth.h"
#include "models/wire/ipv4.h"
#include "models/wire/vlan.h"

/* The IP header of an Ethernet or bare IP frame, or 0 when there is none in the header area. PPP carries its
 * protocol in front. */
static unsigned ip_offset(const Packet *p)
{
    const uint8_t *d = packet_cdata(p);
    unsigned len = packet_header_len(p), off = ETH_TYPE_OFF;

    if (len < ETH_HDR_LEN)
        return 0;
    while (wire_get16(d + off) == ETH_TYPE_VLAN && len >= off + 4 + 2)
        off += 4;
    if (wire_get16(d + off) != ETH_TYPE_IPV4 || len < off + 2 + IPV4_MIN_HDR_LEN)
        return 0;
    return off + 2;
}

bool queue_can_mark(const Packet *p)
{
    unsigned off = ip_offset(p);

    return off && ipv4_ecn(packet_cdata(p) + off) != IP_ECN_NOT_ECT;
}

Packet *queue_mark_ce(Queue *q, Packet *p)
{
    unsigned off = ip_offset(p);

    if (!off || ipv4_ecn(packet_cdata(p) + off) == IP_ECN_NOT_ECT ||
        ipv4_ecn(packet_cdata(p) + off) == IP_ECN_CE)
        return p;
    p = packet_own(p);
    ipv4_set_ecn(packet_data(p) + off, IP_ECN_CE);
    q->stats.marked_packets++;
    return p;
}
