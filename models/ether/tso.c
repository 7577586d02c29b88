#include "models/ether/tso.h"

#include <string.h>

#include "models/wire/ipv4.h"
#include "models/wire/ipv6.h"
#include "models/wire/tcp.h"
#include "sim/packet/checksum.h"

/* Lengths and identification; returns the pseudo-header's sum for l4_len bytes. */
static uint32_t finish_ip(uint8_t *ip, unsigned ip_len, uint32_t l4_len, unsigned i)
{
    if (ip[0] >> 4 == 4) {
        ipv4_set_total_len(ip, (uint16_t)(ip_len + l4_len));
        ipv4_set_id(ip, (uint16_t)(ipv4_id(ip) + i));
        ipv4_fill_checksum(ip);
        return ipv4_pseudo_sum(ipv4_src(ip), ipv4_dst(ip), IP_PROTO_TCP, l4_len);
    }
    wire_put16(ip + 4, (uint16_t)(ip_len - IPV6_HDR_LEN + l4_len));
    return ipv6_pseudo_sum(ip + IPV6_SRC_OFF, ip + IPV6_DST_OFF, IP_PROTO_TCP, l4_len);
}

static void finish_tcp(uint8_t *tcp, uint32_t off, bool first, bool last, bool is_accecn)
{
    unsigned away = 0;

    wire_put32(tcp + TCP_SEQ_OFF, tcp_seq(tcp) + off);
    if (!last)
        away |= TCP_FIN | TCP_PSH;
    if (!first && !is_accecn)
        away |= TCP_CWR;
    tcp[TCP_FLAGS_OFF + 1] &= (uint8_t)~away;
}

static Packet *cut(const Packet *pkt, uint32_t off, uint32_t len, unsigned i, bool last)
{
    unsigned hlen = packet_header_len(pkt), ip_len = pkt->l4 - pkt->head;
    Packet *f = packet_new(pkt->pool, pkt->birth_node, pkt->birth_id, pkt->head);
    uint8_t *ip = packet_put(f, hlen);
    uint32_t sum;

    memcpy(ip, packet_cdata(pkt), hlen);
    f->flags = pkt->flags & (uint8_t)~PKT_ACCECN;
    f->stamp = pkt->stamp;
    f->cb = pkt->cb;
    f->l3 = f->head;
    f->l4 = (uint16_t)(f->head + ip_len);
    finish_tcp(ip + ip_len, off, i == 0, last, pkt->flags & PKT_ACCECN);
    sum = finish_ip(ip, ip_len, hlen - ip_len + len, i);
    tcp_set_checksum(ip + ip_len, checksum_fold(sum));
    packet_set_csum_partial(f, f->l4, f->l4 + TCP_CHECKSUM_OFF);
    packet_add_payload_of(f, pkt, off, len);
    return f;
}

void tso_split(Node *node, Packet *pkt, TsoEmitFn emit, void *user)
{
    uint32_t len = pkt->payload_len, step = pkt->gso_size;

    hs_assert(step > 0 && pkt->csum == PKT_CSUM_PARTIAL && pkt->pad == 0);
    hs_assert(pkt->csum_at == pkt->l4 + TCP_CHECKSUM_OFF);
    hs_assert(pkt->tail - pkt->l4 == (int)tcp_hdr_len(pkt->buf + pkt->l4));
    for (uint32_t off = 0, i = 0; off < len || i == 0; off += step, i++) {
        uint32_t n = HS_MIN(step, len - off);
        Packet *f = cut(pkt, off, n, i, off + n == len);

        if (i > 0) {
            f->birth_node = node->id;
            f->birth_id = node->birth_next++;
        }
        emit(user, f);
    }
    packet_unref(pkt);
}
