/* sim/trace/pcapng_writer and pcapng_reader: the exact bytes, each other, and Wireshark's tools as judges. */
#include "sim/trace/pcapng_reader.h"
#include "sim/trace/pcapng_writer.h"

#include <glib/gstdio.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static char *dir;

static char *in_dir(const char *name)
{
    return g_build_filename(dir, name, NULL);
}

/* An ARP request and a UDP datagram: what tshark is to find nothing wrong with. */
static const uint8_t arp[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0,  1, 8, 6,
                                0,    1,    8,    0,    6,    4,    0, 1, 2, 0, 0,  0, 0, 1,
                                10,   0,    0,    1,    0,    0,    0, 0, 0, 0, 10, 0, 0, 2};
static const uint8_t ip_icmp[28] = {0x45, 0, 0,  28, 0, 0, 0x40, 0, 64,   1,    0x26, 0xdf, 10, 0,
                                    0,    1, 10, 0,  0, 2, 8,    0, 0xf7, 0xfe, 0,    0,    0,  1};

static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
static const uint8_t ipv4[16] = {10, 0, 0, 1, 255, 255, 255, 0, 10, 0, 1, 1, 255, 255, 0, 0};
static const uint8_t ipv6[17] = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 64};

static PcapngWriter *open_writer(const char *path, const PcapngSection *section)
{
    GError *error = NULL;
    PcapngWriter *w = pcapng_writer_open(path, section, &error);

    g_assert_no_error(error);
    return w;
}

static void close_writer(PcapngWriter *w)
{
    GError *error = NULL;

    g_assert_true(pcapng_writer_close(w, &error));
    g_assert_no_error(error);
}

static void put(PcapngWriter *w, uint32_t iface, SimTime time, const void *bytes, uint32_t n)
{
    memcpy(pcapng_writer_packet_begin(w, iface, time, n, n), bytes, n);
}

/* A capture with everything a writer can say. */
static void write_sample(const char *path)
{
    static const char *const comments[] = {"dropped: queue full", "and another: \xc3\xa4", "bad \xff byte"};
    static const char keys[] = "CLIENT_RANDOM 00 11\n";
    PcapngWriter *w = open_writer(path, &(PcapngSection){.hardware = "simulated",
                                                         .os = "hopscope",
                                                         .comment = "seed 1",
                                                         .epoch_ns = 1700000000 * SIM_SEC});

    g_assert_cmpuint(pcapng_writer_add_iface(w, &(PcapngIface){.name = "client.eth0",
                                                               .description = "client to r",
                                                               .linktype = PCAPNG_LINKTYPE_ETHERNET,
                                                               .snaplen = 65535,
                                                               .mac = mac,
                                                               .ipv4 = ipv4,
                                                               .n_ipv4 = 2,
                                                               .ipv6 = ipv6,
                                                               .n_ipv6 = 1,
                                                               .speed_bps = 10000000}),
                     ==, 0);
    pcapng_writer_add_secrets(w, PCAPNG_SECRETS_TLS_KEYLOG, keys, strlen(keys));
    pcapng_writer_add_names(
        w, (PcapngName[]){{{10, 0, 0, 1}, false, "client"}, {{0xfe, 0x80, [15] = 1}, true, "client6"}}, 2);
    put(w, 0, 0, arp, sizeof(arp));
    pcapng_writer_packet_end(w, PCAPNG_FLAG_OUTBOUND | PCAPNG_FLAG_BROADCAST, "the first");
    g_assert_cmpuint(
        pcapng_writer_add_iface(w, &(PcapngIface){.name = "r.tun0", .linktype = PCAPNG_LINKTYPE_RAW_IP}), ==,
        1);
    put(w, 1, 1234567891, ip_icmp, sizeof(ip_icmp));
    pcapng_writer_packet_end(w, 0, NULL);
    memcpy(pcapng_writer_packet_begin(w, 0, 2 * SIM_SEC, 41, 1514), arp,
           41); /* cut, and not a multiple of 4 */
    pcapng_writer_packet_end_with(w,
                                  &(PcapngPacketNotes){.flags = PCAPNG_FLAG_INBOUND | PCAPNG_FLAG_CRC_ERROR,
                                                       .comments = comments,
                                                       .n_comments = 3,
                                                       .has_dropcount = true,
                                                       .dropcount = 3,
                                                       .has_packetid = true,
                                                       .packetid = 0x123456789abcdef0});
    pcapng_writer_add_iface_stats(
        w, 0, 3 * SIM_SEC,
        &(PcapngIfaceStats){.end = 3 * SIM_SEC, .received = 5, .dropped = 3, .delivered = 2});
    close_writer(w);
}

