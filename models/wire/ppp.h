/* PPP in HDLC-like framing (RFC 1661, RFC 1662) for serial links: address ff, control 03, protocol. Flags and
 * byte stuffing are the line's business and not part of a frame here. Address and control may be left out on
 * reading. */
#pragma once

#include "models/wire/wire.h"

#define PPP_HDR_LEN 4
#define PPP_ADDRESS 0xff
#define PPP_CONTROL 0x03
#define PPP_FCS_LEN 2

#define PPP_PROTO_IPV4 0x0021
#define PPP_PROTO_IPV6 0x0057
#define PPP_PROTO_IPCP 0x8021
#define PPP_PROTO_IPV6CP 0x8057
#define PPP_PROTO_LCP 0xc021
#define PPP_PROTO_PAP 0xc023
#define PPP_PROTO_CHAP 0xc223

typedef struct PppHdr {
    uint16_t protocol;
} PppHdr;

static inline uint16_t ppp_protocol(const uint8_t *p) /* of a frame with address and control */
{
    return wire_get16(p + 2);
}

static inline void ppp_put(uint8_t *p, uint16_t protocol)
{
    p[0] = PPP_ADDRESS;
    p[1] = PPP_CONTROL;
    wire_put16(p + 2, protocol);
}

static inline size_t ppp_encoded_len(const PppHdr *h)
{
    (void)h;
    return PPP_HDR_LEN;
}

/* Returns 4, or 2 without address and control, or 1 less with a compressed protocol field (RFC 1661 6.5). */
int ppp_decode(PppHdr *out, const uint8_t *p, size_t len);
size_t ppp_encode(uint8_t *p, const PppHdr *h);
/* RFC 1662 appendix C.2: the 16-bit FCS, transmitted least significant byte first. */
uint16_t ppp_fcs16(const uint8_t *p, size_t len);
bool ppp_describe(WireCursor *c);
