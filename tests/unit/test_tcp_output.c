/* Sending, seen on the wire: two hosts, one wire without rate (1 ms each way), every segment that a sends is
 * noted with its time. */
#include "tests/unit/test_ip_helper.h"

#include <errno.h>
#include <sys/socket.h>

#include "models/tcp/tcp_conn.h"
#include "models/tcp/tcp_life.h"
#include "models/wire/tcp.h"

#define PORT 80
#define RTT (2 * WIRE_DELAY)
#define MSS 1448u /* 1500 - 40 - 12 of timestamps */

typedef struct Seen {
    SimTime at;
    uint32_t seq, len; /* seq relative to the SYN's */
    uint16_t flags;
} Seen;

typedef struct Bed {
    TestPair p;
    Tcp *a, *b;
    TcpConn *ca, *listener, *cb;
    GArray *seen; /* of Seen: what a sent */
    uint32_t isn;
    unsigned drop; /* bit i: the i-th segment with data is lost */
    unsigned n_data;
    bool is_deaf; /* b's segments are lost */
} Bed;

static Packet *note(void *user, Packet *pkt)
{
    Bed *bed = user;
    const uint8_t *ip = bed->p.a->dev[0].last, *t = ip + 20;
    uint32_t seq = wire_get32(t + TCP_SEQ_OFF);
    Seen s = {.at = node_now(&bed->p.a->node), .flags = tcp_flags(t)};

    if (ip[9] != 6)
        return pkt;
    if (s.flags & TCP_SYN)
        bed->isn = seq;
    s.seq = seq - bed->isn;
    s.len = packet_len(pkt) - 20 - tcp_hdr_len(t);
    g_array_append_val(bed->seen, s);
    if (s.len && bed->drop >> bed->n_data++ & 1) {
        packet_unref(pkt);
        return NULL;
    }
    return pkt;
}

static Packet *deafen(void *user, Packet *pkt)
{
    Bed *bed = user;

    if (!bed->is_deaf)
        return pkt;
    packet_unref(pkt);
    return NULL;
}

static void bed_init(Bed *bed)
{
    *bed = (Bed){.p = test_pair(), .seen = g_array_new(FALSE, FALSE, sizeof(Seen))};
    bed->a = tcp_new(bed->p.a->ip, NULL);
    bed->b = tcp_new(bed->p.b->ip, NULL);
    strcpy(tcp_sysctl(bed->a)->tcp_congestion_control, "reno");
    bed->p.a->dev[0].filter = note;
    bed->p.a->dev[0].filter_user = bed;
    bed->p.b->dev[0].filter = deafen;
    bed->p.b->dev[0].filter_user = bed;
}

static void run_until(Bed *bed, SimTime t)
{
    sim_run(bed->p.net->sim, &(SimLimits){.until = t});
}

static void bed_clear(Bed *bed)
{
    run_until(bed, sim_now(bed->p.net->sim) + RTT); /* what is in flight arrives */
    tcp_free(bed->a);
    tcp_free(bed->b);
    test_net_free(bed->p.net);
    g_array_free(bed->seen, TRUE);
}

/* Handshake: established on both sides at 1 RTT and 1.5 RTT. */
static void establish(Bed *bed)
{
    InetEndpoint to = {.addr = inet_from_ip4(TEST_B), .port = PORT};
    InetEndpoint any = {.addr = inet_from_ip4(0), .port = PORT};
    int err = 0;

    bed->listener = tcp_socket(bed->b, false);
    g_assert_cmpint(tcp_bind(bed->listener, &any), ==, 0);
    g_assert_cmpint(tcp_listen(bed->listener, 5), ==, 0);
    bed->ca = tcp_socket(bed->a, false);
    g_assert_cmpint(tcp_connect(bed->ca, &to), ==, -EINPROGRESS);
    run_until(bed, 10 * SIM_MS);
    g_assert_cmpint(tcp_state(bed->ca), ==, TCP_ESTABLISHED);
    bed->cb = tcp_accept(bed->listener, &err);
    g_assert_nonnull(bed->cb);
    g_assert_cmpint(tcp_state(bed->cb), ==, TCP_ESTABLISHED);
    g_array_set_size(bed->seen, 0);
}

static int64_t send_bytes(Bed *bed, size_t len, int flags)
{
    TcpSend m = {.len = len, .flags = flags | MSG_DONTWAIT};

    return tcp_send(bed->ca, &m);
}

static const Seen *seen(const Bed *bed, unsigned i)
{
    g_assert_cmpuint(i, <, bed->seen->len);
    return &g_array_index(bed->seen, Seen, i);
}

static void set_nodelay(TcpConn *c)
{
    int on = 1;

    g_assert_cmpint(tcp_setsockopt(c, 6, 1, &on, sizeof on), ==, 0);
}

#define assert_seen(bed, i, t, sq, ln, fl)                                                                   \
    do {                                                                                                     \
        g_assert_cmpint(seen(bed, i)->at, ==, t);                                                            \
        g_assert_cmpuint(seen(bed, i)->seq, ==, sq);                                                         \
        g_assert_cmpuint(seen(bed, i)->len, ==, ln);                                                         \
        g_assert_cmphex(seen(bed, i)->flags, ==, fl);                                                        \
    } while (0)

