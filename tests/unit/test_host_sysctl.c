/* Sysctls by their Linux names: every one has Linux's default, keeps what it is given, and refuses what is
 * out of range. */
#include "models/ether/neigh.h"
#include "tests/unit/test_net_helper.h"

typedef struct Expected {
    const char *name, *value; /* the default */
    const char *good, *bad;   /* bad: just out of range */
} Expected;

#define NEIGH "net.ipv4.neigh.default."

static const Expected table[] = {
    {"hopscope.connect_zero_is_error", "0", "1", "2"},
    {"hopscope.drop_private", "0", "1", "2"},
    {"hopscope.icmp_silent", "0", "1", "2"},
    {"hopscope.ip_id_first", "1", "37669", "65536"},
    {"hopscope.ip_id_global", "1", "0", "2"},
    {"hopscope.source_quench", "0", "1", "2"},
    {"net.core.netdev_max_backlog", "1000", "2147483647", "2147483648"},
    {"net.ipv4.conf.all.accept_redirects", "1", "0", "2"},
    {"net.ipv4.conf.all.arp_accept", "0", "1", "2"},
    {"net.ipv4.conf.all.arp_ignore", "0", "8", "1"},
    {"net.ipv4.conf.all.arp_notify", "0", "1", "2"},
    {"net.ipv4.conf.all.bc_forwarding", "0", "1", "2"},
    {"net.ipv4.conf.all.hopscope_arp_defend", "0", "1", "2"},
    {"net.ipv4.conf.all.proxy_arp", "0", "1", "2"},
    {"net.ipv4.conf.all.rp_filter", "0", "1", "2"},
    {"net.ipv4.conf.all.send_redirects", "1", "0", "2"},
    {"net.ipv4.icmp_echo_ignore_all", "0", "1", "2"},
    {"net.ipv4.icmp_echo_ignore_broadcasts", "1", "0", "2"},
    {"net.ipv4.icmp_msgs_burst", "50", "4294967295", "4294967296"},
    {"net.ipv4.icmp_msgs_per_sec", "1000", "0", "4294967296"},
    {"net.ipv4.icmp_ratelimit", "1000", "0", "-1"},
    {"net.ipv4.icmp_ratemask", "6168", "0", "4294967296"},
    {"net.ipv4.ip_default_ttl", "64", "255", "256"},
    {"net.ipv4.ip_forward", "0", "1", "2"},
    {"net.ipv4.ip_local_port_range", "32768\t60999", "1024\t65535", "1024\t65536"},
    {"net.ipv4.ip_no_pmtu_disc", "0", "3", "4"},
    {"net.ipv4.ipfrag_high_thresh", "4194304", "262144", "4294967296"},
    {"net.ipv4.ipfrag_low_thresh", "3145728", "196608", "4294967296"},
    {"net.ipv4.ipfrag_max_dist", "64", "0", "4294967296"},
    {"net.ipv4.ipfrag_time", "30", "4294967", "4294968"}, /* in milliseconds it would not fit */
    {"net.ipv4.route.min_pmtu", "552", "68", "67"},
    {"net.ipv4.route.mtu_expires", "600", "1", "0"},
    {NEIGH "base_reachable_time_ms", "30000", "1", "0"},
    {NEIGH "delay_first_probe_time", "5", "0", "4294967296"},
    {NEIGH "gc_stale_time", "60", "4294967295", "4294967296"},
    {NEIGH "gc_thresh1", "128", "0", "4294967296"},
    {NEIGH "gc_thresh2", "512", "0", "4294967296"},
    {NEIGH "gc_thresh3", "1024", "1", "0"},
    {NEIGH "hopscope_lifetime_ms", "0", "1200000", "4294967296"},
    {NEIGH "locktime_ms", "1000", "0", "4294967296"},
    {NEIGH "mcast_solicit", "3", "255", "256"},
    {NEIGH "retrans_time_ms", "1000", "1", "0"},
    {NEIGH "ucast_solicit", "3", "0", "256"},
    {NEIGH "unres_qlen_bytes", "212992", "0", "4294967296"},
};

static void assert_value(Host *h, const char *name, const char *want)
{
    char *value = NULL, *error = NULL;

    g_assert_true(host_sysctl_get(h, name, &value, &error));
    g_assert_cmpstr(value, ==, want);
    g_free(value);
}

