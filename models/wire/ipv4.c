/* IPv4 headers and options (RFC 791). */
#include "models/wire/ipv4.h"

#include "sim/base/base.h"
#include "sim/packet/checksum.h"

const WireName ip_proto_names[] = {
    {IP_PROTO_ICMP, "ICMP"},
    {IP_PROTO_IGMP, "IGMP"},
    {4, "IPIP"},
    {IP_PROTO_TCP, "TCP"},
    {IP_PROTO_UDP, "UDP"},
    {41, "IPv6"},
    {47, "GRE"},
    {50, "ESP"},
    {51, "AH"},
    {IP_PROTO_ICMPV6, "ICMPv6"},
    {89, "OSPF"},
    {132, "SCTP"},
    {0, NULL},
};

/* RFC 2474, 2597, 3246, 5865. */
const WireName ip_dscp_names[] = {
    {0, "CS0, best effort"},
    {8, "CS1"},
    {10, "AF11"},
    {12, "AF12"},
    {14, "AF13"},
    {16, "CS2"},
    {18, "AF21"},
    {20, "AF22"},
    {22, "AF23"},
    {24, "CS3"},
    {26, "AF31"},
    {28, "AF32"},
    {30, "AF33"},
    {32, "CS4"},
    {34, "AF41"},
    {36, "AF42"},
    {38, "AF43"},
    {40, "CS5"},
    {44, "VOICE-ADMIT"},
    {46, "EF"},
    {48, "CS6"},
    {56, "CS7"},
    {0, NULL},
};

const WireName ip_ecn_names[] = {
    {IP_ECN_NOT_ECT, "not ECN-capable"},
    {IP_ECN_ECT1, "ECT(1)"},
    {IP_ECN_ECT0, "ECT(0)"},
    {IP_ECN_CE, "congestion experienced"},
    {0, NULL},
};

WireLayerId ipv4_proto_layer(uint8_t proto)
{
    switch (proto) {
    case IP_PROTO_ICMP:
        return WIRE_LAYER_ICMP;
    case IP_PROTO_IGMP:
        return WIRE_LAYER_IGMP;
    case IP_PROTO_TCP:
        return WIRE_LAYER_TCP;
    case IP_PROTO_UDP:
        return WIRE_LAYER_UDP;
    default:
        return WIRE_LAYER_DATA;
    }
}

void ipv4_fill_checksum(uint8_t *p)
{
    ipv4_set_checksum(p, 0);
    ipv4_set_checksum(p, checksum_finish(checksum_add(0, p, ipv4_hdr_len(p))));
}

int ipv4_check(const uint8_t *p)
{
    return checksum_finish(checksum_add(0, p, ipv4_hdr_len(p))) == 0 ? WIRE_OK : WIRE_BAD_CHECKSUM;
}

void ipv4_set_ecn(uint8_t *p, uint8_t ecn)
{
    uint16_t before = wire_get16(p);

    p[IPV4_TOS_OFF] = (uint8_t)((p[IPV4_TOS_OFF] & ~IP_ECN_MASK) | ecn);
    ipv4_set_checksum(p, checksum_update16(ipv4_checksum(p), before, wire_get16(p)));
}

static int decode(Ipv4Hdr *out, const uint8_t *p, size_t len, bool is_quoted)
{
    unsigned hdr_len;
    uint16_t frag;

    if (len < 1)
        return WIRE_TRUNCATED;
    if (p[0] >> 4 != 4)
        return WIRE_BAD_VERSION;
    if (len < IPV4_MIN_HDR_LEN)
        return WIRE_TRUNCATED;
    hdr_len = ipv4_hdr_len(p);
    if (hdr_len < IPV4_MIN_HDR_LEN || ipv4_total_len(p) < hdr_len)
        return WIRE_BAD_LENGTH;
    if (hdr_len > len || (!is_quoted && ipv4_total_len(p) > len))
        return WIRE_TRUNCATED;
    frag = ipv4_frag(p);
    *out = (Ipv4Hdr){.hdr_len = (uint8_t)hdr_len,
                     .tos = ipv4_tos(p),
                     .ttl = ipv4_ttl(p),
                     .proto = ipv4_proto(p),
                     .total_len = ipv4_total_len(p),
                     .id = ipv4_id(p),
                     .frag_offset = (uint16_t)ipv4_frag_offset(p),
                     .evil = frag & IPV4_FLAG_EVIL,
                     .df = frag & IPV4_FLAG_DF,
                     .mf = frag & IPV4_FLAG_MF,
                     .checksum = ipv4_checksum(p),
                     .src = ipv4_src(p),
                     .dst = ipv4_dst(p),
                     .options_len = (uint8_t)(hdr_len - IPV4_MIN_HDR_LEN)};
    memcpy(out->options, p + IPV4_MIN_HDR_LEN, out->options_len);
    return (int)hdr_len;
}

int ipv4_decode(Ipv4Hdr *out, const uint8_t *p, size_t len)
{
    return decode(out, p, len, false);
}

