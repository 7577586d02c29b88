#include "tests/interop/lnx_call.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <unistd.h>

#ifndef SO_MEMINFO
#define SO_MEMINFO 55
#endif
#define MAX_BUFFER (1ull << 28)

/* ---- arguments ---- */

static socklen_t address(const PdSockAddr *a, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof(*out));
    if (a->family == AF_INET6) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(a->port);
        memcpy(&in6->sin6_addr, a->b, sizeof(in6->sin6_addr));
        return sizeof(*in6);
    }
    struct sockaddr_in *in = (struct sockaddr_in *)out;
    in->sin_family = a->family;
    in->sin_port = htons(a->port);
    memcpy(&in->sin_addr, a->b, sizeof(in->sin_addr));
    return sizeof(*in);
}

/* Where an address comes back; *len is what the kernel said, NULL pointers as the script has them. */
typedef struct Name {
    struct sockaddr_storage ss;
    struct sockaddr *addr;
    socklen_t len, *len_at;
} Name;

static void name_init(Name *n, const PdNameOut *wanted)
{
    memset(n, 0, sizeof(*n));
    n->len = (socklen_t)wanted->room;
    if (!wanted->is_wanted)
        return;
    n->addr = wanted->is_null ? NULL : (struct sockaddr *)&n->ss;
    n->len_at = wanted->len_is_null ? NULL : &n->len;
}

static void take_name(const Name *n, const PdNameOut *wanted, PdResult *out)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)&n->ss;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&n->ss;

    if (!wanted->is_wanted || wanted->len_is_null)
        return;
    out->name_len = n->len;
    out->name.family = n->ss.ss_family;
    if (n->ss.ss_family == AF_INET6) {
        out->name.port = ntohs(in6->sin6_port);
        memcpy(out->name.b, &in6->sin6_addr, 16);
    } else {
        out->name.port = ntohs(in->sin_port);
        memcpy(out->name.b, &in->sin_addr, 4);
    }
}

/* Every buffer begins there in a page of its own: MSG_ZEROCOPY charges whole pages, and tells the same each
 * time. */
#define BUFFER_ALIGN 4096
#define BUFFER_OFFSET 16

typedef struct Buffers {
    struct iovec *iov;
    unsigned n;
} Buffers;

static bool buffers_init(Buffers *b, const PdCall *c, char **error)
{
    b->n = c->n_iov;
    b->iov = g_new0(struct iovec, c->n_iov ? c->n_iov : 1);
    for (unsigned i = 0; i < c->n_iov; i++) {
        b->iov[i].iov_len = c->iov[i].len;
        if (c->iov[i].is_null)
            continue;
        if (c->iov[i].len > MAX_BUFFER) {
            *error = g_strdup_printf("%s of %" G_GUINT64_FORMAT " bytes: more than is sensible", c->name,
                                     c->iov[i].len);
            return false;
        }
        char *page = aligned_alloc(BUFFER_ALIGN, (c->iov[i].len / BUFFER_ALIGN + 2) * BUFFER_ALIGN);

        g_assert(page);
        memset(page, 0, c->iov[i].len + BUFFER_OFFSET);
        b->iov[i].iov_base = page + BUFFER_OFFSET;
    }
    return true;
}

static void buffers_clear(Buffers *b)
{
    for (unsigned i = 0; i < b->n; i++)
        if (b->iov[i].iov_base)
            free((char *)b->iov[i].iov_base - BUFFER_OFFSET);
    g_free(b->iov);
}

static void fill_control(const PdCall *c, struct msghdr *m)
{
    size_t room = 0;
    for (unsigned i = 0; i < c->n_control; i++)
        room += CMSG_SPACE(c->control[i].len);
    if (!room)
        return;
    m->msg_control = g_malloc0(room);
    m->msg_controllen = room;
    struct cmsghdr *h = CMSG_FIRSTHDR(m);
    for (unsigned i = 0; i < c->n_control && h; i++, h = CMSG_NXTHDR(m, h)) {
        h->cmsg_level = c->control[i].level;
        h->cmsg_type = c->control[i].type;
        h->cmsg_len = CMSG_LEN(c->control[i].len);
        memcpy(CMSG_DATA(h), c->control[i].data, c->control[i].len);
    }
}

