/* From addresses to a destination: the decisions of ip_route_input_slow and ip_route_output_key_hash (Linux
 * net/ipv4/route.c), and a small cache of their results, keyed by everything that goes in: source,
 * destination and device. The cache is never wrong: an entry counts only while nothing has changed (Ip4.gen).
 * It is made of sets of two entries, starts with one set, and grows while it is too small for the traffic. */
#include <glib.h>

#include "models/ether/neigh.h"
#include "models/ip/ip4_priv.h"

#define CACHE_MAX 4096

void ip4_dst_clear(Ip4Live *live)
{
    for (uint32_t i = 0; i < live->cache_mask + 2; i++) {
        neigh_unref(live->cache[i].neigh);
        live->cache[i] = (Ip4Dst){0};
    }
}

static Ip4Dst *set_for(const Ip4Live *live, uint32_t src, uint32_t dst, uint32_t in)
{
    return &live->cache[ip4_dst_hash(src, dst, in) & live->cache_mask];
}

/* Twice as many sets. What an old one holds finds room in two new ones. */
static void grow(Ip4 *ip)
{
    Ip4Live *live = ip->live;
    Ip4Dst *old = live->cache;
    uint32_t n = live->cache_mask + 2;

    live->cache_misses = 0;
    live->cache_mask = 2 * n - 2;
    live->cache = cells_take(ip4_cells(ip), 2 * n * sizeof *live->cache);
    for (uint32_t k = 0; k < n; k++) {
        Ip4Dst *d = set_for(live, old[k].src, old[k].dst, old[k].in);

        if (old[k].gen == ip->gen)
            d[d->gen == ip->gen] = old[k];
        else
            neigh_unref(old[k].neigh); /* outdated, or an answer that was not to be kept */
    }
    cells_give(ip4_cells(ip), old, n * sizeof *old);
}

static Ip4Dst *slot_for(Ip4 *ip, uint32_t src, uint32_t dst, uint32_t in)
{
    Ip4Live *live = ip4_live(ip);
    Ip4Dst *d = set_for(live, src, dst, in);

    if (d->gen != ip->gen)
        return d;
    /* Pushed out by others again and again: more room. */
    if (d[1].gen == ip->gen && live->cache_mask + 2 < CACHE_MAX &&
        ++live->cache_misses > 4 * (live->cache_mask + 2)) {
        grow(ip);
        d = set_for(live, src, dst, in);
        if (d->gen != ip->gen)
            return d;
    }
    neigh_unref(d[1].neigh);
    d[1] = *d;
    d->neigh = NULL;
    return d;
}

static int keep(Ip4 *ip, Ip4Dst *made, bool cacheable, const Ip4Dst **out)
{
    Ip4Dst *d = slot_for(ip, made->src, made->dst, made->in);
    Ip4If *dev = made->out;

    if (dev && !(dev->dev->flags & (NETDEV_NOARP | NETDEV_LOOPBACK)) && made->type != IP4_ROUTE_LOCAL) {
        MacAddr mac = MAC_BROADCAST;
        Neigh *n = neigh_get(ip4_if_neighbours(dev), &made->next_hop);

        if (!n)
            return -ENOBUFS;
        if (made->type == IP4_ROUTE_MULTICAST)
            mac = mac_from_ipv4_group(made->next_hop);
        if (made->type != IP4_ROUTE_UNICAST && n->state == NEIGH_NONE) /* arp_constructor */
            neigh_update(n, &mac, NEIGH_NOARP, NEIGH_UPDATE_ADMIN | NEIGH_UPDATE_OVERRIDE);
        made->neigh = neigh_ref(n);
    }
    neigh_unref(d->neigh);
    made->gen = cacheable ? ip->gen : 0;
    *d = *made;
    *out = d;
    return 0;
}

static void to_unicast(Ip4Dst *d, const Ip4Route *r, uint32_t dst)
{
    d->type = r->type;
    d->out = r->dev;
    d->next_hop = ip4_route_via(r) ? ip4_route_via(r) : dst;
    d->mtu = ip4_route_mtu(r) ? HS_MIN(ip4_route_mtu(r), r->dev->dev->mtu) : r->dev->dev->mtu;
    d->has_metrics = ip4_route_metrics(r) != NULL;
    d->mtu_locked = route_metrics_is_locked(ip4_route_metrics(r), ROUTE_MTU);
}

const RouteMetrics *ip4_dst_metrics_slow(const Ip4 *ip, const Ip4Dst *d)
{
    return ip4_route_metrics(d->in & DST_OIF ? ip4_route_lookup_by(ip, d->out, d->dst)
                                             : ip4_route_lookup(ip, d->dst));
}

/* ---- input ---- */

/* __fib_validate_source: nobody else may use an address of ours, and with rp_filter the way back must be the
 * way it came. */
