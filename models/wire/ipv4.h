/* The IPv4 header (RFC 791, RFC 2474 for the DS field, RFC 3168 for ECN).
 *
 *   0       1       2       4       6       8    9     10       12    16    20
 *   |ver ihl|  tos  | total |  id   |flg off| ttl|proto| chksum | src | dst | options …
 *
 * Addresses are uint32_t in host order. */
#pragma once

#include "models/wire/ipv4_addr.h"
#include "models/wire/wire.h"

#define IPV4_TOS_OFF 1
#define IPV4_TOTAL_LEN_OFF 2
#define IPV4_ID_OFF 4
#define IPV4_FRAG_OFF 6
#define IPV4_TTL_OFF 8
#define IPV4_PROTO_OFF 9
#define IPV4_CHECKSUM_OFF 10
#define IPV4_SRC_OFF 12
#define IPV4_DST_OFF 16
#define IPV4_MIN_HDR_LEN 20
#define IPV4_MAX_HDR_LEN 60
#define IPV4_MAX_OPTIONS_LEN 40
#define IPV4_MAX_LEN 65535
#define IPV4_MIN_MTU 68 /* RFC 791: every module forwards 68 bytes without fragmenting */

#define IPV4_FLAG_EVIL 0x8000 /* reserved, must be zero */
#define IPV4_FLAG_DF 0x4000
#define IPV4_FLAG_MF 0x2000
#define IPV4_OFFSET_MASK 0x1fff /* in units of 8 bytes */

#define IP_PROTO_ICMP 1
#define IP_PROTO_IGMP 2
#define IP_PROTO_TCP 6
#define IP_PROTO_UDP 17
#define IP_PROTO_ICMPV6 58
#define IP_PROTO_RAW 255 /* of raw sockets that write the IP header, on no wire */

#define IP_ECN_NOT_ECT 0
#define IP_ECN_ECT1 1
#define IP_ECN_ECT0 2
#define IP_ECN_CE 3
#define IP_ECN_MASK 3

#define IPV4_OPT_EOL 0
#define IPV4_OPT_NOP 1
#define IPV4_OPT_RECORD_ROUTE 7
#define IPV4_OPT_TIMESTAMP 68
#define IPV4_OPT_SECURITY 130
#define IPV4_OPT_LSRR 131
#define IPV4_OPT_STREAM_ID 136
#define IPV4_OPT_SSRR 137
#define IPV4_OPT_ROUTER_ALERT 148
#define IPV4_OPT_COPIED 0x80 /* the bit that says: copy into every fragment */

typedef struct Ipv4Hdr {
    uint8_t hdr_len; /* bytes, 20–60; encode derives it from options_len */
    uint8_t tos;     /* DSCP << 2 | ECN */
    uint8_t ttl;
    uint8_t proto;
    uint16_t total_len;
    uint16_t id;
    uint16_t frag_offset; /* bytes; a multiple of 8 */
    bool evil;            /* the reserved bit */
    bool df;
    bool mf;
    uint16_t checksum; /* as decoded; encode computes it */
    uint32_t src;
    uint32_t dst;
    uint8_t options_len; /* encode pads to a multiple of 4 with end-of-list */
    uint8_t options[IPV4_MAX_OPTIONS_LEN];
} Ipv4Hdr;

static inline unsigned ipv4_hdr_len(const uint8_t *p)
{
    return (p[0] & 15u) * 4;
}

static inline uint8_t ipv4_tos(const uint8_t *p)
{
    return p[IPV4_TOS_OFF];
}

static inline uint8_t ipv4_ecn(const uint8_t *p)
{
    return p[IPV4_TOS_OFF] & IP_ECN_MASK;
}

static inline uint16_t ipv4_total_len(const uint8_t *p)
{
    return wire_get16(p + IPV4_TOTAL_LEN_OFF);
}

static inline uint16_t ipv4_id(const uint8_t *p)
{
    return wire_get16(p + IPV4_ID_OFF);
}

/* Flags and offset as they stand: test with IPV4_FLAG_DF and friends. */
static inline uint16_t ipv4_frag(const uint8_t *p)
{
    return wire_get16(p + IPV4_FRAG_OFF);
}

static inline bool ipv4_is_fragment(const uint8_t *p)
{
    return ipv4_frag(p) & (IPV4_FLAG_MF | IPV4_OFFSET_MASK);
}

static inline unsigned ipv4_frag_offset(const uint8_t *p) /* bytes */
{
    return (ipv4_frag(p) & IPV4_OFFSET_MASK) * 8u;
}

static inline uint8_t ipv4_ttl(const uint8_t *p)
{
    return p[IPV4_TTL_OFF];
}

static inline uint8_t ipv4_proto(const uint8_t *p)
{
    return p[IPV4_PROTO_OFF];
}

