/* Loss recovery seen from outside: what is sent again, when, and what becomes of the window. Expected values
 * are the RFCs' (named at each test) or Linux's. Round trip 100 ms, segments of 1000 bytes, data from 1000 ms
 * on. */
#include "tests/unit/tcp_bed.h"

#include <math.h>

/* Sends `segs` segments with `cwnd` packets of window, of which those of `lose` are lost; ends when all is
 * quiet. */
static void run(TcpBed *b, const char *style, const char *cc, unsigned cwnd, unsigned segs,
                const uint32_t *lose, unsigned n_lose)
{
    bed_start(b, 100);
    bed_sysctl(b->client, "hopscope.tcp_recovery_style", style);
    bed_sysctl(b->client, "net.ipv4.tcp_congestion_control", cc);
    b->lose = lose;
    b->n_lose = n_lose;
    bed_connect(b);
    b->c->cc.s.cwnd = cwnd;
    b->c->cc.s.ssthresh = cwnd; /* congestion avoidance: the window stays while the flight is acknowledged */
    bed_send(b, segs);
    bed_run_ms(b, 6000);
    g_assert_cmpuint(b->c->snd_una - b->isn, ==, segs * BED_MSS);
    bed_print(b);
}

/* The first row with this state; NULL: none. */
static const BedAck *first_in(const TcpBed *b, uint8_t ca_state)
{
    for (unsigned i = 0; i < b->acks->len; i++) {
        const BedAck *a = &g_array_index(b->acks, BedAck, i);

        if (a->ca_state == ca_state)
            return a;
    }
    return NULL;
}

static double ms(const BedAck *a)
{
    return (double)a->at / SIM_MS;
}

/* When recovery ended: the first row after it that is not in RECOVERY. */
static const BedAck *after_recovery(const TcpBed *b)
{
    bool seen = false;

    for (unsigned i = 0; i < b->acks->len; i++) {
        const BedAck *a = &g_array_index(b->acks, BedAck, i);

        if (a->ca_state == TCP_CA_RECOVERY)
            seen = true;
        else if (seen)
            return a;
    }
    return NULL;
}

/* RFC 5681 3.2 with a flight of 20: ssthresh 10, cwnd 13 when the segment is sent again, 10 when it is
 * acknowledged. */
static void test_reno_numbers(void)
{
    static const uint32_t lose[] = {0};
    const BedAck *a;
    TcpBed b;

    run(&b, "2", "reno", 20, 40, lose, 1);
    a = first_in(&b, TCP_CA_RECOVERY);
    g_assert_nonnull(a);
    g_assert_cmpuint(a->ssthresh, ==, 10);
    g_assert_cmpuint(a->cwnd, ==, 13);
    g_assert_cmpuint(bed_count(&b, 0), ==, 2);
    /* limited transmit: one new segment for each of the first two duplicates */
    g_assert_cmpfloat(bed_when_ms(&b, 20, 0), <, bed_when_ms(&b, 0, 1));
    g_assert_cmpfloat(bed_when_ms(&b, 21, 0), <, bed_when_ms(&b, 0, 1));
    a = after_recovery(&b);
    g_assert_nonnull(a);
    g_assert_cmpuint(a->cwnd, ==, 10);
    g_assert_cmpuint(counter(b.client, "TcpExtTCPTimeouts"), ==, 0);
    bed_end(&b);
}

/* Tahoe starts again from 1 at the third duplicate. */
static void test_tahoe(void)
{
    static const uint32_t lose[] = {0};
    const BedAck *a;
    TcpBed b;

    run(&b, "1", "reno", 20, 40, lose, 1);
    a = first_in(&b, TCP_CA_LOSS);
    g_assert_nonnull(a);
    g_assert_cmpuint(a->cwnd, ==, 1);
    g_assert_cmpuint(a->ssthresh, ==, 10);
    g_assert_null(first_in(&b, TCP_CA_RECOVERY));
    g_assert_cmpuint(counter(b.client, "TcpExtTCPTimeouts"), ==, 0);
    bed_end(&b);
}

