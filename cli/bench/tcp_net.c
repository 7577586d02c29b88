#include "cli/bench/tcp_net.h"

#include <glib.h>

NetLink *bench_link(Net *net, Node *a, Node *b, uint64_t rate_bps, SimTime delay, uint32_t packets)
{
    NetLinkConfig c;
    char *error = NULL;
    NetLink *l;

    netlinkconfig_init(&c);
    c.end[0].node = a;
    c.end[1].node = b;
    for (int i = 0; i < 2; i++) {
        c.dir[i].rate_bps = rate_bps;
        c.dir[i].delay = delay;
        if (packets)
            c.dir[i].queue = queue_new_default(packets);
    }
    l = net_link(net, &c, &error);
    hs_assert(l != NULL);
    return l;
}

bool bench_prepare(BenchNet *b)
{
    char *error = NULL;

    if (net_prepare(b->net, &error))
        return true;
    fprintf(stderr, "hopscope: %s: %s\n", b->workload, error);
    g_free(error);
    return false;
}

void bench_raise_limits(Host *h)
{
    TcpSysctl *s = tcp_sysctl(host_tcp(h));

    s->rmem_max = s->wmem_max = 1u << 30;
}

TcpSink *bench_sink(Host *h, uint32_t rcvbuf)
{
    TcpSinkOptions o = {.at = {.addr = inet_from_ip4(0), .port = BENCH_TCP_PORT}, .rcvbuf = rcvbuf};
    int err;
    TcpSink *s = tcp_sink_new(host_tcp(h), host_node(h), &o, &err);

    hs_assert(s != NULL);
    return s;
}

InetEndpoint bench_at(Host *server)
{
    return (InetEndpoint){.addr = inet_from_ip4(host_addr(server)), .port = BENCH_TCP_PORT};
}
