/* sim/trace/sink_events and eventlog: the exact lines, valid JSON from any bytes, selection. */
#include "sim/trace/sink_events.h"

#include <math.h>

#include "sim/trace/eventlog_json.h"
#include "tests/unit/sink_helper.h"

static void summarize(void *user, uint16_t linktype, const uint8_t *bytes, size_t len, char *buf,
                      size_t buf_len)
{
    g_snprintf(buf, buf_len, "type %u, %zu bytes", linktype, len);
}

static SinkEvents *open_log(World *w, SinkEventsConfig c)
{
    char *path = world_path(w, "log");
    GError *error = NULL;
    SinkEvents *s;

    c.path = path;
    c.format.sim = w->sim;
    s = sink_events_new(w->probes, &c, &error);
    g_assert_no_error(error);
    g_free(path);
    return s;
}

static void assert_log(World *w, SinkEvents *s, const char *expected)
{
    GError *error = NULL;
    char *text;

    g_assert_true(sink_events_close(s, &error));
    g_assert_no_error(error);
    text = world_read(w, "log", NULL);
    g_assert_cmpstr(text, ==, expected);
    g_free(text);
}

static void emit_everything(World *w, const char *text, double f, SimTime due)
{
    probe_emit(&w->client, &world_everything, NULL, NULL,
               (ProbeValue[]){{.u = UINT64_MAX},
                              {.i = -3},
                              {.u = 1},
                              {.i = due},
                              {.u = 0x0a000001},
                              {.u = UINT64_C(0x020000000001)},
                              {.s = text},
                              {.f = f}});
}

static void test_kinds(void)
{
    World w;
    SinkEvents *s;

    world_init(&w);
    s = open_log(&w, (SinkEventsConfig){.classes = PROBE_STATE_MASK});
    world_at(&w, 1500000001);
    emit_everything(&w, "say \"hi\"\n\\ \xc3\xa4 \xff\x01", 0.25, 2 * SIM_SEC);
    emit_everything(&w, NULL, INFINITY, SIM_NEVER);
    assert_log(
        &w, s,
        "{\"time\":1.500000001,\"node\":\"client\",\"event\":\"test.everything\",\"count\":"
        "18446744073709551615,"
        "\"balance\":-3,\"ok\":true,\"due\":2.000000000,\"ip\":\"10.0.0.1\",\"mac\":\"02:00:00:00:00:01\","
        "\"text\":\"say \\\"hi\\\"\\n\\\\ \xc3\xa4 \xef\xbf\xbd\\u0001\",\"share\":0.25}\n"
        "{\"time\":1.500000001,\"node\":\"client\",\"event\":\"test.everything\",\"count\":"
        "18446744073709551615,"
        "\"balance\":-3,\"ok\":true,\"due\":null,\"ip\":\"10.0.0.1\",\"mac\":\"02:00:00:00:00:01\","
        "\"text\":null,\"share\":null}\n");
    world_clear(&w);
}

/* The FCS is zlib.crc32 of the 18 bytes, 0x37ec46fd, least significant byte first as on the wire. */
static void test_frame(void)
{
    World w;
    SinkEvents *s;
    Packet *p;

    world_init(&w);
    s = open_log(&w, (SinkEventsConfig){.classes = ~PROBE_STATE_MASK & (PROBE_BIT(PROBE_CLASSES) - 1),
                                        .format = {.summary = summarize}});
    p = world_frame(&w, 7, 0, 4);
    probe_tx(&w.eth0, p);
    probe_drop(&w.server, &w.eth1, p, DROP_QUEUE_FULL);
    assert_log(
        &w, s,
        "{\"time\":0.000000000,\"node\":\"client\",\"point\":\"eth0\",\"event\":\"frame.tx\",\"frame\":{"
        "\"len\":18,\"birth\":\"client/7\",\"fcs\":\"fd46ec37\",\"summary\":\"type 1, 18 bytes\"}}\n"
        "{\"time\":0.000000000,\"node\":\"server\",\"point\":\"eth1\",\"event\":\"frame.drop\","
        "\"reason\":\"queue full\",\"frame\":{\"len\":18,\"birth\":\"client/7\",\"fcs\":\"fd46ec37\","
        "\"summary\":\"type 1, 18 bytes\"}}\n");
    world_clear(&w);
}

static void on_nothing(void *arg)
{
}

static void test_engine(void)
{
    World w;
    SinkEvents *s;

    world_init(&w);
    s = open_log(&w, (SinkEventsConfig){.classes = EVENTLOG_ENGINE_EVENTS});
    g_assert_true(sink_events_wants_engine(s));
    sim_partition(w.sim, 0)->on_event = sink_events_on_event;
    sim_partition(w.sim, 0)->on_event_user = s;
    node_at(&w.server, 5, on_nothing, NULL);
    sim_run(w.sim, &(SimLimits){.until = SIM_NEVER});
    assert_log(&w, s, "{\"time\":0.000000005,\"node\":\"server\",\"event\":\"engine.event\",\"seq\":0}\n");
    world_clear(&w);
}

/* Frequent ones must not crowd out rare ones, and what is missing is known. */
static void test_max_each(void)
{
    World w;
    SinkEvents *s;

    world_init(&w);
    s = open_log(&w, (SinkEventsConfig){.classes = PROBE_STATE_MASK, .max_each = 2});
    for (unsigned i = 0; i < 2; i++)
        probe_emit(&w.client, &world_queue, &w.eth0, NULL, (ProbeValue[]){{.u = i}, {.u = 0}});
    g_assert_null(sink_events_cut(s, 0));
    for (unsigned i = 2; i < 5; i++)
        probe_emit(&w.client, &world_queue, &w.eth0, NULL, (ProbeValue[]){{.u = i}, {.u = 0}});
    emit_everything(&w, NULL, 0, 0);
    g_assert_cmpuint(sink_events_records(s), ==, 3);
    g_assert_cmpuint(sink_events_left_out(s), ==, 3);
    g_assert_cmpstr(sink_events_cut(s, 0), ==, world_queue.name);
    g_assert_null(sink_events_cut(s, 1));
    g_assert_true(sink_events_close(s, NULL));
    world_clear(&w);
}

