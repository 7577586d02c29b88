/* Internet checksum against RFC 1071's example and a plain loop; CRC-32 against its check value and
 * definition. */
#include "sim/packet/checksum.h"

#include <glib.h>
#include <string.h>

/* A little generator of our own: the tests must not depend on sim/base/rng. */
static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static uint16_t plain_sum(const uint8_t *p, size_t n)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < n; i++) {
        sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)sum;
}

/* RFC 1071 section 3: 00 01 f2 03 f4 f5 f6 f7 sums to ddf2. */
static void test_rfc1071_example(void)
{
    static const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

    g_assert_cmphex(checksum_fold(checksum_add(0, bytes, sizeof bytes)), ==, 0xddf2);
    g_assert_cmphex(checksum_finish(checksum_add(0, bytes, sizeof bytes)), ==, 0x220d);
}

static void test_every_length_and_alignment(void)
{
    uint8_t buf[1600];
    uint32_t state = 1;

    for (size_t i = 0; i < sizeof buf; i++)
        buf[i] = (uint8_t)next_random(&state);
    for (size_t off = 0; off < 9; off++) {
        for (size_t n = 0; n < 300; n++)
            g_assert_cmphex(checksum_fold(checksum_add(0, buf + off, n)), ==, plain_sum(buf + off, n));
        g_assert_cmphex(checksum_fold(checksum_add(0, buf + off, 1460)), ==, plain_sum(buf + off, 1460));
    }
    memset(buf, 0xff, sizeof buf); /* the carries at their worst */
    for (size_t n = 0; n < sizeof buf; n++)
        g_assert_cmphex(checksum_fold(checksum_add(0xffffffff, buf, n)) % 0xffff, ==,
                        plain_sum(buf, n) % 0xffff);
}

/* Cutting data anywhere, odd places included, does not change its sum. */
static void test_pieces(void)
{
    uint8_t buf[257];
    uint32_t state = 7;

    for (size_t i = 0; i < sizeof buf; i++)
        buf[i] = (uint8_t)next_random(&state);
    for (size_t cut = 0; cut <= sizeof buf; cut++) {
        uint32_t sum = checksum_add(0, buf, cut);

        if (cut & 1)
            sum = checksum_add_at_odd(sum, buf + cut, sizeof buf - cut);
        else
            sum = checksum_add(sum, buf + cut, sizeof buf - cut);
        g_assert_cmphex(checksum_fold(sum), ==, plain_sum(buf, sizeof buf));
    }
}

/* RFC 1624 section 4: HC 0xdd2f, a word goes from 0x5555 to 0x3285; the right answer is 0x0000 (not 0xffff).
 */
static void test_update_example(void)
{
    g_assert_cmphex(checksum_update16(0xdd2f, 0x5555, 0x3285), ==, 0x0000);
}

static void test_update_random(void)
{
    uint8_t buf[40];
    uint32_t state = 3;

    for (int round = 0; round < 20000; round++) {
        for (size_t i = 0; i < sizeof buf; i++)
            buf[i] = (uint8_t)next_random(&state);
        uint16_t before = checksum_finish(checksum_add(0, buf, sizeof buf));
        size_t at = next_random(&state) % 9 * 4;
        uint32_t from =
            (uint32_t)buf[at] << 24 | (uint32_t)buf[at + 1] << 16 | (uint32_t)buf[at + 2] << 8 | buf[at + 3];
        uint32_t to = next_random(&state) << 16 | (next_random(&state) & 0xffff);

        g_assert_cmphex(
            checksum_update16(checksum_update16(before, from >> 16, to >> 16), (uint16_t)from, (uint16_t)to),
            ==, checksum_update32(before, from, to));
        buf[at] = (uint8_t)(to >> 24);
        buf[at + 1] = (uint8_t)(to >> 16);
        buf[at + 2] = (uint8_t)(to >> 8);
        buf[at + 3] = (uint8_t)to;
        g_assert_cmphex(checksum_update32(before, from, to), ==,
                        checksum_finish(checksum_add(0, buf, sizeof buf)));
    }
}

static uint32_t plain_crc(const uint8_t *p, size_t n)
{
    uint32_t crc = 0xffffffff;

    while (n--) {
        crc ^= *p++;
        for (int i = 0; i < 8; i++)
            crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
    }
    return ~crc;
}

/* The catalogue's check value for CRC-32/ISO-HDLC. */
static void test_crc_check_value(void)
{
    g_assert_cmphex(checksum_crc32(0, "123456789", 9), ==, 0xcbf43926);
    g_assert_cmphex(checksum_crc32(0, "", 0), ==, 0);
}

