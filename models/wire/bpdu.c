/* BPDUs of STP and RSTP. */
#include "models/wire/bpdu.h"

#include <stdio.h>

#include "models/wire/eth.h"
#include "models/wire/llc.h"
#include "sim/base/base.h"

static size_t length_of(uint8_t type)
{
    return type == BPDU_TYPE_TCN ? BPDU_TCN_LEN : type == BPDU_TYPE_RST ? BPDU_RST_LEN : BPDU_CONFIG_LEN;
}

int bpdu_decode(Bpdu *out, const uint8_t *p, size_t len)
{
    Bpdu b = {0};

    if (len < BPDU_TCN_LEN)
        return WIRE_TRUNCATED;
    b.version = p[2];
    b.type = p[3];
    if (wire_get16(p) != 0 ||
        (b.type != BPDU_TYPE_CONFIG && b.type != BPDU_TYPE_RST && b.type != BPDU_TYPE_TCN))
        return WIRE_BAD_VALUE;
    if (len < length_of(b.type))
        return WIRE_TRUNCATED;
    if (b.type != BPDU_TYPE_TCN) {
        b.flags = p[4];
        b.root_id = wire_get64(p + 5);
        b.root_cost = wire_get32(p + 13);
        b.bridge_id = wire_get64(p + 17);
        b.port_id = wire_get16(p + 25);
        b.message_age = wire_get16(p + 27);
        b.max_age = wire_get16(p + 29);
        b.hello_time = wire_get16(p + 31);
        b.forward_delay = wire_get16(p + 33);
    }
    *out = b;
    return (int)length_of(b.type);
}

size_t bpdu_encoded_len(const Bpdu *b)
{
    return length_of(b->type);
}

size_t bpdu_encode(uint8_t *p, const Bpdu *b)
{
    wire_put16(p, 0);
    p[2] = b->version;
    p[3] = b->type;
    if (b->type == BPDU_TYPE_TCN)
        return BPDU_TCN_LEN;
    p[4] = b->flags;
    wire_put64(p + 5, b->root_id);
    wire_put32(p + 13, b->root_cost);
    wire_put64(p + 17, b->bridge_id);
    wire_put16(p + 25, b->port_id);
    wire_put16(p + 27, b->message_age);
    wire_put16(p + 29, b->max_age);
    wire_put16(p + 31, b->hello_time);
    wire_put16(p + 33, b->forward_delay);
    if (b->type == BPDU_TYPE_RST)
        p[35] = 0; /* version 1 length: no version 1 information (9.3.3) */
    return length_of(b->type);
}

size_t bpdu_encode_frame(uint8_t p[BPDU_MAX_FRAME_LEN], MacAddr src, const Bpdu *b)
{
    static const LlcHdr llc = {LLC_SAP_STP, LLC_SAP_STP, LLC_UI};
    size_t len = LLC_HDR_LEN + bpdu_encoded_len(b);

    eth_put(p, MAC_BRIDGE_GROUP, src, (uint16_t)len);
    llc_encode(p + ETH_HDR_LEN, &llc);
    bpdu_encode(p + ETH_HDR_LEN + LLC_HDR_LEN, b);
    return ETH_HDR_LEN + len;
}

static const WireName version_names[] = {
    {BPDU_VERSION_STP, "STP"}, {BPDU_VERSION_RSTP, "RSTP"}, {3, "MSTP"}, {0, NULL}};
static const WireName type_names[] = {
    {BPDU_TYPE_CONFIG, "configuration"},
    {BPDU_TYPE_RST, "rapid spanning tree"},
    {BPDU_TYPE_TCN, "topology change notification"},
    {0, NULL},
};
static const WireName role_names[] = {
    {BPDU_ROLE_UNKNOWN, "unknown"},
    {BPDU_ROLE_ALTERNATE_BACKUP, "alternate or backup"},
    {BPDU_ROLE_ROOT, "root"},
    {BPDU_ROLE_DESIGNATED, "designated"},
    {0, NULL},
};

