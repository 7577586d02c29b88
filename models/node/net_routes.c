/* Automatic routes: shortest paths by number of routers, from every router (and every host that could choose). A host with one router in reach
 * just gets a default route. Breadth first over routers and segments in order of creation, so ties are defined. */
#include "models/node/net_priv.h"

#define NONE UINT32_MAX

typedef struct Hop { /* how the searching host gets there */
    uint32_t via;
    Ip4If *dev;
} Hop;

typedef struct Search {
    GPtrArray *segments;
    GArray **segments_of; /* by node id: indices of the segments that a router or host touches */
    uint32_t *seen_segment, *seen_node; /* stamp of the search that saw it */
    Hop *hop;                           /* by segment */
    unsigned *queue;                    /* segments */
    uint32_t stamp;
} Search;

Ip4If *netend_if(const NetEnd *e)
{
    return e->dev->upper;
}

void netroutes_drop(Net *net)
{
    for (unsigned i = 0; i < net->auto_routes->len; i++) {
        AutoRoute *r = &g_array_index(net->auto_routes, AutoRoute, i);
        char *ignored = NULL; /* the user may have removed it */

        if (!ip4_route_remove(r->host->ip, &r->spec, &ignored))
            g_free(ignored);
    }
    g_array_set_size(net->auto_routes, 0);
}

static void add_route(Net *net, Host *h, Ipv4Prefix to, Hop hop)
{
    AutoRoute r = {h, {.prefix = to, .type = IP4_ROUTE_UNICAST, .via = hop.via, .dev = hop.dev}};
    char *error = NULL;

    if (ip4_route_add(h->ip, &r.spec, &error))
        g_array_append_val(net->auto_routes, r);
    else
        g_free(error); /* the user has a route of that prefix: it stays */
}

static bool is_router(const NetEnd *e)
{
    return e->node->kind == NET_ROUTER;
}

/* The address by which neighbours on this segment reach the router's end. */
static uint32_t gateway_addr(const NetSegment *s, const NetEnd *e)
{
    Ip4If *ifp = netend_if(e);

    for (unsigned i = 0; i < ip4_addr_count(ifp); i++)
        if (ipv4_prefix_contains(s->subnet, ip4_addr(ifp, i).addr))
            return ip4_addr(ifp, i).addr;
    return ip4_primary_addr(ifp);
}

static void search_from(Net *net, Search *q, Host *h)
{
    const GArray *own = q->segments_of[h->node.id];
    unsigned head = 0, tail = 0;

    q->stamp++;
    q->seen_node[h->node.id] = q->stamp;
    for (unsigned i = 0; own && i < own->len; i++) {
        unsigned s = g_array_index(own, unsigned, i);

        if (q->seen_segment[s] == q->stamp)
            continue;
        q->seen_segment[s] = q->stamp;
        q->hop[s] = (Hop){0, NULL};
        q->queue[tail++] = s;
    }
    while (head < tail) {
        unsigned si = q->queue[head++];
        const NetSegment *s = q->segments->pdata[si];

        for (unsigned k = 0; k < s->ends->len; k++) {
            const NetEnd *e = g_array_index(s->ends, NetEnd *, k);
            const GArray *next;
            Hop hop = q->hop[si];

            if (!is_router(e) || q->seen_node[e->node->id] == q->stamp)
                continue;
            q->seen_node[e->node->id] = q->stamp;
            if (!hop.via) { /* a router on one of our own segments: it is the first hop itself */
                hop.via = gateway_addr(s, e);
                for (unsigned j = 0; j < s->ends->len; j++) {
                    const NetEnd *mine = g_array_index(s->ends, NetEnd *, j);
                    if (mine->node == &h->node)
                        hop.dev = netend_if(mine);
                }
                if (!hop.via)
                    continue;
            }
            next = q->segments_of[e->node->id];
            for (unsigned j = 0; j < next->len; j++) {
                unsigned t = g_array_index(next, unsigned, j);

                if (q->seen_segment[t] == q->stamp)
                    continue;
                q->seen_segment[t] = q->stamp;
                q->hop[t] = hop;
                q->queue[tail++] = t;
            }
        }
    }
    for (unsigned i = 0; i < tail; i++) {
        const NetSegment *s = q->segments->pdata[q->queue[i]];

        if (q->hop[q->queue[i]].via && s->has_subnet)
            add_route(net, h, s->subnet, q->hop[q->queue[i]]);
    }
}

/* The only router in reach of a host, if there is just one. */
static bool only_router(const Search *q, const Host *h, Hop *hop, unsigned *n_routers)
{
    const GArray *own = q->segments_of[h->node.id];

    *n_routers = 0;
    for (unsigned i = 0; own && i < own->len; i++) {
        const NetSegment *s = q->segments->pdata[g_array_index(own, unsigned, i)];
        Ip4If *dev = NULL;

        for (unsigned k = 0; k < s->ends->len; k++) {
            const NetEnd *e = g_array_index(s->ends, NetEnd *, k);
            if (e->node == &h->node)
                dev = netend_if(e);
        }
        for (unsigned k = 0; k < s->ends->len; k++) {
            const NetEnd *e = g_array_index(s->ends, NetEnd *, k);

            if (is_router(e) && gateway_addr(s, e) && (*n_routers)++ == 0)
                *hop = (Hop){gateway_addr(s, e), dev};
        }
    }
    return *n_routers == 1;
}

bool netroutes_make(Net *net, GPtrArray *segments, char **error)
{
    unsigned nodes = sim_node_count(net->sim), n = segments->len;
    Search q = {.segments = segments,
                .segments_of = g_new0(GArray *, nodes + 1),
                .seen_segment = g_new0(uint32_t, n + 1),
                .seen_node = g_new0(uint32_t, nodes + 1),
                .hop = g_new0(Hop, n + 1),
                .queue = g_new(unsigned, n + 1)};

    for (unsigned i = 0; i < n; i++) {
        const NetSegment *s = segments->pdata[i];

        for (unsigned k = 0; k < s->ends->len; k++) {
            GArray **of = &q.segments_of[g_array_index(s->ends, NetEnd *, k)->node->id];
            if (!*of)
                *of = g_array_new(FALSE, FALSE, sizeof(unsigned));
            g_array_append_val(*of, i);
        }
    }
    for (unsigned i = 0; i < net->hosts->len; i++) {
        Host *h = net->hosts->pdata[i];
        unsigned routers;
        Hop hop;

        if (host_is_router(h)) {
            search_from(net, &q, h);
        } else if (only_router(&q, h, &hop, &routers)) {
            add_route(net, h, (Ipv4Prefix){0, 0}, hop);
        } else if (routers) {
            add_route(net, h, (Ipv4Prefix){0, 0}, hop); /* the first one, for what is not in this network */
            search_from(net, &q, h);
        }
    }
    for (unsigned i = 0; i < nodes; i++)
        if (q.segments_of[i])
            g_array_free(q.segments_of[i], TRUE);
    g_free(q.segments_of);
    g_free(q.seen_segment);
    g_free(q.seen_node);
    g_free(q.hop);
    g_free(q.queue);
    return true;
}
