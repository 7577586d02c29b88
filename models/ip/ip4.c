/* An IPv4 instance: its devices, its settings and protocols. Their addresses are in ip4_addr.c. */
#include "models/ip/ip4.h"

#include <glib.h>
#include <string.h>

#include "models/ip/ip4_priv.h"

#define CACHE_MIN 2

const Ip4Sysctl ip4_sysctl_default = {
    .ip_default_ttl = 64,
    .accept_redirects = true,
    .send_redirects = true,
    .icmp_echo_ignore_broadcasts = true,
    .icmp_ratelimit_ms = 1000,
    .icmp_ratemask = 6168,
    .icmp_msgs_per_sec = 1000,
    .icmp_msgs_burst = 50,
    .ipfrag_high_thresh = 4194304,
    .ipfrag_low_thresh = 3145728,
    .ipfrag_time_ms = 30000,
    .ipfrag_max_dist = 64,
    .netdev_max_backlog = LOOPBACK_BACKLOG,
    .min_pmtu = 552,
    .mtu_expires_s = 600,
    .port_low = 32768,
    .ping_gid_low = 1,
    .port_high = 60999,
    .ip_id_global = true,
    .ip_id_first = 1,
};

/* ---- the neighbours' questions to their host ---- */

static ArpTarget arp_classify(Arp *arp, uint32_t target, uint32_t sender)
{
    Ip4If *ifp = arp->user;
    Ip4 *ip = ifp->ip;
    const Ip4Route *r;

    /* ip_route_input_noref on a request whose sender is ourselves, or nobody that could be: a martian source.
     */
    if (sender && (ipv4_addr_is_multicast(sender) || sender == IPV4_BROADCAST ||
                   ipv4_addr_is_loopback(sender) || ip4_is_local(ip, sender)))
        return ARP_TARGET_NONE;
    r = ip4_route_lookup(ip, target);
    if (r && r->type == IP4_ROUTE_LOCAL)
        return ARP_TARGET_LOCAL;
    if (r && r->type == IP4_ROUTE_UNICAST && r->dev != ifp && ip->sysctl->ip_forward)
        return ARP_TARGET_ROUTED;
    return ARP_TARGET_NONE;
}

static uint32_t arp_source(Arp *arp, uint32_t target, const Packet *waiting)
{
    Ip4If *ifp = arp->user;

    if (waiting) {
        uint32_t src = ipv4_src(packet_cdata(waiting));

        if (ip4_is_local(ifp->ip, src))
            return src;
    }
    return ip4_select_src(ifp->ip, ifp, target);
}

static void arp_unreachable(Arp *arp, Packet *pkt)
{
    Ip4If *ifp = arp->user;

    /* ipv4_link_failure: also to ourselves, so that the local sender gets EHOSTUNREACH. */
    pkt->l3 = pkt->head;
    icmp4_send_error(ifp->ip, pkt, ICMP_DEST_UNREACH, ICMP_UNREACH_HOST, 0);
    ip4_drop(ifp, pkt, DROP_NEIGH_FAILED);
}

static const ArpOwner arp_owner = {
    .classify = arp_classify, .source = arp_source, .unreachable = arp_unreachable};

Arp *ip4_if_arp(Ip4If *ifp)
{
    if (!ifp->arp) {
        ifp->arp = cells_take(ip4_cells(ifp->ip), sizeof *ifp->arp);
        arp_init(ifp->arp, ifp->dev, &arp_owner, ifp);
    }
    return ifp->arp;
}

struct NeighTable *ip4_if_neighbours(Ip4If *ifp)
{
    return &ip4_if_arp(ifp)->table;
}

bool ip4_if_has_neighbours(const Ip4If *ifp)
{
    return ifp->arp != NULL;
}

/* ---- the instance ---- */

Ip4 *ip4_new(Node *node, PacketPool *pool)
{
    Ip4 *ip = cells_take(&node->part->cells, sizeof *ip);

    if (!node->part->packets)
        node->part->packets = pool;
    hs_assert(node->part->packets == pool);
    ip->node = node;
    ip->sysctl = &ip4_sysctl_default;
    ip->gen = 1;
    ip->n_ifs = 1;
    ip->next_ifindex = 2;
    lpm_init(&ip->fib, 32);
    return ip;
}

Ip4Live *ip4_live_new(Ip4 *ip)
{
    Ip4Live *live = cells_take(ip4_cells(ip), sizeof *live);

    live->cache = cells_take(ip4_cells(ip), CACHE_MIN * sizeof *live->cache);
    live->cache_mask = CACHE_MIN - 2;
    ip->live = live;
    return live;
}

Ip4Rare *ip4_rare(Ip4 *ip)
{
    Ip4Live *live = ip4_live(ip);

    if (!live->rare)
        live->rare = g_new0(Ip4Rare, 1);
    return live->rare;
}

