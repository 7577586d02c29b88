/* Super packets: what comes out of tso_split is what sending segment by segment would have put on the wire;
 * IP lets them pass by the size of their frames. */
#include "models/ether/nic.h"
#include "models/ether/nic_vlan.h"
#include "models/ether/ppp.h"
#include "models/ether/tso.h"
#include "models/wire/ipv6.h"
#include "models/wire/tcp.h"
#include "sim/packet/checksum.h"
#include "tests/unit/test_ip_helper.h"

#define MAX_FRAMES 64

typedef struct Frames {
    Packet *pkt[MAX_FRAMES];
    unsigned n;
} Frames;

static void collect(void *user, Packet *frame)
{
    Frames *f = user;

    g_assert_cmpuint(f->n, <, MAX_FRAMES);
    f->pkt[f->n++] = frame;
}

static void frames_free(Frames *f)
{
    while (f->n)
        packet_unref(f->pkt[--f->n]);
}

typedef struct Segment {
    bool v6;
    uint16_t id, flags;
    uint32_t seq;
    uint64_t off; /* of the synthetic payload */
    uint32_t len;
} Segment;

/* A TCP segment with a timestamp option, from its IP header on, made directly. */
static Packet *segment(PacketPool *pool, const Segment *s)
{
    static const uint8_t timestamps[] = {1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8};
    Packet *p = packet_new(pool, 0, 77, PKT_HEADROOM);
    unsigned ip_len = s->v6 ? IPV6_HDR_LEN : IPV4_MIN_HDR_LEN;
    uint8_t *ip = packet_put(p, ip_len + 32);
    TcpHdr tcp = {
        .src_port = 1000, .dst_port = 2000, .seq = s->seq, .ack = 9, .flags = s->flags, .window = 500};
    uint32_t sum;

    tcp.options_len = sizeof timestamps;
    memcpy(tcp.options, timestamps, sizeof timestamps);
    if (s->v6) {
        Ipv6Hdr h = {.tc = 2,
                     .flow = 0x12345,
                     .payload_len = (uint16_t)(32 + s->len),
                     .next_header = 6,
                     .hop_limit = 64};

        g_assert_true(ipv6_addr_parse("fd3d::1", &h.src) && ipv6_addr_parse("fd3d::2", &h.dst));
        ipv6_encode(ip, &h);
        sum = ipv6_pseudo_sum(h.src.b, h.dst.b, 6, 32 + s->len);
    } else {
        Ipv4Hdr h = {
            .tos = 2, .id = s->id, .df = true, .ttl = 64, .proto = 6, .src = 0x0a000001, .dst = 0x0a000002};

        h.total_len = (uint16_t)(20 + 32 + s->len);
        ipv4_encode(ip, &h);
        ipv4_fill_checksum(ip);
        sum = ipv4_pseudo_sum(h.src, h.dst, 6, 32 + s->len);
    }
    tcp.checksum = checksum_fold(sum);
    tcp_encode(ip + ip_len, &tcp);
    p->l3 = p->head;
    p->l4 = (uint16_t)(p->head + ip_len);
    packet_set_csum_partial(p, p->l4, p->l4 + TCP_CHECKSUM_OFF);
    packet_add_synthetic(p, s->off, s->len);
    return p;
}

static void assert_same(const Packet *a, const Packet *b)
{
    uint8_t x[2000], y[2000];
    uint32_t n = packet_copy(a, 0, x, sizeof x), m = packet_copy(b, 0, y, sizeof y);

    g_assert_cmpmem(x, n, y, m);
    g_assert_cmpuint(a->l3, ==, a->head);
    g_assert_cmpuint(a->csum, ==, PKT_CSUM_PARTIAL);
    g_assert_cmpuint(a->gso_size, ==, 0);
}

static Packet *super(PacketPool *pool, const Segment *s, uint16_t size)
{
    Packet *p = segment(pool, s);

    p->gso_size = size;
    p->gso_segs = (uint16_t)((s->len + size - 1) / size);
    return p;
}

