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
    {"net.ipv4.ping_group_range", "1\t0", "0\t2147483647", "0\t4294967295"},
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
    /* TCP (Documentation/networking/ip-sysctl.rst) */
    {"hopscope.tcp_handshake", "3", "4", "5"},
    {"hopscope.tcp_isn", "0", "2", "3"},
    {"hopscope.tcp_isn_fixed", "0", "4294967295", "4294967296"},
    {"hopscope.tcp_pacing_fq", "0", "1", "2"},
    {"hopscope.tcp_quirks", "0", "16383", "16384"},
    {"hopscope.tcp_recovery_style", "0", "4", "5"},
    {"hopscope.tcp_rto_fixed_ms", "0", "120000", "120001"},
    {"hopscope.tcp_synq_pow2", "0", "1", "2"},
    {"hopscope.tcp_timewait_len", "60", "0", "86401"},
    {"net.core.rmem_default", "212992", "2147483647", "2147483648"},
    {"net.core.rmem_max", "4194304", "2147483647", "2147483648"},
    {"net.core.somaxconn", "4096", "2147483647", "2147483648"},
    {"net.core.wmem_default", "212992", "2147483647", "2147483648"},
    {"net.core.wmem_max", "4194304", "2147483647", "2147483648"},
    {"net.ipv4.tcp_abort_on_overflow", "0", "255", "256"},
    {"net.ipv4.tcp_app_win", "31", "0", "32"},
    {"net.ipv4.tcp_autocorking", "1", "0", "2"},
    {"net.ipv4.tcp_backlog_ack_defer", "1", "0", "2"},
    {"net.ipv4.tcp_base_mss", "1024", "2147483647", "2147483648"},
    {"net.ipv4.tcp_challenge_ack_limit", "2147483647", "0", "2147483648"},
    {"net.ipv4.tcp_comp_sack_delay_ns", "1000000", "4294967295", "4294967296"},
    {"net.ipv4.tcp_comp_sack_nr", "44", "255", "256"},
    {"net.ipv4.tcp_comp_sack_rtt_percent", "33", "1000", "1001"},
    {"net.ipv4.tcp_comp_sack_slack_ns", "10000", "4294967295", "4294967296"},
    {"net.ipv4.tcp_dsack", "1", "255", "256"},
    {"net.ipv4.tcp_early_retrans", "3", "4", "5"},
    {"net.ipv4.tcp_ecn", "2", "5", "6"},
    {"net.ipv4.tcp_ecn_fallback", "1", "1", "2"},
    {"net.ipv4.tcp_ecn_option", "2", "3", "4"},
    {"net.ipv4.tcp_ecn_option_beacon", "3", "3", "4"},
    {"net.ipv4.tcp_fack", "0", "255", "256"},
    {"net.ipv4.tcp_fastopen", "1", "4294967295", "4294967296"},
    {"net.ipv4.tcp_fastopen_blackhole_timeout_sec", "0", "2147483647", "2147483648"},
    {"net.ipv4.tcp_fin_timeout", "60", "2147483", "2147484"},
    {"net.ipv4.tcp_frto", "2", "255", "256"},
    {"net.ipv4.tcp_invalid_ratelimit", "500", "2147483647", "2147483648"},
    {"net.ipv4.tcp_keepalive_intvl", "75", "2147483", "2147484"},
    {"net.ipv4.tcp_keepalive_probes", "9", "255", "256"},
    {"net.ipv4.tcp_keepalive_time", "7200", "2147483", "2147484"},
    {"net.ipv4.tcp_limit_output_bytes", "4194304", "2147483647", "2147483648"},
    {"net.ipv4.tcp_max_orphans", "65536", "2147483647", "2147483648"},
    {"net.ipv4.tcp_max_reordering", "300", "2147483647", "2147483648"},
    {"net.ipv4.tcp_max_syn_backlog", "4096", "2147483647", "2147483648"},
    {"net.ipv4.tcp_max_tw_buckets", "131072", "2147483647", "2147483648"},
    {"net.ipv4.tcp_min_rtt_wlen", "300", "86400", "86401"},
    {"net.ipv4.tcp_min_snd_mss", "48", "65535", "65536"},
    {"net.ipv4.tcp_min_tso_segs", "2", "255", "256"},
    {"net.ipv4.tcp_moderate_rcvbuf", "1", "255", "256"},
    {"net.ipv4.tcp_mtu_probe_floor", "48", "65535", "65536"},
    {"net.ipv4.tcp_mtu_probing", "0", "255", "256"},
    {"net.ipv4.tcp_no_metrics_save", "0", "255", "256"},
    {"net.ipv4.tcp_no_ssthresh_metrics_save", "1", "0", "2"},
    {"net.ipv4.tcp_notsent_lowat", "4294967295", "0", "4294967296"},
    {"net.ipv4.tcp_orphan_retries", "0", "255", "256"},
    {"net.ipv4.tcp_pacing_ca_ratio", "120", "1000", "1001"},
    {"net.ipv4.tcp_pacing_ss_ratio", "200", "1000", "1001"},
    {"net.ipv4.tcp_pingpong_thresh", "1", "255", "256"},
    {"net.ipv4.tcp_probe_interval", "600", "4294967295", "4294967296"},
    {"net.ipv4.tcp_probe_threshold", "8", "2147483647", "2147483648"},
    {"net.ipv4.tcp_rcvbuf_low_rtt", "1000", "0", "2147483648"},
    {"net.ipv4.tcp_recovery", "1", "255", "256"},
    {"net.ipv4.tcp_reflect_tos", "0", "1", "2"},
    {"net.ipv4.tcp_reordering", "3", "2147483647", "2147483648"},
    {"net.ipv4.tcp_retrans_collapse", "1", "255", "256"},
    {"net.ipv4.tcp_retries1", "3", "255", "256"},
    {"net.ipv4.tcp_retries2", "15", "255", "256"},
    {"net.ipv4.tcp_rfc1337", "0", "255", "256"},
    {"net.ipv4.tcp_rto_max_ms", "120000", "1000", "120001"},
    {"net.ipv4.tcp_rto_min_us", "200000", "2147483647", "2147483648"},
    {"net.ipv4.tcp_sack", "1", "255", "256"},
    {"net.ipv4.tcp_shrink_window", "0", "1", "2"},
    {"net.ipv4.tcp_slow_start_after_idle", "1", "255", "256"},
    {"net.ipv4.tcp_stdurg", "0", "255", "256"},
    {"net.ipv4.tcp_syn_linear_timeouts", "4", "127", "128"},
    {"net.ipv4.tcp_syn_retries", "6", "127", "128"},
    {"net.ipv4.tcp_synack_retries", "5", "255", "256"},
    {"net.ipv4.tcp_syncookies", "1", "255", "256"},
    {"net.ipv4.tcp_thin_linear_timeouts", "0", "255", "256"},
    {"net.ipv4.tcp_timestamps", "1", "255", "256"},
    {"net.ipv4.tcp_tso_rtt_log", "9", "255", "256"},
    {"net.ipv4.tcp_tso_win_divisor", "3", "255", "256"},
    {"net.ipv4.tcp_tw_reuse", "2", "0", "3"},
    {"net.ipv4.tcp_tw_reuse_delay", "1000", "60000", "60001"},
    {"net.ipv4.tcp_window_scaling", "1", "255", "256"},
    {"net.ipv4.tcp_workaround_signed_windows", "0", "255", "256"},
};

