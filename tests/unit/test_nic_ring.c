/* The receive ring (HOST-01 … HOST-05): bursts of frames of 1 µs at 1 Gbit/s (125 byte times: 101 bytes). */
#include "models/ether/nic_ring.h"

#include <glib.h>

#include "ether_peer.h"

#define FRAME_LEN 101
#define FRAME_TIME SIM_US

typedef struct Lab {
    World w;
    Node node;
    Nic nic;
    Peer *peer;
    unsigned n_input;
    SimTime first, last;
} Lab;

static void input(NetDev *dev, Packet *pkt, uint16_t type)
{
    Lab *lab = dev->upper;

    (void)type;
    lab->last = node_now(dev->node);
    if (lab->n_input++ == 0)
        lab->first = lab->last;
    packet_unref(pkt);
}

static NicRingConfig config(NicRingMode mode)
{
    NicRingConfig c;

    nic_ring_config_init(&c);
    c.mode = mode;
    return c;
}

static void lab_init(Lab *lab, NicRingConfig c)
{
    memset(lab, 0, sizeof *lab);
    world_init(&lab->w, 1);
    node_init(&lab->node, lab->w.sim, "host");
    nic_init(&lab->nic, &lab->node, "eth0", mac_from_u64(0x020000000001), lab->w.probes);
    lab->nic.dev.input = input;
    lab->nic.dev.upper = lab;
    nic_set_ring(&lab->nic, &c);
    lab->peer = peer_new(&lab->w, "peer", 0x020000000002);
    world_link_full(&lab->w, &lab->nic.port, &lab->peer->port, 1000000000, 0);
}

static void lab_clear(Lab *lab)
{
    world_unlink(&lab->w);
    nic_clear(&lab->nic);
    node_clear(&lab->node);
    world_clear(&lab->w);
}

static void burst(Lab *lab, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        peer_send(lab->peer, lab->nic.dev.mac, FRAME_LEN);
    world_run(&lab->w, sim_now(lab->w.sim) + 20 * SIM_MS);
}

/* HOST-02, HOST-03: a burst that the host keeps up with costs one interrupt; polls of 64; then the interrupt
 * is unmasked, and the next frame raises one again. A frame is there 2 µs (interrupt) and 1 µs (work) after
 * its last bit. */
static void test_napi(void)
{
    Lab lab;
    NicRingConfig c = config(NIC_RING_NAPI);
    const NicRingStats *s;

    lab_init(&lab, c);
    s = nic_ring_stats(nic_get_ring(&lab.nic));
    burst(&lab, 200);
    g_assert_cmpuint(lab.n_input, ==, 200);
    g_assert_cmpint(lab.first, ==, 904 + 3 * SIM_US);
    g_assert_cmpuint(s->interrupts, ==, 1);
    g_assert_cmpuint(s->softirqs, ==, 1);
    g_assert_cmpuint(s->polls, ==, 4); /* 64, 64, 64, 8 */
    g_assert_cmpuint(s->squeezes, ==, 0);
    g_assert_false(nic_ring_is_masked(nic_get_ring(&lab.nic)));
    burst(&lab, 1);
    g_assert_cmpuint(s->interrupts, ==, 2);
    lab_clear(&lab);
}

/* A poll that finds exactly `weight` frames does not know that it was the last: an empty one follows. */
static void test_empty_poll(void)
{
    Lab lab;

    lab_init(&lab, config(NIC_RING_NAPI));
    burst(&lab, 64);
    g_assert_cmpuint(lab.n_input, ==, 64);
    g_assert_cmpuint(nic_ring_stats(nic_get_ring(&lab.nic))->polls, ==, 2);
    lab_clear(&lab);
}

/* HOST-03: past 300 frames (5 polls of 64) work moves to the thread; past 2 ms, too. */
static void test_budget(void)
{
    Lab lab;
    NicRingConfig c = config(NIC_RING_NAPI);

    lab_init(&lab, c);
    burst(&lab, 700);
    g_assert_cmpuint(lab.n_input, ==, 700);
    g_assert_cmpuint(nic_ring_stats(nic_get_ring(&lab.nic))->squeezes, ==, 2);
    g_assert_cmpuint(nic_ring_stats(nic_get_ring(&lab.nic))->thread_runs, ==, 2);
    g_assert_cmpuint(nic_ring_stats(nic_get_ring(&lab.nic))->interrupts, ==, 1);
    lab_clear(&lab);

    c.packet_cost = 20 * SIM_US; /* 64 frames take 1.28 ms: the second poll is over the time */
    c.rx_size = 1000;
    lab_init(&lab, c);
    burst(&lab, 300);
    g_assert_cmpuint(lab.n_input, ==, 300);
    g_assert_cmpuint(nic_ring_stats(nic_get_ring(&lab.nic))->squeezes, ==, 2);
    lab_clear(&lab);
}

