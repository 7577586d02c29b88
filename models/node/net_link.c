/* Cables between nodes: interfaces are made here, addresses are checked here. */
#include <string.h>

#include "models/ether/ppp.h"
#include "models/node/net_priv.h"

#define DEV_NAME_MAX_LEN 15 /* Linux IFNAMSIZ - 1 */

void netlinkconfig_init(NetLinkConfig *c)
{
    memset(c, 0, sizeof *c);
    linkdirconfig_init(&c->dir[0]);
    linkdirconfig_init(&c->dir[1]);
}

static void drop_config(NetLinkConfig *c)
{
    for (int i = 0; i < 2; i++) {
        queue_free(c->dir[i].queue);
        while (c->dir[i].impair) {
            Impair *next = c->dir[i].impair->next;
            impair_free(c->dir[i].impair);
            c->dir[i].impair = next;
        }
        c->dir[i].queue = NULL;
    }
}

/* ---- what the user asked for, checked before anything is made ---- */

static bool check_address(const Net *net, const NetLinkConfig *c, const NetEndConfig *e, char **error)
{
    char addr[IPV4_PREFIX_STR_LEN], subnet[IPV4_PREFIX_STR_LEN];
    const char *name = NULL;

    if (!e->has_addr)
        return true;
    if (!host_of_node(e->node)) {
        *error = g_strdup_printf("%s %s cannot have the address %s: only hosts and routers have addresses",
                                 e->node->kind == NET_SWITCH ? "switch" : "hub", e->node->name,
                                 ipv4_prefix_format(e->addr, addr));
        return false;
    }
    if (c->has_subnet && (!ipv4_prefix_contains(c->subnet, e->addr.addr) || e->addr.len != c->subnet.len)) {
        *error = g_strdup_printf("the address %s of %s is outside the link's subnet %s",
                                 ipv4_prefix_format(e->addr, addr), e->node->name,
                                 ipv4_prefix_format(c->subnet, subnet));
        return false;
    }
    if (net->is_prepared || g_hash_table_contains(net->given, GUINT_TO_POINTER(e->addr.addr)))
        name = net_name_of(net, e->addr.addr);
    if (name) {
        *error =
            g_strdup_printf("the address %s is %s's already", ipv4_addr_format(e->addr.addr, addr), name);
        return false;
    }
    return true;
}

/* Linux dev_valid_name, and no colon: that separates host and interface in "server:eth1". */
static bool dev_name_is_ok(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && len <= DEV_NAME_MAX_LEN && strspn(name, NET_NAME_LETTERS) == len &&
           strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strcmp(name, "all") != 0 &&
           strcmp(name, "default") != 0;
}

/* A switch's or a hub's end. */
static bool check_port(const Net *net, const NetLinkConfig *c, const NetEndConfig *e, char **error)
{
    const char *what = e->node->kind == NET_SWITCH ? "switch" : "hub";
    char mac[MAC_STR_LEN];

    if (c->kind == NET_LINK_PPP)
        *error = g_strdup_printf("a PPP link joins hosts and routers, not %s %s", what, e->node->name);
    else if (e->dev)
        *error = g_strdup_printf("%s %s numbers its ports itself: a port cannot be named \"%s\"", what,
                                 e->node->name, e->dev);
    else if (e->has_mac)
        *error = g_strdup_printf("a port of %s %s has no MAC address of its own (%s was given)", what,
                                 e->node->name, mac_format(e->mac, mac));
    else
        return check_address(net, c, e, error);
    return false;
}

static bool check_end(const Net *net, const NetLinkConfig *c, unsigned i, char **error)
{
    const NetEndConfig *e = &c->end[i];
    Host *h = host_of_node(e->node);
    char mac[MAC_STR_LEN];

    if (!h)
        return check_port(net, c, e, error);
    if (e->dev && !dev_name_is_ok(e->dev)) {
        *error = g_strdup_printf(
            "\"%s\" is not an interface's name (expected 1 to %d letters, digits, '-', '_' or '.')", e->dev,
            DEV_NAME_MAX_LEN);
        return false;
    }
    if (e->dev && ip4_if_by_name(h->ip, e->dev)) {
        *error = g_strdup_printf("%s has an interface \"%s\" already", h->node.name, e->dev);
        return false;
    }
    if (e->has_mac && mac_is_multicast(e->mac)) {
        *error = g_strdup_printf("%s is a group's MAC address and cannot be an interface's",
                                 mac_format(e->mac, mac));
        return false;
    }
    if (c->dir[i].mtu && (c->dir[i].mtu < NIC_MTU_MIN || c->dir[i].mtu > NIC_MTU_MAX)) {
        *error = g_strdup_printf("an MTU of %u is not possible (expected %d to %d)", c->dir[i].mtu,
                                 NIC_MTU_MIN, NIC_MTU_MAX);
        return false;
    }
    return check_address(net, c, e, error);
}

