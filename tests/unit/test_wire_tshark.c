/* tshark as judge: it reads the seeds' frames as we do, and finds nothing malformed in them.
 * Skipped (with a message) where tshark is not installed. */
#include "test_wire_helper.h"

#include <glib/gstdio.h>
#include <unistd.h>

static void put_le32(GByteArray *file, uint32_t v)
{
    const uint8_t b[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};

    g_byte_array_append(file, b, 4);
}

/* Frames in a classic capture file. */
static GByteArray *capture_new(uint32_t linktype)
{
    GByteArray *file = g_byte_array_new();

    put_le32(file, 0xa1b2c3d4);
    put_le32(file, 2 | 4 << 16);
    put_le32(file, 0);
    put_le32(file, 0);
    put_le32(file, 65535);
    put_le32(file, linktype);
    return file;
}

static void capture_add(GByteArray *file, const uint8_t *p, size_t len)
{
    put_le32(file, 0);
    put_le32(file, 0);
    put_le32(file, (uint32_t)len);
    put_le32(file, (uint32_t)len);
    g_byte_array_append(file, p, (guint)len);
}

/* What tshark says about a capture, which is freed; NULL when it failed. */
static char *ask(GByteArray *file, const char *const *args)
{
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("hopscope-XXXXXX.pcap", &path, NULL);
    GPtrArray *argv = g_ptr_array_new();
    char *out = NULL;
    int status = 1;

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(write(fd, file->data, file->len), ==, file->len);
    close(fd);
    g_byte_array_free(file, TRUE);
    for (const char *const *a =
             (const char *const[]){"tshark", "-n", "-r", path, "-o", "ip.check_checksum:TRUE", "-o",
                                   "udp.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", NULL};
         *a; a++)
        g_ptr_array_add(argv, (char *)*a);
    for (; *args; args++)
        g_ptr_array_add(argv, (char *)*args);
    g_ptr_array_add(argv, NULL);
    if (!g_spawn_sync(NULL, (char **)argv->pdata, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL,
                      NULL, NULL, &out, NULL, &status, NULL) ||
        status != 0) {
        g_free(out);
        out = NULL;
    }
    g_ptr_array_free(argv, TRUE);
    g_unlink(path);
    return out ? g_strchomp(out) : NULL;
}

static bool have_tshark(void)
{
    g_autofree char *path = g_find_program_in_path("tshark");

    if (!path)
        g_test_skip("tshark is not installed: its judgement is missing here");
    return path != NULL;
}

/* By the seeds' first byte. */
static const uint32_t link_types[] = {1, 50, 101, 228, 229};

static size_t load(const char *name, uint8_t *buf, size_t size, uint32_t *linktype)
{
    g_autofree char *path = g_build_filename(g_getenv("HS_SOURCE_ROOT") ? g_getenv("HS_SOURCE_ROOT") : ".",
                                             "tests/fuzz/corpus/wire_dissect", name, NULL);
    g_autofree char *file = NULL;
    gsize n;

    if (!g_file_get_contents(path, &file, &n, NULL))
        g_error("cannot read %s", path);
    g_assert_cmpuint(n - 1, <=, size);
    memcpy(buf, file + 1, n - 1);
    *linktype = link_types[file[0] & 0x7f];
    return n - 1;
}

