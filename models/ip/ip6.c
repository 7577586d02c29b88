/* An IPv6 instance: its addresses, settings, protocols and counters. */
#include "models/ip/ip6.h"

#include "models/ip/ip6_priv.h"

static const char *const mib_names[IP6_MIB_COUNT] = {
#define X(name) #name,
    IP6_MIB(X)
#undef X
};

static bool fail(char **error, char *message)
{
    if (error)
        *error = message;
    else
        g_free(message);
    return false;
}

/* ---- the instance ---- */

Ip6 *ip6_new(Ip4 *ip4)
{
    Ip6 *ip = g_new0(Ip6, 1);
    Ipv6Prefix loopback = {.addr = {{[15] = 1}}, .len = 128};

    ip->ip4 = ip4;
    ip->lo = ip4_if(ip4, 0);
    ip->gen = 1;
    ip->sysctl = (Ip6Sysctl){.hop_limit = 64, .mtu_expires_s = 600};
    hs_assert(ip6_addr_add(ip, ip->lo, loopback, NULL));
    ip6_icmp_init(ip);
    return ip;
}

static bool has_addr_on(const Ip6 *ip, const Ip4If *ifp)
{
    for (const Ip6Addr *a = ip->addrs; a; a = a->next)
        if (a->ifp == ifp)
            return true;
    return false;
}

static void addr_free(Ip6 *ip, Ip6Addr **at)
{
    Ip6Addr *a = *at;

    *at = a->next;
    ip6_route_addr_removed(ip, a);
    if (!has_addr_on(ip, a->ifp))
        ip4_if_set_tap(a->ifp, ETH_TYPE_IPV6, NULL, NULL);
    g_free(a);
    ip6_changed(ip);
}

void ip6_free(Ip6 *ip)
{
    if (!ip)
        return;
    while (ip->addrs)
        addr_free(ip, &ip->addrs);
    ip6_route_clear(ip);
    ip6_reset(ip);
    if (ip->listeners)
        g_array_free(ip->listeners, TRUE);
    g_free(ip->protos);
    g_free(ip);
}

void ip6_reset(Ip6 *ip)
{
    g_clear_pointer(&ip->pmtu, g_hash_table_destroy);
    g_clear_pointer(&ip->mib, g_free);
    ip6_changed(ip);
}

Ip4 *ip6_ip4(const Ip6 *ip)
{
    return ip->ip4;
}

Node *ip6_node(const Ip6 *ip)
{
    return ip4_node(ip->ip4);
}

PacketPool *ip6_pool(const Ip6 *ip)
{
    return ip4_pool(ip->ip4);
}

size_t ip6_bytes(const Ip6 *ip)
{
    size_t n = sizeof *ip + ip->n_protos * sizeof *ip->protos;

    for (const Ip6Addr *a = ip->addrs; a; a = a->next)
        n += sizeof *a;
    for (const Ip6Route *r = ip->routes; r; r = r->next)
        n += sizeof *r + (r->metrics ? sizeof *r->metrics : 0);
    return n + (ip->mib ? IP6_MIB_COUNT * sizeof *ip->mib : 0);
}

void ip6_changed(Ip6 *ip)
{
    ip->gen++;
    ip->last.is_valid = false;
}

/* Devices are the Ip4's: their changes are seen there. Both numbers only grow. */
uint32_t ip6_gen(const Ip6 *ip)
{
    uint32_t gen = ip->gen + ip4_gen(ip->ip4);

    return gen ? gen : 1;
}

Ip6Sysctl *ip6_sysctl(Ip6 *ip)
{
    ip6_changed(ip);
    return &ip->sysctl;
}

void ip6_drop(Ip6 *ip, const Ip4If *ifp, Packet *pkt, ProbeDrop reason)
{
    probe_drop(ip6_node(ip), ifp ? ip4_if_dev(ifp)->point : NULL, pkt, reason);
}

/* ---- addresses ---- */

static char *addr_problem(const Ip6 *ip, const Ip4If *ifp, const Ipv6Prefix *p)
{
    char text[IPV6_PREFIX_STR_LEN];

    ipv6_prefix_format(p, text);
    if (p->len > 128)
        return g_strdup_printf("%s: a prefix length is 0 to 128", text);
    if (ipv6_addr_is_multicast(&p->addr))
        return g_strdup_printf("%s: a multicast address cannot be a host's", text);
    if (ip6_addr_is_any(&p->addr))
        return g_strdup_printf("%s: the unspecified address cannot be a host's", text);
    if (ip6_addr_is_loopback(&p->addr) && ifp != ip->lo)
        return g_strdup_printf("%s: the loopback address belongs to lo", text);
    for (const Ip6Addr *a = ip->addrs; a; a = a->next)
        if (ipv6_addr_equal(&a->prefix.addr, &p->addr) && a->ifp == ifp)
            return g_strdup_printf("%s: this interface has the address already", text);
    return NULL;
}

