/* sim/trace/pcapng_lz4: whatever is captured, the compressed file unpacks to the plain one, byte for byte;
 * and what repeats is not written again. */
#include "sim/trace/pcapng_lz4.h"

#include "sim/packet/packet.h"
#include "sim/trace/pcapng_reader.h"
#include "sim/trace/pcapng_writer.h"
#include "tests/unit/lz4_helper.h"

static char *dir, *plain, *packed;

typedef struct Both { /* the same calls to a plain and a compressed capture */
    PcapngWriter *w[2];
    PacketPool *pool;
    SimTime now;
} Both;

static void begin_cut(Both *b, uint32_t snaplen)
{
    b->pool = packetpool_new();
    b->now = 0;
    for (unsigned i = 0; i < 2; i++) {
        b->w[i] = pcapng_writer_open(i ? packed : plain,
                                     &(PcapngSection){.comment = "both", .snaplen = snaplen}, NULL);
        for (unsigned k = 0; k < 3; k++)
            pcapng_writer_add_iface(b->w[i],
                                    &(PcapngIface){.name = "eth", .linktype = PCAPNG_LINKTYPE_ETHERNET});
    }
}

static void begin(Both *b)
{
    begin_cut(b, 0);
}

static void add(Both *b, const Packet *p, uint32_t iface, uint32_t flags)
{
    for (unsigned i = 0; i < 2; i++)
        pcapng_writer_add_packet(b->w[i], iface, b->now, p, flags, p->birth_id);
}

/* Returns the compressed file's length as a share of the plain one's, in thousandths. */
static unsigned end(Both *b)
{
    char *bytes;
    gsize n;
    GStatBuf st;

    for (unsigned i = 0; i < 2; i++)
        g_assert_true(pcapng_writer_close(b->w[i], NULL));
    packetpool_free(b->pool);
    g_assert_true(g_file_get_contents(plain, &bytes, &n, NULL));
    lz4_assert_holds(packed, bytes, n);
    g_assert_cmpint(g_stat(packed, &st), ==, 0);
    g_free(bytes);
    return (unsigned)((gsize)st.st_size * 1000 / n);
}

/* Ethernet, IPv4 and TCP with time stamps, of which only what changes in a flow does. */
static Packet *segment(Both *b, unsigned flow, unsigned id, uint32_t payload, bool partial)
{
    Packet *p = packet_new(b->pool, flow, (uint64_t)flow << 40 | id, PKT_HEADROOM - 34);
    uint8_t *h = packet_put(p, 66);

    memset(h, 0, 66);
    memcpy(h, "\2\0\0\0\0\1\2\0\0\0\0\2\x08\0\x45", 15);
    h[16] = (uint8_t)((52 + payload) >> 8);
    h[17] = (uint8_t)(52 + payload);
    h[18] = (uint8_t)(id >> 8);
    h[19] = (uint8_t)id;
    h[24] = (uint8_t)(id * 7);
    h[29] = h[33] = (uint8_t)flow;
    h[40] = (uint8_t)(id >> 3);
    h[41] = (uint8_t)(id << 5);
    h[50] = (uint8_t)(id * 31);
    h[57] = (uint8_t)(id >> 2);
    h[61] = (uint8_t)(id >> 2);
    p->l3 = (uint16_t)(p->head + 14);
    p->l4 = (uint16_t)(p->l3 + 20);
    if (partial)
        packet_set_csum_partial(p, p->l4, p->l4 + 16u);
    if (payload)
        packet_add_synthetic(p, (uint64_t)id * 1448, payload);
    return p;
}

/* The bulk transfer that captures are made of: a sixteenth of its size at most. */
static void test_flows(void)
{
    Both b;

    begin(&b);
    for (unsigned id = 0; id < 20000; id++) {
        Packet *p = segment(&b, id % 5, id / 5, id % 3 ? 1448 : 0, true);

        b.now += 120000;
        add(&b, p, id % 2, id % 2 ? PCAPNG_FLAG_INBOUND : PCAPNG_FLAG_OUTBOUND);
        packet_unref(p);
    }
    g_assert_cmpuint(end(&b), <, 60);
}

