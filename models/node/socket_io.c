/* Reading and writing: memory, waiting for room or data, partial counts (Linux sock_sendmsg, sock_recvmsg,
 * and the sleeping parts of tcp_sendmsg_locked and tcp_recvmsg_locked). */
#include <netinet/in.h>

#include "models/node/socket_priv.h"
#include "models/tcp/tcp_errq.h"
#include "models/tcp/tcp_sockopt.h"

/* ---- memory ---- */

unsigned sockcall_iov(const SockCall *c, struct iovec *one, const struct iovec **iov)
{
    switch (c->op) {
    case SYS_READV:
    case SYS_WRITEV:
    case SYS_RECVMSG:
    case SYS_SENDMSG:
        *iov = c->iov;
        return c->n_iov;
    default:
        *one = (struct iovec){c->buf, c->len};
        *iov = one;
        return 1;
    }
}

size_t sockcall_total(const SockCall *c)
{
    struct iovec one;
    const struct iovec *iov;
    unsigned n = sockcall_iov(c, &one, &iov);
    size_t total = 0;

    for (unsigned i = 0; i < n; i++)
        total += iov[i].iov_len;
    return total;
}

bool sockcall_is_fault(const SockCall *c)
{
    struct iovec one;
    const struct iovec *iov;
    unsigned n = sockcall_iov(c, &one, &iov);

    if (c->payload != SOCK_BYTES)
        return false;
    for (unsigned i = 0; i < n; i++)
        if (iov[i].iov_len)
            return !iov[i].iov_base;
    return false;
}

static void copy_slice(const PktSlice *s, uint32_t off, void *to, size_t n)
{
    if (s->chunk)
        memcpy(to, s->chunk->bytes + s->off + off, n);
    else
        payload_fill(to, s->off + off, n);
}

void sockcall_store(SockCall *c, size_t at, const PktSlice *s)
{
    struct iovec one;
    const struct iovec *iov;
    unsigned n = sockcall_iov(c, &one, &iov);
    uint32_t off = 0;

    for (unsigned i = 0; i < n && off < s->len; i++) {
        size_t room;

        if (at >= iov[i].iov_len) {
            at -= iov[i].iov_len;
            continue;
        }
        room = HS_MIN(iov[i].iov_len - at, (size_t)(s->len - off));
        if (iov[i].iov_base)
            copy_slice(s, off, (char *)iov[i].iov_base + at, room);
        off += (uint32_t)room;
        at = 0;
    }
}

void sockcall_give_cmsg(SockCall *c, unsigned *n, int level, int type, const void *data, uint32_t len)
{
    SockCmsg *m;

    if (*n >= c->n_cmsgs) {
        c->msg_flags |= MSG_CTRUNC;
        return;
    }
    hs_assert(len <= SOCK_CMSG_DATA);
    m = &c->cmsgs[(*n)++];
    m->level = level;
    m->type = type;
    m->len = len;
    memcpy(m->data, data, len);
}

/* ---- sending on TCP ---- */

enum { SEND_PLAIN, SEND_STARTED, SEND_CONNECTING };

/* MSG_FASTOPEN and deferred connects: a blocking call waits for the handshake too. true: still on its way. */
static bool is_still_connecting(SockCall *c, SockFile *f, int *err)
{
    InetEndpoint none = {0};

    *err = tcp_connect(f->tcp, &none);
    if (*err == -EISCONN)
        *err = 0;
    return *err == -EALREADY || *err == -EINPROGRESS;
}

