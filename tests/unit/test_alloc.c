/* "No allocation on the steady-state packet path": warmed-up networks forward thousands of packets between
 * two counts of malloc and its relatives, and the difference is 0. A failure says who called. */
#include <errno.h>
#include <execinfo.h>
#include <stdlib.h>

#include "models/app/tcp_sink.h"
#include "models/app/tcp_source.h"
#include "models/ether/neigh.h"
#include "sim/trace/sink_digest.h"
#include "tests/unit/test_net_helper.h"

/* ---- counting ---- */

/* The program's own malloc, which the dynamic linker finds before libc's; glibc's names for what lies
 * beneath. The sanitizers bring a malloc of their own, so there the test has nothing to say. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define COUNTS 0
#endif
#endif
#ifndef COUNTS
#define COUNTS 1
#endif

#define CALLERS 24
#define CULPRITS 8

typedef struct Culprit {
    void *caller[CALLERS];
    int n;
} Culprit;

static bool counting; /* tidy-allow: mutable-static (malloc has no user pointer) */
static uint64_t allocations, releases;
static Culprit culprits[CULPRITS];

#if COUNTS
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t m);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);
void __libc_free(void *p);

static void note_allocation(void)
{
    if (!counting)
        return;
    counting = false; /* backtrace may allocate */
    if (allocations < CULPRITS)
        culprits[allocations].n = backtrace(culprits[allocations].caller, CALLERS);
    allocations++;
    counting = true;
}

void *malloc(size_t n)
{
    note_allocation();
    return __libc_malloc(n);
}

void *calloc(size_t n, size_t m)
{
    note_allocation();
    return __libc_calloc(n, m);
}

void *realloc(void *p, size_t n)
{
    note_allocation();
    return __libc_realloc(p, n);
}

void *aligned_alloc(size_t align, size_t n)
{
    note_allocation();
    return __libc_memalign(align, n);
}

int posix_memalign(void **p, size_t align, size_t n)
{
    note_allocation();
    *p = __libc_memalign(align, n);
    return *p ? 0 : ENOMEM;
}

void free(void *p)
{
    if (counting && p)
        releases++;
    __libc_free(p);
}
#endif

static void count_begin(void)
{
    allocations = releases = 0;
    counting = true;
}

static void count_end(void)
{
    counting = false;
    for (uint64_t i = 0; i < HS_MIN(allocations, CULPRITS); i++) {
        char **names = backtrace_symbols(culprits[i].caller, culprits[i].n);

        for (int k = 2; k < culprits[i].n; k++)
            g_test_message("allocation %u: %s", (unsigned)i + 1, names[k]);
        free(names);
    }
    g_assert_cmpuint(allocations, ==, 0);
    g_assert_cmpuint(releases, ==, 0);
}

static void test_counting_works(void)
{
    void *volatile p;

    if (!COUNTS) {
        g_test_skip("a sanitizer's malloc is in place");
        return;
    }
    count_begin();
    p = g_malloc(10);
    p = g_realloc(p, 10000);
    g_free(p);
    p = aligned_alloc(64, 64);
    free(p);
    counting = false;
    g_assert_cmpuint(allocations, ==, 3);
    g_assert_cmpuint(releases, ==, 2);
    g_assert_cmpint(culprits[0].n, >, 2);
}

/* ---- the networks ---- */

#define PACKETS 10000
#define WARM_UP (500 * SIM_MS)

typedef struct Flow { /* sends something at every interval */
    Timer timer;
    SimTime interval;
    uint64_t sent, received;
    void (*send)(struct Flow *f);
    UdpSock *tx;
    Pinger ping;
    uint32_t to;
} Flow;

static void on_timer(Timer *t)
{
    Flow *f = HS_CONTAINER_OF(t, Flow, timer);

    f->send(f);
    f->sent++;
    timer_arm_after(t, f->interval);
}