/* Everything the reader says, one line for a packet. */
static char *describe_with(PcapngReader *r)
{
    GString *s = g_string_new(NULL);
    PcapngReadStatus status;
    GError *error = NULL;
    PcapngPacket p;

    while ((status = pcapng_reader_next(r, &p, &error)) == PCAPNG_READ_PACKET) {
        g_string_append_printf(s, "%u.%u %s link=%u ", p.section, p.iface, p.iface_name ? p.iface_name : "-",
                               p.linktype);
        if (p.has_time)
            g_string_append_printf(s, "%" PRId64 " ", p.time);
        g_string_append_printf(s, "%u/%u first=%02x last=%02x", p.caplen, p.len, p.caplen ? p.bytes[0] : 0,
                               p.caplen ? p.bytes[p.caplen - 1] : 0);
        if (p.fcs_len)
            g_string_append_printf(s, " fcs=%u", p.fcs_len);
        if (p.flags)
            g_string_append_printf(s, " flags=%x", p.flags);
        if (p.has_dropcount)
            g_string_append_printf(s, " drops=%" PRIu64, p.dropcount);
        if (p.has_packetid)
            g_string_append_printf(s, " id=%" PRIx64, p.packetid);
        for (size_t i = 0; i < p.n_comments; i++)
            g_string_append_printf(s, " '%s'", p.comments[i]);
        g_string_append_c(s, '\n');
    }
    if (status != PCAPNG_READ_END) {
        g_assert_true(g_error_matches(error, PCAPNG_READER_ERROR, PCAPNG_READER_ERROR_CUT_SHORT) ==
                      (status == PCAPNG_READ_CUT_SHORT));
        g_string_append(s, error->message);
        g_clear_error(&error);
    }
    g_assert_no_error(error);
    /* Once over, always over. */
    g_assert_cmpint(pcapng_reader_next(r, &p, &error), ==, status);
    g_clear_error(&error);
    pcapng_reader_free(r);
    return g_string_free(s, FALSE);
}

static char *describe_file(const char *path)
{
    GError *error = NULL;
    PcapngReader *r = pcapng_reader_open(path, &error);

    g_assert_no_error(error);
    return describe_with(r);
}

static void assert_read(const void *data, size_t n, const char *expected)
{
    char *got = describe_with(pcapng_reader_new(data, n, "x.pcapng"));

    g_assert_cmpstr(got, ==, expected);
    g_free(got);
}

#define SAMPLE                                                                                               \
    "0.0 client.eth0 link=1 1700000000000000000 60/60 first=ff last=00 flags=e 'the first'\n"                \
    "0.1 r.tun0 link=101 1700000001234567891 28/28 first=45 last=01\n"                                       \
    "0.0 client.eth0 link=1 1700000002000000000 41/1514 first=ff last=00 flags=1000001 drops=3 "             \
    "id=123456789abcdef0 "                                                                                   \
    "'dropped: queue full' 'and another: \xc3\xa4' 'bad \xef\xbf\xbd byte'\n"

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
    static const uint8_t
        expected
            [] =
                {
                    0x0a, 0x0d, 0x0d, 0x0a, 40,   0,    0,    0,    0x4d, 0x3c, 0x2b, 0x1a, 1,   0,   0,
                    0, /* section,
                          version 1.0
                        */
                    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 4,    0,    2,    0,    'h', 's', 0,
                    0,    0,    0,    0,    0,    40,   0,    0,    0,    1,    0,    0,    0,   32,  0,
                    0,    0,    1,    0,    0,    0,    0,    0,    0,    0,    9,    0,    1,   0,   9,
                    0,    0,    0,    0,    0,    0,    0,    32,   0,    0,    0, /* iface
                                                                                    */
                    6,    0,    0,    0,    48,   0,    0,    0,    0,    0,    0,    0,    1,   0,   0,
                    0,    2,    0,    0,    0,    3,    0,    0,    0,    9,    0,    0,    0, /* packet */
                    'a',  'b',  'c',  0,    2,    0,    4,    0,    1,    0,    0,    0,    0,   0,   0,
                    0,    48,   0,    0,    0, /* flags, end */
                };
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

/* --- the reader on captures that others would write, byte by byte --- */

/* A capture put together in either byte order. */
typedef struct Maker {
    GByteArray *bytes;
    bool big;
    guint block;
} Maker;

