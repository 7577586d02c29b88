/* IGMP messages of all three versions. */
#include "models/wire/igmp.h"

#include "sim/base/base.h"
#include "sim/packet/checksum.h"

int igmp_decode(IgmpMsg *out, const uint8_t *p, size_t len)
{
    IgmpMsg m = {0};

    if (len < IGMP_LEN)
        return WIRE_TRUNCATED;
    m.type = p[0];
    m.checksum = wire_get16(p + 2);
    switch (m.type) {
    case IGMP_QUERY: /* RFC 3376 7.1: the version of a query */
        m.max_resp = p[1];
        m.group = wire_get32(p + 4);
        m.version = m.max_resp == 0 ? 1 : 2;
        if (len == IGMP_LEN)
            break;
        if (len < IGMP_V3_QUERY_LEN)
            return WIRE_BAD_LENGTH;
        m.version = 3;
        m.suppress = p[8] & 8;
        m.qrv = p[8] & 7;
        m.qqic = p[9];
        m.n_sources = wire_get16(p + 10);
        if (m.n_sources * 4u > len - IGMP_V3_QUERY_LEN)
            return WIRE_TRUNCATED;
        *out = m;
        return IGMP_V3_QUERY_LEN;
    case IGMP_V3_REPORT: {
        size_t at = IGMP_LEN;

        m.version = 3;
        m.n_records = wire_get16(p + 6);
        for (unsigned i = 0; i < m.n_records; i++) {
            size_t record_len;

            if (len - at < IGMP_V3_RECORD_LEN)
                return WIRE_TRUNCATED;
            record_len = IGMP_V3_RECORD_LEN + wire_get16(p + at + 2) * 4u + p[at + 1] * 4u;
            if (record_len > len - at)
                return WIRE_TRUNCATED;
            at += record_len;
        }
        break;
    }
    default:
        m.version = m.type == IGMP_V1_REPORT ? 1 : 2;
        m.max_resp = p[1];
        m.group = wire_get32(p + 4);
        break;
    }
    *out = m;
    return IGMP_LEN;
}

bool igmp_record(IgmpRecord *out, const uint8_t *p, size_t len, unsigned i)
{
    size_t at = IGMP_LEN;

    if (len < IGMP_LEN || p[0] != IGMP_V3_REPORT || i >= wire_get16(p + 6))
        return false;
    for (;; i--) {
        size_t record_len;

        if (len - at < IGMP_V3_RECORD_LEN)
            return false;
        record_len = IGMP_V3_RECORD_LEN + wire_get16(p + at + 2) * 4u + p[at + 1] * 4u;
        if (record_len > len - at)
            return false;
        if (i == 0)
            break;
        at += record_len;
    }
    *out = (IgmpRecord){.type = p[at],
                        .group = wire_get32(p + at + 4),
                        .n_sources = wire_get16(p + at + 2),
                        .sources = p + at + IGMP_V3_RECORD_LEN};
    return true;
}

size_t igmp_encoded_len(const IgmpMsg *m)
{
    return m->type == IGMP_QUERY && m->version == 3 ? IGMP_V3_QUERY_LEN : IGMP_LEN;
}

size_t igmp_encode(uint8_t *p, const IgmpMsg *m)
{
    size_t len = igmp_encoded_len(m);

    memset(p, 0, len);
    p[0] = m->type;
    if (m->type == IGMP_V3_REPORT) {
        wire_put16(p + 6, m->n_records);
    } else {
        p[1] = m->max_resp;
        wire_put32(p + 4, m->group);
    }
    if (len == IGMP_V3_QUERY_LEN) {
        p[8] = (uint8_t)((m->suppress ? 8 : 0) | (m->qrv & 7));
        p[9] = m->qqic;
        wire_put16(p + 10, m->n_sources);
    }
    igmp_fill_checksum(p, len);
    return len;
}

void igmp_fill_checksum(uint8_t *p, size_t len)
{
    wire_put16(p + 2, 0);
    wire_put16(p + 2, checksum_finish(checksum_add(0, p, len)));
}

int igmp_check(const uint8_t *p, size_t len)
{
    return checksum_finish(checksum_add(0, p, len)) == 0 ? WIRE_OK : WIRE_BAD_CHECKSUM;
}

unsigned igmp_code_value(uint8_t code)
{
    return code < 128 ? code : ((code & 15u) | 16u) << ((code >> 4 & 7u) + 3);
}

static const WireName type_names[] = {
    {IGMP_QUERY, "membership query"},
    {IGMP_V1_REPORT, "version 1 membership report"},
    {IGMP_V2_REPORT, "version 2 membership report"},
    {IGMP_LEAVE, "leave group"},
    {IGMP_V3_REPORT, "version 3 membership report"},
    {0, NULL},
};
static const WireName record_names[] = {
    {IGMP_V3_IS_INCLUDE, "is include"},
    {IGMP_V3_IS_EXCLUDE, "is exclude"},
    {IGMP_V3_TO_INCLUDE, "to include"},
    {IGMP_V3_TO_EXCLUDE, "to exclude"},
    {IGMP_V3_ALLOW, "allow new sources"},
    {IGMP_V3_BLOCK, "block old sources"},
    {0, NULL},
};

