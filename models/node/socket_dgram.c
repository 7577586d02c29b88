/* Datagram sockets, as far as UDP, ICMP echo and raw sockets are alike: life, addresses, the error queue and
 * reading (Linux inet_dgram_ops, sock_queue_err_skb, ip_recv_error, udp_recvmsg, raw_recvmsg). */
#include "models/node/socket_dgram.h"

#include <netinet/in.h>

#include "models/tcp/tcp_errq.h"
#include "models/wire/icmp6.h"

enum { ORIGIN_LOCAL = 1, ORIGIN_ICMP = 2, ORIGIN_ICMP6 = 3 }; /* SO_EE_ORIGIN_* */

#define ERR_TRUESIZE 832 /* an ICMP message in a small skb head */

struct DgramErr {
    DgramErr *next;
    TcpErrMsg *m;
    DgramInfo how; /* the ICMP message came; from a local error nothing is known */
    bool is_local;
};

/* ---- life ---- */

SockFile *dgram_new(SockHost *sh, FileKind kind, bool is_v6, int oflags, int protocol)
{
    SockFile *f = sockfile_new(sh, kind, oflags | O_RDWR);
    Dgram *d = g_new0(Dgram, 1);

    f->is_v6 = is_v6;
    f->dgram = d;
    d->file = f;
    d->rcvlowat = 1;
    d->mcast_hops6 = 1;
    d->ip = host_ip4(sh->host);
    if (kind == FILE_UDP) {
        dgram_udp_open(d, sh);
        return f;
    }
    d->own = (UdpSockOpt){.rcvbuf = 212992, .sndbuf = 212992, .mtu_discover = PMTUDISC_WANT};
    d->own6.mtu_discover = PMTUDISC_WANT;
    d->own6.hop_limit = -1;
    d->checksum_off = -1;
    g_queue_init(&d->queue);
    if (kind == FILE_RAW)
        dgram_raw_open(d, protocol);
    return f;
}

void dgram_free(SockFile *f)
{
    Dgram *d = f->dgram;

    if (!d)
        return;
    if (d->udp)
        udpsock_close(d->udp);
    else
        dgram_icmp_close(d);
    dgram_purge_errors(d);
    packet_unref(d->peeked);
    if (d->corked)
        g_byte_array_free(d->corked, TRUE);
    g_free(d);
    f->dgram = NULL;
}

UdpSockOpt *dgram_opt(Dgram *d)
{
    return d->udp ? udpsock_opt(d->udp) : &d->own;
}

Udp6SockOpt *dgram_opt6(Dgram *d)
{
    return d->udp ? udp6sock_opt(d->udp) : &d->own6;
}

unsigned dgram_poll(const SockFile *f)
{
    const Dgram *d = f->dgram;
    unsigned mask = EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;

    /* udp_poll: an error makes nothing readable */
    if (d->peeked || (d->udp ? udpsock_waiting(d->udp) : d->queue.length != 0))
        mask |= EPOLLIN | EPOLLRDNORM;
    if (dgram_error(d) || d->errq_head)
        mask |= EPOLLERR;
    if (d->shut & 1)
        mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
    if (d->shut == 3)
        mask |= EPOLLHUP;
    return mask;
}

/* ---- errors ---- */

void dgram_wake_error(Dgram *d)
{
    sockfile_wake(d->file, EPOLLIN | EPOLLOUT | EPOLLERR);
}

int dgram_error(const Dgram *d)
{
    return d->udp ? udpsock_error(d->udp) : d->err;
}

void dgram_set_error(Dgram *d, int err)
{
    if (d->udp)
        udpsock_set_error(d->udp, err);
    else
        d->err = err;
}

/* sock_queue_err_skb. NULL: there is no room for it in the receive buffer, whose other tenants are the
 * datagrams. */
static TcpErrMsg *push_error(Dgram *d, int err, uint8_t origin, DgramErr **at)
{
    uint32_t used = d->n_errs * ERR_TRUESIZE + (d->udp ? udpsock_rmem(d->udp) : d->rmem);
    DgramErr *e;

    if (used + ERR_TRUESIZE >= dgram_opt(d)->rcvbuf)
        return NULL;
    e = *at = g_new0(DgramErr, 1);
    d->n_errs++;
    e->m = g_new0(TcpErrMsg, 1);
    e->m->ee_errno = (uint32_t)err;
    e->m->origin = origin;
    e->m->is_v6 = d->file->is_v6;
    if (d->errq_tail)
        d->errq_tail->next = e;
    else
        d->errq_head = e;
    d->errq_tail = e;
    return e->m;
}