static void m16(Maker *m, uint16_t v)
{
    v = m->big ? GUINT16_TO_BE(v) : GUINT16_TO_LE(v);
    g_byte_array_append(m->bytes, (uint8_t *)&v, 2);
}

static void m32(Maker *m, uint32_t v)
{
    v = m->big ? GUINT32_TO_BE(v) : GUINT32_TO_LE(v);
    g_byte_array_append(m->bytes, (uint8_t *)&v, 4);
}

static void m64(Maker *m, uint64_t v)
{
    v = m->big ? GUINT64_TO_BE(v) : GUINT64_TO_LE(v);
    g_byte_array_append(m->bytes, (uint8_t *)&v, 8);
}

static void mbytes(Maker *m, const char *s)
{
    g_byte_array_append(m->bytes, (const uint8_t *)s, (guint)strlen(s));
    g_byte_array_append(m->bytes, (const uint8_t *)"\0\0\0", -m->bytes->len & 3);
}

static void block_begin(Maker *m, uint32_t type)
{
    m->block = m->bytes->len;
    m32(m, type);
    m32(m, 0);
}

static void block_end(Maker *m)
{
    uint32_t n = m->bytes->len - m->block + 4;

    m32(m, n);
    n = m->big ? GUINT32_TO_BE(n) : GUINT32_TO_LE(n);
    memcpy(m->bytes->data + m->block + 4, &n, 4);
}

static void make_section(Maker *m)
{
    block_begin(m, PCAPNG_BLOCK_SECTION);
    m32(m, PCAPNG_BYTE_ORDER_MAGIC);
    m16(m, 1);
    m16(m, 0);
    m64(m, UINT64_MAX);
    block_end(m);
}

static void make_iface(Maker *m, uint16_t linktype, uint32_t snaplen, int tsresol, int64_t tsoffset)
{
    block_begin(m, PCAPNG_BLOCK_IFACE);
    m16(m, linktype);
    m16(m, 0);
    m32(m, snaplen);
    if (tsresol >= 0) {
        m16(m, PCAPNG_IF_TSRESOL);
        m16(m, 1);
        g_byte_array_append(m->bytes, (uint8_t[]){(uint8_t)tsresol, 0, 0, 0}, 4);
    }
    if (tsoffset) {
        m16(m, PCAPNG_IF_TSOFFSET);
        m16(m, 8);
        m64(m, (uint64_t)tsoffset);
    }
    block_end(m);
}

static void make_packet(Maker *m, uint32_t iface, uint64_t ts, uint32_t caplen, uint32_t len,
                        const char *bytes)
{
    block_begin(m, PCAPNG_BLOCK_PACKET);
    m32(m, iface);
    m32(m, (uint32_t)(ts >> 32));
    m32(m, (uint32_t)ts);
    m32(m, caplen);
    m32(m, len);
    mbytes(m, bytes);
    block_end(m);
}

static Maker maker(bool big)
{
    return (Maker){g_byte_array_new(), big, 0};
}

static void finish(Maker *m, const char *expected)
{
    assert_read(m->bytes->data, m->bytes->len, expected);
    g_byte_array_unref(m->bytes);
}

static void test_blocks(gconstpointer big)
{
    Maker m = maker(GPOINTER_TO_INT(big));

    make_section(&m);
    make_iface(&m, 1, 4, -1, 0);
    block_begin(&m, 0x40001234); /* somebody's own */
    mbytes(&m, "whatever it is");
    block_end(&m);
    make_packet(&m, 0, 5, 3, 9, "abc"); /* microseconds unless told */
    block_begin(&m, PCAPNG_BLOCK_SIMPLE_PACKET);
    m32(&m, 100);
    mbytes(&m, "abcd"); /* cut to the interface's snaplen */
    block_end(&m);
    block_begin(&m, PCAPNG_BLOCK_OLD_PACKET);
    m16(&m, 0);
    m16(&m, 7);
    m32(&m, 0);
    m32(&m, 6);
    m32(&m, 5);
    m32(&m, 5);
    mbytes(&m, "abcde");
    m16(&m, PCAPNG_EPB_FLAGS);
    m16(&m, 4);
    m32(&m, 2 | 4 << 5);
    block_end(&m);
    make_packet(&m, 0, 5, 4, 2, "abcd"); /* captured more than there was: taken as the length */
    m.big = !m.big;                      /* a second section has its own byte order and interfaces */
    make_section(&m);
    make_iface(&m, 101, 0, 9, 0);
    make_packet(&m, 0, 77, 1, 1, "z");
    finish(&m, "0.0 - link=1 5000 3/9 first=61 last=63\n"
               "0.0 - link=1 4/100 first=61 last=64\n"
               "0.0 - link=1 6000 5/5 first=61 last=65 fcs=4 flags=82 drops=7\n"
               "0.0 - link=1 5000 4/4 first=61 last=64\n"
               "1.0 - link=101 77 1/1 first=7a last=7a\n");
}