/* Fall and Floyd 1996, RFC 6582: k losses of one flight take NewReno k round trips; SACK at most two; neither
 * a timeout, and the window is reduced once. */
static void test_several_drops(void)
{
    static const uint32_t lose[] = {1, 4, 7, 10};

    for (unsigned k = 1; k <= 4; k++) {
        for (int style = 3; style <= 4; style++) {
            const char *name[] = {"0", "1", "2", "3", "4"};
            const BedAck *in, *out;
            TcpBed b;

            run(&b, name[style], "reno", 20, 60, lose, k);
            in = first_in(&b, TCP_CA_RECOVERY);
            out = after_recovery(&b);
            g_assert_nonnull(in);
            g_assert_nonnull(out);
            if (style == 3)
                g_assert_cmpfloat(fabs(ms(out) - ms(in) - 100.0 * k), <, 1);
            else
                g_assert_cmpfloat(ms(out) - ms(in), <, 201);
            g_assert_cmpuint(out->ssthresh, ==, 10);
            g_assert_cmpuint(counter(b.client, "TcpExtTCPTimeouts"), ==, 0);
            bed_end(&b);
        }
    }
}

/* Linux's own recovery of the same: RACK finds all holes at once, PRR halves the window once. */
static void test_linux_several_drops(void)
{
    static const uint32_t lose[] = {1, 4, 7, 10};

    for (unsigned k = 1; k <= 4; k++) {
        const BedAck *in, *out;
        TcpBed b;

        run(&b, "0", "reno", 20, 60, lose, k);
        in = first_in(&b, TCP_CA_RECOVERY);
        out = after_recovery(&b);
        g_assert_cmpfloat(ms(out) - ms(in), <, 201);
        g_assert_cmpuint(out->ssthresh, ==, 10);
        g_assert_cmpuint(out->cwnd, ==, 10);
        g_assert_cmpuint(counter(b.client, "TcpExtTCPTimeouts"), ==, 0);
        g_assert_cmpuint(counter(b.client, "TcpRetransSegs"), ==, k);
        bed_end(&b);
    }
}

/* RFC 8985: 10 segments at once, the last two lost, nothing more to send. The probe goes 2 RTT (and Linux's 2
 * ms) after the last ACK and is the last segment; its SACK marks the one before as lost at once. */
static void test_rack_tlp(void)
{
    static const uint32_t lose[] = {8, 9};
    TcpBed b;

    run(&b, "0", "reno", 10, 10, lose, 2);
    g_assert_cmpuint(bed_count(&b, 9), ==, 2);
    g_assert_cmpfloat(fabs(bed_when_ms(&b, 9, 1) - 1303), <, 2);
    g_assert_cmpuint(bed_count(&b, 8), ==, 2);
    g_assert_cmpfloat(fabs(bed_when_ms(&b, 8, 1) - bed_when_ms(&b, 9, 1) - 100), <, 1);
    g_assert_cmpuint(counter(b.client, "TcpExtTCPTimeouts"), ==, 0);
    g_assert_cmpuint(counter(b.client, "TcpExtTCPLossProbes"), ==, 1);
    g_assert_cmpuint(counter(b.client, "TcpExtTCPSackRecovery"), ==, 1);
    bed_end(&b);
}

/* Proportional rate reduction of a single loss with CUBIC: 10 in flight, the first lost: ssthresh 7; on
 * leaving cwnd = ssthresh. */
static void test_prr(void)
{
    static const uint32_t lose[] = {0};
    const BedAck *in, *out;
    TcpBed b;

    run(&b, "0", "cubic", 10, 30, lose, 1);
    in = first_in(&b, TCP_CA_RECOVERY);
    g_assert_cmpuint(in->ssthresh, ==, 7);
    g_assert_cmpfloat(bed_when_ms(&b, 0, 1), <, 1101);
    out = after_recovery(&b);
    g_assert_cmpuint(out->cwnd, ==, 7);
    g_assert_cmpuint(counter(b.client, "TcpRetransSegs"), ==, 1);
    bed_end(&b);
}

