/* IPv6 headers (RFC 8200 sections 3 and 4). */
#include "models/wire/ipv6.h"

#include "models/wire/ipv4.h"
#include "sim/base/base.h"
#include "sim/packet/checksum.h"

static int decode_header(Ipv6Hdr *out, const uint8_t *p)
{
    *out = (Ipv6Hdr){.tc = (uint8_t)(wire_get16(p) >> 4),
                     .flow = wire_get32(p) & 0xfffff,
                     .payload_len = ipv6_payload_len(p),
                     .next_header = ipv6_next_header(p),
                     .hop_limit = ipv6_hop_limit(p),
                     .src = ipv6_addr_get(p + IPV6_SRC_OFF),
                     .dst = ipv6_addr_get(p + IPV6_DST_OFF)};
    return IPV6_HDR_LEN;
}

int ipv6_decode(Ipv6Hdr *out, const uint8_t *p, size_t len)
{
    if (len < 1)
        return WIRE_TRUNCATED;
    if (p[0] >> 4 != 6)
        return WIRE_BAD_VERSION;
    if (len < IPV6_HDR_LEN || ipv6_payload_len(p) > len - IPV6_HDR_LEN)
        return WIRE_TRUNCATED;
    return decode_header(out, p);
}

size_t ipv6_encode(uint8_t *p, const Ipv6Hdr *h)
{
    wire_put32(p, 6u << 28 | (uint32_t)h->tc << 20 | (h->flow & 0xfffff));
    wire_put16(p + 4, h->payload_len);
    p[6] = h->next_header;
    p[7] = h->hop_limit;
    memcpy(p + IPV6_SRC_OFF, h->src.b, 16);
    memcpy(p + IPV6_DST_OFF, h->dst.b, 16);
    return IPV6_HDR_LEN;
}

static bool is_extension(uint8_t proto)
{
    return proto == IPV6_EXT_HOP_BY_HOP || proto == IPV6_EXT_ROUTING || proto == IPV6_EXT_FRAGMENT ||
           proto == IPV6_EXT_DEST;
}

int ipv6_find_upper(Ipv6Upper *out, const uint8_t *p, size_t len)
{
    Ipv6Upper up = {.proto = ipv6_next_header(p), .off = IPV6_HDR_LEN};

    for (int n = 0; is_extension(up.proto); n++) {
        const uint8_t *ext = p + up.off;
        size_t ext_len;

        if (n == IPV6_EXT_MAX)
            return WIRE_BAD_VALUE;
        /* Behind the first fragment's start there is no further header to read (RFC 8200 4.5). */
        if (up.is_fragment && up.frag_offset > 0)
            break;
        if (len - up.off < 8)
            return WIRE_TRUNCATED;
        ext_len = up.proto == IPV6_EXT_FRAGMENT ? 8 : (ext[1] + 1u) * 8;
        if (ext_len > len - up.off)
            return WIRE_TRUNCATED;
        if (up.proto == IPV6_EXT_FRAGMENT) {
            up.is_fragment = true;
            up.frag_offset = wire_get16(ext + 2) & 0xfff8;
            up.more_fragments = ext[3] & 1;
            up.frag_id = wire_get32(ext + 4);
        }
        up.proto = ext[0];
        up.off += ext_len;
    }
    *out = up;
    return WIRE_OK;
}

uint32_t ipv6_pseudo_sum(const uint8_t *src, const uint8_t *dst, uint8_t proto, size_t len)
{
    uint32_t sum = checksum_add(checksum_add(0, src, 16), dst, 16);

    return sum + (uint32_t)(len >> 16) + (uint32_t)(len & 0xffff) + proto;
}

static const WireFieldDef fields[] = {
    {"version", "Version", 0, 4, WIRE_UINT, "6: it tells the receiver how to read the rest."},
    {"tc", "Traffic class", 4, 8, WIRE_HEX, "The whole byte: DSCP and ECN."},
    {"dscp", "DSCP", 4, 6, WIRE_UINT, "How routers should treat the packet.", ip_dscp_names},
    {"ecn", "ECN", 10, 2, WIRE_UINT, "Lets a queue signal congestion without dropping.", ip_ecn_names},
    {"flow", "Flow label", 12, 20, WIRE_HEX,
     "The same for all packets of a flow, so that they take one path."},
    {"len", "Payload length", 32, 16, WIRE_UINT, "Everything behind these 40 bytes.", NULL, "bytes"},
    {"next", "Next header", 48, 8, WIRE_UINT, "An extension header, or what the payload is.", ip_proto_names},
    {"hop_limit", "Hop limit", 56, 8, WIRE_UINT,
     "Every router takes one away; at zero the packet is dropped."},
    {"src", "Source", 64, 128, WIRE_IP6, "Where the packet comes from (or says so)."},
    {"dst", "Destination", 192, 128, WIRE_IP6, "Where it goes: routers look up this address."},
};