/* RFC 896 in Minshall's form: a second small segment waits for the ACK of the first; the rest goes in one. */
static void test_nagle(void)
{
    Bed bed;

    bed_init(&bed);
    establish(&bed);
    g_assert_cmpint(send_bytes(&bed, 100, 0), ==, 100);
    g_assert_cmpint(send_bytes(&bed, 100, 0), ==, 100);
    g_assert_cmpint(send_bytes(&bed, 50, 0), ==, 50);
    run_until(&bed, SIM_SEC);
    g_assert_cmpuint(bed.seen->len, ==, 2);
    assert_seen(&bed, 0, 10 * SIM_MS, 1, 100, TCP_PSH | TCP_ACK);
    assert_seen(&bed, 1, 10 * SIM_MS + RTT, 101, 150, TCP_PSH | TCP_ACK);
    bed_clear(&bed);
}

static void test_nodelay(void)
{
    Bed bed;

    bed_init(&bed);
    establish(&bed);
    set_nodelay(bed.ca);
    send_bytes(&bed, 100, 0);
    send_bytes(&bed, 100, 0);
    g_assert_cmpuint(bed.seen->len, ==, 2);
    bed_clear(&bed);
}

/* MSG_MORE holds back what is not full, for 200 ms at most (the persist timer's first period). */
static void test_more(void)
{
    Bed bed;

    bed_init(&bed);
    establish(&bed);
    send_bytes(&bed, 100, MSG_MORE);
    g_assert_cmpuint(bed.seen->len, ==, 0);
    send_bytes(&bed, 100, 0);
    g_assert_cmpuint(bed.seen->len, ==, 1);
    g_assert_cmpuint(seen(&bed, 0)->len, ==, 200);
    bed_clear(&bed);
}

/* Ten packets are the initial window (RFC 6928); each ACK in slow start lets two more go. */
static void test_initial_window(void)
{
    Bed bed;
    uint64_t first = 0;

    bed_init(&bed);
    establish(&bed);
    send_bytes(&bed, 60000, 0);
    for (unsigned i = 0; i < bed.seen->len; i++)
        first += seen(&bed, i)->len;
    g_assert_cmpuint(first, ==, 10 * MSS);
    run_until(&bed, SIM_SEC);
    g_assert_cmpuint(bed.ca->snd_una, ==, bed.ca->write_seq);
    g_assert_cmpuint(bed.ca->packets_out, ==, 0);
    g_assert_cmpuint(bed.ca->snd.wmem_queued, ==, 0);
    bed_clear(&bed);
}

/* Nobody answers: tail loss probe, then timeouts that double (RFC 6298 5.5). srtt is 2 ms, so RTO = 2 + 200
 * ms, and the probe of a lone packet comes then too: at the RTO's time. */
static void test_rto(void)
{
    Bed bed;
    SimTime t0 = 10 * SIM_MS;

    bed_init(&bed);
    establish(&bed);
    bed.is_deaf = true;
    send_bytes(&bed, 100, 0);
    run_until(&bed, 3 * SIM_SEC);
    g_assert_cmpuint(bed.ca->rtt.srtt_us, ==, 2000 << 3);
    g_assert_cmpuint(bed.seen->len, ==, 5);
    assert_seen(&bed, 1, t0 + 202 * SIM_MS, 1, 100, TCP_PSH | TCP_ACK); /* the probe */
    assert_seen(&bed, 2, t0 + 2 * 202 * SIM_MS, 1, 100, TCP_PSH | TCP_ACK);
    assert_seen(&bed, 3, t0 + 4 * 202 * SIM_MS, 1, 100, TCP_PSH | TCP_ACK);
    assert_seen(&bed, 4, t0 + 8 * 202 * SIM_MS, 1, 100, TCP_PSH | TCP_ACK);
    g_assert_cmpuint(tcp_mib(bed.a, MIB_TcpExtTCPLossProbes), ==, 1);
    g_assert_cmpuint(tcp_mib(bed.a, MIB_TcpExtTCPTimeouts), ==, 3);
    g_assert_cmpuint(bed.ca->cc.s.cwnd, ==, 1);
    bed_clear(&bed);
}

/* The last of several segments is lost: nothing but the probe can tell, two round-trip times (and 2 ms)
 * later. */
static void test_tail_loss(void)
{
    Bed bed;

    bed_init(&bed);
    establish(&bed);
    set_nodelay(bed.ca);
    bed.drop = 1 << 2;
    for (int i = 0; i < 3; i++)
        send_bytes(&bed, 100, 0);
    run_until(&bed, SIM_SEC);
    g_assert_cmpuint(bed.seen->len, ==, 4);
    g_assert_cmpuint(seen(&bed, 3)->seq, ==, 201);
    g_assert_cmpuint(bed.ca->snd_una, ==, bed.ca->write_seq);
    g_assert_cmpuint(tcp_mib(bed.a, MIB_TcpExtTCPLossProbes), ==, 1);
    g_assert_cmpuint(tcp_mib(bed.a, MIB_TcpExtTCPTimeouts), ==, 0);
    bed_clear(&bed);
}

