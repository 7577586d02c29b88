/* The golden frames of behaviours.md (HEX-01 to HEX-03): built by our encoders byte for byte, and explained.
 */
#include "test_wire_helper.h"

#include "models/wire/arp.h"
#include "models/wire/eth.h"
#include "models/wire/ipv4.h"
#include "models/wire/tftp.h"
#include "models/wire/udp.h"

static MacAddr mac(const char *s)
{
    MacAddr m;

    g_assert_true(mac_parse(s, &m));
    return m;
}

static uint32_t ip(const char *s)
{
    uint32_t a;

    g_assert_true(ipv4_addr_parse(s, &a));
    return a;
}

/* The captured cards padded with left-over bytes, ours will pad with zeros: here the bytes are what counts.
 */
static const uint8_t padding[18] = {0x00, 0x77, 0x31, 0xd2, 0x50, 0x10, 0xfd, 0x78, 0x41, 0xd3};

static void check_arp(const char *golden, const EthHdr *eth, const ArpMsg *arp, const uint8_t fcs[4])
{
    uint8_t want[64], built[64];
    EthHdr eth_back;
    ArpMsg arp_back;
    size_t n = hex_bytes(want, sizeof want, golden), at;

    g_assert_cmpuint(n, ==, 60);
    at = eth_encode(built, eth);
    at += arp_encode(built + at, arp);
    memcpy(built + at, padding, sizeof padding);
    at += sizeof padding;
    eth_put_fcs(built, at);
    g_assert_cmpmem(built, 60, want, 60);
    g_assert_cmpmem(built + 60, 4, fcs, 4);
    g_assert_cmpint(eth_check_fcs(built, 64), ==, WIRE_OK);
    built[20] ^= 1;
    g_assert_cmpint(eth_check_fcs(built, 64), ==, WIRE_BAD_CHECKSUM);

    g_assert_cmpint(eth_decode(&eth_back, want, n), ==, ETH_HDR_LEN);
    g_assert_cmpmem(&eth_back, sizeof eth_back, eth, sizeof *eth);
    g_assert_cmpint(arp_decode(&arp_back, want + 14, n - 14), ==, ARP_LEN);
    g_assert_cmpint(arp_back.op, ==, arp->op);
    g_assert_true(mac_equal(arp_back.sha, arp->sha) && mac_equal(arp_back.tha, arp->tha));
    g_assert_cmphex(arp_back.spa, ==, arp->spa);
    g_assert_cmphex(arp_back.tpa, ==, arp->tpa);
}

static void test_arp_request(void)
{
    const EthHdr eth = {MAC_BROADCAST, mac("00:05:5d:61:58:a8"), ETH_TYPE_ARP};
    const ArpMsg arp = {ARP_OP_REQUEST, mac("00:05:5d:61:58:a8"), ip("192.168.0.55"), MAC_ZERO,
                        ip("192.168.0.2")};

    check_arp(GOLDEN_ARP_REQUEST, &eth, &arp, (const uint8_t[]){0x9c, 0x1c, 0x70, 0x03});
}

static void test_arp_reply(void)
{
    const EthHdr eth = {mac("00:05:5d:61:58:a8"), mac("00:05:5d:a1:b8:40"), ETH_TYPE_ARP};
    const ArpMsg arp = {ARP_OP_REPLY, mac("00:05:5d:a1:b8:40"), ip("192.168.0.2"), mac("00:05:5d:61:58:a8"),
                        ip("192.168.0.55")};

    check_arp(GOLDEN_ARP_REPLY, &eth, &arp, (const uint8_t[]){0xc3, 0x04, 0xf1, 0xc6});
}