static inline uint16_t ipv4_checksum(const uint8_t *p)
{
    return wire_get16(p + IPV4_CHECKSUM_OFF);
}

static inline uint32_t ipv4_src(const uint8_t *p)
{
    return wire_get32(p + IPV4_SRC_OFF);
}

static inline uint32_t ipv4_dst(const uint8_t *p)
{
    return wire_get32(p + IPV4_DST_OFF);
}

/* The plain setters leave the checksum alone: call ipv4_fill_checksum() after them. */
static inline void ipv4_set_tos(uint8_t *p, uint8_t v)
{
    p[IPV4_TOS_OFF] = v;
}

static inline void ipv4_set_total_len(uint8_t *p, uint16_t v)
{
    wire_put16(p + IPV4_TOTAL_LEN_OFF, v);
}

static inline void ipv4_set_id(uint8_t *p, uint16_t v)
{
    wire_put16(p + IPV4_ID_OFF, v);
}

static inline void ipv4_set_frag(uint8_t *p, uint16_t v)
{
    wire_put16(p + IPV4_FRAG_OFF, v);
}

static inline void ipv4_set_ttl(uint8_t *p, uint8_t v)
{
    p[IPV4_TTL_OFF] = v;
}

static inline void ipv4_set_proto(uint8_t *p, uint8_t v)
{
    p[IPV4_PROTO_OFF] = v;
}

static inline void ipv4_set_checksum(uint8_t *p, uint16_t v)
{
    wire_put16(p + IPV4_CHECKSUM_OFF, v);
}

static inline void ipv4_set_src(uint8_t *p, uint32_t v)
{
    wire_put32(p + IPV4_SRC_OFF, v);
}

static inline void ipv4_set_dst(uint8_t *p, uint32_t v)
{
    wire_put32(p + IPV4_DST_OFF, v);
}

/* Computes the header checksum of the complete header at p and writes it. */
void ipv4_fill_checksum(uint8_t *p);

/* A router's work on the TTL (which must be above 0): one less, checksum updated incrementally (RFC 1141: the
 * word's high byte falls by one, so the sum rises by 0x100). */
static inline void ipv4_dec_ttl(uint8_t *p)
{
    uint32_t sum = (uint32_t)ipv4_checksum(p) + 0x100;

    ipv4_set_checksum(p, (uint16_t)(sum + (sum >= 0xffff)));
    p[IPV4_TTL_OFF]--;
}

/* Sets the ECN bits and updates the checksum (an AQM marking a packet in flight). */
void ipv4_set_ecn(uint8_t *p, uint8_t ecn);

/* Checks version, header length ≥ 20 and within len, and total length ≥ header length and within len;
 * trailing bytes (Ethernet padding) are fine. Returns the header length. */
int ipv4_decode(Ipv4Hdr *out, const uint8_t *p, size_t len);
/* The same for a packet that may be cut short behind its header, as ICMP errors quote it. */
int ipv4_decode_quoted(Ipv4Hdr *out, const uint8_t *p, size_t len);
/* The header checksum of a decodable header: WIRE_OK or WIRE_BAD_CHECKSUM. */
int ipv4_check(const uint8_t *p);

static inline size_t ipv4_encoded_len(const Ipv4Hdr *h)
{
    return IPV4_MIN_HDR_LEN + ((h->options_len + 3u) & ~3u);
}

/* Writes the header with its right checksum. total_len is the caller's. */
size_t ipv4_encode(uint8_t *p, const Ipv4Hdr *h);

/* Walks options: initialise {options, options_len}; true while there is another one, false at the end or at
 * bytes that are no option (it->error is then a WireError and it->p stands at them). */
typedef struct Ipv4OptIter {
    const uint8_t *p;
    size_t len;
    int error;
} Ipv4OptIter;

typedef struct Ipv4Opt {
    uint8_t type;
    const uint8_t *p; /* the type byte */
    uint8_t len;      /* the whole option, 1 for EOL and NOP */
} Ipv4Opt;

bool ipv4_opt_next(Ipv4OptIter *it, Ipv4Opt *opt);

/* The sum of the pseudo-header of UDP and TCP (RFC 768, RFC 9293 3.1): a start value for checksum_add(). */
static inline uint32_t ipv4_pseudo_sum(uint32_t src, uint32_t dst, uint8_t proto, size_t len)
{
    return (src >> 16) + (src & 0xffff) + (dst >> 16) + (dst & 0xffff) + proto + (uint32_t)len;
}

bool ipv4_describe(WireCursor *c);
/* What an IP protocol number holds, for describers. */
WireLayerId ipv4_proto_layer(uint8_t proto);

extern const WireName ip_proto_names[];
extern const WireName ip_dscp_names[];
extern const WireName ip_ecn_names[];
