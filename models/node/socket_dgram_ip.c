/* Options of datagram sockets at the levels of IP and IPv6 (Linux do_ip_setsockopt, do_ipv6_setsockopt). An
 * AF_INET6 socket has both. */
#include <netinet/in.h>

#include "models/node/socket_dgram.h"

enum { /* what <netinet/in.h> lacks */
       OPT_IPV6_MINHOPCOUNT = 73,
       OPT_IPV6_FREEBIND = 78,
       OPT_IPV6_HDRINCL = 36,
       OPT_IPV6_ADDR_PREFERENCES = 72,
       ADDR_PREFERENCES_DEFAULT = 0x500
};

#define DEFAULT_HOPS6 64

/* ---- helpers ---- */

static int give(Dgram *d, uint8_t what, int val)
{
    d->give = (uint8_t)(val ? d->give | what : d->give & ~what);
    return 0;
}

static int is_given(const Dgram *d, uint8_t what)
{
    return (d->give & what) != 0;
}

static int set_byte(uint8_t *to, int val, int min, int max)
{
    if (val < min || val > max)
        return -EINVAL;
    *to = (uint8_t)val;
    return 0;
}

/* Switches of SOL_IPV6 that are kept and shown and change nothing here: IPV6_FLOWINFO, _MULTICAST_ALL,
 * _ROUTER_ALERT_ISOLATE, _RECVERR_RFC4884, _FLOWINFO_SEND, _RECVHOPOPTS, _RECVRTHDR, _RECVDSTOPTS,
 * _RECVPATHMTU, _RECVORIGDSTADDR, _TRANSPARENT, _RECVFRAGSIZE. */
static uint64_t kept6(int name)
{
    static const uint8_t names[] = {11, 29, 30, 31, 33, 53, 56, 58, 60, 74, 75, 77};

    for (unsigned i = 0; i < HS_ARRAY_LEN(names); i++)
        if (names[i] == name)
            return UINT64_C(1) << i;
    return 0;
}

/* ---- SOL_IP ---- */

