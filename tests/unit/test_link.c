/* The cable: exact times, order, changes during a run. */
#include "models/link/link.h"

#include <stdlib.h>
#include <string.h>

#include "models/link/linktrace.h"
#include "models/wire/vlan.h"
#include "tests/unit/test_link_helper.h"

#define GBIT UINT64_C(1000000000)

/* 1000 bytes and 24 of overhead at 1 Gbit/s: busy for 8192 ns; the last bit leaves 12 bytes (96 ns) earlier.
 */
static void test_idle(void)
{
    Bed b;

    bed_start(&b, GBIT, SIM_MS);
    bed_send(&b, 1000);
    g_assert_cmpint(bed_run(&b, SIM_NEVER), ==, SIM_STOP_IDLE);
    bed_expect(&b, 0, 1, SIM_MS + 8192 - 96);
    g_assert_cmpuint(sim_events(b.sim), ==, 1); /* one event for a frame that finds the link idle */
    g_assert_cmpint(linkdir_stats(b.dir).busy, ==, 8192);
    bed_end(&b);
}

/* Frame k of a train ends at (bits of k frames - the last gap) / rate, rounded down: to the nanosecond after
 * any number. */
static void test_exact_rates(void)
{
    static const uint64_t rates[] = {GBIT,      GBIT / 3,  1,          9600,     56000,
                                     999999937, 10 * GBIT, 400 * GBIT, 123456789};
    __extension__ typedef unsigned __int128 U128;

    for (size_t r = 0; r < HS_ARRAY_LEN(rates); r++) {
        uint64_t bytes = 0;
        Bed b;

        bed_start(&b, rates[r], 7);
        for (unsigned k = 0; k < 900; k++)
            bed_send(&b, 60 + k * 7 % 1400);
        bed_run(&b, SIM_NEVER);
        g_assert_cmpuint(b.port[1].got->len, ==, 900);
        for (unsigned k = 0; k < 900; k++) {
            bytes += 60 + k * 7 % 1400 + 24;
            bed_expect(&b, k, k + 1, (SimTime)((U128)(bytes - 12) * 8 * GBIT / rates[r]) + 7);
        }
        g_assert_cmpuint(sim_events(b.sim), ==,
                         900 + 899); /* arrivals; ends of transmission with frames waiting */
        bed_end(&b);
    }
}

/* 125 bytes on the wire take 333 1/3 ns at 3 Gbit/s. A frame that comes as the transmitter becomes free
 * inherits the remainder; after a pause of a nanosecond it starts on the dot. */
static void test_remainder(void)
{
    Bed b;

    bed_start(&b, 3 * GBIT, 0);
    for (unsigned k = 0; k < 1000; k++) {
        bed_run(&b, b.dir->m ? b.dir->m->busy_until : 0);
        bed_send(&b, 101);
    }
    g_assert_cmpint(b.dir->m->busy_until, ==, 333333);
    bed_run(&b, b.dir->m->busy_until + 1);
    bed_send(&b, 101);
    g_assert_cmpint(b.dir->m->busy_until, ==, 333334 + 333);
    g_assert_cmpuint(b.dir->m->busy_frac, ==, GBIT);
    bed_end(&b);
}

/* An infinitely fast link: the delay is all. */
static void test_no_rate(void)
{
    Bed b;

    bed_start(&b, 0, 5);
    for (int i = 0; i < 3; i++)
        bed_send(&b, 1500);
    bed_run(&b, SIM_NEVER);
    for (unsigned i = 0; i < 3; i++)
        bed_expect(&b, i, i + 1, 5);
    bed_end(&b);
}

/* 1226 + 24 bytes: 10 us at 1 Gbit/s, 100 us at 100 Mbit/s. The frame under way keeps its rate. */
static void test_rate_change(void)
{
    Bed b;

    bed_start(&b, GBIT, 0);
    for (int i = 0; i < 3; i++)
        bed_send(&b, 1226);
    bed_run(&b, 5 * SIM_US);
    linkdir_set_rate(b.dir, GBIT / 10);
    bed_run(&b, 50 * SIM_US);
    linkdir_set_rate(b.dir, GBIT);
    bed_run(&b, SIM_NEVER);
    bed_expect(&b, 0, 1, 10 * SIM_US - 96);
    bed_expect(&b, 1, 2, 110 * SIM_US - 960);
    bed_expect(&b, 2, 3, 120 * SIM_US - 96);
    bed_end(&b);
}

