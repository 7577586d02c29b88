/* ICMPv6 messages, told field by field: RFC 4443 (errors, echo), RFC 4861 (neighbour discovery), RFC 2710 and
 * RFC 3810 (who listens to a multicast group). What of it hosts speak is in models/ip. */
#include "models/wire/icmp6.h"

#include "models/wire/ipv6.h"
#include "sim/base/base.h"
#include "sim/packet/checksum.h"

#define MLD_QUERY 130
#define MLD_REPORT 131
#define MLD_DONE 132
#define ROUTER_SOLICIT 133
#define ROUTER_ADVERT 134
#define NEIGHBOUR_SOLICIT 135
#define NEIGHBOUR_ADVERT 136
#define REDIRECT 137
#define MLD2_REPORT 143

#define OPT_SOURCE 1
#define OPT_TARGET 2
#define OPT_PREFIX 3
#define OPT_REDIRECTED 4
#define OPT_MTU 5

static const WireName type_names[] = {
    {ICMP6_DEST_UNREACH, "destination unreachable"},
    {ICMP6_PACKET_TOO_BIG, "packet too big"},
    {ICMP6_TIME_EXCEEDED, "time exceeded"},
    {ICMP6_PARAM_PROBLEM, "parameter problem"},
    {ICMP6_ECHO, "echo request"},
    {ICMP6_ECHO_REPLY, "echo reply"},
    {MLD_QUERY, "multicast listener query"},
    {MLD_REPORT, "multicast listener report"},
    {MLD_DONE, "multicast listener done"},
    {ROUTER_SOLICIT, "router solicitation"},
    {ROUTER_ADVERT, "router advertisement"},
    {NEIGHBOUR_SOLICIT, "neighbour solicitation"},
    {NEIGHBOUR_ADVERT, "neighbour advertisement"},
    {REDIRECT, "redirect"},
    {MLD2_REPORT, "multicast listener report, version 2"},
    {0, NULL},
};
static const WireName unreach_names[] = {
    {ICMP6_UNREACH_NO_ROUTE, "no route to destination"},
    {ICMP6_UNREACH_ADMIN, "communication administratively prohibited"},
    {ICMP6_UNREACH_SCOPE, "beyond the scope of the source address"},
    {ICMP6_UNREACH_ADDR, "address unreachable"},
    {ICMP6_UNREACH_PORT, "port unreachable"},
    {ICMP6_UNREACH_POLICY, "source address failed policy"},
    {ICMP6_UNREACH_REJECT, "reject route to destination"},
    {0, NULL},
};
static const WireName exceeded_names[] = {
    {0, "hop limit exceeded in transit"}, {1, "fragment reassembly time exceeded"}, {0, NULL}};
static const WireName param_names[] = {
    {ICMP6_PARAM_HEADER, "erroneous header field"},
    {ICMP6_PARAM_NEXT_HEADER, "unrecognised next header"},
    {ICMP6_PARAM_OPTION, "unrecognised option"},
    {0, NULL},
};
static const WireName option_names[] = {
    {OPT_SOURCE, "source link-layer address"},
    {OPT_TARGET, "target link-layer address"},
    {OPT_PREFIX, "prefix information"},
    {OPT_REDIRECTED, "redirected packet"},
    {OPT_MTU, "link MTU"},
    {0, NULL},
};

const char *icmp6_type_name(uint8_t type)
{
    return wire_name(type_names, type);
}

const char *icmp6_code_name(uint8_t type, uint8_t code)
{
    switch (type) {
    case ICMP6_DEST_UNREACH:
        return wire_name(unreach_names, code);
    case ICMP6_TIME_EXCEEDED:
        return wire_name(exceeded_names, code);
    case ICMP6_PARAM_PROBLEM:
        return wire_name(param_names, code);
    default:
        return NULL;
    }
}

static const WireFieldDef type_field = {
    "type", "Type", 0, 8, WIRE_UINT, "What kind of message this is; below 128 it is an error.", type_names};
static const WireFieldDef code_field = {"code", "Code", 8, 8, WIRE_UINT, "The exact reason within the type."};
static const WireFieldDef checksum_field = {
    "checksum", "Checksum", 16,
    16,         WIRE_HEX,   "Covers the whole message and, unlike ICMP for IPv4, the addresses."};
static const WireFieldDef echo_fields[] = {
    {"id", "Identifier", 32, 16, WIRE_UINT, "Tells one asking program from another."},
    {"seq", "Sequence number", 48, 16, WIRE_UINT, "Tells one question from the next."},
};
static const WireFieldDef mtu_field = {
    "mtu", "MTU",  32, 32, WIRE_UINT, "The largest packet that would pass: routers do not fragment in IPv6.",
    NULL,  "bytes"};
