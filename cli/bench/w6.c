/* W6, the LAN: 100 hosts on one learning switch; each pings its successors in turn, one every 10 ms, ten
 * rounds. */
#include <glib.h>

#include "cli/bench/bench.h"

#define HOSTS 100
#define ROUNDS 10
#define GAP (10 * SIM_MS)
#define OFFSET (100 * SIM_US)
#define DATA 56
#define SWITCH_PORT_RATE UINT64_C(1000000000)

typedef struct Pinger {
    BenchNet *bench;
    Host *host;
    Timer timer;
    unsigned me, next, left;
    uint16_t id, seq;
    struct Pinger *all;
    unsigned n;
} Pinger;

static void on_reply(void *user, Packet *reply, const Ip4Rx *rx)
{
    Pinger *p = user;

    p->bench->delivered_packets++;
    p->bench->delivered_bytes += DATA;
    packet_unref(reply);
}

static void on_timer(Timer *t)
{
    Pinger *p = HS_CONTAINER_OF(t, Pinger, timer);
    Node *node = host_node(p->host);
    const IcmpMsg echo = {.type = ICMP_ECHO, .id = p->id, .seq = ++p->seq};
    Packet *pkt = packet_new(net_packets(p->bench->net), node->id, node->birth_next++, PKT_HEADROOM);

    icmp_encode(packet_put(pkt, (unsigned)icmp_encoded_len(&echo)), &echo);
    packet_add_synthetic(pkt, 0, DATA);
    icmp4_send_query(host_ip4(p->host), pkt,
                     &(Ip4Tx){.dst = host_addr(p->all[p->next].host), .proto = IP_PROTO_ICMP});
    do
        p->next = (p->next + 1) % p->n;
    while (p->next == p->me);
    if (--p->left)
        timer_arm_after(t, GAP);
}

int bench_w6(const BenchOptions *o)
{
    unsigned n = o->n ? (unsigned)o->n : HOSTS;
    BenchNet b = {.workload = "w6", .net = net_new(1)};
    Pinger *all = g_new0(Pinger, n);
    Switch *sw = net_switch(b.net, "sw", NULL);
    char *error = NULL;
    int rc;

    for (unsigned i = 0; i < n; i++) {
        char name[16];
        NetLinkConfig c;

        g_snprintf(name, sizeof name, "h%u", i + 1);
        all[i].host = net_host(b.net, name, NULL);
        netlinkconfig_init(&c);
        c.end[0].node = host_node(all[i].host);
        c.end[1].node = &sw->node;
        for (int k = 0; k < 2; k++) {
            c.dir[k].rate_bps = SWITCH_PORT_RATE;
            c.dir[k].delay = SIM_US;
        }
        b.capture = net_link(b.net, &c, &error);
    }
    if (!b.capture || !net_prepare(b.net, &error)) {
        fprintf(stderr, "hopscope: w6: %s\n", error);
        return 2;
    }
    for (unsigned i = 0; i < n; i++) {
        Pinger *p = &all[i];

        p->bench = &b;
        p->me = i;
        p->next = (i + 1) % n;
        p->n = n;
        p->all = all;
        p->left = ROUNDS * (n - 1);
        host_icmp4(p->host);
        p->id = icmp4_echo_open(host_ip4(p->host), 0, on_reply, NULL, p);
        timer_init(&p->timer, host_node(p->host), on_timer);
        timer_arm(&p->timer, i * OFFSET);
    }
    b.until = (SimTime)ROUNDS * n * GAP + SIM_SEC;
    g_snprintf(b.extra, sizeof b.extra, " hosts=%u pings=%u", n, n * ROUNDS * (n - 1));
    rc = bench_net_run(&b, o);
    g_free(all);
    return rc;
}