/* Linux sock_cmsg_send: of a socket's own control messages TCP knows the one that asks for timestamps. */
static int tcp_take_cmsgs(const SockCall *c, TcpSend *m)
{
    for (unsigned i = 0; c->op == SYS_SENDMSG && i < c->n_cmsgs; i++) {
        const SockCmsg *k = &c->cmsgs[i];
        uint32_t flags;

        if (k->level != SOL_SOCKET || k->type == SCM_RIGHTS || k->type == SCM_CREDENTIALS)
            continue;
        if ((k->type == SO_PRIORITY || k->type == SO_MARK) && k->len == sizeof(flags))
            continue; /* of no effect on what is sent here */
        if (k->type != SO_TIMESTAMPING || k->len != sizeof(flags))
            return -EINVAL;
        memcpy(&flags, k->data, sizeof(flags));
        if (flags & ~(uint32_t)TCP_TS_TX_RECORD)
            return -EINVAL;
        m->has_tsflags = true;
        m->tsflags = flags;
    }
    return 0;
}

static int64_t tcp_send_once(SockCall *c, SockFile *f, size_t total, TcpSend *m, InetEndpoint *to)
{
    struct iovec one;
    int err;

    *m = (TcpSend){
        .len = total - c->p.progress,
        .flags = c->flags,
        .resumed = c->p.stage != SEND_PLAIN && c->p.progress > 0,
    };
    if (c->p.stage != SEND_PLAIN)
        m->flags &= ~MSG_FASTOPEN;
    if (c->op == SYS_WRITE || c->op == SYS_WRITEV)
        m->flags = 0;
    if (f->oflags & O_NONBLOCK)
        m->flags |= MSG_DONTWAIT;
    if (c->payload == SOCK_SYNTHETIC) {
        m->synthetic_off = c->synthetic_off + c->p.progress;
    } else {
        m->n_iov = sockcall_iov(c, &one, &m->iov);
        m->skip = c->p.progress;
        m->has_iov = true;
    }
    m->cmsg_err = tcp_take_cmsgs(c, m);
    if (m->flags & MSG_FASTOPEN && c->addr) {
        if (c->addr->family == AF_UNSPEC)
            return -EOPNOTSUPP;
        err = sock_take_addr(f, c->addr, to);
        if (err)
            return err;
        m->to = to;
    }
    return tcp_send(f->tcp, m);
}

/* Linux sk_stream_wait_connect, sk_stream_wait_memory; inet_wait_for_connect only when data is left that did
 * not fit into the SYN. */
static bool sleep_to_write(SockCall *c, SockFile *f, SimTime timeo, size_t total)
{
    c->p.is_writer = c->p.progress < total;
    if (c->p.is_writer)
        tcp_writer_sleeps(f->tcp, true);
    return sockcall_sleep_on(c, f, timeo);
}

static bool tcp_write(SockCall *c, SockFile *f)
{
    size_t total = sockcall_total(c);
    SimTime timeo = tcp_timeout_ns(f->tcp, true);
    bool may_sleep = timeo >= 0 && sockcall_may_sleep(c, f, c->flags);
    InetEndpoint to;
    TcpSend m;
    int64_t n;
    int err;

    if (c->p.is_writer)
        tcp_writer_sleeps(f->tcp, false);
    c->p.is_writer = false;
    if (c->p.stage == SEND_CONNECTING) {
        if (is_still_connecting(c, f, &err)) {
            if (c->p.timed_out)
                return sockcall_end_with(c, -EINPROGRESS);
            return sleep_to_write(c, f, timeo, total);
        }
        if (err)
            return sockcall_end(c, err);
        c->p.stage = SEND_STARTED;
        if (c->p.progress == total)
            return sockcall_end(c, (int64_t)total);
    }
    n = tcp_send_once(c, f, total, &m, &to);
    if (n > 0)
        c->p.progress += (size_t)n;
    if (tcp_state(f->tcp) == TCP_SYN_SENT && c->p.stage == SEND_PLAIN && (n >= 0 || n == -EINPROGRESS) &&
        may_sleep) {
        c->p.stage = SEND_CONNECTING;
        return sleep_to_write(c, f, timeo, total);
    }
    if (n >= 0 && c->p.progress == total)
        return sockcall_end(c, (int64_t)total);
    if (n < 0 && n != -EAGAIN) {
        c->sigpipe = m.sigpipe;
        return sockcall_end_with(c, n);
    }
    if (!may_sleep || c->p.timed_out || (n == 0 && m.resumed))
        return sockcall_end_with(c, -EAGAIN);
    c->p.stage = SEND_STARTED;
    return sleep_to_write(c, f, timeo, total);
}

