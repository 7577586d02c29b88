/* ICMP messages (RFC 792, 950, 1191, 1256, 1812 5.2.7 for the later codes). */
#include "models/wire/icmp.h"

#include <stdio.h>

#include "models/wire/tcp.h"
#include "models/wire/udp.h"
#include "sim/base/base.h"
#include "sim/packet/checksum.h"

static const WireName type_names[] = {
    {ICMP_ECHO_REPLY, "echo reply"},
    {ICMP_DEST_UNREACH, "destination unreachable"},
    {ICMP_SOURCE_QUENCH, "source quench"},
    {ICMP_REDIRECT, "redirect"},
    {ICMP_ECHO, "echo request"},
    {ICMP_ROUTER_ADVERT, "router advertisement"},
    {ICMP_ROUTER_SOLICIT, "router solicitation"},
    {ICMP_TIME_EXCEEDED, "time exceeded"},
    {ICMP_PARAM_PROBLEM, "parameter problem"},
    {ICMP_TIMESTAMP, "timestamp request"},
    {ICMP_TIMESTAMP_REPLY, "timestamp reply"},
    {ICMP_INFO_REQUEST, "information request"},
    {ICMP_INFO_REPLY, "information reply"},
    {ICMP_ADDRMASK, "address mask request"},
    {ICMP_ADDRMASK_REPLY, "address mask reply"},
    {0, NULL},
};

static const WireName unreach_names[] = {
    {ICMP_UNREACH_NET, "network unreachable"},
    {ICMP_UNREACH_HOST, "host unreachable"},
    {ICMP_UNREACH_PROTO, "protocol unreachable"},
    {ICMP_UNREACH_PORT, "port unreachable"},
    {ICMP_UNREACH_NEEDFRAG, "fragmentation needed"},
    {ICMP_UNREACH_SRCROUTE, "source route failed"},
    {ICMP_UNREACH_NET_UNKNOWN, "network unknown"},
    {ICMP_UNREACH_HOST_UNKNOWN, "host unknown"},
    {ICMP_UNREACH_ISOLATED, "source host isolated"},
    {ICMP_UNREACH_NET_ADMIN, "network administratively prohibited"},
    {ICMP_UNREACH_HOST_ADMIN, "host administratively prohibited"},
    {ICMP_UNREACH_NET_TOS, "network unreachable for this TOS"},
    {ICMP_UNREACH_HOST_TOS, "host unreachable for this TOS"},
    {ICMP_UNREACH_ADMIN, "communication administratively prohibited"},
    {14, "host precedence violation"},
    {15, "precedence cutoff in effect"},
    {0, NULL},
};
static const WireName redirect_names[] = {
    {ICMP_REDIRECT_NET, "redirect for the network"},
    {ICMP_REDIRECT_HOST, "redirect for the host"},
    {ICMP_REDIRECT_TOS_NET, "redirect for the network and TOS"},
    {ICMP_REDIRECT_TOS_HOST, "redirect for the host and TOS"},
    {0, NULL},
};
static const WireName exceeded_names[] = {
    {ICMP_EXCEEDED_TTL, "TTL exceeded in transit"},
    {ICMP_EXCEEDED_REASSEMBLY, "fragment reassembly time exceeded"},
    {0, NULL},
};
static const WireName param_names[] = {
    {0, "pointer indicates the error"}, {1, "missing a required option"}, {2, "bad length"}, {0, NULL}};

static const WireName *code_names(uint8_t type)
{
    switch (type) {
    case ICMP_DEST_UNREACH:
        return unreach_names;
    case ICMP_REDIRECT:
        return redirect_names;
    case ICMP_TIME_EXCEEDED:
        return exceeded_names;
    case ICMP_PARAM_PROBLEM:
        return param_names;
    default:
        return NULL;
    }
}

const char *icmp_type_name(uint8_t type)
{
    return wire_name(type_names, type);
}

const char *icmp_code_name(uint8_t type, uint8_t code)
{
    return wire_name(code_names(type), code);
}

static size_t header_len(uint8_t type)
{
    if (type == ICMP_TIMESTAMP || type == ICMP_TIMESTAMP_REPLY)
        return ICMP_TIMESTAMP_LEN;
    if (type == ICMP_ADDRMASK || type == ICMP_ADDRMASK_REPLY)
        return ICMP_ADDRMASK_LEN;
    return ICMP_HDR_LEN;
}