static const WireFieldDef pointer_field = {"pointer", "Pointer", 32,
                                           32,        WIRE_UINT, "Which byte of the quoted packet is wrong."};
static const WireFieldDef listener_fields[] = {
    {"max_resp", "Maximum response delay", 32, 16, WIRE_UINT, "Answers are spread over so much time.", NULL,
     "ms"},
    {"group", "Multicast address", 64, 128, WIRE_IP6,
     "The group that is asked about or listened to; the unspecified address: all of them."},
};
static const WireFieldDef records_field = {"n_records", "Records", 48,
                                           16,          WIRE_UINT, "How many groups the report is about."};
static const WireFieldDef advert_fields[] = {
    {"hop_limit", "Current hop limit", 32, 8, WIRE_UINT,
     "What hosts shall put into their packets; 0: not said."},
    {"managed", "Managed configuration", 40, 1, WIRE_BOOL, "Addresses are to be had by DHCPv6."},
    {"other", "Other configuration", 41, 1, WIRE_BOOL, "Other settings are to be had by DHCPv6."},
    {"lifetime", "Router lifetime", 48, 16, WIRE_UINT, "How long it is a default router; 0: it is none.",
     NULL, "s"},
    {"reachable", "Reachable time", 64, 32, WIRE_UINT,
     "How long a neighbour is taken for reachable without a sign of it; 0: not said.", NULL, "ms"},
    {"retrans", "Retransmission timer", 96, 32, WIRE_UINT,
     "How long to wait between two solicitations; 0: not said.", NULL, "ms"},
};
static const WireFieldDef target_field = {
    "target", "Target address", 64, 128, WIRE_IP6, "Whose link-layer address is asked for or told."};
static const WireFieldDef neighbour_flags[] = {
    {"router", "From a router", 32, 1, WIRE_BOOL, "The sender is a router."},
    {"solicited", "Solicited", 33, 1, WIRE_BOOL,
     "An answer: it also proves that the neighbour is reachable."},
    {"override", "Override", 34, 1, WIRE_BOOL, "The address replaces one that is known already."},
};
static const WireFieldDef redirect_fields[] = {
    {"target", "Target address", 64, 128, WIRE_IP6,
     "The better first hop; the destination itself if it is on the link."},
    {"dst", "Destination address", 192, 128, WIRE_IP6, "Packets to it are redirected."},
};

/* Bytes in front of what differs in length: a quote, options, data. */
static size_t header_len(uint8_t type)
{
    switch (type) {
    case MLD_QUERY:
    case MLD_REPORT:
    case MLD_DONE:
    case NEIGHBOUR_SOLICIT:
    case NEIGHBOUR_ADVERT:
        return 24;
    case ROUTER_ADVERT:
        return 16;
    case REDIRECT:
        return 40;
    default:
        return ICMP6_HDR_LEN;
    }
}

static void describe_sum(WireCursor *c)
{
    WireSumState state = WIRE_SUM_UNKNOWN;
    uint32_t expected = 0;

    if (!c->is_partial && c->has_pseudo) {
        uint32_t sum = c->pseudo_sum + (uint32_t)(c->len >> 16) + (uint32_t)(c->len & 0xffff);

        state = checksum_finish(checksum_add(sum, c->p, c->len)) == 0 ? WIRE_SUM_RIGHT : WIRE_SUM_WRONG;
        expected = checksum_finish(checksum_add(checksum_add(sum, c->p, 2), c->p + 4, c->len - 4));
    }
    wire_field_sum(c, WIRE_LAYER_ICMP6, &checksum_field, state, expected);
}

/* A field of an option that begins at byte `at`. */
static void option_field(WireCursor *c, size_t at, WireFieldDef def)
{
    def.bit_off += (uint32_t)at * 8;
    wire_field(c, WIRE_LAYER_ICMP6, &def);
}

static void describe_prefix(WireCursor *c, size_t at)
{
    static const WireFieldDef fields[] = {
        {"prefix_len", "Prefix length", 16, 8, WIRE_UINT, "How many bits of the prefix count.", NULL, "bits"},
        {"on_link", "On link", 24, 1, WIRE_BOOL,
         "Addresses with the prefix are neighbours: no router is needed."},
        {"autonomous", "Autonomous", 25, 1, WIRE_BOOL,
         "Hosts may make themselves an address with the prefix."},
        {"valid", "Valid lifetime", 32, 32, WIRE_UINT, "How long such addresses may be used.", NULL, "s"},
        {"preferred", "Preferred lifetime", 64, 32, WIRE_UINT, "How long new connections may use them.", NULL,
         "s"},
        {"prefix", "Prefix", 128, 128, WIRE_IP6, "The beginning of the link's addresses."},
    };

    for (unsigned i = 0; i < HS_ARRAY_LEN(fields); i++)
        option_field(c, at, fields[i]);
}

