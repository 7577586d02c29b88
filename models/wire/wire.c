/* Errors, the table of layers, and the rendering of described fields. */
#include "models/wire/wire.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "models/wire/arp.h"
#include "models/wire/bpdu.h"
#include "models/wire/data.h"
#include "models/wire/eth.h"
#include "models/wire/icmp.h"
#include "models/wire/icmp6.h"
#include "models/wire/igmp.h"
#include "models/wire/ipv4.h"
#include "models/wire/ipv6.h"
#include "models/wire/llc.h"
#include "models/wire/mac.h"
#include "models/wire/ppp.h"
#include "models/wire/tcp.h"
#include "models/wire/tftp.h"
#include "models/wire/udp.h"
#include "models/wire/vlan.h"
#include "sim/base/base.h"

static const WireLayer layers[WIRE_N_LAYERS] = {
    [WIRE_LAYER_ETH] = {WIRE_LAYER_ETH, "eth", "Ethernet", eth_describe},
    [WIRE_LAYER_VLAN] = {WIRE_LAYER_VLAN, "vlan", "802.1Q VLAN tag", vlan_describe},
    [WIRE_LAYER_LLC] = {WIRE_LAYER_LLC, "llc", "Logical link control", llc_describe},
    [WIRE_LAYER_BPDU] = {WIRE_LAYER_BPDU, "bpdu", "Bridge protocol data unit", bpdu_describe},
    [WIRE_LAYER_ARP] = {WIRE_LAYER_ARP, "arp", "Address Resolution Protocol", arp_describe},
    [WIRE_LAYER_PPP] = {WIRE_LAYER_PPP, "ppp", "Point-to-Point Protocol", ppp_describe},
    [WIRE_LAYER_IP] = {WIRE_LAYER_IP, "ip", "Internet Protocol version 4", ipv4_describe},
    [WIRE_LAYER_IP6] = {WIRE_LAYER_IP6, "ip6", "Internet Protocol version 6", ipv6_describe},
    [WIRE_LAYER_ICMP] = {WIRE_LAYER_ICMP, "icmp", "Internet Control Message Protocol", icmp_describe},
    [WIRE_LAYER_ICMP6] = {WIRE_LAYER_ICMP6, "icmp6", "Internet Control Message Protocol version 6",
                          icmp6_describe},
    [WIRE_LAYER_IGMP] = {WIRE_LAYER_IGMP, "igmp", "Internet Group Management Protocol", igmp_describe},
    [WIRE_LAYER_UDP] = {WIRE_LAYER_UDP, "udp", "User Datagram Protocol", udp_describe},
    [WIRE_LAYER_TCP] = {WIRE_LAYER_TCP, "tcp", "Transmission Control Protocol", tcp_describe},
    [WIRE_LAYER_TFTP] = {WIRE_LAYER_TFTP, "tftp", "Trivial File Transfer Protocol", tftp_describe},
    [WIRE_LAYER_DATA] = {WIRE_LAYER_DATA, "data", "Data", data_describe},
    [WIRE_LAYER_PADDING] = {WIRE_LAYER_PADDING, "padding", "Padding", data_describe_padding},
    [WIRE_LAYER_FCS] = {WIRE_LAYER_FCS, "fcs", "Frame check sequence", data_describe_fcs},
};

const WireLayer *wire_layer(WireLayerId id)
{
    return id > WIRE_LAYER_NONE && id < WIRE_N_LAYERS ? &layers[id] : NULL;
}

const WireLayer *wire_layer_by_name(const char *name)
{
    for (int id = WIRE_LAYER_NONE + 1; id < WIRE_N_LAYERS; id++)
        if (strcmp(layers[id].name, name) == 0)
            return &layers[id];
    return NULL;
}

const char *wire_error_str(int err)
{
    switch (err) {
    case WIRE_TRUNCATED:
        return "truncated";
    case WIRE_BAD_VERSION:
        return "bad version";
    case WIRE_BAD_LENGTH:
        return "bad length";
    case WIRE_BAD_CHECKSUM:
        return "bad checksum";
    case WIRE_BAD_VALUE:
        return "bad value";
    default:
        return err >= 0 ? "ok" : "unknown error";
    }
}