static const WireFieldDef type_field = {"type",    "Type", 0, 8, WIRE_HEX, "A question or an announcement.",
                                        type_names};
static const WireFieldDef max_resp_field = {
    "max_resp", "Maximum response time",
    8,          8,
    WIRE_UINT,  "Members wait a random time up to this before they answer."};
static const WireFieldDef checksum_field = {"checksum", "Checksum", 16,
                                            16,         WIRE_HEX,   "Covers the whole message."};
static const WireFieldDef group_field = {
    "group", "Group", 32, 32, WIRE_IP4, "The multicast group in question; 0.0.0.0 asks for all of them."};
static const WireFieldDef v3_query_fields[] = {
    {"suppress", "Suppress router processing", 68, 1, WIRE_BOOL,
     "Other routers do not restart their timers."},
    {"qrv", "Robustness", 69, 3, WIRE_UINT, "How many losses in a row the protocol is to survive."},
    {"qqic", "Query interval code", 72, 8, WIRE_UINT, "How often the querier asks."},
    {"n_sources", "Sources", 80, 16, WIRE_UINT, "How many source addresses follow."},
};
static const WireFieldDef n_records_field = {
    "n_records", "Group records", 48, 16, WIRE_UINT, "How many groups the report tells of."};

static uint32_t describe_sources(WireCursor *c, uint32_t at, unsigned n)
{
    for (unsigned i = 0; i < n; i++, at += 4) {
        const WireFieldDef def = {"source", "Source", at * 8,
                                  32,       WIRE_IP4, "A sender that the member wants, or does not want."};

        wire_field(c, WIRE_LAYER_IGMP, &def);
    }
    return at;
}

static void describe_records(WireCursor *c, unsigned n)
{
    uint32_t at = IGMP_LEN;

    for (unsigned i = 0; i < n; i++) {
        unsigned n_sources = wire_get16(c->p + at + 2), aux = c->p[at + 1];
        const WireFieldDef type = {
            "record_type", "Record type", at * 8, 8, WIRE_UINT, "Which senders are wanted.", record_names};
        const WireFieldDef group = {"group", "Group",  at * 8 + 32,
                                    32,      WIRE_IP4, "The group joined, kept or left."};

        wire_field(c, WIRE_LAYER_IGMP, &type);
        wire_field(c, WIRE_LAYER_IGMP, &group);
        at = describe_sources(c, at + IGMP_V3_RECORD_LEN, n_sources) + aux * 4;
    }
}

bool igmp_describe(WireCursor *c)
{
    const WireLayerId id = WIRE_LAYER_IGMP;
    IgmpMsg m;
    WireSumState state = WIRE_SUM_UNKNOWN;
    uint16_t expected = 0;
    int err;

    if (c->len < IGMP_LEN)
        return wire_malformed(c, id, c->len, WIRE_TRUNCATED, "an IGMP message needs 8 bytes");
    err = igmp_decode(&m, c->p, c->len);
    wire_begin(c, id, err < 0 ? IGMP_LEN : c->len);
    wire_field(c, id, &type_field);
    if (!c->is_partial) {
        state = igmp_check(c->p, c->len) == WIRE_OK ? WIRE_SUM_RIGHT : WIRE_SUM_WRONG;
        expected = checksum_finish(checksum_add(checksum_add(0, c->p, 2), c->p + 4, c->len - 4));
    }
    if (c->p[0] != IGMP_V3_REPORT) {
        unsigned tenths = igmp_code_value(c->p[1]);

        wire_field_value(c, id, &max_resp_field, tenths, "%u.%u s", tenths / 10, tenths % 10);
    }
    wire_field_sum(c, id, &checksum_field, state, expected);
    if (c->p[0] != IGMP_V3_REPORT)
        wire_field(c, id, &group_field);
    if (err < 0) {
        wire_malformed(c, id, IGMP_LEN, err, "the list of sources or groups does not fit");
        wire_end(c, id, IGMP_LEN, WIRE_LAYER_NONE);
        return false;
    }
    if (m.type == IGMP_QUERY && m.version == 3) {
        wire_fields(c, id, v3_query_fields, HS_ARRAY_LEN(v3_query_fields));
        describe_sources(c, IGMP_V3_QUERY_LEN, m.n_sources);
    }
    if (m.type == IGMP_V3_REPORT) {
        wire_field(c, id, &n_records_field);
        describe_records(c, m.n_records);
    }
    wire_end(c, id, c->len, WIRE_LAYER_NONE);
    return true;
}
