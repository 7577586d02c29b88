/* view/plot_sink and plot_build: what TCP's records become, which flows are shown, and what they are called.
 */
#include "view/plot_sink.h"

#include "tests/unit/sink_helper.h"
#include "view/plot_build.h"

static const ProbeDesc tcp_state = {"tcp.state",
                                    "x",
                                    PROBE_TCP,
                                    6,
                                    {{"conn", PROBE_U64},
                                     {"local_port", PROBE_U64},
                                     {"remote", PROBE_STR},
                                     {"remote_port", PROBE_U64},
                                     {"old", PROBE_STR},
                                     {"new", PROBE_STR}}};
/* The order of the fields is no matter. */
static const ProbeDesc tcp_cwnd = {"tcp.cwnd",
                                   "x",
                                   PROBE_TCP,
                                   5,
                                   {{"ca_state", PROBE_STR},
                                    {"inflight", PROBE_U64},
                                    {"conn", PROBE_U64},
                                    {"cwnd", PROBE_U64},
                                    {"ssthresh", PROBE_U64}}};
static const ProbeDesc tcp_send = {
    "tcp.send",
    "x",
    PROBE_TCP,
    4,
    {{"conn", PROBE_U64}, {"length_bytes", PROBE_U64}, {"flags", PROBE_U64}, {"segments", PROBE_U64}}};

static void state(World *w, const Node *n, uint64_t conn, unsigned local, const char *remote, unsigned port)
{
    probe_emit(n, &tcp_state, NULL, NULL,
               (ProbeValue[]){{.u = conn}, {.u = local}, {.s = remote}, {.u = port}, {.s = "A"}, {.s = "B"}});
}

static void cwnd(World *w, SimTime t, const Node *n, uint64_t conn, unsigned value, unsigned ssthresh,
                 const char *ca_state)
{
    world_at(w, t);
    probe_emit(n, &tcp_cwnd, NULL, NULL,
               (ProbeValue[]){{.s = ca_state}, {.u = value}, {.u = conn}, {.u = value}, {.u = ssthresh}});
}

static void sent(World *w, const Node *n, uint64_t conn, unsigned bytes)
{
    probe_emit(
        n, &tcp_send, NULL, NULL,
        (ProbeValue[]){{.u = conn}, {.u = bytes}, {.u = 0x10}, {.u = bytes ? (bytes + 999) / 1000 : 1}});
}

static const char *name_of(void *user, const char *addr)
{
    return !strcmp(addr, "10.0.0.2") ? "server" : !strcmp(addr, "10.0.0.1") ? "client" : NULL;
}

static PlotSink *sink_of(World *w, PlotWish wish)
{
    PlotSinkConfig config = {.wish = wish, .name_of = name_of};
    PlotSink *s = plotsink_new(&config);

    plotsink_attach(s, w->probes);
    return s;
}

/* The client sends 1000 bytes, the server answers with 10; ssthresh is infinite, then 20. */
static void dialogue(World *w)
{
    state(w, &w->client, 1, 0, "10.0.0.2", 80); /* SYN-SENT: there is no port yet */
    state(w, &w->client, 1, 4000, "10.0.0.2", 80);
    state(w, &w->server, 9, 80, "0.0.0.0", 0); /* a listener */
    state(w, &w->server, 1, 80, "10.0.0.1", 4000);
    sent(w, &w->client, 1, 1000);
    sent(w, &w->server, 1, 10);
    cwnd(w, 10 * SIM_MS, &w->client, 1, 10, 0x7fffffff, "open");
    cwnd(w, 20 * SIM_MS, &w->client, 1, 40, 0x7fffffff, "disorder");
    cwnd(w, 30 * SIM_MS, &w->client, 1, 21, 20, "recovery");
    cwnd(w, 40 * SIM_MS, &w->client, 1, 20, 20, "open");
    cwnd(w, 50 * SIM_MS, &w->client, 1, 1, 10, "loss");
    cwnd(w, 60 * SIM_MS, &w->client, 1, 2, 10, "open");
}