const char *wire_bytes(uint64_t n)
{
    return n == 1 ? "byte" : "bytes";
}

const char *wire_name(const WireName *names, uint32_t value)
{
    for (; names && names->name; names++)
        if (names->value == value)
            return names->name;
    return NULL;
}

void wire_begin(WireCursor *c, WireLayerId id, size_t len)
{
    if (c->sink->begin_layer)
        c->sink->begin_layer(c->sink->user, &layers[id], c->off, len, c->depth);
}

void wire_end(WireCursor *c, WireLayerId id, size_t len, WireLayerId next)
{
    hs_assert(len <= c->len);
    c->p += len;
    c->len -= len;
    c->off += len;
    c->next = next;
    if (c->sink->end_layer)
        c->sink->end_layer(c->sink->user, &layers[id]);
}

bool wire_malformed(WireCursor *c, WireLayerId id, size_t off, WireError err, const char *why)
{
    c->next = WIRE_LAYER_NONE;
    if (c->sink->malformed)
        c->sink->malformed(c->sink->user, &layers[id], c->off + off, err, why);
    return false;
}

/* Up to 64 bits from any bit on, most significant first. */
static uint64_t get_bits(const uint8_t *p, uint32_t bit_off, uint32_t bit_len)
{
    uint64_t v = 0;

    if (bit_off % 8 == 0 && bit_len % 8 == 0) {
        for (uint32_t i = 0; i < bit_len / 8; i++)
            v = v << 8 | p[bit_off / 8 + i];
        return v;
    }
    for (uint32_t i = bit_off; i < bit_off + bit_len; i++)
        v = v << 1 | (p[i / 8] >> (7 - i % 8) & 1);
    return v;
}

static bool is_number(WireKind kind)
{
    return kind != WIRE_BYTES && kind != WIRE_TEXT && kind != WIRE_IP6;
}

static void format_bytes(char *buf, size_t size, const uint8_t *p, size_t n)
{
    size_t at = 0;

    buf[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        if (at + 3 + sizeof " …" > size) {
            memcpy(buf + at, " …", sizeof " …");
            return;
        }
        at += (size_t)snprintf(buf + at, size - at, "%s%02x", i ? " " : "", p[i]);
    }
}

/* Characters as they are, others as in C strings, so that a terminal is safe from what a packet says. */
static void format_text(char *buf, size_t size, const uint8_t *p, size_t n)
{
    size_t at = 0;

    for (size_t i = 0; i < n; i++) {
        if (at + 4 + sizeof "…" > size) {
            memcpy(buf + at, "…", sizeof "…");
            return;
        }
        if (p[i] == '\n' || p[i] == '\r' || p[i] == '\t' || p[i] == '\\') {
            buf[at++] = '\\';
            buf[at++] = p[i] == '\n' ? 'n' : p[i] == '\r' ? 'r' : p[i] == '\t' ? 't' : '\\';
        } else if (p[i] >= 0x20 && p[i] < 0x7f) {
            buf[at++] = (char)p[i];
        } else {
            at += (size_t)snprintf(buf + at, size - at, "\\x%02x", p[i]);
        }
    }
    buf[at] = '\0';
}

static void render(WireField *f, const WireFieldDef *def)
{
    const char *name = wire_name(def->names, (uint32_t)f->value);
    char addr[IPV6_ADDR_STR_LEN];
    int digits = (int)(f->bit_len + 3) / 4;

    switch (f->kind) {
    case WIRE_UINT:
        snprintf(f->text, sizeof f->text, "%" PRIu64 "%s%s", f->value, def->unit ? " " : "",
                 def->unit ? def->unit : "");
        break;
    case WIRE_HEX:
    case WIRE_FLAGS:
        snprintf(f->text, sizeof f->text, "0x%0*" PRIx64, digits, f->value);
        break;
    case WIRE_BOOL:
        snprintf(f->text, sizeof f->text, "%s", f->value ? "yes" : "no");
        break;
    case WIRE_MAC:
        snprintf(f->text, sizeof f->text, "%s", mac_format(mac_from_u64(f->value), addr));
        break;
    case WIRE_IP4:
        snprintf(f->text, sizeof f->text, "%s", ipv4_addr_format((uint32_t)f->value, addr));
        break;
    case WIRE_IP6: {
        Ipv6Addr a = ipv6_addr_get(f->bytes);

        snprintf(f->text, sizeof f->text, "%s", ipv6_addr_format(&a, addr));
        break;
    }
    case WIRE_BYTES:
        format_bytes(f->text, sizeof f->text, f->bytes, f->value);
        break;
    case WIRE_TEXT:
        format_text(f->text, sizeof f->text, f->bytes, f->value);
        break;
    }
    if (name) {
        size_t n = strlen(f->text);

        snprintf(f->text + n, sizeof f->text - n, " (%s)", name);
    }
}