/* The remainder survives a change of rate as a fraction of a nanosecond. */
static void test_rate_change_remainder(void)
{
    Bed b;

    bed_start(&b, GBIT / 3, 0);
    bed_send(&b, 101);
    b.dir->m->busy_frac = linkdir_rate(b.dir) / 2; /* half a nanosecond */
    linkdir_set_rate(b.dir, 7 * GBIT);
    g_assert_cmpint(llabs((long long)b.dir->m->busy_frac - (long long)(7 * GBIT / 2)), <, 100);
    linkdir_set_rate(b.dir, 0);
    g_assert_cmpuint(b.dir->m->busy_frac, ==, 0);
    bed_end(&b);
}

/* A link is a FIFO: after the delay was shortened a frame waits for the one before it. */
static void test_delay_change(void)
{
    Bed b;

    bed_start(&b, 0, 10 * SIM_MS);
    bed_send(&b, 100);
    bed_run(&b, SIM_MS);
    linkdir_set_delay(b.dir, SIM_MS);
    bed_send(&b, 100);
    bed_run(&b, 20 * SIM_MS);
    bed_send(&b, 100);
    bed_run(&b, SIM_NEVER);
    bed_expect(&b, 0, 1, 10 * SIM_MS);
    bed_expect(&b, 1, 2, 10 * SIM_MS);
    bed_expect(&b, 2, 3, 21 * SIM_MS);
    bed_end(&b);
}

static void test_jitter(void)
{
    for (int reorders = 0; reorders < 2; reorders++) {
        unsigned overtaken = 0;
        SimTime least = SIM_NEVER, most = 0;
        Bed b;

        bed_init(&b, 3);
        b.config[0].delay = 10 * SIM_MS;
        b.config[0].jitter = 4 * SIM_MS;
        b.config[0].jitter_reorders = reorders;
        bed_plug(&b);
        for (int i = 0; i < 2000; i++) {
            bed_run(&b, i * SIM_MS);
            bed_send(&b, 100);
        }
        bed_run(&b, SIM_NEVER);
        g_assert_cmpuint(b.port[1].got->len, ==, 2000);
        for (unsigned i = 0; i < 2000; i++) {
            const Got *g = bed_got(&b, 1, i);
            SimTime delay = g->time - (SimTime)(g->id - 1) * SIM_MS;

            overtaken += i && g->id < bed_got(&b, 1, i - 1)->id;
            least = HS_MIN(least, delay);
            most = HS_MAX(most, delay);
        }
        g_assert_cmpint(least, >=, 10 * SIM_MS);
        g_assert_cmpint(least, <,
                        10 * SIM_MS +
                            50 * SIM_US); /* of 2000 draws from 4 ms, one in the lowest 1/80: surely */
        g_assert_cmpint(most, <=, 14 * SIM_MS);
        g_assert_cmpint(most, >, 14 * SIM_MS - 50 * SIM_US);
        if (reorders)
            g_assert_cmpuint(overtaken, >, 300);
        else
            g_assert_cmpuint(overtaken, ==, 0);
        bed_end(&b);
    }
}

typedef struct Later {
    Bed *bed;
    uint32_t len;
} Later;

static void send_later(void *arg)
{
    Later *l = arg;

    bed_send(l->bed, l->len);
}

/* A frame that comes at the instant at which the transmitter becomes free does not pass the one that waits,
 * whichever of the two events comes first; nor does it wait behind nothing. */