static const WireFieldDef head[] = {
    {"protocol", "Protocol identifier", 0, 16, WIRE_UINT, "0 for all spanning tree protocols."},
    {"version", "Version", 16, 8, WIRE_UINT, "Which spanning tree protocol.", version_names},
    {"type", "Type", 24, 8, WIRE_HEX, "What the BPDU says.", type_names},
    {"flags", "Flags", 32, 8, WIRE_FLAGS, "Topology changes, and RSTP's quick handshake."},
    {"tc_ack", "Topology change acknowledgment", 32, 1, WIRE_BOOL, "A notification was heard."},
    {"agreement", "Agreement", 33, 1, WIRE_BOOL, "The proposal is accepted: the port may forward at once."},
    {"forwarding", "Forwarding", 34, 1, WIRE_BOOL, "The sending port forwards frames."},
    {"learning", "Learning", 35, 1, WIRE_BOOL, "The sending port learns addresses."},
    {"role", "Port role", 36, 2, WIRE_UINT, "The sending port's part in the tree.", role_names},
    {"proposal", "Proposal", 38, 1, WIRE_BOOL, "The sender wants to forward at once."},
    {"tc", "Topology change", 39, 1, WIRE_BOOL, "Learned addresses are to be forgotten soon."},
};
static const WireFieldDef root_id = {
    "root_id", "Root identifier", 40,
    64,        WIRE_HEX,          "Priority and MAC of the bridge believed to be the root; the lowest wins."};
static const WireFieldDef root_cost = {"root_cost", "Root path cost", 104,
                                       32,          WIRE_UINT,        "How far the sender is from the root."};
static const WireFieldDef bridge_id = {
    "bridge_id", "Bridge identifier", 136, 64, WIRE_HEX, "Priority and MAC of the sender."};
static const WireFieldDef port_id = {"port_id", "Port identifier", 200, 16, WIRE_HEX, "The sender's port."};
static const WireFieldDef times[] = {
    {"message_age", "Message age", 216, 16, WIRE_UINT, "How long ago the root sent this information."},
    {"max_age", "Maximum age", 232, 16, WIRE_UINT, "At this age it is too old to be trusted."},
    {"hello_time", "Hello time", 248, 16, WIRE_UINT, "How often the root sends a BPDU."},
    {"forward_delay", "Forward delay", 264, 16, WIRE_UINT,
     "How long a port listens and learns before it forwards."},
};

static void describe_id(WireCursor *c, const WireFieldDef *def)
{
    uint64_t id = wire_get64(c->p + def->bit_off / 8);
    char mac[MAC_STR_LEN];

    wire_field_text(c, WIRE_LAYER_BPDU, def, "%u/%s", (unsigned)(id >> 48),
                    mac_format(mac_from_u64(id), mac));
}

bool bpdu_describe(WireCursor *c)
{
    const WireLayerId id = WIRE_LAYER_BPDU;
    Bpdu b;
    int len = bpdu_decode(&b, c->p, c->len);

    if (len < 0)
        return wire_malformed(c, id, len == WIRE_BAD_VALUE ? 0 : c->len, len,
                              len == WIRE_BAD_VALUE ? "not a spanning tree protocol, or an unknown type"
                                                    : "the BPDU is shorter than its type demands");
    wire_begin(c, id, (size_t)len);
    wire_fields(c, id, head, b.type == BPDU_TYPE_TCN ? 3 : HS_ARRAY_LEN(head));
    if (b.type != BPDU_TYPE_TCN) {
        describe_id(c, &root_id);
        wire_field(c, id, &root_cost);
        describe_id(c, &bridge_id);
        wire_field(c, id, &port_id);
        for (size_t i = 0; i < HS_ARRAY_LEN(times); i++) {
            unsigned v = wire_get16(c->p + times[i].bit_off / 8), ms = v % 256 * 1000 / 256;

            wire_field_text(c, id, &times[i], "%u (%u.%03u s)", v, v / 256, ms);
        }
    }
    wire_trim(c, (size_t)len);
    wire_end(c, id, (size_t)len, WIRE_LAYER_NONE);
    return true;
}