/* One byte at each of eight places, the rest zero, reaches every table entry. */
static void test_crc_tables(void)
{
    for (size_t k = 0; k < 8; k++) {
        for (unsigned b = 0; b < 256; b++) {
            uint8_t buf[16] = {0};

            buf[8 + k] = (uint8_t)b;
            g_assert_cmphex(checksum_crc32(0, buf, 16), ==, plain_crc(buf, 16));
        }
    }
}

static void test_crc_pieces(void)
{
    uint8_t buf[100];
    uint32_t state = 9;

    for (size_t i = 0; i < sizeof buf; i++)
        buf[i] = (uint8_t)next_random(&state);
    for (size_t cut = 0; cut <= sizeof buf; cut++) {
        g_assert_cmphex(checksum_crc32(0, buf, cut), ==, plain_crc(buf, cut));
        g_assert_cmphex(checksum_crc32(checksum_crc32(0, buf, cut), buf + cut, sizeof buf - cut), ==,
                        plain_crc(buf, sizeof buf));
    }
}

/* behaviours.md appendix A.1 to A.3: the FCS bytes as they travel. */
static void test_crc_appendix_a(void)
{
    static const struct {
        const char *hex;
        uint8_t fcs[4];
    } frames[] = {
        {"ffffffffffff00055d6158a8080600010800060400010"
         "0055d6158a8c0a80037000000000000c0a80002007731d25010fd7841d30000000000000000",
         {0x9c, 0x1c, 0x70, 0x03}},
        {"00055d6158a800055da1b840080600010800060400020"
         "0055da1b840c0a8000200055d6158a8c0a80037007731d25010fd7841d30000000000000000",
         {0xc3, 0x04, 0xf1, 0xc6}},
        {"00055d67d0b100055d6158a808004500005393250000801125ecc0a80037c0a8000105d40045003fac400001633a5c71"
         "77657271"
         "2e717765006e65746173636969"
         "00626c6b73697a65003531320074696d656f7574003130007473697a65003000",
         {0xa9, 0xdb, 0x08, 0x6f}},
    };

    for (size_t f = 0; f < G_N_ELEMENTS(frames); f++) {
        uint8_t buf[128];
        size_t n = strlen(frames[f].hex) / 2;

        for (size_t i = 0; i < n; i++)
            buf[i] = (uint8_t)(g_ascii_xdigit_value(frames[f].hex[2 * i]) << 4 |
                               g_ascii_xdigit_value(frames[f].hex[2 * i + 1]));
        uint32_t crc = checksum_crc32(0, buf, n);
        uint8_t sent[4] = {(uint8_t)crc, (uint8_t)(crc >> 8), (uint8_t)(crc >> 16), (uint8_t)(crc >> 24)};

        g_assert_cmpmem(sent, 4, frames[f].fcs, 4);
        memcpy(buf + n, sent, 4);
        g_assert_cmphex(checksum_crc32(0, buf, n + 4), ==, CHECKSUM_CRC32_RESIDUE);
    }
}

/* Speed is printed, never judged: CI machines differ. */
static void test_speed(void)
{
    static uint8_t buf[1460];
    uint32_t sum = 0;
    const int rounds = 200000;

    gint64 t0 = g_get_monotonic_time();
    for (int i = 0; i < rounds; i++) {
        buf[i % sizeof buf]++;
        sum = checksum_add(sum, buf, sizeof buf);
    }
    gint64 t1 = g_get_monotonic_time();
    for (int i = 0; i < rounds / 10; i++)
        sum ^= checksum_crc32(sum, buf, sizeof buf);
    gint64 t2 = g_get_monotonic_time();
    g_test_message("1460 bytes: checksum %.1f ns, CRC %.1f ns (%x)", (double)(t1 - t0) * 1e3 / rounds,
                   (double)(t2 - t1) * 1e4 / rounds, sum);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/checksum/rfc1071-example", test_rfc1071_example);
    g_test_add_func("/checksum/every-length-and-alignment", test_every_length_and_alignment);
    g_test_add_func("/checksum/pieces", test_pieces);
    g_test_add_func("/checksum/update-rfc1624-example", test_update_example);
    g_test_add_func("/checksum/update-random", test_update_random);
    g_test_add_func("/checksum/crc-check-value", test_crc_check_value);
    g_test_add_func("/checksum/crc-tables", test_crc_tables);
    g_test_add_func("/checksum/crc-pieces", test_crc_pieces);
    g_test_add_func("/checksum/crc-appendix-a", test_crc_appendix_a);
    g_test_add_func("/checksum/speed", test_speed);
    return g_test_run();
}
