/* Hosts and routers: what belongs to one, its counters, its power switch. Sysctls are in host_sysctl.c. */
#include <string.h>

#include "models/ether/nic_vlan.h"
#include "models/ether/ppp.h"
#include "models/node/net_priv.h"
#include "models/udp/udp6.h"
#include "models/wire/vlan.h"

Node *host_node(const Host *h)
{
    return (Node *)&h->node;
}

Net *host_net(const Host *h)
{
    return h->net;
}

bool host_is_router(const Host *h)
{
    return h->node.kind == NET_ROUTER;
}

Ip4 *host_ip4(Host *h)
{
    return h->ip;
}

Icmp4 *host_icmp4(Host *h)
{
    if (!h->icmp)
        h->icmp = icmp4_new(h->ip);
    return h->icmp;
}

Udp *host_udp(Host *h)
{
    if (!h->udp) {
        h->udp = udp_new(h->ip);
        udp_set_ip6(h->udp, h->extra ? h->extra->ip6 : NULL);
    }
    return h->udp;
}

Tcp *host_tcp(Host *h)
{
    if (!h->tcp) {
        h->tcp = tcp_new(h->ip, host_has_ip6(h) ? h->extra->ip6 : NULL);
        if (h->extra && h->extra->tcp_sysctl)
            *tcp_sysctl(h->tcp) = *h->extra->tcp_sysctl;
        tcp_set_controllers(h->tcp, &h->net->controllers);
    }
    return h->tcp;
}

bool host_has_tcp(const Host *h)
{
    return h->tcp != NULL;
}

const TcpSysctl *host_tcp_sysctl_get(const Host *h)
{
    if (h->tcp)
        return tcp_sysctl_get(h->tcp);
    return h->extra && h->extra->tcp_sysctl ? h->extra->tcp_sysctl : &tcp_sysctl_default;
}

TcpSysctl *host_tcp_sysctl(Host *h)
{
    HostExtra *extra;

    if (h->tcp)
        return tcp_sysctl(h->tcp);
    extra = host_extra(h);
    if (!extra->tcp_sysctl) {
        extra->tcp_sysctl = g_new(TcpSysctl, 1);
        tcp_sysctl_defaults(extra->tcp_sysctl);
    }
    return extra->tcp_sysctl;
}

/* An idle host is small: its protocols are made when somebody asks for them. */
void host_make_proto(Ip4 *ip, uint8_t proto)
{
    Host *h = host_of_node(ip4_node(ip));

    if (h->off)
        return;
    switch (proto) {
    case IP_PROTO_ICMP:
        host_icmp4(h);
        break;
    case IP_PROTO_UDP:
        host_udp(h);
        break;
    case IP_PROTO_TCP:
        host_tcp(h);
        break;
    default:
        break;
    }
}

Ip6 *host_ip6(Host *h)
{
    if (!host_extra(h)->ip6) {
        h->extra->ip6 = ip6_new(h->ip);
        if (h->tcp)
            tcp_set_ip6(h->tcp, h->extra->ip6);
        udp_set_ip6(host_udp(h), h->extra->ip6);
    }
    return h->extra->ip6;
}

bool host_has_ip6(const Host *h)
{
    return h->extra && h->extra->ip6;
}

uint32_t host_addr(Host *h)
{
    for (unsigned i = 1; i < ip4_if_count(h->ip); i++) {
        Ip4If *ifp = ip4_if(h->ip, i);

        if (ip4_primary_addr(ifp))
            return ip4_primary_addr(ifp);
    }
    return 0;
}

NetDev *host_dev(Host *h, const char *name)
{
    Ip4If *ifp = ip4_if_by_name(h->ip, name);

    return ifp ? ip4_if_dev(ifp) : NULL;
}

unsigned host_dev_count(const Host *h)
{
    return ip4_if_count(h->ip);
}

NetDev *host_dev_at(const Host *h, unsigned i)
{
    return ip4_if_dev(ip4_if(h->ip, i));
}

void host_free_dev(NetDev *dev)
{
    if (dev->flags & NETDEV_POINTOPOINT)
        ppp_free(HS_CONTAINER_OF(dev, Ppp, dev));
    else
        nic_free(HS_CONTAINER_OF(dev, Nic, dev));
}

static bool is_card(NetDev *dev)
{
    return dev->point && !(dev->flags & NETDEV_POINTOPOINT) && dev->point == &nic_of_dev(dev)->port.point;
}

NetDev *host_add_vlan(Host *h, NetDev *dev, unsigned vid, char **error)
{
    char *name;
    NicVlan *v = NULL;

    if (!is_card(dev)) {
        *error = g_strdup_printf("interface \"%s\" is no Ethernet card: it cannot carry VLANs", dev->name);
        return NULL;
    }
    if (vid == 0 || vid > VLAN_VID_MAX) {
        *error = g_strdup_printf("VLAN %u is not possible (expected 1 to %d)", vid, VLAN_VID_MAX);
        return NULL;
    }
    name = g_strdup_printf("%s.%u", dev->name, vid);
    if (!ip4_if_by_name(h->ip, name))
        v = nic_vlan_new(nic_of_dev(dev), (uint16_t)vid, name);
    if (!v)
        *error = g_strdup_printf("%s has an interface \"%s\" already", h->node.name, name);
    g_free(name);
    if (!v)
        return NULL;
    host_init_if(h, ip4_add_dev(h->ip, &v->dev));
    if (h->off)
        v->dev.ops->set_up(&v->dev, false);
    return &v->dev;
}