static void send_datagram(Flow *f)
{
    udpsock_send(f->tx, &(UdpSend){.synthetic_off = f->sent * 1000, .len = 1000});
}

static void send_ping(Flow *f)
{
    ping(&f->ping, f->to, 0);
}

static void on_datagram(void *user, UdpSock *sock)
{
    Flow *f = user;
    UdpRecv info;
    Packet *pkt;

    while (udpsock_recv_packet(sock, &pkt, &info) >= 0) {
        f->received++;
        packet_unref(pkt);
    }
}

static void start(Flow *f, Host *host, SimTime interval, SimTime at, void (*send)(Flow *f))
{
    f->interval = interval;
    f->send = send;
    timer_init(&f->timer, host_node(host), on_timer);
    timer_arm(&f->timer, at);
}

/* source – r1 – r2 – r3 – sink. A datagram every 16 µs: each link is busy half of the time. */
static Net *chain(Flow *f)
{
    static const char *const name[] = {"source", "r1", "r2", "r3", "sink"};
    Net *net = net_new(1);
    UdpSock *rx;

    for (int i = 0; i < 5; i++) {
        if (i == 0 || i == 4)
            add_host(net, name[i]);
        else
            add_router(net, name[i]);
        if (i)
            join(net, name[i - 1], name[i]);
    }
    prepare(net);
    rx = udpsock_new(host_udp(net_host_by_name(net, "sink")));
    udpsock_bind(rx, (UdpAddr){0, 9});
    udpsock_on_wake(rx, on_datagram, f);
    f->tx = udpsock_new(host_udp(net_host_by_name(net, "source")));
    udpsock_connect(f->tx, (UdpAddr){host_addr(net_host_by_name(net, "sink")), 9});
    start(f, net_host_by_name(net, "source"), 16 * SIM_US, 0, send_datagram);
    return net;
}

/* Eight hosts on a switch, each pinging the next. */
#define LAN_HOSTS 8
static Net *lan(Flow f[LAN_HOSTS])
{
    Net *net = net_new(1);
    char name[8];

    add_switch(net, "sw");
    for (unsigned i = 0; i < LAN_HOSTS; i++) {
        g_snprintf(name, sizeof name, "h%u", i);
        add_host(net, name);
        join(net, name, "sw");
    }
    prepare(net);
    for (unsigned i = 0; i < LAN_HOSTS; i++) {
        Host *h = net_host_at(net, i);

        pinger_init(&f[i].ping, h);
        f[i].to = host_addr(net_host_at(net, (i + 1) % LAN_HOSTS));
        start(&f[i], h, 100 * SIM_US, i * SIM_US, send_ping);
    }
    return net;
}

static SinkDigest *watch(Net *net)
{
    SinkDigest *d = sink_digest_new(net_sim(net), net_probes(net));
    Partition *part = sim_partition(net_sim(net), 0);

    part->on_event = sink_digest_on_event;
    part->on_event_user = d;
    return d;
}

static void test_chain(gconstpointer with_digest)
{
    Flow f = {0};
    Net *net;
    SinkDigest *digest;
    uint64_t before;

    if (!COUNTS) {
        g_test_skip("a sanitizer's malloc is in place");
        return;
    }
    net = chain(&f);
    digest = with_digest ? watch(net) : NULL;
    run_for(net, WARM_UP);
    before = f.received;
    count_begin();
    run_for(net, PACKETS * f.interval);
    count_end();
    g_assert_cmpuint(f.received - before, ==, PACKETS);
    sink_digest_free(digest);
    timer_clear(&f.timer);
    net_free(net);
}

