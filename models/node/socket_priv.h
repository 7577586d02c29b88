/* What the files of the socket layer share. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <glib.h>

#include "models/node/net_priv.h"
#include "models/node/socket.h"

typedef enum FileKind {
    FILE_TCP,
    FILE_UDP,
    FILE_PING, /* SOCK_DGRAM, IPPROTO_ICMP or IPPROTO_ICMPV6 */
    FILE_RAW,  /* SOCK_RAW */
    FILE_EPOLL,
    FILE_PIPE,
    FILE_REGULAR,
} FileKind;

typedef struct SockHost SockHost;
typedef struct Epoll Epoll;
typedef struct Pipe Pipe;
typedef struct Dgram Dgram;
struct TcpErrMsg;

/* An open file description (Linux struct file with its struct socket). */
struct SockFile {
    SockHost *sh;
    SockFile *all_next, *all_prev;
    SockFile *ready_next; /* among those that have something to tell */
    SockWaiter *first, *last;
    union {
        TcpConn *tcp; /* NULL: its host lost power */
        Dgram *dgram;
        Epoll *epoll;
        Pipe *pipe;
        uint64_t pos; /* FILE_REGULAR */
    };
    uint64_t size; /* FILE_REGULAR */
    unsigned refs; /* descriptors, sleeping calls */
    unsigned ready_events;
    int oflags; /* O_NONBLOCK, O_APPEND …, access mode */
    uint8_t kind;
    bool is_v6, is_ready, is_gone, is_write_end;
};

static inline bool sockfile_is_dgram(const SockFile *f)
{
    return f->kind == FILE_UDP || f->kind == FILE_PING || f->kind == FILE_RAW;
}

/* Per host. */
struct SockHost {
    Host *host;
    Timer kick; /* wakes what waits, behind what the stack is doing */
    SockFile *ready_first, *ready_last;
    SockCall *run_first, *run_last;
    SockFile *files;
    GArray *disk; /* of DiskFile */
    PktChunk *zeros;
    uint64_t n_tables; /* made so far */
};

typedef struct DiskFile {
    char *path;
    uint64_t size;
} DiskFile;

typedef struct FdEntry {
    SockFile *file;
    bool is_reserved, cloexec;
} FdEntry;

struct Fds {
    Host *host;
    SockHost *sh;
    FdEntry *tab;
    unsigned cap, limit, open;
    uint64_t id;
    GArray *ancestors; /* uint64_t: tables of which this is a copy of a copy; NULL: none */
    SockCall *calls;   /* that sleep */
};

/* ---- socket.c ---- */
SockHost *sockhost_of(Host *h);
/* Tells the waiters of files that had something to tell. Runs nothing. */
void sockhost_flush(SockHost *sh);
SockFile *sockfile_new(SockHost *sh, FileKind kind, int oflags); /* with one reference */
void sockfile_ref(SockFile *f);
void sockfile_unref(SockFile *f);
void sockfile_wake(SockFile *f, unsigned events);
unsigned sockfile_poll(SockFile *f); /* EPOLLIN | … */
void sockfile_add_waiter(SockFile *f, SockWaiter *w);
void sockwaiter_remove(SockWaiter *w); /* nothing if it waits nowhere */
int fds_room(const Fds *fds);          /* the descriptor that fds_install will give, or -EMFILE */
int fds_install(Fds *fds, SockFile *f, bool cloexec); /* takes the reference, when it succeeds */
SockFile *fds_get(const Fds *fds, int fd);            /* NULL: EBADF */
SockFile *fds_remove(Fds *fds, int fd);               /* out of the table; the reference is the caller's */

/* ---- socket_call.c ---- */
/* Each operation: true: it has ended, ret is set; false: it sleeps on what sockcall_sleep_on was told. Called
 * again after a wake-up. */
typedef bool (*SockOpFn)(SockCall *c);
bool sockcall_may_sleep(const SockCall *c, const SockFile *f, int msg_flags);
/* timeout_ns 0: none (as SO_RCVTIMEO has it); runs from the first call on. Always returns false. */
bool sockcall_sleep_on(SockCall *c, SockFile *f, SimTime timeout_ns);
void sockcall_set_timeout(SockCall *c, SimTime timeout_ns);
void sockcall_watch(SockCall *c, SockFile *f, SockWaiter *w);
static inline bool sockcall_end(SockCall *c, int64_t ret)
{
    c->ret = ret;
    return true;
}
/* What has been done so far, or the error when that is nothing. */
static inline bool sockcall_end_with(SockCall *c, int64_t err)
{
    return sockcall_end(c, c->p.progress ? (int64_t)c->p.progress : err);
}
void sockcall_wake(SockCall *c); /* it will be tried again */
/* The open file of c->fd, a socket or any; NULL: c->ret is set. The call keeps it until it ends. */
SockFile *sockcall_file(SockCall *c);
SockFile *sockcall_socket(SockCall *c);
void sockhost_run(SockHost *sh);
void sockcall_forget(SockCall *c);

