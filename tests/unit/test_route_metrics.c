/* What `ip route` says about connections: parsing, printing, and how flows learn it. */
#include "models/ip/route_metrics.h"
#include "tests/unit/ip4_bed.h"

static void parse(RouteMetrics *m, const char *name, const char *value)
{
    char *error = NULL;

    g_assert_true(route_metrics_parse(m, name, value, false, &error));
    g_assert_null(error);
}

static void refuse(const char *name, const char *value, const char *message)
{
    RouteMetrics m = {0};
    char *error = NULL;

    g_assert_false(route_metrics_parse(&m, name, value, false, &error));
    g_assert_cmpstr(error, ==, message);
    g_assert_true(route_metrics_is_empty(&m));
    g_free(error);
}

/* Times are milliseconds unless they say otherwise, as in iproute2. */
static void test_parse(void)
{
    RouteMetrics m = {0};

    g_assert_true(route_metrics_is_empty(&m));
    parse(&m, "mtu", "1400");
    parse(&m, "initcwnd", "20");
    parse(&m, "rto_min", "5");
    g_assert_cmpuint(route_metrics_get(&m, ROUTE_RTO_MIN_US), ==, 5000);
    parse(&m, "rto_min", "50us");
    g_assert_cmpuint(route_metrics_get(&m, ROUTE_RTO_MIN_US), ==, 50);
    parse(&m, "rto_min", "1s");
    g_assert_cmpuint(route_metrics_get(&m, ROUTE_RTO_MIN_US), ==, 1000000);
    parse(&m, "features", "ecn");
    g_assert_cmpuint(route_metrics_get(&m, ROUTE_FEATURES), ==, ROUTE_FEATURE_ECN);
    parse(&m, "quickack", "1");
    parse(&m, "congctl", "reno");
    g_assert_cmpuint(route_metrics_get(&m, ROUTE_MTU), ==, 1400);
    g_assert_true(route_metrics_has(&m, ROUTE_QUICKACK));
    g_assert_false(route_metrics_has(&m, ROUTE_ADVMSS));
    g_assert_false(route_metrics_has(NULL, ROUTE_MTU));
    g_assert_cmpuint(route_metrics_get(NULL, ROUTE_MTU), ==, 0);
}

static void test_refuse(void)
{
    refuse("initcwd", "2", "a route has no 'initcwd' (did you mean 'initcwnd'?)");
    refuse("mtu", "big", "mtu cannot be 'big' (expected a number)");
    refuse("mtu", "65521", "mtu cannot be '65521' (at most 65520)");
    refuse("quickack", "2", "quickack cannot be '2' (at most 1)");
    refuse("rto_min", "5min", "rto_min cannot be '5min' (expected a time such as 200ms)");
    refuse("rto_min", "4295s", "rto_min cannot be '4295s' (at most 4294967295us)");
    refuse("features", "ecn sack", "features cannot be 'ecn sack' (expected a list of ecn, tcp_usec_ts)");
    refuse("congctl", "", "congctl '' is no name of a congestion controller (1 to 15 characters)");
}

static void test_format(void)
{
    RouteMetrics m = {0};
    char *text;

    route_metrics_set(&m, ROUTE_MTU, 1400, true);
    route_metrics_set(&m, ROUTE_RTO_MIN_US, 200000, false);
    parse(&m, "features", "ecn tcp_usec_ts");
    parse(&m, "congctl", "cubic");
    text = route_metrics_format(&m);
    g_assert_cmpstr(text, ==, "mtu lock 1400 features ecn tcp_usec_ts rto_min 200ms congctl cubic");
    g_free(text);
    text = route_metrics_format(NULL);
    g_assert_cmpstr(text, ==, "");
    g_free(text);
}

static Ip4Flow get(Ip4 *ip, const char *dst)
{
    Ip4Flow f = {0};

    g_assert_cmpint(ip4_route_get(ip, addr(dst), 0, NULL, &f), ==, 0);
    return f;
}

static Ip4RouteSpec spec(const char *prefix, const RouteMetrics *m)
{
    Ip4RouteSpec s = {.type = IP4_ROUTE_UNICAST, .metrics = m};

    g_assert_true(ipv4_prefix_parse(prefix, &s.prefix));
    return s;
}

/* A change of a route is seen by whoever keeps a flow: the generation moves, and the answer is the new one.
 */
static void test_change(void)
{
    Bed *b = bed_new();
    Ip4 *ip = bed_host(b);
    RouteMetrics m = {0};
    Ip4RouteSpec s = spec("192.0.2.0/24", &m);
    char *error = NULL;
    Ip4Flow f;

    bed_dev(b, ip, "10.0.0.1/24");
    parse(&m, "initcwnd", "20");
    g_assert_false(ip4_route_change(ip, &s, &error));
    g_assert_cmpstr(error, ==, "route 192.0.2.0/24: there is none to change");
    g_clear_pointer(&error, g_free);
    s.via = addr("10.0.0.2");
    g_assert_true(ip4_route_replace(ip, &s, &error));
    f = get(ip, "192.0.2.1");
    g_assert_cmpuint(route_metrics_get(f.metrics, ROUTE_INITCWND), ==, 20);
    g_assert_cmpuint(f.gen, ==, ip4_gen(ip));
    g_assert_cmpint(f.expires, ==, SIM_NEVER);

    /* Only what is given changes: the gateway stays, the metrics are the new ones. */
    m = (RouteMetrics){0};
    parse(&m, "mtu", "1200");
    s.via = 0;
    g_assert_true(ip4_route_change(ip, &s, &error));
    g_assert_cmpuint(f.gen, !=, ip4_gen(ip));
    f = get(ip, "192.0.2.1");
    g_assert_cmpuint(f.next_hop, ==, addr("10.0.0.2"));
    g_assert_cmpuint(f.mtu, ==, 1200);
    g_assert_false(f.mtu_locked);
    g_assert_false(route_metrics_has(f.metrics, ROUTE_INITCWND));
    g_assert_cmpuint(ip4_route_count(ip), ==, 3 + 1);
    bed_free(b);
}

