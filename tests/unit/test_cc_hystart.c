/* Leaving slow start in time: Linux's HyStart within CUBIC, and HyStart++ (RFC 9406) within CUBIC and Reno.
 */
#include <glib.h>

#include "models/cc/hystart.h"
#include "models/cc/hystartpp.h"
#include "tests/unit/test_cc_helper.h"

static void start(Flow *f, const char *name, const char *param, int32_t value, uint32_t cwnd, uint32_t rtt_us)
{
    CcParams *p = cc_params_new(cc_ops_by_name(name));
    char *error = NULL;

    g_assert_true(cc_params_set(p, param, value, &error));
    flow_start(f, name, p, cwnd, rtt_us);
    cc_params_unref(p);
}

/* n ACKs, gap_us apart, with the same round-trip time. */
static void acks(Flow *f, int n, uint32_t gap_us, uint32_t rtt_us)
{
    for (int i = 0; i < n; i++) {
        f->v.now_ns += gap_us * SIM_US;
        flow_ack_rtt(f, 1, (int32_t)rtt_us);
    }
}

static bool has_left(const Flow *f)
{
    return !cc_in_slow_start(&f->cc.s);
}

/* A first round of 20 at the base delay; the second round begins with the next ACK. ACKs stand apart, so
 * there is no train. */
static void first_round(Flow *f, uint32_t rtt_us)
{
    start(f, "cubic", "hystart_detect", HYSTART_DELAY, 20, rtt_us);
    acks(f, 20, 3000, rtt_us);
    g_assert_false(has_left(f));
    g_assert_cmpuint(f->cc.s.cwnd, ==, 40);
}

/* Delay: the threshold is an eighth of the minimum, but 4 ms at least and 16 ms at most; it must be exceeded
 * by the smallest of more than eight samples. */
static void test_delay(void)
{
    static const struct {
        uint32_t rtt_us, threshold_us;
    } rows[] = {{20000, 4000}, {64000, 8000}, {100000, 12500}, {200000, 16000}};

    for (unsigned i = 0; i < HS_ARRAY_LEN(rows); i++) {
        uint32_t limit = rows[i].rtt_us + rows[i].threshold_us;
        Flow f;

        first_round(&f, rows[i].rtt_us);
        acks(&f, 20, 3000, limit);
        g_assert_false(has_left(&f));
        cc_clear(&f.cc);

        first_round(&f, rows[i].rtt_us);
        acks(&f, 8, 3000, limit + 1);
        g_assert_false(has_left(&f));
        acks(&f, 1, 3000, limit + 1);
        g_assert_true(has_left(&f));
        /* ssthresh is the window as it was before this ACK; avoidance takes over at once. */
        g_assert_cmpuint(f.cc.s.ssthresh, ==, 48);
        g_assert_cmpuint(f.cc.s.notes, ==, CC_NOTE_HYSTART_DELAY);
        cc_clear(&f.cc);

        /* One small sample among them clears the suspicion. */
        first_round(&f, rows[i].rtt_us);
        acks(&f, 3, 3000, limit + 1);
        acks(&f, 1, 3000, limit);
        acks(&f, 10, 3000, limit + 1);
        g_assert_false(has_left(&f));
        cc_clear(&f.cc);
    }
}

/* Samples are gathered per round: seven high ones at the end of a round do not count in the next. */
static void test_samples_per_round(void)
{
    Flow f;

    first_round(&f, 100000);
    acks(&f, 30, 3000, 100000); /* within the second round, of 40 */
    acks(&f, 10, 3000, 150000);
    g_assert_false(has_left(&f)); /* its smallest was 100 ms */
    acks(&f, 8, 3000, 150000);
    g_assert_false(has_left(&f));
    acks(&f, 1, 3000, 150000);
    g_assert_true(has_left(&f));
    cc_clear(&f.cc);
}

/* Below 16 packets nothing is looked for. */
static void test_low_window(void)
{
    Flow f;

    start(&f, "cubic", "hystart_low_window", 16, 4, 100000);
    acks(&f, 1, 1000, 100000);
    acks(&f, 10, 1000, 180000);
    g_assert_cmpuint(f.cc.s.cwnd, ==, 15);
    g_assert_false(has_left(&f));
    cc_clear(&f.cc);
}

/* A train of ACKs each at most 2 ms after the one before, longer than half the minimum delay. The round
 * begins at 0. */
