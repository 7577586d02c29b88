/* Automatic routes: shortest by number of routers, ties to the router made first; a host with one router has
 * a default route. */
#include "tests/unit/test_net_helper.h"

static void test_default_route(void)
{
    Net *net = net_new(1);
    Host *a = add_host(net, "a"), *b = add_host(net, "b");

    add_router(net, "r");
    add_switch(net, "sw");
    join(net, "a", "sw");
    join(net, "b", "sw");
    join(net, "r", "sw");
    prepare(net);
    assert_via(a, "10.0.0.3", "direct");
    assert_via(a, "198.51.100.1", "10.0.0.1");
    assert_via(b, "10.77.0.1", "10.0.0.1");
    assert_via(net_host_by_name(net, "r"), "198.51.100.1", "none");
    net_free(net);
}

static void test_no_router(void)
{
    Net *net = net_new(1);
    Host *a = add_host(net, "a");

    add_host(net, "b");
    join(net, "a", "b");
    prepare(net);
    assert_via(a, "10.0.0.2", "direct");
    assert_via(a, "10.0.1.1", "none");
    net_free(net);
}

/* A chain of four routers; then a shortcut from the first to the last. */
static void test_shortest(void)
{
    Net *net = net_new(1);
    Host *r1 = add_router(net, "r1"), *r2 = add_router(net, "r2"), *r3 = add_router(net, "r3");

    add_router(net, "r4");
    add_host(net, "a");
    add_host(net, "z");
    join(net, "r1", "r2"); /* 10.0.0: .1 r1, .2 r2 */
    join(net, "r2", "r3"); /* 10.0.1: .1 r2, .2 r3 */
    join(net, "r3", "r4"); /* 10.0.2: .1 r3, .2 r4 */
    join(net, "a", "r1");  /* 10.0.3: .1 r1, .2 a */
    join(net, "z", "r4");  /* 10.0.4: .1 r4, .2 z */
    prepare(net);
    assert_via(r1, "10.0.4.2", "10.0.0.2");
    assert_via(r2, "10.0.4.2", "10.0.1.2");
    assert_via(r3, "10.0.4.2", "10.0.2.2");
    assert_via(r3, "10.0.3.2", "10.0.1.1");
    assert_via(net_host_by_name(net, "a"), "10.0.4.2", "10.0.3.1");

    join(net, "r1", "r4"); /* 10.0.5: .1 r1, .2 r4 */
    prepare(net);
    assert_via(r1, "10.0.4.2", "10.0.5.2");
    assert_via(r2, "10.0.4.2", "10.0.0.1"); /* r1, r4 as good as r3, r4: r1 was made first */
    assert_via(r3, "10.0.3.2", "10.0.1.1"); /* r2, r1 as good as r4, r1 */
    net_free(net);
}

/* Two equal ways from `from` to `far`; the cables to the router made later were plugged in first. */
static void test_tie(void)
{
    Net *net = net_new(1);
    Host *from, *far;

    from = add_router(net, "from");
    add_router(net, "first");
    add_router(net, "second");
    far = add_router(net, "far");
    add_host(net, "h");
    join(net, "from", "second"); /* 10.0.0 */
    join(net, "second", "far");  /* 10.0.1 */
    join(net, "first", "far");   /* 10.0.2 */
    join(net, "from", "first");  /* 10.0.3 */
    join(net, "far", "h");       /* 10.0.4 */
    prepare(net);
    assert_via(from, "10.0.4.2", "10.0.3.2");
    assert_via(from, "10.0.1.2", "10.0.0.2"); /* not a tie: second is there */
    assert_via(far, "10.0.0.1", "10.0.1.1");
    assert_via(far, "10.0.3.1", "10.0.2.1");
    net_free(net);
}

/* A tie that shows two hops away: the first hop decides, not who was found first in between. */
static void test_tie_further_away(void)
{
    Net *net = net_new(1);
    Host *from = add_router(net, "from");

    add_router(net, "first");
    add_router(net, "second");
    add_router(net, "x"); /* made before y, but behind second */
    add_router(net, "y");
    add_router(net, "far");
    add_host(net, "h");
    join(net, "from", "second"); /* 10.0.0 */
    join(net, "from", "first");  /* 10.0.1 */
    join(net, "second", "x");    /* 10.0.2 */
    join(net, "first", "y");     /* 10.0.3 */
    join(net, "x", "far");       /* 10.0.4 */
    join(net, "y", "far");       /* 10.0.5 */
    join(net, "h", "far");       /* 10.0.6 */
    prepare(net);
    assert_via(from, "10.0.6.2", "10.0.1.2");
    net_free(net);
}