int ipv4_decode_quoted(Ipv4Hdr *out, const uint8_t *p, size_t len)
{
    return decode(out, p, len, true);
}

size_t ipv4_encode(uint8_t *p, const Ipv4Hdr *h)
{
    size_t len = ipv4_encoded_len(h);

    hs_assert(h->options_len <= IPV4_MAX_OPTIONS_LEN);
    p[0] = (uint8_t)(0x40 | len / 4);
    ipv4_set_tos(p, h->tos);
    ipv4_set_total_len(p, h->total_len);
    ipv4_set_id(p, h->id);
    ipv4_set_frag(p, (uint16_t)(h->frag_offset / 8 | (h->evil ? IPV4_FLAG_EVIL : 0) |
                                (h->df ? IPV4_FLAG_DF : 0) | (h->mf ? IPV4_FLAG_MF : 0)));
    ipv4_set_ttl(p, h->ttl);
    ipv4_set_proto(p, h->proto);
    ipv4_set_src(p, h->src);
    ipv4_set_dst(p, h->dst);
    memcpy(p + IPV4_MIN_HDR_LEN, h->options, h->options_len);
    memset(p + IPV4_MIN_HDR_LEN + h->options_len, IPV4_OPT_EOL, len - IPV4_MIN_HDR_LEN - h->options_len);
    ipv4_fill_checksum(p);
    return len;
}

bool ipv4_opt_next(Ipv4OptIter *it, Ipv4Opt *opt)
{
    if (it->len == 0 || it->error)
        return false;
    *opt = (Ipv4Opt){.type = it->p[0], .p = it->p, .len = 1};
    if (opt->type != IPV4_OPT_EOL && opt->type != IPV4_OPT_NOP) {
        if (it->len < 2)
            it->error = WIRE_TRUNCATED;
        else if (it->p[1] < 2 || it->p[1] > it->len)
            it->error = WIRE_BAD_LENGTH;
        if (it->error)
            return false;
        opt->len = it->p[1];
    }
    /* End of list: what is left is padding (RFC 791 3.1). */
    it->len = opt->type == IPV4_OPT_EOL ? 0 : it->len - opt->len;
    it->p += opt->len;
    return true;
}

static const WireFieldDef version_field = {
    "version", "Version", 0, 4, WIRE_UINT, "4: it tells the receiver how to read the rest."};
static const WireFieldDef hdr_len_field = {
    "hdr_len", "Header length", 4,
    4,         WIRE_UINT,       "Counted in words of four bytes; options make it longer than 20.",
    NULL,      "bytes"};
static const WireFieldDef after_len[] = {
    {"tos", "Type of service", 8, 8, WIRE_HEX, "The whole byte: DSCP and ECN."},
    {"dscp", "DSCP", 8, 6, WIRE_UINT, "How routers should treat the packet.", ip_dscp_names},
    {"ecn", "ECN", 14, 2, WIRE_UINT, "Lets a queue signal congestion without dropping.", ip_ecn_names},
    {"len", "Total length", 16, 16, WIRE_UINT, "Header and data; the frame may be longer (padding).", NULL,
     "bytes"},
    {"id", "Identification", 32, 16, WIRE_HEX, "Fragments of one packet share it."},
};
static const WireFieldDef flags_field = {
    "flags", "Flags",    48,
    3,       WIRE_FLAGS, "Whether the packet may be fragmented, and whether more fragments follow."};
static const WireFieldDef flag_bits[] = {
    {"evil", "Reserved", 48, 1, WIRE_BOOL, "Must be zero."},
    {"df", "Don't fragment", 49, 1, WIRE_BOOL,
     "A router that cannot forward it whole must drop it and say so."},
    {"mf", "More fragments", 50, 1, WIRE_BOOL, "Not the last fragment of its packet."},
};
static const WireFieldDef frag_offset_field = {
    "frag_offset",
    "Fragment offset",
    51,
    13,
    WIRE_UINT,
    "Where this fragment's data belongs in the packet; counted in units of eight bytes.",
    NULL,
    "bytes"};
static const WireFieldDef ttl_proto[] = {
    {"ttl", "Time to live", 64, 8, WIRE_UINT, "Every router takes one away; at zero the packet is dropped."},
    {"proto", "Protocol", 72, 8, WIRE_UINT, "What the payload is.", ip_proto_names},
};
static const WireFieldDef checksum_field = {
    "checksum", "Header checksum", 80,
    16,         WIRE_HEX,          "Covers the header only; changes at every router with the TTL."};
static const WireFieldDef addresses[] = {
    {"src", "Source", 96, 32, WIRE_IP4, "Where the packet comes from (or says so)."},
    {"dst", "Destination", 128, 32, WIRE_IP4, "Where it goes: routers look up this address."},
};

