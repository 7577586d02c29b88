/* The run loop, the list of nodes, and the streams of random numbers. */
#include "sim/engine/sim.h"

#include <glib.h>

#include "sim/base/rng.h"

typedef struct Tick {
    Node *node;
    GString *log;
    SimTime every; /* 0: for ever at the same time */
    char name;
    bool stop;
} Tick;

static void on_tick(void *arg)
{
    Tick *t = arg;

    if (t->log)
        g_string_append_printf(t->log, "%c%d ", t->name, (int)node_now(t->node));
    if (t->stop)
        sim_stop(node_sim(t->node));
    node_after(t->node, t->every, on_tick, t);
}

static void nop(void *arg)
{
}

/* Events of one instant: by the node's number, then in the order in which that node scheduled them. */
static void test_order(void)
{
    GString *log = g_string_new(NULL);
    Sim *s = sim_new(1);
    Node n[3];

    node_init(&n[0], s, "x");
    node_init(&n[1], s, "y");
    node_init(&n[2], s, "z");
    Tick tick[] = {{&n[2], log, 10, 'z', 0},
                   {&n[0], log, 10, 'a', 0},
                   {&n[1], log, 10, 'y', 0},
                   {&n[0], log, 10, 'b', 0}};
    for (size_t i = 0; i < HS_ARRAY_LEN(tick); i++)
        node_at(tick[i].node, 5, on_tick, &tick[i]);
    g_assert_cmpint(sim_run(s, &(SimLimits){.until = 15}), ==, SIM_STOP_TIME);
    g_assert_cmpstr(log->str, ==, "a5 b5 y5 z5 a15 b15 y15 z15 ");
    g_assert_cmpuint(sim_events(s), ==, 8);
    g_string_free(log, TRUE);
    sim_free(s);
}

/* `until` is included; the clock then stands there, also when nothing is left; without it, at the last event.
 */
static void test_until(void)
{
    Sim *s = sim_new(1);
    Node n;

    node_init(&n, s, "n");
    node_at(&n, 10, nop, NULL);
    node_at(&n, 20, nop, NULL);
    g_assert_cmpint(sim_run(s, &(SimLimits){.until = 10}), ==, SIM_STOP_TIME);
    g_assert_cmpuint(sim_events(s), ==, 1);
    g_assert_cmpint(sim_now(s), ==, 10);
    g_assert_cmpint(sim_run(s, &(SimLimits){.until = 19}), ==, SIM_STOP_TIME);
    g_assert_cmpint(sim_now(s), ==, 19);
    g_assert_cmpint(sim_run(s, &(SimLimits){.until = SIM_NEVER}), ==, SIM_STOP_IDLE);
    g_assert_cmpint(sim_now(s), ==, 20);
    g_assert_cmpint(sim_run(s, &(SimLimits){.until = 30}), ==, SIM_STOP_IDLE);
    g_assert_cmpint(sim_now(s), ==, 30);
    g_assert_cmpint(sim_run(s, &(SimLimits){.until = 5}), ==, SIM_STOP_IDLE);
    g_assert_cmpint(sim_now(s), ==, 30); /* never backwards */
    sim_free(s);
}

static bool poll_thrice(void *user)
{
    return ++*(int *)user < 3;
}

static void test_limits(void)
{
    Sim *s = sim_new(1);
    Node n;
    int polls = 0;

    node_init(&n, s, "n");
    Tick t = {.node = &n, .every = 1};
    node_at(&n, 1, on_tick, &t);
    g_assert_cmpint(sim_run(s, &(SimLimits){.until = SIM_NEVER, .events = 100}), ==, SIM_STOP_EVENTS);
    g_assert_cmpuint(sim_events(s), ==, 100);
    g_assert_cmpint(sim_now(s), ==, 100);
    g_assert_cmpint(
        sim_run(s, &(SimLimits){.until = SIM_NEVER, .poll = poll_thrice, .user = &polls, .poll_every = 50}),
        ==, SIM_STOP_POLL);
    g_assert_cmpint(polls, ==, 3);
    g_assert_cmpuint(sim_events(s), ==, 250);
    polls = -1000;
    g_assert_cmpint(sim_run(s, &(SimLimits){.until = SIM_NEVER,
                                            .events = 120,
                                            .poll = poll_thrice,
                                            .user = &polls,
                                            .poll_every = 50}),
                    ==, SIM_STOP_EVENTS);
    g_assert_cmpint(polls, ==, -998);
    g_assert_cmpuint(sim_events(s), ==, 370);
    t.stop = true;
    g_assert_cmpint(sim_run(s, &(SimLimits){.until = SIM_NEVER}), ==, SIM_STOP_REQUEST);
    g_assert_cmpuint(sim_events(s), ==, 371);
    g_assert_false(sim_is_running(s));
    sim_free(s);
}

/* A loop without delay is found, and the node in it named, though others have events at the same instant; a
 * run that goes on has lost nothing. */
