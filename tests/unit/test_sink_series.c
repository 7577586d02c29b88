/* sim/trace/sink_series: rows are instants, columns keep their values, half a file has no name. */
#include "sim/trace/sink_series.h"

#include "tests/unit/sink_helper.h"

static SinkSeries *open_series(World *w)
{
    char *path = world_path(w, "s.tsv");
    GError *error = NULL;
    SinkSeries *s = sink_series_new(w->probes, path, &error);

    g_assert_no_error(error);
    g_free(path);
    return s;
}

static void emit(World *w, const ProbePoint *point, SimTime at, uint64_t packets, uint64_t bytes)
{
    world_at(w, at);
    probe_emit(point->node, &world_queue, point, NULL, (ProbeValue[]){{.u = packets}, {.u = bytes}});
}

static void test_rows(void)
{
    World w;
    SinkSeries *s;
    char *text;

    world_init(&w);
    s = open_series(&w);
    sink_series_add_probe(s, &world_queue, "client:eth0");
    sink_series_add_column(s, PROBE_QUEUE, "queue.length", "packets", "server", "server's queue (packets)");
    g_assert_cmphex(sim_partition(w.sim, 0)->probe_mask, ==, PROBE_BIT(PROBE_QUEUE));
    emit(&w, &w.eth0, 1000, 1, 114);
    emit(&w, &w.eth0, 1000, 2, 228); /* the same instant: one row */
    emit(&w, &w.eth1, SIM_SEC, 9, 900);
    g_assert_cmpuint(sink_series_rows(s), ==, 2);
    g_assert_true(sink_series_close(s, NULL));
    text = world_read(&w, "s.tsv", NULL);
    g_assert_cmpstr(
        text, ==,
        "# time (s)\tclient:eth0 queue.length packets\tclient:eth0 queue.length length_bytes\tserver's queue "
        "(packets)\n"
        "0.000001000\t2\t228\tnan\n"
        "1.000000000\t2\t228\t9\n");
    g_free(text);
    world_clear(&w);
}

/* One row for each multiple of the period; a report on the multiple itself belongs to it. */
static void test_period(void)
{
    World w;
    SinkSeries *s;
    char *text;

    world_init(&w);
    s = open_series(&w);
    sink_series_set_period(s, SIM_MS);
    sink_series_add_column(s, PROBE_CLASSES, "queue.length", "packets", "client:eth0", "n");
    emit(&w, &w.eth0, 0, 1, 0);
    emit(&w, &w.eth0, 1, 2, 0);
    emit(&w, &w.eth0, 999999, 3, 0);
    emit(&w, &w.eth0, SIM_MS, 4, 0);
    emit(&w, &w.eth0, 5 * SIM_MS + 1, 5, 0);
    g_assert_true(sink_series_close(s, NULL));
    text = world_read(&w, "s.tsv", NULL);
    g_assert_cmpstr(text, ==, "# time (s)\tn\n0.000000000\t1\n0.001000000\t4\n0.006000000\t5\n");
    g_free(text);
    world_clear(&w);
}

static void test_kinds(void)
{
    World w;
    SinkSeries *s;
    char *text;

    world_init(&w);
    s = open_series(&w);
    sink_series_add_probe(s, &world_everything, "*");
    probe_emit(&w.client, &world_everything, NULL, NULL,
               (ProbeValue[]){{.u = 1},
                              {.i = -1},
                              {.u = 1},
                              {.i = SIM_NEVER},
                              {.u = 0xc0a80002},
                              {.u = 0xffffffffffff},
                              {.s = "a\tb"},
                              {.f = 0.5}});
    g_assert_true(sink_series_close(s, NULL));
    text = world_read(&w, "s.tsv", NULL);
    g_assert_true(
        g_str_has_suffix(text, "\n0.000000000\t1\t-1\t1\tinf\t192.168.0.2\tff:ff:ff:ff:ff:ff\ta b\t0.5\n"));
    g_free(text);
    world_clear(&w);
}

static void test_empty(void)
{
    World w;
    SinkSeries *s;
    char *text;

    world_init(&w);
    s = open_series(&w);
    sink_series_add_column(s, PROBE_QUEUE, "queue.length", "packets", "nobody", NULL);
    emit(&w, &w.eth0, 5, 1, 1);
    g_assert_true(sink_series_close(s, NULL));
    text = world_read(&w, "s.tsv", NULL);
    g_assert_cmpstr(text, ==, "# time (s)\tnobody queue.length packets\n");
    g_free(text);
    world_clear(&w);
}

static void test_discard(void)
{
    World w;
    SinkSeries *s;
    char *path;

    world_init(&w);
    s = open_series(&w);
    sink_series_add_probe(s, &world_queue, "*");
    emit(&w, &w.eth0, 5, 1, 1);
    emit(&w, &w.eth0, 6, 2, 2);
    sink_series_discard(s);
    path = world_path(&w, "s.tsv");
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    g_free(path);
    world_clear(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/trace/sink_series/rows", test_rows);
    g_test_add_func("/trace/sink_series/period", test_period);
    g_test_add_func("/trace/sink_series/kinds", test_kinds);
    g_test_add_func("/trace/sink_series/empty", test_empty);
    g_test_add_func("/trace/sink_series/discard", test_discard);
    return g_test_run();
}
