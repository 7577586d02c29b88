/* Fast Open (RFC 7413). The cookies are those of a real kernel for the key
 * a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4 and the addresses 192.0.2.1 and 192.168.0.1, and for the all-zero key.
 */
#include <sys/socket.h>

#include "tests/unit/tcp_peer.h"

#define MIB(p, name) tcp_mib((p)->tcp, MIB_##name)

static const uint8_t key1[16] = {0xa1, 0xa1, 0xa1, 0xa1, 0xb2, 0xb2, 0xb2, 0xb2,
                                 0xc3, 0xc3, 0xc3, 0xc3, 0xd4, 0xd4, 0xd4, 0xd4};
static const uint8_t zero_key[16];
static const uint8_t cookie1[8] = {0x30, 0x21, 0xb9, 0xd8, 0x89, 0x01, 0x7e, 0xeb};
static const uint8_t cookie0[8] = {0xb7, 0xc1, 0x23, 0x50, 0xa9, 0x0d, 0xc8, 0xf5};

static InetAddr parse(const char *s)
{
    InetAddr a;

    g_assert_true(inet_parse(s, &a));
    return a;
}

static void test_vectors(void)
{
    static const uint8_t cookie1_v6[8] = {0xc1, 0xd1, 0xe9, 0x74, 0x2a, 0x47, 0xa9, 0xbc};
    static const uint8_t cookie0_v6[8] = {0x82, 0xaf, 0x1a, 0x8f, 0x9a, 0x20, 0x5c, 0x34};
    InetAddr client = parse(PEER_ADDR), server = parse(PEER_HOST);
    InetAddr client6 = parse("fd3d:fa7b:d17d::1"), server6 = parse("fd3d:0a0b:17d6::1");
    uint8_t got[8];

    tcp_fastopen_make_cookie(NULL, key1, &client, &server, false, got);
    g_assert_cmpmem(got, 8, cookie1, 8);
    tcp_fastopen_make_cookie(NULL, zero_key, &client, &server, false, got);
    g_assert_cmpmem(got, 8, cookie0, 8);
    tcp_fastopen_make_cookie(NULL, key1, &client6, &server6, true, got);
    g_assert_cmpmem(got, 8, cookie1_v6, 8);
    tcp_fastopen_make_cookie(NULL, zero_key, &client6, &server6, true, got);
    g_assert_cmpmem(got, 8, cookie0_v6, 8);
}

static TcpConn *server(Peer *p, uint32_t bits, uint32_t qlen)
{
    TcpConn *l;

    tcp_sysctl(p->tcp)->tcp_fastopen = bits;
    memcpy(tcp_sysctl(p->tcp)->tcp_fastopen_key[0], key1, 16);
    tcp_sysctl(p->tcp)->n_fastopen_keys = 1;
    l = peer_listen(p, 5);
    tcp_listen_get(l)->fastopen_max_qlen = qlen;
    return l;
}

static void syn(Peer *p, uint16_t port, const uint8_t *cookie, unsigned cookie_len, uint32_t len)
{
    PeerIn in = {.src_port = port,
                 .flags = TCP_SYN,
                 .seq = 1000,
                 .window = 65535,
                 .len = len,
                 .opt = {.has_mss = true, .mss = 1000}};

    if (cookie) {
        in.opt.has_fastopen = true;
        in.opt.fastopen_cookie_len = (uint8_t)cookie_len;
        memcpy(in.opt.fastopen_cookie, cookie, cookie_len);
    }
    peer_send(p, &in);
}

