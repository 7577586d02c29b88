/* A bench for IPv6: two hosts on a wire without link addresses; what one end sends arrives at the other at
 * once. */
#pragma once

#include <errno.h>
#include <glib.h>

#include "models/ip/raw.h"
#include "models/wire/eth.h"
#include "sim/engine/sim.h"
#include "sim/trace/probe.h"

#define PROTO 253 /* for experiments (RFC 3692) */

typedef struct Dev {
    NetDev dev;
    struct Dev *peer;
    Ip4If *ifp;
    void *user;
    unsigned n_sent;
    uint8_t last[2048]; /* the last packet sent, true bytes */
    uint32_t last_len;
} Dev;

typedef struct End {
    Node node;
    Ip4 *ip4;
    Ip6 *ip;
    Dev dev;
    /* what the protocol heard */
    unsigned n_input, n_errors;
    Ip6Rx rx;
    uint32_t len;
    Ip6Error error;
    uint8_t error_l4[8];
} End;

typedef struct Bed {
    Sim *sim;
    PacketPool *pool;
    End a, b;
} Bed;

static inline Ipv6Addr addr(const char *s)
{
    Ipv6Addr a;

    g_assert_true(ipv6_addr_parse(s, &a));
    return a;
}

static inline Ipv6Prefix prefix(const char *s)
{
    Ipv6Prefix p;

    g_assert_true(ipv6_prefix_parse(s, &p));
    return p;
}

static inline void assert_addr(const Ipv6Addr *a, const char *want)
{
    char text[IPV6_ADDR_STR_LEN];

    g_assert_cmpstr(ipv6_addr_format(a, text), ==, want);
}

static inline void xmit(NetDev *dev, Packet *pkt, const MacAddr *dst, uint16_t ethertype)
{
    Dev *d = (Dev *)dev;

    (void)dst;
    g_assert_cmpuint(ethertype, ==, ETH_TYPE_IPV6);
    d->n_sent++;
    d->last_len = packet_copy(pkt, 0, d->last, sizeof d->last);
    if (!d->peer) {
        packet_unref(pkt);
        return;
    }
    pkt->l3 = pkt->head;
    d->peer->dev.input(&d->peer->dev, pkt, ethertype);
}

static const NetDevOps dev_ops = {.xmit = xmit};

static inline void input(void *user, Packet *pkt, const Ip6Rx *rx)
{
    End *e = user;

    e->n_input++;
    e->rx = *rx;
    e->len = packet_len(pkt);
    g_assert_cmpuint(pkt->l4, ==, pkt->head);
    packet_unref(pkt);
}

static inline void on_error(void *user, const Ip6Error *e)
{
    End *end = user;

    end->n_errors++;
    end->error = *e;
    memcpy(end->error_l4, e->l4, sizeof end->error_l4);
}

static inline void end_init(Bed *b, End *e, const char *name, const char *address)
{
    char *error = NULL;

    node_init(&e->node, b->sim, name);
    e->ip4 = ip4_new(&e->node, b->pool);
    e->dev.dev = (NetDev){.ops = &dev_ops,
                          .node = &e->node,
                          .name = "tun0",
                          .mtu = 1500,
                          .flags = NETDEV_UP | NETDEV_CARRIER | NETDEV_NOARP | NETDEV_POINTOPOINT};
    e->dev.ifp = ip4_add_dev(e->ip4, &e->dev.dev);
    e->ip = ip6_new(e->ip4);
    g_assert_true(ip6_addr_add(e->ip, e->dev.ifp, prefix(address), &error));
    ip6_set_proto(e->ip, PROTO, &(Ip6Proto){.input = input, .error = on_error, .user = e});
}

static inline Bed *bed_new(void)
{
    Bed *b = g_new0(Bed, 1);

    b->sim = sim_new(1);
    b->pool = packetpool_new();
    end_init(b, &b->a, "a", "fd3d::1/16");
    end_init(b, &b->b, "b", "fd3d::2/16");
    b->a.dev.peer = &b->b.dev;
    b->b.dev.peer = &b->a.dev;
    return b;
}

static inline void bed_run(Bed *b, SimTime until)
{
    sim_run(b->sim, &(SimLimits){.until = until});
}

static inline void bed_free(Bed *b)
{
    PacketPoolInfo info;

    for (int i = 0; i < 2; i++) {
        End *e = i ? &b->b : &b->a;

        ip6_free(e->ip);
        ip4_free(e->ip4);
        node_clear(&e->node);
    }
    packetpool_get_info(b->pool, &info);
    g_assert_cmpuint(info.live, ==, 0);
    packetpool_free(b->pool);
    sim_free(b->sim);
    g_free(b);
}

static inline Packet *body(Bed *b, uint32_t len)
{
    Packet *p = packet_new(b->pool, 0, 0, PKT_HEADROOM);

    memcpy(packet_put(p, 8), "ABCDEFGH", 8);
    packet_add_synthetic(p, 0, len - 8);
    return p;
}

static inline int send(Bed *b, const Ip6Tx *tx, uint32_t len)
{
    return ip6_output(b->a.ip, body(b, len), tx);
}

static inline void inject(Bed *b, End *e, const uint8_t *bytes, size_t len)
{
    Packet *p = packet_from_bytes(b->pool, 0, 0, bytes, len);

    p->l3 = p->head;
    e->dev.dev.input(&e->dev.dev, p, ETH_TYPE_IPV6);
}

static inline Ip6Flow get(Ip6 *ip, const char *dst)
{
    Ipv6Addr d = addr(dst);
    Ip6Flow f = {0};

    g_assert_cmpint(ip6_route_get(ip, &d, NULL, NULL, &f), ==, 0);
    return f;
}

#define assert_flow(ip, dst, field, want)                                                                    \
    do {                                                                                                     \
        Ip6Flow f_ = get(ip, dst);                                                                           \
        assert_addr(&f_.field, want);                                                                        \
    } while (0)

static inline int get_error(Ip6 *ip, const char *dst)
{
    Ipv6Addr d = addr(dst);
    Ip6Flow f;

    return ip6_route_get(ip, &d, NULL, NULL, &f);
}

static inline Ip6RouteSpec spec(const char *p, const char *via, Ip4RouteType type)
{
    Ip6RouteSpec s = {.prefix = prefix(p), .type = type};

    if (via)
        s.via = addr(via);
    return s;
}

static inline void route(Ip6 *ip, const char *p, const char *via, Ip4RouteType type)
{
    Ip6RouteSpec s = spec(p, via, type);
    char *error = NULL;

    g_assert_true(ip6_route_add(ip, &s, &error));
}