/* ---- socket_open.c ---- */
bool sockop_socket(SockCall *c);
bool sockop_bind(SockCall *c);
bool sockop_listen(SockCall *c);
bool sockop_accept(SockCall *c);
bool sockop_connect(SockCall *c);
bool sockop_close(SockCall *c);
bool sockop_shutdown(SockCall *c);
bool sockop_getsockname(SockCall *c);
bool sockop_getpeername(SockCall *c);
bool sockop_dup(SockCall *c);
int sock_take_addr(const SockFile *f, const SockAddr *a, InetEndpoint *out); /* 0 or -errno */
SockAddr sock_give_addr(const SockFile *f, const InetEndpoint *e);
void sock_on_tcp_wake(void *user, TcpConn *conn, unsigned events);

/* ---- socket_io.c ---- */
bool sockop_read(SockCall *c);
bool sockop_write(SockCall *c);
/* The pieces of c's memory: buf and len as one, or iov. */
unsigned sockcall_iov(const SockCall *c, struct iovec *one, const struct iovec **iov);
size_t sockcall_total(const SockCall *c);
bool sockcall_is_fault(const SockCall *c); /* the first byte would go to NULL */
/* Copies payload to memory from `at` on, by slices. */
void sockcall_store(SockCall *c, size_t at, const PktSlice *s);
void sockcall_give_cmsg(SockCall *c, unsigned *n, int level, int type, const void *data, uint32_t len);

/* ---- socket_dgram.c ---- */
SockFile *dgram_new(SockHost *sh, FileKind kind, bool is_v6, int oflags, int protocol);
void dgram_free(SockFile *f);
unsigned dgram_poll(const SockFile *f);
int dgram_bind(SockFile *f, const SockAddr *a);
int dgram_connect(SockFile *f, const SockAddr *a);
bool dgram_read(SockCall *c, SockFile *f);
bool dgram_write(SockCall *c, SockFile *f);
bool dgram_name(SockFile *f, bool is_peer, SockAddr *out);
int dgram_setsockopt(SockFile *f, int level, int name, const void *val, unsigned len);
int dgram_getsockopt(SockFile *f, int level, int name, void *val, unsigned *len);
int dgram_ioctl(SockFile *f, unsigned long cmd, int *out);
int dgram_shutdown(SockFile *f, int how);

/* ---- socket_errq.c ---- */
/* What IP says of the packet of TCP's message; makes its sender the offender. */
void socket_give_err_way(SockCall *c, unsigned *n, SockFile *f, struct TcpErrMsg *m);

/* ---- socket_poll.c ---- */
/* What MSG_ERRQUEUE reads, behind n control messages that are there already; NULL: -EAGAIN. */
bool socket_give_errmsg(SockCall *c, struct TcpErrMsg *m, unsigned n);
bool sockop_poll(SockCall *c);
bool sockop_epoll_create(SockCall *c);
bool sockop_epoll_ctl(SockCall *c);
bool sockop_epoll_wait(SockCall *c);
void epoll_free(SockFile *f);
unsigned epoll_poll(SockFile *f);
void epoll_item_gone(SockWaiter *w); /* the file that it watches is closed */

/* ---- socket_pipe.c ---- */
bool sockop_pipe(SockCall *c);
bool sockop_splice(SockCall *c);
bool sockop_sendfile(SockCall *c);
bool sockop_open(SockCall *c);
bool pipe_read(SockCall *c, SockFile *f);
bool pipe_write(SockCall *c, SockFile *f);
bool regular_read(SockCall *c, SockFile *f);
void pipe_close_end(SockFile *f);
unsigned pipe_poll(const SockFile *f);

/* ---- socket_opt.c ---- */
bool sockop_fcntl(SockCall *c);
bool sockop_ioctl(SockCall *c);
bool sockop_setsockopt(SockCall *c);
bool sockop_getsockopt(SockCall *c);
