#include "lab/run/outputs_captures.h"

#include <inttypes.h>
#include <string.h>

#include "lab/run/keep.h"
#include "sim/base/suggest.h"
#include "sim/trace/eventlog.h"
#include "sim/trace/pcapng.h"
#include "sim/trace/sink_pcapng.h"

struct OutputsCaptures {
    const OutputsConfig *config;
    Scenario *scenario;
    Probes *probes;
    const char *comment;
    OutHold *hold;
    GPtrArray *sinks;    /* SinkPcapng */
    unsigned n_wishes;   /* of the scenario, that were looked at */
    GHashTable *link_of; /* ProbePoint -> NetLink; look-up only */
    unsigned n_links;    /* that are in it */
    GArray *names;       /* PcapngName */
};

/* ---- what captures say about interfaces ---- */

static void learn_links(OutputsCaptures *c)
{
    Net *net = scenario_net(c->scenario);

    for (; c->n_links < net_link_count(net); c->n_links++) {
        NetLink *l = net_link_at(net, c->n_links);

        for (unsigned end = 0; end < 2; end++)
            if (netlink_point(l, end))
                g_hash_table_insert(c->link_of, (gpointer)netlink_point(l, end), l);
    }
}

static void add_addresses(const NetDev *dev, SinkPcapngPoint *out)
{
    const Ip4If *ifp = dev->upper;
    unsigned n = ifp ? HS_MIN(ip4_addr_count(ifp), sizeof(out->ipv4) / 8) : 0;

    for (unsigned i = 0; i < n; i++) {
        Ipv4Prefix p = ip4_addr(ifp, i);

        wire_put32(out->ipv4 + 8 * i, p.addr);
        wire_put32(out->ipv4 + 8 * i + 4, p.len ? UINT32_MAX << (32 - p.len) : 0);
    }
    out->n_ipv4 = n;
}

static void describe_point(void *user, const ProbePoint *point, SinkPcapngPoint *out)
{
    OutputsCaptures *c = user;
    const NetLink *l;
    unsigned end;
    const LinkDir *dir;

    learn_links(c);
    l = g_hash_table_lookup(c->link_of, point);
    if (!l)
        return;
    end = netlink_point(l, 1) == point;
    dir = netlink_dir(l, end);
    out->link = out->description = netlink_name(l);
    out->speed_bps = dir ? linkdir_rate(dir) : 0;
    if (netlink_dev(l, end))
        add_addresses(netlink_dev(l, end), out);
}

static void learn_names(OutputsCaptures *c)
{
    Net *net = scenario_net(c->scenario);

    for (unsigned i = 0; i < net_link_count(net); i++) {
        NetLink *l = net_link_at(net, i);

        for (unsigned end = 0; end < 2; end++) {
            SinkPcapngPoint info = {0};

            if (netlink_dev(l, end))
                add_addresses(netlink_dev(l, end), &info);
            for (unsigned a = 0; a < info.n_ipv4; a++) {
                PcapngName name = {.name = netlink_node(l, end)->name};

                memcpy(name.address, info.ipv4 + 8 * a, 4);
                g_array_append_val(c->names, name);
            }
        }
    }
}

/* ---- captures ---- */

static void add(OutputsCaptures *c, const SinkPcapngConfig *config)
{
    g_ptr_array_add(c->sinks, sink_pcapng_new(c->probes, config, NULL)); /* early: nothing is opened yet */
}

static SinkPcapngConfig common(OutputsCaptures *c)
{
    return (SinkPcapngConfig){
        .comment = c->comment, .is_early = true, .hold = c->hold, .describe = describe_point, .user = c};
}

static void add_asked(OutputsCaptures *c)
{
    const OutputsConfig *config = c->config;
    SinkPcapngConfig p = common(c);
    g_autoptr(GPtrArray) patterns = g_ptr_array_new();
    g_autofree char *path =
        outputs_path(config->out_dir, config->scenario,
                     config->pcap_compress ? "pcapng" PCAPNG_WRITER_PACKED_SUFFIX : "pcapng");
    bool all = false;

    for (unsigned i = 0; i < config->pcap->len; i++) {
        const char *pattern = config->pcap->pdata[i];

        all |= !*pattern;
        g_ptr_array_add(patterns, (void *)pattern);
    }
    g_ptr_array_add(patterns, NULL);
    p.path = config->pcap_per_interface ? config->out_dir : path;
    p.per_interface = config->pcap_per_interface;
    p.compress = config->pcap_compress;
    p.patterns = all ? NULL : (const char *const *)patterns->pdata;
    p.drops = config->pcap_drops;
    p.snaplen = config->snaplen;
    add(c, &p);
}

/* Whole frames of every interface. */
static void add_kept(OutputsCaptures *c)
{
    SinkPcapngConfig p = common(c);
    g_autofree char *path = g_build_filename(c->config->out_dir, KEEP_CAPTURE_NAME, NULL);

    p.path = path;
    p.compress = true;
    p.drops = true;
    add(c, &p);
}

static void add_wish(OutputsCaptures *c, unsigned i)
{
    SinkPcapngConfig p = common(c);
    ScenarioCapture wish;
    g_autofree char *path = NULL;

    scenario_capture(c->scenario, i, &wish);
    path = g_build_filename(c->config->out_dir, wish.file, NULL);
    p.path = path;
    p.points = wish.point;
    p.n_points = wish.n_points;
    p.drops = wish.drops;
    p.snaplen = wish.snaplen;
    add(c, &p);
}

