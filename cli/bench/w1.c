/* W1, the hold model: N pending events, each schedules one more at now + an exponential increment. The same
 * work and the same checksum as any correct queue gives: (time of the last event):(sum of the arguments). */
#include <glib.h>
#include <inttypes.h>

#include "cli/bench/bench.h"
#include "sim/base/exactmath.h"

#define TABLE 65536
#define MEAN_NS 1e9
#define HOLDS 10000000
#define XORSHIFT_SEED UINT64_C(88172645463325252)

typedef struct Hold {
    Node node;
    uint64_t rng, done, sum, holds;
    int64_t delay[TABLE];
} Hold;

/* The reference's callback knows its state without being told; so does ours, that both do the same work. */
static Hold *hold;

static SimTime next_delay(Hold *h)
{
    h->rng ^= h->rng << 13;
    h->rng ^= h->rng >> 7;
    h->rng ^= h->rng << 17;
    return h->delay[h->rng >> 48];
}

static void on_hold(void *arg)
{
    Hold *h = hold;

    h->sum += (uintptr_t)arg;
    node_after(&h->node, next_delay(h), on_hold, (void *)((uintptr_t)arg + 1));
    if (++h->done == h->holds)
        sim_stop(node_sim(&h->node));
}

int bench_w1(const BenchOptions *o)
{
    uint64_t n = o->n ? o->n : 1000;
    Sim *sim = sim_new(1);
    Hold *h = g_new0(Hold, 1);
    const SimLimits limits = {.until = SIM_NEVER};
    BenchClock before, after;

    for (unsigned i = 0; i < TABLE; i++)
        h->delay[i] = 1 + (int64_t)(-exactmath_log((i + 0.5) / TABLE) * MEAN_NS);
    h->rng = XORSHIFT_SEED;
    h->holds = o->holds ? o->holds : HOLDS;
    node_init(&h->node, sim, "hold");
    hold = h;
    for (uintptr_t i = 0; i < n; i++)
        node_at(&h->node, next_delay(h), on_hold, (void *)i);
    before = bench_clock();
    sim_run(sim, &limits);
    after = bench_clock();
    printf("workload=w1 n=%" PRIu64 " events=%" PRIu64 " cpu_s=%.3f wall_s=%.3f events_per_cpu_s=%.0f "
           "peak_rss_kb=%ld checksum=%" PRId64 ":%" PRIu64 "\n",
           n, h->done, after.cpu_s - before.cpu_s, after.wall_s - before.wall_s,
           (double)h->done / (after.cpu_s - before.cpu_s), bench_peak_rss_kb(), sim_now(sim), h->sum);
    node_clear(&h->node);
    sim_free(sim);
    g_free(h);
    return 0;
}
