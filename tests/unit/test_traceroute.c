/* traceroute and mtr on a chain: a — r1 — r2 — b. */
#include "tests/unit/test_ip_helper.h"

#include "models/app/mtr.h"
#include "models/app/traceroute.h"

#define R1 IPV4_ADDR(10, 0, 1, 254)
#define R2 IPV4_ADDR(10, 0, 2, 254)
#define B IPV4_ADDR(10, 0, 3, 2)

typedef struct Chain {
    TestNet *net;
    TestHost *a, *r1, *r2, *b;
    GString *text;
    unsigned n_done;
    bool reached;
} Chain;

static void chain_init(Chain *c)
{
    c->text = g_string_new(NULL);
    c->n_done = 0;
    c->net = test_net_new();
    c->a = test_host(c->net, "a");
    c->r1 = test_host(c->net, "r1");
    c->r2 = test_host(c->net, "r2");
    c->b = test_host(c->net, "b");
    test_dev(c->a, 0, "10.0.1.1/24", NULL);
    test_dev(c->r1, 0, "10.0.1.254/24", &c->a->dev[0]);
    test_dev(c->r1, 1, "10.0.2.1/24", NULL);
    test_dev(c->r2, 0, "10.0.2.254/24", &c->r1->dev[1]);
    test_dev(c->r2, 1, "10.0.3.1/24", NULL);
    test_dev(c->b, 0, "10.0.3.2/24", &c->r2->dev[1]);
    test_route(c->a, "0.0.0.0/0", R1);
    test_route(c->r1, "10.0.3.0/24", R2);
    test_route(c->r2, "10.0.1.0/24", IPV4_ADDR(10, 0, 2, 1));
    test_route(c->b, "0.0.0.0/0", IPV4_ADDR(10, 0, 3, 1));
    ip4_sysctl(c->r1->ip)->ip_forward = true;
    ip4_sysctl(c->r2->ip)->ip_forward = true;
    /* Three probes a hop are within the six that Linux saves up; mtr's are not. */
}

static void chain_clear(Chain *c)
{
    g_string_free(c->text, TRUE);
    test_net_free(c->net);
}

static void on_line(void *user, const char *text)
{
    Chain *c = user;

    g_string_append(c->text, text);
    g_string_append_c(c->text, '\n');
}

static void on_done(void *user, bool reached)
{
    Chain *c = user;

    c->n_done++;
    c->reached = reached;
}

static void trace(Chain *c, const TracerouteOptions *o)
{
    Traceroute *t = traceroute_new(c->a->ip, c->a->udp, o,
                                   &(TracerouteEvents){.line = on_line, .done = on_done, .user = c});

    test_net_run(c->net, 1000 * SIM_SEC);
    g_assert_true(traceroute_is_done(t));
    g_assert_cmpuint(c->n_done, ==, 1);
    traceroute_free(t);
}

static const char whole[] = "traceroute to 10.0.3.2 (10.0.3.2), 30 hops max, 60 byte packets\n"
                            " 1  10.0.1.254  2.000 ms  2.000 ms  2.000 ms\n"
                            " 2  10.0.2.254  4.000 ms  4.000 ms  4.000 ms\n"
                            " 3  10.0.3.2  6.000 ms  6.000 ms  6.000 ms\n";

/* ICMP-13: "address list equals the path; stops on 3/3". Probes go to ports 33434 and up. */
static void udp(void)
{
    Chain c;

    chain_init(&c);
    trace(&c, &(TracerouteOptions){.dst = B});
    g_assert_cmpstr(c.text->str, ==, whole);
    g_assert_true(c.reached);
    g_assert_cmpuint(c.a->dev[0].n_sent, ==, 9);
    g_assert_cmpuint(udp_dst_port(c.a->dev[0].last + 20), ==, 33434 + 8);
    g_assert_cmpuint(ipv4_ttl(c.a->dev[0].last), ==, 3);
    g_assert_cmpuint(c.a->dev[0].last_len, ==, 60);
    chain_clear(&c);
}

static void icmp(void)
{
    Chain c;

    chain_init(&c);
    trace(&c, &(TracerouteOptions){.dst = B, .icmp = true});
    g_assert_cmpstr(c.text->str, ==, whole);
    chain_clear(&c);
}

static void parallel(void)
{
    Chain c;

    chain_init(&c);
    trace(&c, &(TracerouteOptions){.dst = B, .parallel = 16});
    g_assert_cmpstr(c.text->str, ==, whole);
    g_assert_cmpuint(c.a->dev[0].n_sent, >, 9); /* probes beyond the target are the price */
    chain_clear(&c);
}

/* "a silent router shows as a gap": five seconds for each probe. */
static void silent_router(void)
{
    Chain c;

    chain_init(&c);
    ip4_sysctl(c.r1->ip)->icmp_silent = true;
    trace(&c, &(TracerouteOptions){.dst = B});
    g_assert_nonnull(strstr(c.text->str, "\n 1  * * *\n 2  10.0.2.254  4.000 ms"));
    g_assert_true(c.reached);
    chain_clear(&c);
}

static void never_reached(void)
{
    Chain c;

    chain_init(&c);
    ip4_sysctl(c.b->ip)->icmp_silent = true;
    trace(&c, &(TracerouteOptions){.dst = B, .max_ttl = 5, .wait = SIM_SEC});
    g_assert_nonnull(strstr(c.text->str, " 3  * * *\n 4  * * *\n 5  * * *\n"));
    g_assert_false(c.reached);
    chain_clear(&c);
}

