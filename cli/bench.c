/* hopscope bench: the workloads of tests/bench, each over the real engine and the real models. */
#include <glib.h>
#include <string.h>

#include "cli/args.h"
#include "cli/bench/bench.h"
#include "cli/commands.h"

static const struct {
    const char *name;
    int (*run)(const BenchOptions *o);
} workloads[] = {
    {"idle", bench_idle}, {"size", bench_size}, {"w1", bench_w1}, {"w2", bench_w2},
    {"w3", bench_w3},     {"w4", bench_w4},     {"w5", bench_w5}, {"w6", bench_w6},
};

int cmd_bench(int argc, char **argv)
{
    BenchOptions o = {0};
    uint64_t runs = 1;
    bool pcap_compress = false;
    const ArgOption options[] = {
        {"n", 'n', ARG_COUNT, "N",
         "how many: pending events (w1), flows (w2), datagrams (w4), hosts (w5, w6, size), connections "
         "(idle)",
         &o.n, NULL, NULL},
        {"cc", 0, ARG_STRING, "NAME", "congestion control (w2, w3, w5; default cubic)", &o.cc, NULL, NULL},
        {"buffer", 0, ARG_SIZE, "BYTES", "send and receive buffers (w2, w3; default 4 MiB)", &o.buffer, NULL,
         NULL},
        {"holds", 0, ARG_COUNT, "N", "events to execute (w1; default 10M)", &o.holds, NULL, NULL},
        {"routers", 0, ARG_COUNT, "N", "routers (w4: 10; size: 1000)", &o.routers, NULL, NULL},
        {"runs", 'r', ARG_COUNT, "N", "repeat so often, a line each (default 1)", &runs, NULL, NULL},
        {"digest", 'd', ARG_FLAG, NULL, "compute the digest meanwhile (w2 to w6)", &o.digest, NULL, NULL},
        {"pcap", 0, ARG_STRING, "DIR", "capture the two ends of a link in the middle into DIR (w2 to w6)",
         &o.pcap_dir, NULL, NULL},
        {"pcap-plain", 0, ARG_FLAG, NULL, "do not compress the capture", &o.pcap_plain, NULL, NULL},
        {"pcap-compress", 0, ARG_FLAG, NULL, "compress it, with LZ4 (the default)", &pcap_compress, NULL,
         NULL},
        {"snaplen", 0, ARG_SIZE, "BYTES", "capture so much of each frame (default: all)", &o.snaplen, NULL,
         NULL},
        {0},
    };
    const ArgCommand command = {
        "bench",
        "WORKLOAD",
        "Runs a benchmark workload and prints a line of key=value pairs: processor time of the run phase, "
        "packet-hops (a frame put on a link by one device) per second of it, memory.\n"
        "\n"
        "workloads:\n"
        "  w1    hold: N pending events; each one that is executed schedules another (--n, --holds)\n"
        "  w2    dumbbell: 10 TCP flows over a bottleneck of 100 Mbit/s, 60 s (--n, --cc, --buffer)\n"
        "  w3    fat pipe: one TCP flow at 10 Gbit/s, 5 s (--buffer, --cc)\n"
        "  w4    UDP chain: source, ten routers, sink; 312 500 datagrams of 1000 bytes (--n, --routers)\n"
        "  w5    scale: 10 000 hosts send 100 000 bytes each to one server (--n, --cc)\n"
        "  w6    LAN: 100 hosts on a learning switch ping each other, with ARP (--n)\n"
        "  idle  100 000 established connections: bytes per pair, events in an hour (--n)\n"
        "  size  100 000 idle hosts behind 1 000 routers: time to build, bytes per host (--n, --routers)",
        options,
        1,
        1,
        "  hopscope bench w4 --runs 3         three runs of the chain\n"
        "  hopscope bench w1 --n 1e6          a million pending events\n"};
    const char *operands[2];

    switch (args_parse(&command, argc, argv, operands)) {
    case ARGS_HELPED:
        return EXIT_OK;
    case ARGS_WRONG:
        return EXIT_WRONG;
    case ARGS_OK:
        break;
    }
    if (o.snaplen > UINT32_MAX || o.n > UINT32_MAX || o.routers > 4096 || runs == 0 || runs > 1000)
        return args_wrong(&command, "a value is out of range (n to 4e9, routers to 4096, runs 1 to 1000)");
    if ((o.pcap_plain || pcap_compress) && !o.pcap_dir)
        return args_wrong(&command, "%s: expected --pcap DIR with it",
                          o.pcap_plain ? "--pcap-plain" : "--pcap-compress");
    if (o.pcap_plain && pcap_compress)
        return args_wrong(&command, "--pcap-plain: not with --pcap-compress");
    for (unsigned i = 0; i < HS_ARRAY_LEN(workloads); i++) {
        if (strcmp(workloads[i].name, operands[0]) != 0)
            continue;
        for (uint64_t r = 0; r < runs; r++) {
            int rc = workloads[i].run(&o);
            if (rc)
                return rc;
        }
        return EXIT_OK;
    }
    return args_wrong(&command, "unknown workload '%s' (expected w1 to w6, idle or size)", operands[0]);
}
