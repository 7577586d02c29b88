/* Reno, the arithmetic that it shares, and the contract's own functions. */
#include <glib.h>

#include "tests/unit/test_cc_helper.h"

/* RFC 5681 3.1 slow start: every acknowledged packet adds one. Ten ACKs make 20 out of 10, and flights
 * double. */
static void test_slow_start(void)
{
    Flow f;

    flow_start(&f, "reno", NULL, 10, 100000);
    for (int i = 1; i <= 10; i++) {
        flow_ack(&f, 1);
        g_assert_cmpuint(f.cc.s.cwnd, ==, 10 + i);
    }
    for (uint32_t flight = 20; flight <= 320; flight *= 2) {
        g_assert_cmpuint(f.cc.s.cwnd, ==, flight);
        flow_round(&f);
    }
    /* An ACK for two packets counts for two: Linux does not slow down with delayed ACKs. */
    flow_start(&f, "reno", NULL, 10, 100000);
    flow_ack(&f, 2);
    g_assert_cmpuint(f.cc.s.cwnd, ==, 12);
    g_assert_cmpstr(flow_mode(&f), ==, "slow start");
    cc_clear(&f.cc);
}

/* Slow start stops exactly at ssthresh, and what the ACK acknowledged beyond it counts for avoidance. */
static void test_crossing(void)
{
    Flow f;

    flow_start(&f, "reno", NULL, 10, 100000);
    f.cc.s.ssthresh = 12;
    flow_ack(&f, 8);
    g_assert_cmpuint(f.cc.s.cwnd, ==, 12);
    g_assert_cmpuint(f.cc.s.cwnd_cnt, ==, 6);
    flow_ack(&f, 5);
    g_assert_cmpuint(f.cc.s.cwnd, ==, 12);
    flow_ack(&f, 1);
    g_assert_cmpuint(f.cc.s.cwnd, ==, 13);
    g_assert_cmpuint(f.cc.s.cwnd_cnt, ==, 0);
    g_assert_cmpstr(flow_mode(&f), ==, "congestion avoidance");
}

/* Congestion avoidance: one packet per round trip, whatever the ACKs look like. */
static void test_avoidance(void)
{
    Flow f;

    flow_start(&f, "reno", NULL, 10, 100000);
    f.cc.s.ssthresh = 10;
    for (uint32_t w = 10; w < 60; w++) {
        g_assert_cmpuint(f.cc.s.cwnd, ==, w);
        flow_round(&f);
    }
    flow_ack(&f, 60);
    g_assert_cmpuint(f.cc.s.cwnd, ==, 61);
}

/* Credit of a large window is worth one packet, not several, when the window has become small (Linux
 * tcp_cong_avoid_ai). */
static void test_old_credit(void)
{
    Flow f;

    flow_start(&f, "reno", NULL, 100, 100000);
    f.cc.s.ssthresh = 100;
    flow_ack(&f, 99);
    f.cc.s.cwnd = f.cc.s.ssthresh = 10;
    flow_ack(&f, 1);
    g_assert_cmpuint(f.cc.s.cwnd, ==, 11);
    g_assert_cmpuint(f.cc.s.cwnd_cnt, ==, 1);
}

/* RFC 5681 equation (4): half of 20 is 10; never below two packets. Undo goes back to what was there. */
static void test_loss(void)
{
    Flow f;

    flow_start(&f, "reno", NULL, 20, 100000);
    g_assert_cmpuint(cc_ssthresh(&f.cc, &f.v), ==, 10);
    f.cc.s.cwnd = 3;
    g_assert_cmpuint(cc_ssthresh(&f.cc, &f.v), ==, 2);
    f.cc.s.cwnd = 1;
    g_assert_cmpuint(cc_ssthresh(&f.cc, &f.v), ==, 2);
    f.v.prior_cwnd = 20;
    g_assert_cmpuint(cc_undo_cwnd(&f.cc, &f.v), ==, 20);
    f.cc.s.cwnd = 30;
    g_assert_cmpuint(cc_undo_cwnd(&f.cc, &f.v), ==, 30);
}

/* RFC 7661: an unused window does not grow; in slow start half used is used. */
static void test_not_limited(void)
{
    Flow f;

    flow_start(&f, "reno", NULL, 10, 100000);
    f.v.is_cwnd_limited = false;
    f.v.max_packets_out = 5;
    cc_cong_avoid(&f.cc, &f.v, 0, 1);
    g_assert_cmpuint(f.cc.s.cwnd, ==, 10);
    f.v.max_packets_out = 6;
    cc_cong_avoid(&f.cc, &f.v, 0, 1);
    g_assert_cmpuint(f.cc.s.cwnd, ==, 11);
    f.cc.s.ssthresh = 11;
    f.v.max_packets_out = 11;
    cc_cong_avoid(&f.cc, &f.v, 0, 11);
    g_assert_cmpuint(f.cc.s.cwnd, ==, 11);
    f.v.is_cwnd_limited = true;
    cc_cong_avoid(&f.cc, &f.v, 0, 11);
    g_assert_cmpuint(f.cc.s.cwnd, ==, 12);
}

static void test_clamp(void)
{
    Flow f;

    flow_start(&f, "reno", NULL, 10, 100000);
    f.v.cwnd_clamp = 12;
    flow_ack(&f, 10);
    g_assert_cmpuint(f.cc.s.cwnd, ==, 12);
    f.cc.s.ssthresh = 12;
    flow_ack(&f, 12);
    g_assert_cmpuint(f.cc.s.cwnd, ==, 12);
}

/* RFC 3649 table 2: average window 1.2/sqrt(p), here with the exact constant of the ideal sawtooth,
 * sqrt(3/2). */
