/* TCP headers (RFC 9293 3.1; RFC 3168 and RFC 9768 for the ECN flags). */
#include "models/wire/tcp.h"

#include <stdio.h>

#include "sim/base/base.h"
#include "sim/packet/checksum.h"

int tcp_decode(TcpHdr *out, const uint8_t *p, size_t len)
{
    unsigned hdr_len;

    if (len < TCP_MIN_HDR_LEN)
        return WIRE_TRUNCATED;
    hdr_len = tcp_hdr_len(p);
    if (hdr_len < TCP_MIN_HDR_LEN)
        return WIRE_BAD_LENGTH;
    if (hdr_len > len)
        return WIRE_TRUNCATED;
    *out = (TcpHdr){.src_port = tcp_src_port(p),
                    .dst_port = tcp_dst_port(p),
                    .seq = tcp_seq(p),
                    .ack = tcp_ack(p),
                    .hdr_len = (uint8_t)hdr_len,
                    .reserved = p[TCP_FLAGS_OFF] >> 1 & 7,
                    .flags = tcp_flags(p),
                    .window = tcp_window(p),
                    .checksum = tcp_checksum(p),
                    .urgent = wire_get16(p + TCP_URGENT_OFF),
                    .options_len = (uint8_t)(hdr_len - TCP_MIN_HDR_LEN)};
    memcpy(out->options, p + TCP_MIN_HDR_LEN, out->options_len);
    return (int)hdr_len;
}

size_t tcp_encode(uint8_t *p, const TcpHdr *h)
{
    size_t len = tcp_encoded_len(h);

    hs_assert(h->options_len <= TCP_MAX_OPTIONS_LEN);
    wire_put16(p + TCP_SRC_PORT_OFF, h->src_port);
    wire_put16(p + TCP_DST_PORT_OFF, h->dst_port);
    wire_put32(p + TCP_SEQ_OFF, h->seq);
    wire_put32(p + TCP_ACK_OFF, h->ack);
    wire_put16(p + TCP_FLAGS_OFF, (uint16_t)(len / 4 << 12 | (h->reserved & 7u) << 9 | (h->flags & 0x1ff)));
    wire_put16(p + TCP_WINDOW_OFF, h->window);
    wire_put16(p + TCP_CHECKSUM_OFF, h->checksum);
    wire_put16(p + TCP_URGENT_OFF, h->urgent);
    memcpy(p + TCP_MIN_HDR_LEN, h->options, h->options_len);
    memset(p + TCP_MIN_HDR_LEN + h->options_len, TCP_OPT_EOL, len - TCP_MIN_HDR_LEN - h->options_len);
    return len;
}

void tcp_fill_checksum(uint8_t *p, size_t len, uint32_t pseudo_sum)
{
    tcp_set_checksum(p, 0);
    tcp_set_checksum(p, checksum_finish(checksum_add(pseudo_sum, p, len)));
}

int tcp_check(const uint8_t *p, size_t len, uint32_t pseudo_sum)
{
    return checksum_finish(checksum_add(pseudo_sum, p, len)) == 0 ? WIRE_OK : WIRE_BAD_CHECKSUM;
}

char *tcp_flags_format(uint16_t flags, char buf[TCP_FLAGS_STR_LEN])
{
    static const char *const names[] = {"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE"};
    size_t at = 0;

    snprintf(buf, TCP_FLAGS_STR_LEN, "none");
    for (unsigned i = 0; i < HS_ARRAY_LEN(names); i++)
        if (flags >> i & 1)
            at += (size_t)snprintf(buf + at, TCP_FLAGS_STR_LEN - at, "%s%s", at ? ", " : "", names[i]);
    return buf;
}

static const WireFieldDef ports[] = {
    {"sport", "Source port", 0, 16, WIRE_UINT,
     "With both addresses and the other port it names the connection."},
    {"dport", "Destination port", 16, 16, WIRE_UINT, "The socket that the data is for."},
    {"seq", "Sequence number", 32, 32, WIRE_UINT,
     "The number of the first byte of data; SYN and FIN count as one byte each."},
};
static const WireFieldDef ack_hdr_len[] = {
    {"ackno", "Acknowledgment number", 64, 32, WIRE_UINT,
     "The next byte expected; all bytes before it have arrived."},
    {"hdr_len", "Header length", 96, 4, WIRE_UINT,
     "Counted in words of four bytes; options make it longer than 20."},
};
static const WireFieldDef flags_field = {"flags", "Flags",    103,
                                         9,       WIRE_FLAGS, "What the segment does besides carrying data."};
