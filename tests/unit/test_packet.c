/* Packets against a plain array of bytes: whatever is done to one, the frame that a capture would see is the
 * array. */
#include "sim/packet/packet.h"

#include <glib.h>
#include <string.h>

#include "sim/base/rng.h"
#include "sim/packet/checksum.h"

static uint64_t live(const PacketPool *pool)
{
    PacketPoolInfo info;

    packetpool_get_info(pool, &info);
    return info.live;
}

/* The Internet checksum, two bytes at a time, the slow way. */
static uint16_t slow_sum(const uint8_t *p, size_t len)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < len; i++)
        sum += (uint64_t)p[i] << (i & 1 ? 0 : 8);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static void expect_bytes(const Packet *p, const uint8_t *want, uint32_t len)
{
    static uint8_t got[0x20000];

    g_assert_cmpuint(packet_len(p), ==, len);
    memset(got, 0xee, len + 1);
    g_assert_cmpuint(packet_copy(p, 0, got, len + 1), ==, len);
    g_assert_cmpmem(got, len, want, len);
    g_assert_cmpuint(got[len], ==, 0xee);
}

static void test_new(void)
{
    PacketPool *pool = packetpool_new();
    Packet *p = packet_new(pool, 3, 77, PKT_HEADROOM);

    g_assert_cmpuint(packet_len(p), ==, 0);
    g_assert_cmpuint(p->birth_node, ==, 3);
    g_assert_cmpuint(p->birth_id, ==, 77);
    g_assert_cmpint(p->csum, ==, PKT_CSUM_FULL);
    memcpy(packet_put(p, 4), "head", 4);
    packet_add_bytes(p, "body", 4);
    memcpy(packet_push(p, 3), "my ", 3);
    p->pad = 2;
    expect_bytes(p, (const uint8_t *)"my headbody\0", 13);
    packet_pull(p, 3);
    expect_bytes(p, (const uint8_t *)"headbody\0", 10);
    packet_unref(packet_ref(p));
    packet_unref(p);
    packet_unref(NULL);
    g_assert_cmpuint(live(pool), ==, 0);
    packetpool_free(pool);
    packetpool_free(NULL);
}

/* A clone has headers of its own and the same payload; owning a shared packet leaves the others as they were.
 */
static void test_sharing(void)
{
    PacketPool *pool = packetpool_new();
    Packet *p = packet_new(pool, 1, 2, 10), *c, *o;

    memcpy(packet_put(p, 4), "head", 4);
    packet_add_bytes(p, "body", 4);
    packet_add_synthetic(p, 65, 3);
    c = packet_clone(p);
    packet_data(c)[0] = 'H';
    expect_bytes(p, (const uint8_t *)"headbodyABC", 11);
    expect_bytes(c, (const uint8_t *)"HeadbodyABC", 11);
    g_assert_true(c->slice[0].chunk == p->slice[0].chunk);
    g_assert_cmpuint(c->birth_id, ==, 2);
    g_assert_true(packet_own(c) == c);
    o = packet_own(packet_ref(p));
    g_assert_true(o != p);
    g_assert_cmpuint(p->ref, ==, 1);
    packet_push(o, 2);
    packet_unref(p);
    memcpy(packet_data(o), "a ", 2);
    expect_bytes(o, (const uint8_t *)"a headbodyABC", 13);
    packet_unref(o);
    packet_unref(c);
    g_assert_cmpuint(live(pool), ==, 0);
    packetpool_free(pool);
}

/* Adjoining slices are one; a third that does not adjoin flattens them; ranges of another packet's payload.
 */