/* VLANs are their card's, the loopback is the Ip4's own. */
static bool is_our_dev(NetDev *dev)
{
    return dev->flags & NETDEV_POINTOPOINT || dev->point == &HS_CONTAINER_OF(dev, Nic, dev)->port.point;
}

HostExtra *host_extra(Host *h)
{
    if (!h->extra)
        h->extra = g_new0(HostExtra, 1);
    return h->extra;
}

void host_clear(Host *h)
{
    unsigned n = 0;
    NetDev **devs = g_new(NetDev *, ip4_if_count(h->ip));

    for (unsigned i = 1; i < ip4_if_count(h->ip); i++)
        if (is_our_dev(ip4_if_dev(ip4_if(h->ip, i))))
            devs[n++] = ip4_if_dev(ip4_if(h->ip, i));
    ip4_on_unknown_proto(h->ip, NULL);
    sockhost_free(h->extra ? h->extra->sock : NULL);
    tcp_free(h->tcp);
    udp_free(h->udp);
    icmp4_free(h->icmp);
    ip6_free(h->extra ? h->extra->ip6 : NULL);
    ip4_free(h->ip);
    for (unsigned i = 0; i < n; i++)
        host_free_dev(devs[i]);
    g_free(devs);
    if (h->extra && h->extra->power_hooks)
        g_array_free(h->extra->power_hooks, TRUE);
    g_free(host_neigh_default(h));
    g_free(h->extra ? h->extra->arp_default : NULL);
    g_free(h->extra ? h->extra->tcp_sysctl : NULL);
    g_free(h->extra);
    node_clear(&h->node);
    cells_give(net_cells(h->net), h, sizeof *h);
}

/* ---- counters ---- */

void host_foreach_counter(Host *h, void (*fn)(const char *name, uint64_t value, void *user), void *user)
{
    for (unsigned i = 0; i < IP4_MIB_COUNT; i++)
        fn(ip4_mib_name(i), ip4_mib(h->ip, i), user);
    for (unsigned i = 0; i < ICMP4_MIB_COUNT; i++)
        fn(icmp4_mib_name(i), h->icmp ? icmp4_mib(h->icmp, i) : 0, user);
    for (unsigned i = 0; i < UDP_MIB_COUNT; i++)
        fn(udp_mib_name(i), h->udp ? udp_mib(h->udp, i) : 0, user);
    for (unsigned i = 0; i < TCP_MIB_COUNT; i++)
        fn(tcp_mib_name(i), h->tcp ? tcp_mib(h->tcp, i) : 0, user);
    for (unsigned i = 0; i < IP6_MIB_COUNT; i++)
        fn(ip6_mib_name(i), host_has_ip6(h) ? ip6_mib(h->extra->ip6, i) : 0, user);
}

typedef struct Find {
    const char *name;
    uint64_t value;
    bool found;
} Find;

static void find_counter(const char *name, uint64_t value, void *user)
{
    Find *f = user;

    if (!f->found && strcmp(name, f->name) == 0) {
        f->value = value;
        f->found = true;
    }
}

bool host_counter(Host *h, const char *name, uint64_t *value)
{
    Find f = {name, 0, false};

    host_foreach_counter(h, find_counter, &f);
    if (f.found)
        *value = f.value;
    return f.found;
}

/* ---- power ---- */

static void tell_hooks(Host *h)
{
    GArray *hooks = h->extra ? h->extra->power_hooks : NULL;

    for (unsigned i = 0; hooks && i < hooks->len; i++) {
        PowerHook hook = g_array_index(hooks, PowerHook, i); /* it may add others */

        hook.fn(hook.user, !h->off);
    }
}

static void set_devices(Host *h, bool up)
{
    for (unsigned i = 1; i < host_dev_count(h); i++) {
        NetDev *d = host_dev_at(h, i);

        if (d->ops->set_up)
            d->ops->set_up(d, up);
    }
    for (unsigned i = 0; i < h->net->links->len; i++) {
        NetLink *l = h->net->links->pdata[i];

        if (l->end[0].node == &h->node || l->end[1].node == &h->node)
            netlink_update_carrier(l);
    }
}

/* Processes end before what they use is gone, and begin when it is there. */
void host_set_power(Host *h, bool on)
{
    if (h->off == !on)
        return;
    h->off = !on;
    if (on) {
        set_devices(h, true);
        if (host_has_ip6(h))
            host_udp(h);
        tell_hooks(h);
        return;
    }
    tell_hooks(h);
    if (h->tcp) { /* settings are in files, they come back */
        TcpSysctl keep = *tcp_sysctl_get(h->tcp);

        tcp_free(h->tcp);
        h->tcp = NULL;
        *host_tcp_sysctl(h) = keep;
    }
    ip4_set_proto(h->ip, IP_PROTO_TCP, NULL);
    udp_free(h->udp);
    icmp4_free(h->icmp);
    ip4_set_proto(h->ip, IP_PROTO_UDP, NULL);
    ip4_set_proto(h->ip, IP_PROTO_ICMP, NULL);
    h->udp = NULL;
    h->icmp = NULL;
    set_devices(h, false);
    ip4_reset(h->ip);
    if (host_has_ip6(h))
        ip6_reset(h->extra->ip6);
}

bool host_is_on(const Host *h)
{
    return !h->off;
}

void host_on_power(Host *h, void (*fn)(void *user, bool on), void *user)
{
    PowerHook hook = {fn, user};

    if (!host_extra(h)->power_hooks)
        h->extra->power_hooks = g_array_new(FALSE, FALSE, sizeof(PowerHook));
    g_array_append_val(h->extra->power_hooks, hook);
}