static int check_source(const Ip4 *ip, const Ip4If *ifp, uint32_t src)
{
    const Ip4Route *r = ip4_route_lookup(ip, src);

    if (r && r->type == IP4_ROUTE_LOCAL)
        return -EINVAL;
    if (ip->sysctl->rp_filter && (!r || r->type != IP4_ROUTE_UNICAST || r->dev != ifp))
        return -EXDEV;
    return 0;
}

int ip4_dst_in_slow(Ip4 *ip, Ip4If *ifp, uint32_t src, uint32_t dst, const Ip4Dst **out)
{
    Ip4Dst d = {.src = src, .dst = dst, .in = ifp->dev->ifindex};
    bool forwards = ip->sysctl->ip_forward;
    const Ip4Route *r;
    int err;

    if (ipv4_addr_is_multicast(src) || src == IPV4_BROADCAST)
        return -EINVAL;
    if (ipv4_addr_is_multicast(dst)) {
        if (ipv4_addr_is_loopback(src) || (ipv4_addr_is_zeronet(src) && !ipv4_addr_is_local_multicast(dst)))
            return -EINVAL;
        if (!ip4_in_group(ifp, dst))
            return -ENOENT;
        if (!ipv4_addr_is_zeronet(src) && (err = check_source(ip, ifp, src))) /* ip_mc_validate_source */
            return err;
        d.type = IP4_ROUTE_MULTICAST;
        return keep(ip, &d, false, out);
    }
    if (dst == IPV4_BROADCAST || (src == 0 && dst == 0)) {
        if (src && (err = check_source(ip, ifp, src)))
            return err;
        d.type = IP4_ROUTE_BROADCAST;
        return keep(ip, &d, true, out);
    }
    if (ipv4_addr_is_zeronet(src) || ipv4_addr_is_zeronet(dst) || ipv4_addr_is_loopback(src) ||
        ipv4_addr_is_loopback(dst))
        return -EINVAL;
    r = ip4_route_lookup(ip, dst);
    if (!r)
        return forwards ? -ENETUNREACH : -EHOSTUNREACH;
    if ((err = check_source(ip, ifp, src)))
        return err;
    switch ((Ip4RouteType)r->type) {
    case IP4_ROUTE_LOCAL:
        d.type = IP4_ROUTE_LOCAL;
        return keep(ip, &d, true, out);
    case IP4_ROUTE_BROADCAST:
        d.type = IP4_ROUTE_BROADCAST;
        if (r->dev != ifp && forwards) { /* directed at another of our networks */
            if (!ip->sysctl->bc_forwarding)
                return -ENOTUNIQ;
            to_unicast(&d, r, dst);
        }
        return keep(ip, &d, true, out);
    case IP4_ROUTE_UNICAST:
        if (!forwards)
            return -EHOSTUNREACH;
        to_unicast(&d, r, dst);
        /* __mkroute_input: it leaves where it came from, and the next hop is the sender's neighbour too. */
        d.redirect = r->dev == ifp && ip->sysctl->send_redirects && ip4_is_onlink(ifp, src, d.next_hop);
        return keep(ip, &d, true, out);
    default:
        if (!forwards)
            return -EHOSTUNREACH;
        d.type = r->type;
        return keep(ip, &d, true, out);
    }
}

/* ---- output ---- */

static int out_on_link(Ip4 *ip, Ip4Dst *d, Ip4If *dev, Ip4RouteType type, const Ip4Dst **out)
{
    d->type = (uint8_t)type;
    d->out = dev;
    d->next_hop = d->dst;
    d->mtu = dev->dev->mtu;
    if (!d->src_used)
        d->src_used = ip4_select_src(ip, dev, d->dst);
    return keep(ip, d, true, out);
}

static int out_local(Ip4 *ip, Ip4Dst *d, uint32_t prefsrc, const Ip4Dst **out)
{
    d->type = IP4_ROUTE_LOCAL;
    d->out = ip4_lo(ip);
    d->next_hop = d->dst;
    d->mtu = d->out->dev->mtu;
    if (!d->src_used)
        d->src_used = prefsrc;
    return keep(ip, d, true, out);
}

static Ip4If *if_with_addr(const Ip4 *ip, uint32_t addr)
{
    const Ip4Route *r = ip4_route_lookup(ip, addr);

    return r && r->type == IP4_ROUTE_LOCAL ? r->dev : NULL;
}