static void assert_set(Host *h, const char *name, const char *value)
{
    char *error = NULL;

    if (!host_sysctl_set(h, name, value, &error))
        g_error("%s = %s: %s", name, value, error);
}

static void test_every_sysctl(void)
{
    Net *net = net_new(1);
    Host *h = add_host(net, "h"), *other = add_host(net, "other");

    join(net, "h", "other");
    for (unsigned i = 0; i < G_N_ELEMENTS(table); i++) {
        const Expected *x = &table[i];
        char *error = NULL;

        assert_value(h, x->name, x->value);
        assert_set(h, x->name, x->good);
        assert_value(h, x->name, x->good);
        assert_value(other, x->name, x->value);
        for (const char *const *bad = (const char *const[]){x->bad, "", "x", "1x", " 1", "-1", "+1", "1.5",
                                                            "99999999999999999999", NULL};
             *bad; bad++) {
            g_assert_false(host_sysctl_set(h, x->name, *bad, &error));
            g_assert_nonnull(error);
            g_assert_true(g_str_has_prefix(error, x->name));
            g_clear_pointer(&error, g_free);
        }
        assert_value(h, x->name, x->good);
        assert_set(h, x->name, x->value);
        assert_value(h, x->name, x->value);
    }
    net_free(net);
}

static void check_listed(const char *name, const char *help, void *user)
{
    unsigned *n = user;
    bool found = false;

    for (unsigned i = 0; i < G_N_ELEMENTS(table); i++)
        found |= strcmp(table[i].name, name) == 0;
    if (!found)
        g_error("%s is not in this test's table", name);
    g_assert_cmpuint(strlen(help), >, 5);
    ++*n;
}

static void test_table_is_complete(void)
{
    unsigned n = 0;

    host_foreach_sysctl(check_listed, &n);
    g_assert_cmpuint(n, ==, G_N_ELEMENTS(table));
}

static void test_messages(void)
{
    Net *net = net_new(1);
    Host *h = add_host(net, "h");
    char *error, *value;

    assert_refused(host_sysctl_set(h, "net.ipv4.ip_default_ttl", "0", &error), error,
                   "net.ipv4.ip_default_ttl cannot be \"0\" (expected a number from 1 to 255)");
    assert_refused(host_sysctl_set(h, "net.ipv4.ip_forwad", "1", &error), error,
                   "unknown sysctl \"net.ipv4.ip_forwad\" (did you mean \"net.ipv4.ip_forward\"?)");
    assert_refused(host_sysctl_get(h, "net.ipv4.neigh.default.gc_tresh1", &value, &error), error,
                   "unknown sysctl \"net.ipv4.neigh.default.gc_tresh1\" (did you mean "
                   "\"net.ipv4.neigh.default.gc_thresh1\"?)");
    assert_refused(host_sysctl_set(h, "kernel.hostname", "1", &error), error,
                   "unknown sysctl \"kernel.hostname\"");
    assert_refused(host_sysctl_set(h, "", "1", &error), error, "unknown sysctl \"\"");
    assert_refused(host_sysctl_set(h, "net.ipv4.neigh.eth7.gc_thresh1", "1", &error), error,
                   "unknown sysctl \"net.ipv4.neigh.eth7.gc_thresh1\"");
    assert_refused(host_sysctl_set(h, "net.ipv4.neigh.", "1", &error), error,
                   "unknown sysctl \"net.ipv4.neigh.\"");
    for (const char *const *bad = (const char *const[]){"1", "1 2 3", "3 2", " ", NULL}; *bad; bad++) {
        char *want = g_strdup_printf(
            "net.ipv4.ip_local_port_range cannot be \"%s\" (expected two ports, such as \"32768 60999\")",
            *bad);

        assert_refused(host_sysctl_set(h, "net.ipv4.ip_local_port_range", *bad, &error), error, want);
        g_free(want);
    }
    assert_set(h, "net.ipv4.ip_local_port_range", " 5000   5000 ");
    assert_value(h, "net.ipv4.ip_local_port_range", "5000\t5000");
    net_free(net);
}