bool sockop_write(SockCall *c)
{
    SockFile *f = sockcall_file(c);

    if (!f)
        return true;
    if (c->op != SYS_WRITE && c->op != SYS_WRITEV && !sockcall_socket(c))
        return true;
    if (f->is_gone)
        return sockcall_end(c, -EIO);
    switch ((FileKind)f->kind) {
    case FILE_TCP:
        return tcp_write(c, f);
    case FILE_UDP:
    case FILE_PING:
    case FILE_RAW:
        return dgram_write(c, f);
    case FILE_PIPE:
        return pipe_write(c, f);
    case FILE_EPOLL:
        return sockcall_end(c, -EINVAL);
    case FILE_REGULAR:
        break;
    }
    if ((f->oflags & O_ACCMODE) == O_RDONLY)
        return sockcall_end(c, -EBADF);
    f->pos += sockcall_total(c); /* zeros or not: what is written there is never looked at */
    f->size = HS_MAX(f->size, f->pos);
    return sockcall_end(c, (int64_t)sockcall_total(c));
}

/* ---- receiving from TCP ---- */

typedef struct Taking {
    SockCall *c;
    size_t at;
} Taking;

static void take(void *user, const PktSlice *s)
{
    Taking *t = user;

    if (t->c->payload == SOCK_SYNTHETIC) {
        if (t->c->take)
            t->c->take(t->c->user, s);
    } else {
        sockcall_store(t->c, t->at, s);
    }
    t->at += s->len;
}

/* NULL to read into: EFAULT, once there is something to copy. */
static void note_fault(const SockCall *c, TcpRecv *r)
{
    struct iovec one;
    const struct iovec *iov;
    unsigned n = sockcall_iov(c, &one, &iov);
    size_t at = 0;

    if (c->payload != SOCK_BYTES)
        return;
    for (unsigned i = 0; i < n; at += iov[i++].iov_len) {
        if (!iov[i].iov_len || iov[i].iov_base)
            continue;
        r->has_fault = true;
        r->fault_at = at - HS_MIN(at, c->p.progress);
        return;
    }
}

static bool is_set(SockFile *f, int name, int mask)
{
    int v[2] = {0};
    unsigned len = sizeof(v);

    return tcp_getsockopt(f->tcp, SOL_SOCKET, name, v, &len) == 0 && (v[0] & mask) == mask;
}

/* SO_TIMESTAMP and SO_TIMESTAMPNS; true: one of them is set. */
static bool give_plain_stamp(SockCall *c, unsigned *n, SockFile *f, SimTime at)
{
    int64_t ts[2] = {at / SIM_SEC, at % SIM_SEC};

    if (is_set(f, SO_TIMESTAMPNS, 1)) {
        sockcall_give_cmsg(c, n, SOL_SOCKET, SO_TIMESTAMPNS, ts, sizeof(ts));
    } else if (is_set(f, SO_TIMESTAMP, 1)) {
        int64_t tv[2] = {ts[0], ts[1] / 1000};

        sockcall_give_cmsg(c, n, SOL_SOCKET, SO_TIMESTAMP, tv, sizeof(tv));
    } else {
        return false;
    }
    return true;
}

static void give_software_stamp(SockCall *c, unsigned *n, SimTime at)
{
    int64_t ts[6] = {at / SIM_SEC, at % SIM_SEC}; /* hardware has two more */

    sockcall_give_cmsg(c, n, SOL_SOCKET, SO_TIMESTAMPING, ts, sizeof(ts));
}

/* Linux tcp_recv_timestamp. Every segment has its time; Linux stamps only once somebody has asked. */
static void give_rx_stamp(SockCall *c, unsigned *n, SockFile *f, SimTime at)
{
    give_plain_stamp(c, n, f, at);
    if (is_set(f, SO_TIMESTAMPING, TCP_TS_SOFTWARE | TCP_TS_RX_SOFTWARE))
        give_software_stamp(c, n, at);
}

