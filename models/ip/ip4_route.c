/* The forwarding table: prefixes to routes, and the rules of ip route and ip address (Linux
 * net/ipv4/fib_frontend.c, fib_semantics.c).
 *
 * One table holds what Linux keeps in "local" and "main": ours (LOCAL, BROADCAST) come first among routes of
 * one prefix. 127.0.0.0/8 is built in. A route whose device is down is parked: out of the table until the
 * device is up again. (Linux forgets static routes then, and users of a laboratory would only type them
 * again.) */
#include <glib.h>

#include "models/ip/ip4_priv.h"

#define ADDR_ROUTES 3 /* local, network, broadcast */

static bool is_own(const Ip4Route *r)
{
    return r->type == IP4_ROUTE_LOCAL || r->type == IP4_ROUTE_BROADCAST;
}

/* ---- the table ---- */

static void table_insert(Ip4 *ip, Ip4Route *r)
{
    Ip4Route *head = lpm_get4(&ip->fib, r->prefix, r->plen), **at = &head;

    while (*at && (is_own(*at) > is_own(r) ||
                   (is_own(*at) == is_own(r) && ip4_route_metric(*at) <= ip4_route_metric(r))))
        at = &(*at)->next;
    r->next = *at;
    *at = r;
    r->is_parked = false;
    lpm_insert4(&ip->fib, r->prefix, r->plen, head);
}

static void table_remove(Ip4 *ip, Ip4Route *r)
{
    Ip4Route *head = lpm_get4(&ip->fib, r->prefix, r->plen), **at = &head;

    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    if (head)
        lpm_insert4(&ip->fib, r->prefix, r->plen, head);
    else
        lpm_remove4(&ip->fib, r->prefix, r->plen);
}

static void unpark(Ip4 *ip, Ip4Route *r)
{
    Ip4Route **at = &ip->parked;

    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
}

static void park(Ip4 *ip, Ip4Route *r)
{
    r->is_parked = true;
    r->next = ip->parked;
    ip->parked = r;
}

static bool is_usable(const Ip4Route *r)
{
    return !r->dev || r->type == IP4_ROUTE_LOCAL || (r->dev->dev->flags & NETDEV_UP);
}

static void route_insert(Ip4 *ip, Ip4Route *r)
{
    ip->n_routes++;
    if (is_usable(r))
        table_insert(ip, r);
    else
        park(ip, r);
    ip4_changed(ip);
}

/* The routes of one address are one block: a large network is made of them. */
static void release(Ip4 *ip, Ip4Route *r)
{
    Ip4Route *block = r - r->place;

    r->is_in_use = false;
    for (unsigned i = 0; r->is_kernel && i < ADDR_ROUTES; i++)
        if (block[i].is_in_use)
            return;
    if (block->is_kernel) {
        cells_give(ip4_cells(ip), block, ADDR_ROUTES * sizeof *block);
        return;
    }
    g_free(((Ip4StaticRoute *)block)->metrics);
    cells_give(ip4_cells(ip), block, sizeof(Ip4StaticRoute));
}

static void route_free(Ip4 *ip, Ip4Route *r)
{
    if (r->is_parked)
        unpark(ip, r);
    else
        table_remove(ip, r);
    ip->n_routes--;
    release(ip, r);
    ip4_changed(ip);
}

static void add_chain(const uint8_t *prefix, unsigned plen, void *value, void *user)
{
    (void)prefix, (void)plen;
    for (Ip4Route *r = value; r; r = r->next)
        g_ptr_array_add(user, r);
}

/* All routes, the parked ones last. */
static GPtrArray *all_routes(const Ip4 *ip)
{
    GPtrArray *all = g_ptr_array_new();

    lpm_foreach(&ip->fib, add_chain, all);
    for (Ip4Route *r = ip->parked; r; r = r->next)
        g_ptr_array_add(all, r);
    return all;
}

const Ip4Route *ip4_route_lookup(const Ip4 *ip, uint32_t dst)
{
    return lpm_lookup4(&ip->fib, dst);
}

