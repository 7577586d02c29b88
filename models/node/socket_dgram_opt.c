/* Options of datagram sockets (Linux sk_setsockopt, do_ip_setsockopt, as far as UDP and ICMP echo have them).
 */
#include <netinet/in.h>
#include <sys/ioctl.h>

#include "models/node/socket_dgram.h"
#include "models/tcp/tcp_sockopt.h"

static int set_timeout(SimTime *out, const void *val, unsigned len)
{
    int64_t tv[2];

    if (len < sizeof(tv))
        return -EINVAL;
    memcpy(tv, val, sizeof(tv));
    if (tv[1] < 0 || tv[1] >= 1000000)
        return -EDOM;
    *out = tv[0] < 0                         ? -1
           : tv[0] > INT64_MAX / SIM_SEC - 1 ? 0
                                             : tv[0] * SIM_SEC + (tv[1] + 999) / 1000 * SIM_MS;
    return 0;
}

static bool is_rcvtimeo(int name)
{
    return name == SO_RCVTIMEO || name == 66; /* SO_RCVTIMEO_NEW */
}

static bool is_sndtimeo(int name)
{
    return name == SO_SNDTIMEO || name == 67;
}

static uint32_t doubled(int val, uint32_t max, uint32_t min)
{
    uint32_t v = HS_MIN((uint32_t)val, max);

    return HS_MAX(2 * v, min);
}

