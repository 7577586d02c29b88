/* PPP headers (RFC 1661 section 2, RFC 1662 section 3). */
#include "models/wire/ppp.h"

#include "sim/base/base.h"

int ppp_decode(PppHdr *out, const uint8_t *p, size_t len)
{
    size_t at = len >= 2 && p[0] == PPP_ADDRESS && p[1] == PPP_CONTROL ? 2 : 0;

    if (len <= at)
        return WIRE_TRUNCATED;
    /* RFC 1661 section 2: the first byte of a protocol is even, its last is odd; so one odd byte is
     * compressed. */
    if (p[at] & 1) {
        *out = (PppHdr){p[at]};
        return (int)at + 1;
    }
    if (len < at + 2)
        return WIRE_TRUNCATED;
    *out = (PppHdr){wire_get16(p + at)};
    return (int)at + 2;
}

size_t ppp_encode(uint8_t *p, const PppHdr *h)
{
    ppp_put(p, h->protocol);
    return PPP_HDR_LEN;
}

uint16_t ppp_fcs16(const uint8_t *p, size_t len)
{
    uint32_t fcs = 0xffff;

    for (; len; len--, p++) {
        fcs ^= *p;
        for (int bit = 0; bit < 8; bit++)
            fcs = fcs & 1 ? fcs >> 1 ^ 0x8408 : fcs >> 1;
    }
    return (uint16_t)~fcs;
}

static const WireName proto_names[] = {
    {PPP_PROTO_IPV4, "IPv4"}, {PPP_PROTO_IPV6, "IPv6"},
    {PPP_PROTO_IPCP, "IPCP"}, {PPP_PROTO_IPV6CP, "IPv6CP"},
    {PPP_PROTO_LCP, "LCP"},   {PPP_PROTO_PAP, "PAP"},
    {PPP_PROTO_CHAP, "CHAP"}, {0, NULL},
};

static const WireFieldDef hdlc_fields[] = {
    {"address", "Address", 0, 8, WIRE_HEX, "Always ff: a point-to-point line has one other end."},
    {"control", "Control", 8, 8, WIRE_HEX, "Always 03: unnumbered information."},
};

bool ppp_describe(WireCursor *c)
{
    PppHdr h;
    int len = ppp_decode(&h, c->p, c->len);
    WireLayerId next;

    if (len < 0)
        return wire_malformed(c, WIRE_LAYER_PPP, c->len, WIRE_TRUNCATED, "a PPP header needs 4 bytes");
    bool is_hdlc = len > 2;
    const WireFieldDef protocol = {"protocol",       "Protocol",
                                   is_hdlc ? 16 : 0, (uint32_t)(is_hdlc ? len - 2 : len) * 8,
                                   WIRE_HEX,         "What the payload is.",
                                   proto_names};
    wire_begin(c, WIRE_LAYER_PPP, (size_t)len);
    if (is_hdlc)
        wire_fields(c, WIRE_LAYER_PPP, hdlc_fields, HS_ARRAY_LEN(hdlc_fields));
    wire_field(c, WIRE_LAYER_PPP, &protocol);
    next = h.protocol == PPP_PROTO_IPV4   ? WIRE_LAYER_IP
           : h.protocol == PPP_PROTO_IPV6 ? WIRE_LAYER_IP6
                                          : WIRE_LAYER_DATA;
    wire_end(c, WIRE_LAYER_PPP, (size_t)len, next);
    return true;
}
