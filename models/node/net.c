/* The network's nodes and names. Links are in net_link.c, addresses in net_assign.c, routes in net_routes.c.
 */
#include "models/node/net.h"

#include <string.h>

#include "models/node/net_priv.h"

#define NAME_MAX_LEN 63                   /* as a DNS label */
#define MAC_BASE UINT64_C(0x020000000000) /* locally administered, unicast */

Net *net_new(uint64_t seed)
{
    Net *net = g_new0(Net, 1);

    net->sim = sim_new(seed);
    net->packets = packetpool_new();
    sim_partition(net->sim, 0)->packets = net->packets;
    net->probes = probes_new(sim_partition(net->sim, 0));
    net->hosts = g_ptr_array_new();
    net->switches = g_ptr_array_new();
    net->hubs = g_ptr_array_new();
    net->links = g_ptr_array_new();
    net->auto_routes = g_array_new(FALSE, FALSE, sizeof(AutoRoute));
    net->given = g_hash_table_new(NULL, NULL);
    net->next_mac = MAC_BASE;
    net->auto_routes_on = net->auto_addresses_on = true;
    return net;
}

static void netlink_free(NetLink *l)
{
    link_free(l->link);
    g_free(l->name);
    cells_give(net_cells(l->net), l, sizeof *l);
}

void net_free(Net *net)
{
    if (!net)
        return;
    for (unsigned i = 0; i < net->links->len; i++) {
        net_unplug(net->links->pdata[i]);
        netlink_free(net->links->pdata[i]);
    }
    for (unsigned i = 0; i < net->hosts->len; i++)
        host_clear(net->hosts->pdata[i]);
    for (unsigned i = 0; i < net->switches->len; i++)
        switch_free(net->switches->pdata[i]);
    for (unsigned i = 0; i < net->hubs->len; i++)
        segment_free(net->hubs->pdata[i]);
    g_ptr_array_free(net->links, TRUE);
    g_ptr_array_free(net->hosts, TRUE);
    g_ptr_array_free(net->switches, TRUE);
    g_ptr_array_free(net->hubs, TRUE);
    g_free(net->controllers.ops);
    g_array_free(net->auto_routes, TRUE);
    g_hash_table_destroy(net->given);
    g_free(net->subnet_used);
    probes_free(net->probes);
    sim_free(net->sim);
    packetpool_free(net->packets);
    g_free(net);
}

static bool name_is_ok(const Net *net, const char *name, char **error)
{
    size_t len = strlen(name);
    uint32_t addr;

    if (len == 0 || len > NAME_MAX_LEN || strspn(name, NET_NAME_LETTERS) != len) {
        *error = g_strdup_printf("\"%s\" is not a name (expected 1 to %d letters, digits, '-', '_' or '.')",
                                 name, NAME_MAX_LEN);
        return false;
    }
    if (ipv4_addr_parse(name, &addr)) {
        *error = g_strdup_printf("\"%s\" is an address, not a name", name);
        return false;
    }
    if (sim_node_by_name(net->sim, name) || strcmp(name, "localhost") == 0) {
        *error = g_strdup_printf("the name \"%s\" is taken already", name);
        return false;
    }
    return true;
}

static Host *add_host(Net *net, const char *name, uint16_t kind, char **error)
{
    Host *h;

    if (!name_is_ok(net, name, error))
        return NULL;
    h = cells_take(net_cells(net), sizeof *h);
    node_init(&h->node, net->sim, name);
    h->node.kind = kind;
    h->net = net;
    h->ip = ip4_new(&h->node, net->packets);
    ip4_on_unknown_proto(h->ip, host_make_proto);
    if (kind == NET_ROUTER)
        ip4_sysctl(h->ip)->ip_forward = true;
    g_ptr_array_add(net->hosts, h);
    return h;
}

Host *net_host(Net *net, const char *name, char **error)
{
    return add_host(net, name, NET_HOST, error);
}

Host *net_router(Net *net, const char *name, char **error)
{
    return add_host(net, name, NET_ROUTER, error);
}

Switch *net_switch(Net *net, const char *name, char **error)
{
    Switch *sw;

    if (!name_is_ok(net, name, error))
        return NULL;
    sw = switch_new(net->sim, name, netlink_next_mac(net), net->probes);
    sw->node.kind = NET_SWITCH;
    g_ptr_array_add(net->switches, sw);
    return sw;
}