static int set_socket(SockFile *f, int name, int val)
{
    const TcpSysctl *s = host_tcp_sysctl_get(f->sh->host);
    UdpSockOpt dummy, *o = f->dgram->udp ? udpsock_opt(f->dgram->udp) : &dummy;

    switch (name) {
    case SO_REUSEADDR:
        o->reuseaddr = val;
        return 0;
    case SO_REUSEPORT:
        o->reuseport = val;
        return 0;
    case SO_BROADCAST:
        o->broadcast = val;
        return 0;
    case SO_RCVBUF:
        o->rcvbuf = doubled(val, s->rmem_max, 2304);
        return 0;
    case SO_SNDBUF:
        o->sndbuf = doubled(val, s->wmem_max, 4608);
        return 0;
    case SO_SNDBUFFORCE:
        o->sndbuf = doubled(HS_MAX(val, 0), INT32_MAX / 2, 4608);
        return 0;
    case SO_RCVBUFFORCE:
        o->rcvbuf = doubled(HS_MAX(val, 0), INT32_MAX / 2, 2304);
        return 0;
    case SO_PRIORITY:
        f->dgram->priority = val;
        return 0;
    case SO_MARK:
        f->dgram->mark = val;
        return 0;
    case SO_RCVLOWAT: /* without effect on datagrams */
        f->dgram->rcvlowat = val < 0 ? INT32_MAX : HS_MAX(val, 1);
        return 0;
    case SO_KEEPALIVE:
    case SO_OOBINLINE:
    case SO_DONTROUTE:
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

static int set_ip(SockFile *f, int name, int val)
{
    Dgram *d = f->dgram;
    UdpSockOpt dummy, *o = d->udp ? udpsock_opt(d->udp) : &dummy;

    switch (name) {
    case IP_TOS:
        o->tos = d->tos = (uint8_t)val;
        return 0;
    case IP_TTL:
        if (val != -1 && (val < 1 || val > 255))
            return -EINVAL;
        o->ttl = d->ttl = val == -1 ? 0 : (uint8_t)val;
        return 0;
    case IP_MTU_DISCOVER:
        if (val < 0 || val > 5)
            return -EINVAL;
        o->mtu_discover = (uint8_t)val;
        return 0;
    case IP_RECVERR:
        o->recverr = d->recverr = val;
        return 0;
    case IP_RECVTOS:
        d->recvtos = val;
        return 0;
    case IP_RECVTTL:
        d->recvttl = val;
        return 0;
    case IP_FREEBIND:
    case IP_TRANSPARENT:
    case IP_BIND_ADDRESS_NO_PORT:
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

enum {
    OPT_UDP_CORK = 1,
    OPT_UDP_ENCAP = 100,
    OPT_UDP_NO_CHECK6_TX,
    OPT_UDP_NO_CHECK6_RX,
    OPT_UDP_SEGMENT,
    OPT_UDP_GRO
};

/* udp_lib_setsockopt */
static int set_udp(Dgram *d, int name, int val)
{
    switch (name) {
    case OPT_UDP_CORK:
        d->has_cork = val;
        if (!val)
            dgram_push_corked(d);
        return 0;
    case OPT_UDP_SEGMENT:
        if (val < 0 || val > UINT16_MAX)
            return -EINVAL;
        d->gso_size = val;
        return 0;
    case OPT_UDP_NO_CHECK6_TX:
    case OPT_UDP_NO_CHECK6_RX:
    case OPT_UDP_GRO:
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

static int get_udp(const Dgram *d, int name, int *v)
{
    *v = name == OPT_UDP_CORK ? d->has_cork : name == OPT_UDP_SEGMENT ? d->gso_size : 0;
    return name == OPT_UDP_CORK || (name >= OPT_UDP_ENCAP && name <= OPT_UDP_GRO) ? 0 : -ENOPROTOOPT;
}

/* IP_MTU: of the route to the peer. */
static int get_mtu(const Dgram *d, int *v)
{
    Ip4Flow f;

    if (!d->udp || !udpsock_peer(d->udp).port || ip4_route_get(d->ip, udpsock_peer(d->udp).ip, 0, NULL, &f))
        return -ENOTCONN;
    *v = (int)f.mtu;
    return 0;
}

int dgram_setsockopt(SockFile *f, int level, int name, const void *val, unsigned len)
{
    uint64_t bit;
    int v = 0;

    if (!val && len)
        return -EFAULT;
    if (level == SOL_SOCKET && is_rcvtimeo(name))
        return set_timeout(&f->dgram->rcvtimeo_ns, val, len);
    if (level == SOL_SOCKET && is_sndtimeo(name)) /* kept: sending never waits */
        return set_timeout(&f->dgram->sndtimeo_ns, val, len);
    if (level == SOL_SOCKET && name == SO_LINGER) {
        if (len < sizeof(struct linger))
            return -EINVAL;
        memcpy(&f->dgram->linger, val, sizeof(struct linger));
        return 0;
    }
    if (len < (level == IPPROTO_IP ? 1 : sizeof(int)))
        return -EINVAL;
    if (len >= sizeof(int))
        memcpy(&v, val, sizeof(int));
    else
        v = *(const uint8_t *)val;
    bit = tcp_opts_kept(level, name);
    if (bit) {
        uint64_t *kept = &f->dgram->kept[level == IPPROTO_IP];

        *kept = v ? *kept | bit : *kept & ~bit;
        if (level == SOL_SOCKET && name == SO_NO_CHECK && f->dgram->udp)
            udpsock_opt(f->dgram->udp)->no_check = v;
        return 0;
    }
    switch (level) {
    case SOL_SOCKET:
        return set_socket(f, name, v);
    case IPPROTO_IP:
        return set_ip(f, name, v);
    case IPPROTO_UDP:
        return f->dgram->udp ? set_udp(f->dgram, name, v) : -ENOPROTOOPT;
    case IPPROTO_IPV6:
        return f->is_v6 && (name == IPV6_V6ONLY || name == IPV6_RECVERR) ? 0 : -ENOPROTOOPT;
    default:
        return -ENOPROTOOPT;
    }
}

static int get_value(SockFile *f, int level, int name, int *v)
{
    Dgram *d = f->dgram;
    const UdpSockOpt none = {.mtu_discover = UDP_PMTUDISC_WANT};
    const UdpSockOpt *o = d->udp ? udpsock_opt(d->udp) : &none;

    if (level == SOL_SOCKET) {
        switch (name) {
        case SO_ERROR:
            *v = d->udp ? udpsock_take_error(d->udp) : d->err;
            d->err = 0;
            return 0;
        case SO_TYPE:
            *v = SOCK_DGRAM;
            return 0;
        case SO_PROTOCOL:
            *v = d->udp ? IPPROTO_UDP : IPPROTO_ICMP;
            return 0;
        case SO_DOMAIN:
            *v = f->is_v6 ? AF_INET6 : AF_INET;
            return 0;
        case SO_RCVBUF:
            *v = (int)o->rcvbuf;
            return 0;
        case SO_SNDBUF:
            *v = (int)o->sndbuf;
            return 0;
        case SO_REUSEADDR:
            *v = o->reuseaddr;
            return 0;
        case SO_REUSEPORT:
            *v = o->reuseport;
            return 0;
        case SO_BROADCAST:
            *v = o->broadcast;
            return 0;
        case SO_ACCEPTCONN:
        case SO_KEEPALIVE:
        case SO_OOBINLINE:
        case SO_DONTROUTE:
            *v = 0;
            return 0;
        case SO_PRIORITY:
            *v = d->priority;
            return 0;
        case SO_MARK:
            *v = d->mark;
            return 0;
        case SO_RCVLOWAT:
            *v = d->rcvlowat;
            return 0;
        case SO_SNDLOWAT:
            *v = 1;
            return 0;
        case SO_BPF_EXTENSIONS:
            *v = 64;
            return 0;
        default:
            return -ENOPROTOOPT;
        }
    }
    if (level == IPPROTO_UDP && d->udp)
        return get_udp(d, name, v);
    if (level != IPPROTO_IP)
        return level == IPPROTO_IPV6 && f->is_v6 ? -ENOPROTOOPT : -EOPNOTSUPP;
    switch (name) {
    case IP_MTU:
        return get_mtu(d, v);
    case IP_TOS:
        *v = d->udp ? o->tos : d->tos;
        return 0;
    case IP_TTL:
        *v = o->ttl ? o->ttl : d->ttl ? d->ttl : ip4_sysctl_get(d->ip)->ip_default_ttl;
        return 0;
    case IP_MTU_DISCOVER:
        *v = o->mtu_discover;
        return 0;
    case IP_RECVERR:
        *v = d->udp ? o->recverr : d->recverr;
        return 0;
    case IP_RECVTOS:
        *v = d->recvtos;
        return 0;
    case IP_RECVTTL:
        *v = d->recvttl;
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

int dgram_getsockopt(SockFile *f, int level, int name, void *val, unsigned *len)
{
    uint64_t bit;
    int v = 0, err = 0;

    if ((int)*len < 0)
        return -EINVAL;
    if (!val && *len)
        return -EFAULT;
    if (level == SOL_SOCKET && (is_rcvtimeo(name) || is_sndtimeo(name))) {
        SimTime t = is_rcvtimeo(name) ? f->dgram->rcvtimeo_ns : f->dgram->sndtimeo_ns;
        int64_t tv[2] = {HS_MAX(t, 0) / SIM_SEC, HS_MAX(t, 0) % SIM_SEC / 1000};

        return tcp_opts_give(val, len, tv, sizeof(tv));
    }
    if (level == SOL_SOCKET && name == SO_LINGER)
        return tcp_opts_give(val, len, &f->dgram->linger, sizeof(struct linger));
    if (level == SOL_SOCKET && name == SO_MEMINFO) {
        UdpSock *u = f->dgram->udp;
        uint32_t m[SK_MEM_VARS] = {0};

        m[SK_MEM_RMEM_ALLOC] = u ? udpsock_rmem(u) : 0;
        m[SK_MEM_RCVBUF] = u ? udpsock_opt(u)->rcvbuf : 212992;
        m[SK_MEM_SNDBUF] = u ? udpsock_opt(u)->sndbuf : 212992;
        m[SK_MEM_DROPS] = u ? (uint32_t)udpsock_drops(u) : 0;
        return tcp_opts_give(val, len, m, sizeof(m));
    }
    bit = tcp_opts_kept(level, name);
    if (bit)
        v = (f->dgram->kept[level == IPPROTO_IP] & bit) != 0;
    else
        err = get_value(f, level, name, &v);
    if (err)
        return err;
    *len = HS_MIN(*len, (unsigned)sizeof(v));
    memcpy(val, &v, *len);
    return 0;
}

int dgram_ioctl(SockFile *f, unsigned long cmd, int *out)
{
    Dgram *d = f->dgram;

    switch (cmd) {
    case FIONREAD:
        *out = d->peeked ? (int)d->peeked_info.len
               : d->udp  ? (int)udpsock_first_len(d->udp)
               : d->n    ? (int)packet_len(d->queue[d->head].pkt)
                         : 0;
        return 0;
    case TIOCOUTQ:
        *out = 0; /* datagrams leave at once */
        return 0;
    default:
        return -ENOTTY;
    }
}