static void test_tftp(void)
{
    const EthHdr eth = {mac("00:05:5d:67:d0:b1"), mac("00:05:5d:61:58:a8"), ETH_TYPE_IPV4};
    const Ipv4Hdr ipv4 = {.total_len = 83,
                          .id = 0x9325,
                          .ttl = 128,
                          .proto = IP_PROTO_UDP,
                          .src = ip("192.168.0.55"),
                          .dst = ip("192.168.0.1")};
    const UdpHdr udp = {.src_port = 1492, .dst_port = 69, .len = 63};
    const TftpMsg tftp = {.op = TFTP_RRQ,
                          .filename = "c:\\qwerq.qwe",
                          .mode = "netascii",
                          .n_options = 3,
                          .options = {{"blksize", "512"}, {"timeout", "10"}, {"tsize", "0"}}};
    uint8_t want[128], built[128];
    size_t n = hex_bytes(want, sizeof want, GOLDEN_TFTP), at, udp_at;
    TftpMsg back;
    Ipv4Hdr ip_back;
    UdpHdr udp_back;

    g_assert_cmpuint(n, ==, 97);
    at = eth_encode(built, &eth);
    at += ipv4_encode(built + at, &ipv4);
    udp_at = at;
    at += udp_encode(built + at, &udp);
    g_assert_cmpuint(tftp_encoded_len(&tftp), ==, 55);
    at += tftp_encode(built + at, &tftp);
    udp_fill_checksum(built + udp_at, 63, ipv4_pseudo_sum(ipv4.src, ipv4.dst, IP_PROTO_UDP, 63));
    g_assert_cmpmem(built, at, want, n);
    eth_put_fcs(built, at);
    g_assert_cmpmem(built + at, 4, ((const uint8_t[]){0xa9, 0xdb, 0x08, 0x6f}), 4);

    g_assert_cmpint(ipv4_decode(&ip_back, want + 14, n - 14), ==, 20);
    g_assert_cmphex(ip_back.checksum, ==, 0x25ec);
    g_assert_cmpint(ipv4_check(want + 14), ==, WIRE_OK);
    g_assert_cmpint(udp_decode(&udp_back, want + 34, n - 34), ==, 8);
    g_assert_cmphex(udp_back.checksum, ==, 0xac40);
    g_assert_cmpint(udp_check(want + 34, 63, ipv4_pseudo_sum(ip_back.src, ip_back.dst, 17, 63)), ==, WIRE_OK);
    g_assert_cmpint(tftp_decode(&back, want + 42, n - 42), ==, 55);
    g_assert_cmpstr(back.filename, ==, "c:\\qwerq.qwe");
    g_assert_cmpstr(back.mode, ==, "netascii");
    g_assert_cmpuint(back.n_options, ==, 3);
    g_assert_cmpstr(back.options[2].name, ==, "tsize");
    g_assert_cmpstr(back.options[2].value, ==, "0");
}

static void test_arp_explained(void)
{
    uint8_t frame[64];
    size_t n = hex_bytes(frame, sizeof frame, GOLDEN_ARP_REQUEST);
    Collector c;
    char line[200];

    g_assert_true(collector_dissect(&c, WIRE_LINK_ETHERNET, frame, n));
    g_assert_cmpstr(c.layers->str, ==, "eth arp padding");
    g_assert_cmpstr(collector_text(&c, "eth.dst"), ==, "ff:ff:ff:ff:ff:ff");
    g_assert_cmpstr(collector_text(&c, "eth.type"), ==, "0x0806 (ARP)");
    g_assert_cmpstr(collector_text(&c, "arp.htype"), ==, "1 (Ethernet)");
    g_assert_cmpstr(collector_text(&c, "arp.ptype"), ==, "0x0800 (IPv4)");
    g_assert_cmpstr(collector_text(&c, "arp.hlen"), ==, "6 bytes");
    g_assert_cmpstr(collector_text(&c, "arp.plen"), ==, "4 bytes");
    g_assert_cmpstr(collector_text(&c, "arp.op"), ==, "1 (request)");
    g_assert_cmpstr(collector_text(&c, "arp.sha"), ==, "00:05:5d:61:58:a8");
    g_assert_cmpstr(collector_text(&c, "arp.spa"), ==, "192.168.0.55");
    g_assert_cmpstr(collector_text(&c, "arp.tha"), ==, "00:00:00:00:00:00");
    g_assert_cmpstr(collector_text(&c, "arp.tpa"), ==, "192.168.0.2");
    g_assert_cmpuint(collector_value(&c, "padding.len"), ==, 18);
    collector_clear(&c);
    g_assert_cmpstr(dissect_summary(line, sizeof line, WIRE_LINK_ETHERNET, frame, n), ==,
                    "who-has 192.168.0.2 tell 192.168.0.55");
    n = hex_bytes(frame, sizeof frame, GOLDEN_ARP_REPLY);
    g_assert_cmpstr(dissect_summary(line, sizeof line, WIRE_LINK_ETHERNET, frame, n), ==,
                    "192.168.0.2 is-at 00:05:5d:a1:b8:40");
}

