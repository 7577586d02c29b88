/* Addresses as text and as sets: MAC, IPv4, IPv6. */
#include <glib.h>

#include "models/wire/ipv4_addr.h"
#include "models/wire/ipv6_addr.h"
#include "models/wire/mac.h"

static void test_mac(void)
{
    static const char *const wrong[] = {"",
                                        "00:05:5d:61:58",
                                        "00:05:5d:61:58:a8:00",
                                        "00:05:5d:61:58:g8",
                                        "0:5:5d:61:58:a8",
                                        "00:05-5d:61:58:a8",
                                        "00:05:5d:61:58:a8 ",
                                        "00055d6158a8",
                                        "00.05.5d.61.58.a8"};
    MacAddr m;
    char buf[MAC_STR_LEN];

    g_assert_true(mac_parse("00:05:5D:61:58:a8", &m));
    g_assert_cmpstr(mac_format(m, buf), ==, "00:05:5d:61:58:a8");
    g_assert_cmphex(mac_to_u64(m), ==, 0x00055d6158a8);
    g_assert_true(mac_equal(m, mac_from_u64(0x00055d6158a8)));
    g_assert_true(mac_parse("ff-ff-ff-ff-ff-ff", &m));
    g_assert_true(mac_is_broadcast(m) && mac_is_multicast(m));
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_assert_false(mac_parse(wrong[i], &m));
        g_assert_true(mac_is_broadcast(m)); /* untouched */
    }
    g_assert_true(mac_is_multicast(MAC_BRIDGE_GROUP) && !mac_is_broadcast(MAC_BRIDGE_GROUP));
    g_assert_true(mac_is_zero(MAC_ZERO) && !mac_is_multicast(MAC_ZERO));
    g_assert_true(mac_is_local((MacAddr){{2}}));
    /* RFC 1112 6.4: 224.128.0.1 and 224.0.0.1 share an address: only 23 bits are mapped. */
    g_assert_cmpstr(mac_format(mac_from_ipv4_group(IPV4_ADDR(224, 128, 0, 1)), buf), ==, "01:00:5e:00:00:01");
    g_assert_cmpstr(mac_format(mac_from_ipv4_group(IPV4_ADDR(239, 255, 1, 2)), buf), ==, "01:00:5e:7f:01:02");
}

static void test_ipv4(void)
{
    static const char *const wrong[] = {"",           "10.0.0",    "10.0.0.256",       "10.0.0.1.5",
                                        "10.0.0.",    ".10.0.0.1", "10..0.1",          "10.0.0.1 ",
                                        " 10.0.0.1",  "010.0.0.1", "10.0.0.00",        "10.0.0.-1",
                                        "10.0.0.0x1", "1e1.0.0.1", "99999999999.0.0.1"};
    uint32_t a = 0;
    char buf[IPV4_ADDR_STR_LEN];

    g_assert_true(ipv4_addr_parse("192.168.0.55", &a));
    g_assert_cmphex(a, ==, 0xc0a80037);
    g_assert_cmpstr(ipv4_addr_format(a, buf), ==, "192.168.0.55");
    g_assert_true(ipv4_addr_parse("255.255.255.255", &a));
    g_assert_cmpstr(ipv4_addr_format(a, buf), ==, "255.255.255.255");
    g_assert_true(ipv4_addr_parse("0.0.0.0", &a));
    a = 77;
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_assert_false(ipv4_addr_parse(wrong[i], &a));
        g_assert_cmpuint(a, ==, 77);
    }
}

static void test_ipv4_prefix(void)
{
    static const char *const wrong[] = {"10.0.0.0",    "10.0.0.0/",   "10.0.0.0/33", "10.0.0/8",
                                        "10.0.0.0/08", "10.0.0.0/8 ", "10.0.0.0/-1"};
    Ipv4Prefix p;
    char buf[IPV4_PREFIX_STR_LEN];

    g_assert_true(ipv4_prefix_parse("10.1.2.3/20", &p));
    g_assert_cmphex(ipv4_prefix_network(p), ==, 0x0a010000);
    g_assert_cmphex(ipv4_prefix_broadcast(p), ==, 0x0a010fff);
    g_assert_true(ipv4_prefix_contains(p, 0x0a010fff) && !ipv4_prefix_contains(p, 0x0a011000));
    g_assert_false(ipv4_prefix_is_network(p));
    g_assert_cmpstr(ipv4_prefix_format(p, buf), ==, "10.1.2.3/20");
    g_assert_true(ipv4_prefix_parse("255.255.255.255/32", &p));
    g_assert_cmpstr(ipv4_prefix_format(p, buf), ==, "255.255.255.255/32");
    g_assert_true(ipv4_prefix_parse("0.0.0.0/0", &p) && ipv4_prefix_contains(p, 0xdeadbeef));
    g_assert_true(ipv4_prefix_is_network(p));
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
        g_assert_false(ipv4_prefix_parse(wrong[i], &p));
    for (unsigned len = 0; len <= 32; len++) {
        g_assert_true(ipv4_mask_is_contiguous(ipv4_mask(len)));
        g_assert_cmpuint(ipv4_mask_len(ipv4_mask(len)), ==, len);
    }
    g_assert_false(ipv4_mask_is_contiguous(0xff00ff00));
    g_assert_false(ipv4_mask_is_contiguous(0x00ffffff));
}