static void take_control(struct msghdr *m, PdResult *out)
{
    GArray *list = g_array_new(FALSE, TRUE, sizeof(PdCmsg));
    for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h; h = CMSG_NXTHDR(m, h)) {
        size_t len = h->cmsg_len - CMSG_LEN(0);
        PdCmsg c = {
            .level = h->cmsg_level, .type = h->cmsg_type, .data = g_memdup2(CMSG_DATA(h), len), .len = len};
        g_array_append_val(list, c);
    }
    out->n_control = list->len;
    out->control = (PdCmsg *)(void *)g_array_free(list, FALSE);
}

/* ---- calls with buffers ---- */

static int64_t message_call(const PdCall *c, Buffers *b, PdResult *out)
{
    struct sockaddr_storage name;
    struct msghdr m = {.msg_iov = b->iov, .msg_iovlen = b->n};
    if (c->has_addr) {
        m.msg_name = &name;
        m.msg_namelen = address(&c->addr, &name);
    }
    Name from;
    name_init(&from, &c->name_out);
    int64_t ret;
    if (c->kind == PD_CALL_SENDMSG) {
        fill_control(c, &m);
        ret = sendmsg(c->fd, &m, c->flags);
    } else {
        m.msg_name = from.addr;
        m.msg_namelen = from.addr ? sizeof(from.ss) : 0;
        m.msg_controllen = c->control_len;
        m.msg_control = c->control_len ? g_malloc0(c->control_len) : NULL;
        ret = recvmsg(c->fd, &m, c->flags);
        out->msg_flags = m.msg_flags;
        from.len = m.msg_namelen;
        take_name(&from, &c->name_out, out);
        if (ret >= 0)
            take_control(&m, out);
    }
    int err = errno;
    g_free(m.msg_control);
    errno = err;
    return ret;
}

static int64_t data_call(const PdCall *c, PdResult *out, char **error)
{
    Buffers b;
    if (!buffers_init(&b, c, error)) {
        buffers_clear(&b);
        return -1;
    }
    struct iovec *v = b.iov;
    struct sockaddr_storage name;
    socklen_t name_len = c->has_addr ? address(&c->addr, &name) : 0;
    int64_t ret = -1;
    switch (c->kind) {
    case PD_CALL_READ:
        ret = read(c->fd, v->iov_base, v->iov_len);
        break;
    case PD_CALL_WRITE:
        ret = write(c->fd, v->iov_base, v->iov_len);
        break;
    case PD_CALL_READV:
        ret = readv(c->fd, v, (int)b.n);
        break;
    case PD_CALL_WRITEV:
        ret = writev(c->fd, v, (int)b.n);
        break;
    case PD_CALL_RECV:
    case PD_CALL_RECVFROM: {
        Name from;
        name_init(&from, &c->name_out);
        ret = recvfrom(c->fd, v->iov_base, v->iov_len, c->flags, from.addr, from.len_at);
        take_name(&from, &c->name_out, out);
        break;
    }
    case PD_CALL_SEND:
    case PD_CALL_SENDTO:
        ret = sendto(c->fd, v->iov_base, v->iov_len, c->flags, name_len ? (struct sockaddr *)&name : NULL,
                     name_len);
        break;
    default:
        ret = message_call(c, &b, out);
        break;
    }
    int err = errno;
    if (c->flags & MSG_ZEROCOPY)
        b.n = 0; /* lent: the kernel reads them as long as the connection lives */
    buffers_clear(&b);
    errno = err;
    return ret;
}

/* ---- calls with outputs of their own ---- */

static int64_t get_option(const PdCall *c, PdResult *out)
{
    socklen_t len = (socklen_t)c->arg;
    out->bytes = g_malloc0(len + 1);
    int64_t ret = getsockopt(c->fd, c->level, c->optname, c->name_out.is_null ? NULL : out->bytes,
                             c->name_out.len_is_null ? NULL : &len);
    out->n_bytes = len;
    return ret;
}