static void test_slices(void)
{
    PacketPool *pool = packetpool_new();
    Packet *p = packet_new(pool, 1, 2, 10), *q = packet_new(pool, 1, 3, 10);
    uint8_t want[2000];

    packet_add_synthetic(p, 100, 10);
    packet_add_synthetic(p, 110, 20);
    g_assert_cmpuint(p->n_slices, ==, 1);
    packet_add_synthetic(p, 500, 100);
    packet_add_synthetic(p, 0, 0);
    g_assert_cmpuint(p->n_slices, ==, 2);
    packet_add_bytes(p, "xyz", 3);
    g_assert_cmpuint(p->n_slices, ==, 1);
    packet_add_synthetic(p, 7, 5);
    packet_add_synthetic(p, 90, 5);
    g_assert_cmpuint(p->payload_len, ==, 143);
    payload_fill(want, 100, 30);
    payload_fill(want + 30, 500, 100);
    memcpy(want + 130, "xyz", 3);
    payload_fill(want + 133, 7, 5);
    payload_fill(want + 138, 90, 5);
    expect_bytes(p, want, 143);
    memcpy(packet_put(q, 2), "hd", 2);
    packet_add_payload_of(q, p, 25, 110);
    memmove(want + 2, want + 25, 110);
    memcpy(want, "hd", 2);
    expect_bytes(q, want, 112);
    packet_add_payload_of(q, p, 143, 10); /* nothing there */
    g_assert_cmpuint(packet_len(q), ==, 112);
    packet_unref(p);
    packet_unref(q);
    g_assert_cmpuint(live(pool), ==, 0);
    packetpool_free(pool);
}

/* A lazy checksum has the value that adding up the bytes gives, over headers and slices that begin and end at
 * odd offsets. */
static void test_partial(void)
{
    PacketPool *pool = packetpool_new();
    Rng rng;

    rng_init(&rng, 1, "", "test");
    for (int round = 0; round < 3000; round++) {
        unsigned below = (unsigned)rng_below(&rng, 40), header = 8 + (unsigned)rng_below(&rng, 40);
        unsigned at = (unsigned)rng_below(&rng, header / 2) * 2;
        Packet *p = packet_new(pool, 1, 1, (unsigned)rng_below(&rng, 20)), *c;
        uint8_t bytes[4096], *h = packet_put(p, below + header);
        uint16_t pseudo = (uint16_t)rng_next(&rng), sum;
        uint32_t len;

        for (unsigned i = 0; i < below + header; i++)
            h[i] = (uint8_t)rng_next(&rng);
        h[below + at] = (uint8_t)(pseudo >> 8);
        h[below + at + 1] = (uint8_t)pseudo;
        for (uint64_t n = rng_below(&rng, 4); n; n--) {
            uint8_t real[300];
            uint32_t k = (uint32_t)rng_below(&rng, sizeof real);

            for (uint32_t i = 0; i < k; i++)
                real[i] = (uint8_t)rng_next(&rng);
            if (rng_below(&rng, 2))
                packet_add_bytes(p, real, k);
            else
                packet_add_synthetic(p, rng_next(&rng) >> 1, k);
        }
        p->pad = (uint8_t)rng_below(&rng, 20);
        len = packet_copy_raw(p, 0, bytes, sizeof bytes);
        sum = (uint16_t)~slow_sum(bytes + below, len - p->pad - below);
        sum = sum ? sum : 0xffff; /* RFC 768 */
        packet_set_csum_partial(p, p->head + below, p->head + below + at);
        g_assert_cmphex(packet_csum_value(p), ==, sum);
        bytes[below + at] = (uint8_t)(sum >> 8);
        bytes[below + at + 1] = (uint8_t)sum;
        expect_bytes(p, bytes, len); /* true in a copy, */
        g_assert_cmphex(h[below + at], ==, pseudo >> 8);
        for (int i = 0; i < 3; i++) { /* in any part of it, */
            uint32_t off = (uint32_t)rng_below(&rng, len + 1), n = (uint32_t)rng_below(&rng, len - off + 1);
            uint8_t part[4096];

            off = i ? below + at - (i == 2 && below + at > 0) + 1 * (i == 1)
                    : off; /* cuts through the field, too */
            n = i ? 1 : n;
            g_assert_cmpuint(packet_copy(p, off, part, n), ==, n);
            g_assert_cmpmem(part, n, bytes + off, n);
        }
        c = packet_clone(p); /* and in a packet that was filled in */
        packet_fill_csum(c);
        g_assert_cmpint(c->csum, ==, PKT_CSUM_FULL);
        expect_bytes(c, bytes, len);
        packet_unref(c);
        c = packet_clone(p); /* or cut: the value is that of the whole */
        packet_trim(c, below + header);
        expect_bytes(c, bytes, below + header);
        packet_unref(c);
        packet_materialise(p);
        expect_bytes(p, bytes, len);
        packet_unref(p);
    }
    g_assert_cmpuint(live(pool), ==, 0);
    packetpool_free(pool);
}