static void test_times(void)
{
    Maker m = maker(false);

    make_section(&m);
    make_iface(&m, 0, 0, 0, 0);          /* seconds */
    make_iface(&m, 0, 0, 12, 0);         /* picoseconds */
    make_iface(&m, 0, 0, 0x80 | 10, 0);  /* 1/1024 s */
    make_iface(&m, 0, 0, 0x80 | 127, 0); /* 2^-127 s: all is now */
    make_iface(&m, 0, 0, 127, 0);        /* 10^-127 s */
    make_iface(&m, 0, 0, 3, 1000);       /* ms since 1000 s */
    make_iface(&m, 0, 0, 9, -1);         /* one second earlier */
    make_iface(&m, 0, 0, 9, INT64_MAX);  /* nonsense: no time */
    make_packet(&m, 0, 3, 0, 0, "");
    make_packet(&m, 1, 5999, 0, 0, "");
    make_packet(&m, 2, 1536, 0, 0, "");
    make_packet(&m, 3, UINT64_MAX, 0, 0, "");
    make_packet(&m, 4, UINT64_MAX, 0, 0, "");
    make_packet(&m, 5, 5, 0, 0, "");
    make_packet(&m, 6, 5, 0, 0, "");
    make_packet(&m, 7, 5, 0, 0, "");
    make_packet(&m, 0, UINT64_MAX, 0, 0, "");
    finish(&m, "0.0 - link=0 3000000000 0/0 first=00 last=00\n"
               "0.1 - link=0 5 0/0 first=00 last=00\n"
               "0.2 - link=0 1500000000 0/0 first=00 last=00\n"
               "0.3 - link=0 0 0/0 first=00 last=00\n"
               "0.4 - link=0 0 0/0 first=00 last=00\n"
               "0.5 - link=0 1000005000000 0/0 first=00 last=00\n"
               "0.6 - link=0 -999999995 0/0 first=00 last=00\n"
               "0.7 - link=0 0/0 first=00 last=00\n"
               "0.0 - link=0 0/0 first=00 last=00\n");
}

static void test_pcap(gconstpointer big)
{
    for (int is_ns = 0; is_ns < 2; is_ns++) {
        Maker m = maker(GPOINTER_TO_INT(big));

        m32(&m, is_ns ? 0xa1b23c4d : 0xa1b2c3d4);
        m16(&m, 2);
        m16(&m, 4);
        m64(&m, 0);
        m32(&m, 65535);
        m32(&m, 1 | 1u << 26 | 2u << 28); /* FCS of two 16-bit words */
        m32(&m, 4000000000u);             /* after 2038 */
        m32(&m, 999999);
        m32(&m, 5);
        m32(&m, 60);
        g_byte_array_append(m.bytes, (const uint8_t *)"abcde", 5); /* no padding here */
        m32(&m, 1);
        finish(&m,
               is_ns
                   ? "0.0 - link=1 4000000000000999999 5/60 first=61 last=65 fcs=4\n"
                     "x.pcapng: cut short: the file ends at byte 49, within a packet header of 16 bytes that "
                     "begins at byte 45"
                   : "0.0 - link=1 4000000000999999000 5/60 first=61 last=65 fcs=4\n"
                     "x.pcapng: cut short: the file ends at byte 49, within a packet header of 16 bytes that "
                     "begins at byte 45");
    }
}

/* One byte or word of a good capture changed, and the message for it. The blocks begin at 0 (section, 28
 * bytes), 28 (interface, 20), 48 (packet, 36), 84. */
