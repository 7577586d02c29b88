/* The transmit ring: frames of 1226 bytes (1250 on the wire) take 1 ms at 10 Mbit/s; the gap's 12 bytes, 9.6
 * µs of it, come after the last bit. */
#include "models/link/linktrace.h"
#include "tests/unit/test_link_helper.h"

#define LEN 1226
#define LAST_BIT (SIM_MS - 9600)

static void ring_bed(Bed *b, unsigned slots, SimTime irq_delay)
{
    bed_start(b, 10000000, 0);
    g_assert_true(linkdir_set_ring(b->dir, slots, irq_delay));
}

static void send_many(Bed *b, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        bed_send(b, LEN);
}

/* A ring that frees its slots at once changes no frame's time. */
static void test_transparent(void)
{
    Bed b;

    ring_bed(&b, 4, 0);
    send_many(&b, 10);
    bed_run(&b, SIM_NEVER);
    for (unsigned i = 0; i < 10; i++)
        bed_expect(&b, i, i + 1, i * SIM_MS + LAST_BIT);
    g_assert_cmpuint(linkdir_ring_info(b.dir).completed, ==, 10);
    g_assert_cmpuint(linkdir_ring_info(b.dir).peak, ==, 4);
    g_assert_cmpuint(linkdir_ring_info(b.dir).used, ==, 0);
    bed_end(&b);
}

/* HOST-07: a slot is free only after the completion interrupt. With one slot and 500 µs to that interrupt a
 * frame leaves every 1.5 ms. */
static void test_slot_waits_for_completion(void)
{
    Bed b;

    ring_bed(&b, 1, 500 * SIM_US);
    send_many(&b, 3);
    bed_run(&b, SIM_MS + 499 * SIM_US);
    g_assert_cmpuint(linkdir_ring_info(b.dir).used, ==, 1);
    g_assert_cmpuint(linkdir_ring_info(b.dir).completed, ==, 0);
    bed_run(&b, SIM_NEVER);
    for (unsigned i = 0; i < 3; i++)
        bed_expect(&b, i, i + 1, i * 1500 * SIM_US + LAST_BIT);
    g_assert_cmpuint(linkdir_ring_info(b.dir).interrupts, ==, 3);
    bed_end(&b);
}

/* One interrupt reports all frames that have left: 3 ms after the first end of transmission (1 ms), four
 * have. */
static void test_interrupts_coalesce(void)
{
    Bed b;

    ring_bed(&b, 8, 3500 * SIM_US);
    send_many(&b, 4);
    bed_run(&b, SIM_NEVER);
    g_assert_cmpuint(linkdir_ring_info(b.dir).interrupts, ==, 1);
    g_assert_cmpuint(linkdir_ring_info(b.dir).completed, ==, 4);
    bed_end(&b);
}

/* A stopped transmitter: the ring fills, then the queue, then frames are lost. */
static void test_paused(void)
{
    Bed b;

    bed_init(&b, 1);
    b.config[0].rate_bps = 10000000;
    b.config[0].queue = queue_new_default(5);
    bed_plug(&b);
    linkdir_set_ring(b.dir, 3, 0);
    linkdir_set_paused(b.dir, true);
    send_many(&b, 10);
    bed_run(&b, SIM_SEC);
    g_assert_cmpuint(b.port[1].got->len, ==, 0);
    g_assert_cmpuint(linkdir_ring_info(b.dir).used, ==, 3);
    g_assert_cmpuint(linkdir_queue(b.dir)->packets, ==, 5);
    g_assert_cmpuint(linkdir_stats(b.dir).queue_drops, ==, 2);
    linkdir_set_paused(b.dir, false);
    bed_run(&b, SIM_NEVER);
    g_assert_cmpuint(b.port[1].got->len, ==, 8);
    bed_end(&b);
}

/* What stands in the ring when the cable goes is lost, the frame on its way included; afterwards all works.
 */
static void test_down(void)
{
    Bed b;

    ring_bed(&b, 2, 0);
    send_many(&b, 5);
    bed_run(&b, 500 * SIM_US);
    link_set_up(b.link, false);
    bed_run(&b, SIM_SEC);
    g_assert_cmpuint(b.port[1].got->len, ==, 0);
    g_assert_cmpuint(linkdir_ring_info(b.dir).used, ==, 0);
    g_assert_cmpuint(linkdir_stats(b.dir).lost_packets, ==, 1);
    g_assert_cmpuint(linkdir_stats(b.dir).queue_drops, ==, 4);
    link_set_up(b.link, true);
    send_many(&b, 3);
    bed_run(&b, SIM_NEVER);
    g_assert_cmpuint(b.port[1].got->len, ==, 3);
    bed_end(&b);
}

/* Taken away in the middle, it loses what it holds, and the queue goes on as without it. */
static void test_taken_away(void)
{
    Bed b;

    ring_bed(&b, 2, 0);
    send_many(&b, 5);
    linkdir_set_ring(b.dir, 0, 0);
    bed_run(&b, SIM_NEVER);
    g_assert_cmpuint(b.port[1].got->len, ==, 4); /* the first was on its way, the second stood in the ring */
    g_assert_cmpuint(linkdir_stats(b.dir).queue_drops, ==, 1);
    bed_end(&b);
}

/* The plug moves to another port: its node takes over the timers. */
static void test_replug(void)
{
    Bed b;

    ring_bed(&b, 2, 0);
    send_many(&b, 3);
    bed_run(&b, 500 * SIM_US);
    link_unplug(b.link);
    link_plug(b.link, &b.port[2].port, &b.port[1].port);
    port_send(&b.port[2].port, bed_packet(&b, LEN));
    bed_run(&b, SIM_NEVER);
    g_assert_cmpuint(b.port[1].got->len, ==, 1);
    bed_end(&b);
}

/* Opportunities and a ring exclude each other. */
static void test_opportunities(void)
{
    Bed b;
    LinkTrace *t = linktrace_parse_opportunities("1\n", 2, "test", NULL);

    ring_bed(&b, 2, 0);
    linkdir_follow(b.dir, t);
    g_assert_cmpuint(linkdir_ring_info(b.dir).slots, ==, 0);
    g_assert_false(linkdir_set_ring(b.dir, 2, 0));
    send_many(&b, 2);
    bed_run(&b, SIM_SEC);
    g_assert_cmpuint(b.port[1].got->len, ==, 2);
    bed_end(&b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/link/ring/transparent", test_transparent);
    g_test_add_func("/link/ring/slot-waits-for-completion", test_slot_waits_for_completion);
    g_test_add_func("/link/ring/interrupts-coalesce", test_interrupts_coalesce);
    g_test_add_func("/link/ring/paused", test_paused);
    g_test_add_func("/link/ring/down", test_down);
    g_test_add_func("/link/ring/taken-away", test_taken_away);
    g_test_add_func("/link/ring/replug", test_replug);
    g_test_add_func("/link/ring/opportunities", test_opportunities);
    return g_test_run();
}
