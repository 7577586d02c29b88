/* sim/trace/pcapng_writer: the exact bytes, what is read back, full disks and killed writers, and Wireshark's
 * tools as judges. */
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/pcapng_helper.h"

static void test_round_trip(void)
{
    char *path = in_dir("sample.pcapng"), *got;

    write_sample(path);
    got = describe_file(path);
    g_assert_cmpstr(got, ==, SAMPLE);
    g_unlink(path);
    g_free(got);
    g_free(path);
}

/* The format's own bytes: blocks, lengths, padding, no clock. Every number stands in the draft's pictures. */
static void test_bytes(void)
{
    static const uint8_t expected[] = {
        /* section, version 1.0 */
        0x0a, 0x0d, 0x0d, 0x0a, 40, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 4, 0, 2, 0, 'h', 's', 0, 0, 0, 0, 0, 0, 40, 0, 0, 0,
        /* interface */
        1, 0, 0, 0, 32, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0, 0,
        /* packet */
        6, 0, 0, 0, 48, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 9, 0, 0, 0, 'a', 'b', 'c', 0,
        /* flags, end */
        2, 0, 4, 0, 1, 0, 0, 0, 0, 0, 0, 0, 48, 0, 0, 0};
    char *path = in_dir("bytes.pcapng"), *content;
    PcapngWriter *w = open_writer(path, &(PcapngSection){.userappl = "hs"});
    gsize n;

    pcapng_writer_add_iface(w, &(PcapngIface){.linktype = 1});
    memcpy(pcapng_writer_packet_begin(w, 0, (1ll << 32) + 2, 3, 9), "abc", 3);
    pcapng_writer_packet_end(w, PCAPNG_FLAG_INBOUND, NULL);
    g_assert_cmpuint(pcapng_writer_size(w), ==, sizeof(expected));
    close_writer(w);
    g_assert_true(g_file_get_contents(path, &content, &n, NULL));
    g_assert_cmpmem(content, n, expected, sizeof(expected));
    g_unlink(path);
    g_free(content);
    g_free(path);
}

/* Comments of any length, at any place relative to the buffer's end. */
static void test_long_comments(void)
{
    char *path = in_dir("long.pcapng"), *longest = g_strnfill(70000, 'x');
    const char *const comments[] = {longest, longest, longest, longest, longest};
    PcapngWriter *w = open_writer(path, &(PcapngSection){0});
    GError *error = NULL;
    PcapngReader *r;
    PcapngPacket p;

    memcpy(longest + 65534, "\xc3\xa4", 2); /* across the limit: cut before it, not within */
    pcapng_writer_add_iface(w, &(PcapngIface){.linktype = 1});
    for (int i = 0; i < 5; i++) {
        put(w, 0, i, arp, 57);
        pcapng_writer_packet_end_with(
            w, &(PcapngPacketNotes){.comments = comments, .n_comments = 5, .flags = 1});
    }
    close_writer(w);
    r = pcapng_reader_open(path, &error);
    g_assert_no_error(error);
    for (int i = 0; i < 5; i++) {
        g_assert_cmpint(pcapng_reader_next(r, &p, &error), ==, PCAPNG_READ_PACKET);
        g_assert_cmpmem(p.bytes, p.caplen, arp, 57);
        g_assert_cmpuint(p.n_comments, ==, 5);
        for (int k = 0; k < 5; k++)
            g_assert_cmpuint(strlen(p.comments[k]), ==, 65534);
        g_assert_cmpuint(p.flags, ==, 1);
    }
    g_assert_cmpint(pcapng_reader_next(r, &p, &error), ==, PCAPNG_READ_END);
    pcapng_reader_free(r);
    g_unlink(path);
    g_free(longest);
    g_free(path);
}
/* --- failing disks and killed writers --- */

