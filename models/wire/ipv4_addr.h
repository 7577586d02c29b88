/* IPv4 addresses and prefixes: uint32_t in host order, 10.0.0.1 is 0x0a000001. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define IPV4_ADDR(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))
#define IPV4_ANY 0u
#define IPV4_LOOPBACK 0x7f000001u
#define IPV4_BROADCAST 0xffffffffu
#define IPV4_ALL_HOSTS 0xe0000001u   /* 224.0.0.1 */
#define IPV4_ALL_ROUTERS 0xe0000002u /* 224.0.0.2 */

#define IPV4_ADDR_STR_LEN 16
#define IPV4_PREFIX_STR_LEN 19

/* Host bits may be set: "10.0.0.1/24" is an interface's address and prefix in one. */
typedef struct Ipv4Prefix {
    uint32_t addr;
    uint8_t len; /* 0–32 */
} Ipv4Prefix;

/* Exactly four decimal octets of 0–255 without leading zeros (those are octal to some, so refused as
 * inet_pton does). *out is untouched on failure, here and below. */
bool ipv4_addr_parse(const char *s, uint32_t *out);
char *ipv4_addr_format(uint32_t addr, char buf[IPV4_ADDR_STR_LEN]); /* returns buf */

/* "10.0.0.0/8". The length is required. */
bool ipv4_prefix_parse(const char *s, Ipv4Prefix *out);
char *ipv4_prefix_format(Ipv4Prefix prefix, char buf[IPV4_PREFIX_STR_LEN]);

static inline uint32_t ipv4_mask(unsigned len)
{
    return len ? 0xffffffffu << (32 - len) : 0;
}

/* Ones, then zeros: the only masks that RFC 4632 3.1 and Linux's routes know. */
static inline bool ipv4_mask_is_contiguous(uint32_t mask)
{
    uint32_t host = ~mask;

    return (host & (host + 1)) == 0;
}

/* Of a contiguous mask. */
static inline unsigned ipv4_mask_len(uint32_t mask)
{
    return mask ? 32 - (unsigned)__builtin_ctz(mask) : 0;
}

static inline uint32_t ipv4_prefix_network(Ipv4Prefix p)
{
    return p.addr & ipv4_mask(p.len);
}

/* The directed broadcast address. A /31 (RFC 3021) and a /32 have none: the caller knows. */
static inline uint32_t ipv4_prefix_broadcast(Ipv4Prefix p)
{
    return p.addr | ~ipv4_mask(p.len);
}

static inline bool ipv4_prefix_contains(Ipv4Prefix p, uint32_t addr)
{
    return ((p.addr ^ addr) & ipv4_mask(p.len)) == 0;
}

/* No host bits set. */
static inline bool ipv4_prefix_is_network(Ipv4Prefix p)
{
    return (p.addr & ~ipv4_mask(p.len)) == 0;
}

/* 'A' to 'E', by the leading bits (RFC 791 3.2, RFC 1112 section 4). */
char ipv4_addr_class(uint32_t addr);
/* The length of the network part that the class implies: 8, 16, 24; 0 for D and E, which have none. */
unsigned ipv4_addr_class_len(uint32_t addr);

static inline bool ipv4_addr_is_loopback(uint32_t a)
{
    return a >> 24 == 127;
}

static inline bool ipv4_addr_is_multicast(uint32_t a)
{
    return a >> 28 == 14;
}

/* 224.0.0.0/24: never forwarded by a router (RFC 5771 section 4). */
static inline bool ipv4_addr_is_local_multicast(uint32_t a)
{
    return a >> 8 == 0xe00000;
}

/* Class E without the limited broadcast address. */
static inline bool ipv4_addr_is_reserved(uint32_t a)
{
    return a >> 28 == 15 && a != IPV4_BROADCAST;
}

/* 0.0.0.0/8, "this network": a source only (RFC 1122 3.2.1.3). */
static inline bool ipv4_addr_is_zeronet(uint32_t a)
{
    return a >> 24 == 0;
}

/* 169.254.0.0/16 (RFC 3927). */
static inline bool ipv4_addr_is_link_local(uint32_t a)
{
    return a >> 16 == 0xa9fe;
}

/* RFC 1918: 10/8, 172.16/12, 192.168/16. */
bool ipv4_addr_is_private(uint32_t addr);
