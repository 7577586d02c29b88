/* One host and a wire: segments are put in, what comes out is compared as text. Expected answers were
 * recorded from Linux 6.18 with the same segments, or follow from the RFC named.
 *
 * Notation: "FLAGS seq:end(len) ack A win W <options>", numbers relative to the two initial sequence numbers
 * (the peer's is 0); S SYN, F FIN, R RST, P PSH, . ACK, U URG. Windows in SYNs are as on the wire, others
 * scaled back to bytes. */
#include "models/tcp/tcp_input.h"

#include "models/tcp/tcp_life.h"
#include "models/wire/ipv4.h"
#include "tests/unit/ip4_bed.h"

#define LOCAL "10.0.0.1"
#define PEER "10.0.0.2"
#define PEER_PORT 40000
#define PORT 80

typedef struct T {
    Bed *b;
    Ip4 *ip;
    Ip4If *e;
    StubDev *d;
    Tcp *tcp;
    TcpConn *listener, *c;
    unsigned seen;  /* segments looked at so far */
    uint32_t isn;   /* ours */
    uint8_t wscale; /* ours, once the SYN(-ACK) has been seen */
    uint16_t win;   /* the peer's */
    bool has_ts;
    uint32_t tsval, tsecr; /* the next segment's */
} T;

static T *t_new(void)
{
    T *t = g_new0(T, 1);

    t->b = bed_new();
    t->ip = bed_host(t->b);
    t->e = bed_dev(t->b, t->ip, LOCAL "/24");
    t->d = stub_of(t->e);
    bed_know(t->e, PEER, 0x0a0000000002);
    t->tcp = tcp_new(t->ip, NULL);
    t->win = 20000;
    return t;
}

static void t_free(T *t)
{
    Bed *b = t->b;

    tcp_free(t->tcp);
    bed_free(b);
    g_free(t);
}

static uint16_t flags_of(const char *s)
{
    uint16_t f = 0;

    for (; *s; s++)
        f |= *s == 'S'   ? TCP_SYN
             : *s == 'F' ? TCP_FIN
             : *s == 'R' ? TCP_RST
             : *s == 'P' ? TCP_PSH
             : *s == '.' ? TCP_ACK
                         : TCP_URG;
    return f;
}

/* The peer sends. opts: raw bytes, multiple of 4, or NULL; t->has_ts adds timestamps. */
static void in_opts(T *t, const char *flags, uint32_t seq, uint32_t len, uint32_t ack, const uint8_t *opts,
                    unsigned opts_len)
{
    uint16_t f = flags_of(flags);
    uint8_t ts[12] = {TCP_OPT_NOP, TCP_OPT_NOP};
    unsigned hdr;
    Packet *p = packet_new(t->b->pool, 0, 0, 34);
    uint8_t *h;

    if (t->has_ts) {
        tcp_opt_put_timestamps(ts + 2, t->tsval, t->tsecr);
        opts = ts;
        opts_len = sizeof(ts);
    }
    hdr = 20 + opts_len;
    h = packet_put(p, 20 + hdr);
    memset(h, 0, 20 + hdr);
    h[0] = 0x45;
    ipv4_set_total_len(h, (uint16_t)(20 + hdr + len));
    ipv4_set_ttl(h, 64);
    ipv4_set_proto(h, IP_PROTO_TCP);
    ipv4_set_src(h, addr(PEER));
    ipv4_set_dst(h, addr(LOCAL));
    ipv4_fill_checksum(h);
    h += 20;
    wire_put16(h, PEER_PORT);
    wire_put16(h + 2, PORT);
    wire_put32(h + TCP_SEQ_OFF, seq);
    wire_put32(h + TCP_ACK_OFF, f & TCP_ACK ? t->isn + ack : 0);
    wire_put16(h + TCP_FLAGS_OFF, (uint16_t)(hdr / 4 << 12 | f));
    wire_put16(h + TCP_WINDOW_OFF, t->win);
    if (opts_len)
        memcpy(h + 20, opts, opts_len);
    if (len)
        packet_add_synthetic(p, seq - 1, len);
    /* as a device that has verified it would hand it up */
    wire_put16(h + TCP_CHECKSUM_OFF,
               checksum_fold(ipv4_pseudo_sum(addr(PEER), addr(LOCAL), IP_PROTO_TCP, hdr + len)));
    packet_set_csum_partial(p, p->head + 20u, p->head + 20u + TCP_CHECKSUM_OFF);
    bed_receive(t->e, p);
}

