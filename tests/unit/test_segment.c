/* The shared segment: carrier sense, collisions, backoff, with the times of 10 Mbit/s: a bit 100 ns, a
 * slot 51.2 µs, gap 9.6 µs, jam 3.2 µs, preamble 6.4 µs. */
#include "models/link/segment.h"

#include <glib.h>

#include "ether_peer.h"

#define STATIONS 8
#define BIT 100
#define FRAME(n) ((SimTime)((n) + 12) * 8 * BIT) /* preamble, frame, FCS */

typedef struct Lab {
    World w;
    Segment *s;
    Peer *peer[STATIONS];
} Lab;

static void lab_init(Lab *lab, SegmentConfig c, uint64_t seed, unsigned n)
{
    char *error = NULL;

    memset(lab, 0, sizeof *lab);
    world_init(&lab->w, seed);
    lab->s = segment_new(lab->w.sim, "hub", &c, &error);
    g_assert_no_errno(lab->s ? 0 : -1);
    for (unsigned i = 0; i < n; i++) {
        char *name = g_strdup_printf("h%u", i);

        lab->peer[i] = peer_new(&lab->w, name, 0x020000000001 + i);
        segment_join(lab->s, &lab->peer[i]->port);
        g_free(name);
    }
}

static SegmentConfig defaults(void)
{
    SegmentConfig c;

    segmentconfig_init(&c);
    return c;
}

static void lab_clear(Lab *lab)
{
    world_unlink(&lab->w);
    segment_free(lab->s);
    world_clear(&lab->w);
}

static const SegmentPortStats *stats(const Lab *lab, unsigned i)
{
    return segment_port_stats(lab->s, &lab->peer[i]->port);
}

static void send_at(void *arg)
{
    Peer *p = arg;

    peer_send(p, MAC_BROADCAST, 1000);
}

/* One speaks, all others hear the same frame at the same time: 1012 byte times and 1 µs later. */
static void test_everybody_hears(void)
{
    Lab lab;

    lab_init(&lab, defaults(), 1, STATIONS);
    g_assert_cmpint(segment_slot(lab.s), ==, 512 * BIT);
    peer_send(lab.peer[0], MAC_BROADCAST, 1000);
    world_run(&lab.w, 10 * SIM_MS);
    g_assert_cmpuint(lab.peer[0]->got->len, ==, 0);
    for (unsigned i = 1; i < STATIONS; i++) {
        g_assert_cmpint(peer_got(lab.peer[i], 0)->at, ==, FRAME(1000) + SIM_US);
        g_assert_true(peer_got(lab.peer[i], 0)->pkt == peer_got(lab.peer[1], 0)->pkt);
    }
    g_assert_cmpint(segment_stats(lab.s)->busy, ==, FRAME(1000));
    lab_clear(&lab);
}

/* A station that hears another waits, and then for the gap: 802.3 4.2.3.2.1. */
static void test_carrier_sense(void)
{
    Lab lab;

    lab_init(&lab, defaults(), 1, 3);
    peer_send(lab.peer[0], MAC_BROADCAST, 1000);
    node_at(&lab.peer[1]->node, 100 * SIM_US, send_at, lab.peer[1]);
    world_run(&lab.w, 10 * SIM_MS);
    g_assert_cmpuint(segment_stats(lab.s)->collisions, ==, 0);
    g_assert_cmpuint(stats(&lab, 1)->deferred, ==, 1);
    /* it hears the end after 1 µs, waits 9.6 µs, sends, and is heard 1 µs later */
    g_assert_cmpint(peer_got(lab.peer[2], 1)->at, ==, FRAME(1000) + SIM_US + 96 * BIT + FRAME(1000) + SIM_US);
    lab_clear(&lab);
}

/* One's own frames follow each other by the gap: 1538 byte times for the largest. */
static void test_spacing(void)
{
    Lab lab;

    lab_init(&lab, defaults(), 1, 2);
    for (unsigned i = 0; i < 10; i++)
        peer_send(lab.peer[0], MAC_BROADCAST, 1514);
    peer_send(lab.peer[0], MAC_BROADCAST, 1514 + 9);
    world_run(&lab.w, SIM_SEC);
    for (unsigned i = 0; i < 10; i++)
        g_assert_cmpint(peer_got(lab.peer[1], i)->at, ==, FRAME(1514) + SIM_US + i * 1538 * 8 * BIT);
    g_assert_cmpuint(lab.w.drops[DROP_MTU], ==, 1);
    lab_clear(&lab);
}

/* LINK-08: two that start within the propagation delay collide; both frames arrive later; counters agree. A
 * collision within the preamble costs the preamble and the jam. */