static void test_tftp_explained(void)
{
    uint8_t frame[128];
    size_t n = hex_bytes(frame, sizeof frame, GOLDEN_TFTP);
    Collector c;
    char line[200];

    memcpy(frame + n, (const uint8_t[]){0xa9, 0xdb, 0x08, 0x6f}, 4);
    g_assert_true(collector_dissect(&c, WIRE_LINK_ETHERNET_FCS, frame, n + 4));
    g_assert_cmpstr(c.layers->str, ==, "eth ip udp tftp fcs");
    g_assert_cmpstr(collector_text(&c, "ip.version"), ==, "4");
    g_assert_cmpstr(collector_text(&c, "ip.hdr_len"), ==, "20 bytes");
    g_assert_cmpuint(collector_value(&c, "ip.hdr_len"), ==, 20);
    g_assert_cmpuint(collector_value(&c, "ip.len"), ==, 83);
    g_assert_cmpstr(collector_text(&c, "ip.id"), ==, "0x9325");
    g_assert_cmpstr(collector_text(&c, "ip.flags"), ==, "none");
    g_assert_cmpuint(collector_value(&c, "ip.ttl"), ==, 128);
    g_assert_cmpstr(collector_text(&c, "ip.proto"), ==, "17 (UDP)");
    g_assert_cmpstr(collector_text(&c, "ip.checksum"), ==, "0x25ec (correct)");
    g_assert_cmpstr(collector_text(&c, "udp.checksum"), ==, "0xac40 (correct)");
    g_assert_cmpuint(collector_value(&c, "udp.checksum_ok"), ==, 1);
    g_assert_cmpuint(collector_value(&c, "udp.sport"), ==, 1492);
    g_assert_cmpuint(collector_value(&c, "udp.dport"), ==, 69);
    g_assert_cmpuint(collector_value(&c, "udp.len"), ==, 63);
    g_assert_cmpstr(collector_text(&c, "tftp.op"), ==, "1 (read request)");
    g_assert_cmpstr(collector_text(&c, "tftp.filename"), ==, "c:\\\\qwerq.qwe");
    g_assert_cmpstr(collector_text(&c, "tftp.mode"), ==, "netascii");
    g_assert_cmpstr(collector_text(&c, "tftp.option"), ==, "blksize");
    g_assert_cmpstr(collector_text(&c, "fcs.checksum"), ==, "0xa9db086f (correct)");
    collector_clear(&c);
    g_assert_cmpstr(dissect_summary(line, sizeof line, WIRE_LINK_ETHERNET, frame, n), ==,
                    "192.168.0.55.1492 > 192.168.0.1.69: TFTP, length 55, RRQ \"c:\\qwerq.qwe\" netascii "
                    "blksize 512 timeout 10 tsize 0");
    frame[24] ^= 0xff; /* the IP checksum */
    g_assert_true(collector_dissect(&c, WIRE_LINK_ETHERNET_FCS, frame, n + 4));
    g_assert_cmpstr(collector_text(&c, "ip.checksum"), ==, "0xdaec (incorrect, should be 0x25ec)");
    g_assert_cmpuint(collector_value(&c, "ip.checksum_ok"), ==, 0);
    g_assert_cmpuint(collector_value(&c, "fcs.checksum_ok"), ==, 0);
    collector_clear(&c);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/wire/golden/arp-request", test_arp_request);
    g_test_add_func("/wire/golden/arp-reply", test_arp_reply);
    g_test_add_func("/wire/golden/tftp", test_tftp);
    g_test_add_func("/wire/golden/arp-explained", test_arp_explained);
    g_test_add_func("/wire/golden/tftp-explained", test_tftp_explained);
    return g_test_run();
}