int icmp_decode(IcmpMsg *out, const uint8_t *p, size_t len)
{
    IcmpMsg m = {0};
    size_t hdr_len;

    if (len < ICMP_HDR_LEN)
        return WIRE_TRUNCATED;
    m.type = p[0];
    m.code = p[1];
    m.checksum = wire_get16(p + ICMP_CHECKSUM_OFF);
    hdr_len = header_len(m.type);
    if (len < hdr_len)
        return WIRE_TRUNCATED;
    if (icmp_has_id(m.type)) {
        m.id = icmp_id(p);
        m.seq = icmp_seq(p);
    }
    if (m.type == ICMP_REDIRECT)
        m.gateway = wire_get32(p + 4);
    if (m.type == ICMP_DEST_UNREACH && m.code == ICMP_UNREACH_NEEDFRAG)
        m.mtu = wire_get16(p + 6);
    if (m.type == ICMP_PARAM_PROBLEM)
        m.pointer = p[4];
    if (hdr_len == ICMP_TIMESTAMP_LEN) {
        m.originate_ms = wire_get32(p + 8);
        m.receive_ms = wire_get32(p + 12);
        m.transmit_ms = wire_get32(p + 16);
    }
    if (hdr_len == ICMP_ADDRMASK_LEN)
        m.mask = wire_get32(p + 8);
    *out = m;
    return (int)hdr_len;
}

size_t icmp_encoded_len(const IcmpMsg *m)
{
    return header_len(m->type);
}

size_t icmp_encode(uint8_t *p, const IcmpMsg *m)
{
    size_t len = header_len(m->type);

    memset(p, 0, len);
    p[0] = m->type;
    p[1] = m->code;
    if (icmp_has_id(m->type)) {
        wire_put16(p + 4, m->id);
        wire_put16(p + 6, m->seq);
    }
    if (m->type == ICMP_REDIRECT)
        wire_put32(p + 4, m->gateway);
    if (m->type == ICMP_DEST_UNREACH && m->code == ICMP_UNREACH_NEEDFRAG)
        wire_put16(p + 6, m->mtu);
    if (m->type == ICMP_PARAM_PROBLEM)
        p[4] = m->pointer;
    if (len == ICMP_TIMESTAMP_LEN) {
        wire_put32(p + 8, m->originate_ms);
        wire_put32(p + 12, m->receive_ms);
        wire_put32(p + 16, m->transmit_ms);
    }
    if (len == ICMP_ADDRMASK_LEN)
        wire_put32(p + 8, m->mask);
    return len;
}

void icmp_fill_checksum(uint8_t *p, size_t len)
{
    wire_put16(p + ICMP_CHECKSUM_OFF, 0);
    wire_put16(p + ICMP_CHECKSUM_OFF, checksum_finish(checksum_add(0, p, len)));
}

int icmp_check(const uint8_t *p, size_t len)
{
    return checksum_finish(checksum_add(0, p, len)) == 0 ? WIRE_OK : WIRE_BAD_CHECKSUM;
}

int icmp_quote_decode(IcmpQuote *out, const uint8_t *p, size_t len)
{
    IcmpQuote q = {0};
    int hdr_len;

    if (len < ICMP_HDR_LEN)
        return WIRE_TRUNCATED;
    if (!icmp_is_error(icmp_type(p)))
        return WIRE_BAD_VALUE;
    hdr_len = ipv4_decode_quoted(&q.ip, p + ICMP_HDR_LEN, len - ICMP_HDR_LEN);
    if (hdr_len < 0)
        return hdr_len;
    q.l4 = p + ICMP_HDR_LEN + hdr_len;
    q.l4_len = HS_MIN(len - ICMP_HDR_LEN, q.ip.total_len) - (size_t)hdr_len;
    if (q.ip.frag_offset == 0) {
        bool is_tcp = q.ip.proto == IP_PROTO_TCP;

        if ((is_tcp || q.ip.proto == IP_PROTO_UDP) && q.l4_len >= 4) {
            q.has_ports = true;
            q.src_port = wire_get16(q.l4);
            q.dst_port = wire_get16(q.l4 + 2);
        }
        if (is_tcp && q.l4_len >= 8) {
            q.has_seq = true;
            q.seq = tcp_seq(q.l4);
        }
        if (q.ip.proto == IP_PROTO_ICMP && q.l4_len >= 8 && icmp_has_id(icmp_type(q.l4))) {
            q.has_id = true;
            q.icmp_type = icmp_type(q.l4);
            q.icmp_id = icmp_id(q.l4);
            q.icmp_seq = icmp_seq(q.l4);
        }
    }
    *out = q;
    return WIRE_OK;
}

static const WireFieldDef type_field = {"type",    "Type", 0, 8, WIRE_UINT, "What kind of message this is.",
                                        type_names};
static const WireFieldDef code_field = {"code", "Code", 8, 8, WIRE_UINT, "The exact reason within the type."};
static const WireFieldDef checksum_field = {
    "checksum", "Checksum", 16, 16, WIRE_HEX, "Covers the whole message; there is no pseudo-header."};
