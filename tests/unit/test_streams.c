/* A stream gives the same numbers whoever keeps its state: the caller, the register, or nobody. */
#include "sim/engine/streams.h"

#include "sim/engine/sim.h"

/* So many draws are beyond what is found again each time. */
#define MANY 200
/* rng_below rejects nearly every second draw. */
#define ODD ((UINT64_C(1) << 63) + 1)

typedef struct World {
    Sim *sim;
    Node a, b;
} World;

static void world_init(World *w)
{
    w->sim = sim_new(11);
    node_init(&w->a, w->sim, "a");
    node_init(&w->b, w->sim, "b");
}

static void test_same_numbers(void)
{
    World x, y;

    world_init(&x);
    world_init(&y);
    for (unsigned i = 0; i < MANY; i++) {
        Rng *lent = node_rng(&x.a, "p");

        g_assert_cmphex(node_draw(&y.a, "p"), ==, rng_next(lent));
        g_assert_cmphex(node_draw_below(&y.a, "p", ODD), ==, rng_below(lent, ODD));
        g_assert_cmphex(node_draw_below(&y.a, "p", 6), ==, rng_below(lent, 6));
        g_assert_cmphex(sim_unseed(x.sim), ==, sim_unseed(y.sim));
    }
    sim_free(x.sim);
    sim_free(y.sim);
}

/* node_rng goes on where node_draw was, after few draws and after many, and the other way round. */
static void test_lend_later(void)
{
    static const unsigned drawn[] = {0, 1, 63, 64, 65, MANY};

    for (unsigned i = 0; i < HS_ARRAY_LEN(drawn); i++) {
        Rng own;
        World w;

        world_init(&w);
        rng_init(&own, 11, "a", "p");
        for (unsigned k = 0; k < drawn[i]; k++)
            g_assert_cmphex(node_draw(&w.a, "p"), ==, rng_next(&own));
        g_assert_cmphex(rng_next(node_rng(&w.a, "p")), ==, rng_next(&own));
        g_assert_cmphex(node_draw(&w.a, "p"), ==, rng_next(&own));
        g_assert_cmphex(rng_next(node_rng(&w.a, "p")), ==, rng_next(&own));
        sim_free(w.sim);
    }
}

/* Numbers that were passed over are those that would have been drawn; whoever draws next gets the following
 * ones. */
static void test_pass(void)
{
    static const unsigned drawn[] = {0, 10, 60, 64, MANY};

    for (unsigned i = 0; i < 2 * HS_ARRAY_LEN(drawn); i++) {
        uint64_t passed[3], from;
        Rng own;
        World w;

        world_init(&w);
        if (i % 2) /* of one that was lent, too: a host starts again */
            node_rng(&w.a, "p");
        rng_init(&own, 11, "a", "p");
        for (unsigned k = 0; k < drawn[i / 2]; k++)
            g_assert_cmphex(node_draw(&w.a, "p"), ==, rng_next(&own));
        from = node_pass_draws(&w.a, "p", 3);
        g_assert_cmpuint(from, ==, drawn[i / 2]);
        for (unsigned again = 0; again < 2; again++) {
            Rng same = own;

            node_passed_draws(&w.a, "p", from, passed, 3);
            for (unsigned k = 0; k < 3; k++)
                g_assert_cmphex(passed[k], ==, rng_next(&same));
        }
        for (unsigned k = 0; k < 3; k++)
            rng_next(&own);
        g_assert_cmphex(node_draw(&w.a, "p"), ==, rng_next(&own));
        sim_free(w.sim);
    }
}

/* A name says which stream it is, wherever the slash is. */
static void test_names(void)
{
    Sim *s = sim_new(11);
    Node a, ab;

    node_init(&a, s, "a");
    node_init(&ab, s, "a/b");
    g_assert_true(node_rng(&a, "b/c") != node_rng(&ab, "c"));
    g_assert_true(node_rng(&a, "b/c") == node_rng(&a, "b/c"));
    sim_free(s);
}

/* What it is for: many of them, in 24 bytes each. */
static void test_small(void)
{
    enum { N = 10000 };
    Cells cells;
    Streams s;

    if (POOL_ASAN) {
        g_test_skip("cells come from malloc");
        return;
    }
    cells_init(&cells);
    streams_init(&s, 1, &cells);
    for (unsigned i = 0; i < N; i++) {
        char purpose[16];

        g_snprintf(purpose, sizeof purpose, "p%u", i);
        streams_draw(&s, "a", purpose, 0);
    }
    g_assert_cmpuint(cells_bytes(&cells), <=, 25 * N);
    g_assert_cmpuint(s.n, ==, N);
    streams_clear(&s);
    cells_clear(&cells);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/engine/streams/same_numbers", test_same_numbers);
    g_test_add_func("/engine/streams/lend_later", test_lend_later);
    g_test_add_func("/engine/streams/pass", test_pass);
    g_test_add_func("/engine/streams/names", test_names);
    g_test_add_func("/engine/streams/small", test_small);
    return g_test_run();
}
