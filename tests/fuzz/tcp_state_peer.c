/* The peer of a fuzzed TCP host; see tcp_state_peer.h. */
#include "tests/fuzz/tcp_state_peer.h"

#include <string.h>

#include "models/wire/icmp.h"
#include "models/wire/icmp6.h"
#include "models/wire/ipv4.h"
#include "models/wire/ipv6.h"
#include "sim/packet/checksum.h"

static void learn_segment(Fuzz *f, const uint8_t *h, uint32_t len)
{
    uint32_t data = len - tcp_hdr_len(h);
    TcpOptions o;

    if (tcp_flags(h) & TCP_SYN)
        f->local_port = tcp_src_port(h);
    if (!(tcp_flags(h) & TCP_RST))
        f->their_nxt = tcp_seq(h) + data + !!(tcp_flags(h) & TCP_SYN) + !!(tcp_flags(h) & TCP_FIN);
    tcp_options_decode(&o, h + TCP_MIN_HDR_LEN, tcp_hdr_len(h) - TCP_MIN_HDR_LEN);
    if (o.has_timestamps)
        f->ts_ecr = o.ts_val;
}

void fuzz_learn(Fuzz *f)
{
    PdCaptured c;

    while (f->stack->ops->take_packet(f->stack, f->stack->ops->now(f->stack), &c)) {
        if (c.len >= 60 && c.bytes[0] >> 4 == 6 && c.bytes[6] == IP_PROTO_TCP) {
            learn_segment(f, c.bytes + IPV6_HDR_LEN, (uint32_t)c.len - IPV6_HDR_LEN);
        } else if (c.len >= 40 && c.bytes[0] >> 4 == 4 && ipv4_proto(c.bytes) == IP_PROTO_TCP) {
            uint32_t hlen = (c.bytes[0] & 15u) * 4;

            learn_segment(f, c.bytes + hlen, (uint32_t)c.len - hlen);
        }
        g_free(c.bytes);
    }
}

static void inject_ip(Fuzz *f, uint8_t proto, const uint8_t *l4, size_t len, uint8_t tos, uint32_t gso)
{
    size_t hlen = f->is_v6 ? IPV6_HDR_LEN : IPV4_MIN_HDR_LEN;
    uint8_t *bytes = g_malloc(len + hlen);
    char *error = NULL;

    if (f->is_v6)
        ipv6_encode(bytes, &(Ipv6Hdr){.tc = tos,
                                      .payload_len = (uint16_t)len,
                                      .next_header = proto,
                                      .hop_limit = 64,
                                      .src = fuzz_remote6,
                                      .dst = fuzz_local6});
    else
        ipv4_encode(bytes, &(Ipv4Hdr){.tos = tos,
                                      .ttl = 64,
                                      .proto = proto,
                                      .total_len = (uint16_t)(len + hlen),
                                      .src = REMOTE,
                                      .dst = LOCAL});
    memcpy(bytes + hlen, l4, len);
    f->stack->ops->inject(f->stack, bytes, len + hlen, gso, &error);
    g_free(error);
    g_free(bytes);
}

static uint32_t pseudo_sum(const Fuzz *f, uint8_t proto, size_t len)
{
    return f->is_v6 ? ipv6_pseudo_sum(fuzz_remote6.b, fuzz_local6.b, proto, len)
                    : ipv4_pseudo_sum(REMOTE, LOCAL, proto, len);
}

/* RFC 2385 2: over the pseudo-header, the header without options, the data and the key. */
static void sign(const Fuzz *f, uint8_t *segment, size_t hlen, uint32_t len, uint8_t *digest)
{
    GChecksum *sum = g_checksum_new(G_CHECKSUM_MD5);
    gsize digest_len = 16;
    uint8_t pseudo[40] = {0};
    unsigned n = f->is_v6 ? 40 : 12;

    if (f->is_v6) {
        memcpy(pseudo, fuzz_remote6.b, 16);
        memcpy(pseudo + 16, fuzz_local6.b, 16);
        wire_put32(pseudo + 32, (uint32_t)hlen + len);
        pseudo[39] = IP_PROTO_TCP;
    } else {
        wire_put32(pseudo, REMOTE);
        wire_put32(pseudo + 4, LOCAL);
        pseudo[9] = IP_PROTO_TCP;
        wire_put16(pseudo + 10, (uint16_t)(hlen + len));
    }
    g_checksum_update(sum, pseudo, n);
    g_checksum_update(sum, segment, TCP_MIN_HDR_LEN);
    g_checksum_update(sum, segment + hlen, len);
    g_checksum_update(sum, (const uint8_t *)KEY, sizeof KEY - 1);
    g_checksum_get_digest(sum, digest, &digest_len);
    g_checksum_free(sum);
}