static const WireFieldDef query_fields[] = {
    {"id", "Identifier", 32, 16, WIRE_UINT, "Tells one asking program from another."},
    {"seq", "Sequence number", 48, 16, WIRE_UINT, "Tells one question from the next."},
};
static const WireFieldDef gateway_field = {"gateway", "Gateway", 32,
                                           32,        WIRE_IP4,  "The better router to use."};
static const WireFieldDef mtu_field = {
    "mtu", "Next-hop MTU", 48,
    16,    WIRE_UINT,      "The largest packet that would pass (RFC 1191); 0 from an old router.",
    NULL,  "bytes"};
static const WireFieldDef pointer_field = {"pointer", "Pointer", 32,
                                           8,         WIRE_UINT, "Which byte of the quoted packet is wrong."};
static const WireFieldDef timestamp_fields[] = {
    {"originate", "Originate time", 64, 32, WIRE_UINT, "When the asker sent it.", NULL, "ms since midnight"},
    {"receive", "Receive time", 96, 32, WIRE_UINT, "When it arrived.", NULL, "ms since midnight"},
    {"transmit", "Transmit time", 128, 32, WIRE_UINT, "When the answer left.", NULL, "ms since midnight"},
};
static const WireFieldDef mask_field = {"mask", "Address mask", 64,
                                        32,     WIRE_IP4,       "The subnet mask of the network."};
static const WireFieldDef advert_fields[] = {
    {"n_addrs", "Addresses", 32, 8, WIRE_UINT, "How many routers are advertised."},
    {"entry_size", "Entry size", 40, 8, WIRE_UINT, "Words of four bytes for each of them."},
    {"lifetime", "Lifetime", 48, 16, WIRE_UINT, "How long the advertisement is valid.", NULL, "s"},
};

static void describe_sum(WireCursor *c)
{
    WireSumState state = WIRE_SUM_UNKNOWN;
    uint16_t expected = 0;

    if (!c->is_partial) {
        state = icmp_check(c->p, c->len) == WIRE_OK ? WIRE_SUM_RIGHT : WIRE_SUM_WRONG;
        expected = checksum_finish(checksum_add(checksum_add(0, c->p, 2), c->p + 4, c->len - 4));
    }
    wire_field_sum(c, WIRE_LAYER_ICMP, &checksum_field, state, expected);
}

bool icmp_describe(WireCursor *c)
{
    const WireLayerId id = WIRE_LAYER_ICMP;
    WireLayerId next = WIRE_LAYER_DATA;
    const char *code_name;
    size_t len;
    uint8_t type, code;

    if (c->len < ICMP_HDR_LEN)
        return wire_malformed(c, id, c->len, WIRE_TRUNCATED, "an ICMP header needs 8 bytes");
    type = icmp_type(c->p);
    code = icmp_code(c->p);
    code_name = icmp_code_name(type, code);
    len = header_len(type);
    if (len > c->len && c->is_partial)
        len = ICMP_HDR_LEN;
    wire_begin(c, id, HS_MIN(len, c->len));
    wire_field(c, id, &type_field);
    wire_field_text(c, id, &code_field, "%u%s%s%s", code, code_name ? " (" : "", code_name ? code_name : "",
                    code_name ? ")" : "");
    describe_sum(c);
    if (icmp_has_id(type))
        wire_fields(c, id, query_fields, HS_ARRAY_LEN(query_fields));
    if (type == ICMP_REDIRECT)
        wire_field(c, id, &gateway_field);
    if (type == ICMP_DEST_UNREACH && code == ICMP_UNREACH_NEEDFRAG)
        wire_field(c, id, &mtu_field);
    if (type == ICMP_PARAM_PROBLEM)
        wire_field(c, id, &pointer_field);
    if (type == ICMP_ROUTER_ADVERT)
        wire_fields(c, id, advert_fields, HS_ARRAY_LEN(advert_fields));
    if (len > c->len) {
        wire_malformed(c, id, c->len, WIRE_TRUNCATED, "the message is shorter than its type demands");
        wire_end(c, id, ICMP_HDR_LEN, WIRE_LAYER_NONE);
        return false;
    }
    if (len == ICMP_TIMESTAMP_LEN)
        wire_fields(c, id, timestamp_fields, HS_ARRAY_LEN(timestamp_fields));
    if (len == ICMP_ADDRMASK_LEN)
        wire_field(c, id, &mask_field);
    if (icmp_is_error(type)) {
        /* An error within a quote is quoted by nobody honest: one level is enough, and bounds the depth. */
        next = c->depth == 0 ? WIRE_LAYER_IP : WIRE_LAYER_DATA;
    }
    wire_end(c, id, len, next);
    if (next == WIRE_LAYER_IP) {
        c->depth++;
        if (c->len == 0)
            c->next = WIRE_LAYER_NONE;
    }
    return true;
}