static int64_t poll_call(const PdCall *c, PdResult *out)
{
    struct pollfd *p = g_new0(struct pollfd, c->n_poll + 1);
    for (unsigned i = 0; i < c->n_poll; i++)
        p[i] = (struct pollfd){.fd = c->poll[i].fd, .events = (short)c->poll[i].events};
    int64_t ret = poll(p, c->n_poll, c->timeout_ms);
    int err = errno;
    out->n_poll = c->n_poll;
    out->poll = g_memdup2(c->poll, c->n_poll * sizeof(PdPollFd));
    for (unsigned i = 0; i < c->n_poll; i++)
        out->poll[i].revents = (uint16_t)p[i].revents;
    g_free(p);
    errno = err;
    return ret;
}

static int64_t epoll_wait_call(const PdCall *c, PdResult *out)
{
    int max = c->arg > 0 && c->arg < 1024 ? (int)c->arg : c->arg > 0 ? 1024 : (int)c->arg;
    struct epoll_event *e = g_new0(struct epoll_event, 1024);
    int64_t ret = epoll_wait(c->fd, e, max, c->timeout_ms);
    int err = errno;
    if (ret > 0) {
        out->n_epoll = (unsigned)ret;
        out->epoll = g_new0(PdEpollEvent, (gsize)ret);
        for (unsigned i = 0; i < out->n_epoll; i++)
            out->epoll[i] = (PdEpollEvent){.events = e[i].events, .data = e[i].data.u64};
    }
    g_free(e);
    errno = err;
    return ret;
}

static int64_t socket_call(const PdCall *c, const char *cc)
{
    int fd = socket(c->domain, c->type, c->protocol);
    if (fd < 0)
        return fd;
    if (cc && (c->type & 0xf) == SOCK_STREAM)
        setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, cc, (socklen_t)strlen(cc));
    return fd;
}

bool lnx_call_run(const PdCall *c, const char *cc, PdResult *out, char **error)
{
    struct sockaddr_storage name;
    socklen_t name_len;
    Name back;
    loff_t in_off = c->offset, out_off = c->offset2;
    int64_t ret = 0;
    errno = 0;
    switch (c->kind) {
    case PD_CALL_SOCKET:
        ret = socket_call(c, cc);
        break;
    case PD_CALL_BIND:
        name_len = address(&c->addr, &name);
        ret = bind(c->fd, c->has_addr ? (struct sockaddr *)&name : NULL,
                   c->has_addr_len ? (socklen_t)c->addr_len : name_len);
        break;
    case PD_CALL_LISTEN:
        ret = listen(c->fd, (int)c->arg);
        break;
    case PD_CALL_ACCEPT:
        name_init(&back, &c->name_out);
        ret = accept4(c->fd, back.addr, back.len_at, c->flags);
        take_name(&back, &c->name_out, out);
        break;
    case PD_CALL_CONNECT:
        name_len = address(&c->addr, &name);
        ret = connect(c->fd, c->has_addr ? (struct sockaddr *)&name : NULL,
                      c->has_addr_len ? (socklen_t)c->addr_len : name_len);
        break;
    case PD_CALL_READ:
    case PD_CALL_WRITE:
    case PD_CALL_READV:
    case PD_CALL_WRITEV:
    case PD_CALL_RECV:
    case PD_CALL_SEND:
    case PD_CALL_RECVFROM:
    case PD_CALL_SENDTO:
    case PD_CALL_RECVMSG:
    case PD_CALL_SENDMSG:
        ret = data_call(c, out, error);
        if (*error)
            return false;
        break;
    case PD_CALL_FCNTL:
        ret = fcntl(c->fd, (int)c->arg, (int)c->arg2);
        break;
    case PD_CALL_IOCTL: {
        int value = (int)c->arg2;
        ret = ioctl(c->fd, (unsigned long)c->arg, &value);
        out->out = value;
        break;
    }
    case PD_CALL_CLOSE:
        ret = close(c->fd);
        break;
    case PD_CALL_SHUTDOWN:
        ret = shutdown(c->fd, (int)c->arg);
        break;
    case PD_CALL_SETSOCKOPT:
        ret = setsockopt(c->fd, c->level, c->optname, c->bytes, (socklen_t)c->arg);
        break;
    case PD_CALL_GETSOCKOPT:
        ret = get_option(c, out);
        break;
    case PD_CALL_POLL:
        ret = poll_call(c, out);
        break;
    case PD_CALL_EPOLL_CREATE:
        ret = c->arg <= 0 ? epoll_create((int)c->arg) : epoll_create1(c->flags);
        break;
    case PD_CALL_EPOLL_CTL: {
        struct epoll_event e = {.events = c->epoll.events, .data.u64 = c->epoll.data};
        ret = epoll_ctl(c->fd, (int)c->arg, c->fd2, c->has_no_event ? NULL : &e);
        break;
    }
    case PD_CALL_EPOLL_WAIT:
        ret = epoll_wait_call(c, out);
        break;
    case PD_CALL_OPEN:
        ret = open(c->path, c->flags, 0600);
        break;
    case PD_CALL_SENDFILE:
        ret = sendfile(c->fd, c->fd2, c->has_offset ? &in_off : NULL, (size_t)c->count);
        break;
    case PD_CALL_PIPE:
        ret = pipe(out->fds);
        break;
    case PD_CALL_SPLICE:
        ret = splice(c->fd, c->has_offset ? &in_off : NULL, c->fd2, c->has_offset2 ? &out_off : NULL,
                     (size_t)c->count, (unsigned)c->flags);
        break;
    case PD_CALL_GETSOCKNAME:
    case PD_CALL_GETPEERNAME:
        name_init(&back, &c->name_out);
        ret = c->kind == PD_CALL_GETSOCKNAME ? getsockname(c->fd, back.addr, back.len_at)
                                             : getpeername(c->fd, back.addr, back.len_at);
        take_name(&back, &c->name_out, out);
        break;
    case PD_CALL_CAP_SET:
        break;
    }
    out->ret = ret;
    out->err = ret < 0 ? errno : 0;
    return true;
}