static void test_collision(void)
{
    for (SimTime apart = 0; apart <= 1200; apart += 300) {
        Lab lab;

        lab_init(&lab, defaults(), 7, 3);
        peer_send(lab.peer[0], MAC_BROADCAST, 1000);
        node_at(&lab.peer[1]->node, apart, send_at, lab.peer[1]);
        world_run(&lab.w, SIM_SEC);
        g_assert_cmpuint(lab.peer[2]->got->len, ==, 2);
        g_assert_cmpuint(segment_stats(lab.s)->delivered_frames, ==, 2);
        g_assert_cmpint(segment_stats(lab.s)->collisions > 0, ==, apart < SIM_US);
        if (apart < SIM_US) {
            g_assert_cmpuint(stats(&lab, 0)->collisions, ==, stats(&lab, 1)->collisions);
            g_assert_cmpuint(stats(&lab, 0)->collisions, ==, segment_stats(lab.s)->collisions);
            g_assert_cmpint(peer_got(lab.peer[2], 0)->at, >=, FRAME(1000) + SIM_US + 96 * BIT);
            g_assert_cmpuint(stats(&lab, 0)->single + stats(&lab, 0)->multiple, ==, 1);
        }
        lab_clear(&lab);
    }
}

/* A cable without length, all at once: they collide, and all get through in the end. */
static void test_no_length(void)
{
    SegmentConfig c = defaults();
    Lab lab;

    c.delay = 0;
    lab_init(&lab, c, 3, STATIONS);
    for (unsigned i = 0; i < STATIONS; i++)
        peer_send(lab.peer[i], MAC_BROADCAST, 500);
    world_run(&lab.w, SIM_SEC);
    g_assert_cmpuint(segment_stats(lab.s)->delivered_frames, ==, STATIONS);
    g_assert_cmpuint(segment_stats(lab.s)->collisions, >, 0);
    for (unsigned i = 0; i < STATIONS; i++)
        g_assert_cmpuint(lab.peer[i]->got->len, ==, STATIONS - 1);
    lab_clear(&lab);
}

/* After n collisions a station waits 0 … 2^n - 1 slots: the first try again comes within one slot. */
static void test_backoff_bounds(void)
{
    unsigned slots[2] = {0};

    for (uint64_t seed = 1; seed <= 40; seed++) {
        Lab lab;
        SimTime first, end_of_jam = (64 + 32) * BIT;

        lab_init(&lab, defaults(), seed, 3);
        peer_send(lab.peer[0], MAC_BROADCAST, 1000);
        peer_send(lab.peer[1], MAC_BROADCAST, 1000);
        world_run(&lab.w, SIM_SEC);
        first = peer_got(lab.peer[2], 0)->at - FRAME(1000) - SIM_US; /* when it began */
        if (segment_stats(lab.s)->collisions == 1) {
            /* not collided again: one drew 0 (and waited for silence and gap), the other 1 */
            g_assert_cmpint(first, ==, end_of_jam + SIM_US + 96 * BIT);
            slots[0]++;
        } else {
            slots[1]++;
        }
        lab_clear(&lab);
    }
    /* both draw the same with probability one half */
    g_assert_cmpuint(slots[0], >=, 10);
    g_assert_cmpuint(slots[1], >=, 10);
}

/* After 16 attempts a frame is given up (here after 3, so that it happens). */
static void test_excessive(void)
{
    SegmentConfig c = defaults();
    Lab lab;
    unsigned given_up = 0;

    c.attempts = 3;
    lab_init(&lab, c, 5, STATIONS);
    for (unsigned k = 0; k < 20; k++)
        for (unsigned i = 0; i < STATIONS; i++)
            peer_send(lab.peer[i], MAC_BROADCAST, 500);
    world_run(&lab.w, SIM_SEC);
    for (unsigned i = 0; i < STATIONS; i++)
        given_up += (unsigned)stats(&lab, i)->excessive_collisions;
    g_assert_cmpuint(given_up, >, 0);
    g_assert_cmpuint(lab.w.drops[DROP_COLLISION], ==, given_up);
    g_assert_cmpuint(segment_stats(lab.s)->delivered_frames, ==, 20 * STATIONS - given_up);
    lab_clear(&lab);
}

/* Eight that always have something to send: the medium carries most of its rate (Boggs, Mogul, Kent 1988:
 * above 90 % for long frames), shares are fair in the long run, and few frames are given up: who has just
 * sent starts with a short backoff and may win many times in a row (the capture effect), until somebody else
 * has failed 16 times. */