/* Which nodes may be joined. */
static bool check_pair(const Node *a, const Node *b, char **error)
{
    if (a == b) {
        *error = g_strdup_printf("a link joins two different nodes, not %s with itself", a->name);
        return false;
    }
    if (a->kind == NET_HUB && b->kind == NET_HUB) {
        *error =
            g_strdup_printf("hubs %s and %s cannot be joined: put their hosts on one hub", a->name, b->name);
        return false;
    }
    return true;
}

/* A hub's medium is shared: what a cable would do is decided there. */
static bool check_hub(const NetLinkConfig *c, char **error)
{
    bool is_own = false;

    for (int i = 0; i < 2; i++) {
        const LinkDirConfig *d = &c->dir[i];

        is_own |= d->queue || d->impair || d->rate_bps || d->delay || d->jitter;
    }
    for (int i = 0; i < 2; i++) {
        if (c->end[i].node->kind == NET_HUB && is_own) {
            *error =
                g_strdup_printf("the cable to hub %s is part of the shared medium: rate and delay are the "
                                "hub's, and there is no queue, jitter or impairment of its own",
                                c->end[i].node->name);
            return false;
        }
    }
    return true;
}

static bool check_subnet(const NetLinkConfig *c, char **error)
{
    char a[IPV4_PREFIX_STR_LEN], b[IPV4_PREFIX_STR_LEN];

    if (!c->has_subnet)
        return true;
    if (c->subnet.len == 0 || c->subnet.len > 32) {
        *error = g_strdup_printf("%s is not a subnet (expected a length of 1 to 32)",
                                 ipv4_prefix_format(c->subnet, a));
        return false;
    }
    if (!ipv4_prefix_is_network(c->subnet)) {
        *error = g_strdup_printf(
            "%s is not a subnet: its host bits are set (expected %s)", ipv4_prefix_format(c->subnet, a),
            ipv4_prefix_format((Ipv4Prefix){ipv4_prefix_network(c->subnet), c->subnet.len}, b));
        return false;
    }
    return true;
}

static bool check(const Net *net, const NetLinkConfig *c, char **error)
{
    char a[IPV4_PREFIX_STR_LEN], b[IPV4_PREFIX_STR_LEN];

    if (!check_pair(c->end[0].node, c->end[1].node, error) || !check_hub(c, error) ||
        !check_subnet(c, error) || !check_end(net, c, 0, error) || !check_end(net, c, 1, error))
        return false;
    if (c->end[0].has_addr && c->end[1].has_addr) {
        if (c->end[0].addr.addr == c->end[1].addr.addr) {
            *error = g_strdup_printf("both ends of the link have the address %s",
                                     ipv4_addr_format(c->end[0].addr.addr, a));
            return false;
        }
        if (!ipv4_prefix_contains(c->end[0].addr, c->end[1].addr.addr)) {
            *error =
                g_strdup_printf("%s and %s are in different subnets, but on one link",
                                ipv4_prefix_format(c->end[0].addr, a), ipv4_prefix_format(c->end[1].addr, b));
            return false;
        }
    }
    return true;
}

/* ---- making ---- */

MacAddr netlink_next_mac(Net *net)
{
    return mac_from_u64(++net->next_mac);
}

static void name_dev(const Host *h, NetLinkKind kind, unsigned *next, char *name, size_t size)
{
    do
        g_snprintf(name, size, kind == NET_LINK_PPP ? "ppp%u" : "eth%u", (*next)++);
    while (ip4_if_by_name(h->ip, name));
}

/* Makes the interface (or switch port) of one end, which has been checked; false: the host refuses the
 * address. */