/* Asking for a cookie; using it; data is there before the handshake ends. */
static void test_server(void)
{
    Peer *p = peer_new(1);
    TcpConn *l = server(p, 3, 5), *c;
    const PeerSeg *s;
    char buf[200];
    TcpRecv r = {.bytes = buf, .len = sizeof(buf)};
    uint32_t isn;
    int err;

    syn(p, 40000, cookie1, 0, 0);
    s = peer_next(p);
    g_assert_true(s->opt.has_fastopen);
    g_assert_cmpmem(s->opt.fastopen_cookie, s->opt.fastopen_cookie_len, cookie1, 8);
    g_assert_cmpuint(MIB(p, TcpExtTCPFastOpenCookieReqd), ==, 1);
    syn(p, 40001, cookie1, 8, 100);
    s = peer_next(p);
    isn = s->tcp.seq;
    g_assert_cmpint(s->tcp.flags, ==, TCP_SYN | TCP_ACK);
    g_assert_cmpuint(s->tcp.ack, ==, 1101);
    g_assert_false(s->opt.has_fastopen);
    c = tcp_accept(l, &err);
    g_assert_nonnull(c);
    g_assert_cmpint(tcp_state(c), ==, TCP_SYN_RECV);
    g_assert_cmpint(tcp_recv(c, &r), ==, 100);
    g_assert_cmpuint(l->listen->fastopen_qlen, ==, 1);
    g_assert_cmpint(tcp_send(c, &(TcpSend){.len = 50}), ==, 50); /* an answer before the ACK */
    s = peer_next(p);
    g_assert_cmpuint(s->tcp.seq, ==, isn + 1);
    g_assert_cmpuint(s->len, ==, 50);
    peer_run(p, 500 * SIM_MS);
    peer_send(p,
              &(PeerIn){.src_port = 40001, .flags = TCP_ACK, .seq = 1101, .ack = isn + 51, .window = 65535});
    g_assert_cmpint(tcp_state(c), ==, TCP_ESTABLISHED);
    g_assert_cmpuint(l->listen->fastopen_qlen, ==, 0);
    g_assert_cmpuint(MIB(p, TcpExtTCPFastOpenPassive), ==, 1);
    tcp_close(c);
    tcp_close(l);
    peer_free(p);
}

/* The SYN-ACK of a child is retransmitted by the child. */
static void test_server_retransmits(void)
{
    Peer *p = peer_new(1);
    TcpConn *l = server(p, 3, 5);
    uint32_t isn;

    syn(p, 40001, cookie1, 8, 100);
    isn = peer_next(p)->tcp.seq;
    peer_run(p, 4 * SIM_SEC);
    for (unsigned i = 0; i < 2; i++) {
        const PeerSeg *s = peer_next(p);

        g_assert_cmpint(s->tcp.flags, ==, TCP_SYN | TCP_ACK);
        g_assert_cmpuint(s->tcp.seq, ==, isn);
        g_assert_cmpuint(s->tcp.ack, ==, 1101);
        g_assert_cmpint(s->time, ==, i ? 3 * SIM_SEC : SIM_SEC);
    }
    peer_nothing(p);
    tcp_close(l);
    peer_free(p);
}

