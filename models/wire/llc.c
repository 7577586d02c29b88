/* LLC headers (IEEE 802.2), as far as spanning tree needs them. */
#include "models/wire/llc.h"

#include "sim/base/base.h"

int llc_decode(LlcHdr *out, const uint8_t *p, size_t len)
{
    if (len < LLC_HDR_LEN)
        return WIRE_TRUNCATED;
    *out = (LlcHdr){.dsap = p[0], .ssap = p[1], .control = p[2]};
    return LLC_HDR_LEN;
}

size_t llc_encode(uint8_t *p, const LlcHdr *h)
{
    p[0] = h->dsap;
    p[1] = h->ssap;
    p[2] = h->control;
    return LLC_HDR_LEN;
}

static const WireName sap_names[] = {{LLC_SAP_STP, "spanning tree"}, {LLC_SAP_SNAP, "SNAP"}, {0, NULL}};
static const WireName control_names[] = {{LLC_UI, "unnumbered information"}, {0, NULL}};

static const WireFieldDef fields[] = {
    {"dsap", "Destination SAP", 0, 8, WIRE_HEX, "Which protocol the payload is for.", sap_names},
    {"ssap", "Source SAP", 8, 8, WIRE_HEX, "Which protocol sent it.", sap_names},
    {"control", "Control", 16, 8, WIRE_HEX, "The kind of LLC frame.", control_names},
};

bool llc_describe(WireCursor *c)
{
    WireLayerId next = WIRE_LAYER_DATA;

    if (c->len < LLC_HDR_LEN)
        return wire_malformed(c, WIRE_LAYER_LLC, c->len, WIRE_TRUNCATED, "an LLC header needs 3 bytes");
    wire_begin(c, WIRE_LAYER_LLC, LLC_HDR_LEN);
    wire_fields(c, WIRE_LAYER_LLC, fields, HS_ARRAY_LEN(fields));
    if (c->p[0] == LLC_SAP_STP && c->p[1] == LLC_SAP_STP && c->p[2] == LLC_UI)
        next = WIRE_LAYER_BPDU;
    wire_end(c, WIRE_LAYER_LLC, LLC_HDR_LEN, next);
    return true;
}