static void test_records(void)
{
    static const PlotState states[] = {PLOT_STATE_SLOW_START, PLOT_STATE_SLOW_START, PLOT_STATE_RECOVERY,
                                       PLOT_STATE_AVOIDANCE,  PLOT_STATE_LOSS,       PLOT_STATE_SLOW_START};
    World w;
    PlotSink *s;
    const PlotEnd *e;

    world_init(&w);
    s = sink_of(&w, (PlotWish){.what = PLOT_BIT(PLOT_CWND), .to = SIM_NEVER});
    dialogue(&w);
    plotsink_seal(s);
    g_assert_cmpuint(plotsink_end_count(s), ==, 2);
    e = plotsink_end(s, 0);
    g_assert_cmpstr(e->node, ==, "client");
    g_assert_cmpstr(e->remote_name, ==, "server");
    g_assert_cmpuint(e->local_port, ==, 4000);
    g_assert_cmpuint(e->payload, ==, 1000);
    g_assert_cmpuint(plotseries_count(&e->s[PLOT_END_CWND]), ==, 6);
    g_assert_cmpuint(plotseries_count(&e->s[PLOT_END_SSTHRESH]), ==, 4); /* infinite is none */
    for (unsigned i = 0; i < 6; i++)
        g_assert_cmpfloat(plotseries_point(&e->s[PLOT_END_STATE], i)->y, ==, states[i]);
    plotsink_free(s);
    world_clear(&w);
}

/* What comes with the SYN ACK, before the ports are told, belongs to the connection too; what is sent is in
 * flight from then on. */
static void test_early(void)
{
    World w;
    PlotSink *s;
    const PlotEnd *e;

    world_init(&w);
    s = sink_of(&w, (PlotWish){.what = PLOT_BIT(PLOT_INFLIGHT), .to = SIM_NEVER});
    state(&w, &w.client, 1, 0, "10.0.0.2", 80);
    cwnd(&w, 10 * SIM_MS, &w.client, 1, 0, 0x7fffffff, "open");
    state(&w, &w.client, 1, 4000, "10.0.0.2", 80);
    sent(&w, &w.client, 1, 0); /* the handshake's ACK */
    sent(&w, &w.client, 1, 2000);
    world_at(&w, 15 * SIM_MS);
    sent(&w, &w.client, 1, 1000);
    state(&w, &w.client, 2, 0, "10.0.0.2", 80); /* another one that never gets a port */
    cwnd(&w, 20 * SIM_MS, &w.client, 2, 9, 0x7fffffff, "open");
    plotsink_seal(s);
    g_assert_cmpuint(plotsink_end_count(s), ==, 1);
    e = plotsink_end(s, 0);
    g_assert_cmpuint(e->payload, ==, 3000);
    g_assert_cmpuint(plotseries_count(&e->s[PLOT_END_INFLIGHT]), ==, 2);
    g_assert_cmpfloat(plotseries_point(&e->s[PLOT_END_INFLIGHT], 0)->y, ==, 2);
    g_assert_cmpfloat(plotseries_point(&e->s[PLOT_END_INFLIGHT], 1)->y, ==, 3);
    plotsink_free(s);
    world_clear(&w);
}

/* The side that sends more; a title, an axis in the unit that fits, bands of the states. */
static void test_figure(void)
{
    World w;
    PlotSink *s;
    PlotRun run = {NULL, ""};
    PlotFigure *f;
    char *error = NULL;

    world_init(&w);
    s = sink_of(&w, (PlotWish){.what = PLOT_BIT(PLOT_CWND) | PLOT_BIT(PLOT_SSTHRESH), .to = SIM_NEVER});
    dialogue(&w);
    plotsink_add_note(s, 30 * SIM_MS, "here");
    plotsink_seal(s);
    run.sink = s;
    f = plot_build(&run, 1, "talk.lua", &error);
    g_assert_nonnull(f);
    g_assert_cmpstr(f->title, ==, "Congestion window, slow start threshold: talk");
    g_assert_cmpstr(f->subtitle, ==, "client → server:80");
    g_assert_cmpstr(f->axis, ==, "Time (ms)");
    g_assert_cmpfloat(f->max, ==, 60);
    g_assert_cmpuint(f->notes->len, ==, 1);
    const PlotPanel *p = f->panels->pdata[0];
    static const char *const labels[] = {"slow start", "recovery", "loss", "cwnd", "ssthresh"};

    g_assert_cmpuint(p->curves->len, ==, G_N_ELEMENTS(labels));
    for (unsigned i = 0; i < p->curves->len; i++)
        g_assert_cmpstr(((PlotCurve *)p->curves->pdata[i])->label, ==, labels[i]);
    const PlotCurve *recovery = p->curves->pdata[1];

    g_assert_cmpuint(recovery->points->len, ==, 1);
    g_assert_cmpfloat(g_array_index(recovery->points, PlotXY, 0).x, ==, 30);
    g_assert_cmpfloat(g_array_index(recovery->points, PlotXY, 0).y2, ==, 40);
    plotfigure_free(f);
    plotsink_free(s);
    world_clear(&w);
}

