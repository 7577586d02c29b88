#include "lab/run/story_net.h"

#include <glib.h>

struct StoryNet {
    Scenario *scenario;
    GHashTable *link_of; /* ProbePoint -> NetLink; look-up only */
    unsigned n_links;    /* that are in it */
};

StoryNet *storynet_new(Scenario *s)
{
    StoryNet *n = g_new0(StoryNet, 1);

    n->scenario = s;
    n->link_of = g_hash_table_new(NULL, NULL);
    return n;
}

void storynet_free(StoryNet *n)
{
    if (!n)
        return;
    g_hash_table_destroy(n->link_of);
    g_free(n);
}

const char *storynet_kind_of(void *user, const Node *node)
{
    (void)user;
    return net_kind_name(node);
}

static void learn(StoryNet *n)
{
    Net *net = scenario_net(n->scenario);

    for (; n->n_links < net_link_count(net); n->n_links++) {
        NetLink *l = net_link_at(net, n->n_links);

        for (unsigned end = 0; end < 2; end++)
            if (netlink_point(l, end))
                g_hash_table_insert(n->link_of, (gpointer)netlink_point(l, end), l);
    }
}

/* A cable may have been moved since it was learnt. */
static bool is_still_at(const NetLink *l, const ProbePoint *point)
{
    return l && (netlink_point(l, 0) == point || netlink_point(l, 1) == point);
}

static const NetLink *link_at(StoryNet *n, const ProbePoint *point)
{
    const NetLink *l;

    learn(n);
    l = g_hash_table_lookup(n->link_of, point);
    if (!is_still_at(l, point)) {
        g_hash_table_remove_all(n->link_of);
        n->n_links = 0;
        learn(n);
        l = g_hash_table_lookup(n->link_of, point);
    }
    return is_still_at(l, point) ? l : NULL;
}

const char *storynet_link_of(void *user, const ProbePoint *point)
{
    const NetLink *l = link_at(user, point);

    return l && netlink_link(l) ? netlink_name(l) : NULL;
}

const Node *storynet_far_of(void *user, const ProbePoint *point)
{
    const NetLink *l = link_at(user, point);

    return l && netlink_link(l) ? netlink_node(l, netlink_point(l, 0) == point) : NULL;
}

uint64_t storynet_cookies_of(void *user, const Node *node)
{
    const StoryNet *n = user;
    Host *h = net_host_by_name(scenario_net(n->scenario), node->name);
    uint64_t sent = 0;

    return h && host_counter(h, "TcpExtSyncookiesSent", &sent) ? sent : 0;
}

void storynet_fill(StoryNet *n, StoryConfig *config)
{
    config->kind_of = storynet_kind_of;
    config->link_of = storynet_link_of;
    config->far_of = storynet_far_of;
    config->cookies_of = storynet_cookies_of;
    config->user = n;
}
