/* SOL_IP and SOL_IPV6 options of a TCP socket (Linux do_ip_setsockopt, do_ipv6_setsockopt). An AF_INET6
 * socket has both, as it may speak both. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "models/ip/ip4.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_passive.h"
#include "models/tcp/tcp_sockopt.h"

/* What <netinet/in.h> of some C libraries lacks. */
#define OPT_IP_LOCAL_PORT_RANGE 51
#define OPT_IP_MINTTL 21
#define OPT_IPV6_MINHOPCOUNT 73
#define OPT_IPV6_FREEBIND 78
#define OPT_IPV6_TRANSPARENT 75
#define OPT_IP_RECVERR_RFC4884 26
#define OPT_IPV6_MULTICAST_ALL 29
#define OPT_IPV6_UNICAST_IF 76
#define OPT_IP_PROTOCOL 52
#define OPT_IP_RECVFRAGSIZE 25
#define OPT_IPV6_ADDR_PREFERENCES 72
#define OPT_IPV6_RECVFRAGSIZE 77
#define OPT_IPV6_RECVERR_RFC4884 31

/* IPV6_PREFER_SRC_… */
enum {
    PREFER_TMP = 1,
    PREFER_PUBLIC = 2,
    PREFER_COA = 4,
    PREFER_CGA = 8,
    PREFER_PUBTMP_DEFAULT = 0x100,
    PREFER_HOME = 0x400,
    PREFER_NONCGA = 0x800,
};

/* The bit of kept6; 0: another option. */
static uint16_t kept6(int name)
{
    /* IPV6_FLOWINFO, _FLOWINFO_SEND, _RECVPKTINFO, _RECVHOPOPTS, _RECVRTHDR, _RECVDSTOPTS, _RECVPATHMTU,
     * _DONTFRAG, _RECVORIGDSTADDR, _RECVFRAGSIZE, _RECVERR_RFC4884 */
    static const uint8_t names[] = {
        11, 33, 49, 53, 56, 58, 60, 62, 74, OPT_IPV6_RECVFRAGSIZE, OPT_IPV6_RECVERR_RFC4884};

    for (unsigned i = 0; i < HS_ARRAY_LEN(names); i++)
        if (names[i] == name)
            return (uint16_t)(1 << i);
    return 0;
}

static void set_bit(TcpConn *c, uint32_t flag, bool on)
{
    c->sflags = on ? c->sflags | flag : c->sflags & ~flag;
}

/* ---- SOL_IP ---- */

/* The ECN field of a TCP socket's TOS is the transport's own. __ip_sock_set_tos: the priority follows
 * (ip_tos2prio). */
static int set_tos(TcpConn *c, int val)
{
    static const uint8_t priorities[16] = {0, 0, 0, 0, 2, 2, 2, 2, 6, 6, 6, 6, 4, 4, 4, 4};
    uint8_t tos = (uint8_t)((val & ~3) | (c->tos & 3));

    if (tos != c->tos) {
        tcp_opts(c)->priority = priorities[(tos & 0x1e) >> 1];
        c->is_route_dropped = 1; /* __ip_sock_set_tos: routes may depend on it */
    }
    c->tos = tos;
    return 0;
}

static int set_byte(int val, int min, int max, uint8_t *out)
{
    if (val < min || val > max)
        return -EINVAL;
    *out = (uint8_t)val;
    return 0;
}

/* IP options may be given as one byte too. */
static int take_int_or_byte(const void *val, unsigned len, int *out)
{
    if (len >= sizeof(int))
        memcpy(out, val, sizeof(int));
    else
        *out = len ? *(const uint8_t *)val : 0;
    return 0;
}

