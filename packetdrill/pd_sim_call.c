/* PdCall to SockCall and back. Buffers that are read into are thrown away piece by piece; what is written are
 * zeros. */
#include "packetdrill/pd_sim_call.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#define MAX_BUFFER (256u << 20) /* larger writes are refused */
#define MAX_CMSGS 16
#define MAX_EPOLL 64
#define AF_INET6_ 10

typedef struct PdSimCall {
    SockCall c; /* first */
    PdSim *sim;
    PdCallKind kind;
    PdNameOut name_out;
    bool is_done;
    int64_t at_ns;
    SockAddr addr;
    struct iovec *iov;
    uint8_t *zeros;
    uint8_t *option;
    struct pollfd *poll;
    struct epoll_event events[MAX_EPOLL];
    SockCmsg cmsgs[MAX_CMSGS];
    int64_t offset, offset2;
} PdSimCall;

static void free_call(PdSimCall *p)
{
    if (!p)
        return;
    g_free(p->iov);
    g_free(p->zeros);
    g_free(p->option);
    g_free(p->poll);
    g_free(p);
}

static int64_t script_now(const PdSim *s)
{
    return sim_now(net_sim(s->net)) - s->tun->zero_ns;
}

static void on_done(SockCall *c)
{
    PdSimCall *p = (PdSimCall *)c;

    p->is_done = true;
    p->at_ns = script_now(p->sim);
    if (p->sim->waits_call && sim_is_running(net_sim(p->sim->net)))
        sim_stop(net_sim(p->sim->net));
}

/* ---- arguments ---- */

static void set_addr(PdSimCall *p, const PdSockAddr *a)
{
    p->addr.family = a->family;
    if (a->family == AF_INET6_) {
        Ipv6Addr ip;

        memcpy(ip.b, a->b, 16);
        p->addr = sockaddr_ip6(&ip, a->port);
    } else {
        p->addr = sockaddr_ip4(wire_get32(a->b), a->port);
        p->addr.family = a->family; /* of none, UDP over IPv4 takes the address all the same */
    }
    p->c.addr = &p->addr;
}

static bool is_reading(PdCallKind kind)
{
    return kind == PD_CALL_READ || kind == PD_CALL_READV || kind == PD_CALL_RECV ||
           kind == PD_CALL_RECVFROM || kind == PD_CALL_RECVMSG;
}

/* One buffer goes into buf and len; several, and messages, into iov. */
static bool set_buffers(PdSimCall *p, const PdCall *call, char **error)
{
    bool is_vector = call->kind == PD_CALL_READV || call->kind == PD_CALL_WRITEV ||
                     call->kind == PD_CALL_RECVMSG || call->kind == PD_CALL_SENDMSG;
    bool has_null = false;
    uint64_t total = 0, longest = 0;

    for (unsigned i = 0; i < call->n_iov; i++) {
        has_null |= call->iov[i].is_null;
        longest = HS_MAX(longest, call->iov[i].len);
        total += call->iov[i].len;
    }
    if (is_reading(call->kind) && !has_null) {
        /* Taken by nobody: no memory however large the count is. */
        p->c.payload = SOCK_SYNTHETIC;
    } else {
        if (!has_null && longest > MAX_BUFFER) {
            *error = g_strdup_printf("a buffer of %" G_GUINT64_FORMAT " bytes is too large here (at most %u)",
                                     longest, MAX_BUFFER);
            return false;
        }
        p->zeros = g_malloc0(HS_MIN(longest, MAX_BUFFER) + 1);
    }
    p->c.len = total;
    if (!is_vector) {
        p->c.buf = has_null ? NULL : p->zeros;
        return true;
    }
    p->iov = g_new0(struct iovec, call->n_iov + 1);
    for (unsigned i = 0; i < call->n_iov; i++) {
        p->iov[i].iov_base = call->iov[i].is_null ? NULL : p->zeros;
        p->iov[i].iov_len = call->iov[i].len;
    }
    p->c.iov = p->iov;
    p->c.n_iov = call->n_iov;
    return true;
}