OutputsCaptures *outputs_captures_new(Scenario *s, const OutputsConfig *config, const char *comment,
                                      OutHold *hold)
{
    OutputsCaptures *c = g_new0(OutputsCaptures, 1);

    c->config = config;
    c->scenario = s;
    c->probes = net_probes(scenario_net(s));
    c->comment = comment;
    c->hold = hold;
    c->sinks = g_ptr_array_new();
    c->link_of = g_hash_table_new(NULL, NULL);
    c->names = g_array_new(FALSE, FALSE, sizeof(PcapngName));
    if (config->pcap->len)
        add_asked(c);
    else if (config->keep & KEEP_CAPTURES)
        add_kept(c);
    return c;
}

void outputs_captures_on_wish(OutputsCaptures *c)
{
    while (c->n_wishes < scenario_capture_count(c->scenario))
        add_wish(c, c->n_wishes++);
}

static bool matches_any(const OutputsCaptures *c, const char *pattern)
{
    for (unsigned i = 0; i < probes_point_count(c->probes); i++) {
        const ProbePoint *point = probes_point(c->probes, i);
        NetLink *l = point ? g_hash_table_lookup(c->link_of, point) : NULL;

        if (point && (eventlog_matches(pattern, point->node->name, point->name) ||
                      (l && g_pattern_match_simple(pattern, netlink_name(l)))))
            return true;
    }
    return false;
}

/* What could have been meant: interfaces, nodes, links. */
static char *closest_to(const OutputsCaptures *c, const char *pattern)
{
    g_autoptr(GPtrArray) known = g_ptr_array_new_with_free_func(g_free);

    for (unsigned i = 0; i < probes_point_count(c->probes); i++) {
        const ProbePoint *point = probes_point(c->probes, i);
        NetLink *l = point ? g_hash_table_lookup(c->link_of, point) : NULL;

        if (!point)
            continue;
        g_ptr_array_add(known, g_strdup_printf("%s:%s", point->node->name, point->name));
        g_ptr_array_add(known, g_strdup(point->node->name));
        if (l)
            g_ptr_array_add(known, g_strdup(netlink_name(l)));
    }
    return g_strdup(suggest_closest(pattern, (const char *const *)known->pdata, known->len));
}

static bool check_pattern(const OutputsCaptures *c, const char *pattern, GError **error)
{
    g_autofree char *closest = NULL;

    if (!*pattern || matches_any(c, pattern)) /* "": everything, and be it nothing */
        return true;
    closest = closest_to(c, pattern);
    if (closest)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "--pcap: \"%s\" matches no interface; did you mean \"%s\"?", pattern, closest);
    else
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "--pcap: \"%s\" matches no interface; expected a pattern of NODE:DEVICE such as "
                    "\"client:eth0\" or \"client:*\", or a link's name",
                    pattern);
    return false;
}

/* Interfaces exist when the network is built, so that a pattern can only now be judged. */
bool outputs_captures_settle(OutputsCaptures *c, GError **error)
{
    c->n_links = 0; /* cables may have been moved since */
    learn_names(c);
    for (unsigned i = 0; i < c->sinks->len; i++)
        if (!sink_pcapng_settle(c->sinks->pdata[i], (const PcapngName *)c->names->data, c->names->len, error))
            return false;
    learn_links(c);
    for (unsigned i = 0; i < c->config->pcap->len; i++)
        if (!check_pattern(c, c->config->pcap->pdata[i], error))
            return false;
    return true;
}

bool outputs_captures_have_failed(const OutputsCaptures *c)
{
    for (unsigned i = 0; i < c->sinks->len; i++)
        if (sink_pcapng_has_failed(c->sinks->pdata[i]))
            return true;
    return false;
}

bool outputs_captures_close(OutputsCaptures *c, void (*tell)(void *user, const char *path, const char *note),
                            void *user, GError **error)
{
    GError *first = NULL;

    for (unsigned i = 0; i < c->sinks->len; i++) {
        SinkPcapng *s = c->sinks->pdata[i];
        unsigned n = sink_pcapng_file_count(s), interfaces = sink_pcapng_interfaces(s);
        g_autofree char *note =
            g_strdup_printf("%" PRIu64 " frame%s, %u interface%s", sink_pcapng_frames(s),
                            sink_pcapng_frames(s) == 1 ? "" : "s", interfaces, interfaces == 1 ? "" : "s");

        for (unsigned k = 0; k < n; k++)
            tell(user, sink_pcapng_file(s, k), n == 1 ? note : NULL);
        (void)!sink_pcapng_close(s, first ? NULL : &first);
    }
    g_ptr_array_set_size(c->sinks, 0);
    if (first)
        g_propagate_error(error, first);
    return !first;
}

void outputs_captures_discard(OutputsCaptures *c)
{
    for (unsigned i = 0; i < c->sinks->len; i++)
        sink_pcapng_discard(c->sinks->pdata[i]);
    g_ptr_array_set_size(c->sinks, 0);
}

void outputs_captures_free(OutputsCaptures *c)
{
    if (!c)
        return;
    outputs_captures_discard(c);
    g_ptr_array_free(c->sinks, TRUE);
    g_hash_table_destroy(c->link_of);
    g_array_free(c->names, TRUE);
    g_free(c);
}
