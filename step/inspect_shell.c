/* The commands of a real host: ip, arp, ss, netstat, sysctl; their options as far as they show something
 * here, and their layout. */
#include <glib.h>
#include <inttypes.h>
#include <string.h>

#include "models/ether/neigh.h"
#include "models/wire/ipv4_addr.h"
#include "models/wire/ipv6_addr.h"
#include "step/inspect.h"

typedef struct Shell {
    Host *h;
    GString *out;
    const char *dev; /* only there; NULL */
} Shell;

static bool is(const char *word, const char *full, size_t shortest)
{
    return word && strlen(word) >= shortest && g_str_has_prefix(full, word);
}

/* ---- ip addr, ip link ---- */

static void append_dev_head(GString *out, const NetDev *d)
{
    char mac[MAC_STR_LEN];
    bool lo = d->flags & NETDEV_LOOPBACK;

    g_string_append_printf(out, "%u: %s: <", d->ifindex, d->name);
    if (lo)
        g_string_append(out, "LOOPBACK");
    else if (d->flags & NETDEV_POINTOPOINT)
        g_string_append(out, "POINTOPOINT,NOARP");
    else
        g_string_append(out, "BROADCAST,MULTICAST");
    if ((d->flags & NETDEV_UP) && !(d->flags & NETDEV_CARRIER) && !lo)
        g_string_append(out, ",NO-CARRIER");
    if (d->flags & NETDEV_UP)
        g_string_append(out, ",UP");
    if (d->flags & NETDEV_CARRIER || lo)
        g_string_append(out, ",LOWER_UP");
    g_string_append_printf(out, "> mtu %" PRIu32 " state %s\n", d->mtu,
                           lo                     ? "UNKNOWN"
                           : netdev_is_running(d) ? "UP"
                                                  : "DOWN");
    if (lo)
        g_string_append(out, "    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n");
    else if (d->flags & NETDEV_POINTOPOINT)
        g_string_append(out, "    link/ppp\n");
    else
        g_string_append_printf(out, "    link/ether %s brd ff:ff:ff:ff:ff:ff\n", mac_format(d->mac, mac));
}

static void append_addrs(Shell *s, const Ip4If *ifp, const NetDev *d)
{
    char text[IPV4_PREFIX_STR_LEN], brd[IPV4_ADDR_STR_LEN];

    for (unsigned i = 0; i < ip4_addr_count(ifp); i++) {
        Ipv4Prefix p = ip4_addr(ifp, i);
        uint32_t host_bits = p.len ? (uint32_t)((UINT64_C(1) << (32 - p.len)) - 1) : UINT32_MAX;

        g_string_append_printf(s->out, "    inet %s", ipv4_prefix_format(p, text));
        if (p.len < 31 && !(d->flags & (NETDEV_LOOPBACK | NETDEV_POINTOPOINT)))
            g_string_append_printf(s->out, " brd %s", ipv4_addr_format(p.addr | host_bits, brd));
        g_string_append_printf(s->out, " scope %s %s\n", d->flags & NETDEV_LOOPBACK ? "host" : "global",
                               d->name);
    }
}

static void append_addrs6(Shell *s, const Ip4If *ifp)
{
    char text[IPV6_PREFIX_STR_LEN];
    Ipv6Prefix p;
    Ip4If *at;

    if (!host_has_ip6(s->h))
        return;
    for (unsigned i = 0; ip6_addr_at(host_ip6(s->h), i, &at, &p); i++)
        if (at == ifp)
            g_string_append_printf(s->out, "    inet6 %s scope %s\n", ipv6_prefix_format(&p, text),
                                   g_str_has_prefix(text, "fe80:") ? "link"
                                   : !strcmp(text, "::1/128")      ? "host"
                                                                   : "global");
}

