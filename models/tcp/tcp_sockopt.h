/* Options that few sockets use, on the side (TcpConn.opts), and the numbers of Linux's ABI that
 * <sys/socket.h> and <netinet/in.h> do not have (<netinet/tcp.h> cannot be included beside ours: it names the
 * states too). */
#pragma once

#include "models/tcp/tcp_conn.h"

enum { /* SOL_TCP */
       TCP_NODELAY = 1,
       TCP_MAXSEG = 2,
       TCP_CORK = 3,
       TCP_KEEPIDLE = 4,
       TCP_KEEPINTVL = 5,
       TCP_KEEPCNT = 6,
       TCP_SYNCNT = 7,
       TCP_LINGER2 = 8,
       TCP_DEFER_ACCEPT = 9,
       TCP_WINDOW_CLAMP = 10,
       TCP_INFO = 11,
       TCP_QUICKACK = 12,
       TCP_CONGESTION = 13,
       TCP_MD5SIG = 14,
       TCP_THIN_LINEAR_TIMEOUTS = 16,
       TCP_THIN_DUPACK = 17,
       TCP_USER_TIMEOUT = 18,
       TCP_REPAIR = 19,
       TCP_REPAIR_QUEUE = 20,
       TCP_QUEUE_SEQ = 21,
       TCP_REPAIR_OPTIONS = 22,
       TCP_FASTOPEN = 23,
       TCP_TIMESTAMP = 24,
       TCP_NOTSENT_LOWAT = 25,
       TCP_CC_INFO = 26,
       TCP_SAVE_SYN = 27,
       TCP_SAVED_SYN = 28,
       TCP_REPAIR_WINDOW = 29,
       TCP_FASTOPEN_CONNECT = 30,
       TCP_ULP = 31,
       TCP_MD5SIG_EXT = 32,
       TCP_FASTOPEN_KEY = 33,
       TCP_FASTOPEN_NO_COOKIE = 34,
       TCP_ZEROCOPY_RECEIVE = 35,
       TCP_INQ = 36, /* also the type of its control message */
       TCP_TX_DELAY = 37,
       TCP_IS_MPTCP = 43,
       TCP_RTO_MAX_MS = 44,
       TCP_RTO_MIN_US = 45,
       TCP_DELACK_MAX_US = 46,
};

/* SO_MEMINFO */
enum {
    SK_MEM_RMEM_ALLOC,
    SK_MEM_RCVBUF,
    SK_MEM_WMEM_ALLOC,
    SK_MEM_SNDBUF,
    SK_MEM_FWD_ALLOC,
    SK_MEM_WMEM_QUEUED,
    SK_MEM_OPTMEM,
    SK_MEM_BACKLOG,
    SK_MEM_DROPS,
    SK_MEM_VARS
};

#define TCP_TIMEO_NOW UINT64_MAX /* a negative SO_RCVTIMEO: never waits */

struct TcpOpts {
    uint64_t rcvtimeo_ns, sndtimeo_ns; /* 0: none; obeyed by the socket layer */
    uint32_t mark, priority, min_ttl, notsent_lowat, tx_delay_us, tcp_timestamp;
    uint8_t ttl, mtu_discover, mtu_discover6, save_syn, unicast_hops, min_hopcount;
    bool inq, recvtos, recvttl, recvhoplimit, ip_recverr, ipv6_recverr, is_repair;
    bool zerocopy, dontroute, broadcast, bind_no_port, recvtclass, transparent, txrehash_off;
    bool mc_loop_off, mc_all_changed, mc6_loop_off, mc6_all_off, autoflowlabel_off;
    uint16_t src_prefs; /* IPV6_ADDR_PREFERENCES that were asked for */
    uint16_t kept6;     /* switches of SOL_IPV6 that change nothing here */
    uint32_t busy_poll; /* shown; here nobody polls */
    bool peeks_on;      /* SO_PEEK_OFF: peek_off is where the next MSG_PEEK begins */
    uint32_t peek_off;
    uint8_t repair_queue;
    uint32_t tsflags; /* SO_TIMESTAMPING */
    uint32_t tskey;
    uint32_t port_range; /* IP_LOCAL_PORT_RANGE: high << 16 | low */
    uint64_t kept[2];    /* switches that change nothing here: tcp_opts_kept */
    char bound_dev[16];
    uint32_t bound_ifindex;
    struct TcpErrQueue *errq; /* IP_RECVERR, timestamps */
    Packet *saved_syn;
};
TcpOpts *tcp_opts(TcpConn *c); /* made when first needed */
void tcp_opts_free(TcpConn *c);

/* tcp_opts.c: the levels beside SOL_TCP. */
int tcp_opts_set(TcpConn *c, int level, int name, const void *val, unsigned len);
int tcp_opts_get(TcpConn *c, int level, int name, void *val, unsigned *len);
/* The helpers of both files: an int from the caller, an int (or as much of it as fits) to the caller. */
/* Switches that Linux keeps and shows, and that change nothing in a simulated host (SO_DEBUG, IP_PASSSEC …):
 * the bit of `kept` (0: SOL_SOCKET, 1: SOL_IP), or 0 for any other option. */
uint64_t tcp_opts_kept(int level, int name);
bool tcp_opts_keep(uint64_t *kept, int level, int name, int val); /* false: another option */
bool tcp_opts_set_kept(TcpConn *c, int level, int name, int val); /* false: another option */
bool tcp_opts_get_kept(const TcpConn *c, int level, int name, int *val);
/* tcp_opts_ip.c */
int tcp_opts_set_ip(TcpConn *c, int name, const void *val, unsigned len);
int tcp_opts_get_ip(TcpConn *c, int name, void *val, unsigned *len);
int tcp_opts_set_ip6(TcpConn *c, int name, const void *val, unsigned len);
int tcp_opts_get_ip6(TcpConn *c, int name, void *val, unsigned *len);
/* tcp_opts.c */
int tcp_opts_take_int(const void *val, unsigned len, int *out);
int tcp_opts_give(void *val, unsigned *len, const void *from, unsigned size);
/* tcp_repair.c */
int tcp_repair_set(TcpConn *c, int val);
int tcp_repair_set_queue(TcpConn *c, int val);
int tcp_repair_set_seq(TcpConn *c, int val);
int tcp_repair_get_seq(const TcpConn *c, int *val);
