/* sim/trace/sink_digest: what moves which grade, and what must not move any. */
#include "sim/trace/sink_digest.h"

#include "tests/unit/sink_helper.h"

/* The digest of what `act` does. */
static SinkDigestValue digest_of(void (*act)(World *w))
{
    World w;
    SinkDigest *d;
    SinkDigestValue v;

    world_init(&w);
    d = sink_digest_new(w.sim, w.probes);
    sim_partition(w.sim, 0)->on_event = sink_digest_on_event;
    sim_partition(w.sim, 0)->on_event_user = d;
    act(&w);
    sink_digest_get(d, &v);
    sink_digest_free(d);
    world_clear(&w);
    return v;
}

static void send(World *w, SimTime at, uint64_t off, uint32_t n)
{
    Packet *p = world_frame(w, 7, off, n);

    world_at(w, at);
    probe_tx(&w->eth0, p);
    packet_unref(p);
}

static void nothing(World *w)
{
}

static void one_frame(World *w)
{
    send(w, 1000, 0, 100);
}

static void later_frame(World *w)
{
    send(w, 1001, 0, 100);
}

static void longer_frame(World *w)
{
    send(w, 1000, 0, 101);
}

static void other_bytes(World *w)
{
    send(w, 1000, 1, 100);
}

static void same_bytes(World *w)
{
    send(w, 1000, PAYLOAD_PERIOD, 100);
}

static void other_point(World *w)
{
    Packet *p = world_frame(w, 7, 0, 100);

    world_at(w, 1000);
    probe_tx(&w->eth1, p);
    packet_unref(p);
}

static void drop_with(World *w, ProbeDrop reason)
{
    world_at(w, 1000);
    probe_drop(&w->client, &w->eth0, world_frame(w, 7, 0, 100), reason);
}

static void full_queue(World *w)
{
    drop_with(w, DROP_QUEUE_FULL);
}

static void random_loss(World *w)
{
    drop_with(w, DROP_LOSS);
}

static void frame_and_arrival(World *w)
{
    Packet *p = world_frame(w, 7, 0, 100);

    world_at(w, 1000);
    probe_tx(&w->eth0, p);
    probe_rx(&w->eth1, p);
    packet_unref(p);
}

static void frame_and_state(World *w)
{
    one_frame(w);
    probe_emit(&w->server, &world_queue, &w->eth1, NULL, (ProbeValue[]){{.u = 1}, {.u = 114}});
}

static void on_nothing(void *arg)
{
}

static void frame_and_event(World *w)
{
    one_frame(w);
    node_at(&w->server, 2000, on_nothing, NULL);
    sim_run(w->sim, &(SimLimits){.until = SIM_NEVER});
}

static void assert_grades(void (*a)(World *), void (*b)(World *), bool frames, bool state, bool events)
{
    SinkDigestValue va = digest_of(a), vb = digest_of(b);

    g_assert_cmpint(strcmp(va.frames, vb.frames) == 0, ==, frames);
    g_assert_cmpint(strcmp(va.state, vb.state) == 0, ==, state);
    g_assert_cmpint(strcmp(va.events, vb.events) == 0, ==, events);
}

static void test_repeats(void)
{
    assert_grades(one_frame, one_frame, true, true, true);
    assert_grades(frame_and_event, frame_and_event, true, true, true);
}

static void test_frames(void)
{
    assert_grades(nothing, one_frame, false, false, false);
    assert_grades(one_frame, later_frame, false, false, false);
    assert_grades(one_frame, longer_frame, false, false, false);
    assert_grades(one_frame, other_bytes, false, false, false);
    assert_grades(one_frame, other_point, false, false, false);
    assert_grades(one_frame, full_queue, false, false, false);
    assert_grades(full_queue, random_loss, false, false, false);
}

/* Synthetic payload repeats itself after its period: the same bytes are the same frame. */
static void test_same_bytes(void)
{
    assert_grades(one_frame, same_bytes, true, true, true);
}

static void test_grades(void)
{
    assert_grades(one_frame, frame_and_arrival, true, true, true);
    assert_grades(one_frame, frame_and_state, true, false, false);
    assert_grades(one_frame, frame_and_event, true, true, false);
}

/* An observer that copies frames sees true checksums; the packet keeps its lazy one, and the digest its
 * value. */
static void watched(World *w, bool watch)
{
    Packet *p = packet_new(w->pool, 0, 7, PKT_HEADROOM);
    uint8_t bytes[200];

    memset(packet_put(p, 42), 0, 42);
    packet_add_synthetic(p, 5, 100);
    packet_set_csum_partial(p, p->head + 34u, p->head + 40u);
    if (watch)
        g_assert_cmpuint(packet_copy(p, 0, bytes, sizeof(bytes)), ==, 142);
    world_at(w, 1000);
    probe_tx(&w->eth0, p);
    packet_unref(p);
}

static void alone(World *w)
{
    watched(w, false);
}

static void observed(World *w)
{
    watched(w, true);
}

static void test_observers(void)
{
    assert_grades(alone, observed, true, true, true);
}

/* Nodes have hashes of their own: what happens at one instant on two nodes has no order. */
static void client_first(World *w)
{
    probe_emit(&w->client, &world_queue, &w->eth0, NULL, (ProbeValue[]){{.u = 1}, {.u = 2}});
    probe_emit(&w->server, &world_queue, &w->eth1, NULL, (ProbeValue[]){{.u = 3}, {.u = 4}});
}

static void server_first(World *w)
{
    probe_emit(&w->server, &world_queue, &w->eth1, NULL, (ProbeValue[]){{.u = 3}, {.u = 4}});
    probe_emit(&w->client, &world_queue, &w->eth0, NULL, (ProbeValue[]){{.u = 1}, {.u = 2}});
}

static void test_interleaving(void)
{
    assert_grades(client_first, server_first, true, true, true);
}

static void test_line(void)
{
    World w;
    SinkDigest *d;
    char line[SINK_DIGEST_LINE_LEN];

    world_init(&w);
    d = sink_digest_new(w.sim, w.probes);
    g_assert_true(g_regex_match_simple("^digest frames=[0-9a-f]{32} state=[0-9a-f]{32} events=[0-9a-f]{32}$",
                                       sink_digest_line(d, line), 0, 0));
    sink_digest_free(d);
    g_assert_cmpuint(sim_partition(w.sim, 0)->probe_mask, ==, 0);
    world_clear(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/trace/sink_digest/repeats", test_repeats);
    g_test_add_func("/trace/sink_digest/frames", test_frames);
    g_test_add_func("/trace/sink_digest/same-bytes", test_same_bytes);
    g_test_add_func("/trace/sink_digest/grades", test_grades);
    g_test_add_func("/trace/sink_digest/observers", test_observers);
    g_test_add_func("/trace/sink_digest/interleaving", test_interleaving);
    g_test_add_func("/trace/sink_digest/line", test_line);
    return g_test_run();
}
