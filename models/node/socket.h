/* Processes' view of the network: descriptors and system calls, with Linux's results, errnos and waiting.
 *
 * A process has a table of descriptors (Fds). A system call is a SockCall: fill in the members that its
 * operation reads (a designated initialiser; the rest is zero), then
 *
 *     if (sockcall_start(fds, &call))   ... it has ended: call.ret is there; `done` is not called
 *     else                              ... it sleeps; call.done(&call) is called when it has ended
 *
 * A call sleeps only where Linux would (no O_NONBLOCK, no MSG_DONTWAIT). It continues by wake-ups of what it
 * waits for, which come as events of their own at the same instant, after the stack has finished what it was
 * doing: `done` may therefore call anything, also close the socket or free the Fds. The SockCall, its buffers
 * and everything that it points to belong to the caller and must stay where they are until it has ended or
 * was cancelled.
 *
 * Descriptors are numbers from 0 up, the lowest free one first; nothing is open in a new table (a process
 * that wants 0, 1 and 2 taken says so by fds_reserve). A descriptor refers to an open file, which
 * fds_dup_into shares between tables as fork does: the file is closed with its last descriptor.
 *
 * Constants are the C library's (<sys/socket.h>, <poll.h>, <sys/epoll.h>, <fcntl.h>, <sys/ioctl.h>); option
 * names of TCP are in models/tcp/tcp_sockopt.h.
 *
 * The files: socket.c (tables, open files, waking), socket_call.c (start, sleep, continue; the table of
 * operations), socket_open.c (socket, bind, listen, accept, connect, close), socket_io.c (reading and
 * writing), socket_dgram*.c (UDP and ICMP), socket_poll.c (poll, epoll), socket_pipe.c (pipe, splice,
 * sendfile, files), socket_opt.c (options, fcntl, ioctl). */
#pragma once

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "models/ip/inet.h"
#include "models/node/net.h"
#include "sim/engine/timer.h"

typedef struct Fds Fds;
typedef struct SockCall SockCall;
typedef struct SockFile SockFile; /* an open file, by one or more descriptors */
struct TcpConn;

/* ---- tables ---- */

Fds *fds_new(Host *h);
/* The process ends: calls that sleep are forgotten without `done`, descriptors are closed in order as the
 * kernel does for a dead process (FIN; RST when data was not read or SO_LINGER says 0 s; no lingering). When
 * the host has lost its power nothing is sent. */
void fds_free(Fds *fds); /* accepts NULL */
Host *fds_host(const Fds *fds);
/* fork: `child` (new, empty) gets the same descriptors, which refer to the same open files. */
void fds_dup_into(const Fds *fds, Fds *child);
void fds_set_limit(Fds *fds, unsigned n); /* RLIMIT_NOFILE; 1024 at first */
void fds_reserve(Fds *fds, int n);        /* descriptors below n are taken, by nothing */
unsigned fds_count(const Fds *fds);
/* Which table of its host: never used again. Is it a copy (by fds_dup_into) of that one, or of a copy of it?
 */
uint64_t fds_id(const Fds *fds);
bool fds_descends_from(const Fds *fds, uint64_t id);
/* The connection behind a descriptor; NULL: not a TCP socket, or not open. For assertions and plots. */
struct TcpConn *fds_tcp(const Fds *fds, int fd);

/* A file of `size` zeros that open() finds on that host. */
void host_put_file(Host *h, const char *path, uint64_t size);
void host_remove_file(Host *h, const char *path);

/* ---- calls ---- */

typedef enum SockOp {
    SYS_SOCKET,       /* domain, type, protocol */
    SYS_BIND,         /* fd, addr */
    SYS_LISTEN,       /* fd, backlog */
    SYS_ACCEPT,       /* fd; out: addr_out */
    SYS_ACCEPT4,      /* fd, flags (SOCK_NONBLOCK, SOCK_CLOEXEC); out: addr_out */
    SYS_CONNECT,      /* fd, addr */
    SYS_READ,         /* fd, buf, len */
    SYS_WRITE,        /* fd, buf, len */
    SYS_READV,        /* fd, iov, n_iov */
    SYS_WRITEV,       /* fd, iov, n_iov */
    SYS_RECV,         /* fd, buf, len, flags */
    SYS_SEND,         /* fd, buf, len, flags */
    SYS_RECVFROM,     /* fd, buf, len, flags; out: addr_out */
    SYS_SENDTO,       /* fd, buf, len, flags, addr */
    SYS_RECVMSG,      /* fd, iov, n_iov, flags; out: addr_out, msg_flags, cmsgs, n_cmsgs */
    SYS_SENDMSG,      /* fd, iov, n_iov, flags, addr, cmsgs, n_cmsgs */
    SYS_FCNTL,        /* fd, cmd, arg */
    SYS_IOCTL,        /* fd, cmd, arg (FIONBIO: the int's value); out: int_out */
    SYS_CLOSE,        /* fd */
    SYS_SHUTDOWN,     /* fd, how */
    SYS_SETSOCKOPT,   /* fd, level, name, val, val_len */
    SYS_GETSOCKOPT,   /* fd, level, name, val, val_len (in and out) */
    SYS_GETSOCKNAME,  /* fd; out: addr_out */
    SYS_GETPEERNAME,  /* fd; out: addr_out */
    SYS_POLL,         /* pollfds, n_pollfds, timeout_ns; out: revents */
    SYS_EPOLL_CREATE, /* flags (EPOLL_CLOEXEC); len: the size argument of epoll_create, must not be 0 */
    SYS_EPOLL_CTL,    /* fd, cmd (EPOLL_CTL_*), fd2, event */
    SYS_EPOLL_WAIT,   /* fd, events, max_events, timeout_ns */
    SYS_PIPE,         /* flags; out: pipe_out[0] to read, [1] to write */
    SYS_SPLICE,       /* fd (in), off_in, fd2 (out), off_out, len, flags */
    SYS_SENDFILE,     /* fd (out), fd2 (in), off_in, len */
    SYS_OPEN,         /* path, flags */
    SYS_DUP,          /* fd */
    SYS_COUNT
} SockOp;
const char *sockop_name(SockOp op); /* "socket" */