int dgram_set_ip(Dgram *d, int name, int val)
{
    UdpSockOpt *o = dgram_opt(d);

    switch (name) {
    case IP_TOS:
        o->tos = (uint8_t)val;
        return 0;
    case IP_TTL:
        if (val != -1 && (val < 1 || val > 255))
            return -EINVAL;
        o->ttl = val == -1 ? 0 : (uint8_t)val;
        return 0;
    case IP_MTU_DISCOVER:
        return set_byte(&o->mtu_discover, val, PMTUDISC_DONT, PMTUDISC_OMIT);
    case IP_RECVERR:
        o->recverr = val;
        if (!val)
            dgram_purge_errors(d);
        return 0;
    case IP_RECVTOS:
        return give(d, DGRAM_TOS, val);
    case IP_RECVTTL:
        return give(d, DGRAM_TTL, val);
    case IP_PKTINFO:
        return give(d, DGRAM_PKTINFO, val);
    case IP_HDRINCL:
        if (!d->tap)
            return -ENOPROTOOPT;
        d->hdrincl = val;
        return 0;
    case IP_FREEBIND:
        d->freebind = val;
        return 0;
    case IP_TRANSPARENT:
    case IP_BIND_ADDRESS_NO_PORT:
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

/* IP_MTU, IPV6_MTU: of the route to the peer. */
static int get_mtu(Dgram *d, int *v)
{
    bool is_v6 = d->file->is_v6;
    UdpAddr6 peer6 = {0};
    InetAddr peer = d->peer;
    Ip4Flow f4;
    Ip6Flow f6;

    if (d->udp && is_v6) {
        peer6 = udp6sock_peer(d->udp);
        peer = inet_from_ip6(&peer6.ip);
    } else if (d->udp) {
        peer = inet_from_ip4(udpsock_peer(d->udp).ip);
    }
    if (d->udp ? !udpsock_peer(d->udp).port : inet_is_any(&peer))
        return -ENOTCONN;
    if (inet_is_ip4(&peer)) {
        if (ip4_route_get(d->ip, inet_ip4(&peer), 0, NULL, &f4))
            return -ENOTCONN;
        *v = (int)f4.mtu;
        return 0;
    }
    peer6.ip = inet_ip6(&peer);
    if (ip6_route_get(host_ip6(d->file->sh->host), &peer6.ip, NULL, NULL, &f6))
        return -ENOTCONN;
    *v = (int)f6.mtu;
    return 0;
}

int dgram_get_ip(Dgram *d, int name, int *val)
{
    const UdpSockOpt *o = dgram_opt(d);

    switch (name) {
    case IP_MTU:
        return get_mtu(d, val);
    case IP_TOS:
        *val = o->tos;
        return 0;
    case IP_TTL:
        *val = o->ttl ? o->ttl : ip4_sysctl_get(d->ip)->ip_default_ttl;
        return 0;
    case IP_MTU_DISCOVER:
        *val = o->mtu_discover;
        return 0;
    case IP_RECVERR:
        *val = o->recverr;
        return 0;
    case IP_RECVTOS:
        *val = is_given(d, DGRAM_TOS);
        return 0;
    case IP_RECVTTL:
        *val = is_given(d, DGRAM_TTL);
        return 0;
    case IP_PKTINFO:
        *val = is_given(d, DGRAM_PKTINFO);
        return 0;
    case IP_HDRINCL:
        *val = d->hdrincl;
        return 0;
    case IP_FREEBIND:
        *val = d->freebind;
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

/* ---- SOL_IPV6 ---- */

static int set_v6only(Dgram *d, int val)
{
    if (d->udp && udpsock_local(d->udp).port)
        return -EINVAL;
    dgram_opt6(d)->is_v6only = val;
    return 0;
}

/* IPV6_TCLASS, IPV6_MULTICAST_HOPS: -1 is the default. */
static int set_or_default(uint8_t *to, int val, uint8_t normal)
{
    if (val < -1 || val > 255)
        return -EINVAL;
    *to = val == -1 ? normal : (uint8_t)val;
    return 0;
}

/* IPV6_CHECKSUM, at this level or SOL_RAW: what ICMPv6 does is not to be changed (RFC 3542 3.1). */
static int set_checksum(Dgram *d, int val)
{
    if (!d->tap)
        return -ENOPROTOOPT;
    if (d->protocol == IPPROTO_ICMPV6 || (val > 0 && val & 1))
        return -EINVAL;
    d->checksum_off = val < 0 ? -1 : val;
    return 0;
}

int dgram_set_ip6(Dgram *d, int name, int val)
{
    Udp6SockOpt *o = dgram_opt6(d);
    uint64_t bit = kept6(name);

    if (bit) {
        d->kept[2] = val ? d->kept[2] | bit : d->kept[2] & ~bit;
        return 0;
    }
    switch (name) {
    case IPV6_V6ONLY:
        return set_v6only(d, val);
    case IPV6_UNICAST_HOPS:
        if (val < -1 || val > 255)
            return -EINVAL;
        o->hop_limit = (int16_t)val;
        return 0;
    case IPV6_TCLASS:
        return set_or_default(&o->tclass, val, 0);
    case IPV6_MULTICAST_HOPS:
        return set_or_default(&d->mcast_hops6, val, 1);
    case IPV6_MULTICAST_LOOP:
        if (val != 0 && val != 1)
            return -EINVAL;
        d->no_mcast_loop6 = !val;
        return 0;
    case IPV6_MTU_DISCOVER:
        return set_byte(&o->mtu_discover, val, PMTUDISC_DONT, PMTUDISC_OMIT);
    case IPV6_MTU:
        if (val && val < IPV6_MIN_MTU)
            return -EINVAL;
        o->frag_mtu = (uint32_t)val;
        return 0;
    case IPV6_DONTFRAG:
        o->dontfrag = val;
        return 0;
    case IPV6_AUTOFLOWLABEL:
        o->no_flow_label = !val;
        return 0;
    case IPV6_RECVERR:
        o->recverr = val;
        if (!val)
            dgram_purge_errors(d);
        return 0;
    case IPV6_RECVTCLASS:
        return give(d, DGRAM_TCLASS6, val);
    case IPV6_RECVHOPLIMIT:
        return give(d, DGRAM_HOPLIMIT6, val);
    case IPV6_RECVPKTINFO:
        return give(d, DGRAM_PKTINFO6, val);
    case IPV6_CHECKSUM:
        return set_checksum(d, val);
    case OPT_IPV6_HDRINCL:
        if (!d->tap)
            return -ENOPROTOOPT;
        d->hdrincl = val;
        return 0;
    case OPT_IPV6_MINHOPCOUNT:
        return set_byte(&d->min_hops6, val, 0, 255);
    case OPT_IPV6_FREEBIND:
        d->freebind = val;
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

int dgram_get_ip6(Dgram *d, int name, int *val)
{
    const Udp6SockOpt *o = dgram_opt6(d);
    uint64_t bit = kept6(name);

    if (bit) {
        *val = (d->kept[2] & bit) != 0;
        return 0;
    }
    switch (name) {
    case IPV6_V6ONLY:
        *val = o->is_v6only;
        return 0;
    case IPV6_UNICAST_HOPS:
        *val = o->hop_limit >= 0 ? o->hop_limit : DEFAULT_HOPS6;
        return 0;
    case IPV6_TCLASS:
        *val = o->tclass;
        return 0;
    case IPV6_MULTICAST_HOPS:
        *val = d->mcast_hops6;
        return 0;
    case IPV6_MULTICAST_LOOP:
        *val = !d->no_mcast_loop6;
        return 0;
    case IPV6_MTU_DISCOVER:
        *val = o->mtu_discover;
        return 0;
    case IPV6_MTU:
        return get_mtu(d, val);
    case IPV6_DONTFRAG:
        *val = o->dontfrag;
        return 0;
    case IPV6_AUTOFLOWLABEL:
        *val = !o->no_flow_label;
        return 0;
    case IPV6_RECVERR:
        *val = o->recverr;
        return 0;
    case IPV6_RECVTCLASS:
        *val = is_given(d, DGRAM_TCLASS6);
        return 0;
    case IPV6_RECVHOPLIMIT:
        *val = is_given(d, DGRAM_HOPLIMIT6);
        return 0;
    case IPV6_RECVPKTINFO:
        *val = is_given(d, DGRAM_PKTINFO6);
        return 0;
    case IPV6_CHECKSUM:
        *val = d->checksum_off;
        return d->tap ? 0 : -ENOPROTOOPT;
    case OPT_IPV6_HDRINCL:
        *val = d->hdrincl;
        return d->tap ? 0 : -ENOPROTOOPT;
    case OPT_IPV6_MINHOPCOUNT:
        *val = d->min_hops6;
        return 0;
    case OPT_IPV6_FREEBIND:
        *val = d->freebind;
        return 0;
    case OPT_IPV6_ADDR_PREFERENCES:
        *val = ADDR_PREFERENCES_DEFAULT;
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}