static void test_response_function(void)
{
    static const struct {
        uint32_t every;
        double window, tolerance;
    } rows[] = {{100, 12.25, 0.08}, {1000, 38.7, 0.05}, {10000, 122.5, 0.05}, {100000, 387.3, 0.05}};

    for (unsigned i = 0; i < HS_ARRAY_LEN(rows); i++) {
        Flow f;

        flow_start(&f, "reno", NULL, 10, 100000);
        assert_near(flow_average(&f, rows[i].every, 20, 40), rows[i].window,
                    rows[i].tolerance * rows[i].window);
    }
}

/* ---- the contract ---- */

static void test_table(void)
{
    const char *before = "";

    g_assert_cmpuint(cc_ops_table_len, >=, 2);
    for (unsigned i = 0; i < cc_ops_table_len; i++) {
        char *error = NULL;

        g_assert_true(cc_ops_check(cc_ops_table[i], &error));
        g_assert_cmpstr(before, <, cc_ops_table[i]->name);
        before = cc_ops_table[i]->name;
        g_assert_true(cc_ops_by_name(before) == cc_ops_table[i]);
    }
    g_assert_null(cc_ops_table[cc_ops_table_len]);
    g_assert_null(cc_ops_by_name("vegan"));
}

static void test_check(void)
{
    CcOps ops = *cc_ops_by_name("reno");
    char *error = NULL;

    ops.undo_cwnd = NULL;
    g_assert_false(cc_ops_check(&ops, &error));
    g_assert_cmpstr(error, ==, "congestion controller reno has no undo_cwnd");
    g_free(error);
    ops = *cc_ops_by_name("reno");
    ops.state_size = CC_STATE_MAX + 8;
    g_assert_false(cc_ops_check(&ops, &error));
    g_assert_cmpstr(error, ==, "congestion controller reno needs 136 bytes of state (at most 128)");
    g_free(error);
    ops = *cc_ops_by_name("reno");
    ops.cong_avoid = NULL;
    g_assert_false(cc_ops_check(&ops, &error));
    g_free(error);
    ops = *cc_ops_by_name("reno");
    ops.name = "a-name-of-sixteen";
    g_assert_false(cc_ops_check(&ops, &error));
    g_free(error);
}

static void test_params(void)
{
    CcParams *p = cc_params_new(cc_ops_by_name("cubic"));
    int32_t value = 0;
    char *error = NULL;
    Flow f;

    g_assert_true(cc_params_get(p, "beta", &value));
    g_assert_cmpint(value, ==, 717);
    g_assert_true(cc_params_set(p, "hystart", 0, &error));
    g_assert_true(cc_params_get(p, "hystart", &value));
    g_assert_cmpint(value, ==, 0);
    g_assert_false(cc_params_get(p, "gamma", &value));
    g_assert_false(cc_params_set(p, "hystart", 7, &error));
    g_assert_cmpstr(error, ==, "cubic: hystart cannot be 7 (expected 0 to 1)");
    g_clear_pointer(&error, g_free);
    g_assert_false(cc_params_set(p, "histart", 1, &error));
    g_assert_cmpstr(error, ==, "cubic has no parameter 'histart' (did you mean 'hystart'?)");
    g_clear_pointer(&error, g_free);

    /* A connection follows its set, and keeps it alive. */
    flow_start(&f, "cubic", p, 100, 10000);
    g_assert_true(cc_params_set(p, "beta", 512, &error));
    g_assert_cmpuint(cc_ssthresh(&f.cc, &f.v), ==, 50);
    cc_params_unref(p);
    g_assert_cmpuint(cc_ssthresh(&f.cc, &f.v), ==, 50);

    /* One that is written later is not what the module was loaded with; some cannot be written. */
    g_assert_true(cc_params_write(p, "beta", 256, &error));
    g_assert_cmpuint(cc_ssthresh(&f.cc, &f.v), ==, 25);
    g_assert_cmpint(p->loaded[1], ==, 512);
    g_assert_false(cc_params_write(p, "hystart", 7, &error));
    g_clear_pointer(&error, g_free);
    g_assert_false(cc_params_write(p, "bic_scale", 42, &error));
    g_assert_cmpstr(error, ==,
                    "cubic: bic_scale cannot be changed any more, it is fixed when the module is loaded");
    g_clear_pointer(&error, g_free);
    cc_clear(&f.cc);
}

static void test_change(void)
{
    Flow f;

    flow_start(&f, "cubic", NULL, 100, 10000);
    flow_loss(&f);
    g_assert_cmpuint(f.cc.s.cwnd, ==, 70);
    cc_assign(&f.cc, cc_ops_by_name("reno"), NULL);
    cc_start(&f.cc, &f.v);
    /* The windows stay; the rest is the new one's. */
    g_assert_cmpuint(f.cc.s.cwnd, ==, 70);
    g_assert_cmpuint(f.cc.s.ssthresh, ==, 70);
    g_assert_cmpuint(cc_ssthresh(&f.cc, &f.v), ==, 35);
    cc_clear(&f.cc);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cc/reno/slow-start", test_slow_start);
    g_test_add_func("/cc/reno/crossing", test_crossing);
    g_test_add_func("/cc/reno/avoidance", test_avoidance);
    g_test_add_func("/cc/reno/old-credit", test_old_credit);
    g_test_add_func("/cc/reno/loss", test_loss);
    g_test_add_func("/cc/reno/not-limited", test_not_limited);
    g_test_add_func("/cc/reno/clamp", test_clamp);
    g_test_add_func("/cc/reno/response-function", test_response_function);
    g_test_add_func("/cc/table", test_table);
    g_test_add_func("/cc/check", test_check);
    g_test_add_func("/cc/params", test_params);
    g_test_add_func("/cc/change", test_change);
    return g_test_run();
}