/* The first transmission of the segment arrives 20 ms late: overtaken, not lost. */
static void delay_first(TcpBed *b, uint32_t n, SimTime now, ImpairVerdict *v)
{
    (void)now;
    if (n == 0 && bed_count(b, 0) == 1) {
        v->delay = 20 * SIM_MS;
        v->may_overtake = true;
    }
}

/* A needless fast retransmit is taken back: with timestamps as soon as the echo shows that the original
 * arrived (RFC 3522), without by the D-SACK for the copy (RFC 3708), one round trip later. */
static void test_undo(void)
{
    for (int ts = 0; ts <= 1; ts++) {
        TcpBed b;
        const BedAck *last;

        bed_start(&b, 100);
        bed_sysctl(b.client, "net.ipv4.tcp_timestamps", ts ? "1" : "0");
        b.judge = delay_first;
        bed_connect_mss(&b, ts ? BED_MSS + 12 : BED_MSS);
        b.c->cc.s.cwnd = 20;
        b.c->cc.s.ssthresh = 20;
        bed_send(&b, 20);
        bed_run_ms(&b, 4000);
        bed_print(&b);
        g_assert_cmpuint(b.c->snd_una - b.isn, ==, 20 * BED_MSS);
        g_assert_nonnull(first_in(&b, TCP_CA_RECOVERY));
        last = &g_array_index(b.acks, BedAck, b.acks->len - 1);
        g_assert_cmpuint(last->ssthresh, ==, 20);
        g_assert_cmpuint(last->cwnd, >=, 20);
        g_assert_cmpuint(counter(b.client, "TcpExtTCPFullUndo") + counter(b.client, "TcpExtTCPPartialUndo"),
                         ==, ts);
        g_assert_cmpuint(counter(b.client, "TcpExtTCPDSACKUndo"), ==, !ts);
        bed_end(&b);
    }
}

/* From 1 s on nothing arrives for half a second, then everything does: a delay spike. */
static void delay_all(TcpBed *b, uint32_t n, SimTime now, ImpairVerdict *v)
{
    (void)b;
    (void)n;
    if (now < 1500 * SIM_MS)
        v->delay = 1500 * SIM_MS - now;
}

/* RFC 5682: a timeout because of a delay spike; the first ACKs are for what was sent once only. */
static void test_frto(void)
{
    TcpBed b;
    const BedAck *last;

    bed_start(&b, 100);
    bed_sysctl(b.client, "net.ipv4.tcp_timestamps", "0");
    b.judge = delay_all;
    bed_connect_mss(&b, BED_MSS);
    b.c->cc.s.cwnd = 10;
    b.c->cc.s.ssthresh = 10;
    bed_send(&b, 30);
    bed_run_ms(&b, 4000);
    bed_print(&b);
    g_assert_cmpuint(b.c->snd_una - b.isn, ==, 30 * BED_MSS);
    g_assert_cmpuint(counter(b.client, "TcpExtTCPTimeouts"), >=, 1);
    g_assert_cmpuint(counter(b.client, "TcpExtTCPSpuriousRTOs"), ==, 1);
    last = &g_array_index(b.acks, BedAck, b.acks->len - 1);
    g_assert_cmpuint(last->ssthresh, ==, 10);
    g_assert_cmpuint(bed_count(&b, 1), ==, 1); /* only the head, and perhaps a probe, went twice */
    bed_end(&b);
}