/* One packet, everything that it could be. */
static Packet *any(Both *b, GRand *rand)
{
    unsigned kind = (unsigned)g_rand_int_range(rand, 0, 8);
    uint32_t len = (uint32_t)g_rand_int_range(rand, 0, g_rand_int(rand) % 4 ? 1500 : 20);
    uint8_t bytes[2000];
    Packet *p;

    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)g_rand_int(rand);
    if (kind < 4) {
        p = segment(b, (unsigned)g_rand_int_range(rand, 0, 4), (unsigned)g_rand_int(rand) >> 12, 0,
                    kind == 3);
    } else { /* headers of every length, unlike each other */
        unsigned n = (unsigned)g_rand_int_range(rand, 1, 130);

        p = packet_new(b->pool, 0, g_rand_int(rand), (unsigned)g_rand_int_range(rand, 0, 62));
        memcpy(packet_put(p, n), bytes, n);
        p->l3 = (uint16_t)(kind == 5 ? p->head + 14 : kind == 6 ? 0 : p->head);
        if (kind == 7 && n > 8)
            packet_set_csum_partial(p, p->tail - 8u, p->tail - 2u);
    }
    if (kind != 2)
        packet_add_synthetic(p, g_rand_int(rand), len);
    if (kind == 1)
        packet_add_synthetic(p, g_rand_int(rand), (uint32_t)g_rand_int_range(rand, 0, 600));
    if (kind == 2 || kind == 5)
        packet_add_bytes(p, bytes, len);
    if (kind == 6)
        p->pad = (uint8_t)g_rand_int_range(rand, 0, 47);
    if (kind == 4 && g_rand_int(rand) % 8 == 0)
        packet_add_synthetic(p, g_rand_int(rand), 60000);
    return p;
}

static void test_any(void)
{
    for (unsigned seed = 0; seed < 24; seed++) {
        GRand *rand = g_rand_new_with_seed(seed);
        Both b;

        begin_cut(&b, seed % 4 ? 0 : (uint32_t)g_rand_int_range(rand, 1, 200));
        for (unsigned i = 0; i < 6000; i++) {
            Packet *p = any(&b, rand);
            unsigned times = g_rand_int(rand) % 3 ? 1 : 3, what = (unsigned)g_rand_int_range(rand, 0, 300);

            b.now += g_rand_int(rand) % 8 ? g_rand_int_range(rand, 0, 2000000) : 5 * SIM_SEC;
            while (times--)
                add(&b, p, (uint32_t)g_rand_int_range(rand, 0, 3),
                    g_rand_int(rand) % 50 ? 1 + g_rand_int(rand) % 2
                                          : PCAPNG_FLAG_INBOUND | PCAPNG_FLAG_TOO_LONG);
            packet_unref(p);
            for (unsigned k = 0; k < 2; k++) {
                PcapngWriter *w = b.w[k];

                if (what == 0)
                    pcapng_writer_flush(w);
                else if (what == 1)
                    pcapng_writer_add_names(w, &(PcapngName){.address = {10, 0, 0, 1}, .name = "server"}, 1);
                else if (what < 6) {
                    memset(pcapng_writer_packet_begin(w, 0, b.now, what * 20, what * 30), (int)what,
                           what * 20);
                    pcapng_writer_packet_end(w, what & 1, what & 2 ? "a comment" : NULL);
                } else if (what == 6 && i % 2) {
                    char *big = g_strnfill(5 << 20, 'k');

                    pcapng_writer_add_secrets(w, PCAPNG_SECRETS_TLS_KEYLOG, big, 5 << 20);
                    g_free(big);
                }
            }
        }
        end(&b);
        g_rand_free(rand);
    }
}

/* Flows that go on as they began, and now and then do not: other bytes of their headers change, payload is
 * short, long, cut off, given as bytes or in two pieces, a checksum is there already, a flow was long not
 * seen. */
static void test_flows_that_change(void)
{
    static const uint32_t payloads[] = {0, 1, 3, 4, 20, 250, 251, 252, 254, 255, 256, 600, 1448, 8960, 30000};

    for (unsigned seed = 0; seed < 8; seed++) {
        GRand *rand = g_rand_new_with_seed(seed);
        uint8_t bytes[1448], changed[80] = {0};
        Both b;

        for (unsigned i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)g_rand_int(rand);
        begin_cut(&b, seed < 4 ? 0 : 40 + seed * 10);
        for (unsigned id = 0; id < 8000; id++) {
            unsigned what = (unsigned)g_rand_int_range(rand, 0, 40),
                     flow = g_rand_int(rand) % (seed % 2 ? 3 : 40);
            uint32_t payload = payloads[(id / 50 + flow % 2) % HS_ARRAY_LEN(payloads)];
            Packet *p = segment(&b, flow, id, what == 0 || what == 2 ? 0 : payload, what != 1);

            if (what == 0) {
                packet_add_bytes(p, bytes, HS_MIN(payload, (uint32_t)sizeof bytes));
            } else if (what == 2 && payload > 1) {
                packet_add_synthetic(p, id, payload / 2);
                packet_add_synthetic(p, 3 * id, payload - payload / 2);
            } else if (what == 3) {
                changed[g_rand_int(rand) % 66] ^= 1;
            } else if (what == 4 && !payload) {
                p->pad = 6;
            }
            for (unsigned i = 0; i < 66; i++)
                packet_data(p)[i] ^= changed[i];
            b.now += g_rand_int_range(rand, 0, 3000000);
            add(&b, p, flow % 2, 1 + flow % 2);
            packet_unref(p);
        }
        end(&b);
        g_rand_free(rand);
    }
}