/* Flipped bits: in header, payload and padding; the frame's FCS is the one that was sent, once; flipped back,
 * all is well. */
static void test_flip(void)
{
    PacketPool *pool = packetpool_new();
    Packet *p = packet_new(pool, 1, 1, 10);
    uint8_t bytes[100];

    for (int i = 0; i < 30; i++)
        *packet_put(p, 1) = (uint8_t)(i * 7);
    packet_set_csum_partial(p, p->head + 10, p->head + 16);
    packet_add_synthetic(p, 9, 40);
    p->pad = 5;
    g_assert_cmpuint(packet_copy(p, 0, bytes, 100), ==, 75);
    g_assert_true(packet_fcs_ok(p));
    for (uint32_t bit = 0; bit < 75 * 8; bit++) {
        Packet *c = packet_clone(p);
        uint8_t want[75];

        memcpy(want, bytes, 75);
        want[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
        packet_flip_bit(c, bit);
        expect_bytes(c, want, 75);
        g_assert_cmphex(c->fcs, ==, checksum_crc32(0, bytes, 75));
        g_assert_false(packet_fcs_ok(c));
        packet_flip_bit(c, bit);
        g_assert_true(packet_fcs_ok(c));
        expect_bytes(c, bytes, 75);
        packet_unref(c);
    }
    expect_bytes(p, bytes, 75);
    packet_unref(p);
    g_assert_cmpuint(live(pool), ==, 0);
    packetpool_free(pool);
}

static void test_pullup_limits(void)
{
    PacketPool *pool = packetpool_new();
    uint8_t bytes[400];
    Packet *p;

    for (int i = 0; i < 400; i++)
        bytes[i] = (uint8_t)(i * 3);
    p = packet_from_bytes(pool, 1, 1, bytes, 400);
    expect_bytes(p, bytes, 400);
    p->l3 = p->head + 14;
    g_assert_false(packet_pullup(p, PKT_BUF + 1));
    g_assert_true(
        packet_pullup(p, PKT_BUF)); /* headers slide to make room, and take their offsets with them */
    g_assert_cmpuint(packet_header_len(p), ==, PKT_BUF);
    g_assert_cmpuint(p->l3, ==, p->head + 14);
    expect_bytes(p, bytes, 400);
    packet_unref(p);
    /* What comes from outside by a serial line (1 byte of header at least) can leave by a VLAN (18). */
    p = packet_from_bytes(pool, 1, 1, bytes, 20);
    packet_push(packet_pull(p, 1) ? p : NULL, 18);
    packet_pull(p, 17);
    p->pad = 10;
    memset(bytes + 20, 0, 10);
    g_assert_false(packet_pullup(p, 31));
    g_assert_true(packet_pullup(p, 25));
    g_assert_cmpuint(p->pad, ==, 5);
    expect_bytes(p, bytes, 30);
    packet_unref(p);
    g_assert_cmpuint(live(pool), ==, 0);
    packetpool_free(pool);
}

/* Random operations on a packet and on the array that it stands for. */
static void test_random(void)
{
    PacketPool *pool = packetpool_new();
    static uint8_t model[0x20000], part[0x20000];
    Rng rng;

    rng_init(&rng, 2, "", "test");
    for (int round = 0; round < 400; round++) {
        Packet *p = packet_new(pool, 1, 1, PKT_HEADROOM);
        uint32_t len = 0;
        bool padded = false;

        for (int step = 0; step < 40; step++) {
            uint32_t n = (uint32_t)rng_below(&rng, 50), off;
            uint8_t byte = (uint8_t)rng_next(&rng);

            switch (rng_below(&rng, 10)) {
            case 0:
                if (n > p->head)
                    break;
                memset(packet_push(p, n), byte, n);
                memmove(model + n, model, len);
                memset(model, byte, n);
                len += n;
                break;
            case 1:
                if (n > packet_header_len(p))
                    break;
                packet_pull(p, n);
                len -= n;
                memmove(model, model + n, len);
                break;
            case 2:
                if (p->tail + n > PKT_BUF || p->payload_len || padded)
                    break;
                memset(packet_put(p, n), byte, n);
                memset(model + len, byte, n);
                len += n;
                break;
            case 3:
                if (padded)
                    break;
                memset(part, byte, n);
                packet_add_bytes(p, part, n);
                memset(model + len, byte, n);
                len += n;
                break;
            case 4:
                if (padded)
                    break;
                packet_add_synthetic(p, byte, n * 20);
                payload_fill(model + len, byte, n * 20);
                len += n * 20;
                break;
            case 5:
                if (padded)
                    break;
                padded = true;
                p->pad = (uint8_t)n;
                memset(model + len, 0, n);
                len += n;
                break;
            case 6:
                n = (uint32_t)rng_below(&rng, len + 1);
                if (n + 60 < len)
                    n = len - 60;
                packet_trim(p, n);
                len = n;
                break;
            case 7:
                g_assert_cmpint(packet_pullup(p, n), ==, n <= len);
                g_assert_true(n > len || packet_header_len(p) >= n);
                break;
            case 8: {
                Packet *other = packet_ref(p);

                p = packet_own(p);
                packet_unref(other);
                break;
            }
            case 9:
                packet_materialise(p);
                break;
            }
            off = (uint32_t)rng_below(&rng, len + 1);
            n = (uint32_t)rng_below(&rng, 3000);
            g_assert_cmpuint(packet_copy(p, off, part, n), ==, HS_MIN(n, len - off));
            g_assert_cmpmem(part, HS_MIN(n, len - off), model + off, HS_MIN(n, len - off));
            g_assert_cmphex(packet_fcs(p), ==, checksum_crc32(0, model, len));
        }
        expect_bytes(p, model, len);
        packet_unref(p);
    }
    g_assert_cmpuint(live(pool), ==, 0);
    packetpool_free(pool);
}

/* What is freed last is handed out first, and steady traffic takes no more memory. */
static void test_pool(void)
{
    PacketPool *pool = packetpool_new();
    PacketPoolInfo info;
    uint64_t slabs;

    packet_unref(packet_new(pool, 1, 1, 0));
    packetpool_get_info(pool, &info);
    slabs = info.slabs;
    for (int i = 0; i < 10000; i++) {
        Packet *a = packet_new(pool, 1, 1, 0), *b = packet_clone(a);

        packet_unref(a);
        g_assert_true(packet_new(pool, 1, 1, 0) == a);
        packet_unref(a);
        packet_unref(b);
    }
    packetpool_get_info(pool, &info);
    g_assert_cmpuint(info.slabs, ==, slabs);
    g_assert_cmpuint(info.peak, ==, 2);
    g_assert_cmpuint(info.live, ==, 0);
    packetpool_free(pool);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/packet/new", test_new);
    g_test_add_func("/packet/sharing", test_sharing);
    g_test_add_func("/packet/slices", test_slices);
    g_test_add_func("/packet/partial", test_partial);
    g_test_add_func("/packet/flip", test_flip);
    g_test_add_func("/packet/pullup-limits", test_pullup_limits);
    g_test_add_func("/packet/random", test_random);
    g_test_add_func("/packet/pool", test_pool);
    return g_test_run();
}
