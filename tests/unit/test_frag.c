/* Fragmentation and reassembly (RFC 791; Linux ip_do_fragment, ip_frag_queue). */
#include "tests/unit/ip4_bed.h"

typedef struct T {
    Bed *b;
    Ip4 *ip;
    Ip4If *ifp;
    StubDev *dev;
} T;

static T start(void)
{
    T t = {.b = bed_new()};

    t.ip = bed_host(t.b);
    t.ifp = bed_dev(t.b, t.ip, "10.0.0.1/24");
    t.dev = stub_of(t.ifp);
    bed_know(t.ifp, "10.0.0.2", 0x0a0000000002);
    return t;
}

static void in(T *t, uint32_t off, uint32_t len, bool more)
{
    bed_receive(t->ifp, bed_ip(t->b, "10.0.0.2", "10.0.0.1", len,
                               (uint16_t)(off / 8 | (more ? IPV4_FLAG_MF : 0)), 64));
}

static uint64_t mib(T *t, unsigned i)
{
    return ip4_mib(t->ip, i);
}

/* FRAG-01: 4000 bytes over 1500 are 1500, 1500, 1040 at offsets 0, 185, 370; FRAG-02: one id, MF 1 1 0. */
static void test_numbers(void)
{
    T t = start();
    static const uint16_t len[] = {1500, 1500, 1040}, frag[] = {0x2000, 0x2000 | 185, 370};

    g_assert_cmpint(bed_send(t.b, t.ip, "10.0.0.2", 3980), ==, 0);
    g_assert_cmpuint(t.dev->sent->len, ==, 3);
    for (unsigned i = 0; i < 3; i++) {
        const uint8_t *h = sent_at(t.dev, i)->bytes;

        g_assert_cmpuint(sent_at(t.dev, i)->len, ==, len[i]);
        g_assert_cmpuint(ipv4_total_len(h), ==, len[i]);
        g_assert_cmpuint(ipv4_frag(h), ==, frag[i]);
        g_assert_cmpuint(ipv4_id(h), ==, 1);
        g_assert_cmpint(ipv4_check(h), ==, WIRE_OK);
    }
    g_assert_cmpuint(mib(&t, MIB_IpFragOKs), ==, 1);
    g_assert_cmpuint(mib(&t, MIB_IpFragCreates), ==, 3);
    g_assert_cmpuint(mib(&t, MIB_IpOutTransmits), ==, 3);
    g_assert_cmpuint(mib(&t, MIB_IpOutRequests), ==, 1);
    bed_free(t.b);
}

/* Over a wire of 576 and back together: bytes and checksum are those that were sent; nothing was copied. */
static void test_there_and_back(void)
{
    Bed *b = bed_new();
    Ip4 *x = bed_host(b), *y = bed_host(b);
    Ip4If *xi = bed_dev(b, x, "10.0.0.1/24"), *yi = bed_dev(b, y, "10.0.0.2/24");
    Packet *p = bed_packet(b, 3000), *got;
    uint8_t whole[3000];

    bed_join(xi, yi, SIM_MS);
    ip4_if_dev(xi)->mtu = 576;
    ip4_l4_csum(p, addr("10.0.0.1"), addr("10.0.0.2"), IP_PROTO_UDP, 6);
    g_assert_cmpint(ip4_output(x, p, &(Ip4Tx){.dst = addr("10.0.0.2"), .proto = IP_PROTO_UDP}), ==, 0);
    bed_run(b, SIM_SEC);
    g_assert_cmpuint(ip4_mib(y, MIB_IpReasmReqds), ==, 6); /* 552 bytes each */
    g_assert_cmpuint(ip4_mib(y, MIB_IpReasmOKs), ==, 1);
    g_assert_cmpuint(b->got->len, ==, 1);
    got = b->got->pdata[0];
    g_assert_cmpuint(packet_len(got), ==, 3000);
    g_assert_null(got->slice[0].chunk); /* synthetic as it was sent */
    g_assert_cmpuint(got->n_slices, ==, 1);
    packet_copy(got, 0, whole, sizeof whole);
    g_assert_true(payload_matches(whole + 8, 0, 2992));
    g_assert_cmpuint(
        (uint16_t)~checksum_fold(checksum_add(
            ipv4_pseudo_sum(addr("10.0.0.1"), addr("10.0.0.2"), IP_PROTO_UDP, 3000), whole, 3000)),
        ==, 0);
    bed_free(b);
}

