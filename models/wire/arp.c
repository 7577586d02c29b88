/* ARP and RARP messages (RFC 826, RFC 903). */
#include "models/wire/arp.h"

#include "models/wire/eth.h"
#include "models/wire/ipv4_addr.h"
#include "sim/base/base.h"

#define ADDRESS_LENGTHS 0x0604

int arp_decode(ArpMsg *out, const uint8_t *p, size_t len)
{
    if (len < 8)
        return WIRE_TRUNCATED;
    if (wire_get16(p) != ARP_HTYPE_ETHER || wire_get16(p + 2) != ETH_TYPE_IPV4)
        return WIRE_BAD_VALUE;
    if (wire_get16(p + 4) != ADDRESS_LENGTHS)
        return WIRE_BAD_LENGTH;
    if (len < ARP_LEN)
        return WIRE_TRUNCATED;
    *out = (ArpMsg){.op = arp_op(p),
                    .sha = mac_get(p + ARP_SHA_OFF),
                    .spa = arp_spa(p),
                    .tha = mac_get(p + ARP_THA_OFF),
                    .tpa = arp_tpa(p)};
    return ARP_LEN;
}

size_t arp_encode(uint8_t *p, const ArpMsg *m)
{
    wire_put16(p, ARP_HTYPE_ETHER);
    wire_put16(p + 2, ETH_TYPE_IPV4);
    wire_put16(p + 4, ADDRESS_LENGTHS);
    wire_put16(p + ARP_OP_OFF, m->op);
    mac_put(p + ARP_SHA_OFF, m->sha);
    wire_put32(p + ARP_SPA_OFF, m->spa);
    mac_put(p + ARP_THA_OFF, m->tha);
    wire_put32(p + ARP_TPA_OFF, m->tpa);
    return ARP_LEN;
}

static const WireName htype_names[] = {{ARP_HTYPE_ETHER, "Ethernet"}, {0, NULL}};
static const WireName op_names[] = {
    {ARP_OP_REQUEST, "request"},
    {ARP_OP_REPLY, "reply"},
    {RARP_OP_REQUEST, "reverse request"},
    {RARP_OP_REPLY, "reverse reply"},
    {0, NULL},
};

static const WireFieldDef fixed[] = {
    {"htype", "Hardware type", 0, 16, WIRE_UINT, "What kind of hardware address is asked for.", htype_names},
    {"ptype", "Protocol type", 16, 16, WIRE_HEX, "What kind of protocol address is known.", eth_type_names},
    {"hlen", "Hardware address length", 32, 8, WIRE_UINT, "6 for a MAC address.", NULL, "bytes"},
    {"plen", "Protocol address length", 40, 8, WIRE_UINT, "4 for an IPv4 address.", NULL, "bytes"},
    {"op", "Operation", 48, 16, WIRE_UINT, "A question or an answer.", op_names},
};
static const WireFieldDef addresses[] = {
    {"sha", "Sender MAC", 64, 48, WIRE_MAC, "The sender's card: receivers may learn it at once."},
    {"spa", "Sender IP", 112, 32, WIRE_IP4, "The sender's address; 0.0.0.0 in a probe for conflicts."},
    {"tha", "Target MAC", 144, 48, WIRE_MAC, "Unknown, so zero, in a request; the asker's in a reply."},
    {"tpa", "Target IP", 192, 32, WIRE_IP4, "The address in question."},
};
static const WireFieldDef gratuitous = {
    "gratuitous",
    "Gratuitous",
    0,
    0,
    WIRE_BOOL,
    "Sender and target addresses are the same: an announcement, not a question."};

bool arp_describe(WireCursor *c)
{
    ArpMsg m;
    int err;

    if (c->len < 8)
        return wire_malformed(c, WIRE_LAYER_ARP, c->len, WIRE_TRUNCATED, "an ARP message needs 28 bytes");
    err = arp_decode(&m, c->p, c->len);
    wire_begin(c, WIRE_LAYER_ARP, HS_MIN(c->len, ARP_LEN));
    wire_fields(c, WIRE_LAYER_ARP, fixed, HS_ARRAY_LEN(fixed));
    if (err < 0) {
        if (err == WIRE_BAD_VALUE)
            wire_malformed(c, WIRE_LAYER_ARP, 0, WIRE_BAD_VALUE, "not ARP for IPv4 over Ethernet");
        else if (err == WIRE_BAD_LENGTH)
            wire_malformed(c, WIRE_LAYER_ARP, 4, WIRE_BAD_LENGTH, "the address lengths are not 6 and 4");
        else
            wire_malformed(c, WIRE_LAYER_ARP, c->len, WIRE_TRUNCATED, "an ARP message needs 28 bytes");
        wire_end(c, WIRE_LAYER_ARP, 8, WIRE_LAYER_NONE);
        return false;
    }
    wire_fields(c, WIRE_LAYER_ARP, addresses, HS_ARRAY_LEN(addresses));
    if (m.op <= ARP_OP_REPLY && m.spa == m.tpa)
        wire_field_value(c, WIRE_LAYER_ARP, &gratuitous, 1, "yes");
    wire_trim(c, ARP_LEN);
    wire_end(c, WIRE_LAYER_ARP, ARP_LEN, WIRE_LAYER_NONE);
    return true;
}