/* "default" holds for interfaces that are and that will be; one interface's own stays its own. */
static void test_neighbour_scope(void)
{
    Net *net = net_new(1);
    Host *h = add_host(net, "h");

    add_host(net, "other");
    join(net, "h", "other");
    assert_set(h, NEIGH "gc_stale_time", "7");
    join(net, "h", "other");
    assert_value(h, "net.ipv4.neigh.eth0.gc_stale_time", "7");
    assert_value(h, "net.ipv4.neigh.eth1.gc_stale_time", "7");
    assert_set(h, "net.ipv4.neigh.eth1.gc_stale_time", "8");
    assert_value(h, "net.ipv4.neigh.eth0.gc_stale_time", "7");
    assert_value(h, "net.ipv4.neigh.eth1.gc_stale_time", "8");
    assert_value(h, NEIGH "gc_stale_time", "7");
    net_free(net);
}

/* They do what they say: one of each table. */
static void test_effect(void)
{
    Net *net = net_new(1);
    Host *a = add_host(net, "a"), *b = add_host(net, "b");
    Pinger p;

    join(net, "a", "b");
    prepare(net);
    pinger_init(&p, a);
    assert_set(b, "net.ipv4.ip_default_ttl", "17");
    assert_set(b, "net.ipv4.icmp_echo_ignore_all", "1");
    ping(&p, host_addr(b), 0);
    run_for(net, SIM_SEC);
    g_assert_cmpuint(p.replies, ==, 0);
    assert_set(b, "net.ipv4.icmp_echo_ignore_all", "0");
    ping(&p, host_addr(b), 0);
    run_for(net, SIM_SEC);
    g_assert_cmpuint(p.replies, ==, 1);
    g_assert_cmpuint(p.ttl, ==, 17);
    /* One question after 50 ms each: host unreachable after 150 ms. */
    assert_set(a, NEIGH "retrans_time_ms", "50");
    ping(&p, addr_of("10.0.0.99"), 0);
    run_for(net, 149 * SIM_MS);
    g_assert_cmpuint(p.errors, ==, 0);
    run_for(net, 2 * SIM_MS);
    g_assert_cmpuint(p.errors, ==, 1);
    net_free(net);
}

/* conf.all changes every interface, also later ones; the name of one only that. */
static void test_conf_scope(void)
{
    Net *net = net_new(1);
    Host *h = add_host(net, "h");
    char *error = NULL;

    add_host(net, "other");
    add_host(net, "third");
    join(net, "h", "other");
    assert_set(h, "net.ipv4.conf.all.proxy_arp", "1");
    assert_value(h, "net.ipv4.conf.eth0.proxy_arp", "1");
    join(net, "h", "third");
    assert_value(h, "net.ipv4.conf.eth1.proxy_arp", "1");
    assert_set(h, "net.ipv4.conf.eth0.arp_ignore", "8");
    assert_value(h, "net.ipv4.conf.eth0.arp_ignore", "8");
    assert_value(h, "net.ipv4.conf.eth1.arp_ignore", "0");
    assert_value(h, "net.ipv4.conf.all.arp_ignore", "0");
    g_assert_false(host_sysctl_set(h, "net.ipv4.conf.eth0.arp_ignore", "1", &error));
    g_assert_cmpstr(error, ==,
                    "net.ipv4.conf.eth0.arp_ignore cannot be \"1\" (expected 0, or 8: answer nothing)");
    g_free(error);
    net_free(net);
}

static void test_survives_power(void)
{
    Net *net = net_new(1);
    Host *h = add_host(net, "h");

    add_host(net, "other");
    join(net, "h", "other");
    assert_set(h, "net.ipv4.ip_default_ttl", "9");
    assert_set(h, NEIGH "gc_thresh3", "99");
    host_set_power(h, false);
    host_set_power(h, true);
    assert_value(h, "net.ipv4.ip_default_ttl", "9");
    assert_value(h, NEIGH "gc_thresh3", "99");
    assert_value(h, "net.ipv4.neigh.eth0.gc_thresh3", "99");
    net_free(net);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/host/sysctl/every", test_every_sysctl);
    g_test_add_func("/host/sysctl/table-is-complete", test_table_is_complete);
    g_test_add_func("/host/sysctl/messages", test_messages);
    g_test_add_func("/host/sysctl/neighbour-scope", test_neighbour_scope);
    g_test_add_func("/host/sysctl/conf-scope", test_conf_scope);
    g_test_add_func("/host/sysctl/effect", test_effect);
    g_test_add_func("/host/sysctl/survives-power", test_survives_power);
    return g_test_run();
}