/* RFC 4861 4.6: type, length in units of eight bytes. Returns where the options end, 0 for broken ones. */
static size_t describe_options(WireCursor *c, size_t at)
{
    static const WireFieldDef address = {
        "lladdr", "Link-layer address", 16, 48, WIRE_MAC, "Spares its receiver to ask for it."};
    static const WireFieldDef mtu = {
        "link_mtu", "Link MTU", 32, 32, WIRE_UINT, "What all on the link shall use.", NULL, "bytes"};

    while (at < c->len) {
        size_t len = c->len - at >= 8 ? c->p[at + 1] * 8u : 0;
        const uint8_t type = c->p[at];
        const char *name = wire_name(option_names, type);
        WireFieldDef def = {"option",          "Option",   (uint32_t)at * 8,
                            (uint32_t)len * 8, WIRE_BYTES, "What else there is to say."};

        if (len == 0 || len > c->len - at)
            return 0;
        wire_field_text(c, WIRE_LAYER_ICMP6, &def, "%u (%s), %zu bytes", type, name ? name : "unknown", len);
        if (type == OPT_SOURCE || type == OPT_TARGET)
            option_field(c, at, address);
        else if (type == OPT_MTU)
            option_field(c, at, mtu);
        else if (type == OPT_PREFIX && len >= 32)
            describe_prefix(c, at);
        at += len;
    }
    return at;
}

static void describe_body(WireCursor *c, uint8_t type)
{
    const WireLayerId id = WIRE_LAYER_ICMP6;

    switch (type) {
    case ICMP6_PACKET_TOO_BIG:
        wire_field(c, id, &mtu_field);
        break;
    case ICMP6_PARAM_PROBLEM:
        wire_field(c, id, &pointer_field);
        break;
    case ICMP6_ECHO:
    case ICMP6_ECHO_REPLY:
        wire_fields(c, id, echo_fields, HS_ARRAY_LEN(echo_fields));
        break;
    case MLD_QUERY:
    case MLD_REPORT:
    case MLD_DONE:
        wire_fields(c, id, listener_fields, HS_ARRAY_LEN(listener_fields));
        break;
    case MLD2_REPORT:
        wire_field(c, id, &records_field);
        break;
    case ROUTER_ADVERT:
        wire_fields(c, id, advert_fields, HS_ARRAY_LEN(advert_fields));
        break;
    case NEIGHBOUR_ADVERT:
        wire_fields(c, id, neighbour_flags, HS_ARRAY_LEN(neighbour_flags));
        wire_field(c, id, &target_field);
        break;
    case NEIGHBOUR_SOLICIT:
        wire_field(c, id, &target_field);
        break;
    case REDIRECT:
        wire_fields(c, id, redirect_fields, HS_ARRAY_LEN(redirect_fields));
        break;
    default:
        break;
    }
}

bool icmp6_describe(WireCursor *c)
{
    const WireLayerId id = WIRE_LAYER_ICMP6;
    WireLayerId next = WIRE_LAYER_DATA;
    const char *code_name;
    size_t len;
    uint8_t type, code;

    if (c->len < ICMP6_HDR_LEN)
        return wire_malformed(c, id, c->len, WIRE_TRUNCATED, "an ICMPv6 header needs 8 bytes");
    type = icmp6_type(c->p);
    code = icmp6_code(c->p);
    code_name = icmp6_code_name(type, code);
    len = header_len(type);
    wire_begin(c, id, HS_MIN(type >= ROUTER_SOLICIT && type <= REDIRECT ? c->len : len, c->len));
    wire_field(c, id, &type_field);
    wire_field_text(c, id, &code_field, "%u%s%s%s", code, code_name ? " (" : "", code_name ? code_name : "",
                    code_name ? ")" : "");
    describe_sum(c);
    if (len > c->len) {
        wire_malformed(c, id, c->len, WIRE_TRUNCATED, "the message is shorter than its type demands");
        wire_end(c, id, ICMP6_HDR_LEN, WIRE_LAYER_NONE);
        return false;
    }
    describe_body(c, type);
    if (type >= ROUTER_SOLICIT && type <= REDIRECT) {
        size_t end = describe_options(c, len);

        if (!end) {
            wire_malformed(c, id, len, WIRE_BAD_LENGTH, "the options do not fit");
            wire_end(c, id, len, WIRE_LAYER_NONE);
            return false;
        }
        len = end;
    }
    /* As with ICMP for IPv4: an error in a quote is quoted by nobody honest. */
    if (icmp6_is_error(type) && c->depth == 0)
        next = WIRE_LAYER_IP6;
    wire_end(c, id, len, next);
    if (next == WIRE_LAYER_IP6) {
        c->depth++;
        if (c->len == 0)
            c->next = WIRE_LAYER_NONE;
    }
    return true;
}