void ip4_on_unknown_proto(Ip4 *ip, void (*make)(Ip4 *ip, uint8_t proto))
{
    ip->make_proto = make;
}

static void live_free(Ip4 *ip)
{
    Ip4Live *live = ip->live;

    if (!live)
        return;
    ip4_dst_clear(live);
    if (live->rare) {
        ip4_reass_free(live->rare->reass);
        ip4_exc_free(live->rare->exc);
        g_free(live->rare->idents);
        g_free(live->rare->redirect);
        g_free(live->rare);
    }
    g_free(live->mib_seldom);
    cells_give(ip4_cells(ip), live->cache, (live->cache_mask + 2) * sizeof *live->cache);
    cells_give(ip4_cells(ip), live, sizeof *live);
    ip->live = NULL;
}

static void if_free(Ip4If *ifp)
{
    if (ifp->arp) {
        arp_clear(ifp->arp);
        cells_give(ip4_cells(ifp->ip), ifp->arp, sizeof *ifp->arp);
    }
    if (ifp->n_addrs > 1)
        g_free(ifp->addr.many);
    while (ifp->extra && ifp->extra->taps)
        ip4_if_set_tap(ifp, ifp->extra->taps->ethertype, NULL, NULL);
    if (ifp->extra)
        g_free(ifp->extra->groups);
    g_free(ifp->extra);
    ifp->dev->input = NULL;
    ifp->dev->changed = NULL;
    ifp->dev->upper = NULL;
    cells_give(ip4_cells(ifp->ip), ifp, sizeof *ifp);
}

void ip4_free(Ip4 *ip)
{
    if (!ip)
        return;
    live_free(ip);
    ip4_route_clear(ip);
    while (ip->first_if) {
        Ip4If *ifp = ip->first_if;

        ip->first_if = ifp->next;
        if_free(ifp);
    }
    if (ip->lo) {
        Loopback *lo = ip4_loopback(ip);

        if_free(ip->lo);
        loopback_clear(lo);
        g_free(lo);
    }
    lpm_clear(&ip->fib);
    if (ip->sysctl != &ip4_sysctl_default)
        g_free((Ip4Sysctl *)ip->sysctl);
    if (ip->protos)
        cells_give(ip4_cells(ip), ip->protos, ip->n_protos * sizeof *ip->protos);
    cells_give(ip4_cells(ip), ip, sizeof *ip);
}

void ip4_reset(Ip4 *ip)
{
    live_free(ip);
    for (Ip4If *ifp = ip->first_if; ifp; ifp = ifp->next)
        if (ifp->arp)
            neightable_flush(&ifp->arp->table, false);
    if (ip->lo)
        loopback_purge(ip4_loopback(ip));
    ip4_changed(ip);
}

Node *ip4_node(const Ip4 *ip)
{
    return ip->node;
}

PacketPool *ip4_pool(const Ip4 *ip)
{
    return ip->node->part->packets;
}

static size_t if_bytes(const Ip4If *ifp)
{
    size_t n = sizeof *ifp;

    if (ifp->extra)
        n += sizeof *ifp->extra + ifp->extra->n_groups * sizeof(Ip4Group);
    if (ifp->n_addrs > 1)
        n += ifp->n_addrs * sizeof(Ipv4Prefix);
    if (ifp->arp) {
        NeighStats st;

        neightable_stats(&ifp->arp->table, &st);
        n += sizeof *ifp->arp + st.bytes;
    }
    return n;
}

size_t ip4_route_bytes(const Ip4 *ip)
{
    return lpm_bytes(&ip->fib) + ip->n_routes * sizeof(Ip4Route);
}

size_t ip4_bytes(const Ip4 *ip)
{
    size_t n = sizeof *ip + ip4_route_bytes(ip) + ip->n_protos * sizeof *ip->protos;
    const Ip4Rare *rare = ip4_has_rare(ip);

    for (const Ip4If *ifp = ip->first_if; ifp; ifp = ifp->next)
        n += if_bytes(ifp);
    if (ip->lo)
        n +=
            if_bytes(ip->lo) + sizeof(Loopback) + ((const Loopback *)ip->lo->dev)->cap * sizeof(LoopbackItem);
    if (ip->sysctl != &ip4_sysctl_default)
        n += sizeof *ip->sysctl;
    if (ip->live)
        n += sizeof *ip->live + (ip->live->cache_mask + 2) * sizeof(Ip4Dst) +
             (ip->live->mib_seldom ? IP4_MIB_COUNT * sizeof *ip->live->mib_seldom : 0) +
             (rare ? sizeof *rare + (rare->redirect ? REDIRECT_PEERS * sizeof *rare->redirect : 0) +
                         (rare->idents ? IP4_IDENTS * sizeof *rare->idents : 0) + ip4_reass_bytes(rare->reass)
                   : 0);
    return n;
}

