/* Automatic routes: shortest paths by number of routers, from every router (and every host that could
 * choose). A host with one router in reach just gets a default route.
 *
 * Breadth first over routers. Those next to the searcher come in order of creation, and each of them is the
 * first hop of all that it finds: so among paths of one length the first hop that was made first wins. */
#include <stdlib.h>

#include "models/node/net_priv.h"

typedef struct Hop { /* how the searching host gets there */
    uint32_t via;
    Ip4If *dev;
} Hop;

typedef struct Found { /* a router, and how the searching host gets there */
    const Node *node;
    Hop hop;
} Found;

typedef struct Indices { /* of segments */
    unsigned *at, len;
} Indices;

typedef struct Search {
    GPtrArray *segments;
    Indices *segments_of;               /* by node id: those that a router or host touches */
    uint32_t *seen_segment, *seen_node; /* stamp of the search that saw it */
    Found *queue;                       /* routers */
    unsigned n_queue;
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

/* The host's own end on the segment: the first that can speak there. */
static Ip4If *own_end(const NetSegment *s, const Host *h)
{
    Ip4If *found = NULL;

    for (unsigned i = 0; i < s->n_ends; i++) {
        const NetEnd *e = s->ends[i];

        if (e->node != &h->node)
            continue;
        if (ip4_addr_count(netend_if(e)))
            return netend_if(e);
        found = found ? found : netend_if(e);
    }
    return found;
}

static int by_creation(const void *a, const void *b)
{
    const Found *x = a, *y = b;

    return (x->node->id > y->node->id) - (x->node->id < y->node->id);
}

static void find(Search *q, const Node *router, Hop hop)
{
    q->seen_node[router->id] = q->stamp;
    q->queue[q->n_queue++] = (Found){router, hop};
}

/* The routers on the host's own segments, in order of creation. */
static void find_neighbours(Search *q, const Host *h)
{
    const Indices *own = &q->segments_of[h->node.id];

    q->stamp++;
    q->n_queue = 0;
    q->seen_node[h->node.id] = q->stamp;
    for (unsigned i = 0; i < own->len; i++) {
        unsigned si = own->at[i];
        const NetSegment *s = q->segments->pdata[si];

        q->seen_segment[si] = q->stamp;
        for (unsigned k = 0; k < s->n_ends; k++) {
            const NetEnd *e = s->ends[k];
            uint32_t via = is_router(e) ? gateway_addr(s, e) : 0;

            if (via && q->seen_node[e->node->id] != q->stamp)
                find(q, e->node, (Hop){via, own_end(s, h)});
        }
    }
    qsort(q->queue, q->n_queue, sizeof *q->queue, by_creation); /* tidy-allow: qsort (each is there once) */
}

/* Everything else, beginning with what find_neighbours found. */
static void search_on(Net *net, Search *q, Host *h)
{
    for (unsigned head = 0; head < q->n_queue; head++) {
        const Found f = q->queue[head];
        const Indices *of = &q->segments_of[f.node->id];

        for (unsigned i = 0; i < of->len; i++) {
            unsigned si = of->at[i];
            const NetSegment *s = q->segments->pdata[si];

            if (q->seen_segment[si] == q->stamp)
                continue;
            q->seen_segment[si] = q->stamp;
            if (s->has_subnet)
                add_route(net, h, s->subnet, f.hop);
            for (unsigned k = 0; k < s->n_ends; k++) {
                const NetEnd *e = s->ends[k];

                if (is_router(e) && q->seen_node[e->node->id] != q->stamp)
                    find(q, e->node, f.hop);
            }
        }
    }
}

bool netroutes_make(Net *net, GPtrArray *segments, char **error)
{
    unsigned nodes = sim_node_count(net->sim), n = segments->len;
    Search q = {.segments = segments,
                .segments_of = g_new0(Indices, nodes + 1),
                .seen_segment = g_new0(uint32_t, n + 1),
                .seen_node = g_new0(uint32_t, nodes + 1),
                .queue = g_new(Found, nodes + 1)};

    for (unsigned i = 0; i < n; i++) {
        const NetSegment *s = segments->pdata[i];

        for (unsigned k = 0; k < s->n_ends; k++) {
            Indices *of = &q.segments_of[s->ends[k]->node->id];

            if ((of->len & (of->len - 1)) == 0) /* room for the next power of two */
                of->at = g_renew(unsigned, of->at, of->len ? 2 * of->len : 1);
            of->at[of->len++] = i;
        }
    }
    for (unsigned i = 0; i < net->hosts->len; i++) {
        Host *h = net->hosts->pdata[i];

        find_neighbours(&q, h);
        if (!host_is_router(h) && q.n_queue) /* also for what is not in this network */
            add_route(net, h, (Ipv4Prefix){0, 0}, q.queue[0].hop);
        if (host_is_router(h) || q.n_queue > 1)
            search_on(net, &q, h);
    }
    for (unsigned i = 0; i < nodes; i++)
        g_free(q.segments_of[i].at);
    g_free(q.segments_of);
    g_free(q.seen_segment);
    g_free(q.seen_node);
    g_free(q.queue);
    return true;
}