/* Those of TCP that are more than one number. */
static const Expected composed[] = {
    {"net.ipv4.tcp_adv_win_scale", "1", "-31", "32"},
    {"net.ipv4.tcp_available_congestion_control", NULL, NULL, "cubic"},
    {"net.ipv4.tcp_congestion_control", "cubic", "reno", "nosuch"},
    {"net.ipv4.tcp_fastopen_key", "00000000-00000000-00000000-00000000",
     "a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4,01020304-05060708-090a0b0c-0d0e0f10", "a1a1a1a1-b2b2b2b2-c3c3c3c3"},
    {"net.ipv4.tcp_mem", "189438\t252587\t378876", "1\t2\t3", "1 2 3 4"},
    {"net.ipv4.tcp_rmem", "4096\t131072\t33554432", "4096\t10000\t10000", "0 1 2"},
    {"net.ipv4.tcp_wmem", "4096\t16384\t4194304", "4096\t20000\t30000", "4096 x 1"},
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

static void test_composed(void)
{
    Net *net = net_new(1);
    Host *h = add_host(net, "h");
    char *error = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(composed); i++) {
        const Expected *x = &composed[i];

        if (x->value)
            assert_value(h, x->name, x->value);
        g_assert_false(host_sysctl_set(h, x->name, x->bad, &error));
        g_assert_true(g_str_has_prefix(error, x->name));
        g_clear_pointer(&error, g_free);
        if (!x->good)
            continue;
        assert_set(h, x->name, x->good);
        assert_value(h, x->name, x->good);
    }
    /* As in Linux, one number sets the first; and settings outlive the power and the sockets. */
    assert_set(h, "net.ipv4.tcp_rmem", "5000");
    host_tcp(h);
    assert_value(h, "net.ipv4.tcp_rmem", "5000\t10000\t10000");
    host_set_power(h, false);
    host_set_power(h, true);
    assert_value(h, "net.ipv4.tcp_rmem", "5000\t10000\t10000");
    g_assert_cmpuint(tcp_sysctl(host_tcp(h))->tcp_rmem[0], ==, 5000);
    net_free(net);
}

static void check_listed(const char *name, const char *help, void *user)
{
    unsigned *n = user;
    bool found = false;

    for (unsigned i = 0; i < G_N_ELEMENTS(table); i++)
        found |= strcmp(table[i].name, name) == 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(composed); i++)
        found |= strcmp(composed[i].name, name) == 0;
    if (!found)
        g_error("%s is not in this test's table", name);
    g_assert_cmpuint(strlen(help), >, 5);
    ++*n;
}

static void test_table_is_complete(void)
{
    unsigned n = 0;

    host_foreach_sysctl(check_listed, &n);
    g_assert_cmpuint(n, ==, G_N_ELEMENTS(table) + G_N_ELEMENTS(composed));
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
    assert_set(h, "net.ipv4.ping_group_range", "5 4"); /* nobody */
    assert_value(h, "net.ipv4.ping_group_range", "1\t0");
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
    g_test_add_func("/host/sysctl/composed", test_composed);
    g_test_add_func("/host/sysctl/table-is-complete", test_table_is_complete);
    g_test_add_func("/host/sysctl/messages", test_messages);
    g_test_add_func("/host/sysctl/neighbour-scope", test_neighbour_scope);
    g_test_add_func("/host/sysctl/conf-scope", test_conf_scope);
    g_test_add_func("/host/sysctl/effect", test_effect);
    g_test_add_func("/host/sysctl/survives-power", test_survives_power);
    return g_test_run();
}
