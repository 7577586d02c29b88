/* Half-open connections: the answer to a SYN, its retransmission, and what may come next (RFC 9293 3.10.7.4
 * SYN-RECEIVED; Linux tcp_check_req). Numbers of the peer: ISN 1000. */
#include "tests/unit/tcp_peer.h"

#define MIB(p, name) tcp_mib((p)->tcp, MIB_##name)

static void syn(Peer *p, uint16_t port)
{
    peer_send(p, &(PeerIn){.src_port = port,
                           .flags = TCP_SYN,
                           .seq = 1000,
                           .window = 65535,
                           .opt = {.has_mss = true, .mss = 1000}});
}

static uint32_t expect_synack(Peer *p)
{
    const PeerSeg *s = peer_next(p);

    g_assert_cmpint(s->tcp.flags, ==, TCP_SYN | TCP_ACK);
    g_assert_cmpuint(s->tcp.ack, ==, 1001);
    return s->tcp.seq;
}

static void ack_it(Peer *p, uint16_t port, uint32_t isn)
{
    peer_send(p, &(PeerIn){.src_port = port, .flags = TCP_ACK, .seq = 1001, .ack = isn + 1, .window = 65535});
}

static void test_handshake(void)
{
    Peer *p = peer_new(1);
    TcpConn *l = peer_listen(p, 5), *c;
    const PeerSeg *s;
    uint32_t isn;
    int err;

    syn(p, 40000);
    s = peer_next(p);
    isn = s->tcp.seq;
    g_assert_cmpint(s->tcp.flags, ==, TCP_SYN | TCP_ACK);
    g_assert_cmpuint(s->tcp.ack, ==, 1001);
    g_assert_true(s->opt.has_mss);
    g_assert_cmpuint(s->opt.mss, ==, 1460); /* the device's MTU less 40 */
    g_assert_false(s->opt.has_timestamps);  /* not offered */
    g_assert_false(s->opt.has_wscale);
    g_assert_true(s->ip.df);
    g_assert_null(tcp_accept(l, &err));
    g_assert_cmpint(err, ==, -EAGAIN);
    ack_it(p, 40000, isn);
    peer_nothing(p);
    c = tcp_accept(l, &err);
    g_assert_nonnull(c);
    g_assert_cmpint(tcp_state(c), ==, TCP_ESTABLISHED);
    g_assert_cmpuint(MIB(p, TcpPassiveOpens), ==, 1);
    g_assert_cmpuint(MIB(p, TcpCurrEstab), ==, 1);
    peer_send(
        p, &(PeerIn){.flags = TCP_ACK | TCP_PSH, .seq = 1001, .ack = isn + 1, .window = 65535, .len = 100});
    s = peer_next(p); /* quick ACKs at first */
    g_assert_cmpuint(s->tcp.ack, ==, 1101);
    tcp_close(c);
    s = peer_next(p); /* unread data: RST (RFC 2525 2.17) */
    g_assert_cmpint(s->tcp.flags, ==, TCP_RST | TCP_ACK);
    tcp_close(l);
    peer_nothing(p);
    peer_free(p);
}

/* 1, 2, 4, 8, 16, 32 s: five retransmissions, then it is forgotten. */
static void test_synack_timer(void)
{
    static const int at_s[] = {1, 3, 7, 15, 31};
    Peer *p = peer_new(1);
    TcpConn *l = peer_listen(p, 5);
    uint32_t isn;

    syn(p, 40000);
    isn = expect_synack(p);
    peer_run(p, 100 * SIM_SEC);
    for (unsigned i = 0; i < HS_ARRAY_LEN(at_s); i++) {
        const PeerSeg *s = peer_next(p);

        g_assert_cmpint(s->time, ==, at_s[i] * SIM_SEC);
        g_assert_cmpuint(s->tcp.seq, ==, isn);
    }
    peer_nothing(p);
    g_assert_cmpuint(MIB(p, TcpExtTCPSynRetrans), ==, 5);
    g_assert_cmpuint(MIB(p, TcpExtTCPTimeouts), ==, 6);
    /* forgotten: an ACK is for nobody now */
    ack_it(p, 40000, isn);
    g_assert_cmpint(peer_next(p)->tcp.flags, ==, TCP_RST);
    tcp_close(l);
    peer_free(p);
}

/* A SYN that comes again is answered at once, but not more than twice a second. */
static void test_duplicate_syn(void)
{
    Peer *p = peer_new(1);
    TcpConn *l = peer_listen(p, 5);
    uint32_t isn;

    syn(p, 40000);
    isn = expect_synack(p);
    peer_run(p, 600 * SIM_MS);
    syn(p, 40000);
    g_assert_cmpuint(expect_synack(p), ==, isn);
    peer_run(p, 700 * SIM_MS);
    syn(p, 40000);
    peer_nothing(p);
    g_assert_cmpuint(MIB(p, TcpExtTCPACKSkippedSynRecv), ==, 1);
    tcp_close(l);
    peer_free(p);
}

