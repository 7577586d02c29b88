/* The dissector: layers in order, fields with meaning, quotes, padding, hostile bytes; and the one-line
 * summaries. Frames come from the fuzzers' seeds (tests/fuzz/corpus/wire_dissect: link-type number, then the
 * frame). */
#include "test_wire_helper.h"

#include "models/wire/eth.h"
#include "models/wire/ipv4.h"
#include "models/wire/tcp.h"

typedef struct Frame {
    uint8_t *file, *p;
    size_t len;
    WireLinkType linktype;
} Frame;

static Frame load(const char *name)
{
    static const WireLinkType link_types[] = {WIRE_LINK_ETHERNET, WIRE_LINK_PPP,  WIRE_LINK_RAW,
                                              WIRE_LINK_IPV4,     WIRE_LINK_IPV6, WIRE_LINK_ETHERNET_FCS};
    g_autofree char *path = g_build_filename(g_getenv("HS_SOURCE_ROOT") ? g_getenv("HS_SOURCE_ROOT") : ".",
                                             "tests/fuzz/corpus/wire_dissect", name, NULL);
    Frame f;
    gsize n;

    if (!g_file_get_contents(path, (char **)&f.file, &n, NULL))
        g_error("cannot read %s", path);
    f.linktype = link_types[f.file[0] & 0x7f];
    f.p = f.file + 1;
    f.len = n - 1;
    return f;
}

