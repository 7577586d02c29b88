/* The UDP header (RFC 768): ports, length, checksum. */
#pragma once

#include "models/wire/wire.h"

#define UDP_HDR_LEN 8
#define UDP_CHECKSUM_OFF 6

typedef struct UdpHdr {
    uint16_t src_port;
    uint16_t dst_port;
    uint16_t len; /* header and data */
    uint16_t checksum;
} UdpHdr;

static inline uint16_t udp_src_port(const uint8_t *p)
{
    return wire_get16(p);
}

static inline uint16_t udp_dst_port(const uint8_t *p)
{
    return wire_get16(p + 2);
}

static inline uint16_t udp_len(const uint8_t *p)
{
    return wire_get16(p + 4);
}

static inline uint16_t udp_checksum(const uint8_t *p)
{
    return wire_get16(p + 6);
}

static inline void udp_set_checksum(uint8_t *p, uint16_t v)
{
    wire_put16(p + 6, v);
}

/* The field value for a finished sum: 0 means "no checksum", so a computed 0 goes out as 0xffff (RFC 768). */
static inline uint16_t udp_checksum_value(uint16_t finished)
{
    return finished ? finished : 0xffff;
}

static inline size_t udp_encoded_len(const UdpHdr *h)
{
    (void)h;
    return UDP_HDR_LEN;
}

/* The length field must be ≥ 8 and within len. Returns 8. */
int udp_decode(UdpHdr *out, const uint8_t *p, size_t len);
/* Writes the checksum field as given. */
size_t udp_encode(uint8_t *p, const UdpHdr *h);
/* pseudo_sum: ipv4_pseudo_sum() with len = udp_len(p). */
void udp_fill_checksum(uint8_t *p, size_t len, uint32_t pseudo_sum);
/* WIRE_OK (also when the field is 0: not used) or WIRE_BAD_CHECKSUM. */
int udp_check(const uint8_t *p, size_t len, uint32_t pseudo_sum);
bool udp_describe(WireCursor *c);