static void test_same_instant(void)
{
    for (int order = 0; order < 2; order++) {
        Bed b;
        Later l = {&b, 1226};

        bed_start(&b, GBIT, 0);
        if (order == 0) /* the newcomer's event was scheduled first, so it runs before the transmitter's */
            node_at(&b.node[0], 10 * SIM_US, send_later, &l);
        bed_send(&b, 1226); /* 1: busy until 10 us */
        bed_send(&b, 1226); /* 2: waits */
        if (order == 1)
            node_at(&b.node[0], 10 * SIM_US, send_later, &l);
        bed_run(&b, SIM_NEVER);
        for (unsigned i = 0; i < 3; i++)
            bed_expect(&b, i, i + 1, (i + 1) * 10 * SIM_US - 96);
        bed_end(&b);
    }
    Bed b;
    bed_start(&b, GBIT, 0);
    bed_send(&b, 1226);
    bed_run(&b, 10 * SIM_US);
    bed_send(&b, 1226);
    g_assert_null(linkdir_queue(b.dir)); /* went straight through */
    bed_end(&b);
}

static void test_duplicates_follow(void)
{
    FateSink fates;
    Bed b;

    bed_start(&b, 0, SIM_MS);
    fate_attach(&fates, &b);
    bed_impair(&b, impair_ops_by_name("duplicate"),
               (ImpairValue[]){{.set = true, .ratio = 1}, {.set = true, .number = 2}, {0}});
    bed_send(&b, 100);
    bed_send(&b, 100);
    bed_run(&b, SIM_NEVER);
    for (unsigned i = 0; i < 6; i++)
        bed_expect(&b, i, i / 3 + 1, SIM_MS);
    g_assert_cmpuint(linkdir_stats(b.dir).tx_packets, ==, 2);
    g_assert_cmpuint(linkdir_stats(b.dir).duplicate_packets, ==, 4);
    g_assert_cmpuint(linkdir_stats(b.dir).delivered_packets, ==, 6);
    for (uint64_t id = 1; id <= 2; id++) {
        g_assert_cmpuint(fate_of(&fates, id)->tx, ==, 3);
        g_assert_cmpuint(fate_of(&fates, id)->copies, ==, 2);
    }
    bed_end(&b);
    g_array_free(fates.fate, TRUE);
}

/* Pulling the cable takes what is in flight (the strays too), what waits and what is being sent; afterwards
 * the line is as new. */
static void test_carrier_loss(void)
{
    FateSink fates;
    Bed b;

    bed_init(&b, 1);
    b.config[0].rate_bps = 1000000; /* 1226 + 24 bytes: 10 ms */
    b.config[0].delay = SIM_SEC;
    bed_plug(&b);
    fate_attach(&fates, &b);
    bed_impair(&b, impair_ops_by_name("reorder"),
               (ImpairValue[]){{0}, {.set = true, .number = 2}, {.set = true, .number = 5 * SIM_SEC}});
    for (int i = 0; i < 8; i++)
        bed_send(&b, 1226);
    bed_run(&b, 45 * SIM_MS); /* 1 to 4 are in flight, 2 and 4 as strays, 5 is being sent, 6 to 8 wait */
    link_set_up(b.link, false);
    link_set_up(b.link, false);
    g_assert_false(link_is_up(b.link));
    for (uint64_t id = 1; id <= 8; id++) {
        g_assert_cmpuint(fate_of(&fates, id)->tx, ==, id <= 5);
        g_assert_cmpuint(fate_of(&fates, id)->drop, ==, 1);
        g_assert_cmpstr(fate_of(&fates, id)->reason, ==, "link down");
    }
    g_assert_cmpuint(bed_live(&b), ==, 0);
    g_assert_cmpuint(linkdir_stats(b.dir).lost_packets, ==, 5);
    g_assert_cmpuint(linkdir_stats(b.dir).queue_drops, ==, 3);
    g_assert_cmpint(linkdir_stats(b.dir).busy, ==, 45 * SIM_MS);
    g_assert_cmpint(b.port[0].downs, ==, 1);
    g_assert_cmpint(b.port[1].downs, ==, 1);
    g_assert_false(b.port[0].port.carrier);
    bed_send(&b, 1226);
    g_assert_cmpuint(fate_of(&fates, 9)->drop, ==, 1);
    g_assert_cmpuint(sim_pending(b.sim), ==, 0);
    linkdir_set_delay(b.dir, SIM_MS);
    link_set_up(b.link, true);
    bed_send(&b, 1226); /* frame 6 of the direction: another stray */
    bed_send(&b, 1226); /* 7: at 45 + 20 ms, less the gap of 96 us, + 1 */
    bed_run(&b, SIM_SEC);
    g_assert_cmpuint(b.port[1].got->len, ==, 1);
    bed_expect(&b, 0, 11, 65 * SIM_MS - 96 * SIM_US + SIM_MS);
    bed_end(&b);
    g_array_free(fates.fate, TRUE);
}