static const WireFieldDef flag_bits[] = {
    {"reserved", "Reserved", 100, 3, WIRE_UINT, "Must be zero."},
    {"ae", "AE", 103, 1, WIRE_BOOL, "Accurate ECN (formerly the nonce sum)."},
    {"cwr", "CWR", 104, 1, WIRE_BOOL,
     "The sender has reduced its congestion window: no more echoes of the mark are needed."},
    {"ece", "ECE", 105, 1, WIRE_BOOL, "The receiver saw a congestion mark; on a SYN, ECN is offered."},
    {"urg", "URG", 106, 1, WIRE_BOOL, "The urgent pointer is valid."},
    {"ack", "ACK", 107, 1, WIRE_BOOL,
     "The acknowledgment number is valid: set in all but the first segment."},
    {"psh", "PSH", 108, 1, WIRE_BOOL, "The data is to be handed to the application now."},
    {"rst", "RST", 109, 1, WIRE_BOOL, "The connection is aborted, or does not exist."},
    {"syn", "SYN", 110, 1, WIRE_BOOL, "Opens the connection: the sequence number is the initial one."},
    {"fin", "FIN", 111, 1, WIRE_BOOL, "The sender has no more data."},
};
static const WireFieldDef window_field = {
    "window",
    "Window",
    112,
    16,
    WIRE_UINT,
    "How many bytes from the acknowledgment number on the sender of this can take; scaled as its SYN said."};
static const WireFieldDef checksum_field = {
    "checksum", "Checksum", 128, 16, WIRE_HEX, "Covers the addresses, the header and the data."};
static const WireFieldDef urgent_field = {
    "urgent", "Urgent pointer", 144, 16, WIRE_UINT, "With URG: where the urgent data ends."};
static const WireFieldDef data_len_field = {
    "data_len", "Data length", 0, 0, WIRE_UINT, "What is left of the packet: the header does not say it."};

static void describe_sum(WireCursor *c)
{
    WireSumState state = WIRE_SUM_UNKNOWN;
    uint16_t expected = 0;

    if (!c->is_partial && c->has_pseudo) {
        uint32_t sum = c->pseudo_sum + (uint32_t)c->len;

        state = tcp_check(c->p, c->len, sum) == WIRE_OK ? WIRE_SUM_RIGHT : WIRE_SUM_WRONG;
        sum = checksum_add(checksum_add(sum, c->p, 16), c->p + 18, c->len - 18);
        expected = checksum_finish(sum);
    }
    wire_field_sum(c, WIRE_LAYER_TCP, &checksum_field, state, expected);
}

/* A field inside the option at `opt`, `at` bytes from its kind. */
static void option_field(WireCursor *c, const TcpOpt *opt, const char *name, const char *label, uint32_t at,
                         uint32_t len, WireKind kind, const char *note)
{
    const WireFieldDef def = {name, label, (uint32_t)(opt->p - c->p) * 8 + at * 8, len * 8, kind, note};

    if (kind == WIRE_BOOL)
        wire_field_value(c, WIRE_LAYER_TCP, &def, 1, "yes");
    else
        wire_field(c, WIRE_LAYER_TCP, &def);
}

static void describe_option(WireCursor *c, const TcpOpt *opt)
{
    TcpOptions o;

    if (tcp_options_decode(&o, opt->p, opt->len) != WIRE_OK) {
        option_field(c, opt, "bad_option", "Bad option", 0, opt->len, WIRE_BYTES,
                     "Its length is wrong, so it is ignored.");
        return;
    }
    switch (opt->kind) {
    case TCP_OPT_MSS:
        option_field(c, opt, "mss", "Option: maximum segment size", 2, 2, WIRE_UINT,
                     "The largest segment the sender of this wants to receive.");
        return;
    case TCP_OPT_WSCALE:
        option_field(c, opt, "wscale", "Option: window scale", 2, 1, WIRE_UINT,
                     "Windows in later segments are to be shifted left by this.");
        return;
    case TCP_OPT_SACK_PERMITTED:
        option_field(c, opt, "sack_permitted", "Option: SACK permitted", 0, 2, WIRE_BOOL,
                     "The sender of this understands selective acknowledgments.");
        return;
    case TCP_OPT_SACK:
        for (uint32_t i = 0; i < o.n_sack; i++) {
            option_field(c, opt, "sack_left", "Option: SACK left edge", 2 + 8 * i, 4, WIRE_UINT,
                         "First byte of a block that has arrived beyond a gap.");
            option_field(c, opt, "sack_right", "Option: SACK right edge", 6 + 8 * i, 4, WIRE_UINT,
                         "The byte behind that block.");
        }
        return;
    case TCP_OPT_TIMESTAMPS:
        option_field(c, opt, "ts_val", "Option: timestamp value", 2, 4, WIRE_UINT, "The sender's clock.");
        option_field(c, opt, "ts_ecr", "Option: timestamp echo reply", 6, 4, WIRE_UINT,
                     "The other end's clock as last received: now minus this is a round-trip time.");
        return;
    case TCP_OPT_MD5:
        option_field(c, opt, "md5", "Option: MD5 signature", 2, 16, WIRE_BYTES,
                     "Proves knowledge of a shared key.");
        return;
    default:
        break;
    }
    if (o.has_fastopen)
        option_field(c, opt, "tfo_cookie", "Option: Fast Open cookie", 0, opt->len, WIRE_BYTES,
                     "Lets data travel in the SYN; empty asks for a cookie.");
    else
        option_field(c, opt, "option", "Option", 0, opt->len, WIRE_BYTES,
                     "An option that is not known here.");
}