static const WireName option_names[] = {
    {IPV4_OPT_EOL, "end of options"},          {IPV4_OPT_NOP, "no operation"},
    {IPV4_OPT_RECORD_ROUTE, "record route"},   {IPV4_OPT_TIMESTAMP, "timestamp"},
    {IPV4_OPT_SECURITY, "security"},           {IPV4_OPT_LSRR, "loose source route"},
    {IPV4_OPT_STREAM_ID, "stream identifier"}, {IPV4_OPT_SSRR, "strict source route"},
    {IPV4_OPT_ROUTER_ALERT, "router alert"},   {0, NULL},
};

/* Addresses of a route option: data from byte 3 on, four bytes each. */
static void describe_route(WireCursor *c, const Ipv4Opt *opt)
{
    for (uint32_t at = 3; at + 4 <= opt->len; at += 4) {
        const WireFieldDef def = {"route", "Route",  (uint32_t)(opt->p - c->p) * 8 + at * 8,
                                  32,      WIRE_IP4, "A router that the packet has passed, or is to pass."};

        wire_field(c, WIRE_LAYER_IP, &def);
    }
}

static bool describe_options(WireCursor *c, size_t options_len)
{
    Ipv4OptIter it = {c->p + IPV4_MIN_HDR_LEN, options_len, 0};
    Ipv4Opt opt;

    while (ipv4_opt_next(&it, &opt)) {
        const char *name = wire_name(option_names, opt.type);
        const WireFieldDef def = {
            "option",     "Option",   (uint32_t)(opt.p - c->p) * 8,
            opt.len * 8u, WIRE_BYTES, "Rarely used; most routers handle it slowly or not at all."};

        wire_field_text(c, WIRE_LAYER_IP, &def, "%u (%s)", opt.type, name ? name : "unknown");
        if (opt.type == IPV4_OPT_RECORD_ROUTE || opt.type == IPV4_OPT_LSRR || opt.type == IPV4_OPT_SSRR)
            describe_route(c, &opt);
    }
    if (it.error)
        return wire_malformed(c, WIRE_LAYER_IP, (size_t)(it.p - c->p), it.error,
                              "an option's length leaves the header");
    return true;
}

static const char *header_fault(int err, size_t len)
{
    switch (err) {
    case WIRE_BAD_VERSION:
        return "the version is not 4";
    case WIRE_BAD_LENGTH:
        return "header length below 20, or above the total length";
    default:
        return len < IPV4_MIN_HDR_LEN ? "an IPv4 header needs 20 bytes"
                                      : "the packet is longer than its frame";
    }
}

bool ipv4_describe(WireCursor *c)
{
    Ipv4Hdr h;
    int hdr_len = decode(&h, c->p, c->len, c->depth > 0);
    uint8_t sum_bytes[IPV4_MAX_HDR_LEN];
    bool ok;

    if (hdr_len < 0) {
        size_t at = hdr_len == WIRE_BAD_VERSION || hdr_len == WIRE_BAD_LENGTH ? 0 : c->len;

        return wire_malformed(c, WIRE_LAYER_IP, at, hdr_len, header_fault(hdr_len, c->len));
    }
    wire_begin(c, WIRE_LAYER_IP, (size_t)hdr_len);
    wire_field(c, WIRE_LAYER_IP, &version_field);
    wire_field_value(c, WIRE_LAYER_IP, &hdr_len_field, (uint64_t)hdr_len, "%d bytes", hdr_len);
    wire_fields(c, WIRE_LAYER_IP, after_len, HS_ARRAY_LEN(after_len));
    wire_field_text(c, WIRE_LAYER_IP, &flags_field, "%s%s%s",
                    h.df   ? "DF"
                    : h.mf ? ""
                           : "none",
                    h.df && h.mf ? ", " : "", h.mf ? "MF" : "");
    wire_fields(c, WIRE_LAYER_IP, flag_bits, HS_ARRAY_LEN(flag_bits));
    wire_field_value(c, WIRE_LAYER_IP, &frag_offset_field, h.frag_offset, "%u bytes", h.frag_offset);
    wire_fields(c, WIRE_LAYER_IP, ttl_proto, HS_ARRAY_LEN(ttl_proto));
    memcpy(sum_bytes, c->p, (size_t)hdr_len);
    ipv4_fill_checksum(sum_bytes);
    wire_field_sum(c, WIRE_LAYER_IP, &checksum_field,
                   ipv4_check(c->p) == WIRE_OK ? WIRE_SUM_RIGHT : WIRE_SUM_WRONG, ipv4_checksum(sum_bytes));
    wire_fields(c, WIRE_LAYER_IP, addresses, HS_ARRAY_LEN(addresses));
    ok = describe_options(c, h.options_len);
    c->is_partial = h.total_len > c->len || h.mf || h.frag_offset > 0;
    c->has_pseudo = true;
    c->pseudo_sum = ipv4_pseudo_sum(h.src, h.dst, h.proto, 0);
    wire_trim(c, h.total_len);
    wire_end(c, WIRE_LAYER_IP, (size_t)hdr_len,
             !ok                 ? WIRE_LAYER_NONE
             : h.frag_offset > 0 ? WIRE_LAYER_DATA
                                 : ipv4_proto_layer(h.proto));
    return ok;
}