static void test_lan(gconstpointer with_digest)
{
    Flow f[LAN_HOSTS] = {0};
    Net *net;
    SinkDigest *digest;
    uint64_t before = 0, after = 0;

    if (!COUNTS) {
        g_test_skip("a sanitizer's malloc is in place");
        return;
    }
    net = lan(f);
    digest = with_digest ? watch(net) : NULL;
    run_for(net, WARM_UP);
    for (unsigned i = 0; i < LAN_HOSTS; i++)
        before += f[i].ping.replies;
    count_begin();
    run_for(net, PACKETS / LAN_HOSTS * f[0].interval);
    count_end();
    for (unsigned i = 0; i < LAN_HOSTS; i++)
        after += f[i].ping.replies;
    g_assert_cmpuint(after - before, ==, PACKETS);
    sink_digest_free(digest);
    for (unsigned i = 0; i < LAN_HOSTS; i++)
        timer_clear(&f[i].timer);
    net_free(net);
}

/* Two bulk transfers meet in front of a slower link, whose short queue drops: segments, the receiver's
 * queues, SACK blocks, acknowledgments, recoveries and timers come and go, and come from pools. With a
 * digest too. */
static void test_tcp(gconstpointer with_digest)
{
    static const char *const from[] = {"a", "b"};
    Net *net;
    NetLinkConfig c;
    SinkDigest *digest;
    TcpSource *source[2];
    TcpSink *sink;
    TcpSinkResult before, after;
    int err;
    uint64_t retransmitted = 0, v;

    if (!COUNTS) {
        g_test_skip("a sanitizer's malloc is in place");
        return;
    }
    net = net_new(1);
    add_host(net, "a");
    add_host(net, "b");
    add_router(net, "r");
    add_host(net, "d");
    join(net, "a", "r");
    join(net, "b", "r");
    link_config(net, &c, "r", "d");
    c.dir[0].rate_bps = UINT64_C(100000000);
    c.dir[0].queue = queue_new_default(40);
    must_link(net, &c);
    prepare(net);
    digest = with_digest ? watch(net) : NULL;
    sink = tcp_sink_new(host_tcp(net_host_by_name(net, "d")), host_node(net_host_by_name(net, "d")),
                        &(TcpSinkOptions){.at = {.port = 9}}, &err);
    for (unsigned i = 0; i < 2; i++) {
        Host *h = net_host_by_name(net, from[i]);
        InetEndpoint to = {.addr = inet_from_ip4(host_addr(net_host_by_name(net, "d"))), .port = 9};

        source[i] = tcp_source_new(host_tcp(h), host_node(h), &(TcpSourceOptions){.to = to}, NULL, NULL);
    }
    run_for(net, 20 * SIM_SEC);
    tcp_sink_result(sink, &before);
    g_assert_cmpint(before.connections, ==, 2);
    count_begin();
    run_for(net, 10 * SIM_SEC);
    count_end();
    tcp_sink_result(sink, &after);
    g_assert_cmpuint(after.bytes - before.bytes, >, 100000000); /* of 125 million on the wire */
    for (unsigned i = 0; i < 2; i++) {
        g_assert_true(host_counter(net_host_by_name(net, from[i]), "TcpRetransSegs", &v));
        retransmitted += v;
        tcp_source_free(source[i]);
    }
    g_assert_cmpuint(retransmitted, >, 10); /* there was something to recover from */
    tcp_sink_free(sink);
    sink_digest_free(digest);
    net_free(net);
}

int main(int argc, char **argv)
{
    void *first[2];

    g_test_init(&argc, &argv, NULL);
    backtrace(first, 2); /* its first call loads libgcc */
    g_test_add_func("/alloc/counting-works", test_counting_works);
    g_test_add_data_func("/alloc/chain", NULL, test_chain);
    g_test_add_data_func("/alloc/chain-digest", "", test_chain);
    g_test_add_data_func("/alloc/lan", NULL, test_lan);
    g_test_add_data_func("/alloc/lan-digest", "", test_lan);
    g_test_add_data_func("/alloc/tcp", NULL, test_tcp);
    g_test_add_data_func("/alloc/tcp-digest", "", test_tcp);
    return g_test_run();
}
