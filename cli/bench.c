/* hopscope bench: the workloads of tests/bench, each over the real engine and the real models. */
#include <glib.h>
#include <string.h>

#include "cli/args.h"
#include "cli/bench/bench.h"
#include "cli/commands.h"
#include "models/cc/cc.h"
#include "sim/base/suggest.h"

#define OBSERVED "digest", "pcap", "pcap-plain", "pcap-compress", "snaplen"

typedef struct Workload {
    const char *name;
    int (*run)(const BenchOptions *o);
    const char *options[10]; /* that it has, beside --runs; NULL at the end */
} Workload;

static const Workload workloads[] = {
    {"idle", bench_idle, {"n"}},
    {"size", bench_size, {"n", "routers"}},
    {"w1", bench_w1, {"n", "holds"}},
    {"w2", bench_w2, {"n", "cc", "buffer", OBSERVED}},
    {"w3", bench_w3, {"cc", "buffer", OBSERVED}},
    {"w4", bench_w4, {"n", "routers", OBSERVED}},
    {"w5", bench_w5, {"n", "cc", OBSERVED}},
    {"w6", bench_w6, {"n", OBSERVED}},
};

static const Workload *find_workload(const ArgCommand *command, const char *name)
{
    const char *names[HS_ARRAY_LEN(workloads)];
    const char *closest;

    for (unsigned i = 0; i < HS_ARRAY_LEN(workloads); i++) {
        names[i] = workloads[i].name;
        if (!strcmp(names[i], name))
            return &workloads[i];
    }
    closest = suggest_closest(name, names, HS_ARRAY_LEN(names));
    if (closest)
        args_wrong(command, "unknown workload '%s'; did you mean '%s'?", name, closest);
    else
        args_wrong(command, "unknown workload '%s' (expected w1 to w6, idle or size)", name);
    return NULL;
}

/* What it would not look at must not seem to have had an effect. */
static bool check_options(const ArgCommand *command, const Workload *w)
{
    for (const ArgOption *o = command->options; o->name; o++) {
        if (!o->given || !*o->given || g_strv_contains(w->options, o->name))
            continue;
        args_wrong(command, "--%s: workload %s has no such option", o->name, w->name);
        return false;
    }
    return true;
}

static bool check_cc(const ArgCommand *command, const char *name)
{
    g_autoptr(GPtrArray) known = g_ptr_array_new();
    g_autofree char *list = NULL;

    if (!name || cc_ops_by_name(name))
        return true;
    for (const CcOps *const *o = cc_ops_table; *o; o++)
        g_ptr_array_add(known, (void *)(*o)->name);
    g_ptr_array_add(known, NULL);
    list = g_strjoinv(", ", (char **)known->pdata);
    args_wrong(command, "--cc: \"%s\" is none of %s", name, list);
    return false;
}

int cmd_bench(int argc, char **argv)
{
    BenchOptions o = {0};
    uint64_t runs = 1;
    bool pcap_compress = false, given[10] = {false};
    const Workload *workload;
    const ArgOption options[] = {
        {"n", 'n', ARG_COUNT, "N",
         "how many: pending events (w1), flows (w2), datagrams (w4), hosts (w5, w6, size), connections "
         "(idle)",
         &o.n, &given[0], NULL},
        {"cc", 0, ARG_STRING, "NAME", "congestion control (w2, w3, w5; default cubic)", &o.cc, &given[1],
         NULL},
        {"buffer", 0, ARG_SIZE, "BYTES", "send and receive buffers (w2, w3; default 4 MiB)", &o.buffer,
         &given[2], NULL},
        {"holds", 0, ARG_COUNT, "N", "events to execute (w1; default 10M)", &o.holds, &given[3], NULL},
        {"routers", 0, ARG_COUNT, "N", "routers (w4: 10; size: 1000)", &o.routers, &given[4], NULL},
        {"runs", 'r', ARG_COUNT, "N", "repeat so often, a line each (default 1)", &runs, NULL, NULL},
        {"digest", 'd', ARG_FLAG, NULL, "compute the digest meanwhile (w2 to w6)", &o.digest, &given[5],
         NULL},
        {"pcap", 0, ARG_STRING, "DIR", "capture the two ends of a link in the middle into DIR (w2 to w6)",
         &o.pcap_dir, &given[6], NULL},
        {"pcap-plain", 0, ARG_FLAG, NULL, "do not compress the capture", &o.pcap_plain, &given[7], NULL},
        {"pcap-compress", 0, ARG_FLAG, NULL, "compress it, with LZ4 (the default)", &pcap_compress, &given[8],
         NULL},
        {"snaplen", 0, ARG_SIZE, "BYTES", "capture so much of each frame (default: all)", &o.snaplen,
         &given[9], NULL},
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
    workload = find_workload(&command, operands[0]);
    if (!workload || !check_options(&command, workload) || !check_cc(&command, o.cc))
        return EXIT_WRONG;
    if ((o.pcap_plain || pcap_compress || o.snaplen) && !o.pcap_dir)
        return args_wrong(&command, "%s: expected --pcap DIR with it",
                          o.pcap_plain    ? "--pcap-plain"
                          : pcap_compress ? "--pcap-compress"
                                          : "--snaplen");
    if (o.pcap_plain && pcap_compress)
        return args_wrong(&command, "--pcap-plain: not with --pcap-compress");
    for (uint64_t r = 0; r < runs; r++) {
        int rc = workload->run(&o);

        if (rc)
            return rc;
    }
    return EXIT_OK;
}
