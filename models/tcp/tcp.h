/* TCP as Linux does it (RFC 9293 and what has grown around it), over IPv4 and IPv6: the face that the socket
 * layer (models/node/socket.h), the packetdrill runner and tests see.
 *
 * One Tcp per host. A TcpConn is a socket: fresh, listening or connected. Everything is non-blocking here and
 * answers with a count, 0 or a negative errno exactly as Linux's system call would for a non-blocking socket;
 * waiting is the socket layer's business, which learns by tcp_on_wake when to try again.
 *
 * Life: tcp_socket, then (tcp_bind) tcp_listen + tcp_accept, or tcp_connect; tcp_send, tcp_recv,
 * tcp_shutdown; tcp_close gives the socket up: the connection goes on as long as the protocol needs (orphan)
 * and frees itself.
 *
 * The rooms of this folder, in reading order, are listed in docs/rooms/tcp.md. */
#pragma once

#include <sys/uio.h>

#include "models/ip/inet.h"
#include "models/tcp/tcp_mib.h"
#include "models/tcp/tcp_sysctl.h"
#include "sim/packet/packet.h"

typedef struct Tcp Tcp;
typedef struct TcpConn TcpConn;
struct Ip4;
struct Ip6;
struct TcpInfo;

/* RFC 9293 3.3.2, in Linux's numbering (tcpi_state). NEW_SYN_RECV is a request that is no socket yet. */
typedef enum TcpState {
    TCP_ESTABLISHED = 1,
    TCP_SYN_SENT,
    TCP_SYN_RECV,
    TCP_FIN_WAIT1,
    TCP_FIN_WAIT2,
    TCP_TIME_WAIT,
    TCP_CLOSE,
    TCP_CLOSE_WAIT,
    TCP_LAST_ACK,
    TCP_LISTEN,
    TCP_CLOSING,
    TCP_NEW_SYN_RECV,
} TcpState;
const char *tcp_state_name(TcpState s); /* "ESTABLISHED", "SYN-SENT": as RFC 9293 and ss spell them */

/* ---- the host's TCP ---- */

/* Registers as protocol 6 with both (ip6 may be NULL). */
Tcp *tcp_new(struct Ip4 *ip4, struct Ip6 *ip6);
/* The host speaks IPv6 too, from now on. */
void tcp_set_ip6(Tcp *t, struct Ip6 *ip6);
/* Before its Ip4 and Ip6. Every connection is gone without a word, as when power fails. */
void tcp_free(Tcp *t);
struct CcSet;
TcpSysctl *tcp_sysctl(Tcp *t); /* to be changed: a copy of the host's own */
const TcpSysctl *tcp_sysctl_get(const Tcp *t);
void tcp_set_controllers(
    Tcp *t, const struct CcSet *set); /* congestion controllers made at run time; kept, not copied */
uint64_t tcp_mib(const Tcp *t, unsigned i);
/* "ip tcp_metrics flush all" */
void tcp_metrics_flush(Tcp *t);
/* Sockets as ss shows them, in order of creation: sockets of all states, requests and TIME_WAITs too (conn is
 * NULL for those). */
typedef struct TcpEntry {
    TcpState state;
    InetEndpoint local, remote;
    const TcpConn *conn;
    uint32_t recv_q, send_q; /* bytes; of a listener: connections that wait for accept, and how many may */
    bool is_orphan;          /* no descriptor holds it */
    uint8_t retransmits;     /* of a request: its SYN-ACK's */
    SimTime left_ns;         /* of a TIME_WAIT or an orphan's FIN_WAIT2 that is only remembered: until it is
                                forgotten; -1: no such end */
} TcpEntry;
/* The lines of /proc/net/sockstat. */
typedef struct TcpSockstat {
    uint32_t inuse, orphan, tw, alloc, requests;
    uint64_t mem_pages; /* in buffers, as Linux accounts for them */
    size_t bytes; /* of this simulator: sockets of all kinds and the tables that find them, without buffers */
} TcpSockstat;
TcpSockstat tcp_sockstat(const Tcp *t);
void tcp_foreach(Tcp *t, void (*fn)(void *user, const TcpEntry *e), void *user);
/* Memory of this host alone, for --stats, TIME_WAITs included: connections and buffers are in the partition's
 * pools ("tcp."). */
size_t tcp_bytes(const Tcp *t, uint64_t *n_conns);

/* ---- sockets ---- */

/* is_v6: an AF_INET6 socket, which also speaks IPv4 by mapped addresses unless IPV6_V6ONLY. */
TcpConn *tcp_socket(Tcp *t, bool is_v6);
/* close(2): the descriptor's last reference is gone. */
void tcp_close(TcpConn *c);
/* close(2) with SO_LINGER in two steps: after the first, `true` asks the caller to wait (for
 * tcp_close_must_wait to become false, at most so long) before the second. The connection is the caller's
 * until then. */
bool tcp_close_begin(TcpConn *c, SimTime *linger_ns);
bool tcp_close_must_wait(const TcpConn *c);
void tcp_close_finish(TcpConn *c);

int tcp_bind(TcpConn *c, const InetEndpoint *a);
int tcp_listen(TcpConn *c, int backlog);
/* The next established connection; NULL and *err (-EAGAIN, -EINVAL, …). With defer-accept, Fast Open etc. as
 * Linux. */