static bool set_control(PdSimCall *p, const PdCall *call, char **error)
{
    p->c.cmsgs = p->cmsgs;
    p->c.n_cmsgs = call->kind == PD_CALL_RECVMSG ? MAX_CMSGS : call->n_control;
    if (call->n_control > MAX_CMSGS) {
        *error =
            g_strdup_printf("%u control messages are too many here (at most %d)", call->n_control, MAX_CMSGS);
        return false;
    }
    for (unsigned i = 0; i < call->n_control; i++) {
        SockCmsg *m = &p->cmsgs[i];

        m->level = call->control[i].level;
        m->type = call->control[i].type;
        m->len = (uint32_t)HS_MIN(call->control[i].len, sizeof m->data);
        memcpy(m->data, call->control[i].data, m->len);
    }
    return true;
}

static void set_option(PdSimCall *p, const PdCall *call)
{
    size_t room = (size_t)CLAMP(call->arg, 0, 65536);

    p->c.level = call->level;
    p->c.name = call->optname;
    p->c.val_len = (unsigned)call->arg;
    if (call->kind == PD_CALL_SETSOCKOPT && !call->bytes)
        return;
    p->option = g_malloc0(HS_MAX(room, call->n_bytes) + 1);
    if (call->n_bytes)
        memcpy(p->option, call->bytes, call->n_bytes);
    p->c.val = p->option;
}

static void set_poll(PdSimCall *p, const PdCall *call)
{
    p->poll = g_new0(struct pollfd, call->n_poll + 1);
    for (unsigned i = 0; i < call->n_poll; i++)
        p->poll[i] = (struct pollfd){.fd = call->poll[i].fd, .events = (short)call->poll[i].events};
    p->c.pollfds = p->poll;
    p->c.n_pollfds = call->n_poll;
    p->c.timeout_ns = call->timeout_ms < 0 ? -1 : (int64_t)call->timeout_ms * 1000000;
}

static SockOp op_of(const PdCall *call)
{
    static const SockOp ops[] = {
        [PD_CALL_SOCKET] = SYS_SOCKET,
        [PD_CALL_BIND] = SYS_BIND,
        [PD_CALL_LISTEN] = SYS_LISTEN,
        [PD_CALL_ACCEPT] = SYS_ACCEPT4,
        [PD_CALL_CONNECT] = SYS_CONNECT,
        [PD_CALL_READ] = SYS_READ,
        [PD_CALL_WRITE] = SYS_WRITE,
        [PD_CALL_READV] = SYS_READV,
        [PD_CALL_WRITEV] = SYS_WRITEV,
        [PD_CALL_RECV] = SYS_RECV,
        [PD_CALL_SEND] = SYS_SEND,
        [PD_CALL_RECVFROM] = SYS_RECVFROM,
        [PD_CALL_SENDTO] = SYS_SENDTO,
        [PD_CALL_RECVMSG] = SYS_RECVMSG,
        [PD_CALL_SENDMSG] = SYS_SENDMSG,
        [PD_CALL_FCNTL] = SYS_FCNTL,
        [PD_CALL_IOCTL] = SYS_IOCTL,
        [PD_CALL_CLOSE] = SYS_CLOSE,
        [PD_CALL_SHUTDOWN] = SYS_SHUTDOWN,
        [PD_CALL_SETSOCKOPT] = SYS_SETSOCKOPT,
        [PD_CALL_GETSOCKOPT] = SYS_GETSOCKOPT,
        [PD_CALL_POLL] = SYS_POLL,
        [PD_CALL_EPOLL_CREATE] = SYS_EPOLL_CREATE,
        [PD_CALL_EPOLL_CTL] = SYS_EPOLL_CTL,
        [PD_CALL_EPOLL_WAIT] = SYS_EPOLL_WAIT,
        [PD_CALL_OPEN] = SYS_OPEN,
        [PD_CALL_SENDFILE] = SYS_SENDFILE,
        [PD_CALL_PIPE] = SYS_PIPE,
        [PD_CALL_SPLICE] = SYS_SPLICE,
        [PD_CALL_CAP_SET] = SYS_COUNT,
        [PD_CALL_GETSOCKNAME] = SYS_GETSOCKNAME,
        [PD_CALL_GETPEERNAME] = SYS_GETPEERNAME,
    };

    return ops[call->kind];
}