static const WireName extension_names[] = {
    {IPV6_EXT_HOP_BY_HOP, "hop-by-hop options"},
    {IPV6_EXT_ROUTING, "routing"},
    {IPV6_EXT_FRAGMENT, "fragment"},
    {IPV6_EXT_DEST, "destination options"},
    {0, NULL},
};

/* The chain that ipv6_find_upper() has found to be sound. */
static void describe_extensions(WireCursor *c, const Ipv6Upper *up)
{
    uint8_t proto = ipv6_next_header(c->p);
    static const WireFieldDef proto_def = {
        "proto", "Protocol", 0, 0, WIRE_UINT, "What the payload is, behind all extension headers."};

    for (size_t off = IPV6_HDR_LEN; off < up->off;) {
        size_t len = proto == IPV6_EXT_FRAGMENT ? 8 : (c->p[off + 1] + 1u) * 8;
        const WireFieldDef def = {
            "extension",       "Extension header",
            (uint32_t)off * 8, (uint32_t)len * 8,
            WIRE_BYTES,        "Additional instructions between the header and the payload."};

        wire_field_text(c, WIRE_LAYER_IP6, &def, "%u (%s), %zu bytes", proto,
                        wire_name(extension_names, proto), len);
        if (proto == IPV6_EXT_FRAGMENT) {
            const WireFieldDef offset = {
                "frag_offset",
                "Fragment offset",
                (uint32_t)off * 8 + 16,
                13,
                WIRE_UINT,
                "Where this fragment's data belongs in the packet; counted in units of eight bytes."};
            const WireFieldDef more = {"mf", "More fragments", (uint32_t)off * 8 + 31,
                                       1,    WIRE_BOOL,        "Not the last fragment of its packet."};
            const WireFieldDef id = {"id", "Identification", (uint32_t)off * 8 + 32,
                                     32,   WIRE_HEX,         "Fragments of one packet share it."};

            wire_field_value(c, WIRE_LAYER_IP6, &offset, up->frag_offset, "%u bytes", up->frag_offset);
            wire_field(c, WIRE_LAYER_IP6, &more);
            wire_field(c, WIRE_LAYER_IP6, &id);
        }
        proto = c->p[off];
        off += len;
    }
    wire_field_value(c, WIRE_LAYER_IP6, &proto_def, up->proto, "%u (%s)", up->proto,
                     wire_name(ip_proto_names, up->proto) ? wire_name(ip_proto_names, up->proto) : "unknown");
}

static WireLayerId upper_layer(const Ipv6Upper *up)
{
    WireLayerId id = up->proto == IP_PROTO_ICMPV6 ? WIRE_LAYER_ICMP6 : ipv4_proto_layer(up->proto);

    if (up->proto == IPV6_EXT_NONE || (up->is_fragment && up->frag_offset > 0))
        return WIRE_LAYER_DATA;
    return id == WIRE_LAYER_TCP || id == WIRE_LAYER_UDP || id == WIRE_LAYER_ICMP6 ? id : WIRE_LAYER_DATA;
}

bool ipv6_describe(WireCursor *c)
{
    Ipv6Hdr h;
    Ipv6Upper up;
    bool is_cut = false;
    int err = ipv6_decode(&h, c->p, c->len);

    if (err == WIRE_TRUNCATED && c->depth > 0 && c->len >= IPV6_HDR_LEN) { /* errors quote what fits */
        is_cut = true;
        err = decode_header(&h, c->p);
    }
    if (err < 0)
        return wire_malformed(c, WIRE_LAYER_IP6, err == WIRE_BAD_VERSION ? 0 : c->len, err,
                              err == WIRE_BAD_VERSION ? "the version is not 6"
                              : c->len < IPV6_HDR_LEN ? "an IPv6 header needs 40 bytes"
                                                      : "the packet is longer than its frame");
    wire_trim(c, IPV6_HDR_LEN + (size_t)h.payload_len);
    err = ipv6_find_upper(&up, c->p, c->len);
    wire_begin(c, WIRE_LAYER_IP6, err < 0 ? IPV6_HDR_LEN : up.off);
    wire_fields(c, WIRE_LAYER_IP6, fields, HS_ARRAY_LEN(fields));
    if (err < 0) {
        if (is_cut) {
            wire_end(c, WIRE_LAYER_IP6, IPV6_HDR_LEN, WIRE_LAYER_DATA);
            return true;
        }
        wire_malformed(c, WIRE_LAYER_IP6, IPV6_HDR_LEN, err, "the extension headers do not fit");
        wire_end(c, WIRE_LAYER_IP6, IPV6_HDR_LEN, WIRE_LAYER_NONE);
        return false;
    }
    describe_extensions(c, &up);
    c->is_partial = is_cut || (up.is_fragment && (up.frag_offset > 0 || up.more_fragments));
    c->has_pseudo = true;
    c->pseudo_sum = ipv6_pseudo_sum(h.src.b, h.dst.b, up.proto, 0);
    wire_end(c, WIRE_LAYER_IP6, up.off, upper_layer(&up));
    return true;
}