static void test_stuck(void)
{
    Sim *s = sim_new(1);
    Node n[3];

    for (int i = 0; i < 3; i++)
        node_init(&n[i], s, (const char *const[]){"calm", "mad", "quiet"}[i]);
    Tick calm = {.node = &n[0], .every = 5}, mad = {.node = &n[1]};
    node_at(&n[0], 0, on_tick, &calm);
    for (int i = 0; i < 50; i++)
        node_at(&n[2], 10, nop, NULL);
    node_at(&n[1], 10, on_tick, &mad);
    g_assert_cmpint(sim_run(s, &(SimLimits){.until = SIM_SEC, .same_time = 5000}), ==, SIM_STOP_STUCK);
    g_assert_cmpstr(sim_stuck_node(s)->name, ==, "mad");
    g_assert_cmpint(sim_now(s), ==, 10);
    mad.every = 1000;
    g_assert_cmpint(sim_run(s, &(SimLimits){.until = 100}), ==, SIM_STOP_TIME);
    g_assert_null(sim_stuck_node(s));
    g_assert_cmpuint(sim_pending(s), ==, 2); /* calm and mad; the quiet one's 50 have been */
    sim_free(s);
}

static void on_event(void *user, SimTime time, uint64_t key)
{
    g_string_append_printf(user, "%d:%u.%u ", (int)time, event_key_node(key),
                           (unsigned)(key & ((UINT64_C(1) << EVENT_SEQ_BITS) - 1)));
}

static void test_on_event(void)
{
    GString *log = g_string_new(NULL);
    Sim *s = sim_new(1);
    Node n[2];

    node_init(&n[0], s, "a");
    node_init(&n[1], s, "b");
    sim_partition(s, 0)->on_event = on_event;
    sim_partition(s, 0)->on_event_user = log;
    node_at(&n[1], 3, nop, NULL);
    node_at(&n[1], 3, nop, NULL);
    node_at(&n[0], 3, nop, NULL);
    sim_run(s, &(SimLimits){.until = SIM_NEVER});
    g_assert_cmpstr(log->str, ==, "3:0.0 3:1.0 3:1.1 ");
    g_string_free(log, TRUE);
    sim_free(s);
}

static void test_nodes(void)
{
    Sim *s = sim_new(7);
    Node a, b;

    node_init(&a, s, "a");
    node_init(&b, s, "b");
    g_assert_cmpuint(sim_seed(s), ==, 7);
    g_assert_cmpuint(sim_node_count(s), ==, 2);
    g_assert_true(sim_node(s, 1) == &b);
    g_assert_true(sim_node_by_name(s, "a") == &a);
    node_clear(&a);
    g_assert_null(sim_node(s, 0));
    g_assert_null(sim_node_by_name(s, "a"));
    g_assert_null(sim_node(s, 2));
    node_init(&a, s, "a");
    g_assert_cmpuint(a.id, ==, 2);
    sim_free(s);
    sim_free(NULL);
}

/* A stream depends on seed, node and purpose; not on who else is there, nor on who asked first. */
static void test_streams(void)
{
    uint64_t draw[2], unseed[3];
    Node a, b;

    for (int turn = 0; turn < 2; turn++) {
        Sim *s = sim_new(5);
        Rng *x, *y;

        if (turn) { /* another node, other streams, another order */
            node_init(&b, s, "b");
            rng_next(node_rng(&b, "x"));
        }
        node_init(&a, s, "a");
        if (turn) {
            node_rng(&a, "z");
            y = node_rng(&a, "y");
            x = node_rng(&a, "x");
        } else {
            x = node_rng(&a, "x");
            y = node_rng(&a, "y");
        }
        g_assert_true(x != y);
        g_assert_true(node_rng(&a, "x") == x);
        draw[turn] = rng_next(x) ^ rng_next(y) << 1;
        sim_free(s);
    }
    g_assert_cmphex(draw[0], ==, draw[1]);

    /* The unseed: the same for the same draws from the same streams, whatever the order; another for one draw
     * more. */
    for (int turn = 0; turn < 3; turn++) {
        Sim *s = sim_new(5);

        node_init(&a, s, "a");
        node_init(&b, s, "b");
        if (turn == 1) {
            rng_next(node_rng(&b, "x"));
            node_rng(&a, "y");
            rng_next(node_rng(&a, "x"));
        } else {
            rng_next(node_rng(&a, "x"));
            rng_next(node_rng(&b, "x"));
            node_rng(&a, "y");
        }
        if (turn == 2)
            rng_next(node_rng(&a, "y"));
        unseed[turn] = sim_unseed(s);
        sim_free(s);
    }
    g_assert_cmphex(unseed[0], ==, unseed[1]);
    g_assert_cmphex(unseed[0], !=, unseed[2]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/engine/sim/order", test_order);
    g_test_add_func("/engine/sim/until", test_until);
    g_test_add_func("/engine/sim/limits", test_limits);
    g_test_add_func("/engine/sim/stuck", test_stuck);
    g_test_add_func("/engine/sim/on-event", test_on_event);
    g_test_add_func("/engine/sim/nodes", test_nodes);
    g_test_add_func("/engine/sim/streams", test_streams);
    return g_test_run();
}