/* HOST-02: in interrupt mode N frames cost N interrupts, and the same frames are delivered. */
static void test_interrupts(void)
{
    Lab lab;
    NicRingConfig c = config(NIC_RING_INTERRUPT);

    c.irq_cost = 200;
    c.packet_cost = 300;
    lab_init(&lab, c);
    burst(&lab, 200);
    g_assert_cmpuint(lab.n_input, ==, 200);
    g_assert_cmpuint(nic_ring_stats(nic_get_ring(&lab.nic))->interrupts, ==, 200);
    g_assert_cmpint(lab.first, ==, 904 + 500);
    lab_clear(&lab);
}

/* Receive livelock: interrupts take all the time, and nothing is delivered while frames keep coming. */
static void test_livelock(void)
{
    Lab lab;
    NicRingConfig c = config(NIC_RING_INTERRUPT);

    c.irq_cost = FRAME_TIME;
    lab_init(&lab, c);
    for (unsigned i = 0; i < 900; i++)
        peer_send(lab.peer, lab.nic.dev.mac, FRAME_LEN);
    world_run(&lab.w, 890 * SIM_US);
    g_assert_cmpuint(lab.n_input, <=, 1);
    world_run(&lab.w, 10 * SIM_MS);
    g_assert_cmpuint(lab.n_input, ==, 900);
    lab_clear(&lab);
}

/* HOST-04: ring + k frames while polling is paused: exactly k are lost; a larger ring loses none. */
static void test_overrun(void)
{
    for (unsigned size = 256; size <= 512; size += 256) {
        Lab lab;
        NicRingConfig c = config(NIC_RING_NAPI);
        unsigned lost = size == 256 ? 44 : 0;

        c.rx_size = size;
        lab_init(&lab, c);
        nic_ring_set_paused(nic_get_ring(&lab.nic), true);
        burst(&lab, 300);
        g_assert_cmpuint(lab.n_input, ==, 0);
        g_assert_cmpuint(nic_ring_waiting(nic_get_ring(&lab.nic)), ==, 300 - lost);
        g_assert_cmpuint(netdev_errors(&lab.nic.dev)->rx_overruns, ==, lost);
        g_assert_cmpuint(lab.w.drops[DROP_RING_FULL], ==, lost);
        nic_ring_set_paused(nic_get_ring(&lab.nic), false);
        world_run(&lab.w, SIM_SEC);
        g_assert_cmpuint(lab.n_input, ==, 300 - lost);
        lab_clear(&lab);
    }
}

/* HOST-05: the 1001st waiting packet is dropped; raising the limit moves the point. */
static void test_backlog(void)
{
    for (unsigned limit = 1000; limit <= 1010; limit += 10) {
        Lab lab;
        NicRingConfig c = config(NIC_RING_INTERRUPT);
        unsigned lost = limit == 1000 ? 1 : 0;

        c.irq_cost = 100;
        c.max_backlog = limit;
        lab_init(&lab, c);
        nic_ring_set_paused(nic_get_ring(&lab.nic), true);
        burst(&lab, 1001);
        g_assert_cmpuint(nic_ring_backlog(nic_get_ring(&lab.nic)), ==, 1001 - lost);
        g_assert_cmpuint(lab.w.drops[DROP_BACKLOG_FULL], ==, lost);
        g_assert_cmpuint(nic_ring_stats(nic_get_ring(&lab.nic))->backlog_drops, ==, lost);
        nic_ring_set_paused(nic_get_ring(&lab.nic), false);
        world_run(&lab.w, SIM_SEC);
        g_assert_cmpuint(lab.n_input, ==, 1001 - lost);
        lab_clear(&lab);
    }
}

/* What waits when the device goes down, or when the ring is taken away, is gone; afterwards all works again.
 */
static void test_down(void)
{
    Lab lab;

    lab_init(&lab, config(NIC_RING_NAPI));
    nic_ring_set_paused(nic_get_ring(&lab.nic), true);
    burst(&lab, 10);
    lab.nic.dev.ops->set_up(&lab.nic.dev, false);
    g_assert_cmpuint(lab.w.drops[DROP_DEVICE_DOWN], ==, 10);
    lab.nic.dev.ops->set_up(&lab.nic.dev, true);
    nic_ring_set_paused(nic_get_ring(&lab.nic), false);
    burst(&lab, 10);
    g_assert_cmpuint(lab.n_input, ==, 10);
    nic_set_ring(&lab.nic, NULL);
    burst(&lab, 10);
    g_assert_cmpuint(lab.n_input, ==, 20);
    lab_clear(&lab);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ether/nic-ring/napi", test_napi);
    g_test_add_func("/ether/nic-ring/empty-poll", test_empty_poll);
    g_test_add_func("/ether/nic-ring/budget", test_budget);
    g_test_add_func("/ether/nic-ring/interrupts", test_interrupts);
    g_test_add_func("/ether/nic-ring/livelock", test_livelock);
    g_test_add_func("/ether/nic-ring/overrun", test_overrun);
    g_test_add_func("/ether/nic-ring/backlog", test_backlog);
    g_test_add_func("/ether/nic-ring/down", test_down);
    return g_test_run();
}
