/* Numbers as pcapng files of ours have them, little-endian; the compiler turns each store into one
 * instruction. And the two ends of a packet block, which the plain and the compressed writer share. */
#pragma once

#include <glib.h>
#include <string.h>

#include "sim/base/base.h"
#include "sim/trace/pcapng.h"

static inline uint8_t *pcapng_put16(uint8_t *p, uint16_t v)
{
    v = GUINT16_TO_LE(v);
    memcpy(p, &v, 2);
    return p + 2;
}

static inline uint8_t *pcapng_put32(uint8_t *p, uint32_t v)
{
    v = GUINT32_TO_LE(v);
    memcpy(p, &v, 4);
    return p + 4;
}

static inline uint8_t *pcapng_put64(uint8_t *p, uint64_t v)
{
    v = GUINT64_TO_LE(v);
    memcpy(p, &v, 8);
    return p + 8;
}

static inline uint32_t pcapng_padding(uint32_t n)
{
    return -n & 3;
}

/* What precedes a packet's bytes in its block (draft-ietf-opsawg-pcapng section 4.3). */
#define PCAPNG_PACKET_HEAD_BYTES 28

static inline uint8_t *pcapng_put_packet_head(uint8_t *p, uint32_t total, uint32_t iface, uint64_t time,
                                              uint32_t caplen, uint32_t len)
{
    p = pcapng_put32(p, PCAPNG_BLOCK_PACKET);
    p = pcapng_put32(p, total);
    p = pcapng_put32(p, iface);
    p = pcapng_put32(p, (uint32_t)(time >> 32));
    p = pcapng_put32(p, (uint32_t)time);
    p = pcapng_put32(p, caplen);
    return pcapng_put32(p, len);
}

static inline uint8_t *pcapng_put_flags(uint8_t *p, uint32_t flags)
{
    p = pcapng_put16(p, PCAPNG_EPB_FLAGS);
    p = pcapng_put16(p, 4);
    return pcapng_put32(p, flags);
}

static inline uint8_t *pcapng_put_option64(uint8_t *p, uint16_t code, uint64_t v)
{
    p = pcapng_put16(p, code);
    p = pcapng_put16(p, 8);
    return pcapng_put64(p, v);
}