static void test_selection(void)
{
    static const char *const names[] = {"queue.*", NULL}, *const places[] = {"server", NULL};
    World w;
    SinkEvents *s;

    world_init(&w);
    s = open_log(&w, (SinkEventsConfig){.classes = PROBE_STATE_MASK, .names = names, .places = places});
    emit_everything(&w, "", 0, 0);
    probe_emit(&w.client, &world_queue, &w.eth0, NULL, (ProbeValue[]){{.u = 1}, {.u = 2}});
    probe_emit(&w.server, &world_queue, &w.eth1, NULL, (ProbeValue[]){{.u = 3}, {.u = 4}});
    g_assert_cmpuint(sink_events_records(s), ==, 1);
    assert_log(&w, s,
               "{\"time\":0.000000000,\"node\":\"server\",\"point\":\"eth1\",\"event\":\"queue.length\","
               "\"packets\":3,"
               "\"length_bytes\":4}\n");
    world_clear(&w);
}

static void test_classes(void)
{
    uint64_t mask = 1;
    char *error = NULL;

    g_assert_true(eventlog_parse_classes("tx, neigh", &mask, NULL));
    g_assert_cmphex(mask, ==, PROBE_BIT(PROBE_FRAME_TX) | PROBE_BIT(PROBE_NEIGH));
    g_assert_true(eventlog_parse_classes("all,engine", &mask, NULL));
    g_assert_cmphex(mask, ==, (PROBE_BIT(PROBE_CLASSES) - 1) | EVENTLOG_ENGINE_EVENTS);
    g_assert_true(eventlog_parse_classes("frames,state,translation", &mask, NULL));
    g_assert_cmphex(mask, ==, PROBE_BIT(PROBE_CLASSES) - 1);
    g_assert_false(eventlog_parse_classes("nieghbour", &mask, &error));
    g_assert_true(g_str_has_prefix(error, "\"nieghbour\" is not a class of events"));
    g_free(error);
    error = NULL;
    g_assert_false(eventlog_parse_classes("socet", &mask, &error));
    g_assert_cmpstr(error, ==, "\"socet\" is not a class of events; did you mean \"socket\"?");
    g_free(error);
    for (int cls = 0; cls < PROBE_CLASSES; cls++)
        g_assert_nonnull(eventlog_class_names[cls]);
}

static void test_patterns(void)
{
    g_assert_true(eventlog_matches("client", "client", "eth0"));
    g_assert_true(eventlog_matches("client", "client", NULL));
    g_assert_true(eventlog_matches("cl*:eth?", "client", "eth0"));
    g_assert_true(eventlog_matches("*:eth0", "client", "eth0"));
    g_assert_false(eventlog_matches("client:eth1", "client", "eth0"));
    g_assert_false(eventlog_matches("lient", "client", "eth0"));
}

static void test_read(void)
{
    static const char text[] = " {\"a\":1.5, \"b\":{\"c\":\"x\\\"y\",\"d\":[1,[]]},\"e\":{},\"f\":null} ";
    EventlogMember *m;

    m = eventlog_json_read("{\"a\":1.5, \"b\":{\"c\":\"x\\\"y\",\"d\":[1,[]]},\"e\":{},\"f\":null}", 54,
                           NULL);
    g_assert_nonnull(m);
    g_assert_cmpstr(m[0].name, ==, "a");
    g_assert_cmpstr(m[0].value, ==, "1.5");
    g_assert_cmpstr(m[1].name, ==, "b.c");
    g_assert_cmpstr(m[1].value, ==, "\"x\\\"y\"");
    g_assert_cmpstr(m[2].name, ==, "b.d");
    g_assert_cmpstr(m[2].value, ==, "[1,[]]");
    g_assert_cmpstr(m[3].name, ==, "f");
    g_assert_null(m[4].name);
    g_free(m);
    for (size_t n = 0; n < sizeof(text); n++) {
        char *error = NULL, *cut = g_memdup2(text, n);

        m = eventlog_json_read(cut, n, &error);
        if (!m)
            g_assert_true(g_str_has_prefix(error, "column "));
        g_free(m);
        g_free(cut);
        g_free(error);
    }
}

static void test_unwritable(void)
{
    World w;
    GError *error = NULL;

    world_init(&w);
    g_assert_null(sink_events_new(w.probes, &(SinkEventsConfig){.path = "/nowhere/log"}, &error));
    g_assert_nonnull(error);
    g_error_free(error);
    world_clear(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/trace/sink_events/kinds", test_kinds);
    g_test_add_func("/trace/sink_events/max_each", test_max_each);
    g_test_add_func("/trace/sink_events/frame", test_frame);
    g_test_add_func("/trace/sink_events/engine", test_engine);
    g_test_add_func("/trace/sink_events/selection", test_selection);
    g_test_add_func("/trace/sink_events/unwritable", test_unwritable);
    g_test_add_func("/trace/eventlog/classes", test_classes);
    g_test_add_func("/trace/eventlog/patterns", test_patterns);
    g_test_add_func("/trace/eventlog/read", test_read);
    return g_test_run();
}
