/* ip, tc and ethtool: routes, addresses, MTU, queueing discipline and offloads of tun0. */
#include <string.h>

#include "models/ip/route_metrics.h"
#include "models/tcp/tcp.h"
#include "packetdrill/pd_shell.h"

static bool is(const char *word, const char *name)
{
    return word && strcmp(word, name) == 0;
}

/* ---- ip route ---- */

typedef struct Route {
    bool v6;
    Ipv4Prefix prefix4;
    Ipv6Prefix prefix6;
    RouteMetrics metrics;
    uint32_t metric;
    Ip4RouteType type;
} Route;

static bool parse_destination(PdShell *sh, const char *text, Route *r)
{
    bool has_len = strchr(text, '/') != NULL;
    char *full;
    bool ok;

    if (is(text, "default"))
        text = r->v6 ? "::/0" : "0.0.0.0/0";
    else if (strchr(text, ':'))
        r->v6 = true;
    has_len = strchr(text, '/') != NULL;
    full = has_len ? g_strdup(text) : g_strdup_printf("%s/%d", text, r->v6 ? 128 : 32);
    if (r->v6) {
        ok = ipv6_prefix_parse(full, &r->prefix6);
        for (unsigned i = 0; ok && i < 128; i++) {
            if (i >= r->prefix6.len)
                r->prefix6.addr.b[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
        }
    } else {
        ok = ipv4_prefix_parse(full, &r->prefix4);
        r->prefix4.addr &= ok ? ipv4_mask(r->prefix4.len) : 0;
    }
    g_free(full);
    return ok || pd_shell_fail(sh, "ip route: '%s' is no destination", text) == 0;
}

/* KEY VALUE …; a gateway and the device say nothing here: there is only tun0, which has no neighbours. */
static bool parse_attributes(PdShell *sh, char **args, Route *r)
{
    for (; *args; args++) {
        const char *name = *args;
        char *error = NULL;
        bool lock, ok;

        if (is(name, "via") || is(name, "dev") || is(name, "proto") || is(name, "scope") || is(name, "src") ||
            is(name, "table")) {
            if (is(args[1], "inet") || is(args[1], "inet6"))
                args++;
            if (!args[1])
                return pd_shell_fail(sh, "ip route: %s needs a value", name) == 0;
            args++;
            continue;
        }
        if (is(name, "onlink") || is(name, "metric")) {
            int64_t v = 0;

            if (is(name, "metric") && (!args[1] || !pd_shell_number(*++args, &v)))
                return pd_shell_fail(sh, "ip route: metric needs a number") == 0;
            r->metric = (uint32_t)v;
            continue;
        }
        lock = is(args[1], "lock");
        if (lock)
            args++;
        if (!args[1])
            return pd_shell_fail(sh, "ip route: %s needs a value", name) == 0;
        if (is(name, "cc"))
            name = "congctl";
        ok = route_metrics_parse(&r->metrics, name, args[1], lock, &error);
        if (!ok)
            pd_shell_fail(sh, "ip route: %s %s: %s", name, args[1], error);
        g_free(error);
        if (!ok)
            return false;
        args++;
    }
    return true;
}

static bool apply4(PdSim *s, const char *verb, const Route *r, char **error)
{
    Ip4 *ip = host_ip4(s->host);
    Ip4RouteSpec spec = {.prefix = r->prefix4, .type = r->type, .metric = r->metric, .metrics = &r->metrics};

    spec.dev = r->type == IP4_ROUTE_UNICAST ? s->ifp : NULL;
    if (is(verb, "add"))
        return ip4_route_add(ip, &spec, error);
    if (is(verb, "del") || is(verb, "delete"))
        return ip4_route_remove(ip, &spec, error);
    if (is(verb, "change") && ip4_route_change(ip, &spec, error))
        return true;
    g_clear_pointer(error, g_free);
    return ip4_route_replace(ip, &spec, error);
}

static bool apply6(PdSim *s, const char *verb, const Route *r, char **error)
{
    Ip6 *ip = pd_sim_ip6(s);
    Ip6RouteSpec spec = {.prefix = r->prefix6, .type = r->type, .metric = r->metric, .metrics = &r->metrics};

    spec.dev = r->type == IP4_ROUTE_UNICAST ? s->ifp : NULL;
    if (is(verb, "add"))
        return ip6_route_add(ip, &spec, error);
    if (is(verb, "del") || is(verb, "delete"))
        return ip6_route_remove(ip, &spec, error);
    if (is(verb, "change") && ip6_route_change(ip, &spec, error))
        return true;
    g_clear_pointer(error, g_free);
    return ip6_route_replace(ip, &spec, error);
}

static void show4(const Ip4RouteSpec *spec, void *user)
{
    char prefix[IPV4_PREFIX_STR_LEN], *metrics = route_metrics_format(spec->metrics);

    g_string_append_printf(user, "%s dev tun0 %s\n", ipv4_prefix_format(spec->prefix, prefix), metrics);
    g_free(metrics);
}

static void show6(const Ip6RouteSpec *spec, void *user)
{
    char prefix[IPV6_PREFIX_STR_LEN], *metrics = route_metrics_format(spec->metrics);

    g_string_append_printf(user, "%s dev tun0 %s\n", ipv6_prefix_format(&spec->prefix, prefix), metrics);
    g_free(metrics);
}

static int ip_route(PdShell *sh, char **args, bool v6, GString *out)
{
    static const char *const verbs[] = {"add", "append", "change", "replace", "del", "delete"};
    Route r = {.v6 = v6};
    const char *verb = args[0];
    char *error = NULL;
    bool known = false, ok;

    if (is(verb, "ch") || is(verb, "chg"))
        verb = "change";
    if (is(verb, "repl"))
        verb = "replace";
    if (!verb || is(verb, "show") || is(verb, "list") || is(verb, "get")) {
        if (v6)
            ip6_route_foreach(pd_sim_ip6(sh->sim), show6, out);
        else
            ip4_route_foreach(host_ip4(sh->sim->host), show4, out);
        return 0;
    }
    if (is(verb, "flush"))
        return 0;
    for (unsigned i = 0; i < HS_ARRAY_LEN(verbs); i++)
        known |= is(verb, verbs[i]);
    if (!known)
        return pd_shell_fail(sh, "ip route %s is not supported here", verb);
    args++;
    if (is(*args, "blackhole") || is(*args, "unreachable") || is(*args, "prohibit")) {
        r.type = **args == 'b'   ? IP4_ROUTE_BLACKHOLE
                 : **args == 'u' ? IP4_ROUTE_UNREACHABLE
                                 : IP4_ROUTE_PROHIBIT;
        args++;
    }
    if (!*args)
        return pd_shell_fail(sh, "ip route %s: expected a destination", verb);
    if (!parse_destination(sh, *args, &r) || !parse_attributes(sh, args + 1, &r))
        return -1;
    ok = r.v6 ? apply6(sh->sim, verb, &r, &error) : apply4(sh->sim, verb, &r, &error);
    if (!ok)
        pd_shell_fail(sh, "ip route %s: %s", verb, error);
    g_free(error);
    return ok ? 0 : -1;
}

/* ---- ip link, ip addr ---- */

static int ip_link(PdShell *sh, char **args)
{
    NetDev *dev = &sh->sim->tun->dev;

    if (!is(args[0], "set"))
        return args[0] && !is(args[0], "show")
                   ? pd_shell_fail(sh, "ip link %s is not supported here", args[0])
                   : 0;
    for (args++; *args; args++) {
        int64_t v;

        if (is(*args, "dev") || is(*args, "tun0") || is(*args, "lo"))
            continue;
        if (is(*args, "up") || is(*args, "down")) {
            dev->flags &= (uint16_t)~NETDEV_UP;
            dev->flags |= is(*args, "up") ? NETDEV_UP : 0;
        } else if (is(*args, "mtu") && args[1] && pd_shell_number(args[1], &v) && v >= 68 && v <= 65535) {
            dev->mtu = (uint32_t)v;
            args++;
        } else if ((is(*args, "txqueuelen") || is(*args, "qlen")) && args[1]) {
            args++;
        } else {
            return pd_shell_fail(sh, "ip link set: expected mtu 68…65535, up or down, found '%s'", *args);
        }
    }
    if (dev->changed)
        dev->changed(dev);
    return 0;
}

static int ip_addr(PdShell *sh, char **args)
{
    char *error = NULL;
    bool ok;

    if (!is(args[0], "add") && !is(args[0], "del"))
        return args[0] && !is(args[0], "show")
                   ? pd_shell_fail(sh, "ip addr %s is not supported here", args[0])
                   : 0;
    if (!args[1])
        return pd_shell_fail(sh, "ip addr %s: expected an address", args[0]);
    if (strchr(args[1], ':')) {
        Ipv6Prefix p;

        if (!ipv6_prefix_parse(args[1], &p))
            return pd_shell_fail(sh, "ip addr: '%s' is no address with its prefix length", args[1]);
        ok = is(args[0], "del") ? ip6_addr_remove(pd_sim_ip6(sh->sim), sh->sim->ifp, p)
                                : ip6_addr_add(pd_sim_ip6(sh->sim), sh->sim->ifp, p, &error);
    } else {
        Ipv4Prefix p;

        if (!ipv4_prefix_parse(args[1], &p))
            return pd_shell_fail(sh, "ip addr: '%s' is no address with its prefix length", args[1]);
        ok = is(args[0], "del") ? ip4_addr_remove(host_ip4(sh->sim->host), sh->sim->ifp, p)
                                : ip4_addr_add(host_ip4(sh->sim->host), sh->sim->ifp, p, &error);
    }
    if (!ok)
        pd_shell_fail(sh, "ip addr %s %s: %s", args[0], args[1], error ? error : "no such address");
    g_free(error);
    return ok ? 0 : -1;
}

int pd_shell_ip(PdShell *sh, char **args, const GString *in, GString *out)
{
    bool v6 = false;

    for (args++; *args && **args == '-'; args++)
        v6 |= is(*args, "-6");
    if (!*args)
        return pd_shell_fail(sh, "ip: expected route, link, addr or tcp_metrics");
    if (is(*args, "route") || is(*args, "ro") || is(*args, "r"))
        return ip_route(sh, args + 1, v6, out);
    if (is(*args, "link"))
        return ip_link(sh, args + 1);
    if (is(*args, "addr") || is(*args, "address") || is(*args, "a"))
        return ip_addr(sh, args + 1);
    if (is(*args, "tcp_metrics") || is(*args, "tcpmetrics")) {
        if (is(args[1], "flush") || is(args[1], "delete") || is(args[1], "del"))
            tcp_metrics_flush(host_tcp(sh->sim->host));
        else if (args[1] && !is(args[1], "show") && !is(args[1], "list"))
            return pd_shell_fail(sh, "ip tcp_metrics %s is not supported here", args[1]);
        return 0;
    }
    return pd_shell_fail(sh, "ip %s is not supported here: there are route, link, addr and tcp_metrics",
                         *args);
}

/* ---- tc ---- */

int pd_shell_tc(PdShell *sh, char **args, const GString *in, GString *out)
{
    PdTun *tun = sh->sim->tun;
    const char *verb = args[1] ? args[2] : NULL;
    int64_t limit = -1;
    char **a;

    if (args[1] && *args[1] == '-' && args[2])
        return pd_shell_tc(sh, args + 1, in, out);
    if (!is(args[1], "qdisc") || !verb)
        return pd_shell_fail(sh, "tc: expected qdisc add|replace|delete dev tun0 root KIND");
    if (is(verb, "show")) {
        g_string_append_printf(out, "qdisc %s 0: dev tun0 root\n", tun->is_fq ? "fq" : "pfifo");
        return 0;
    }
    for (a = args + 3; *a && !is(*a, "root"); a++) {
        if (is(*a, "dev") && a[1] && !is(a[1], "tun0"))
            return pd_shell_fail(sh, "tc qdisc: there is no device %s, only tun0", a[1]);
    }
    if (!*a)
        return pd_shell_fail(sh, "tc qdisc %s: expected dev tun0 root", verb);
    a++;
    while ((is(*a, "handle") || (is(*a, "dev") && is(a[1], "tun0"))) && a[1]) /* in any order */
        a += 2;
    if (is(verb, "del") || is(verb, "delete")) {
        tun->is_fq = false;
        pd_tun_set_limit(tun, false);
        return 0;
    }
    if (!is(*a, "pfifo") && !is(*a, "bfifo") && !is(*a, "fq") && !is(*a, "pfifo_fast") &&
        !is(*a, "fq_codel") && !is(*a, "noqueue"))
        return pd_shell_fail(sh,
                             "tc qdisc: '%s' is not supported here: there are pfifo, bfifo, pfifo_fast, fq, "
                             "fq_codel and noqueue",
                             *a ? *a : "");
    for (char **p = a + 1; *p; p++) {
        if (is(*p, "limit") && p[1] && (!pd_shell_number(p[1], &limit) || limit < 0))
            return pd_shell_fail(sh, "tc qdisc: limit %s is no number", p[1]);
    }
    /* The same discipline again without a limit keeps the one it has (qdisc_change). */
    if (limit < 0 && !tun->is_fq && is(*a, "pfifo") && !is(verb, "add"))
        return 0;
    tun->is_fq = is(*a, "fq");
    pd_tun_set_limit(tun, limit == 0);
    return 0;
}

/* ---- ethtool ---- */

int pd_shell_ethtool(PdShell *sh, char **args, const GString *in, GString *out)
{
    PdTun *tun = sh->sim->tun;
    bool tso = tun->tso, gso = tun->gso;

    if (!is(args[1], "-K") && !is(args[1], "--features") && !is(args[1], "--offload"))
        return pd_shell_fail(sh, "ethtool: expected -K tun0 FEATURE on|off");
    if (!is(args[2], "tun0"))
        return pd_shell_fail(sh, "ethtool -K: expected the device tun0, found '%s'", args[2] ? args[2] : "");
    for (char **a = args + 3; *a; a += 2) {
        bool on = is(a[1], "on");

        if (!on && !is(a[1], "off"))
            return pd_shell_fail(sh, "ethtool -K: %s is on or off, found '%s'", *a, a[1] ? a[1] : "");
        if (is(*a, "tso") || is(*a, "tcp-segmentation-offload"))
            tso = on;
        else if (is(*a, "gso") || is(*a, "generic-segmentation-offload"))
            gso = on;
        else if (!is(*a, "gro") && !is(*a, "lro") && !is(*a, "sg") && !is(*a, "tx") && !is(*a, "rx"))
            return pd_shell_fail(sh, "ethtool -K: feature '%s' is not supported here", *a);
    }
    pd_tun_set_offload(tun, tso, gso);
    return 0;
}
