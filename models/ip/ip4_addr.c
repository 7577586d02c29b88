/* The addresses of a host's devices: which are possible, adding and removing (Linux net/ipv4/devinet.c). The
 * routes that come with them are made in ip4_route.c. */
#include <glib.h>
#include <string.h>

#include "models/ip/ip4_priv.h"

static char *addr_problem(const Ip4 *ip, const Ip4If *ifp, Ipv4Prefix p)
{
    char text[IPV4_PREFIX_STR_LEN], net[IPV4_ADDR_STR_LEN];

    ipv4_prefix_format(p, text);
    if (p.len > 32)
        return g_strdup_printf("%s: a prefix length is 0 to 32", text);
    if (ipv4_addr_is_multicast(p.addr))
        return g_strdup_printf("%s: a multicast (class D) address cannot be a host's", text);
    if (p.addr == IPV4_BROADCAST)
        return g_strdup_printf("%s: the limited broadcast address cannot be a host's", text);
    if (ipv4_addr_is_reserved(p.addr))
        return g_strdup_printf("%s: class E addresses are reserved", text);
    if (ipv4_addr_is_zeronet(p.addr))
        return g_strdup_printf("%s: 0.0.0.0/8 means \"this network\" and cannot be a host's", text);
    if (ipv4_addr_is_loopback(p.addr) && ifp != ip->lo)
        return g_strdup_printf("%s: loopback addresses belong to lo", text);
    if (p.len < 31 && ipv4_prefix_is_network(p)) /* RFC 3021: a /31 has neither */
        return g_strdup_printf("%s is the address of the network itself: its hosts are numbered from %s",
                               text, ipv4_addr_format(p.addr + 1, net));
    if (p.len < 31 && p.addr == ipv4_prefix_broadcast(p))
        return g_strdup_printf("%s is the broadcast address of its network", text);
    for (const Ip4If *i = ip->first_if; i; i = i->next)
        for (unsigned k = 0; k < i->n_addrs; k++)
            if (ip4_addrs(i)[k].addr == p.addr)
                return g_strdup_printf("%s: this host has the address already, on %s", text, i->dev->name);
    return NULL;
}

bool ip4_addr_add(Ip4 *ip, Ip4If *ifp, Ipv4Prefix p, char **error)
{
    char *problem = addr_problem(ip, ifp, p);

    if (problem) {
        if (error)
            *error = problem;
        else
            g_free(problem);
        return false;
    }
    hs_assert(ifp->n_addrs < IP4_ADDRS_MAX);
    if (ifp->n_addrs == 0) {
        ifp->addr.one = p;
    } else {
        Ipv4Prefix *many = g_new(Ipv4Prefix, ifp->n_addrs + 1u);

        memcpy(many, ip4_addrs(ifp), ifp->n_addrs * sizeof *many);
        many[ifp->n_addrs] = p;
        if (ifp->n_addrs > 1)
            g_free(ifp->addr.many);
        ifp->addr.many = many;
    }
    ifp->n_addrs++;
    ip4_changed(ip);
    ip4_route_addr_added(ip, ifp, p);
    if (ifp->arp && ifp->arp->arp_notify && netdev_is_running(ifp->dev))
        arp_announce(ifp->arp, p.addr);
    return true;
}

bool ip4_addr_remove(Ip4 *ip, Ip4If *ifp, Ipv4Prefix p)
{
    const Ipv4Prefix *a = ip4_addrs(ifp);
    unsigned i = 0;

    while (i < ifp->n_addrs && (a[i].addr != p.addr || a[i].len != p.len))
        i++;
    if (i == ifp->n_addrs)
        return false;
    if (ifp->n_addrs > 1) {
        Ipv4Prefix *many = ifp->addr.many;

        memmove(many + i, many + i + 1, (ifp->n_addrs - i - 1u) * sizeof *many);
        if (ifp->n_addrs == 2) {
            ifp->addr.one = many[0];
            g_free(many);
        }
    }
    ifp->n_addrs--;
    ip4_changed(ip);
    ip4_route_addr_removed(ip, ifp, p);
    return true;
}

unsigned ip4_addr_count(const Ip4If *ifp)
{
    return ifp->n_addrs;
}

Ipv4Prefix ip4_addr(const Ip4If *ifp, unsigned i)
{
    hs_assert(i < ifp->n_addrs);
    return ip4_addrs(ifp)[i];
}

uint32_t ip4_primary_addr(const Ip4If *ifp)
{
    return ifp->n_addrs ? ip4_addrs(ifp)[0].addr : 0;
}

bool ip4_is_local(const Ip4 *ip, uint32_t addr)
{
    return ip4_addr_type(ip, addr) == IP4_ROUTE_LOCAL;
}