void ip4_changed(Ip4 *ip)
{
    if (++ip->gen == 0)
        ip->gen = 1;
}

uint32_t ip4_gen(const Ip4 *ip)
{
    return ip->gen;
}

Ip4Sysctl *ip4_sysctl(Ip4 *ip)
{
    if (ip->sysctl == &ip4_sysctl_default)
        ip->sysctl = g_memdup2(ip->sysctl, sizeof *ip->sysctl);
    ip4_changed(ip);
    return (Ip4Sysctl *)ip->sysctl;
}

const Ip4Sysctl *ip4_sysctl_get(const Ip4 *ip)
{
    return ip->sysctl;
}

/* ---- devices ---- */

/* inetdev_event, arp_netdev_event */
static void dev_changed(NetDev *dev)
{
    Ip4If *ifp = dev->upper;
    Ip4 *ip = ifp->ip;
    bool up = dev->flags & NETDEV_UP, running = netdev_is_running(dev);
    bool new_mac = !mac_equal(dev->mac, ifp->mac);

    ip4_changed(ip);
    if (up != ifp->was_up)
        ip4_route_dev_changed(ip, ifp, up);
    if (ifp->arp && (new_mac || (ifp->was_running && !running)))
        neightable_flush(&ifp->arp->table, !up); /* neigh_changeaddr, neigh_carrier_down, neigh_ifdown */
    if (ifp->arp && ifp->arp->arp_notify && running && (new_mac || !ifp->was_running))
        for (unsigned i = 0; i < ifp->n_addrs; i++)
            arp_announce(ifp->arp, ip4_addrs(ifp)[i].addr);
    ifp->was_up = up;
    ifp->was_running = running;
    ifp->mac = dev->mac;
}

static Ip4If *if_new(Ip4 *ip, NetDev *dev)
{
    Ip4If *ifp = cells_take(ip4_cells(ip), sizeof *ifp);

    ifp->ip = ip;
    ifp->dev = dev;
    ifp->was_up = dev->flags & NETDEV_UP;
    ifp->was_running = netdev_is_running(dev);
    ifp->mac = dev->mac;
    dev->upper = ifp;
    dev->input = ip4_input;
    dev->changed = dev_changed;
    return ifp;
}

Loopback *ip4_loopback(Ip4 *ip)
{
    return HS_CONTAINER_OF(ip4_lo(ip)->dev, Loopback, dev);
}

Ip4If *ip4_lo(Ip4 *ip)
{
    if (!ip->lo) {
        Loopback *lo = g_new(Loopback, 1);

        loopback_init(lo, ip->node);
        ip->lo = if_new(ip, &lo->dev);
        ip->lo->addr.one = (Ipv4Prefix){IPV4_LOOPBACK, 8};
        ip->lo->n_addrs = 1;
    }
    return ip->lo;
}

Ip4If *ip4_add_dev(Ip4 *ip, NetDev *dev)
{
    Ip4If *ifp = if_new(ip, dev), **at = &ip->first_if;

    if (dev->ifindex == 0)
        dev->ifindex = ip->next_ifindex;
    ip->next_ifindex = (uint16_t)HS_MAX(ip->next_ifindex, dev->ifindex + 1);
    while (*at)
        at = &(*at)->next;
    *at = ifp;
    ip->n_ifs++;
    ip4_changed(ip);
    return ifp;
}

void ip4_remove_dev(Ip4 *ip, Ip4If *ifp)
{
    Ip4If **at = &ip->first_if;

    hs_assert(ifp != ip->lo);
    ip4_changed(ip);
    if (ip->live) /* cached routes point to the device and its neighbours */
        ip4_dst_clear(ip->live);
    ip4_route_dev_removed(ip, ifp);
    while (*at != ifp)
        at = &(*at)->next;
    *at = ifp->next;
    ip->n_ifs--;
    if (ip4_has_rare(ip)) { /* datagrams in reassembly remember where they came in */
        ip4_reass_free(ip->live->rare->reass);
        ip->live->rare->reass = NULL;
    }
    if_free(ifp);
}

unsigned ip4_if_count(const Ip4 *ip)
{
    return ip->n_ifs;
}

Ip4If *ip4_if(const Ip4 *ip, unsigned i)
{
    Ip4If *ifp;

    if (i == 0)
        return ip4_lo((Ip4 *)ip); /* its late birth is nobody's business */
    for (ifp = ip->first_if; ifp && --i; ifp = ifp->next)
        ;
    return ifp;
}

Ip4If *ip4_if_by_index(const Ip4 *ip, unsigned ifindex)
{
    if (ifindex == 1)
        return ip4_if(ip, 0);
    for (Ip4If *ifp = ip->first_if; ifp; ifp = ifp->next)
        if (ifp->dev->ifindex == ifindex)
            return ifp;
    return NULL;
}

