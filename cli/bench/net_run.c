/* A packet workload's run phase, its observers and its line of figures. */
#include <glib.h>
#include <inttypes.h>
#include <sys/resource.h>
#include <time.h>

#include "cli/bench/bench.h"
#include "sim/trace/sink_digest.h"
#include "sim/trace/sink_pcapng.h"

static double seconds(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

BenchClock bench_clock(void)
{
    return (BenchClock){seconds(CLOCK_PROCESS_CPUTIME_ID), seconds(CLOCK_MONOTONIC)};
}

long bench_peak_rss_kb(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return u.ru_maxrss;
}

typedef struct Tally {
    uint64_t hops, drops;
} Tally;

static Tally count_hops(const Net *net)
{
    Tally t = {0, 0};

    for (unsigned i = 0; i < net_link_count(net); i++) {
        for (unsigned k = 0; k < 2; k++) {
            const LinkDirStats s = linkdir_stats(netlink_dir(net_link_at(net, i), k));

            t.hops += s.tx_packets;
            t.drops += s.queue_drops + s.lost_packets;
        }
    }
    return t;
}

static SinkPcapng *open_capture(const BenchNet *b, const BenchOptions *o)
{
    g_autofree char *name =
        g_strconcat(b->workload, ".pcapng", o->pcap_plain ? "" : PCAPNG_WRITER_PACKED_SUFFIX, NULL);
    g_autofree char *path = g_build_filename(o->pcap_dir, name, NULL);
    const ProbePoint *points[2] = {netlink_point(b->capture, 0), netlink_point(b->capture, 1)};
    GError *error = NULL;
    SinkPcapng *s;

    s = sink_pcapng_new(
        net_probes(b->net),
        &(SinkPcapngConfig){.path = path, .points = points, .n_points = 2, .snaplen = (uint32_t)o->snaplen},
        &error);
    if (!s) {
        fprintf(stderr, "hopscope: %s\n", error->message);
        g_error_free(error);
    }
    return s;
}

int bench_net_run(BenchNet *b, const BenchOptions *o)
{
    Sim *sim = net_sim(b->net);
    Partition *part = sim_partition(sim, 0);
    const SimLimits limits = {.until = b->until};
    SinkDigest *digest = NULL;
    SinkPcapng *pcap = NULL;
    char line[SINK_DIGEST_LINE_LEN] = "";
    BenchClock before, after;
    PacketPoolInfo pool;
    GError *error = NULL;
    Tally t;
    double cpu;
    int rc = 0;

    if (o->pcap_dir && !(pcap = open_capture(b, o)))
        return 2;
    if (o->digest)
        digest = sink_digest_new(sim, net_probes(b->net));
    if (digest) {
        part->on_event = sink_digest_on_event;
        part->on_event_user = digest;
    }
    before = bench_clock();
    sim_run(sim, &limits);
    if (pcap && !sink_pcapng_close(pcap, &error)) {
        fprintf(stderr, "hopscope: %s\n", error->message);
        g_error_free(error);
        rc = 2;
    }
    after = bench_clock();
    if (digest)
        sink_digest_line(digest, line);
    part->on_event = NULL;
    sink_digest_free(digest);
    packetpool_get_info(net_packets(b->net), &pool);
    t = count_hops(b->net);
    if (b->on_end)
        b->on_end(b);
    cpu = after.cpu_s - before.cpu_s;
    printf("workload=%s events=%" PRIu64 " hops=%" PRIu64
           " cpu_s=%.3f wall_s=%.3f hops_per_cpu_s=%.0f peak_rss_kb=%ld "
           "delivered_bytes=%" PRIu64 " delivered=%" PRIu64 " drops=%" PRIu64 " peak_packets=%" PRIu64 "%s\n",
           b->workload, sim_events(sim), t.hops, cpu, after.wall_s - before.wall_s, (double)t.hops / cpu,
           bench_peak_rss_kb(), b->delivered_bytes, b->delivered_packets, t.drops, pool.peak, b->extra);
    if (*line)
        printf("%s\n", line);
    net_free(b->net);
    return rc;
}
