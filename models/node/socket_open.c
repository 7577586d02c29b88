/* socket, bind, listen, accept, connect, shutdown, close, and the names of sockets (Linux net/socket.c,
 * inet_create, inet_bind, inet_stream_connect, inet_accept, inet_getname). */
#include <netinet/in.h>

#include "models/node/socket_priv.h"
#include "models/tcp/tcp.h"

#define MAX_PROTOCOL 262 /* Linux IPPROTO_MAX - 1; what has more than eight bits is on no wire */

void sock_on_tcp_wake(void *user, TcpConn *conn, unsigned events)
{
    (void)conn;
    sockfile_wake(user, events);
}

/* ---- addresses ---- */

int sock_take_addr(const SockFile *f, const SockAddr *a, InetEndpoint *out)
{
    if (!a)
        return -EFAULT;
    *out = a->ep;
    out->is_v6 = a->family == AF_INET6;
    if (f->is_v6)
        return a->family == AF_INET6 ? 0 : a->family == AF_INET ? -EINVAL /* too short */ : -EAFNOSUPPORT;
    return a->family == AF_INET ? 0 : -EAFNOSUPPORT;
}

SockAddr sock_give_addr(const SockFile *f, const InetEndpoint *e)
{
    SockAddr a = {f->is_v6 ? AF_INET6 : AF_INET, *e};

    a.ep.is_v6 = f->is_v6;
    return a;
}

/* ---- socket ---- */

static SockFile *make_tcp(SockCall *c, TcpConn *conn, bool is_v6, int oflags)
{
    SockFile *f = sockfile_new(c->p.fds->sh, FILE_TCP, oflags | O_RDWR);

    f->is_v6 = is_v6;
    f->tcp = conn;
    tcp_on_wake(conn, sock_on_tcp_wake, f);
    return f;
}

/* 0 or -errno; *kind: which of ours (Linux inet_create, inet6_create). */
static int choose_kind(int domain, int type, int protocol, FileKind *kind)
{
    if (domain != AF_INET && domain != AF_INET6)
        return -EAFNOSUPPORT;
    if (type < 0 || type > SOCK_PACKET)
        return -EINVAL;
    switch (type) {
    case SOCK_STREAM:
        *kind = FILE_TCP;
        return protocol == 0 || protocol == IPPROTO_TCP ? 0 : -EPROTONOSUPPORT;
    case SOCK_DGRAM:
        *kind = FILE_UDP;
        if (protocol == 0 || protocol == IPPROTO_UDP)
            return 0;
        *kind = FILE_PING;
        return protocol == (domain == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6) ? 0 : -EPROTONOSUPPORT;
    case SOCK_RAW: /* processes run as root here */
        *kind = FILE_RAW;
        if (protocol < 0 || protocol > MAX_PROTOCOL)
            return -EINVAL;
        return protocol == 0 ? -EPROTONOSUPPORT : 0;
    default:
        return -ESOCKTNOSUPPORT;
    }
}

/* ping_init_sock: root counts by its group only. */
static bool may_ping(Host *h)
{
    const Ip4Sysctl *s = ip4_sysctl_get(host_ip4(h));

    return s->ping_gid_low == 0 && s->ping_gid_high >= s->ping_gid_low;
}

bool sockop_socket(SockCall *c)
{
    SockHost *sh = c->p.fds->sh;
    int flags = c->type & ~0xf, oflags = c->type & SOCK_NONBLOCK ? O_NONBLOCK : 0, fd, err;
    bool is_v6 = c->domain == AF_INET6;
    FileKind kind;
    SockFile *f;

    if (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC))
        return sockcall_end(c, -EINVAL);
    err = choose_kind(c->domain, c->type & 0xf, c->protocol, &kind);
    if (err)
        return sockcall_end(c, err);
    if (kind == FILE_PING && !may_ping(sh->host))
        return sockcall_end(c, -EACCES);
    fd = fds_room(c->p.fds);
    if (fd < 0)
        return sockcall_end(c, fd);
    if (kind == FILE_TCP)
        f = make_tcp(c, tcp_socket(host_tcp(sh->host), is_v6), is_v6, oflags);
    else
        f = dgram_new(sh, kind, is_v6, oflags, c->protocol);
    return sockcall_end(c, fds_install(c->p.fds, f, c->type & SOCK_CLOEXEC));
}

