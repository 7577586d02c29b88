/* ip(8) of iproute2: addr, link, route, neigh and rule. */
#include <inttypes.h>
#include <string.h>

#include "models/ether/neigh.h"
#include "models/wire/ipv4_addr.h"
#include "models/wire/ipv6_addr.h"
#include "step/shell.h"

typedef struct Ip {
    Shell *s;
    bool stats, brief, oneline, only4, only6;
    bool local; /* the table `local` */
} Ip;

static bool is(const char *word, const char *full, size_t shortest)
{
    return word && strlen(word) >= shortest && g_str_has_prefix(full, word);
}

static bool is_elsewhere(const Ip *ip, const NetDev *d)
{
    return ip->s->dev && (!d || strcmp(ip->s->dev, d->name) != 0);
}

/* "\" and a blank instead of a line's end, as -o has it. */
static const char *line_end(const Ip *ip)
{
    return ip->oneline ? "\\" : "\n";
}

/* ---- ip addr, ip link ---- */

static const char *state_of(const NetDev *d)
{
    return d->flags & NETDEV_LOOPBACK ? "UNKNOWN" : netdev_is_running(d) ? "UP" : "DOWN";
}

static void append_flags(GString *out, const NetDev *d)
{
    bool lo = d->flags & NETDEV_LOOPBACK;

    g_string_append(out, lo                              ? "<LOOPBACK"
                         : d->flags & NETDEV_POINTOPOINT ? "<POINTOPOINT,NOARP"
                                                         : "<BROADCAST,MULTICAST");
    if ((d->flags & NETDEV_UP) && !(d->flags & NETDEV_CARRIER) && !lo)
        g_string_append(out, ",NO-CARRIER");
    if (d->flags & NETDEV_PROMISC)
        g_string_append(out, ",PROMISC");
    if (d->flags & NETDEV_UP)
        g_string_append(out, ",UP");
    if (d->flags & NETDEV_CARRIER || lo)
        g_string_append(out, ",LOWER_UP");
    g_string_append_c(out, '>');
}

static void append_link(const Ip *ip, const NetDev *d)
{
    GString *out = ip->s->out;
    char mac[MAC_STR_LEN];

    if (d->flags & NETDEV_LOOPBACK)
        g_string_append(out, "    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00");
    else if (d->flags & NETDEV_POINTOPOINT)
        g_string_append(out, "    link/ppp");
    else
        g_string_append_printf(out, "    link/ether %s brd ff:ff:ff:ff:ff:ff", mac_format(d->mac, mac));
}

static void append_head(const Ip *ip, const NetDev *d, bool is_link)
{
    GString *out = ip->s->out;
    const LinkDir *wire = shell_wire(ip->s, d);
    const Queue *q = wire ? linkdir_queue(wire) : NULL;

    g_string_append_printf(out, "%u: %s: ", d->ifindex, d->name);
    append_flags(out, d);
    g_string_append_printf(out, " mtu %" PRIu32 " qdisc %s state %s%s group default qlen 1000%s", d->mtu,
                           q      ? q->ops->name
                           : wire ? "droptail"
                                  : "noqueue",
                           state_of(d), is_link ? " mode DEFAULT" : "", line_end(ip));
}

static void append_address(const Ip *ip, const NetDev *d, const char *text)
{
    if (ip->brief)
        g_string_append_printf(ip->s->out, " %.*s", (int)strcspn(strchr(text, ' ') + 1, " "),
                               strchr(text, ' ') + 1);
    else if (ip->oneline)
        g_string_append_printf(ip->s->out, "%u: %s    %s\\       valid_lft forever preferred_lft forever\n",
                               d->ifindex, d->name, text);
    else
        g_string_append_printf(ip->s->out, "    %s\n       valid_lft forever preferred_lft forever\n", text);
}