static void test_errors(void)
{
    static const struct {
        guint at;
        uint32_t value;
        const char *message;
    } rows[] = {
        {0, 0x89504e47,
         "x.pcapng: byte 0: magic number 47 4e 50 89, expected 0a 0d 0d 0a (pcapng) or a1 b2 c3 d4 (pcap)"},
        {0, 0x00088b1f,
         "x.pcapng: byte 0: the file is compressed with gzip, expected a pcapng or pcap capture: unpack it "
         "first"},
        {4, 13, "x.pcapng: byte 4: block length 13 is not a multiple of 4"},
        {4, 24,
         "x.pcapng: byte 20: trailing length 4294967295 differs from length 24 of the block at byte 0"},
        {4, 0x80000000, "x.pcapng: byte 4: block length 2147483648, expected at most 16777216"},
        {4, 64, "x.pcapng: byte 60: trailing length 0 differs from length 64 of the block at byte 0"},
        {4, 1000,
         "x.pcapng: cut short: the file ends at byte 84, within a block of 1000 bytes that begins at byte 0"},
        {8, 0x11223344, "x.pcapng: byte 8: byte-order magic 0x11223344, expected 0x1a2b3c4d"},
        {12, 2, "x.pcapng: byte 12: pcapng version 2.0, expected 1.x"},
        {32, 8, "x.pcapng: byte 32: block length 8, expected at least 12"},
        {44, 24, "x.pcapng: byte 44: trailing length 24 differs from length 20 of the block at byte 28"},
        {28, 77, "x.pcapng: byte 56: a packet names interface 0, but its section has described 0 so far"},
        {56, 9, "x.pcapng: byte 56: a packet names interface 9, but its section has described 1 so far"},
        {68, 5, "x.pcapng: byte 68: captured length 5, but the block has only 4 bytes left"},
        {68, 0xffffffff,
         "x.pcapng: byte 68: captured length 4294967295, but the block has only 4 bytes left"},
        {68, 0, "x.pcapng: byte 76: option 24929 has length 25185, but its block has only 0 bytes left"},
    };

    for (size_t i = 0; i < HS_ARRAY_LEN(rows); i++) {
        Maker m = maker(false);
        uint32_t v = GUINT32_TO_LE(rows[i].value);

        make_section(&m);
        make_iface(&m, 1, 0, -1, 0);
        make_packet(&m, 0, 5, 4, 4, "aaab");
        g_assert_cmpuint(m.bytes->len, ==, 84);
        memcpy(m.bytes->data + rows[i].at, &v, 4);
        finish(&m, rows[i].message);
    }
    assert_read("", 0, "x.pcapng: byte 0: the file is empty, expected a pcapng or pcap capture");
}

/* Cut anywhere, the sample gives its whole packets and then says where it ends; no cut makes it wrong. */
static void test_every_cut(void)
{
    char *path = in_dir("sample.pcapng"), *content;
    unsigned last = 0;
    gsize n;

    write_sample(path);
    g_assert_true(g_file_get_contents(path, &content, &n, NULL));
    for (gsize i = 1; i <= n; i++) {
        PcapngReader *r = pcapng_reader_new(content, i, "x");
        PcapngReadStatus status;
        GError *error = NULL;
        unsigned packets = 0;
        PcapngPacket p;

        while ((status = pcapng_reader_next(r, &p, &error)) == PCAPNG_READ_PACKET)
            packets++;
        g_assert_cmpint(status, !=, PCAPNG_READ_ERROR);
        g_assert_cmpuint(packets, >=, last);
        last = packets;
        g_clear_error(&error);
        pcapng_reader_free(r);
    }
    g_assert_cmpuint(last, ==, 3);
    g_unlink(path);
    g_free(content);
    g_free(path);
}

static void test_no_file(void)
{
    GError *error = NULL;
    PcapngReader *r;

    g_assert_null(pcapng_reader_open("/nonexistent/x.pcapng", &error));
    g_assert_cmpstr(error->message, ==, "cannot open /nonexistent/x.pcapng: No such file or directory");
    g_clear_error(&error);
    r = pcapng_reader_open("/", &error);
    g_assert_cmpint(pcapng_reader_next(r, &(PcapngPacket){0}, &error), ==, PCAPNG_READ_ERROR);
    g_assert_cmpstr(error->message, ==, "cannot read /: Is a directory");
    pcapng_reader_free(r);
    g_clear_error(&error);
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
    g_test_add_data_func("/trace/pcapng/blocks/little-endian", GINT_TO_POINTER(0), test_blocks);
    g_test_add_data_func("/trace/pcapng/blocks/big-endian", GINT_TO_POINTER(1), test_blocks);
    g_test_add_func("/trace/pcapng/times", test_times);
    g_test_add_data_func("/trace/pcapng/pcap/little-endian", GINT_TO_POINTER(0), test_pcap);
    g_test_add_data_func("/trace/pcapng/pcap/big-endian", GINT_TO_POINTER(1), test_pcap);
    g_test_add_func("/trace/pcapng/errors", test_errors);
    g_test_add_func("/trace/pcapng/every-cut", test_every_cut);
    g_test_add_func("/trace/pcapng/no-file", test_no_file);
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