static void in(T *t, const char *flags, uint32_t seq, uint32_t len, uint32_t ack)
{
    in_opts(t, flags, seq, len, ack, NULL, 0);
}

static void describe(T *t, const Sent *s, GString *out)
{
    const uint8_t *h = s->bytes + 20;
    uint16_t f = tcp_flags(h);
    unsigned hdr = tcp_hdr_len(h);
    uint32_t len = s->len - 20 - hdr, seq = tcp_seq(h) - t->isn;
    uint32_t end = seq + len;
    TcpOptions o;

    g_string_append_printf(out, "%s%s%s%s%s%s %d:%d(%u)", f & TCP_SYN ? "S" : "", f & TCP_FIN ? "F" : "",
                           f & TCP_RST ? "R" : "", f & TCP_PSH ? "P" : "", f & TCP_URG ? "U" : "",
                           f & TCP_ACK ? "." : "", (int)seq, (int)end, len);
    if (f & TCP_ACK)
        g_string_append_printf(out, " ack %d", (int)tcp_ack(h));
    g_string_append_printf(out, " win %u",
                           f & TCP_SYN ? tcp_window(h) : (unsigned)tcp_window(h) << t->wscale);
    tcp_options_decode(&o, h + 20, hdr - 20);
    for (unsigned i = 0; i < o.n_sack; i++)
        g_string_append_printf(out, "%s%d:%d", i ? " " : " sack ", (int)o.sack[i].left, (int)o.sack[i].right);
    if (f & TCP_SYN && o.has_wscale)
        t->wscale = o.wscale;
}

/* All that was sent since the last time, joined by "; ". */
static void out_is(T *t, const char *expected)
{
    g_autoptr(GString) s = g_string_new(NULL);

    for (; t->seen < t->d->sent->len; t->seen++) {
        const Sent *m = sent_at(t->d, t->seen);

        if (m->ethertype != ETH_TYPE_IPV4)
            continue;
        if (s->len)
            g_string_append(s, "; ");
        if (tcp_flags(m->bytes + 20) & TCP_SYN)
            t->isn = tcp_seq(m->bytes + 20);
        describe(t, m, s);
    }
    g_assert_cmpstr(s->str, ==, expected);
}

static void wait_ms(T *t, unsigned ms)
{
    bed_run(t->b, node_now(ip4_node(t->ip)) + (SimTime)ms * SIM_MS);
}

static void listen_on(T *t)
{
    InetEndpoint any = {.port = PORT};

    t->listener = tcp_socket(t->tcp, false);
    g_assert_cmpint(tcp_bind(t->listener, &any), ==, 0);
    g_assert_cmpint(tcp_listen(t->listener, 8), ==, 0);
    wait_ms(t, 1); /* at the time 0 nothing has been measured yet */
}

/* MSS 1000, SACK; wscale 0 unless timestamps are used too. */
static void establish(T *t, bool has_ts)
{
    static const uint8_t sack[] = {2, 4, 3, 232, 1, 1, 4, 2};
    uint8_t ts[16] = {2, 4, 3, 232, 4, 2};
    int err;

    listen_on(t);
    if (has_ts)
        tcp_opt_put_timestamps(ts + 6, t->tsval, 0);
    in_opts(t, "S", 0, 0, 0, has_ts ? ts : sack, has_ts ? sizeof(ts) : sizeof(sack));
    out_is(t, has_ts ? "S. 0:0(0) ack 1 win 65160" : "S. 0:0(0) ack 1 win 64240");
    t->has_ts = has_ts;
    in(t, ".", 1, 0, 1);
    out_is(t, "");
    t->c = tcp_accept(t->listener, &err);
    g_assert_nonnull(t->c);
    g_assert_cmpint(tcp_state(t->c), ==, TCP_ESTABLISHED);
}

static int64_t read_some(T *t, size_t n)
{
    TcpRecv r = {.len = n};

    return tcp_recv(t->c, &r);
}

static uint64_t mib(const T *t, unsigned i)
{
    return tcp_mib(t->tcp, i);
}

