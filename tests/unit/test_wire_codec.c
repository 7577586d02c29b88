/* Codecs one by one: values survive a round trip, every shorter length is refused, and each rule has its
 * error. */
#include "test_wire_helper.h"

#include "models/wire/arp.h"
#include "models/wire/bpdu.h"
#include "models/wire/eth.h"
#include "models/wire/icmp.h"
#include "models/wire/igmp.h"
#include "models/wire/ipv4.h"
#include "models/wire/ipv6.h"
#include "models/wire/llc.h"
#include "models/wire/ppp.h"
#include "models/wire/tcp.h"
#include "models/wire/tftp.h"
#include "models/wire/udp.h"
#include "models/wire/vlan.h"
#include "sim/packet/checksum.h"

#define ROUNDS 500

static void random_bytes(void *p, size_t n)
{
    for (uint8_t *b = p; n; n--, b++)
        *b = (uint8_t)g_test_rand_int();
}

/* A decoder must refuse each prefix of what it takes, without reading beyond it (the copy is exact, so that
 * ASan sees). */
#define REFUSES_PREFIXES(decode, Type, p, len)                                                               \
    for (size_t cut_ = 0; cut_ < (len); cut_++) {                                                            \
        Type out_;                                                                                           \
        uint8_t *copy_ = g_memdup2(p, cut_ + 1);                                                             \
        copy_ = g_realloc(copy_, cut_ ? cut_ : 1);                                                           \
        g_assert_cmpint(decode(&out_, copy_, cut_), <, 0);                                                   \
        g_free(copy_);                                                                                       \
    }

