#include "tests/unit/test_impair_helper.h"
#include "tests/unit/test_link_helper.h"

#include <math.h>

/* 2 % of 50000 frames: 1000, and 4.5 standard deviations are 141. Where in the frame is uniform: with 1000
 * hits in 8 eighths, chi square with 7 degrees of freedom stays below 35 but for one in 10^5 seeds. */
static void test_probability(void)
{
    unsigned hit = 0, eighth[8] = {0};
    double chi = 0;
    ImpairVerdict v;
    Rng rng;
    Impair *im = impair_make("corrupt", (ImpairValue[]){RATIO(0.02), UNSET, UNSET, UNSET}, &rng);

    for (unsigned k = 1; k <= 50000; k++) {
        impair_ask(im, k, 1000, &v);
        g_assert_cmpuint(v.n_flips, <=, 1);
        g_assert_false(v.fcs_fixed);
        if (v.n_flips) {
            g_assert_cmpuint(v.flip[0], <, 8000);
            hit++;
            eighth[v.flip[0] / 1000]++;
        }
    }
    g_assert_cmpuint(hit, >, 1000 - 141);
    g_assert_cmpuint(hit, <, 1000 + 141);
    for (int i = 0; i < 8; i++)
        chi += (eighth[i] - hit / 8.0) * (eighth[i] - hit / 8.0) / (hit / 8.0);
    g_assert_cmpfloat(chi, <, 35);
    impair_free(im);
}

/* One draw for each frame and one for each bit. */
static void test_draws(void)
{
    ImpairVerdict v;
    Rng rng, start;
    Impair *im = impair_make("corrupt", (ImpairValue[]){RATIO(1), NUMBER(5), UNSET, UNSET}, &rng);

    start = rng;
    for (unsigned k = 1; k <= 10; k++) {
        impair_ask(im, k, 60, &v);
        g_assert_cmpuint(v.n_flips, ==, 5);
    }
    g_assert_cmpuint(rng_distance(start, &rng), ==, 60);
    impair_free(im);
}

/* A bit error rate of 10^-5 over 60000 frames of 1250 bytes (10^4 bits): 6000 wrong bits, deviation 77.5;
 * frames without an error (1 - 10^-5)^10^4 = 0.90484, so 5710 bad ones, deviation 72. Over shorter frames,
 * fewer. */
static void test_ber(void)
{
    unsigned bits = 0, frames = 0, small = 0;
    ImpairVerdict v;
    Rng rng, start;
    Impair *im = impair_make("corrupt", (ImpairValue[]){UNSET, UNSET, RATIO(1e-5), UNSET}, &rng);

    for (unsigned k = 1; k <= 60000; k++) {
        impair_ask(im, k, 1250, &v);
        bits += v.n_flips;
        frames += v.n_flips > 0;
        for (unsigned i = 0; i < v.n_flips; i++) {
            g_assert_cmpuint(v.flip[i], <, 10000);
            g_assert_true(i == 0 || v.flip[i] > v.flip[i - 1]);
        }
    }
    g_assert_cmpfloat(fabs(bits - 6000.0), <, 4.5 * 77.5);
    g_assert_cmpfloat(fabs(frames - 5710.0), <, 4.5 * 72);
    start = rng;
    for (unsigned k = 1; k <= 60000; k++) {
        impair_ask(im, k, 125, &v);
        small += v.n_flips;
    }
    g_assert_cmpfloat(fabs(small - 600.0), <, 4.5 * 24.5);
    g_assert_cmpuint(rng_distance(start, &rng), ==, small); /* one draw for each wrong bit */
    impair_free(im);

    im = impair_make("corrupt", (ImpairValue[]){UNSET, UNSET, RATIO(0.5), UNSET}, &rng);
    impair_ask(im, 1, 1500, &v);
    g_assert_cmpuint(v.n_flips, ==, IMPAIR_FLIPS_MAX);
    impair_free(im);
    im = impair_make("corrupt", (ImpairValue[]){UNSET, UNSET, RATIO(0), UNSET}, &rng);
    for (unsigned k = 1; k <= 1000; k++) {
        impair_ask(im, k, 1500, &v);
        g_assert_cmpuint(v.n_flips, ==, 0);
    }
    impair_free(im);
}

/* On a link: the FCS tells, unless a device computed it afterwards; and what is corrupted is this copy of the
 * frame alone. */
static void test_fcs(void)
{
    for (int fcs = 0; fcs < 2; fcs++) {
        uint8_t before[600], after[600];
        Packet *mine;
        Bed b;

        bed_start(&b, 0, 0);
        bed_impair(&b, impair_ops_by_name("corrupt"),
                   (ImpairValue[]){RATIO(1), NUMBER(3), UNSET, RATIO(fcs)});
        mine = bed_packet(&b, 600);
        g_assert_cmpuint(packet_copy(mine, 0, before, 600), ==, 600);
        port_send(&b.port[0].port, packet_ref(mine));
        bed_run(&b, SIM_NEVER);
        g_assert_cmpint(bed_got(&b, 1, 0)->fcs_ok, ==, !fcs);
        g_assert_cmpuint(packet_copy(mine, 0, after, 600), ==, 600);
        g_assert_cmpmem(before, 600, after, 600);
        packet_unref(mine);
        bed_end(&b);
    }
}

static void test_errors(void)
{
    impair_refuses("corrupt", (ImpairValue[]){UNSET, UNSET, UNSET, UNSET},
                   "corrupt: expected either a probability (of a frame) or ber (of a bit)");
    impair_refuses("corrupt", (ImpairValue[]){RATIO(1), NUMBER(33), UNSET, UNSET},
                   "corrupt: bits = 33 is out of range (expected 1 to 32)");
    impair_refuses("corrupt", (ImpairValue[]){UNSET, NUMBER(3), RATIO(0.1), UNSET},
                   "corrupt: bits goes with probability, not with ber");
    impair_refuses("corrupt", (ImpairValue[]){UNSET, UNSET, RATIO(0.75), UNSET},
                   "corrupt: ber = 0.75 is out of range (expected 0 to 0.5)");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/link/impair/corrupt/probability", test_probability);
    g_test_add_func("/link/impair/corrupt/draws", test_draws);
    g_test_add_func("/link/impair/corrupt/ber", test_ber);
    g_test_add_func("/link/impair/corrupt/fcs", test_fcs);
    g_test_add_func("/link/impair/corrupt/errors", test_errors);
    return g_test_run();
}
