/* UDP sockets above models/udp: sending with its corks and segments, errors of the network (Linux
 * udp_sendmsg, udpv6_sendmsg). */
#include <netinet/in.h>

#include "models/node/socket_dgram.h"

#define UDP_MAX_PAYLOAD (65535 - IPV4_MIN_HDR_LEN - UDP_HDR_LEN)
#define UDP_MAX_SEGMENTS 128
#define UDP6_MAX_PAYLOAD (65535 - UDP_HDR_LEN)

/* ---- life ---- */

static void on_wake(void *user, UdpSock *s)
{
    Dgram *d = user;

    (void)s;
    sockfile_wake(d->file, EPOLLIN | EPOLLRDNORM | EPOLLERR);
}

static uint32_t behind_udp(uint32_t l4_len)
{
    return l4_len > UDP_HDR_LEN ? l4_len - UDP_HDR_LEN : 0;
}

static void on_icmp4(void *user, UdpSock *s, const Ip4Error *e)
{
    Dgram *d = user;

    if (udpsock_opt(s)->recverr && e->err)
        dgram_queue_error4(d, e, behind_udp(e->l4_len));
    dgram_wake_error(d);
}

static void on_icmp6(void *user, UdpSock *s, const Ip6Error *e)
{
    Dgram *d = user;

    if (udp6sock_opt(s)->recverr)
        dgram_queue_error6(d, e, behind_udp(e->l4_len));
    dgram_wake_error(d);
}

void dgram_udp_open(Dgram *d, SockHost *sh)
{
    Udp *udp = host_udp(sh->host);

    d->udp = d->file->is_v6 ? udp6sock_new(udp) : udpsock_new(udp);
    udpsock_on_wake(d->udp, on_wake, d);
    udpsock_on_icmp(d->udp, on_icmp4, d);
    if (d->file->is_v6)
        udp6sock_on_icmp(d->udp, on_icmp6, d);
}

/* ---- sending ---- */

/* to->port 0: the peer. */
static int send_one(Dgram *d, UdpSend *m, const InetEndpoint *to)
{
    UdpAddr to4 = {inet_ip4(&to->addr), to->port};
    UdpAddr6 to6 = {inet_ip6(&to->addr), to->port};

    if (d->file->is_v6)
        return udp6sock_send(d->udp, m, to->port ? &to6 : NULL);
    m->to = to->port ? &to4 : NULL;
    return udpsock_send(d->udp, m);
}

/* UDP_SEGMENT: one call, datagrams of that size and a smaller last one. */
static int send_pieces(Dgram *d, UdpSend *m, const InetEndpoint *to)
{
    uint32_t len = m->len, size = d->gso_size && m->bytes ? (uint32_t)d->gso_size : len;
    const uint8_t *p = m->bytes;
    int err = 0;

    if (size < len && (len + size - 1) / size > UDP_MAX_SEGMENTS)
        return -EINVAL;
    m->is_whole = d->gso_size != 0;
    do {
        m->len = HS_MIN(size, len);
        m->bytes = p;
        err = send_one(d, m, to);
        p = p ? p + m->len : NULL;
        len -= m->len;
    } while (!err && len);
    return err;
}

/* Does a datagram to there (port 0: the peer) go over IPv6? */
static bool goes_over_ip6(const Dgram *d, const InetEndpoint *to)
{
    UdpAddr6 peer;
    InetAddr a;

    if (!d->file->is_v6)
        return false;
    if (to->port)
        return !inet_is_ip4(&to->addr);
    peer = udp6sock_peer(d->udp);
    a = inet_from_ip6(&peer.ip);
    return !inet_is_ip4(&a);
}

static int told(Dgram *d, const InetEndpoint *to, int err)
{
    bool recverr = goes_over_ip6(d, to) ? dgram_opt6(d)->recverr : dgram_opt(d)->recverr;

    if (err == -EMSGSIZE && recverr && udpsock_refused_mtu(d->udp))
        dgram_queue_local_error(d, EMSGSIZE, udpsock_refused_mtu(d->udp));
    return err;
}

