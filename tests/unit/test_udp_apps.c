/* The UDP source, sink and echo server. */
#include "tests/unit/test_ip_helper.h"

#include "models/app/udp_echo.h"
#include "models/app/udp_sink.h"
#include "models/app/udp_source.h"

static Packet *drop_some(void *user, Packet *pkt)
{
    unsigned *n = user;

    if (++*n % 10 != 3)
        return pkt;
    packet_unref(pkt);
    return NULL;
}

/* Constant bit rate; what is lost is seen (UDP-05: the sender is told nothing). */
static void source_and_sink(void)
{
    TestPair p = test_pair();
    UdpSink *sink = udp_sink_new(p.b->udp, 9000, NULL, NULL);
    UdpSourceOptions o = {.to = {TEST_B, 9000}, .size = 1000, .gap = 10 * SIM_MS, .count = 100};
    UdpSource *src = udp_source_new(p.a->udp, p.a->ip, &o, NULL, NULL);
    UdpSourceResult sr;
    UdpSinkResult r;
    unsigned n = 0;

    p.a->dev[0].filter = drop_some;
    p.a->dev[0].filter_user = &n;
    test_net_run(p.net, 10 * SIM_SEC);
    udp_source_result(src, &sr);
    udp_sink_result(sink, &r);
    g_assert_cmpuint(sr.sent, ==, 100);
    g_assert_cmpuint(sr.failed, ==, 0);
    g_assert_cmpuint(r.received, ==, 90);
    g_assert_cmpuint(r.bytes, ==, 90000);
    g_assert_cmpuint(r.lost, ==, 10);
    g_assert_cmpuint(r.reordered, ==, 0);
    g_assert_cmpint(r.first, ==, WIRE_DELAY);
    g_assert_cmpint(r.last, ==, 990 * SIM_MS + WIRE_DELAY);
    g_assert_cmpint(r.longest_gap, ==, 20 * SIM_MS);
    udp_source_free(src);
    udp_sink_free(sink);
    test_net_free(p.net);
}

/* 20 ms of sending, 80 ms of silence: a fifth of the datagrams. */
static void on_off(void)
{
    TestPair p = test_pair();
    UdpSink *sink = udp_sink_new(p.b->udp, 9000, NULL, NULL);
    UdpSourceOptions o = {
        .to = {TEST_B, 9000}, .size = 100, .gap = SIM_MS, .on = 20 * SIM_MS, .off = 80 * SIM_MS};
    UdpSource *src = udp_source_new(p.a->udp, p.a->ip, &o, NULL, NULL);
    UdpSinkResult r;

    test_net_run(p.net, 10 * SIM_SEC - 2 * SIM_MS);
    udp_sink_result(sink, &r);
    g_assert_cmpuint(r.received, ==, 2000);
    g_assert_cmpint(r.longest_gap, ==, 81 * SIM_MS);
    udp_source_stop(src);
    udp_source_free(src);
    udp_sink_free(sink);
    test_net_free(p.net);
}

/* ICMP-10: "in the historic profile the source doubles its gap and recovers slowly". */
static void quench(void)
{
    TestPair p = test_pair();
    UdpSourceOptions o = {.to = {TEST_B, 9000}, .size = 100, .gap = 10 * SIM_MS, .port = 5000};
    UdpSource *src = udp_source_new(p.a->udp, p.a->ip, &o, NULL, NULL);
    UdpSink *sink = udp_sink_new(p.b->udp, 9000, NULL, NULL);
    UdpSourceResult r;
    uint8_t msg[8 + 28] = {ICMP_SOURCE_QUENCH};

    test_net_run(p.net, SIM_SEC);
    memcpy(msg + 8, p.a->dev[0].last, 28);
    icmp_fill_checksum(msg, sizeof msg);
    test_send_ip(p.b, &(Ip4Tx){.dst = TEST_A, .proto = IP_PROTO_ICMP}, msg, sizeof msg);
    test_net_run(p.net, 100 * SIM_MS);
    udp_source_result(src, &r);
    g_assert_cmpint(r.gap, ==, 10 * SIM_MS); /* RFC 6633: ignored */
    ip4_sysctl(p.a->ip)->source_quench = true;
    test_send_ip(p.b, &(Ip4Tx){.dst = TEST_A, .proto = IP_PROTO_ICMP}, msg, sizeof msg);
    test_net_run(p.net, 100 * SIM_MS);
    udp_source_result(src, &r);
    g_assert_cmpint(r.gap, ==, 20 * SIM_MS);
    test_net_run(p.net, 5 * SIM_SEC);
    udp_source_result(src, &r);
    g_assert_cmpint(r.gap, <, 18 * SIM_MS);
    g_assert_cmpint(r.gap, >, 15 * SIM_MS);
    test_net_run(p.net, 1000 * SIM_SEC);
    udp_source_result(src, &r);
    g_assert_cmpint(r.gap, ==, 10 * SIM_MS);
    udp_source_free(src);
    udp_sink_free(sink);
    test_net_free(p.net);
}

static void echo(void)
{
    TestPair p = test_pair();
    UdpEcho *e = udp_echo_new(p.b->udp, UDP_ECHO_PORT);
    UdpSock *s = udpsock_new(p.a->udp);
    static uint8_t buf[5000];
    UdpRecv r;

    g_assert_null(udp_echo_new(p.b->udp, UDP_ECHO_PORT));
    udpsock_send(s, &(UdpSend){.to = &(UdpAddr){TEST_B, 7}, .bytes = "hello", .len = 5});
    udpsock_send(s, &(UdpSend){.to = &(UdpAddr){TEST_B, 7}, .synthetic_off = 3, .len = 5000});
    test_net_run(p.net, SIM_SEC);
    g_assert_cmpint(udpsock_recv(s, buf, sizeof buf, &r), ==, 5);
    g_assert_cmpmem(buf, 5, "hello", 5);
    g_assert_cmpint(udpsock_recv(s, buf, sizeof buf, &r), ==, 5000);
    g_assert_true(payload_matches(buf, 3, 5000));
    g_assert_cmpuint(r.from.port, ==, 7);
    g_assert_cmpuint(udp_echo_count(e), ==, 2);
    udp_echo_free(e);
    test_net_free(p.net);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/app/udp/source-and-sink", source_and_sink);
    g_test_add_func("/app/udp/on-off", on_off);
    g_test_add_func("/app/udp/source-quench", quench);
    g_test_add_func("/app/udp/echo", echo);
    return g_test_run();
}
