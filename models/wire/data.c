/* Payload, padding and FCS. */
#include "models/wire/data.h"

#include "models/wire/eth.h"
#include "sim/base/base.h"
#include "sim/packet/checksum.h"

bool data_is_text(const uint8_t *p, size_t len)
{
    size_t printable = 0;

    for (size_t i = 0; i < len; i++)
        printable += (p[i] >= 0x20 && p[i] < 0x7f) || p[i] == '\n' || p[i] == '\r' || p[i] == '\t';
    return len > 0 && printable >= len - len / 16;
}

bool data_describe(WireCursor *c)
{
    const WireFieldDef len_def = {"len", "Length", 0, 0, WIRE_UINT, "How many bytes of payload there are."};
    const WireFieldDef def = {"bytes",
                              "Bytes",
                              0,
                              (uint32_t)c->len * 8,
                              data_is_text(c->p, c->len) ? WIRE_TEXT : WIRE_BYTES,
                              "The payload as it stands."};

    wire_begin(c, WIRE_LAYER_DATA, c->len);
    wire_field_value(c, WIRE_LAYER_DATA, &len_def, c->len, "%zu %s", c->len, wire_bytes(c->len));
    if (c->len > 0)
        wire_field(c, WIRE_LAYER_DATA, &def);
    wire_end(c, WIRE_LAYER_DATA, c->len, WIRE_LAYER_NONE);
    return true;
}

bool data_describe_padding(WireCursor *c)
{
    const WireFieldDef len_def = {"len", "Length", 0, 0, WIRE_UINT, "How many bytes were added."};
    const WireFieldDef def = {"bytes",    "Bytes",
                              0,          (uint32_t)c->len * 8,
                              WIRE_BYTES, "Fills a frame up to its minimum length; the receiver ignores it."};

    wire_begin(c, WIRE_LAYER_PADDING, c->len);
    wire_field_value(c, WIRE_LAYER_PADDING, &len_def, c->len, "%zu %s", c->len, wire_bytes(c->len));
    if (c->len > 0)
        wire_field(c, WIRE_LAYER_PADDING, &def);
    wire_end(c, WIRE_LAYER_PADDING, c->len, WIRE_LAYER_NONE);
    return true;
}

/* c->off counts the frame's bytes before the FCS. */
bool data_describe_fcs(WireCursor *c)
{
    static const WireFieldDef def = {
        "checksum", "CRC-32", 0,
        32,         WIRE_HEX, "Computed over the whole frame; a frame with a wrong one is dropped silently."};
    uint32_t crc = checksum_crc32(0, c->p - c->off, c->off);
    uint8_t sent[4];

    hs_assert(c->len == ETH_FCS_LEN);
    wire_put32le(sent, crc);
    wire_begin(c, WIRE_LAYER_FCS, ETH_FCS_LEN);
    wire_field_sum(c, WIRE_LAYER_FCS, &def, wire_get32le(c->p) == crc ? WIRE_SUM_RIGHT : WIRE_SUM_WRONG,
                   wire_get32(sent));
    wire_end(c, WIRE_LAYER_FCS, ETH_FCS_LEN, WIRE_LAYER_NONE);
    return true;
}