static void show_devs(Shell *s, bool with_addrs, bool with_stats)
{
    Ip4 *ip = host_ip4(s->h);

    for (unsigned i = 0; i < ip4_if_count(ip); i++) {
        const Ip4If *ifp = ip4_if(ip, i);
        const NetDev *d = ip4_if_dev(ifp);
        const NetDevStats *st = netdev_stats(d);
        const NetDevErrors *err = netdev_errors(d);

        if (s->dev && strcmp(s->dev, d->name) != 0)
            continue;
        append_dev_head(s->out, d);
        if (with_addrs) {
            append_addrs(s, ifp, d);
            append_addrs6(s, ifp);
        }
        if (with_stats)
            g_string_append_printf(s->out,
                                   "    RX:  bytes packets errors dropped  missed   mcast\n"
                                   "    %9" PRIu64 " %7" PRIu64 " %6" PRIu32 " %7" PRIu32 " %7" PRIu32
                                   " %7" PRIu32 "\n"
                                   "    TX:  bytes packets errors dropped carrier collsns\n"
                                   "    %9" PRIu64 " %7" PRIu64 " %6u %7" PRIu32 " %7" PRIu32 " %7u\n",
                                   st->rx_bytes, st->rx_packets, err->rx_crc_errors + err->rx_frame_errors,
                                   err->rx_dropped, err->rx_overruns, err->rx_multicast, st->tx_bytes,
                                   st->tx_packets, 0u, err->tx_dropped, err->tx_carrier_errors, 0u);
    }
}

/* ---- ip route ---- */

static void append_route(const Ip4RouteSpec *r, void *user)
{
    static const char *const type_name[] = {"",           "local ",       "broadcast ", "multicast ",
                                            "blackhole ", "unreachable ", "prohibit "};
    Shell *s = user;
    char text[IPV4_PREFIX_STR_LEN];
    char *metrics;

    if (r->type == IP4_ROUTE_LOCAL || r->type == IP4_ROUTE_BROADCAST || r->type == IP4_ROUTE_MULTICAST)
        return; /* these are in the table `local` */
    if (s->dev && (!r->dev || strcmp(s->dev, ip4_if_dev(r->dev)->name) != 0))
        return;
    g_string_append(s->out, type_name[r->type]);
    if (r->prefix.len)
        g_string_append(s->out, ipv4_prefix_format(r->prefix, text));
    else
        g_string_append(s->out, "default");
    if (r->via)
        g_string_append_printf(s->out, " via %s", ipv4_addr_format(r->via, text));
    if (r->dev && r->type == IP4_ROUTE_UNICAST) {
        g_string_append_printf(s->out, " dev %s", ip4_if_dev(r->dev)->name);
        if (!r->via)
            g_string_append(s->out, r->src ? " proto kernel scope link" : " scope link");
    }
    if (r->src)
        g_string_append_printf(s->out, " src %s", ipv4_addr_format(r->src, text));
    if (r->metric)
        g_string_append_printf(s->out, " metric %" PRIu32, r->metric);
    metrics = route_metrics_format(r->metrics);
    if (*metrics)
        g_string_append_printf(s->out, " %s", metrics);
    g_free(metrics);
    g_string_append_c(s->out, '\n');
}

static bool route_get(Shell *s, const char *to)
{
    Ip4Flow flow;
    uint32_t dst;
    char text[IPV4_ADDR_STR_LEN];
    int err;

    if (!to || !net_resolve(host_net(s->h), s->h, to, &dst)) {
        g_string_append_printf(s->out, "ip route get: \"%s\" is no address and no host", to ? to : "");
        return false;
    }
    err = ip4_route_get(host_ip4(s->h), dst, 0, NULL, &flow);
    if (err) {
        g_string_append_printf(s->out, "RTNETLINK answers: %s\n", g_strerror(-err));
        return true;
    }
    g_string_append(s->out, ipv4_addr_format(dst, text));
    if (flow.next_hop && flow.next_hop != dst)
        g_string_append_printf(s->out, " via %s", ipv4_addr_format(flow.next_hop, text));
    if (flow.dev)
        g_string_append_printf(s->out, " dev %s", ip4_if_dev(flow.dev)->name);
    g_string_append_printf(s->out, " src %s mtu %" PRIu32 "\n", ipv4_addr_format(flow.src, text), flow.mtu);
    return true;
}

/* ---- ip neigh, arp ---- */

static void append_neigh(Neigh *n, void *user)
{
    Shell *s = user;
    NeighState state = neigh_state(n);
    char text[IPV4_ADDR_STR_LEN], mac[MAC_STR_LEN];

    if (n->key_len != 4 || state == NEIGH_NONE || state == NEIGH_NOARP)
        return;
    g_string_append_printf(s->out, "%s dev %s", ipv4_addr_format(n->key.ip4, text), n->table->dev->name);
    if (state != NEIGH_INCOMPLETE && state != NEIGH_FAILED)
        g_string_append_printf(s->out, " lladdr %s", mac_format(n->mac, mac));
    g_string_append_printf(s->out, " %s\n", neigh_state_name(state));
}