static void append_addrs(const Ip *ip, const Ip4If *ifp, const NetDev *d)
{
    char text[IPV4_PREFIX_STR_LEN], brd[IPV4_ADDR_STR_LEN];

    for (unsigned i = 0; i < ip4_addr_count(ifp) && !ip->only6; i++) {
        Ipv4Prefix p = ip4_addr(ifp, i);
        uint32_t host_bits = p.len ? (uint32_t)((UINT64_C(1) << (32 - p.len)) - 1) : UINT32_MAX;
        bool has_brd = p.len < 31 && !(d->flags & (NETDEV_LOOPBACK | NETDEV_POINTOPOINT));
        g_autofree char *line =
            g_strdup_printf("inet %s%s%s scope %s %s", ipv4_prefix_format(p, text), has_brd ? " brd " : "",
                            has_brd ? ipv4_addr_format(p.addr | host_bits, brd) : "",
                            d->flags & NETDEV_LOOPBACK ? "host" : "global", d->name);

        append_address(ip, d, line);
    }
}

static void append_addrs6(const Ip *ip, const Ip4If *ifp, const NetDev *d)
{
    char text[IPV6_PREFIX_STR_LEN];
    Ipv6Prefix p;
    Ip4If *at;

    if (!host_has_ip6(ip->s->h) || ip->only4)
        return;
    for (unsigned i = 0; ip6_addr_at(host_ip6(ip->s->h), i, &at, &p); i++)
        if (at == ifp) {
            g_autofree char *line = g_strdup_printf("inet6 %s scope %s", ipv6_prefix_format(&p, text),
                                                    g_str_has_prefix(text, "fe80:") ? "link"
                                                    : !strcmp(text, "::1/128")      ? "host"
                                                                                    : "global");

            append_address(ip, d, line);
        }
}

static void append_stats(const Ip *ip, const NetDev *d)
{
    const NetDevStats *st = netdev_stats(d);
    const NetDevErrors *err = netdev_errors(d);

    g_string_append_printf(ip->s->out,
                           "    RX:  bytes packets errors dropped  missed   mcast\n"
                           "    %10" PRIu64 " %7" PRIu64 " %6" PRIu32 " %7" PRIu32 " %7" PRIu32 " %7" PRIu32
                           "\n"
                           "    TX:  bytes packets errors dropped carrier collsns\n"
                           "    %10" PRIu64 " %7" PRIu64 " %6u %7" PRIu32 " %7" PRIu32 " %7u\n",
                           st->rx_bytes, st->rx_packets, err->rx_crc_errors + err->rx_frame_errors,
                           err->rx_dropped, err->rx_overruns, err->rx_multicast, st->tx_bytes, st->tx_packets,
                           0u, err->tx_dropped, err->tx_carrier_errors, 0u);
}

static void append_brief(const Ip *ip, const Ip4If *ifp, const NetDev *d, bool with_addrs)
{
    char mac[MAC_STR_LEN];

    g_string_append_printf(ip->s->out, "%-16s %-14s", d->name, state_of(d));
    if (with_addrs) {
        append_addrs(ip, ifp, d);
        append_addrs6(ip, ifp, d);
    } else {
        g_string_append_printf(ip->s->out, " %s ", mac_format(d->mac, mac));
        append_flags(ip->s->out, d);
    }
    g_string_append_c(ip->s->out, '\n');
}

static bool show_devs(const Ip *ip, bool with_addrs)
{
    Ip4 *ip4 = host_ip4(ip->s->h);
    bool found = !ip->s->dev;

    for (unsigned i = 0; i < ip4_if_count(ip4); i++) {
        const Ip4If *ifp = ip4_if(ip4, i);
        const NetDev *d = ip4_if_dev(ifp);

        if (is_elsewhere(ip, d))
            continue;
        found = true;
        if (ip->brief) {
            append_brief(ip, ifp, d, with_addrs);
            continue;
        }
        if (!with_addrs || !ip->oneline)
            append_head(ip, d, !with_addrs);
        if (!with_addrs || (!ip->oneline && !ip->only4 && !ip->only6)) {
            append_link(ip, d);
            g_string_append_c(ip->s->out, '\n');
        }
        if (with_addrs) {
            append_addrs(ip, ifp, d);
            append_addrs6(ip, ifp, d);
        }
        if (ip->stats)
            append_stats(ip, d);
    }
    return found || shell_wrong(ip->s, "Device \"%s\" does not exist.", ip->s->dev);
}

