/* Links that follow traces: schedules, and Mahimahi's delivery opportunities. */
#include "models/link/linktrace.h"
#include "tests/unit/test_link_helper.h"

static void follow_schedule(Bed *b, const char *text)
{
    LinkTrace *t = linktrace_parse_schedule(text, strlen(text), "test", NULL);

    g_assert_nonnull(t);
    linkdir_follow(b->dir, t);
}

static void follow_opportunities(Bed *b, const char *text)
{
    LinkTrace *t = linktrace_parse_opportunities(text, strlen(text), "test", NULL);

    g_assert_nonnull(t);
    linkdir_follow(b->dir, t);
}

/* Times count from when the link begins to follow; what a line does not name stays; one event for each line,
 * then none. */
static void test_schedule(void)
{
    Bed b;

    bed_start(&b, 1000000000, SIM_MS);
    bed_run(&b, SIM_SEC);
    follow_schedule(&b, "0 10Mbps\n1s - 20ms\n2s 2Mbps 5ms 100%\n3s - - 0\n");
    g_assert_cmpuint(linkdir_rate(b.dir), ==, 10000000);
    g_assert_cmpint(linkdir_delay(b.dir), ==, SIM_MS);
    bed_run(&b, 2 * SIM_SEC);
    g_assert_cmpuint(linkdir_rate(b.dir), ==, 10000000);
    g_assert_cmpint(linkdir_delay(b.dir), ==, 20 * SIM_MS);
    bed_send(&b, 1226); /* 1 ms at 10 Mbit/s */
    bed_run(&b, 3 * SIM_SEC);
    bed_expect(&b, 0, 1, 2 * SIM_SEC + SIM_MS - 9600 + 20 * SIM_MS);
    bed_send(&b, 1226); /* lost: 100 % */
    bed_run(&b, 4 * SIM_SEC);
    bed_send(&b, 1226);                          /* 5 ms at 2 Mbit/s */
    g_assert_cmpuint(sim_pending(b.sim), ==, 1); /* the frame, nothing else */
    bed_run(&b, SIM_NEVER);
    g_assert_cmpuint(b.port[1].got->len, ==, 2);
    bed_expect(&b, 1, 3, 4 * SIM_SEC + 5 * SIM_MS - 48000 + 5 * SIM_MS);
    g_assert_cmpuint(linkdir_stats(b.dir).lost_packets, ==, 1);
    g_assert_cmpuint(sim_events(b.sim), ==, 3 + 2); /* lines after the first, arrivals */
    bed_end(&b);
}

/* 20 % of 20000: 4000, and 4.5 standard deviations are 255. */
static void test_schedule_loss(void)
{
    Bed b;

    bed_start(&b, 0, 0);
    follow_schedule(&b, "0 - - 20%\n");
    for (int i = 0; i < 20000; i++)
        bed_send(&b, 60);
    bed_run(&b, SIM_NEVER);
    g_assert_cmpuint(linkdir_stats(b.dir).lost_packets, >=, 4000 - 255);
    g_assert_cmpuint(linkdir_stats(b.dir).lost_packets, <=, 4000 + 255);
    bed_end(&b);
}

/* A full-sized frame (1514 bytes: 1500 + 14) takes one opportunity of 1504 (1500 + 4); two at the same
 * millisecond let two go. Opportunities that nobody uses are gone: frame 3 finds 5 and 5 used up and waits
 * for the next lap's 2, at 10 + 2. */
static void test_opportunities(void)
{
    Bed b;

    bed_start(&b, 0, 100 * SIM_US);
    follow_opportunities(&b, "2\n5\n5\n10\n");
    g_assert_cmpuint(sim_pending(b.sim), ==, 0); /* nothing waits: no events */
    bed_run(&b, 3 * SIM_MS);
    for (int i = 0; i < 4; i++)
        bed_send(&b, 1514);
    bed_run(&b, SIM_NEVER);
    bed_expect(&b, 0, 1, 5 * SIM_MS + 100 * SIM_US);
    bed_expect(&b, 1, 2, 5 * SIM_MS + 100 * SIM_US);
    bed_expect(&b, 2, 3, 10 * SIM_MS + 100 * SIM_US);
    bed_expect(&b, 3, 4, 12 * SIM_MS + 100 * SIM_US);
    g_assert_cmpuint(sim_events(b.sim), ==, 3 + 4); /* at 5, 10 and 12 ms; arrivals */
    bed_end(&b);
}

/* Small frames share an opportunity: 740 + 4 bytes of charge fit twice (1488), and the third has 16 bytes of
 * it and leaves with the next, whose other 776 bytes take the fourth along. */