void dgram_queue_error4(Dgram *d, const Ip4Error *e, uint32_t payload_len)
{
    DgramErr *at;
    TcpErrMsg *m = push_error(d, e->err, ORIGIN_ICMP, &at);

    if (!m)
        return;
    m->type = e->icmp_type;
    m->code = e->icmp_code;
    m->ee_info = e->mtu;
    m->offender = inet_from_ip4(e->reporter);
    m->has_offender = true;
    m->payload_len = payload_len;
    at->how = (DgramInfo){.to = inet_from_ip4(e->to),
                          .ttl = e->ttl,
                          .tos = e->tos,
                          .ifindex = e->in ? ip4_if_dev(e->in)->ifindex : 0};
}

void dgram_queue_error6(Dgram *d, const Ip6Error *e, uint32_t payload_len)
{
    DgramErr *at;
    TcpErrMsg *m = push_error(d, e->err, ORIGIN_ICMP6, &at);

    if (!m)
        return;
    m->type = e->icmp_type;
    m->code = e->icmp_code;
    m->ee_info = e->info;
    m->offender = inet_from_ip6(&e->reporter);
    m->has_offender = true;
    m->payload_len = payload_len;
    at->how = (DgramInfo){.to = inet_from_ip6(&e->to),
                          .ttl = e->hop_limit,
                          .tos = e->tclass,
                          .is_ip6 = true,
                          .ifindex = e->in ? ip4_if_dev(e->in)->ifindex : 0};
}

void dgram_queue_local_error(Dgram *d, int err, uint32_t mtu)
{
    DgramErr *at;
    TcpErrMsg *m = push_error(d, err, ORIGIN_LOCAL, &at);

    if (!m)
        return;
    m->ee_info = mtu;
    at->is_local = true;
    dgram_wake_error(d);
}

/* sock_dequeue_err_skb: the pending error is that of the ICMP message which is next. The caller's. */
static DgramErr *take_error(Dgram *d)
{
    DgramErr *e = d->errq_head, *next;

    if (!e)
        return NULL;
    d->n_errs--;
    d->errq_head = next = e->next;
    if (!next)
        d->errq_tail = NULL;
    if (next && !next->is_local)
        dgram_set_error(d, (int)next->m->ee_errno);
    else if (!e->is_local)
        dgram_set_error(d, 0);
    return e;
}

void dgram_purge_errors(Dgram *d)
{
    for (DgramErr *e = d->errq_head, *next; e; e = next) {
        next = e->next;
        g_free(e->m);
        g_free(e);
    }
    d->errq_head = d->errq_tail = NULL;
    d->n_errs = 0;
}

/* ---- addresses ---- */

/* RFC 3493: a socket of the new family may be given the old family's address, too; it is then a mapped one
 * (__ip6_datagram_connect, udpv6_sendmsg). */
int dgram_take_addr(const SockFile *f, const SockAddr *a, InetEndpoint *out)
{
    if (!a)
        return -EFAULT;
    *out = a->ep;
    out->is_v6 = a->family == AF_INET6;
    if (f->is_v6 ? a->family == AF_INET6 || (a->family == AF_INET && f->kind == FILE_UDP)
                 : a->family == AF_INET)
        return 0;
    return f->is_v6 && a->family == AF_INET ? -EINVAL : -EAFNOSUPPORT;
}

static UdpAddr addr4(const InetEndpoint *e)
{
    return (UdpAddr){inet_is_ip4(&e->addr) ? inet_ip4(&e->addr) : 0, e->port};
}

static UdpAddr6 addr6(const InetEndpoint *e)
{
    return (UdpAddr6){inet_ip6(&e->addr), e->port};
}

static InetEndpoint endpoint6(const UdpAddr6 *a)
{
    return (InetEndpoint){.addr = inet_from_ip6(&a->ip), .port = a->port, .is_v6 = true};
}

static InetEndpoint endpoint4(UdpAddr a)
{
    return (InetEndpoint){.addr = inet_from_ip4(a.ip), .port = a.port};
}

int dgram_bind(SockFile *f, const SockAddr *a)
{
    Dgram *d = f->dgram;
    InetEndpoint e;
    int err = sock_take_addr(f, a, &e);

    if (err)
        return err;
    if (!d->udp)
        return dgram_icmp_bind(d, &e);
    if (!f->is_v6)
        return udpsock_bind(d->udp, addr4(&e));
    return udp6sock_bind(d->udp, &(UdpAddr6){inet_ip6(&e.addr), e.port});
}

int dgram_connect(SockFile *f, const SockAddr *a)
{
    Dgram *d = f->dgram;
    InetEndpoint e;
    UdpAddr6 to;
    int err;

    if (a->family == AF_UNSPEC)
        return d->udp ? udpsock_connect(d->udp, (UdpAddr){0}) : dgram_icmp_connect(d, NULL);
    err = dgram_take_addr(f, a, &e);
    if (err)
        return err;
    if (!d->udp)
        return dgram_icmp_connect(d, &e);
    if (!f->is_v6)
        return udpsock_connect(d->udp, addr4(&e));
    if (!e.is_v6 && udp6sock_opt(d->udp)->is_v6only)
        return -EAFNOSUPPORT;
    to = addr6(&e);
    return udp6sock_connect(d->udp, &to);
}