Ip4If *ip4_if_by_name(const Ip4 *ip, const char *name)
{
    if (strcmp(name, "lo") == 0)
        return ip4_if(ip, 0);
    for (Ip4If *ifp = ip->first_if; ifp; ifp = ifp->next)
        if (strcmp(ifp->dev->name, name) == 0)
            return ifp;
    return NULL;
}

NetDev *ip4_if_dev(const Ip4If *ifp)
{
    return ifp->dev;
}

/* ---- other protocols ---- */

static Ip4IfExtra *if_extra(Ip4If *ifp)
{
    if (!ifp->extra)
        ifp->extra = g_new0(Ip4IfExtra, 1);
    return ifp->extra;
}

void ip4_if_set_tap(Ip4If *ifp, uint16_t ethertype, Ip4TapFn fn, void *user)
{
    Ip4Tap **at = &if_extra(ifp)->taps, *t;

    while (*at && (*at)->ethertype != ethertype)
        at = &(*at)->next;
    if (!fn) {
        if ((t = *at)) {
            *at = t->next;
            g_free(t);
        }
        return;
    }
    if (!*at)
        *at = g_new0(Ip4Tap, 1);
    (*at)->ethertype = ethertype;
    (*at)->fn = fn;
    (*at)->user = user;
}

/* ---- multicast groups ---- */

bool ip4_in_group(const Ip4If *ifp, uint32_t group)
{
    if (group == IPV4_ALL_HOSTS) /* RFC 1112 section 4: always a member */
        return true;
    for (unsigned i = 0; ifp->extra && i < ifp->extra->n_groups; i++)
        if (ifp->extra->groups[i].group == group)
            return true;
    return false;
}

void ip4_group_join(Ip4If *ifp, uint32_t group)
{
    Ip4IfExtra *x = if_extra(ifp);
    NetDev *dev = ifp->dev;

    for (unsigned i = 0; i < x->n_groups; i++) {
        if (x->groups[i].group == group) {
            x->groups[i].users++;
            return;
        }
    }
    x->groups = g_renew(Ip4Group, x->groups, x->n_groups + 1u);
    x->groups[x->n_groups++] = (Ip4Group){group, 1};
    if (dev->ops->join)
        dev->ops->join(dev, mac_from_ipv4_group(group), true);
}

bool ip4_group_leave(Ip4If *ifp, uint32_t group)
{
    Ip4IfExtra *x = if_extra(ifp);
    NetDev *dev = ifp->dev;

    for (unsigned i = 0; i < x->n_groups; i++) {
        if (x->groups[i].group != group)
            continue;
        if (--x->groups[i].users == 0) {
            x->groups[i] = x->groups[--x->n_groups];
            if (dev->ops->join)
                dev->ops->join(dev, mac_from_ipv4_group(group), false);
        }
        return true;
    }
    return false;
}

/* ---- protocols ---- */

static inline const Ip4Proto *find_proto(const Ip4 *ip, uint8_t proto)
{
    for (unsigned i = 0; i < ip->n_protos; i++)
        if (ip->protos[i].proto == proto)
            return &ip->protos[i].p;
    return NULL;
}

const Ip4Proto *ip4_proto(Ip4 *ip, uint8_t proto)
{
    const Ip4Proto *p = find_proto(ip, proto);

    if (HS_LIKELY(p != NULL) || !ip->make_proto)
        return p;
    ip->make_proto(ip, proto);
    return find_proto(ip, proto);
}

static void resize_protos(Ip4 *ip, unsigned n)
{
    Ip4ProtoEntry *old = ip->protos;

    ip->protos = n ? cells_take(ip4_cells(ip), n * sizeof *old) : NULL;
    if (n && old)
        memcpy(ip->protos, old, HS_MIN(n, ip->n_protos) * sizeof *old);
    if (old)
        cells_give(ip4_cells(ip), old, ip->n_protos * sizeof *old);
    ip->n_protos = (uint8_t)n;
}

void ip4_set_proto(Ip4 *ip, uint8_t proto, const Ip4Proto *p)
{
    unsigned i = 0;

    while (i < ip->n_protos && ip->protos[i].proto != proto)
        i++;
    if (!p) {
        if (i < ip->n_protos) {
            ip->protos[i] = ip->protos[ip->n_protos - 1u];
            resize_protos(ip, ip->n_protos - 1u);
        }
        return;
    }
    if (i == ip->n_protos)
        resize_protos(ip, ip->n_protos + 1u);
    ip->protos[i] = (Ip4ProtoEntry){proto, *p};
}

struct Icmp4 *ip4_icmp(Ip4 *ip)
{
    const Ip4Proto *p = ip4_proto(ip, IP_PROTO_ICMP);

    return p ? p->user : NULL;
}
