/* sim/trace/pcapng_reader on captures that others would write, byte by byte; on what is wrong and what is
 * cut. */
#include "tests/unit/pcapng_helper.h"

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

int main(int argc, char **argv)
{
    int rc;

    g_test_init(&argc, &argv, NULL);
    dir = g_dir_make_tmp("pcapng-XXXXXX", NULL);
    g_test_add_data_func("/trace/pcapng/blocks/little-endian", GINT_TO_POINTER(0), test_blocks);
    g_test_add_data_func("/trace/pcapng/blocks/big-endian", GINT_TO_POINTER(1), test_blocks);
    g_test_add_func("/trace/pcapng/times", test_times);
    g_test_add_data_func("/trace/pcapng/pcap/little-endian", GINT_TO_POINTER(0), test_pcap);
    g_test_add_data_func("/trace/pcapng/pcap/big-endian", GINT_TO_POINTER(1), test_pcap);
    g_test_add_func("/trace/pcapng/errors", test_errors);
    g_test_add_func("/trace/pcapng/every-cut", test_every_cut);
    g_test_add_func("/trace/pcapng/no-file", test_no_file);
    rc = g_test_run();
    g_rmdir(dir);
    g_free(dir);
    return rc;
}
