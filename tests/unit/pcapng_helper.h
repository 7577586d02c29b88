/* A capture with everything in it, written and read back as text. */
#pragma once

#include <glib/gstdio.h>
#include <inttypes.h>
#include <string.h>

#include "sim/trace/pcapng_reader.h"
#include "sim/trace/pcapng_writer.h"

static char *dir;

static inline char *in_dir(const char *name)
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

static inline PcapngWriter *open_writer(const char *path, const PcapngSection *section)
{
    GError *error = NULL;
    PcapngWriter *w = pcapng_writer_open(path, section, &error);

    g_assert_no_error(error);
    return w;
}

static inline void close_writer(PcapngWriter *w)
{
    GError *error = NULL;

    g_assert_true(pcapng_writer_close(w, &error));
    g_assert_no_error(error);
}

static inline void put(PcapngWriter *w, uint32_t iface, SimTime time, const void *bytes, uint32_t n)
{
    memcpy(pcapng_writer_packet_begin(w, iface, time, n, n), bytes, n);
}

/* A capture with everything a writer can say. */
static inline void write_sample(const char *path)
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
static inline char *describe_with(PcapngReader *r)
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

static inline char *describe_file(const char *path)
{
    GError *error = NULL;
    PcapngReader *r = pcapng_reader_open(path, &error);

    g_assert_no_error(error);
    return describe_with(r);
}

static inline void assert_read(const void *data, size_t n, const char *expected)
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
