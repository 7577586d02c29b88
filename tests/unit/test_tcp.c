/* What belongs to a host rather than to a connection: counters, secrets, what was learnt about peers, in the
 * few bytes that a host has for them. */
#include "models/tcp/tcp_ack.h"
#include "sim/base/rng.h"
#include "tests/unit/tcp_peer.h"

/* A counter has 64 bits, though only 32 of them are at hand. */
static void test_counters(void)
{
    Peer *p = peer_new(1);
    Tcp *t = p->tcp;

    for (unsigned i = 0; i < TCP_MIB_COUNT; i++) {
        uint64_t before = tcp_mib(t, i);

        if (i <= MIB_TcpMaxConn) /* constants */
            continue;
        tcp_mib_add(t, i, 5);
        g_assert_cmpuint(tcp_mib(t, i), ==, before + 5);
        tcp_mib_add(t, i, UINT32_MAX);
        g_assert_cmpuint(tcp_mib(t, i), ==, before + UINT64_C(0x100000004));
        tcp_mib_add(t, i, UINT64_C(3) << 32);
        g_assert_cmpuint(tcp_mib(t, i), ==, before + UINT64_C(0x400000004));
        for (unsigned k = 0; k < 5; k++) /* TcpCurrEstab goes down as well */
            tcp_mib_add(t, i, (uint64_t)-1);
        g_assert_cmpuint(tcp_mib(t, i), ==, before + UINT64_C(0x3ffffffff));
        tcp_mib_add(t, i, 1);
        g_assert_cmpuint(tcp_mib(t, i), ==, before + UINT64_C(0x400000000));
    }
    peer_free(p);
}

static void assert_keys(const Tcp *t, Rng *rng)
{
    const TcpKeys *k = tcp_isn_keys(t);
    const SipKey *all[] = {&k->isn, &k->ts, &k->port, &k->cookie[0], &k->cookie[1]};

    for (unsigned i = 0; i < HS_ARRAY_LEN(all); i++) {
        g_assert_cmphex(all[i]->k0, ==, rng_next(rng));
        g_assert_cmphex(all[i]->k1, ==, rng_next(rng));
    }
}

/* The secrets are ten numbers of the host's stream, those at its start; a host that starts again has the next
 * ten. They stay what they are while other hosts use theirs. */
static void test_keys(void)
{
    enum { N = 40 };
    Peer *p = peer_new(9);
    Node node[N];
    Ip4 *ip[N];
    Tcp *tcp[N];

    for (unsigned i = 0; i < N; i++) {
        char name[16];

        g_snprintf(name, sizeof name, "h%u", i);
        node_init(&node[i], p->sim, name);
        ip[i] = ip4_new(&node[i], p->pool);
        tcp[i] = tcp_new(ip[i], NULL);
    }
    for (unsigned turn = 0; turn < 2; turn++)
        for (unsigned i = 0; i < N; i++) {
            Rng rng;

            rng_init(&rng, 9, node[i].name, TCP_STREAM);
            assert_keys(tcp[i], &rng);
        }
    for (unsigned i = 0; i < N; i++) {
        Rng rng;

        tcp_free(tcp[i]);
        tcp[i] = tcp_new(ip[i], NULL);
        rng_init(&rng, 9, node[i].name, TCP_STREAM);
        for (unsigned k = 0; k < 10; k++)
            rng_next(&rng);
        assert_keys(tcp[i], &rng);
    }
    for (unsigned i = 0; i < N; i++) {
        tcp_free(tcp[i]);
        ip4_free(ip[i]);
        node_clear(&node[i]);
    }
    peer_free(p);
}

/* A connection that is over, to peer i of that family. */
static TcpConn *conn_to(Peer *p, unsigned i, bool is_v6)
{
    TcpConn *c = tcp_socket(p->tcp, is_v6);

    c->local = is_v6 ? (InetAddr){{0x20010db8, 0, 0, 1}} : inet_from_ip4(peer_ip(PEER_HOST));
    c->remote = is_v6 ? (InetAddr){{0x20010db8, 0, 1, i}} : inet_from_ip4(peer_ip(PEER_ADDR) + i);
    return c;
}

/* Round-trip times of peers of both families are told apart, however many there are; a peer of which a Fast
 * Open cookie is known as well keeps its round-trip time. */
static void test_metrics(void)
{
    enum { N = 20 };
    const TcpFastopenCookie cookie = {.len = 8, .val = "abcdefg"};
    Peer *p = peer_new(1);

    for (unsigned i = 0; i < 2 * N; i++) {
        TcpConn *c = conn_to(p, i / 2, i % 2);

        c->rtt.srtt_us = (1000 + i) << 3;
        tcp_metrics_update(c);
        if (i % 3 == 0)
            tcp_metrics_fastopen_set(c, (uint16_t)(1000 + i), &cookie, false, 0);
        tcp_close(c);
    }
    g_assert_cmpuint(p->tcp->metrics.n, ==, 2 * N);
    for (unsigned i = 0; i < 2 * N; i++) {
        TcpConn *c = conn_to(p, i / 2, i % 2);
        TcpFastopenCookie got = {.len = 0};
        uint16_t mss = 0;

        c->rtt.srtt_us = 1;
        c->rtt.rto_ms = 0;
        tcp_metrics_init(c); /* the learnt round trip and twice as much, at least 200 ms, for its variation */
        g_assert_cmpuint(c->rtt.rto_ms, ==, 1 + 200);
        tcp_metrics_fastopen_get(c, &mss, &got);
        g_assert_cmpuint(mss, ==, i % 3 == 0 ? 1000 + i : 0);
        g_assert_cmpmem(got.val, got.len, cookie.val, i % 3 == 0 ? 8 : 0);
        c->rtt.srtt_us = (1000 + i) << 3; /* not less than what is known: nothing to be learnt from */
        c->rtt.rto_ms = 0;
        tcp_metrics_init(c);
        g_assert_cmpuint(c->rtt.rto_ms, ==, 0);
        tcp_close(c);
    }
    tcp_metrics_flush(p->tcp);
    g_assert_cmpuint(p->tcp->metrics.n, ==, 0);
    peer_free(p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tcp/host/counters", test_counters);
    g_test_add_func("/tcp/host/keys", test_keys);
    g_test_add_func("/tcp/host/metrics", test_metrics);
    return g_test_run();
}
