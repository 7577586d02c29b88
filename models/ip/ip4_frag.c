/* Fragmentation: ip_do_fragment (Linux net/ipv4/ip_output.c; RFC 791 2.3 and 3.2, its "Example Fragmentation
 * Procedure"). Every fragment is a packet of its own that refers to the same payload. */
#include <string.h>

#include "models/ip/ip4_priv.h"

/* Bytes [off, off + n) of the datagram's data to the end of f: what stands in the header area is copied, the
 * payload is referenced. */
static void append_data(Packet *f, const Packet *pkt, unsigned hlen, uint32_t off, uint32_t n)
{
    uint32_t in_buf = packet_header_len(pkt) - hlen;

    if (off < in_buf) {
        uint32_t k = HS_MIN(n, in_buf - off);

        memcpy(packet_put(f, k), packet_cdata(pkt) + hlen + off, k);
        off += k, n -= k;
    }
    packet_add_payload_of(f, pkt, off - in_buf, n);
}

int ip4_fragment(Ip4 *ip, Packet *pkt, const Ip4Dst *d)
{
    const Ip4Dst to = *d; /* sending may change the cache */
    unsigned hlen, opts_len, headroom;
    uint8_t opts[IPV4_MAX_OPTIONS_LEN];
    uint32_t step, left, off = 0;
    uint16_t frag;
    const uint8_t *h;

    pkt = packet_own(pkt);
    packet_fill_csum(pkt);
    h = packet_cdata(pkt);
    hlen = ipv4_hdr_len(h);
    frag = ipv4_frag(h);
    if ((frag & IPV4_FLAG_DF) || d->mtu < hlen + 8) {
        ip4_count(ip, MIB_IpFragFails);
        icmp4_send_error(ip, pkt, ICMP_DEST_UNREACH, ICMP_UNREACH_NEEDFRAG, d->mtu);
        ip4_drop(to.out, pkt, DROP_DF);
        return -EMSGSIZE;
    }
    if (to.neigh)
        neigh_ref(to.neigh);
    opts_len = ip4_options_copied(opts, h + IPV4_MIN_HDR_LEN, hlen - IPV4_MIN_HDR_LEN);
    headroom = PKT_HEADROOM + packet_header_len(pkt) <= PKT_BUF ? PKT_HEADROOM : pkt->head;
    step = (to.mtu - hlen) & ~7u;
    left = packet_len(pkt) - hlen;
    while (left) {
        uint32_t n = left > to.mtu - hlen ? step : left;
        unsigned fhlen = off == 0 ? hlen : IPV4_MIN_HDR_LEN + opts_len;
        Packet *f = packet_new(pkt->pool, pkt->birth_node, pkt->birth_id, headroom);
        uint8_t *fh = packet_put(f, fhlen);

        memcpy(fh, h, off == 0 ? hlen : IPV4_MIN_HDR_LEN);
        if (off)
            memcpy(fh + IPV4_MIN_HDR_LEN, opts, opts_len);
        left -= n;
        fh[0] = (uint8_t)(0x40 | fhlen / 4);
        ipv4_set_total_len(fh, (uint16_t)(fhlen + n));
        ipv4_set_frag(fh, (uint16_t)((frag & ~IPV4_FLAG_MF) + off / 8) |
                              (left || (frag & IPV4_FLAG_MF) ? IPV4_FLAG_MF : 0));
        ipv4_fill_checksum(fh);
        f->flags = pkt->flags;
        f->l3 = f->head;
        f->l4 = (uint16_t)(f->head + fhlen);
        append_data(f, pkt, hlen, off, n);
        off += n;
        ip4_count(ip, MIB_IpFragCreates);
        ip4_probe(to.out, &ip4_probe_fragment, f);
        ip4_transmit_fragment(ip, f, &to);
    }
    ip4_count(ip, MIB_IpFragOKs);
    neigh_unref(to.neigh);
    packet_unref(pkt);
    return 0;
}
