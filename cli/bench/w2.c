/* W2, the dumbbell: 10 senders – R1 – R2 – 10 receivers. Access 1 Gbit/s, 1 ms; bottleneck 100 Mbit/s, 10 ms,
 * drop-tail of 100 packets; flow i starts at i × 100 ms; 60 s. And W3, the fat pipe: two hosts, 10 Gbit/s, 1
 * ms, queue of 10 000, 5 s. */
#include <glib.h>

#include "cli/bench/tcp_net.h"

#define FLOWS 10
#define BUFFER (4u << 20)

typedef struct Flow {
    TcpSource *source;
    TcpSink *sink;
} Flow;

static void start_flow(Flow *f, Host *from, Host *to, SimTime start, const BenchOptions *o)
{
    uint32_t buffer = o->buffer ? (uint32_t)o->buffer : BUFFER;

    bench_raise_limits(from);
    bench_raise_limits(to);
    f->sink = bench_sink(to, buffer);
    f->source = tcp_source_new(host_tcp(from), host_node(from),
                               &(TcpSourceOptions){.to = bench_at(to),
                                                   .start = start,
                                                   .write_bytes = BENCH_WRITE_BYTES,
                                                   .sndbuf = buffer,
                                                   .rcvbuf = buffer,
                                                   .congestion = o->cc},
                               NULL, NULL);
    if (!f->source) {
        fprintf(stderr, "hopscope: no congestion control \"%s\"\n", o->cc);
        tcp_sink_free(f->sink);
    }
}

static void end_flows(BenchNet *b, Flow *flows, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        TcpSinkResult r;

        tcp_sink_result(flows[i].sink, &r);
        b->delivered_bytes += r.bytes;
        tcp_source_free(flows[i].source);
        tcp_sink_free(flows[i].sink);
    }
}

typedef struct Run {
    BenchNet b;
    Flow *flows;
    unsigned n;
} Run;

static void on_end(BenchNet *b)
{
    Run *r = HS_CONTAINER_OF(b, Run, b);

    end_flows(b, r->flows, r->n);
}

int bench_w2(const BenchOptions *o)
{
    unsigned n = o->n ? (unsigned)o->n : FLOWS;
    Run r = {.b = {.workload = "w2", .net = net_new(1), .until = 60 * SIM_SEC, .on_end = on_end}, .n = n};
    Host *r1 = net_router(r.b.net, "r1", NULL), *r2 = net_router(r.b.net, "r2", NULL);
    Host **senders = g_new(Host *, n), **receivers = g_new(Host *, n);
    int rc = 2;

    r.flows = g_new0(Flow, n);
    r.b.capture = bench_link(r.b.net, host_node(r1), host_node(r2), 100000000, 10 * SIM_MS, 100);
    for (unsigned i = 0; i < n; i++) {
        char name[16];

        g_snprintf(name, sizeof name, "s%u", i);
        senders[i] = net_host(r.b.net, name, NULL);
        g_snprintf(name, sizeof name, "d%u", i);
        receivers[i] = net_host(r.b.net, name, NULL);
        bench_link(r.b.net, host_node(senders[i]), host_node(r1), 1000000000, SIM_MS, 1000);
        bench_link(r.b.net, host_node(r2), host_node(receivers[i]), 1000000000, SIM_MS, 1000);
    }
    if (!bench_prepare(&r.b))
        goto out;
    for (unsigned i = 0; i < n; i++) {
        start_flow(&r.flows[i], senders[i], receivers[i], i * 100 * SIM_MS, o);
        if (!r.flows[i].source)
            goto out;
    }
    g_snprintf(r.b.extra, sizeof r.b.extra, " flows=%u cc=%s", n, o->cc ? o->cc : "cubic");
    rc = bench_net_run(&r.b, o);
out:
    g_free(senders);
    g_free(receivers);
    g_free(r.flows);
    return rc;
}

int bench_w3(const BenchOptions *o)
{
    Run r = {.b = {.workload = "w3", .net = net_new(1), .until = 5 * SIM_SEC, .on_end = on_end}, .n = 1};
    Host *a = net_host(r.b.net, "a", NULL), *d = net_host(r.b.net, "b", NULL);
    Flow flow = {0};
    int rc = 2;

    r.flows = &flow;
    r.b.capture = bench_link(r.b.net, host_node(a), host_node(d), UINT64_C(10000000000), SIM_MS, 10000);
    if (!bench_prepare(&r.b))
        return rc;
    start_flow(&flow, a, d, 0, o);
    if (!flow.source)
        return rc;
    g_snprintf(r.b.extra, sizeof r.b.extra, " buffer=%u cc=%s", o->buffer ? (unsigned)o->buffer : BUFFER,
               o->cc ? o->cc : "cubic");
    return bench_net_run(&r.b, o);
}