static void test_filter(void)
{
    static const struct {
        const char *host, *flow, *said;
    } wishes[] = {
        {"server", NULL, NULL},
        {"cl*", NULL, NULL},
        {"nobody", NULL, "no flow matches \"nobody\""},
        {NULL, "client>server", NULL},
        {NULL, "*:4000 > *:80", NULL},
        {NULL, "client>client", "there are client:4000>server:80, server:80>client:4000"},
        {NULL, "server", NULL},
        {NULL, "client:4001", "no flow matches"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(wishes); i++) {
        World w;
        PlotSink *s;
        PlotRun run = {NULL, ""};
        PlotFigure *f;
        char *error = NULL;

        world_init(&w);
        s = sink_of(&w, (PlotWish){.what = PLOT_BIT(PLOT_CWND),
                                   .to = SIM_NEVER,
                                   .host = wishes[i].host,
                                   .flow = wishes[i].flow});
        dialogue(&w);
        cwnd(&w, 70 * SIM_MS, &w.server, 1, 10, 0x7fffffff, "open");
        plotsink_seal(s);
        run.sink = s;
        f = plot_build(&run, 1, "talk.lua", &error);
        if (wishes[i].said) {
            g_assert_null(f);
            g_assert_nonnull(strstr(error, wishes[i].said));
        } else {
            g_assert_nonnull(f);
        }
        g_free(error);
        plotfigure_free(f);
        plotsink_free(s);
        world_clear(&w);
    }
}

/* Two clients' flows are called by their hosts; two of one host by their ports. */
static void test_names(void)
{
    World w;
    PlotSink *s;
    PlotRun run = {NULL, ""};
    PlotFigure *f;
    char *error = NULL;

    world_init(&w);
    s = sink_of(&w, (PlotWish){.what = PLOT_BIT(PLOT_CWND), .to = SIM_NEVER, .host = "client"});
    dialogue(&w);
    state(&w, &w.client, 2, 4001, "10.0.0.2", 80);
    sent(&w, &w.client, 2, 500);
    cwnd(&w, 70 * SIM_MS, &w.client, 2, 10, 0x7fffffff, "open");
    plotsink_seal(s);
    run.sink = s;
    f = plot_build(&run, 1, "talk.lua", &error);
    g_assert_nonnull(f);
    const PlotPanel *p = f->panels->pdata[0];

    g_assert_cmpuint(p->curves->len, ==, 2); /* no bands: whose would they be? */
    g_assert_cmpstr(((PlotCurve *)p->curves->pdata[0])->label, ==, "client:4000 → server:80");
    g_assert_cmpstr(((PlotCurve *)p->curves->pdata[1])->label, ==, "client:4001 → server:80");
    plotfigure_free(f);
    plotsink_free(s);
    world_clear(&w);
}

/* Two packets come, one leaves after 3 ms, the other after 5. */
static void test_queue(void)
{
    static const struct {
        SimTime t;
        unsigned packets;
    } steps[] = {{0, 1}, {SIM_MS, 2}, {3 * SIM_MS, 1}, {6 * SIM_MS, 0}};
    World w;
    PlotSink *s;
    const PlotQueue *q;

    world_init(&w);
    s = sink_of(&w, (PlotWish){.what = PLOT_BIT(PLOT_QUEUE) | PLOT_BIT(PLOT_SOJOURN), .to = SIM_NEVER});
    for (unsigned i = 0; i < G_N_ELEMENTS(steps); i++) {
        world_at(&w, steps[i].t);
        probe_emit(&w.client, &world_queue, &w.eth0, NULL,
                   (ProbeValue[]){{.u = steps[i].packets}, {.u = steps[i].packets * 100}});
    }
    plotsink_seal(s);
    g_assert_cmpuint(plotsink_queue_count(s), ==, 1);
    q = plotsink_queue(s, 0);
    g_assert_cmpuint(q->max_packets, ==, 2);
    g_assert_cmpuint(plotseries_count(&q->sojourn), ==, 2);
    g_assert_cmpfloat(plotseries_point(&q->sojourn, 0)->y, ==, 0.003);
    g_assert_cmpfloat(plotseries_point(&q->sojourn, 1)->y, ==, 0.005);
    plotsink_free(s);
    world_clear(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/view/plot_sink/records", test_records);
    g_test_add_func("/view/plot_sink/early", test_early);
    g_test_add_func("/view/plot_sink/queue", test_queue);
    g_test_add_func("/view/plot_build/figure", test_figure);
    g_test_add_func("/view/plot_build/filter", test_filter);
    g_test_add_func("/view/plot_build/names", test_names);
    return g_test_run();
}
