/* Small networks for the tests of models/node: names instead of pointers, errors end the test, a pinger, a
 * clock. */
#pragma once

#include <glib.h>
#include <string.h>

#include "models/node/net.h"
#include "models/wire/icmp.h"

static inline Host *add_host(Net *net, const char *name)
{
    char *error = NULL;
    Host *h = net_host(net, name, &error);

    g_assert_cmpstr(error, ==, NULL);
    return h;
}

static inline Host *add_router(Net *net, const char *name)
{
    char *error = NULL;
    Host *h = net_router(net, name, &error);

    g_assert_cmpstr(error, ==, NULL);
    return h;
}

static inline Switch *add_switch(Net *net, const char *name)
{
    char *error = NULL;
    Switch *sw = net_switch(net, name, &error);

    g_assert_cmpstr(error, ==, NULL);
    return sw;
}

static inline Node *node_named(const Net *net, const char *name)
{
    Node *n = sim_node_by_name(net_sim(net), name);

    g_assert_nonnull(n);
    return n;
}

/* "10.0.0.1/24" */
static inline Ipv4Prefix prefix_of(const char *text)
{
    Ipv4Prefix p;

    g_assert_true(ipv4_prefix_parse(text, &p));
    return p;
}

static inline uint32_t addr_of(const char *text)
{
    uint32_t a;

    g_assert_true(ipv4_addr_parse(text, &a));
    return a;
}

/* 1 Gbit/s, 1 ms: a full frame takes 12 µs. */
static inline void link_config(const Net *net, NetLinkConfig *c, const char *a, const char *b)
{
    netlinkconfig_init(c);
    c->end[0].node = node_named(net, a);
    c->end[1].node = node_named(net, b);
    if (c->end[0].node->kind == NET_HUB || c->end[1].node->kind == NET_HUB)
        return; /* rate and delay are the hub's */
    for (int i = 0; i < 2; i++) {
        c->dir[i].rate_bps = UINT64_C(1000000000);
        c->dir[i].delay = SIM_MS;
    }
}

static inline void give_addr(NetLinkConfig *c, int end, const char *prefix)
{
    c->end[end].has_addr = true;
    c->end[end].addr = prefix_of(prefix);
}

static inline void give_subnet(NetLinkConfig *c, const char *prefix)
{
    c->has_subnet = true;
    c->subnet = prefix_of(prefix);
}

static inline NetLink *must_link(Net *net, NetLinkConfig *c)
{
    char *error = NULL;
    NetLink *l = net_link(net, c, &error);

    g_assert_cmpstr(error, ==, NULL);
    g_assert_nonnull(l);
    return l;
}

static inline NetLink *join(Net *net, const char *a, const char *b)
{
    NetLinkConfig c;

    link_config(net, &c, a, b);
    return must_link(net, &c);
}

static inline void prepare(Net *net)
{
    char *error = NULL;

    if (!net_prepare(net, &error))
        g_error("net_prepare: %s", error);
}

/* The call fails with exactly this sentence. */
#define assert_refused(call, error, text)                                                                    \
    do {                                                                                                     \
        (error) = NULL;                                                                                      \
        g_assert_false(call);                                                                                \
        g_assert_cmpstr((error), ==, (text));                                                                \
        g_clear_pointer(&(error), g_free);                                                                   \
    } while (0)

static inline void assert_addr(Host *h, const char *dev, const char *want)
{
    char text[IPV4_PREFIX_STR_LEN] = "none";
    Ip4If *ifp = ip4_if_by_name(host_ip4(h), dev);

    g_assert_nonnull(ifp);
    if (ip4_addr_count(ifp))
        ipv4_prefix_format(ip4_addr(ifp, 0), text);
    g_assert_cmpstr(text, ==, want);
}

/* Where h would send a packet to dst: "10.0.0.1", "direct", "none". */
static inline void assert_via(Host *h, const char *dst, const char *want)
{
    char text[IPV4_ADDR_STR_LEN] = "none";
    uint32_t to = addr_of(dst);
    Ip4Flow flow;

    if (ip4_route_get(host_ip4(h), to, 0, NULL, &flow) == 0) {
        if (flow.next_hop == to)
            strcpy(text, "direct");
        else
            ipv4_addr_format(flow.next_hop, text);
    }
    g_assert_cmpstr(text, ==, want);
}

static inline SimStop run_for(Net *net, SimTime t)
{
    return sim_run(net_sim(net), &(SimLimits){.until = sim_now(net_sim(net)) + t});
}

/* ---- pings ---- */

typedef struct Pinger {
    Host *host;
    uint16_t id, seq;
    unsigned replies, errors;
    uint8_t ttl;             /* of the last reply */
    uint8_t type, code;      /* of the last error */
    uint32_t from, reporter; /* of the last reply, the last error */
    SimTime replied;
} Pinger;

static inline void pinger_on_reply(void *user, Packet *reply, const Ip4Rx *rx)
{
    Pinger *p = user;

    p->replies++;
    p->ttl = rx->ttl;
    p->from = rx->src;
    p->replied = node_now(host_node(p->host));
    packet_unref(reply);
}

static inline void pinger_on_error(void *user, const Ip4Error *e)
{
    Pinger *p = user;

    p->errors++;
    p->type = e->icmp_type;
    p->code = e->icmp_code;
    p->reporter = e->reporter;
}

static inline void pinger_init(Pinger *p, Host *host)
{
    *p = (Pinger){.host = host};
    host_icmp4(host);
    p->id = icmp4_echo_open(host_ip4(host), 0, pinger_on_reply, pinger_on_error, p);
    g_assert_cmpuint(p->id, !=, 0);
}

static inline int ping(Pinger *p, uint32_t dst, uint8_t ttl)
{
    Node *node = host_node(p->host);
    const IcmpMsg echo = {.type = ICMP_ECHO, .id = p->id, .seq = ++p->seq};
    Packet *pkt = packet_new(net_packets(host_net(p->host)), node->id, node->birth_next++, PKT_HEADROOM);

    icmp_encode(packet_put(pkt, (unsigned)icmp_encoded_len(&echo)), &echo);
    packet_add_synthetic(pkt, 0, 56);
    return icmp4_send_query(host_ip4(p->host), pkt, &(Ip4Tx){.dst = dst, .proto = IP_PROTO_ICMP, .ttl = ttl});
}

static inline uint64_t counter(Host *h, const char *name)
{
    uint64_t v = 0;

    g_assert_true(host_counter(h, name, &v));
    return v;
}