static void test_any_order(void)
{
    T t = start();

    in(&t, 2960, 40, false);
    in(&t, 0, 1480, true);
    g_assert_cmpuint(t.b->got->len, ==, 0);
    in(&t, 1480, 1480, true);
    g_assert_cmpuint(t.b->got->len, ==, 1);
    g_assert_cmpuint(packet_len(t.b->got->pdata[0]), ==, 3000);
    bed_free(t.b);
}

/* An exact duplicate, or one within what is there, is dropped and harmless. */
static void test_duplicate(void)
{
    T t = start();

    in(&t, 0, 800, true);
    in(&t, 800, 800, true);
    in(&t, 0, 800, true);
    in(&t, 400, 800, true);
    g_assert_cmpuint(mib(&t, MIB_IpExtReasmOverlaps), ==, 0);
    in(&t, 1600, 8, false);
    g_assert_cmpuint(t.b->got->len, ==, 1);
    bed_free(t.b);
}

/* An overlap kills the datagram; its other fragments never complete. */
static void test_overlap(void)
{
    T t = start();

    in(&t, 0, 800, true);
    in(&t, 1600, 800, true);
    in(&t, 792, 808, true);
    g_assert_cmpuint(mib(&t, MIB_IpExtReasmOverlaps), ==, 1);
    g_assert_cmpuint(mib(&t, MIB_IpReasmFails), ==, 1);
    g_assert_cmpstr(t.b->last_drop, ==, "overlapping fragment");
    g_assert_cmpuint(t.b->drops, ==, 3);
    in(&t, 2400, 8, false);
    in(&t, 800, 800, true);
    g_assert_cmpuint(t.b->got->len, ==, 0);
    bed_free(t.b);
}

/* FRAG-04: after 30 s all is freed, and 11/1 goes out if the first fragment had come; not otherwise. */
static void test_timeout(void)
{
    T t = start();

    in(&t, 0, 800, true);
    bed_run(t.b, 29 * SIM_SEC);
    g_assert_cmpuint(t.b->drops, ==, 0);
    bed_run(t.b, 31 * SIM_SEC);
    g_assert_cmpuint(t.b->icmp->len, ==, 1);
    g_assert_cmpint(icmp_at(t.b, 0)->type, ==, ICMP_TIME_EXCEEDED);
    g_assert_cmpint(icmp_at(t.b, 0)->code, ==, ICMP_EXCEEDED_REASSEMBLY);
    g_assert_cmpint(icmp_at(t.b, 0)->time, ==, 30 * SIM_SEC);
    g_assert_cmpuint(mib(&t, MIB_IpReasmTimeout), ==, 1);
    g_assert_cmpstr(t.b->last_drop, ==, "reassembly timeout");
    in(&t, 800, 8, false);
    bed_run(t.b, 100 * SIM_SEC);
    g_assert_cmpuint(mib(&t, MIB_IpReasmTimeout), ==, 2);
    g_assert_cmpuint(t.b->icmp->len, ==, 1);
    bed_free(t.b);
}

/* Contradictory ends, empty fragments, more than 65535 bytes (the "ping of death"). */
static void test_lies(void)
{
    T t = start();

    in(&t, 800, 8, false);
    in(&t, 1600, 8, false);
    g_assert_cmpuint(mib(&t, MIB_IpReasmFails), ==, 1);
    in(&t, 1600, 0, true);
    g_assert_cmpuint(mib(&t, MIB_IpReasmFails), ==, 2);
    in(&t, 65528, 1000, false);
    g_assert_cmpuint(mib(&t, MIB_IpReasmFails), ==, 3);
    g_assert_cmpuint(t.b->got->len, ==, 0);
    bed_free(t.b);
}

static void test_memory(void)
{
    T t = start();

    ip4_sysctl(t.ip)->ipfrag_high_thresh = 1;
    in(&t, 0, 800, true);
    bed_receive(t.ifp, bed_ip(t.b, "10.0.0.3", "10.0.0.1", 800, IPV4_FLAG_MF, 64));
    g_assert_cmpstr(t.b->last_drop, ==, "reassembly memory");
    g_assert_cmpuint(mib(&t, MIB_IpReasmFails), ==, 1);
    /* inet_frag_find: also what would complete a datagram. */
    in(&t, 800, 8, false);
    g_assert_cmpuint(mib(&t, MIB_IpReasmFails), ==, 2);
    g_assert_cmpuint(t.b->got->len, ==, 0);
    bed_free(t.b);
}