/* ---- ip route ---- */

static void append_metrics(GString *out, const RouteMetrics *m)
{
    g_autofree char *text = route_metrics_format(m);

    if (*text)
        g_string_append_printf(out, " %s", text);
}

static bool is_of_table(const Ip *ip, Ip4RouteType type)
{
    bool local = type == IP4_ROUTE_LOCAL || type == IP4_ROUTE_BROADCAST || type == IP4_ROUTE_MULTICAST;

    return local == ip->local;
}

static const char *const type_name[] = {"",           "local ",       "broadcast ", "multicast ",
                                        "blackhole ", "unreachable ", "prohibit "};

static void append_route(const Ip4RouteSpec *r, void *user)
{
    const Ip *ip = user;
    GString *out = ip->s->out;
    char text[IPV4_PREFIX_STR_LEN];

    if (!is_of_table(ip, r->type) || is_elsewhere(ip, r->dev ? ip4_if_dev(r->dev) : NULL))
        return;
    g_string_append(out, type_name[r->type]);
    if (r->prefix.len == 32)
        g_string_append(out, ipv4_addr_format(r->prefix.addr, text));
    else
        g_string_append(out, r->prefix.len ? ipv4_prefix_format(r->prefix, text) : "default");
    if (r->via)
        g_string_append_printf(out, " via %s", ipv4_addr_format(r->via, text));
    if (r->dev && r->type <= IP4_ROUTE_MULTICAST)
        g_string_append_printf(out, " dev %s", ip4_if_dev(r->dev)->name);
    if (r->type == IP4_ROUTE_LOCAL)
        g_string_append(out, " proto kernel scope host");
    else if (r->type == IP4_ROUTE_BROADCAST)
        g_string_append(out, " proto kernel scope link");
    else if (r->dev && r->type == IP4_ROUTE_UNICAST && !r->via)
        g_string_append(out, r->src ? " proto kernel scope link" : " scope link");
    if (r->src)
        g_string_append_printf(out, " src %s", ipv4_addr_format(r->src, text));
    if (r->metric)
        g_string_append_printf(out, " metric %" PRIu32, r->metric);
    append_metrics(out, r->metrics);
    g_string_append_c(out, '\n');
}

static bool is_set(const Ipv6Addr *a)
{
    static const Ipv6Addr any;

    return memcmp(a, &any, sizeof(any)) != 0;
}

static void append_route6(const Ip6RouteSpec *r, void *user)
{
    const Ip *ip = user;
    GString *out = ip->s->out;
    char text[IPV6_PREFIX_STR_LEN];

    if (!is_of_table(ip, r->type) || is_elsewhere(ip, r->dev ? ip4_if_dev(r->dev) : NULL))
        return;
    g_string_append(out, type_name[r->type]);
    if (r->prefix.len == 128)
        g_string_append(out, ipv6_addr_format(&r->prefix.addr, text));
    else
        g_string_append(out, r->prefix.len ? ipv6_prefix_format(&r->prefix, text) : "default");
    if (is_set(&r->via))
        g_string_append_printf(out, " via %s", ipv6_addr_format(&r->via, text));
    if (r->dev)
        g_string_append_printf(out, " dev %s", ip4_if_dev(r->dev)->name);
    if (!is_set(&r->via) && r->type == IP4_ROUTE_UNICAST)
        g_string_append(out, " proto kernel");
    if (is_set(&r->src))
        g_string_append_printf(out, " src %s", ipv6_addr_format(&r->src, text));
    g_string_append_printf(out, " metric %" PRIu32, r->metric ? r->metric : 1024);
    append_metrics(out, r->metrics);
    g_string_append(out, " pref medium\n");
}

static bool refused(const Ip *ip, int err)
{
    g_string_append_printf(ip->s->out, "RTNETLINK answers: %s\n", g_strerror(-err));
    return true;
}

