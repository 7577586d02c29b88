/* ICMP for IPv6 (RFC 4443): numbers, and where things stand.
 *
 *   0      1      2        4               8
 *   | type | code | chksum | four bytes by type | body: echo data, or the packet complained about */
#pragma once

#include "models/wire/wire.h"

#define ICMP6_HDR_LEN 8
#define ICMP6_CHECKSUM_OFF 2
#define ICMP6_INFO_OFF 4 /* MTU (2/0), pointer (4) */
#define ICMP6_ID_OFF 4   /* of echo */

#define ICMP6_DEST_UNREACH 1
#define ICMP6_PACKET_TOO_BIG 2
#define ICMP6_TIME_EXCEEDED 3
#define ICMP6_PARAM_PROBLEM 4
#define ICMP6_INFO 128 /* from here on: no errors */
#define ICMP6_ECHO 128
#define ICMP6_ECHO_REPLY 129

#define ICMP6_UNREACH_NO_ROUTE 0
#define ICMP6_UNREACH_ADMIN 1
#define ICMP6_UNREACH_SCOPE 2
#define ICMP6_UNREACH_ADDR 3
#define ICMP6_UNREACH_PORT 4
#define ICMP6_UNREACH_POLICY 5
#define ICMP6_UNREACH_REJECT 6

#define ICMP6_PARAM_HEADER 0
#define ICMP6_PARAM_NEXT_HEADER 1
#define ICMP6_PARAM_OPTION 2

static inline uint8_t icmp6_type(const uint8_t *p)
{
    return p[0];
}

static inline uint8_t icmp6_code(const uint8_t *p)
{
    return p[1];
}

static inline uint32_t icmp6_info(const uint8_t *p)
{
    return wire_get32(p + ICMP6_INFO_OFF);
}

/* RFC 4443 2.1: errors have the high bit clear. */
static inline bool icmp6_is_error(uint8_t type)
{
    return type < 128;
}

/* The header, and what differs from type to type; errors quote a packet (RFC 4443 2.4). */
bool icmp6_describe(WireCursor *c);

/* "echo request", "packet too big"; NULL when unknown. */
const char *icmp6_type_name(uint8_t type);
/* "port unreachable"; NULL when unknown. */
const char *icmp6_code_name(uint8_t type, uint8_t code);
