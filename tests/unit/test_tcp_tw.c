/* TIME_WAIT (RFC 9293 3.10.7.4, RFC 1337, RFC 6191; Linux tcp_timewait_state_process), and ICMP errors
 * against connections of all ages (RFC 5461, RFC 5927, RFC 6069; tcp_v4_err). */
#include "models/tcp/tcp_probes.h"
#include "tests/unit/tcp_peer.h"

#define MIB(p, name) tcp_mib((p)->tcp, MIB_##name)

/* A server's connection that it has closed first: TIME_WAIT. Returns its next sequence number; the peer's is
 * 1002. */
static uint32_t make_time_wait(Peer *p, TcpConn *l, bool ts)
{
    TcpOptions o = {.has_timestamps = ts, .ts_val = 500};
    uint32_t isn;
    TcpConn *c;
    int err;

    peer_send(p, &(PeerIn){.flags = TCP_SYN, .seq = 1000, .window = 65535, .opt = o});
    isn = peer_next(p)->tcp.seq;
    if (ts)
        o.ts_ecr = g_array_index(p->sent, PeerSeg, 0).opt.ts_val;
    peer_send(p, &(PeerIn){.flags = TCP_ACK, .seq = 1001, .ack = isn + 1, .window = 65535, .opt = o});
    c = tcp_accept(l, &err);
    g_assert_nonnull(c);
    tcp_close(c);
    g_assert_cmpint(peer_next(p)->tcp.flags, ==, TCP_FIN | TCP_ACK);
    peer_send(p, &(PeerIn){.flags = TCP_ACK, .seq = 1001, .ack = isn + 2, .window = 65535, .opt = o});
    g_assert_cmpuint(p->tcp->n_tw, ==, 1); /* FIN_WAIT2 without an application is kept as one already */
    g_assert_cmpint(p->tcp->tw_head->substate, ==, TCP_FIN_WAIT2);
    peer_send(p,
              &(PeerIn){.flags = TCP_FIN | TCP_ACK, .seq = 1001, .ack = isn + 2, .window = 65535, .opt = o});
    g_assert_cmpuint(peer_next(p)->tcp.ack, ==, 1002);
    g_assert_cmpint(p->tcp->tw_head->substate, ==, TCP_TIME_WAIT);
    return isn + 2;
}

static void test_length(void)
{
    Peer *p = peer_new(1);
    TcpConn *l = peer_listen(p, 5);
    uint32_t nxt = make_time_wait(p, l, false);
    const PeerSeg *s;

    /* the FIN again: acknowledged again, and 60 s begin anew */
    peer_run(p, 30 * SIM_SEC);
    peer_send(p, &(PeerIn){.flags = TCP_FIN | TCP_ACK, .seq = 1001, .ack = nxt, .window = 65535});
    s = peer_next(p);
    g_assert_cmpint(s->tcp.flags, ==, TCP_ACK);
    g_assert_cmpuint(s->tcp.seq, ==, nxt);
    g_assert_cmpuint(s->tcp.ack, ==, 1002);
    peer_run(p, 90 * SIM_SEC - 1);
    g_assert_cmpuint(p->tcp->n_tw, ==, 1);
    peer_run(p, 90 * SIM_SEC + 1);
    g_assert_cmpuint(p->tcp->n_tw, ==, 0);
    g_assert_cmpuint(MIB(p, TcpExtTW), ==, 1);
    tcp_close(l);
    peer_free(p);
}

typedef struct Watch {
    ProbeSink sink; /* first */
    Tcp *tcp;
    unsigned seen, ended;
} Watch;

static void see_entry(void *user, const TcpEntry *e)
{
    Watch *w = user;

    if (e->conn)
        return;
    w->seen++;
    w->ended += e->left_ns == 0;
    g_assert_cmpint(e->left_ns, <=, 60 * SIM_SEC);
    g_assert_cmpuint(e->remote.port, ==, 40000);
    g_assert_cmpuint(inet_ip4(&e->remote.addr), ==, peer_ip(PEER_ADDR));
    g_assert_cmpuint(inet_ip4(&e->local.addr), ==, peer_ip(PEER_HOST));
}

static void see_state(ProbeSink *sink, const ProbeRecord *r)
{
    Watch *w = (Watch *)sink;

    if (r->desc == &tcp_probe_state)
        tcp_foreach(w->tcp, see_entry, w);
}