static void append_cache(const Ip *ip, bool is_local, SimTime expires, uint32_t mtu)
{
    g_string_append(ip->s->out, " uid 0\n    cache");
    if (is_local)
        g_string_append(ip->s->out, " <local>");
    if (expires != SIM_NEVER)
        g_string_append_printf(ip->s->out, " expires %" PRId64 "sec mtu %" PRIu32,
                               (expires - node_now(host_node(ip->s->h))) / SIM_SEC, mtu);
    g_string_append_c(ip->s->out, '\n');
}

static bool route_get6(const Ip *ip, const Ipv6Addr *dst)
{
    Ip6Flow flow;
    char text[IPV6_ADDR_STR_LEN];
    int err = host_has_ip6(ip->s->h) ? ip6_route_get(host_ip6(ip->s->h), dst, NULL, NULL, &flow) : -101;

    if (err)
        return refused(ip, err);
    g_string_append_printf(ip->s->out, "%s%s from ::", flow.type == IP4_ROUTE_LOCAL ? "local " : "",
                           ipv6_addr_format(dst, text));
    if (is_set(&flow.next_hop) && memcmp(&flow.next_hop, dst, sizeof(*dst)) != 0)
        g_string_append_printf(ip->s->out, " via %s", ipv6_addr_format(&flow.next_hop, text));
    if (flow.dev)
        g_string_append_printf(ip->s->out, " dev %s", ip4_if_dev(flow.dev)->name);
    g_string_append_printf(ip->s->out, " src %s metric 1024 pref medium\n",
                           ipv6_addr_format(&flow.src, text));
    return true;
}

static bool route_get(const Ip *ip, const char *to)
{
    Ip4Flow flow;
    uint32_t dst;
    Ipv6Addr dst6;
    char text[IPV4_ADDR_STR_LEN];
    int err;

    if (to && ipv6_addr_parse(to, &dst6))
        return route_get6(ip, &dst6);
    if (!to || !net_resolve(host_net(ip->s->h), ip->s->h, to, &dst))
        return shell_wrong(ip->s, "ip route get: \"%s\" is no address and no host", to ? to : "");
    err = ip4_route_get(host_ip4(ip->s->h), dst, 0, NULL, &flow);
    if (err)
        return refused(ip, err);
    g_string_append_printf(ip->s->out, "%s%s", flow.type == IP4_ROUTE_LOCAL ? "local " : "",
                           ipv4_addr_format(dst, text));
    if (flow.next_hop && flow.next_hop != dst)
        g_string_append_printf(ip->s->out, " via %s", ipv4_addr_format(flow.next_hop, text));
    if (flow.dev)
        g_string_append_printf(ip->s->out, " dev %s", ip4_if_dev(flow.dev)->name);
    g_string_append_printf(ip->s->out, " src %s", ipv4_addr_format(flow.src, text));
    append_cache(ip, flow.type == IP4_ROUTE_LOCAL, flow.expires, flow.mtu);
    return true;
}

static void show_routes(const Ip *ip)
{
    if (!ip->only6)
        ip4_route_foreach(host_ip4(ip->s->h), append_route, (void *)ip);
    else if (host_has_ip6(ip->s->h))
        ip6_route_foreach(host_ip6(ip->s->h), append_route6, (void *)ip);
}

/* ---- ip neigh ---- */

static void append_neigh(Neigh *n, void *user)
{
    const Ip *ip = user;
    NeighState state = neigh_state(n);
    SimTime now = node_now(host_node(ip->s->h));
    char text[IPV4_ADDR_STR_LEN], mac[MAC_STR_LEN];

    if (n->key_len != 4 || state == NEIGH_NONE || state == NEIGH_NOARP || ip->only6)
        return;
    g_string_append_printf(ip->s->out, "%s dev %s", ipv4_addr_format(n->key.ip4, text), n->table->dev->name);
    if (state != NEIGH_INCOMPLETE && state != NEIGH_FAILED)
        g_string_append_printf(ip->s->out, " lladdr %s", mac_format(n->mac, mac));
    if (ip->stats)
        g_string_append_printf(ip->s->out, "  used %" PRId64 "/%" PRId64 "/%" PRId64 "probes %u",
                               (now - n->used) / SIM_SEC, (now - n->confirmed) / SIM_SEC,
                               (now - n->updated) / SIM_SEC, n->probes);
    g_string_append_printf(ip->s->out, " %s\n", neigh_state_name(state));
}

