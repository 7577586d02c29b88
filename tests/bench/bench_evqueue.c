/* W1, the hold model, over the engine's event queue: N pending events, each one executed through its callback
 * schedules one more at now + exponential(mean 1 s). Prints one line of key=value pairs per run; any correct
 * queue prints the same checksum. Further rows: small queues, and patterns that queues dislike.
 *   bench_evqueue                 all rows, 2 million events each
 *   bench_evqueue N [EVENTS]      one W1 row */
#include "sim/engine/evqueue.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static void run_hold(const char *workload, size_t n, uint64_t events)
{
    Bench *b = &bench;
    b->rng = 88172645463325252u;
    b->now = 0, b->seq = b->done = b->sum = 0;
    evqueue_init(&b->q);
    for (size_t i = 0; i < n; i++)
        evqueue_push(&b->q, next_delay(b), b->seq++, on_hold, (void *)i);
    double start = cpu_s();
    while (b->done < events) {
        Event *ev = evqueue_pop(&b->q, SIM_NEVER);
        EventFn fn = ev->fn;
        void *arg = ev->arg;
        b->now = ev->time;
        evqueue_recycle(&b->q, ev);
        fn(arg);
    }
    double s = cpu_s() - start;
    printf("workload=%s n=%zu events=%llu cpu_s=%.3f events_per_cpu_s=%.0f checksum=%llu:%llu bytes=%zu moves_per_event=%.1f\n", workload, n,
           (unsigned long long)events, s, (double)events / s, (unsigned long long)b->now,
           (unsigned long long)b->sum, evqueue_bytes(&b->q), (double)b->q.moves / (double)(events + n));
    evqueue_clear(&b->q);
}

int main(int argc, char **argv)
{
    for (int i = 0; i < 65536; i++)
        bench.delay[i] = 1 + (SimTime)(-log((i + 0.5) / 65536.0) * 1e9);
    uint64_t events = argc > 2 ? strtoull(argv[2], NULL, 0) : 2000000;
    if (argc > 1) {
        run_hold("w1", strtoull(argv[1], NULL, 0), events);
        return 0;
    }
    static const size_t sizes[] = {10, 30, 60, 100, 1000, 10000, 100000, 1000000};
    for (size_t i = 0; i < HS_ARRAY_LEN(sizes); i++)
        run_hold("w1", sizes[i], events);
    return 0;
}
