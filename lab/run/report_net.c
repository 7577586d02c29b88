#include "lab/run/report_net.h"

#include "lab/run/story_net.h"

void report_net_init(ReportNet *n, Scenario *s)
{
    *n = (ReportNet){.net = scenario_net(s),
                     .links = g_array_new(FALSE, FALSE, sizeof(ReportLink)),
                     .addresses = g_array_new(FALSE, FALSE, sizeof(ReportAddress)),
                     .expects = g_array_new(FALSE, FALSE, sizeof(ReportExpect)),
                     .words = g_array_new(FALSE, FALSE, sizeof(ReportWord)),
                     .params = g_array_new(FALSE, FALSE, sizeof(ReportParam))};
}

void report_net_clear(ReportNet *n)
{
    if (!n->net)
        return;
    for (guint i = 0; i < n->addresses->len; i++)
        g_free((char *)g_array_index(n->addresses, ReportAddress, i).text);
    g_array_free(n->links, TRUE);
    g_array_free(n->addresses, TRUE);
    g_array_free(n->expects, TRUE);
    g_array_free(n->words, TRUE);
    g_array_free(n->params, TRUE);
}

static void add_link(ReportNet *n, const NetLink *l)
{
    ReportLink out = {.name = netlink_name(l)};

    for (unsigned end = 0; end < 2; end++) {
        const LinkDir *dir = netlink_dir(l, end);
        const Node *node = netlink_node(l, end);

        if (!node)
            return;
        out.end[end] = node->name;
        out.kind[end] = storynet_kind_of(NULL, node);
        out.rate_bps[end] = dir ? linkdir_rate(dir) : 0;
        out.delay[end] = dir ? linkdir_delay(dir) : 0;
    }
    g_array_append_val(n->links, out);
}

static void add_addresses(ReportNet *n, Host *h)
{
    for (unsigned i = 0; i < host_dev_count(h); i++) {
        const NetDev *dev = host_dev_at(h, i);
        const Ip4If *ifp = dev->upper;
        unsigned count = ifp && g_strcmp0(dev->name, "lo") ? ip4_addr_count(ifp) : 0;

        for (unsigned a = 0; a < count; a++) {
            Ipv4Prefix p = ip4_addr(ifp, a);
            char text[IPV4_ADDR_STR_LEN];
            ReportAddress out = {host_node(h)->name, dev->name, NULL};

            out.text = g_strdup_printf("%s/%u", ipv4_addr_format(p.addr, text), p.len);
            g_array_append_val(n->addresses, out);
        }
    }
}

void report_net_tell(ReportNet *n, Scenario *s, ReportConfig *out)
{
    for (unsigned i = 0; i < net_link_count(n->net); i++)
        add_link(n, net_link_at(n->net, i));
    for (unsigned i = 0; i < net_host_count(n->net); i++)
        add_addresses(n, net_host_at(n->net, i));
    for (unsigned i = 0; i < scenario_expect_count(s); i++) {
        ScenarioExpect e;

        scenario_expect(s, i, &e);
        g_array_append_val(n->expects, ((ReportExpect){e.name, e.ok, e.detail}));
    }
    for (unsigned i = 0; i < scenario_word_count(s); i++) {
        ReportWord w;

        scenario_word(s, i, &w.en, &w.zh);
        g_array_append_val(n->words, w);
    }
    for (unsigned i = 0; i < scenario_param_count(s); i++) {
        ScenarioParam p;

        scenario_param(s, i, &p);
        g_array_append_val(n->params, ((ReportParam){p.name, p.value}));
    }
    out->seed = scenario_seed(s);
    out->link = (const ReportLink *)n->links->data;
    out->n_links = n->links->len;
    out->address = (const ReportAddress *)n->addresses->data;
    out->n_addresses = n->addresses->len;
    out->expect = (const ReportExpect *)n->expects->data;
    out->n_expects = n->expects->len;
    out->word = (const ReportWord *)n->words->data;
    out->n_words = n->words->len;
    out->param = (const ReportParam *)n->params->data;
    out->n_params = n->params->len;
}
