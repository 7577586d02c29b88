/* sim/trace/sink_pcapng: what is in the capture, read back. */
#include "sim/trace/sink_pcapng.h"

#include "sim/trace/pcapng_reader.h"
#include "tests/unit/sink_helper.h"

static SinkPcapng *open_capture(World *w, SinkPcapngConfig c)
{
    char *path = c.per_interface ? g_strdup(w->dir) : world_path(w, "c.pcapng");
    GError *error = NULL;
    SinkPcapng *s;

    c.path = path;
    s = sink_pcapng_new(w->probes, &c, &error);
    g_assert_no_error(error);
    g_free(path);
    return s;
}

static PcapngReader *close_and_read(World *w, SinkPcapng *s, const char *name)
{
    char *path = world_path(w, name);
    GError *error = NULL;
    PcapngReader *r;

    if (s)
        g_assert_true(sink_pcapng_close(s, &error));
    g_assert_no_error(error);
    r = pcapng_reader_open(path, &error);
    g_assert_no_error(error);
    g_free(path);
    return r;
}

typedef struct Expected {
    const char *iface;
    SimTime time;
    uint32_t flags, len, caplen;
    uint16_t linktype;
    const char *comment; /* NULL: none */
} Expected;

static void assert_packet(PcapngReader *r, Expected e)
{
    PcapngPacket p;

    g_assert_cmpint(pcapng_reader_next(r, &p, NULL), ==, PCAPNG_READ_PACKET);
    g_assert_cmpstr(p.iface_name, ==, e.iface);
    g_assert_cmpint(p.time, ==, e.time);
    g_assert_cmphex(p.flags, ==, e.flags);
    g_assert_cmpuint(p.len, ==, e.len);
    g_assert_cmpuint(p.caplen, ==, e.caplen ? e.caplen : e.len);
    g_assert_cmpuint(p.linktype, ==, e.linktype ? e.linktype : 1);
    g_assert_cmpuint(p.n_comments, ==, e.comment != NULL);
    if (e.comment)
        g_assert_cmpstr(p.comments[0], ==, e.comment);
    g_assert_true(p.has_packetid);
}

static void assert_end(PcapngReader *r)
{
    PcapngPacket p;

    g_assert_cmpint(pcapng_reader_next(r, &p, NULL), ==, PCAPNG_READ_END);
    pcapng_reader_free(r);
}

static void test_directions(void)
{
    World w;
    SinkPcapng *s;
    PcapngReader *r;
    Packet *p;

    world_init(&w);
    s = open_capture(&w, (SinkPcapngConfig){0});
    g_assert_cmpuint(sink_pcapng_interfaces(s), ==, 2);
    p = world_frame(&w, 7, 0, 50);
    world_at(&w, 1000);
    probe_tx(&w.eth0, p);
    world_at(&w, 2000);
    probe_rx(&w.eth1, p);
    probe_drop(&w.server, &w.eth1, p, DROP_NOT_FOR_ME); /* not asked for */
    g_assert_cmpuint(sink_pcapng_frames(s), ==, 2);
    r = close_and_read(&w, s, "c.pcapng");
    assert_packet(r, (Expected){"client:eth0", 1000, PCAPNG_FLAG_OUTBOUND, 64, 0, 0, NULL});
    assert_packet(r, (Expected){"server:eth1", 2000, PCAPNG_FLAG_INBOUND, 64, 0, 0, NULL});
    assert_end(r);
    world_clear(&w);
}

static void test_remarks(void)
{
    World w;
    SinkPcapng *s;
    PcapngReader *r;
    Packet *p;

    world_init(&w);
    s = open_capture(&w, (SinkPcapngConfig){.drops = true});
    p = world_frame(&w, 7, 0, 50);
    probe_tx(&w.eth0, p);
    probe_tx_copy(&w.eth0, p);
    packet_flip_bit(p, 200);
    world_at(&w, 10);
    probe_rx(&w.eth1, p);
    probe_drop(&w.server, &w.eth1, p, DROP_FCS);
    r = close_and_read(&w, s, "c.pcapng");
    assert_packet(r, (Expected){"client:eth0", 0, PCAPNG_FLAG_OUTBOUND, 64, 0, 0, NULL});
    assert_packet(r, (Expected){"client:eth0", 0, PCAPNG_FLAG_OUTBOUND, 64, 0, 0, "duplicate"});
    assert_packet(r, (Expected){"server:eth1", 10, PCAPNG_FLAG_INBOUND | PCAPNG_FLAG_CRC_ERROR, 64, 0, 0,
                                "corrupted on the way: bad frame check sequence"});
    assert_packet(r, (Expected){"server:eth1", 10, 0, 64, 0, 0, "dropped: bad frame check sequence"});
    assert_end(r);
    world_clear(&w);
}