/* The same field asked of both: tshark's filter name and ours. Numbers are compared as numbers. */
static void test_fields(void)
{
    static const struct {
        const char *seed, *theirs, *ours;
    } rows[] = {
        {"tftp-rrq", "ip.ttl", "ip.ttl"},
        {"tftp-rrq", "ip.id", "ip.id"},
        {"tftp-rrq", "ip.checksum", "ip.checksum"},
        {"tftp-rrq", "udp.checksum", "udp.checksum"},
        {"tftp-rrq", "udp.length", "udp.len"},
        {"tftp-rrq", "tftp.opcode", "tftp.op"},
        {"arp-request", "arp.opcode", "arp.op"},
        {"echo", "icmp.type", "icmp.type"},
        {"echo", "icmp.ident", "icmp.id"},
        {"echo", "icmp.checksum", "icmp.checksum"},
        {"unreach-needfrag", "icmp.mtu", "icmp.mtu"},
        {"syn", "tcp.seq_raw", "tcp.seq"},
        {"syn", "tcp.flags", "tcp.flags"},
        {"syn", "tcp.hdr_len", "tcp.hdr_len"},
        {"syn", "tcp.options.mss_val", "tcp.mss"},
        {"syn", "tcp.options.wscale.shift", "tcp.wscale"},
        {"syn", "tcp.options.timestamp.tsval", "tcp.ts_val"},
        {"syn", "tcp.checksum", "tcp.checksum"},
        {"sack", "tcp.ack_raw", "tcp.ackno"},
        {"vlan-udp", "vlan.id", "vlan.vid"},
        {"vlan-udp", "vlan.priority", "vlan.pcp"},
        {"rstp", "stp.port", "bpdu.port_id"},
        {"rstp", "stp.flags", "bpdu.flags"},
        {"rstp", "stp.root.cost", "bpdu.root_cost"},
        {"igmp-v3-report", "igmp.num_grp_recs", "igmp.n_records"},
        {"ppp-echo", "ppp.protocol", "ppp.protocol"},
        {"ip6-udp", "ipv6.hlim", "ip6.hop_limit"},
        {"ip6-udp", "udp.checksum", "udp.checksum"},
        {"icmp6-echo", "icmpv6.type", "icmp6.type"},
        {"icmp6-echo", "icmpv6.checksum", "icmp6.checksum"},
        {"icmp6-echo", "icmpv6.echo.sequence_number", "icmp6.seq"},
        {"icmp6-router-advert", "icmpv6.nd.ra.router_lifetime", "icmp6.lifetime"},
        {"icmp6-router-advert", "icmpv6.opt.prefix.length", "icmp6.prefix_len"},
        {"icmp6-router-advert", "icmpv6.opt.prefix.valid_lifetime", "icmp6.valid"},
        {"icmp6-router-advert", "icmpv6.opt.mtu", "icmp6.link_mtu"},
        {"icmp6-listener", "icmpv6.mld.maximum_response_delay", "icmp6.max_resp"},
        {"icmp6-too-big", "icmpv6.mtu", "icmp6.mtu"},
    };

    if (!have_tshark())
        return;
    for (size_t i = 0, n; i < G_N_ELEMENTS(rows); i += n) {
        const char *args[40] = {"-T", "fields", "-E", "occurrence=f", "-E", "separator=|"};
        size_t n_args = 6;
        uint8_t p[256];
        uint32_t linktype;
        size_t len = load(rows[i].seed, p, sizeof p, &linktype);
        GByteArray *file = capture_new(linktype);
        Collector c;

        for (n = 0; i + n < G_N_ELEMENTS(rows) && strcmp(rows[i].seed, rows[i + n].seed) == 0; n++) {
            args[n_args++] = "-e";
            args[n_args++] = rows[i + n].theirs;
        }
        capture_add(file, p, len);
        g_autofree char *out = ask(file, args);
        g_auto(GStrv) theirs = g_strsplit(out ? out : "", "|", -1);

        g_assert_cmpuint(g_strv_length(theirs), ==, n);
        collector_dissect(&c, (WireLinkType)linktype, p, len);
        for (size_t k = 0; k < n; k++) {
            if (!*theirs[k])
                g_error("tshark does not know %s in %s", rows[i + k].theirs, rows[i].seed);
            if (g_ascii_strtoull(theirs[k], NULL, 0) != collector_value(&c, rows[i + k].ours))
                g_error("%s: tshark says %s = %s, we say %s", rows[i].seed, rows[i + k].theirs, theirs[k],
                        collector_text(&c, rows[i + k].ours));
        }
        collector_clear(&c);
    }
}

/* Nothing malformed, no bad checksum, for every seed that we call sound. */
static void test_no_complaints(void)
{
    static const char filter[] = "_ws.malformed || ip.checksum.status == 0 || udp.checksum.status == 0 || "
                                 "tcp.checksum.status == 0 || icmp.checksum.status == 0";
    g_autofree char *path = g_build_filename(g_getenv("HS_SOURCE_ROOT") ? g_getenv("HS_SOURCE_ROOT") : ".",
                                             "tests/fuzz/corpus/wire_dissect", NULL);
    GByteArray *files[G_N_ELEMENTS(link_types)] = {NULL};
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *name;

    g_assert_nonnull(dir);
    while ((name = g_dir_read_name(dir))) {
        uint8_t p[512];
        uint32_t linktype;
        size_t len, at = 0;
        Collector c;

        /* Not a link type of tshark's; crashes; and fragments, which it wants to see whole. */
        if (g_str_has_suffix(name, "-fcs") || g_str_has_prefix(name, "data-") ||
            g_str_has_prefix(name, "fragment-") || g_str_has_suffix(name, "-fragment"))
            continue;
        len = load(name, p, sizeof p, &linktype);
        g_assert_true(collector_dissect(&c, (WireLinkType)linktype, p, len));
        collector_clear(&c);
        while (link_types[at] != linktype)
            at++;
        if (!files[at])
            files[at] = capture_new(linktype);
        capture_add(files[at], p, len);
    }
    g_dir_close(dir);
    for (size_t i = 0; i < G_N_ELEMENTS(link_types); i++) {
        if (files[i] && have_tshark()) {
            g_autofree char *out = ask(files[i], (const char *const[]){"-Y", filter, NULL});

            g_assert_cmpstr(out, ==, "");
        } else if (files[i]) {
            g_byte_array_free(files[i], TRUE);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/wire/tshark/fields", test_fields);
    g_test_add_func("/wire/tshark/no-complaints", test_no_complaints);
    return g_test_run();
}
