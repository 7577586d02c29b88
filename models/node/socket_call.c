/* A system call from its start to its end: the table of operations, sleeping, waking, timeouts. */
#include "models/node/socket_priv.h"

typedef struct Op {
    const char *name;
    SockOpFn fn;
} Op;

static const Op ops[SYS_COUNT] = {
    [SYS_SOCKET] = {"socket", sockop_socket},
    [SYS_BIND] = {"bind", sockop_bind},
    [SYS_LISTEN] = {"listen", sockop_listen},
    [SYS_ACCEPT] = {"accept", sockop_accept},
    [SYS_ACCEPT4] = {"accept4", sockop_accept},
    [SYS_CONNECT] = {"connect", sockop_connect},
    [SYS_READ] = {"read", sockop_read},
    [SYS_WRITE] = {"write", sockop_write},
    [SYS_READV] = {"readv", sockop_read},
    [SYS_WRITEV] = {"writev", sockop_write},
    [SYS_RECV] = {"recv", sockop_read},
    [SYS_SEND] = {"send", sockop_write},
    [SYS_RECVFROM] = {"recvfrom", sockop_read},
    [SYS_SENDTO] = {"sendto", sockop_write},
    [SYS_RECVMSG] = {"recvmsg", sockop_read},
    [SYS_SENDMSG] = {"sendmsg", sockop_write},
    [SYS_FCNTL] = {"fcntl", sockop_fcntl},
    [SYS_IOCTL] = {"ioctl", sockop_ioctl},
    [SYS_CLOSE] = {"close", sockop_close},
    [SYS_SHUTDOWN] = {"shutdown", sockop_shutdown},
    [SYS_SETSOCKOPT] = {"setsockopt", sockop_setsockopt},
    [SYS_GETSOCKOPT] = {"getsockopt", sockop_getsockopt},
    [SYS_GETSOCKNAME] = {"getsockname", sockop_getsockname},
    [SYS_GETPEERNAME] = {"getpeername", sockop_getpeername},
    [SYS_POLL] = {"poll", sockop_poll},
    [SYS_EPOLL_CREATE] = {"epoll_create", sockop_epoll_create},
    [SYS_EPOLL_CTL] = {"epoll_ctl", sockop_epoll_ctl},
    [SYS_EPOLL_WAIT] = {"epoll_wait", sockop_epoll_wait},
    [SYS_PIPE] = {"pipe", sockop_pipe},
    [SYS_SPLICE] = {"splice", sockop_splice},
    [SYS_SENDFILE] = {"sendfile", sockop_sendfile},
    [SYS_OPEN] = {"open", sockop_open},
    [SYS_DUP] = {"dup", sockop_dup},
};

const char *sockop_name(SockOp op)
{
    hs_assert(op < SYS_COUNT);
    return ops[op].name;
}

SockAddr sockaddr_ip4(uint32_t ip, uint16_t port)
{
    return (SockAddr){AF_INET, {.addr = inet_from_ip4(ip), .port = port}};
}

SockAddr sockaddr_ip6(const Ipv6Addr *ip, uint16_t port)
{
    return (SockAddr){AF_INET6, {.addr = inet_from_ip6(ip), .port = port, .is_v6 = true}};
}

/* ---- waiting ---- */

bool sockcall_may_sleep(const SockCall *c, const SockFile *f, int msg_flags)
{
    return !c->p.no_wait && !(f->oflags & O_NONBLOCK) && !(msg_flags & MSG_DONTWAIT);
}

static void on_wake(SockWaiter *w, unsigned events)
{
    (void)events;
    sockcall_wake(w->owner);
}

void sockcall_watch(SockCall *c, SockFile *f, SockWaiter *w)
{
    w->wake = on_wake;
    w->owner = c;
    sockfile_add_waiter(f, w);
}

static void on_timeout(Timer *t)
{
    SockCall *c = HS_CONTAINER_OF(t, SockCall, p.timer);

    c->p.timed_out = true;
    sockcall_wake(c);
    sockhost_run(c->p.fds->sh);
}

void sockcall_set_timeout(SockCall *c, SimTime timeout_ns)
{
    if (c->p.has_timer)
        return;
    c->p.has_timer = true;
    timer_init(&c->p.timer, &c->p.fds->host->node, on_timeout);
    timer_arm_after(&c->p.timer, timeout_ns);
}

bool sockcall_sleep_on(SockCall *c, SockFile *f, SimTime timeout_ns)
{
    if (!c->p.w.file)
        sockcall_watch(c, f, &c->p.w);
    else if (c->p.w.file != f && !c->p.w2.file)
        sockcall_watch(c, f, &c->p.w2);
    if (timeout_ns > 0)
        sockcall_set_timeout(c, timeout_ns);
    return false;
}