static void test_ipv4_class(void)
{
    static const struct {
        const char *addr;
        char class;
        unsigned len;
    } rows[] = {{"0.0.0.0", 'A', 8},        {"127.255.255.255", 'A', 8}, {"128.0.0.0", 'B', 16},
                {"191.255.0.0", 'B', 16},   {"192.0.0.0", 'C', 24},      {"223.255.255.255", 'C', 24},
                {"224.0.0.0", 'D', 0},      {"239.255.255.255", 'D', 0}, {"240.0.0.0", 'E', 0},
                {"255.255.255.255", 'E', 0}};
    static const char *const private[] = {"10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255",
                                          "192.168.0.0"};
    static const char *const public[] = {"9.255.255.255", "11.0.0.0",    "172.15.255.255",
                                         "172.32.0.0",    "192.167.0.1", "192.169.0.0"};
    uint32_t a;

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_true(ipv4_addr_parse(rows[i].addr, &a));
        g_assert_cmpint(ipv4_addr_class(a), ==, rows[i].class);
        g_assert_cmpuint(ipv4_addr_class_len(a), ==, rows[i].len);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(private); i++)
        g_assert_true(ipv4_addr_parse(private[i], &a) && ipv4_addr_is_private(a));
    for (size_t i = 0; i < G_N_ELEMENTS(public); i++)
        g_assert_true(ipv4_addr_parse(public[i], &a) && !ipv4_addr_is_private(a));
    g_assert_true(ipv4_addr_is_reserved(0xf0000000) && !ipv4_addr_is_reserved(IPV4_BROADCAST));
    g_assert_true(ipv4_addr_is_local_multicast(IPV4_ALL_ROUTERS) &&
                  !ipv4_addr_is_local_multicast(0xe0000100));
}

static void test_ipv6(void)
{
    /* RFC 4291 2.2 and RFC 5952 sections 1, 4 and 5. */
    static const char *const rows[][2] = {
        {"2001:db8:0:0:8:800:200c:417a", "2001:db8::8:800:200c:417a"},
        {"FF01:0:0:0:0:0:0:101", "ff01::101"},
        {"0:0:0:0:0:0:0:1", "::1"},
        {"::", "::"},
        {"0:0:0:0:0:0:13.1.68.3", "::d01:4403"},
        {"::FFFF:129.144.52.38", "::ffff:129.144.52.38"},
        {"2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
        {"fe80::", "fe80::"},
        {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
    };
    static const char *const wrong[] = {"",
                                        ":",
                                        ":::",
                                        "1::2::3",
                                        "1:2:3:4:5:6:7",
                                        "1:2:3:4:5:6:7:8:9",
                                        "12345::",
                                        ":1::",
                                        "1:",
                                        "1::2:",
                                        "g::",
                                        "1.2.3.4",
                                        "::1.2.3",
                                        "::1.2.3.4:5",
                                        "::1.2.3.256",
                                        "1:2:3:4:5:6:7:1.2.3.4",
                                        "1:2:3:4::5:6:7:8",
                                        "fe80::1%eth0"};
    Ipv6Addr a;
    Ipv6Prefix p;
    char buf[IPV6_PREFIX_STR_LEN];

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_true(ipv6_addr_parse(rows[i][0], &a));
        g_assert_cmpstr(ipv6_addr_format(&a, buf), ==, rows[i][1]);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        if (ipv6_addr_parse(wrong[i], &a))
            g_error("'%s' was taken", wrong[i]);
    }
    g_assert_true(ipv6_prefix_parse("2001:db8:8000::/33", &p));
    g_assert_cmpstr(ipv6_prefix_format(&p, buf), ==, "2001:db8:8000::/33");
    g_assert_true(ipv6_addr_parse("2001:db8:ffff::1", &a) && ipv6_prefix_contains(&p, &a));
    g_assert_true(ipv6_addr_parse("2001:db8:7fff::1", &a) && !ipv6_prefix_contains(&p, &a));
    g_assert_false(ipv6_prefix_parse("::/129", &p));
    g_assert_false(ipv6_prefix_parse("::", &p));
    g_assert_false(ipv6_prefix_parse("::/", &p));
    g_assert_false(ipv6_prefix_parse("::/01", &p));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/wire/addr/mac", test_mac);
    g_test_add_func("/wire/addr/ipv4", test_ipv4);
    g_test_add_func("/wire/addr/ipv4-prefix", test_ipv4_prefix);
    g_test_add_func("/wire/addr/ipv4-class", test_ipv4_class);
    g_test_add_func("/wire/addr/ipv6", test_ipv6);
    return g_test_run();
}