static void test_wrong_segments(void)
{
    Peer *p = peer_new(1);
    TcpConn *l = peer_listen(p, 5);
    const PeerSeg *s;
    uint32_t isn;
    int err;

    syn(p, 40000);
    isn = expect_synack(p);
    /* an ACK of something else: RST with that number, the request stays */
    peer_send(p, &(PeerIn){.flags = TCP_ACK, .seq = 1001, .ack = isn + 77, .window = 100});
    s = peer_next(p);
    g_assert_cmpint(s->tcp.flags, ==, TCP_RST);
    g_assert_cmpuint(s->tcp.seq, ==, isn + 77);
    /* beyond the window: an ACK that says where we are */
    peer_run(p, 100 * SIM_MS);
    peer_send(p, &(PeerIn){.flags = TCP_ACK, .seq = 1001 + 0x100000, .ack = isn + 1, .window = 100});
    s = peer_next(p);
    g_assert_cmpint(s->tcp.flags, ==, TCP_ACK);
    g_assert_cmpuint(s->tcp.seq, ==, isn + 1);
    g_assert_cmpuint(s->tcp.ack, ==, 1001);
    /* data without ACK: nothing */
    peer_run(p, 200 * SIM_MS);
    peer_send(p, &(PeerIn){.flags = TCP_PSH, .seq = 1001, .window = 100, .len = 10});
    peer_nothing(p);
    /* the exact RST ends it */
    peer_send(p, &(PeerIn){.flags = TCP_RST, .seq = 1001});
    peer_nothing(p);
    g_assert_cmpuint(MIB(p, TcpExtEmbryonicRsts), ==, 1);
    g_assert_cmpuint(MIB(p, TcpAttemptFails), ==, 1);
    ack_it(p, 40000, isn);
    g_assert_cmpint(peer_next(p)->tcp.flags, ==, TCP_RST);
    g_assert_null(tcp_accept(l, &err));
    tcp_close(l);
    peer_free(p);
}

/* Backlog 1: two connections fit (the comparison is "greater"), a third one waits half-open. */
static void test_accept_queue(void)
{
    Peer *p = peer_new(1);
    TcpConn *l, *c;
    uint32_t isn[3];
    int err;

    tcp_sysctl(p->tcp)->tcp_syncookies = 0;
    l = peer_listen(p, 1);
    for (unsigned i = 0; i < 2; i++) {
        syn(p, (uint16_t)(40000 + i));
        isn[i] = expect_synack(p);
        ack_it(p, (uint16_t)(40000 + i), isn[i]);
    }
    peer_nothing(p);
    syn(p, 40002);
    peer_nothing(p);
    g_assert_cmpuint(MIB(p, TcpExtListenOverflows), ==, 1);
    g_assert_cmpuint(MIB(p, TcpExtListenDrops), ==, 1);
    c = tcp_accept(l, &err);
    g_assert_nonnull(c);
    syn(p, 40002);
    isn[2] = expect_synack(p);
    ack_it(p, 40002, isn[2]);
    g_assert_cmpuint(MIB(p, TcpCurrEstab), ==, 3);
    tcp_close(c);
    g_assert_cmpint(peer_next(p)->tcp.flags, ==, TCP_FIN | TCP_ACK);
    tcp_close(l); /* resets what was never accepted */
    g_assert_cmpint(peer_next(p)->tcp.flags, ==, TCP_RST | TCP_ACK);
    g_assert_cmpint(peer_next(p)->tcp.flags, ==, TCP_RST | TCP_ACK);
    peer_nothing(p);
    peer_free(p);
}

/* TCP_DEFER_ACCEPT: the bare ACK is ignored, data completes. */
static void test_defer_accept(void)
{
    Peer *p = peer_new(1);
    TcpConn *l = peer_listen(p, 5), *c;
    uint32_t isn;
    int err;

    l->defer_accept = 2;
    syn(p, 40000);
    isn = expect_synack(p);
    ack_it(p, 40000, isn);
    g_assert_null(tcp_accept(l, &err));
    g_assert_cmpuint(MIB(p, TcpExtTCPDeferAcceptDrop), ==, 1);
    peer_send(p, &(PeerIn){.flags = TCP_ACK, .seq = 1001, .ack = isn + 1, .window = 65535, .len = 5});
    g_assert_cmpuint(peer_next(p)->tcp.ack, ==, 1006);
    c = tcp_accept(l, &err);
    g_assert_nonnull(c);
    tcp_close(c);
    tcp_close(l);
    peer_free(p);
}