/* Linux sock_recv_timestamp for what is in the error queue: by the options of now, not of when it was put
 * there. What has no time (a completion; an ICMP error that came before anybody asked) gets that of the
 * reading if SO_TIMESTAMP is set. */
static void give_err_stamps(SockCall *c, unsigned *n, SockFile *f, const TcpErrMsg *m)
{
    bool is_stamped = m->has_stamp || (m->has_offender && is_set(f, SO_TIMESTAMPING, TCP_TS_RX_SOFTWARE));
    SimTime now = node_now(&c->p.fds->host->node);

    if (give_plain_stamp(c, n, f, m->has_stamp || m->has_offender ? m->stamp : now))
        is_stamped = true;
    if (!is_stamped || !is_set(f, SO_TIMESTAMPING, TCP_TS_SOFTWARE))
        return;
    give_software_stamp(c, n, m->has_stamp || m->has_offender ? m->stamp : now);
    if (m->stats_len)
        sockcall_give_cmsg(c, n, SOL_SOCKET, SCM_TIMESTAMPING_OPT_STATS, m->stats, m->stats_len);
}

static void tcp_give_cmsgs(SockCall *c, SockFile *f, const TcpRecv *r)
{
    unsigned n = 0;
    int32_t inq = r->inq;

    if (c->op != SYS_RECVMSG)
        return;
    if (r->has_stamp)
        give_rx_stamp(c, &n, f, r->stamp);
    if (r->has_inq)
        sockcall_give_cmsg(c, &n, IPPROTO_TCP, TCP_INQ, &inq, sizeof(inq));
    c->n_cmsgs = n;
}

/* struct sock_extended_err, then the address of whoever complained (ip_recv_error, ipv6_recv_error). */
static void give_extended_error(SockCall *c, unsigned *n, const TcpErrMsg *m)
{
    uint8_t data[16 + 28] = {0};

    memcpy(data, &m->ee_errno, 4);
    data[4] = m->origin;
    data[5] = m->type;
    data[6] = m->code;
    memcpy(data + 8, &m->ee_info, 4);
    memcpy(data + 12, &m->ee_data, 4);
    if (m->is_v6) {
        struct sockaddr_in6 sa = {.sin6_family = m->has_offender ? AF_INET6 : 0};

        for (unsigned i = 0; i < 4 && m->has_offender; i++)
            sa.sin6_addr.s6_addr32[i] = GUINT32_TO_BE(m->offender.w[i]);
        memcpy(data + 16, &sa, sizeof(sa));
        sockcall_give_cmsg(c, n, IPPROTO_IPV6, IPV6_RECVERR, data, 16 + sizeof(sa));
    } else {
        struct sockaddr_in sa = {.sin_family = m->has_offender ? AF_INET : 0};

        if (m->has_offender)
            sa.sin_addr.s_addr = GUINT32_TO_BE(inet_ip4(&m->offender));
        memcpy(data + 16, &sa, sizeof(sa));
        sockcall_give_cmsg(c, n, IPPROTO_IP, IP_RECVERR, data, 16 + sizeof(sa));
    }
}

bool socket_give_errmsg(SockCall *c, TcpErrMsg *m, unsigned n)
{
    size_t total = sockcall_total(c), got;

    if (!m) {
        c->n_cmsgs = 0;
        return sockcall_end(c, -EAGAIN);
    }
    got = HS_MIN(total, (size_t)m->payload_len);
    c->msg_flags = MSG_ERRQUEUE | (m->payload_len > total ? MSG_TRUNC : 0);
    if (c->op == SYS_RECVMSG) {
        give_extended_error(c, &n, m);
        c->n_cmsgs = n;
    }
    g_free(m);
    return sockcall_end(c, (int64_t)got);
}