static bool make_end(Net *net, NetEnd *end, const NetEndConfig *c, NetLinkKind kind, const LinkDirConfig *dir,
                     char **error)
{
    Host *h = host_of_node(c->node);
    unsigned next = !h ? 0 : kind == NET_LINK_PPP ? h->n_ppp : h->n_eth;
    char auto_name[DEV_NAME_MAX_LEN + 1];
    const char *name = c->dev;
    Ip4If *ifp;

    end->node = c->node;
    if (c->node->kind == NET_SWITCH) {
        end->port = switch_add_port((Switch *)c->node);
        return true;
    }
    if (!h)
        return true; /* a hub: the device at the other end plugs in directly */
    if (!name) {
        name_dev(h, kind, &next, auto_name, sizeof auto_name);
        name = auto_name;
    }
    if (kind == NET_LINK_PPP) {
        Ppp *ppp = ppp_new(&h->node, name, net->probes);

        end->dev = &ppp->dev;
        end->port = &ppp->port;
    } else {
        Nic *nic = nic_new(&h->node, name, c->has_mac ? c->mac : netlink_next_mac(net), net->probes);

        end->dev = &nic->dev;
        end->port = &nic->port;
    }
    end->dev->mtu = dir->mtu ? dir->mtu : end->dev->mtu;
    if (c->no_addr)
        end->dev->flags |= NETDEV_NO_AUTO_ADDR;
    ifp = ip4_add_dev(h->ip, end->dev);
    if (c->has_addr && !ip4_addr_add(h->ip, ifp, c->addr, error))
        return false;
    if (kind == NET_LINK_PPP)
        h->n_ppp = (uint16_t)next;
    else
        h->n_eth = (uint16_t)next;
    host_init_if(h, ifp);
    if (h->off && end->dev->ops->set_up)
        end->dev->ops->set_up(end->dev, false);
    if (c->has_addr)
        g_hash_table_add(net->given, GUINT_TO_POINTER(c->addr.addr));
    return true;
}

/* Takes back the interface that make_end made before something else failed. A switch's port would stay, so it
 * is made last. */
static void unmake_end(Net *net, NetEnd *end)
{
    Host *h = host_of_node(end->node);
    Ip4If *ifp;

    if (!end->dev)
        return;
    ifp = netend_if(end);
    if (ip4_addr_count(ifp))
        g_hash_table_remove(net->given, GUINT_TO_POINTER(ip4_primary_addr(ifp)));
    if (host_has_ip6(h))
        ip6_remove_dev(host_ip6(h), ifp);
    ip4_remove_dev(h->ip, ifp);
    host_free_dev(end->dev);
    end->dev = NULL;
    end->port = NULL;
}

/* The hub that the link leads to, and the port that leads there. */
static Segment *hub_of(const NetLink *l, LinkPort **port)
{
    for (int i = 0; i < 2; i++) {
        if (l->end[i].node->kind == NET_HUB) {
            if (port)
                *port = l->end[!i].port;
            return net_segment_of(l->net, l->end[i].node);
        }
    }
    return NULL;
}

static void plug(NetLink *l, LinkDirConfig dir[2])
{
    LinkPort *port;
    Segment *hub = hub_of(l, &port);

    l->is_pulled = false;
    if (hub) {
        segment_join(hub, port);
        return;
    }
    for (int i = 0; i < 2 && l->kind == NET_LINK_PPP; i++) {
        if (dir[i].overhead_bytes != LINK_OVERHEAD_ETHERNET || dir[i].gap_bytes != LINK_GAP_ETHERNET)
            continue;                         /* somebody has asked for something else */
        dir[i].overhead_bytes = PPP_OVERHEAD; /* address, control and protocol are in the frame */
        dir[i].gap_bytes = 0;
    }
    if (l->link)
        link_plug(l->link, l->end[0].port, l->end[1].port);
    else
        l->link = link_new(l->end[0].port, l->end[1].port, dir);
    netlink_update_carrier(l);
}