/* In order: quick ACKs first, then one for two segments or after 40 ms. */
static void test_delayed_acks(void)
{
    T *t = t_new();

    establish(t, false);
    for (unsigned i = 0; i < 16; i++) { /* min(16, rcv_wnd / (2 * rcv_mss)) at the first data */
        in(t, ".", 1 + 1000 * i, 1000, 1);
        g_assert_cmpint(read_some(t, 4000), ==, 1000);
    }
    g_assert_cmpuint(t->d->sent->len - t->seen, ==, 16);
    t->seen = t->d->sent->len;
    t->c->ack.quick = 0;
    in(t, ".", 16001, 1000, 1);
    g_assert_cmpint(read_some(t, 4000), ==, 1000);
    out_is(t, "");
    wait_ms(t, 41);
    g_assert_cmpuint(mib(t, MIB_TcpExtDelayedACKs), ==, 1);
    g_assert_cmpuint(t->d->sent->len - t->seen, ==, 1);
    t_free(t);
}

/* Segments of 1460 bytes that nobody reads, with the default buffer (131072): acknowledged, window (wscale
 * 10), and what the buffer grows to, as measured. The window first grows with what arrives well filled, then
 * shrinks by what is queued, and never takes back what it gave. */
static void test_window_series(void)
{
    static const uint8_t opt[] = {2, 4, 5, 180, 1, 1, 4, 2, 1, 3, 3, 8};
    static const struct {
        unsigned n;
        uint32_t win, rmem, rcvbuf;
    } table[] = {{1, 66, 2304, 131072},    {2, 69, 4608, 131072},    {3, 72, 6912, 131072},
                 {4, 75, 9216, 131072},    {5, 74, 11520, 131072},   {11, 68, 25344, 131072},
                 {57, 22, 131328, 131072}, {58, 21, 133632, 131072}, {59, 20, 135936, 133632},
                 {60, 19, 138240, 133632}, {61, 18, 140544, 138240}, {66, 13, 152064, 149760}};
    T *t = t_new();
    unsigned row = 0;
    int err;

    listen_on(t);
    in_opts(t, "S", 0, 0, 0, opt, sizeof(opt));
    out_is(t, "S. 0:0(0) ack 1 win 64240");
    in(t, ".", 1, 0, 1);
    t->c = tcp_accept(t->listener, &err);
    for (unsigned n = 1; n <= 66; n++) {
        in(t, ".", 1 + 1460 * (n - 1), 1460, 1);
        wait_ms(t, 60);
        if (n == table[row].n) {
            g_autofree char *ack =
                g_strdup_printf(". 1:1(0) ack %u win %u", 1 + 1460 * n, table[row].win << 10);

            out_is(t, ack);
            g_assert_cmpuint(t->c->rcv.rmem_alloc, ==, table[row].rmem);
            g_assert_cmpuint(t->c->win.rcvbuf, ==, table[row].rcvbuf);
            row++;
        }
        t->seen = t->d->sent->len;
    }
    g_assert_cmpuint(row, ==, HS_ARRAY_LEN(table));
    g_assert_cmpuint(mib(t, MIB_TcpExtTCPHPHits), ==, 28);
    g_assert_cmpuint(mib(t, MIB_TcpExtPruneCalled), ==, 5);
    g_assert_cmpuint(mib(t, MIB_TcpExtTCPWantZeroWindowAdv), ==, 14);
    t_free(t);
}