/* ipfrag_max_dist: after so many fragments of other datagrams from there the id may be another one's. */
static void test_distance(void)
{
    T t = start();

    ip4_sysctl(t.ip)->ipfrag_max_dist = 2;
    in(&t, 0, 800, true);
    for (unsigned i = 0; i < 3; i++) {
        Packet *p = bed_ip(t.b, "10.0.0.2", "10.0.0.1", 8, IPV4_FLAG_MF, 64);

        ipv4_set_id(packet_data(p), (uint16_t)(100 + i));
        ipv4_fill_checksum(packet_data(p));
        bed_receive(t.ifp, p);
    }
    in(&t, 800, 8, false);
    g_assert_cmpuint(t.b->got->len, ==, 0);
    g_assert_cmpuint(mib(&t, MIB_IpReasmFails), ==, 1);
    bed_free(t.b);
}

/* DF: refused for a local sender, and by a router with 3/4 and the MTU. */
static void test_df(void)
{
    T t = start();

    g_assert_cmpint(ip4_output(t.ip, bed_packet(t.b, 1481),
                               &(Ip4Tx){.dst = addr("10.0.0.2"), .proto = IP_PROTO_UDP, .df = true}),
                    ==, -EMSGSIZE);
    g_assert_cmpuint(mib(&t, MIB_IpFragFails), ==, 1);
    g_assert_cmpint(ip4_output(t.ip, bed_packet(t.b, 1480),
                               &(Ip4Tx){.dst = addr("10.0.0.2"), .proto = IP_PROTO_UDP, .df = true}),
                    ==, 0);
    g_assert_cmpuint(t.dev->sent->len, ==, 1);
    bed_free(t.b);
}

/* RFC 791: the copied bit says whether an option goes into every fragment. */
static void test_options(void)
{
    T t = start();
    static const uint8_t opts[] = {7, 7,   4, 0,    0,   0,
                                   0, 136, 4, 0x12, 0x34}; /* record route, stream id (copied) */
    const uint8_t *h;

    ip4_output(
        t.ip, bed_packet(t.b, 2000),
        &(Ip4Tx){
            .dst = addr("10.0.0.2"), .proto = IP_PROTO_UDP, .options = opts, .options_len = sizeof opts});
    g_assert_cmpuint(t.dev->sent->len, ==, 2);
    h = sent_at(t.dev, 0)->bytes;
    g_assert_cmpuint(ipv4_hdr_len(h), ==, 32);
    g_assert_cmpmem(h + 20, sizeof opts, opts, sizeof opts);
    g_assert_cmpuint(h[31], ==, 0);
    h = sent_at(t.dev, 1)->bytes;
    g_assert_cmpuint(ipv4_hdr_len(h), ==, 24);
    g_assert_cmpmem(h + 20, 4, opts + 7, 4);
    g_assert_cmpint(ipv4_check(h), ==, WIRE_OK);
    bed_free(t.b);
}

/* A fragment that meets a smaller MTU is cut again: offsets go on, MF of the last piece stays. */
static void test_again(void)
{
    T t = start();
    Ip4If *out = bed_dev(t.b, t.ip, "10.0.1.1/24");

    ip4_sysctl(t.ip)->ip_forward = true;
    ip4_if_dev(out)->mtu = 576;
    bed_know(out, "10.0.1.2", 0x0a0000000003);
    bed_receive(t.ifp, bed_ip(t.b, "10.0.0.2", "10.0.1.2", 1480, IPV4_FLAG_MF | 185, 64));
    g_assert_cmpuint(stub_of(out)->sent->len, ==, 3);
    g_assert_cmpuint(ipv4_frag(sent_at(stub_of(out), 0)->bytes), ==, IPV4_FLAG_MF | 185);
    g_assert_cmpuint(ipv4_frag(sent_at(stub_of(out), 2)->bytes), ==, IPV4_FLAG_MF | (185 + 138));
    bed_free(t.b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ip/frag/numbers", test_numbers);
    g_test_add_func("/ip/frag/there-and-back", test_there_and_back);
    g_test_add_func("/ip/frag/any-order", test_any_order);
    g_test_add_func("/ip/frag/duplicate", test_duplicate);
    g_test_add_func("/ip/frag/overlap", test_overlap);
    g_test_add_func("/ip/frag/timeout", test_timeout);
    g_test_add_func("/ip/frag/lies", test_lies);
    g_test_add_func("/ip/frag/memory", test_memory);
    g_test_add_func("/ip/frag/distance", test_distance);
    g_test_add_func("/ip/frag/df", test_df);
    g_test_add_func("/ip/frag/options", test_options);
    g_test_add_func("/ip/frag/again", test_again);
    return g_test_run();
}