void fuzz_put_options(Fuzz *f, TcpHdr *h, uint8_t kind)
{
    uint8_t *o = h->options;
    TcpOptions v = {0};

    switch (kind % 8) {
    case 1:
    case 2:
        v.has_timestamps = true;
        v.ts_val = f->ts_val += kind & 8 ? 1 : 0;
        v.ts_ecr = f->ts_ecr + (kind & 16 ? (uint32_t)(int8_t)fuzz_u8(f) : 0);
        break;
    case 3: {
        uint32_t at = f->their_nxt - fuzz_u16(f);

        v.n_sack = (uint8_t)(1 + (kind >> 3) % 3);
        for (unsigned i = 0; i < v.n_sack; i++) {
            v.sack[i].left = at;
            v.sack[i].right = at += fuzz_u16(f);
        }
        break;
    }
    case 4:
        v.has_mss = v.has_sack_permitted = v.has_wscale = true;
        v.mss = fuzz_u16(f);
        v.wscale = fuzz_u8(f);
        break;
    case 5:
        v.has_fastopen = true;
        v.fastopen_cookie_len = kind & 8 ? 8 : 0;
        memset(v.fastopen_cookie, fuzz_u8(f), 8);
        break;
    case 6:
        h->options_len = (uint8_t)(fuzz_u8(f) % 41);
        for (unsigned i = 0; i < h->options_len; i++)
            o[i] = fuzz_u8(f);
        return;
    case 7: {
        uint32_t e[3] = {fuzz_u16(f), fuzz_u16(f), fuzz_u16(f)};

        h->options_len =
            (uint8_t)((tcp_opt_put_accecn(o, kind & 8 ? TCP_OPT_ACCECN0 : TCP_OPT_ACCECN1, e, kind >> 4 & 3) +
                       3) &
                      ~3u);
        return;
    }
    default:
        return;
    }
    h->options_len = (uint8_t)tcp_options_encode(o, &v);
}

void fuzz_inject_tcp(Fuzz *f, TcpHdr *h, uint32_t len, uint8_t tos, uint32_t gso)
{
    uint8_t *bytes = g_malloc0(TCP_MAX_HDR_LEN + len), *digest = NULL;
    size_t hlen;

    h->src_port = f->peer_port;
    h->dst_port = f->local_port;
    if (f->is_signed && h->options_len + 2 + TCP_OPT_MD5_LEN <= TCP_MAX_HDR_LEN - TCP_MIN_HDR_LEN &&
        h->options_len % 4 == 0) {
        static const uint8_t nothing_yet[16];

        h->options_len += (uint8_t)tcp_opt_put_nop(h->options + h->options_len);
        h->options_len += (uint8_t)tcp_opt_put_nop(h->options + h->options_len);
        h->options_len += (uint8_t)tcp_opt_put_md5(h->options + h->options_len, nothing_yet);
        digest = bytes + TCP_MIN_HDR_LEN + h->options_len - 16;
    }
    hlen = tcp_encode(bytes, h);
    if (digest)
        sign(f, bytes, hlen, len, digest);
    tcp_fill_checksum(bytes, hlen + len, pseudo_sum(f, IP_PROTO_TCP, hlen + len));
    inject_ip(f, IP_PROTO_TCP, bytes, hlen + len, tos, gso);
    g_free(bytes);
}