bool dgram_name(SockFile *f, bool is_peer, SockAddr *out)
{
    Dgram *d = f->dgram;
    InetEndpoint e;

    if (d->udp && f->is_v6) {
        UdpAddr6 a = is_peer ? udp6sock_peer(d->udp) : udp6sock_local(d->udp);

        e = endpoint6(&a);
    } else if (d->udp) {
        e = endpoint4(is_peer ? udpsock_peer(d->udp) : udpsock_local(d->udp));
    } else {
        e = (InetEndpoint){.addr = is_peer ? d->peer : d->local, .port = is_peer ? 0 : d->id};
    }
    *out = sock_give_addr(f, &e);
    return !is_peer || (d->udp ? e.port != 0 : !inet_is_any(&d->peer));
}

int dgram_shutdown(SockFile *f, int how)
{
    Dgram *d = f->dgram;

    if (how < 0 || how > 2)
        return -EINVAL;
    d->shut |= (uint8_t)(how + 1);
    sockfile_wake(f, EPOLLIN | EPOLLRDNORM | EPOLLRDHUP | EPOLLHUP);
    if (!d->udp)
        return inet_is_any(&d->peer) ? -ENOTCONN : 0;
    return udpsock_peer(d->udp).port ? 0 : -ENOTCONN;
}

/* ---- sending ---- */

const uint8_t *dgram_bytes_of(const SockCall *c, size_t total, uint8_t **free_me)
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

/* ip_cmsg_send, ip6_datagram_send_ctl: each looks at its own level only. */
int dgram_take_cmsgs(const SockCall *c, bool is_ip6, DgramSendOpts *out)
{
    *out = (DgramSendOpts){0};
    for (unsigned i = 0; c->op == SYS_SENDMSG && i < c->n_cmsgs; i++) {
        const SockCmsg *g = &c->cmsgs[i];
        int v = 0;

        if (g->level != (is_ip6 ? IPPROTO_IPV6 : IPPROTO_IP))
            continue;
        memcpy(&v, g->data, HS_MIN((size_t)g->len, sizeof(v)));
        if (g->type == (is_ip6 ? IPV6_TCLASS : IP_TOS)) {
            if (v < (is_ip6 ? -1 : 0) || v > 255)
                return -EINVAL;
            out->has_tos = true; /* of IPv6, -1 becomes 255 and is no default */
            out->tos = (uint8_t)v;
        } else if (g->type == (is_ip6 ? IPV6_HOPLIMIT : IP_TTL)) {
            if (v < (is_ip6 ? -1 : 1) || v > 255)
                return -EINVAL;
            out->has_ttl = v >= 0;
            out->ttl = v < 0 ? 0 : (uint8_t)v;
        } else if (is_ip6 && g->type == IPV6_DONTFRAG) {
            if (v < 0 || v > 1)
                return -EINVAL;
            out->dontfrag = v;
        }
    }
    return 0;
}

