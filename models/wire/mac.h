/* MAC (EUI-48) addresses: text, tests, and the mappings of multicast groups. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef struct MacAddr {
    uint8_t b[6];
} MacAddr;

#define MAC_BROADCAST ((MacAddr){{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}})
#define MAC_ZERO ((MacAddr){{0, 0, 0, 0, 0, 0}})
/* IEEE 802.1D table 7-10: the Bridge Group Address, never forwarded by a bridge. */
#define MAC_BRIDGE_GROUP ((MacAddr){{0x01, 0x80, 0xc2, 0x00, 0x00, 0x00}})

#define MAC_STR_LEN 18

/* "00:05:5d:61:58:a8", two hexadecimal digits per byte, ':' or '-' throughout. *out is untouched on failure.
 */
bool mac_parse(const char *s, MacAddr *out);
char *mac_format(MacAddr m, char buf[MAC_STR_LEN]); /* returns buf */

static inline MacAddr mac_get(const uint8_t *p)
{
    MacAddr m;

    memcpy(m.b, p, 6);
    return m;
}

static inline void mac_put(uint8_t *p, MacAddr m)
{
    memcpy(p, m.b, 6);
}

/* As a 48-bit number: the key of MAC tables, and the order of bridge identifiers. */
static inline uint64_t mac_to_u64(MacAddr m)
{
    return (uint64_t)m.b[0] << 40 | (uint64_t)m.b[1] << 32 | (uint64_t)m.b[2] << 24 | (uint64_t)m.b[3] << 16 |
           (uint64_t)m.b[4] << 8 | m.b[5];
}

static inline MacAddr mac_from_u64(uint64_t v)
{
    return (MacAddr){{(uint8_t)(v >> 40), (uint8_t)(v >> 32), (uint8_t)(v >> 24), (uint8_t)(v >> 16),
                      (uint8_t)(v >> 8), (uint8_t)v}};
}

static inline bool mac_equal(MacAddr a, MacAddr b)
{
    return memcmp(a.b, b.b, 6) == 0;
}

static inline bool mac_is_multicast(MacAddr m) /* broadcast included: the I/G bit */
{
    return m.b[0] & 1;
}

static inline bool mac_is_broadcast(MacAddr m)
{
    return mac_to_u64(m) == 0xffffffffffff;
}

static inline bool mac_is_zero(MacAddr m)
{
    return mac_to_u64(m) == 0;
}

static inline bool mac_is_local(MacAddr m) /* locally administered: the U/L bit */
{
    return m.b[0] & 2;
}

/* RFC 1112 6.4: 01:00:5e and the low 23 bits of the group. */
static inline MacAddr mac_from_ipv4_group(uint32_t group)
{
    return mac_from_u64(0x01005e000000 | (group & 0x7fffff));
}

/* RFC 2464 section 7: 33:33 and the last four bytes of the group. */
static inline MacAddr mac_from_ipv6_group(const uint8_t group[16])
{
    return (MacAddr){{0x33, 0x33, group[12], group[13], group[14], group[15]}};
}