/* A cable moves from b to c in mid-run and back; ends that are not plugged have no carrier. */
static void test_replug(void)
{
    Bed b;
    Link *old;

    bed_start(&b, GBIT, SIM_MS);
    bed_send(&b, 1000);
    bed_run(&b, SIM_US);
    old = b.link;
    link_unplug(old);
    link_unplug(old);
    link_set_up(old, true); /* nothing is plugged in: nothing happens */
    g_assert_false(b.port[0].port.carrier);
    bed_send(&b, 1000);
    g_assert_cmpuint(bed_live(&b), ==, 0);
    b.link = link_new(&b.port[0].port, &b.port[2].port, b.config);
    g_assert_true(b.port[0].port.carrier);
    g_assert_true(b.port[2].port.carrier);
    g_assert_false(b.port[1].port.carrier);
    link_set_up(old, true);
    link_unplug(old);
    bed_send(&b, 1000);
    bed_run(&b, SIM_NEVER);
    g_assert_cmpuint(b.port[1].got->len, ==, 0);
    g_assert_cmpuint(b.port[2].got->len, ==, 1);
    g_assert_cmpuint(bed_got(&b, 2, 0)->id, ==, 3);
    link_free(old);
    g_assert_true(b.port[0].port.carrier);
    bed_end(&b);
}

/* The same cable in another socket: its settings come along, and a trace that it follows goes on there. */
static void test_plug_elsewhere(void)
{
    static const char trace[] = "0 10Mbps\n1s 20Mbps\n2s 30Mbps\n";
    Bed b;

    bed_start(&b, GBIT, SIM_MS);
    linkdir_follow(b.dir, linktrace_parse_schedule(trace, strlen(trace), "t", NULL));
    link_unplug(b.link);
    bed_run(&b, 1500 * SIM_MS);
    g_assert_cmpuint(linkdir_rate(b.dir), ==, 20000000);
    link_plug(b.link, &b.port[2].port, &b.port[1].port);
    g_assert_true(b.port[2].port.carrier);
    g_assert_false(b.port[0].port.carrier);
    g_assert_true(linkdir_from(b.dir) == &b.port[2].port);
    g_assert_cmpuint(linkdir_mtu(b.dir), ==, 1500);
    node_clear(&b.node[0]); /* nobody needs the first sender any more */
    node_init(&b.node[0], b.sim, "a");
    bed_run(&b, 2500 * SIM_MS);
    g_assert_cmpuint(linkdir_rate(b.dir), ==, 30000000);
    port_send(&b.port[2].port, bed_packet(&b, 1226));
    bed_run(&b, SIM_NEVER);
    g_assert_cmpuint(b.port[1].got->len, ==, 1);
    bed_end(&b);
}

static void test_pause(void)
{
    Bed b;

    bed_start(&b, GBIT, 0);
    bed_send(&b, 1226);
    bed_send(&b, 1226);
    linkdir_set_paused(b.dir, true);
    bed_run(&b, SIM_MS); /* the frame under way ends, the next waits */
    g_assert_cmpuint(b.port[1].got->len, ==, 1);
    bed_send(&b, 1226);
    g_assert_cmpuint(sim_pending(b.sim), ==, 0);
    linkdir_set_paused(b.dir, false);
    bed_run(&b, SIM_NEVER);
    bed_expect(&b, 1, 2, SIM_MS + 10 * SIM_US - 96);
    bed_expect(&b, 2, 3, SIM_MS + 20 * SIM_US - 96);
    bed_end(&b);
}