const Ip4Route *ip4_route_lookup_by(const Ip4 *ip, const Ip4If *ifp, uint32_t dst)
{
    const Ip4Route *r = ip4_route_lookup(ip, dst);
    unsigned plen = r ? r->plen : 0;

    for (;;) {
        for (; r; r = r->next)
            if (r->dev == ifp || !r->dev) /* blackholes swallow whatever leaves, wherever */
                return r;
        if (plen == 0)
            return NULL;
        plen--;
        r = lpm_get4(&ip->fib, dst & ipv4_mask((uint8_t)plen), plen);
    }
}

Ip4RouteType ip4_addr_type(const Ip4 *ip, uint32_t addr)
{
    const Ip4Route *r;

    if (addr == IPV4_BROADCAST || addr == 0)
        return IP4_ROUTE_BROADCAST;
    if (ipv4_addr_is_multicast(addr))
        return IP4_ROUTE_MULTICAST;
    if (ipv4_addr_is_loopback(addr))
        return IP4_ROUTE_LOCAL;
    r = ip4_route_lookup(ip, addr);
    return r ? (Ip4RouteType)r->type : IP4_ROUTE_UNICAST;
}

/* ---- addresses and devices ---- */

void ip4_route_addr_added(Ip4 *ip, Ip4If *ifp, Ipv4Prefix p)
{
    Ip4Route *r = cells_take(ip4_cells(ip), ADDR_ROUTES * sizeof *r);
    unsigned n = p.len < 31 ? 3 : p.len == 31 ? 2 : 1;

    for (unsigned i = 0; i < n; i++)
        r[i] = (Ip4Route){.dev = ifp, .is_kernel = true, .is_in_use = true, .place = (uint8_t)i};
    r[0].prefix = p.addr, r[0].plen = 32, r[0].type = IP4_ROUTE_LOCAL;
    r[1].prefix = ipv4_prefix_network(p), r[1].plen = p.len, r[1].type = IP4_ROUTE_UNICAST;
    r[2].prefix = ipv4_prefix_broadcast(p), r[2].plen = 32, r[2].type = IP4_ROUTE_BROADCAST;
    for (unsigned i = 0; i < n; i++)
        route_insert(ip, &r[i]);
}

void ip4_route_addr_removed(Ip4 *ip, Ip4If *ifp, Ipv4Prefix p)
{
    GPtrArray *all = all_routes(ip);

    for (unsigned i = 0; i < all->len; i++) {
        Ip4Route *r = all->pdata[i];

        /* fib_sync_down_addr: also static routes that prefer the address as source */
        if (ip4_route_src(r) == p.addr && (r->dev == ifp || !r->is_kernel))
            route_free(ip, r);
    }
    g_ptr_array_free(all, TRUE);
}

void ip4_route_dev_changed(Ip4 *ip, Ip4If *ifp, bool up)
{
    GPtrArray *all = all_routes(ip);

    for (unsigned i = 0; i < all->len; i++) {
        Ip4Route *r = all->pdata[i];

        if (r->dev != ifp)
            continue;
        if (up && r->is_parked) {
            unpark(ip, r);
            table_insert(ip, r);
        } else if (!up && !r->is_parked && !is_usable(r)) {
            table_remove(ip, r);
            park(ip, r);
        }
    }
    g_ptr_array_free(all, TRUE);
}

void ip4_route_dev_removed(Ip4 *ip, Ip4If *ifp)
{
    GPtrArray *all = all_routes(ip);

    for (unsigned i = 0; i < all->len; i++)
        if (((Ip4Route *)all->pdata[i])->dev == ifp)
            route_free(ip, all->pdata[i]);
    g_ptr_array_free(all, TRUE);
}

void ip4_route_clear(Ip4 *ip)
{
    GPtrArray *all = all_routes(ip);

    for (unsigned i = 0; i < all->len; i++)
        release(ip, all->pdata[i]);
    g_ptr_array_free(all, TRUE);
    lpm_clear(&ip->fib);
    ip->parked = NULL;
    ip->n_routes = 0;
}