/* Who looks at the sockets in the very moment of its end still finds it, with no time left. */
static void test_seen_to_the_end(void)
{
    Peer *p = peer_new(1);
    TcpConn *l = peer_listen(p, 5);
    Watch w = {.sink = {.mask = UINT64_MAX, .record = see_state}, .tcp = p->tcp};

    probes_attach(p->probes, &w.sink);
    make_time_wait(p, l, false);
    g_assert_cmpuint(w.ended, ==, 0);
    w.seen = 0;
    peer_run(p, 61 * SIM_SEC);
    g_assert_cmpuint(w.seen, ==, 1);
    g_assert_cmpuint(w.ended, ==, 1);
    g_assert_cmpuint(p->tcp->n_tw, ==, 0);
    tcp_close(l);
    probes_detach(p->probes, &w.sink);
    peer_free(p);
}

static void test_new_syn(void)
{
    Peer *p = peer_new(1);
    TcpConn *l = peer_listen(p, 5);
    uint32_t nxt = make_time_wait(p, l, false);
    const PeerSeg *s;

    /* an old one is answered with an ACK */
    peer_send(p, &(PeerIn){.flags = TCP_SYN, .seq = 900, .window = 65535});
    g_assert_cmpint(peer_next(p)->tcp.flags, ==, TCP_ACK);
    /* a newer one is a new connection, whose numbers lie beyond the old ones */
    peer_send(p, &(PeerIn){.flags = TCP_SYN, .seq = 5000, .window = 65535});
    s = peer_next(p);
    g_assert_cmpint(s->tcp.flags, ==, TCP_SYN | TCP_ACK);
    g_assert_cmpuint(s->tcp.seq, ==, nxt + 65535 + 2);
    g_assert_cmpuint(s->tcp.ack, ==, 5001);
    g_assert_cmpuint(p->tcp->n_tw, ==, 0);
    tcp_close(l);
    peer_free(p);
}

/* RFC 6191: an old sequence number but a newer timestamp. */
static void test_new_syn_by_timestamp(void)
{
    Peer *p = peer_new(1);
    TcpConn *l = peer_listen(p, 5);

    make_time_wait(p, l, true);
    peer_send(p, &(PeerIn){.flags = TCP_SYN,
                           .seq = 900,
                           .window = 65535,
                           .opt = {.has_timestamps = true, .ts_val = 400}});
    g_assert_cmpint(peer_next(p)->tcp.flags, ==, TCP_ACK);
    g_assert_cmpuint(MIB(p, TcpExtPAWSTimewait), ==, 1);
    peer_send(p, &(PeerIn){.flags = TCP_SYN,
                           .seq = 900,
                           .window = 65535,
                           .opt = {.has_timestamps = true, .ts_val = 501}});
    g_assert_cmpint(peer_next(p)->tcp.flags, ==, TCP_SYN | TCP_ACK);
    tcp_close(l);
    peer_free(p);
}

static void test_rfc1337(void)
{
    for (unsigned on = 0; on < 2; on++) {
        Peer *p = peer_new(1);
        TcpConn *l = peer_listen(p, 5);

        tcp_sysctl(p->tcp)->tcp_rfc1337 = (uint8_t)on;
        make_time_wait(p, l, false);
        peer_send(p, &(PeerIn){.flags = TCP_RST, .seq = 1002});
        peer_nothing(p);
        g_assert_cmpuint(p->tcp->n_tw, ==, on);
        tcp_close(l);
        peer_free(p);
    }
}

/* tcp_max_tw_buckets */
static void test_limit(void)
{
    Peer *p = peer_new(1);
    TcpConn *l = peer_listen(p, 5), *c;
    uint32_t isn;
    int err;

    tcp_sysctl(p->tcp)->tcp_max_tw_buckets = 0;
    peer_send(p, &(PeerIn){.flags = TCP_SYN, .seq = 1000, .window = 65535});
    isn = peer_next(p)->tcp.seq;
    peer_send(p, &(PeerIn){.flags = TCP_ACK, .seq = 1001, .ack = isn + 1, .window = 65535});
    c = tcp_accept(l, &err);
    tcp_close(c);
    peer_send(p, &(PeerIn){.flags = TCP_ACK, .seq = 1001, .ack = isn + 2, .window = 65535});
    g_assert_cmpuint(p->tcp->n_tw, ==, 0);
    g_assert_cmpuint(MIB(p, TcpExtTCPTimeWaitOverflow), ==, 1);
    tcp_close(l);
    peer_free(p);
}

/* bind() finds the port held by the TIME_WAIT, unless both sides of the past and the present have
 * SO_REUSEADDR. */
