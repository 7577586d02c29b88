/* Lazy timers: as if each arming had queued an event of its own, but without the cost. */
#include "sim/engine/timer.h"

#include <glib.h>

#include "sim/base/rng.h"
#include "sim/engine/sim.h"

typedef struct T {
    Timer timer;
    GString *log;
    char name;
} T;

static void on_t(Timer *t)
{
    T *x = HS_CONTAINER_OF(t, T, timer);

    g_string_append_printf(x->log, "%c%d ", x->name, (int)node_now(t->node));
}

typedef struct World {
    Sim *sim;
    Node node[2];
    GString *log;
    T a, b;
} World;

static void world_init(World *w)
{
    *w = (World){.sim = sim_new(1), .log = g_string_new(NULL)};
    node_init(&w->node[0], w->sim, "n0");
    node_init(&w->node[1], w->sim, "n1");
    w->a = (T){.log = w->log, .name = 'a'};
    w->b = (T){.log = w->log, .name = 'b'};
    timer_init(&w->a.timer, &w->node[0], on_t);
    timer_init(&w->b.timer, &w->node[0], on_t);
}

static void world_clear(World *w)
{
    timer_clear(&w->a.timer);
    timer_clear(&w->b.timer);
    node_clear(&w->node[0]);
    node_clear(&w->node[1]);
    g_string_free(w->log, TRUE);
    sim_free(w->sim);
}

static SimStop run(World *w, SimTime until)
{
    return sim_run(w->sim, &(SimLimits){.until = until});
}

/* Moving a deadline later, and cancelling, do not touch the queue. */
static void test_later_is_free(void)
{
    World w;
    const EvQueue *q;
    uint64_t moves;

    world_init(&w);
    q = &sim_partition(w.sim, 0)->queue;
    timer_arm(&w.a.timer, 10);
    moves = q->moves;
    for (int i = 11; i <= 1000; i++)
        timer_arm(&w.a.timer, i);
    timer_cancel(&w.a.timer);
    timer_arm(&w.a.timer, 1000);
    g_assert_cmpuint(q->moves, ==, moves);
    g_assert_cmpuint(evqueue_len(q), ==, 1);
    g_assert_cmpuint(q->n_dead, ==, 0);
    g_assert_cmpint(run(&w, SIM_NEVER), ==, SIM_STOP_IDLE);
    g_assert_cmpstr(w.log->str, ==, "a1000 ");
    g_assert_cmpuint(sim_events(w.sim), ==, 1); /* the stale entry at 10 was no event */
    g_assert_false(timer_is_armed(&w.a.timer));
    world_clear(&w);
}

static void test_earlier(void)
{
    World w;

    world_init(&w);
    timer_arm(&w.a.timer, 1000);
    timer_arm(&w.a.timer, 10);
    timer_arm_after(&w.b.timer, 20);
    run(&w, SIM_NEVER);
    g_assert_cmpstr(w.log->str, ==, "a10 b20 ");
    g_assert_cmpuint(sim_events(w.sim), ==, 2);
    world_clear(&w);
}

static void note(void *arg)
{
    T *x = arg;

    g_string_append_printf(x->log, "%c%d ", x->name, (int)node_now(x->timer.node));
}

/* At one instant the order is that of arming, also when the entry was queued long before or had to move. */
static void test_order(void)
{
    World w;

    world_init(&w);
    timer_arm(&w.a.timer, 5); /* will be moved to 50, by an arming later than b's */
    timer_arm(&w.b.timer, 50);
    timer_arm(&w.a.timer, 50);
    run(&w, SIM_NEVER);
    g_assert_cmpstr(w.log->str, ==, "b50 a50 ");

    g_string_truncate(w.log, 0); /* the entry stands at the right time, but its place is an old one */
    timer_arm(&w.a.timer, 100);
    timer_arm(&w.b.timer, 100);
    timer_arm(&w.a.timer, 100);
    run(&w, SIM_NEVER);
    g_assert_cmpstr(w.log->str, ==, "b100 a100 ");

    g_string_truncate(w.log, 0); /* the same among plain events */
    T plain = {.log = w.log, .name = 'p'};
    timer_init(&plain.timer, &w.node[0], on_t);
    timer_arm(&w.a.timer, 120);
    timer_arm(&w.a.timer, 200);
    node_at(&w.node[0], 200, note, &plain);
    timer_arm(&w.b.timer, 200);
    run(&w, SIM_NEVER);
    g_assert_cmpstr(w.log->str, ==, "a200 p200 b200 ");
    world_clear(&w);
}

/* Cancelled timers leave nothing to wait for: no event, no step of the clock, and "no events left" at once.
 */