void sockcall_wake(SockCall *c)
{
    SockHost *sh = c->p.fds->sh;

    if (c->p.is_runnable || !c->p.is_pending)
        return;
    c->p.is_runnable = true;
    c->p.run_next = NULL;
    if (sh->run_last)
        sh->run_last->p.run_next = c;
    else
        sh->run_first = c;
    sh->run_last = c;
}

static void take_off_run_list(SockCall *c)
{
    SockHost *sh = c->p.fds->sh;
    SockCall **at = &sh->run_first, *before = NULL;

    if (!c->p.is_runnable)
        return;
    for (; *at != c; at = &(*at)->p.run_next)
        before = *at;
    *at = c->p.run_next;
    if (sh->run_last == c)
        sh->run_last = before;
    c->p.is_runnable = false;
}

static void stop_waiting(SockCall *c)
{
    sockwaiter_remove(&c->p.w);
    sockwaiter_remove(&c->p.w2);
    if (c->p.many) {
        for (unsigned i = 0; i < c->n_pollfds; i++) {
            SockFile *f = c->p.many[i].file;

            sockwaiter_remove(&c->p.many[i]);
            sockfile_unref(f); /* NULL: not watched */
        }
        g_free(c->p.many);
        c->p.many = NULL;
    }
}

/* Everything that it held goes. */
static void let_go(SockCall *c)
{
    SockFile *f = c->p.file, *f2 = c->p.file2;

    stop_waiting(c);
    if (c->p.has_timer)
        timer_clear(&c->p.timer);
    c->p.has_timer = false;
    c->p.file = c->p.file2 = NULL;
    sockfile_unref(f);
    sockfile_unref(f2);
}

static void unlink_pending(SockCall *c)
{
    Fds *fds = c->p.fds;

    take_off_run_list(c);
    if (c->p.prev)
        c->p.prev->p.next = c->p.next;
    else
        fds->calls = c->p.next;
    if (c->p.next)
        c->p.next->p.prev = c->p.prev;
    c->p.is_pending = false;
}

/* ---- running ---- */

bool sockcall_start(Fds *fds, SockCall *c)
{
    bool no_wait = c->p.no_wait;

    hs_assert(c->op < SYS_COUNT && !c->p.is_pending);
    memset(&c->p, 0, sizeof(c->p));
    c->p.fds = fds;
    c->p.no_wait = no_wait;
    c->ret = 0;
    c->sigpipe = c->has_addr_out = false;
    c->msg_flags = 0;
    if (ops[c->op].fn(c)) {
        let_go(c);
        return true;
    }
    hs_assert(!no_wait);
    c->p.is_pending = true;
    c->p.next = fds->calls;
    if (fds->calls)
        fds->calls->p.prev = c;
    fds->calls = c;
    return false;
}

int64_t sockcall_now(Fds *fds, SockCall *c)
{
    c->p.is_pending = false;
    c->p.no_wait = true;
    sockcall_start(fds, c);
    c->p.no_wait = false;
    return c->ret;
}

void sockcall_forget(SockCall *c)
{
    unlink_pending(c);
    let_go(c);
}

void sockcall_cancel(SockCall *c)
{
    if (!c->p.is_pending)
        return;
    c->ret = c->p.progress ? (int64_t)c->p.progress : -EINTR;
    if (c->p.is_writer && c->p.file && !c->p.file->is_gone)
        tcp_writer_sleeps(c->p.file->tcp, false);
    c->p.is_writer = false;
    sockcall_forget(c);
}

void sockhost_run(SockHost *sh)
{
    SockCall *c;

    while ((c = sh->run_first)) {
        take_off_run_list(c);
        stop_waiting(c);
        if (!ops[c->op].fn(c))
            continue;
        unlink_pending(c);
        let_go(c);
        if (c->done)
            c->done(c);
    }
}

/* ---- files of a call ---- */

SockFile *sockcall_file(SockCall *c)
{
    if (c->p.file)
        return c->p.file;
    c->p.file = fds_get(c->p.fds, c->fd);
    if (!c->p.file) {
        c->ret = -EBADF;
        return NULL;
    }
    sockfile_ref(c->p.file);
    return c->p.file;
}

SockFile *sockcall_socket(SockCall *c)
{
    SockFile *f = sockcall_file(c);

    if (!f)
        return NULL;
    if (f->kind != FILE_TCP && !sockfile_is_dgram(f)) {
        c->ret = -ENOTSOCK;
        return NULL;
    }
    if (f->is_gone) { /* its host has been without power since */
        c->ret = -EIO;
        return NULL;
    }
    return f;
}