static void test_saturation(void)
{
    Lab lab;
    SegmentConfig c = defaults();
    uint64_t total = 0, given_up = 0;

    c.queue_packets = 10000;
    lab_init(&lab, c, 11, STATIONS);
    for (unsigned i = 0; i < STATIONS; i++)
        lab.peer[i]->echo = true;
    for (unsigned k = 0; k < 1200; k++)
        for (unsigned i = 0; i < STATIONS; i++)
            peer_send(lab.peer[i], MAC_BROADCAST, 1514);
    world_run(&lab.w, 10 * SIM_SEC); /* room for 8127 frames */
    for (unsigned i = 0; i < STATIONS; i++) {
        total += stats(&lab, i)->tx_frames;
        given_up += stats(&lab, i)->excessive_collisions;
        g_assert_cmpuint(stats(&lab, i)->tx_frames, >=, 700);
        g_assert_cmpuint(stats(&lab, i)->tx_frames, <=, 1200);
    }
    g_assert_cmpuint(total, >=, 8127 * 90 / 100);
    g_assert_cmpuint(total, <, 8127);
    g_assert_cmpuint(given_up, <, total / 10);
    lab_clear(&lab);
}

/* LINK-09: two ports on a segment are a half-duplex link: opposite transfers share its rate. */
static void test_half_duplex(void)
{
    Lab lab;
    LinkTxInfo info;

    lab_init(&lab, defaults(), 2, 2);
    for (unsigned k = 0; k < 900; k++) {
        peer_send(lab.peer[0], MAC_BROADCAST, 1514);
        peer_send(lab.peer[1], MAC_BROADCAST, 1514);
    }
    world_run(&lab.w, SIM_SEC); /* 812 frames in all */
    g_assert_cmpuint(lab.peer[0]->got->len + lab.peer[1]->got->len, >=, 740);
    g_assert_cmpuint(lab.peer[0]->got->len + lab.peer[1]->got->len, <=, 812);
    g_assert_cmpuint(lab.peer[0]->got->len, >=, 250);
    g_assert_cmpuint(lab.peer[1]->got->len, >=, 250);
    g_assert_true(port_describe(&lab.peer[0]->port, &info));
    g_assert_true(info.half_duplex);
    g_assert_cmpuint(info.rate_bps, ==, 10000000);
    lab_clear(&lab);
}

/* Pulled in the middle of a frame: it is lost, the others go on; and back in. */
static void test_leave(void)
{
    Lab lab;

    lab_init(&lab, defaults(), 2, 3);
    peer_send(lab.peer[0], MAC_BROADCAST, 1000);
    peer_send(lab.peer[0], MAC_BROADCAST, 1000);
    world_run(&lab.w, 100 * SIM_US);
    segment_leave(lab.s, &lab.peer[0]->port);
    g_assert_false(lab.peer[0]->port.carrier);
    g_assert_null(segment_port_stats(lab.s, &lab.peer[0]->port));
    peer_send(lab.peer[1], MAC_BROADCAST, 1000);
    peer_send(lab.peer[0], MAC_BROADCAST, 1000);
    world_run(&lab.w, 10 * SIM_MS);
    g_assert_cmpuint(lab.w.drops[DROP_LINK_DOWN], ==, 2);
    g_assert_cmpuint(lab.w.drops[DROP_NO_CARRIER], ==, 1);
    g_assert_cmpuint(lab.peer[2]->got->len, ==, 1);
    segment_join(lab.s, &lab.peer[0]->port);
    peer_send(lab.peer[0], MAC_BROADCAST, 1000);
    world_run(&lab.w, 20 * SIM_MS);
    g_assert_cmpuint(lab.peer[2]->got->len, ==, 2);
    lab_clear(&lab);
}

static void test_too_long(void)
{
    World w;
    SegmentConfig c = defaults();
    char *error = NULL;

    world_init(&w, 1);
    c.delay = 26 * SIM_US;
    g_assert_null(segment_new(w.sim, "long", &c, &error));
    g_assert_cmpstr(
        error, ==,
        "a shared segment of 10000000 bit/s cannot be 26000 ns long; at most half a slot time, 25600 ns");
    g_free(error);
    world_clear(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/link/segment/everybody-hears", test_everybody_hears);
    g_test_add_func("/link/segment/carrier-sense", test_carrier_sense);
    g_test_add_func("/link/segment/spacing", test_spacing);
    g_test_add_func("/link/segment/collision", test_collision);
    g_test_add_func("/link/segment/no-length", test_no_length);
    g_test_add_func("/link/segment/backoff-bounds", test_backoff_bounds);
    g_test_add_func("/link/segment/excessive", test_excessive);
    g_test_add_func("/link/segment/saturation", test_saturation);
    g_test_add_func("/link/segment/half-duplex", test_half_duplex);
    g_test_add_func("/link/segment/leave", test_leave);
    g_test_add_func("/link/segment/too-long", test_too_long);
    return g_test_run();
}