static void append_arp(Neigh *n, void *user)
{
    Shell *s = user;
    NeighState state = neigh_state(n);
    char text[IPV4_ADDR_STR_LEN], mac[MAC_STR_LEN];
    const char *name;

    if (n->key_len != 4 || state == NEIGH_NONE || state == NEIGH_NOARP)
        return;
    name = net_name_of(host_net(s->h), n->key.ip4);
    g_string_append_printf(s->out, "%s (%s) at ", name ? name : "?", ipv4_addr_format(n->key.ip4, text));
    if (state == NEIGH_INCOMPLETE || state == NEIGH_FAILED)
        g_string_append(s->out, "<incomplete>");
    else
        g_string_append_printf(s->out, "%s [ether]%s", mac_format(n->mac, mac),
                               state == NEIGH_PERMANENT ? " PERM" : "");
    g_string_append_printf(s->out, " on %s\n", n->table->dev->name);
}

static void show_neighs(Shell *s, void (*fn)(Neigh *n, void *user))
{
    Ip4 *ip = host_ip4(s->h);

    for (unsigned i = 0; i < ip4_if_count(ip); i++) {
        Ip4If *ifp = ip4_if(ip, i);

        if (ip4_if_has_neighbours(ifp) && (!s->dev || !strcmp(s->dev, ip4_if_dev(ifp)->name)))
            neightable_foreach(ip4_if_neighbours(ifp), fn, s);
    }
}

/* ---- commands ---- */

static bool do_ip(Shell *s, const char *const *word, unsigned n)
{
    bool stats = false;
    unsigned i = 1;

    for (; i < n && *word[i] == '-'; i++) {
        stats |= !strcmp(word[i], "-s");
        if (strcmp(word[i], "-s") && strcmp(word[i], "-4")) {
            g_string_append_printf(s->out, "ip: %s is not known here; expected -s", word[i]);
            return false;
        }
    }
    for (unsigned k = i; k + 1 < n; k++)
        if (!strcmp(word[k], "dev"))
            s->dev = word[k + 1];
    if (i < n && is(word[i], "address", 1)) {
        show_devs(s, true, stats);
    } else if (i < n && is(word[i], "link", 1)) {
        show_devs(s, false, stats);
    } else if (i < n && is(word[i], "neighbour", 1)) {
        show_neighs(s, append_neigh);
    } else if (i + 1 < n && is(word[i], "route", 1) && is(word[i + 1], "get", 1)) {
        return route_get(s, word[i + 2]);
    } else if (i < n && is(word[i], "route", 1)) {
        ip4_route_foreach(host_ip4(s->h), append_route, s);
    } else {
        g_string_append(s->out, "ip: expected addr, link, route, route get ADDRESS or neigh");
        return false;
    }
    return true;
}

static bool do_sysctl(Shell *s, const char *name)
{
    char *value = NULL, *error = NULL;

    if (!name) {
        g_string_append(s->out, "sysctl: expected a name such as net.ipv4.tcp_syn_retries");
        return false;
    }
    if (!host_sysctl_get(s->h, name, &value, &error)) {
        g_string_append_printf(s->out, "sysctl: %s", error);
        g_free(error);
        return false;
    }
    g_string_append_printf(s->out, "%s = %s\n", name, value);
    g_free(value);
    return true;
}

bool stepinspect_shell(Host *h, const char *const *word, unsigned n, GString *out)
{
    Shell s = {h, out, NULL};

    if (!host_is_on(h)) {
        g_string_append_printf(out, "%s has no power", host_node(h)->name);
        return false;
    }
    if (n && !strcmp(word[0], "ip"))
        return do_ip(&s, word, n);
    if (n && !strcmp(word[0], "ss"))
        return stepinspect_ss(h, word, n, out);
    if (n && !strcmp(word[0], "arp")) {
        show_neighs(&s, append_arp);
        return true;
    }
    if (n && !strcmp(word[0], "netstat")) {
        if (n < 2 || strcmp(word[1], "-s") != 0) {
            g_string_append(out, "netstat: expected -s; ss lists sockets");
            return false;
        }
        stepinspect_netstat(h, out);
        return true;
    }
    if (n && !strcmp(word[0], "sysctl"))
        return do_sysctl(&s, n > 1 ? word[1] : NULL);
    g_string_append_printf(out, "%s has no command \"%s\"; expected ss, netstat, ip, arp or sysctl",
                           host_node(h)->name, n ? word[0] : "");
    return false;
}