/* Ends of all kinds: nothing, one packet, a flush behind each. */
static void test_ends(void)
{
    for (unsigned n = 0; n < 4; n++) {
        Both b;

        begin(&b);
        for (unsigned i = 0; i < n; i++) {
            Packet *p = segment(&b, 1, i, 100, true);

            add(&b, p, 0, PCAPNG_FLAG_INBOUND);
            packet_unref(p);
            if (n == 3) {
                char *bytes;
                gsize len;

                /* What is there can be read, although the file has no end yet. */
                pcapng_writer_flush(b.w[0]);
                pcapng_writer_flush(b.w[1]);
                g_assert_true(g_file_get_contents(plain, &bytes, &len, NULL));
                lz4_assert_unpacks(packed, bytes, len);
                g_free(bytes);
            }
        }
        end(&b);
    }
}

/* A checksum among the bytes that are compared, to be computed in one packet and the same bits, as they are,
 * in the next: the two are not the same on the wire. */
static void test_checksum(void)
{
    Both b;

    begin(&b);
    for (unsigned i = 0; i < 6; i++) {
        Packet *p = packet_new(b.pool, 1, i, 40);

        memset(packet_put(p, 28), 0x45, 28);
        p->l3 = p->head;
        p->l4 = (uint16_t)(p->head + 20);
        if (i % 3 == 0)
            packet_set_csum_partial(p, p->l4, p->l4 + 6u);
        packet_add_synthetic(p, 0, 100);
        add(&b, p, 0, PCAPNG_FLAG_INBOUND);
        packet_unref(p);
    }
    end(&b);
}

/* Frames wait before they are written, but as they were when they passed: their headers are changed by the
 * next router, in the same packet, and their payload is cut off. */
static void test_changed_behind(void)
{
    Both b;

    begin(&b);
    for (unsigned i = 0; i < 300; i++) {
        Packet *p = segment(&b, i % 4, i, i % 4 ? 1448 : 700, i % 3);

        b.now += 1000;
        add(&b, p, 0, PCAPNG_FLAG_OUTBOUND);
        packet_data(p)[22] = 63;
        packet_data(p)[25] ^= 1;
        packet_trim(p, 60 + i);
        add(&b, p, 1, PCAPNG_FLAG_INBOUND);
        packet_pull(p, 14);
        memset(packet_data(p), 0xee, 40);
        packet_unref(p);
    }
    end(&b);
}

/* Headers longer than those that wait, and real payload, in between: nothing overtakes. */
static void test_order(void)
{
    Both b;

    begin(&b);
    for (unsigned i = 0; i < 400; i++) {
        Packet *p = segment(&b, i % 3, i, 0, true);

        if (i % 7 == 0)
            memset(packet_put(p, 20 + i % 44), (int)i, 20 + i % 44);
        if (i % 11 == 0)
            packet_add_bytes(p, "real payload", 12);
        else
            packet_add_synthetic(p, i * 1000, i % 5 * 300);
        b.now += 1000;
        add(&b, p, i % 2, PCAPNG_FLAG_INBOUND);
        packet_unref(p);
    }
    end(&b);
}

/* Flows whose headers are longer than others': TCP over IPv6, and up to all that a packet has room for. They
 * are as small as the rest, and wait among it. */
static void test_long_headers(void)
{
    for (unsigned more = 14; more <= PKT_BUF - PKT_HEADROOM - 32; more += 6) {
        Both b;

        begin(&b);
        for (unsigned i = 0; i < 3000; i++) {
            Packet *p = segment(&b, i % 3, i, 0, i % 2);

            if (i % 3) {
                uint8_t *h = packet_put(p, more);

                memset(h, 0x5a, more);
                h[more - 3] = (uint8_t)i;
            }
            packet_add_synthetic(p, i * 1448, 1400 + i % 2 * 48);
            b.now += 1000;
            add(&b, p, i % 2, PCAPNG_FLAG_INBOUND);
            packet_unref(p);
        }
        g_assert_cmpuint(end(&b), <, 100);
    }
}

/* More flows than there are places, each of them a few times. */
static void test_many_flows(void)
{
    Both b;

    begin(&b);
    for (unsigned i = 0; i < 12000; i++) {
        Packet *p = segment(&b, i / 3 % 2000, i, i % 2 ? 1448 : 0, true);

        packet_data(p)[28] = (uint8_t)(i / 3 % 2000 >> 8);
        packet_data(p)[35] = (uint8_t)(i / 3 % 7);
        b.now += 100000;
        add(&b, p, i / 3 % 2, PCAPNG_FLAG_INBOUND);
        packet_unref(p);
    }
    g_assert_cmpuint(end(&b), <, 150);
}

