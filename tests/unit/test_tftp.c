/* TFTP: the request byte by byte, a transfer, and what goes wrong on the way. */
#include "tests/unit/test_ip_helper.h"

#include "models/app/tftp.h"

typedef struct Got {
    GByteArray *data;
    unsigned n_done;
    TftpResult r;
} Got;

static void on_data(void *user, const uint8_t *p, size_t len)
{
    g_byte_array_append(((Got *)user)->data, p, (guint)len);
}

static void on_done(void *user, const TftpResult *r)
{
    Got *g = user;

    g->n_done++;
    g->r = *r;
}

static Got get(TestPair *p, const TftpGetOptions *o, SimTime how_long)
{
    Got g = {.data = g_byte_array_new()};
    TftpClient *c = tftp_get(p->a->udp, p->a->ip, o, &(TftpEvents){on_data, on_done, &g});

    test_net_run(p->net, how_long);
    g_assert_cmpuint(g.n_done, ==, 1);
    tftp_client_free(c);
    return g;
}

/* HEX-03: a read request as a Windows machine once sent it; here from its UDP header on. */
static void request_bytes(void)
{
    static const uint8_t want[] = {
        0x05, 0xd4, 0x00, 0x45, 0x00, 0x3f, 0xac, 0x40, 0x00, 0x01, 0x63, 0x3a, 0x5c, 0x71, 0x77, 0x65,
        0x72, 0x71, 0x2e, 0x71, 0x77, 0x65, 0x00, 0x6e, 0x65, 0x74, 0x61, 0x73, 0x63, 0x69, 0x69, 0x00,
        0x62, 0x6c, 0x6b, 0x73, 0x69, 0x7a, 0x65, 0x00, 0x35, 0x31, 0x32, 0x00, 0x74, 0x69, 0x6d, 0x65,
        0x6f, 0x75, 0x74, 0x00, 0x31, 0x30, 0x00, 0x74, 0x73, 0x69, 0x7a, 0x65, 0x00, 0x30, 0x00,
    };
    TestNet *net = test_net_new();
    TestHost *a = test_host(net, "a");
    TftpGetOptions o = {
        .server = {IPV4_ADDR(192, 168, 0, 1), 0},
        .port = 1492,
        .filename = "c:\\qwerq.qwe",
        .mode = "netascii",
        .blksize = 512,
        .timeout_s = 10,
        .tsize = true,
    };
    TftpClient *c;

    test_dev(a, 0, "192.168.0.55/24", NULL);
    c = tftp_get(a->udp, a->ip, &o, NULL);
    g_assert_cmpmem(a->dev[0].last + 20, a->dev[0].last_len - 20, want, sizeof want);
    tftp_client_free(c);
    test_net_free(net);
}

/* UDP-10: "server answers from a fresh port and the transfer continues there". 512-byte blocks; the last is
 * shorter. */
static void transfer(void)
{
    TestPair p = test_pair();
    TftpServer *s = tftp_server_new(p.b->udp, p.b->ip, 0, 0);
    TftpServerStats st;
    Got g;

    tftp_server_add_file(s, "file", NULL, 1300);
    g = get(&p, &(TftpGetOptions){.server = {TEST_B, 0}, .filename = "file"}, 10 * SIM_SEC);
    g_assert_true(g.r.ok);
    g_assert_cmpuint(g.r.blocks, ==, 3);
    g_assert_cmpuint(g.data->len, ==, 1300);
    g_assert_true(payload_matches(g.data->data, 0, 1300));
    g_assert_cmpuint(g.r.server.port, >=, 32768);
    g_assert_cmpint(g.r.time, ==, 6 * WIRE_DELAY); /* three round trips: request, two acknowledgments */
    g_byte_array_free(g.data, TRUE);
    tftp_server_stats(s, &st);
    g_assert_cmpuint(st.completed, ==, 1);
    tftp_server_free(s);
    test_net_free(p.net);
}

/* RFC 1350 section 6: a file that is a multiple of the block ends with an empty block. */
static void exact_multiple(void)
{
    TestPair p = test_pair();
    TftpServer *s = tftp_server_new(p.b->udp, p.b->ip, 0, 0);
    Got g;

    tftp_server_add_file(s, "file", NULL, 1024);
    tftp_server_add_file(s, "empty", "", 0);
    g = get(&p, &(TftpGetOptions){.server = {TEST_B, 0}, .filename = "file"}, 10 * SIM_SEC);
    g_assert_true(g.r.ok);
    g_assert_cmpuint(g.r.blocks, ==, 3);
    g_assert_cmpuint(g.data->len, ==, 1024);
    g_byte_array_free(g.data, TRUE);
    g = get(&p, &(TftpGetOptions){.server = {TEST_B, 0}, .filename = "empty"}, 10 * SIM_SEC);
    g_assert_true(g.r.ok);
    g_assert_cmpuint(g.r.blocks, ==, 1);
    g_byte_array_free(g.data, TRUE);
    tftp_server_free(s);
    test_net_free(p.net);
}