int ip4_dst_out_slow(Ip4 *ip, const Ip4If *oif, uint32_t src, uint32_t dst, const Ip4Dst **out)
{
    Ip4Dst d = {.src = src, .dst = dst, .in = oif ? DST_OIF | oif->dev->ifindex : 0, .src_used = src};
    Ip4If *dev = (Ip4If *)oif;
    const Ip4Route *r;
    uint32_t mtu = 0, gw = 0;
    SimTime expires = SIM_NEVER;
    bool cacheable = true, locked;

    if (src) {
        if (ipv4_addr_is_multicast(src) || src == IPV4_BROADCAST || ipv4_addr_is_zeronet(src) ||
            !ip4_is_local(ip, src))
            return -EINVAL;
        /* A sender of multicast or broadcast chooses the device by its address. */
        if (!dev && (ipv4_addr_is_multicast(dst) || dst == IPV4_BROADCAST))
            dev = ipv4_addr_is_loopback(src) ? ip4_lo(ip) : if_with_addr(ip, src);
    }
    if (dev && !(dev->dev->flags & NETDEV_UP))
        return -ENETUNREACH;
    if (dst == 0) { /* Linux: to ourselves */
        if (ip->sysctl->connect_zero_is_error)
            return -EINVAL;
        d.dst = src ? src : IPV4_LOOPBACK;
        d.next_hop = d.dst;
        d.type = IP4_ROUTE_LOCAL;
        d.out = ip4_lo(ip);
        d.mtu = d.out->dev->mtu;
        d.src_used = d.dst;
        return keep(ip, &d, false, out);
    }
    if (ipv4_addr_is_zeronet(dst))
        return -EINVAL;
    if (ipv4_addr_is_loopback(dst))
        return out_local(ip, &d, IPV4_LOOPBACK, out);
    r = ip4_route_lookup(ip, dst);
    if (dst == IPV4_BROADCAST || ipv4_addr_is_multicast(dst)) {
        Ip4RouteType type = dst == IPV4_BROADCAST ? IP4_ROUTE_BROADCAST : IP4_ROUTE_MULTICAST;

        if (!dev) { /* as any other destination: by the table, in practice the default route */
            if (!r || r->type != IP4_ROUTE_UNICAST)
                return -ENETUNREACH;
            dev = r->dev;
        }
        if (ipv4_addr_is_loopback(d.src_used) && !(dev->dev->flags & NETDEV_LOOPBACK))
            return -EINVAL;
        return out_on_link(ip, &d, dev, type, out);
    }
    if (r && r->type == IP4_ROUTE_LOCAL)
        return out_local(ip, &d, dst, out);
    if (ipv4_addr_is_loopback(src)) /* 127/8 never leaves the host */
        return -EINVAL;
    if (dev)
        r = ip4_route_lookup_by(ip, dev, dst);
    if (!r) {
        if (!dev)
            return -ENETUNREACH;
        /* "Apparently, routing tables are wrong. Assume that the destination is on link." */
        return out_on_link(ip, &d, dev, IP4_ROUTE_UNICAST, out);
    }
    switch ((Ip4RouteType)r->type) {
    case IP4_ROUTE_BLACKHOLE:
        return -EINVAL; /* fib_props */
    case IP4_ROUTE_UNREACHABLE:
        return -EHOSTUNREACH;
    case IP4_ROUTE_PROHIBIT:
        return -EACCES;
    case IP4_ROUTE_BROADCAST:
        return out_on_link(ip, &d, r->dev, IP4_ROUTE_BROADCAST, out);
    default:
        break;
    }
    to_unicast(&d, r, dst);
    if (!d.src_used)
        d.src_used = ip4_route_src(r) ? ip4_route_src(r) : ip4_select_src(ip, r->dev, d.next_hop);
    locked = d.mtu_locked;
    if (ip4_exc_lookup(ip, dst, &mtu, &locked, &gw, &expires)) {
        d.expires = true;
        ip4_rare(ip)->expires = expires;
        d.mtu_locked = locked;
        if (gw)
            d.next_hop = gw;
        if (mtu)
            d.mtu = HS_MIN(d.mtu, mtu);
        cacheable = false; /* it expires */
    }
    return keep(ip, &d, cacheable, out);
}

int ip4_route_get(Ip4 *ip, uint32_t dst, uint32_t src, const Ip4If *oif, Ip4Flow *out)
{
    const Ip4Dst *d;
    int err = ip4_dst_out(ip, oif, src, dst, &d);

    if (err)
        return err;
    *out = (Ip4Flow){.type = (Ip4RouteType)d->type,
                     .dev = d->out,
                     .next_hop = d->next_hop,
                     .src = d->src_used,
                     .mtu = d->mtu,
                     .mtu_locked = d->mtu_locked,
                     .metrics = ip4_dst_metrics(ip, d),
                     .gen = ip->gen,
                     .expires = d->expires ? ip->live->rare->expires : SIM_NEVER};
    return 0;
}

void ip4_confirm_neigh(const Ip4Flow *f)
{
    Neigh *n;

    if (f->type != IP4_ROUTE_UNICAST || !ip4_if_has_neighbours(f->dev))
        return;
    n = neigh_lookup(ip4_if_neighbours(f->dev), &f->next_hop);
    if (n)
        neigh_confirm(n);
}
