/* The Internet checksum (RFC 1071), its incremental update (RFC 1624), and the Ethernet CRC-32.
 *
 * A partial sum is a uint32_t in the words' meaning, not in memory order: the 16-bit words are read
 * big-endian, so that the finished checksum is the number one writes with wire_put16() and sees in a dump.
 * Start from 0 (or from a pseudo-header's sum), add pieces, finish:
 *
 *     uint32_t sum = ipv4_pseudo_sum(src, dst, IP_PROTO_UDP, len);
 *     wire_put16(p + 6, checksum_finish(checksum_add(sum, p, len)));
 *
 * A piece that begins at an odd offset of the whole has its bytes in the other half of each word: add it with
 * checksum_add_at_odd(). A piece of odd length counts as padded by a zero byte on its right. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The sum of n bytes at p (which begin at an even offset of the whole) added to sum. */
uint32_t checksum_add(uint32_t sum, const void *p, size_t n);

/* The same for bytes that begin at an odd offset of the whole. */
uint32_t checksum_add_at_odd(uint32_t sum, const void *p, size_t n);

/* A partial sum as 16 bits, carries folded in (RFC 1071 section 1, end-around carry). */
static inline uint16_t checksum_fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)(sum + (sum >> 16));
}

/* The field value: the one's complement of the folded sum. */
static inline uint16_t checksum_finish(uint32_t sum)
{
    return (uint16_t)~checksum_fold(sum);
}

/* What a partial sum becomes when its bytes move by one (RFC 1071 section 2, byte order independence). */
static inline uint32_t checksum_swap(uint32_t sum)
{
    return __builtin_bswap16(checksum_fold(sum));
}

/* The sum of two partial sums. */
static inline uint32_t checksum_combine(uint32_t a, uint32_t b)
{
    uint64_t s = (uint64_t)a + b;

    return (uint32_t)((s & 0xffffffff) + (s >> 32));
}

/* checksum_add for a header: n is a multiple of 4 and less than 64 KiB. */
static inline uint32_t checksum_add_words(uint32_t sum, const uint8_t *p, unsigned n)
{
    const uint8_t *const end = p + n / 8 * 8;
    uint64_t native = 0;

    if (n & 4) {
        uint32_t w;

        memcpy(&w, end, 4);
        native = w;
    }
    for (; p != end; p += 8) { /* the carry comes in again at the other end, as in any size of word */
        uint64_t w;

        memcpy(&w, p, 8);
        native += w;
        native += native < w;
    }
    native = (native & 0xffffffff) + (native >> 32);
    native = (native & 0xffff) + (native >> 16 & 0xffff) + (native >> 32);
    native = (native & 0xffff) + (native >> 16);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    native = __builtin_bswap16((uint16_t)((native & 0xffff) + (native >> 16)));
#endif
    return checksum_combine(sum, (uint32_t)native);
}

/* The field value `sum` after a 16-bit word changed: RFC 1624 equation 3, HC' = ~(~HC + ~m + m'). */
static inline uint16_t checksum_update16(uint16_t sum, uint16_t from, uint16_t to)
{
    return checksum_finish((uint32_t)(uint16_t)~sum + (uint16_t)~from + to);
}

/* The same for a 32-bit value (an address, a sequence number) that begins at an even offset. */
static inline uint16_t checksum_update32(uint16_t sum, uint32_t from, uint32_t to)
{
    return checksum_finish((uint32_t)(uint16_t)~sum + (uint16_t) ~(from >> 16) + (uint16_t)~from +
                           (to >> 16) + (to & 0xffff));
}

/* CRC-32 as Ethernet uses it (IEEE 802.3 3.2.9; reflected polynomial 0xedb88320, inverted at start and end).
 * crc is 0 for the first piece and the last result for the next. The frame check sequence is this number
 * transmitted least significant byte first: wire_put32le(end_of_frame, checksum_crc32(0, frame, len)). */
uint32_t checksum_crc32(uint32_t crc, const void *p, size_t n);

/* What checksum_crc32() gives over any frame together with its right FCS. */
#define CHECKSUM_CRC32_RESIDUE 0x2144df1cu
