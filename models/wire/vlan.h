/* The IEEE 802.1Q tag: four bytes between an Ethernet header's addresses and its type. Seen from the outer
 * type (0x8100) it is a header of its own: priority, DEI, VLAN identifier, and the type of what follows. */
#pragma once

#include "models/wire/wire.h"

#define VLAN_TAG_LEN 4
#define VLAN_VID_MAX 4094 /* 4095 is reserved, 0 is "priority only" */

typedef struct VlanTag {
    uint8_t pcp; /* 0–7 */
    bool dei;
    uint16_t vid;  /* 0–4095 */
    uint16_t type; /* EtherType of what follows */
} VlanTag;

/* p: the tag control information, behind the type 0x8100. */
static inline uint16_t vlan_vid(const uint8_t *p)
{
    return wire_get16(p) & 0xfff;
}

static inline uint8_t vlan_pcp(const uint8_t *p)
{
    return p[0] >> 5;
}

static inline uint16_t vlan_type(const uint8_t *p)
{
    return wire_get16(p + 2);
}

static inline size_t vlan_encoded_len(const VlanTag *t)
{
    (void)t;
    return VLAN_TAG_LEN;
}

int vlan_decode(VlanTag *out, const uint8_t *p, size_t len);
size_t vlan_encode(uint8_t *p, const VlanTag *t);
bool vlan_describe(WireCursor *c);