/* One segment into a fresh connection: what comes back, and what becomes of the connection. */
static void test_odd_segments(void)
{
    static const struct {
        const char *what, *flags;
        int seq, len, ack;
        const char *out;
        TcpState state;
    } table[] = {
        {"old data", "P.", -99, 100, 1, ". 1:1(0) ack 1 win 64240 sack -99:1", TCP_ESTABLISHED},
        {"an ACK older than the largest window", ".", 1, 0, -30000, ". 1:1(0) ack 1 win 64240",
         TCP_ESTABLISHED},
        {"an ACK of what was not sent", ".", 1, 0, 100, ". 1:1(0) ack 1 win 64240", TCP_ESTABLISHED},
        {"data beyond the window", "P.", 10000000, 10, 1, ". 1:1(0) ack 1 win 64240", TCP_ESTABLISHED},
        {"SYN in the window", "S", 10, 0, 0, ". 1:1(0) ack 1 win 64240", TCP_ESTABLISHED},
        {"the old SYN", "S", 0, 0, 0, ". 1:1(0) ack 1 win 64240", TCP_ESTABLISHED},
        {"SYN-ACK", "S.", 0, 0, 1, ". 1:1(0) ack 1 win 64240", TCP_ESTABLISHED},
        {"RST at rcv_nxt", "R", 1, 0, 0, "", TCP_CLOSE},
        {"RST in the window", "R", 100, 0, 0, ". 1:1(0) ack 1 win 64240", TCP_ESTABLISHED},
        {"RST beyond", "R", 100000000, 0, 0, "", TCP_ESTABLISHED},
        {"RST, ACK at rcv_nxt", "R.", 1, 0, 1, "", TCP_CLOSE},
        {"no ACK", "P", 1, 10, 0, "", TCP_ESTABLISHED},
        {"FIN out of order", "F.", 101, 0, 1, ". 1:1(0) ack 1 win 64240 sack 101:102", TCP_ESTABLISHED},
        {"urgent data", "PU.", 1, 10, 1, ". 1:1(0) ack 11 win 64230", TCP_ESTABLISHED},
        {"keepalive probe", ".", 0, 0, 1, ". 1:1(0) ack 1 win 64240", TCP_ESTABLISHED},
        {"keepalive probe with a byte", ".", 0, 1, 1, ". 1:1(0) ack 1 win 64240 sack 0:1", TCP_ESTABLISHED},
        {"FIN", "F.", 1, 0, 1, ". 1:1(0) ack 2 win 64239", TCP_CLOSE_WAIT},
    };

    for (size_t i = 0; i < HS_ARRAY_LEN(table); i++) {
        T *t = t_new();

        g_test_message("%s", table[i].what);
        establish(t, false);
        in(t, table[i].flags, (uint32_t)table[i].seq, (uint32_t)table[i].len, (uint32_t)table[i].ack);
        wait_ms(t, 60);
        out_is(t, table[i].out);
        g_assert_cmpint(tcp_state(t->c), ==, table[i].state);
        if (table[i].state == TCP_CLOSE)
            g_assert_cmpint(tcp_take_error(t->c), ==, ECONNRESET);
        t_free(t);
    }
}

/* RFC 5961 3.2 would have a RST match rcv_nxt alone; a peer that has discarded the hole (no SACK renege is
 * known to it) may stand at the right edge of what we SACKed: Linux takes that too. */
static void test_rst_at_sack_edge(void)
{
    T *t = t_new();

    establish(t, false);
    in(t, ".", 2001, 1000, 1);
    in(t, ".", 5001, 1000, 1);
    out_is(t, ". 1:1(0) ack 1 win 64240 sack 2001:3001; . 1:1(0) ack 1 win 64240 sack 5001:6001 2001:3001");
    in(t, "R", 3001, 0, 0); /* the edge of another block only */
    out_is(t, ". 1:1(0) ack 1 win 64240 sack 5001:6001 2001:3001");
    g_assert_cmpint(tcp_state(t->c), ==, TCP_ESTABLISHED);
    in(t, "R", 6001, 0, 0);
    out_is(t, "");
    g_assert_cmpint(tcp_state(t->c), ==, TCP_CLOSE);
    t_free(t);
}

/* Segments without data are answered once in 500 ms, whatever is wrong with them; data always
 * (tcp_invalid_ratelimit). */
static void test_rate_limit(void)
{
    T *t = t_new();

    establish(t, false);
    for (unsigned i = 0; i < 3; i++)
        in(t, "P.", -99u, 100, 1);
    out_is(t, ". 1:1(0) ack 1 win 64240 sack -99:1; . 1:1(0) ack 1 win 64240 sack -99:1; . 1:1(0) ack 1 win "
              "64240 sack -99:1");
    in(t, ".", 0, 0, 1);
    out_is(t, ". 1:1(0) ack 1 win 64240");
    in(t, ".", 0, 0, 1);
    in(t, "S", 10, 0, 0);
    wait_ms(t, 499);
    in(t, "S", 10, 0, 0);
    out_is(t, "");
    g_assert_cmpuint(mib(t, MIB_TcpExtTCPACKSkippedSeq), ==, 1);
    g_assert_cmpuint(mib(t, MIB_TcpExtTCPACKSkippedChallenge), ==, 2);
    wait_ms(t, 1);
    in(t, "S", 10, 0, 0);
    out_is(t, ". 1:1(0) ack 1 win 64240");
    t_free(t);
}