/* The long payload that others are like moves out of a match's reach, by every number of bytes. */
static void test_edge_of_reach(void)
{
    for (uint32_t len = 20; len < 130; len++) {
        Both b;
        Packet *p;

        begin(&b);
        for (unsigned i = 0; i < 480; i++) {
            p = segment(&b, 1, i, 0, true);
            packet_add_synthetic(p, 0, i == 3 ? 1448 : len);
            add(&b, p, 0, PCAPNG_FLAG_INBOUND);
            packet_unref(p);
        }
        end(&b);
    }
}

/* The capture reader does not need to be told. */
static void test_read(void)
{
    Both b;
    PcapngReader *r;
    PcapngPacket got;
    Packet *p;

    begin_cut(&b, 500);
    p = segment(&b, 1, 7, 1000, false);
    add(&b, p, 2, PCAPNG_FLAG_INBOUND);
    packet_unref(p);
    end(&b);
    r = pcapng_reader_open(packed, NULL);
    g_assert_cmpint(pcapng_reader_next(r, &got, NULL), ==, PCAPNG_READ_PACKET);
    g_assert_cmpuint(got.iface, ==, 2);
    g_assert_cmpuint(got.caplen, ==, 500);
    g_assert_cmpuint(got.len, ==, 1066);
    g_assert_cmpuint(got.packetid, ==, (UINT64_C(1) << 40) + 7);
    g_assert_cmpint(pcapng_reader_next(r, &got, NULL), ==, PCAPNG_READ_END);
    pcapng_reader_free(r);
}

/* A file that ends inside a block of LZ4 is cut short, although no packet is. */
static void test_read_cut_short(void)
{
    Both b;
    char *bytes;
    gsize n;

    begin(&b);
    for (unsigned i = 0; i < 2; i++) {
        Packet *p = segment(&b, 1, i, 0, false);

        add(&b, p, 0, PCAPNG_FLAG_INBOUND);
        packet_unref(p);
        pcapng_writer_flush(b.w[1]);
    }
    end(&b);
    g_assert_true(g_file_get_contents(packed, &bytes, &n, NULL));
    for (gsize cut = 5; cut < n; cut++) {
        PcapngReader *r = pcapng_reader_new(bytes, n - cut, "x.lz4");
        PcapngReadStatus status;
        unsigned n_packets = 0;
        PcapngPacket got;
        GError *error = NULL;

        while ((status = pcapng_reader_next(r, &got, &error)) == PCAPNG_READ_PACKET)
            n_packets++;
        if (cut == 5)
            g_assert_cmpuint(n_packets, ==, 1);
        if (n - cut > 7 && status == PCAPNG_READ_END)
            g_assert_cmpuint(n_packets, ==, 1); /* it ends behind the first block */
        else if (n - cut > 7)
            g_assert_cmpint(status, ==, PCAPNG_READ_CUT_SHORT);
        g_clear_error(&error);
        pcapng_reader_free(r);
    }
    g_free(bytes);
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    dir = g_dir_make_tmp("pcapng-lz4-XXXXXX", NULL);
    plain = g_build_filename(dir, "x.pcapng", NULL);
    packed = g_build_filename(dir, "x.pcapng.lz4", NULL);
    g_test_add_func("/trace/pcapng-lz4/flows", test_flows);
    g_test_add_func("/trace/pcapng-lz4/any", test_any);
    g_test_add_func("/trace/pcapng-lz4/flows-that-change", test_flows_that_change);
    g_test_add_func("/trace/pcapng-lz4/ends", test_ends);
    g_test_add_func("/trace/pcapng-lz4/checksum", test_checksum);
    g_test_add_func("/trace/pcapng-lz4/changed-behind", test_changed_behind);
    g_test_add_func("/trace/pcapng-lz4/order", test_order);
    g_test_add_func("/trace/pcapng-lz4/long-headers", test_long_headers);
    g_test_add_func("/trace/pcapng-lz4/many-flows", test_many_flows);
    g_test_add_func("/trace/pcapng-lz4/edge-of-reach", test_edge_of_reach);
    g_test_add_func("/trace/pcapng-lz4/read", test_read);
    g_test_add_func("/trace/pcapng-lz4/read-cut-short", test_read_cut_short);
    status = g_test_run();
    g_unlink(plain);
    g_unlink(packed);
    g_rmdir(dir);
    g_free(packed);
    g_free(plain);
    g_free(dir);
    return status;
}