/* A packet that a look-up refused stands at its network header, or behind it. */
static void drop_ip(World *w, const ProbePoint *point, bool pulled)
{
    static const uint8_t ip[20] = {0x45, 0, 0, 20, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2};
    Packet *p = packet_new(w->pool, 0, 8, PKT_HEADROOM);

    memcpy(packet_put(p, sizeof(ip)), ip, sizeof(ip));
    p->l3 = p->head;
    if (pulled)
        packet_pull(p, 20);
    probe_drop(&w->client, point, p, DROP_NO_ROUTE);
}

static void test_inside(void)
{
    World w;
    SinkPcapng *s;
    PcapngReader *r;

    world_init(&w);
    s = open_capture(&w, (SinkPcapngConfig){.drops = true});
    drop_ip(&w, &w.eth0, false);
    drop_ip(&w, &w.eth0, true);
    drop_ip(&w, NULL, false);
    r = close_and_read(&w, s, "c.pcapng");
    assert_packet(r, (Expected){"client:eth0 (IP)", 0, 0, 20, 0, 101, "dropped: no route"});
    assert_packet(r, (Expected){"client:eth0 (IP)", 0, 0, 20, 0, 101, "dropped: no route"});
    assert_packet(r, (Expected){"client (IP)", 0, 0, 20, 0, 101, "dropped: no route"});
    assert_end(r);
    world_clear(&w);
}

static void describe(void *user, const ProbePoint *point, SinkPcapngPoint *out)
{
    out->link = out->description = "client-server";
}

static unsigned interfaces(World *w, const char *pattern)
{
    const char *const patterns[] = {pattern, NULL};
    SinkPcapng *s = open_capture(w, (SinkPcapngConfig){.patterns = patterns, .describe = describe});
    unsigned n = sink_pcapng_interfaces(s);

    g_assert_true(sink_pcapng_close(s, NULL));
    return n;
}

static void test_selection(void)
{
    World w;
    SinkPcapng *s;
    PcapngReader *r;
    Packet *p;
    const ProbePoint *points[1];

    world_init(&w);
    g_assert_cmpuint(interfaces(&w, "client:*"), ==, 1);
    g_assert_cmpuint(interfaces(&w, "server"), ==, 1);
    g_assert_cmpuint(interfaces(&w, "*:eth?"), ==, 2);
    g_assert_cmpuint(interfaces(&w, "client-server"), ==, 2);
    g_assert_cmpuint(interfaces(&w, "nobody"), ==, 0);

    points[0] = &w.eth1;
    s = open_capture(&w, (SinkPcapngConfig){.points = points, .n_points = 1, .snaplen = 20});
    p = world_frame(&w, 7, 0, 50);
    probe_tx(&w.eth0, p);
    probe_rx(&w.eth1, p);
    packet_unref(p);
    r = close_and_read(&w, s, "c.pcapng");
    assert_packet(r, (Expected){"server:eth1", 0, PCAPNG_FLAG_INBOUND, 64, 20, 0, NULL});
    assert_end(r);
    world_clear(&w);
}

static void test_per_interface(void)
{
    World w;
    SinkPcapng *s;
    Packet *p;

    world_init(&w);
    s = open_capture(&w, (SinkPcapngConfig){.per_interface = true});
    p = world_frame(&w, 7, 0, 50);
    probe_tx(&w.eth0, p);
    packet_unref(p);
    g_assert_cmpuint(sink_pcapng_file_count(s), ==, 2);
    assert_end(({
        PcapngReader *r = close_and_read(&w, s, "client-eth0.pcapng");
        assert_packet(r, (Expected){"client:eth0", 0, PCAPNG_FLAG_OUTBOUND, 64, 0, 0, NULL});
        r;
    }));
    assert_end(close_and_read(&w, NULL, "server-eth1.pcapng"));
    world_clear(&w);
}

/* A point that appears while the run goes on (a cable is moved). */
static void test_late_point(void)
{
    World w;
    SinkPcapng *s;
    PcapngReader *r;
    ProbePoint late;
    Packet *p;

    world_init(&w);
    s = open_capture(&w, (SinkPcapngConfig){0});
    late = (ProbePoint){.node = &w.server, .name = "eth2", .linktype = 1};
    probes_add_point(w.probes, &late);
    p = world_frame(&w, 7, 0, 50);
    probe_rx(&late, p);
    packet_unref(p);
    r = close_and_read(&w, s, "c.pcapng");
    assert_packet(r, (Expected){"server:eth2", 0, PCAPNG_FLAG_INBOUND, 64, 0, 0, NULL});
    assert_end(r);
    world_clear(&w);
}

static void ignore_record(ProbeSink *sink, const ProbeRecord *r)
{
    (void)sink, (void)r;
}

