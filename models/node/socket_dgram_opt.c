/* Options of datagram sockets (Linux sk_setsockopt, udp_lib_setsockopt, raw_setsockopt). Those of SOL_IP and
 * SOL_IPV6 are next door. */
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
    UdpSockOpt *o = dgram_opt(f->dgram);

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

enum { OPT_ICMP_FILTER = 1, OPT_ICMPV6_FILTER = 1, OPT_SOL_RAW = 255 };

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
            dgram_udp_push(d);
        return 0;
    case OPT_UDP_SEGMENT:
        if (val < 0 || val > UINT16_MAX)
            return -EINVAL;
        d->gso_size = val;
        return 0;
    case OPT_UDP_NO_CHECK6_TX:
        if (d->file->is_v6)
            udp6sock_opt(d->udp)->no_check_tx = val;
        return 0;
    case OPT_UDP_NO_CHECK6_RX:
        if (d->file->is_v6)
            udp6sock_opt(d->udp)->no_check_rx = val;
        return 0;
    case OPT_UDP_GRO:
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

static int get_udp(const Dgram *d, int name, int *v)
{
    const Udp6SockOpt *o6 = d->file->is_v6 ? udp6sock_opt(d->udp) : NULL;

    if (o6 && (name == OPT_UDP_NO_CHECK6_TX || name == OPT_UDP_NO_CHECK6_RX)) {
        *v = name == OPT_UDP_NO_CHECK6_TX ? o6->no_check_tx : o6->no_check_rx;
        return 0;
    }
    *v = name == OPT_UDP_CORK ? d->has_cork : name == OPT_UDP_SEGMENT ? d->gso_size : 0;
    return name == OPT_UDP_CORK || (name >= OPT_UDP_ENCAP && name <= OPT_UDP_GRO) ? 0 : -ENOPROTOOPT;
}

/* Unlike a TCP socket, a datagram socket hands it over. */
static bool is_pktinfo(int level, int name)
{
    return level == IPPROTO_IP && name == IP_PKTINFO;
}

/* SOL_RAW: ICMP_FILTER, and IPV6_CHECKSUM, which means what it does at SOL_IPV6. */
static int set_raw(Dgram *d, int name, const void *val, unsigned len)
{
    if (!d->file->is_v6 && d->protocol == IPPROTO_ICMP && name == OPT_ICMP_FILTER) {
        memcpy(d->filter, val, HS_MIN(len, (unsigned)sizeof(d->filter[0])));
        return 0;
    }
    if (d->file->is_v6 && name == IPV6_CHECKSUM && len >= sizeof(int)) {
        int v;

        memcpy(&v, val, sizeof(v));
        if (d->protocol == IPPROTO_ICMPV6) /* the same value may be set */
            return v == d->checksum_off ? 0 : -EINVAL;
        return dgram_set_ip6(d, name, v);
    }
    return d->protocol == IPPROTO_ICMP ? -ENOPROTOOPT : -EOPNOTSUPP;
}

static int get_raw(Dgram *d, int name, void *val, unsigned *len)
{
    int err = d->protocol == IPPROTO_ICMP ? -ENOPROTOOPT : -EOPNOTSUPP;

    if (!d->file->is_v6 && d->protocol == IPPROTO_ICMP && name == OPT_ICMP_FILTER)
        return tcp_opts_give(val, len, d->filter, sizeof(d->filter[0]));
    if (d->file->is_v6 && name == IPV6_CHECKSUM)
        return tcp_opts_give(val, len, &d->checksum_off, sizeof(int));
    return err;
}

/* ICMPV6_FILTER */
static bool is_icmp6_filter(const Dgram *d, int level, int name)
{
    return d->tap && d->file->is_v6 && d->protocol == IPPROTO_ICMPV6 && level == IPPROTO_ICMPV6 &&
           name == OPT_ICMPV6_FILTER;
}

