/* Datagram sockets: UDP (by models/udp) and ICMP echo (Linux net/ipv4/ping.c: the kernel fills in identifier
 * and checksum, and hands up the replies to that identifier). An AF_INET6 socket speaks IPv4 by mapped
 * addresses. */
#include <netinet/in.h>
#include <sys/ioctl.h>

#include "models/node/socket_priv.h"
#include "models/tcp/tcp_sockopt.h"
#include "sim/packet/checksum.h"

#define PING_QUEUE 64

typedef struct PingWaiting {
    Packet *pkt; /* head at the ICMP header */
    uint32_t from;
    uint8_t ttl, tos;
} PingWaiting;

struct Dgram {
    SockFile *file;
    Ip4 *ip;
    UdpSock *udp; /* NULL: ICMP */
    /* ICMP */
    uint16_t id; /* 0: not bound yet */
    uint32_t local, peer;
    PingWaiting queue[PING_QUEUE];
    unsigned head, n;
    int err;
    bool recverr;
    uint8_t ttl, tos;
    /* both */
    bool recvtos, recvttl;
    uint8_t shut; /* 1 receive, 2 send */
    SimTime rcvtimeo_ns, sndtimeo_ns;
    uint64_t kept[2]; /* tcp_opts_kept */
    int priority, mark, rcvlowat;
    struct linger linger;
};

/* ---- life ---- */

static void on_udp_wake(void *user, UdpSock *s)
{
    (void)s;
    sockfile_wake(user, EPOLLIN | EPOLLRDNORM | EPOLLERR);
}

SockFile *dgram_new(SockHost *sh, bool is_ping, bool is_v6, int oflags)
{
    SockFile *f = sockfile_new(sh, is_ping ? FILE_PING : FILE_UDP, oflags | O_RDWR);
    Dgram *d = g_new0(Dgram, 1);

    f->is_v6 = is_v6;
    f->dgram = d;
    d->file = f;
    d->rcvlowat = 1;
    d->ip = host_ip4(sh->host);
    if (!is_ping) {
        d->udp = udpsock_new(host_udp(sh->host));
        udpsock_on_wake(d->udp, on_udp_wake, f);
    }
    return f;
}

static bool ping_pop(Dgram *d, PingWaiting *out)
{
    if (!d->n)
        return false;
    *out = d->queue[d->head];
    d->head = (d->head + 1) % PING_QUEUE;
    d->n--;
    return true;
}

void dgram_free(SockFile *f)
{
    Dgram *d = f->dgram;
    PingWaiting w;

    if (!d)
        return;
    if (d->udp)
        udpsock_close(d->udp);
    if (d->id)
        icmp4_echo_close(d->ip, d->id);
    while (ping_pop(d, &w))
        packet_unref(w.pkt);
    g_free(d);
    f->dgram = NULL;
}

unsigned dgram_poll(const SockFile *f)
{
    const Dgram *d = f->dgram;
    unsigned mask = EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;

    if (d->udp ? udpsock_readable(d->udp) : d->n != 0)
        mask |= EPOLLIN | EPOLLRDNORM;
    if (d->err)
        mask |= EPOLLERR;
    if (d->shut & 1)
        mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
    if (d->shut == 3)
        mask |= EPOLLHUP;
    return mask;
}

/* ---- addresses ---- */

static int take_udp_addr(const SockFile *f, const SockAddr *a, UdpAddr *out)
{
    InetEndpoint e;
    int err;

    /* RFC 3493: a socket of the new family is told the old family's address in its mapped form. */
    err = sock_take_addr(f, a, &e);
    if (err)
        return err;
    if (f->is_v6 && !inet_is_ip4(&e.addr) && !inet_is_any(&e.addr))
        return -ENETUNREACH;
    *out = (UdpAddr){inet_is_ip4(&e.addr) ? inet_ip4(&e.addr) : 0, e.port};
    return 0;
}

static SockAddr give_udp_addr(const SockFile *f, uint32_t ip, uint16_t port)
{
    InetEndpoint e = {.addr = inet_from_ip4(ip), .port = port};

    if (f->is_v6 && !ip)
        e.addr = (InetAddr){{0}};
    return sock_give_addr(f, &e);
}

