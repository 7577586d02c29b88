/* What a network costs in memory, by kind of thing (--stats, bench size). */
#include "models/ether/neigh.h"
#include "models/ether/ppp.h"
#include "models/node/net_priv.h"

static size_t dev_bytes(const NetDev *dev)
{
    if (!dev)
        return 0; /* a switch's port is counted with the switch */
    return dev->flags & NETDEV_POINTOPOINT ? sizeof(Ppp) : nic_bytes((const Nic *)dev);
}

void net_sizes(const Net *net, NetSizes *out)
{
    *out = (NetSizes){.hosts = net->hosts->len, .switches = net->switches->len};
    for (unsigned i = 0; i < net->hosts->len; i++) {
        const Host *h = net->hosts->pdata[i];

        out->host_bytes += sizeof *h + ip4_bytes(h->ip) - ip4_route_bytes(h->ip);
        uint64_t n_conns;

        out->tcp_bytes += tcp_bytes(h->tcp, &n_conns);
        out->tcp_conns += n_conns;
        out->routes += ip4_route_count(h->ip);
        out->route_bytes += ip4_route_bytes(h->ip);
        for (unsigned k = 1; k < ip4_if_count(h->ip); k++) { /* not the loopback: it is made when asked for */
            NeighStats st;

            if (!ip4_if_has_neighbours(ip4_if(h->ip, k)))
                continue;
            neightable_stats(ip4_if_neighbours(ip4_if(h->ip, k)), &st);
            out->neighbours += st.entries;
            out->neighbour_bytes += st.bytes;
            out->host_bytes -= st.bytes;
        }
    }
    out->tcp_bytes += poolset_bytes(&sim_partition(net->sim, 0)->pools, "tcp.");
    for (unsigned i = 0; i < net->switches->len; i++)
        out->switch_bytes += switch_bytes(net->switches->pdata[i]);
    for (unsigned i = 0; i < net->links->len; i++) {
        const NetLink *l = net->links->pdata[i];

        out->links++;
        out->link_bytes += sizeof *l + (l->link ? link_bytes(l->link) : 0);
        for (int e = 0; e < 2; e++)
            out->link_bytes += dev_bytes(l->end[e].dev);
    }
}