static bool fill(PdSimCall *p, const PdCall *call, char **error)
{
    SockCall *c = &p->c;

    *c = (SockCall){.op = op_of(call),
                    .fd = call->fd,
                    .fd2 = call->fd2,
                    .domain = call->domain,
                    .type = call->type,
                    .protocol = call->protocol,
                    .backlog = (int)call->arg,
                    .flags = call->flags,
                    .how = (int)call->arg,
                    .cmd = (unsigned long)call->arg,
                    .arg = call->arg2,
                    .path = call->path,
                    .done = on_done};
    if (call->has_addr)
        set_addr(p, &call->addr);
    c->has_addr_len = call->has_addr_len;
    c->addr_len = call->addr_len;
    switch (call->kind) {
    case PD_CALL_RECVMSG:
    case PD_CALL_SENDMSG:
        return set_buffers(p, call, error) && set_control(p, call, error);
    case PD_CALL_READ:
    case PD_CALL_WRITE:
    case PD_CALL_READV:
    case PD_CALL_WRITEV:
    case PD_CALL_RECV:
    case PD_CALL_SEND:
    case PD_CALL_RECVFROM:
    case PD_CALL_SENDTO:
        return set_buffers(p, call, error);
    case PD_CALL_SETSOCKOPT:
    case PD_CALL_GETSOCKOPT:
        set_option(p, call);
        return true;
    case PD_CALL_POLL:
        set_poll(p, call);
        return true;
    case PD_CALL_EPOLL_CREATE:
        c->len = (size_t)(int)call->arg;
        return true;
    case PD_CALL_EPOLL_CTL:
        p->events[0] = (struct epoll_event){.events = call->epoll.events, .data.u64 = call->epoll.data};
        c->events = call->has_no_event ? NULL : p->events;
        return true;
    case PD_CALL_EPOLL_WAIT:
        c->events = p->events;
        c->max_events = (int)HS_MIN(call->arg, MAX_EPOLL);
        c->timeout_ns = call->timeout_ms < 0 ? -1 : (int64_t)call->timeout_ms * 1000000;
        return true;
    case PD_CALL_SENDFILE:
    case PD_CALL_SPLICE:
        c->len = (size_t)call->count;
        p->offset = call->offset;
        p->offset2 = call->offset2;
        c->off_in = call->has_offset ? &p->offset : NULL;
        c->off_out = call->has_offset2 ? &p->offset2 : NULL;
        return true;
    default:
        return true;
    }
}

/* ---- results ---- */

/* Timestamps in control messages count from the start of the script (SCM_TIMESTAMPING, three timespecs). */
static void shift_times(const PdSim *s, PdCmsg *m)
{
    const int so_timestampns = 35, so_timestamping = 37;
    int64_t zero = s->tun->zero_ns;

    if (m->level != 1 || (m->type != so_timestamping && m->type != so_timestampns))
        return;
    for (size_t at = 0; at + 16 <= m->len; at += 16) {
        int64_t sec, ns, t;

        memcpy(&sec, m->data + at, 8);
        memcpy(&ns, m->data + at + 8, 8);
        t = sec * PD_NS_PER_SEC + ns - zero;
        if (sec == 0 && ns == 0)
            continue;
        sec = t / PD_NS_PER_SEC;
        ns = t % PD_NS_PER_SEC;
        memcpy(m->data + at, &sec, 8);
        memcpy(m->data + at + 8, &ns, 8);
    }
}

static void take_control(PdSimCall *p, PdResult *out)
{
    out->msg_flags = p->c.msg_flags;
    out->control = g_new0(PdCmsg, p->c.n_cmsgs + 1);
    out->n_control = p->c.n_cmsgs;
    for (unsigned i = 0; i < p->c.n_cmsgs; i++) {
        PdCmsg *m = &out->control[i];

        *m = (PdCmsg){.level = p->cmsgs[i].level, .type = p->cmsgs[i].type, .len = p->cmsgs[i].len};
        m->data = g_malloc(m->len + 1);
        memcpy(m->data, p->cmsgs[i].data, m->len);
        shift_times(p->sim, m);
    }
}

/* Linux move_addr_to_user, with the length that the caller's room had before: 0 or -errno. */
static int put_name(const PdNameOut *n)
{
    if (n->len_is_null)
        return -EFAULT;
    if ((int)n->room < 0)
        return -EINVAL;
    return n->is_null && (int)n->room > 0 ? -EFAULT : 0;
}

/* getsockopt reads the length first, and writes the value last. */
static void put_option(PdSimCall *p)
{
    SockCall *c = &p->c;

    if (p->name_out.len_is_null && c->ret != -EBADF && c->ret != -ENOTSOCK)
        c->ret = -EFAULT;
    else if (c->ret >= 0 && p->name_out.is_null && c->val_len > 0)
        c->ret = -EFAULT;
}

