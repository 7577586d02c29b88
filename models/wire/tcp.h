/* The TCP header (RFC 9293 3.1).
 *
 *   0     2     4     8     12       13    14     16       18    20
 *   | src | dst | seq | ack |off    |flags| window| chksum | urg | options … */
#pragma once

#include "models/wire/tcp_opt.h"
#include "models/wire/wire.h"

#define TCP_SRC_PORT_OFF 0
#define TCP_DST_PORT_OFF 2
#define TCP_SEQ_OFF 4
#define TCP_ACK_OFF 8
#define TCP_FLAGS_OFF 12
#define TCP_WINDOW_OFF 14
#define TCP_CHECKSUM_OFF 16
#define TCP_URGENT_OFF 18
#define TCP_MIN_HDR_LEN 20
#define TCP_MAX_HDR_LEN 60

#define TCP_FIN 0x001
#define TCP_SYN 0x002
#define TCP_RST 0x004
#define TCP_PSH 0x008
#define TCP_ACK 0x010
#define TCP_URG 0x020
#define TCP_ECE 0x040
#define TCP_CWR 0x080
#define TCP_AE 0x100 /* RFC 9768, once NS */

typedef struct TcpHdr {
    uint16_t src_port;
    uint16_t dst_port;
    uint32_t seq;
    uint32_t ack;
    uint8_t hdr_len;  /* bytes, 20–60; encode derives it from options_len */
    uint8_t reserved; /* three bits, must be zero */
    uint16_t flags;
    uint16_t window; /* as on the wire, unscaled */
    uint16_t checksum;
    uint16_t urgent;
    uint8_t options_len;                  /* encode pads to a multiple of 4 with end-of-list */
    uint8_t options[TCP_MAX_OPTIONS_LEN]; /* raw: read with tcp_options_decode() or tcp_opt_next() */
} TcpHdr;

static inline uint16_t tcp_src_port(const uint8_t *p)
{
    return wire_get16(p + TCP_SRC_PORT_OFF);
}

static inline uint16_t tcp_dst_port(const uint8_t *p)
{
    return wire_get16(p + TCP_DST_PORT_OFF);
}

static inline uint32_t tcp_seq(const uint8_t *p)
{
    return wire_get32(p + TCP_SEQ_OFF);
}

static inline uint32_t tcp_ack(const uint8_t *p)
{
    return wire_get32(p + TCP_ACK_OFF);
}

static inline unsigned tcp_hdr_len(const uint8_t *p)
{
    return (p[TCP_FLAGS_OFF] >> 4) * 4u;
}

static inline uint16_t tcp_flags(const uint8_t *p)
{
    return wire_get16(p + TCP_FLAGS_OFF) & 0x1ff;
}

static inline uint16_t tcp_window(const uint8_t *p)
{
    return wire_get16(p + TCP_WINDOW_OFF);
}

static inline uint16_t tcp_checksum(const uint8_t *p)
{
    return wire_get16(p + TCP_CHECKSUM_OFF);
}

static inline void tcp_set_checksum(uint8_t *p, uint16_t v)
{
    wire_put16(p + TCP_CHECKSUM_OFF, v);
}

/* Header length must be ≥ 20 and within len. Returns it. */
int tcp_decode(TcpHdr *out, const uint8_t *p, size_t len);

static inline size_t tcp_encoded_len(const TcpHdr *h)
{
    return TCP_MIN_HDR_LEN + ((h->options_len + 3u) & ~3u);
}

/* Writes the checksum field as given. */
size_t tcp_encode(uint8_t *p, const TcpHdr *h);
/* len: header and payload; pseudo_sum: ipv4_pseudo_sum() with the same len. */
void tcp_fill_checksum(uint8_t *p, size_t len, uint32_t pseudo_sum);
int tcp_check(const uint8_t *p, size_t len, uint32_t pseudo_sum);
bool tcp_describe(WireCursor *c);
/* Is that the name of a field that only some segments have, because it belongs to an option? */
bool tcp_field_is_optional(const char *name);

/* "SYN, ACK"; "none". Returns buf. */
#define TCP_FLAGS_STR_LEN 48
char *tcp_flags_format(uint16_t flags, char buf[TCP_FLAGS_STR_LEN]);