/* Each device's route has its own, and the hop limit among them goes into the packets, from the cache too. */
static void test_by_device(void)
{
    Bed *b = bed_new();
    Ip4 *ip = bed_host(b);
    RouteMetrics m = {0};
    Ip4RouteSpec s = spec("192.0.2.0/24", &m);
    Ip4If *dev[2];
    Ip4Flow f;

    dev[0] = bed_dev(b, ip, "10.0.0.1/24");
    dev[1] = bed_dev(b, ip, "10.0.1.1/24");
    for (unsigned i = 0; i < 2; i++) {
        m = (RouteMetrics){0};
        parse(&m, "hoplimit", i ? "22" : "11");
        s.dev = dev[i];
        s.metric = i;
        g_assert_true(ip4_route_add(ip, &s, NULL));
    }
    for (unsigned k = 0; k < 2; k++) {
        for (unsigned i = 0; i < 2; i++) {
            g_assert_cmpint(ip4_route_get(ip, addr("192.0.2.1"), 0, dev[i], &f), ==, 0);
            g_assert_cmpuint(route_metrics_get(f.metrics, ROUTE_HOPLIMIT), ==, i ? 22 : 11);
        }
        g_assert_cmpuint(route_metrics_get(get(ip, "192.0.2.1").metrics, ROUTE_HOPLIMIT), ==, 11);
    }
    bed_know(dev[0], "192.0.2.1", 0x0a0000000002);
    for (unsigned k = 0; k < 2; k++) {
        bed_send(b, ip, "192.0.2.1", 100);
        g_assert_cmpuint(ipv4_ttl(sent_at(stub_of(dev[0]), k)->bytes), ==, 11);
    }
    bed_free(b);
}

/* The connected route of an address can be given metrics too; other connected routes have none. */
static void test_connected(void)
{
    Bed *b = bed_new();
    Ip4 *ip = bed_host(b);
    RouteMetrics m = {0};
    Ip4RouteSpec s = spec("10.0.0.0/24", &m);
    char *error = NULL;
    Ipv4Prefix p;

    bed_dev(b, ip, "10.0.0.1/24");
    g_assert_null(get(ip, "10.0.0.9").metrics);
    parse(&m, "advmss", "1000");
    g_assert_true(ip4_route_change(ip, &s, &error));
    g_assert_cmpuint(route_metrics_get(get(ip, "10.0.0.9").metrics, ROUTE_ADVMSS), ==, 1000);
    g_assert_cmpuint(get(ip, "10.0.0.9").src, ==, addr("10.0.0.1"));
    g_assert_cmpint(get(ip, "10.0.0.1").type, ==, IP4_ROUTE_LOCAL);
    g_assert_cmpuint(ip4_route_count(ip), ==, 3);
    g_assert_true(ipv4_prefix_parse("10.0.0.1/24", &p));
    g_assert_true(ip4_addr_remove(ip, ip4_if(ip, 1), p));
    g_assert_cmpuint(ip4_route_count(ip), ==, 0);
    bed_free(b);
}

/* "mtu lock": what routers report is not believed, and DF is not set (Linux ip_rt_update_pmtu,
 * ip_dont_fragment). */
static void test_locked_mtu(void)
{
    Bed *b = bed_new();
    Ip4 *ip = bed_host(b);
    RouteMetrics m = {0};
    Ip4RouteSpec s = spec("192.0.2.0/24", &m);
    char *error = NULL;

    bed_dev(b, ip, "10.0.0.1/24");
    s.via = addr("10.0.0.2");
    route_metrics_set(&m, ROUTE_MTU, 1400, true);
    g_assert_true(ip4_route_add(ip, &s, &error));
    g_assert_true(get(ip, "192.0.2.1").mtu_locked);
    ip4_pmtu_update(ip, addr("192.0.2.1"), 1000);
    g_assert_cmpuint(get(ip, "192.0.2.1").mtu, ==, 1400);

    route_metrics_set(&m, ROUTE_MTU, 1400, false);
    g_assert_true(ip4_route_replace(ip, &s, &error));
    ip4_pmtu_update(ip, addr("192.0.2.1"), 1000);
    g_assert_cmpuint(get(ip, "192.0.2.1").mtu, ==, 1000);
    g_assert_cmpint(get(ip, "192.0.2.1").expires, ==, 600 * SIM_SEC);
    bed_free(b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ip/route-metrics/parse", test_parse);
    g_test_add_func("/ip/route-metrics/refuse", test_refuse);
    g_test_add_func("/ip/route-metrics/format", test_format);
    g_test_add_func("/ip/route-metrics/change", test_change);
    g_test_add_func("/ip/route-metrics/connected", test_connected);
    g_test_add_func("/ip/route-metrics/by-device", test_by_device);
    g_test_add_func("/ip/route-metrics/locked-mtu", test_locked_mtu);
    return g_test_run();
}
