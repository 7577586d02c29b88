#include "lab/run/plot_net.h"

#include <string.h>

#include "models/wire/ipv4_addr.h"

static const char *kind_of(void *user, const Node *node)
{
    Host *host = host_of_node((Node *)node);

    return !host ? "switch" : host_is_router(host) ? "router" : "host";
}

static const char *name_of(void *user, const char *addr)
{
    Net *net = scenario_net(user);
    uint32_t wanted;

    if (!ipv4_addr_parse(addr, &wanted))
        return NULL;
    for (unsigned i = 0; i < net_link_count(net); i++) {
        NetLink *l = net_link_at(net, i);

        for (unsigned end = 0; end < 2; end++) {
            const NetDev *dev = netlink_dev(l, end);
            const Ip4If *ifp = dev ? dev->upper : NULL;

            for (unsigned a = 0; ifp && a < ip4_addr_count(ifp); a++)
                if (ip4_addr(ifp, a).addr == wanted)
                    return netlink_node(l, end)->name;
        }
    }
    return NULL;
}

void plotnet_fill(PlotSinkConfig *config, Scenario *s)
{
    config->kind_of = kind_of;
    config->name_of = name_of;
    config->user = s;
}

void plotnet_add_notes(PlotSink *sink, const Scenario *s)
{
    for (unsigned i = 0; i < scenario_plot_note_count(s); i++) {
        SimTime time;
        const char *text = scenario_plot_note(s, i, &time);

        plotsink_add_note(sink, time, text);
    }
    for (unsigned i = 0; i < scenario_plot_level_count(s); i++) {
        const char *what;
        double value;
        const char *text = scenario_plot_level(s, i, &what, &value);

        for (unsigned k = 0; k < PLOT_WHATS; k++)
            if (!strcmp(plot_whats[k].name, what))
                plotsink_add_level(sink, (PlotWhat)k, value, text);
    }
}