/* RFC 2347 to 2349: OACK says what holds, ACK 0 accepts it. */
static void with_options(void)
{
    TestPair p = test_pair();
    TftpServer *s = tftp_server_new(p.b->udp, p.b->ip, 0, 0);
    Got g;

    tftp_server_add_file(s, "file", NULL, 5000);
    g = get(&p,
            &(TftpGetOptions){
                .server = {TEST_B, 0}, .filename = "file", .blksize = 1428, .timeout_s = 3, .tsize = true},
            10 * SIM_SEC);
    g_assert_true(g.r.ok);
    g_assert_cmpuint(g.r.blksize, ==, 1428);
    g_assert_cmpint(g.r.tsize, ==, 5000);
    g_assert_cmpuint(g.r.blocks, ==, 4);
    g_assert_true(payload_matches(g.data->data, 0, 5000));
    g_byte_array_free(g.data, TRUE);
    tftp_server_free(s);
    test_net_free(p.net);
}

/* RFC 1350 section 1: netascii has CR LF for a line's end, and CR NUL for a bare CR. */
static void netascii(void)
{
    TestPair p = test_pair();
    TftpServer *s = tftp_server_new(p.b->udp, p.b->ip, 0, 0);
    Got g;

    tftp_server_add_file(s, "file", "a\nb\rc", 5);
    g = get(&p, &(TftpGetOptions){.server = {TEST_B, 0}, .filename = "file", .mode = "netascii"},
            10 * SIM_SEC);
    g_assert_true(g.r.ok);
    g_assert_cmpmem(g.data->data, g.data->len, "a\r\nb\r\0c", 7);
    g_byte_array_free(g.data, TRUE);
    tftp_server_free(s);
    test_net_free(p.net);
}

static Packet *lossy(void *user, Packet *pkt)
{
    unsigned *n = user;

    if (++*n % 4)
        return pkt;
    packet_unref(pkt);
    return NULL;
}

/* Every fourth packet is lost each way: it takes time, and nothing is missing or double. */
static void loss(void)
{
    TestPair p = test_pair();
    TftpServer *s = tftp_server_new(p.b->udp, p.b->ip, 0, 0);
    unsigned n[2] = {0, 2};
    TftpServerStats st;
    Got g;

    tftp_server_add_file(s, "file", NULL, 20000);
    p.a->dev[0].filter = p.b->dev[0].filter = lossy;
    p.a->dev[0].filter_user = &n[0];
    p.b->dev[0].filter_user = &n[1];
    g = get(&p, &(TftpGetOptions){.server = {TEST_B, 0}, .filename = "file", .timeout_s = 1}, 500 * SIM_SEC);
    g_assert_true(g.r.ok);
    g_assert_cmpuint(g.data->len, ==, 20000);
    g_assert_true(payload_matches(g.data->data, 0, 20000));
    tftp_server_stats(s, &st);
    g_assert_cmpuint(st.retransmits + g.r.retransmits, >, 5);
    g_byte_array_free(g.data, TRUE);
    test_net_run(p.net, 20 * SIM_SEC);
    tftp_server_free(s);
    test_net_free(p.net);
}

static void errors(void)
{
    TestPair p = test_pair();
    TftpServer *s = tftp_server_new(p.b->udp, p.b->ip, 0, 0);
    UdpSock *raw = udpsock_new(p.a->udp);
    uint8_t buf[64], wrq[] = "\0\2f\0octet";
    TftpMsg m;
    Got g;
    int n;

    g = get(&p, &(TftpGetOptions){.server = {TEST_B, 0}, .filename = "none"}, SIM_SEC);
    g_assert_false(g.r.ok);
    g_assert_cmpint(g.r.error_code, ==, TFTP_ERR_NOT_FOUND);
    g_assert_cmpstr(g.r.error_msg, ==, "File not found");
    g_byte_array_free(g.data, TRUE);
    udpsock_send(raw, &(UdpSend){.to = &(UdpAddr){TEST_B, 69}, .bytes = wrq, .len = sizeof wrq});
    test_net_run(p.net, SIM_SEC);
    n = udpsock_recv(raw, buf, sizeof buf, NULL);
    g_assert_cmpint(n, >, 4);
    g_assert_cmpint(tftp_decode(&m, buf, (size_t)n), >, 0);
    g_assert_cmpuint(m.op, ==, TFTP_ERROR);
    g_assert_cmpuint(m.error_code, ==, TFTP_ERR_ACCESS);
    /* Nobody there: the request is repeated, then given up. */
    p.a->dev[0].is_cut = true;
    g = get(&p, &(TftpGetOptions){.server = {TEST_B, 0}, .filename = "x"}, 100 * SIM_SEC);
    g_assert_false(g.r.ok);
    g_assert_cmpuint(g.r.retransmits, ==, TFTP_RETRIES);
    g_assert_cmpint(g.r.error_code, ==, -1);
    g_byte_array_free(g.data, TRUE);
    tftp_server_free(s);
    test_net_free(p.net);
}

