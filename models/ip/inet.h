/* An address of either family, for transports that work over both. IPv4 addresses are held in their
 * IPv4-mapped form (::ffff:a.b.c.d), as Linux's dual-stack sockets do, so that one comparison serves. */
#pragma once

#include <string.h>

#include "models/wire/ipv6_addr.h"

typedef struct InetAddr {
    uint32_t w[4]; /* host order, w[0] the most significant */
} InetAddr;

typedef struct InetEndpoint {
    InetAddr addr; /* all zero: any */
    uint16_t port;
    bool is_v6;     /* the socket address was an AF_INET6 one */
    uint32_t scope; /* interface index, 0: none */
} InetEndpoint;

static inline InetAddr inet_from_ip4(uint32_t a)
{
    return (InetAddr){{0, 0, 0xffff, a}};
}

static inline bool inet_is_ip4(const InetAddr *a)
{
    return (a->w[0] | a->w[1]) == 0 && a->w[2] == 0xffff;
}

static inline uint32_t inet_ip4(const InetAddr *a)
{
    return a->w[3];
}

static inline bool inet_eq(const InetAddr *a, const InetAddr *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

/* 0.0.0.0 (mapped) or :: */
static inline bool inet_is_any(const InetAddr *a)
{
    return (a->w[0] | a->w[1] | a->w[3]) == 0 && (a->w[2] == 0 || a->w[2] == 0xffff);
}

InetAddr inet_from_ip6(const Ipv6Addr *a);
Ipv6Addr inet_ip6(const InetAddr *a);

/* "10.0.0.1", "2001:db8::1"; returns buf. */
#define INET_STR_LEN 48
char *inet_format(const InetAddr *a, char buf[INET_STR_LEN]);
bool inet_parse(const char *text, InetAddr *out);