Node *net_hub(Net *net, const char *name, const SegmentConfig *config, char **error)
{
    SegmentConfig standard;
    Segment *hub;

    if (!name_is_ok(net, name, error))
        return NULL;
    segmentconfig_init(&standard);
    hub = segment_new(net->sim, name, config ? config : &standard, error);
    if (!hub)
        return NULL;
    segment_node(hub)->kind = NET_HUB;
    g_ptr_array_add(net->hubs, hub);
    return segment_node(hub);
}

Segment *net_segment_of(const Net *net, const Node *n)
{
    for (unsigned i = 0; i < net->hubs->len; i++)
        if (segment_node(net->hubs->pdata[i]) == n)
            return net->hubs->pdata[i];
    return NULL;
}

const char *net_kind_name(const Node *n)
{
    switch (n->kind) {
    case NET_HOST:
        return "host";
    case NET_ROUTER:
        return "router";
    case NET_SWITCH:
        return "switch";
    case NET_HUB:
        return "hub";
    default:
        return "";
    }
}

Host *host_of_node(Node *n)
{
    return n && (n->kind == NET_HOST || n->kind == NET_ROUTER) ? HS_CONTAINER_OF(n, Host, node) : NULL;
}

Switch *switch_of_node(Node *n)
{
    return n && n->kind == NET_SWITCH ? (Switch *)n : NULL;
}

Host *net_host_by_name(const Net *net, const char *name)
{
    return host_of_node(sim_node_by_name(net->sim, name));
}

unsigned net_host_count(const Net *net)
{
    return net->hosts->len;
}

Host *net_host_at(const Net *net, unsigned i)
{
    return net->hosts->pdata[i];
}

Sim *net_sim(const Net *net)
{
    return net->sim;
}

PacketPool *net_packets(const Net *net)
{
    return net->packets;
}

void net_add_controller(Net *net, const CcOps *ops)
{
    CcSet *set = &net->controllers;

    set->ops = g_renew(const CcOps *, set->ops, set->n + 1);
    set->ops[set->n++] = ops;
}

const CcSet *net_controllers(const Net *net)
{
    return &net->controllers;
}

Probes *net_probes(const Net *net)
{
    return net->probes;
}

void net_set_auto_routes(Net *net, bool on)
{
    net->auto_routes_on = on;
}

void net_set_auto_addresses(Net *net, bool on)
{
    net->auto_addresses_on = on;
}

bool net_prepare(Net *net, char **error)
{
    unsigned *of_link;
    GPtrArray *segments = netassign_segments(net, &of_link);
    bool ok = true;

    net->is_prepared = true;
    if (net->auto_addresses_on)
        ok = netassign_addresses(net, segments, error);
    for (unsigned i = 0; ok && i < net->links->len; i++) {
        NetLink *l = net->links->pdata[i];
        const NetSegment *s = segments->pdata[of_link[i]];

        l->subnet = s->subnet;
        l->has_subnet = s->has_subnet;
    }
    if (ok && net->auto_routes_on) {
        netroutes_drop(net);
        ok = netroutes_make(net, segments, error);
    }
    netassign_free_segments(segments, of_link);
    return ok;
}

/* ---- names ---- */

bool net_resolve(const Net *net, const Host *host, const char *name, uint32_t *addr)
{
    const char *colon;
    char *host_name;
    Host *h;
    Ip4If *ifp;

    if (ipv4_addr_parse(name, addr))
        return true;
    if (strcmp(name, "localhost") == 0) {
        *addr = IPV4_LOOPBACK;
        return true;
    }
    colon = strchr(name, ':');
    if (!colon) {
        h = net_host_by_name(net, name);
        if (!h || !host_addr(h))
            return false;
        *addr = host_addr(h);
        return true;
    }
    host_name = g_strndup(name, (gsize)(colon - name));
    h = net_host_by_name(net, host_name);
    g_free(host_name);
    ifp = h ? ip4_if_by_name(h->ip, colon + 1) : NULL;
    if (!ifp || !ip4_primary_addr(ifp))
        return false;
    *addr = ip4_primary_addr(ifp);
    return true;
}

const char *net_name_of(const Net *net, uint32_t addr)
{
    for (unsigned i = 0; i < net->hosts->len; i++) {
        const Host *h = net->hosts->pdata[i];

        if (!ipv4_addr_is_loopback(addr) && ip4_is_local(h->ip, addr))
            return h->node.name;
    }
    return NULL;
}