int tcp_opts_set_ip(TcpConn *c, int name, const void *val, unsigned len)
{
    TcpOpts *o = tcp_opts(c);
    int v;

    take_int_or_byte(val, len, &v);
    if (name == OPT_IP_RECVERR_RFC4884 && (v < 0 || v > 1))
        return -EINVAL;
    if (tcp_opts_set_kept(c, IPPROTO_IP, name, v))
        return 0;
    switch (name) {
    case IP_TOS:
        return set_tos(c, v);
    case IP_TTL:
        if (len < 1 || (v != -1 && (v < 1 || v > 255)))
            return -EINVAL;
        o->ttl = v == -1 ? 0 : (uint8_t)v;
        return 0;
    case IP_MTU_DISCOVER:
        return set_byte(v, IP_PMTUDISC_DONT, 5, &o->mtu_discover);
    case IP_RECVERR:
        o->ip_recverr = v;
        set_bit(c, TCP_S_RECVERR, o->ip_recverr || o->ipv6_recverr);
        return 0;
    case IP_RECVTTL:
        o->recvttl = v;
        return 0;
    case IP_RECVTOS:
        o->recvtos = v;
        return 0;
    case IP_FREEBIND:
        if (len < 1)
            return -EINVAL;
        set_bit(c, TCP_S_FREEBIND, v);
        return 0;
    case IP_TRANSPARENT:
        o->transparent = v;
        return 0;
    case OPT_IP_MINTTL:
        if (len < 1 || v < 0 || v > 255)
            return -EINVAL;
        o->min_ttl = (uint32_t)v;
        return 0;
    case IP_BIND_ADDRESS_NO_PORT:
        o->bind_no_port = v;
        return 0;
    case OPT_IP_LOCAL_PORT_RANGE: {
        uint32_t low = (uint32_t)v & 0xffff, high = (uint32_t)v >> 16;

        if (len != sizeof(uint32_t) || (low && high && low > high))
            return -EINVAL;
        o->port_range = (uint32_t)v;
        return 0;
    }
    case IP_ROUTER_ALERT: /* of raw sockets only */
        return -EINVAL;
    case IP_OPTIONS:
        return len ? -EINVAL : 0;
    case IP_MULTICAST_LOOP: /* kept and shown, of no use to a stream */
        if (len < 1)
            return -EINVAL;
        o->mc_loop_off = !v;
        return 0;
    case IP_MULTICAST_ALL:
        if (len < 1 || (v != 0 && v != 1))
            return -EINVAL;
        o->mc_all_changed = v != !(c->sflags & TCP_S_V6); /* AF_INET6 sockets begin without (inet6_create) */
        return 0;
    case IP_UNICAST_IF:
        return v ? -EADDRNOTAVAIL : 0;
    case IP_MULTICAST_TTL:
    case IP_MULTICAST_IF:
    case OPT_IP_RECVFRAGSIZE:
        return -EINVAL; /* not of a stream */
    default:
        return -ENOPROTOOPT;
    }
}

/* sk_dst_get: a connection that was reset remembers its route, a disconnected one does not (tcp_disconnect),
 * nor one whose options have changed what a route is looked up by, until it sends (sk_dst_reset). */
static bool has_route(const TcpConn *c)
{
    return c->remote_port && c->state != TCP_LISTEN && !c->is_route_dropped;
}

/* As a byte, for the programs that want one. */
static int give_int_or_byte(void *val, unsigned *len, int v)
{
    if (*len < sizeof(int) && *len > 0 && v >= 0 && v <= 255) {
        *(uint8_t *)val = (uint8_t)v;
        *len = 1;
        return 0;
    }
    return tcp_opts_give(val, len, &v, sizeof(v));
}

