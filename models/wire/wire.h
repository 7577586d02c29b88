/* The common contract of all header codecs: errors, byte access, and the description of a packet field by
 * field.
 *
 * Every header has a file pair here that offers
 *   - inline accessors on raw bytes for hot paths (ipv4_dst(p), ipv4_set_ttl(p, v)); they check nothing;
 *   - a plain struct of meaningful values with xxx_decode() (header length consumed, or a negative WireError;
 *     the struct is untouched on failure) and xxx_encode() (bytes written; the caller has xxx_encoded_len()
 *     bytes of room);
 *   - xxx_check…() where there is a checksum;
 *   - xxx_describe(): the header told field by field to a WireSink, for people, ladders and Lua.
 *
 * Pure functions of bytes: no time, no node, no allocation. Decoders and describers take hostile bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef enum WireError {
    WIRE_OK = 0,
    WIRE_TRUNCATED = -1,    /* the bytes end before the header does */
    WIRE_BAD_VERSION = -2,  /* not the version this codec reads */
    WIRE_BAD_LENGTH = -3,   /* a length field contradicts itself or the bytes around it */
    WIRE_BAD_CHECKSUM = -4, /* from xxx_check() only: decoding does not verify */
    WIRE_BAD_VALUE = -5,    /* a field has a value that the protocol forbids */
} WireError;

/* "truncated", "bad version", … */
const char *wire_error_str(int err);

/* ---- Bytes in network order, and in Ethernet-FCS (little-endian) order. Any alignment. ---- */

static inline uint16_t wire_get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t wire_get32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, 4);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap32(v);
#endif
    return v;
}

static inline uint64_t wire_get64(const uint8_t *p)
{
    return (uint64_t)wire_get32(p) << 32 | wire_get32(p + 4);
}

static inline void wire_put16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void wire_put32(uint8_t *p, uint32_t v)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap32(v);
#endif
    memcpy(p, &v, 4);
}

static inline uint32_t wire_get24(const uint8_t *p)
{
    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static inline void wire_put24(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 16);
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)v;
}

static inline void wire_put64(uint8_t *p, uint64_t v)
{
    wire_put32(p, (uint32_t)(v >> 32));
    wire_put32(p + 4, (uint32_t)v);
}