void fuzz_informed_segment(Fuzz *f)
{
    static const uint16_t usual[] = {TCP_ACK,           TCP_ACK | TCP_PSH, TCP_ACK | TCP_FIN,
                                     TCP_SYN,           TCP_SYN | TCP_ACK, TCP_RST,
                                     TCP_RST | TCP_ACK, TCP_ACK | TCP_URG};
    uint8_t a = fuzz_u8(f), b = fuzz_u8(f), c = fuzz_u8(f);
    uint32_t len = fuzz_lengths[c & 7];
    TcpHdr h = {.seq = f->peer_nxt,
                .ack = f->their_nxt,
                .flags = a & 0x80 ? fuzz_u16(f) & 0x1ff : usual[a & 7],
                .window = c & 8 ? fuzz_u16(f) : 60000};
    bool in_order = true;

    if (a & 0x08) {
        h.seq += (uint32_t)(int16_t)fuzz_u16(f);
        in_order = false;
    }
    if (a & 0x10)
        h.ack -= fuzz_u16(f);
    if (a & 0x20)
        h.ack += fuzz_u8(f);
    if (a & 0x40)
        h.urgent = fuzz_u8(f);
    fuzz_put_options(f, &h, b);
    fuzz_inject_tcp(f, &h, len, c >> 4 & 3, c & 0x40 && len > 1460 ? 1460 : 0);
    if (in_order && !(h.flags & TCP_RST))
        f->peer_nxt += len + !!(h.flags & TCP_SYN) + !!(h.flags & TCP_FIN);
}

static void icmp4_error(Fuzz *f)
{
    uint8_t bytes[8 + IPV4_MIN_HDR_LEN + 8] = {0};
    const Ipv4Hdr quoted = {
        .ttl = 60, .proto = IP_PROTO_TCP, .total_len = 60, .src = LOCAL, .dst = REMOTE, .df = true};
    uint8_t a = fuzz_u8(f);

    bytes[0] = a & 1 ? ICMP_DEST_UNREACH : a & 2 ? ICMP_TIME_EXCEEDED : fuzz_u8(f);
    bytes[1] = a & 4 ? ICMP_UNREACH_NEEDFRAG : fuzz_u8(f) & 15;
    wire_put16(bytes + 6, fuzz_u16(f));
    ipv4_encode(bytes + 8, &quoted);
    wire_put16(bytes + 28, f->local_port);
    wire_put16(bytes + 30, f->peer_port);
    wire_put32(bytes + 32, f->their_nxt - (a & 8 ? fuzz_u16(f) : 1));
    wire_put16(bytes + 2, (uint16_t)~checksum_fold(checksum_add(0, bytes, sizeof bytes)));
    inject_ip(f, IP_PROTO_ICMP, bytes, sizeof bytes, 0, 0);
}

static void icmp6_error(Fuzz *f)
{
    uint8_t bytes[ICMP6_HDR_LEN + IPV6_HDR_LEN + 8] = {0};
    const Ipv6Hdr quoted = {.payload_len = 40,
                            .next_header = IP_PROTO_TCP,
                            .hop_limit = 60,
                            .src = fuzz_local6,
                            .dst = fuzz_remote6};
    uint8_t a = fuzz_u8(f), *l4 = bytes + ICMP6_HDR_LEN + IPV6_HDR_LEN;

    bytes[0] = a & 1 ? ICMP6_DEST_UNREACH : a & 2 ? ICMP6_PACKET_TOO_BIG : fuzz_u8(f);
    bytes[1] = fuzz_u8(f) & 7;
    wire_put32(bytes + ICMP6_INFO_OFF, fuzz_u16(f));
    ipv6_encode(bytes + ICMP6_HDR_LEN, &quoted);
    wire_put16(l4, f->local_port);
    wire_put16(l4 + 2, f->peer_port);
    wire_put32(l4 + 4, f->their_nxt - (a & 8 ? fuzz_u16(f) : 1));
    wire_put16(bytes + ICMP6_CHECKSUM_OFF,
               (uint16_t)~checksum_fold(
                   checksum_add(pseudo_sum(f, IP_PROTO_ICMPV6, sizeof bytes), bytes, sizeof bytes)));
    inject_ip(f, IP_PROTO_ICMPV6, bytes, sizeof bytes, 0, 0);
}

void fuzz_icmp_error(Fuzz *f)
{
    if (f->is_v6)
        icmp6_error(f);
    else
        icmp4_error(f);
}