/* 3500 bytes by 1000: four frames. PSH and FIN on the last, CWR on the first, identifications counted up. */
static void split_and_compare(bool v6, bool accecn)
{
    TestNet *net = test_net_new();
    TestHost *a = test_host(net, "a");
    uint16_t all = TCP_ACK | TCP_ECE;
    Segment s = {v6, 65534, TCP_ACK | TCP_ECE | TCP_PSH | TCP_FIN | TCP_CWR, 0xfffffc00, 5000, 3500};
    Packet *p = super(net->pool, &s, 1000);
    uint64_t born = a->node.birth_next;
    Frames f = {0};

    if (accecn)
        p->flags |= PKT_ACCECN;
    tso_split(&a->node, p, collect, &f);
    g_assert_cmpuint(f.n, ==, 4);
    for (unsigned i = 0; i < 4; i++) {
        uint16_t flags =
            (uint16_t)(all | (i == 0 || accecn ? TCP_CWR : 0) | (i == 3 ? TCP_PSH | TCP_FIN : 0));
        Segment want = {
            v6, (uint16_t)(65534 + i), flags, 0xfffffc00 + i * 1000, 5000 + i * 1000, i == 3 ? 500 : 1000};
        Packet *w = segment(net->pool, &want);

        assert_same(f.pkt[i], w);
        packet_unref(w);
    }
    g_assert_cmpuint(f.pkt[0]->birth_id, ==, 77);
    g_assert_cmpuint(f.pkt[1]->birth_id, ==, born);
    g_assert_cmpuint(f.pkt[3]->birth_id, ==, born + 2);
    frames_free(&f);
    test_net_free(net);
}

static void test_split4(void)
{
    split_and_compare(false, false);
    split_and_compare(false, true);
}

static void test_split6(void)
{
    split_and_compare(true, false);
    split_and_compare(true, true);
}

/* Exact multiples give no empty frame; what fits gives one. */
static void test_counts(void)
{
    static const struct {
        uint32_t len;
        unsigned frames;
    } rows[] = {{1, 1}, {999, 1}, {1000, 1}, {1001, 2}, {3000, 3}, {60000, 60}};
    TestNet *net = test_net_new();
    TestHost *a = test_host(net, "a");

    for (unsigned i = 0; i < HS_ARRAY_LEN(rows); i++) {
        Segment s = {.flags = TCP_ACK, .len = rows[i].len};
        Frames f = {0};

        tso_split(&a->node, super(net->pool, &s, 1000), collect, &f);
        g_assert_cmpuint(f.n, ==, rows[i].frames);
        frames_free(&f);
    }
    test_net_free(net);
}

/* ---- through IP ---- */

static Packet *transport(TestNet *net, uint32_t len, uint16_t gso_size)
{
    Segment s = {.flags = TCP_ACK, .len = len};
    Packet *p = segment(net->pool, &s);

    packet_pull(p, IPV4_MIN_HDR_LEN);
    wire_put16(packet_data(p) + TCP_CHECKSUM_OFF, 0); /* ip4_output knows the source */
    p->gso_size = gso_size;
    p->gso_segs = gso_size ? (uint16_t)((len + gso_size - 1) / gso_size) : 0;
    return p;
}

static Packet *count_fragments(void *user, Packet *pkt)
{
    if (ipv4_is_fragment(packet_cdata(pkt)))
        (*(unsigned *)user)++;
    return pkt;
}

static void swallow(void *user, Packet *pkt, const Ip4Rx *rx)
{
    (*(unsigned *)user)++;
    packet_unref(pkt);
}

/* A super packet passes as a whole if its frames fit, and takes an identification for each of them. */
static void test_ip_output(void)
{
    TestNet *net = test_net_new();
    TestHost *a = test_host(net, "a"), *b = test_host(net, "b");
    Ip4Tx tx = {.dst = 0x0a000002, .proto = 6, .df = true};
    unsigned got = 0, fragments = 0;

    test_dev(a, 0, "10.0.0.1/24", NULL);
    test_dev(b, 0, "10.0.0.2/24", &a->dev[0]);
    ip4_set_proto(b->ip, 6, &(Ip4Proto){.input = swallow, .user = &got});
    g_assert_cmpint(ip4_output(a->ip, transport(net, 4000, 1448), &tx), ==, 0);
    g_assert_cmpuint(a->dev[0].n_sent, ==, 1);
    g_assert_cmpuint(ipv4_id(a->dev[0].last), ==, 1);
    g_assert_cmpint(ip4_output(a->ip, transport(net, 1000, 0), &tx), ==, 0);
    g_assert_cmpuint(ipv4_id(a->dev[0].last), ==, 4);
    /* 1449 bytes of payload make frames of 1501. */
    g_assert_cmpint(ip4_output(a->ip, transport(net, 4000, 1449), &tx), ==, -EMSGSIZE);
    g_assert_cmpuint(a->dev[0].n_sent, ==, 2);
    /* Without DF: three frames, of which two are too long and leave as two fragments each. */
    tx.df = false;
    a->dev[0].filter = count_fragments;
    a->dev[0].filter_user = &fragments;
    g_assert_cmpint(ip4_output(a->ip, transport(net, 4000, 1449), &tx), ==, 0);
    g_assert_cmpuint(fragments, ==, 4);
    g_assert_cmpuint(a->dev[0].n_sent, ==, 2 + 5);
    test_net_run(net, SIM_SEC);
    g_assert_cmpuint(got, ==, 1 + 1 + 3);
    test_net_free(net);
}