PdCall *lnx_call_copy(const PdCall *call)
{
    PdCall *c = g_memdup2(call, sizeof(*call));
    c->name = g_strdup(call->name);
    c->path = g_strdup(call->path);
    c->iov = g_memdup2(call->iov, call->n_iov * sizeof(*call->iov));
    c->bytes = g_memdup2(call->bytes, call->n_bytes);
    c->poll = g_memdup2(call->poll, call->n_poll * sizeof(*call->poll));
    c->control = g_memdup2(call->control, call->n_control * sizeof(*call->control));
    for (unsigned i = 0; i < call->n_control; i++)
        c->control[i].data = g_memdup2(call->control[i].data, call->control[i].len);
    return c;
}

void lnx_call_free(PdCall *c)
{
    if (!c)
        return;
    for (unsigned i = 0; i < c->n_control; i++)
        g_free(c->control[i].data);
    g_free(c->control);
    g_free(c->poll);
    g_free((void *)c->bytes);
    g_free(c->iov);
    g_free((void *)c->path);
    g_free((void *)c->name);
    g_free(c);
}

/* Linux 6.18 ends struct tcp_info with two 16-bit fields, where later ones have bit-fields. */
static void own_layout(PdSnapshot *s)
{
    struct utsname name;
    uint16_t old[2];
    const size_t end = 280, at = end - sizeof(old); /* of struct tcp_info */

    if (uname(&name) < 0 || atoi(name.release) >= 7 || s->tcp_info_len < end)
        return;
    memcpy(old, (uint8_t *)s->tcp_info + at, sizeof(old));
    uint32_t bits = (uint32_t)(old[1] & 3) << 2 | (uint32_t)(old[0] & 15) << 4;
    memcpy((uint8_t *)s->tcp_info + at, &bits, sizeof(bits));
}

bool lnx_call_snapshot(int fd, PdSnapshot *out, char **error)
{
    memset(out, 0, sizeof(*out));
    socklen_t len = sizeof(out->tcp_info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, out->tcp_info, &len) < 0) {
        *error = g_strdup_printf("TCP_INFO of descriptor %d: %s", fd, g_strerror(errno));
        return false;
    }
    out->tcp_info_len = len;
    own_layout(out);
    len = sizeof(out->cc_info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_CC_INFO, out->cc_info, &len) == 0)
        out->cc_info_len = len;
    len = sizeof(out->cc_name) - 1;
    getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, out->cc_name, &len);
    len = sizeof(out->meminfo);
    if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, out->meminfo, &len) == 0)
        out->n_meminfo = len / sizeof(out->meminfo[0]);
    return true;
}
