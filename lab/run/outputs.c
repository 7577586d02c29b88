#include "lab/run/outputs.h"

#include <inttypes.h>
#include <string.h>

#include "lab/run/outputs_pictures.h"
#include "lab/run/outputs_qlog.h"
#include "models/wire/dissect.h"
#include "sim/trace/pcapng.h"
#include "sim/trace/sink_events.h"
#include "sim/trace/sink_pcapng.h"
#include "sim/trace/sink_series.h"

typedef struct DropCounter {
    ProbeSink sink; /* first */
    GArray *rows;   /* OutputsDrops */
} DropCounter;

typedef struct OutputsSeries {
    SinkSeries *sink;
    char *path;
} OutputsSeries;

struct Outputs {
    OutputsConfig config;
    Scenario *scenario;
    Sim *sim;
    Probes *probes;
    SinkDigest *digest;
    SinkEvents *events;
    OutputsQlog *qlog;
    char *events_path;
    GPtrArray *captures; /* SinkPcapng */
    SinkPcapng *asked;   /* the one of --pcap; NULL */
    unsigned n_captures; /* of the scenario, that were looked at; so n_series */
    GPtrArray *series;   /* OutputsSeries */
    unsigned n_series;
    OutputsPictures *pictures; /* NULL: the scenario gets no files */
    GError *error;             /* of a wish; told when ready */
    DropCounter drops;
    GHashTable *link_of; /* ProbePoint -> NetLink; look-up only */
    unsigned n_links;    /* that are in it */
    GArray *names;       /* PcapngName */
    char *comment;
    GPtrArray *files, *paths; /* char * */
    bool is_attached;
};

/* ---- what captures say about interfaces ---- */