/* RFC 1350 section 4: who is not our server is told so with error 5; section 7: "an error packet is not
 * acknowledged", so one from a stranger is not answered: two clients that take each other for strangers would
 * go on for ever. */
static void strangers(void)
{
    TestPair p = test_pair();
    UdpSock *server = udpsock_new(p.b->udp), *stranger = udpsock_new(p.b->udp);
    UdpAddr client = {TEST_A, 4000};
    uint8_t data[516] = {0, 3, 0, 1}, error[] = "\0\5\0\5no", buf[64];
    TftpClient *c;

    udpsock_bind(server, (UdpAddr){0, 69});
    c = tftp_get(p.a->udp, p.a->ip,
                 &(TftpGetOptions){.server = {TEST_B, 0}, .port = client.port, .filename = "f"}, NULL);
    udpsock_send(server, &(UdpSend){.to = &client, .bytes = data, .len = sizeof data});
    test_net_run(p.net, SIM_SEC);
    udpsock_send(stranger, &(UdpSend){.to = &client, .bytes = error, .len = sizeof error});
    test_net_run(p.net, SIM_SEC);
    g_assert_cmpint(udpsock_recv(stranger, buf, sizeof buf, NULL), ==, -EAGAIN);
    udpsock_send(stranger, &(UdpSend){.to = &client, .bytes = data, .len = sizeof data});
    test_net_run(p.net, SIM_SEC);
    g_assert_cmpint(udpsock_recv(stranger, buf, sizeof buf, NULL), >, 4);
    g_assert_cmpuint(wire_get16(buf + 2), ==, TFTP_ERR_UNKNOWN_TID);
    tftp_client_free(c);
    test_net_free(p.net);
}

static Packet *twice(void *user, Packet *pkt)
{
    TestDev *d = user;
    TestFlight *f = g_new(TestFlight, 1);

    *f = (TestFlight){d->peer, packet_ref(pkt)};
    node_after(d->peer->dev.node, WIRE_DELAY + SIM_US, test_dev_arrive, f);
    return pkt;
}

/* RFC 1123 4.2.3.1: every acknowledgment arrives twice, and still each block is sent once. (The request
 * comes twice as well and opens a second transfer, which the client refuses with error 5, unknown transfer
 * ID.) */
static void apprentice(void)
{
    TestPair p = test_pair();
    TftpServer *s = tftp_server_new(p.b->udp, p.b->ip, 0, 0);
    TftpServerStats st;
    Got g;

    tftp_server_add_file(s, "file", NULL, 5000);
    p.a->dev[0].filter = twice;
    p.a->dev[0].filter_user = &p.a->dev[0];
    g = get(&p, &(TftpGetOptions){.server = {TEST_B, 0}, .filename = "file"}, 10 * SIM_SEC);
    g_assert_true(g.r.ok);
    g_assert_cmpuint(g.data->len, ==, 5000);
    tftp_server_stats(s, &st);
    g_assert_cmpuint(st.completed, ==, 1);
    g_assert_cmpuint(st.aborted, ==, 1);
    g_assert_cmpuint(st.retransmits, ==, 0);
    /* 10 blocks, one more from the second transfer; acknowledgments to a port that closed may draw errors.
     */
    g_assert_cmpuint(udp_mib(p.b->udp, MIB_UdpOutDatagrams), ==, 11);
    g_byte_array_free(g.data, TRUE);
    tftp_server_free(s);
    test_net_free(p.net);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/app/tftp/request-bytes", request_bytes);
    g_test_add_func("/app/tftp/transfer", transfer);
    g_test_add_func("/app/tftp/exact-multiple", exact_multiple);
    g_test_add_func("/app/tftp/options", with_options);
    g_test_add_func("/app/tftp/netascii", netascii);
    g_test_add_func("/app/tftp/loss", loss);
    g_test_add_func("/app/tftp/errors", errors);
    g_test_add_func("/app/tftp/strangers", strangers);
    g_test_add_func("/app/tftp/sorcerers-apprentice", apprentice);
    return g_test_run();
}