static void test_holds_port(void)
{
    Peer *p = peer_new(1);
    TcpConn *l = peer_listen(p, 5), *n = tcp_socket(p->tcp, false);
    InetEndpoint e = peer_endpoint(NULL, 8080);

    make_time_wait(p, l, false);
    tcp_close(l);
    g_assert_cmpint(tcp_bind(n, &e), ==, -EADDRINUSE);
    n->sflags |= TCP_S_REUSEADDR;
    g_assert_cmpint(tcp_bind(n, &e), ==, 0);
    tcp_close(n);
    peer_free(p);
}

/* tcp_tw_reuse 1: connect() may take the tuple over a second later, with timestamps. */
static void test_reuse(void)
{
    Peer *p = peer_new(1);
    TcpConn *c = tcp_socket(p->tcp, false);
    InetEndpoint to = peer_endpoint(PEER_ADDR, 80);
    TcpOptions o = {.has_timestamps = true, .ts_val = 500};
    const PeerSeg *s;
    uint32_t isn;
    uint16_t port;

    tcp_sysctl(p->tcp)->tcp_tw_reuse = 1;
    ip4_sysctl(p->ip)->port_low = 32768;
    ip4_sysctl(p->ip)->port_high = 32768; /* there is only one */
    g_assert_cmpint(tcp_connect(c, &to), ==, -EINPROGRESS);
    s = peer_next(p);
    isn = s->tcp.seq;
    port = s->tcp.src_port;
    o.ts_ecr = s->opt.ts_val;
    peer_send(p, &(PeerIn){.src_port = 80,
                           .dst_port = port,
                           .flags = TCP_SYN | TCP_ACK,
                           .seq = 1000,
                           .ack = isn + 1,
                           .window = 65535,
                           .opt = o});
    peer_next(p);
    tcp_close(c);
    peer_next(p);
    peer_send(p, &(PeerIn){.src_port = 80,
                           .dst_port = port,
                           .flags = TCP_FIN | TCP_ACK,
                           .seq = 1001,
                           .ack = isn + 2,
                           .window = 65535,
                           .opt = o});
    peer_next(p);
    g_assert_cmpuint(p->tcp->n_tw, ==, 1);
    peer_run(p, 900 * SIM_MS);
    c = tcp_socket(p->tcp, false);
    g_assert_cmpint(tcp_connect(c, &to), ==, -EADDRNOTAVAIL);
    peer_run(p, 1100 * SIM_MS);
    g_assert_cmpint(tcp_connect(c, &to), ==, -EINPROGRESS);
    s = peer_next(p);
    g_assert_cmpuint(s->tcp.src_port, ==, port);
    g_assert_cmpuint(s->tcp.seq, ==, isn + 2 + 65535 + 2);
    g_assert_cmpuint(MIB(p, TcpExtTWRecycled), ==, 1);
    tcp_close(c);
    peer_free(p);
}

/* ---- ICMP ---- */

static TcpIcmp icmp(const TcpConn *c, uint8_t code, int err, uint32_t seq)
{
    return (TcpIcmp){.src = c->local,
                     .dst = c->remote,
                     .src_port = c->local_port,
                     .dst_port = c->remote_port,
                     .seq = seq,
                     .type = ICMP_DEST_UNREACH,
                     .code = code,
                     .err = err};
}

static void test_icmp_while_connecting(void)
{
    Peer *p = peer_new(1);
    TcpConn *c = tcp_socket(p->tcp, false);
    InetEndpoint to = peer_endpoint(PEER_ADDR, 80);
    TcpIcmp e;

    g_assert_cmpint(tcp_connect(c, &to), ==, -EINPROGRESS);
    e = icmp(c, ICMP_UNREACH_HOST, EHOSTUNREACH, c->snd_una + 99);
    tcp_err_icmp(p->tcp, &e); /* about nothing that we sent (RFC 5927 4.1) */
    g_assert_cmpuint(MIB(p, TcpExtOutOfWindowIcmps), ==, 1);
    g_assert_cmpint(tcp_state(c), ==, TCP_SYN_SENT);
    e.seq = c->snd_una;
    tcp_err_icmp(p->tcp, &e);
    g_assert_cmpint(tcp_state(c), ==, TCP_CLOSE);
    g_assert_cmpint(tcp_take_error(c), ==, EHOSTUNREACH);
    tcp_close(c);
    peer_free(p);
}

