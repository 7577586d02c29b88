#include "cli/run_summary.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>

#include "cli/progress.h"
#include "lab/run/run_frames.h"
#include "lab/status.h"
#include "sim/base/units.h"

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

static void print_network(const Runner *r)
{
    Net *net = scenario_net(r->scenario);
    unsigned routers = 0, hosts = net_host_count(net), links = net_link_count(net);
    NetSizes sizes;

    net_sizes(net, &sizes);
    for (unsigned i = 0; i < hosts; i++)
        routers += host_is_router(net_host_at(net, i));
    printf("  network     %u host%s", hosts - routers, plural(hosts - routers));
    if (routers)
        printf(", %u router%s", routers, plural(routers));
    if (sizes.switches)
        printf(", %" PRIu64 " switch%s", sizes.switches, sizes.switches == 1 ? "" : "es");
    printf(", %u link%s\n", links, plural(links));
}

static void print_frames(const Runner *r)
{
    const RunFrames f = run_frames_count(scenario_net(r->scenario));
    uint64_t dropped = 0;
    const OutputsDrops *rows;
    unsigned n = outputs_drops(r->outputs, &rows);

    printf("  frames      %" PRIu64 " sent, %" PRIu64 " delivered", f.sent, f.delivered);
    if (f.lost)
        printf(", %" PRIu64 " lost on the way", f.lost);
    if (f.sent > f.delivered + f.lost)
        printf(", %" PRIu64 " still on the way", f.sent - f.delivered - f.lost);
    printf("\n");
    for (unsigned i = 0; i < n; i++)
        dropped += rows[i].count;
    if (dropped)
        printf("  dropped     %" PRIu64 ":", dropped);
    for (unsigned i = 0; i < n; i++)
        printf("%s %s %" PRIu64, i ? "," : "", rows[i].reason, rows[i].count);
    if (dropped)
        printf("\n");
}

static void print_time(const Runner *r, int status, double seconds)
{
    const Sim *sim = net_sim(scenario_net(r->scenario));
    char time[SIMTIME_STR_LEN], rate[64];

    printf("  time        %s s simulated in %.3f s", simtime_str(sim_now(sim), time), seconds);
    if (status == EXIT_INTERRUPTED)
        printf(" (interrupted)");
    printf("\n  events      %" PRIu64, sim_events(sim));
    if (seconds >= 0.01) /* less says nothing about speed */
        printf(", %s", progress_format_rate((double)sim_events(sim) / seconds, rate, sizeof(rate)));
    printf("\n");
}

static void print_expectations(const Runner *r, FILE *to, bool failed_only)
{
    for (unsigned i = 0; i < scenario_expect_count(r->scenario); i++) {
        ScenarioExpect e;

        scenario_expect(r->scenario, i, &e);
        if (e.ok && failed_only)
            continue;
        fprintf(to, "  %s %s%s%s\n", e.ok ? "✓" : "✗", e.name, e.ok || !*e.detail ? "" : ": ",
                e.ok ? "" : e.detail);
    }
}

static void print_results(const Runner *r)
{
    for (unsigned i = 0; i < scenario_result_count(r->scenario); i++) {
        ScenarioResult q;

        scenario_result(r->scenario, i, &q);
        printf("  result      %s", q.name);
        if (q.missing)
            printf(" has no value: %s\n", q.missing);
        else
            printf(" = %.9g%s%s", q.value, *q.unit ? " " : "", q.unit);
        if (!q.missing && q.n_samples)
            printf(" (mean of %u sample%s)", q.n_samples, plural(q.n_samples));
        if (!q.missing)
            printf("\n");
    }
}

static void print_files(const Runner *r)
{
    for (unsigned i = 0; i < outputs_file_count(r->outputs); i++)
        printf("  wrote       %s\n", outputs_file(r->outputs, i));
    for (unsigned i = 0; i < outputs_left_out_count(r->outputs); i++)
        printf("  left out    %s: %s\n", outputs_left_out(r->outputs, i)->path,
               outputs_left_out(r->outputs, i)->what);
}

static void print_cost(const char *what, uint64_t n, uint64_t bytes)
{
    if (n)
        printf("  %-12s%" PRIu64 " B each (%" PRIu64 ")\n", what, bytes / n, n);
}

static void print_stats(const Runner *r)
{
    Net *net = scenario_net(r->scenario);
    const Sim *sim = net_sim(net);
    PacketPoolInfo packets;
    struct rusage usage;
    NetSizes z;
    size_t lua, lua_peak;
    char size[UNITS_STR_LEN];

    packetpool_get_info(net_packets(net), &packets);
    net_sizes(net, &z);
    getrusage(RUSAGE_SELF, &usage);
    printf("unseed %016" PRIx64 "\n", sim_unseed(sim));
    printf("statistics\n");
    printf("  %-12s%" PRIu64 " executed, %" PRIu64 " pending\n", "events", sim_events(sim), sim_pending(sim));
    printf("  %-12s%" PRIu64 " live, at most %" PRIu64 ", pool of %s\n", "packets", packets.live,
           packets.peak, units_format_size(packets.bytes, size));
    print_cost("host", z.hosts, z.host_bytes);
    print_cost("switch", z.switches, z.switch_bytes);
    print_cost("link", z.links, z.link_bytes);
    print_cost("route", z.routes, z.route_bytes);
    print_cost("neighbour", z.neighbours, z.neighbour_bytes);
    if (z.tcp_bytes)
        printf("  %-12s%" PRIu64 " socket%s, with tables and buffers %s\n", "TCP", z.tcp_conns,
               plural(z.tcp_conns), units_format_size(z.tcp_bytes, size));
    lua = scenario_lua_bytes(r->scenario, &lua_peak);
    printf("  %-12s%s", "Lua", units_format_size(lua, size));
    printf(", at most %s\n", units_format_size(lua_peak, size));
    printf("  %-12s%s at most, processor %.3f s\n", "process",
           units_format_size((uint64_t)usage.ru_maxrss * 1024, size),
           (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6 +
               (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6);
}

void runsummary_print(const Runner *r, int status, const RunSummaryStyle *style)
{
    char line[SINK_DIGEST_LINE_LEN];

    if (status == EXIT_WRONG)
        return;
    if (r->config.scenario.quiet) {
        fflush(stdout);
        print_expectations(r, stderr, true);
    } else {
        printf("%s, seed %" PRIu64 "\n", r->config.scenario.path, scenario_seed(r->scenario));
        print_network(r);
        print_time(r, status, style->seconds);
        print_frames(r);
        print_expectations(r, stdout, false);
        print_results(r);
        print_files(r);
    }
    if (style->digest && outputs_digest(r->outputs)) /* a limit may be hit before there is one */
        printf("%s\n", sink_digest_line(outputs_digest(r->outputs), line));
    if (style->stats)
        print_stats(r);
}