int dgram_setsockopt(SockFile *f, int level, int name, const void *val, unsigned len)
{
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
    if (is_icmp6_filter(f->dgram, level, name)) {
        memcpy(f->dgram->filter, val, HS_MIN(len, (unsigned)sizeof(f->dgram->filter)));
        return 0;
    }
    if (f->dgram->tap && level == OPT_SOL_RAW)
        return set_raw(f->dgram, name, val, len);
    if (len < (level == IPPROTO_IP ? 1 : sizeof(int)))
        return -EINVAL;
    if (len >= sizeof(int))
        memcpy(&v, val, sizeof(int));
    else
        v = *(const uint8_t *)val;
    if (!is_pktinfo(level, name) && tcp_opts_keep(&f->dgram->kept[level == IPPROTO_IP], level, name, v)) {
        if (level == SOL_SOCKET && name == SO_NO_CHECK && f->dgram->udp)
            udpsock_opt(f->dgram->udp)->no_check = v;
        return 0;
    }
    switch (level) {
    case SOL_SOCKET:
        return set_socket(f, name, v);
    case IPPROTO_IP:
        return dgram_set_ip(f->dgram, name, v);
    case IPPROTO_UDP:
        return f->dgram->udp ? set_udp(f->dgram, name, v) : -ENOPROTOOPT;
    case IPPROTO_IPV6:
        return f->is_v6 ? dgram_set_ip6(f->dgram, name, v) : -ENOPROTOOPT;
    default:
        return -ENOPROTOOPT;
    }
}

static int get_value(SockFile *f, int level, int name, int *v)
{
    Dgram *d = f->dgram;
    const UdpSockOpt *o = dgram_opt(d);

    if (level == SOL_SOCKET) {
        switch (name) {
        case SO_ERROR:
            *v = dgram_error(d);
            dgram_set_error(d, 0);
            return 0;
        case SO_TYPE:
            *v = f->kind == FILE_RAW ? SOCK_RAW : SOCK_DGRAM;
            return 0;
        case SO_PROTOCOL:
            *v = d->udp ? IPPROTO_UDP : d->tap ? d->protocol : f->is_v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
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
    if (level == IPPROTO_IPV6 && f->is_v6)
        return dgram_get_ip6(d, name, v);
    if (level == IPPROTO_IP)
        return dgram_get_ip(d, name, v);
    return f->is_v6 ? -ENOPROTOOPT : -EOPNOTSUPP; /* ipv6_getsockopt, ip_getsockopt */
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
    if (is_icmp6_filter(f->dgram, level, name))
        return tcp_opts_give(val, len, f->dgram->filter, sizeof(f->dgram->filter));
    if (f->dgram->tap && level == OPT_SOL_RAW)
        return get_raw(f->dgram, name, val, len);
    if (level == SOL_SOCKET && name == SO_MEMINFO) {
        UdpSock *u = f->dgram->udp;
        uint32_t m[SK_MEM_VARS] = {0};

        m[SK_MEM_RMEM_ALLOC] = u ? udpsock_rmem(u) : f->dgram->rmem;
        m[SK_MEM_RCVBUF] = dgram_opt(f->dgram)->rcvbuf;
        m[SK_MEM_SNDBUF] = dgram_opt(f->dgram)->sndbuf;
        m[SK_MEM_DROPS] = u ? (uint32_t)udpsock_drops(u) : f->dgram->drops;
        return tcp_opts_give(val, len, m, sizeof(m));
    }
    bit = is_pktinfo(level, name) ? 0 : tcp_opts_kept(level, name);
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

/* udp_ioctl, raw_ioctl; ICMP echo has none. */
int dgram_ioctl(SockFile *f, unsigned long cmd, int *out)
{
    Dgram *d = f->dgram;
    const DgramWaiting *first = d->udp ? NULL : g_queue_peek_head(&d->queue);

    if (f->kind == FILE_PING)
        return -ENOTTY;
    switch (cmd) {
    case FIONREAD:
        *out = d->peeked ? (int)d->peeked_info.len
               : d->udp  ? (int)udpsock_first_len(d->udp)
               : first   ? (int)first->info.len
                         : 0;
        return 0;
    case TIOCOUTQ:
        *out = 0; /* datagrams leave at once */
        return 0;
    default:
        return -ENOTTY;
    }
}