int tcp_opts_get_ip(TcpConn *c, int name, void *val, unsigned *len)
{
    const TcpOpts none = {.mtu_discover = IP_PMTUDISC_WANT}, *o = c->opts ? c->opts : &none;
    int v;

    if (tcp_opts_get_kept(c, IPPROTO_IP, name, &v))
        return give_int_or_byte(val, len, v);
    switch (name) {
    case IP_TOS:
        v = c->tos | c->ecn.snd_ect; /* the ECN field of what was sent last shows (Linux INET_ECN_xmit) */
        break;
    case IP_TTL:
        v = o->ttl ? o->ttl : ip4_sysctl_get(c->tcp->ip4)->ip_default_ttl;
        break;
    case IP_MTU_DISCOVER:
        v = o->mtu_discover;
        break;
    case IP_MTU:
        if (!has_route(c))
            return -ENOTCONN;
        v = (int)tcp_ip_mtu(c);
        break;
    case IP_RECVERR:
        v = o->ip_recverr;
        break;
    case IP_RECVTTL:
        v = o->recvttl;
        break;
    case IP_RECVTOS:
        v = o->recvtos;
        break;
    case IP_FREEBIND:
        v = (c->sflags & TCP_S_FREEBIND) != 0;
        break;
    case IP_TRANSPARENT:
        v = o->transparent;
        break;
    case OPT_IP_MINTTL:
        v = (int)o->min_ttl;
        break;
    case IP_BIND_ADDRESS_NO_PORT:
        v = o->bind_no_port;
        break;
    case OPT_IP_LOCAL_PORT_RANGE:
        v = (int)o->port_range;
        break;
    case IP_MULTICAST_TTL: /* of no use to a stream; a child has the hop limit of what made it */
        v = c->rx_ttl && !(c->sflags & TCP_S_WIRE_V6) ? c->rx_ttl : 1;
        break;
    case IP_MULTICAST_LOOP:
        v = !o->mc_loop_off;
        break;
    case IP_MULTICAST_ALL:
        v = !(c->sflags & TCP_S_V6) != o->mc_all_changed;
        break;
    case OPT_IP_PROTOCOL:
        v = tcp_table_port(c);
        break;
    case IP_MULTICAST_IF:
    case OPT_IP_RECVFRAGSIZE:
    case IP_HDRINCL:
    case IP_ROUTER_ALERT:
    case IP_NODEFRAG:
    case IP_UNICAST_IF:
        v = 0;
        break;
    case IP_OPTIONS:
    case IP_PKTOPTIONS:
        *len = 0;
        return 0;
    default:
        return -ENOPROTOOPT;
    }
    return give_int_or_byte(val, len, v);
}

/* ---- SOL_IPV6 ---- */

static bool at_most_one(int bits)
{
    return (bits & (bits - 1)) == 0;
}

/* ip6_sock_set_addr_preferences: of each pair or triple one at most; kept and shown, as a host here has one
 * address. */
static int set_addr_preferences(TcpOpts *o, int v)
{
    int tmp = v & (PREFER_PUBLIC | PREFER_TMP | PREFER_PUBTMP_DEFAULT), home = v & (PREFER_HOME | PREFER_COA);

    if (!at_most_one(tmp) || !at_most_one(home) || !at_most_one(v & (PREFER_CGA | PREFER_NONCGA)))
        return -EINVAL;
    if (tmp)
        o->src_prefs = (uint16_t)((o->src_prefs & PREFER_COA) | (tmp & ~PREFER_PUBTMP_DEFAULT));
    if (home)
        o->src_prefs = (uint16_t)((o->src_prefs & ~PREFER_COA) | (home & PREFER_COA));
    return 0;
}

static int addr_preferences(const TcpOpts *o)
{
    int tmp = o->src_prefs & (PREFER_TMP | PREFER_PUBLIC);

    return (tmp ? tmp : PREFER_PUBTMP_DEFAULT) | (o->src_prefs & PREFER_COA ? PREFER_COA : PREFER_HOME);
}