bool ip4_is_onlink(const Ip4If *ifp, uint32_t a, uint32_t b)
{
    for (unsigned i = 0; i < ifp->n_addrs; i++)
        if (ipv4_prefix_contains(ip4_addrs(ifp)[i], a) && ipv4_prefix_contains(ip4_addrs(ifp)[i], b))
            return true;
    return false;
}

uint32_t ip4_select_src(const Ip4 *ip, const Ip4If *ifp, uint32_t dst)
{
    if (ifp) {
        for (unsigned i = 0; i < ifp->n_addrs; i++)
            if (ipv4_prefix_contains(ip4_addrs(ifp)[i], dst))
                return ip4_addrs(ifp)[i].addr;
        if (ifp->n_addrs)
            return ip4_primary_addr(ifp);
    }
    /* A device without an address borrows another's (inet_select_addr). */
    for (const Ip4If *i = ip->first_if; i; i = i->next)
        if (i->n_addrs)
            return ip4_primary_addr(i);
    return 0;
}

/* ---- ip route ---- */

static bool fail(char **error, char *message)
{
    if (error)
        *error = message;
    else
        g_free(message);
    return false;
}

/* fib_check_nh: the gateway must be a neighbour, and nobody of ours. */
static char *check_gateway(const Ip4 *ip, const Ip4RouteSpec *spec, Ip4If **dev)
{
    char via[IPV4_ADDR_STR_LEN];
    const Ip4Route *r;

    ipv4_addr_format(spec->via, via);
    switch (ip4_addr_type(ip, spec->via)) {
    case IP4_ROUTE_LOCAL:
        return g_strdup_printf("gateway %s is this host itself", via);
    case IP4_ROUTE_BROADCAST:
    case IP4_ROUTE_MULTICAST:
        return g_strdup_printf("gateway %s is a broadcast or multicast address", via);
    default:
        break;
    }
    r = spec->dev ? ip4_route_lookup_by(ip, spec->dev, spec->via) : ip4_route_lookup(ip, spec->via);
    if (!r || r->type != IP4_ROUTE_UNICAST || ip4_route_via(r))
        return g_strdup_printf("gateway %s is not on a network of this host%s%s", via,
                               spec->dev ? "'s device " : "", spec->dev ? spec->dev->dev->name : "");
    *dev = r->dev;
    return NULL;
}

/* A route with that prefix and metric; the connected ones count as 0. */
static Ip4Route *find_route(const Ip4 *ip, const Ip4RouteSpec *spec)
{
    for (Ip4Route *o = lpm_get4(&ip->fib, spec->prefix.addr, spec->prefix.len); o; o = o->next)
        if (!is_own(o) && ip4_route_metric(o) == spec->metric)
            return o;
    return NULL;
}

static bool route_add(Ip4 *ip, const Ip4RouteSpec *spec, bool replace, char **error)
{
    Ip4Route *old;
    Ip4Route r = {
        .dev = spec->dev, .prefix = spec->prefix.addr, .plen = spec->prefix.len, .type = (uint8_t)spec->type};
    Ip4StaticRoute *added;
    char text[IPV4_PREFIX_STR_LEN], addr[IPV4_PREFIX_STR_LEN];

    ipv4_prefix_format(spec->prefix, text);
    if (spec->prefix.len > 32)
        return fail(error, g_strdup_printf("route %s: a prefix length is 0 to 32", text));
    if (!ipv4_prefix_is_network(spec->prefix)) {
        Ipv4Prefix meant = {ipv4_prefix_network(spec->prefix), spec->prefix.len};

        return fail(error, g_strdup_printf("route %s: bits beyond the prefix are set; %s is meant?", text,
                                           ipv4_prefix_format(meant, addr)));
    }
    if (spec->type == IP4_ROUTE_UNICAST) {
        if (spec->via) {
            char *problem = check_gateway(ip, spec, &r.dev);

            if (problem) {
                char *message = g_strdup_printf("route %s: %s", text, problem);

                g_free(problem);
                return fail(error, message);
            }
        } else if (!spec->dev) {
            return fail(error, g_strdup_printf("route %s: neither a gateway nor a device is given", text));
        }
        if (!(r.dev->dev->flags & NETDEV_UP))
            return fail(error, g_strdup_printf("route %s: device %s is down", text, r.dev->dev->name));
    } else if (spec->type == IP4_ROUTE_MULTICAST || is_own(&r)) {
        return fail(error, g_strdup_printf(
                               "route %s: local, broadcast and multicast routes come with addresses", text));
    } else {
        r.dev = NULL;
    }
    if (spec->src && !ip4_is_local(ip, spec->src))
        return fail(error, g_strdup_printf("route %s: source %s is no address of this host", text,
                                           ipv4_addr_format(spec->src, addr)));
    old = find_route(ip, spec);
    if (old && !replace)
        return fail(error,
                    g_strdup_printf("route %s: there is one with metric %u already", text, spec->metric));
    if (old)
        route_free(ip, old);
    added = cells_take(ip4_cells(ip), sizeof *added);
    *added = (Ip4StaticRoute){.route = r,
                              .via = r.dev ? spec->via : 0,
                              .src = spec->src,
                              .metric = spec->metric,
                              .mtu = spec->mtu ? spec->mtu : route_metrics_get(spec->metrics, ROUTE_MTU),
                              .metrics = route_metrics_dup(spec->metrics)};
    route_insert(ip, &added->route);
    return true;
}

