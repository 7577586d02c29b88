/* W1, the hold model, over the engine's event queue: N pending events, each one executed through its callback
 * schedules one more at now + exponential(mean 1 s). Prints one line of key=value pairs per run; any correct
 * queue prints the same checksum. Further rows: small queues, and patterns that queues dislike.
 *   bench_evqueue                 all rows, 2 million events each
 *   bench_evqueue N [EVENTS]      one W1 row */
#include "sim/engine/evqueue.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct Bench {
    EvQueue q;
    SimTime now;
    uint64_t rng, seq, done, sum;
    SimTime delay[65536];
} Bench;

typedef struct Hold {
    Bench *b;
    uint64_t count;
} Hold;

static Bench bench;

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static SimTime next_delay(Bench *b)
{
    b->rng ^= b->rng << 13, b->rng ^= b->rng >> 7, b->rng ^= b->rng << 17;
    return b->delay[b->rng >> 48];
}

static void on_hold(void *arg)
{
    Bench *b = &bench;
    b->done++;
    b->sum += (uintptr_t)arg;
    evqueue_push(&b->q, b->now + next_delay(b), b->seq++, on_hold, (void *)((uintptr_t)arg + 1));
}

/* Prints the row and clears the queue. */
static void report(const char *workload, size_t n, uint64_t events, double s)
{
    Bench *b = &bench;
    printf("workload=%s n=%zu events=%llu cpu_s=%.3f events_per_cpu_s=%.0f checksum=%llu:%llu bytes=%zu\n",
           workload, n, (unsigned long long)events, s, (double)events / s, (unsigned long long)b->now,
           (unsigned long long)b->sum, evqueue_bytes(&b->q));
    fflush(stdout);
    evqueue_clear(&b->q);
}

static void reset(void)
{
    Bench *b = &bench;
    b->rng = 88172645463325252u;
    b->now = 0;
    b->seq = b->done = b->sum = 0;
    evqueue_init(&b->q);
}

static bool run_one(Bench *b)
{
    Event *ev = evqueue_pop(&b->q, SIM_NEVER);
    if (!ev)
        return false;
    EventFn fn = ev->fn;
    void *arg = ev->arg;
    b->now = ev->time;
    evqueue_recycle(&b->q, ev);
    fn(arg);
    return true;
}

static void run_hold(size_t n, uint64_t events)
{
    Bench *b = &bench;
    reset();
    for (size_t i = 0; i < n; i++)
        evqueue_push(&b->q, next_delay(b), b->seq++, on_hold, (void *)i);
    double start = cpu_s();
    while (b->done < events)
        run_one(b);
    report("w1", n, events, cpu_s() - start);
}

/* What a chain of links does: each event schedules one a constant later, out of step with the others. */
static void on_chain(void *arg)
{
    Bench *b = &bench;
    uintptr_t i = (uintptr_t)arg;
    b->done++;
    b->sum += i;
    evqueue_push(&b->q, b->now + 8000 + (SimTime)(i % 3) * SIM_MS, i << 40 | b->seq++, on_chain, arg);
}

static void run_chain(size_t n, uint64_t events)
{
    Bench *b = &bench;
    reset();
    for (size_t i = 0; i < n; i++)
        evqueue_push(&b->q, (SimTime)i * 100, i << 40 | b->seq++, on_chain, (void *)i);
    double start = cpu_s();
    while (b->done < events)
        run_one(b);
    report("chain", n, events, cpu_s() - start);
}

static void on_count(void *arg)
{
    bench.done++;
    bench.sum = bench.sum * 31 + (uintptr_t)arg;
}

/* n pushes, then n pops: cost of both per event. */
static void run_fill(const char *workload, size_t n)
{
    Bench *b = &bench;
    reset();
    double start = cpu_s();
    for (size_t i = 0; i < n; i++) {
        SimTime t = (SimTime)i;
        uint64_t key = b->seq++;
        next_delay(b);
        switch (workload[0]) {
        case 't': /* ties, scattered keys */
            t = 7;
            key = (b->rng >> 50) << 40 | key;
            break;
        case 'f': /* falling */
            t = (SimTime)(n - i);
            break;
        case 'b': /* bimodal: nanoseconds and hours */
            t = (i & 1 ? 3600 * SIM_SEC : 0) + (SimTime)(b->rng >> 50);
            break;
        case 'u': /* uniform */
            t = (SimTime)(b->rng >> 20);
            break;
        default: /* rising */
            break;
        }
        evqueue_push(&b->q, t, key, on_count, (void *)i);
    }
    while (run_one(b))
        ;
    report(workload, n, n, cpu_s() - start);
}

/* A timer per flow, cancelled and armed again at every event of the flow. */
static Event *rearm[1000];

static void on_rearm(void *arg)
{
    Bench *b = &bench;
    uintptr_t i = (uintptr_t)arg;
    b->done++;
    b->sum += i;
    evqueue_cancel(&b->q, rearm[i]);
    rearm[i] = evqueue_push(&b->q, b->now + 20 * SIM_SEC, b->seq++, on_count, NULL);
    evqueue_push(&b->q, b->now + next_delay(b), b->seq++, on_rearm, arg);
}

static void run_rearm(uint64_t events)
{
    Bench *b = &bench;
    reset();
    for (size_t i = 0; i < HS_ARRAY_LEN(rearm); i++) {
        rearm[i] = evqueue_push(&b->q, 20 * SIM_SEC, b->seq++, on_count, NULL);
        evqueue_push(&b->q, next_delay(b), b->seq++, on_rearm, (void *)i);
    }
    double start = cpu_s();
    while (b->done < events)
        run_one(b);
    report("rearm", HS_ARRAY_LEN(rearm), events, cpu_s() - start);
}

int main(int argc, char **argv)
{
    for (int i = 0; i < 65536; i++)
        bench.delay[i] = 1 + (SimTime)(-log((i + 0.5) / 65536.0) * 1e9);
    uint64_t events = argc > 2 ? strtoull(argv[2], NULL, 0) : 2000000;
    if (argc > 1) {
        run_hold(strtoull(argv[1], NULL, 0), events);
        return 0;
    }
    static const size_t sizes[] = {10, 30, 60, 100, 1000, 10000, 100000, 1000000};
    for (size_t i = 0; i < HS_ARRAY_LEN(sizes); i++)
        run_hold(sizes[i], events);
    for (size_t i = 0; i < 4; i++)
        run_chain(sizes[i], events);
    static const char *const fills[] = {"rising", "falling", "uniform", "bimodal", "ties"};
    for (size_t i = 0; i < HS_ARRAY_LEN(fills); i++)
        run_fill(fills[i], 1000000);
    run_rearm(events);
    return 0;
}
