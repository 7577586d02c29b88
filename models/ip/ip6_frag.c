/* Cutting up a datagram at its source (RFC 8200 4.5; Linux ip6_fragment): every fragment is a packet of its
 * own that refers to the same payload. Nobody else cuts up IPv6 packets; putting them together again is not
 * there. */
#include <string.h>

#include "models/ip/ip6_priv.h"

/* Bytes [off, off + n) behind the IPv6 header to the end of f: what stands in the header area is copied, the
 * payload is referenced. */
static void append_data(Packet *f, const Packet *pkt, uint32_t off, uint32_t n)
{
    uint32_t in_buf = packet_header_len(pkt) - IPV6_HDR_LEN;

    if (off < in_buf) {
        uint32_t k = HS_MIN(n, in_buf - off);

        if (k <= (uint32_t)(PKT_BUF - f->tail))
            memcpy(packet_put(f, k), packet_cdata(pkt) + IPV6_HDR_LEN + off, k);
        else
            packet_add_bytes(f, packet_cdata(pkt) + IPV6_HDR_LEN + off, k);
        off += k, n -= k;
    }
    packet_add_payload_of(f, pkt, off - in_buf, n);
}

/* ipv6_select_ident: any number but 0. */
static uint32_t take_id(Ip6 *ip)
{
    uint32_t id;

    if (!ip->frag_ids)
        ip->frag_ids = node_rng(ip6_node(ip), "ip6-frag-ids");
    do
        id = (uint32_t)rng_next(ip->frag_ids);
    while (!id);
    return id;
}

int ip6_fragment(Ip6 *ip, Packet *pkt, const Ip4If *out, uint32_t mtu)
{
    uint32_t room = mtu - IPV6_HDR_LEN - IPV6_FRAG_HDR_LEN, left, off = 0, id = take_id(ip);
    uint8_t next;

    if (mtu < IPV6_MIN_MTU) { /* less than any link may have: the sender was wrong */
        ip6_count(ip, MIB_Ip6FragFails);
        ip6_drop(ip, out, pkt, DROP_MTU);
        return -EMSGSIZE;
    }
    pkt = packet_own(pkt);
    packet_fill_csum(pkt);
    next = ipv6_next_header(packet_cdata(pkt));
    left = packet_len(pkt) - IPV6_HDR_LEN;
    while (left) {
        uint32_t n = left > room ? room & ~7u : left;
        Packet *f = packet_new(pkt->pool, pkt->birth_node, pkt->birth_id, PKT_HEADROOM);
        uint8_t *h = packet_put(f, IPV6_HDR_LEN + IPV6_FRAG_HDR_LEN);

        left -= n;
        memcpy(h, packet_cdata(pkt), IPV6_HDR_LEN);
        ipv6_set_payload_len(h, (uint16_t)(IPV6_FRAG_HDR_LEN + n));
        ipv6_set_next_header(h, IPV6_EXT_FRAGMENT);
        ipv6_put_fragment(h + IPV6_HDR_LEN, next, (uint16_t)off, left, id);
        f->flags = pkt->flags;
        f->l3 = f->head;
        f->l4 = (uint16_t)(f->head + IPV6_HDR_LEN + IPV6_FRAG_HDR_LEN);
        append_data(f, pkt, off, n);
        off += n;
        ip6_count(ip, MIB_Ip6FragCreates);
        ip6_transmit(ip, f, out);
    }
    ip6_count(ip, MIB_Ip6FragOKs);
    packet_unref(pkt);
    return 0;
}