static void describe_options(WireCursor *c, size_t len)
{
    const WireFieldDef all = {"options",           "Options",
                              TCP_MIN_HDR_LEN * 8, (uint32_t)len * 8,
                              WIRE_BYTES,          "Extensions; most are agreed on in the SYN segments."};
    TcpOptIter it = {c->p + TCP_MIN_HDR_LEN, len, 0};
    TcpOpt opt;
    char text[WIRE_TEXT_LEN];

    if (len == 0)
        return;
    wire_field_text(c, WIRE_LAYER_TCP, &all, "%s",
                    c->sink->no_text ? ""
                                     : tcp_options_format(c->p + TCP_MIN_HDR_LEN, len, text, sizeof text));
    while (tcp_opt_next(&it, &opt))
        if (opt.kind != TCP_OPT_NOP)
            describe_option(c, &opt);
}

bool tcp_field_is_optional(const char *name)
{
    static const char *const names[] = {
        "mss", "wscale",     "sack_permitted", "sack_left",  "sack_right", "ts_val",  "ts_ecr",
        "md5", "tfo_cookie", "option",         "bad_option", "options",    "data_len"};

    for (unsigned i = 0; i < HS_ARRAY_LEN(names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

bool tcp_describe(WireCursor *c)
{
    const WireLayerId id = WIRE_LAYER_TCP;
    char text[TCP_FLAGS_STR_LEN];
    unsigned hdr_len;

    if (c->len < TCP_MIN_HDR_LEN) {
        /* RFC 792 quotes 8 bytes: ports and sequence number. */
        if (c->depth > 0 && c->is_partial && c->len >= 8) {
            wire_begin(c, id, 8);
            wire_fields(c, id, ports, HS_ARRAY_LEN(ports));
            wire_end(c, id, 8, WIRE_LAYER_DATA);
            return true;
        }
        return wire_malformed(c, id, c->len, WIRE_TRUNCATED, "a TCP header needs 20 bytes");
    }
    hdr_len = tcp_hdr_len(c->p);
    wire_begin(c, id, HS_MIN(HS_MAX(hdr_len, TCP_MIN_HDR_LEN), c->len));
    wire_fields(c, id, ports, HS_ARRAY_LEN(ports));
    wire_field(c, id, &ack_hdr_len[0]);
    wire_field_value(c, id, &ack_hdr_len[1], hdr_len, "%u bytes", hdr_len);
    wire_field_text(c, id, &flags_field, "%s", tcp_flags_format(tcp_flags(c->p), text));
    wire_fields(c, id, flag_bits, HS_ARRAY_LEN(flag_bits));
    wire_field(c, id, &window_field);
    describe_sum(c);
    wire_field(c, id, &urgent_field);
    if (hdr_len < TCP_MIN_HDR_LEN || (hdr_len > c->len && !c->is_partial)) {
        wire_malformed(c, id, 12, WIRE_BAD_LENGTH,
                       "the header length is below 20, or more than the packet holds");
        wire_end(c, id, TCP_MIN_HDR_LEN, WIRE_LAYER_NONE);
        return false;
    }
    if (hdr_len > c->len)
        hdr_len = (unsigned)c->len;
    describe_options(c, hdr_len - TCP_MIN_HDR_LEN);
    if (!c->is_partial)
        wire_field_value(c, id, &data_len_field, c->len - hdr_len, "%zu %s", c->len - hdr_len,
                         wire_bytes(c->len - hdr_len));
    wire_end(c, id, hdr_len, WIRE_LAYER_DATA);
    return true;
}