int dgram_udp_push(Dgram *d)
{
    UdpSend m = {0};
    int err;

    if (!d->corked)
        return 0;
    m.bytes = d->corked->data;
    m.len = d->corked->len;
    err = told(d, &d->corked_to, send_pieces(d, &m, &d->corked_to));
    g_byte_array_free(d->corked, TRUE);
    d->corked = NULL;
    return err;
}

/* With a cork, or MSG_MORE: the calls make one datagram. */
static int send_corked(Dgram *d, const UdpSend *m, const InetEndpoint *to, bool is_more)
{
    if (!d->corked) {
        d->corked = g_byte_array_new();
        d->corked_to = *to;
    }
    if (d->corked->len + m->len > (goes_over_ip6(d, to) ? UDP6_MAX_PAYLOAD : UDP_MAX_PAYLOAD))
        return -EMSGSIZE;
    if (m->len)
        g_byte_array_append(d->corked, m->bytes, m->len);
    return is_more ? 0 : dgram_udp_push(d);
}

/* The destination of the call; *to's port stays 0 for the peer's. 0 or -errno. */
static int take_dest(const SockCall *c, const Dgram *d, InetEndpoint *to)
{
    const SockAddr *a = dgram_dest(c);
    int err;

    *to = (InetEndpoint){0};
    if (a && !(a->family == AF_UNSPEC && d->file->is_v6)) {
        if (a->family == AF_UNSPEC) /* udp_sendmsg: as good as AF_INET */
            *to = a->ep;
        else if ((err = dgram_take_addr(d->file, a, to)) != 0)
            return err == -EAFNOSUPPORT && d->file->is_v6 ? -EINVAL : err;
        return to->port ? 0 : -EINVAL;
    }
    if (!udpsock_peer(d->udp).port)
        return -EDESTADDRREQ;
    /* With an address of no family, udpv6_sendmsg overlooks that the peer is an IPv4 one. */
    return a && !goes_over_ip6(d, to) ? -ENETUNREACH : 0;
}

int dgram_udp_send(SockCall *c, Dgram *d, size_t total)
{
    int flags = c->op != SYS_WRITE && c->op != SYS_WRITEV ? c->flags : 0, err;
    bool is_more = d->has_cork || flags & MSG_MORE, holds = is_more || d->corked;
    UdpSend m = {.len = (uint32_t)total, .synthetic_off = c->synthetic_off};
    uint8_t *free_me = NULL;
    DgramSendOpts opts;
    InetEndpoint to;
    bool is_ip6;

    err = udpsock_autobind(d->udp); /* inet_send_prepare, whatever becomes of the call */
    if (err)
        return err;
    if (total > UINT16_MAX && !d->file->is_v6)
        return -EMSGSIZE;
    if (!d->file->is_v6 && flags & MSG_OOB)
        return -EOPNOTSUPP;
    err = take_dest(c, d, &to);
    if (err)
        return err;
    is_ip6 = goes_over_ip6(d, &to);
    if (!is_ip6 && total > UINT16_MAX)
        return -EMSGSIZE;
    if (!is_ip6 && flags & MSG_OOB) /* IPv6 never looks */
        return -EOPNOTSUPP;
    err = dgram_take_cmsgs(c, is_ip6, &opts);
    if (err)
        return err;
    if (d->shut & 2)
        return -EPIPE;
    m.has_tos = opts.has_tos;
    m.tos = opts.tos;
    m.ttl = opts.ttl;
    m.has_ttl = opts.has_ttl;
    m.dontfrag = opts.dontfrag;
    if (c->payload == SOCK_BYTES || !total || holds || d->gso_size)
        m.bytes = dgram_bytes_of(c, total, &free_me);
    err = holds ? send_corked(d, &m, &to, is_more) : told(d, &to, send_pieces(d, &m, &to));
    g_free(free_me);
    return err;
}
