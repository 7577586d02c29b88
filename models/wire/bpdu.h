/* Bridge protocol data units: STP configuration and topology change notification (IEEE 802.1D-1998 clause 9),
 * RSTP (IEEE 802.1D-2004 9.3.3). On the wire they follow an 802.3 header and LLC 42 42 03. */
#pragma once

#include "models/wire/mac.h"
#include "models/wire/wire.h"

#define BPDU_TYPE_CONFIG 0x00
#define BPDU_TYPE_RST 0x02
#define BPDU_TYPE_TCN 0x80

#define BPDU_VERSION_STP 0
#define BPDU_VERSION_RSTP 2

#define BPDU_TCN_LEN 4
#define BPDU_CONFIG_LEN 35
#define BPDU_RST_LEN 36
#define BPDU_MAX_FRAME_LEN (14 + 3 + BPDU_RST_LEN)

#define BPDU_FLAG_TC 0x01
#define BPDU_FLAG_PROPOSAL 0x02
#define BPDU_FLAG_ROLE_MASK 0x0c
#define BPDU_FLAG_LEARNING 0x10
#define BPDU_FLAG_FORWARDING 0x20
#define BPDU_FLAG_AGREEMENT 0x40
#define BPDU_FLAG_TC_ACK 0x80

#define BPDU_ROLE_UNKNOWN 0
#define BPDU_ROLE_ALTERNATE_BACKUP 1
#define BPDU_ROLE_ROOT 2
#define BPDU_ROLE_DESIGNATED 3

/* Bridge identifiers are 64-bit numbers, priority << 48 | MAC: they compare as the protocol compares them. */
typedef struct Bpdu {
    uint8_t version;
    uint8_t type;
    uint8_t flags;
    uint64_t root_id;
    uint32_t root_cost;
    uint64_t bridge_id;
    uint16_t port_id;     /* priority (4 bits) and number (12 bits) */
    uint16_t message_age; /* this and the next three in 1/256 s */
    uint16_t max_age;
    uint16_t hello_time;
    uint16_t forward_delay;
} Bpdu;

static inline uint64_t bpdu_bridge_id(uint16_t priority, MacAddr mac)
{
    return (uint64_t)priority << 48 | mac_to_u64(mac);
}

static inline unsigned bpdu_role(uint8_t flags)
{
    return (flags & BPDU_FLAG_ROLE_MASK) >> 2;
}

/* Returns 4, 35 or 36. Protocol identifier not 0, or an unknown type: WIRE_BAD_VALUE. */
int bpdu_decode(Bpdu *out, const uint8_t *p, size_t len);
size_t bpdu_encoded_len(const Bpdu *b);
size_t bpdu_encode(uint8_t *p, const Bpdu *b);
/* A whole frame without padding and FCS: to the Bridge Group Address, 802.3 length, LLC, BPDU. Returns its
 * length. */
size_t bpdu_encode_frame(uint8_t p[BPDU_MAX_FRAME_LEN], MacAddr src, const Bpdu *b);
bool bpdu_describe(WireCursor *c);
