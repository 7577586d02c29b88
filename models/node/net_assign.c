/* Segments, subnets and addresses: what net_prepare gives to interfaces that were given none. The rules are
 * in net.h. */
#include "models/node/net_priv.h"

#define AUTO_NET IPV4_ADDR(10, 0, 0, 0)
#define AUTO_SUBNETS 65536 /* the /24s of 10.0.0.0/8 */
#define AUTO_LEN 24

static unsigned find_root(unsigned *parent, unsigned i)
{
    while (parent[i] != i)
        i = parent[i] = parent[parent[i]];
    return i;
}

/* Links that meet at a switch or hub are one segment. The smaller index becomes the root: order of creation.
 */
static void join(unsigned *parent, unsigned a, unsigned b)
{
    a = find_root(parent, a);
    b = find_root(parent, b);
    if (a < b)
        parent[b] = a;
    else
        parent[a] = b;
}

static bool same_prefix(Ipv4Prefix a, Ipv4Prefix b)
{
    return a.addr == b.addr && a.len == b.len;
}

/* What no link gave, and no earlier net_prepare, is the subnet of the first address there. */
static void subnet_from_addresses(NetSegment *s)
{
    for (unsigned i = 0; i < s->n_ends && !s->has_subnet; i++) {
        const Ip4If *ifp = netend_if(s->ends[i]);

        if (!ip4_addr_count(ifp))
            continue;
        s->subnet = ip4_addr(ifp, 0);
        s->subnet.addr = ipv4_prefix_network(s->subnet);
        s->has_subnet = true;
    }
}

/* Room for one more in an array of n whose capacity is the next power of two. (GArray would do, but its heads
 * are slices, which GLib before 2.76 never gives back: 48 bytes for each link of a large network.) */
static void add_end(NetSegment *s, NetEnd *end)
{
    if ((s->n_ends & (s->n_ends - 1)) == 0)
        s->ends = g_renew(NetEnd *, s->ends, s->n_ends ? 2 * s->n_ends : 1);
    s->ends[s->n_ends++] = end;
}

/* A pulled cable is a segment of nobody: it keeps its subnet for the time when it is plugged in again. */
GPtrArray *netassign_segments(const Net *net, unsigned **of_link)
{
    unsigned n = net->links->len, nodes = sim_node_count(net->sim);
    unsigned *parent = g_new(unsigned, n + 1), *at_node = g_new(unsigned, nodes + 1),
             *of = g_new(unsigned, n + 1);
    GPtrArray *segments = g_ptr_array_new();

    for (unsigned i = 0; i < n; i++)
        parent[i] = i;
    for (unsigned i = 0; i < nodes; i++)
        at_node[i] = UINT32_MAX;
    for (unsigned i = 0; i < n; i++) {
        const NetLink *l = net->links->pdata[i];

        for (int e = 0; e < 2; e++) {
            unsigned id;

            if (l->end[e].dev || l->is_pulled)
                continue;
            id = l->end[e].node->id;
            if (at_node[id] == UINT32_MAX)
                at_node[id] = i;
            else
                join(parent, at_node[id], i);
        }
    }
    for (unsigned i = 0; i < n; i++) {
        NetLink *l = net->links->pdata[i];
        unsigned root = find_root(parent, i);
        NetSegment *s;

        if (root == i) {
            of[i] = segments->len;
            s = g_new0(NetSegment, 1);
            g_ptr_array_add(segments, s);
        } else {
            of[i] = of[root];
            s = segments->pdata[of[i]];
        }
        if (l->has_subnet && (!s->has_subnet || (l->subnet_given && !s->given))) {
            s->subnet = l->subnet;
            s->has_subnet = true;
            s->given = l->subnet_given ? l : NULL;
        } else if (l->subnet_given && !same_prefix(l->subnet, s->subnet) && !s->conflict) {
            s->conflict = l;
        }
        for (int e = 0; e < 2; e++) {
            NetEnd *end = &l->end[e];

            if (end->dev && !l->is_pulled)
                add_end(s, end);
        }
    }
    for (unsigned i = 0; i < segments->len; i++)
        subnet_from_addresses(segments->pdata[i]);
    g_free(parent);
    g_free(at_node);
    *of_link = of;
    return segments;
}

void netassign_free_segments(GPtrArray *segments, unsigned *of_link)
{
    for (unsigned i = 0; i < segments->len; i++) {
        NetSegment *s = segments->pdata[i];

        g_free(s->ends);
        g_free(s);
    }
    g_ptr_array_free(segments, TRUE);
    g_free(of_link);
}

/* ---- subnets ---- */

static bool subnet_is_used(const Net *net, unsigned k)
{
    return net->subnet_used && net->subnet_used[k / 8] >> (k % 8) & 1;
}

static void use_subnets(Net *net, unsigned first, unsigned n)
{
    if (!net->subnet_used)
        net->subnet_used = g_malloc0(AUTO_SUBNETS / 8);
    for (unsigned k = first; k < first + n && k < AUTO_SUBNETS; k++)
        net->subnet_used[k / 8] |= (uint8_t)(1 << (k % 8));
}