static void learn_links(Outputs *o)
{
    Net *net = scenario_net(o->scenario);

    for (; o->n_links < net_link_count(net); o->n_links++) {
        NetLink *l = net_link_at(net, o->n_links);

        for (unsigned end = 0; end < 2; end++)
            if (netlink_point(l, end))
                g_hash_table_insert(o->link_of, (gpointer)netlink_point(l, end), l);
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
    Outputs *o = user;
    const NetLink *l;
    unsigned end;
    const LinkDir *dir;

    learn_links(o);
    l = g_hash_table_lookup(o->link_of, point);
    if (!l)
        return;
    end = netlink_point(l, 1) == point;
    dir = netlink_dir(l, end);
    out->link = out->description = netlink_name(l);
    out->speed_bps = dir ? linkdir_rate(dir) : 0;
    if (netlink_dev(l, end))
        add_addresses(netlink_dev(l, end), out);
}

static void learn_names(Outputs *o)
{
    Net *net = scenario_net(o->scenario);

    for (unsigned i = 0; i < net_link_count(net); i++) {
        NetLink *l = net_link_at(net, i);

        for (unsigned end = 0; end < 2; end++) {
            SinkPcapngPoint info = {0};

            if (netlink_dev(l, end))
                add_addresses(netlink_dev(l, end), &info);
            for (unsigned a = 0; a < info.n_ipv4; a++) {
                PcapngName name = {.name = netlink_node(l, end)->name};

                memcpy(name.address, info.ipv4 + 8 * a, 4);
                g_array_append_val(o->names, name);
            }
        }
    }
}

static void summarize(void *user, uint16_t linktype, const uint8_t *bytes, size_t len, char *buf,
                      size_t buf_len)
{
    dissect_summary(buf, buf_len, linktype == PCAPNG_LINKTYPE_PPP ? WIRE_LINK_PPP : (WireLinkType)linktype,
                    bytes, len);
}

/* ---- drops ---- */

static void on_drop(ProbeSink *sink, const ProbeRecord *r)
{
    DropCounter *c = (DropCounter *)sink;
    OutputsDrops row = {r->value[0].s, 1};

    for (unsigned i = 0; i < c->rows->len; i++) {
        OutputsDrops *known = &g_array_index(c->rows, OutputsDrops, i);

        if (known->reason == row.reason) {
            known->count++;
            return;
        }
    }
    g_array_append_val(c->rows, row);
}

/* ---- attaching ---- */

static SinkPcapng *add_capture(Outputs *o, const SinkPcapngConfig *config)
{
    SinkPcapng *s = sink_pcapng_new(o->probes, config, NULL); /* early: nothing is opened yet */

    g_ptr_array_add(o->captures, s);
    return s;
}

static SinkPcapngConfig capture_config(Outputs *o)
{
    return (SinkPcapngConfig){.comment = o->comment, .is_early = true, .describe = describe_point, .user = o};
}

static void add_asked_capture(Outputs *o)
{
    SinkPcapngConfig c = capture_config(o);
    GPtrArray *patterns = g_ptr_array_new();
    char *path = outputs_path(o->config.out_dir, o->config.scenario,
                              o->config.pcap_compress ? "pcapng" PCAPNG_WRITER_PACKED_SUFFIX : "pcapng");
    bool all = false;

    for (unsigned i = 0; i < o->config.pcap->len; i++) {
        const char *pattern = o->config.pcap->pdata[i];

        all |= !*pattern;
        g_ptr_array_add(patterns, (void *)pattern);
    }
    g_ptr_array_add(patterns, NULL);
    c.path = o->config.pcap_per_interface ? o->config.out_dir : path;
    c.per_interface = o->config.pcap_per_interface;
    c.compress = o->config.pcap_compress;
    c.patterns = all ? NULL : (const char *const *)patterns->pdata;
    c.drops = o->config.pcap_drops;
    c.snaplen = o->config.snaplen;
    o->asked = add_capture(o, &c);
    g_ptr_array_free(patterns, TRUE);
    g_free(path);
}

static void add_scenario_capture(Outputs *o, unsigned i)
{
    SinkPcapngConfig c = capture_config(o);
    ScenarioCapture wish;
    char *path;

    scenario_capture(o->scenario, i, &wish);
    path = g_build_filename(o->config.out_dir, wish.file, NULL);
    c.path = path;
    c.points = wish.point;
    c.n_points = wish.n_points;
    c.drops = wish.drops;
    c.snaplen = wish.snaplen;
    add_capture(o, &c);
    g_free(path);
}

/* Interfaces exist when the network is built, so that a pattern can only now be judged. */
static bool settle_captures(Outputs *o, GError **error)
{
    o->n_links = 0; /* cables may have been moved since */
    learn_names(o);
    for (unsigned i = 0; i < o->captures->len; i++)
        if (!sink_pcapng_settle(o->captures->pdata[i], (const PcapngName *)o->names->data, o->names->len,
                                error))
            return false;
    if (!o->asked || sink_pcapng_interfaces(o->asked))
        return true;
    if (*(const char *)o->config.pcap->pdata[0] == '\0') /* everything was asked for, and there is nothing */
        return true;
    g_set_error(
        error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
        "--pcap: \"%s\" matches no interface; expected a pattern of NODE:DEVICE such as \"client:eth0\" or "
        "\"client:*\", or a link's name",
        (const char *)o->config.pcap->pdata[0]);
    return false;
}

static bool add_events(Outputs *o, GError **error)
{
    SinkEventsConfig c = {.classes = o->config.event_classes,
                          .format = {.summary = summarize, .sim = o->sim}};

    if (!o->config.event_classes)
        return true;
    o->events_path = o->config.event_path
                         ? g_strdup(o->config.event_path)
                         : outputs_path(o->config.out_dir, o->config.scenario, "events.jsonl");
    c.path = o->events_path;
    o->events = sink_events_new(o->probes, &c, error);
    return o->events != NULL;
}

/* ---- events ---- */

static void on_event(void *user, SimTime time, uint64_t key)
{
    Outputs *o = user;

    if (o->digest)
        sink_digest_on_event(o->digest, time, key);
    if (o->events && sink_events_wants_engine(o->events))
        sink_events_on_event(o->events, time, key);
}

bool outputs_attach(Outputs *o, Scenario *s, GError **error)
{
    Partition *part;

    o->scenario = s;
    o->sim = net_sim(scenario_net(s));
    o->probes = net_probes(scenario_net(s));
    o->is_attached = true;
    o->comment = g_strdup_printf("%s, seed %" PRIu64, o->config.scenario, scenario_seed(s));
    if (!o->config.no_scenario_files)
        o->pictures = outputs_pictures_new(s, o->config.scenario, o->config.out_dir);
    if (o->config.pcap->len)
        add_asked_capture(o);
    if (!add_events(o, error))
        return false;
    o->qlog = outputs_qlog_new(s, &(OutputsQlogConfig){.scenario = o->config.scenario,
                                                       .out_dir = o->config.out_dir,
                                                       .comment = o->comment,
                                                       .hosts = o->config.qlog,
                                                       .port = o->config.qlog_port,
                                                       .level = o->config.qlog_level,
                                                       .no_scenario_files = o->config.no_scenario_files});
    if (o->config.count_drops)
        probes_attach(o->probes, &o->drops.sink);
    part = sim_partition(o->sim, 0);
    if (o->config.digest) {
        o->digest = sink_digest_new(o->sim, o->probes);
        part->on_event = sink_digest_on_event;
        part->on_event_user = o->digest;
    }
    if (o->events && sink_events_wants_engine(o->events)) {
        part->on_event = on_event;
        part->on_event_user = o;
    }
    return true;
}

/* A probe's class is not known by its name; any but the frames, which have no fields. */
static void add_scenario_series(Outputs *o, unsigned i)
{
    ScenarioSeries wish;
    char *path;
    SinkSeries *s;

    scenario_series(o->scenario, i, &wish);
    path = g_build_filename(o->config.out_dir, wish.file, NULL);
    s = o->error ? NULL : sink_series_new(o->probes, path, &o->error);
    if (!s) {
        g_free(path);
        return;
    }
    sink_series_set_period(s, wish.every);
    for (const char *const *place = wish.places; *place; place++)
        for (const char *const *field = wish.fields; *field; field++)
            sink_series_add_column(s, PROBE_CLASSES, wish.of, *field, *place, NULL);
    OutputsSeries *kept = g_new(OutputsSeries, 1);

    *kept = (OutputsSeries){s, path};
    g_ptr_array_add(o->series, kept);
}

void outputs_on_wish(Outputs *o)
{
    unsigned n_series = o->config.no_scenario_files ? 0 : scenario_series_count(o->scenario);
    unsigned n = o->config.no_scenario_files ? 0 : scenario_capture_count(o->scenario);

    while (o->n_captures < n)
        add_scenario_capture(o, o->n_captures++);
    while (o->n_series < n_series)
        add_scenario_series(o, o->n_series++);
    outputs_qlog_on_wish(o->qlog);
    if (o->pictures)
        outputs_pictures_on_wish(o->pictures);
}

bool outputs_on_ready(Outputs *o, GError **error)
{
    if (o->error) {
        g_propagate_error(error, g_steal_pointer(&o->error));
        return false;
    }
    return settle_captures(o, error) && outputs_qlog_check(o->qlog, error);
}

/* ---- life ---- */

Outputs *outputs_new(const OutputsConfig *config)
{
    Outputs *o = g_new0(Outputs, 1);

    o->config = *config;
    o->captures = g_ptr_array_new();
    o->series = g_ptr_array_new();
    o->files = g_ptr_array_new_with_free_func(g_free);
    o->paths = g_ptr_array_new_with_free_func(g_free);
    o->link_of = g_hash_table_new(NULL, NULL);
    o->names = g_array_new(FALSE, FALSE, sizeof(PcapngName));
    o->drops.rows = g_array_new(FALSE, FALSE, sizeof(OutputsDrops));
    o->drops.sink = (ProbeSink){.mask = PROBE_BIT(PROBE_FRAME_DROP), .record = on_drop};
    return o;
}

bool outputs_are_attached(const Outputs *o)
{
    return o->is_attached;
}

bool outputs_have_failed(const Outputs *o)
{
    for (unsigned i = 0; i < o->captures->len; i++)
        if (sink_pcapng_has_failed(o->captures->pdata[i]))
            return true;
    return (o->events && sink_events_has_failed(o->events)) || (o->qlog && outputs_qlog_has_failed(o->qlog));
}

/* note: what is said of the file behind its name, NULL: nothing. */
static void tell_file(Outputs *o, const char *path, const char *note)
{
    g_ptr_array_add(o->paths, g_strdup(path));
    g_ptr_array_add(o->files, note ? g_strdup_printf("%s (%s)", path, note) : g_strdup(path));
}

static void tell_count(Outputs *o, const char *path, uint64_t n, const char *what)
{
    g_autofree char *note = g_strdup_printf("%" PRIu64 " %s%s", n, what, n == 1 ? "" : "s");

    tell_file(o, path, note);
}

static void tell_capture(Outputs *o, const SinkPcapng *s)
{
    unsigned n = sink_pcapng_file_count(s), interfaces = sink_pcapng_interfaces(s);
    g_autofree char *note = g_strdup_printf("%" PRIu64 " frames, %u interface%s", sink_pcapng_frames(s),
                                            interfaces, interfaces == 1 ? "" : "s");

    for (unsigned i = 0; i < n; i++)
        tell_file(o, sink_pcapng_file(s, i), n == 1 ? note : NULL);
}

static void on_picture(void *user, const char *path)
{
    tell_file(user, path, NULL);
}

static void on_qlog(void *user, const char *path, uint64_t events)
{
    tell_count(user, path, events, "event");
}

bool outputs_close(Outputs *o, GError **error)
{
    GError *first = NULL;

    for (unsigned i = 0; i < o->captures->len; i++) {
        SinkPcapng *s = o->captures->pdata[i];

        tell_capture(o, s);
        (void)!sink_pcapng_close(s, first ? NULL : &first);
    }
    g_ptr_array_set_size(o->captures, 0);
    for (unsigned i = 0; i < o->series->len; i++) {
        OutputsSeries *s = o->series->pdata[i];

        tell_count(o, s->path, sink_series_rows(s->sink), "row");
        (void)!sink_series_close(s->sink, first ? NULL : &first);
        g_free(s->path);
        g_free(s);
    }
    g_ptr_array_set_size(o->series, 0);
    if (o->pictures)
        (void)!outputs_pictures_draw(o->pictures, on_picture, o, first ? NULL : &first);
    if (o->events) {
        tell_count(o, o->events_path, sink_events_records(o->events), "record");
        (void)!sink_events_close(g_steal_pointer(&o->events), first ? NULL : &first);
    }
    (void)!outputs_qlog_close(g_steal_pointer(&o->qlog), on_qlog, o, first ? NULL : &first);
    if (first) {
        g_propagate_error(error, first);
        return false;
    }
    return true;
}

void outputs_discard(Outputs *o)
{
    for (unsigned i = 0; i < o->captures->len; i++)
        sink_pcapng_discard(o->captures->pdata[i]);
    g_ptr_array_set_size(o->captures, 0);
    for (unsigned i = 0; i < o->series->len; i++) {
        OutputsSeries *s = o->series->pdata[i];

        sink_series_discard(s->sink);
        g_free(s->path);
        g_free(s);
    }
    g_ptr_array_set_size(o->series, 0);
    sink_events_discard(g_steal_pointer(&o->events));
    outputs_qlog_discard(g_steal_pointer(&o->qlog));
}

const SinkDigest *outputs_digest(const Outputs *o)
{
    return o->digest;
}

unsigned outputs_drops(const Outputs *o, const OutputsDrops **rows)
{
    *rows = (const OutputsDrops *)o->drops.rows->data;
    return o->drops.rows->len;
}

unsigned outputs_file_count(const Outputs *o)
{
    return o->files->len;
}

const char *outputs_file(const Outputs *o, unsigned i)
{
    return o->files->pdata[i];
}

void outputs_add_file(Outputs *o, const char *path)
{
    tell_file(o, path, NULL);
}

const char *outputs_file_path(const Outputs *o, unsigned i)
{
    return o->paths->pdata[i];
}

void outputs_free(Outputs *o)
{
    outputs_discard(o);
    if (o->is_attached) {
        Partition *part = sim_partition(o->sim, 0);

        part->on_event = NULL;
        probes_detach(o->probes, &o->drops.sink);
    }
    sink_digest_free(o->digest);
    g_ptr_array_free(o->captures, TRUE);
    g_ptr_array_free(o->series, TRUE);
    outputs_pictures_free(o->pictures);
    g_clear_error(&o->error);
    g_ptr_array_free(o->files, TRUE);
    g_ptr_array_free(o->paths, TRUE);
    g_hash_table_destroy(o->link_of);
    g_array_free(o->names, TRUE);
    g_array_free(o->drops.rows, TRUE);
    g_free(o->comment);
    g_free(o->events_path);
    g_free(o);
}

char *outputs_path(const char *dir, const char *scenario, const char *suffix)
{
    char *base = g_path_get_basename(scenario);
    char *name, *path;

    if (g_str_has_suffix(base, ".lua") && strlen(base) > 4)
        base[strlen(base) - 4] = 0;
    name = g_strdup_printf("%s.%s", base, suffix);
    path = strcmp(dir, ".") ? g_build_filename(dir, name, NULL) : g_strdup(name);
    g_free(base);
    g_free(name);
    return path;
}
