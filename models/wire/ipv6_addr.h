/* IPv6 addresses and prefixes as 16 bytes in network order; text by RFC 4291 (in) and RFC 5952 (out). */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef struct Ipv6Addr {
    uint8_t b[16];
} Ipv6Addr;

typedef struct Ipv6Prefix {
    Ipv6Addr addr;
    uint8_t len; /* 0–128 */
} Ipv6Prefix;

#define IPV6_ADDR_STR_LEN 46
#define IPV6_PREFIX_STR_LEN 50

/* Every form of RFC 4291 2.2: full, "::", dotted IPv4 at the end. No zone. *out is untouched on failure. */
bool ipv6_addr_parse(const char *s, Ipv6Addr *out);
/* RFC 5952: lower case, no leading zeros, "::" for the longest (then first) run of two or more zero groups,
 * dotted end for IPv4-mapped addresses. Returns buf. */
char *ipv6_addr_format(const Ipv6Addr *addr, char buf[IPV6_ADDR_STR_LEN]);

bool ipv6_prefix_parse(const char *s, Ipv6Prefix *out); /* "2001:db8::/32" */
char *ipv6_prefix_format(const Ipv6Prefix *prefix, char buf[IPV6_PREFIX_STR_LEN]);
bool ipv6_prefix_contains(const Ipv6Prefix *prefix, const Ipv6Addr *addr);

static inline Ipv6Addr ipv6_addr_get(const uint8_t *p)
{
    Ipv6Addr a;

    memcpy(a.b, p, 16);
    return a;
}

static inline bool ipv6_addr_equal(const Ipv6Addr *a, const Ipv6Addr *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static inline bool ipv6_addr_is_multicast(const Ipv6Addr *a)
{
    return a->b[0] == 0xff;
}

static inline bool ipv6_addr_is_link_local(const Ipv6Addr *a) /* fe80::/10 */
{
    return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}
