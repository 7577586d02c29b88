/* Two hosts and a cable for tests of TCP's sender: 100 ms of round trip, 1 Gbit/s, a log of what left the
 * client, a list of data segments to lose, and the client's connection from inside after every ACK. */
#pragma once

#include <errno.h>

#include "models/tcp/tcp_ack.h"
#include "models/tcp/tcp_life.h"
#include "tests/unit/test_net_helper.h"

typedef struct BedSeg { /* a data segment as it left the client */
    SimTime at;
    uint32_t n; /* its first byte / mss */
    uint32_t len;
} BedSeg;

typedef struct BedAck { /* after an ACK was processed */
    SimTime at;
    uint32_t una, cwnd, ssthresh, in_flight;
    uint8_t ca_state;
} BedAck;

#define BED_MSS 1000

typedef struct TcpBed {
    Net *net;
    Host *client, *server;
    NetLink *link;
    TcpConn *c, *listener, *peer;
    uint32_t isn;
    GArray *sent, *acks;
    const uint32_t *lose; /* segment numbers; a number that is listed twice is lost twice */
    unsigned n_lose;
    bool lost[16];
    void (*judge)(struct TcpBed *b, uint32_t n, SimTime now, ImpairVerdict *v); /* instead of the list */
} TcpBed;

static inline Packet *bed_rule(void *user, LinkDir *d, Packet *pkt, const ImpairFrame *f, ImpairVerdict *v)
{
    TcpBed *b = user;
    uint8_t h[14 + 60 + 60];
    uint32_t got = packet_copy(pkt, 0, h, sizeof(h)), len;
    const uint8_t *ip = h + 14, *tcp = ip + 20;
    BedSeg s;

    (void)d;
    if (got < 14 + 40 || wire_get16(h + 12) != 0x0800 || ip[9] != 6)
        return pkt;
    len = wire_get16(ip + 2) - 20u - tcp_hdr_len(tcp);
    if (tcp_flags(tcp) & TCP_SYN)
        b->isn = tcp_seq(tcp) + 1;
    if (!len)
        return pkt;
    s = (BedSeg){f->now, (tcp_seq(tcp) - b->isn) / BED_MSS, len};
    g_array_append_val(b->sent, s);
    if (b->judge) {
        b->judge(b, s.n, f->now, v);
        return pkt;
    }
    for (unsigned i = 0; i < b->n_lose; i++) {
        if (b->lose[i] == s.n && !b->lost[i]) {
            b->lost[i] = true;
            v->drop = DROP_RULE;
            break;
        }
    }
    return pkt;
}

/* How often data segment n left, and when for the k-th time (from 0). */
static inline unsigned bed_count(const TcpBed *b, uint32_t n)
{
    unsigned k = 0;

    for (unsigned i = 0; i < b->sent->len; i++)
        k += g_array_index(b->sent, BedSeg, i).n == n;
    return k;
}

static inline SimTime bed_when(const TcpBed *b, uint32_t n, unsigned k)
{
    for (unsigned i = 0; i < b->sent->len; i++) {
        const BedSeg *s = &g_array_index(b->sent, BedSeg, i);

        if (s->n == n && k-- == 0)
            return s->at;
    }
    g_error("segment %u was not sent that often", n);
}

static inline double bed_when_ms(const TcpBed *b, uint32_t n, unsigned k)
{
    return (double)bed_when(b, n, k) / SIM_MS;
}

/* Looks at the client's connection after everything that happened at this instant. */
static inline void bed_look(void *user)
{
    TcpBed *b = user;
    BedAck a = {node_now(host_node(b->client)), b->c->snd_una - b->isn, b->c->cc.s.cwnd, b->c->cc.s.ssthresh,
                tcp_packets_in_flight(b->c),    b->c->rec.ca_state};
    const BedAck *last = b->acks->len ? &g_array_index(b->acks, BedAck, b->acks->len - 1) : NULL;

    if (!last || last->una != a.una || last->cwnd != a.cwnd || last->in_flight != a.in_flight ||
        last->ca_state != a.ca_state || last->ssthresh != a.ssthresh)
        g_array_append_val(b->acks, a);
    node_after(host_node(b->client), SIM_US, bed_look, b);
}

static inline void bed_server_wake(void *user, TcpConn *c, unsigned events)
{
    TcpRecv r = {.len = 1 << 20};

    (void)user;
    (void)events;
    while (tcp_recv(c, &r) > 0)
        r = (TcpRecv){.len = 1 << 20};
}

