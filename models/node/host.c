/* Hosts and routers: what belongs to one, its counters, its power switch. Sysctls are in host_sysctl.c. */
#include <string.h>

#include "models/ether/ppp.h"
#include "models/node/net_priv.h"

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
    if (!h->udp)
        h->udp = udp_new(h->ip);
    return h->udp;
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

void host_clear(Host *h)
{
    unsigned n = ip4_if_count(h->ip);
    NetDev **devs = g_new(NetDev *, n + 1);

    for (unsigned i = 1; i < n; i++) /* the loopback is the Ip4's own */
        devs[i] = ip4_if_dev(ip4_if(h->ip, i));
    udp_free(h->udp);
    icmp4_free(h->icmp);
    ip4_free(h->ip);
    for (unsigned i = 1; i < n; i++)
        host_free_dev(devs[i]);
    g_free(devs);
    if (h->power_hooks)
        g_array_free(h->power_hooks, TRUE);
    node_clear(&h->node);
    g_free(h);
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

void host_set_power(Host *h, bool on)
{
    if (h->off == !on)
        return;
    h->off = !on;
    for (unsigned i = 0; h->power_hooks && i < h->power_hooks->len; i++) {
        const PowerHook *hook = &g_array_index(h->power_hooks, PowerHook, i);
        hook->fn(hook->user, on);
    }
    if (!on) {
        udp_free(h->udp);
        icmp4_free(h->icmp);
        h->udp = NULL;
        h->icmp = NULL;
        ip4_reset(h->ip);
    }
    for (unsigned i = 0; i < host_dev_count(h); i++) {
        NetDev *d = host_dev_at(h, i);

        if (d->ops->set_up)
            d->ops->set_up(d, on);
    }
}

bool host_is_on(const Host *h)
{
    return !h->off;
}

void host_on_power(Host *h, void (*fn)(void *user, bool on), void *user)
{
    PowerHook hook = {fn, user};

    if (!h->power_hooks)
        h->power_hooks = g_array_new(FALSE, FALSE, sizeof(PowerHook));
    g_array_append_val(h->power_hooks, hook);
}
