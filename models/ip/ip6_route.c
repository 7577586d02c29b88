/* IPv6 routes, the choice of a source, and path MTUs (Linux net/ipv6/route.c, addrconf.c ipv6_dev_get_saddr).
 *
 * A host has a handful of routes: a list in the order in which they match. A route whose device is down does
 * not count until the device is up again. (Linux forgets it.) */
#include "models/ip/ip6_priv.h"

static bool is_own(const Ip6Route *r)
{
    return r->type == IP4_ROUTE_LOCAL;
}

static bool fail(char **error, char *message)
{
    if (error)
        *error = message;
    else
        g_free(message);
    return false;
}

/* ---- the table ---- */

static bool goes_before(const Ip6Route *a, const Ip6Route *b)
{
    if (a->prefix.len != b->prefix.len)
        return a->prefix.len > b->prefix.len;
    if (is_own(a) != is_own(b))
        return is_own(a);
    return a->metric < b->metric;
}

void ip6_route_insert(Ip6 *ip, Ip6Route *r)
{
    Ip6Route **at = &ip->routes;

    while (*at && !goes_before(r, *at))
        at = &(*at)->next;
    r->next = *at;
    *at = r;
    ip6_changed(ip);
}

static void route_free(Ip6 *ip, Ip6Route **at)
{
    Ip6Route *r = *at;

    *at = r->next;
    g_free(r->metrics);
    g_free(r);
    ip6_changed(ip);
}

void ip6_route_addr_removed(Ip6 *ip, const Ip6Addr *a)
{
    for (Ip6Route **at = &ip->routes; *at;) {
        Ip6Route *r = *at;

        if (ipv6_addr_equal(&r->src, &a->prefix.addr) && (r->dev == a->ifp || !r->is_kernel))
            route_free(ip, at);
        else
            at = &r->next;
    }
}

void ip6_route_dev_removed(Ip6 *ip, const Ip4If *ifp)
{
    for (Ip6Route **at = &ip->routes; *at;) {
        if ((*at)->dev == ifp)
            route_free(ip, at);
        else
            at = &(*at)->next;
    }
}

void ip6_route_clear(Ip6 *ip)
{
    while (ip->routes)
        route_free(ip, &ip->routes);
}

static bool is_usable(const Ip6Route *r)
{
    return !r->dev || is_own(r) || (ip4_if_dev(r->dev)->flags & NETDEV_UP);
}

static const Ip6Route *lookup(const Ip6 *ip, const Ipv6Addr *dst, const Ip4If *oif)
{
    for (const Ip6Route *r = ip->routes; r; r = r->next)
        if (ipv6_prefix_contains(&r->prefix, dst) && is_usable(r) &&
            (!oif || !r->dev || is_own(r) || r->dev == oif))
            return r;
    return NULL;
}

/* ---- the source ---- */

static int scope(const Ipv6Addr *a)
{
    return ipv6_addr_is_link_local(a) || ip6_addr_is_loopback(a) ? 2 : 14;
}

static unsigned common_bits(const Ipv6Addr *a, const Ipv6Addr *b)
{
    unsigned i = 0;

    while (i < 16 && a->b[i] == b->b[i])
        i++;
    return i == 16 ? 128 : i * 8 + (unsigned)__builtin_clz((unsigned)(a->b[i] ^ b->b[i])) - 24;
}

/* RFC 6724 section 5, as far as hosts without privacy addresses and mobility need it: the same address; a
 * scope that reaches; the outgoing device; the longest common prefix. */
static bool is_better(const Ip6Addr *a, const Ip6Addr *b, const Ipv6Addr *dst, const Ip4If *dev)
{
    int sa = scope(&a->prefix.addr), sb = scope(&b->prefix.addr), sd = scope(dst);

    if (ipv6_addr_equal(&b->prefix.addr, dst) != ipv6_addr_equal(&a->prefix.addr, dst))
        return ipv6_addr_equal(&a->prefix.addr, dst);
    if (sa != sb)
        return sa < sb ? sa >= sd : sb < sd;
    if ((a->ifp == dev) != (b->ifp == dev))
        return a->ifp == dev;
    return common_bits(&a->prefix.addr, dst) > common_bits(&b->prefix.addr, dst);
}

