/* The IPv6 header (RFC 8200) and a walk over its extension headers: enough to dissect and to find the upper
 * layer. */
#pragma once

#include "models/wire/ipv6_addr.h"
#include "models/wire/wire.h"

#define IPV6_HDR_LEN 40
#define IPV6_SRC_OFF 8
#define IPV6_DST_OFF 24

#define IPV6_EXT_HOP_BY_HOP 0
#define IPV6_EXT_ROUTING 43
#define IPV6_EXT_FRAGMENT 44
#define IPV6_FRAG_HDR_LEN 8
#define IPV6_EXT_NONE 59
#define IPV6_EXT_DEST 60
#define IPV6_EXT_MAX 8 /* longer chains are refused */

typedef struct Ipv6Hdr {
    uint8_t tc; /* DSCP << 2 | ECN */
    uint32_t flow;
    uint16_t payload_len;
    uint8_t next_header;
    uint8_t hop_limit;
    Ipv6Addr src;
    Ipv6Addr dst;
} Ipv6Hdr;

/* Where the extension headers end. */
typedef struct Ipv6Upper {
    uint8_t proto;        /* of the upper layer, or IPV6_EXT_NONE */
    size_t off;           /* from the IPv6 header's first byte */
    bool is_fragment;     /* there was a fragment header … */
    uint16_t frag_offset; /* … with this offset in bytes */
    bool more_fragments;
    uint32_t frag_id;
} Ipv6Upper;

static inline uint8_t ipv6_next_header(const uint8_t *p)
{
    return p[6];
}

static inline uint8_t ipv6_hop_limit(const uint8_t *p)
{
    return p[7];
}

static inline uint16_t ipv6_payload_len(const uint8_t *p)
{
    return wire_get16(p + 4);
}

static inline void ipv6_set_payload_len(uint8_t *p, uint16_t len)
{
    wire_put16(p + 4, len);
}

static inline void ipv6_set_next_header(uint8_t *p, uint8_t proto)
{
    p[6] = proto;
}

/* A fragment header (RFC 8200 4.5) before the part of a datagram that begins at `offset` (a multiple of 8).
 */
static inline void ipv6_put_fragment(uint8_t *p, uint8_t next, uint16_t offset, bool more, uint32_t id)
{
    p[0] = next;
    p[1] = 0;
    wire_put16(p + 2, (uint16_t)(offset | more));
    wire_put32(p + 4, id);
}

static inline size_t ipv6_encoded_len(const Ipv6Hdr *h)
{
    (void)h;
    return IPV6_HDR_LEN;
}

/* The base header; the payload length must lie within len. Returns 40. */
int ipv6_decode(Ipv6Hdr *out, const uint8_t *p, size_t len);
size_t ipv6_encode(uint8_t *p, const Ipv6Hdr *h);
/* p: a decodable base header with len bytes behind it in all. WIRE_OK or an error. */
int ipv6_find_upper(Ipv6Upper *out, const uint8_t *p, size_t len);

/* RFC 8200 8.1: a start value for checksum_add(). */
uint32_t ipv6_pseudo_sum(const uint8_t *src, const uint8_t *dst, uint8_t proto, size_t len);

bool ipv6_describe(WireCursor *c);