/* RFC 5681 3.1: ssthresh is half the flight, but at least two segments: with a flight of four it is two. */
static void test_least_ssthresh(void)
{
    static const uint32_t lose[] = {0};
    TcpBed b;

    run(&b, "2", "reno", 4, 8, lose, 1);
    g_assert_nonnull(first_in(&b, TCP_CA_RECOVERY));
    g_assert_cmpuint(first_in(&b, TCP_CA_RECOVERY)->ssthresh, ==, 2);
    bed_end(&b);
}

/* Everything of a flight is lost: timeout, window of 1, slow start to half of what it was. */
static void lose_all(TcpBed *b, uint32_t n, SimTime now, ImpairVerdict *v)
{
    (void)b;
    (void)n;
    if (now < 1010 * SIM_MS)
        v->drop = DROP_RULE;
}

/* Reno's half or CUBIC's 717/1024 of a flight of 16, whoever repairs. */
static void test_timeout(void)
{
    TcpBed b;

    for (int style = 0; style < 10; style++) {
        const char *name[] = {"0", "1", "2", "3", "4"};
        const BedAck *a;

        bed_start(&b, 100);
        bed_sysctl(b.client, "hopscope.tcp_recovery_style", name[style % 5]);
        bed_sysctl(b.client, "net.ipv4.tcp_congestion_control", style < 5 ? "reno" : "cubic");
        bed_sysctl(b.client, "net.ipv4.tcp_early_retrans", "0");
        b.judge = lose_all;
        bed_connect(&b);
        b.c->cc.s.cwnd = 16;
        b.c->cc.s.ssthresh = 16;
        bed_send(&b, 32);
        bed_run_ms(&b, 6000);
        bed_print(&b);
        g_assert_cmpuint(b.c->snd_una - b.isn, ==, 32 * BED_MSS);
        a = first_in(&b, TCP_CA_LOSS);
        g_assert_nonnull(a);
        g_assert_cmpuint(a->cwnd, ==, 1);
        g_assert_cmpuint(a->ssthresh, ==, style < 5 ? 8 : 11);
        /* RTO = SRTT + 200 ms, in whole milliseconds rounded up */
        g_assert_cmpfloat(fabs(ms(a) - 1301), <, 1.1);
        g_assert_cmpuint(counter(b.client, "TcpExtTCPTimeouts"), ==, 1);
        for (uint32_t n = 0; n < 16; n++)
            g_assert_cmpuint(bed_count(&b, n), ==, 2);
        bed_end(&b);
    }
}

/* When an episode is over, its begin is forgotten: else a timeout a quarter of an hour later would be taken
 * for one that has lasted so long, and the connection given up (Linux tcp_try_to_open,
 * retransmits_timed_out). */
static void test_stamp(void)
{
    static const uint32_t lose[] = {5};
    const char *name[] = {"0", "1", "2", "3", "4"};

    for (int style = 0; style <= 4; style++) {
        TcpBed b;

        run(&b, name[style], "reno", 20, 60, lose, 1);
        g_assert_cmpuint(counter(b.client, "TcpRetransSegs"), >, 0);
        g_assert_cmpint(b.c->rtt.retrans_stamp, ==, 0);
        bed_end(&b);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tcp/recovery/reno-numbers", test_reno_numbers);
    g_test_add_func("/tcp/recovery/tahoe", test_tahoe);
    g_test_add_func("/tcp/recovery/several-drops", test_several_drops);
    g_test_add_func("/tcp/recovery/linux-several-drops", test_linux_several_drops);
    g_test_add_func("/tcp/recovery/rack-tlp", test_rack_tlp);
    g_test_add_func("/tcp/recovery/prr", test_prr);
    g_test_add_func("/tcp/recovery/undo", test_undo);
    g_test_add_func("/tcp/recovery/frto", test_frto);
    g_test_add_func("/tcp/recovery/least-ssthresh", test_least_ssthresh);
    g_test_add_func("/tcp/recovery/timeout", test_timeout);
    g_test_add_func("/tcp/recovery/stamp", test_stamp);
    return g_test_run();
}
