/* Ethernet II and IEEE 802.3 framing: 14 bytes of header, 46 to 1500 of payload, 4 of frame check sequence.
 *
 *   0      6      12     14
 *   | dst  | src  | type | payload …            | FCS
 *
 * A type of 0x600 or more is an EtherType; up to 1500 it is the length of an 802.3 payload that begins with
 * LLC. */
#pragma once

#include "models/wire/mac.h"
#include "models/wire/wire.h"

#define ETH_DST_OFF 0
#define ETH_SRC_OFF 6
#define ETH_TYPE_OFF 12
#define ETH_HDR_LEN 14
#define ETH_FCS_LEN 4
#define ETH_MIN_PAYLOAD 46
#define ETH_MIN_FRAME 60 /* header and padded payload, without the FCS */
#define ETH_MTU 1500
#define ETH_MAX_802_3_LEN 1500
#define ETH_MIN_TYPE 0x600

#define ETH_TYPE_IPV4 0x0800
#define ETH_TYPE_ARP 0x0806
#define ETH_TYPE_RARP 0x8035
#define ETH_TYPE_VLAN 0x8100
#define ETH_TYPE_IPV6 0x86dd
#define ETH_TYPE_QINQ 0x88a8

typedef struct EthHdr {
    MacAddr dst;
    MacAddr src;
    uint16_t type; /* or the 802.3 length */
} EthHdr;

static inline MacAddr eth_dst(const uint8_t *p)
{
    return mac_get(p + ETH_DST_OFF);
}

static inline MacAddr eth_src(const uint8_t *p)
{
    return mac_get(p + ETH_SRC_OFF);
}

static inline uint16_t eth_type(const uint8_t *p)
{
    return wire_get16(p + ETH_TYPE_OFF);
}

static inline void eth_set_dst(uint8_t *p, MacAddr m)
{
    mac_put(p + ETH_DST_OFF, m);
}

static inline void eth_set_src(uint8_t *p, MacAddr m)
{
    mac_put(p + ETH_SRC_OFF, m);
}

static inline void eth_set_type(uint8_t *p, uint16_t type)
{
    wire_put16(p + ETH_TYPE_OFF, type);
}

static inline void eth_put(uint8_t *p, MacAddr dst, MacAddr src, uint16_t type)
{
    eth_set_dst(p, dst);
    eth_set_src(p, src);
    eth_set_type(p, type);
}

static inline size_t eth_encoded_len(const EthHdr *h)
{
    (void)h;
    return ETH_HDR_LEN;
}

int eth_decode(EthHdr *out, const uint8_t *p, size_t len);
size_t eth_encode(uint8_t *p, const EthHdr *h);
bool eth_describe(WireCursor *c);

/* Writes the FCS of the len bytes at p behind them, in transmission order. */
void eth_put_fcs(uint8_t *p, size_t len);
/* len includes the FCS: WIRE_OK, WIRE_BAD_CHECKSUM or WIRE_TRUNCATED. */
int eth_check_fcs(const uint8_t *p, size_t len);

/* For the layers that end in an EtherType or 802.3 length at c->p + type_off (this one and VLAN): tells it,
 * trims the cursor to an 802.3 length, and says what follows. false: malformed (told). */
bool eth_describe_type(WireCursor *c, WireLayerId id, size_t type_off, WireLayerId *next);

extern const WireName eth_type_names[];