static void test_cancelled(void)
{
    World w;

    world_init(&w);
    timer_arm(&w.a.timer, 100);
    timer_arm(&w.b.timer, 7);
    g_assert_cmpuint(sim_pending(w.sim), ==, 2);
    timer_cancel(&w.a.timer);
    timer_cancel(&w.a.timer);
    g_assert_cmpuint(sim_pending(w.sim), ==, 1);
    g_assert_cmpint(run(&w, 50), ==, SIM_STOP_IDLE); /* the stale entry at 100 is not an event left */
    g_assert_cmpint(sim_now(w.sim), ==, 50);
    g_assert_cmpint(run(&w, SIM_NEVER), ==, SIM_STOP_IDLE);
    g_assert_cmpint(sim_now(w.sim), ==, 50);
    g_assert_cmpstr(w.log->str, ==, "b7 ");
    g_assert_cmpuint(sim_pending(w.sim), ==, 0);

    timer_arm(&w.a.timer, 100);
    timer_cancel(&w.a.timer);
    timer_clear(&w.a.timer);
    timer_clear(&w.a.timer);
    timer_arm(&w.b.timer, 100);
    timer_clear(&w.b.timer);
    g_assert_cmpuint(sim_pending(w.sim), ==, 0);
    g_assert_cmpuint(evqueue_len(&sim_partition(w.sim, 0)->queue), ==, 0);
    world_clear(&w);
}

/* The run loop passes a stale entry far ahead, the clock stays, and what is armed before that entry still
 * comes in order. */
static void test_before_stale(void)
{
    World w;

    world_init(&w);
    timer_arm(&w.a.timer, 1000000);
    timer_cancel(&w.a.timer);
    run(&w, SIM_NEVER);
    g_assert_cmpint(sim_now(w.sim), ==, 0);
    timer_arm(&w.b.timer, 20);
    timer_arm(&w.a.timer, 10);
    run(&w, SIM_NEVER);
    g_assert_cmpstr(w.log->str, ==, "a10 b20 ");
    world_clear(&w);
}

#define CROWD 200

typedef struct Crowd {
    Sim *sim;
    Node node;
    Rng rng;
    struct Member {
        Timer timer;
        struct Crowd *crowd;
        SimTime due;    /* -1: not armed */
        uint64_t place; /* of the last arming */
    } member[CROWD];
    uint64_t places, fired, last_place;
    SimTime last;
} Crowd;

static void crowd_arm(Crowd *c, struct Member *m)
{
    m->due = node_now(&c->node) + (SimTime)rng_below(&c->rng, rng_below(&c->rng, 4) ? 50 : 100000);
    m->place = c->places++;
    timer_arm(&m->timer, m->due);
}

static void on_crowd(Timer *t)
{
    struct Member *m = HS_CONTAINER_OF(t, struct Member, timer);
    Crowd *c = m->crowd;

    g_assert_cmpint(m->due, ==, node_now(t->node));
    g_assert_true(c->last < m->due || c->last_place < m->place);
    c->last = m->due;
    c->last_place = m->place;
    c->fired++;
    m->due = -1;
    for (int i = 0; i < 4; i++) {
        struct Member *o = &c->member[rng_below(&c->rng, CROWD)];

        if (rng_below(&c->rng, 4)) {
            crowd_arm(c, o);
        } else {
            timer_cancel(&o->timer);
            o->due = -1;
        }
    }
}

/* A crowd of timers that arm and cancel each other, against what was asked for: nobody fires early, late, out
 * of order, after a cancel, or not at all; run in slices, with armings in between at times before entries
 * already passed. */
static void test_crowd(void)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        Crowd c = {.sim = sim_new(seed)};

        node_init(&c.node, c.sim, "n");
        rng_init(&c.rng, seed, "", "test");
        for (int i = 0; i < CROWD; i++) {
            c.member[i].crowd = &c;
            c.member[i].due = -1;
            timer_init(&c.member[i].timer, &c.node, on_crowd);
        }
        for (int slice = 0; slice < 300; slice++) {
            uint64_t armed = 0;

            for (int i = 0; i < 10; i++)
                crowd_arm(&c, &c.member[rng_below(&c.rng, CROWD)]);
            for (int i = 0; i < CROWD; i++)
                armed += c.member[i].due >= 0;
            g_assert_cmpuint(sim_pending(c.sim), ==, armed);
            sim_run(c.sim,
                    &(SimLimits){.until = sim_now(c.sim) + (SimTime)rng_below(&c.rng, 3000), .events = 200});
            for (int i = 0; i < CROWD; i++)
                g_assert_true(c.member[i].due < 0 || c.member[i].due >= sim_now(c.sim));
        }
        g_assert_cmpuint(c.fired, ==, sim_events(c.sim));
        g_assert_cmpuint(c.fired, >, 1000);
        for (int i = 0; i < CROWD; i++)
            timer_clear(&c.member[i].timer);
        g_assert_cmpuint(sim_pending(c.sim), ==, 0);
        node_clear(&c.node);
        sim_free(c.sim);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/engine/timer/later-is-free", test_later_is_free);
    g_test_add_func("/engine/timer/earlier", test_earlier);
    g_test_add_func("/engine/timer/order", test_order);
    g_test_add_func("/engine/timer/cancelled", test_cancelled);
    g_test_add_func("/engine/timer/before-stale", test_before_stale);
    g_test_add_func("/engine/timer/crowd", test_crowd);
    return g_test_run();
}