static void test_train(void)
{
    Flow f;

    start(&f, "cubic", "hystart_detect", HYSTART_ACK_TRAIN, 80, 100000);
    acks(&f, 1 + 25, 2000, 100000); /* 50 ms */
    g_assert_false(has_left(&f));
    f.v.now_ns += SIM_US;
    flow_ack_rtt(&f, 1, 100000);
    g_assert_true(has_left(&f));
    g_assert_cmpuint(f.cc.s.notes, ==, CC_NOTE_HYSTART_TRAIN);
    cc_clear(&f.cc);

    /* A gap of more than 2 ms ends the train for good in this round. */
    start(&f, "cubic", "hystart_detect", HYSTART_ACK_TRAIN, 80, 100000);
    acks(&f, 10, 2000, 100000);
    acks(&f, 1, 2001, 100000);
    acks(&f, 40, 1000, 100000);
    g_assert_false(has_left(&f));
    cc_clear(&f.cc);
}

/* A pacing sender spreads its flight by itself: the train must be as long as the delay, and the time that
 * bursts of offload take is added. */
static void test_train_paced(void)
{
    Flow f;

    start(&f, "cubic", "hystart_detect", HYSTART_ACK_TRAIN, 400, 100000);
    f.v.is_paced = true;
    acks(&f, 1 + 100, 1000, 100000);
    g_assert_false(has_left(&f));
    acks(&f, 1, 1000, 100000);
    g_assert_true(has_left(&f));
    cc_clear(&f.cc);

    /* 4 * 65536 bytes at 524288000 bytes/s are 500 us; never more than 1 ms. */
    start(&f, "cubic", "hystart_detect", HYSTART_ACK_TRAIN, 400, 100000);
    f.v.is_paced = true;
    f.v.pacing_rate = 524288000;
    acks(&f, 1 + 201, 500, 100000);
    g_assert_false(has_left(&f));
    f.v.now_ns += SIM_US;
    flow_ack_rtt(&f, 1, 100000);
    g_assert_true(has_left(&f));
    cc_clear(&f.cc);

    start(&f, "cubic", "hystart_detect", HYSTART_ACK_TRAIN, 400, 100000);
    f.v.is_paced = true;
    f.v.pacing_rate = 1000;
    acks(&f, 1 + 101, 1000, 100000);
    g_assert_false(has_left(&f));
    acks(&f, 1, 1000, 100000);
    g_assert_true(has_left(&f));
    cc_clear(&f.cc);
}

static void test_off(void)
{
    Flow f;

    start(&f, "cubic", "hystart", 0, 20, 100000);
    acks(&f, 20, 3000, 100000);
    acks(&f, 200, 1000, 300000);
    g_assert_false(has_left(&f));
    cc_clear(&f.cc);
}

/* ---- HyStart++ ---- */

/* All ACKs of a round; the next one begins another. A round is what was in flight when the ACK came that
 * began it. */
static void pp_round(Flow *f, uint32_t rtt_us)
{
    uint32_t end = f->v.snd_nxt;

    do
        acks(f, 1, 1000, rtt_us);
    while (f->v.snd_una + f->v.mss < end);
}

static void pp_two_rounds(Flow *f, const char *name, uint32_t rtt_us)
{
    start(f, name, "hystartpp", 1, 20, rtt_us);
    pp_round(f, rtt_us);
    g_assert_cmpuint(f->cc.s.cwnd, ==, 20 + 19);
    pp_round(f, rtt_us);
    g_assert_cmpuint(f->cc.s.cwnd, ==, 39 + 38);
    g_assert_cmpstr(flow_mode(f), ==, "slow start");
}

/* RttThresh = clamp(lastRoundMinRTT / 8, 4 ms, 16 ms); the eighth sample decides, and reaching it is enough.
 */
static void test_pp_threshold(void)
{
    static const struct {
        uint32_t rtt_us, threshold_us;
    } rows[] = {{20000, 4000}, {64000, 8000}, {100000, 12500}, {200000, 16000}};
    static const char *const names[] = {"reno", "cubic"};

    for (unsigned i = 0; i < 2 * HS_ARRAY_LEN(rows); i++) {
        uint32_t rtt = rows[i / 2].rtt_us, limit = rtt + rows[i / 2].threshold_us;
        Flow f;

        pp_two_rounds(&f, names[i % 2], rtt);
        pp_round(&f, limit - 1);
        g_assert_cmpstr(flow_mode(&f), ==, "slow start");
        g_assert_cmpuint(f.cc.s.cwnd, ==, 77 + 76);
        cc_clear(&f.cc);

        pp_two_rounds(&f, names[i % 2], rtt);
        acks(&f, 7, 1000, limit);
        g_assert_cmpstr(flow_mode(&f), ==, "slow start");
        acks(&f, 1, 1000, limit);
        g_assert_cmpstr(flow_mode(&f), ==, "conservative slow start");
        cc_clear(&f.cc);
    }
}