/* Layers and summary of every well-formed seed. */
static void test_seeds(void)
{
    static const struct {
        const char *name, *layers, *line;
    } rows[] = {
        {"arp-request", "eth arp padding", "who-has 192.168.0.2 tell 192.168.0.55"},
        {"echo", "eth ip icmp data", "10.0.0.1 > 10.0.0.2: ICMP echo request, id 1, seq 1, length 24"},
        {"unreach-port", "eth ip icmp 1:ip 1:udp",
         "10.0.0.2 > 10.0.0.1: ICMP 10.0.0.2 udp port 5000 unreachable, length 36"},
        {"unreach-needfrag", "eth ip icmp 1:ip 1:tcp",
         "10.0.0.2 > 10.0.0.1: ICMP 10.0.0.2 unreachable - need to frag (mtu 1400), length 36"},
        {"redirect", "eth ip icmp 1:ip 1:udp 1:data",
         "10.0.0.2 > 10.0.0.1: ICMP redirect 10.0.0.2 to host 10.0.0.254, length 54"},
        {"time-exceeded", "ip icmp 1:ip 1:udp 1:data",
         "10.0.0.2 > 10.0.0.1: ICMP time exceeded in-transit, length 54"},
        {"param-problem", "ip icmp 1:ip 1:udp 1:data",
         "10.0.0.2 > 10.0.0.1: ICMP parameter problem, octet 20, length 54"},
        {"timestamp", "ip icmp", "10.0.0.1 > 10.0.0.2: ICMP time stamp query id 1 seq 2, length 20"},
        {"addrmask", "ip icmp", "10.0.0.1 > 10.0.0.2: ICMP address mask is 0xffffff00, length 12"},
        {"syn", "eth ip tcp",
         "10.0.0.1.1024 > 10.0.0.2.80: Flags [S], seq 1000, win 512, "
         "options [mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7], length 0"},
        {"sack", "eth ip tcp",
         "10.0.0.1.1024 > 10.0.0.2.80: Flags [.], ack 8001, win 512, "
         "options [nop,nop,TS val 2 ecr 1,nop,nop,sack 2 {4001:5001}{6001:7001}], length 0"},
        {"vlan-udp", "eth vlan ip udp data", "vlan 10, 10.0.0.1.1024 > 10.0.0.2.9: UDP, length 4"},
        {"options", "ip udp", "10.0.0.1.1 > 10.0.0.2.2: UDP, length 0"},
        {"fragment-first", "ip udp data", "10.0.0.1.1 > 10.0.0.2.2: UDP, length 56 (frag 1:40@0+)"},
        {"fragment-last", "ip data", "10.0.0.1 > 10.0.0.2: UDP fragment (frag 1:30@40)"},
        {"igmp-v2-report", "ip igmp", "10.0.0.1 > 10.0.0.2: igmp v2 report 239.1.1.1"},
        {"igmp-v3-report", "ip igmp", "10.0.0.1 > 10.0.0.2: igmp v3 report, 1 group record(s)"},
        {"igmp-v3-query", "ip igmp", "10.0.0.1 > 10.0.0.2: igmp query v3 [gaddr 239.1.1.1]"},
        {"rstp", "eth llc bpdu padding",
         "RSTP root 32768/02:00:00:00:00:01 cost 0 bridge 32768/02:00:00:00:00:01 port 128.1, "
         "designated learning forwarding"},
        {"stp-tcn", "eth llc bpdu padding", "STP topology change notification"},
        {"ppp-echo", "ppp ip icmp data", "10.0.0.1 > 10.0.0.2: ICMP echo request, id 1, seq 1, length 24"},
        {"ppp-lcp", "ppp data", "PPP protocol 0xc021, length 4"},
        {"ip6-udp", "ip6 udp data", "fe80::1.1024 > fe80::2.9: UDP, length 4"},
        {"ip6-hop-by-hop", "eth ip6 udp data", "fe80::1.1024 > fe80::2.9: UDP, length 4"},
        {"ip6-fragment", "ip6 udp data", "fe80::1.1024 > fe80::2.9: UDP, length 4 (frag 7:12@0+)"},
        {"icmp6-echo", "ip6 icmp6 data",
         "2001:db8::1 > 2001:db8::2: ICMP6, echo request, id 7, seq 1, length 24"},
        {"icmp6-solicit", "ip6 icmp6", "fe80::1 > ff02::1:ff00:2: ICMP6, neighbour solicitation, length 32"},
        {"icmp6-na", "ip6 icmp6", "fe80::1 > fe80::2: ICMP6, neighbour advertisement, length 32"},
        {"icmp6-router-advert", "ip6 icmp6", "fe80::1 > ff02::1: ICMP6, router advertisement, length 56"},
        {"icmp6-listener", "ip6 icmp6", "fe80::1 > ff02::1: ICMP6, multicast listener query, length 24"},
        {"icmp6-redirect", "ip6 icmp6", "fe80::1 > fe80::2: ICMP6, redirect, length 40"},
        /* The quote is cut short, as RFC 4443 2.4 lets it be. */
        {"icmp6-too-big", "ip6 icmp6 1:ip6 1:udp 1:data",
         "2001:db8::ff > 2001:db8::1: ICMP6, packet too big, mtu 1280, length 128"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        Frame f = load(rows[i].name);
        Collector c;
        char line[300];

        if (!collector_dissect(&c, f.linktype, f.p, f.len))
            g_error("%s: %s", rows[i].name, c.malformed);
        g_assert_cmpstr(c.layers->str, ==, rows[i].layers);
        g_assert_cmpstr(dissect_summary(line, sizeof line, f.linktype, f.p, f.len), ==, rows[i].line);
        /* Every checksum of the seeds is right, or cannot be known. */
        for (guint k = 0; k < c.fields->len; k++) {
            const Told *t = &g_array_index(c.fields, Told, k);

            if (g_str_has_suffix(t->key, ".checksum_ok") && !t->value)
                g_error("%s: %s is wrong", rows[i].name, t->key);
        }
        collector_clear(&c);
        g_free(f.file);
    }
}

static void test_tcp_fields(void)
{
    Frame f = load("syn");
    Collector c;

    g_assert_true(collector_dissect(&c, f.linktype, f.p, f.len));
    g_assert_cmpuint(collector_value(&c, "tcp.syn"), ==, 1);
    g_assert_cmpuint(collector_value(&c, "tcp.ack"), ==, 0);
    g_assert_cmpstr(collector_text(&c, "tcp.syn"), ==, "yes");
    g_assert_cmpstr(collector_text(&c, "tcp.flags"), ==, "SYN");
    g_assert_cmpuint(collector_value(&c, "tcp.flags"), ==, TCP_SYN);
    g_assert_cmpuint(collector_value(&c, "tcp.seq"), ==, 1000);
    g_assert_cmpuint(collector_value(&c, "tcp.ackno"), ==, 8001);
    g_assert_cmpuint(collector_value(&c, "tcp.hdr_len"), ==, 40);
    g_assert_cmpuint(collector_value(&c, "tcp.mss"), ==, 1460);
    g_assert_cmpuint(collector_value(&c, "tcp.wscale"), ==, 7);
    g_assert_cmpuint(collector_value(&c, "tcp.sack_permitted"), ==, 1);
    g_assert_cmpuint(collector_value(&c, "tcp.ts_val"), ==, 1);
    g_assert_cmpuint(collector_value(&c, "tcp.data_len"), ==, 0);
    g_assert_cmpuint(collector_find(&c, "tcp.mss")->off, ==, (14 + 20 + 20 + 2) * 8);
    g_assert_cmpuint(collector_find(&c, "tcp.syn")->off, ==, (14 + 20 + 13) * 8 + 6);
    collector_clear(&c);
    g_free(f.file);
    f = load("sack");
    g_assert_true(collector_dissect(&c, f.linktype, f.p, f.len));
    g_assert_cmpuint(collector_value(&c, "tcp.sack_left"), ==, 4001);
    g_assert_cmpuint(collector_value(&c, "tcp.sack_right"), ==, 5001);
    collector_clear(&c);
    g_free(f.file);
}

static void test_quote_fields(void)
{
    Frame f = load("unreach-port");
    Collector c;

    g_assert_true(collector_dissect(&c, f.linktype, f.p, f.len));
    g_assert_cmpstr(collector_text(&c, "icmp.type"), ==, "3 (destination unreachable)");
    g_assert_cmpstr(collector_text(&c, "icmp.code"), ==, "3 (port unreachable)");
    g_assert_cmpstr(collector_text(&c, "ip.src"), ==, "10.0.0.2");
    g_assert_cmpstr(collector_text(&c, "1:ip.src"), ==, "10.0.0.1");
    g_assert_cmpuint(collector_value(&c, "1:udp.dport"), ==, 5000);
    /* Only 8 bytes are quoted: the sum over the rest cannot be checked. */
    g_assert_nonnull(strstr(collector_text(&c, "1:udp.checksum"), "(not verified)"));
    g_assert_null(collector_find(&c, "1:udp.checksum_ok"));
    collector_clear(&c);
    g_free(f.file);
    f = load("redirect"); /* quotes the whole packet, whose sum is then checked */
    g_assert_true(collector_dissect(&c, f.linktype, f.p, f.len));
    g_assert_cmpstr(collector_text(&c, "icmp.gateway"), ==, "10.0.0.254");
    g_assert_cmpuint(collector_value(&c, "1:udp.checksum_ok"), ==, 1);
    g_assert_cmpstr(collector_text(&c, "1:data.bytes"), ==, "hello, port nobody");
    collector_clear(&c);
    g_free(f.file);
}

static void test_meanings(void)
{
    static const struct {
        const char *seed, *key, *text;
    } rows[] = {
        {"vlan-udp", "vlan.vid", "10"},
        {"vlan-udp", "vlan.pcp", "3"},
        {"vlan-udp", "vlan.type", "0x0800 (IPv4)"},
        {"unreach-needfrag", "icmp.mtu", "1400 bytes"},
        {"timestamp", "icmp.originate", "0 ms since midnight"},
        {"addrmask", "icmp.mask", "255.255.255.0"},
        {"options", "ip.option", "7 (record route)"},
        {"options", "ip.route", "10.0.0.1"},
        {"options", "ip.hdr_len", "32 bytes"},
        {"fragment-first", "ip.flags", "MF"},
        {"fragment-last", "ip.frag_offset", "40 bytes"},
        {"igmp-v3-query", "igmp.max_resp", "10.0 s"},
        {"igmp-v3-report", "igmp.record_type", "4 (to exclude)"},
        {"igmp-v3-report", "igmp.source", "10.0.0.9"},
        {"rstp", "bpdu.root_id", "32768/02:00:00:00:00:01"},
        {"rstp", "bpdu.role", "3 (designated)"},
        {"rstp", "bpdu.max_age", "5120 (20.000 s)"},
        {"rstp", "llc.dsap", "0x42 (spanning tree)"},
        {"ppp-echo", "ppp.protocol", "0x0021 (IPv4)"},
        {"ip6-udp", "ip6.src", "fe80::1"},
        {"ip6-udp", "udp.checksum_ok", "yes"},
        {"ip6-hop-by-hop", "ip6.extension", "0 (hop-by-hop options), 8 bytes"},
        {"ip6-fragment", "ip6.frag_offset", "0 bytes"},
        {"icmp6-echo", "icmp6.checksum_ok", "yes"},
        {"icmp6-solicit", "icmp6.target", "2001:db8::2"},
        {"icmp6-solicit", "icmp6.option", "1 (source link-layer address), 8 bytes"},
        {"icmp6-solicit", "icmp6.lladdr", "02:00:00:00:00:01"},
        {"icmp6-na", "icmp6.solicited", "yes"},
        {"icmp6-na", "icmp6.router", "no"},
        {"icmp6-router-advert", "icmp6.lifetime", "1800 s"},
        {"icmp6-router-advert", "icmp6.prefix", "2001:db8::"},
        {"icmp6-router-advert", "icmp6.prefix_len", "64 bits"},
        {"icmp6-router-advert", "icmp6.preferred", "604800 s"},
        {"icmp6-router-advert", "icmp6.link_mtu", "1500 bytes"},
        {"icmp6-listener", "icmp6.max_resp", "10000 ms"},
        {"icmp6-redirect", "icmp6.dst", "2001:db8::2"},
        {"icmp6-too-big", "icmp6.mtu", "1280 bytes"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        Frame f = load(rows[i].seed);
        Collector c;

        g_assert_true(collector_dissect(&c, f.linktype, f.p, f.len));
        g_assert_cmpstr(collector_text(&c, rows[i].key), ==, rows[i].text);
        collector_clear(&c);
        g_free(f.file);
    }
}

/* What is wrong, and where. */
static void test_malformed(void)
{
    static const struct {
        const char *seed;
        size_t at;     /* change this byte … */
        uint8_t value; /* … to this */
        const char *want;
        const char *layers; /* told all the same */
    } rows[] = {
        {"echo", 14, 0x65, "ip@14: bad version: the version is not 4", "eth data"},
        {"echo", 14, 0x44, "ip@14: bad length: header length below 20, or above the total length",
         "eth data"},
        {"echo", 16, 0xff, "ip@58: truncated: the packet is longer than its frame", "eth data"},
        {"vlan-udp", 43, 7, "udp@42: bad length: the length is below 8", "eth vlan ip udp data"},
        {"vlan-udp", 43, 13, "udp@42: bad length: the length is more than the IP packet holds",
         "eth vlan ip udp data"},
        {"syn", 46, 0x40, "tcp@46: bad length: the header length is below 20, or more than the packet holds",
         "eth ip tcp data"},
        {"syn", 46, 0xf0, "tcp@46: bad length: the header length is below 20, or more than the packet holds",
         "eth ip tcp data"},
        {"arp-request", 18, 8, "arp@18: bad length: the address lengths are not 6 and 4", "eth arp data"},
        {"arp-request", 15, 7, "arp@14: bad value: not ARP for IPv4 over Ethernet", "eth arp data"},
        {"rstp", 13, 200, "eth@12: bad length: the 802.3 length is more than the frame holds", "eth data"},
        {"rstp", 20, 9, "bpdu@17: bad value: not a spanning tree protocol, or an unknown type",
         "eth llc data padding"},
        {"tftp-rrq", 43, 9, "tftp@42: bad value: an unknown operation", "eth ip udp data"},
        {"tftp-rrq", 96, 'x', "tftp@97: truncated: the message ends within a number or a text",
         "eth ip udp data"},
        {"options", 21, 13, "ip@20: bad length: an option's length leaves the header", "ip data"},
        {"igmp-v3-report", 31, 2, "igmp@28: truncated: the list of sources or groups does not fit",
         "ip igmp data"},
        {"ip6-hop-by-hop", 55, 9, "ip6@54: truncated: the extension headers do not fit", "eth ip6 data"},
        {"icmp6-solicit", 65, 0, "icmp6@64: bad length: the options do not fit", "ip6 icmp6 data"},
        {"icmp6-solicit", 65, 2, "icmp6@64: bad length: the options do not fit", "ip6 icmp6 data"},
        {"icmp6-echo", 40, 137, "icmp6@64: truncated: the message is shorter than its type demands",
         "ip6 icmp6 data"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        Frame f = load(rows[i].seed);
        Collector c;

        f.p[rows[i].at] = rows[i].value;
        if (collector_dissect(&c, f.linktype, f.p, f.len))
            g_error("%s, byte %zu: nothing was noticed", rows[i].seed, rows[i].at);
        g_assert_cmpstr(c.malformed, ==, rows[i].want);
        g_assert_cmpstr(c.layers->str, ==, rows[i].layers);
        collector_clear(&c);
        g_free(f.file);
    }
}

/* Every seed, cut at every length, in a buffer of exactly that size: what is told stays inside (the sink
 * checks). */
static void test_truncated_everywhere(void)
{
    g_autofree char *path = g_build_filename(g_getenv("HS_SOURCE_ROOT") ? g_getenv("HS_SOURCE_ROOT") : ".",
                                             "tests/fuzz/corpus/wire_dissect", NULL);
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *name;
    int n = 0;

    g_assert_nonnull(dir);
    while ((name = g_dir_read_name(dir))) {
        Frame f = load(name);

        for (size_t len = 0; len < f.len; len++) {
            uint8_t *copy = g_malloc(len + 1);
            Collector c;
            char line[200];

            copy = g_realloc(copy, len ? len : 1);
            memcpy(copy, f.p, len);
            collector_dissect(&c, f.linktype, copy, len);
            dissect_summary(line, sizeof line, f.linktype, copy, len);
            collector_clear(&c);
            g_free(copy);
        }
        g_free(f.file);
        n++;
    }
    g_dir_close(dir);
    g_assert_cmpint(n, >=, 20);
}

static void count_field(void *user, const WireLayer *layer, const WireField *f)
{
    g_assert_cmpstr(f->text, ==, "");
    ++*(int *)user;
}

static void test_no_text(void)
{
    Frame f = load("syn");
    int n = 0;
    WireSink sink = {.user = &n, .no_text = true, .field = count_field};

    g_assert_true(wire_dissect(f.linktype, f.p, f.len, &sink));
    g_assert_cmpint(n, >, 40);
    g_assert_true(wire_dissect(f.linktype, f.p, f.len, &(WireSink){0})); /* a sink that wants nothing */
    g_free(f.file);
}

static void test_layer_table(void)
{
    for (int id = WIRE_LAYER_NONE + 1; id < WIRE_N_LAYERS; id++) {
        const WireLayer *layer = wire_layer((WireLayerId)id);

        g_assert_true(layer->id == (WireLayerId)id && layer->name && layer->title && layer->describe);
        g_assert_true(wire_layer_by_name(layer->name) == layer);
    }
    g_assert_null(wire_layer(WIRE_LAYER_NONE));
    g_assert_null(wire_layer_by_name("quic"));
}

static void test_summary_cut(void)
{
    Frame f = load("syn");
    char line[16];

    memset(line, 'x', sizeof line);
    g_assert_cmpstr(dissect_summary(line, 10, f.linktype, f.p, f.len), ==, "10.0.0.1.");
    g_assert_cmpint(line[10], ==, 'x');
    g_assert_cmpstr(dissect_summary(line, 1, f.linktype, f.p, f.len), ==, "");
    g_free(f.file);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/wire/dissect/seeds", test_seeds);
    g_test_add_func("/wire/dissect/tcp-fields", test_tcp_fields);
    g_test_add_func("/wire/dissect/quote-fields", test_quote_fields);
    g_test_add_func("/wire/dissect/meanings", test_meanings);
    g_test_add_func("/wire/dissect/malformed", test_malformed);
    g_test_add_func("/wire/dissect/truncated-everywhere", test_truncated_everywhere);
    g_test_add_func("/wire/dissect/no-text", test_no_text);
    g_test_add_func("/wire/dissect/layer-table", test_layer_table);
    g_test_add_func("/wire/dissect/summary-cut", test_summary_cut);
    return g_test_run();
}