static void on_ping_reply(void *user, Packet *reply, const Ip4Rx *rx)
{
    Dgram *d = user;

    if (d->n == PING_QUEUE || (d->peer && d->peer != rx->src)) {
        packet_unref(reply);
        return;
    }
    d->queue[(d->head + d->n++) % PING_QUEUE] = (PingWaiting){reply, rx->src, rx->ttl, rx->tos};
    sockfile_wake(d->file, EPOLLIN | EPOLLRDNORM);
}

static void on_ping_error(void *user, const Ip4Error *e)
{
    Dgram *d = user;

    if (!d->recverr && !e->hard)
        return;
    d->err = e->err;
    sockfile_wake(d->file, EPOLLERR);
}

static int ping_open(Dgram *d, uint16_t id)
{
    if (d->id)
        return 0;
    d->id = icmp4_echo_open(d->ip, id, on_ping_reply, on_ping_error, d);
    return d->id ? 0 : -EADDRINUSE;
}

int dgram_bind(SockFile *f, const SockAddr *a)
{
    Dgram *d = f->dgram;
    UdpAddr u;
    int err = take_udp_addr(f, a, &u);

    if (err)
        return err;
    if (d->udp)
        return udpsock_bind(d->udp, u);
    if (d->id)
        return -EINVAL;
    if (u.ip && !ip4_is_local(d->ip, u.ip))
        return -EADDRNOTAVAIL;
    err = ping_open(d, u.port);
    if (!err)
        d->local = u.ip;
    return err;
}

int dgram_connect(SockFile *f, const SockAddr *a)
{
    Dgram *d = f->dgram;
    UdpAddr u = {0};
    int err = 0;

    if (a->family != AF_UNSPEC)
        err = take_udp_addr(f, a, &u);
    if (err)
        return err;
    if (d->udp)
        return udpsock_connect(d->udp, u);
    d->peer = u.ip;
    return u.ip ? ping_open(d, 0) : 0;
}

bool dgram_name(SockFile *f, bool is_peer, SockAddr *out)
{
    Dgram *d = f->dgram;

    if (d->udp) {
        UdpAddr u = is_peer ? udpsock_peer(d->udp) : udpsock_local(d->udp);

        *out = give_udp_addr(f, u.ip, u.port);
        return !is_peer || u.port;
    }
    *out = give_udp_addr(f, is_peer ? d->peer : d->local, is_peer ? 0 : d->id);
    return !is_peer || d->peer;
}

int dgram_shutdown(SockFile *f, int how)
{
    UdpAddr peer;

    if (how < 0 || how > 2)
        return -EINVAL;
    f->dgram->shut |= (uint8_t)(how + 1);
    sockfile_wake(f, EPOLLIN | EPOLLRDNORM | EPOLLRDHUP | EPOLLHUP);
    if (!f->dgram->udp)
        return f->dgram->peer ? 0 : -ENOTCONN;
    peer = udpsock_peer(f->dgram->udp);
    return peer.port ? 0 : -ENOTCONN;
}

/* ---- sending ---- */

/* The bytes of the call in one place; *free_me: to be freed by the caller. */
static const uint8_t *in_one_place(const SockCall *c, size_t total, uint8_t **free_me)
{
    struct iovec one;
    const struct iovec *iov;
    unsigned n = sockcall_iov(c, &one, &iov);
    uint8_t *p;

    *free_me = NULL;
    if (c->payload == SOCK_SYNTHETIC) {
        *free_me = p = g_malloc(HS_MAX(total, (size_t)1));
        payload_fill(p, c->synthetic_off, total);
        return p;
    }
    if (n == 1 && iov[0].iov_base)
        return iov[0].iov_base;
    *free_me = p = g_malloc(HS_MAX(total, (size_t)1));
    for (unsigned i = 0; i < n; i++) {
        if (iov[i].iov_len)
            memcpy(p, iov[i].iov_base, iov[i].iov_len);
        p += iov[i].iov_len;
    }
    return *free_me;
}