static bool select_src(const Ip6 *ip, const Ip4If *dev, const Ipv6Addr *dst, Ipv6Addr *out)
{
    const Ip6Addr *best = NULL;

    for (const Ip6Addr *a = ip->addrs; a; a = a->next) {
        if (ip6_addr_is_loopback(&a->prefix.addr) && !ip6_addr_is_loopback(dst))
            continue;
        if (!best || is_better(a, best, dst, dev))
            best = a;
    }
    if (best)
        *out = best->prefix.addr;
    return best != NULL;
}

/* ---- path MTU ---- */

typedef struct Pmtu {
    Ipv6Addr dst;
    uint32_t mtu;
    SimTime expires;
} Pmtu;

static guint pmtu_hash(gconstpointer key)
{
    guint h = 2166136261u;

    for (int i = 0; i < 16; i++)
        h = (h ^ ((const Ipv6Addr *)key)->b[i]) * 16777619u;
    return h;
}

static gboolean pmtu_equal(gconstpointer a, gconstpointer b)
{
    return ipv6_addr_equal(a, b);
}

void ip6_pmtu_update(Ip6 *ip, const Ipv6Addr *dst, uint32_t mtu)
{
    Ip6Flow flow;
    Pmtu *p;

    if (mtu < IPV6_MIN_MTU || ip6_route_get(ip, dst, NULL, NULL, &flow) || flow.type != IP4_ROUTE_UNICAST)
        return;
    if (route_metrics_is_locked(flow.metrics, ROUTE_MTU) || mtu >= flow.mtu)
        return;
    if (!ip->pmtu)
        ip->pmtu = g_hash_table_new_full(pmtu_hash, pmtu_equal, NULL, g_free);
    p = g_hash_table_lookup(ip->pmtu, dst);
    if (!p) {
        p = g_new0(Pmtu, 1);
        p->dst = *dst;
        g_hash_table_insert(ip->pmtu, &p->dst, p);
    }
    p->mtu = mtu;
    p->expires = node_now(ip6_node(ip)) + ip->sysctl.mtu_expires_s * SIM_SEC;
    ip6_changed(ip);
}

static void apply_pmtu(const Ip6 *ip, const Ipv6Addr *dst, Ip6Flow *f)
{
    const Pmtu *p = ip->pmtu ? g_hash_table_lookup(ip->pmtu, dst) : NULL;

    if (!p || node_now(ip6_node(ip)) >= p->expires)
        return;
    f->mtu = HS_MIN(f->mtu, p->mtu);
    f->expires = p->expires;
}

/* ---- the answer ---- */

static int resolve(Ip6 *ip, const Ipv6Addr *dst, const Ipv6Addr *src, const Ip4If *oif, Ip6Flow *f)
{
    const Ip6Route *r;
    uint32_t mtu;

    if (ip6_addr_is_any(dst) || ipv6_addr_is_multicast(dst))
        return -ENETUNREACH;
    if (src && !ip6_addr_is_any(src) && !ip6_is_local(ip, src))
        return -EINVAL;
    r = lookup(ip, dst, oif);
    if (!r)
        return -ENETUNREACH;
    switch ((Ip4RouteType)r->type) { /* fib6_prop */
    case IP4_ROUTE_BLACKHOLE:
        return -EINVAL;
    case IP4_ROUTE_UNREACHABLE:
        return -EHOSTUNREACH;
    case IP4_ROUTE_PROHIBIT:
        return -EACCES;
    default:
        break;
    }
    *f = (Ip6Flow){.type = (Ip4RouteType)r->type,
                   .dev = is_own(r) ? ip->lo : r->dev,
                   .next_hop = ip6_addr_is_any(&r->via) ? *dst : r->via,
                   .metrics = r->metrics,
                   .gen = ip6_gen(ip),
                   .expires = SIM_NEVER};
    f->mtu = ip4_if_dev(f->dev)->mtu;
    mtu = route_metrics_get(r->metrics, ROUTE_MTU);
    f->mtu = mtu ? HS_MIN(mtu, f->mtu) : f->mtu;
    if (src && !ip6_addr_is_any(src))
        f->src = *src;
    else if (is_own(r))
        f->src = *dst;
    else if (!r->is_kernel && !ip6_addr_is_any(&r->src))
        f->src = r->src;
    else if (!select_src(ip, f->dev, dst, &f->src))
        return -EADDRNOTAVAIL;
    if (!is_own(r))
        apply_pmtu(ip, dst, f);
    return 0;
}