#define SIN6_LEN_RFC2133 24 /* without sin6_scope_id; sizeof(struct sockaddr_in6) since */

/* Is the address that is given shorter than the socket's family has them? */
static bool addr_is_short(const SockCall *c, bool is_v6)
{
    return c->has_addr_len && c->addr_len < (is_v6 ? SIN6_LEN_RFC2133 : (int)sizeof(struct sockaddr_in));
}

/* Linux move_addr_to_kernel, and what bind and connect say before anything else: 0 or -errno. */
static int check_addr_len(const SockCall *c, bool is_v6)
{
    if (c->has_addr_len && (c->addr_len < 0 || c->addr_len > (int)sizeof(struct sockaddr_storage)))
        return -EINVAL;
    if (!c->addr && !(c->has_addr_len && c->addr_len == 0))
        return -EFAULT;
    if (c->op == SYS_CONNECT) {
        if (c->has_addr_len && c->addr_len < (int)sizeof(sa_family_t))
            return -EINVAL;
        return 0;
    }
    return addr_is_short(c, is_v6) ? -EINVAL : 0;
}

/* The TCP socket of a call that has an address. NULL: the call is over, by an error or by of_datagram. */
static SockFile *tcp_with_addr(SockCall *c, int (*of_datagram)(SockFile *f, const SockAddr *a))
{
    SockFile *f = sockcall_socket(c);
    int err;

    if (!f)
        return NULL;
    err = check_addr_len(c, f->is_v6);
    if (!err && f->kind == FILE_TCP)
        return f;
    /* Disconnecting needs no more than a family; an AF_INET6 socket takes AF_INET (__ip6_datagram_connect).
     */
    if (!err && c->op == SYS_CONNECT && c->addr->family != AF_UNSPEC &&
        addr_is_short(c, f->is_v6 && c->addr->family != AF_INET))
        err = -EINVAL;
    sockcall_end(c, err ? err : of_datagram(f, c->addr));
    return NULL;
}

/* ---- bind, listen ---- */

bool sockop_bind(SockCall *c)
{
    SockFile *f = tcp_with_addr(c, dgram_bind);
    InetEndpoint e;
    int err;

    if (!f)
        return true;
    if (!f->is_v6 && c->addr->family == AF_UNSPEC && inet_is_any(&c->addr->ep.addr)) {
        e = (InetEndpoint){.addr = inet_from_ip4(0), .port = c->addr->ep.port};
        return sockcall_end(c, tcp_bind(f->tcp, &e));
    }
    err = sock_take_addr(f, c->addr, &e);
    return sockcall_end(c, err ? err : tcp_bind(f->tcp, &e));
}

bool sockop_listen(SockCall *c)
{
    SockFile *f = sockcall_socket(c);

    if (!f)
        return true;
    return sockcall_end(c, f->kind == FILE_TCP ? tcp_listen(f->tcp, c->backlog) : -EOPNOTSUPP);
}

/* ---- accept ---- */

bool sockop_accept(SockCall *c)
{
    SockFile *f = sockcall_file(c), *child;
    int flags = c->op == SYS_ACCEPT4 ? c->flags : 0, fd, err;
    InetEndpoint peer;
    TcpConn *conn;

    if (!f)
        return true;
    if (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC))
        return sockcall_end(c, -EINVAL);
    fd = fds_room(c->p.fds); /* before anything is taken out of the queue */
    if (fd < 0)
        return sockcall_end(c, fd);
    if (!sockcall_socket(c))
        return true;
    if (f->kind != FILE_TCP)
        return sockcall_end(c, -EOPNOTSUPP);
    conn = tcp_accept(f->tcp, &err);
    if (!conn) {
        SimTime timeo = tcp_timeout_ns(f->tcp, false);

        if (err != -EAGAIN || c->p.timed_out || timeo < 0 || !sockcall_may_sleep(c, f, 0))
            return sockcall_end(c, err);
        return sockcall_sleep_on(c, f, timeo);
    }
    child = make_tcp(c, conn, f->is_v6, flags & SOCK_NONBLOCK ? O_NONBLOCK : 0);
    peer = tcp_remote(conn);
    c->addr_out = sock_give_addr(child, &peer);
    c->has_addr_out = true;
    return sockcall_end(c, fds_install(c->p.fds, child, flags & SOCK_CLOEXEC));
}