/* Structs are compared by what they encode to: their padding bytes say nothing. */
#define SAME(prefix, a, b)                                                                                   \
    do {                                                                                                     \
        uint8_t a_[160], b_[160];                                                                            \
        size_t n_ = prefix##_encode(a_, a);                                                                  \
        g_assert_cmpmem(a_, n_, b_, prefix##_encode(b_, b));                                                 \
    } while (0)

static void test_eth_vlan_llc_arp(void)
{
    uint8_t buf[64];

    for (int i = 0; i < ROUNDS; i++) {
        EthHdr eth, eth_back;
        ArpMsg arp, arp_back;
        VlanTag vlan = {.pcp = (uint8_t)g_test_rand_int_range(0, 8),
                        .dei = g_test_rand_bit(),
                        .vid = (uint16_t)g_test_rand_int_range(0, 4096),
                        .type = (uint16_t)g_test_rand_int()},
                vlan_back;

        random_bytes(&eth, sizeof eth);
        g_assert_cmpuint(eth_encode(buf, &eth), ==, 14);
        g_assert_cmpint(eth_decode(&eth_back, buf, 14), ==, 14);
        g_assert_cmpmem(&eth, sizeof eth, &eth_back, sizeof eth_back);
        random_bytes(&buf, sizeof buf);
        arp = (ArpMsg){arp_op(buf), mac_get(buf + 1), wire_get32(buf + 9), mac_get(buf + 20),
                       wire_get32(buf + 30)};
        g_assert_cmpuint(arp_encode(buf, &arp), ==, 28);
        g_assert_cmpint(arp_decode(&arp_back, buf, 28), ==, 28);
        g_assert_true(arp.op == arp_back.op && mac_equal(arp.sha, arp_back.sha) && arp.spa == arp_back.spa &&
                      mac_equal(arp.tha, arp_back.tha) && arp.tpa == arp_back.tpa);
        g_assert_cmpuint(vlan_encode(buf, &vlan), ==, 4);
        g_assert_cmpint(vlan_decode(&vlan_back, buf, 4), ==, 4);
        g_assert_true(vlan.pcp == vlan_back.pcp && vlan.dei == vlan_back.dei && vlan.vid == vlan_back.vid &&
                      vlan.type == vlan_back.type);
        g_assert_cmpuint(vlan_vid(buf), ==, vlan.vid);
    }
    REFUSES_PREFIXES(eth_decode, EthHdr, buf, 14)
    REFUSES_PREFIXES(vlan_decode, VlanTag, buf, 4)
    REFUSES_PREFIXES(llc_decode, LlcHdr, buf, 3)
    arp_encode(buf, &(ArpMsg){.op = 1});
    REFUSES_PREFIXES(arp_decode, ArpMsg, buf, 28)
    ArpMsg m = {.op = 99};
    buf[1] = 6; /* IEEE 802 hardware */
    g_assert_cmpint(arp_decode(&m, buf, 28), ==, WIRE_BAD_VALUE);
    buf[1] = 1;
    buf[4] = 8;
    g_assert_cmpint(arp_decode(&m, buf, 28), ==, WIRE_BAD_LENGTH);
    g_assert_cmpint(m.op, ==, 99); /* untouched */
}

static void test_ipv4(void)
{
    uint8_t buf[128];
    Ipv4Hdr h, back;

    for (int i = 0; i < ROUNDS; i++) {
        h = (Ipv4Hdr){.tos = (uint8_t)g_test_rand_int(),
                      .ttl = (uint8_t)g_test_rand_int(),
                      .proto = (uint8_t)g_test_rand_int(),
                      .total_len = (uint16_t)g_test_rand_int_range(60, 128),
                      .id = (uint16_t)g_test_rand_int(),
                      .frag_offset = (uint16_t)(g_test_rand_int_range(0, 8192) * 8),
                      .evil = g_test_rand_bit(),
                      .df = g_test_rand_bit(),
                      .mf = g_test_rand_bit(),
                      .src = (uint32_t)g_test_rand_int(),
                      .dst = (uint32_t)g_test_rand_int(),
                      .options_len = (uint8_t)(g_test_rand_int_range(0, 11) * 4)};
        random_bytes(h.options, h.options_len);
        size_t n = ipv4_encode(buf, &h);

        g_assert_cmpuint(n, ==, ipv4_encoded_len(&h));
        g_assert_cmpint(ipv4_decode(&back, buf, sizeof buf), ==, (int)n);
        g_assert_cmpint(ipv4_check(buf), ==, WIRE_OK);
        g_assert_cmpuint(back.hdr_len, ==, n);
        g_assert_cmphex(back.checksum, ==, ipv4_checksum(buf));
        SAME(ipv4, &h, &back);
        g_assert_cmphex(ipv4_src(buf), ==, h.src);
        g_assert_cmphex(ipv4_dst(buf), ==, h.dst);
        g_assert_cmpuint(ipv4_frag_offset(buf), ==, h.frag_offset);
        g_assert_true(ipv4_is_fragment(buf) == (h.mf || h.frag_offset));
        if (h.ttl) { /* what a router and an AQM do keeps the sum right */
            ipv4_dec_ttl(buf);
            g_assert_cmpuint(ipv4_ttl(buf), ==, h.ttl - 1u);
            g_assert_cmpint(ipv4_check(buf), ==, WIRE_OK);
        }
        ipv4_set_ecn(buf, IP_ECN_CE);
        g_assert_cmpuint(ipv4_tos(buf), ==, h.tos | 3u);
        g_assert_cmpint(ipv4_check(buf), ==, WIRE_OK);
        buf[16] ^= 0x10;
        g_assert_cmpint(ipv4_check(buf), ==, WIRE_BAD_CHECKSUM);
    }
}

static void test_ipv4_faults(void)
{
    Ipv4Hdr h = {.total_len = 30, .ttl = 1}, back;
    uint8_t buf[64] = {0};

    ipv4_encode(buf, &h);
    g_assert_cmpint(ipv4_decode(&back, buf, 64), ==, 20); /* padding behind is fine */
    REFUSES_PREFIXES(ipv4_decode, Ipv4Hdr, buf, 30)
    g_assert_cmpint(ipv4_decode_quoted(&back, buf, 20), ==, 20);
    g_assert_cmpint(ipv4_decode_quoted(&back, buf, 19), ==, WIRE_TRUNCATED);
    buf[0] = 0x65;
    g_assert_cmpint(ipv4_decode(&back, buf, 64), ==, WIRE_BAD_VERSION);
    buf[0] = 0x44;
    g_assert_cmpint(ipv4_decode(&back, buf, 64), ==, WIRE_BAD_LENGTH);
    buf[0] = 0x48; /* 32 bytes of header in a packet of 30 */
    g_assert_cmpint(ipv4_decode(&back, buf, 64), ==, WIRE_BAD_LENGTH);
    buf[0] = 0x45;
    ipv4_set_total_len(buf, 65);
    g_assert_cmpint(ipv4_decode(&back, buf, 64), ==, WIRE_TRUNCATED);
}

static void test_ipv4_options(void)
{
    uint8_t buf[40];
    size_t n = hex_bytes(buf, sizeof buf, "01 94 04 00 00 07 07 04 0a 00 00 01 00 07");
    Ipv4OptIter it = {buf, n, 0};
    Ipv4Opt opt;

    g_assert_true(ipv4_opt_next(&it, &opt) && opt.type == IPV4_OPT_NOP && opt.len == 1);
    g_assert_true(ipv4_opt_next(&it, &opt) && opt.type == IPV4_OPT_ROUTER_ALERT && opt.len == 4);
    g_assert_true(ipv4_opt_next(&it, &opt) && opt.type == IPV4_OPT_RECORD_ROUTE && opt.len == 7);
    g_assert_true(ipv4_opt_next(&it, &opt) && opt.type == IPV4_OPT_EOL);
    g_assert_false(ipv4_opt_next(&it, &opt)); /* behind end-of-list nothing counts */
    g_assert_cmpint(it.error, ==, 0);
    it = (Ipv4OptIter){(const uint8_t[]){7}, 1, 0};
    g_assert_false(ipv4_opt_next(&it, &opt));
    g_assert_cmpint(it.error, ==, WIRE_TRUNCATED);
    for (uint8_t len = 0; len < 8; len++) { /* too short, or longer than the 4 bytes left */
        it = (Ipv4OptIter){(const uint8_t[]){7, len, 0, 0}, 4, 0};
        g_assert_true(ipv4_opt_next(&it, &opt) == (len >= 2 && len <= 4));
        g_assert_cmpint(it.error, ==, len >= 2 && len <= 4 ? 0 : WIRE_BAD_LENGTH);
    }
}

static void test_ipv6(void)
{
    Ipv6Hdr h = {.tc = 0xb8, .flow = 0xabcde, .payload_len = 24, .next_header = 0, .hop_limit = 64}, back;
    uint8_t buf[64] = {0};
    Ipv6Upper up;

    g_assert_true(ipv6_addr_parse("fe80::1", &h.src) && ipv6_addr_parse("ff02::1", &h.dst));
    g_assert_cmpuint(ipv6_encode(buf, &h), ==, 40);
    g_assert_cmpint(ipv6_decode(&back, buf, 64), ==, 40);
    SAME(ipv6, &h, &back);
    REFUSES_PREFIXES(ipv6_decode, Ipv6Hdr, buf, 64)
    buf[40] = IPV6_EXT_FRAGMENT; /* hop-by-hop, then a fragment header, then UDP */
    buf[48] = 17;
    buf[51] = 0x01; /* offset 0, more */
    buf[55] = 9;
    g_assert_cmpint(ipv6_find_upper(&up, buf, 64), ==, WIRE_OK);
    g_assert_true(up.proto == 17 && up.off == 56 && up.is_fragment && up.more_fragments && up.frag_id == 9);
    buf[41] =
        2; /* a hop-by-hop header of 24 bytes ends where the packet ends: no room for the fragment header */
    g_assert_cmpint(ipv6_find_upper(&up, buf, 64), ==, WIRE_TRUNCATED);
    g_assert_cmphex(checksum_fold(ipv6_pseudo_sum(h.src.b, h.dst.b, 17, 8)), ==,
                    0xfe80 + 1 + 17 + 8 - 0xffff + 0xff02 + 1);
}

static void test_icmp(void)
{
    for (unsigned type = 0; type < 256; type++) {
        for (unsigned code = 0; code < 16; code++) {
            uint8_t in[20], out[20];
            IcmpMsg m;

            /* Encoding what was decoded gives the bytes back where they have a meaning. */
            random_bytes(in, sizeof in);
            in[0] = (uint8_t)type;
            in[1] = (uint8_t)code;
            int n = icmp_decode(&m, in, sizeof in);

            g_assert_cmpint(n, ==, (int)icmp_encoded_len(&m));
            g_assert_cmpuint(icmp_encode(out, &m), ==, (size_t)n);
            if (icmp_has_id((uint8_t)type))
                g_assert_cmpmem(in + 4, n - 4, out + 4, n - 4);
            if (type == ICMP_REDIRECT)
                g_assert_cmpmem(in + 4, 4, out + 4, 4);
            g_assert_true((m.mtu != 0) <= (type == 3 && code == 4));
            REFUSES_PREFIXES(icmp_decode, IcmpMsg, in, (size_t)n)
            icmp_fill_checksum(out, (size_t)n);
            g_assert_cmpint(icmp_check(out, (size_t)n), ==, WIRE_OK);
            out[n - 1] ^= 1;
            g_assert_cmpint(icmp_check(out, (size_t)n), ==, WIRE_BAD_CHECKSUM);
        }
    }
}

static void test_icmp_quote(void)
{
    uint8_t buf[64] = {ICMP_DEST_UNREACH, ICMP_UNREACH_PORT};
    Ipv4Hdr ip = {.total_len = 1500, .ttl = 3, .proto = IP_PROTO_UDP, .src = 1, .dst = 2};
    IcmpQuote q;

    ipv4_encode(buf + 8, &ip);
    wire_put16(buf + 28, 4000);
    wire_put16(buf + 30, 5000);
    g_assert_cmpint(icmp_quote_decode(&q, buf, 36), ==, WIRE_OK);
    g_assert_true(q.has_ports && q.src_port == 4000 && q.dst_port == 5000 && q.l4_len == 8 && q.ip.dst == 2);
    g_assert_cmpint(icmp_quote_decode(&q, buf, 31), ==, WIRE_OK);
    g_assert_false(q.has_ports);
    g_assert_cmpint(icmp_quote_decode(&q, buf, 27), ==, WIRE_TRUNCATED);
    ip.frag_offset = 8; /* not a first fragment: these bytes are no ports */
    ipv4_encode(buf + 8, &ip);
    g_assert_cmpint(icmp_quote_decode(&q, buf, 36), ==, WIRE_OK);
    g_assert_false(q.has_ports);
    buf[0] = ICMP_ECHO;
    g_assert_cmpint(icmp_quote_decode(&q, buf, 36), ==, WIRE_BAD_VALUE);
}

static void test_udp(void)
{
    uint8_t buf[32] = {0};
    UdpHdr h = {1, 2, 11, 0}, back;

    udp_encode(buf, &h);
    memcpy(buf + 8, "abc", 3);
    g_assert_cmpint(udp_decode(&back, buf, 11), ==, 8);
    g_assert_cmpmem(&h, sizeof h, &back, sizeof back);
    REFUSES_PREFIXES(udp_decode, UdpHdr, buf, 11)
    g_assert_cmpint(udp_check(buf, 11, 1234), ==, WIRE_OK); /* 0: not used */
    udp_fill_checksum(buf, 11, ipv4_pseudo_sum(5, 6, 17, 11));
    g_assert_cmpint(udp_check(buf, 11, ipv4_pseudo_sum(5, 6, 17, 11)), ==, WIRE_OK);
    g_assert_cmpint(udp_check(buf, 11, ipv4_pseudo_sum(5, 7, 17, 11)), ==, WIRE_BAD_CHECKSUM);
    wire_put16(buf + 4, 7);
    g_assert_cmpint(udp_decode(&back, buf, 11), ==, WIRE_BAD_LENGTH);
    /* RFC 768: a sum that comes out as zero is sent as all ones. */
    memset(buf, 0, 8);
    udp_fill_checksum(buf, 8, 0xffff);
    g_assert_cmphex(udp_checksum(buf), ==, 0xffff);
    g_assert_cmpint(udp_check(buf, 8, 0xffff), ==, WIRE_OK);
}

static void test_igmp(void)
{
    uint8_t buf[64];
    IgmpMsg m;
    IgmpRecord r;
    size_t n;

    igmp_encode(buf, &(IgmpMsg){.type = IGMP_V2_REPORT, .group = 0xef010101});
    g_assert_cmpint(igmp_check(buf, 8), ==, WIRE_OK);
    REFUSES_PREFIXES(igmp_decode, IgmpMsg, buf, 8)
    g_assert_true(igmp_decode(&m, buf, 8) == 8 && m.version == 2 && m.group == 0xef010101);
    igmp_encode(buf, &(IgmpMsg){.type = IGMP_QUERY, .version = 1});
    g_assert_true(igmp_decode(&m, buf, 8) == 8 && m.version == 1);
    igmp_encode(buf, &(IgmpMsg){.type = IGMP_QUERY, .version = 2, .max_resp = 100});
    g_assert_true(igmp_decode(&m, buf, 8) == 8 && m.version == 2 && m.max_resp == 100);
    n = igmp_encode(
        buf,
        &(IgmpMsg){.type = IGMP_QUERY, .version = 3, .max_resp = 100, .qrv = 2, .qqic = 125, .suppress = 1});
    g_assert_true(n == 12 && igmp_decode(&m, buf, n) == 12 && m.version == 3 && m.qrv == 2 && m.suppress);
    g_assert_cmpint(igmp_decode(&m, buf, 10), ==,
                    WIRE_BAD_LENGTH); /* RFC 3376 7.1: neither 8 nor 12 or more */
    n = hex_bytes(
        buf, sizeof buf,
        "22 00 00 00 00 00 00 02 04 00 00 01 ef 01 01 01 0a 00 00 09 03 01 00 00 ef 01 01 02 00 00 00 00");
    g_assert_true(igmp_decode(&m, buf, n) == 8 && m.n_records == 2);
    REFUSES_PREFIXES(igmp_decode, IgmpMsg, buf, n)
    g_assert_true(igmp_record(&r, buf, n, 0) && r.type == 4 && r.n_sources == 1 &&
                  wire_get32(r.sources) == 0x0a000009);
    g_assert_true(igmp_record(&r, buf, n, 1) && r.type == 3 && r.group == 0xef010102);
    g_assert_false(igmp_record(&r, buf, n, 2));
    g_assert_cmpuint(igmp_code_value(100), ==, 100);
    g_assert_cmpuint(igmp_code_value(0x80), ==, 128);
    g_assert_cmpuint(igmp_code_value(0xff), ==, 31744); /* (15 | 16) << (7 + 3) */
}

static void test_bpdu(void)
{
    static const uint8_t types[] = {BPDU_TYPE_CONFIG, BPDU_TYPE_RST, BPDU_TYPE_TCN};
    static const int lens[] = {35, 36, 4};
    uint8_t buf[BPDU_MAX_FRAME_LEN];
    const MacAddr mac = mac_from_u64(0x020000000001);

    for (int i = 0; i < 3; i++) {
        Bpdu b = {.version = types[i] == BPDU_TYPE_RST ? 2 : 0, .type = types[i]}, back;

        if (types[i] != BPDU_TYPE_TCN) {
            b.flags = 0x3c;
            b.root_id = bpdu_bridge_id(4096, mac);
            b.root_cost = 20000;
            b.bridge_id = bpdu_bridge_id(32768, mac);
            b.port_id = 0x8001;
            b.message_age = 256;
            b.max_age = 20 * 256;
            b.hello_time = 2 * 256;
            b.forward_delay = 15 * 256;
        }
        g_assert_cmpuint(bpdu_encode(buf, &b), ==, (size_t)lens[i]);
        g_assert_cmpint(bpdu_decode(&back, buf, sizeof buf), ==, lens[i]);
        SAME(bpdu, &b, &back);
        REFUSES_PREFIXES(bpdu_decode, Bpdu, buf, (size_t)lens[i])
        g_assert_cmpuint(bpdu_encode_frame(buf, mac, &b), ==, 17u + (size_t)lens[i]);
        g_assert_cmpuint(eth_type(buf), ==, 3u + (size_t)lens[i]);
        g_assert_cmphex(wire_get32(buf + 14) >> 8, ==, 0x424203);
    }
    Bpdu untouched;
    g_assert_cmpint(bpdu_decode(&untouched, (const uint8_t[40]){0, 1}, 40), ==, WIRE_BAD_VALUE);
    g_assert_cmpint(bpdu_decode(&untouched, (const uint8_t[40]){0, 0, 0, 0x11}, 40), ==, WIRE_BAD_VALUE);
    /* The lower priority, then the lower MAC, is the better bridge: numbers compare that way. */
    g_assert_true(bpdu_bridge_id(4096, MAC_BROADCAST) < bpdu_bridge_id(8192, MAC_ZERO));
}

static void test_ppp(void)
{
    PppHdr h;
    uint8_t buf[4];

    ppp_encode(buf, &(PppHdr){PPP_PROTO_IPV4});
    g_assert_cmpmem(buf, 4, "\xff\x03\x00\x21", 4);
    g_assert_true(ppp_decode(&h, buf, 4) == 4 && h.protocol == PPP_PROTO_IPV4);
    g_assert_true(ppp_decode(&h, buf + 2, 2) == 2 &&
                  h.protocol == PPP_PROTO_IPV4); /* address and control left out */
    g_assert_true(ppp_decode(&h, buf + 3, 1) == 1 &&
                  h.protocol == PPP_PROTO_IPV4); /* protocol compressed too */
    g_assert_cmpint(ppp_decode(&h, buf, 2), ==, WIRE_TRUNCATED);
    g_assert_cmpint(ppp_decode(&h, buf, 3), ==, WIRE_TRUNCATED);
    g_assert_cmpint(ppp_decode(&h, buf, 0), ==, WIRE_TRUNCATED);
    /* The check value of CRC-16/IBM-SDLC, which RFC 1662's FCS is. */
    g_assert_cmphex(ppp_fcs16((const uint8_t *)"123456789", 9), ==, 0x906e);
}

static void test_tftp(void)
{
    static const TftpMsg messages[] = {
        {.op = TFTP_RRQ, .filename = "a", .mode = "octet"},
        {.op = TFTP_WRQ, .filename = "", .mode = "", .n_options = 1, .options = {{"blksize", "1428"}}},
        {.op = TFTP_ERROR, .error_code = 1, .error_msg = "gone"},
        {.op = TFTP_ACK, .block = 65535},
        {.op = TFTP_DATA, .block = 1, .data = (const uint8_t *)"xyz", .data_len = 3},
        {.op = TFTP_OACK, .n_options = 2, .options = {{"a", "1"}, {"b", ""}}},
    };
    uint8_t buf[64];
    TftpMsg back;

    for (size_t i = 0; i < G_N_ELEMENTS(messages); i++) {
        size_t n = tftp_encode(buf, &messages[i]);
        uint8_t again[64];

        g_assert_cmpuint(n, ==, tftp_encoded_len(&messages[i]));
        g_assert_cmpint(tftp_decode(&back, buf, n), ==, (int)n);
        g_assert_cmpuint(tftp_encode(again, &back), ==, n);
        g_assert_cmpmem(buf, n, again, n);
        if (messages[i].op == TFTP_RRQ || messages[i].op == TFTP_ERROR || messages[i].op == TFTP_ACK)
            REFUSES_PREFIXES(tftp_decode, TftpMsg, buf, n)
    }
    g_assert_cmpint(tftp_decode(&back, (const uint8_t *)"\0\7\0\0", 4), ==, WIRE_BAD_VALUE);
    g_assert_cmpint(tftp_decode(&back, (const uint8_t *)"\0\6a\0b\0c\0", 8), ==,
                    WIRE_TRUNCATED); /* c has no value */
    g_assert_cmpint(tftp_decode(&back, (const uint8_t *)"\0\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20), ==,
                    WIRE_BAD_LENGTH); /* nine options */
}

static void test_tcp(void)
{
    uint8_t buf[64];
    TcpHdr h, back;

    for (int i = 0; i < ROUNDS; i++) {
        h = (TcpHdr){.src_port = (uint16_t)g_test_rand_int(),
                     .dst_port = (uint16_t)g_test_rand_int(),
                     .seq = (uint32_t)g_test_rand_int(),
                     .ack = (uint32_t)g_test_rand_int(),
                     .reserved = (uint8_t)g_test_rand_int_range(0, 8),
                     .flags = (uint16_t)g_test_rand_int_range(0, 512),
                     .window = (uint16_t)g_test_rand_int(),
                     .checksum = (uint16_t)g_test_rand_int(),
                     .urgent = (uint16_t)g_test_rand_int(),
                     .options_len = (uint8_t)(g_test_rand_int_range(0, 11) * 4)};
        random_bytes(h.options, h.options_len);
        size_t n = tcp_encode(buf, &h);

        g_assert_cmpuint(n, ==, 20u + h.options_len);
        g_assert_cmpint(tcp_decode(&back, buf, n), ==, (int)n);
        SAME(tcp, &h, &back);
        g_assert_cmphex(tcp_flags(buf), ==, h.flags);
        tcp_fill_checksum(buf, n, 77);
        g_assert_cmpint(tcp_check(buf, n, 77), ==, WIRE_OK);
        g_assert_cmpint(tcp_check(buf, n, 78), ==, WIRE_BAD_CHECKSUM);
    }
    REFUSES_PREFIXES(tcp_decode, TcpHdr, buf, tcp_hdr_len(buf))
    buf[12] = 0x40;
    g_assert_cmpint(tcp_decode(&back, buf, 64), ==, WIRE_BAD_LENGTH);
    char text[TCP_FLAGS_STR_LEN];
    g_assert_cmpstr(tcp_flags_format(TCP_SYN | TCP_ACK, text), ==, "SYN, ACK");
    g_assert_cmpstr(tcp_flags_format(0, text), ==, "none");
    g_assert_cmpstr(tcp_flags_format(0x1ff, text), ==, "FIN, SYN, RST, PSH, ACK, URG, ECE, CWR, AE");
}

/* What a Linux SYN carries, in its order. */
static void test_tcp_options_linux_syn(void)
{
    const TcpOptions o = {.has_mss = true,
                          .mss = 1460,
                          .has_wscale = true,
                          .wscale = 7,
                          .has_sack_permitted = true,
                          .has_timestamps = true,
                          .ts_val = 1};
    uint8_t want[40], built[40];
    size_t n = hex_bytes(want, sizeof want, "02 04 05 b4 04 02 08 0a 00 00 00 01 00 00 00 00 01 03 03 07");
    TcpOptions back;
    char text[100];

    g_assert_cmpuint(tcp_options_encoded_len(&o), ==, 20);
    g_assert_cmpuint(tcp_options_encode(built, &o), ==, 20);
    g_assert_cmpmem(built, 20, want, n);
    g_assert_cmpint(tcp_options_decode(&back, built, n), ==, WIRE_OK);
    SAME(tcp_options, &o, &back);
    g_assert_cmpstr(tcp_options_format(built, n, text, sizeof text), ==,
                    "mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7");
    g_assert_cmpstr(tcp_options_format(built, n, text, 9), ==, "mss 1460"); /* cut to fit */
}

static void test_tcp_options_random(void)
{
    for (int i = 0; i < ROUNDS * 4; i++) {
        TcpOptions o = {.has_mss = g_test_rand_bit(),
                        .has_wscale = g_test_rand_bit(),
                        .has_sack_permitted = g_test_rand_bit(),
                        .has_timestamps = g_test_rand_bit(),
                        .has_fastopen = g_test_rand_bit(),
                        .n_sack = (uint8_t)g_test_rand_int_range(0, 4),
                        .has_md5 = g_test_rand_bit()},
                   back;
        uint8_t raw[160];
        size_t n;

        if (o.has_mss)
            o.mss = (uint16_t)g_test_rand_int();
        if (o.has_wscale)
            o.wscale = (uint8_t)g_test_rand_int();
        if (o.has_timestamps) {
            o.ts_val = (uint32_t)g_test_rand_int();
            o.ts_ecr = (uint32_t)g_test_rand_int();
        }
        random_bytes(o.sack, o.n_sack * sizeof o.sack[0]);
        if (o.has_fastopen) {
            o.is_fastopen_experimental = g_test_rand_bit();
            o.fastopen_cookie_len = g_test_rand_bit() ? 8 : 0;
            random_bytes(o.fastopen_cookie, o.fastopen_cookie_len);
        }
        if (o.has_md5)
            random_bytes(o.md5, 16);
        n = tcp_options_encode(raw, &o);
        g_assert_cmpuint(n, ==, tcp_options_encoded_len(&o));
        g_assert_cmpuint(n % 4, ==, 0);
        if (n > TCP_MAX_OPTIONS_LEN)
            continue;
        g_assert_cmpint(tcp_options_decode(&back, raw, n), ==, WIRE_OK);
        SAME(tcp_options, &o, &back);
    }
}

static void test_tcp_options_faults(void)
{
    static const struct {
        const char *hex;
        int want;
        bool has_mss; /* behind or before the fault */
    } rows[] = {
        {"02 04 05 b4 03 02", WIRE_BAD_LENGTH, true},  /* window scale without its value: ignored */
        {"03 02 02 04 05 b4", WIRE_BAD_LENGTH, true},  /* the walk goes on behind it */
        {"02 04 05 b4 08", WIRE_BAD_LENGTH, true},     /* no length byte */
        {"02 04 05 b4 08 0a", WIRE_BAD_LENGTH, true},  /* leaves the header */
        {"08 00 02 04 05 b4", WIRE_BAD_LENGTH, false}, /* length 0 ends the walk */
        {"05 0b 00 00 00 00 00 00 00 00 00", WIRE_BAD_LENGTH, false}, /* not a number of blocks */
        {"00 02 04 05 b4", WIRE_OK, false},                           /* behind end-of-list nothing counts */
        {"fd 04 00 00 02 04 05 b4", WIRE_OK, true},                   /* unknown kinds are stepped over */
        {"22 05 01 02 03", WIRE_BAD_LENGTH, false},                   /* a cookie of three bytes */
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint8_t raw[40];
        TcpOptions o;
        size_t n = hex_bytes(raw, sizeof raw, rows[i].hex);

        g_assert_cmpint(tcp_options_decode(&o, raw, n), ==, rows[i].want);
        g_assert_true(o.has_mss == rows[i].has_mss);
        g_assert_true(!o.has_wscale && !o.has_timestamps && !o.n_sack && !o.has_fastopen);
        g_assert_cmpuint(o.n_unknown, ==, rows[i].hex[0] == 'f');
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/wire/codec/eth-vlan-llc-arp", test_eth_vlan_llc_arp);
    g_test_add_func("/wire/codec/ipv4", test_ipv4);
    g_test_add_func("/wire/codec/ipv4-faults", test_ipv4_faults);
    g_test_add_func("/wire/codec/ipv4-options", test_ipv4_options);
    g_test_add_func("/wire/codec/ipv6", test_ipv6);
    g_test_add_func("/wire/codec/icmp", test_icmp);
    g_test_add_func("/wire/codec/icmp-quote", test_icmp_quote);
    g_test_add_func("/wire/codec/udp", test_udp);
    g_test_add_func("/wire/codec/igmp", test_igmp);
    g_test_add_func("/wire/codec/bpdu", test_bpdu);
    g_test_add_func("/wire/codec/ppp", test_ppp);
    g_test_add_func("/wire/codec/tftp", test_tftp);
    g_test_add_func("/wire/codec/tcp", test_tcp);
    g_test_add_func("/wire/codec/tcp-options-linux-syn", test_tcp_options_linux_syn);
    g_test_add_func("/wire/codec/tcp-options-random", test_tcp_options_random);
    g_test_add_func("/wire/codec/tcp-options-faults", test_tcp_options_faults);
    return g_test_run();
}