/* !N, !X, !P: the way ends there. */
static void annotations(void)
{
    Ip4RouteSpec prohibited = {.prefix = {IPV4_ADDR(198, 51, 100, 0), 24}, .type = IP4_ROUTE_PROHIBIT};
    Ip4RouteSpec unreachable = {.prefix = {IPV4_ADDR(203, 0, 113, 0), 24}, .type = IP4_ROUTE_UNREACHABLE};
    char *error = NULL;
    Chain c;

    chain_init(&c);
    test_route(c.r1, "0.0.0.0/0", R2);
    g_assert_true(ip4_route_add(c.r2->ip, &prohibited, &error));
    g_assert_true(ip4_route_add(c.r2->ip, &unreachable, &error));
    ip4_sysctl(c.r2->ip)->icmp_ratemask = 0;
    trace(&c, &(TracerouteOptions){.dst = IPV4_ADDR(192, 0, 2, 1)});
    g_assert_nonnull(
        strstr(c.text->str, " 2  10.0.2.254  4.000 ms  4.000 ms  4.000 ms\n 3  10.0.2.254  4.000 ms !N")
            ? c.text->str
            : strstr(c.text->str, " 2  10.0.2.254  4.000 ms !N  4.000 ms !N  4.000 ms !N\n"));
    g_assert_false(c.reached);
    c.n_done = 0;
    trace(&c, &(TracerouteOptions){.dst = IPV4_ADDR(198, 51, 100, 1)});
    g_assert_nonnull(strstr(c.text->str, "4.000 ms !X  4.000 ms !X  4.000 ms !X\n"));
    c.n_done = 0;
    trace(&c, &(TracerouteOptions){.dst = IPV4_ADDR(203, 0, 113, 1)});
    g_assert_nonnull(strstr(c.text->str, "4.000 ms !H  4.000 ms !H  4.000 ms !H\n"));
    chain_clear(&c);
}

static void mtr_done(void *user)
{
    ((Chain *)user)->n_done++;
}

static Packet *every_tenth(void *user, Packet *pkt)
{
    unsigned *n = user;

    if (++*n % 10)
        return pkt;
    packet_unref(pkt);
    return NULL;
}

static Mtr *mtr_run(Chain *c, bool udp_probes)
{
    Mtr *m =
        mtr_new(c->a->ip, c->a->udp, &(MtrOptions){.dst = B, .udp = udp_probes, .cycles = 100, .max_ttl = 6},
                &(MtrEvents){.line = on_line, .done = mtr_done, .user = c});

    test_net_run(c->net, 200 * SIM_SEC);
    g_assert_true(mtr_is_done(m));
    g_assert_cmpuint(mtr_hops(m), ==, 3);
    return m;
}

/* ICMP-15: loss on the last link shows at the last hop; a router that hides shows as a gap. */
static void mtr(void)
{
    unsigned n = 0;
    Chain c;
    Mtr *m;

    chain_init(&c);
    c.r2->dev[1].filter = every_tenth;
    c.r2->dev[1].filter_user = &n;
    m = mtr_run(&c, false);
    g_assert_cmpuint(mtr_hop(m, 0)->addr, ==, R1);
    g_assert_cmpuint(mtr_hop(m, 1)->addr, ==, R2);
    g_assert_cmpuint(mtr_hop(m, 2)->addr, ==, B);
    g_assert_cmpuint(mtr_hop(m, 0)->sent, ==, 100);
    g_assert_true(mtr_hop_loss(mtr_hop(m, 0)) == 0 && mtr_hop_loss(mtr_hop(m, 1)) == 0);
    g_assert_cmpfloat_with_epsilon(mtr_hop_loss(mtr_hop(m, 2)), 0.1, 0.011);
    g_assert_cmpint(mtr_hop(m, 2)->best, ==, 6 * SIM_MS);
    g_assert_cmpint(mtr_hop(m, 2)->worst, ==, 6 * SIM_MS);
    g_assert_nonnull(strstr(c.text->str, "HOST: a "));
    g_assert_nonnull(strstr(
        c.text->str, "  1.|-- 10.0.1.254             0.0%   100    2.0    2.0    2.0    2.0    0.0\n"));
    mtr_free(m);
    chain_clear(&c);
}

static void mtr_udp(void)
{
    Chain c;
    Mtr *m;

    chain_init(&c);
    ip4_sysctl(c.r1->ip)->icmp_silent = true;
    m = mtr_run(&c, true);
    g_assert_cmpuint(mtr_hop(m, 0)->received, ==, 0);
    g_assert_true(mtr_hop_loss(mtr_hop(m, 0)) == 1);
    g_assert_cmpuint(mtr_hop(m, 2)->addr, ==, B);
    g_assert_cmpuint(mtr_hop(m, 2)->received, >=, 98);
    g_assert_nonnull(strstr(c.text->str, "  1.|-- ???"));
    mtr_free(m);
    chain_clear(&c);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/app/traceroute/udp", udp);
    g_test_add_func("/app/traceroute/icmp", icmp);
    g_test_add_func("/app/traceroute/parallel", parallel);
    g_test_add_func("/app/traceroute/silent-router", silent_router);
    g_test_add_func("/app/traceroute/never-reached", never_reached);
    g_test_add_func("/app/traceroute/annotations", annotations);
    g_test_add_func("/app/mtr/icmp", mtr);
    g_test_add_func("/app/mtr/udp", mtr_udp);
    return g_test_run();
}
