/* IPv4 addresses and prefixes as text, and their classes (RFC 791, RFC 1918). */
#include "models/wire/ipv4_addr.h"

#include <stdio.h>
#include <string.h>

/* A decimal number up to max without sign or leading zeros; the place behind it, or NULL. */
static const char *parse_number(const char *s, unsigned max, unsigned *out)
{
    unsigned v = 0;
    const char *start = s;

    while (*s >= '0' && *s <= '9') {
        v = v * 10 + (unsigned)(*s - '0');
        if (v > max || (s > start && *start == '0'))
            return NULL;
        s++;
    }
    if (s == start)
        return NULL;
    *out = v;
    return s;
}

static const char *parse_addr(const char *s, uint32_t *out)
{
    uint32_t addr = 0;

    for (int i = 0; i < 4; i++) {
        unsigned octet;

        if (i > 0 && *s++ != '.')
            return NULL;
        s = parse_number(s, 255, &octet);
        if (!s)
            return NULL;
        addr = addr << 8 | octet;
    }
    *out = addr;
    return s;
}

bool ipv4_addr_parse(const char *s, uint32_t *out)
{
    uint32_t addr;
    const char *end = parse_addr(s, &addr);

    if (!end || *end)
        return false;
    *out = addr;
    return true;
}

char *ipv4_addr_format(uint32_t addr, char buf[IPV4_ADDR_STR_LEN])
{
    snprintf(buf, IPV4_ADDR_STR_LEN, "%u.%u.%u.%u", addr >> 24, addr >> 16 & 255, addr >> 8 & 255,
             addr & 255);
    return buf;
}

bool ipv4_prefix_parse(const char *s, Ipv4Prefix *out)
{
    uint32_t addr;
    unsigned len;

    s = parse_addr(s, &addr);
    if (!s || *s != '/')
        return false;
    s = parse_number(s + 1, 32, &len);
    if (!s || *s)
        return false;
    *out = (Ipv4Prefix){addr, (uint8_t)len};
    return true;
}

char *ipv4_prefix_format(Ipv4Prefix prefix, char buf[IPV4_PREFIX_STR_LEN])
{
    ipv4_addr_format(prefix.addr, buf);
    snprintf(buf + strlen(buf), 4, "/%u", prefix.len % 100u);
    return buf;
}

char ipv4_addr_class(uint32_t addr)
{
    if (addr >> 31 == 0)
        return 'A';
    if (addr >> 30 == 2)
        return 'B';
    if (addr >> 29 == 6)
        return 'C';
    return addr >> 28 == 14 ? 'D' : 'E';
}

unsigned ipv4_addr_class_len(uint32_t addr)
{
    switch (ipv4_addr_class(addr)) {
    case 'A':
        return 8;
    case 'B':
        return 16;
    case 'C':
        return 24;
    default:
        return 0;
    }
}

bool ipv4_addr_is_private(uint32_t addr)
{
    return addr >> 24 == 10 || addr >> 20 == 0xac1 || addr >> 16 == 0xc0a8;
}
