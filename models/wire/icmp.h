/* ICMP for IPv4: RFC 792, RFC 950 (address mask), RFC 1191 (next-hop MTU), RFC 1256 (router discovery).
 *
 *   0      1      2        4               8
 *   | type | code | chksum | four bytes by type | body
 *
 * The body: echo data, timestamps, a mask, or the packet complained about. */
#pragma once

#include "models/wire/ipv4.h"
#include "models/wire/wire.h"

#define ICMP_HDR_LEN 8
#define ICMP_CHECKSUM_OFF 2
#define ICMP_TIMESTAMP_LEN 20
#define ICMP_ADDRMASK_LEN 12
#define ICMP_QUOTE_MIN (IPV4_MIN_HDR_LEN + 8) /* RFC 792: header and 64 bits */

#define ICMP_ECHO_REPLY 0
#define ICMP_DEST_UNREACH 3
#define ICMP_SOURCE_QUENCH 4
#define ICMP_REDIRECT 5
#define ICMP_ECHO 8
#define ICMP_ROUTER_ADVERT 9
#define ICMP_ROUTER_SOLICIT 10
#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAM_PROBLEM 12
#define ICMP_TIMESTAMP 13
#define ICMP_TIMESTAMP_REPLY 14
#define ICMP_INFO_REQUEST 15
#define ICMP_INFO_REPLY 16
#define ICMP_ADDRMASK 17
#define ICMP_ADDRMASK_REPLY 18

#define ICMP_UNREACH_NET 0
#define ICMP_UNREACH_HOST 1
#define ICMP_UNREACH_PROTO 2
#define ICMP_UNREACH_PORT 3
#define ICMP_UNREACH_NEEDFRAG 4
#define ICMP_UNREACH_SRCROUTE 5
#define ICMP_UNREACH_NET_UNKNOWN 6
#define ICMP_UNREACH_HOST_UNKNOWN 7
#define ICMP_UNREACH_ISOLATED 8
#define ICMP_UNREACH_NET_ADMIN 9
#define ICMP_UNREACH_HOST_ADMIN 10
#define ICMP_UNREACH_NET_TOS 11
#define ICMP_UNREACH_HOST_TOS 12
#define ICMP_UNREACH_ADMIN 13

#define ICMP_REDIRECT_NET 0
#define ICMP_REDIRECT_HOST 1
#define ICMP_REDIRECT_TOS_NET 2
#define ICMP_REDIRECT_TOS_HOST 3

#define ICMP_EXCEEDED_TTL 0
#define ICMP_EXCEEDED_REASSEMBLY 1

/* Which fields mean something depends on the type; the others are 0. */
typedef struct IcmpMsg {
    uint8_t type;
    uint8_t code;
    uint16_t checksum;
    uint16_t id;           /* echo, timestamp, information, mask */
    uint16_t seq;          /* the same */
    uint32_t gateway;      /* redirect */
    uint16_t mtu;          /* destination unreachable, code 4 */
    uint8_t pointer;       /* parameter problem */
    uint32_t originate_ms; /* timestamps: milliseconds since midnight UT */
    uint32_t receive_ms;
    uint32_t transmit_ms;
    uint32_t mask; /* address mask */
} IcmpMsg;

static inline uint8_t icmp_type(const uint8_t *p)
{
    return p[0];
}

static inline uint8_t icmp_code(const uint8_t *p)
{
    return p[1];
}

static inline uint16_t icmp_id(const uint8_t *p)
{
    return wire_get16(p + 4);
}

static inline uint16_t icmp_seq(const uint8_t *p)
{
    return wire_get16(p + 6);
}

/* Types that complain about a packet and quote it: never answered by another error (RFC 1122 3.2.2). */
static inline bool icmp_is_error(uint8_t type)
{
    return type == ICMP_DEST_UNREACH || type == ICMP_SOURCE_QUENCH || type == ICMP_REDIRECT ||
           type == ICMP_TIME_EXCEEDED || type == ICMP_PARAM_PROBLEM;
}

static inline bool icmp_has_id(uint8_t type)
{
    return type == ICMP_ECHO || type == ICMP_ECHO_REPLY ||
           (type >= ICMP_TIMESTAMP && type <= ICMP_ADDRMASK_REPLY);
}

/* Unknown types decode too (8 bytes). Returns 8, or 20 for timestamps, 12 for address masks. */
int icmp_decode(IcmpMsg *out, const uint8_t *p, size_t len);
size_t icmp_encoded_len(const IcmpMsg *m);
/* Writes the header with a zero checksum: call icmp_fill_checksum() when the body is there. */
size_t icmp_encode(uint8_t *p, const IcmpMsg *m);
/* len: the whole message, header and body. */
void icmp_fill_checksum(uint8_t *p, size_t len);
int icmp_check(const uint8_t *p, size_t len);

/* The packet that an error quotes, as far as it goes. */
typedef struct IcmpQuote {
    Ipv4Hdr ip;
    const uint8_t *l4; /* behind its header */
    size_t l4_len;     /* bytes quoted there */
    bool has_ports;    /* UDP or TCP, first fragment, at least 4 bytes quoted */
    uint16_t src_port;
    uint16_t dst_port;
    bool has_seq; /* TCP, at least 8 bytes quoted */
    uint32_t seq;
    bool has_id; /* ICMP query with id and seq, at least 8 bytes quoted */
    uint8_t icmp_type;
    uint16_t icmp_id;
    uint16_t icmp_seq;
} IcmpQuote;

/* p, len: the whole ICMP message. WIRE_OK, WIRE_BAD_VALUE when it is no error message, or why the quote is
 * unusable. */
int icmp_quote_decode(IcmpQuote *out, const uint8_t *p, size_t len);

bool icmp_describe(WireCursor *c);

/* "echo request", "destination unreachable"; NULL when unknown. */
const char *icmp_type_name(uint8_t type);
/* "port unreachable"; NULL when unknown. */
const char *icmp_code_name(uint8_t type, uint8_t code);