void netassign_mark_used(Net *net, Ipv4Prefix p)
{
    uint32_t base = ipv4_prefix_network(p);

    if (p.len <= 8) {
        if (ipv4_prefix_contains(p, AUTO_NET))
            use_subnets(net, 0, AUTO_SUBNETS);
        return;
    }
    if (base >> 24 == AUTO_NET >> 24)
        use_subnets(net, (base - AUTO_NET) >> 8, p.len >= AUTO_LEN ? 1 : 1u << (AUTO_LEN - p.len));
}

/* The first free aligned run of /24s that holds so many interfaces. */
static bool take_subnet(Net *net, unsigned ends, Ipv4Prefix *out, char **error)
{
    unsigned len = AUTO_LEN, run;

    while (len > 8 && ends > (1u << (32 - len)) - 2)
        len--;
    run = 1u << (AUTO_LEN - len);
    for (unsigned k = 0; k + run <= AUTO_SUBNETS; k += run) {
        unsigned i = 0;

        while (i < run && !subnet_is_used(net, k + i))
            i++;
        if (i < run)
            continue;
        use_subnets(net, k, run);
        *out = (Ipv4Prefix){AUTO_NET + (k << 8), (uint8_t)len};
        return true;
    }
    *error =
        g_strdup_printf("10.0.0.0/8 has no room for another automatic subnet of %u interfaces: give subnets "
                        "in the links' options",
                        ends);
    return false;
}

/* ---- addresses ---- */

static bool is_router_end(const NetEnd *e)
{
    return e->node->kind == NET_ROUTER;
}

/* taken: addresses that somebody has, here or on an interface whose cable went elsewhere. */
static bool assign_segment(NetSegment *s, GHashTable *taken, char **error)
{
    /* RFC 3021: a /31 has no network and no broadcast address. */
    uint64_t size = UINT64_C(1) << (32 - s->subnet.len), next = size > 2,
             last = size > 2 ? size - 2 : size - 1;

    for (int hosts = 0; hosts < 2; hosts++) {
        for (unsigned i = 0; i < s->n_ends; i++) {
            NetEnd *e = s->ends[i];
            Ip4If *ifp = netend_if(e);
            Ipv4Prefix p;

            if (is_router_end(e) == (bool)hosts || ip4_addr_count(ifp) ||
                (e->dev->flags & NETDEV_NO_AUTO_ADDR))
                continue;
            while (next <= last &&
                   g_hash_table_contains(taken, GUINT_TO_POINTER(s->subnet.addr + (uint32_t)next)))
                next++;
            if (next > last) {
                char buf[IPV4_PREFIX_STR_LEN];
                *error = g_strdup_printf("the subnet %s is too small for its %u interfaces",
                                         ipv4_prefix_format(s->subnet, buf), s->n_ends);
                return false;
            }
            p = (Ipv4Prefix){s->subnet.addr + (uint32_t)next++, s->subnet.len};
            if (!ip4_addr_add(host_of_node(e->node)->ip, ifp, p, error))
                return false;
        }
    }
    return true;
}

/* Every address that a host has, also those added by hand: their subnets are used. */
static void note_addresses(Net *net, GHashTable *taken)
{
    for (unsigned i = 0; i < net->hosts->len; i++) {
        const Ip4 *ip = ((const Host *)net->hosts->pdata[i])->ip;

        for (unsigned k = 1; k < ip4_if_count(ip); k++) {
            const Ip4If *ifp = ip4_if(ip, k);

            for (unsigned a = 0; a < ip4_addr_count(ifp); a++) {
                netassign_mark_used(net, ip4_addr(ifp, a));
                g_hash_table_add(taken, GUINT_TO_POINTER(ip4_addr(ifp, a).addr));
            }
        }
    }
}

static bool check_subnets(const GPtrArray *segments, char **error)
{
    char given[IPV4_PREFIX_STR_LEN], taken[IPV4_PREFIX_STR_LEN];

    for (unsigned i = 0; i < segments->len; i++) {
        const NetSegment *s = segments->pdata[i];

        if (!s->conflict)
            continue;
        *error = g_strdup_printf("link %s has the subnet %s, but is on one segment with %s: %s",
                                 netlink_name(s->conflict), ipv4_prefix_format(s->conflict->subnet, given),
                                 netlink_name(s->given), ipv4_prefix_format(s->given->subnet, taken));
        return false;
    }
    return true;
}

static bool give_addresses(Net *net, NetSegment *s, GHashTable *taken, char **error)
{
    unsigned wanted = 0;

    for (unsigned k = 0; k < s->n_ends; k++) {
        const NetEnd *e = s->ends[k];
        wanted += !ip4_addr_count(netend_if(e)) && !(e->dev->flags & NETDEV_NO_AUTO_ADDR);
    }
    if (!wanted)
        return true;
    if (!s->has_subnet && !take_subnet(net, s->n_ends, &s->subnet, error))
        return false;
    s->has_subnet = true;
    return assign_segment(s, taken, error);
}

bool netassign_addresses(Net *net, GPtrArray *segments, char **error)
{
    GHashTable *taken = g_hash_table_new(NULL, NULL);
    bool ok = check_subnets(segments, error);

    for (unsigned i = 0; i < segments->len; i++) {
        const NetSegment *s = segments->pdata[i];

        if (s->has_subnet)
            netassign_mark_used(net, s->subnet);
    }
    note_addresses(net, taken);
    for (unsigned i = 0; ok && i < segments->len; i++)
        ok = give_addresses(net, segments->pdata[i], taken, error);
    g_hash_table_destroy(taken);
    return ok;
}
