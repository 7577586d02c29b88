/* Conditions of `hopscope step`: what they may name, when they hold, what is wrong with them. */
#include "step/cond.h"

#include <glib.h>

#include "sim/trace/probe_table.h"
#include "step/watch.h"

typedef struct World {
    Net *net;
    Host *host;
    StepCond *cond;
} World;

static World world_new(void)
{
    World w = {.net = net_new(1)};
    char *error = NULL;

    w.host = net_host(w.net, "client", &error);
    g_assert_nonnull(w.host);
    w.cond = stepcond_new(w.net);
    return w;
}

static void world_free(World *w)
{
    stepcond_free(w->cond);
    net_free(w->net);
}

/* tcp.cwnd of the client, connection 3, a window of 7 packets. */
static ProbeRecord cwnd_record(const World *w, const ProbeValue *value)
{
    return (ProbeRecord){
        .desc = probe_by_name("tcp.cwnd"), .time = 1500 * SIM_MS, .node = host_node(w->host), .value = value};
}

static const ProbeValue cwnd_values[] = {{.u = 3},      {.u = 7},  {.u = 20}, {.u = 5},
                                         {.s = "open"}, {.u = 90}, {.u = 0},  {.u = 0}};

static bool holds(World *w, const char *text, const ProbeRecord *r)
{
    char *error = NULL;
    StepExpr *e = stepcond_compile(w->cond, text, &error);
    bool result;

    g_assert_cmpstr(error, ==, NULL);
    result = stepcond_holds(e, r, &error);
    g_assert_cmpstr(error, ==, NULL);
    stepcond_forget(e);
    return result;
}

static void test_record(void)
{
    World w = world_new();
    const ProbeRecord r = cwnd_record(&w, cwnd_values);

    g_assert_true(holds(&w, "cwnd == 7", &r));
    g_assert_true(holds(&w, "probe == 'tcp.cwnd' and node == \"client\" and time == 1.5", &r));
    g_assert_true(holds(&w, "ca_state == 'open' and cwnd < ssthresh", &r));
    g_assert_false(holds(&w, "cwnd > 7", &r));
    g_assert_false(holds(&w, "tcp", &r));
    g_assert_true(holds(&w, "not tcp", &r));
    world_free(&w);
}

/* A condition that stumbles over what is not there does not hold, and is no error. */
static void test_missing(void)
{
    World w = world_new();
    const ProbeRecord r = cwnd_record(&w, cwnd_values);

    g_assert_false(holds(&w, "tcp.flags.syn", &r));
    g_assert_false(holds(&w, "reason .. 'x' == 'x'", &r));
    g_assert_false(holds(&w, "sample_us < 3", &r));
    g_assert_false(holds(&w, "cwnd == 7", NULL));
    world_free(&w);
}

static void wrong(World *w, const char *text, const char *expected)
{
    char *error = NULL;

    g_assert_null(stepcond_compile(w->cond, text, &error));
    g_assert_nonnull(strstr(error, expected));
    g_free(error);
}

static void test_wrong(void)
{
    World w = world_new();

    wrong(&w, "tpc.flags.syn", "unknown name \"tpc\"; did you mean \"tcp\"?");
    wrong(&w, "tcp.flags.sin", "tcp has no flag \"sin\"; did you mean \"syn\"?");
    wrong(&w, "tcp.flags.sport", "tcp has no flag \"sport\"");
    wrong(&w, "arp.op == 1 or tcp . sprt == 80", "tcp has no field \"sprt\"; did you mean \"sport\"?");
    wrong(&w, "ip.client.state == 3", "ip has no field \"client\"");
    wrong(&w, "cwnd ==", "near");
    wrong(&w, "cwmd > 3", "\"cwnd\"");
    wrong(&w, "cwnd = 3", "near");
    world_free(&w);
}

/* Names in quotes are nobody's business, nor those behind dots where what there is depends on the packet. */
static void test_names(void)
{
    World w = world_new();
    char *error = NULL;
    StepExpr *state = stepcond_compile(w.cond, "counter('client', \"TcpInSegs\") >= 0", &error);
    StepExpr *record =
        stepcond_compile(w.cond, "icmp.anything == 'nonsense words' or math.max(1, 2) == 2", &error);

    g_assert_cmpstr(error, ==, NULL);
    g_assert_false(stepexpr_is_of_record(state));
    g_assert_true(stepexpr_is_of_record(record));
    g_assert_true(stepcond_holds(state, NULL, &error));
    world_free(&w);
}

static void test_error(void)
{
    World w = world_new();
    char *error = NULL;
    StepExpr *e = stepcond_compile(w.cond, "counter('client', 'NoSuch') > 0", &error);

    g_assert_false(stepcond_holds(e, NULL, &error));
    g_assert_nonnull(strstr(error, "there is no counter \"NoSuch\""));
    g_clear_pointer(&error, g_free);
    e = stepcond_compile(w.cond, "(function() while true do end end)()", &error);
    g_assert_false(stepcond_holds(e, NULL, &error));
    g_assert_nonnull(error);
    g_assert_true(stepcond_is_spent(w.cond));
    g_free(error);
    world_free(&w);
}

/* What is no record's stops where it begins to hold; an `until` also where it holds already. */
static void test_watches(void)
{
    World w = world_new();
    char *error = NULL, *text = NULL;
    StepWatches *watches = stepwatches_new(w.cond, "1 c now >= 0\n2 c cwnd < 8\n", &error);
    const ProbeRecord r = cwnd_record(&w, cwnd_values);
    uint32_t id = 0;

    g_assert_nonnull(watches);
    stepwatches_prime(watches);
    g_assert_false(stepwatches_event(watches, &id, &text, &error));
    g_assert_true(stepwatches_record(watches, &r, &id, &text, &error));
    g_assert_cmpuint(id, ==, 2);
    g_assert_true(stepwatches_record(watches, &r, &id, &text, &error));
    stepwatches_free(watches);
    watches = stepwatches_new(w.cond, "0 u now >= 0\n", &error);
    stepwatches_prime(watches);
    g_assert_true(stepwatches_event(watches, &id, &text, &error));
    g_assert_cmpuint(id, ==, 0);
    stepwatches_free(watches);
    g_assert_null(stepwatches_new(w.cond, "1 w cwnd\n", &error));
    g_assert_nonnull(strstr(error, "must be there all the time"));
    g_free(error);
    world_free(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/step/cond/record", test_record);
    g_test_add_func("/step/cond/missing", test_missing);
    g_test_add_func("/step/cond/wrong", test_wrong);
    g_test_add_func("/step/cond/names", test_names);
    g_test_add_func("/step/cond/error", test_error);
    g_test_add_func("/step/cond/watches", test_watches);
    return g_test_run();
}
