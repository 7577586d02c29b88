/* Internet checksum and CRC-32.
 *
 * The one's complement sum does not care about word size or byte order (RFC 1071 section 2): we add native
 * 32-bit words into 64-bit lanes, sixteen bytes per step where the compiler has vectors (GCC's generic
 * vectors, no intrinsics), and turn the folded result to big-endian order once at the end.
 *
 * The CRC takes eight bytes per step ("slicing by 8", Kounavis and Berry 2005). Its tables are linear in the
 * index, so each is spelled out by the compiler from the eight values of its single-bit entries. */
#include "sim/packet/checksum.h"

#include <string.h>

#include "sim/base/base.h"

typedef uint64_t Lanes __attribute__((vector_size(16)));

/* The sum of native 32-bit words. Each 64-bit lane gains less than 2^35 per 64 bytes: room for 2^35 bytes. */
static uint64_t sum_words(const uint8_t *p, size_t n)
{
    uint64_t sum = 0;

    if (n >= 64) {
        Lanes low = {0, 0}, high = {0, 0};
        const Lanes mask = {0xffffffff, 0xffffffff};

        for (; n >= 64; n -= 64, p += 64) {
            Lanes a, b, c, d;

            memcpy(&a, p, 16);
            memcpy(&b, p + 16, 16);
            memcpy(&c, p + 32, 16);
            memcpy(&d, p + 48, 16);
            low += (a & mask) + (b & mask) + (c & mask) + (d & mask);
            high += (a >> 32) + (b >> 32) + (c >> 32) + (d >> 32);
        }
        low += high;
        sum = low[0] + low[1];
        sum = (sum & 0xffffffff) + (sum >> 32);
    }
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t w;

        memcpy(&w, p, 8);
        sum += (w & 0xffffffff) + (w >> 32);
    }
    if (n & 4) {
        uint32_t w;

        memcpy(&w, p, 4);
        sum += w;
        p += 4;
    }
    if (n & 2) {
        uint16_t w;

        memcpy(&w, p, 2);
        sum += w;
        p += 2;
    }
    if (n & 1) {
        uint8_t last[2] = {*p, 0};
        uint16_t w;

        memcpy(&w, last, 2);
        sum += w;
    }
    return sum;
}

static uint32_t fold64(uint64_t sum)
{
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint32_t)((sum & 0xffff) + (sum >> 16));
}

uint32_t checksum_add(uint32_t sum, const void *p, size_t n)
{
    uint32_t native = fold64(sum_words(p, n));

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    native = __builtin_bswap16((uint16_t)native);
#endif
    return checksum_combine(sum, native);
}

uint32_t checksum_add_at_odd(uint32_t sum, const void *p, size_t n)
{
    return checksum_combine(sum, checksum_swap(checksum_add(0, p, n)));
}

#define BIT(i, n, v) ((i) >> (n)&1 ? (v) : 0u)
#define ENTRY(i, a, b, c, d, e, f, g, h)                                                                     \
    (BIT(i, 0, a) ^ BIT(i, 1, b) ^ BIT(i, 2, c) ^ BIT(i, 3, d) ^ BIT(i, 4, e) ^ BIT(i, 5, f) ^               \
     BIT(i, 6, g) ^ BIT(i, 7, h))
#define FOUR(i, ...)                                                                                         \
    ENTRY(i, __VA_ARGS__), ENTRY((i) + 1, __VA_ARGS__), ENTRY((i) + 2, __VA_ARGS__),                         \
        ENTRY((i) + 3, __VA_ARGS__)
#define SIXTEEN(i, ...)                                                                                      \
    FOUR(i, __VA_ARGS__), FOUR((i) + 4, __VA_ARGS__), FOUR((i) + 8, __VA_ARGS__), FOUR((i) + 12, __VA_ARGS__)
#define SIXTY_FOUR(i, ...)                                                                                   \
    SIXTEEN(i, __VA_ARGS__), SIXTEEN((i) + 16, __VA_ARGS__), SIXTEEN((i) + 32, __VA_ARGS__),                 \
        SIXTEEN((i) + 48, __VA_ARGS__)
#define ROW(...)                                                                                             \
    {                                                                                                        \
        SIXTY_FOUR(0, __VA_ARGS__), SIXTY_FOUR(64, __VA_ARGS__), SIXTY_FOUR(128, __VA_ARGS__),               \
            SIXTY_FOUR(192, __VA_ARGS__)                                                                     \
    }

/* crc_tables[k][b]: what byte b contributes when k zero bytes follow it. A row's arguments are the entries of
 * the bytes 1, 2, 4, … 128; test_checksum compares every entry with the bit-by-bit definition. */
static const uint32_t crc_tables[8][256] = {
    ROW(0x77073096, 0xee0e612c, 0x076dc419, 0x0edb8832, 0x1db71064, 0x3b6e20c8, 0x76dc4190, 0xedb88320),
    ROW(0x191b3141, 0x32366282, 0x646cc504, 0xc8d98a08, 0x4ac21251, 0x958424a2, 0xf0794f05, 0x3b83984b),
    ROW(0x01c26a37, 0x0384d46e, 0x0709a8dc, 0x0e1351b8, 0x1c26a370, 0x384d46e0, 0x709a8dc0, 0xe1351b80),
    ROW(0xb8bc6765, 0xaa09c88b, 0x8f629757, 0xc5b428ef, 0x5019579f, 0xa032af3e, 0x9b14583d, 0xed59b63b),
    ROW(0x3d6029b0, 0x7ac05360, 0xf580a6c0, 0x30704bc1, 0x60e09782, 0xc1c12f04, 0x58f35849, 0xb1e6b092),
    ROW(0xcb5cd3a5, 0x4dc8a10b, 0x9b914216, 0xec53826d, 0x03d6029b, 0x07ac0536, 0x0f580a6c, 0x1eb014d8),
    ROW(0xa6770bb4, 0x979f1129, 0xf44f2413, 0x33ef4e67, 0x67de9cce, 0xcfbd399c, 0x440b7579, 0x8816eaf2),
    ROW(0xccaa009e, 0x4225077d, 0x844a0efa, 0xd3e51bb5, 0x7cbb312b, 0xf9766256, 0x299dc2ed, 0x533b85da)};

uint32_t checksum_crc32(uint32_t crc, const void *data, size_t n)
{
    const uint8_t *p = data;

    crc = ~crc;
    for (; n >= 8; n -= 8, p += 8) {
        uint32_t low =
            crc ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);

        crc = crc_tables[7][low & 0xff] ^ crc_tables[6][low >> 8 & 0xff] ^ crc_tables[5][low >> 16 & 0xff] ^
              crc_tables[4][low >> 24] ^ crc_tables[3][p[4]] ^ crc_tables[2][p[5]] ^ crc_tables[1][p[6]] ^
              crc_tables[0][p[7]];
    }
    for (; n; n--, p++)
        crc = crc >> 8 ^ crc_tables[0][(crc ^ *p) & 0xff];
    return ~crc;
}
