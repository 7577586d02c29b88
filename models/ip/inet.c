/* Text and conversions of inet.h. */
#include "models/ip/inet.h"

#include "models/wire/ipv4_addr.h"
#include "models/wire/wire.h"

InetAddr inet_from_ip6(const Ipv6Addr *a)
{
    InetAddr out;

    for (unsigned i = 0; i < 4; i++)
        out.w[i] = wire_get32(a->b + 4 * i);
    return out;
}

Ipv6Addr inet_ip6(const InetAddr *a)
{
    Ipv6Addr out;

    for (unsigned i = 0; i < 4; i++)
        wire_put32(out.b + 4 * i, a->w[i]);
    return out;
}

char *inet_format(const InetAddr *a, char buf[INET_STR_LEN])
{
    if (inet_is_ip4(a)) {
        ipv4_addr_format(inet_ip4(a), buf);
    } else {
        Ipv6Addr v6 = inet_ip6(a);

        ipv6_addr_format(&v6, buf);
    }
    return buf;
}

bool inet_parse(const char *text, InetAddr *out)
{
    Ipv6Addr v6;
    uint32_t v4;

    if (ipv4_addr_parse(text, &v4)) {
        *out = inet_from_ip4(v4);
        return true;
    }
    if (!ipv6_addr_parse(text, &v6))
        return false;
    *out = inet_from_ip6(&v6);
    return true;
}
