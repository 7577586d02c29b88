/* Datagram sockets: UDP (by models/udp) and ICMP echo (Linux net/ipv4/ping.c: the kernel fills in identifier
 * and checksum, and hands up the replies to that identifier). An AF_INET6 socket speaks IPv4 by mapped
 * addresses. */
#include "models/node/socket_dgram.h"

#include <netinet/in.h>
#include <sys/ioctl.h>

#include "models/tcp/tcp_errq.h"
#include "sim/packet/checksum.h"

#define UDP_MAX_PAYLOAD (65535 - IPV4_MIN_HDR_LEN - UDP_HDR_LEN)

/* ---- life ---- */

static void on_udp_wake(void *user, UdpSock *s)
{
    (void)s;
    sockfile_wake(user, EPOLLIN | EPOLLRDNORM | EPOLLERR);
}

/* ip_icmp_error: told by the error queue, if it is wanted. */
static void on_udp_icmp(void *user, UdpSock *s, const Ip4Error *e)
{
    SockFile *f = user;
    Dgram *d = f->dgram;

    if (udpsock_opt(s)->recverr && e->err) {
        TcpErrMsg *m = g_new0(TcpErrMsg, 1);

        m->ee_errno = (uint32_t)e->err;
        m->origin = 2; /* SO_EE_ORIGIN_ICMP */
        m->type = e->icmp_type;
        m->code = e->icmp_code;
        m->ee_info = e->mtu;
        m->is_v6 = f->is_v6;
        m->offender = inet_from_ip4(e->reporter);
        m->has_offender = true;
        m->payload_len = e->l4_len > UDP_HDR_LEN ? e->l4_len - UDP_HDR_LEN : 0;
        if (d->errq_tail)
            d->errq_tail->next = m;
        else
            d->errq_head = m;
        d->errq_tail = m;
    }
    sockfile_wake(f, EPOLLIN | EPOLLOUT | EPOLLERR);
}

/* sock_dequeue_err_skb: the pending error is that of the message which is next. */
TcpErrMsg *dgram_take_errmsg(Dgram *d)
{
    TcpErrMsg *m = d->errq_head;

    if (!m)
        return NULL;
    d->errq_head = m->next;
    if (!d->errq_head)
        d->errq_tail = NULL;
    udpsock_set_error(d->udp, d->errq_head ? (int)d->errq_head->ee_errno : 0);
    return m;
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
        udpsock_on_icmp(d->udp, on_udp_icmp, f);
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
    while (d->errq_head) {
        TcpErrMsg *m = d->errq_head;

        d->errq_head = m->next;
        g_free(m);
    }
    packet_unref(d->peeked);
    if (d->corked)
        g_byte_array_free(d->corked, TRUE);
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

    /* udp_poll: an error makes nothing readable */
    if (d->udp ? d->peeked || udpsock_waiting(d->udp) : d->n != 0)
        mask |= EPOLLIN | EPOLLRDNORM;
    if (d->udp ? udpsock_error(d->udp) || d->errq_head : d->err)
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

/* UDP_SEGMENT: one call, datagrams of that size and a smaller last one. */
static int send_pieces(Dgram *d, UdpSend *m)
{
    uint32_t len = m->len, size = d->gso_size && m->bytes ? (uint32_t)d->gso_size : len;
    const uint8_t *p = m->bytes;
    int err = 0;

    do {
        m->len = HS_MIN(size, len);
        m->bytes = p;
        err = udpsock_send(d->udp, m);
        p = p ? p + m->len : NULL;
        len -= m->len;
    } while (!err && len);
    return err;
}

int dgram_push_corked(Dgram *d)
{
    UdpSend m = {0};
    int err;

    if (!d->corked)
        return 0;
    m.bytes = d->corked->data;
    m.len = d->corked->len;
    m.to = d->corked_to.port ? &d->corked_to : NULL;
    err = send_pieces(d, &m);
    g_byte_array_free(d->corked, TRUE);
    d->corked = NULL;
    return err;
}

/* udp_sendmsg with a cork, or MSG_MORE: the calls make one datagram. */
static int send_corked(Dgram *d, const UdpSend *m, bool is_more)
{
    if (!d->corked) {
        d->corked = g_byte_array_new();
        d->corked_to = m->to ? *m->to : (UdpAddr){0};
    }
    if (d->corked->len + m->len > UDP_MAX_PAYLOAD)
        return -EMSGSIZE;
    if (m->len)
        g_byte_array_append(d->corked, m->bytes, m->len);
    return is_more ? 0 : dgram_push_corked(d);
}

static int udp_send(SockCall *c, SockFile *f, size_t total)
{
    Dgram *d = f->dgram;
    const SockAddr *to = c->op == SYS_SENDTO || c->op == SYS_SENDMSG ? c->addr : NULL;
    bool is_more = d->has_cork || (c->op != SYS_WRITE && c->op != SYS_WRITEV && c->flags & MSG_MORE);
    bool holds = is_more || d->corked;
    UdpAddr addr;
    UdpSend m = {.len = (uint32_t)total, .synthetic_off = c->synthetic_off};
    uint8_t *free_me = NULL;
    int err;

    err = udpsock_autobind(d->udp); /* inet_send_prepare, whatever becomes of the call */
    if (err)
        return err;
    if (total > 65535)
        return -EMSGSIZE;
    if (to && to->family != AF_UNSPEC) {
        err = take_udp_addr(f, to, &addr);
        if (err)
            return err;
        m.to = &addr;
    }
    if (!m.to && !udpsock_peer(d->udp).port)
        return -EDESTADDRREQ;
    if (d->shut & 2)
        return -EPIPE;
    take_send_cmsgs(c, &m);
    if (c->payload == SOCK_BYTES || !total || holds || d->gso_size)
        m.bytes = in_one_place(c, total, &free_me);
    err = holds ? send_corked(d, &m, is_more) : send_pieces(d, &m);
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

    if (f->dgram->shut & 2 && f->kind != FILE_UDP)
        return sockcall_end(c, -EPIPE);
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

    if (d->peeked && !udpsock_error(d->udp)) {
        *pkt = d->peeked;
        *info = d->peeked_info;
        d->peeked = NULL;
        return (int)info->len;
    }
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
        return socket_give_errmsg(c, f->dgram->udp ? dgram_take_errmsg(f->dgram) : NULL);
    len = next(f, &p, &info);
    if (len == -EAGAIN) {
        SimTime timeo = f->dgram->rcvtimeo_ns;

        if (c->p.timed_out || timeo < 0 || !sockcall_may_sleep(c, f, flags))
            return sockcall_end(c, -EAGAIN);
        if (f->dgram->shut & 1) /* __skb_wait_for_more_packets: only who would wait is told */
            return sockcall_end(c, 0);
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
    if (flags & MSG_PEEK && f->dgram->udp) {
        f->dgram->peeked = p;
        f->dgram->peeked_info = info;
    } else {
        packet_unref(p);
    }
    give_cmsgs(c, f, info.ttl, info.tos);
    if ((size_t)len > total) {
        c->msg_flags |= MSG_TRUNC;
        return sockcall_end(c, flags & MSG_TRUNC ? len : (int64_t)total);
    }
    return sockcall_end(c, len);
}