static void test_cookies(void)
{
    Peer *p = peer_new(1);
    TcpConn *l, *c;
    const PeerSeg *s;
    uint32_t isn;
    int err;

    tcp_sysctl(p->tcp)->tcp_syncookies = 2;
    l = peer_listen(p, 5);
    peer_run(p, 200 * SIM_SEC); /* the clock of cookies does not begin at 0 */
    peer_send(p, &(PeerIn){.flags = TCP_SYN,
                           .seq = 1000,
                           .window = 65535,
                           .opt = {.has_mss = true,
                                   .mss = 1400,
                                   .has_sack_permitted = true,
                                   .has_wscale = true,
                                   .wscale = 9,
                                   .has_timestamps = true,
                                   .ts_val = 700}});
    s = peer_next(p);
    isn = s->tcp.seq;
    g_assert_true(s->opt.has_timestamps);
    g_assert_cmpuint(s->opt.ts_ecr, ==, 700);
    g_assert_cmpuint(MIB(p, TcpExtSyncookiesSent), ==, 1);
    g_assert_cmpuint(l->listen->qlen, ==, 0);
    peer_send(p, &(PeerIn){.flags = TCP_ACK,
                           .seq = 1001,
                           .ack = isn + 100, /* a neighbour of the cookie could mean another MSS */
                           .window = 100,
                           .opt = {.has_timestamps = true, .ts_val = 701, .ts_ecr = s->opt.ts_val}});
    g_assert_cmpint(peer_next(p)->tcp.flags, ==, TCP_RST); /* a forgery */
    g_assert_cmpuint(MIB(p, TcpExtSyncookiesFailed), ==, 1);
    s = &g_array_index(p->sent, PeerSeg, 0);
    peer_send(p, &(PeerIn){.flags = TCP_ACK,
                           .seq = 1001,
                           .ack = isn + 1,
                           .window = 100,
                           .opt = {.has_timestamps = true, .ts_val = 701, .ts_ecr = s->opt.ts_val}});
    peer_nothing(p);
    g_assert_cmpuint(MIB(p, TcpExtSyncookiesRecv), ==, 1);
    c = tcp_accept(l, &err);
    g_assert_nonnull(c);
    g_assert_cmpuint(c->mss_clamp, ==, 1300); /* the table has no 1400 */
    g_assert_cmpuint(c->win.snd_wscale, ==, 9);
    g_assert_true(c->sack.is_sack_ok);
    g_assert_cmpuint(c->snd_wnd, ==, 100 << 9);
    tcp_close(c);
    tcp_close(l);
    peer_free(p);
}

static void test_no_listener(void)
{
    Peer *p = peer_new(1);
    const PeerSeg *s;

    syn(p, 40000);
    s = peer_next(p);
    g_assert_cmpint(s->tcp.flags, ==, TCP_RST | TCP_ACK);
    g_assert_cmpuint(s->tcp.seq, ==, 0);
    g_assert_cmpuint(s->tcp.ack, ==, 1001);
    g_assert_cmpuint(s->tcp.window, ==, 0);
    peer_send(p, &(PeerIn){.flags = TCP_ACK | TCP_FIN, .seq = 5, .ack = 77, .window = 100, .len = 3});
    s = peer_next(p);
    g_assert_cmpint(s->tcp.flags, ==, TCP_RST);
    g_assert_cmpuint(s->tcp.seq, ==, 77);
    peer_send(p, &(PeerIn){.flags = TCP_RST, .seq = 5});
    peer_nothing(p);
    peer_send(p, &(PeerIn){.flags = TCP_SYN, .seq = 5, .bad_checksum = true});
    peer_nothing(p);
    g_assert_cmpuint(MIB(p, TcpInCsumErrors), ==, 1);
    g_assert_cmpuint(MIB(p, TcpInErrs), ==, 1);
    g_assert_cmpuint(MIB(p, TcpOutRsts), ==, 2);
    peer_free(p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tcp/req/handshake", test_handshake);
    g_test_add_func("/tcp/req/synack_timer", test_synack_timer);
    g_test_add_func("/tcp/req/duplicate_syn", test_duplicate_syn);
    g_test_add_func("/tcp/req/wrong_segments", test_wrong_segments);
    g_test_add_func("/tcp/req/accept_queue", test_accept_queue);
    g_test_add_func("/tcp/req/defer_accept", test_defer_accept);
    g_test_add_func("/tcp/req/cookies", test_cookies);
    g_test_add_func("/tcp/req/no_listener", test_no_listener);
    return g_test_run();
}