static void test_set_queue(void)
{
    FateSink fates;
    Bed b;

    bed_start(&b, GBIT, 0);
    fate_attach(&fates, &b);
    for (int i = 0; i < 6; i++) /* one goes, five wait */
        bed_send(&b, 1226);
    linkdir_set_queue(b.dir, queue_new_default(3));
    g_assert_cmpuint(linkdir_queue(b.dir)->packets, ==, 3);
    g_assert_cmpuint(linkdir_stats(b.dir).queue_drops, ==, 2);
    g_assert_cmpstr(fate_of(&fates, 6)->reason, ==, "queue full");
    bed_run(&b, SIM_NEVER);
    g_assert_cmpuint(b.port[1].got->len, ==, 4);
    for (unsigned i = 0; i < 4; i++)
        bed_expect(&b, i, i + 1, (i + 1) * 10 * SIM_US - 96);
    bed_end(&b);
    g_array_free(fates.fate, TRUE);
}

/* The MTU counts what is behind the link header; VLAN tags belong to the header. */
static void test_mtu(void)
{
    static const struct {
        unsigned tags;
        uint32_t len;
        bool passes;
    } rows[] = {{0, 1514, true},  {0, 1515, false}, {1, 1518, true},
                {1, 1519, false}, {2, 1522, true},  {2, 1523, false}};
    Bed b;
    unsigned want = 0;

    bed_start(&b, 0, 0);
    g_assert_cmpuint(linkdir_mtu(b.dir), ==, 1500);
    for (size_t i = 0; i < HS_ARRAY_LEN(rows); i++) {
        Packet *p = packet_new(b.pool, 0, 1, 16);
        uint8_t *d = packet_put(p, 14 + 4 * rows[i].tags);

        for (unsigned t = 0; t < rows[i].tags; t++)
            wire_put16(d + 12 + 4 * t, t + 1 < rows[i].tags ? ETH_TYPE_QINQ : ETH_TYPE_VLAN);
        wire_put16(d + 12 + 4 * rows[i].tags, ETH_TYPE_IPV4);
        packet_add_synthetic(p, 0, rows[i].len - packet_len(p));
        port_send(&b.port[0].port, p);
        want += rows[i].passes;
        bed_run(&b, SIM_NEVER);
        g_assert_cmpuint(b.port[1].got->len, ==, want);
    }
    linkdir_set_mtu(b.dir, 9000);
    bed_send(&b, 9014);
    bed_send(&b, 9015);
    bed_run(&b, SIM_NEVER);
    g_assert_cmpuint(b.port[1].got->len, ==, want + 1);
    bed_end(&b);
}

/* An unused link, and one that has carried a frame or two (a ring of eight). */
static void test_size(void)
{
    Bed b;

    bed_start(&b, GBIT, 0);
    g_assert_cmpuint(link_bytes(b.link), <=, 168);
    bed_send(&b, 100);
    bed_run(&b, SIM_NEVER);
    g_assert_cmpuint(link_bytes(b.link), <=, 168 + sizeof(LinkMoving) + 8 * sizeof(Flight));
    bed_end(&b);
}
int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/link/idle", test_idle);
    g_test_add_func("/link/exact-rates", test_exact_rates);
    g_test_add_func("/link/remainder", test_remainder);
    g_test_add_func("/link/no-rate", test_no_rate);
    g_test_add_func("/link/rate-change", test_rate_change);
    g_test_add_func("/link/rate-change-remainder", test_rate_change_remainder);
    g_test_add_func("/link/delay-change", test_delay_change);
    g_test_add_func("/link/jitter", test_jitter);
    g_test_add_func("/link/same-instant", test_same_instant);
    g_test_add_func("/link/duplicates-follow", test_duplicates_follow);
    g_test_add_func("/link/carrier-loss", test_carrier_loss);
    g_test_add_func("/link/replug", test_replug);
    g_test_add_func("/link/plug-elsewhere", test_plug_elsewhere);
    g_test_add_func("/link/pause", test_pause);
    g_test_add_func("/link/set-queue", test_set_queue);
    g_test_add_func("/link/mtu", test_mtu);
    g_test_add_func("/link/size", test_size);
    return g_test_run();
}