bool ip4_route_add(Ip4 *ip, const Ip4RouteSpec *spec, char **error)
{
    return route_add(ip, spec, false, error);
}

bool ip4_route_replace(Ip4 *ip, const Ip4RouteSpec *spec, char **error)
{
    return route_add(ip, spec, true, error);
}

bool ip4_route_change(Ip4 *ip, const Ip4RouteSpec *spec, char **error)
{
    Ip4RouteSpec full = *spec;
    const Ip4Route *old = find_route(ip, spec);
    char text[IPV4_PREFIX_STR_LEN];

    if (!old)
        return fail(error, g_strdup_printf("route %s: there is none to change",
                                           ipv4_prefix_format(spec->prefix, text)));
    if (!spec->via && !spec->dev) {
        full.via = ip4_route_via(old);
        full.dev = old->dev;
    }
    if (!spec->src)
        full.src = ip4_route_src(old);
    return route_add(ip, &full, true, error);
}

static bool spec_matches(const Ip4RouteSpec *s, const Ip4Route *r)
{
    return r->prefix == s->prefix.addr && r->plen == s->prefix.len && r->type == s->type &&
           (!s->via || ip4_route_via(r) == s->via) && (!s->dev || r->dev == s->dev) &&
           (!s->src || ip4_route_src(r) == s->src) && (!s->metric || ip4_route_metric(r) == s->metric);
}

bool ip4_route_remove(Ip4 *ip, const Ip4RouteSpec *spec, char **error)
{
    GPtrArray *all = all_routes(ip);
    char text[IPV4_PREFIX_STR_LEN];
    Ip4Route *found = NULL;

    for (unsigned i = 0; i < all->len && !found; i++)
        if (spec_matches(spec, all->pdata[i]) && !is_own(all->pdata[i]))
            found = all->pdata[i];
    g_ptr_array_free(all, TRUE);
    if (!found)
        return fail(error, g_strdup_printf("route %s: there is no such route",
                                           ipv4_prefix_format(spec->prefix, text)));
    route_free(ip, found);
    return true;
}

void ip4_route_foreach(const Ip4 *ip, void (*fn)(const Ip4RouteSpec *spec, void *user), void *user)
{
    GPtrArray *all = all_routes(ip);

    for (unsigned i = 0; i < all->len; i++) {
        const Ip4Route *r = all->pdata[i];
        const Ip4RouteSpec s = {.prefix = {r->prefix, r->plen},
                                .type = (Ip4RouteType)r->type,
                                .via = ip4_route_via(r),
                                .dev = r->dev,
                                .src = ip4_route_src(r),
                                .metric = ip4_route_metric(r),
                                .mtu = ip4_route_mtu(r),
                                .metrics = ip4_route_metrics(r)};

        fn(&s, user);
    }
    g_ptr_array_free(all, TRUE);
}

size_t ip4_route_count(const Ip4 *ip)
{
    return ip->n_routes;
}