static inline uint32_t wire_get32le(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline void wire_put32le(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
    p[3] = (uint8_t)(v >> 24);
}

/* -1: it is none. */
static inline int wire_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* ---- Description ---- */

typedef enum WireLayerId {
    WIRE_LAYER_NONE,
    WIRE_LAYER_ETH,
    WIRE_LAYER_VLAN,
    WIRE_LAYER_LLC,
    WIRE_LAYER_BPDU,
    WIRE_LAYER_ARP,
    WIRE_LAYER_PPP,
    WIRE_LAYER_IP,
    WIRE_LAYER_IP6,
    WIRE_LAYER_ICMP,
    WIRE_LAYER_ICMP6,
    WIRE_LAYER_IGMP,
    WIRE_LAYER_UDP,
    WIRE_LAYER_TCP,
    WIRE_LAYER_TFTP,
    WIRE_LAYER_DATA,    /* payload that no codec claims */
    WIRE_LAYER_PADDING, /* bytes of the frame behind the end of its packet */
    WIRE_LAYER_FCS,
    WIRE_N_LAYERS
} WireLayerId;

typedef enum WireKind {
    WIRE_UINT,
    WIRE_HEX,
    WIRE_BOOL,
    WIRE_MAC,
    WIRE_IP4,
    WIRE_IP6,
    WIRE_BYTES,
    WIRE_TEXT,  /* bytes that are characters */
    WIRE_FLAGS, /* a number whose bits are also told one by one as WIRE_BOOL fields */
} WireKind;

#define WIRE_TEXT_LEN 192

/* One field. Strings other than text[] are constants; everything is valid during the call only. */
typedef struct WireField {
    const char *name;  /* an identifier without the layer: "ttl". May repeat within a layer (a list). */
    const char *label; /* "Time to live" */
    const char *note;  /* what the field is for: one short sentence for learners */
    uint32_t bit_off;  /* from the layer's first byte, most significant bit first */
    uint32_t bit_len;  /* 0: derived, not in the packet */
    WireKind kind;
    uint64_t
        value; /* numbers, flags, MAC and IPv4 addresses (host order); length in bytes for BYTES and TEXT */
    const uint8_t *bytes;     /* the first byte of the field in the packet (NULL when bit_len is 0) */
    char text[WIRE_TEXT_LEN]; /* rendered, with its meaning: "6 (TCP)"; empty when the sink has no_text */
} WireField;

typedef struct WireLayer WireLayer;

/* Receives a description. Any function may be NULL. off counts from the first byte of what is dissected.
 * Layers follow each other (begin, fields, end, begin, …); what an ICMP error quotes comes between depth+1
 * layers, see wire_dissect. */
typedef struct WireSink {
    void *user;
    bool no_text; /* do not render WireField.text (several times faster) */
    void (*begin_layer)(void *user, const WireLayer *layer, size_t off, size_t len, int depth);
    void (*field)(void *user, const WireLayer *layer, const WireField *field);
    void (*end_layer)(void *user, const WireLayer *layer);
    /* Bytes that cannot be read as `layer` says, found at off. Comes inside its layer or instead of it. */
    void (*malformed)(void *user, const WireLayer *layer, size_t off, WireError err, const char *why);
} WireSink;

/* A describer's position in the frame, and what it learnt from the layers around. */
typedef struct WireCursor {
    const WireSink *sink;
    const uint8_t *p;    /* the first byte of the layer to describe */
    size_t len;          /* bytes left, bounded by the length fields of the layers around */
    size_t off;          /* of p from the start of the frame */
    size_t padding;      /* bytes behind p + len that those length fields exclude */
    WireLayerId next;    /* set by the describer: what p holds now (NONE: nothing follows) */
    int depth;           /* 0 in the frame itself, +1 in a packet quoted by an ICMP error */
    bool is_partial;     /* the packet is cut short (a quote, a fragment): its checksums cannot be verified */
    bool has_pseudo;     /* pseudo_sum is known */
    uint32_t pseudo_sum; /* of the IP header around, without the length */
} WireCursor;

/* The table of header types: names, and who describes them. */
struct WireLayer {
    WireLayerId id;
    const char *name;  /* "eth", "vlan", "llc", "bpdu", "arp", "ppp", "ip", "ip6", "icmp", "icmp6", "igmp",
                          "udp", "tcp", "tftp", "data", "padding", "fcs" */
    const char *title; /* "Internet Protocol version 4" */
    /* Tells the header at c->p, moves c behind it and sets c->next. false: malformed (told), stop here. */
    bool (*describe)(WireCursor *c);
};

const WireLayer *wire_layer(WireLayerId id);
const WireLayer *wire_layer_by_name(const char *name);

/* ---- For describers ---- */

/* Meanings of values. A table ends with a NULL name. */
typedef struct WireName {
    uint32_t value;
    const char *name;
} WireName;

const char *wire_name(const WireName *names, uint32_t value); /* NULL when unknown */
/* "byte" or "bytes", behind their number. */
const char *wire_bytes(uint64_t n);

/* A field at a fixed place in the header. */
typedef struct WireFieldDef {
    const char *name;
    const char *label;
    uint32_t bit_off;
    uint32_t bit_len;
    WireKind kind;
    const char *note;
    const WireName *names; /* meanings, or NULL */
    const char *unit;      /* "bytes", or NULL */
} WireFieldDef;

/* Bounds what is left to len bytes; the others become padding. */
static inline void wire_trim(WireCursor *c, size_t len)
{
    if (len < c->len) {
        c->padding += c->len - len;
        c->len = len;
    }
}

void wire_begin(WireCursor *c, WireLayerId id, size_t len);
void wire_end(WireCursor *c, WireLayerId id, size_t len, WireLayerId next); /* also moves the cursor by len */
bool wire_malformed(WireCursor *c, WireLayerId id, size_t off, WireError err,
                    const char *why); /* always false */
void wire_field(WireCursor *c, WireLayerId id, const WireFieldDef *def);
void wire_fields(WireCursor *c, WireLayerId id, const WireFieldDef *defs, size_t n);
/* A field with text of one's own (printf-like), its value read from the packet as for wire_field(). */
void wire_field_text(WireCursor *c, WireLayerId id, const WireFieldDef *def, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The same with a value of one's own (scaled or derived). */
void wire_field_value(WireCursor *c, WireLayerId id, const WireFieldDef *def, uint64_t value, const char *fmt,
                      ...) __attribute__((format(printf, 5, 6)));

typedef enum WireSumState { WIRE_SUM_RIGHT, WIRE_SUM_WRONG, WIRE_SUM_ABSENT, WIRE_SUM_UNKNOWN } WireSumState;

/* A checksum field: "0x25ec (correct)", "0x25ed (incorrect, should be 0x25ec)", "0x0000 (not used)",
 * "0x1234 (not verified)". Followed by the derived BOOL field checksum_ok unless the state is unknown. */
void wire_field_sum(WireCursor *c, WireLayerId id, const WireFieldDef *def, WireSumState state,
                    uint32_t expected);