static void add_kernel_route(Ip6 *ip, Ip4If *dev, Ipv6Prefix prefix, Ip4RouteType type, uint32_t metric,
                             const Ipv6Addr *src)
{
    Ip6Route *r = g_new0(Ip6Route, 1);

    for (unsigned i = prefix.len; i < 128; i++)
        prefix.addr.b[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
    *r = (Ip6Route){.prefix = prefix,
                    .dev = dev,
                    .type = (uint8_t)type,
                    .metric = metric,
                    .is_kernel = true,
                    .src = *src};
    ip6_route_insert(ip, r);
}

bool ip6_addr_add(Ip6 *ip, Ip4If *ifp, Ipv6Prefix p, char **error)
{
    char *problem = addr_problem(ip, ifp, &p);
    Ip6Addr *a, **at = &ip->addrs;

    if (problem)
        return fail(error, problem);
    a = g_new0(Ip6Addr, 1);
    *a = (Ip6Addr){.ifp = ifp, .prefix = p};
    while (*at)
        at = &(*at)->next;
    *at = a;
    ip4_if_set_tap(ifp, ETH_TYPE_IPV6, ip6_input, ip);
    add_kernel_route(ip, ifp, (Ipv6Prefix){p.addr, 128}, IP4_ROUTE_LOCAL, 0, &p.addr);
    if (p.len < 128)
        add_kernel_route(ip, ifp, p, IP4_ROUTE_UNICAST, IP6_METRIC_CONNECTED, &p.addr);
    return true;
}

bool ip6_addr_remove(Ip6 *ip, Ip4If *ifp, Ipv6Prefix p)
{
    for (Ip6Addr **at = &ip->addrs; *at; at = &(*at)->next) {
        if ((*at)->ifp == ifp && (*at)->prefix.len == p.len &&
            ipv6_addr_equal(&(*at)->prefix.addr, &p.addr)) {
            addr_free(ip, at);
            return true;
        }
    }
    return false;
}

void ip6_remove_dev(Ip6 *ip, Ip4If *ifp)
{
    for (Ip6Addr **at = &ip->addrs; *at;) {
        if ((*at)->ifp == ifp)
            addr_free(ip, at);
        else
            at = &(*at)->next;
    }
    ip6_route_dev_removed(ip, ifp);
}

bool ip6_addr_at(const Ip6 *ip, unsigned i, Ip4If **ifp, Ipv6Prefix *prefix)
{
    const Ip6Addr *a = ip->addrs;

    for (; a && i; i--)
        a = a->next;
    if (!a)
        return false;
    *ifp = a->ifp;
    *prefix = a->prefix;
    return true;
}

bool ip6_is_local(const Ip6 *ip, const Ipv6Addr *addr)
{
    for (const Ip6Addr *a = ip->addrs; a; a = a->next)
        if (ipv6_addr_equal(&a->prefix.addr, addr))
            return true;
    return false;
}

/* ---- protocols ---- */

const Ip6Proto *ip6_proto(const Ip6 *ip, uint8_t proto)
{
    for (unsigned i = 0; i < ip->n_protos; i++)
        if (ip->protos[i].proto == proto)
            return &ip->protos[i].p;
    return NULL;
}

void ip6_set_proto(Ip6 *ip, uint8_t proto, const Ip6Proto *p)
{
    unsigned i = 0;

    while (i < ip->n_protos && ip->protos[i].proto != proto)
        i++;
    if (!p) {
        if (i < ip->n_protos)
            ip->protos[i] = ip->protos[--ip->n_protos];
        return;
    }
    if (i == ip->n_protos)
        ip->protos = g_renew(Ip6ProtoEntry, ip->protos, ++ip->n_protos);
    ip->protos[i] = (Ip6ProtoEntry){proto, *p};
}

/* ---- counters ---- */

uint64_t ip6_mib(const Ip6 *ip, unsigned i)
{
    hs_assert(i < IP6_MIB_COUNT);
    return ip->mib ? ip->mib[i] : 0;
}

void ip6_mib_add(Ip6 *ip, unsigned i, uint64_t n)
{
    hs_assert(i < IP6_MIB_COUNT);
    if (HS_UNLIKELY(!ip->mib))
        ip->mib = g_new0(uint64_t, IP6_MIB_COUNT);
    ip->mib[i] += n;
}

const char *ip6_mib_name(unsigned i)
{
    return i < IP6_MIB_COUNT ? mib_names[i] : NULL;
}