int ip6_route_get(Ip6 *ip, const Ipv6Addr *dst, const Ipv6Addr *src, const Ip4If *oif, Ip6Flow *out)
{
    static const Ipv6Addr any;
    int err;

    src = src ? src : &any;
    if (ip->last.is_valid && ip->last.flow.gen == ip6_gen(ip) && ip->last.oif == oif &&
        ipv6_addr_equal(&ip->last.dst, dst) && ipv6_addr_equal(&ip->last.src, src) &&
        node_now(ip6_node(ip)) < ip->last.flow.expires) {
        *out = ip->last.flow;
        return 0;
    }
    err = resolve(ip, dst, src, oif, out);
    if (err)
        return err;
    ip->last.dst = *dst;
    ip->last.src = *src;
    ip->last.oif = oif;
    ip->last.flow = *out;
    ip->last.is_valid = true;
    return 0;
}

/* ---- ip -6 route ---- */

static char *check_gateway(const Ip6 *ip, const Ip6RouteSpec *spec, Ip4If **dev)
{
    char via[IPV6_ADDR_STR_LEN];
    const Ip6Route *r;

    ipv6_addr_format(&spec->via, via);
    if (ipv6_addr_is_multicast(&spec->via))
        return g_strdup_printf("gateway %s is a multicast address", via);
    if (ip6_is_local(ip, &spec->via))
        return g_strdup_printf("gateway %s is this host itself", via);
    if (spec->dev && ipv6_addr_is_link_local(&spec->via))
        return NULL;
    r = lookup(ip, &spec->via, spec->dev);
    if (!r || r->type != IP4_ROUTE_UNICAST || !ip6_addr_is_any(&r->via))
        return g_strdup_printf("gateway %s is not on a network of this host", via);
    *dev = r->dev;
    return NULL;
}

static uint32_t metric_of(const Ip6RouteSpec *spec)
{
    return spec->metric ? spec->metric : IP6_METRIC_DEFAULT;
}

static bool same_prefix(const Ipv6Prefix *a, const Ipv6Prefix *b)
{
    return a->len == b->len && ipv6_addr_equal(&a->addr, &b->addr);
}

/* Where the route with that prefix and metric is (metric 0: the best), local ones aside; or NULL. */
static Ip6Route **find_route(Ip6 *ip, const Ipv6Prefix *prefix, uint32_t metric)
{
    for (Ip6Route **at = &ip->routes; *at; at = &(*at)->next)
        if (same_prefix(&(*at)->prefix, prefix) && !is_own(*at) && (!metric || (*at)->metric == metric))
            return at;
    return NULL;
}

static bool is_network(const Ipv6Prefix *p)
{
    for (unsigned i = p->len; i < 128; i++)
        if (p->addr.b[i / 8] & 0x80 >> i % 8)
            return false;
    return true;
}

static char *spec_problem(const Ip6 *ip, const Ip6RouteSpec *spec, Ip4If **dev)
{
    if (spec->prefix.len > 128)
        return g_strdup("a prefix length is 0 to 128");
    if (!is_network(&spec->prefix))
        return g_strdup("bits beyond the prefix are set");
    if (!ip6_addr_is_any(&spec->src) && !ip6_is_local(ip, &spec->src))
        return g_strdup("the source is no address of this host");
    switch (spec->type) {
    case IP4_ROUTE_BLACKHOLE:
    case IP4_ROUTE_UNREACHABLE:
    case IP4_ROUTE_PROHIBIT:
        *dev = NULL;
        return NULL;
    case IP4_ROUTE_UNICAST:
        break;
    default:
        return g_strdup("local, broadcast and multicast routes come with addresses");
    }
    if (!ip6_addr_is_any(&spec->via)) {
        char *problem = check_gateway(ip, spec, dev);

        if (problem)
            return problem;
    }
    if (!*dev)
        return g_strdup("neither a gateway nor a device is given");
    if (!(ip4_if_dev(*dev)->flags & NETDEV_UP))
        return g_strdup_printf("device %s is down", ip4_if_dev(*dev)->name);
    return NULL;
}

