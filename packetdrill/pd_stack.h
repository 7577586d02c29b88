/* The stack under test, seen from a packetdrill run: something that takes datagrams, system calls and shell
 * commands at given times, and whose datagrams are captured. pd_sim.c puts a simulated host behind it; a test
 * program puts a real kernel behind it, to ask it the same questions.
 *
 * Times are nanoseconds since the start of the test: open (the clock stands still for the init command),
 * start (now() == 0), then events. Datagrams are raw IP bytes, without link header, in both directions.
 *
 * Numbers of families, options, flags and errors are Linux's (as are the layouts of struct tcp_info and
 * control messages) whatever machine this runs on. File descriptors are the stack's own ("live"); the
 * script's labels are mapped before. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packetdrill/pd_ast.h"

#define PD_NS_PER_US 1000LL
#define PD_NS_PER_SEC 1000000000LL
#define PD_NEVER INT64_MAX

/* An address of either version: IPv4 in the first four bytes, network order. */
typedef struct PdAddr {
    bool is_v6;
    uint8_t b[16];
    uint8_t prefix_len;
} PdAddr;

/* What a script's flags say about the host. */
typedef struct PdHostConfig {
    PdIpVersion ip_version;
    PdAddr local, remote, gateway; /* on the wire: IPv4 for ipv4-mapped-ipv6 */
    uint16_t bind_port, connect_port;
    uint32_t mtu;
    uint32_t mss;            /* 0: inbound packets are not aggregates */
    uint64_t speed_mbps;     /* 0: not given */
    const char *script_path; /* helper scripts are looked for beside it */
    uint64_t seed;
} PdHostConfig;

/* ---- system calls ---- */

typedef enum PdCallKind {
    PD_CALL_SOCKET,     /* domain, type, protocol */
    PD_CALL_BIND,       /* fd, addr if has_addr (NULL otherwise), addr_len if has_addr_len */
    PD_CALL_LISTEN,     /* fd, arg = backlog */
    PD_CALL_ACCEPT,     /* fd, flags, name_out */
    PD_CALL_CONNECT,    /* as bind */
    PD_CALL_READ,       /* fd, iov (one) */
    PD_CALL_WRITE,      /* fd, iov (one) */
    PD_CALL_READV,      /* fd, iov */
    PD_CALL_WRITEV,     /* fd, iov */
    PD_CALL_RECV,       /* fd, iov (one), flags */
    PD_CALL_SEND,       /* fd, iov (one), flags */
    PD_CALL_RECVFROM,   /* fd, iov (one), flags, name_out */
    PD_CALL_SENDTO,     /* fd, iov (one), flags, addr */
    PD_CALL_RECVMSG,    /* fd, iov, flags, control_len (room), name_out */
    PD_CALL_SENDMSG,    /* fd, iov, flags, addr if has_addr, control */
    PD_CALL_FCNTL,      /* fd, arg = command, arg2 */
    PD_CALL_IOCTL,      /* fd, arg = request, arg2 = the int before the call; out: PdResult.out */
    PD_CALL_CLOSE,      /* fd */
    PD_CALL_SHUTDOWN,   /* fd, arg = how */
    PD_CALL_SETSOCKOPT, /* fd, level, name, bytes (NULL pointer if bytes is NULL), arg = length */
    PD_CALL_GETSOCKOPT, /* fd, level, name, arg = room, name_out: which pointers are NULL; out: PdResult.bytes
                         */
    PD_CALL_POLL,       /* poll, timeout_ms */
    PD_CALL_EPOLL_CREATE, /* arg = size, flags (epoll_create1: of size 1) */
    PD_CALL_EPOLL_CTL,    /* fd = epoll, arg = op, fd2, epoll unless has_no_event */
    PD_CALL_EPOLL_WAIT,   /* fd = epoll, arg = maxevents, timeout_ms */
    PD_CALL_OPEN,         /* path, flags */
    PD_CALL_SENDFILE,     /* fd = out, fd2 = in, offset (if has_offset), count */
    PD_CALL_PIPE,         /* out: PdResult.fds */
    PD_CALL_SPLICE,       /* fd = in, fd2 = out, offset (if has_offset), offset2, count, flags */
    PD_CALL_CAP_SET,      /* always succeeds */
    PD_CALL_GETSOCKNAME,  /* fd, name_out */
    PD_CALL_GETPEERNAME,  /* fd, name_out */
} PdCallKind;

typedef struct PdSockAddr {
    uint16_t family; /* AF_INET 2, AF_INET6 10, AF_UNSPEC 0 */
    uint16_t port;   /* host order */
    uint8_t b[16];   /* IPv4 in the first four bytes; AF_INET6 with an IPv4 peer: ::ffff:a.b.c.d */
} PdSockAddr;

/* Where an address is to be put: PdResult.name. */
typedef struct PdNameOut {
    bool is_wanted, is_null, len_is_null; /* the pointers */
    int64_t room;                         /* what the length is before the call */
} PdNameOut;

typedef struct PdIovec {
    bool is_null; /* the base is NULL: EFAULT */
    uint64_t len; /* outbound data are zeros */
} PdIovec;

