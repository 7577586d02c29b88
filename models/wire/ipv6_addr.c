/* IPv6 addresses and prefixes as text (RFC 4291 2.2, RFC 5952). */
#include "models/wire/ipv6_addr.h"

#include <stdio.h>

#include "models/wire/ipv4_addr.h"
#include "models/wire/wire.h"

/* One to four hexadecimal digits; the place behind them, or NULL. */
static const char *parse_group(const char *s, unsigned *out)
{
    unsigned v = 0;
    int n = 0;

    for (; wire_hex_digit(*s) >= 0; s++, n++) {
        if (n == 4)
            return NULL;
        v = v << 4 | (unsigned)wire_hex_digit(*s);
    }
    if (n == 0)
        return NULL;
    *out = v;
    return s;
}

static bool parse_dotted(const char *s, size_t n, unsigned groups[2])
{
    char buf[IPV4_ADDR_STR_LEN];
    uint32_t addr;

    if (n >= sizeof buf)
        return false;
    memcpy(buf, s, n);
    buf[n] = '\0';
    if (!ipv4_addr_parse(buf, &addr))
        return false;
    groups[0] = addr >> 16;
    groups[1] = addr & 0xffff;
    return true;
}

/* n characters at s. */
static bool parse_addr(const char *s, size_t n, Ipv6Addr *out)
{
    char buf[IPV6_ADDR_STR_LEN];
    unsigned groups[8];
    int count = 0, gap = -1; /* gap: how many groups stand before "::" */

    if (n >= sizeof buf)
        return false;
    memcpy(buf, s, n);
    buf[n] = '\0';
    s = buf;
    if (s[0] == ':' && s[1] != ':')
        return false;
    if (s[0] == ':') {
        gap = 0;
        s += 2;
    }
    while (*s) {
        const char *end;

        if (count == 8)
            return false;
        end = parse_group(s, &groups[count]);
        if (count <= 6 && s[strspn(s, "0123456789")] == '.') {
            if (!parse_dotted(s, strlen(s), &groups[count]))
                return false;
            count += 2;
            break;
        }
        if (!end)
            return false;
        count++;
        s = end;
        if (*s == '\0')
            break;
        if (*s++ != ':' || *s == '\0')
            return false;
        if (*s == ':') {
            if (gap >= 0)
                return false;
            gap = count;
            s++;
        }
    }
    if (gap < 0 ? count != 8 : count >= 8)
        return false;
    memset(out, 0, sizeof *out);
    for (int i = 0; i < count; i++) {
        int at = gap >= 0 && i >= gap ? i + 8 - count : i;

        out->b[2 * at] = (uint8_t)(groups[i] >> 8);
        out->b[2 * at + 1] = (uint8_t)groups[i];
    }
    return true;
}

bool ipv6_addr_parse(const char *s, Ipv6Addr *out)
{
    return parse_addr(s, strlen(s), out);
}

static bool is_ipv4_mapped(const Ipv6Addr *a)
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

    return memcmp(a->b, prefix, sizeof prefix) == 0;
}

char *ipv6_addr_format(const Ipv6Addr *a, char buf[IPV6_ADDR_STR_LEN])
{
    unsigned groups[8];
    int best = -1, best_len = 1; /* RFC 5952 4.2.2: a single zero group is not shortened */
    size_t at = 0;

    if (is_ipv4_mapped(a)) { /* RFC 5952 section 5 */
        snprintf(buf, IPV6_ADDR_STR_LEN, "::ffff:%u.%u.%u.%u", a->b[12], a->b[13], a->b[14], a->b[15]);
        return buf;
    }
    for (int i = 0; i < 8; i++)
        groups[i] = (unsigned)a->b[2 * i] << 8 | a->b[2 * i + 1];
    for (int i = 0, run = 0; i < 8; i++) {
        run = groups[i] ? 0 : run + 1;
        if (run > best_len) {
            best_len = run;
            best = i - run + 1;
        }
    }
    for (int i = 0; i < 8; i++) {
        if (i == best) {
            at += (size_t)snprintf(buf + at, IPV6_ADDR_STR_LEN - at, "::");
            i += best_len - 1;
            continue;
        }
        at += (size_t)snprintf(buf + at, IPV6_ADDR_STR_LEN - at, "%s%x",
                               i == 0 || (best >= 0 && i == best + best_len) ? "" : ":", groups[i]);
    }
    return buf;
}

bool ipv6_prefix_parse(const char *s, Ipv6Prefix *out)
{
    const char *slash = strchr(s, '/');
    Ipv6Prefix prefix;
    unsigned len = 0;

    if (!slash || !parse_addr(s, (size_t)(slash - s), &prefix.addr))
        return false;
    s = slash + 1;
    if (!*s || (s[0] == '0' && s[1]))
        return false;
    for (; *s; s++) {
        if (*s < '0' || *s > '9' || (len = len * 10 + (unsigned)(*s - '0')) > 128)
            return false;
    }
    prefix.len = (uint8_t)len;
    *out = prefix;
    return true;
}

char *ipv6_prefix_format(const Ipv6Prefix *prefix, char buf[IPV6_PREFIX_STR_LEN])
{
    ipv6_addr_format(&prefix->addr, buf);
    snprintf(buf + strlen(buf), 5, "/%u", prefix->len);
    return buf;
}

bool ipv6_prefix_contains(const Ipv6Prefix *prefix, const Ipv6Addr *addr)
{
    unsigned whole = prefix->len / 8, rest = prefix->len % 8;

    if (memcmp(prefix->addr.b, addr->b, whole) != 0)
        return false;
    return rest == 0 || (prefix->addr.b[whole] ^ addr->b[whole]) >> (8 - rest) == 0;
}