static bool route_add(Ip6 *ip, const Ip6RouteSpec *spec, uint32_t metric, bool replace, char **error)
{
    char text[IPV6_PREFIX_STR_LEN];
    Ip4If *dev = spec->dev;
    char *problem = spec_problem(ip, spec, &dev);
    Ip6Route **old, *r;

    ipv6_prefix_format(&spec->prefix, text);
    if (problem) {
        char *message = g_strdup_printf("route %s: %s", text, problem);

        g_free(problem);
        return fail(error, message);
    }
    old = find_route(ip, &spec->prefix, metric);
    if (old && !replace)
        return fail(error, g_strdup_printf("route %s: there is one with metric %u already", text, metric));
    if (old)
        route_free(ip, old);
    r = g_new0(Ip6Route, 1);
    *r = (Ip6Route){.prefix = spec->prefix,
                    .via = spec->via,
                    .src = spec->src,
                    .dev = dev,
                    .metric = metric,
                    .type = (uint8_t)spec->type,
                    .metrics = route_metrics_dup(spec->metrics)};
    ip6_route_insert(ip, r);
    return true;
}

bool ip6_route_add(Ip6 *ip, const Ip6RouteSpec *spec, char **error)
{
    return route_add(ip, spec, metric_of(spec), false, error);
}

bool ip6_route_replace(Ip6 *ip, const Ip6RouteSpec *spec, char **error)
{
    return route_add(ip, spec, metric_of(spec), true, error);
}

bool ip6_route_change(Ip6 *ip, const Ip6RouteSpec *spec, char **error)
{
    Ip6Route **old = find_route(ip, &spec->prefix, spec->metric);
    char text[IPV6_PREFIX_STR_LEN];
    Ip6RouteSpec full = *spec;

    if (!old)
        return fail(error, g_strdup_printf("route %s: there is none to change",
                                           ipv6_prefix_format(&spec->prefix, text)));
    if (ip6_addr_is_any(&spec->via) && !spec->dev) {
        full.via = (*old)->via;
        full.dev = (*old)->dev;
    }
    if (ip6_addr_is_any(&spec->src) && !(*old)->is_kernel)
        full.src = (*old)->src;
    return route_add(ip, &full, (*old)->metric, true, error);
}

bool ip6_route_remove(Ip6 *ip, const Ip6RouteSpec *spec, char **error)
{
    char text[IPV6_PREFIX_STR_LEN];

    for (Ip6Route **at = &ip->routes; *at; at = &(*at)->next) {
        const Ip6Route *r = *at;

        if (same_prefix(&r->prefix, &spec->prefix) && !is_own(r) && r->type == spec->type &&
            (ip6_addr_is_any(&spec->via) || ipv6_addr_equal(&r->via, &spec->via)) &&
            (!spec->dev || r->dev == spec->dev) && (!spec->metric || r->metric == spec->metric)) {
            route_free(ip, at);
            return true;
        }
    }
    return fail(error,
                g_strdup_printf("route %s: there is no such route", ipv6_prefix_format(&spec->prefix, text)));
}

void ip6_route_foreach(const Ip6 *ip, void (*fn)(const Ip6RouteSpec *spec, void *user), void *user)
{
    for (const Ip6Route *r = ip->routes; r; r = r->next) {
        const Ip6RouteSpec s = {.prefix = r->prefix,
                                .type = (Ip4RouteType)r->type,
                                .via = r->via,
                                .dev = r->dev,
                                .src = r->src,
                                .metric = r->metric,
                                .metrics = r->metrics};

        fn(&s, user);
    }
}
