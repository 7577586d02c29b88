/* Cables between nodes: interfaces are made here, addresses are checked here. */
#include <string.h>

#include "models/ether/ppp.h"
#include "models/node/net_priv.h"

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
    const Host *owner;

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
    owner = g_hash_table_lookup(net->owner, GUINT_TO_POINTER(e->addr.addr));
    if (owner) {
        *error = g_strdup_printf("the address %s is %s's already", ipv4_addr_format(e->addr.addr, addr),
                                 owner->node.name);
        return false;
    }
    return true;
}

static bool check(const Net *net, const NetLinkConfig *c, char **error)
{
    char a[IPV4_PREFIX_STR_LEN], b[IPV4_PREFIX_STR_LEN];

    if (c->end[0].node == c->end[1].node) {
        *error = g_strdup_printf("a link joins two different nodes, not %s with itself", c->end[0].node->name);
        return false;
    }
    if (c->end[0].node->kind == NET_HUB && c->end[1].node->kind == NET_HUB) {
        *error = g_strdup_printf("hubs %s and %s cannot be joined: put their hosts on one hub", c->end[0].node->name,
                                 c->end[1].node->name);
        return false;
    }
    if (c->has_subnet && !ipv4_prefix_is_network(c->subnet)) {
        *error = g_strdup_printf("%s is not a subnet: its host bits are set (expected %s)",
                                 ipv4_prefix_format(c->subnet, a),
                                 ipv4_prefix_format((Ipv4Prefix){ipv4_prefix_network(c->subnet), c->subnet.len}, b));
        return false;
    }
    if (!check_address(net, c, &c->end[0], error) || !check_address(net, c, &c->end[1], error))
        return false;
    if (c->end[0].has_addr && c->end[1].has_addr) {
        if (c->end[0].addr.addr == c->end[1].addr.addr) {
            *error = g_strdup_printf("both ends of the link have the address %s",
                                     ipv4_addr_format(c->end[0].addr.addr, a));
            return false;
        }
        if (!ipv4_prefix_contains(c->end[0].addr, c->end[1].addr.addr)) {
            *error = g_strdup_printf("%s and %s are in different subnets, but on one link",
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

/* Makes the interface (or switch port) of one end; false: the name is taken or the address is refused. */
static bool make_end(Net *net, NetEnd *end, const NetEndConfig *c, NetLinkKind kind, const LinkDirConfig *dir,
                     char **error)
{
    Host *h = host_of_node(c->node);
    char name[32];
    Ip4If *ifp;

    end->node = c->node;
    if (c->node->kind == NET_SWITCH) {
        end->port = switch_add_port((Switch *)c->node);
        return true;
    }
    if (!h)
        return true; /* a hub: the device at the other end plugs in directly */
    if (c->dev)
        g_strlcpy(name, c->dev, sizeof name);
    else if (kind == NET_LINK_PPP)
        g_snprintf(name, sizeof name, "ppp%u", h->n_ppp);
    else
        g_snprintf(name, sizeof name, "eth%u", h->n_eth);
    if (ip4_if_by_name(h->ip, name)) {
        *error = g_strdup_printf("%s has an interface \"%s\" already", h->node.name, name);
        return false;
    }
    if (kind == NET_LINK_PPP) {
        Ppp *ppp = ppp_new(&h->node, name, net->probes);

        h->n_ppp++;
        end->dev = &ppp->dev;
        end->port = &ppp->port;
    } else {
        Nic *nic = nic_new(&h->node, name, c->has_mac ? c->mac : netlink_next_mac(net), net->probes);

        h->n_eth++;
        end->dev = &nic->dev;
        end->port = &nic->port;
    }
    end->dev->mtu = dir->mtu ? dir->mtu : end->dev->mtu;
    if (c->no_addr)
        end->dev->flags |= NETDEV_NO_AUTO_ADDR;
    ifp = ip4_add_dev(h->ip, end->dev);
    if (!c->has_addr)
        return true;
    if (!ip4_addr_add(h->ip, ifp, c->addr, error))
        return false;
    g_hash_table_insert(net->owner, GUINT_TO_POINTER(c->addr.addr), h);
    return true;
}

/* Takes back the interface that make_end made before something else failed. */
static void unmake_end(NetEnd *end)
{
    Host *h = host_of_node(end->node);

    if (!end->dev)
        return;
    ip4_remove_dev(h->ip, netend_if(end));
    host_free_dev(end->dev);
    end->dev = NULL;
    end->port = NULL;
}

/* The hub that the link leads to, and the port that leads there. */
static Segment *hub_of(const NetLink *l, LinkPort **port)
{
    for (int i = 0; i < 2; i++) {
        if (l->end[i].node->kind == NET_HUB) {
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
    if (l->link) {
        link_plug(l->link, l->end[0].port, l->end[1].port);
        return;
    }
    for (int i = 0; i < 2 && l->kind == NET_LINK_PPP; i++) {
        dir[i].overhead_bytes = PPP_OVERHEAD;
        dir[i].gap_bytes = 0;
    }
    l->link = link_new(l->end[0].port, l->end[1].port, dir);
}

NetLink *net_link(Net *net, NetLinkConfig *c, char **error)
{
    NetLink *l;

    if (!check(net, c, error)) {
        drop_config(c);
        return NULL;
    }
    l = g_new0(NetLink, 1);
    l->net = net;
    l->kind = c->kind;
    l->has_subnet = c->has_subnet;
    l->subnet = c->subnet;
    if (!make_end(net, &l->end[0], &c->end[0], c->kind, &c->dir[0], error) ||
        !make_end(net, &l->end[1], &c->end[1], c->kind, &c->dir[1], error)) {
        unmake_end(&l->end[0]);
        unmake_end(&l->end[1]);
        drop_config(c);
        g_free(l);
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
    LinkDirConfig dir[2];

    if (to->node == l->end[!end].node) {
        *error = g_strdup_printf("a link joins two different nodes, not %s with itself", to->node->name);
        return false;
    }
    linkdirconfig_init(&dir[0]);
    linkdirconfig_init(&dir[1]);
    if (to->node != l->end[end].node || to->dev) { /* else: back into the same socket */
        if (!make_end(l->net, &fresh, to, l->kind, &dir[end], error)) {
            unmake_end(&fresh);
            return false;
        }
    }
    net_unplug(l);
    if (fresh.node) {
        l->end[end] = fresh;
        g_clear_pointer(&l->name, g_free);
    }
    plug(l, dir);
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
    return l->is_pulled ? NULL : l->link;
}

LinkDir *netlink_dir(const NetLink *l, unsigned from)
{
    return l->link && !l->is_pulled ? link_dir(l->link, from) : NULL;
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

void netlink_set_up(NetLink *l, bool up)
{
    if (l->link && !l->is_pulled)
        link_set_up(l->link, up);
}