/* Everything but value and text. */
static void prepare(WireField *f, const WireCursor *c, const WireFieldDef *def)
{
    f->name = def->name;
    f->label = def->label;
    f->note = def->note;
    f->bit_off = def->bit_off;
    f->bit_len = def->bit_len;
    f->kind = def->kind;
    f->bytes = def->bit_len ? c->p + def->bit_off / 8 : NULL;
    f->text[0] = '\0';
    hs_assert(((size_t)def->bit_off + def->bit_len + 7) / 8 <= c->len);
    if (!is_number(def->kind))
        f->value = def->bit_len / 8;
    else
        f->value = get_bits(c->p, def->bit_off, def->bit_len);
}

static void tell(WireCursor *c, WireLayerId id, const WireField *f)
{
    c->sink->field(c->sink->user, &layers[id], f);
}

void wire_field(WireCursor *c, WireLayerId id, const WireFieldDef *def)
{
    WireField f;

    if (!c->sink->field)
        return;
    prepare(&f, c, def);
    if (!c->sink->no_text)
        render(&f, def);
    tell(c, id, &f);
}

void wire_fields(WireCursor *c, WireLayerId id, const WireFieldDef *defs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        wire_field(c, id, &defs[i]);
}

void wire_field_text(WireCursor *c, WireLayerId id, const WireFieldDef *def, const char *fmt, ...)
{
    WireField f;
    va_list args;

    if (!c->sink->field)
        return;
    prepare(&f, c, def);
    if (!c->sink->no_text) {
        va_start(args, fmt);
        vsnprintf(f.text, sizeof f.text, fmt, args);
        va_end(args);
    }
    tell(c, id, &f);
}

void wire_field_value(WireCursor *c, WireLayerId id, const WireFieldDef *def, uint64_t value, const char *fmt,
                      ...)
{
    WireField f;
    va_list args;

    if (!c->sink->field)
        return;
    prepare(&f, c, def);
    f.value = value;
    if (!c->sink->no_text) {
        va_start(args, fmt);
        vsnprintf(f.text, sizeof f.text, fmt, args);
        va_end(args);
    }
    tell(c, id, &f);
}

void wire_field_sum(WireCursor *c, WireLayerId id, const WireFieldDef *def, WireSumState state,
                    uint32_t expected)
{
    static const WireFieldDef ok = {"checksum_ok",
                                    "Checksum is right",
                                    0,
                                    0,
                                    WIRE_BOOL,
                                    "Whether the receiver's own sum agrees with the field."};
    WireField f;
    int digits = (int)def->bit_len / 4;

    if (!c->sink->field)
        return;
    prepare(&f, c, def);
    if (!c->sink->no_text) {
        size_t n = (size_t)snprintf(f.text, sizeof f.text, "0x%0*" PRIx64, digits, f.value);
        char *end = f.text + n;
        size_t room = sizeof f.text - n;

        switch (state) {
        case WIRE_SUM_RIGHT:
            snprintf(end, room, " (correct)");
            break;
        case WIRE_SUM_WRONG:
            snprintf(end, room, " (incorrect, should be 0x%0*" PRIx32 ")", digits, expected);
            break;
        case WIRE_SUM_ABSENT:
            snprintf(end, room, " (not used)");
            break;
        case WIRE_SUM_UNKNOWN:
            snprintf(end, room, " (not verified)");
            break;
        }
    }
    tell(c, id, &f);
    if (state != WIRE_SUM_UNKNOWN)
        wire_field_value(c, id, &ok, state != WIRE_SUM_WRONG, "%s", state != WIRE_SUM_WRONG ? "yes" : "no");
}