static void test_full_disk(void)
{
    char *path = in_dir("full.pcapng"), *aside = in_dir("full.pcapng.incomplete"), *got;
    char *message = g_strdup_printf("cannot write %s: File too large", path);
    PcapngWriter *w = open_writer(path, &(PcapngSection){0});
    struct rlimit old, limit;
    GError *error = NULL;

    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    limit = (struct rlimit){300001, old.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
    pcapng_writer_add_iface(w, &(PcapngIface){.linktype = 1});
    for (int i = 0; i < 20000; i++) {
        put(w, 0, i, arp, sizeof(arp));
        pcapng_writer_packet_end(w, 0, NULL);
    }
    g_assert_true(pcapng_writer_has_failed(w));
    g_assert_false(pcapng_writer_close(w, &error));
    setrlimit(RLIMIT_FSIZE, &old);
    g_assert_cmpstr(error->message, ==, message);
    g_error_free(error);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    got = describe_file(aside);
    g_assert_nonnull(strstr(got, "cut short: the file ends at byte 300001"));
    g_unlink(aside);
    g_free(got);
    g_free(message);
    g_free(aside);
    g_free(path);
}

/* SIGKILL at some moment: the capture holds the packets 0, 1, 2, … without a gap, up to the cut. */
static void test_kill(void)
{
    char *path = in_dir("killed.pcapng");

    for (int round = 0; round < 3; round++) {
        pid_t child = fork();
        PcapngReadStatus status;
        GError *error = NULL;
        PcapngReader *r;
        PcapngPacket p;
        int64_t n = 0;
        GStatBuf st;
        int ws;

        if (child == 0) {
            PcapngWriter *w = pcapng_writer_open(path, &(PcapngSection){0}, NULL);
            char text[32];

            pcapng_writer_add_iface(w, &(PcapngIface){.linktype = 1});
            for (int i = 0;; i++) {
                uint32_t len = 60 + (uint32_t)i % 1000;

                g_snprintf(text, sizeof(text), "number %d", i);
                memset(pcapng_writer_packet_begin(w, 0, i, len, len), i, len);
                pcapng_writer_packet_end(w, 0, i % 3 ? NULL : text);
                g_usleep(i % 512 ? 0 : 100);
            }
        }
        do {
            g_usleep(1000);
        } while (g_stat(path, &st) != 0 || st.st_size < 1000000 * (round + 1));
        kill(child, SIGKILL);
        waitpid(child, &ws, 0);
        g_assert_true(WIFSIGNALED(ws));
        r = pcapng_reader_open(path, &error);
        g_assert_no_error(error);
        while ((status = pcapng_reader_next(r, &p, &error)) == PCAPNG_READ_PACKET) {
            g_assert_cmpint(p.time, ==, n);
            g_assert_cmpuint(p.caplen, ==, 60 + n % 1000);
            g_assert_cmpuint(p.bytes[p.caplen - 1], ==, (uint8_t)n);
            n++;
        }
        g_assert_cmpint(status, !=, PCAPNG_READ_ERROR);
        g_assert_cmpint(n, >, 1000);
        g_clear_error(&error);
        pcapng_reader_free(r);
        g_unlink(path);
    }
    g_free(path);
}

/* --- Wireshark's tools as judges --- */

/* What a command prints, or NULL and a skipped test if it is not installed. */
static char *run_tool(const char *first, ...)
{
    GPtrArray *argv = g_ptr_array_new();
    char *program = g_find_program_in_path(first), *out = NULL, *err = NULL, **env;
    GError *error = NULL;
    va_list ap;
    int status;

    if (!program) {
        char *why = g_strdup_printf("%s is not installed", first);

        g_test_skip(why);
        g_free(why);
        g_ptr_array_unref(argv);
        return NULL;
    }
    va_start(ap, first);
    g_ptr_array_add(argv, program);
    for (char *arg; (arg = va_arg(ap, char *));)
        g_ptr_array_add(argv, arg);
    va_end(ap);
    g_ptr_array_add(argv, NULL);
    env = g_environ_setenv(g_environ_setenv(g_get_environ(), "TZ", "UTC", TRUE), "LC_ALL", "C.UTF-8", TRUE);
    g_spawn_sync(NULL, (char **)argv->pdata, env, 0, NULL, NULL, &out, &err, &status, &error);
    g_assert_no_error(error);
    if (!g_spawn_check_wait_status(status, NULL))
        g_test_message("%s said: %s", first, err);
    g_assert_true(g_spawn_check_wait_status(status, NULL));
    g_strfreev(env);
    g_free(program);
    g_free(err);
    g_ptr_array_unref(argv);
    return out;
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        g_test_message("'%s' is not in: %s", part, text);
    g_assert_nonnull(strstr(text, part));
}

static void test_tshark_reads_ours(void)
{
    char *path = in_dir("sample.pcapng");
    char *out;

    write_sample(path);
    out = run_tool("tshark", "-r", path, "-T", "fields", "-E", "separator=;", "-E", "aggregator=|", "-e",
                   "frame.interface_name", "-e", "frame.interface_description", "-e", "frame.time_epoch",
                   "-e", "frame.cap_len", "-e", "frame.len", "-e", "frame.comment", "-e",
                   "frame.packet_flags_direction", "-e", "_ws.malformed", "-e", "frame.packet_id", "-e",
                   "_ws.col.Protocol", NULL);
    if (out) {
        g_assert_cmpstr(
            out, ==,
            "client.eth0;client to r;1700000000.000000000;60;60;the first;0x00000002;;;ARP\n"
            "r.tun0;;1700000001.234567891;28;28;;;;;ICMP\n"
            "client.eth0;client to r;1700000002.000000000;41;1514;dropped: queue full|and another: "
            "\xc3\xa4|bad \xef\xbf\xbd byte;0x00000001;;1311768467463790320;ARP\n");
        g_free(out);
        out = run_tool("capinfos", "-A", path, NULL);
    }
    if (out) {
        assert_has(out, "hopscope " HS_VERSION);
        assert_has(out, "Capture hardware:    simulated");
        assert_has(out, "Capture oper-sys:    hopscope");
        assert_has(out, "Capture comment:     seed 1");
        assert_has(out, "Number of packets:   3");
        assert_has(out, "File timestamp precision:  nanoseconds (9)");
        assert_has(out, "Number of interfaces in file: 2");
        assert_has(out, "Number of decryption secrets in file: 1");
        assert_has(out, "Number of resolved IPv4 addresses in file: 1");
        assert_has(out, "Speed = 10000000");
        assert_has(out, "Number of stat entries = 1");
        g_free(out);
        /* The names are used, not only read past. */
        out = run_tool("tshark", "-r", path, "-NnN", "-Y", "icmp", "-T", "fields", "-e", "ip.src_host", NULL);
        if (out)
            g_assert_cmpstr(out, ==, "client\n");
    }
    g_unlink(path);
    g_free(out);
    g_free(path);
}

/* What editcap makes of our sample in each format, read back. */
static void test_we_read_editcap(gconstpointer format)
{
    char *from = in_dir("from.pcapng"), *to = in_dir("to.cap"), *only = in_dir("only.pcapng");
    char *out, *got;

    write_sample(from);
    /* Classic pcap knows one link type: the Ethernet frames only. */
    out = run_tool("editcap", "-r", from, only, "1", "3", NULL);
    if (out) {
        g_free(out);
        if (g_strcmp0(format, "pcapng") == 0) {
            out = run_tool("editcap", "-F", (char *)format, from, to, NULL);
        } else {
            /* editcap keeps both interfaces in the file; tshark writes what it sees. */
            out = run_tool("tshark", "-r", from, "-Y", "arp", "-F", "pcapng", "-w", only, NULL);
            g_free(out);
            out = run_tool("editcap", "-T", "ether", "-F", (char *)format, only, to, NULL);
        }
    }
    if (out) {
        got = describe_file(to);
        if (g_strcmp0(format, "pcapng") == 0)
            g_assert_cmpstr(got, ==, SAMPLE);
        else
            g_assert_cmpstr(got, ==,
                            "0.0 - link=1 1700000000000000000 60/60 first=ff last=00\n"
                            "0.0 - link=1 1700000002000000000 41/1514 first=ff last=00\n");
        g_free(got);
        g_free(out);
    }
    g_unlink(from);
    g_unlink(to);
    g_unlink(only);
    g_free(from);
    g_free(to);
    g_free(only);
}

int main(int argc, char **argv)
{
    int rc;

    g_test_init(&argc, &argv, NULL);
    dir = g_dir_make_tmp("pcapng-XXXXXX", NULL);
    g_test_add_func("/trace/pcapng/round-trip", test_round_trip);
    g_test_add_func("/trace/pcapng/bytes", test_bytes);
    g_test_add_func("/trace/pcapng/long-comments", test_long_comments);
    g_test_add_func("/trace/pcapng/full-disk", test_full_disk);
    g_test_add_func("/trace/pcapng/kill", test_kill);
    g_test_add_func("/trace/pcapng/tshark-reads-ours", test_tshark_reads_ours);
    g_test_add_data_func("/trace/pcapng/we-read-editcap/pcapng", "pcapng", test_we_read_editcap);
    g_test_add_data_func("/trace/pcapng/we-read-editcap/pcap", "pcap", test_we_read_editcap);
    g_test_add_data_func("/trace/pcapng/we-read-editcap/nsecpcap", "nsecpcap", test_we_read_editcap);
    rc = g_test_run();
    g_rmdir(dir);
    g_free(dir);
    return rc;
}
