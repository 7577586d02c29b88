/* Ethernet headers and the frame check sequence (IEEE 802.3 clause 3). */
#include "models/wire/eth.h"

#include "sim/base/base.h"
#include "sim/packet/checksum.h"

const WireName eth_type_names[] = {
    {ETH_TYPE_IPV4, "IPv4"},
    {ETH_TYPE_ARP, "ARP"},
    {ETH_TYPE_RARP, "RARP"},
    {ETH_TYPE_VLAN, "802.1Q VLAN"},
    {ETH_TYPE_QINQ, "802.1ad"},
    {ETH_TYPE_IPV6, "IPv6"},
    {0, NULL},
};

int eth_decode(EthHdr *out, const uint8_t *p, size_t len)
{
    if (len < ETH_HDR_LEN)
        return WIRE_TRUNCATED;
    *out = (EthHdr){.dst = eth_dst(p), .src = eth_src(p), .type = eth_type(p)};
    return ETH_HDR_LEN;
}

size_t eth_encode(uint8_t *p, const EthHdr *h)
{
    eth_put(p, h->dst, h->src, h->type);
    return ETH_HDR_LEN;
}

void eth_put_fcs(uint8_t *p, size_t len)
{
    wire_put32le(p + len, checksum_crc32(0, p, len));
}

int eth_check_fcs(const uint8_t *p, size_t len)
{
    if (len < ETH_HDR_LEN + ETH_FCS_LEN)
        return WIRE_TRUNCATED;
    return checksum_crc32(0, p, len) == CHECKSUM_CRC32_RESIDUE ? WIRE_OK : WIRE_BAD_CHECKSUM;
}

static const WireFieldDef fields[] = {
    {"dst", "Destination", 0, 48, WIRE_MAC, "The card that the frame is for; switches look it up."},
    {"src", "Source", 48, 48, WIRE_MAC, "The card that sent it; switches learn their tables from it."},
};

static WireLayerId type_layer(uint16_t type)
{
    switch (type) {
    case ETH_TYPE_IPV4:
        return WIRE_LAYER_IP;
    case ETH_TYPE_IPV6:
        return WIRE_LAYER_IP6;
    case ETH_TYPE_ARP:
    case ETH_TYPE_RARP:
        return WIRE_LAYER_ARP;
    case ETH_TYPE_VLAN:
    case ETH_TYPE_QINQ:
        return WIRE_LAYER_VLAN;
    default:
        return WIRE_LAYER_DATA;
    }
}

bool eth_describe_type(WireCursor *c, WireLayerId id, size_t type_off, WireLayerId *next)
{
    const WireFieldDef type_field = {"type",
                                     "Type",
                                     (uint32_t)type_off * 8,
                                     16,
                                     WIRE_HEX,
                                     "Which protocol the payload belongs to (EtherType).",
                                     eth_type_names};
    const WireFieldDef len_field = {"len", "Length",  (uint32_t)type_off * 8,
                                    16,    WIRE_UINT, "An 802.3 frame: the payload's length without padding.",
                                    NULL,  "bytes"};
    uint16_t type = wire_get16(c->p + type_off);
    size_t hdr_len = type_off + 2;

    if (type >= ETH_MIN_TYPE) {
        wire_field(c, id, &type_field);
        *next = type_layer(type);
        return true;
    }
    wire_field(c, id, &len_field);
    *next = WIRE_LAYER_NONE;
    if (type > c->len - hdr_len)
        return wire_malformed(c, id, type_off, WIRE_BAD_LENGTH,
                              "the 802.3 length is more than the frame holds");
    wire_trim(c, hdr_len + type);
    *next = WIRE_LAYER_LLC;
    return true;
}

bool eth_describe(WireCursor *c)
{
    WireLayerId next;
    bool ok;

    if (c->len < ETH_HDR_LEN)
        return wire_malformed(c, WIRE_LAYER_ETH, c->len, WIRE_TRUNCATED, "an Ethernet header needs 14 bytes");
    wire_begin(c, WIRE_LAYER_ETH, ETH_HDR_LEN);
    wire_fields(c, WIRE_LAYER_ETH, fields, HS_ARRAY_LEN(fields));
    ok = eth_describe_type(c, WIRE_LAYER_ETH, ETH_TYPE_OFF, &next);
    wire_end(c, WIRE_LAYER_ETH, ETH_HDR_LEN, next);
    return ok;
}
