/* No frame is ever lost from the books, whatever is done to a link. */
#include <string.h>

#include "models/link/link.h"
#include "models/link/linktrace.h"
#include "tests/unit/test_link_helper.h"

#define GBIT UINT64_C(1000000000)

typedef struct Random {
    Bed b;
    FateSink fates;
    Rng rng;
    GPtrArray *old;
} Random;

static Packet *random_rule(void *user, LinkDir *d, Packet *pkt, const ImpairFrame *f, ImpairVerdict *v)
{
    Random *r = user;

    switch (rng_below(&r->rng, 12)) {
    case 0:
        v->drop = DROP_RULE;
        break;
    case 1:
        v->delay = (SimTime)rng_below(&r->rng, SIM_MS);
        v->may_overtake = rng_below(&r->rng, 2);
        break;
    case 2:
        v->copies = (unsigned)rng_below(&r->rng, 4);
        v->copy_gap = (SimTime)rng_below(&r->rng, SIM_MS);
        break;
    case 3:
        pkt = packet_own(pkt);
        packet_trim(pkt, 1 + (uint32_t)rng_below(&r->rng, packet_len(pkt)));
        break;
    case 4:
        impair_flip(v, (uint32_t)rng_next(&r->rng));
        break;
    case 5:
        if (rng_below(&r->rng, 8) == 0)
            link_set_up(r->b.link, false);
        break;
    case 6:
        if (rng_below(&r->rng, 8) == 0)
            linkdir_set_paused(d, true);
        break;
    case 7:
        if (rng_below(&r->rng, 8) == 0)
            linkdir_follow(d, NULL);
        break;
    }
    return pkt;
}

static void random_trace(Random *r)
{
    static const char *const traces[] = {"0 10Mbps 1ms 0.1\n0.001 - 0ms 0\n0.002 1Mbps\n", "1\n1\n2\n5\n",
                                         "0\n3\n"};
    uint64_t i = rng_below(&r->rng, HS_ARRAY_LEN(traces) + 1);

    if (i == HS_ARRAY_LEN(traces))
        linkdir_follow(r->b.dir, NULL);
    else
        linkdir_follow(r->b.dir, i ? linktrace_parse_opportunities(traces[i], strlen(traces[i]), "t", NULL)
                                   : linktrace_parse_schedule(traces[i], strlen(traces[i]), "t", NULL));
}

static void random_step(Random *r)
{
    static const uint64_t rates[] = {0, 10000000, 333333333, GBIT};
    Bed *b = &r->b;

    switch (rng_below(&r->rng, 24)) {
    case 0:
        linkdir_set_rate(b->dir, rates[rng_below(&r->rng, HS_ARRAY_LEN(rates))]);
        break;
    case 1:
        linkdir_set_delay(b->dir, (SimTime)rng_below(&r->rng, 2 * SIM_MS));
        break;
    case 2:
        linkdir_set_jitter(b->dir, (SimTime)rng_below(&r->rng, SIM_MS), rng_below(&r->rng, 2));
        break;
    case 3:
        linkdir_set_paused(b->dir, rng_below(&r->rng, 3) == 0);
        break;
    case 4:
        link_set_up(b->link, rng_below(&r->rng, 3) != 0);
        break;
    case 5:
        if (rng_below(&r->rng, 6) == 0) {
            link_unplug(b->link);
            g_ptr_array_add(r->old, b->link);
            bed_plug(b);
        }
        break;
    case 6:
        linkdir_set_queue(b->dir, queue_new_default(1 + (uint32_t)rng_below(&r->rng, 20)));
        break;
    case 7:
        linkdir_set_rule(b->dir, rng_below(&r->rng, 3) ? random_rule : NULL, r);
        break;
    case 8:
        if (rng_below(&r->rng, 4) == 0)
            bed_impair(b, impair_ops_by_name("duplicate"),
                       (ImpairValue[]){{.set = true, .ratio = 0.1}, {0}, {.set = true, .number = 100}});
        break;
    case 9:
        if (rng_below(&r->rng, 4) == 0)
            bed_impair(b, impair_ops_by_name("bernoulli"), (ImpairValue[]){{.set = true, .ratio = 0.1}});
        break;
    case 10:
        random_trace(r);
        break;
    default:
        break;
    }
    for (uint64_t n = rng_below(&r->rng, 12); n; n--) {
        fate_of(&r->fates, b->next_id)->given++;
        bed_send(b, 60 + (uint32_t)rng_below(&r->rng, 1460));
    }
    bed_run(b, sim_now(b->sim) + (SimTime)rng_below(&r->rng, 300 * SIM_US));
}

/* Whatever is done to a link: each frame given to it is dropped or put on the wire, not both; and each frame
 * on the wire arrives or is dropped, once. */
static void test_conservation(void)
{
    uint64_t given = 0, rx = 0;

    for (uint64_t seed = 1; seed <= 30; seed++) {
        Random r = {.old = g_ptr_array_new()};
        uint64_t delivered = 0, arrived = 0;

        bed_init(&r.b, seed);
        bed_plug(&r.b);
        fate_attach(&r.fates, &r.b);
        rng_init(&r.rng, seed, "", "test");
        for (int i = 0; i < 400; i++)
            random_step(&r);
        link_unplug(r.b.link);
        g_ptr_array_add(r.old, r.b.link);
        for (guint i = 0; i < r.old->len; i++) {
            const LinkDirStats s = linkdir_stats(link_dir(r.old->pdata[i], 0));

            g_assert_cmpuint(s.tx_packets + s.duplicate_packets, ==, s.delivered_packets + s.lost_packets);
            delivered += s.delivered_packets;
            if (i + 1 < r.old->len)
                link_free(r.old->pdata[i]);
        }
        for (guint id = 1; id < r.fates.fate->len; id++) {
            const Fate *f = fate_of(&r.fates, id);

            given += f->given;
            arrived += f->rx;
            g_assert_cmpuint(f->given, ==, 1);
            if (f->tx == 0) {
                g_assert_cmpuint(f->drop, ==, 1);
                g_assert_cmpuint(f->rx, ==, 0);
            } else {
                g_assert_cmpuint(f->tx, ==, f->rx + f->drop);
            }
        }
        g_assert_cmpuint(arrived, ==, delivered);
        rx += arrived;
        g_assert_cmpuint(sim_pending(r.b.sim), ==, 0);
        bed_end(&r.b);
        g_array_free(r.fates.fate, TRUE);
        g_ptr_array_free(r.old, TRUE);
    }
    g_assert_cmpuint(given, >, 30000);
    g_assert_cmpuint(rx, >, given / 10); /* the test would be void if nothing ever came through */
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/link/conservation", test_conservation);
    return g_test_run();
}