static void test_host_with_two_routers(void)
{
    Net *net = net_new(1);
    Host *h = add_host(net, "h");

    add_router(net, "r1");
    add_router(net, "r2");
    add_host(net, "left");
    add_host(net, "right");
    join(net, "h", "r2");     /* 10.0.0 */
    join(net, "h", "r1");     /* 10.0.1 */
    join(net, "r1", "left");  /* 10.0.2 */
    join(net, "r2", "right"); /* 10.0.3 */
    prepare(net);
    assert_via(h, "10.0.2.2", "10.0.1.1");
    assert_via(h, "10.0.3.2", "10.0.0.1");
    assert_via(h, "198.51.100.1", "10.0.1.1"); /* elsewhere: by the router made first */
    /* A host is no way through. */
    assert_via(net_host_by_name(net, "r1"), "10.0.3.2", "none");
    assert_via(net_host_by_name(net, "left"), "10.0.3.2", "10.0.2.1");
    net_free(net);
}

static void count_route(const Ip4RouteSpec *spec, void *user)
{
    unsigned *n = user;

    *n += spec->via != 0;
}

static unsigned gateways(Host *h)
{
    unsigned n = 0;

    ip4_route_foreach(host_ip4(h), count_route, &n);
    return n;
}

static void test_prepared_again(void)
{
    Net *net = net_new(1);
    Host *a = add_host(net, "a"), *r = add_router(net, "r");
    Ip4RouteSpec own = {.prefix = {0}};
    char *error = NULL;

    add_router(net, "s");
    add_host(net, "b");
    join(net, "a", "r"); /* 10.0.0 */
    join(net, "r", "s"); /* 10.0.1 */
    join(net, "s", "b"); /* 10.0.2 */
    prepare(net);
    g_assert_cmpuint(gateways(a), ==, 1);
    g_assert_cmpuint(gateways(r), ==, 1);
    /* Ours of the same prefix stands in the way of the automatic one, and stays. */
    own = (Ip4RouteSpec){
        .prefix = prefix_of("10.0.3.0/24"), .type = IP4_ROUTE_UNICAST, .via = addr_of("10.0.0.2")};
    g_assert_true(ip4_route_add(host_ip4(r), &own, &error));
    for (int i = 0; i < 3; i++)
        prepare(net);
    g_assert_cmpuint(gateways(a), ==, 1);
    g_assert_cmpuint(gateways(r), ==, 2);
    add_host(net, "c");
    join(net, "s", "c"); /* 10.0.3 */
    prepare(net);
    assert_addr(a, "eth0", "10.0.0.2/24"); /* nobody is renumbered */
    assert_addr(net_host_by_name(net, "c"), "eth0", "10.0.3.2/24");
    assert_via(r, "10.0.3.2", "10.0.0.2");
    assert_via(r, "10.0.2.2", "10.0.1.2");
    g_assert_true(ip4_route_remove(host_ip4(r), &own, &error));
    prepare(net);
    assert_via(r, "10.0.3.2", "10.0.1.2");
    /* An automatic one that was removed by hand does no harm. */
    own.via = addr_of("10.0.1.2");
    g_assert_true(ip4_route_remove(host_ip4(r), &own, &error));
    prepare(net);
    assert_via(r, "10.0.3.2", "10.0.1.2");
    net_free(net);
}

static void test_around_a_pulled_cable(void)
{
    Net *net = net_new(1);
    Host *r1 = add_router(net, "r1");
    NetLink *direct;
    char *error = NULL;

    add_router(net, "r2");
    add_router(net, "r3");
    add_host(net, "b");
    direct = join(net, "r1", "r2"); /* 10.0.0 */
    join(net, "r1", "r3");          /* 10.0.1 */
    join(net, "r3", "r2");          /* 10.0.2 */
    join(net, "r2", "b");           /* 10.0.3 */
    prepare(net);
    assert_via(r1, "10.0.3.2", "10.0.0.2");
    net_unplug(direct);
    prepare(net);
    assert_via(r1, "10.0.3.2", "10.0.1.2");
    g_assert_true(net_replug(direct, 1, &(NetEndConfig){.node = node_named(net, "r2")}, &error));
    prepare(net);
    assert_via(r1, "10.0.3.2", "10.0.0.2");
    assert_addr(r1, "eth0", "10.0.0.1/24");
    net_free(net);
}

/* A router without an address on a segment leads nowhere from there, but may be reached by another. */
static void test_router_without_address(void)
{
    Net *net = net_new(1);
    Host *h = add_host(net, "h");
    NetLinkConfig c;

    add_router(net, "r");
    add_host(net, "far");
    link_config(net, &c, "h", "r");
    c.end[1].no_addr = true;
    must_link(net, &c);
    join(net, "h", "r");
    join(net, "r", "far");
    prepare(net);
    assert_via(h, "10.0.2.2", "10.0.1.1");
    net_free(net);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/net/routes/default-route", test_default_route);
    g_test_add_func("/net/routes/no-router", test_no_router);
    g_test_add_func("/net/routes/shortest", test_shortest);
    g_test_add_func("/net/routes/tie", test_tie);
    g_test_add_func("/net/routes/tie-further-away", test_tie_further_away);
    g_test_add_func("/net/routes/host-with-two-routers", test_host_with_two_routers);
    g_test_add_func("/net/routes/prepared-again", test_prepared_again);
    g_test_add_func("/net/routes/around-a-pulled-cable", test_around_a_pulled_cable);
    g_test_add_func("/net/routes/router-without-address", test_router_without_address);
    return g_test_run();
}