TcpConn *tcp_accept(TcpConn *c, int *err);
/* 0: connected (never at once, except Fast Open's deferred connect), -EINPROGRESS: on its way, -EALREADY,
 * -EISCONN, or the error. to->addr any and port 0 with is_unspec: disconnect (AF_UNSPEC). */
int tcp_connect(TcpConn *c, const InetEndpoint *to);
int tcp_disconnect(TcpConn *c);
int tcp_shutdown(TcpConn *c, int how); /* SHUT_RD 0, SHUT_WR 1, SHUT_RDWR 2 */

/* MSG_ flags have Linux's values (<sys/socket.h>). Payload: bytes; or, both NULL, a range of the synthetic
 * stream; or slices by reference. */
typedef struct TcpSend {
    const void *bytes;
    const struct iovec *iov; /* or these pieces, `skip` bytes of which are behind us; a NULL base is EFAULT */
    unsigned n_iov;
    size_t skip;
    bool has_iov;
    const PktSlice *slices;
    unsigned n_slices;
    uint64_t synthetic_off;
    size_t len;
    int flags;
    bool resumed; /* a blocking call goes on: part of it has been sent. -EAGAIN: still no room; 0: it ends
                     here */
    bool sigpipe; /* out: Linux would have raised SIGPIPE */
    const InetEndpoint *to; /* sendto / sendmsg: only for Fast Open, else ignored as Linux does */
    bool has_tsflags;       /* a control message of SO_TIMESTAMPING: these instead of the socket's */
    uint32_t tsflags;
    int cmsg_err; /* the control messages are no good: told when there is a connection to send on */
} TcpSend;
/* How much was taken; a blocking caller goes on with the rest when woken (it then sets `resumed`). */
int64_t tcp_send(TcpConn *c, TcpSend *m);

typedef struct TcpRecv {
    void *bytes; /* where to; NULL: thrown away (MSG_TRUNC semantics do not apply: counted as read) */
    /* instead of bytes: takes the payload by reference; called in order for each piece */
    void (*take)(void *user, const PktSlice *slice);
    void *user;
    size_t len;
    int flags;      /* MSG_PEEK, MSG_DONTWAIT, MSG_OOB, MSG_TRUNC, MSG_WAITALL … */
    bool has_fault; /* the byte at fault_at cannot be written to */
    size_t fault_at;
    size_t done;   /* of a blocking call: bytes delivered by earlier rounds (for SO_RCVLOWAT / MSG_WAITALL) */
    int msg_flags; /* out */
    int inq;       /* out: TCP_INQ's value, when asked for by the socket option */
    bool has_inq;
    bool has_stamp; /* out: when the last segment read from arrived */
    SimTime stamp;
} TcpRecv;
int64_t tcp_recv(TcpConn *c, TcpRecv *r); /* 0: end of file; -EAGAIN, -ENOTCONN, -ECONNRESET, … */

/* Linux's level and name numbers (SOL_SOCKET, SOL_TCP, SOL_IP, SOL_IPV6) and layouts. */
int tcp_setsockopt(TcpConn *c, int level, int name, const void *val, unsigned len);
int tcp_getsockopt(TcpConn *c, int level, int name, void *val, unsigned *len);
int tcp_ioctl(TcpConn *c, unsigned long cmd, int *out); /* SIOCINQ, SIOCOUTQ, SIOCOUTQNSD, SIOCATMARK */
/* A call that sleeps until it can write (more), and its end: what comes in need not be acknowledged by itself
 * while data is about to go out. */
void tcp_writer_sleeps(TcpConn *c, bool sleeps);
unsigned tcp_poll(TcpConn *c);  /* EPOLLIN | … as Linux tcp_poll */
int tcp_take_error(TcpConn *c); /* SO_ERROR: positive errno, cleared */
/* SO_RCVTIMEO, SO_SNDTIMEO in ns, 0: none; accepted sockets have their listener's. Obeyed by the socket
 * layer. */
SimTime tcp_timeout_ns(const TcpConn *c, bool is_send);
int tcp_peername(const TcpConn *c, InetEndpoint *out); /* getpeername: 0 or -ENOTCONN */
InetEndpoint tcp_local(const TcpConn *c);
InetEndpoint tcp_remote(const TcpConn *c);
TcpState tcp_state(const TcpConn *c);
void tcp_get_info(TcpConn *c, struct TcpInfo *info); /* models/tcp/tcp_info.h */
/* The last SO_ERROR-like message of the error queue (IP_RECVERR, MSG_ERRQUEUE) is read by tcp_recv with
 * MSG_ERRQUEUE. */

/* Something that poll would report may have changed, and what (EPOLLIN …; Linux's wake-up key). Called from
 * events and from calls on the same host; may call anything but tcp_close of this connection. */
typedef void (*TcpWakeFn)(void *user, TcpConn *c, unsigned events);
void tcp_on_wake(TcpConn *c, TcpWakeFn fn, void *user);
/* A stable number of this socket within the host: 1, 2, … in order of creation. For probes, plots and
 * lessons. */
uint32_t tcp_id(const TcpConn *c);