/* ---- connect ---- */

enum { CONNECT_WAITING = 1 };

bool sockop_connect(SockCall *c)
{
    SockFile *f = tcp_with_addr(c, dgram_connect);
    InetEndpoint to = {0};
    SimTime timeo;
    int err;

    if (!f)
        return true;
    if (c->addr->family == AF_UNSPEC)
        return sockcall_end(c, tcp_disconnect(f->tcp));
    /* The family counts only when there is something to connect: EISCONN comes before it. */
    to = c->addr->ep;
    to.is_v6 = c->addr->family == AF_INET6;
    if (tcp_state(f->tcp) == TCP_CLOSE) {
        err = addr_is_short(c, f->is_v6) ? -EINVAL : sock_take_addr(f, c->addr, &to);
        if (err)
            return sockcall_end(c, err);
    }
    err = tcp_connect(f->tcp, &to);
    if (err != -EINPROGRESS && err != -EALREADY)
        return sockcall_end(c, err);
    timeo = tcp_timeout_ns(f->tcp, true);
    if (c->p.timed_out)
        return sockcall_end(c, c->p.stage == CONNECT_WAITING ? -EINPROGRESS : -EALREADY);
    if (timeo < 0 || !sockcall_may_sleep(c, f, 0))
        return sockcall_end(c, err);
    if (err == -EINPROGRESS)
        c->p.stage = CONNECT_WAITING;
    return sockcall_sleep_on(c, f, timeo);
}

/* ---- close, shutdown, dup ---- */

/* SO_LINGER: the last descriptor waits until what was sent is acknowledged. */
static bool close_lingering(SockCall *c, SockFile *f)
{
    TcpConn *conn = f->tcp;
    SimTime linger_ns;

    if (!c->p.stage) {
        c->p.stage = 1;
        if (!tcp_close_begin(conn, &linger_ns) || c->p.no_wait)
            linger_ns = 0;
        if (linger_ns)
            return sockcall_sleep_on(c, f, linger_ns);
    } else if (!f->is_gone && tcp_close_must_wait(conn) && !c->p.timed_out) {
        return sockcall_sleep_on(c, f, 0);
    }
    if (!f->is_gone)
        tcp_close_finish(conn);
    f->tcp = NULL;
    return sockcall_end(c, 0);
}

bool sockop_close(SockCall *c)
{
    SockFile *f = c->p.stage ? c->p.file : fds_remove(c->p.fds, c->fd);

    if (!f)
        return sockcall_end(c, -EBADF);
    c->p.file = f; /* the descriptor's reference is now the call's */
    if (f->kind == FILE_TCP && f->tcp && f->refs == 1 && host_is_on(c->p.fds->host))
        return close_lingering(c, f);
    return sockcall_end(c, 0);
}

bool sockop_shutdown(SockCall *c)
{
    SockFile *f = sockcall_socket(c);

    if (!f)
        return true;
    return sockcall_end(c, f->kind == FILE_TCP ? tcp_shutdown(f->tcp, c->how) : dgram_shutdown(f, c->how));
}

bool sockop_dup(SockCall *c)
{
    SockFile *f = sockcall_file(c);
    int fd;

    if (!f)
        return true;
    fd = fds_install(c->p.fds, f, false);
    if (fd >= 0)
        sockfile_ref(f);
    return sockcall_end(c, fd);
}

/* ---- names ---- */

bool sockop_getsockname(SockCall *c)
{
    SockFile *f = sockcall_socket(c);

    if (!f)
        return true;
    c->has_addr_out = true;
    if (f->kind == FILE_TCP) {
        InetEndpoint e = tcp_local(f->tcp);

        c->addr_out = sock_give_addr(f, &e);
    } else {
        dgram_name(f, false, &c->addr_out);
    }
    return sockcall_end(c, 0);
}

bool sockop_getpeername(SockCall *c)
{
    SockFile *f = sockcall_socket(c);
    InetEndpoint e;
    int err = 0;

    if (!f)
        return true;
    if (f->kind == FILE_TCP) {
        err = tcp_peername(f->tcp, &e);
        if (!err)
            c->addr_out = sock_give_addr(f, &e);
    } else if (!dgram_name(f, true, &c->addr_out)) {
        err = -ENOTCONN;
    }
    c->has_addr_out = !err;
    return sockcall_end(c, err);
}