static void show_neighs(const Ip *ip)
{
    Ip4 *ip4 = host_ip4(ip->s->h);

    for (unsigned i = 0; i < ip4_if_count(ip4); i++) {
        Ip4If *ifp = ip4_if(ip4, i);

        if (ip4_if_has_neighbours(ifp) && !is_elsewhere(ip, ip4_if_dev(ifp)))
            neightable_foreach(ip4_if_neighbours(ifp), append_neigh, (void *)ip);
    }
}

/* ---- the command ---- */

static bool take_option(Ip *ip, const char *option)
{
    bool *flag = !strcmp(option, "-s")                                  ? &ip->stats
                 : !strcmp(option, "-4")                                ? &ip->only4
                 : !strcmp(option, "-6")                                ? &ip->only6
                 : !strcmp(option, "-o") || !strcmp(option, "-oneline") ? &ip->oneline
                 : !strcmp(option, "-br") || !strcmp(option, "-brief")  ? &ip->brief
                                                                        : NULL;

    if (!flag)
        return shell_wrong(ip->s, "ip: %s is not known here; expected -s, -4, -6, -br or -o", option);
    *flag = true;
    return true;
}

static bool would_change(const char *word)
{
    static const char *const deeds[] = {"add",   "append",  "change", "del", "delete",
                                        "flush", "replace", "set",    NULL};

    return word && g_strv_contains(deeds, word);
}

/* "show", "list", "dev eth0", "table local", or the device's name alone. */
static bool take_rest(Ip *ip, unsigned i, bool is_devs)
{
    Shell *s = ip->s;

    for (; i < s->n; i++) {
        if (is(s->word[i], "show", 1) || is(s->word[i], "list", 1) || is(s->word[i], "lst", 1))
            continue;
        if (!strcmp(s->word[i], "dev") && i + 1 < s->n)
            s->dev = s->word[++i];
        else if (is(s->word[i], "table", 1) && i + 1 < s->n)
            ip->local = !strcmp(s->word[++i], "local");
        else if (is_devs)
            s->dev = s->word[i];
        else
            return shell_wrong(s, "ip: \"%s\" is not known here; expected show, dev DEVICE%s", s->word[i],
                               is(s->word[1], "route", 1) ? ", table local or get ADDRESS" : "");
    }
    return true;
}

bool shell_ip(Shell *s)
{
    Ip ip = {.s = s};
    const char *object;
    unsigned i = 1;

    for (; i < s->n && *s->word[i] == '-'; i++)
        if (!take_option(&ip, s->word[i]))
            return false;
    object = i < s->n ? s->word[i++] : "";
    if (would_change(s->word[i]))
        return shell_wrong(s, "\"ip %s %s\" would change the run: that is the scenario's", object,
                           s->word[i]);
    if (is(object, "rule", 2)) {
        g_string_append(s->out, "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n"
                                "32767:\tfrom all lookup default\n");
        return true;
    }
    if (is(object, "route", 1) && i + 1 < s->n && is(s->word[i], "get", 1))
        return route_get(&ip, s->word[i + 1]);
    if (is(object, "address", 1) || is(object, "link", 1))
        return take_rest(&ip, i, true) && show_devs(&ip, *object == 'a');
    if (!is(object, "route", 1) && !is(object, "neighbour", 1) && !is(object, "neighbor", 1))
        return shell_wrong(
            s,
            "ip: object \"%s\" is not known here; expected addr, link, route, route get ADDRESS, "
            "neigh or rule",
            object);
    if (!take_rest(&ip, i, false))
        return false;
    if (*object == 'r')
        show_routes(&ip);
    else
        show_neighs(&ip);
    return true;
}