/* RFC 7323 5.3: an old timestamp is refused with an ACK; reordered pure ACKs pass without harm (Linux). */
static void test_paws(void)
{
    T *t = t_new();

    t->tsval = 1000;
    establish(t, true);
    in(t, ".", 1, 100, 1);
    out_is(t, ". 1:1(0) ack 101 win 65060");
    t->tsval = 900;
    in(t, ".", 101, 100, 1);
    out_is(t, ". 1:1(0) ack 101 win 65060");
    g_assert_cmpuint(mib(t, MIB_TcpExtPAWSEstab), ==, 1);
    in(t, ".", 1, 0, 1); /* an old ACK that was overtaken */
    out_is(t, "");
    g_assert_cmpuint(mib(t, MIB_TcpExtPAWSOldAck), ==, 1);
    t->tsval = 1000;
    in(t, ".", 101, 0, 1);
    t->tsval = 900;
    in(t, ".", 101, 0, 1); /* the next in order, tells nothing new, not too old: harmless */
    out_is(t, "");
    g_assert_cmpuint(mib(t, MIB_TcpExtPAWSEstab), ==, 1);
    g_assert_cmpuint(t->c->ts.ts_recent, ==, 1000);
    t->tsval = 1001;
    in(t, ".", 101, 100, 1);
    out_is(t, ". 1:1(0) ack 201 win 64960");
    g_assert_cmpuint(t->c->ts.ts_recent, ==, 1001);
    t_free(t);
}

/* Both ends close at once (RFC 9293 3.6, figure 13), and the states on the way. */
static void test_simultaneous_close(void)
{
    T *t = t_new();

    establish(t, false);
    tcp_shutdown(t->c, 1);
    out_is(t, "F. 1:1(0) ack 1 win 64240");
    in(t, "F.", 1, 0, 1);
    out_is(t, ". 2:2(0) ack 2 win 64239");
    g_assert_cmpint(tcp_state(t->c), ==, TCP_CLOSING);
    in(t, ".", 2, 0, 2);
    g_assert_cmpint(tcp_state(t->c), ==, TCP_CLOSE); /* TIME-WAIT, which is no socket */
    g_assert_cmpuint(t->tcp->n_tw, ==, 1);
    t_free(t);
}

/* Data for somebody who has closed: RFC 1122 4.2.2.13. */
static void test_data_after_close(void)
{
    T *t = t_new();

    establish(t, false);
    tcp_close(t->c);
    out_is(t, "F. 1:1(0) ack 1 win 64240");
    in(t, "P.", 1, 100, 1);
    out_is(t, "R 1:1(0) win 0");
    g_assert_cmpuint(mib(t, MIB_TcpExtTCPAbortOnData), ==, 1);
    t_free(t);

    t = t_new();
    establish(t, false);
    tcp_close(t->c);
    out_is(t, "F. 1:1(0) ack 1 win 64240");
    in(t, ".", 1, 0, 2); /* FIN-WAIT-2, kept as a TIME-WAIT of that kind */
    in(t, "P.", 1, 100, 2);
    out_is(t, "R 2:2(0) win 0");
    t_free(t);
}

/* SACKs of a long run are compressed after the third (Linux tcp_comp_sack_nr, RFC 2018 would have one for
 * each). */
static void test_compressed_sacks(void)
{
    T *t = t_new();

    establish(t, false);
    for (unsigned i = 0; i < 20; i++) { /* until quick-ACK mode is over */
        in(t, ".", 1 + 1000 * i, 1000, 1);
        read_some(t, 4000);
        wait_ms(t, 50);
    }
    t->seen = t->d->sent->len;
    t->c->rtt.srtt_us = t->c->win.rcv_rtt_us = 80000; /* 10 ms << 3 */
    for (unsigned i = 0; i < 10; i++)
        in(t, ".", 30001 + 1000 * i, 1000, 1);
    g_assert_cmpuint(t->d->sent->len - t->seen, ==, 3 + t->c->ack.quick);
    wait_ms(t, 2); /* min(1 ms, 33 % of the round trip) and 0.1 ms of slack */
    g_assert_cmpuint(t->d->sent->len - t->seen, ==, 4);
    g_assert_cmpuint(mib(t, MIB_TcpExtTCPAckCompressed), ==, 6);
    t_free(t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tcp/input/delayed-acks", test_delayed_acks);
    g_test_add_func("/tcp/input/window-series", test_window_series);
    g_test_add_func("/tcp/input/odd-segments", test_odd_segments);
    g_test_add_func("/tcp/input/rst-at-sack-edge", test_rst_at_sack_edge);
    g_test_add_func("/tcp/input/rate-limit", test_rate_limit);
    g_test_add_func("/tcp/input/paws", test_paws);
    g_test_add_func("/tcp/input/simultaneous-close", test_simultaneous_close);
    g_test_add_func("/tcp/input/data-after-close", test_data_after_close);
    g_test_add_func("/tcp/input/compressed-sacks", test_compressed_sacks);
    return g_test_run();
}