/* Conservative slow start: a quarter of a packet per acknowledged packet, x 1.25 per round, five rounds; then
 * ssthresh is the window. The round in which it begins counts as the first. */
static void test_pp_conservative(void)
{
    Flow f;
    uint32_t before;

    pp_two_rounds(&f, "reno", 100000);
    pp_round(&f, 120000); /* 7 ACKs of slow start and 69 of the slower kind */
    g_assert_cmpuint(f.cc.s.cwnd, ==, 77 + 7 + 69 / 4);
    for (int i = 2; i <= 5; i++) {
        g_assert_cmpstr(flow_mode(&f), ==, "conservative slow start");
        before = f.cc.s.cwnd;
        pp_round(&f, 120000);
        assert_near(f.cc.s.cwnd, before * 1.25, 1.5);
    }
    g_assert_cmpuint(f.cc.s.ssthresh, ==, CC_SSTHRESH_INFINITE);
    before = f.cc.s.cwnd;
    acks(&f, 1, 1000, 120000);
    g_assert_cmpuint(f.cc.s.ssthresh, ==, before);
    g_assert_cmpstr(flow_mode(&f), ==, "congestion avoidance");
    acks(&f, (int)before - 1, 1000, 120000);
    g_assert_cmpuint(f.cc.s.cwnd, ==, before + 1);
    cc_clear(&f.cc);
}

/* The delay falls below what ended slow start: it was jitter, and slow start goes on. */
static void test_pp_resume(void)
{
    Flow f;
    uint32_t before;

    pp_two_rounds(&f, "reno", 100000);
    pp_round(&f, 120000); /* 69 / 4 leaves a quarter over */
    before = f.cc.s.cwnd;
    acks(&f, 7, 1000, 119999);
    g_assert_cmpstr(flow_mode(&f), ==, "conservative slow start");
    acks(&f, 1, 1000, 119999);
    g_assert_cmpstr(flow_mode(&f), ==, "slow start");
    g_assert_cmpuint(f.cc.s.cwnd, ==, before + (7 + 1) / 4 + 1);
    cc_clear(&f.cc);
}

/* One ACK counts for at most eight packets, unless a pacer spreads the burst. */
static void test_pp_limit(void)
{
    Flow f;

    start(&f, "reno", "hystartpp", 1, 20, 100000);
    flow_ack(&f, 12);
    g_assert_cmpuint(f.cc.s.cwnd, ==, 28);
    f.v.is_paced = true;
    flow_ack(&f, 12);
    g_assert_cmpuint(f.cc.s.cwnd, ==, 40);
    cc_clear(&f.cc);
}

/* Only the first slow start is watched: after a loss it is the ordinary one. */
static void test_pp_after_loss(void)
{
    Flow f;

    pp_two_rounds(&f, "reno", 100000);
    flow_loss(&f);
    f.cc.s.cwnd = 20;
    f.cc.s.ssthresh = 1000;
    acks(&f, 20, 1000, 100000);
    acks(&f, 40, 1000, 200000);
    acks(&f, 80, 1000, 300000);
    g_assert_cmpuint(f.cc.s.cwnd, ==, 160);
    cc_clear(&f.cc);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cc/hystart/delay", test_delay);
    g_test_add_func("/cc/hystart/samples-per-round", test_samples_per_round);
    g_test_add_func("/cc/hystart/low-window", test_low_window);
    g_test_add_func("/cc/hystart/train", test_train);
    g_test_add_func("/cc/hystart/train-paced", test_train_paced);
    g_test_add_func("/cc/hystart/off", test_off);
    g_test_add_func("/cc/hystartpp/threshold", test_pp_threshold);
    g_test_add_func("/cc/hystartpp/conservative", test_pp_conservative);
    g_test_add_func("/cc/hystartpp/resume", test_pp_resume);
    g_test_add_func("/cc/hystartpp/limit", test_pp_limit);
    g_test_add_func("/cc/hystartpp/after-loss", test_pp_after_loss);
    return g_test_run();
}