static void take_send_cmsgs(const SockCall *c, UdpSend *m)
{
    for (unsigned i = 0; c->op == SYS_SENDMSG && i < c->n_cmsgs; i++) {
        const SockCmsg *g = &c->cmsgs[i];
        int v = 0;

        memcpy(&v, g->data, HS_MIN((size_t)g->len, sizeof(v)));
        if ((g->level == IPPROTO_IP && g->type == IP_TOS) ||
            (g->level == IPPROTO_IPV6 && g->type == IPV6_TCLASS)) {
            m->tos = (uint8_t)v;
            m->has_tos = true;
        } else if ((g->level == IPPROTO_IP && g->type == IP_TTL) ||
                   (g->level == IPPROTO_IPV6 && g->type == IPV6_HOPLIMIT)) {
            m->ttl = (uint8_t)v;
        }
    }
}

static int udp_send(SockCall *c, SockFile *f, size_t total)
{
    const SockAddr *to = c->op == SYS_SENDTO || c->op == SYS_SENDMSG ? c->addr : NULL;
    UdpAddr addr;
    UdpSend m = {.len = (uint32_t)total, .synthetic_off = c->synthetic_off};
    uint8_t *free_me = NULL;
    int err;

    if (total > 65535)
        return -EMSGSIZE;
    if (to && to->family != AF_UNSPEC) {
        err = take_udp_addr(f, to, &addr);
        if (err)
            return err;
        m.to = &addr;
    }
    take_send_cmsgs(c, &m);
    if (c->payload == SOCK_BYTES || !total)
        m.bytes = in_one_place(c, total, &free_me);
    err = udpsock_send(f->dgram->udp, &m);
    g_free(free_me);
    return err;
}

static int ping_send(SockCall *c, SockFile *f, size_t total)
{
    Dgram *d = f->dgram;
    const SockAddr *to = c->op == SYS_SENDTO || c->op == SYS_SENDMSG ? c->addr : NULL;
    Ip4Tx tx = {.proto = IP_PROTO_ICMP, .dst = d->peer, .src = d->local, .ttl = d->ttl, .tos = d->tos};
    uint8_t *free_me;
    const uint8_t *p;
    UdpAddr addr;
    Packet *pkt;
    int err;

    if (total < ICMP_HDR_LEN)
        return -EINVAL;
    if (total > 65535 - IPV4_MIN_HDR_LEN)
        return -EMSGSIZE;
    if (to) {
        err = take_udp_addr(f, to, &addr);
        if (err)
            return err;
        tx.dst = addr.ip;
    }
    if (!tx.dst)
        return -EDESTADDRREQ;
    err = ping_open(d, 0);
    if (err)
        return err;
    p = in_one_place(c, total, &free_me);
    if (p[0] != ICMP_ECHO || p[1] != 0) {
        g_free(free_me);
        return -EINVAL;
    }
    pkt = packet_new(ip4_pool(d->ip), ip4_node(d->ip)->id, ip4_node(d->ip)->birth_next++, PKT_HEADROOM);
    memcpy(packet_put(pkt, ICMP_HDR_LEN), p, ICMP_HDR_LEN);
    wire_put16(packet_data(pkt) + ICMP_CHECKSUM_OFF, 0);
    wire_put16(packet_data(pkt) + 4, d->id);
    pkt->l4 = pkt->head;
    packet_add_bytes(pkt, p + ICMP_HDR_LEN, total - ICMP_HDR_LEN);
    g_free(free_me);
    return icmp4_send_query(d->ip, pkt, &tx);
}

bool dgram_write(SockCall *c, SockFile *f)
{
    size_t total = sockcall_total(c);
    int err;

    if (f->dgram->shut & 2) {
        c->sigpipe = !(c->flags & MSG_NOSIGNAL);
        return sockcall_end(c, -EPIPE);
    }
    if (c->op != SYS_WRITE && c->op != SYS_WRITEV && c->flags & MSG_OOB)
        return sockcall_end(c, -EOPNOTSUPP);
    if (total && sockcall_is_fault(c))
        return sockcall_end(c, -EFAULT);
    err = f->kind == FILE_UDP ? udp_send(c, f, total) : ping_send(c, f, total);
    return sockcall_end(c, err < 0 ? err : (int64_t)total);
}

