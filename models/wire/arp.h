/* ARP (RFC 826) and RARP (RFC 903) for IPv4 over Ethernet: the same 28 bytes under EtherTypes 0x0806 and
 * 0x8035. */
#pragma once

#include "models/wire/mac.h"
#include "models/wire/wire.h"

#define ARP_LEN 28
#define ARP_OP_OFF 6
#define ARP_SHA_OFF 8
#define ARP_SPA_OFF 14
#define ARP_THA_OFF 18
#define ARP_TPA_OFF 24

#define ARP_HTYPE_ETHER 1

#define ARP_OP_REQUEST 1
#define ARP_OP_REPLY 2
#define RARP_OP_REQUEST 3
#define RARP_OP_REPLY 4

typedef struct ArpMsg {
    uint16_t op;
    MacAddr sha; /* sender */
    uint32_t spa;
    MacAddr tha; /* target */
    uint32_t tpa;
} ArpMsg;

static inline uint16_t arp_op(const uint8_t *p)
{
    return wire_get16(p + ARP_OP_OFF);
}

static inline uint32_t arp_spa(const uint8_t *p)
{
    return wire_get32(p + ARP_SPA_OFF);
}

static inline uint32_t arp_tpa(const uint8_t *p)
{
    return wire_get32(p + ARP_TPA_OFF);
}

static inline size_t arp_encoded_len(const ArpMsg *m)
{
    (void)m;
    return ARP_LEN;
}

/* WIRE_BAD_VALUE: hardware other than Ethernet or protocol other than IPv4; WIRE_BAD_LENGTH: address lengths
 * not 6 and 4. Any operation is decoded. */
int arp_decode(ArpMsg *out, const uint8_t *p, size_t len);
size_t arp_encode(uint8_t *p, const ArpMsg *m);
bool arp_describe(WireCursor *c);