static inline void bed_listener_wake(void *user, TcpConn *c, unsigned events)
{
    TcpBed *b = user;
    int err;
    TcpConn *n = tcp_accept(c, &err);

    (void)events;
    if (n) {
        b->peer = n;
        tcp_on_wake(n, bed_server_wake, b);
        bed_server_wake(b, n, 0);
    }
}

static inline void bed_run_ms(TcpBed *b, int64_t ms)
{
    SimLimits l = {.until = ms * SIM_MS};

    sim_run(net_sim(b->net), &l);
}

static inline void bed_sysctl(Host *h, const char *name, const char *value)
{
    char *error = NULL;

    if (!host_sysctl_set(h, name, value, &error))
        g_error("%s", error);
}

/* The client is made and may be given sysctls before bed_connect. */
static inline void bed_start(TcpBed *b, int rtt_ms)
{
    NetLinkConfig c;

    memset(b, 0, sizeof(*b));
    b->sent = g_array_new(FALSE, FALSE, sizeof(BedSeg));
    b->acks = g_array_new(FALSE, FALSE, sizeof(BedAck));
    b->net = net_new(1);
    b->client = add_host(b->net, "client");
    b->server = add_host(b->net, "server");
    link_config(b->net, &c, "client", "server");
    for (int i = 0; i < 2; i++)
        c.dir[i].delay = rtt_ms * SIM_MS / 2;
    b->link = must_link(b->net, &c);
    prepare(b->net);
    linkdir_set_rule(netlink_dir(b->link, 0), bed_rule, b);
    bed_sysctl(b->client, "net.ipv4.tcp_congestion_control", "reno");
    bed_sysctl(b->client, "net.ipv4.tcp_slow_start_after_idle", "0");
    bed_sysctl(b->client, "net.ipv4.tcp_wmem", "4096 4194304 4194304");
}

/* Connected at the end. A connection before it resolves the addresses, so that the first sample is one round
 * trip. */
static inline void bed_connect_mss(TcpBed *b, int mss)
{
    InetEndpoint to = {.addr = inet_from_ip4(host_addr(b->server)), .port = 80};
    InetEndpoint any = {.port = 80};
    int err;

    b->listener = tcp_socket(host_tcp(b->server), false);
    g_assert_cmpint(tcp_bind(b->listener, &any), ==, 0);
    g_assert_cmpint(tcp_listen(b->listener, 8), ==, 0);
    tcp_on_wake(b->listener, bed_listener_wake, b);
    g_assert_cmpint(tcp_connect(tcp_socket(host_tcp(b->client), false), &to), ==, -EINPROGRESS);
    bed_run_ms(b, 500);
    b->c = tcp_socket(host_tcp(b->client), false);
    g_assert_cmpint(tcp_setsockopt(b->c, 6, 2, &mss, sizeof(mss)), ==, 0);
    err = tcp_connect(b->c, &to);
    g_assert_cmpint(err, ==, -EINPROGRESS);
    bed_run_ms(b, 1000);
    g_assert_cmpint(tcp_state(b->c), ==, TCP_ESTABLISHED);
    g_assert_cmpuint(b->c->mss_cache, ==, BED_MSS);
    bed_look(b);
}

/* with timestamps a segment carries BED_MSS bytes */
static inline void bed_connect(TcpBed *b)
{
    bed_connect_mss(b, BED_MSS + 12);
}

static inline void bed_send(TcpBed *b, unsigned segs)
{
    TcpSend m = {.synthetic_off = 0, .len = (size_t)segs * BED_MSS};

    g_assert_cmpint(tcp_send(b->c, &m), ==, (int)m.len);
}

static inline void bed_end(TcpBed *b)
{
    g_array_free(b->sent, TRUE);
    g_array_free(b->acks, TRUE);
    net_free(b->net);
}

static inline void bed_print(const TcpBed *b)
{
    for (unsigned i = 0; i < b->sent->len; i++) {
        const BedSeg *s = &g_array_index(b->sent, BedSeg, i);

        g_test_message("%.6f sent %u (%u)", s->at / 1e9, s->n, s->len);
    }
    for (unsigned i = 0; i < b->acks->len; i++) {
        const BedAck *a = &g_array_index(b->acks, BedAck, i);

        g_test_message("%.6f una %u cwnd %u ssthresh %u in flight %u state %u", a->at / 1e9, a->una, a->cwnd,
                       a->ssthresh, a->in_flight, a->ca_state);
    }
}