/* A sockaddr: the address of the family AF_INET (ep.addr as inet_from_ip4) or AF_INET6; AF_UNSPEC
 * disconnects; any other family is refused as Linux refuses it. */
typedef struct SockAddr {
    uint16_t family;
    InetEndpoint ep;
} SockAddr;
SockAddr sockaddr_ip4(uint32_t ip, uint16_t port);
SockAddr sockaddr_ip6(const Ipv6Addr *ip, uint16_t port);

#define SOCK_CMSG_DATA 256
typedef struct SockCmsg {
    int level, type;
    uint32_t len;                 /* of data */
    uint8_t data[SOCK_CMSG_DATA]; /* in Linux's layout */
} SockCmsg;

/* How the payload of reads and writes is given. */
typedef enum SockPayload {
    SOCK_BYTES,     /* buf or iov; NULL with a length: EFAULT */
    SOCK_SYNTHETIC, /* written: the synthetic stream (sim/packet/payload.h) from synthetic_off on, lengths
                       from len or iov; read: `take` gets the pieces by reference, or nobody if it is NULL */
} SockPayload;

typedef struct SockWaiter SockWaiter;
struct SockWaiter { /* private */
    SockWaiter *next, *prev;
    SockFile *file;
    void (*wake)(SockWaiter *w, unsigned events);
    void *owner;
};

struct SockCall {
    SockOp op;
    int fd, fd2;
    /* what the operation reads */
    int domain, type, protocol, backlog, flags, how, level, name;
    unsigned long cmd;
    int64_t arg;
    const SockAddr *addr; /* NULL: none (EFAULT where one is needed) */
    bool has_addr_len;    /* bind, connect: addr_len counts; else it is the family's */
    int addr_len;
    SockPayload payload;
    void *buf; /* to read into; written: not changed */
    size_t len;
    const struct iovec *iov;
    unsigned n_iov;
    uint64_t synthetic_off;
    void (*take)(void *user, const PktSlice *slice);
    void *val;
    unsigned val_len; /* in, and of getsockopt out */
    struct pollfd *pollfds;
    unsigned n_pollfds;
    struct epoll_event *events; /* room of epoll_wait; epoll_ctl reads the first */
    int max_events;
    int64_t timeout_ns; /* < 0: none */
    int64_t *off_in, *off_out;
    const char *path;
    SockCmsg *cmsgs;  /* sendmsg: these; recvmsg: room for n_cmsgs of them (fewer than needed: MSG_CTRUNC) */
    unsigned n_cmsgs; /* in, and of recvmsg out */
    /* results */
    int64_t ret; /* >= 0, or -errno */
    SockAddr addr_out;
    bool has_addr_out; /* a datagram's source, a peer: there was one */
    int msg_flags;
    int int_out;
    int pipe_out[2];
    bool sigpipe; /* Linux would have raised SIGPIPE too */
    /* the caller's */
    void (*done)(SockCall *call);
    void *user;
    /* private */
    struct {
        Fds *fds;
        SockCall *next, *prev; /* those of the Fds that sleep */
        SockFile *file, *file2;
        SockWaiter w, w2;
        SockWaiter *many; /* of poll */
        Timer timer;
        size_t progress;
        uint8_t stage;
        bool is_pending, is_runnable, has_timer, timed_out, no_wait;
        bool is_writer; /* counted by tcp_writer_sleeps */
        SockCall *run_next;
    } p;
};

/* true: it has ended. */
bool sockcall_start(Fds *fds, SockCall *call);
/* A sleeping call ends as by a signal: call->ret is what it has done so far, or -EINTR. `done` is not called.
 */
void sockcall_cancel(SockCall *call);
static inline bool sockcall_is_pending(const SockCall *call)
{
    return call->p.is_pending;
}
/* For calls that cannot sleep (or must not: then they end as if the file were non-blocking, as far as they
 * have come). Returns call->ret. */
int64_t sockcall_now(Fds *fds, SockCall *call);