static void test_credit(void)
{
    Bed b;

    bed_start(&b, 0, 0);
    follow_opportunities(&b, "1\n2\n3\n4\n");
    for (int i = 0; i < 4; i++)
        bed_send(&b, 740 + 14);
    bed_run(&b, SIM_NEVER);
    bed_expect(&b, 0, 1, SIM_MS);
    bed_expect(&b, 1, 2, SIM_MS);
    bed_expect(&b, 2, 3, 2 * SIM_MS);
    bed_expect(&b, 3, 4, 2 * SIM_MS);
    bed_end(&b);

    bed_start(&b, 0, 0); /* what is left of an opportunity is not saved up */
    follow_opportunities(&b, "1\n2\n3\n4\n");
    bed_send(&b, 100);
    bed_run(&b, 1500 * SIM_US);
    bed_send(&b, 1514);
    bed_send(&b, 1514);
    bed_run(&b, SIM_NEVER);
    bed_expect(&b, 1, 2, 2 * SIM_MS);
    bed_expect(&b, 2, 3, 3 * SIM_MS);
    bed_end(&b);

    bed_start(&b, 0, 0); /* a jumbo frame takes six: 9000 + 4 = 5.99 of 1504 */
    linkdir_set_mtu(b.dir, 9000);
    follow_opportunities(&b, "1\n");
    bed_send(&b, 9014);
    bed_run(&b, SIM_NEVER);
    bed_expect(&b, 0, 1, 6 * SIM_MS);
    bed_end(&b);
}

/* A frame queued at the very time of an opportunity has missed it. */
static void test_missed(void)
{
    Bed b;

    bed_start(&b, 0, 0);
    follow_opportunities(&b, "1\n4\n");
    bed_run(&b, 4 * SIM_MS);
    bed_send(&b, 100);
    bed_run(&b, SIM_NEVER);
    bed_expect(&b, 0, 1, 5 * SIM_MS);
    bed_end(&b);
}

/* Far into a repeating trace, the next opportunity is found without walking there: 10^6 laps of 3 later. */
static void test_far(void)
{
    Bed b;

    bed_start(&b, 0, 0);
    follow_opportunities(&b, "1\n7\n10\n");
    bed_run(&b, 1000000 * 10 * SIM_MS + 1);
    bed_send(&b, 1514);
    bed_send(&b, 1514);
    bed_run(&b, SIM_NEVER);
    bed_expect(&b, 0, 1, 1000000 * 10 * SIM_MS + SIM_MS);
    bed_expect(&b, 1, 2, 1000000 * 10 * SIM_MS + 7 * SIM_MS);
    bed_end(&b);
}

/* The bandwidth of a trace: 12 opportunities each second of 1504 bytes; 60 frames take 5 s. */
static void test_rate(void)
{
    GString *text = g_string_new(NULL);
    Bed b;

    for (int i = 1; i <= 12; i++)
        g_string_append_printf(text, "%d\n", i * 1000 / 12);
    bed_start(&b, 0, 0);
    follow_opportunities(&b, text->str);
    for (int i = 0; i < 60; i++)
        bed_send(&b, 1514);
    bed_run(&b, SIM_NEVER);
    bed_expect(&b, 59, 60, 5 * SIM_SEC);
    bed_end(&b);
    g_string_free(text, TRUE);
}

/* Pausing, pulling the cable and changing the trace with a frame half on its way. */
static void test_interruptions(void)
{
    FateSink fates;
    Bed b;

    bed_start(&b, 0, 0);
    fate_attach(&fates, &b);
    follow_opportunities(&b, "1\n2\n");
    bed_send(&b, 1514);
    linkdir_set_paused(b.dir, true);
    bed_run(&b, 2500 * SIM_US);
    g_assert_cmpuint(b.port[1].got->len, ==, 0);
    linkdir_set_paused(b.dir, false);
    bed_run(&b, 3 * SIM_MS);
    bed_expect(&b, 0, 1, 3 * SIM_MS);

    linkdir_set_mtu(b.dir, 9000);
    bed_send(&b, 9014);
    bed_run(&b, 5 * SIM_MS);
    link_set_up(b.link, false);
    g_assert_cmpuint(fate_of(&fates, 2)->drop, ==, 1);
    g_assert_cmpuint(fate_of(&fates, 2)->tx, ==, 0); /* it never left */
    g_assert_cmpuint(sim_pending(b.sim), ==, 0);
    link_set_up(b.link, true);

    bed_send(&b, 9014);
    bed_send(&b, 1514);
    bed_run(&b, 7 * SIM_MS);
    follow_opportunities(&b, "10\n");
    g_assert_cmpuint(fate_of(&fates, 3)->drop, ==, 1);
    linkdir_follow(b.dir, NULL); /* back to the transmitter, infinitely fast */
    bed_run(&b, 8 * SIM_MS);
    bed_expect(&b, 1, 4, 7 * SIM_MS);
    bed_end(&b);
    g_array_free(fates.fate, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/link/follow/schedule", test_schedule);
    g_test_add_func("/link/follow/schedule-loss", test_schedule_loss);
    g_test_add_func("/link/follow/opportunities", test_opportunities);
    g_test_add_func("/link/follow/credit", test_credit);
    g_test_add_func("/link/follow/missed", test_missed);
    g_test_add_func("/link/follow/far", test_far);
    g_test_add_func("/link/follow/rate", test_rate);
    g_test_add_func("/link/follow/interruptions", test_interruptions);
    return g_test_run();
}