static bool tcp_read_error(SockCall *c, SockFile *f)
{
    TcpErrMsg *m = tcp_errq_take(f->tcp);
    unsigned n = 0;

    if (m && c->op == SYS_RECVMSG) {
        give_err_stamps(c, &n, f, m);
        socket_give_err_way(c, &n, f, m);
    }
    return socket_give_errmsg(c, m, n);
}

static size_t recv_target(SockFile *f, int flags, size_t total)
{
    int lowat = 1;
    unsigned len = sizeof(lowat);

    if (flags & MSG_WAITALL)
        return total;
    tcp_getsockopt(f->tcp, SOL_SOCKET, SO_RCVLOWAT, &lowat, &len);
    return HS_MAX(HS_MIN((size_t)lowat, total), (size_t)1);
}

static bool tcp_read(SockCall *c, SockFile *f)
{
    size_t total = sockcall_total(c);
    int flags = c->op == SYS_READ || c->op == SYS_READV ? 0 : c->flags;
    SimTime timeo = tcp_timeout_ns(f->tcp, false);
    bool may_sleep = timeo >= 0 && sockcall_may_sleep(c, f, flags) && !(flags & (MSG_OOB | MSG_ERRQUEUE));
    Taking t = {c, c->p.progress};
    TcpRecv r = {
        .take = take, .user = &t, .len = total - c->p.progress, .flags = flags, .done = c->p.progress};
    uint8_t urgent;
    int64_t n;

    if (flags & MSG_ERRQUEUE)
        return tcp_read_error(c, f);
    if (flags & MSG_OOB)
        r.bytes = &urgent;
    note_fault(c, &r);
    n = tcp_recv(f->tcp, &r);
    if (n > 0 && flags & MSG_OOB && c->payload == SOCK_BYTES && !(flags & MSG_TRUNC)) {
        struct iovec one;
        const struct iovec *iov;

        if (sockcall_iov(c, &one, &iov) && iov[0].iov_base && iov[0].iov_len)
            *(uint8_t *)iov[0].iov_base = urgent;
    }
    c->msg_flags = r.msg_flags;
    if (n > 0 && !(flags & MSG_PEEK))
        c->p.progress += (size_t)n;
    if (n > 0 &&
        (flags & MSG_PEEK || !may_sleep || c->p.timed_out || c->p.progress >= recv_target(f, flags, total))) {
        tcp_give_cmsgs(c, f, &r);
        return sockcall_end(c, flags & MSG_PEEK ? n : (int64_t)c->p.progress);
    }
    if (n == 0 || (n < 0 && n != -EAGAIN)) {
        if (n == 0 || c->p.progress)
            tcp_give_cmsgs(c, f, &r);
        else
            c->n_cmsgs = 0;
        return sockcall_end_with(c, n);
    }
    if (!may_sleep || c->p.timed_out) {
        c->n_cmsgs = 0;
        return sockcall_end_with(c, -EAGAIN);
    }
    return sockcall_sleep_on(c, f, timeo);
}

bool sockop_read(SockCall *c)
{
    SockFile *f = sockcall_file(c);

    if (!f)
        return true;
    if (c->op != SYS_READ && c->op != SYS_READV && !sockcall_socket(c))
        return true;
    if (f->is_gone)
        return sockcall_end(c, -EIO);
    switch ((FileKind)f->kind) {
    case FILE_TCP:
        /* read() of nothing is done before it comes to the socket (sock_read_iter), recv() is not */
        if ((c->op == SYS_READ || c->op == SYS_READV) && !sockcall_total(c))
            return sockcall_end(c, 0);
        return tcp_read(c, f);
    case FILE_UDP:
    case FILE_PING:
    case FILE_RAW:
        return dgram_read(c, f);
    case FILE_PIPE:
        return pipe_read(c, f);
    case FILE_EPOLL:
        return sockcall_end(c, -EINVAL);
    case FILE_REGULAR:
        break;
    }
    return regular_read(c, f);
}