static unsigned addr_len(const SockAddr *a)
{
    return a->family == AF_INET6_ ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

/* Calls that succeeded and cannot say of whom: what they have done is done, but what was accepted is closed
 * (Linux do_accept). */
static void take_name(PdSimCall *p, PdResult *out)
{
    SockCall *c = &p->c;
    bool optional = p->kind == PD_CALL_ACCEPT || p->kind == PD_CALL_RECVFROM;
    int err = 0;

    if (c->has_addr_out) {
        out->name = (PdSockAddr){.family = c->addr_out.family, .port = c->addr_out.ep.port};
        out->name_len = addr_len(&c->addr_out);
        if (c->addr_out.family == AF_INET6_) {
            Ipv6Addr ip = inet_ip6(&c->addr_out.ep.addr);

            memcpy(out->name.b, ip.b, 16);
        } else {
            wire_put32(out->name.b, inet_ip4(&c->addr_out.ep.addr));
        }
    }
    if (p->name_out.is_wanted && p->kind != PD_CALL_RECVMSG && !(optional && p->name_out.is_null))
        err = put_name(&p->name_out);
    if (err && p->kind == PD_CALL_ACCEPT)
        sockcall_now(p->sim->fds, &(SockCall){.op = SYS_CLOSE, .fd = (int)c->ret});
    if (err)
        c->ret = err;
}

static void take_result(PdSimCall *p, PdResult *out)
{
    const SockCall *c = &p->c;

    if (p->kind == PD_CALL_GETSOCKOPT)
        put_option(p);
    else if (c->ret >= 0)
        take_name(p, out);

    out->ret = c->ret < 0 ? -1 : c->ret;
    out->err = c->ret < 0 ? (int)-c->ret : 0;
    out->at_ns = p->at_ns;
    out->out = c->int_out;
    memcpy(out->fds, c->pipe_out, sizeof out->fds);
    if (p->kind == PD_CALL_RECVMSG && c->ret >= 0)
        take_control(p, out);
    if (p->kind == PD_CALL_GETSOCKOPT && c->ret >= 0) {
        out->n_bytes = c->val_len;
        out->bytes = g_malloc(out->n_bytes + 1);
        memcpy(out->bytes, p->option, out->n_bytes);
    }
    if (p->kind == PD_CALL_POLL) {
        out->n_poll = c->n_pollfds;
        out->poll = g_new0(PdPollFd, out->n_poll + 1);
        for (unsigned i = 0; i < out->n_poll; i++)
            out->poll[i] =
                (PdPollFd){p->poll[i].fd, (uint16_t)p->poll[i].events, (uint16_t)p->poll[i].revents, false};
    }
    if (p->kind == PD_CALL_EPOLL_WAIT && c->ret > 0) {
        out->n_epoll = (unsigned)c->ret;
        out->epoll = g_new0(PdEpollEvent, out->n_epoll);
        for (unsigned i = 0; i < out->n_epoll; i++)
            out->epoll[i] = (PdEpollEvent){p->events[i].events, p->events[i].data.u64};
    }
}

bool pd_sim_call(PdSim *s, const PdCall *call, PdResult *out, char **error)
{
    PdSimCall *p;

    if (call->kind == PD_CALL_CAP_SET) {
        out->at_ns = script_now(s);
        return true;
    }
    p = g_new0(PdSimCall, 1);
    p->sim = s;
    p->kind = call->kind;
    p->name_out = call->name_out;
    if (!fill(p, call, error)) {
        free_call(p);
        return true;
    }
    p->at_ns = script_now(s);
    if (sockcall_start(s->fds, &p->c)) {
        take_result(p, out);
        free_call(p);
        return true;
    }
    s->sleeping = p;
    return false;
}

bool pd_sim_call_is_done(const PdSim *s)
{
    return !s->sleeping || s->sleeping->is_done;
}

bool pd_sim_call_take(PdSim *s, PdResult *out)
{
    PdSimCall *p = s->sleeping;

    if (!p || !p->is_done)
        return false;
    take_result(p, out);
    s->sleeping = NULL;
    free_call(p);
    return true;
}

void pd_sim_call_forget(PdSim *s)
{
    if (!s->sleeping)
        return;
    if (!s->sleeping->is_done)
        sockcall_cancel(&s->sleeping->c);
    free_call(s->sleeping);
    s->sleeping = NULL;
}