/* What no sink wants is not even reported; a second sink's coming changes that. */
static void test_quiet_points(void)
{
    World w;
    ProbeSink other = {.mask = PROBE_BIT(PROBE_FRAME_TX), .record = ignore_record};
    const ProbePoint *wanted;
    PcapngReader *r;
    SinkPcapng *s;
    Packet *p;

    world_init(&w);
    wanted = &w.eth0;
    s = open_capture(&w, (SinkPcapngConfig){.points = &wanted, .n_points = 1});
    p = world_frame(&w, 7, 0, 50);
    probe_rx(&w.eth0, p);
    probe_rx(&w.eth1, p);
    g_assert_cmphex(w.eth0.heard, ==, PROBE_BIT(PROBE_FRAME_TX) | PROBE_BIT(PROBE_FRAME_RX));
    g_assert_cmphex(w.eth1.heard, ==, 0);
    probes_attach(w.probes, &other);
    g_assert_cmphex(w.eth1.heard, ==, PROBE_BIT(PROBE_FRAME_TX) | PROBE_BIT(PROBE_FRAME_RX));
    probe_tx(&w.eth1, p);
    g_assert_cmphex(w.eth1.heard, ==, PROBE_BIT(PROBE_FRAME_TX)); /* the other one has not said so */
    probes_detach(w.probes, &other);
    g_assert_cmphex(w.eth1.heard, ==, 0);
    probe_tx(&w.eth1, p);
    probe_tx(&w.eth0, p);
    packet_unref(p);
    r = close_and_read(&w, s, "c.pcapng");
    assert_packet(r, (Expected){"client:eth0", 0, PCAPNG_FLAG_INBOUND, 64, 0, 0, NULL});
    assert_packet(r, (Expected){"client:eth0", 0, PCAPNG_FLAG_OUTBOUND, 64, 0, 0, NULL});
    assert_end(r);
    world_clear(&w);
}

typedef struct Counter {
    ProbeSink sink; /* first */
    unsigned records, frames;
} Counter;

static void count_record(ProbeSink *sink, const ProbeRecord *r)
{
    g_assert_cmpint(r->desc->cls, ==, PROBE_FRAME_DROP);
    ((Counter *)sink)->records++;
}

static void count_frame(ProbeSink *sink, ProbeClass cls, const ProbePoint *point, const Packet *pkt)
{
    g_assert_nonnull(pkt);
    g_assert_true(point->node->part->now == 5);
    g_assert_cmpint(cls, ==, PROBE_FRAME_RX); /* frame.tx is not asked for */
    ((Counter *)sink)->frames++;
}

/* A sink may take frames by a shorter way; everything else still comes as records. */
static void test_frames_apart(void)
{
    World w;
    Counter c = {.sink = {.mask = PROBE_BIT(PROBE_FRAME_RX) | PROBE_BIT(PROBE_FRAME_DROP),
                          .record = count_record,
                          .frame = count_frame}};
    Packet *p;

    world_init(&w);
    probes_attach(w.probes, &c.sink);
    p = world_frame(&w, 7, 0, 50);
    world_at(&w, 5);
    probe_tx(&w.eth0, p);
    probe_rx(&w.eth1, p);
    probe_drop(&w.server, &w.eth1, p, DROP_FCS);
    g_assert_cmpuint(c.frames, ==, 1);
    g_assert_cmpuint(c.records, ==, 1);
    probes_detach(w.probes, &c.sink);
    world_clear(&w);
}

static void test_discard(void)
{
    World w;
    char *path;

    world_init(&w);
    sink_pcapng_discard(open_capture(&w, (SinkPcapngConfig){0}));
    g_assert_cmphex(sim_partition(w.sim, 0)->probe_mask, ==, 0);
    path = world_path(&w, "c.pcapng");
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    g_free(path);
    world_clear(&w);
}

static void test_unwritable(void)
{
    World w;
    GError *error = NULL;

    world_init(&w);
    g_assert_null(sink_pcapng_new(w.probes, &(SinkPcapngConfig){.path = "/nowhere/c.pcapng"}, &error));
    g_assert_nonnull(error);
    g_clear_error(&error);
    g_assert_null(
        sink_pcapng_new(w.probes, &(SinkPcapngConfig){.path = "/nowhere", .per_interface = true}, &error));
    g_assert_nonnull(error);
    g_error_free(error);
    g_assert_cmphex(sim_partition(w.sim, 0)->probe_mask, ==, 0);
    world_clear(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/trace/sink_pcapng/directions", test_directions);
    g_test_add_func("/trace/sink_pcapng/remarks", test_remarks);
    g_test_add_func("/trace/sink_pcapng/inside", test_inside);
    g_test_add_func("/trace/sink_pcapng/selection", test_selection);
    g_test_add_func("/trace/sink_pcapng/per-interface", test_per_interface);
    g_test_add_func("/trace/sink_pcapng/late-point", test_late_point);
    g_test_add_func("/trace/sink_pcapng/quiet-points", test_quiet_points);
    g_test_add_func("/trace/sink_pcapng/frames-apart", test_frames_apart);
    g_test_add_func("/trace/sink_pcapng/discard", test_discard);
    g_test_add_func("/trace/sink_pcapng/unwritable", test_unwritable);
    return g_test_run();
}