bool dgram_write(SockCall *c, SockFile *f)
{
    size_t total = sockcall_total(c);
    int err;

    if (total && sockcall_is_fault(c))
        return sockcall_end(c, -EFAULT);
    err = f->kind == FILE_UDP ? dgram_udp_send(c, f->dgram, total) : dgram_icmp_send(c, f->dgram, total);
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

/* ip_cmsg_recv_offset */
static void give_cmsgs4(SockCall *c, const Dgram *d, const DgramInfo *i, unsigned *n)
{
    struct in_pktinfo pi = {.ipi_ifindex = (int)i->ifindex};
    int ttl = i->ttl;

    pi.ipi_addr.s_addr = pi.ipi_spec_dst.s_addr = GUINT32_TO_BE(inet_ip4(&i->to));
    if (d->give & DGRAM_PKTINFO)
        sockcall_give_cmsg(c, n, IPPROTO_IP, IP_PKTINFO, &pi, sizeof(pi));
    if (d->give & DGRAM_TTL)
        sockcall_give_cmsg(c, n, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
    if (d->give & DGRAM_TOS)
        sockcall_give_cmsg(c, n, IPPROTO_IP, IP_TOS, &i->tos, sizeof(i->tos));
}

/* ip6_datagram_recv_common_ctl, ip6_datagram_recv_specific_ctl */
static void give_cmsgs(SockCall *c, const Dgram *d, const DgramInfo *i, unsigned *n)
{
    int hop_limit = i->ttl, tclass = i->tos;

    if (c->op != SYS_RECVMSG || !d->give)
        return;
    if (d->give & DGRAM_PKTINFO6) {
        struct in6_pktinfo pi = {.ipi6_ifindex = i->ifindex};
        Ipv6Addr to = inet_ip6(&i->to);

        memcpy(&pi.ipi6_addr, to.b, sizeof(to.b));
        sockcall_give_cmsg(c, n, IPPROTO_IPV6, IPV6_PKTINFO, &pi, sizeof(pi));
    }
    if (!i->is_ip6) {
        give_cmsgs4(c, d, i, n);
        return;
    }
    if (d->give & DGRAM_HOPLIMIT6)
        sockcall_give_cmsg(c, n, IPPROTO_IPV6, IPV6_HOPLIMIT, &hop_limit, sizeof(hop_limit));
    if (d->give & DGRAM_TCLASS6)
        sockcall_give_cmsg(c, n, IPPROTO_IPV6, IPV6_TCLASS, &tclass, sizeof(tclass));
}

static bool read_error(SockCall *c, Dgram *d)
{
    DgramErr *e = take_error(d);
    unsigned n = 0;
    TcpErrMsg *m;

    if (!e)
        return socket_give_errmsg(c, NULL, 0);
    if (!e->is_local)
        give_cmsgs(c, d, &e->how, &n);
    m = e->m;
    g_free(e);
    return socket_give_errmsg(c, m, n);
}

static int next_udp(Dgram *d, Packet **pkt, DgramInfo *info)
{
    UdpAddr6 from, to;
    UdpRecv r;
    int len;

    if (d->file->is_v6 && !udpsock_error(d->udp) && udp6sock_next(d->udp, &from, &to)) {
        info->from = endpoint6(&from);
        info->to = inet_from_ip6(&to.ip);
        info->is_ip6 = !inet_is_ip4(&info->to);
    }
    len = udpsock_recv_packet(d->udp, pkt, &r);
    if (len < 0)
        return len;
    if (!d->file->is_v6) {
        info->from = endpoint4(r.from);
        info->to = inet_from_ip4(r.to.ip);
    }
    info->len = r.len;
    info->ttl = r.ttl;
    info->tos = r.tos;
    info->ifindex = r.ifindex;
    return len;
}

/* The next datagram, or -errno. */
static int next(Dgram *d, Packet **pkt, DgramInfo *info)
{
    DgramWaiting w;
    int err = dgram_error(d);

    *info = (DgramInfo){0};
    if (err) {
        dgram_set_error(d, 0);
        return -err;
    }
    if (d->peeked) {
        *pkt = d->peeked;
        *info = d->peeked_info;
        d->peeked = NULL;
        return (int)info->len;
    }
    if (d->udp)
        return next_udp(d, pkt, info);
    if (!dgram_icmp_pop(d, &w))
        return -EAGAIN;
    *pkt = w.pkt;
    *info = w.info;
    return (int)info->len;
}

bool dgram_read(SockCall *c, SockFile *f)
{
    bool plain = c->op == SYS_READ || c->op == SYS_READV;
    int flags = plain ? 0 : c->flags, len;
    size_t total = sockcall_total(c);
    Dgram *d = f->dgram;
    unsigned n = 0;
    DgramInfo info;
    Packet *p;

    if (flags & MSG_ERRQUEUE)
        return read_error(c, d);
    len = next(d, &p, &info);
    if (len == -EAGAIN) {
        SimTime timeo = d->rcvtimeo_ns;

        if (c->p.timed_out || timeo < 0 || !sockcall_may_sleep(c, f, flags))
            return sockcall_end(c, -EAGAIN);
        if (d->shut & 1) /* __skb_wait_for_more_packets: only who would wait is told */
            return sockcall_end(c, 0);
        return sockcall_sleep_on(c, f, timeo);
    }
    if (len < 0)
        return sockcall_end(c, len);
    c->addr_out = sock_give_addr(f, &info.from);
    c->has_addr_out = true;
    if (len && total && sockcall_is_fault(c)) {
        packet_unref(p);
        return sockcall_end(c, -EFAULT);
    }
    store_packet(c, p, total, (uint32_t)len);
    if (flags & MSG_PEEK) {
        d->peeked = p;
        d->peeked_info = info;
    } else {
        packet_unref(p);
    }
    if (c->op == SYS_RECVMSG) {
        give_cmsgs(c, d, &info, &n);
        c->n_cmsgs = n;
    }
    if ((size_t)len > total) {
        c->msg_flags |= MSG_TRUNC;
        /* ping_recvmsg tells what was copied, whatever is asked */
        return sockcall_end(c, flags & MSG_TRUNC && f->kind != FILE_PING ? len : (int64_t)total);
    }
    return sockcall_end(c, len);
}
