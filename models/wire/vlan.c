/* The 802.1Q tag (IEEE 802.1Q-2018 9.6). */
#include "models/wire/vlan.h"

#include "models/wire/eth.h"
#include "sim/base/base.h"

int vlan_decode(VlanTag *out, const uint8_t *p, size_t len)
{
    if (len < VLAN_TAG_LEN)
        return WIRE_TRUNCATED;
    *out = (VlanTag){.pcp = vlan_pcp(p), .dei = p[0] & 0x10, .vid = vlan_vid(p), .type = vlan_type(p)};
    return VLAN_TAG_LEN;
}

size_t vlan_encode(uint8_t *p, const VlanTag *t)
{
    wire_put16(p, (uint16_t)((t->pcp & 7) << 13 | t->dei << 12 | (t->vid & 0xfff)));
    wire_put16(p + 2, t->type);
    return VLAN_TAG_LEN;
}

static const WireFieldDef fields[] = {
    {"pcp", "Priority", 0, 3, WIRE_UINT, "Class of service; 7 is the most urgent."},
    {"dei", "Drop eligible", 3, 1, WIRE_BOOL, "May be dropped first under congestion."},
    {"vid", "VLAN", 4, 12, WIRE_UINT,
     "The virtual LAN that the frame belongs to; 0: the tag carries only a priority."},
};

bool vlan_describe(WireCursor *c)
{
    WireLayerId next;
    bool ok;

    if (c->len < VLAN_TAG_LEN)
        return wire_malformed(c, WIRE_LAYER_VLAN, c->len, WIRE_TRUNCATED, "a VLAN tag needs 4 bytes");
    wire_begin(c, WIRE_LAYER_VLAN, VLAN_TAG_LEN);
    wire_fields(c, WIRE_LAYER_VLAN, fields, HS_ARRAY_LEN(fields));
    ok = eth_describe_type(c, WIRE_LAYER_VLAN, 2, &next);
    wire_end(c, WIRE_LAYER_VLAN, VLAN_TAG_LEN, next);
    return ok;
}