int tcp_opts_set_ip6(TcpConn *c, int name, const void *val, unsigned len)
{
    TcpOpts *o = tcp_opts(c);
    int v = 0;

    if (name == IPV6_MULTICAST_HOPS || name == IPV6_MULTICAST_IF)
        return -ENOPROTOOPT; /* not of a stream, whatever it says */
    if (len >= sizeof(int))
        memcpy(&v, val, sizeof(int));
    else if (name != OPT_IPV6_RECVFRAGSIZE && name != IPV6_AUTOFLOWLABEL &&
             name != IPV6_DONTFRAG) /* too short: 0, for these */
        return -EINVAL;
    if (name == OPT_IPV6_RECVERR_RFC4884 && (v < 0 || v > 1))
        return -EINVAL;
    if (kept6(name)) {
        o->kept6 = (uint16_t)(v ? o->kept6 | kept6(name) : o->kept6 & ~kept6(name));
        return 0;
    }
    switch (name) {
    case IPV6_V6ONLY:
        if (tcp_table_port(c))
            return -EINVAL;
        set_bit(c, TCP_S_V6ONLY, v);
        return 0;
    case IPV6_UNICAST_HOPS:
        if (v < -1 || v > 255)
            return -EINVAL;
        o->unicast_hops = v == -1 ? 0 : (uint8_t)v;
        return 0;
    case IPV6_TCLASS:
        if (v < -1 || v > 255)
            return -EINVAL;
        v = ((v == -1 ? 0 : v) & ~3) | (c->tclass & 3);
        c->is_route_dropped |= v != c->tclass;
        c->tclass = (uint8_t)v;
        return 0;
    case IPV6_MTU_DISCOVER:
        return set_byte(v, IPV6_PMTUDISC_DONT, 5, &o->mtu_discover6);
    case IPV6_RECVERR:
        o->ipv6_recverr = v;
        set_bit(c, TCP_S_RECVERR, o->ip_recverr || o->ipv6_recverr);
        return 0;
    case IPV6_RECVTCLASS:
        o->recvtclass = v;
        return 0;
    case IPV6_RECVHOPLIMIT:
        o->recvhoplimit = v;
        return 0;
    case OPT_IPV6_MINHOPCOUNT:
        if (v < 0 || v > 255)
            return -EINVAL;
        o->min_hopcount = (uint8_t)v;
        return 0;
    case OPT_IPV6_FREEBIND:
        set_bit(c, TCP_S_FREEBIND, v);
        return 0;
    case OPT_IPV6_TRANSPARENT:
        o->transparent = v;
        return 0;
    case IPV6_MTU:
        return v && v < 1280 ? -EINVAL : 0;
    case IPV6_AUTOFLOWLABEL:
        o->autoflowlabel_off = !v;
        return 0;
    case OPT_IPV6_ADDR_PREFERENCES:
        return set_addr_preferences(o, v);
    case IPV6_MULTICAST_LOOP: /* kept and shown, of no use to a stream */
        if (v != 0 && v != 1)
            return -EINVAL;
        o->mc6_loop_off = !v;
        return 0;
    case OPT_IPV6_MULTICAST_ALL:
        o->mc6_all_off = !v;
        return 0;
    case OPT_IPV6_UNICAST_IF:
        return v ? -EADDRNOTAVAIL : 0;
    default:
        return -ENOPROTOOPT;
    }
}

int tcp_opts_get_ip6(TcpConn *c, int name, void *val, unsigned *len)
{
    const TcpOpts none = {.mtu_discover6 = IPV6_PMTUDISC_WANT}, *o = c->opts ? c->opts : &none;
    int v;

    if (kept6(name)) {
        v = (o->kept6 & kept6(name)) != 0;
        return tcp_opts_give(val, len, &v, sizeof(v));
    }
    switch (name) {
    case IPV6_V6ONLY:
        v = (c->sflags & TCP_S_V6ONLY) != 0;
        break;
    case IPV6_UNICAST_HOPS:
        v = o->unicast_hops ? o->unicast_hops : 64;
        break;
    case IPV6_TCLASS:
        v = c->tclass | c->ecn.snd_ect;
        break;
    case IPV6_MTU_DISCOVER:
        v = o->mtu_discover6;
        break;
    case IPV6_MTU:
        if (!has_route(c))
            return -ENOTCONN;
        v = (int)tcp_ip_mtu(c);
        break;
    case IPV6_RECVERR:
        v = o->ipv6_recverr;
        break;
    case IPV6_RECVTCLASS:
        v = o->recvtclass;
        break;
    case IPV6_RECVHOPLIMIT:
        v = o->recvhoplimit;
        break;
    case OPT_IPV6_MINHOPCOUNT:
        v = o->min_hopcount;
        break;
    case OPT_IPV6_FREEBIND:
        v = (c->sflags & TCP_S_FREEBIND) != 0;
        break;
    case OPT_IPV6_TRANSPARENT:
        v = o->transparent;
        break;
    case IPV6_AUTOFLOWLABEL:
        v = !o->autoflowlabel_off;
        break;
    case IPV6_MULTICAST_LOOP:
        v = !o->mc6_loop_off;
        break;
    case OPT_IPV6_MULTICAST_ALL:
        v = !o->mc6_all_off;
        break;
    case IPV6_MULTICAST_HOPS: /* as IP_MULTICAST_TTL */
        v = c->rx_ttl ? c->rx_ttl : 1;
        break;
    case OPT_IPV6_ADDR_PREFERENCES:
        v = addr_preferences(o);
        break;
    case IPV6_ADDRFORM:
        return c->state == TCP_ESTABLISHED ? -EADDRNOTAVAIL : -ENOTCONN;
    case IPV6_MULTICAST_IF:
    case OPT_IPV6_UNICAST_IF:
        v = 0;
        break;
    default:
        return -ENOPROTOOPT;
    }
    return tcp_opts_give(val, len, &v, sizeof(v));
}