/* To ourselves nothing is cut. */
static void test_loopback(void)
{
    TestNet *net = test_net_new();
    TestHost *a = test_host(net, "a");
    unsigned got = 0;

    test_dev(a, 0, "10.0.0.1/24", NULL);
    ip4_set_proto(a->ip, 6, &(Ip4Proto){.input = swallow, .user = &got});
    g_assert_cmpint(
        ip4_output(a->ip, transport(net, 40000, 1448), &(Ip4Tx){.dst = 0x0a000001, .proto = 6, .df = true}),
        ==, 0);
    test_net_run(net, SIM_SEC);
    g_assert_cmpuint(got, ==, 1);
    test_net_free(net);
}

/* ---- through devices ---- */

typedef struct Line {
    LinkTx tx;
    unsigned n;
    uint32_t len[8], seq[8];
} Line;

static void line_send(LinkTx *tx, Packet *pkt)
{
    Line *l = (Line *)tx;
    uint8_t seq[4];

    g_assert_cmpuint(l->n, <, HS_ARRAY_LEN(l->len));
    l->len[l->n] = packet_len(pkt);
    packet_copy(pkt, pkt->l4 - pkt->head + TCP_SEQ_OFF, seq, 4);
    l->seq[l->n++] = wire_get32(seq);
    packet_unref(pkt);
}

static void expect_frames(Line *l, unsigned link_len)
{
    g_assert_cmpuint(l->n, ==, 3);
    g_assert_cmpuint(l->len[0], ==, link_len + 20 + 32 + 1448);
    g_assert_cmpuint(l->len[1], ==, link_len + 20 + 32 + 1448);
    g_assert_cmpuint(l->len[2], ==, link_len + 20 + 32 + 104);
    g_assert_cmpuint(l->seq[1], ==, 1448);
    g_assert_cmpuint(l->seq[2], ==, 2896);
    l->n = 0;
}

static void xmit_super(TestNet *net, NetDev *dev, uint16_t gso_size)
{
    Segment s = {.flags = TCP_ACK, .len = 3000};

    dev->ops->xmit(dev, super(net->pool, &s, gso_size), &MAC_BROADCAST, ETH_TYPE_IPV4);
}

static void test_devices(void)
{
    TestNet *net = test_net_new();
    Line line = {.tx.send = line_send};
    Node node;
    Nic *nic;
    NicVlan *vlan;
    Ppp *ppp;

    node_init(&node, net->sim, "card");
    nic = nic_new(&node, "eth0", mac_from_u64(0x020000000001), NULL);
    nic->port.tx = &line.tx;
    nic->port.ops->carrier(&nic->port, true);
    g_assert_true(nic->dev.flags & NETDEV_TSO);
    xmit_super(net, &nic->dev, 1448);
    expect_frames(&line, 14);
    g_assert_cmpuint(netdev_stats(&nic->dev)->tx_packets, ==, 3);
    xmit_super(net, &nic->dev, 1449);
    g_assert_cmpuint(line.n, ==, 0);
    g_assert_cmpuint(nic_stats(nic).tx_too_long, ==, 1);

    vlan = nic_vlan_new(nic, 7, NULL);
    g_assert_true(vlan->dev.flags & NETDEV_TSO);
    xmit_super(net, &vlan->dev, 1448);
    expect_frames(&line, 18);
    nic->port.tx = NULL;
    nic_free(nic);

    ppp = ppp_new(&node, "ppp0", NULL);
    ppp->port.tx = &line.tx;
    ppp->port.ops->carrier(&ppp->port, true);
    g_assert_true(ppp->dev.flags & NETDEV_TSO);
    xmit_super(net, &ppp->dev, 1448);
    expect_frames(&line, 4);
    ppp->port.tx = NULL;
    ppp_free(ppp);
    node_clear(&node);
    test_net_free(net);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ether/tso/split4", test_split4);
    g_test_add_func("/ether/tso/split6", test_split6);
    g_test_add_func("/ether/tso/counts", test_counts);
    g_test_add_func("/ether/tso/ip-output", test_ip_output);
    g_test_add_func("/ether/tso/loopback", test_loopback);
    g_test_add_func("/ether/tso/devices", test_devices);
    return g_test_run();
}
