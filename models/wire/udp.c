/* UDP headers (RFC 768). */
#include "models/wire/udp.h"

#include "models/wire/tftp.h"
#include "sim/base/base.h"
#include "sim/packet/checksum.h"

int udp_decode(UdpHdr *out, const uint8_t *p, size_t len)
{
    if (len < UDP_HDR_LEN)
        return WIRE_TRUNCATED;
    if (udp_len(p) < UDP_HDR_LEN || udp_len(p) > len)
        return WIRE_BAD_LENGTH;
    *out = (UdpHdr){.src_port = udp_src_port(p),
                    .dst_port = udp_dst_port(p),
                    .len = udp_len(p),
                    .checksum = udp_checksum(p)};
    return UDP_HDR_LEN;
}

size_t udp_encode(uint8_t *p, const UdpHdr *h)
{
    wire_put16(p, h->src_port);
    wire_put16(p + 2, h->dst_port);
    wire_put16(p + 4, h->len);
    wire_put16(p + 6, h->checksum);
    return UDP_HDR_LEN;
}

void udp_fill_checksum(uint8_t *p, size_t len, uint32_t pseudo_sum)
{
    udp_set_checksum(p, 0);
    udp_set_checksum(p, udp_checksum_value(checksum_finish(checksum_add(pseudo_sum, p, len))));
}

int udp_check(const uint8_t *p, size_t len, uint32_t pseudo_sum)
{
    if (udp_checksum(p) == 0)
        return WIRE_OK;
    return checksum_finish(checksum_add(pseudo_sum, p, len)) == 0 ? WIRE_OK : WIRE_BAD_CHECKSUM;
}

static const WireFieldDef fields[] = {
    {"sport", "Source port", 0, 16, WIRE_UINT, "Where an answer is to go."},
    {"dport", "Destination port", 16, 16, WIRE_UINT, "The socket that the data is for."},
    {"len", "Length", 32, 16, WIRE_UINT, "Header and data together.", NULL, "bytes"},
};
static const WireFieldDef checksum_field = {
    "checksum", "Checksum", 48,
    16,         WIRE_HEX,   "Covers the addresses, the header and the data; 0: the sender computed none."};

static void describe_sum(WireCursor *c, uint16_t len)
{
    WireSumState state = WIRE_SUM_UNKNOWN;
    uint16_t expected = 0;

    if (udp_checksum(c->p) == 0) {
        state = WIRE_SUM_ABSENT;
    } else if (!c->is_partial && c->has_pseudo && len >= UDP_HDR_LEN && len <= c->len) {
        uint32_t sum = c->pseudo_sum + len;

        state = udp_check(c->p, len, sum) == WIRE_OK ? WIRE_SUM_RIGHT : WIRE_SUM_WRONG;
        sum = checksum_add(checksum_add(sum, c->p, 6), c->p + 8, len - 8u);
        expected = udp_checksum_value(checksum_finish(sum));
    }
    wire_field_sum(c, WIRE_LAYER_UDP, &checksum_field, state, expected);
}

bool udp_describe(WireCursor *c)
{
    uint16_t len;
    bool ok = true;

    if (c->len < UDP_HDR_LEN)
        return wire_malformed(c, WIRE_LAYER_UDP, c->len, WIRE_TRUNCATED, "a UDP header needs 8 bytes");
    len = udp_len(c->p);
    wire_begin(c, WIRE_LAYER_UDP, UDP_HDR_LEN);
    wire_fields(c, WIRE_LAYER_UDP, fields, HS_ARRAY_LEN(fields));
    describe_sum(c, len);
    if (len < UDP_HDR_LEN)
        ok = wire_malformed(c, WIRE_LAYER_UDP, 4, WIRE_BAD_LENGTH, "the length is below 8");
    else if (len > c->len && !c->is_partial)
        ok = wire_malformed(c, WIRE_LAYER_UDP, 4, WIRE_BAD_LENGTH,
                            "the length is more than the IP packet holds");
    if (ok)
        wire_trim(c, len);
    WireLayerId next = WIRE_LAYER_DATA;
    if (!c->is_partial && (udp_dst_port(c->p) == TFTP_PORT || udp_src_port(c->p) == TFTP_PORT))
        next = WIRE_LAYER_TFTP;
    wire_end(c, WIRE_LAYER_UDP, UDP_HDR_LEN, ok ? next : WIRE_LAYER_NONE);
    return ok;
}