/* What makes the server ignore the data of the SYN: bits of tcp_fastopen, cookie, room. */
static void test_server_refuses(void)
{
    static const uint8_t wrong[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const struct {
        uint32_t bits, qlen;
        const uint8_t *cookie;
        unsigned len;
        bool takes_data, sends_cookie;
    } rows[] = {
        {1, 5, cookie1, 8, false, false}, /* no server */
        {3, 0, cookie1, 8, false, false}, /* the listener has not asked for it */
        {3, 5, wrong, 8, false, true},    /* bad cookie: the right one comes back */
        {3, 5, cookie1, 4, false, true},  {3, 5, NULL, 0, false, false},
        {3, 5, cookie1, 8, true, false},  {0x203, 5, NULL, 0, true, false}, /* TFO_SERVER_COOKIE_NOT_REQD */
    };

    for (unsigned i = 0; i < HS_ARRAY_LEN(rows); i++) {
        Peer *p = peer_new(1);
        TcpConn *l = server(p, rows[i].bits, rows[i].qlen);
        const PeerSeg *s;

        syn(p, 40001, rows[i].cookie, rows[i].len, 100);
        s = peer_next(p);
        g_assert_cmpint(s->tcp.flags, ==, TCP_SYN | TCP_ACK);
        g_assert_cmpuint(s->tcp.ack, ==, rows[i].takes_data ? 1101 : 1001);
        g_assert_cmpint(s->opt.has_fastopen, ==, rows[i].sends_cookie);
        tcp_close(l);
        peer_free(p);
    }
}

/* RFC 7413 5.1: the limit; a child that was reset after accept counts for 60 s more. */
static void test_server_limit(void)
{
    Peer *p = peer_new(1);
    TcpConn *l = server(p, 3, 1), *c;
    int err;

    syn(p, 40001, cookie1, 8, 100);
    g_assert_cmpuint(peer_next(p)->tcp.ack, ==, 1101);
    syn(p, 40002, cookie1, 8, 100);
    g_assert_cmpuint(peer_next(p)->tcp.ack, ==, 1001);
    g_assert_cmpuint(MIB(p, TcpExtTCPFastOpenListenOverflow), ==, 1);
    c = tcp_accept(l, &err);
    peer_send(p, &(PeerIn){.src_port = 40001, .flags = TCP_RST, .seq = 1101});
    g_assert_cmpint(tcp_state(c), ==, TCP_CLOSE);
    tcp_close(c);
    peer_run(p, 50 * SIM_SEC);
    p->taken = p->sent->len;
    syn(p, 40003, cookie1, 8, 100);
    g_assert_cmpuint(peer_next(p)->tcp.ack, ==, 1001);
    peer_run(p, 61 * SIM_SEC);
    p->taken = p->sent->len;
    syn(p, 40004, cookie1, 8, 100);
    g_assert_cmpuint(peer_next(p)->tcp.ack, ==, 1101);
    tcp_close(l);
    peer_free(p);
}

/* Two keys: the second is still honoured, and answered with a cookie of the first. */
static void test_key_rotation(void)
{
    Peer *p = peer_new(1);
    TcpConn *l = server(p, 3, 5);
    const PeerSeg *s;

    memcpy(tcp_sysctl(p->tcp)->tcp_fastopen_key[0], zero_key, 16);
    memcpy(tcp_sysctl(p->tcp)->tcp_fastopen_key[1], key1, 16);
    tcp_sysctl(p->tcp)->n_fastopen_keys = 2;
    syn(p, 40001, cookie1, 8, 100);
    s = peer_next(p);
    g_assert_cmpuint(s->tcp.ack, ==, 1101);
    g_assert_cmpmem(s->opt.fastopen_cookie, s->opt.fastopen_cookie_len, cookie0, 8);
    g_assert_cmpuint(MIB(p, TcpExtTCPFastOpenPassiveAltKey), ==, 1);
    tcp_close(l);
    peer_free(p);
}

/* ---- the client ---- */

static int64_t send_fast(TcpConn *c, size_t len)
{
    static InetEndpoint to;

    to = peer_endpoint(PEER_ADDR, 80);
    return tcp_send(c, &(TcpSend){.len = len, .flags = MSG_FASTOPEN, .to = &to});
}

static void answer(Peer *p, const PeerSeg *syn_seg, uint32_t ack, bool with_cookie)
{
    PeerIn in = {.src_port = 80,
                 .dst_port = syn_seg->tcp.src_port,
                 .flags = TCP_SYN | TCP_ACK,
                 .seq = 5000,
                 .ack = ack,
                 .window = 65535,
                 .opt = {.has_mss = true, .mss = 940, .has_sack_permitted = true}};

    if (with_cookie) {
        in.opt.has_fastopen = true;
        in.opt.fastopen_cookie_len = 8;
        memcpy(in.opt.fastopen_cookie, cookie1, 8);
    }
    peer_send(p, &in);
}

static void reset(Peer *p, const PeerSeg *s)
{
    peer_send(p, &(PeerIn){.src_port = 80, .dst_port = s->tcp.src_port, .flags = TCP_RST, .seq = 5001});
    p->taken = p->sent->len;
}

/* First without a cookie; then 900 bytes in the SYN: the peer's MSS less room for options. */
static TcpConn *second_attempt(Peer *p, size_t len, PeerSeg *out)
{
    TcpConn *c = tcp_socket(p->tcp, false);
    PeerSeg first;

    tcp_sysctl(p->tcp)->tcp_timestamps = 0;
    g_assert_cmpint(send_fast(c, len), ==, -EINPROGRESS);
    first = *peer_next(p);
    g_assert_cmpuint(first.len, ==, 0);
    g_assert_true(first.opt.has_fastopen);
    g_assert_cmpuint(first.opt.fastopen_cookie_len, ==, 0);
    answer(p, &first, first.tcp.seq + 1, true);
    g_assert_cmpint(tcp_state(c), ==, TCP_ESTABLISHED);
    reset(p, &first);
    tcp_close(c);
    c = tcp_socket(p->tcp, false);
    g_assert_cmpint(send_fast(c, len), ==, (int64_t)HS_MIN(len, 900u));
    *out = *peer_next(p);
    g_assert_cmpint(out->tcp.flags, ==, TCP_SYN);
    g_assert_cmpmem(out->opt.fastopen_cookie, out->opt.fastopen_cookie_len, cookie1, 8);
    return c;
}

static void test_client(void)
{
    Peer *p = peer_new(1);
    PeerSeg s;
    TcpConn *c = second_attempt(p, 2000, &s);
    const PeerSeg *a;

    g_assert_cmpuint(s.len, ==, 900);
    answer(p, &s, s.tcp.seq + 901, false);
    g_assert_cmpint(tcp_state(c), ==, TCP_ESTABLISHED);
    a = peer_next(p);
    g_assert_cmpint(a->tcp.flags, ==, TCP_ACK);
    g_assert_cmpuint(a->tcp.seq, ==, s.tcp.seq + 901);
    g_assert_cmpuint(MIB(p, TcpExtTCPFastOpenActive), ==, 1);
    g_assert_cmpuint(c->packets_out, ==, 0);
    peer_nothing(p);
    tcp_close(c);
    peer_free(p);
}

/* Only the SYN is acknowledged: the data goes again at once. */
static void test_client_data_refused(void)
{
    Peer *p = peer_new(1);
    PeerSeg s;
    TcpConn *c = second_attempt(p, 500, &s);
    const PeerSeg *again;

    answer(p, &s, s.tcp.seq + 1, false);
    again = peer_next(p);
    g_assert_cmpuint(again->tcp.seq, ==, s.tcp.seq + 1);
    g_assert_cmpuint(again->len, ==, 500);
    g_assert_cmpint(again->tcp.flags, ==, TCP_ACK | TCP_PSH);
    g_assert_cmpuint(MIB(p, TcpExtTCPFastOpenActiveFail), ==, 1);
    tcp_close(c);
    peer_free(p);
}

/* The SYN with data is lost: the next one is plain. */
static void test_client_syn_lost(void)
{
    Peer *p = peer_new(1);
    PeerSeg s;
    TcpConn *c = second_attempt(p, 500, &s);
    const PeerSeg *again;

    peer_run(p, 1500 * SIM_MS);
    again = peer_next(p);
    g_assert_cmpint(again->time, ==, SIM_SEC);
    g_assert_cmpint(again->tcp.flags, ==, TCP_SYN);
    g_assert_cmpuint(again->len, ==, 0);
    g_assert_false(again->opt.has_fastopen);
    answer(p, again, s.tcp.seq + 1, false);
    again = peer_next(p);
    g_assert_cmpuint(again->len, ==, 500);
    tcp_close(c);
    peer_free(p);
}

/* TCP_FASTOPEN_CONNECT: nothing is sent until the first write. */
static void test_client_deferred(void)
{
    Peer *p = peer_new(1);
    InetEndpoint to = peer_endpoint(PEER_ADDR, 80);
    PeerSeg s;
    TcpConn *c = second_attempt(p, 500, &s);

    reset(p, &s);
    tcp_close(c);
    p->taken = p->sent->len;
    c = tcp_socket(p->tcp, false);
    c->sflags |= TCP_S_FASTOPEN_CONNECT;
    g_assert_cmpint(tcp_connect(c, &to), ==, 0);
    peer_nothing(p);
    g_assert_cmpint(tcp_send(c, &(TcpSend){.len = 300}), ==, 300);
    s = *peer_next(p);
    g_assert_cmpint(s.tcp.flags, ==, TCP_SYN);
    g_assert_cmpuint(s.len, ==, 300);
    tcp_close(c);
    peer_free(p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tcp/fastopen/vectors", test_vectors);
    g_test_add_func("/tcp/fastopen/server", test_server);
    g_test_add_func("/tcp/fastopen/server_retransmits", test_server_retransmits);
    g_test_add_func("/tcp/fastopen/server_refuses", test_server_refuses);
    g_test_add_func("/tcp/fastopen/server_limit", test_server_limit);
    g_test_add_func("/tcp/fastopen/key_rotation", test_key_rotation);
    g_test_add_func("/tcp/fastopen/client", test_client);
    g_test_add_func("/tcp/fastopen/client_data_refused", test_client_data_refused);
    g_test_add_func("/tcp/fastopen/client_syn_lost", test_client_syn_lost);
    g_test_add_func("/tcp/fastopen/client_deferred", test_client_deferred);
    return g_test_run();
}