/* The first of ten is lost: SACKs bring it back within a round-trip time. */
static void test_fast_retransmit(void)
{
    Bed bed;

    bed_init(&bed);
    establish(&bed);
    set_nodelay(bed.ca);
    bed.drop = 1 << 0;
    for (int i = 0; i < 10; i++)
        send_bytes(&bed, 1000, 0);
    run_until(&bed, SIM_SEC);
    g_assert_cmpuint(bed.ca->snd_una, ==, bed.ca->write_seq);
    g_assert_cmpuint(bed.ca->stats.total_retrans, ==, 1);
    g_assert_cmpuint(tcp_mib(bed.a, MIB_TcpExtTCPFastRetrans), ==, 1);
    g_assert_cmpuint(tcp_mib(bed.a, MIB_TcpExtTCPTimeouts), ==, 0);
    g_assert_cmpuint(bed.ca->packets_out + bed.ca->sacked_out + bed.ca->lost_out + bed.ca->retrans_out, ==,
                     0);
    bed_clear(&bed);
}

/* FIN rides on the last data; both sides come to their ends. */
static void test_fin(void)
{
    Bed bed;

    bed_init(&bed);
    establish(&bed);
    send_bytes(&bed, 100, 0);
    send_bytes(&bed, 100, 0);
    tcp_shutdown(bed.ca, 1);
    run_until(&bed, 100 * SIM_MS);
    assert_seen(&bed, 1, 10 * SIM_MS, 101, 100, TCP_FIN | TCP_PSH | TCP_ACK);
    g_assert_cmpint(tcp_state(bed.ca), ==, TCP_FIN_WAIT2);
    g_assert_cmpint(tcp_state(bed.cb), ==, TCP_CLOSE_WAIT);
    tcp_close(bed.cb);
    run_until(&bed, 200 * SIM_MS);
    tcp_close(bed.ca);
    bed_clear(&bed);
}

/* A SYN that nobody answers: 1 s five times (tcp_syn_linear_timeouts 4), then doubling; given up after 6 + 4
 * retransmissions: 5 x 1 + 2 + 4 + 8 + 16 + 32 + 64 s. */
static void test_syn_timeouts(void)
{
    static const int at_s[] = {0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67};
    InetEndpoint to = {.addr = inet_from_ip4(TEST_B), .port = PORT};
    Bed bed;

    bed_init(&bed);
    bed.is_deaf = true;
    bed.ca = tcp_socket(bed.a, false);
    tcp_connect(bed.ca, &to);
    run_until(&bed, 130 * SIM_SEC);
    g_assert_cmpint(tcp_state(bed.ca), ==, TCP_SYN_SENT);
    run_until(&bed, 132 * SIM_SEC);
    g_assert_cmpint(tcp_state(bed.ca), ==, TCP_CLOSE);
    g_assert_cmpint(tcp_take_error(bed.ca), ==, ETIMEDOUT);
    g_assert_cmpuint(bed.seen->len, ==, HS_ARRAY_LEN(at_s));
    for (unsigned i = 0; i < HS_ARRAY_LEN(at_s); i++)
        g_assert_cmpint(seen(&bed, i)->at, ==, at_s[i] * SIM_SEC);
    bed_clear(&bed);
}

/* SO_KEEPALIVE: after 7200 s of silence nine probes, 75 s apart, with an old sequence number; then the
 * connection is gone. */
static void test_keepalive(void)
{
    SimTime t0 = 10 * SIM_MS;
    Bed bed;
    int on = 1;

    bed_init(&bed);
    establish(&bed);
    tcp_setsockopt(bed.ca, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    bed.is_deaf = true;
    run_until(&bed, 10 * SIM_SEC + 7200 * SIM_SEC + 9 * 75 * SIM_SEC);
    g_assert_cmpuint(bed.seen->len, ==, 10);
    assert_seen(&bed, 0, t0 + 7200 * SIM_SEC, 0, 0, TCP_ACK);
    assert_seen(&bed, 8, t0 + (7200 + 8 * 75) * SIM_SEC, 0, 0, TCP_ACK);
    assert_seen(&bed, 9, t0 + (7200 + 9 * 75) * SIM_SEC, 1, 0, TCP_ACK | TCP_RST);
    g_assert_cmpint(tcp_take_error(bed.ca), ==, ETIMEDOUT);
    bed_clear(&bed);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tcp/output/nagle", test_nagle);
    g_test_add_func("/tcp/output/nodelay", test_nodelay);
    g_test_add_func("/tcp/output/more", test_more);
    g_test_add_func("/tcp/output/initial-window", test_initial_window);
    g_test_add_func("/tcp/output/rto", test_rto);
    g_test_add_func("/tcp/output/tail-loss", test_tail_loss);
    g_test_add_func("/tcp/output/fast-retransmit", test_fast_retransmit);
    g_test_add_func("/tcp/output/fin", test_fin);
    g_test_add_func("/tcp/timer/syn", test_syn_timeouts);
    g_test_add_func("/tcp/timer/keepalive", test_keepalive);
    return g_test_run();
}