static TcpConn *connected(Peer *p, uint32_t *isn)
{
    TcpConn *l = peer_listen(p, 5), *c;
    int err;

    peer_send(
        p, &(PeerIn){.flags = TCP_SYN, .seq = 1000, .window = 65535, .opt = {.has_mss = true, .mss = 1460}});
    *isn = peer_next(p)->tcp.seq;
    peer_send(p, &(PeerIn){.flags = TCP_ACK, .seq = 1001, .ack = *isn + 1, .window = 65535});
    c = tcp_accept(l, &err);
    g_assert_nonnull(c);
    tcp_close(l);
    return c;
}

/* Once it is established an error is only remembered (RFC 1122 4.2.3.9; Linux: for all codes). */
static void test_icmp_when_established(void)
{
    Peer *p = peer_new(1);
    uint32_t isn;
    TcpConn *c = connected(p, &isn);
    TcpIcmp e;

    g_assert_cmpint(tcp_send(c, &(TcpSend){.len = 100}), ==, 100);
    peer_next(p);
    e = icmp(c, ICMP_UNREACH_PORT, ECONNREFUSED, c->snd_una);
    e.hard = true;
    tcp_err_icmp(p->tcp, &e);
    g_assert_cmpint(tcp_state(c), ==, TCP_ESTABLISHED);
    g_assert_cmpint(c->err, ==, 0);
    g_assert_cmpint(c->err_soft, ==, ECONNREFUSED);
    c->sflags |= TCP_S_RECVERR;
    tcp_err_icmp(p->tcp, &e);
    g_assert_cmpint(tcp_take_error(c), ==, ECONNREFUSED);
    tcp_close(c);
    peer_free(p);
}

/* RFC 6069: an unreachable host takes one doubling back. */
static void test_backoff_revert(void)
{
    Peer *p = peer_new(1);
    uint32_t isn;
    TcpConn *c = connected(p, &isn);
    TcpIcmp e;
    uint8_t before;

    g_assert_cmpint(tcp_send(c, &(TcpSend){.len = 100}), ==, 100);
    peer_run(p, 20 * SIM_SEC);
    before = c->rtt.backoff;
    g_assert_cmpuint(before, >=, 2);
    e = icmp(c, ICMP_UNREACH_HOST, EHOSTUNREACH, c->snd_una);
    tcp_err_icmp(p->tcp, &e);
    g_assert_cmpuint(c->rtt.backoff, ==, before - 1);
    e.code = ICMP_UNREACH_PORT;
    tcp_err_icmp(p->tcp, &e);
    g_assert_cmpuint(c->rtt.backoff, ==, before - 1);
    tcp_close(c);
    peer_free(p);
}

/* RFC 1191: "fragmentation needed" makes the segments smaller and sends what was too long again. */
static void test_path_mtu(void)
{
    Peer *p = peer_new(1);
    uint32_t isn;
    TcpConn *c = connected(p, &isn);
    TcpIcmp e;
    const PeerSeg *s;

    g_assert_cmpint(tcp_send(c, &(TcpSend){.len = 1460}), ==, 1460);
    g_assert_cmpuint(peer_next(p)->len, ==, 1460);
    e = icmp(c, ICMP_UNREACH_NEEDFRAG, EMSGSIZE, c->snd_una);
    e.is_pmtu = true;
    e.mtu = 1000;
    tcp_err_icmp(p->tcp, &e);
    g_assert_cmpuint(c->mss_cache, ==, 960);
    s = peer_next(p);
    g_assert_cmpuint(s->tcp.seq, ==, isn + 1);
    g_assert_cmpuint(s->len, ==, 1460); /* the device cuts it */
    g_assert_cmpuint(s->gso_size, ==, 960);
    tcp_close(c);
    peer_free(p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tcp/tw/length", test_length);
    g_test_add_func("/tcp/tw/seen_to_the_end", test_seen_to_the_end);
    g_test_add_func("/tcp/tw/new_syn", test_new_syn);
    g_test_add_func("/tcp/tw/new_syn_by_timestamp", test_new_syn_by_timestamp);
    g_test_add_func("/tcp/tw/rfc1337", test_rfc1337);
    g_test_add_func("/tcp/tw/limit", test_limit);
    g_test_add_func("/tcp/tw/holds_port", test_holds_port);
    g_test_add_func("/tcp/tw/reuse", test_reuse);
    g_test_add_func("/tcp/err/connecting", test_icmp_while_connecting);
    g_test_add_func("/tcp/err/established", test_icmp_when_established);
    g_test_add_func("/tcp/err/backoff_revert", test_backoff_revert);
    g_test_add_func("/tcp/err/path_mtu", test_path_mtu);
    return g_test_run();
}