/* ---- receiving ---- */

static void store_packet(SockCall *c, const Packet *p, size_t total, uint32_t len)
{
    uint32_t n = (uint32_t)HS_MIN((size_t)len, total);
    PktChunk *chunk = pktchunk_new(n);
    PktSlice s = {chunk, 0, n};

    packet_copy_raw(p, 0, chunk->bytes, n);
    if (c->payload == SOCK_BYTES)
        sockcall_store(c, 0, &s);
    else if (c->take)
        c->take(c->user, &s);
    pktchunk_unref(chunk);
}

static void give_cmsgs(SockCall *c, const SockFile *f, uint8_t ttl, uint8_t tos)
{
    unsigned n = 0;
    int v = ttl;

    if (c->op != SYS_RECVMSG)
        return;
    if (f->dgram->recvttl)
        sockcall_give_cmsg(c, &n, IPPROTO_IP, IP_TTL, &v, sizeof(v));
    if (f->dgram->recvtos)
        sockcall_give_cmsg(c, &n, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
    c->n_cmsgs = n;
}

/* The next datagram, or -errno. */
static int next(SockFile *f, Packet **pkt, UdpRecv *info)
{
    Dgram *d = f->dgram;
    PingWaiting w;

    if (d->udp)
        return udpsock_recv_packet(d->udp, pkt, info);
    if (d->err) {
        int err = -d->err;

        d->err = 0;
        return err;
    }
    if (!ping_pop(d, &w))
        return -EAGAIN;
    *pkt = w.pkt;
    *info = (UdpRecv){.from = {w.from, 0}, .len = packet_len(w.pkt), .tos = w.tos, .ttl = w.ttl};
    return (int)info->len;
}

bool dgram_read(SockCall *c, SockFile *f)
{
    bool plain = c->op == SYS_READ || c->op == SYS_READV;
    int flags = plain ? 0 : c->flags, len;
    size_t total = sockcall_total(c);
    UdpRecv info;
    Packet *p;

    if (flags & MSG_ERRQUEUE)
        return sockcall_end(c, -EAGAIN);
    len = next(f, &p, &info);
    if (len == -EAGAIN) {
        SimTime timeo = f->dgram->rcvtimeo_ns;

        if (f->dgram->shut & 1)
            return sockcall_end(c, 0);
        if (c->p.timed_out || timeo < 0 || !sockcall_may_sleep(c, f, flags))
            return sockcall_end(c, -EAGAIN);
        return sockcall_sleep_on(c, f, timeo);
    }
    if (len < 0)
        return sockcall_end(c, len);
    c->addr_out = give_udp_addr(f, info.from.ip, info.from.port);
    c->has_addr_out = true;
    if (len && total && sockcall_is_fault(c)) {
        packet_unref(p);
        return sockcall_end(c, -EFAULT);
    }
    store_packet(c, p, total, (uint32_t)len);
    packet_unref(p);
    give_cmsgs(c, f, info.ttl, info.tos);
    if ((size_t)len > total) {
        c->msg_flags |= MSG_TRUNC;
        return sockcall_end(c, flags & MSG_TRUNC ? len : (int64_t)total);
    }
    return sockcall_end(c, len);
}

/* ---- options ---- */

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
    const TcpSysctl *s = host_tcp_sysctl(f->sh->host);
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
    if (level != IPPROTO_IP)
        return level == IPPROTO_IPV6 && f->is_v6 ? -ENOPROTOOPT : -EOPNOTSUPP;
    switch (name) {
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
        *out = d->udp ? (int)udpsock_first_len(d->udp) : d->n ? (int)packet_len(d->queue[d->head].pkt) : 0;
        return 0;
    case TIOCOUTQ:
        *out = 0; /* datagrams leave at once */
        return 0;
    default:
        return -ENOTTY;
    }
}