NetLink *net_link(Net *net, NetLinkConfig *c, char **error)
{
    unsigned first =
        c->end[0].node->kind == NET_SWITCH; /* the end that is made first: its address may be refused */
    NetLink *l;

    if (!check(net, c, error)) {
        drop_config(c);
        return NULL;
    }
    l = cells_take(net_cells(net), sizeof *l);
    l->net = net;
    l->kind = c->kind;
    l->has_subnet = l->subnet_given = c->has_subnet;
    l->subnet = c->subnet;
    if (!make_end(net, &l->end[first], &c->end[first], c->kind, &c->dir[first], error) ||
        !make_end(net, &l->end[!first], &c->end[!first], c->kind, &c->dir[!first], error)) {
        unmake_end(net, &l->end[first]);
        unmake_end(net, &l->end[!first]);
        drop_config(c);
        cells_give(net_cells(net), l, sizeof *l);
        return NULL;
    }
    plug(l, c->dir);
    g_ptr_array_add(net->links, l);
    return l;
}

void net_unplug(NetLink *l)
{
    LinkPort *port;
    Segment *hub = hub_of(l, &port);

    if (l->is_pulled)
        return;
    l->is_pulled = true;
    if (hub)
        segment_leave(hub, port);
    else
        link_unplug(l->link);
}

bool net_replug(NetLink *l, unsigned end, const NetEndConfig *to, char **error)
{
    NetEnd fresh = {0};
    NetLinkConfig c;

    netlinkconfig_init(&c);
    c.kind = l->kind;
    c.end[end] = *to;
    if (!check_pair(to->node, l->end[!end].node, error))
        return false;
    if (to->node != l->end[end].node || to->dev) { /* else: back into the same socket */
        if (!check_end(l->net, &c, end, error))
            return false;
        if (!make_end(l->net, &fresh, to, l->kind, &c.dir[end], error)) {
            unmake_end(l->net, &fresh);
            return false;
        }
    }
    net_unplug(l);
    if (fresh.node) {
        if (fresh.node != l->end[end].node) /* perhaps another segment: its subnet is found anew */
            l->has_subnet = l->subnet_given = false;
        l->end[end] = fresh;
        g_clear_pointer(&l->name, g_free);
    }
    plug(l, c.dir);
    return true;
}

/* ---- looking ---- */

unsigned net_link_count(const Net *net)
{
    return net->links->len;
}

NetLink *net_link_at(const Net *net, unsigned i)
{
    return net->links->pdata[i];
}

NetLink *net_link_between(const Net *net, const Node *a, const Node *b)
{
    for (unsigned i = 0; i < net->links->len; i++) {
        NetLink *l = net->links->pdata[i];

        if ((l->end[0].node == a && l->end[1].node == b) || (l->end[0].node == b && l->end[1].node == a))
            return l;
    }
    return NULL;
}

Link *netlink_link(const NetLink *l)
{
    return l->is_pulled || hub_of(l, NULL) ? NULL : l->link;
}

LinkDir *netlink_dir(const NetLink *l, unsigned from)
{
    Link *link = netlink_link(l);

    return link ? link_dir(link, from) : NULL;
}

Node *netlink_node(const NetLink *l, unsigned end)
{
    return l->end[end].node;
}

NetDev *netlink_dev(const NetLink *l, unsigned end)
{
    return l->end[end].dev;
}

LinkPort *netlink_port(const NetLink *l, unsigned end)
{
    return l->end[end].port;
}

const ProbePoint *netlink_point(const NetLink *l, unsigned end)
{
    return l->end[end].port ? &l->end[end].port->point : NULL;
}

const char *netlink_name(const NetLink *l)
{
    NetLink *mine = (NetLink *)l; /* the name is made when first asked for */
    unsigned nth = 1;

    if (l->name)
        return l->name;
    for (unsigned i = 0; i < l->net->links->len && l->net->links->pdata[i] != l; i++) {
        const NetLink *o = l->net->links->pdata[i];
        nth += o->end[0].node == l->end[0].node && o->end[1].node == l->end[1].node;
    }
    mine->name = nth == 1 ? g_strdup_printf("%s-%s", l->end[0].node->name, l->end[1].node->name)
                          : g_strdup_printf("%s-%s#%u", l->end[0].node->name, l->end[1].node->name, nth);
    return l->name;
}

static bool end_is_on(const NetEnd *e)
{
    const Host *h = host_of_node(e->node);

    return !h || !h->off;
}

void netlink_update_carrier(NetLink *l)
{
    if (netlink_link(l))
        link_set_up(l->link, !l->is_down && end_is_on(&l->end[0]) && end_is_on(&l->end[1]));
}

void netlink_set_up(NetLink *l, bool up)
{
    l->is_down = !up;
    netlink_update_carrier(l);
}