typedef struct PdPollFd {
    int fd;
    uint16_t events, revents;
    bool any_revents; /* of an expectation: ... */
} PdPollFd;

typedef struct PdEpollEvent {
    uint32_t events;
    uint64_t data;
} PdEpollEvent;

typedef struct PdCmsg { /* data in Linux's layout, little-endian */
    int level, type;
    uint8_t *data;
    size_t len;
} PdCmsg;

typedef struct PdCall {
    PdCallKind kind;
    const char *name; /* "read" */
    int fd, fd2;
    int domain, type, protocol;
    int level, optname;
    int flags;
    int64_t arg, arg2;
    int64_t count;
    bool has_addr, has_offset, has_offset2, has_addr_len, has_no_event;
    PdSockAddr addr;
    int addr_len;
    PdNameOut name_out;
    int64_t offset, offset2;
    PdIovec *iov;
    unsigned n_iov;
    const uint8_t *bytes;
    size_t n_bytes;
    PdPollFd *poll;
    unsigned n_poll;
    int timeout_ms;
    PdEpollEvent epoll;
    PdCmsg *control;
    unsigned n_control;
    size_t control_len;
    const char *path;
    bool may_block; /* written with an end time. When false and the call would sleep, the stack may refuse */
} PdCall;

/* Zeroed by the caller; owns what it points to (pd_result_clear). */
typedef struct PdResult {
    int64_t ret;    /* as the C function returns: -1 on error */
    int err;        /* Linux errno, 0 on success */
    int64_t at_ns;  /* when the call returned */
    int fds[2];     /* pipe */
    int64_t out;    /* ioctl */
    uint8_t *bytes; /* getsockopt; g_malloc'ed */
    size_t n_bytes;
    PdPollFd *poll; /* poll: all of them, with revents */
    unsigned n_poll;
    PdEpollEvent *epoll; /* epoll_wait: `ret` of them */
    unsigned n_epoll;
    int msg_flags; /* recvmsg */
    PdSockAddr name;
    unsigned name_len; /* of the sockaddr, without regard to the room; 0: there is none */
    PdCmsg *control;
    unsigned n_control;
} PdResult;

/* Socket facts at one moment, in Linux's layouts (pd_info.h names their fields); longer than any of today's.
 */
typedef struct PdSnapshot {
    uint8_t tcp_info[512];
    size_t tcp_info_len;
    uint8_t cc_info[64];
    size_t cc_info_len;
    char cc_name[16];
    uint32_t meminfo[16]; /* SK_MEMINFO_* in order */
    unsigned n_meminfo;
} PdSnapshot;

/* A datagram that the stack sent. */
typedef struct PdCaptured {
    int64_t at_ns;     /* departure */
    uint32_t gso_size; /* 0: an ordinary packet */
    size_t len;
    uint8_t *bytes; /* g_malloc'ed, owned by whoever took the packet */
} PdCaptured;

typedef struct PdStack PdStack; /* the backend's own struct begins with one */

typedef struct PdStackOps {
    const char *name; /* "simulated host" */
    /* Between events the stack's clock stands still: no lateness, and equality of times is exact. */
    bool is_virtual_time;

    /* A fresh host with tun0, addresses and the route to the remote. NULL and *error (g_malloc'ed sentence).
     */
    PdStack *(*open)(const PdHostConfig *config, void *user, char **error);
    void (*close)(PdStack *s); /* with everything in it */
    /* From now on time counts; now() is 0 here. */
    void (*start)(PdStack *s);
    int64_t (*now)(PdStack *s);

    /* Goes on until `t` (everything due then included), or returns earlier when t is past. With t = now():
     * whatever is due at this instant. Captured packets queue up meanwhile. */
    void (*run_until)(PdStack *s, int64_t t);
    /* The oldest captured packet, waiting for one until `limit` (PD_NEVER: for ever, or until nothing can
     * happen any more). false: none came; the clock then stands at `limit`. Does not go further than the
     * packet's own instant. */
    bool (*take_packet)(PdStack *s, int64_t limit, PdCaptured *out);
    /* Hands the stack a datagram, now. gso_size not 0: an aggregate of segments of that size. */
    bool (*inject)(PdStack *s, const uint8_t *bytes, size_t len, uint32_t gso_size, char **error);

    /* Starts a call, now. true: it has returned, *out is filled. false: it sleeps; at most one does. Nothing
     * of `call` is looked at after this returned. *error: the stack cannot do such a call at all (then true,
     * with *out untouched). */
    bool (*call)(PdStack *s, const PdCall *call, PdResult *out, char **error);
    /* Goes on until the sleeping call has returned, at most until `limit`. false: it sleeps still. */
    bool (*wait_call)(PdStack *s, int64_t limit, PdResult *out);

    /* Runs a shell command's text. Its exit status, or -1 and *error: cannot be done here. *output: what it
     * printed (g_malloc'ed), or NULL. */
    int (*shell)(PdStack *s, const char *text, char **output, char **error);

    bool (*snapshot)(PdStack *s, int fd, PdSnapshot *out, char **error);
} PdStackOps;

struct PdStack {
    const PdStackOps *ops;
};

void pd_result_clear(PdResult *r);
